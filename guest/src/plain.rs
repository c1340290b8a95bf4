//! Plain data, which processes can share byte by byte.

#![expect(unsafe_code, reason = "reading and writing memory that other processes write")]

use std::cell::UnsafeCell;
use std::fmt;

/// A type whose values are no more than their bytes: numbers, and arrays of them.
///
/// # Safety
/// 1. Any bytes of its size are a valid value.
/// 2. None of its bytes is padding.
/// 3. Its alignment is at most 64 KiB, and its size is not zero.
///
/// A `#[repr(C)]` struct of numbers, without gaps between them, is plain.
pub unsafe trait Plain: Copy + 'static {}

macro_rules! plain {
    ($($Number:ty)+) => {$(
        // SAFETY: a number has no padding, and any bytes are a number.
        unsafe impl Plain for $Number {}
    )+};
}

plain!(u8 i8 u16 i16 u32 i32 u64 i64 f32 f64);

/// A place in memory that other processes may read and write at the same time.
///
/// An access of up to eight bytes is one load or one store, so a number is always whole. Only the
/// functions of shared objects order accesses between processes: everything that a process wrote
/// before it released a lock, set an event or put a message is seen by the process that then holds
/// the lock, waited for the event or got the message.
#[repr(transparent)]
pub struct SharedCell<T: Plain>(UnsafeCell<T>);

impl<T: Plain> SharedCell<T> {
    /// Reads the present value.
    #[inline]
    pub fn get(&self) -> T {
        // SAFETY: the reference is valid and aligned, and any bytes found there are a `T`. Volatile,
        // because another process may change them at any time.
        unsafe { self.0.get().read_volatile() }
    }

    /// Writes the value. In a region that may only be read this traps, and ends the job and its
    /// process.
    #[inline]
    pub fn set(&self, value: T) {
        // SAFETY: the reference is valid and aligned, and nobody holds a reference to the inside.
        // Volatile, because another process may look at any time.
        unsafe { self.0.get().write_volatile(value) }
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for SharedCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
