//! Multiprocessing for WebAssembly.
//!
//! A [`Pool`] forks OS worker processes, each of which runs a wasmtime instance of a module that
//! the user supplies. Jobs go down pipes and results come back. A task that traps, spins, exits, or
//! takes its process down fails its own job and no other. The crate does what Python's
//! `multiprocessing.Pool` does, for code that is not trusted.
//!
//! ```
//! let pool = wpool::Pool::from_bytes(
//!     r#"(module
//!         (func (export "square") (param i64) (result i64)
//!             (i64.mul (local.get 0) (local.get 0))))"#,
//! )
//! .workers(2)
//! .start()?;
//!
//! let squares: Vec<i64> = pool.map(0..12)?;
//! assert_eq!(squares, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121]);
//!
//! // Results are computed as they are needed, from an endless input.
//! let first: Vec<i64> = pool.imap(1..).take(3).collect::<Result<_, _>>()?;
//! assert_eq!(first, [1, 4, 9]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The `wpool` program is a thin client of [`pool::session::Session`], and so is [`Pool`].
//! ARCHITECTURE.md describes the journey of a job.

#[cfg(test)]
#[allow(dead_code, reason = "the tests of shared objects need all of it")]
#[path = "../../wpool-objects/src/tests/process.rs"]
mod child;
mod embed;
pub mod pool;

pub use wpool_module as module;
use wpool_objects as shared;
pub use wpool_wire as wire;

pub use embed::{
    Arithmetic, Array, Barrier, Bounds, Capacity, Condition, Dict, Event, Guard, Iter, List, Lock,
    Number, ObjectKind, Permit, Permits, Queue, Received, Region, Semaphore, Set, Shared,
    SharedBuilder, SharedError, Value, Versioned,
};
pub use embed::{
    AsyncResult, Builder, Error, GuestLine, Imap, Launcher, MapError, MapResult, Pool, Process,
};
pub use wire::failure::{Failure, FailureDetail, FailureKind};
pub use wire::jail::JailMode;
pub use wire::line::Stream;
pub use wire::settings::Isolation;

use wpool_worker::worker::command::{Command, CommandJob};

/// Makes the arguments that a worker gives to a command for one of its jobs, the command's name
/// first. Benchmarks use them for the programs that they compare with the command.
///
/// # Errors
/// Returns a failure if the job is torn, or an argument is not UTF-8.
#[doc(hidden)]
pub fn command_arguments(
    line: &wire::settings::CommandLine,
    number: u64,
    job: &[u8],
) -> Result<Vec<String>, Failure> {
    CommandJob::decode(job).and_then(|job| Command::new(line).arguments(number, &job))
}
