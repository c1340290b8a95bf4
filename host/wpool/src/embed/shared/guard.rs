//! Guards: what a lock is held by until they are dropped.

use super::error::SharedError;
use super::handle::{Handle, ObjectKind};
use crate::shared::{self as control, Acquired, Owner};
use std::marker::PhantomData;
use std::time::Duration;

/// A lock that this thread holds, released when the guard is dropped: that of a [`Lock`](super::Lock)
/// or of a [`Condition`](super::Condition).
///
/// A thread that ends and still holds it, because the guard was forgotten, counts as dead: the lock is
/// then free, and the next owner is told. Just so where a worker is killed.
#[derive(Debug)]
#[must_use = "the lock is released at once if nobody keeps the guard"]
pub struct Guard<'a, L> {
    handle: &'a Handle,
    owner: Owner,
    /// The culprit, if an owner died.
    died: Option<Option<u32>>,
    /// Whether the lock is held: false after a wait that did not get it back.
    held: bool,
    /// It is held by this thread and no other.
    lock: PhantomData<(*const (), &'a L)>,
}

/// Does something with the lock of a lock or a condition.
#[inline]
fn with<T>(
    handle: &Handle,
    owner: Owner,
    operation: impl FnOnce(control::Lock<'_>, &control::Caller<'_>) -> Result<T, control::Error>,
) -> Result<T, SharedError> {
    handle.act_as(owner, |memory, me, id| {
        let lock = match handle.kind() {
            ObjectKind::Condition => memory.condition(id)?.lock(),
            _ => memory.lock(id)?,
        };
        operation(lock, me)
    })
}

impl<'a, L> Guard<'a, L> {
    #[inline]
    pub(super) fn acquire(
        handle: &'a Handle,
        limit: Option<Duration>,
    ) -> Result<Self, SharedError> {
        let owner = handle.owner()?;
        let acquired = with(handle, owner, |lock, me| lock.acquire(me, limit))?;
        let mut guard = Guard { handle, owner, died: None, held: true, lock: PhantomData };
        guard.reacquired(acquired);
        Ok(guard)
    }

    /// Keeps what an acquisition told.
    #[inline]
    pub(super) fn reacquired(&mut self, acquired: Acquired) {
        self.held = true;
        if let Acquired::OwnerDied { culprit } = acquired {
            self.died = Some(culprit.map(|owner| owner.slot.into()));
        }
    }

    /// The lock may not be held any more.
    pub(super) fn give_up(&mut self) {
        self.held = false;
    }

    #[inline]
    pub(super) fn handle(&self) -> &'a Handle {
        self.handle
    }

    #[inline]
    pub(super) fn owner(&self) -> Owner {
        self.owner
    }

    /// Whether somebody died while it held the lock, so that what the lock protects may be half
    /// changed. This thread holds the lock all the same.
    ///
    /// The release of the lock says that all is well again. Where the repair takes longer, or may
    /// itself be killed, see [`Guard::mark_consistent`].
    #[inline]
    pub fn owner_died(&self) -> bool {
        self.died.is_some()
    }

    /// The slot of the one that died (a guest's `process_slot`), if one did and it is known.
    pub fn culprit(&self) -> Option<u32> {
        self.died.flatten()
    }

    /// Says that what the lock protects is whole again. If this thread dies before it says so, the
    /// next to hold the lock is told once more that an owner died.
    ///
    /// # Errors
    /// [`SharedError::NotOwner`], [`SharedError::Broken`].
    pub fn mark_consistent(&mut self) -> Result<(), SharedError> {
        with(self.handle, self.owner, |lock, me| lock.mark_consistent(me))?;
        self.died = None;
        Ok(())
    }

    /// Releases the lock as a drop does, and says whether that could be done.
    ///
    /// # Errors
    /// [`SharedError::NotOwner`], [`SharedError::Broken`].
    pub fn release(mut self) -> Result<(), SharedError> {
        self.held = false;
        with(self.handle, self.owner, |lock, me| lock.release(me))
    }
}

impl<L> Drop for Guard<'_, L> {
    #[inline]
    fn drop(&mut self) {
        if self.held {
            // An error would say that there is nothing to release any more.
            let _ = with(self.handle, self.owner, |lock, me| lock.release(me));
        }
    }
}

/// Writes the functions that make guards.
macro_rules! lockable {
    ($Object:ident) => {
        impl $Object {
            /// Acquires the lock, however long that takes.
            ///
            /// # Errors
            /// [`AlreadyOwner`](crate::SharedError::AlreadyOwner), unless the lock is recursive;
            /// [`TooMany`](crate::SharedError::TooMany), [`NoSlot`](crate::SharedError::NoSlot),
            /// [`Broken`](crate::SharedError::Broken).
            #[inline]
            pub fn lock(&self) -> Result<crate::Guard<'_, Self>, crate::SharedError> {
                crate::Guard::acquire(&self.handle, None)
            }

            /// Acquires the lock if it is free.
            ///
            /// # Errors
            /// [`TimedOut`](crate::SharedError::TimedOut) if it is not; else those of
            /// [`lock`](Self::lock).
            #[inline]
            pub fn try_lock(&self) -> Result<crate::Guard<'_, Self>, crate::SharedError> {
                crate::Guard::acquire(&self.handle, Some(std::time::Duration::ZERO))
            }

            /// Acquires the lock, waiting at most for so long.
            ///
            /// # Errors
            /// [`TimedOut`](crate::SharedError::TimedOut), also where this thread holds the lock and
            /// waits for itself in vain; else those of [`lock`](Self::lock).
            pub fn lock_timeout(
                &self,
                timeout: std::time::Duration,
            ) -> Result<crate::Guard<'_, Self>, crate::SharedError> {
                crate::Guard::acquire(&self.handle, Some(timeout))
            }
        }
    };
}

pub(super) use lockable;
