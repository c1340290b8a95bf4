//! Conditions: waiting for a notification, with a lock given back meanwhile.
//!
//! A condition has a lock of its own in its record, or names another lock. A waiting slot stands in
//! the condition's line before it gives the lock back, and only holders of the lock notify, so no
//! notification is missed.
//!
//! **Invariant:** a notification is a store to one slot's wait word. That slot returns with the
//! notification or passes it on: until the slot holds the lock again, `slot.notified` says that it
//! has taken the notification.

use super::Shared;
use super::error::Error;
use super::layout::{OBJECTS, record};
use super::lock::{Acquired, Lock};
use super::object::{Held, Kind, Object, ObjectId};
use super::slots::{Caller, Owner, Slot};
use super::wait::{self, State};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The condition's line. Line 0 belongs to the lock in the same record.
pub const LINE: u8 = 1;
/// The position in the parameters of another lock's index plus one.
pub(super) const LOCK_SHIFT: u32 = 16;

/// The way a wait ended. The caller holds the lock again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waited {
    /// True if the wait was notified, false if its time was over.
    pub notified: bool,
    /// The way the lock was taken again.
    pub lock: Acquired,
}

/// A condition.
#[derive(Clone, Copy)]
pub struct Condition<'a> {
    object: Object<'a>,
    lock: Lock<'a>,
}

impl Shared {
    /// Returns the condition with this id.
    ///
    /// # Errors
    /// Returns `NotFound` or `WrongKind`.
    #[inline]
    pub fn condition(&self, id: ObjectId) -> Result<Condition<'_>, Error> {
        let object = Object::of(self.memory(), id, Kind::Condition)?;
        let lock = lock_of(object).ok_or(Error::Broken { culprit: None })?;
        Ok(Condition { object, lock: Lock::at(lock) })
    }
}

/// Returns the record that holds the condition's lock.
pub(super) fn lock_of(object: Object<'_>) -> Option<Object<'_>> {
    match usize::from((object.get(record::PARAMS) >> LOCK_SHIFT) as u16) {
        0 => Some(object),
        index if index <= OBJECTS => Some(Object::new(object.memory, index as u16 - 1)),
        _ => None,
    }
}

impl<'a> Condition<'a> {
    /// Returns the condition's lock.
    pub fn lock(&self) -> Lock<'a> {
        self.lock
    }

    /// Returns how many slots wait for a notification now.
    pub fn waiting(&self) -> u32 {
        (self.object.get(record::WAITING) >> 16) as u16 as u32
    }

    /// Gives the lock back with all its levels, waits for a notification at most for `limit`, and
    /// takes the lock again, however long that takes.
    ///
    /// # Errors
    /// Returns `NotOwner` if the caller does not hold the lock. After `Interrupted` or `Broken` the
    /// caller does not hold the lock.
    pub fn wait(&self, caller: &Caller<'_>, limit: Option<Duration>) -> Result<Waited, Error> {
        if !self.lock.is_held_by(caller.owner) {
            return Err(Error::NotOwner);
        }
        self.object.hold(caller)?.enqueue(LINE, 0, 0);
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let own = Slot::new(self.object.memory, caller.owner.slot);
        let depth = self.lock.release_all(caller).inspect_err(|_| own.forget())?;
        wait::until_settled(caller, self.object, deadline);
        let notified = self.take_notification(caller).inspect_err(|_| own.forget())?;
        // The check comes even if the lock is free: a guest that waits in a loop has to learn that
        // nobody may notify it any more.
        if !notified && let Some(interrupted) = wait::is_over(caller, None) {
            return Err(interrupted);
        }
        let lock = self.lock.acquire_times(caller, None, depth.max(1));
        if lock.is_err() && notified {
            self.object.hold(caller)?.choose(LINE, State::Granted);
        }
        own.notified().store(0, Ordering::Release);
        lock.map(|lock| Waited { notified, lock })
    }

    /// Leaves the line, and returns whether a notification came.
    fn take_notification(&self, caller: &Caller<'_>) -> Result<bool, Error> {
        let mut held = self.object.hold(caller)?;
        let notified = held.queued().is_some_and(|wait| wait.state == State::Granted);
        if notified {
            let own = Slot::new(self.object.memory, caller.owner.slot);
            own.notified().store(u64::from(self.object.index) + 1, Ordering::Release);
        }
        held.dequeue(caller.owner.slot);
        Ok(notified)
    }

    /// Notifies up to `count` waiting slots, the longest waiting first. Returns how many were
    /// notified.
    ///
    /// # Errors
    /// Returns `NotOwner` or `Broken`.
    pub fn notify(&self, caller: &Caller<'_>, count: u32) -> Result<u32, Error> {
        if !self.lock.is_held_by(caller.owner) {
            return Err(Error::NotOwner);
        }
        let mut held = self.object.hold(caller)?;
        let mut notified = 0;
        while notified < count && held.waiting(LINE) > 0 && held.choose(LINE, State::Granted) {
            notified += 1;
        }
        Ok(notified)
    }

    /// Notifies all waiting slots. Returns how many were notified.
    ///
    /// # Errors
    /// Returns `NotOwner` or `Broken`.
    pub fn notify_all(&self, caller: &Caller<'_>) -> Result<u32, Error> {
        self.notify(caller, u32::MAX)
    }

    /// Passes a dead slot's notification on to another slot.
    pub(super) fn sweep(held: &mut Held<'_>, dead: Owner) {
        let slot = Slot::new(held.object.memory, dead.slot);
        let taken = slot.notified().load(Ordering::Acquire) == u64::from(held.object.index) + 1;
        let given = slot.waits().is_some_and(|wait| {
            wait.object == held.object.index && wait.line == LINE && wait.state == State::Granted
        });
        if taken || given {
            held.choose(LINE, State::Granted);
            slot.notified().store(0, Ordering::Release);
        }
    }
}
