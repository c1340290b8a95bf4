//! Failures: the reasons why jobs have no result.

use super::jobmem::{EXIT_OUT_OF_MEMORY, EXIT_WITH_MESSAGE, JobMem, NEEDED_TOO_MUCH};
use super::waits::Awaited;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

/// The greatest size of a failure's message, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// The greatest number of functions in a backtrace.
pub const FRAMES_MAX: usize = 32;

/// The greatest size of a function's name in a backtrace, in bytes.
pub const FRAME_BYTES_MAX: usize = 1 << 10;

/// The greatest size of a failure as a worker writes it, in bytes: all that the limits above allow,
/// escaped.
const ENCODED_BYTES_MAX: usize = 1 << 20;

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The task returned an error, or bytes that are not a result.
    GuestError,
    /// The guest trapped.
    Trap,
    /// The guest exited with a code other than 0 (or with any code, if it is not a command).
    Exit,
    /// The guest needed more memory than it may have.
    OutOfMemory,
    /// The job ran longer than it may.
    Timeout,
    /// The job executed more instructions than it may.
    Fuel,
    /// The worker process died while it ran the job.
    WorkerLost,
    /// The result is larger than it may be.
    OutputTooLarge,
    /// The job does not fit the task: not JSON, wrong number or type of arguments, out of range.
    InvalidJob,
    /// The job was given up before it finished: cancelled, or its run was ended.
    Cancelled,
}

impl FailureKind {
    /// Returns the kind's name in messages and in plural summaries.
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

/// The exact cause of a failure, if the kind leaves open what can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureDetail {
    /// The call stack was exhausted ([`FailureKind::Trap`]).
    Stack,
    /// The files in the job's scratch folder had too many bytes ([`FailureKind::OutOfMemory`]).
    ScratchBytes,
    /// The files in the job's scratch folder were too many, or too deep
    /// ([`FailureKind::OutOfMemory`]).
    ScratchFiles,
    /// The job has more bytes than a job may have ([`FailureKind::InvalidJob`]).
    JobBytes,
    /// The job is not JSON ([`FailureKind::InvalidJob`]).
    NotJson,
    /// An integer of the job is too large for its type, and would perhaps fit the type without a
    /// sign ([`FailureKind::InvalidJob`]).
    SignedRange,
    /// A signal that the pool had not sent ended the worker ([`FailureKind::WorkerLost`]).
    Signal,
}

/// The reason why a job has no result: a kind, and a description in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of the failure.
    pub kind: FailureKind,
    /// The exact cause, if it is known. A worker may claim any: untrusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<FailureDetail>,
    /// The description as a lowercase fragment on one line; may be empty. It comes from the guest:
    /// untrusted.
    pub message: String,
    /// The guest's wasm backtrace, innermost function first, names demangled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backtrace: Vec<String>,
    /// The exit code of the guest ([`FailureKind::Exit`]) or of the worker
    /// ([`FailureKind::WorkerLost`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The wait in shared state in which the time of the job was over ([`FailureKind::Timeout`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaited: Option<Box<Awaited>>,
    /// The signal that ended the worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// The bytes of memory that the guest would have needed ([`FailureKind::OutOfMemory`]), if it
    /// asked for an amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<NonZeroU64>,
    /// The standard output of a command up to its failure. It comes from the guest: untrusted.
    #[serde(skip)]
    pub stdout: Arc<Vec<u8>>,
}

impl Failure {
    /// Makes a failure of this kind, with a message and nothing else.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Failure {
            kind,
            detail: None,
            message: message.into(),
            backtrace: Vec::new(),
            code: None,
            awaited: None,
            signal: None,
            asked: None,
            stdout: Arc::default(),
        }
    }

    /// Adds the exact cause.
    pub fn detailed(self, detail: FailureDetail) -> Self {
        Failure { detail: Some(detail), ..self }
    }

    /// Appends the failure as a record holds it: `{length u32}`, the failure as JSON of that
    /// length, and the bytes of [`stdout`](Self::stdout).
    pub fn encode(&self, to: &mut Vec<u8>) {
        let start = to.len();
        to.extend_from_slice(&[0; 4]);
        serde_json::to_writer(&mut *to, self).expect("a failure is made of strings and numbers");
        let length = (to.len() - start - 4) as u32;
        to[start..start + 4].copy_from_slice(&length.to_le_bytes());
        to.extend_from_slice(&self.stdout);
    }

    /// Reads a failure as a worker has written it, and cuts the parts that are longer than a worker
    /// may write.
    pub fn decode(bytes: &[u8]) -> Option<Failure> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (json, stdout) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        // A text of many short strings takes eight times its length.
        let json = Some(json).filter(|json| json.len() <= ENCODED_BYTES_MAX)?;
        let mut failure: Failure = serde_json::from_slice(json).ok()?;
        cut(&mut failure.message, MESSAGE_BYTES_MAX);
        failure.backtrace.truncate(FRAMES_MAX);
        failure.backtrace.iter_mut().for_each(|frame| cut(frame, FRAME_BYTES_MAX));
        failure.backtrace.shrink_to_fit();
        // Only the dispatcher knows what the job waited for, and what signal ended its process.
        (failure.awaited, failure.signal) = (None, None);
        // The output may be as long as a result, which the dispatcher has checked.
        failure.stdout = stdout.to_vec().into();
        Some(failure)
    }

    /// Returns the bytes that the failure takes beside its own size.
    pub fn bytes(&self) -> usize {
        let frames = self.backtrace.iter().map(|frame| frame.len() + size_of::<String>());
        self.message.len() + self.stdout.len() + frames.sum::<usize>()
    }

    /// Returns whether the job was given up before there was a process to send a signal to.
    pub fn is_unsent(&self) -> bool {
        self.kind == FailureKind::Cancelled && self.signal.is_none()
    }

    /// Returns the exit code of a process whose only job this was, as Python reports it: above 0
    /// for an exit, `-N` for a death by signal N.
    ///
    /// A guest that exits has its own code, of which the system passes on eight bits. A task that
    /// returns an error ends with 1, as an uncaught exception does, and a task whose arguments are
    /// wrong ends with 2. A trap is an abort (-6), and so is the end of a guest at a limit; a
    /// timeout or a cancelled job is a kill (-9).
    pub fn exit_code(&self) -> i32 {
        const ABORT: i32 = 6;
        const KILL: i32 = 9;
        match self.kind {
            FailureKind::Exit => match self.code.unwrap_or(1) {
                // A failure must not look like success.
                code if code != 0 && code as u8 == 0 => 255,
                code => i32::from(code as u8),
            },
            FailureKind::GuestError => 1,
            FailureKind::InvalidJob => 2,
            FailureKind::Trap
            | FailureKind::OutOfMemory
            | FailureKind::Fuel
            | FailureKind::OutputTooLarge => -ABORT,
            FailureKind::Timeout | FailureKind::Cancelled => -self.signal.unwrap_or(KILL),
            FailureKind::WorkerLost => match (self.signal, self.code) {
                (Some(signal), _) => -signal,
                (None, Some(code @ 1..)) => code,
                (None, _) => 1,
            },
        }
    }

    /// Returns the failure that a process reported before it ended with this exit code, if it
    /// reported one: a trap, or memory that the system refused.
    pub fn of_fatal_message(code: i32, memory: &JobMem) -> Option<Failure> {
        if code == EXIT_OUT_OF_MEMORY {
            return Some(Failure::new(FailureKind::OutOfMemory, NEEDED_TOO_MUCH));
        }
        let words = memory.fatal_message();
        let told = code == EXIT_WITH_MESSAGE && !words.is_empty();
        told.then(|| Failure::new(FailureKind::Trap, words))
    }
}

