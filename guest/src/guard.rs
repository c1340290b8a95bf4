//! Guards: what a lock is held by until they are dropped.

use std::mem;

use crate::error::{Error, answer, culprit, done};

/// In the answer to an acquisition: an owner died before.
pub(crate) const OWNER_DIED: u32 = 1;

/// What can be locked: a [`Lock`](crate::Lock), or the lock of a [`Condition`](crate::Condition).
pub trait Lockable: Calls {}

/// The host calls of a lock, out of the reach of other crates.
pub trait Calls {
    /// Acquires it once.
    fn acquire(&self, timeout_ns: i64) -> i32;

    /// Releases it once.
    fn release(&self) -> i32;

    /// Says that what it protects is whole.
    fn mark_consistent(&self) -> i32;
}

/// A lock that this process holds, released when the guard is dropped.
///
/// A task that panics or traps drops no guards: the lock is then free again, and the next process to
/// acquire it is told that its [owner died](Guard::owner_died). Just so where a process is killed.
#[derive(Debug)]
#[must_use = "the lock is released at once if nobody keeps the guard"]
pub struct Guard<'a, L: Lockable> {
    lock: &'a L,
    /// The culprit, if an owner died.
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

    /// A guard of what is held already.
    #[inline]
    pub(crate) fn held(lock: &'a L) -> Self {
        Guard { lock, died: None }
    }

    /// Keeps what the answer to an acquisition told.
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

    /// Whether a process died while it held the lock, so that what the lock protects may be half
    /// changed. This process holds the lock all the same.
    ///
    /// The release of the lock says that all is well again. Where the repair takes longer, or may
    /// itself be killed, see [`mark_consistent`](Guard::mark_consistent).
    #[inline]
    pub fn owner_died(&self) -> bool {
        self.died.is_some()
    }

    /// The [slot](crate::process_slot) of the process that died, if one did and it is known.
    pub fn culprit(&self) -> Option<u32> {
        self.died.flatten()
    }

    /// Says that what the lock protects is whole again. If this process dies before it says so, the
    /// next to hold the lock is told that an owner died once more.
    ///
    /// # Errors
    /// [`NotOwner`](Error::NotOwner), [`Broken`](Error::Broken).
    pub fn mark_consistent(&mut self) -> Result<(), Error> {
        done(self.lock.mark_consistent())?;
        self.died = None;
        Ok(())
    }

    /// Releases the lock as a drop does, and says whether that could be done.
    ///
    /// # Errors
    /// [`NotOwner`](Error::NotOwner), [`Broken`](Error::Broken).
    pub fn release(self) -> Result<(), Error> {
        let lock = self.lock;
        self.forget();
        done(lock.release())
    }

    /// Keeps the lock beyond the guard's life, for instance until a later job of the same instance
    /// goes on with it.
    pub fn forget(self) {
        mem::forget(self);
    }
}

impl<L: Lockable> Drop for Guard<'_, L> {
    #[inline]
    fn drop(&mut self) {
        // An error would say that there is nothing to release any more.
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
            /// [`AlreadyOwner`](crate::Error::AlreadyOwner), unless the lock is recursive;
            /// [`TooMany`](crate::Error::TooMany), [`Interrupted`](crate::Error::Interrupted),
            /// [`Broken`](crate::Error::Broken).
            #[inline]
            pub fn lock(&self) -> Result<crate::Guard<'_, Self>, crate::Error> {
                crate::Guard::acquire(self, crate::handle::FOREVER)
            }

            /// Acquires the lock if it is free.
            ///
            /// # Errors
            /// [`TimedOut`](crate::Error::TimedOut) if it is not, be it that this process holds it;
            /// else those of [`lock`](Self::lock).
            #[inline]
            pub fn try_lock(&self) -> Result<crate::Guard<'_, Self>, crate::Error> {
                crate::Guard::acquire(self, crate::handle::NOW)
            }

            /// Acquires the lock, waiting at most for so long.
            ///
            /// # Errors
            /// [`TimedOut`](crate::Error::TimedOut), also where this process holds the lock and waits
            /// for itself in vain; else those of [`lock`](Self::lock).
            pub fn lock_timeout(
                &self,
                timeout: std::time::Duration,
            ) -> Result<crate::Guard<'_, Self>, crate::Error> {
                crate::Guard::acquire(self, crate::handle::nanoseconds(timeout))
            }

            /// The guard of a lock that this process holds already, for its guard was
            /// [forgotten](crate::Guard::forget).
            ///
            /// If it does not hold the lock, the guard's functions answer
            /// [`NotOwner`](crate::Error::NotOwner).
            pub fn held(&self) -> crate::Guard<'_, Self> {
                crate::Guard::held(self)
            }
        }
    };
}

pub(crate) use lockable;
