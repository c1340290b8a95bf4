//! `wpool:host/dict`: values by key.

use super::wit::dict::{self, Dict, Page, Part, Value};
use super::{Object, Undone, ask, close, create, delete, limit, open};
use crate::imports::Host;
use crate::shared::{self, Bounds, Spec};
use wasmtime::component::Resource;

impl Object for Dict {
    type Noun = shared::Dict<'static>;
}

impl From<Part> for shared::Part {
    fn from(part: Part) -> shared::Part {
        match part {
            Part::Keys => shared::Part::Keys,
            Part::Values => shared::Part::Values,
            Part::Items => shared::Part::Items,
        }
    }
}

impl dict::Host for Host {}

impl dict::HostDict for Host {
    fn create(&mut self, name: String, entries: u32, bytes: u64) -> Result<Resource<Dict>, Undone> {
        create(self, "dict.create", &name, &Spec::Dict(Bounds { entries, bytes }))
    }

    fn open(&mut self, name: String) -> Result<Resource<Dict>, Undone> {
        open(self, "dict.open", &name)
    }

    fn len(&mut self, dict: Resource<Dict>) -> Result<u32, Undone> {
        Ok(ask(self, "dict.len", &dict, |dict, me| dict.len(me))? as u32)
    }

    fn version(&mut self, dict: Resource<Dict>) -> Result<u64, Undone> {
        ask(self, "dict.version", &dict, |dict, me| dict.version(me))
    }

    fn wait_changed(
        &mut self,
        dict: Resource<Dict>,
        since: u64,
        timeout: Option<u64>,
    ) -> Result<u64, Undone> {
        ask(self, "dict.wait-changed", &dict, |dict, me| {
            dict.wait_changed(me, since, limit(timeout))
        })
    }

    fn clear(&mut self, dict: Resource<Dict>) -> Result<(), Undone> {
        ask(self, "dict.clear", &dict, |dict, me| dict.clear(me))
    }

    fn get(&mut self, dict: Resource<Dict>, key: Vec<u8>) -> Result<Option<Value>, Undone> {
        let (mut bytes, mut version) = (Vec::new(), None);
        ask(self, "dict.get", &dict, |dict, me| {
            version = dict.get(me, &key, &mut bytes)?;
            Ok(())
        })?;
        Ok(version.map(|version| Value { bytes, version }))
    }

    fn set(&mut self, dict: Resource<Dict>, key: Vec<u8>, value: Vec<u8>) -> Result<(), Undone> {
        ask(self, "dict.set", &dict, |dict, me| dict.set(me, &key, &value))
    }

    fn set_many(
        &mut self,
        dict: Resource<Dict>,
        entries: Vec<(Vec<u8>, Vec<u8>)>,
    ) -> Result<(), Undone> {
        let items: Vec<&[u8]> =
            entries.iter().flat_map(|(key, value)| [&key[..], &value[..]]).collect();
        ask(self, "dict.set-many", &dict, |dict, me| dict.set_many(me, &items))
    }

    fn get_or_insert(
        &mut self,
        dict: Resource<Dict>,
        key: Vec<u8>,
        value: Vec<u8>,
    ) -> Result<(Vec<u8>, bool), Undone> {
        let mut bytes = Vec::new();
        let inserted = ask(self, "dict.get-or-insert", &dict, |dict, me| {
            dict.get_or_insert(me, &key, &value, &mut bytes)
        })?;
        Ok((bytes, inserted))
    }

    fn swap_if(
        &mut self,
        dict: Resource<Dict>,
        key: Vec<u8>,
        version: Option<u64>,
        value: Vec<u8>,
    ) -> Result<bool, Undone> {
        ask(self, "dict.swap-if", &dict, |dict, me| dict.swap_if(me, &key, version, Some(&value)))
    }

    fn remove_if(
        &mut self,
        dict: Resource<Dict>,
        key: Vec<u8>,
        version: Option<u64>,
    ) -> Result<bool, Undone> {
        ask(self, "dict.remove-if", &dict, |dict, me| dict.swap_if(me, &key, version, None))
    }

    fn pop(&mut self, dict: Resource<Dict>, key: Vec<u8>) -> Result<Option<Vec<u8>>, Undone> {
        let mut bytes = Vec::new();
        let popped = ask(self, "dict.pop", &dict, |dict, me| dict.pop(me, &key, &mut bytes))?;
        Ok(popped.then_some(bytes))
    }

    fn remove(&mut self, dict: Resource<Dict>, key: Vec<u8>) -> Result<bool, Undone> {
        ask(self, "dict.remove", &dict, |dict, me| dict.remove(me, &key))
    }

    fn contains(&mut self, dict: Resource<Dict>, key: Vec<u8>) -> Result<bool, Undone> {
        ask(self, "dict.contains", &dict, |dict, me| dict.contains(me, &key))
    }

    fn pop_item(&mut self, dict: Resource<Dict>) -> Result<Option<(Vec<u8>, Vec<u8>)>, Undone> {
        let mut page = shared::Page::default();
        ask(self, "dict.pop-item", &dict, |dict, me| dict.pop_item(me, true, &mut page.items))?;
        let mut items = page.unpacked().into_iter();
        Ok(items.next().zip(items.next()))
    }

    fn page(
        &mut self,
        dict: Resource<Dict>,
        part: Part,
        cursor: u64,
        version: u64,
    ) -> Result<Page, Undone> {
        let mut page = shared::Page::default();
        ask(self, "dict.page", &dict, |dict, me| {
            page = dict.page(me, part.into(), (cursor, version))?;
            Ok(())
        })?;
        Ok(Page { items: page.unpacked(), cursor: page.cursor, version: page.version })
    }

    fn add(&mut self, dict: Resource<Dict>, key: Vec<u8>, number: i64) -> Result<i64, Undone> {
        let mut sum = 0;
        ask(self, "dict.add", &dict, |dict, me| {
            sum = dict.add(me, &key, number)?;
            Ok(())
        })?;
        Ok(sum)
    }

    fn delete(&mut self, dict: Resource<Dict>) -> Result<(), Undone> {
        delete(self, "dict.delete", &dict)
    }

    fn drop(&mut self, dict: Resource<Dict>) -> wasmtime::Result<()> {
        close(self, "dict.drop", &dict)
    }
}
