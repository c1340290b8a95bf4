//! What the host answers when an operation on a shared object was not done.

use std::fmt;

use crate::raw;

pub(crate) const NO_SPACE: i32 = -9;
pub(crate) const NOT_FOUND: i32 = -11;
pub(crate) const WRONG_TYPE: i32 = -13;

/// Why an operation on a shared object was not done.
///
/// These are answers that a correct program may get. A program's own mistakes, such as an index
/// beyond an array's end, trap and so fail the job.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The time given was over first. Where nothing was to be waited for: it cannot be done now.
    TimedOut,
    /// The run is ending: nothing is waited for any more.
    Interrupted,
    /// A barrier was broken, or a death damaged the object beyond repair.
    Broken {
        /// The [slot](crate::process_slot) of the process that did it, if that is known.
        culprit: Option<u32>,
    },
    /// Only the process that holds it may do this.
    NotOwner,
    /// This process holds the lock already, and would wait for itself for ever.
    AlreadyOwner,
    /// Released more often than acquired, done more often than got, or a recursion too deep.
    TooMany,
    /// The queue is closed. Whoever gets has got all that was left.
    Closed,
    /// The message can never fit the queue.
    TooLarge,
    /// There is no object, storage or address space left, or this job has created too many objects.
    NoSpace,
    /// There is an object of this name already.
    Exists {
        /// What was to be created.
        object: String,
    },
    /// There is no object of this name. Natively there never is.
    NotFound {
        /// What was to be opened.
        object: String,
    },
    /// The object of this name is of another kind.
    WrongKind {
        /// What was asked for.
        object: String,
    },
    /// The value or array of this name holds numbers of another type.
    WrongType {
        /// What was to be opened.
        object: String,
    },
    /// The name is no name, or a size or a count is outside of its limits.
    OutOfRange {
        /// What was to be created or opened.
        object: String,
    },
    /// The region may only be read.
    ReadOnly,
    /// A message could not be encoded as JSON, or not be decoded from it.
    Malformed {
        /// Why not.
        reason: String,
    },
    /// An answer that this version of the crate does not know.
    Unknown {
        /// The answer.
        code: i32,
    },
}

impl Error {
    /// The answer to an operation on an object that is open.
    #[cold]
    pub(crate) fn of(code: i32) -> Error {
        Error::of_object(code, "the object".to_owned())
    }

    /// The answer to creating or opening an object.
    #[cold]
    pub(crate) fn of_object(code: i32, object: String) -> Error {
        match code {
            -1 => Error::TimedOut,
            -2 => Error::Interrupted,
            -3 => Error::Broken { culprit: culprit() },
            -4 => Error::NotOwner,
            -5 => Error::AlreadyOwner,
            -6 => Error::TooMany,
            -7 => Error::Closed,
            -8 => Error::TooLarge,
            NO_SPACE => Error::NoSpace,
            -10 => Error::Exists { object },
            NOT_FOUND => Error::NotFound { object },
            -12 => Error::WrongKind { object },
            WRONG_TYPE => Error::WrongType { object },
            -14 => Error::OutOfRange { object },
            -15 => Error::ReadOnly,
            _ => Error::Unknown { code },
        }
    }

    /// The answer's name in wpool's interfaces, such as `timed-out`.
    pub fn name(&self) -> &'static str {
        match self {
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
            Error::Malformed { .. } => "malformed",
            Error::Unknown { .. } => "unknown",
        }
    }
}

/// The slot that the last answer was about, if it is known.
pub(crate) fn culprit() -> Option<u32> {
    u32::try_from(raw::culprit()).ok()
}

/// An answer that is an error if it is negative.
#[inline]
pub(crate) fn answer(code: i32) -> Result<u32, Error> {
    u32::try_from(code).map_err(|_| Error::of(code))
}

/// An answer that says no more than that it was done.
#[inline]
pub(crate) fn done(code: i32) -> Result<(), Error> {
    answer(code).map(|_| ())
}

/// A number to look at.
///
/// # Panics
/// The object is damaged beyond repair: who only looks at it has no use for an error.
#[inline]
pub(crate) fn number(code: i32) -> u32 {
    answer(code).unwrap_or_else(|error| panic!("{error}"))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::TimedOut => f.write_str("timed out: it could not be done in the time given"),
            Error::Interrupted => {
                f.write_str("interrupted: the run is ending, and nothing is waited for any more")
            }
            Error::Broken { culprit } => {
                f.write_str("broken")?;
                if let Some(slot) = culprit {
                    write!(f, " by the process in slot {slot}")?;
                }
                f.write_str(": reset the barrier, or delete the object and create it anew")
            }
            Error::NotOwner => f.write_str("this process does not hold it: acquire it first"),
            Error::AlreadyOwner => f.write_str(
                "this process holds the lock already and would wait for itself for ever: release \
                 it first, or create the lock as a recursive one",
            ),
            Error::TooMany => f.write_str(
                "too many: released more often than acquired, done more often than got, or \
                 acquired too many times at once",
            ),
            Error::Closed => f.write_str("the queue is closed: put no more, and stop getting"),
            Error::TooLarge => f.write_str(
                "the message can never fit the queue: split it, or create the queue for more bytes",
            ),
            Error::NoSpace => f.write_str(
                "no space left: delete objects that are no longer needed, make them smaller, or \
                 give wpool more space for them",
            ),
            Error::Exists { object } => {
                write!(f, "{object} cannot be created, for the name is taken: open it instead")
            }
            Error::NotFound { object } => {
                write!(f, "there is no {object}: create it first, or have wpool create it")
            }
            Error::WrongKind { object } => {
                write!(f, "{object} is an object of another kind: use it as what it is")
            }
            Error::WrongType { object } => {
                write!(f, "{object} holds numbers of another type: open it with its own")
            }
            Error::OutOfRange { object } => write!(
                f,
                "{object} cannot be had: a name has 1 to 128 bytes without NUL, and sizes and \
                 counts have limits",
            ),
            Error::ReadOnly => f.write_str("the region may only be read: write to another one"),
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

    /// All answers but `broken`, for which the host is asked for more.
    fn all() -> impl Iterator<Item = Error> {
        (-15..0).filter(|code| *code != -3).map(|code| Error::of_object(code, "lock `l`".into()))
    }

    #[test]
    fn every_answer_has_a_name_and_a_message_of_its_own() {
        let names: BTreeSet<_> = all().map(|error| error.name()).collect();
        let messages: BTreeSet<_> = all().map(|error| error.to_string()).collect();
        assert_eq!((names.len(), messages.len()), (14, 14));
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
        let missing = Error::of_object(NOT_FOUND, "lock `guard`".into()).to_string();
        assert!(missing.starts_with("there is no lock `guard`: create it"), "{missing}");
        let broken = Error::Broken { culprit: Some(3) }.to_string();
        assert!(broken.starts_with("broken by the process in slot 3: "), "{broken}");
    }
}
