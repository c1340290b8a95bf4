//! Why an operation did not do what it was asked.

use super::object::Kind;
use super::slots::Owner;

/// Answers, not faults: whoever asked decides which of them are its bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The time given was over first. With a time of zero: it cannot be done now.
    #[error("timed out")]
    TimedOut,
    /// The caller's stop flag was set.
    #[error("interrupted")]
    Interrupted,
    /// A barrier was broken, or an object's words make no sense any more.
    #[error("broken")]
    Broken {
        /// Whose death or abort did it, if that is known.
        culprit: Option<Owner>,
    },
    /// Only the owner may do this.
    #[error("the caller does not own it")]
    NotOwner,
    /// It would wait for itself for ever.
    #[error("the caller owns it already")]
    AlreadyOwner,
    /// Released, or done, more often than acquired, or got.
    #[error("released more often than acquired")]
    TooMany,
    /// Nothing can be put any more and nothing is left to get.
    #[error("closed")]
    Closed,
    /// The message could never fit.
    #[error("the message is larger than the queue")]
    TooLarge,
    /// No object, no storage or no slot is left.
    #[error("no space left")]
    NoSpace,
    /// There is an object of this name.
    #[error("a {kind} of this name exists")]
    Exists {
        /// What it is.
        kind: Kind,
    },
    /// There is no object of this name, or it was closed.
    #[error("no such object")]
    NotFound,
    /// The object is of another kind.
    #[error("it is a {kind}")]
    WrongKind {
        /// What it is.
        kind: Kind,
    },
    /// The value or element is of another type, or cannot do this.
    #[error("wrong type")]
    WrongType,
    /// An index or a range outside of the object, or a number outside of its limits.
    #[error("out of range")]
    OutOfRange,
    /// The region may only be read.
    #[error("read only")]
    ReadOnly,
}
