//! The errors of operations on shared objects.

use super::handle::ObjectKind;
use crate::shared::{self as control, HOST_SLOTS};
use std::fmt;

/// The reason why an operation on shared state was not done. The message says what can be done
/// about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SharedError {
    // codegen: cases
    /// The operation could not be done in the given time. With a time of 0, it cannot be done now.
    TimedOut,
    /// The barrier is broken, or a death has damaged the object beyond repair.
    Broken {
        /// The slot of the process whose death or abort caused the error, if it is known.
        culprit: Option<u32>,
    },
    /// The caller is not the owner, and only the owner may do this.
    NotOwner,
    /// The caller holds the lock already, and would wait for itself for ever.
    AlreadyOwner,
    /// An object was released more often than acquired, a task was done more often than got, or a
    /// lock is nested too deeply.
    TooMany,
    /// The queue is closed: nothing can be put. If this is the answer to `get`, no message is left
    /// either.
    Closed,
    /// The message could never fit into the queue.
    TooLarge,
    /// No object, no storage, no handle or no address space is left.
    NoSpace {
        /// The object's kind and name, such as lock `guard`.
        object: String,
    },
    /// An object with this name exists.
    Exists {
        /// The object's kind and name, such as lock `guard`.
        object: String,
        /// The kind of the object with this name.
        kind: ObjectKind,
    },
    /// There is no object with this name.
    NotFound {
        /// The object's kind and name, such as lock `guard`.
        object: String,
    },
    /// The object with this name is of another kind, or the queue does not count tasks.
    WrongKind {
        /// The object's kind and name, such as lock `guard`.
        object: String,
        /// The kind of the object with this name.
        kind: ObjectKind,
    },
    /// The number is not of the value's or the array's type.
    WrongType {
        /// The object's kind and name, such as lock `guard`.
        object: String,
        /// The type of the object's numbers.
        holds: &'static str,
    },
    /// A name is empty, longer than 128 bytes, or has a NUL; or a size or a count is outside its
    /// limits.
    OutOfRange {
        /// The object's kind and name, such as lock `guard`.
        object: String,
        /// The limits.
        limits: String,
    },
    /// The region may only be read.
    ReadOnly,
    /// The object changed during each attempt to read all of it.
    Changing {
        /// The object's kind and name, such as lock `guard`.
        object: String,
    },
    // codegen: end
    /// All slots for threads of this program are taken.
    NoSlot,
    /// The queue does not count tasks.
    NotJoinable {
        /// The kind and name of the queue.
        object: String,
    },
    /// A message could not be encoded as JSON, or not be decoded from it.
    Malformed {
        /// The reason why not.
        reason: String,
    },
    /// The system refuses what is needed.
    System {
        /// The system's reason.
        reason: String,
    },
}

impl SharedError {
    /// Makes the error of an operation on an object, or of its creation; `limits` returns what was
    /// allowed.
    #[cold]
    pub(super) fn of(
        error: control::Error,
        object: impl FnOnce() -> String,
        limits: impl FnOnce() -> String,
    ) -> SharedError {
        match error {
            // Only the waits of a pool's own thread are interrupted.
            control::Error::Interrupted => SharedError::TimedOut,
            // codegen: made
            control::Error::TimedOut => SharedError::TimedOut,
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
            control::Error::Changing => SharedError::Changing { object: object() },
            // codegen: end
        }
    }
}

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // codegen: messages
            SharedError::TimedOut => {
                f.write_str("timed out: it could not be done in the time given")
            }
            SharedError::Broken { culprit } => write!(
                f,
                "broken{}: reset the barrier, or delete the object and create it anew",
                by(*culprit)
            ),
            SharedError::NotOwner => f.write_str("this thread does not hold it: acquire it first"),
            SharedError::AlreadyOwner => f.write_str(
                "this thread holds the lock already, and would wait for itself for ever: release \
                 it first, or create it as a recursive one",
            ),
            SharedError::TooMany => f.write_str(
                "too many: released more often than acquired, done more often than got, or \
                 acquired too many times at once",
            ),
            SharedError::Closed => {
                f.write_str("the queue is closed: put no more, and stop getting")
            }
            SharedError::TooLarge => f.write_str(
                "the message can never fit the queue: split it, or create the queue for more \
                 bytes",
            ),
            SharedError::NoSpace { object } => write!(
                f,
                "there is no space left for {object}: delete other objects, make it smaller, or \
                 give the state more space"
            ),
            SharedError::Exists { object, kind } => write!(
                f,
                "{object} cannot be created, for there is {kind:#} of this name: open it instead, \
                 or choose another name"
            ),
            SharedError::NotFound { object } => write!(f, "there is no {object}: create it first"),
            SharedError::WrongKind { object, kind } => {
                write!(f, "{object} is {kind:#}: use it as what it is")
            }
            SharedError::WrongType { object, holds } => {
                write!(f, "{object} holds {holds}: open it with its own type")
            }
            SharedError::OutOfRange { object, limits } => write!(f, "{object}: {limits}"),
            SharedError::ReadOnly => {
                f.write_str("the region may only be read: write to another one")
            }
            SharedError::Changing { object } => write!(
                f,
                "{object} keeps changing while it is read: use a lock, or read less of it at once"
            ),
            // codegen: end
            SharedError::NoSlot => write!(
                f,
                "all {HOST_SLOTS} places for pools and threads of this program are taken: let threads \
                 end, or use shared state from fewer of them",
            ),
            SharedError::NotJoinable { object } => {
                write!(f, "{object} does not count tasks: create it as a joinable one")
            }
            SharedError::Malformed { reason } => {
                write!(f, "the message is not JSON of the type asked for: {reason}")
            }
            SharedError::System { reason } => f.write_str(reason),
        }
    }
}

impl std::error::Error for SharedError {}

/// Returns the words that name the dead owner, or nothing if the owner is unknown.
fn by(culprit: Option<u32>) -> String {
    culprit.map(|slot| format!(" by the process in slot {slot}")).unwrap_or_default()
}
