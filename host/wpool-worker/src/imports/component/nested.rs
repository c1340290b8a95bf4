//! `wpool:host/nested`: lists, dicts and sets inside lists and dicts.

use super::wit::dict::Dict;
use super::wit::list::List;
use super::wit::nested::{self, Collection, Kind};
use super::{Object, Undone, handle};
use crate::imports::Host;
use crate::imports::nested::open;
use crate::imports::objects::Noun;
use crate::shared::{self, Error, Inner};
use wasmtime::component::Resource;

impl From<Kind> for shared::Kind {
    fn from(kind: Kind) -> shared::Kind {
        match kind {
            Kind::List => shared::Kind::List,
            Kind::Dict => shared::Kind::Dict,
            Kind::Set => shared::Kind::Set,
        }
    }
}

/// Finds or makes an object inside another, and opens it.
fn collection<R: Object>(
    host: &mut Host,
    call: &'static str,
    outer: &Resource<R>,
    find: impl FnOnce(<R::Noun as Noun>::Of<'_>, &shared::Caller<'_>) -> Result<Inner, Error>,
) -> Result<Collection, Undone> {
    let (opened, kind) = open::<R::Noun>(host, call, handle(outer), find)??;
    // A handle is small.
    let opened = opened as u32;
    Ok(match kind {
        shared::Kind::List => Collection::List(Resource::new_own(opened)),
        shared::Kind::Dict => Collection::Dict(Resource::new_own(opened)),
        _ => Collection::Set(Resource::new_own(opened)),
    })
}

impl nested::Host for Host {
    fn open_in_list(&mut self, outer: Resource<List>, index: i64) -> Result<Collection, Undone> {
        collection(self, "nested.open-in-list", &outer, |list, me| list.inner(me, index))
    }

    fn open_in_dict(&mut self, outer: Resource<Dict>, key: Vec<u8>) -> Result<Collection, Undone> {
        collection(self, "nested.open-in-dict", &outer, |dict, me| dict.inner(me, &key))
    }

    fn create_in_list(
        &mut self,
        outer: Resource<List>,
        index: i64,
        kind: Kind,
        replace: bool,
    ) -> Result<Collection, Undone> {
        collection(self, "nested.create-in-list", &outer, |list, me| {
            list.nest(me, index, kind.into(), replace)
        })
    }

    fn create_in_dict(
        &mut self,
        outer: Resource<Dict>,
        key: Vec<u8>,
        kind: Kind,
        keep: bool,
    ) -> Result<Collection, Undone> {
        collection(self, "nested.create-in-dict", &outer, |dict, me| {
            dict.nest(me, &key, kind.into(), keep)
        })
    }
}
