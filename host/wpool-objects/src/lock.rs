//! Locks, recursive or not.
//!
//! ```text
//! primary    {suspect: 1 bit, depth: 16 bits, owner: 47 bits}    0 in all but the first if it is free
//! second     who died last holding it
//! ```
//!
//! Without contention the word is taken and given back by one CAS each, and no latch. So it is changed
//! from free by a CAS only, and else by its owner, or by a sweep for an owner that is dead. Who gives
//! it back looks for those that wait after the CAS; who waits tries again after standing in the line:
//! one of the two sees the other.
//!
//! **Invariant:** the owner is alive, or about to be swept. A lock whose holder died is free and
//! suspect: the next to take it is told, and the next after that if that one dies too before it says
//! that the data is consistent. An ordinary release says so as well.

use super::Shared;
use super::error::Error;
use super::layout::record;
use super::object::{Held, Kind, Object, ObjectId};
use super::slots::{Caller, OWNER_BITS, OWNER_MASK, Owner};
use super::wait;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Those that wait for the lock.
const LINE: u8 = 0;
/// In the parameters: the owner may take it again.
pub(super) const RECURSIVE: u64 = 1;
const SUSPECT: u64 = 1 << 63;
const DEPTH_MAX: u16 = u16::MAX;

/// How a lock was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// As it should be.
    Clean,
    /// The caller holds it; its last holder died inside, so what it protects is suspect.
    OwnerDied {
        /// Who died.
        culprit: Option<Owner>,
    },
}

/// A free lock.
const FREE: Word = Word { owner: 0, depth: 0, suspect: false };

/// A lock's primary word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word {
    owner: u64,
    depth: u16,
    suspect: bool,
}

impl Word {
    fn of(object: Object<'_>) -> Word {
        let word = object.get(record::PRIMARY);
        let depth = (word >> OWNER_BITS) as u16;
        Word { owner: word & OWNER_MASK, depth, suspect: word & SUSPECT != 0 }
    }

    #[inline]
    fn pack(self) -> u64 {
        let suspect = if self.suspect { SUSPECT } else { 0 };
        suspect | u64::from(self.depth) << OWNER_BITS | self.owner
    }

    /// The commit, by the owner or for a dead one.
    fn commit(self, object: Object<'_>) {
        object.put(record::PRIMARY, self.pack());
    }

    /// The commit from or to a free word. SeqCst: see the module's documentation.
    #[inline]
    fn exchange(self, object: Object<'_>, new: Word) -> bool {
        let word = object.word(record::PRIMARY);
        let (old, new) = (self.pack(), new.pack());
        word.compare_exchange(old, new, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }

    #[inline]
    fn held(owner: Owner, depth: u16) -> Word {
        Word { owner: owner.pack(), depth, suspect: false }
    }

    fn is(self, owner: Owner) -> bool {
        self.owner == owner.pack()
    }
}

/// A lock.
#[derive(Clone, Copy)]
pub struct Lock<'a> {
    object: Object<'a>,
}

impl Shared {
    /// The lock of this id.
    ///
    /// # Errors
    /// `NotFound`, `WrongKind`.
    #[inline]
    pub fn lock(&self, id: ObjectId) -> Result<Lock<'_>, Error> {
        Object::of(self.memory(), id, Kind::Lock).map(Lock::at)
    }
}

