//! Watching waits from outside: whether a slot waits, and for what.

use super::Shared;
use super::directory::name;
use super::layout::record;
use super::object::{Kind, Object, ObjectId};
use super::slots::{Owner, Slot};
use std::sync::atomic::Ordering;

/// Where a slot stands to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What kind of object it waits for.
    pub kind: Kind,
    /// The object's name.
    pub name: String,
    /// In which of the object's lines it stands.
    pub line: u8,
    /// How many stand in the first line, and how many that may be if the object is a barrier.
    pub parties: (u32, u32),
}

impl Shared {
    /// Changes whenever this slot stands in a line to wait. For its own process.
    pub fn ticket(&self, owner: Owner) -> u64 {
        Slot::new(self.memory(), owner.slot).ticket().load(Ordering::Relaxed)
    }

    /// The object in a line of which this slot stands, or stood when its process died.
    pub fn waits_for(&self, owner: Owner) -> Option<Standing> {
        let wait = Slot::new(self.memory(), owner.slot).waits().filter(|wait| wait.stands())?;
        let object = Object::all(self.memory()).find(|object| object.index == wait.object)?;
        let entry = object.entry()?;
        let here = u32::from(object.get(record::WAITING) as u16);
        let parties = (here, object.get(record::PARAMS) as u32);
        Some(Standing { kind: entry.kind, name: name(object, entry), line: wait.line, parties })
    }

    /// What an object is called, or was until it was deleted.
    pub fn name(&self, id: ObjectId, kind: Kind) -> Option<String> {
        let object = Object::of(self.memory(), id, kind).ok()?;
        object.entry().map(|entry| name(object, entry))
    }
}
