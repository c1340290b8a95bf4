//! Locks, recursive or not.
//!
//! ```text
//! primary    {suspect: 1 bit, depth: 16 bits, owner: 47 bits}    0 in all but the first if it is free
//! second     the last owner that died holding the lock
//! ```
//!
//! Without contention the word is taken and given back by one CAS each, without a latch. Therefore
//! a free word is changed by a CAS only; a held word is changed by its owner, or by a sweep for a
//! dead owner. An owner that gives the lock back looks for waiting slots after the CAS; a waiting
//! slot tries again after it has joined the line: one of the two sees the other.
//!
//! **Invariant:** the owner is alive, or about to be swept. A lock whose holder died is free and
//! suspect: the next owner is told, and the one after that as well if the next one dies before it
//! marks the data as consistent. An ordinary release marks the data as consistent, too.

use super::Shared;
use super::error::Error;
use super::layout::record;
use super::object::{Held, Kind, Object, ObjectId};
use super::slots::{Caller, OWNER_BITS, OWNER_MASK, Owner};
use super::wait;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The line of the slots that wait for the lock.
const LINE: u8 = 0;
/// The flag in the parameters by which the owner may take the lock again.
pub(super) const RECURSIVE: u64 = 1;
const SUSPECT: u64 = 1 << 63;
const DEPTH_MAX: u16 = u16::MAX;

/// The way a lock was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// The lock was taken, and the data is sound.
    Clean,
    /// The caller holds the lock; its last holder died inside, so the data that it protects is
    /// suspect.
    OwnerDied {
        /// The holder that died, if known.
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

    /// Commits a change by the owner, or for a dead one.
    fn commit(self, object: Object<'_>) {
        object.put(record::PRIMARY, self.pack());
    }

    /// Commits a change from or to a free word. SeqCst: see the module's documentation.
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
    /// Returns the lock with this id.
    ///
    /// # Errors
    /// Returns `NotFound` or `WrongKind`.
    #[inline]
    pub fn lock(&self, id: ObjectId) -> Result<Lock<'_>, Error> {
        Object::of(self.memory(), id, Kind::Lock).map(Lock::at)
    }
}

impl<'a> Lock<'a> {
    /// Returns the lock in a record: the record of a lock, or of a condition.
    pub(super) fn at(object: Object<'a>) -> Lock<'a> {
        Lock { object }
    }

    /// Takes the lock, waiting at most for `limit` (`None`: for ever; zero: not at all).
    ///
    /// # Errors
    /// Returns `TimedOut`, `Interrupted` or `Broken`; `AlreadyOwner` if the caller would wait for
    /// itself for ever; `TooMany` beyond 65,535 levels.
    #[inline]
    pub fn acquire(&self, caller: &Caller<'_>, limit: Option<Duration>) -> Result<Acquired, Error> {
        self.acquire_times(caller, limit, 1)
    }

    /// Takes the lock `times` times at once.
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
                // An owner that waits with a limit waits in vain, as in Python.
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

    /// Gives the lock back, or one level of a recursive lock.
    ///
    /// # Errors
    /// Returns `NotOwner` or `Broken`.
    #[inline]
    pub fn release(&self, caller: &Caller<'_>) -> Result<(), Error> {
        let object = self.object;
        let plain = object.get(record::STATUS) == 0;
        if plain && Word::held(caller.owner, 1).exchange(object, FREE) {
            // The load comes after the CAS (SeqCst): see the module's documentation.
            if object.word(record::WAITING).load(Ordering::SeqCst) != 0 {
                self.wake(caller)?;
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
            held.wake(LINE);
        }
        Ok(())
    }

    #[cold]
    fn wake(&self, caller: &Caller<'_>) -> Result<(), Error> {
        self.object.hold(caller)?.wake(LINE);
        Ok(())
    }

    /// Gives all levels back. Returns their number.
    pub(super) fn release_all(&self, caller: &Caller<'_>) -> Result<u16, Error> {
        let mut held = self.object.hold(caller)?;
        let word = Word::of(self.object);
        if !word.is(caller.owner) {
            return Err(Error::NotOwner);
        }
        FREE.commit(self.object);
        held.wake(LINE);
        Ok(word.depth)
    }

    /// Marks the data that the lock protects as whole again after a holder's death.
    ///
    /// # Errors
    /// Returns `NotOwner` or `Broken`.
    pub fn mark_consistent(&self, caller: &Caller<'_>) -> Result<(), Error> {
        let _held = self.object.hold(caller)?;
        let word = Word::of(self.object);
        if !word.is(caller.owner) {
            return Err(Error::NotOwner);
        }
        Word { suspect: false, ..word }.commit(self.object);
        Ok(())
    }

    /// Returns whether a holder died inside and the data was not marked as consistent since.
    pub fn is_suspect(&self) -> bool {
        Word::of(self.object).suspect
    }

    /// Returns the present holder.
    pub fn holder(&self) -> Option<Owner> {
        Owner::unpack(Word::of(self.object).owner)
    }

    pub(super) fn is_held_by(&self, owner: Owner) -> bool {
        Word::of(self.object).is(owner)
    }

    /// Frees the lock if a dead slot held it.
    pub(super) fn sweep(held: &mut Held<'_>, dead: Owner) {
        let word = Word::of(held.object);
        if word.is(dead) {
            held.object.put(record::SECOND, dead.pack());
            Word { suspect: true, ..FREE }.commit(held.object);
        }
        if Word::of(held.object).owner == 0 {
            held.wake(LINE);
        }
    }

    /// Returns whether the word makes sense.
    pub(super) fn is_sound(object: Object<'_>) -> bool {
        let word = Word::of(object);
        (word.owner == 0) == (word.depth == 0)
            && (word.owner == 0 || Owner::unpack(word.owner).is_some())
    }

    /// Returns the owner that the word names.
    pub(super) fn owners(object: Object<'_>) -> Option<Owner> {
        Owner::unpack(Word::of(object).owner)
    }
}
