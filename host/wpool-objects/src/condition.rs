//! Conditions: waiting, with a lock given back, until somebody notifies.
//!
//! A condition has a lock of its own in its record, or names another lock. Who waits stands in the
//! condition's line before it gives the lock back, and only holders of the lock notify, so no
//! notification is missed.
//!
//! **Invariant:** a notification is a store to one slot's wait word, and that slot returns with it or
//! passes it on: until it has the lock again, `slot.notified` says that it has taken it.

use super::Shared;
use super::error::Error;
use super::layout::{OBJECTS, record};
use super::lock::{Acquired, Lock};
use super::object::{Held, Kind, Object, ObjectId};
use super::slots::{Caller, Owner, Slot};
use super::wait::{self, State};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Line 0 is that of the record's own lock.
pub const LINE: u8 = 1;
/// Where the parameters name another lock: its index and one.
pub(super) const LOCK_SHIFT: u32 = 16;

/// How a wait ended. The caller holds the lock again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waited {
    /// It was notified; else its time was over.
    pub notified: bool,
    /// How it got the lock back.
    pub lock: Acquired,
}

/// A condition.
#[derive(Clone, Copy)]
pub struct Condition<'a> {
    object: Object<'a>,
    lock: Lock<'a>,
}

impl Shared {
    /// The condition of this id.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`.
    #[inline]
    pub fn condition(&self, id: ObjectId) -> Result<Condition<'_>, Error> {
        let object = Object::of(self.memory(), id, Kind::Condition)?;
        let lock = lock_of(object).ok_or(Error::Broken { culprit: None })?;
        Ok(Condition { object, lock: Lock::at(lock) })
    }
}

/// The record with the condition's lock.
pub(super) fn lock_of(object: Object<'_>) -> Option<Object<'_>> {
    match usize::from((object.get(record::PARAMS) >> LOCK_SHIFT) as u16) {
        0 => Some(object),
        index if index <= OBJECTS => Some(Object::new(object.memory, index as u16 - 1)),
        _ => None,
    }
}

impl<'a> Condition<'a> {
    /// The condition's lock.
    pub fn lock(&self) -> Lock<'a> {
        self.lock
    }

    /// How many wait for a notification now.
    pub fn waiting(&self) -> u32 {
        (self.object.get(record::WAITING) >> 16) as u16 as u32
    }

    /// Gives the lock back (all its levels), waits for a notification, at most for `limit`, and takes
    /// the lock again, however long that takes.
    ///
    /// # Errors
    /// `NotOwner`. After `Interrupted` and `Broken` the caller does not hold the lock.
    pub fn wait(&self, caller: &Caller<'_>, limit: Option<Duration>) -> Result<Waited, Error> {
        if !self.lock.is_held_by(caller.owner) {
            return Err(Error::NotOwner);
        }
        self.object.hold(caller)?.stand(LINE, 0, 0);
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let own = Slot::new(self.object.memory, caller.owner.slot);
        let depth = self.lock.release_all(caller).inspect_err(|_| own.forget())?;
        wait::until_settled(caller, self.object, deadline);
        let notified = self.take_notification(caller).inspect_err(|_| own.forget())?;
        // Even if the lock is free: who waits in a loop has to learn that nobody may come any more.
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

    /// Leaves the line, with a notification or without.
    fn take_notification(&self, caller: &Caller<'_>) -> Result<bool, Error> {
        let mut held = self.object.hold(caller)?;
        let notified = held.standing().is_some_and(|wait| wait.state == State::Granted);
        if notified {
            let own = Slot::new(self.object.memory, caller.owner.slot);
            own.notified().store(u64::from(self.object.index) + 1, Ordering::Release);
        }
        held.withdraw(caller.owner.slot);
        Ok(notified)
    }

    /// Notifies up to `count` of those that wait, those first that came first; says how many.
    ///
    /// # Errors
    /// `NotOwner`, `Broken`.
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

    /// Notifies all that wait; says how many.
    ///
    /// # Errors
    /// `NotOwner`, `Broken`.
    pub fn notify_all(&self, caller: &Caller<'_>) -> Result<u32, Error> {
        self.notify(caller, u32::MAX)
    }

    /// Passes a dead slot's notification on.
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