/// Returns the message of an error of serde_json without the place, which the error has as numbers.
pub fn json_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// Cuts a text that is longer than `most` bytes, and frees the memory of the rest.
pub fn cut(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.shrink_to_fit();
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_a_worker_made_up_is_cut_to_what_a_worker_may_write() {
        let decode = |failure: &Failure| {
            let mut bytes = Vec::new();
            failure.encode(&mut bytes);
            Failure::decode(&bytes)
        };
        let long = Failure {
            backtrace: vec!["f".repeat(2 * FRAME_BYTES_MAX); FRAMES_MAX + 1],
            ..Failure::new(FailureKind::Trap, "é".repeat(MESSAGE_BYTES_MAX))
        };
        let decoded = decode(&long).unwrap();
        assert_eq!(decoded.message.len(), MESSAGE_BYTES_MAX);
        assert_eq!(decoded.backtrace, vec!["f".repeat(FRAME_BYTES_MAX); FRAMES_MAX]);
        assert!(decoded.bytes() < MESSAGE_BYTES_MAX + FRAMES_MAX * (FRAME_BYTES_MAX + 64));
        let frames = Failure { backtrace: vec![String::new(); 1 << 20], ..long };
        assert_eq!(decode(&frames), None);
        assert_eq!(Failure::decode(b"{"), None);
    }

    #[test]
    fn a_worker_that_could_not_fork_is_not_one_that_was_refused_memory() {
        use crate::jobmem::EXIT_WITHOUT_PROCESS;
        let (memory, _fd) = JobMem::create(0).expect("the system has memory");
        assert_eq!(Failure::of_fatal_message(EXIT_WITHOUT_PROCESS, &memory), None);
        let refused = Failure::of_fatal_message(EXIT_OUT_OF_MEMORY, &memory).expect("a failure");
        assert_eq!(refused.kind, FailureKind::OutOfMemory);
    }

    #[test]
    fn a_failure_comes_back_with_what_was_printed_before_it() {
        let mut bytes = Vec::new();
        let exit = Failure { code: Some(1), ..Failure::new(FailureKind::Exit, "with code 1") };
        let failure = Failure { stdout: b"0\n\xff".to_vec().into(), ..exit };
        failure.encode(&mut bytes);
        assert_eq!(Failure::decode(&bytes), Some(failure));
        assert_eq!(Failure::decode(&bytes[..20]), None);
        assert_eq!(Failure::decode(b"{}"), None);
    }

    #[test]
    fn exit_codes_are_pythons() {
        let failure = |kind, code, signal| Failure { code, signal, ..Failure::new(kind, "") };
        for (kind, code, signal, exit_code) in [
            (FailureKind::Exit, Some(3), None, 3),
            (FailureKind::Exit, Some(0), None, 0),
            (FailureKind::Exit, Some(-1), None, 255),
            (FailureKind::Exit, Some(257), None, 1),
            (FailureKind::Exit, Some(256), None, 255),
            (FailureKind::GuestError, None, None, 1),
            (FailureKind::InvalidJob, None, None, 2),
            (FailureKind::Trap, None, None, -6),
            (FailureKind::OutOfMemory, None, None, -6),
            (FailureKind::Timeout, None, Some(9), -9),
            (FailureKind::Cancelled, None, Some(15), -15),
            (FailureKind::Cancelled, None, None, -9),
            (FailureKind::WorkerLost, None, Some(11), -11),
            (FailureKind::WorkerLost, Some(101), None, 101),
            (FailureKind::WorkerLost, Some(0), None, 1),
        ] {
            assert_eq!(failure(kind, code, signal).exit_code(), exit_code, "{kind:?}");
        }
    }
}
