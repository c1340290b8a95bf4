//! What calls about shared objects answer: numbers, as `wit/types.wit` and `guest/c/wpool.h` have them.
//! And how they trap where the guest has a bug.

use crate::shared::{Error, Owner};
use std::fmt;
use std::time::Duration;

/// What an operation says when it did what it was asked.
pub(super) trait Answer {
    /// A number from 0. Whose death it speaks of, if it does, is noted.
    fn number(self, culprit: &mut Option<Owner>) -> i32;
}

impl Answer for () {
    #[inline]
    fn number(self, _: &mut Option<Owner>) -> i32 {
        0
    }
}

impl Answer for bool {
    #[inline]
    fn number(self, _: &mut Option<Owner>) -> i32 {
        self.into()
    }
}

/// A count, or a handle: none that makes sense is larger than an `i32`.
impl Answer for u64 {
    #[inline]
    fn number(self, _: &mut Option<Owner>) -> i32 {
        i32::try_from(self).unwrap_or(i32::MAX)
    }
}

impl<T: Answer> Answer for Result<T, Error> {
    #[inline]
    fn number(self, culprit: &mut Option<Owner>) -> i32 {
        match self {
            Ok(done) => done.number(culprit),
            Err(error) => refusal(error, culprit),
        }
    }
}

#[cold]
fn refusal(error: Error, culprit: &mut Option<Owner>) -> i32 {
    match error {
        Error::TimedOut => -1,
        Error::Interrupted => -2,
        Error::Broken { culprit: by } => {
            *culprit = by;
            -3
        }
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
    }
}

/// A guest's bug in a call about a shared object.
#[derive(Debug)]
struct Misuse {
    call: &'static str,
    what: String,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.what)
    }
}

impl std::error::Error for Misuse {}

/// The trap of a call that is a bug of the guest.
#[cold]
pub(super) fn misuse(call: &'static str, what: impl Into<String>) -> wasmtime::Error {
    Misuse { call, what: what.into() }.into()
}

/// An argument that is 0 or 1.
pub(super) fn flag(call: &'static str, name: &str, number: i32) -> wasmtime::Result<bool> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(misuse(call, format!("{name} is {number}, not 0 or 1"))),
    }
}

/// How long to wait at most: for ever if negative.
#[inline]
pub(super) fn limit(timeout_ns: i64) -> Option<Duration> {
    u64::try_from(timeout_ns).ok().map(Duration::from_nanos)
}
