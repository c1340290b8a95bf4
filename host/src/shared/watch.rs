//! Watching waits from outside: whether a slot waits, and for what.

use super::Shared;
use super::directory::name;
use super::object::{Kind, Object, ObjectId};
use super::slots::{Owner, Slot};
use std::sync::atomic::Ordering;

impl Shared {
    /// Changes whenever this slot stands in a line to wait. For its own process.
    pub(crate) fn ticket(&self, owner: Owner) -> u64 {
        Slot::new(self.memory(), owner.slot).ticket().load(Ordering::Relaxed)
    }

    /// The object in a line of which this slot stands, or stood when its process died.
    pub(crate) fn waits_for(&self, owner: Owner) -> Option<(Kind, String)> {
        let wait = Slot::new(self.memory(), owner.slot).waits().filter(|wait| wait.stands())?;
        let object = Object::all(self.memory()).find(|object| object.index == wait.object)?;
        object.entry().map(|entry| (entry.kind, name(object, entry)))
    }

    /// What an object is called, or was until it was deleted.
    pub(crate) fn name(&self, id: ObjectId, kind: Kind) -> Option<String> {
        let object = Object::of(self.memory(), id, kind).ok()?;
        object.entry().map(|entry| name(object, entry))
    }
}
