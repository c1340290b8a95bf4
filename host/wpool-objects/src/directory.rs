//! The directory: which objects there are, their names, and which slots have them open.
//!
//! ```text
//! entry      PRIMARY, see `super::object::Entry`: 0 if the record is free
//! handles    PRIMARY: the set of slots that have the object open
//! extent     the place of the storage; counts while the entry is not 0
//! ```
//!
//! All of this is changed under the directory's latch. Nothing is derived, so nothing has to be
//! rebuilt. The store to its entry creates an object, after all else. Free storage is found by
//! looking at the storage in use.
//!
//! **Invariant:** an object's name is freed when the object is deleted, its storage when no slot
//! has the object open any more and no condition needs it as its lock. Storages do not overlap.

use super::Shared;
use super::collection;
use super::condition;
use super::error::Error;
use super::latch::Latch;
use super::layout::{
    BLOCK_BASE, BLOCK_BYTES, HOST_SLOTS, NAME_BYTES, OBJECTS, OBJECTS_PER_CREATOR, PIECE_BYTES,
    SLOTS, header, record,
};
use super::object::{Entry, Kind, Object, ObjectId, Stage};
use super::slots::{Caller, Owner};
use super::spec::Spec;

const SET: usize = SLOTS / 64;

/// The directory, with its latch held.
pub(super) struct Directory<'a> {
    shared: &'a Shared,
    sweep: bool,
}

impl Drop for Directory<'_> {
    fn drop(&mut self) {
        if self.sweep {
            latch(self.shared).leave_and_wake_all();
        } else {
            latch(self.shared).leave();
        }
    }
}

pub(super) fn latch(shared: &Shared) -> Latch<'_> {
    Latch::new(shared.memory(), header::DIRECTORY_LATCH)
}

impl Shared {
    fn directory(&self, caller: &Caller<'_>) -> Result<Directory<'_>, Error> {
        let taken = latch(self).take(caller.owner);
        taken.map_err(|stuck| Error::Broken { culprit: stuck.holder })?;
        Ok(Directory { shared: self, sweep: false })
    }

    /// Makes an object, and opens it. `creator` is the job that asks, whose quota is charged; 0 has
    /// no quota.
    ///
    /// # Errors
    /// Returns `Exists`; `NoSpace`; `OutOfRange` for a bad name or size; `NotFound` if a
    /// condition's lock does not exist; `Broken`.
    pub fn create(
        &self,
        caller: &Caller<'_>,
        name: &str,
        spec: &Spec,
        creator: u64,
    ) -> Result<ObjectId, Error> {
        let plan = spec.plan(self)?;
        if name.is_empty() || name.len() > NAME_BYTES || name.contains('\0') {
            return Err(Error::OutOfRange);
        }
        let directory = self.directory(caller)?;
        if let Some((_, entry)) = directory.find(name) {
            return Err(Error::Exists { kind: entry.kind });
        }
        let mut free = None;
        let mut created = 0;
        for object in Object::all(self.memory()) {
            match object.entry() {
                None => free = free.or(Some(object)),
                Some(_) if object.get(record::CREATOR) == creator => created += 1,
                Some(_) => {}
            }
        }
        if creator != 0 && created >= OBJECTS_PER_CREATOR {
            return Err(Error::NoSpace);
        }
        let extent = directory.allocate(plan.kind, plan.bytes).ok_or(Error::NoSpace)?;
        let object = free.or_else(|| Object::fresh(self.memory())).ok_or(Error::NoSpace)?;
        let generation = (object.get(record::ENTRY) >> 32) as u32;
        let generation = generation.wrapping_add(1);
        directory.clear(object, plan.kind, extent);
        object.put(record::EXTENT, extent);
        object.put(record::CREATOR, creator);
        for (field, value) in plan.words {
            object.put(field, value);
        }
        self.memory().write(object.at(record::NAME), name.as_bytes());
        set_handle(object, caller.owner.slot, true);
        let name_bytes = name.len() as u8;
        let entry = Entry { stage: Stage::Named, kind: plan.kind, name_bytes, generation };
        // The commit.
        object.put(record::ENTRY, entry.pack());
        Ok(ObjectId { index: object.index, generation })
    }

    /// Opens the object with this name.
    ///
    /// # Errors
    /// Returns `NotFound` or `Broken`.
    pub fn open(&self, caller: &Caller<'_>, name: &str) -> Result<(ObjectId, Kind), Error> {
        let directory = self.directory(caller)?;
        let (object, entry) = directory.find(name).ok_or(Error::NotFound)?;
        // The commit.
        set_handle(object, caller.owner.slot, true);
        Ok((ObjectId { index: object.index, generation: entry.generation }, entry.kind))
    }

    /// Closes an object for the caller's slot, however often the slot opened it.
    ///
    /// # Errors
    /// Returns `NotFound` or `Broken`.
    pub fn close(&self, caller: &Caller<'_>, id: ObjectId) -> Result<(), Error> {
        let directory = self.directory(caller)?;
        let (object, _) = directory.of(id)?;
        // The commit.
        set_handle(object, caller.owner.slot, false);
        directory.collect(caller.owner);
        Ok(())
    }

    /// Deletes an object: its name is free at once. Guests cannot delete the objects of the host.
    ///
    /// # Errors
    /// Returns `NotFound`, also if the object was deleted before; `NotOwner`; `Broken`.
    pub fn delete(&self, caller: &Caller<'_>, id: ObjectId) -> Result<(), Error> {
        let directory = self.directory(caller)?;
        let (object, entry) = directory.of(id)?;
        if entry.stage == Stage::Unnamed {
            return Err(Error::NotFound);
        }
        if !is_host(caller.owner) && object.get(record::CREATOR) == 0 {
            return Err(Error::NotOwner);
        }
        // The commit.
        object.put(record::ENTRY, Entry { stage: Stage::Unnamed, ..entry }.pack());
        directory.collect(caller.owner);
        Ok(())
    }

    /// Reserves one of the extents that a collection gets when it needs them, unless it has it already.
    ///
    /// # Errors
    /// `NoSpace`, `NotFound`, `Broken`.
    pub(super) fn grow(
        &self,
        caller: &Caller<'_>,
        id: ObjectId,
        which: usize,
    ) -> Result<(), Error> {
        let directory = self.directory(caller)?;
        let (object, entry) = directory.of(id)?;
        let field = record::GROWN + which * 8;
        if field >= record::END || object.get(field) != 0 {
            return Ok(());
        }
        let extent = directory.allocate(entry.kind, collection::grown_bytes(which));
        // The commit.
        object.put(field, extent.ok_or(Error::NoSpace)?);
        Ok(())
    }

    /// Returns the names and kinds of all objects that have names.
    ///
    /// # Errors
    /// Returns `Broken`.
    pub fn list(&self, caller: &Caller<'_>) -> Result<Vec<(String, Kind)>, Error> {
        let directory = self.directory(caller)?;
        Ok(directory.named().map(|(object, entry)| (name(object, entry), entry.kind)).collect())
    }

    /// Returns the directory for a sweep that has taken its latch.
    pub(super) fn directory_held_by_sweep(&self) -> Directory<'_> {
        Directory { shared: self, sweep: true }
    }
}

