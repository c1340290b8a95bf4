//! `wpool:host/list`: elements by place.

use super::wit::list::{self, Element, List, Page};
use super::{Object, Undone, ask, close, create, delete, limit, open};
use crate::imports::Host;
use crate::shared::{self, Bounds, Error, Spec};
use wasmtime::component::Resource;

impl Object for List {
    type Noun = shared::List<'static>;
}

impl list::Host for Host {}

impl list::HostList for Host {
    fn create(&mut self, name: String, entries: u32, bytes: u64) -> Result<Resource<List>, Undone> {
        create(self, "list.create", &name, &Spec::List(Bounds { entries, bytes }))
    }

    fn open(&mut self, name: String) -> Result<Resource<List>, Undone> {
        open(self, "list.open", &name)
    }

    fn len(&mut self, list: Resource<List>) -> Result<u32, Undone> {
        Ok(ask(self, "list.len", &list, |list, me| list.len(me))? as u32)
    }

    fn version(&mut self, list: Resource<List>) -> Result<u64, Undone> {
        ask(self, "list.version", &list, |list, me| list.version(me))
    }

    fn wait_changed(
        &mut self,
        list: Resource<List>,
        since: u64,
        timeout: Option<u64>,
    ) -> Result<u64, Undone> {
        ask(self, "list.wait-changed", &list, |list, me| {
            list.wait_changed(me, since, limit(timeout))
        })
    }

    fn clear(&mut self, list: Resource<List>) -> Result<(), Undone> {
        ask(self, "list.clear", &list, |list, me| list.clear(me))
    }

    fn get(&mut self, list: Resource<List>, index: i64) -> Result<Element, Undone> {
        let mut bytes = Vec::new();
        let version = ask(self, "list.get", &list, |list, me| list.get(me, index, &mut bytes))?;
        Ok(Element { bytes, version })
    }

    fn set(
        &mut self,
        list: Resource<List>,
        index: i64,
        item: Vec<u8>,
        version: Option<u64>,
    ) -> Result<bool, Undone> {
        ask(self, "list.set", &list, |list, me| list.set(me, index, &item, version))
    }

    fn append(&mut self, list: Resource<List>, item: Vec<u8>) -> Result<(), Undone> {
        ask(self, "list.append", &list, |list, me| list.append(me, &item))
    }

    fn insert(&mut self, list: Resource<List>, index: i64, item: Vec<u8>) -> Result<(), Undone> {
        ask(self, "list.insert", &list, |list, me| list.insert(me, index, &item))
    }

    fn splice(
        &mut self,
        list: Resource<List>,
        start: i64,
        end: i64,
        items: Vec<Vec<u8>>,
        version: Option<u64>,
    ) -> Result<bool, Undone> {
        let items: Vec<&[u8]> = items.iter().map(|item| &item[..]).collect();
        ask(self, "list.splice", &list, |list, me| list.splice(me, (start, end), &items, version))
    }

    fn pop(&mut self, list: Resource<List>, index: i64) -> Result<Vec<u8>, Undone> {
        let mut bytes = Vec::new();
        ask(self, "list.pop", &list, |list, me| list.pop(me, index, &mut bytes))?;
        Ok(bytes)
    }

    fn slice(&mut self, list: Resource<List>, start: i64, end: i64) -> Result<Page, Undone> {
        let mut page = shared::Page::default();
        ask(self, "list.slice", &list, |list, me| {
            page = list.slice(me, start, end)?;
            Ok(())
        })?;
        Ok(Page { items: page.unpacked(), cursor: page.cursor, version: page.version })
    }

    fn index_of(
        &mut self,
        list: Resource<List>,
        item: Vec<u8>,
        start: i64,
        end: i64,
    ) -> Result<u32, Undone> {
        let found = ask(self, "list.index-of", &list, |list, me| {
            list.index_of(me, &item, start, end)?.ok_or(Error::NotFound)
        })?;
        Ok(found as u32)
    }

    fn reverse(&mut self, list: Resource<List>) -> Result<(), Undone> {
        ask(self, "list.reverse", &list, |list, me| list.reverse(me))
    }

    fn delete(&mut self, list: Resource<List>) -> Result<(), Undone> {
        delete(self, "list.delete", &list)
    }

    fn drop(&mut self, list: Resource<List>) -> wasmtime::Result<()> {
        close(self, "list.drop", &list)
    }
}
