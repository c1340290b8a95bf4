//! Queues of messages, bounded in messages and in bytes, for any number of producers and consumers.
//!
//! ```text
//! primary    PRIMARY {closed: 1 bit}
//! second     PRIMARY {descriptors, blocks} ever used, see `super::message`
//! more[0]    PRIMARY the journal: {descriptor plus one, its owner's undone after acknowledging}
//! more[1]    tasks lost with the dead, not yet told
//! derived    0 {first in the ring, ready}   1 {being written, on lease}   2 {free descriptor, free block}
//!            3 blocks in use   4 next ticket   5 all undone
//! ```
//!
//! A put commits when its descriptor becomes ready: the order is fixed then, so a slow producer
//! blocks nobody. A long message is reserved under the latch, copied without it, then committed. A
//! get leases the message; the lease ends with the slot's next call for this queue, or with
//! `acknowledge`. The message of a dead consumer goes back to the front, marked as delivered
//! before. The journal turns an acknowledgement that counts (of a joinable queue) into one store; a
//! sweep that breaks the latch does it again from the journal.
//!
//! **Invariant:** a message whose put has returned is delivered at least once, and only once unless
//! it is marked as delivered before.

use super::Shared;
use super::arena;
use super::error::Error;
use super::layout::{SLOTS, record};
use super::message::{INLINE_BYTES, PIECE, State, Store, Word, halves, join};
use super::object::{Held, Kind, Object, ObjectId};
use super::slots::{Caller, Owner};
use super::wait::{self, State as WaitState};
use std::sync::atomic::Ordering;
use std::time::Duration;

pub(super) const GETTERS: u8 = 0;
/// The line of the slots that wait for room.
pub const PUTTERS: u8 = 1;
/// The line of the slots that wait until all tasks are done.
pub const JOINERS: u8 = 2;

const CLOSED: u64 = 1;
pub(super) const JOURNAL: usize = record::MORE;
pub(super) const LOST: usize = record::MORE + 8;
pub(super) const RING: usize = record::DERIVED;
pub(super) const BUSY: usize = record::DERIVED + 8;
pub(super) const FREE: usize = record::DERIVED + 16;
pub(super) const USED: usize = record::DERIVED + 24;
pub(super) const TICKETS: usize = record::DERIVED + 32;
pub(super) const UNDONE: usize = record::DERIVED + 40;

/// The facts about a delivered message beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The number of consumers that got the message before and died (or were discarded) before they
    /// were done.
    pub redelivered: u8,
}

/// The way a join ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The number of tasks whose messages were acknowledged by slots that died before the task was
    /// done.
    pub lost: u64,
}

/// A queue.
#[derive(Clone, Copy)]
pub struct Queue<'a> {
    store: Store<'a>,
}

impl Shared {
    /// Returns the queue with this id.
    ///
    /// # Errors
    /// Returns `NotFound` or `WrongKind`; `Broken` if the queue's words make no sense.
    #[inline]
    pub fn queue(&self, id: ObjectId) -> Result<Queue<'_>, Error> {
        let object = Object::of(self.memory(), id, Kind::Queue)?;
        Store::of(object).map(|store| Queue { store }).ok_or(Error::Broken { culprit: None })
    }
}

