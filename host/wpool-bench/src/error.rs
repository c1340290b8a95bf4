//! The errors of a benchmark. They do not decide how a program ends, or what it prints.

use std::path::{Path, PathBuf};
use wpool::pool::error::PoolError;

/// The reason why a benchmark has no findings.
#[derive(Debug)]
pub enum Error {
    /// The benchmark that was asked for is not possible.
    Usage(Told),
    /// The system refuses something that the benchmark needs.
    Setup(Told),
    /// A job or a program has failed, or modes do not agree.
    Failed(Told),
    /// A round took too long.
    Deadline(Told),
    /// The run was asked to end.
    Asked,
    /// A pool could not run the module of this file.
    Pool {
        /// The file of the module.
        module: PathBuf,
        /// The pool's error.
        error: PoolError,
    },
}

/// An error in words.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// The error; a lowercase fragment.
    pub text: String,
    /// The advice on what to do about the error.
    pub help: Option<String>,
}

impl Error {
    pub(crate) fn usage(text: impl Into<String>) -> Error {
        Error::Usage(Told { text: text.into(), help: None })
    }

    pub(crate) fn setup(text: impl Into<String>) -> Error {
        Error::Setup(Told { text: text.into(), help: None })
    }

    pub(crate) fn failed(text: impl Into<String>) -> Error {
        Error::Failed(Told { text: text.into(), help: None })
    }

    pub(crate) fn deadline(text: impl Into<String>) -> Error {
        Error::Deadline(Told { text: text.into(), help: None })
    }

    /// Wraps the errors of pools that run a module.
    pub(crate) fn of_module(module: &Path) -> impl Fn(PoolError) -> Error {
        move |error| Error::Pool { module: module.to_owned(), error }
    }

    /// Adds help to an error in words.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Error {
        match &mut self {
            Error::Usage(told)
            | Error::Setup(told)
            | Error::Failed(told)
            | Error::Deadline(told) => told.help = Some(help.into()),
            Error::Asked | Error::Pool { .. } => {}
        }
        self
    }
}
