//! Why a run could not be started or had to be given up. (A failed job is not one of these.)

use std::io;
use thiserror::Error;

/// Why a run could not be started or had to be given up.
#[derive(Debug, Error)]
pub enum PoolError {
    /// The module cannot be used: not wasm, invalid, too large, or too costly to compile.
    #[error("{0}")]
    Module(String),
    /// The module has no such task, or several and none was named.
    #[error("{message}")]
    Task {
        /// What is wrong.
        message: String,
        /// The tasks there are, each as `name(parameters) -> results`.
        candidates: Vec<String>,
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