/// Returns whether the slot belongs to a thread of the host, not to a worker.
fn is_host(owner: Owner) -> bool {
    usize::from(owner.slot) >= SLOTS - HOST_SLOTS
}

/// Returns an object's name. Bytes that are not UTF-8 are replaced.
pub(super) fn name(object: Object<'_>, entry: Entry) -> String {
    let mut bytes = vec![0; usize::from(entry.name_bytes).min(NAME_BYTES)];
    object.memory.read(object.at(record::NAME), &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(super) fn has_handle(object: Object<'_>, slot: u16) -> bool {
    object.get(record::HANDLES + usize::from(slot) / 64 * 8) & 1 << (slot % 64) != 0
}

fn set_handle(object: Object<'_>, slot: u16, open: bool) {
    let at = record::HANDLES + usize::from(slot) / 64 * 8;
    let (set, bit) = (object.get(at), 1 << (slot % 64));
    object.put(at, if open { set | bit } else { set & !bit });
}

pub(super) fn has_handles(object: Object<'_>) -> bool {
    (0..SET).any(|at| object.get(record::HANDLES + at * 8) != 0)
}

/// Returns whether a condition uses the lock in this record.
fn is_needed(object: Object<'_>) -> bool {
    Object::all(object.memory).any(|other| {
        other.index != object.index
            && other.entry().is_some_and(|entry| entry.kind == Kind::Condition)
            && condition::lock_of(other).is_some_and(|lock| lock.index == object.index)
    })
}

/// Returns the bytes of one piece of storage for objects of this kind.
pub(super) fn unit(kind: Kind) -> usize {
    if kind == Kind::Region { PIECE_BYTES } else { BLOCK_BYTES }
}

impl<'a> Directory<'a> {
    fn named(&self) -> impl Iterator<Item = (Object<'a>, Entry)> + use<'a> {
        Object::all(self.shared.memory())
            .filter_map(|object| Some((object, object.entry()?)))
            .filter(|(_, entry)| entry.stage == Stage::Named)
    }

    fn find(&self, wanted: &str) -> Option<(Object<'a>, Entry)> {
        let is_wanted = |object: Object<'_>, entry: Entry| {
            let mut bytes = [0; NAME_BYTES];
            let bytes = &mut bytes[..wanted.len()];
            object.memory.read(object.at(record::NAME), bytes);
            usize::from(entry.name_bytes) == wanted.len() && bytes == wanted.as_bytes()
        };
        if wanted.len() > NAME_BYTES {
            return None;
        }
        self.named().find(|(object, entry)| is_wanted(*object, *entry))
    }

    fn of(&self, id: ObjectId) -> Result<(Object<'a>, Entry), Error> {
        if usize::from(id.index) >= OBJECTS {
            return Err(Error::NotFound);
        }
        let object = Object::new(self.shared.memory(), id.index);
        let entry = object.entry().filter(|entry| entry.generation == id.generation);
        entry.map(|entry| (object, entry)).ok_or(Error::NotFound)
    }

    /// Returns a free extent of this many bytes: the first gap that is large enough.
    fn allocate(&self, kind: Kind, bytes: usize) -> Option<u64> {
        let unit = unit(kind);
        let count = bytes.div_ceil(unit) as u64;
        if count == 0 {
            return Some(0);
        }
        let all = match kind {
            Kind::Region => self.shared.region_memory().bytes() / unit,
            _ => self.shared.memory().bytes().saturating_sub(BLOCK_BASE) / unit,
        } as u64;
        let mut taken: Vec<(u64, u64)> = Object::all(self.shared.memory())
            .filter(|object| {
                object
                    .entry()
                    .is_some_and(|entry| (entry.kind == Kind::Region) == (kind == Kind::Region))
            })
            .flat_map(Object::extents)
            .collect();
        taken.sort_unstable();
        let mut first = 0;
        for (start, length) in taken {
            if first + count <= start {
                break;
            }
            first = first.max(start + length);
        }
        (first + count <= all).then_some(first << 32 | count)
    }

    /// Zeroes the words and the storage of a free record.
    fn clear(&self, object: Object<'_>, kind: Kind, extent: u64) {
        for field in (record::STATUS..record::END).step_by(8).filter(|f| *f != record::ENTRY) {
            object.put(field, 0);
        }
        object.put(record::LATCH, 0);
        let (first, count) = ((extent >> 32) as usize, extent as u32 as usize);
        let unit = unit(kind);
        match kind {
            Kind::Region => self.shared.region_memory().discard(first * unit, count * unit),
            _ => self.shared.memory().discard(BLOCK_BASE + first * unit, count * unit),
        }
    }

    /// Frees the records of all deleted objects that no slot has open. Conditions are freed before
    /// their locks.
    pub(super) fn collect(&self, me: Owner) {
        for conditions in [true, false] {
            for object in Object::all(self.shared.memory()) {
                let entry = object.entry().filter(|entry| entry.stage == Stage::Unnamed);
                let Some(entry) = entry else { continue };
                let turn = (entry.kind == Kind::Condition) == conditions;
                if turn && !has_handles(object) && !is_needed(object) {
                    self.free(object, entry, me);
                }
            }
        }
    }

    fn free(&self, object: Object<'_>, entry: Entry, me: Owner) {
        // A sweep that holds the latch collects the object itself when it comes to the directory.
        if object.latch().take_slowly(me.pack() << 1, 0).is_err() {
            return;
        }
        if entry.kind == Kind::Region {
            if let Some((at, bytes)) = object.pieces(self.shared.region_memory()) {
                self.shared.region_memory().discard(at, bytes);
            }
        } else {
            let blocks = (self.shared.memory().bytes() - BLOCK_BASE) / BLOCK_BYTES;
            let inside = |(first, count): &(u64, u64)| first + count <= blocks as u64;
            for (first, count) in object.extents().filter(inside) {
                let (at, bytes) = (first as usize * BLOCK_BYTES, count as usize * BLOCK_BYTES);
                self.shared.memory().discard(BLOCK_BASE + at, bytes);
            }
        }
        // The store commits. The generation stays, for the record's next life.
        object.put(record::ENTRY, u64::from(entry.generation) << 32);
        object.latch().leave();
    }

    /// Closes all objects that a dead slot had open.
    pub(super) fn sweep(&self, dead: Owner, me: Owner) {
        for object in Object::all(self.shared.memory()) {
            if object.entry().is_some() && has_handle(object, dead.slot) {
                set_handle(object, dead.slot, false);
            }
        }
        self.collect(me);
    }
}
