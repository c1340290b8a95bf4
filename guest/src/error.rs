//! The errors that the host returns when an operation on a shared object was not done.

use std::fmt;

use crate::code::error as code;
use crate::raw;

/// The reason why an operation on a shared object was not done.
///
/// A correct program may get any of these errors. A program's own mistakes, such as an index beyond
/// an array's end, trap and so fail the job.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    // codegen: cases
    /// The operation could not be done in the given time. With a time of 0, it cannot be done now.
    TimedOut,
    /// The run is ending, and nothing is waited for any more.
    Interrupted,
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
    NoSpace,
    /// An object with this name exists.
    Exists {
        /// The object's kind and name, such as lock `guard`.
        object: String,
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
    },
    /// The number is not of the value's or the array's type.
    WrongType {
        /// The object's kind and name, such as lock `guard`.
        object: String,
    },
    /// A name is empty, longer than 128 bytes, or has a NUL; or a size or a count is outside its
    /// limits.
    OutOfRange {
        /// The object's kind and name, such as lock `guard`.
        object: String,
    },
    /// The region may only be read.
    ReadOnly,
    /// The object changed during each attempt to read all of it.
    Changing {
        /// The object's kind and name, such as lock `guard`.
        object: String,
    },
    // codegen: end
    /// A message could not be encoded as JSON, or not be decoded from it.
    Malformed {
        /// The reason why not.
        reason: String,
    },
    /// The host gave an answer that this version of the crate does not know.
    Unknown {
        /// The code that the host returned.
        code: i32,
    },
}

impl Error {
    /// Makes the error of an operation on an open object.
    #[cold]
    pub(crate) fn of(code: i32) -> Error {
        Error::of_object(code, "the object".to_owned())
    }

    /// Makes the error of creating or opening an object.
    #[cold]
    pub(crate) fn of_object(answer: i32, object: String) -> Error {
        match answer {
            // codegen: made
            code::TIMED_OUT => Error::TimedOut,
            code::INTERRUPTED => Error::Interrupted,
            code::BROKEN => Error::Broken { culprit: culprit() },
            code::NOT_OWNER => Error::NotOwner,
            code::ALREADY_OWNER => Error::AlreadyOwner,
            code::TOO_MANY => Error::TooMany,
            code::CLOSED => Error::Closed,
            code::TOO_LARGE => Error::TooLarge,
            code::NO_SPACE => Error::NoSpace,
            code::EXISTS => Error::Exists { object },
            code::NOT_FOUND => Error::NotFound { object },
            code::WRONG_KIND => Error::WrongKind { object },
            code::WRONG_TYPE => Error::WrongType { object },
            code::OUT_OF_RANGE => Error::OutOfRange { object },
            code::READ_ONLY => Error::ReadOnly,
            code::CHANGING => Error::Changing { object },
            // codegen: end
            code => Error::Unknown { code },
        }
    }

    /// Returns the error's name in wpool's interfaces, such as `timed-out`.
    pub fn name(&self) -> &'static str {
        match self {
            // codegen: names
            Error::TimedOut => "timed-out",
            Error::Interrupted => "interrupted",
            Error::Broken { .. } => "broken",
            Error::NotOwner => "not-owner",
            Error::AlreadyOwner => "already-owner",
            Error::TooMany => "too-many",
            Error::Closed => "closed",
            Error::TooLarge => "too-large",
            Error::NoSpace => "no-space",
            Error::Exists { .. } => "exists",
            Error::NotFound { .. } => "not-found",
            Error::WrongKind { .. } => "wrong-kind",
            Error::WrongType { .. } => "wrong-type",
            Error::OutOfRange { .. } => "out-of-range",
            Error::ReadOnly => "read-only",
            Error::Changing { .. } => "changing",
            // codegen: end
            Error::Malformed { .. } => "malformed",
            Error::Unknown { .. } => "unknown",
        }
    }
}

/// Returns the words that name the dead owner, or nothing if the owner is unknown.
fn by(culprit: Option<u32>) -> String {
    culprit.map(|slot| format!(" by the process in slot {slot}")).unwrap_or_default()
}

/// Returns the slot that the last error was about, if it is known.
pub(crate) fn culprit() -> Option<u32> {
    u32::try_from(raw::culprit()).ok()
}

/// Converts an answer, which is an error if it is negative.
#[inline]
pub(crate) fn answer(code: i32) -> Result<u32, Error> {
    u32::try_from(code).map_err(|_| Error::of(code))
}

/// Converts an answer that only says whether the operation was done.
#[inline]
pub(crate) fn done(code: i32) -> Result<(), Error> {
    answer(code).map(|_| ())
}

/// Converts an answer to a function that returns a number without an error.
///
/// # Panics
/// Panics if the object is damaged beyond repair: a caller that only looks at the object has no use
/// for an error.
#[inline]
pub(crate) fn number(code: i32) -> u32 {
    answer(code).unwrap_or_else(|error| panic!("{error}"))
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
            Error::Exists { object } => write!(
                f,
                "{object} cannot be created, for there is an object of this name: open it \
                 instead, or choose another name"
            ),
            Error::NotFound { object } => {
                write!(f, "there is no {object}: create it first, or have wpool create it")
            }
            Error::WrongKind { object } => write!(
                f,
                "{object} is an object of another kind, or counts no tasks: use it as what it is"
            ),
            Error::WrongType { object } => {
                write!(f, "{object} holds numbers of another type: open it with its own type")
            }
            Error::OutOfRange { object } => write!(
                f,
                "{object}: a name has 1 to 128 bytes without NUL, and sizes and counts have \
                 limits"
            ),
            Error::ReadOnly => f.write_str("the region may only be read: write to another one"),
            Error::Changing { object } => write!(
                f,
                "{object} keeps changing while it is read: use a lock, or read less of it at once"
            ),
            // codegen: end
            Error::Malformed { reason } => {
                write!(f, "the message is not JSON of the type asked for: {reason}")
            }
            Error::Unknown { code } => {
                write!(f, "unknown answer {code}: build the module with a newer wpool-guest")
            }
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Returns all errors except `Broken`, for which the host is asked for more.
    fn all() -> impl Iterator<Item = Error> {
        (code::CHANGING..0)
            .filter(|code| *code != code::BROKEN)
            .map(|code| Error::of_object(code, "lock `l`".into()))
    }

    #[test]
    fn every_answer_has_a_name_and_a_message_of_its_own() {
        let names: BTreeSet<_> = all().map(|error| error.name()).collect();
        let messages: BTreeSet<_> = all().map(|error| error.to_string()).collect();
        assert_eq!((names.len(), messages.len()), (15, 15));
        assert!(!names.contains("unknown"), "{names:?}");
    }

    #[test]
    fn an_answer_that_is_not_negative_is_no_error() {
        assert_eq!(answer(0), Ok(0));
        assert_eq!(answer(i32::MAX), Ok(i32::MAX as u32));
        assert_eq!(answer(-1), Err(Error::TimedOut));
        assert_eq!(done(-99), Err(Error::Unknown { code: -99 }));
    }

    #[test]
    fn a_message_names_the_object_or_the_culprit() {
        let missing = Error::of_object(code::NOT_FOUND, "lock `guard`".into()).to_string();
        assert!(missing.starts_with("there is no lock `guard`: create it"), "{missing}");
        let broken = Error::Broken { culprit: Some(3) }.to_string();
        assert!(broken.starts_with("broken by the process in slot 3: "), "{broken}");
    }
}
