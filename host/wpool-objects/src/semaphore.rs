//! Semaphores: counts of permits.
//!
//! An **owned** semaphore counts resources: a slot that has acquired a permit holds it, and the
//! permit is restored when the slot's owner dies. A **signal** semaphore counts events: one side
//! posts, the other waits, nobody holds anything, and an event that a dead owner has consumed is
//! not made again.
//!
//! ```text
//! primary    PRIMARY: owned: all permits there are; signal: the permits that are free
//! second     the number of restored permits of which nobody was told yet
//! more[0]    the last dead owner that held any of them
//! more[1]    JOURNAL: {in progress: 1 bit, second as it was before the sweep in progress: 32 bits}
//! derived[0] owned: all permits less those held
//! storage    PRIMARY, owned: for each slot {epoch: 32 bits, held: 32 bits}
//! ```

use super::Shared;
use super::error::Error;
use super::layout::{SLOTS, record};
use super::object::{Held, Kind, Object, ObjectId};
use super::slots::{Caller, Owner};
use super::wait;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const LINE: u8 = 0;
/// The greatest number of permits, as Python's `SEM_VALUE_MAX`.
pub(crate) const PERMITS_MAX: u32 = i32::MAX as u32;

/// The flags in the parameters; the initial count is stored in the upper half.
pub(super) const OWNED: u64 = 1;
pub(super) const BOUNDED: u64 = 2;
const JOURNAL: usize = record::MORE + 8;
const IN_PROGRESS: u64 = 1 << 63;
/// The bytes of storage that an owned semaphore needs.
pub(super) const STORAGE_BYTES: usize = SLOTS * 8;

/// The way a permit was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// The permit was taken, and nothing was restored before.
    Clean,
    /// The permit was taken. A holder died, and its permits were restored; only one caller is told.
    Restored {
        /// The number of restored permits.
        permits: u32,
        /// The owner that held the permits, if known.
        culprit: Option<Owner>,
    },
}

/// A semaphore.
#[derive(Clone, Copy)]
pub struct Semaphore<'a> {
    object: Object<'a>,
}

impl Shared {
    /// Returns the semaphore with this id.
    ///
    /// # Errors
    /// Returns `NotFound` or `WrongKind`.
    #[inline]
    pub fn semaphore(&self, id: ObjectId) -> Result<Semaphore<'_>, Error> {
        Object::of(self.memory(), id, Kind::Semaphore).map(|object| Semaphore { object })
    }
}

fn is_owned(object: Object<'_>) -> bool {
    object.get(record::PARAMS) & OWNED != 0
}

fn initial(object: Object<'_>) -> u64 {
    object.get(record::PARAMS) >> 32
}

/// Returns the word with the permits that a slot holds, or `None` if the object's words make no
/// sense.
fn holding(object: Object<'_>, slot: u16) -> Option<&AtomicU64> {
    let (at, bytes) = object.storage()?;
    (bytes >= STORAGE_BYTES).then(|| object.memory.word(at + usize::from(slot) * 8))
}

/// Returns how many permits of a holdings word belong to an owner.
fn held_by(word: u64, owner: Owner) -> u32 {
    if (word >> 32) as u32 == owner.epoch { word as u32 } else { 0 }
}

fn pack(owner: Owner, permits: u32) -> u64 {
    if permits == 0 { 0 } else { u64::from(owner.epoch) << 32 | u64::from(permits) }
}

/// Returns the offset of the word that counts the free permits.
fn free_word(object: Object<'_>) -> usize {
    if is_owned(object) { record::DERIVED } else { record::PRIMARY }
}

