//! The answers of calls about shared objects: numbers, as `wit/types.wit` and `guest/c/wpool.h`
//! document them. Bugs of the guest trap.

use crate::shared::{Error, Owner};
use std::fmt;
use std::time::Duration;

/// The answer of an operation that was done.
pub(super) trait Answer {
    /// Returns a number from 0 on.
    fn number(&self) -> i32;

    /// Notes the owner whose death the answer reports, if it reports one.
    #[inline]
    fn note(&self, _culprit: &mut Option<Owner>) {}
}

impl Answer for () {
    #[inline]
    fn number(&self) -> i32 {
        0
    }
}

impl Answer for bool {
    #[inline]
    fn number(&self) -> i32 {
        (*self).into()
    }
}

/// A count: no sensible count is larger than an `i32`.
impl Answer for u32 {
    #[inline]
    fn number(&self) -> i32 {
        i32::try_from(*self).unwrap_or(i32::MAX)
    }
}

/// A count or a handle: no sensible one is larger than an `i32`.
impl Answer for u64 {
    #[inline]
    fn number(&self) -> i32 {
        i32::try_from(*self).unwrap_or(i32::MAX)
    }
}

impl<T: Answer> Answer for Result<T, Error> {
    #[inline]
    fn number(&self) -> i32 {
        match self {
            Ok(done) => done.number(),
            Err(error) => error.code(),
        }
    }

    #[inline]
    fn note(&self, culprit: &mut Option<Owner>) {
        match self {
            Ok(done) => done.note(culprit),
            Err(Error::Broken { culprit: by }) => *culprit = *by,
            Err(_) => {}
        }
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

/// Returns the trap of a call that is a bug of the guest.
#[cold]
pub(super) fn misuse(call: &'static str, what: impl Into<String>) -> wasmtime::Error {
    Misuse { call, what: what.into() }.into()
}

/// Returns the trap of a call that cannot return an error: the call is the guest's bug, or the
/// object is damaged.
#[cold]
pub(super) fn fault(call: &'static str, error: Error) -> wasmtime::Error {
    match error {
        Error::WrongType => misuse(call, "nothing can be added to a bool"),
        error => misuse(call, error.to_string()),
    }
}

/// Converts an argument that is 0 or 1.
pub(super) fn flag(call: &'static str, name: &str, number: i32) -> wasmtime::Result<bool> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(misuse(call, format!("{name} is {number}, not 0 or 1"))),
    }
}

/// Returns the longest time to wait: `None`, for ever, if the number is negative.
#[inline]
pub(super) fn limit(timeout_ns: i64) -> Option<Duration> {
    u64::try_from(timeout_ns).ok().map(Duration::from_nanos)
}
