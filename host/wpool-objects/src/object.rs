//! The parts that all objects have in common: a record with a latch, a status and a place in the
//! directory.
//!
//! **Invariant:** an object's words are changed under its latch only (except values and arrays,
//! whose words are single), and each operation commits with one Release store to a primary word.
//! The other words are derived, and rebuilt by the sweep that breaks the latch.

use super::error::Error;
use super::latch::Latch;
use super::layout::{
    BLOCK_BASE, BLOCK_BYTES, OBJECT_BASE, OBJECT_BYTES, OBJECTS, PIECE_BYTES, header, record,
};
use super::memory::Memory;
use super::slots::{Caller, Owner, Slot};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Declares the kinds of objects.
macro_rules! kinds {
    ($($(#[$about:meta])* $Kind:ident = $number:literal: $name:literal,)+) => {
        /// The kind of an object.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[$about])* $Kind = $number,)+
        }

        impl Kind {
            /// Returns the kind's name, such as `lock`.
            fn name(self) -> &'static str {
                match self {
                    $(Kind::$Kind => $name,)+
                }
            }

            /// Returns the kind with this number.
            #[inline]
            pub(super) fn unpack(number: u8) -> Option<Kind> {
                match number {
                    $($number => Some(Kind::$Kind),)+
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    // codegen: kinds
    /// Locks, recursive or not, between the processes of a pool.
    Lock = 1: "lock",
    /// Semaphores: counts of permits between the processes of a pool.
    Semaphore = 2: "semaphore",
    /// Conditions: waiting for a notification, with a lock given back meanwhile.
    Condition = 3: "condition",
    /// Events: flags that many processes can wait for.
    Event = 4: "event",
    /// Barriers: parties that wait for one another and go on together.
    Barrier = 5: "barrier",
    /// Queues of messages, bounded in messages and in bytes, for any number of producers and
    /// consumers.
    Queue = 6: "queue",
    /// Values: one number each, changed by one instruction, and so always whole, whoever dies.
    Value = 7: "value",
    /// Arrays of numbers.
    Array = 8: "array",
    /// Regions: shared memory.
    Region = 9: "region",
    /// Lists of elements by index, like Python's.
    List = 10: "list",
    /// Dicts of values by key, in the order of insertion, like Python's.
    Dict = 11: "dict",
    /// Sets of members, like Python's.
    Set = 12: "set",
    // codegen: end
}

impl fmt::Display for Kind {
    /// Writes the kind's name; with `#`, an article before it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        if f.alternate() {
            f.write_str(if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an " } else { "a " })?;
        }
        f.write_str(name)
    }
}

/// An object, as one life of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectId {
    /// The index of the record.
    pub index: u16,
    /// The number of the record's life.
    pub generation: u32,
}

/// The stage of an object's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The object has a name and can be opened.
    Named = 1,
    /// The object was deleted; slots that have it open go on using it.
    Unnamed = 2,
}

/// The entry word of an object: PRIMARY, 0 if the record is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) stage: Stage,
    pub(super) kind: Kind,
    pub(super) name_bytes: u8,
    pub(super) generation: u32,
}

impl Entry {
    pub(super) fn pack(self) -> u64 {
        u64::from(self.generation) << 32
            | u64::from(self.name_bytes) << 16
            | (self.kind as u64) << 8
            | self.stage as u64
    }

    #[inline]
    pub(super) fn unpack(word: u64) -> Option<Entry> {
        let stage = match word as u8 {
            1 => Stage::Named,
            2 => Stage::Unnamed,
            _ => return None,
        };
        let kind = Kind::unpack((word >> 8) as u8)?;
        Some(Entry { stage, kind, name_bytes: (word >> 16) as u8, generation: (word >> 32) as u32 })
    }
}

/// The words of an object.
#[derive(Clone, Copy)]
pub(super) struct Object<'a> {
    pub(super) memory: &'a Memory,
    pub(super) index: u16,
}

