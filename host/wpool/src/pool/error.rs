//! The errors of a run that could not be started or had to be given up. (A failed job is not one of
//! them.)

use super::config::CompileLimit;
use crate::module::ModuleError;
use crate::module::description::ChooseError;
use crate::wire::failure::Failure;
use crate::wire::jail::Missing;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// The reason why a run could not be started or had to be given up.
#[derive(Debug, Error)]
pub enum PoolError {
    /// The module cannot be used.
    #[error(transparent)]
    Module(#[from] ModuleError),
    /// Compiling the module takes more than it may.
    #[error("compiling it {0}")]
    Compile(CompileLimit),
    /// The task that initialises guests failed.
    #[error("the task `{}`, which initialises, failed: {failure}", .task.escape_debug())]
    Init {
        /// The name of the task.
        task: String,
        /// The failure of the task.
        failure: Box<Failure>,
        /// The lines that the task had printed, without their line ends.
        printed: Vec<Vec<u8>>,
    },
    /// The task that initialises guests took too long.
    #[error("the task `{}`, which initialises, took longer than {} s", .task.escape_debug(), .limit.as_secs_f64())]
    InitTime {
        /// The name of the task.
        task: String,
        /// The time that the task may take.
        limit: Duration,
    },
    /// The deadline passed before any job could run. The word says what was unfinished: "compiled",
    /// "loaded".
    #[error("the deadline passed while the module was {0}")]
    Deadline(&'static str),
    /// The module has no such task, or several and none was named.
    #[error("{}", .0.message)]
    Task(#[from] ChooseError),
    /// A folder cannot be granted.
    #[error("{0}")]
    Grant(String),
    /// A folder granted to guests for writing would let them write the cache of machine code, which
    /// later runs execute.
    #[error("guests could write wpool's cache of machine code, or its key: {} holds {}, or is held by it", .folder.display(), .cache.display())]
    CacheGranted {
        /// The folder that is granted for writing.
        folder: PathBuf,
        /// The folder of the cache.
        cache: PathBuf,
    },
    /// A layer of the jail is missing that must be there.
    #[error(transparent)]
    Jail(#[from] Missing),
    /// The environment does not allow a pool: processes, descriptors or memory are lacking.
    #[error("cannot {what}: {source}")]
    Setup {
        /// The step that failed.
        what: String,
        /// The error of the system.
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
    /// Returns a set-up error: the step that failed, and the error of the system.
    pub(crate) fn setup(what: impl Into<String>, source: impl Into<io::Error>) -> Self {
        PoolError::Setup { what: what.into(), source: source.into() }
    }
}
