//! `wpool:host/set`: members, once each.

use super::wit::set::{self, Page, Set, Update};
use super::{Object, Undone, ask, close, create, delete, limit, open};
use crate::imports::Host;
use crate::shared::{self, Bounds, Spec};
use wasmtime::component::Resource;

impl Object for Set {
    type Noun = shared::Set<'static>;
}

impl From<Update> for shared::Update {
    fn from(update: Update) -> shared::Update {
        match update {
            Update::Union => shared::Update::Union,
            Update::Intersection => shared::Update::Intersection,
            Update::Difference => shared::Update::Difference,
            Update::SymmetricDifference => shared::Update::SymmetricDifference,
        }
    }
}

impl set::Host for Host {}

impl set::HostSet for Host {
    fn create(&mut self, name: String, entries: u32, bytes: u64) -> Result<Resource<Set>, Undone> {
        create(self, "set.create", &name, &Spec::Set(Bounds { entries, bytes }))
    }

    fn open(&mut self, name: String) -> Result<Resource<Set>, Undone> {
        open(self, "set.open", &name)
    }

    fn len(&mut self, set: Resource<Set>) -> Result<u32, Undone> {
        Ok(ask(self, "set.len", &set, |set, me| set.len(me))? as u32)
    }

    fn version(&mut self, set: Resource<Set>) -> Result<u64, Undone> {
        ask(self, "set.version", &set, |set, me| set.version(me))
    }

    fn wait_changed(
        &mut self,
        set: Resource<Set>,
        since: u64,
        timeout: Option<u64>,
    ) -> Result<u64, Undone> {
        ask(self, "set.wait-changed", &set, |set, me| set.wait_changed(me, since, limit(timeout)))
    }

    fn clear(&mut self, set: Resource<Set>) -> Result<(), Undone> {
        ask(self, "set.clear", &set, |set, me| set.clear(me))
    }

    fn add(&mut self, set: Resource<Set>, member: Vec<u8>) -> Result<bool, Undone> {
        ask(self, "set.add", &set, |set, me| set.add(me, &member))
    }

    fn discard(&mut self, set: Resource<Set>, member: Vec<u8>) -> Result<bool, Undone> {
        ask(self, "set.discard", &set, |set, me| set.discard(me, &member))
    }

    fn contains(&mut self, set: Resource<Set>, member: Vec<u8>) -> Result<bool, Undone> {
        ask(self, "set.contains", &set, |set, me| set.contains(me, &member))
    }

    fn pop(&mut self, set: Resource<Set>) -> Result<Option<Vec<u8>>, Undone> {
        let mut bytes = Vec::new();
        let popped = ask(self, "set.pop", &set, |set, me| set.pop(me, &mut bytes))?;
        Ok(popped.then_some(bytes))
    }

    fn update(
        &mut self,
        set: Resource<Set>,
        how: Update,
        members: Vec<Vec<u8>>,
    ) -> Result<bool, Undone> {
        let members: Vec<&[u8]> = members.iter().map(|member| &member[..]).collect();
        ask(self, "set.update", &set, |set, me| set.update(me, how.into(), &members))
    }

    fn page(&mut self, set: Resource<Set>, cursor: u64, version: u64) -> Result<Page, Undone> {
        let mut page = shared::Page::default();
        ask(self, "set.page", &set, |set, me| {
            page = set.page(me, (cursor, version))?;
            Ok(())
        })?;
        Ok(Page { items: page.unpacked(), cursor: page.cursor, version: page.version })
    }

    fn delete(&mut self, set: Resource<Set>) -> Result<(), Undone> {
        delete(self, "set.delete", &set)
    }

    fn drop(&mut self, set: Resource<Set>) -> wasmtime::Result<()> {
        close(self, "set.drop", &set)
    }
}
