//! The control protocol: the messages between dispatcher and zygote.
//!
//! Payloads without a small bound (the module, its description, settings) travel in memfds, as
//! [attachments](super::packet). The first message is a [hello](ToZygote::Hello). Messages of a
//! zygote are checked when they are decoded.

use super::jail::Jail;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The id of this protocol: its name and its version.
pub const PROTOCOL: &str = concat!("wpool ", env!("CARGO_PKG_VERSION"));

/// The greatest size of a text inside a message, in bytes; the sender cuts longer texts.
const TEXT_BYTES_MAX: usize = 8 << 10;

/// The largest process id that the system gives.
const PID_MAX: i32 = 1 << 22;

/// The largest number of a signal.
const SIGNAL_MAX: i32 = 64;

/// The greatest size of the records of a run in one process, in bytes.
pub const ALONE_BYTES_MAX: u64 = 1 << 30;

/// The number in the place of the nanoseconds, if a job of a run in one process was too slow.
pub const JOB_TOO_SLOW: u64 = u64::MAX;

/// A request of the dispatcher to the zygote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToZygote {
    /// The first message. A zygote that speaks another protocol answers [`FromZygote::Unfit`] and ends; otherwise
    /// there is no answer. This message has the same encoding in all versions.
    Hello {
        /// The protocol that the dispatcher speaks.
        protocol: String,
    },
    /// Asks for the hash that identifies machine code usable by this program: answered by
    /// [`FromZygote::Compatible`].
    Compatibility {
        /// True if jobs will have a limit of fuel.
        fuel: bool,
    },
    /// Compiles a module in a process of its own: answered by [`FromZygote::Compiled`].
    /// Attached: the module, the file for its description (JSON), and the file for the machine
    /// code. Without the latter the module is only described. A pipe is attached, too, if the
    /// dispatcher wants to be notified when compiling begins: never, if the module is refused.
    Compile {
        /// True if jobs will have a limit of fuel.
        fuel: bool,
        /// True if functions are inlined across the modules of a component.
        inline: bool,
        /// The greatest amount of writable memory of the compiler process, in bytes.
        bytes_max: u64,
        /// The longest time in milliseconds.
        timeout_ms: u64,
        /// True if imports that nobody provides are no error.
        stub_imports: bool,
        /// How the compiler process is confined.
        jail: Jail,
    },
    /// Loads the machine code and links it: answered by [`FromZygote::Loaded`], with a memfd of
    /// [`Line`](crate::line::Line)s if a guest was initialised.
    /// Attached: the machine code, a [`Load`] as JSON, both memories of shared state if there is
    /// any, the dispatcher's standard streams if the settings say so, the granted folders, and the
    /// folder for scratch folders if there is one.
    Load,
    /// Runs all jobs in one process: answered by [`FromZygote::Alone`].
    /// Attached: the jobs ([`Entries`](super::frame::Entries)), and the file for the results: the
    /// nanoseconds of the run (`u64 LE`) and the records, or [`JOB_TOO_SLOW`] and the number of the
    /// job (`u64 LE`) that took longer than the limit for each job.
    Alone {
        /// The number of threads that run the jobs; more than one for a native library only.
        threads: usize,
        /// The longest time of a job in milliseconds.
        timeout_ms: Option<u64>,
    },
    /// Waits for the end of the workers, and ends the zygote: not answered.
    Finish,
    /// Forks a worker: answered by [`FromZygote::Forked`] and, once the worker has ended,
    /// [`FromZygote::Exited`].
    /// Attached: the pipe of jobs (to read), the pipe of results (to write), the job memory.
    Fork {
        /// The worker.
        worker: WorkerId,
        /// The worker's slot in shared state, if there is any.
        member: Option<Membership>,
    },
}

/// A slot of shared state in one of its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Membership {
    /// The slot.
    pub slot: u16,
    /// The number of the slot's life.
    pub epoch: u32,
}

/// The facts that a zygote must know to link a module and to start workers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load<S, D> {
    /// How the processes that run guests are confined.
    pub jail: Jail,
    /// The settings of the workers.
    pub settings: S,
    /// The description of the module.
    pub description: D,
}

/// An identity of a worker: one life of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerId {
    /// The slot in the pool.
    pub slot: u32,
    /// The number of earlier uses of the slot.
    pub epoch: u64,
}

/// The way a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AnyStatus")]
pub enum ExitStatus {
    /// The process exited with a code, from 0 to 255.
    Code(i32),
    /// The process was ended by a signal, from 1 to 64.
    Signal(i32),
}

/// A status as it is reported, before it is checked.
#[derive(Deserialize)]
enum AnyStatus {
    Code(i32),
    Signal(i32),
}

