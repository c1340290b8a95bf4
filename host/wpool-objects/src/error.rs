//! The reasons why an operation did not do what was asked: the cases of `wit/types.wit`.

use super::object::Kind;
use super::slots::Owner;
use std::fmt;

/// The answers to operations. They are not faults: the caller decides which of them are its bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    // codegen: cases
    /// The operation could not be done in the given time. With a time of 0, it cannot be done now.
    TimedOut,
    /// The run is ending, and nothing is waited for any more.
    Interrupted,
    /// The barrier is broken, or a death has damaged the object beyond repair.
    Broken {
        /// The slot of the process whose death or abort caused the error, if it is known.
        culprit: Option<Owner>,
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
    NoSpace,
    /// An object with this name exists.
    Exists {
        /// The kind of the object with this name.
        kind: Kind,
    },
    /// There is no object with this name.
    NotFound,
    /// The object with this name is of another kind, or the queue does not count tasks.
    WrongKind {
        /// The kind of the object with this name.
        kind: Kind,
    },
    /// The number is not of the value's or the array's type.
    WrongType,
    /// A name is empty, longer than 128 bytes, or has a NUL; or a size or a count is outside its
    /// limits.
    OutOfRange,
    /// The region may only be read.
    ReadOnly,
    /// The object changed during each attempt to read all of it.
    Changing,
    // codegen: end
}

impl Error {
    /// Returns the code that core modules get.
    #[cold]
    pub fn code(self) -> i32 {
        match self {
            // codegen: codes
            Error::TimedOut => -1,
            Error::Interrupted => -2,
            Error::Broken { .. } => -3,
            Error::NotOwner => -4,
            Error::AlreadyOwner => -5,
            Error::TooMany => -6,
            Error::Closed => -7,
            Error::TooLarge => -8,
            Error::NoSpace => -9,
            Error::Exists { .. } => -10,
            Error::NotFound => -11,
            Error::WrongKind { .. } => -12,
            Error::WrongType => -13,
            Error::OutOfRange => -14,
            Error::ReadOnly => -15,
            Error::Changing => -16,
            // codegen: end
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // codegen: messages
            Error::TimedOut => f.write_str("timed out: it could not be done in the time given"),
            Error::Interrupted => {
                f.write_str("interrupted: the run is ending, and nothing is waited for any more")
            }
            Error::Broken { culprit } => write!(
                f,
                "broken{}: reset the barrier, or delete the object and create it anew",
                by(*culprit)
            ),
            Error::NotOwner => f.write_str("this process does not hold it: acquire it first"),
            Error::AlreadyOwner => f.write_str(
                "this process holds the lock already, and would wait for itself for ever: release \
                 it first, or create it as a recursive one",
            ),
            Error::TooMany => f.write_str(
                "too many: released more often than acquired, done more often than got, or \
                 acquired too many times at once",
            ),
            Error::Closed => f.write_str("the queue is closed: put no more, and stop getting"),
            Error::TooLarge => f.write_str(
                "the message can never fit the queue: split it, or create the queue for more \
                 bytes",
            ),
            Error::NoSpace => f.write_str(
                "there is no space left for it: delete other objects, make it smaller, or give \
                 wpool more space for them",
            ),
            Error::Exists { kind } => write!(
                f,
                "object cannot be created, for there is {kind:#} of this name: open it instead, \
                 or choose another name"
            ),
            Error::NotFound => {
                f.write_str("there is no object: create it first, or have wpool create it")
            }
            Error::WrongKind { kind } => write!(f, "object is {kind:#}: use it as what it is"),
            Error::WrongType => {
                f.write_str("object holds numbers of another type: open it with its own type")
            }
            Error::OutOfRange => f.write_str(
                "object: a name has 1 to 128 bytes without NUL, and sizes and counts have limits",
            ),
            Error::ReadOnly => f.write_str("the region may only be read: write to another one"),
            Error::Changing => f.write_str(
                "object keeps changing while it is read: use a lock, or read less of it at once",
            ),
            // codegen: end
        }
    }
}

impl std::error::Error for Error {}

/// Returns the words that name the dead owner, or nothing if the owner is unknown.
fn by(culprit: Option<Owner>) -> String {
    culprit.map(|owner| format!(" by the process in slot {}", owner.slot)).unwrap_or_default()
}