impl<'a> Queue<'a> {
    fn object(&self) -> Object<'a> {
        self.store.object
    }

    /// Puts a message at the end, waiting for space at most for `limit`.
    ///
    /// # Errors
    /// Returns `TooLarge` at once; `Closed`, `TimedOut`, `Interrupted` or `Broken`.
    pub fn put(
        &self,
        caller: &Caller<'_>,
        bytes: &[u8],
        limit: Option<Duration>,
    ) -> Result<(), Error> {
        let store = self.store;
        let blocks = self.blocks_for(bytes.len()).ok_or(Error::TooLarge)?;
        let ready = || self.has_space(blocks);
        let reserved = wait::wait(self.object(), caller, limit, PUTTERS, ready, |held| {
            self.settle(held)?;
            if self.is_closed() {
                return Err(Error::Closed);
            }
            if !self.has_space(blocks) {
                return Ok(None);
            }
            let index = arena::take(held, &store, blocks)?;
            store.set_size(index, bytes.len() as u32, blocks);
            if blocks == 0 {
                store.write(index, bytes, 0);
                self.publish(held, index);
                return Ok(Some(None));
            }
            let writing = Word { state: State::Writing, owner: held.me.pack(), deliveries: 0 };
            store.commit(index, writing);
            let (writing, leased) = halves(self.object().get(BUSY));
            self.object().put(BUSY, join(writing.saturating_add(1), leased));
            Ok(Some(Some(index)))
        })?;
        let Some(index) = reserved else { return Ok(()) };
        let whole = store.write(index, bytes, blocks);
        let mut held = self.object().hold(caller)?;
        held.checked(whole.then_some(()))?;
        let (writing, leased) = halves(self.object().get(BUSY));
        self.object().put(BUSY, join(writing.saturating_sub(1), leased));
        self.publish(&mut held, index);
        Ok(())
    }

    /// Makes a message ready, at the end of the queue.
    #[inline]
    fn publish(&self, held: &mut Held<'a>, index: u32) {
        let (object, store) = (self.object(), &self.store);
        let ticket = object.get(TICKETS);
        store.ticket(index).store(ticket, Ordering::Relaxed);
        store.commit(index, Word { state: State::Ready, owner: 0, deliveries: 0 });
        object.put(TICKETS, ticket.wrapping_add(1));
        let (first, ready) = self.ring();
        store.ring((first + ready) % store.descriptors).store(index, Ordering::Relaxed);
        object.put(RING, join(first, ready + 1));
        held.wake(GETTERS);
    }

    /// Returns the first place in the ring and how many messages are ready, both below the number
    /// of descriptors.
    #[inline]
    fn ring(&self) -> (u32, u32) {
        let (first, ready) = halves(self.object().get(RING));
        let most = self.store.descriptors - 1;
        (first.min(most), ready.min(most))
    }

    /// Returns the blocks that a message of this length takes, or `None` if it could never fit. A
    /// length has 32 bits.
    pub(super) fn blocks_for(&self, length: usize) -> Option<u32> {
        let length = u32::try_from(length).ok()?;
        let is_short = length <= INLINE_BYTES as u32;
        let blocks = if is_short { 0 } else { length.div_ceil(PIECE as u32) };
        (blocks <= self.store.blocks).then_some(blocks)
    }

    fn has_space(&self, blocks: u32) -> bool {
        let writing = halves(self.object().get(BUSY)).0;
        let used = self.object().get(USED).min(u64::from(self.store.blocks)) as u32;
        let messages = self.ring().1.saturating_add(writing);
        messages < self.store.messages && self.store.blocks - used >= blocks
    }

    /// Gets the first message, waiting at most for `limit`. The caller has the message on lease
    /// until its next call for this queue.
    ///
    /// # Errors
    /// Returns `Closed` when nothing is left and nothing can come; `TimedOut`, `Interrupted` or
    /// `Broken`.
    pub fn get(
        &self,
        caller: &Caller<'_>,
        to: &mut Vec<u8>,
        limit: Option<Duration>,
    ) -> Result<Delivery, Error> {
        let (object, store) = (self.object(), self.store);
        let ready = || halves(object.word(RING).load(Ordering::Relaxed)).1 > 0;
        let got = wait::wait(object, caller, limit, GETTERS, ready, |held| {
            self.settle(held)?;
            let (first, ready) = self.ring();
            if ready == 0 {
                return if self.is_closed() { Err(Error::Closed) } else { Ok(None) };
            }
            let index = store.ring(first).load(Ordering::Relaxed);
            let index = held.checked((index < store.descriptors).then_some(index))?;
            let word = store.word(index).filter(|word| word.state == State::Ready);
            let word = held.checked(word)?;
            let size = held.checked(store.size(index))?;
            store.commit(index, Word { state: State::Leased, owner: held.me.pack(), ..word });
            object.put(RING, join((first + 1) % store.descriptors, ready - 1));
            let (writing, leased) = halves(object.get(BUSY));
            object.put(BUSY, join(writing, leased.saturating_add(1)));
            store.lease(held.me.slot).store(index + 1, Ordering::Relaxed);
            // A message on lease does not count against the bound.
            held.wake(PUTTERS);
            if size.1 == 0 {
                store.read(index, size.0, 0, to);
            }
            Ok(Some((index, size, word.deliveries)))
        })?;
        let (index, (bytes, blocks), redelivered) = got;
        if blocks > 0 && !store.read(index, bytes, blocks, to) {
            return Err(object.hold(caller)?.mark_broken(None));
        }
        Ok(Delivery { redelivered })
    }

    /// Acknowledges the message that the caller has on lease, if there is one.
    #[inline]
    fn settle(&self, held: &mut Held<'a>) -> Result<(), Error> {
        if self.store.lease(held.me.slot).load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        self.end_lease(held, false).map(|_| ())
    }

    /// Ends the lease of the caller. Returns false if it has none. With `done` the task counts as
    /// done as well.
    fn end_lease(&self, held: &mut Held<'a>, done: bool) -> Result<bool, Error> {
        let (object, store) = (self.object(), &self.store);
        let lease = store.lease(held.me.slot);
        let Some(index) = lease.load(Ordering::Relaxed).checked_sub(1) else { return Ok(false) };
        let index = held.checked((index < store.descriptors).then_some(index))?;
        let word = store.word(index).filter(|word| word.is(State::Leased, held.me));
        held.checked(word)?;
        let (_, blocks) = held.checked(store.size(index))?;
        if store.joinable && !done {
            let undone = undone_of(store, held.me).saturating_add(1);
            // The store commits; what follows can be done again from it.
            object.put(JOURNAL, join(index + 1, undone));
            set_undone(store, held.me, undone);
            object.put(UNDONE, object.get(UNDONE).saturating_add(1));
        }
        // The store commits, if the queue is not joinable or the task is done.
        store.commit(index, Word { state: State::Free, owner: 0, deliveries: 0 });
        object.put(JOURNAL, 0);
        lease.store(0, Ordering::Relaxed);
        let (writing, leased) = halves(object.get(BUSY));
        object.put(BUSY, join(writing, leased.saturating_sub(1)));
        arena::give_back(held, store, index, blocks)?;
        if blocks > 0 {
            held.wake(PUTTERS);
        }
        self.tell_joiners(held);
        Ok(true)
    }

    /// Acknowledges the message on lease: it will not be delivered again.
    ///
    /// # Errors
    /// Returns `NotOwner` if the caller has no message on lease; `Broken`.
    pub fn acknowledge(&self, caller: &Caller<'_>) -> Result<(), Error> {
        let mut held = self.object().hold(caller)?;
        if self.end_lease(&mut held, false)? { Ok(()) } else { Err(Error::NotOwner) }
    }

    /// Marks a task whose message was got as done. Acknowledges the message on lease.
    ///
    /// # Errors
    /// Returns `TooMany` if no task is undone; `WrongKind` if the queue is not joinable; `Broken`.
    pub fn task_done(&self, caller: &Caller<'_>) -> Result<(), Error> {
        let (object, store) = (self.object(), &self.store);
        if !store.joinable {
            return Err(Error::WrongKind { kind: Kind::Queue });
        }
        let mut held = object.hold(caller)?;
        if self.end_lease(&mut held, true)? {
            return Ok(());
        }
        let mut slots = std::iter::once(held.me.slot).chain(0..SLOTS as u16);
        let slot = slots.find(|slot| store.undone(*slot).load(Ordering::Relaxed) as u32 > 0);
        let slot = slot.ok_or(Error::TooMany)?;
        let word = store.undone(slot).load(Ordering::Relaxed);
        let rest = (word as u32).saturating_sub(1);
        // The commit.
        store.undone(slot).store(if rest == 0 { 0 } else { word - 1 }, Ordering::Release);
        object.put(UNDONE, object.get(UNDONE).saturating_sub(1));
        self.tell_joiners(&mut held);
        Ok(())
    }

    /// Waits until every message that was put is done, at most for `limit`.
    ///
    /// # Errors
    /// Returns `WrongKind` if the queue is not joinable; `TimedOut`, `Interrupted` or `Broken`.
    pub fn join(&self, caller: &Caller<'_>, limit: Option<Duration>) -> Result<Joined, Error> {
        if !self.store.joinable {
            return Err(Error::WrongKind { kind: Kind::Queue });
        }
        let ready = || self.unfinished() == 0;
        wait::wait(self.object(), caller, limit, JOINERS, ready, |held| {
            let granted = held.queued().is_some_and(|wait| wait.state == WaitState::Granted);
            if !granted && self.unfinished() > 0 {
                return Ok(None);
            }
            let lost = self.object().get(LOST);
            self.object().put(LOST, 0);
            Ok(Some(Joined { lost }))
        })
    }

    fn unfinished(&self) -> u64 {
        let leased = halves(self.object().get(BUSY)).1;
        let open = u64::from(self.ring().1) + u64::from(leased);
        self.object().get(UNDONE).saturating_add(open)
    }

    pub(super) fn tell_joiners(&self, held: &mut Held<'a>) {
        if held.waiting(JOINERS) > 0 && self.unfinished() == 0 {
            held.choose_all(JOINERS, WaitState::Granted);
        }
    }

    /// Closes the queue for puts. The messages in the queue can still be got.
    ///
    /// # Errors
    /// Returns `Broken`.
    pub fn close(&self, caller: &Caller<'_>) -> Result<(), Error> {
        let mut held = self.object().hold(caller)?;
        self.object().put(record::PRIMARY, CLOSED);
        held.wake_all_waiting();
        Ok(())
    }

    /// Returns whether the queue is closed.
    pub fn is_closed(&self) -> bool {
        self.object().get(record::PRIMARY) & CLOSED != 0
    }

    /// Returns how many messages are ready.
    pub fn len(&self) -> usize {
        self.ring().1 as usize
    }

    pub(super) fn at(store: Store<'a>) -> Queue<'a> {
        Queue { store }
    }
}

/// Returns how many tasks an owner has acknowledged and not done.
pub(super) fn undone_of(store: &Store<'_>, owner: Owner) -> u32 {
    let (count, epoch) = halves(store.undone(owner.slot).load(Ordering::Relaxed));
    if epoch == owner.epoch { count } else { 0 }
}

pub(super) fn set_undone(store: &Store<'_>, owner: Owner, count: u32) {
    let word = if count == 0 { 0 } else { join(count, owner.epoch) };
    store.undone(owner.slot).store(word, Ordering::Release);
}
