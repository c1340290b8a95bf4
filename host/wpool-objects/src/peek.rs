//! Looking into a queue: its messages at one moment, without taking them out.
//!
//! The list of messages is read under the latch, their bytes are not. A message that was got
//! meanwhile is recognised by its descriptor's word and its ticket, which no other message has.

use super::Shared;
use super::error::Error;
use super::message::{State, Store, halves};
use super::object::{Kind, Object, ObjectId};
use super::queue::RING;
use super::slots::Caller;
use std::sync::atomic::{Ordering, fence};

/// The messages of a queue that were ready at one moment.
pub struct Peek<'a> {
    store: Store<'a>,
    /// The descriptor and ticket of each message, in order.
    ready: Vec<(u32, u64)>,
}

impl Shared {
    /// Returns the messages that are ready in the queue with this id.
    ///
    /// # Errors
    /// Returns `NotFound`, `WrongKind` or `Broken`.
    pub fn peek(&self, caller: &Caller<'_>, id: ObjectId) -> Result<Peek<'_>, Error> {
        let object = Object::of(self.memory(), id, Kind::Queue)?;
        let store = Store::of(object).ok_or(Error::Broken { culprit: None })?;
        let _held = object.hold(caller)?;
        let (first, ready) = halves(object.get(RING));
        let place = |at: u32| (first.wrapping_add(at)) % store.descriptors;
        let ready = (0..ready.min(store.descriptors))
            .map(|at| store.ring(place(at)).load(Ordering::Relaxed))
            .filter(|index| *index < store.descriptors)
            .map(|index| (index, store.ticket(index).load(Ordering::Relaxed)))
            .collect();
        Ok(Peek { store, ready })
    }
}

impl Peek<'_> {
    /// Returns how many messages there were.
    pub fn len(&self) -> usize {
        self.ready.len()
    }

    /// Copies the message at this place, which must be below `len`. Returns false if the message
    /// was got meanwhile.
    pub fn read(&self, place: usize, to: &mut Vec<u8>) -> bool {
        let Some(&(index, ticket)) = self.ready.get(place) else { return false };
        let is_there = || {
            let word = self.store.word(index);
            word.is_some_and(|word| word.state == State::Ready)
                && self.store.ticket(index).load(Ordering::Relaxed) == ticket
        };
        let Some((bytes, blocks)) = self.store.size(index).filter(|_| is_there()) else {
            return false;
        };
        let read = self.store.read(index, bytes, blocks, to);
        // Acquire: the words read from here on are at least as new as the bytes.
        fence(Ordering::Acquire);
        read && is_there()
    }
}
