//! Watching waits from outside: which slots wait, and for what.

use super::Shared;
use super::directory::name;
use super::layout::record;
use super::object::{Kind, Object, ObjectId};
use super::slots::{Owner, Slot};
use std::sync::atomic::Ordering;

/// A place of a slot in a line of waiting slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The kind of the object that the slot waits for.
    pub kind: Kind,
    /// The object's name.
    pub name: String,
    /// The line of the object in which the slot stands.
    pub line: u8,
    /// The number of slots in the first line, and the number of parties if the object is a barrier.
    pub parties: (u32, u32),
}

impl Shared {
    /// Returns a number that changes whenever this slot joins a line. Only the slot's own process
    /// may rely on it.
    pub fn ticket(&self, owner: Owner) -> u64 {
        Slot::new(self.memory(), owner.slot).ticket().load(Ordering::Relaxed)
    }

    /// Returns the place where this slot waits, or waited when its process died.
    pub fn waits_for(&self, owner: Owner) -> Option<Standing> {
        let wait = Slot::new(self.memory(), owner.slot).waits().filter(|wait| wait.is_queued())?;
        let object = Object::all(self.memory()).find(|object| object.index == wait.object)?;
        let entry = object.entry()?;
        let here = u32::from(object.get(record::WAITING) as u16);
        let parties = (here, object.get(record::PARAMS) as u32);
        Some(Standing { kind: entry.kind, name: name(object, entry), line: wait.line, parties })
    }

    /// Returns an object's name, also after the object was deleted.
    pub fn name(&self, id: ObjectId, kind: Kind) -> Option<String> {
        let object = Object::of(self.memory(), id, kind).ok()?;
        object.entry().map(|entry| name(object, entry))
    }
}