impl<'a> Lock<'a> {
    /// The lock in a record: a lock's own, or a condition's.
    pub(super) fn at(object: Object<'a>) -> Lock<'a> {
        Lock { object }
    }

    /// Takes the lock, waiting at most for `limit` (`None`: for ever; zero: not at all).
    ///
    /// # Errors
    /// `TimedOut`, `Interrupted`, `Broken`; `AlreadyOwner` instead of waiting for itself for ever;
    /// `TooMany` beyond 65,535 levels.
    #[inline]
    pub fn acquire(&self, caller: &Caller<'_>, limit: Option<Duration>) -> Result<Acquired, Error> {
        self.acquire_times(caller, limit, 1)
    }

    /// Takes the lock so many times at once.
    #[inline]
    pub(super) fn acquire_times(
        &self,
        caller: &Caller<'_>,
        limit: Option<Duration>,
        times: u16,
    ) -> Result<Acquired, Error> {
        let object = self.object;
        let plain = object.get(record::RESERVED) == 0 && object.get(record::STATUS) == 0;
        if plain && FREE.exchange(object, Word::held(caller.owner, times)) {
            return Ok(Acquired::Clean);
        }
        let ready = || object.word(record::PRIMARY).load(Ordering::Relaxed) & OWNER_MASK == 0;
        wait::wait(object, caller, limit, LINE, ready, |held| {
            let word = Word::of(object);
            if word.owner == 0 && !held.is_kept_for_another() {
                let taken = Word { owner: caller.owner.pack(), depth: times, ..word };
                let taken = word.exchange(object, taken);
                return Ok(taken.then(|| Lock::found(object, word.suspect)));
            }
            if !word.is(caller.owner) {
                return Ok(None);
            }
            if object.get(record::PARAMS) & RECURSIVE == 0 {
                // With a limit it waits in vain, as in Python.
                return if limit.is_none() { Err(Error::AlreadyOwner) } else { Ok(None) };
            }
            let depth = word.depth.checked_add(times).filter(|depth| *depth < DEPTH_MAX);
            Word { depth: depth.ok_or(Error::TooMany)?, ..word }.commit(object);
            Ok(Some(Acquired::Clean))
        })
    }

    fn found(object: Object<'_>, suspect: bool) -> Acquired {
        if suspect {
            Acquired::OwnerDied { culprit: Owner::unpack(object.get(record::SECOND)) }
        } else {
            Acquired::Clean
        }
    }

    /// Gives the lock back, or one level of it.
    ///
    /// # Errors
    /// `NotOwner`, `Broken`.
    #[inline]
    pub fn release(&self, caller: &Caller<'_>) -> Result<(), Error> {
        let object = self.object;
        let plain = object.get(record::STATUS) == 0;
        if plain && Word::held(caller.owner, 1).exchange(object, FREE) {
            // SeqCst: after the CAS, see the module's documentation.
            if object.word(record::WAITING).load(Ordering::SeqCst) != 0 {
                self.nudge(caller)?;
            }
            return Ok(());
        }
        let mut held = object.hold(caller)?;
        let word = Word::of(object);
        if !word.is(caller.owner) {
            return Err(Error::NotOwner);
        }
        if word.depth > 1 {
            Word { depth: word.depth - 1, ..word }.commit(object);
        } else {
            FREE.commit(object);
            held.nudge(LINE);
        }
        Ok(())
    }

    #[cold]
    fn nudge(&self, caller: &Caller<'_>) -> Result<(), Error> {
        self.object.hold(caller)?.nudge(LINE);
        Ok(())
    }

    /// Gives all levels back, and says how many they were and whether the data is still suspect.
    pub(super) fn release_all(&self, caller: &Caller<'_>) -> Result<u16, Error> {
        let mut held = self.object.hold(caller)?;
        let word = Word::of(self.object);
        if !word.is(caller.owner) {
            return Err(Error::NotOwner);
        }
        FREE.commit(self.object);
        held.nudge(LINE);
        Ok(word.depth)
    }

    /// Says that what the lock protects is whole again after a holder's death.
    ///
    /// # Errors
    /// `NotOwner`, `Broken`.
    pub fn mark_consistent(&self, caller: &Caller<'_>) -> Result<(), Error> {
        let _held = self.object.hold(caller)?;
        let word = Word::of(self.object);
        if !word.is(caller.owner) {
            return Err(Error::NotOwner);
        }
        Word { suspect: false, ..word }.commit(self.object);
        Ok(())
    }

    /// Whether a holder died inside, and nobody has said yet that the data is whole again.
    pub fn is_suspect(&self) -> bool {
        Word::of(self.object).suspect
    }

    /// Who holds it now.
    pub fn holder(&self) -> Option<Owner> {
        Owner::unpack(Word::of(self.object).owner)
    }

    pub(super) fn is_held_by(&self, owner: Owner) -> bool {
        Word::of(self.object).is(owner)
    }

    /// Frees what a dead slot held.
    pub(super) fn sweep(held: &mut Held<'_>, dead: Owner) {
        let word = Word::of(held.object);
        if word.is(dead) {
            held.object.put(record::SECOND, dead.pack());
            Word { suspect: true, ..FREE }.commit(held.object);
        }
        if Word::of(held.object).owner == 0 {
            held.nudge(LINE);
        }
    }

    /// Whether the word makes sense.
    pub(super) fn is_sound(object: Object<'_>) -> bool {
        let word = Word::of(object);
        (word.owner == 0) == (word.depth == 0)
            && (word.owner == 0 || Owner::unpack(word.owner).is_some())
    }

    /// The owner that the word names.
    pub(super) fn owners(object: Object<'_>) -> Option<Owner> {
        Owner::unpack(Word::of(object).owner)
    }
}