impl<'a> Object<'a> {
    /// Returns the words of a record. `index` is below `OBJECTS`: it was checked when it was read.
    #[inline]
    pub(super) fn new(memory: &'a Memory, index: u16) -> Object<'a> {
        assert!(usize::from(index) < OBJECTS, "a record's index is checked where it is read");
        Object { memory, index }
    }

    /// Returns all records that were ever used.
    pub(super) fn all(memory: &'a Memory) -> impl Iterator<Item = Object<'a>> {
        let used = memory.word(header::RECORDS).load(Ordering::Acquire).min(OBJECTS as u64);
        (0..used as u16).map(move |index| Object::new(memory, index))
    }

    /// Returns the next record that was never used.
    pub(super) fn fresh(memory: &'a Memory) -> Option<Object<'a>> {
        let used = memory.word(header::RECORDS).load(Ordering::Acquire);
        if used >= OBJECTS as u64 {
            return None;
        }
        memory.word(header::RECORDS).store(used + 1, Ordering::Release);
        Some(Object::new(memory, used as u16))
    }

    /// Returns the object with this id, if it is alive and of this kind.
    #[inline]
    pub(super) fn of(memory: &'a Memory, id: ObjectId, kind: Kind) -> Result<Object<'a>, Error> {
        if usize::from(id.index) >= OBJECTS {
            return Err(Error::NotFound);
        }
        let object = Object::new(memory, id.index);
        match object.entry() {
            Some(entry) if entry.generation != id.generation => Err(Error::NotFound),
            Some(entry) if entry.kind != kind => Err(Error::WrongKind { kind: entry.kind }),
            Some(_) => Ok(object),
            None => Err(Error::NotFound),
        }
    }

    #[inline]
    pub(super) fn at(self, field: usize) -> usize {
        OBJECT_BASE + usize::from(self.index) * OBJECT_BYTES + field
    }

    #[inline]
    pub(super) fn word(self, field: usize) -> &'a AtomicU64 {
        self.memory.word(self.at(field))
    }

    /// Reads a word. Acquire: pairs with the Release in `put`.
    #[inline]
    pub(super) fn get(self, field: usize) -> u64 {
        self.word(field).load(Ordering::Acquire)
    }

    /// Writes a word. Release: a commit is seen after all that leads to it.
    #[inline]
    pub(super) fn put(self, field: usize, value: u64) {
        self.word(field).store(value, Ordering::Release);
    }

    #[inline]
    pub(super) fn entry(self) -> Option<Entry> {
        Entry::unpack(self.get(record::ENTRY))
    }

    /// Returns the extents of the object that have units: the first unit of each, and the number of units.
    pub(super) fn extents(self) -> impl Iterator<Item = (u64, u64)> + use<'a> {
        let grown = (record::GROWN..record::END).step_by(8);
        std::iter::once(record::EXTENT)
            .chain(grown)
            .map(move |field| self.get(field))
            .filter(|extent| *extent as u32 > 0)
            .map(|extent| (extent >> 32, u64::from(extent as u32)))
    }

    /// Returns the offset and the bytes of the object's storage, or `None` if it is not inside the
    /// memory.
    #[inline]
    pub(super) fn storage(self) -> Option<(usize, usize)> {
        let extent = self.get(record::EXTENT);
        let (first, count) = ((extent >> 32) as usize, extent as u32 as usize);
        let (at, bytes) = (BLOCK_BASE + first * BLOCK_BYTES, count * BLOCK_BYTES);
        (at + bytes <= self.memory.bytes()).then_some((at, bytes))
    }

    /// Returns the offset and the bytes of a region in the memory of regions, or `None` if it is
    /// not inside.
    pub(super) fn pieces(self, regions: &Memory) -> Option<(usize, usize)> {
        let extent = self.get(record::EXTENT);
        let (first, count) = ((extent >> 32) as usize, extent as u32 as usize);
        let (at, bytes) = (first * PIECE_BYTES, count * PIECE_BYTES);
        (at + bytes <= regions.bytes()).then_some((at, bytes))
    }

    #[inline]
    pub(super) fn latch(self) -> Latch<'a> {
        Latch::new(self.memory, self.at(record::LATCH))
    }

    pub(super) fn broken(self) -> Option<Error> {
        match self.get(record::STATUS) {
            0 => None,
            status => Some(Error::Broken { culprit: Owner::unpack(status >> 1) }),
        }
    }

    /// Takes the latch. Returns `Broken` if the object is broken.
    #[inline]
    pub(super) fn hold(self, caller: &Caller<'_>) -> Result<Held<'a>, Error> {
        let latch = self.latch();
        latch.take(caller.owner).map_err(|stuck| Error::Broken { culprit: stuck.holder })?;
        let held = Held::new(self, caller.owner, false);
        match self.broken() {
            None => Ok(held),
            Some(broken) => Err(broken),
        }
    }

    /// Returns the object as if its latch were held, for looking only, while nobody is inside. The
    /// result must be forgotten, not dropped.
    pub(super) fn held_by_nobody(self) -> Held<'a> {
        Held::new(self, Owner { slot: 0, epoch: 0 }, false)
    }

    /// Returns the object with its latch, which a sweep has taken.
    pub(super) fn held_by_sweep(self, me: Owner) -> Held<'a> {
        Held::new(self, me, true)
    }
}

/// An object whose latch is held. Dropping it leaves the latch and wakes the slots whose state has
/// changed.
pub(super) struct Held<'a> {
    pub(super) object: Object<'a>,
    pub(super) me: Owner,
    sweep: bool,
    first: Option<u16>,
    others: Vec<u16>,
}

impl<'a> Held<'a> {
    #[inline]
    fn new(object: Object<'a>, me: Owner, sweep: bool) -> Held<'a> {
        Held { object, me, sweep, first: None, others: Vec::new() }
    }

    /// Wakes a slot after the latch is left.
    #[inline]
    pub(super) fn wake_later(&mut self, slot: u16) {
        if self.first.is_none() {
            self.first = Some(slot);
        } else {
            self.others.push(slot);
        }
    }

    /// Marks the object as broken, because its words make no sense. Its users are told.
    #[cold]
    pub(super) fn mark_broken(&mut self, culprit: Option<Owner>) -> Error {
        self.object.put(record::STATUS, culprit.map_or(0, Owner::pack) << 1 | 1);
        self.wake_all_waiting();
        Error::Broken { culprit }
    }

    /// Returns what a check found. If the check failed, the object is marked as broken.
    #[inline]
    pub(super) fn checked<T>(&mut self, found: Option<T>) -> Result<T, Error> {
        match found {
            Some(found) => Ok(found),
            None => Err(self.mark_broken(None)),
        }
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.sweep {
            self.object.latch().leave_and_wake_all();
        } else {
            self.object.latch().leave();
        }
        if let Some(slot) = self.first {
            Slot::new(self.object.memory, slot).park().bump();
            for slot in &self.others {
                Slot::new(self.object.memory, *slot).park().bump();
            }
        }
    }
}
