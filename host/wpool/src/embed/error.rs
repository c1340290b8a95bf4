//! The errors that callers of a pool can get.

use crate::wire::failure::Failure;
use std::fmt;

/// The reason why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The job failed.
    Job(Failure),
    /// The result did not come in time. The job goes on; see [`super::AsyncResult::cancel`].
    TimedOut,
    /// The pool was closed or terminated and takes no more jobs.
    Closed,
    /// The pool could not be started, or had to be given up.
    Pool(String),
    /// The job cannot be written as JSON.
    Encode(String),
    /// The result is not of the type that was asked for.
    Decode(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Job(failure) => write!(f, "{failure}"),
            Error::TimedOut => f.write_str("the result was not there in time"),
            Error::Closed => f.write_str("the pool is closed"),
            Error::Pool(why) => f.write_str(why),
            Error::Encode(why) => write!(f, "the job cannot be written as JSON: {why}"),
            Error::Decode(why) => write!(f, "the result is not of the expected type: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// The jobs of a map that failed, with their errors. The other jobs have run: a failure does not
/// end them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapError {
    /// The index and error of each job without a result, in order; at least one.
    pub failures: Vec<(usize, Error)>,
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((index, error)) = self.failures.first() else { return f.write_str("no failure") };
        write!(f, "job {index}: {error}")?;
        match self.failures.len() {
            1 => Ok(()),
            count => write!(f, " (and {} more failed)", count - 1),
        }
    }
}

impl std::error::Error for MapError {}

impl From<Error> for MapError {
    /// Makes an error of the whole call the error of its first job.
    fn from(error: Error) -> Self {
        MapError { failures: vec![(0, error)] }
    }
}
