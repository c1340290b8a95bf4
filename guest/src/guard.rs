//! Guards: values that hold a lock until they are dropped.

use std::mem;

use crate::error::{Error, answer, culprit, done};

/// A flag in the answer to an acquisition: an owner died before.
pub(crate) const OWNER_DIED: u32 = 1;

/// An object that can be locked: a [`Lock`](crate::Lock), or the lock of a
/// [`Condition`](crate::Condition).
pub trait Lockable: Calls {}

/// The host calls of a lock. The trait is out of the reach of other crates.
pub trait Calls {
    /// Acquires the lock once.
    fn acquire(&self, timeout_ns: i64) -> i32;

    /// Releases the lock once.
    fn release(&self) -> i32;

    /// Marks the data that the lock protects as whole.
    fn mark_consistent(&self) -> i32;
}

/// A lock that this process holds. Dropping the guard releases the lock.
///
/// A task that panics or traps drops no guards: the lock is then freed, and the next process to
/// acquire it is told that its [owner died](Guard::owner_died). The same happens when a process is
/// killed.
#[derive(Debug)]
#[must_use = "the lock is released at once if nobody keeps the guard"]
pub struct Guard<'a, L: Lockable> {
    lock: &'a L,
    /// The slot of the dead owner, if an owner died; `Some(None)` if the slot is unknown.
    died: Option<Option<u32>>,
}

impl<'a, L: Lockable> Guard<'a, L> {
    #[inline]
    pub(crate) fn acquire(lock: &'a L, timeout_ns: i64) -> Result<Self, Error> {
        let how = answer(lock.acquire(timeout_ns))?;
        let mut guard = Guard::held(lock);
        guard.reacquired(how);
        Ok(guard)
    }

    /// Makes a guard of a lock that is held already.
    #[inline]
    pub(crate) fn held(lock: &'a L) -> Self {
        Guard { lock, died: None }
    }

    /// Notes whether an owner died, from the answer to an acquisition.
    #[inline]
    pub(crate) fn reacquired(&mut self, how: u32) {
        if how & OWNER_DIED != 0 {
            self.died = Some(culprit());
        }
    }

    #[inline]
    pub(crate) fn lock(&self) -> &'a L {
        self.lock
    }

    /// Returns whether a process died while it held the lock, so that the data that the lock
    /// protects may be half changed. This process holds the lock all the same.
    ///
    /// Releasing the lock marks the data as whole again. If the repair takes longer, or may itself
    /// be killed, see [`mark_consistent`](Guard::mark_consistent).
    #[inline]
    pub fn owner_died(&self) -> bool {
        self.died.is_some()
    }

    /// Returns the [slot](crate::process_slot) of the process that died, if one died and its slot
    /// is known.
    pub fn culprit(&self) -> Option<u32> {
        self.died.flatten()
    }

    /// Marks the data that the lock protects as whole again. If this process dies before that, the
    /// next owner of the lock is told once more that an owner died.
    ///
    /// # Errors
    /// Returns [`NotOwner`](Error::NotOwner) or [`Broken`](Error::Broken).
    pub fn mark_consistent(&mut self) -> Result<(), Error> {
        done(self.lock.mark_consistent())?;
        self.died = None;
        Ok(())
    }

    /// Releases the lock like a drop, and returns an error if that fails.
    ///
    /// # Errors
    /// Returns [`NotOwner`](Error::NotOwner) or [`Broken`](Error::Broken).
    pub fn release(self) -> Result<(), Error> {
        let lock = self.lock;
        self.forget();
        done(lock.release())
    }

    /// Keeps the lock held beyond the guard's life, for instance for a later job of the same
    /// instance.
    pub fn forget(self) {
        mem::forget(self);
    }
}

impl<L: Lockable> Drop for Guard<'_, L> {
    #[inline]
    fn drop(&mut self) {
        // An error would mean that there is nothing to release any more.
        self.lock.release();
    }
}

/// Writes the functions that make guards.
macro_rules! lockable {
    ($Object:ident: $acquire:ident, $release:ident, $mark_consistent:ident) => {
        impl crate::guard::Calls for $Object {
            #[inline]
            fn acquire(&self, timeout_ns: i64) -> i32 {
                crate::raw::$acquire(self.handle.id(), timeout_ns)
            }

            #[inline]
            fn release(&self) -> i32 {
                crate::raw::$release(self.handle.id())
            }

            fn mark_consistent(&self) -> i32 {
                crate::raw::$mark_consistent(self.handle.id())
            }
        }

        impl crate::guard::Lockable for $Object {}

        impl $Object {
            /// Acquires the lock, however long that takes.
            ///
            /// # Errors
            /// Returns [`AlreadyOwner`](crate::Error::AlreadyOwner) if this process holds the lock
            /// and the lock is not recursive; [`TooMany`](crate::Error::TooMany),
            /// [`Interrupted`](crate::Error::Interrupted) or [`Broken`](crate::Error::Broken).
            #[inline]
            pub fn lock(&self) -> Result<crate::Guard<'_, Self>, crate::Error> {
                crate::Guard::acquire(self, crate::handle::FOREVER)
            }

            /// Acquires the lock if it is free.
            ///
            /// # Errors
            /// Returns [`TimedOut`](crate::Error::TimedOut) if the lock is not free, also if this
            /// process holds it; otherwise the errors of [`lock`](Self::lock).
            #[inline]
            pub fn try_lock(&self) -> Result<crate::Guard<'_, Self>, crate::Error> {
                crate::Guard::acquire(self, crate::handle::NOW)
            }

            /// Acquires the lock, waiting at most for `timeout`.
            ///
            /// # Errors
            /// Returns [`TimedOut`](crate::Error::TimedOut), also if this process holds the lock
            /// itself; otherwise the errors of [`lock`](Self::lock).
            pub fn lock_timeout(
                &self,
                timeout: std::time::Duration,
            ) -> Result<crate::Guard<'_, Self>, crate::Error> {
                crate::Guard::acquire(self, crate::handle::nanoseconds(timeout))
            }

            /// Returns the guard of a lock that this process holds already, because its guard was
            /// [forgotten](crate::Guard::forget).
            ///
            /// If this process does not hold the lock, the guard's functions return
            /// [`NotOwner`](crate::Error::NotOwner).
            pub fn held(&self) -> crate::Guard<'_, Self> {
                crate::Guard::held(self)
            }
        }
    };
}

pub(crate) use lockable;
