//! Barriers: parties that wait for one another and go on together.
//!
//! ```text
//! primary    PRIMARY {generation: 32 bits, the last one was cut short: 1 bit, broken: 1 bit}
//! second     the owner that broke the barrier
//! ```
//!
//! A waiting party has its index in its wait word and the generation in its slot's note. The last
//! party to arrive commits the next generation, and then releases the waiting parties. If the last
//! party dies between the two steps, the rebuild releases them; no party can wait in a later
//! generation before that.
//!
//! **Invariant:** nobody waits for the dead: a slot that dies with the barrier open breaks it.

use super::Shared;
use super::error::Error;
use super::layout::record;
use super::object::{Held, Kind, Object, ObjectId};
use super::slots::{Caller, Owner, Slot};
use super::wait::{self, State};
use std::time::{Duration, Instant};

const LINE: u8 = 0;
const BROKEN: u64 = 1;
const CUT_SHORT: u64 = 2;

/// A barrier's primary word.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Word {
    generation: u32,
    cut_short: bool,
    broken: bool,
}

impl Word {
    fn of(object: Object<'_>) -> Word {
        let word = object.get(record::PRIMARY);
        let generation = (word >> 2) as u32;
        Word { generation, cut_short: word & CUT_SHORT != 0, broken: word & BROKEN != 0 }
    }

    /// Commits the word.
    fn commit(self, object: Object<'_>) {
        let flags = u64::from(self.broken) | u64::from(self.cut_short) << 1;
        object.put(record::PRIMARY, u64::from(self.generation) << 2 | flags);
    }

    fn next(self, cut_short: bool) -> Word {
        Word { generation: self.generation.wrapping_add(1), cut_short, broken: false }
    }
}

/// A barrier.
#[derive(Clone, Copy)]
pub struct Barrier<'a> {
    object: Object<'a>,
}

impl Shared {
    /// Returns the barrier with this id.
    ///
    /// # Errors
    /// Returns `NotFound` or `WrongKind`.
    #[inline]
    pub fn barrier(&self, id: ObjectId) -> Result<Barrier<'_>, Error> {
        Object::of(self.memory(), id, Kind::Barrier).map(|object| Barrier { object })
    }
}

impl Barrier<'_> {
    /// Waits until all parties wait, at most for `limit`. Returns the index of the caller: each
    /// party gets its own, in the order of arrival.
    ///
    /// # Errors
    /// Returns `Broken` if the barrier is broken, or breaks meanwhile. A wait that ends with
    /// `TimedOut` or `Interrupted` breaks the barrier for all parties.
    pub fn wait(&self, caller: &Caller<'_>, limit: Option<Duration>) -> Result<u32, Error> {
        let object = self.object;
        let mut held = object.hold(caller)?;
        let word = Word::of(object);
        if word.broken {
            return Err(self.culprit());
        }
        let index = held.waiting(LINE) as u32;
        if index + 1 >= self.parties() {
            word.next(false).commit(object);
            held.choose_all(LINE, State::Granted);
            return Ok(index);
        }
        if limit == Some(Duration::ZERO) {
            self.break_for_all(&mut held, caller.owner);
            return Err(Error::TimedOut);
        }
        held.enqueue(LINE, index, u64::from(word.generation));
        drop(held);
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        wait::until_settled(caller, object, deadline);
        let own = Slot::new(object.memory, caller.owner.slot);
        let mut held = object.hold(caller).inspect_err(|_| own.forget())?;
        let state = held.queued().map(|wait| wait.state);
        held.dequeue(caller.owner.slot);
        match state {
            Some(State::Granted) => Ok(index),
            Some(State::Waiting | State::Woken) => {
                self.break_for_all(&mut held, caller.owner);
                Err(wait::is_over(caller, deadline).unwrap_or(Error::TimedOut))
            }
            Some(State::Denied) => Err(self.culprit()),
            None => Err(held.mark_broken(None)),
        }
    }

    fn culprit(&self) -> Error {
        Error::Broken { culprit: Owner::unpack(self.object.get(record::SECOND)) }
    }

    fn break_for_all(&self, held: &mut Held<'_>, culprit: Owner) {
        held.object.put(record::SECOND, culprit.pack());
        Word { broken: true, ..Word::of(held.object) }.commit(held.object);
        held.choose_all(LINE, State::Denied);
    }

    /// Breaks the barrier. All parties that wait now or later get `Broken`.
    ///
    /// # Errors
    /// Returns `Broken` if the object itself is broken.
    pub fn abort(&self, caller: &Caller<'_>) -> Result<(), Error> {
        let mut held = self.object.hold(caller)?;
        self.break_for_all(&mut held, caller.owner);
        Ok(())
    }

    /// Resets the barrier. The parties that wait get `Broken`; after that the barrier can be used
    /// again.
    ///
    /// # Errors
    /// Returns `Broken` if the object itself is broken.
    pub fn reset(&self, caller: &Caller<'_>) -> Result<(), Error> {
        let mut held = self.object.hold(caller)?;
        self.object.put(record::SECOND, caller.owner.pack());
        Word::of(self.object).next(true).commit(self.object);
        held.choose_all(LINE, State::Denied);
        Ok(())
    }

    /// Returns the number of parties.
    pub fn parties(&self) -> u32 {
        self.object.get(record::PARAMS) as u32
    }

    /// Returns how many parties wait now.
    pub fn waiting(&self) -> u32 {
        self.object.get(record::WAITING) as u16 as u32
    }

    /// Returns whether the barrier is broken.
    pub fn is_broken(&self) -> bool {
        self.object.broken().is_some() || Word::of(self.object).broken
    }

    /// Breaks the barrier for a dead party. `party` is true if the dead slot had the barrier open.
    pub(super) fn sweep(held: &mut Held<'_>, dead: Owner, party: bool) {
        if party && !Word::of(held.object).broken {
            Barrier { object: held.object }.break_for_all(held, dead);
        }
    }

    /// Releases the parties whose generation is over, or makes their waits fail. Their lines are
    /// rebuilt already.
    pub(super) fn rebuild(held: &mut Held<'_>) -> Option<()> {
        let word = Word::of(held.object);
        let queued: Vec<_> = held.line(LINE).collect();
        for (index, slot, wait) in queued {
            let note = slot.note().load(std::sync::atomic::Ordering::Relaxed);
            let over = note != u64::from(word.generation);
            if over && note as u32 != word.generation.wrapping_sub(1) {
                return None;
            }
            let denied = if over { word.cut_short } else { word.broken };
            if over || denied {
                let state = if denied { State::Denied } else { State::Granted };
                held.finish(index, slot, wait, state);
            }
        }
        Some(())
    }

    /// Returns whether all waiting parties wait in the present generation of an unbroken barrier.
    pub(super) fn is_sound(held: &Held<'_>) -> bool {
        let word = Word::of(held.object);
        let parties = held.object.get(record::PARAMS);
        held.waiting(LINE) as u64 <= parties.saturating_sub(1)
            && held.line(LINE).all(|(_, slot, _)| {
                let note = slot.note().load(std::sync::atomic::Ordering::Relaxed);
                note == u64::from(word.generation) && !word.broken
            })
    }
}
