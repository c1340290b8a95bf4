//! Why a run could not be started or had to be given up. (A failed job is not one of these.)

use super::config::CompileLimit;
use crate::wire::failure::Failure;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// Why a run could not be started or had to be given up.
#[derive(Debug, Error)]
pub enum PoolError {
    /// The module cannot be used: not wasm, invalid, too large, or too costly to compile.
    #[error("{0}")]
    Module(String),
    /// Compiling the module takes more than it may.
    #[error("compiling it {0}")]
    Compile(CompileLimit),
    /// The task that initialises guests failed.
    #[error("the task `{}`, which initialises, failed: {failure}", .task.escape_debug())]
    Init {
        /// Its name.
        task: String,
        /// How it failed.
        failure: Box<Failure>,
        /// The lines that it printed before, without their ends.
        printed: Vec<Vec<u8>>,
    },
    /// The task that initialises guests took too long.
    #[error("the task `{}`, which initialises, took longer than {} s", .task.escape_debug(), .limit.as_secs_f64())]
    InitTime {
        /// Its name.
        task: String,
        /// How long it may take.
        limit: Duration,
    },
    /// The deadline passed before there could be jobs.
    #[error("the deadline passed while the module was {0}")]
    Deadline(&'static str),
    /// The module has no such task, or several and none was named.
    #[error("{message}")]
    Task {
        /// What is wrong.
        message: String,
        /// The tasks there are, each as `name(parameters) -> results`.
        candidates: Vec<String>,
    },
    /// A folder cannot be granted.
    #[error("{0}")]
    Grant(String),
    /// Guests could write the cache of machine code, which later runs execute.
    #[error("guests could write wpool's cache of machine code, or its key: {} holds {}, or is held by it", .folder.display(), .cache.display())]
    CacheGranted {
        /// The folder that is granted for writing.
        folder: PathBuf,
        /// The cache.
        cache: PathBuf,
    },
    /// The environment does not allow a pool: no processes, no descriptors, no memory.
    #[error("cannot {what}: {source}")]
    Setup {
        /// What could not be done.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// Workers or zygotes were lost one after another.
    #[error("{0}")]
    Lost(String),
    /// The input cannot be read.
    #[error("cannot read the input: {0}")]
    Input(io::Error),
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(io::Error),
}

impl PoolError {
    /// A set-up error: what could not be done, and why.
    pub(crate) fn setup(what: impl Into<String>, source: impl Into<io::Error>) -> Self {
        PoolError::Setup { what: what.into(), source: source.into() }
    }
}
