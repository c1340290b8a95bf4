//! Why an operation on a shared object was not done.

use super::handle::ObjectKind;
use crate::shared::{self as control, HOST_SLOTS};
use std::fmt;

/// Why an operation on shared state was not done. The message says what can be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SharedError {
    /// The time given was over first. Where nothing was to be waited for: it cannot be done now.
    TimedOut,
    /// A barrier was broken, or a death damaged the object beyond repair.
    Broken {
        /// The slot of the process that did it (a guest's `process_slot`), if that is known.
        culprit: Option<u32>,
    },
    /// Only the thread that holds it may do this.
    NotOwner,
    /// This thread holds the lock already, and would wait for itself for ever.
    AlreadyOwner,
    /// Released more often than acquired, done more often than got, or a recursion too deep.
    TooMany,
    /// The queue is closed. Whoever gets has got all that was left.
    Closed,
    /// The message can never fit the queue.
    TooLarge,
    /// There is no object or no storage left.
    NoSpace {
        /// What there was no space for.
        object: String,
    },
    /// All slots of this side are taken.
    NoSlot,
    /// There is an object of this name already.
    Exists {
        /// What was to be created.
        object: String,
        /// What is there.
        kind: ObjectKind,
    },
    /// There is no object of this name.
    NotFound {
        /// What was looked for.
        object: String,
    },
    /// The object of this name is of another kind.
    WrongKind {
        /// What was asked for.
        object: String,
        /// What it is.
        kind: ObjectKind,
    },
    /// The queue does not count tasks.
    NotJoinable {
        /// The queue.
        object: String,
    },
    /// The value or array of this name holds numbers of another type.
    WrongType {
        /// What was to be opened.
        object: String,
        /// What type its numbers are of.
        holds: &'static str,
    },
    /// The name is no name, or a size, a count or an index is outside of its limits.
    OutOfRange {
        /// What was to be created, or is open.
        object: String,
        /// What its limits are.
        limits: String,
    },
    /// The region may only be read.
    ReadOnly,
    /// A message could not be encoded as JSON, or not be decoded from it.
    Malformed {
        /// Why not.
        reason: String,
    },
    /// The system does not allow it.
    System {
        /// Why not.
        reason: String,
    },
}

impl SharedError {
    /// The answer to an operation on an object, or to its creation: `limits` says what was allowed.
    #[cold]
    pub(super) fn of(
        error: control::Error,
        object: impl FnOnce() -> String,
        limits: impl FnOnce() -> String,
    ) -> SharedError {
        match error {
            // Only those of a pool's own thread are interrupted.
            control::Error::TimedOut | control::Error::Interrupted => SharedError::TimedOut,
            control::Error::Broken { culprit } => {
                SharedError::Broken { culprit: culprit.map(|owner| owner.slot.into()) }
            }
            control::Error::NotOwner => SharedError::NotOwner,
            control::Error::AlreadyOwner => SharedError::AlreadyOwner,
            control::Error::TooMany => SharedError::TooMany,
            control::Error::Closed => SharedError::Closed,
            control::Error::TooLarge => SharedError::TooLarge,
            control::Error::NoSpace => SharedError::NoSpace { object: object() },
            control::Error::Exists { kind } => {
                SharedError::Exists { object: object(), kind: kind.into() }
            }
            control::Error::NotFound => SharedError::NotFound { object: object() },
            control::Error::WrongKind { kind } => {
                SharedError::WrongKind { object: object(), kind: kind.into() }
            }
            control::Error::WrongType => {
                SharedError::WrongType { object: object(), holds: "another type" }
            }
            control::Error::OutOfRange => {
                SharedError::OutOfRange { object: object(), limits: limits() }
            }
            control::Error::ReadOnly => SharedError::ReadOnly,
        }
    }
}

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SharedError::TimedOut => f.write_str("it could not be done in time: try again later"),
            SharedError::Broken { culprit } => {
                f.write_str("broken")?;
                if let Some(slot) = culprit {
                    write!(f, " by the process in slot {slot}")?;
                }
                f.write_str(": a barrier can be reset, any other object has to be made again")
            }
            SharedError::NotOwner => {
                f.write_str("this thread does not hold it: only the one that acquired it may do this")
            }
            SharedError::AlreadyOwner => f.write_str(
                "this thread holds the lock already, and would wait for itself: release it first, or \
                 create it as a recursive one",
            ),
            SharedError::TooMany => f.write_str(
                "released more often than acquired, or done more often than got: do it once each",
            ),
            SharedError::Closed => {
                f.write_str("the queue is closed: nothing can be put, and nothing is left to get")
            }
            SharedError::TooLarge => f.write_str(
                "the message is larger than the whole queue: create the queue with more bytes",
            ),
            SharedError::NoSpace { object } => write!(
                f,
                "there is no space left for {object}: delete other objects, make it smaller, or give \
                 the state more space",
            ),
            SharedError::NoSlot => write!(
                f,
                "all {HOST_SLOTS} places for pools and threads of this program are taken: let threads \
                 end, or use shared state from fewer of them",
            ),
            SharedError::Exists { object, kind } => write!(
                f,
                "{object} cannot be created, for there is {kind:#} of this name: open it instead, or \
                 choose another name",
            ),
            SharedError::NotFound { object } => {
                write!(f, "there is no {object}: create it first")
            }
            SharedError::WrongKind { object, kind } => {
                write!(f, "{object} is {kind:#}: use it as what it is")
            }
            SharedError::NotJoinable { object } => {
                write!(f, "{object} does not count tasks: create it as a joinable one")
            }
            SharedError::WrongType { object, holds } => {
                write!(f, "{object} holds {holds}: open it with its own type")
            }
            SharedError::OutOfRange { object, limits } => write!(f, "{object}: {limits}"),
            SharedError::ReadOnly => {
                f.write_str("the region may only be read: write to another one")
            }
            SharedError::Malformed { reason } => {
                write!(f, "the message is not JSON of the type asked for: {reason}")
            }
            SharedError::System { reason } => f.write_str(reason),
        }
    }
}

impl std::error::Error for SharedError {}
