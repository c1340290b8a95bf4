//! Looking into a queue: its messages at one moment, left where they are.
//!
//! Which they are is read under the latch, their bytes are not: a message that was got meanwhile is
//! found out by its descriptor's word and ticket, which no other message has.

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
    /// Descriptor and ticket of each, in order.
    ready: Vec<(u32, u64)>,
}

impl Shared {
    /// The messages of the queue of this id.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`, `Broken`.
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
    /// How many there were.
    pub fn len(&self) -> usize {
        self.ready.len()
    }

    /// Copies the message at this place, below `len`; false if it was got meanwhile.
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
        // Acquire: what is looked at from here on is at least as new as the bytes.
        fence(Ordering::Acquire);
        read && is_there()
    }
}
