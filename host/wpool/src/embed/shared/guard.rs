//! Guards: values that hold a lock until they are dropped.

use super::error::SharedError;
use super::handle::{Handle, ObjectKind};
use crate::shared::{self as control, Acquired, Owner};
use std::marker::PhantomData;
use std::time::Duration;

/// A lock that this thread holds: the lock of a [`Lock`](super::Lock) or of a
/// [`Condition`](super::Condition). Dropping the guard releases the lock.
///
/// A thread that ends and still holds the lock, because the guard was forgotten, counts as dead:
/// the lock is then free, and the next owner is told. The same happens when a worker is killed.
#[derive(Debug)]
#[must_use = "the lock is released at once if nobody keeps the guard"]
pub struct Guard<'a, L> {
    handle: &'a Handle,
    owner: Owner,
    /// The slot of the dead owner, if an owner died; `Some(None)` if the slot is unknown.
    died: Option<Option<u32>>,
    /// True if the lock is held. False after a wait that did not get the lock back.
    held: bool,
    /// A marker that keeps the guard in the thread that holds the lock.
    lock: PhantomData<(*const (), &'a L)>,
}

/// Does an operation with the lock of a lock or a condition.
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

    /// Notes that the lock is held again, and whether its owner died.
    #[inline]
    pub(super) fn reacquired(&mut self, acquired: Acquired) {
        self.held = true;
        if let Acquired::OwnerDied { culprit } = acquired {
            self.died = Some(culprit.map(|owner| owner.slot.into()));
        }
    }

    /// Notes that the lock may not be held any more.
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

    /// Returns whether an owner died while it held the lock, so that the data that the lock
    /// protects may be half changed. This thread holds the lock all the same.
    ///
    /// Releasing the lock marks the data as whole again. If the repair takes longer, or may itself
    /// be killed, see [`Guard::mark_consistent`].
    #[inline]
    pub fn owner_died(&self) -> bool {
        self.died.is_some()
    }

    /// Returns the slot of the dead owner (a guest's `process_slot`), if an owner died and its slot
    /// is known.
    pub fn culprit(&self) -> Option<u32> {
        self.died.flatten()
    }

    /// Marks the data that the lock protects as whole again. If this thread dies before that, the
    /// next owner of the lock is told once more that an owner died.
    ///
    /// # Errors
    /// Returns [`SharedError::NotOwner`] or [`SharedError::Broken`].
    pub fn mark_consistent(&mut self) -> Result<(), SharedError> {
        with(self.handle, self.owner, |lock, me| lock.mark_consistent(me))?;
        self.died = None;
        Ok(())
    }

    /// Releases the lock like a drop, and returns an error if that fails.
    ///
    /// # Errors
    /// Returns [`SharedError::NotOwner`] or [`SharedError::Broken`].
    pub fn release(mut self) -> Result<(), SharedError> {
        self.held = false;
        with(self.handle, self.owner, |lock, me| lock.release(me))
    }
}

impl<L> Drop for Guard<'_, L> {
    #[inline]
    fn drop(&mut self) {
        if self.held {
            // An error would mean that there is nothing to release any more.
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
            /// Returns [`AlreadyOwner`](crate::SharedError::AlreadyOwner) if this thread holds the
            /// lock and the lock is not recursive; [`TooMany`](crate::SharedError::TooMany),
            /// [`NoSlot`](crate::SharedError::NoSlot) or [`Broken`](crate::SharedError::Broken).
            #[inline]
            pub fn lock(&self) -> Result<crate::Guard<'_, Self>, crate::SharedError> {
                crate::Guard::acquire(&self.handle, None)
            }

            /// Acquires the lock if it is free.
            ///
            /// # Errors
            /// Returns [`TimedOut`](crate::SharedError::TimedOut) if the lock is not free;
            /// otherwise the errors of [`lock`](Self::lock).
            #[inline]
            pub fn try_lock(&self) -> Result<crate::Guard<'_, Self>, crate::SharedError> {
                crate::Guard::acquire(&self.handle, Some(std::time::Duration::ZERO))
            }

            /// Acquires the lock, waiting at most for `timeout`.
            ///
            /// # Errors
            /// Returns [`TimedOut`](crate::SharedError::TimedOut), also if this thread holds the
            /// lock itself; otherwise the errors of [`lock`](Self::lock).
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
