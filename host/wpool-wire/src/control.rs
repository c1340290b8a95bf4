//! The control protocol: what dispatcher and zygote say to each other.
//!
//! Payloads without a small bound (the module, what is known of it, settings) travel in memfds, as
//! [attachments](super::packet). The first message is a [hello](ToZygote::Hello); what a zygote says is checked
//! when it is decoded.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The id of this protocol: its name and its version.
pub const PROTOCOL: &str = concat!("wpool ", env!("CARGO_PKG_VERSION"));

/// Most bytes of a text inside a message; longer ones are cut by their sender.
const TEXT_BYTES_MAX: usize = 8 << 10;

/// Largest process id that the system gives.
const PID_MAX: i32 = 1 << 22;

/// Largest number of a signal.
const SIGNAL_MAX: i32 = 64;

/// Most bytes of the records of a run in one process.
pub const ALONE_BYTES_MAX: u64 = 1 << 30;

/// What stands in the place of the nanoseconds of a run in one process whose job was too slow.
pub const JOB_TOO_SLOW: u64 = u64::MAX;

/// What the dispatcher asks of the zygote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToZygote {
    /// The first message. A zygote that speaks another protocol answers [`FromZygote::Unfit`] and ends; otherwise
    /// there is no answer. This message has the same encoding in all versions.
    Hello {
        /// The protocol that the dispatcher speaks.
        protocol: String,
    },
    /// What makes machine code usable by this program: answered by [`FromZygote::Compatible`].
    Compatibility {
        /// Whether jobs will have a limit of fuel.
        fuel: bool,
    },
    /// Compile a module in a process of its own: answered by [`FromZygote::Compiled`].
    /// Attached: the module, where its description (JSON) goes, and where the machine code goes; the module is only
    /// described where there is no place for code.
    Compile {
        /// Whether jobs will have a limit of fuel.
        fuel: bool,
        /// Whether functions are inlined across the modules of a component.
        inline: bool,
        /// Most bytes of writable memory of the compiler process.
        bytes_max: u64,
        /// Longest time in milliseconds.
        timeout_ms: u64,
        /// Whether imports that nobody provides are no error.
        stub_imports: bool,
    },
    /// Load the machine code and link it: answered by [`FromZygote::Loaded`], with a memfd of [`Line`]s where
    /// a guest was initialised.
    /// Attached: the machine code, a [`Load`] as JSON, both memories of shared state if there is any, the
    /// dispatcher's standard streams if the settings say so, the granted folders, and the folder for scratch
    /// folders if there is one.
    Load,
    /// Run all jobs in one process: answered by [`FromZygote::Alone`].
    /// Attached: the jobs ([`Entries`](super::frame::Entries)), and where the results go: the nanoseconds
    /// that they took (`u64 LE`) and their records, or [`JOB_TOO_SLOW`] and the number of the job (`u64 LE`)
    /// that took longer than the time for each.
    Alone {
        /// How many threads run them; more than one for a native library only.
        threads: usize,
        /// Longest time of a job in milliseconds.
        timeout_ms: Option<u64>,
    },
    /// Wait for the end of the workers, and end: not answered.
    Finish,
    /// Fork a worker: answered by [`FromZygote::Forked`] and, once it ended, [`FromZygote::Exited`].
    /// Attached: the pipe of jobs (to read), the pipe of results (to write), the job memory.
    Fork {
        /// The worker.
        worker: WorkerId,
        /// Who it is in shared state, if there is one.
        member: Option<Membership>,
    },
}

/// A slot of shared state in one of its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Membership {
    /// The slot.
    pub slot: u16,
    /// Which of its lives.
    pub epoch: u32,
}

/// What a zygote must know to link a module and to start workers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Load<S, D> {
    /// Settings of the workers.
    pub settings: S,
    /// Description of the module.
    pub description: D,
}

/// One life of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerId {
    /// Its slot.
    pub slot: u32,
    /// How often the slot was used before.
    pub epoch: u64,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AnyStatus")]
pub enum ExitStatus {
    /// With an exit code, from 0 to 255.
    Code(i32),
    /// By a signal, from 1 to 64.
    Signal(i32),
}

/// A status as it is told, before it is checked.
#[derive(Deserialize)]
enum AnyStatus {
    Code(i32),
    Signal(i32),
}

/// A number that is told and that the system never gives.
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

/// The id of a process: neither a group nor "any".
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

/// What the zygote answers and reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromZygote {
    /// The answer to [`ToZygote::Compatibility`].
    Compatible {
        /// Equal hashes: machine code can be exchanged.
        hash: u64,
    },
    /// The answer of a zygote that speaks another protocol, or cannot fork: why it is of no use.
    Unfit(String),
    /// The module is compiled, or why not.
    Compiled(Result<(), Uncompiled>),
    /// The module is linked, or why not. Where a guest was to be initialised, what it printed is attached, and if
    /// it failed, its failure.
    Loaded(Result<(), Unloaded>),
    /// All jobs were run in one process, or why not.
    Alone(Result<(), String>),
    /// A worker was forked, or why not. Attached: its pidfd.
    Forked {
        /// The worker.
        worker: WorkerId,
        /// Its process id, or why there is none.
        pid: Result<ProcessId, String>,
    },
    /// A worker ended and was reaped.
    Exited {
        /// The worker.
        worker: WorkerId,
        /// How it ended.
        status: ExitStatus,
    },
}

/// Why there is no machine code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Uncompiled {
    /// The module is refused, or the compiler was lost: in words for the user.
    Refused(String),
    /// Compiling needs more memory than it may have.
    Memory,
    /// Compiling takes longer than it may.
    Time,
}

/// Why a module is not linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unloaded {
    /// In words for the user.
    Refused(String),
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

    /// What a zygote says, as JSON.
    fn decode(json: &str) -> Result<FromZygote, serde_json::Error> {
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
