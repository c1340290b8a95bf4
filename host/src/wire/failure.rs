//! Why a job has no result.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of thing went wrong with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The task answered with an error, or with bytes that are not a result.
    GuestError,
    /// The guest trapped.
    Trap,
    /// The guest exited with a code other than 0 (or at all, where it is not a command).
    Exit,
    /// The guest needed more than `--memory`.
    OutOfMemory,
    /// The job ran longer than `--timeout`.
    Timeout,
    /// The job used up its `--fuel`.
    Fuel,
    /// The worker process died while it ran the job.
    WorkerLost,
    /// The result is larger than `--max-output`.
    OutputTooLarge,
    /// The job does not fit the task: not JSON, wrong number or type of arguments, out of range.
    InvalidJob,
    /// The job was given up before it finished: cancelled, `--halt now`, `--deadline`.
    Cancelled,
}

impl FailureKind {
    /// The kind's name in messages, in plural summaries, and in `--retry-on`.
    pub fn name(self) -> &'static str {
        match self {
            FailureKind::GuestError => "guest error",
            FailureKind::Trap => "trap",
            FailureKind::Exit => "exit",
            FailureKind::OutOfMemory => "out of memory",
            FailureKind::Timeout => "timeout",
            FailureKind::Fuel => "fuel",
            FailureKind::WorkerLost => "worker lost",
            FailureKind::OutputTooLarge => "output too large",
            FailureKind::InvalidJob => "invalid job",
            FailureKind::Cancelled => "cancelled",
        }
    }
}

/// Why a job has no result: a kind, and what happened in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of thing went wrong.
    pub kind: FailureKind,
    /// What happened, as a lowercase fragment on one line; may be empty. From the guest: untrusted.
    pub message: String,
    /// The guest's wasm backtrace, innermost function first, names demangled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backtrace: Vec<String>,
    /// Exit code of the guest ([`FailureKind::Exit`]) or of the worker ([`FailureKind::WorkerLost`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// Signal that ended the worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}

impl Failure {
    /// A failure of this kind, with a message and nothing else.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Failure { kind, message: message.into(), backtrace: Vec::new(), code: None, signal: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

impl std::error::Error for Failure {}