impl Semaphore<'_> {
    /// Takes a permit, waiting at most for `limit` (`None`: for ever; zero: not at all).
    ///
    /// # Errors
    /// Returns `TimedOut`, `Interrupted` or `Broken`.
    pub fn acquire(&self, caller: &Caller<'_>, limit: Option<Duration>) -> Result<Permit, Error> {
        let object = self.object;
        let free_word = free_word(object);
        let ready = || object.word(free_word).load(Ordering::Relaxed) > 0;
        wait::wait(object, caller, limit, LINE, ready, |held| {
            let free = object.get(free_word);
            if free == 0 || held.is_kept_for_another() {
                return Ok(None);
            }
            if free_word == record::PRIMARY {
                object.put(record::PRIMARY, free - 1);
                return Ok(Some(Permit::Clean));
            }
            let word = held.checked(holding(object, caller.owner.slot))?;
            let mine = held_by(word.load(Ordering::Relaxed), caller.owner);
            let mine = pack(caller.owner, mine.checked_add(1).ok_or(Error::TooMany)?);
            // The commit.
            word.store(mine, Ordering::Release);
            object.put(record::DERIVED, free - 1);
            Ok(Some(self.told()))
        })
    }

    /// Returns what the caller has to be told of restored permits, and notes that it was told.
    fn told(&self) -> Permit {
        let permits = self.object.get(record::SECOND) as u32;
        if permits == 0 {
            return Permit::Clean;
        }
        let culprit = Owner::unpack(self.object.get(record::MORE));
        self.object.put(record::SECOND, 0);
        self.object.put(JOURNAL, 0);
        Permit::Restored { permits, culprit }
    }

    /// Gives a permit back, or makes a new one if the caller holds none.
    ///
    /// # Errors
    /// Returns `TooMany` beyond the initial count of a bounded semaphore, or beyond `PERMITS_MAX`;
    /// `Broken`.
    pub fn release(&self, caller: &Caller<'_>) -> Result<(), Error> {
        let object = self.object;
        let mut held = object.hold(caller)?;
        let bounded = object.get(record::PARAMS) & BOUNDED != 0;
        let limit = if bounded { initial(object) } else { u64::from(PERMITS_MAX) };
        let all = object.get(record::PRIMARY);
        if is_owned(object) {
            let word = held.checked(holding(object, caller.owner.slot))?;
            let mine = held_by(word.load(Ordering::Relaxed), caller.owner);
            let free = object.get(record::DERIVED);
            // Either store is the commit.
            if let Some(rest) = mine.checked_sub(1) {
                word.store(pack(caller.owner, rest), Ordering::Release);
            } else if all >= limit {
                return Err(Error::TooMany);
            } else {
                object.put(record::PRIMARY, all + 1);
            }
            object.put(record::DERIVED, free.saturating_add(1));
        } else if all >= limit {
            return Err(Error::TooMany);
        } else {
            object.put(record::PRIMARY, all + 1);
        }
        held.wake(LINE);
        Ok(())
    }

    /// Returns how many permits are free.
    pub fn count(&self) -> u64 {
        self.object.get(free_word(self.object))
    }

    /// Restores the permits that a dead slot held.
    pub(super) fn sweep(held: &mut Held<'_>, dead: Owner) -> Option<()> {
        let object = held.object;
        if is_owned(object) {
            let word = holding(object, dead.slot)?;
            let permits = held_by(word.load(Ordering::Relaxed), dead);
            if permits > 0 {
                // A sweep that died before its commit is done again, and must not count the permits
                // twice.
                let journal = object.get(JOURNAL);
                let before = if journal == 0 { object.get(record::SECOND) } else { journal } as u32;
                object.put(JOURNAL, IN_PROGRESS | u64::from(before));
                object.put(record::MORE, dead.pack());
                object.put(record::SECOND, u64::from(before.saturating_add(permits)));
                // The commit.
                word.store(0, Ordering::Release);
            }
            object.put(JOURNAL, 0);
            Semaphore::rebuild(object)?;
        }
        for _ in 0..object.get(free_word(object)).min(SLOTS as u64) {
            held.wake(LINE);
        }
        Some(())
    }

    /// Rebuilds the derived word.
    pub(super) fn rebuild(object: Object<'_>) -> Option<()> {
        if is_owned(object) {
            object.put(record::DERIVED, Semaphore::free(object)?);
        }
        Some(())
    }

    /// Returns the number of free permits, computed from the primary words.
    pub(super) fn free(object: Object<'_>) -> Option<u64> {
        let all = object.get(record::PRIMARY);
        if all > u64::from(PERMITS_MAX) {
            return None;
        }
        if !is_owned(object) {
            return Some(all);
        }
        let held = (0..SLOTS as u16).try_fold(0u64, |sum, slot| {
            Some(sum + u64::from(holding(object, slot)?.load(Ordering::Relaxed) as u32))
        })?;
        all.checked_sub(held)
    }

    /// Returns the number of free permits in the derived word.
    pub(super) fn said_free(object: Object<'_>) -> u64 {
        object.get(free_word(object))
    }

    /// Returns the owners that the words name.
    pub(super) fn owners(object: Object<'_>) -> Vec<Owner> {
        let of = |slot| {
            let word = holding(object, slot)?.load(Ordering::Relaxed);
            (word as u32 > 0).then_some(Owner { slot, epoch: (word >> 32) as u32 })
        };
        if is_owned(object) { (0..SLOTS as u16).filter_map(of).collect() } else { Vec::new() }
    }
}