/// A reported number that the system never gives.
#[derive(Debug, Error)]
#[error("{0} is no {1}")]
pub struct Impossible(i32, &'static str);

impl TryFrom<AnyStatus> for ExitStatus {
    type Error = Impossible;

    fn try_from(told: AnyStatus) -> Result<ExitStatus, Impossible> {
        match told {
            AnyStatus::Code(code @ 0..=255) => Ok(ExitStatus::Code(code)),
            AnyStatus::Code(code) => Err(Impossible(code, "exit code")),
            AnyStatus::Signal(signal @ 1..=SIGNAL_MAX) => Ok(ExitStatus::Signal(signal)),
            AnyStatus::Signal(signal) => Err(Impossible(signal, "signal")),
        }
    }
}

/// The id of a process: never the id of a group, and never "any".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i32", into = "i32")]
pub struct ProcessId(i32);

impl TryFrom<i32> for ProcessId {
    type Error = Impossible;

    fn try_from(pid: i32) -> Result<ProcessId, Impossible> {
        match pid {
            1..=PID_MAX => Ok(ProcessId(pid)),
            _ => Err(Impossible(pid, "process id")),
        }
    }
}

impl From<ProcessId> for i32 {
    fn from(pid: ProcessId) -> i32 {
        pid.0
    }
}

/// An answer or a report of the zygote; `R` is the reason for which a module is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromZygote<R> {
    /// The answer to [`ToZygote::Compatibility`].
    Compatible {
        /// The hash of the program's properties: programs with equal hashes can exchange machine
        /// code.
        hash: u64,
    },
    /// The answer of a zygote that speaks another protocol or cannot fork, with the reason.
    Unfit(String),
    /// The module is compiled, or the reason why not.
    Compiled(Result<(), Uncompiled<R>>),
    /// The module is linked, or the reason why not. If a guest was to be initialised, its printed
    /// lines are attached, and its failure if it failed.
    Loaded(Result<(), Unloaded<R>>),
    /// All jobs were run in one process, or the reason why not.
    Alone(Result<(), String>),
    /// A worker was forked, or the reason why not. Attached: its pidfd.
    Forked {
        /// The worker.
        worker: WorkerId,
        /// The process id, or the reason why there is none.
        pid: Result<ProcessId, String>,
    },
    /// A worker ended and was reaped.
    Exited {
        /// The worker.
        worker: WorkerId,
        /// The way the worker ended.
        status: ExitStatus,
    },
}

/// The reason why there is no machine code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Uncompiled<R> {
    /// The module is refused, or the compiler was lost.
    Refused(R),
    /// Compilation needs more memory than it may have.
    Memory,
    /// Compilation takes longer than it may.
    Time,
}

/// The reason why a module is not linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unloaded<R> {
    /// The module is refused, or the loader was lost.
    Refused(R),
    /// The guest failed while it was initialised.
    Init,
}

/// Cuts a text so that it fits into a message.
pub fn cut_text(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        let end = (0..=TEXT_BYTES_MAX).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
        text.push_str(" …");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes a message of a zygote.
    fn decode(json: &str) -> Result<FromZygote<String>, serde_json::Error> {
        serde_json::from_str(json)
    }

    const WORKER: &str = r#""worker":{"slot":0,"epoch":1}"#;

    #[test]
    fn a_status_that_no_process_can_have_is_no_message() {
        let exited =
            |status: &str| decode(&format!(r#"{{"Exited":{{{WORKER},"status":{{{status}}}}}}}"#));
        for status in [r#""Code":0"#, r#""Code":255"#, r#""Signal":9"#, r#""Signal":64"#] {
            assert!(exited(status).is_ok(), "{status}");
        }
        for status in
            [r#""Code":-1"#, r#""Code":256"#, r#""Signal":0"#, r#""Signal":65"#, r#""Signal":-9"#]
        {
            assert!(exited(status).is_err(), "{status}");
        }
    }

    #[test]
    fn a_process_id_that_stands_for_others_is_no_message() {
        let forked =
            |pid: &str| decode(&format!(r#"{{"Forked":{{{WORKER},"pid":{{"Ok":{pid}}}}}}}"#));
        assert!(forked("1").is_ok() && forked("4194304").is_ok());
        for pid in ["0", "-1", "-2147483648", "4194305", "1.5"] {
            assert!(forked(pid).is_err(), "{pid}");
        }
    }

    #[test]
    fn what_is_said_is_understood() {
        for message in [
            FromZygote::Forked {
                worker: WorkerId { slot: 1, epoch: 2 },
                pid: Ok(ProcessId::try_from(7).unwrap()),
            },
            FromZygote::Exited {
                worker: WorkerId { slot: 1, epoch: 2 },
                status: ExitStatus::Signal(11),
            },
        ] {
            assert_eq!(decode(&serde_json::to_string(&message).unwrap()).unwrap(), message);
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let cut = cut_text("é".repeat(TEXT_BYTES_MAX));
        assert!(cut.len() <= TEXT_BYTES_MAX + 5 && cut.ends_with(" …"));
        assert_eq!(cut_text("short".into()), "short");
    }
}
