//! `wpool.list_*`: elements by place.

use super::collection::{common, copied, fetch, one, row, version, wide};
use super::objects::{Noun, Open};
use super::{Host, MODULE, bytes};
use crate::shared::{Error, Kind, List, ObjectId, Shared};
use wasmtime::{Caller, Linker};

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    common!(linker, List, "list");
    linker.func_wrap(MODULE, "list_get", get)?;
    linker.func_wrap(MODULE, "list_set", set)?;
    linker.func_wrap(MODULE, "list_append", append)?;
    linker.func_wrap(MODULE, "list_insert", insert)?;
    linker.func_wrap(MODULE, "list_splice", splice)?;
    linker.func_wrap(MODULE, "list_pop", pop)?;
    linker.func_wrap(MODULE, "list_slice", slice)?;
    linker.func_wrap(MODULE, "list_index_of", index_of)?;
    linker.func_wrap(MODULE, "list_reverse", reverse)?;
    Ok(())
}

impl Noun for List<'_> {
    const KIND: Kind = Kind::List;
    const OPEN: &'static str = "list_open";
    type Of<'a> = List<'a>;

    #[inline]
    fn find(shared: &Shared, id: ObjectId) -> Result<List<'_>, Error> {
        List::of(shared, id)
    }

    #[inline]
    fn find_open(shared: &Shared, open: Open) -> Result<List<'_>, Error> {
        match open.inner {
            None => List::of(shared, open.id),
            Some(inner) => List::inside(shared, inner),
        }
    }
}

fn get(
    mut caller: Caller<'_, Host>,
    handle: i32,
    index: i64,
    dst: u32,
    capacity: u32,
) -> wasmtime::Result<i64> {
    fetch::<List<'_>>(&mut caller, "list_get", handle, (dst, capacity), |list, me, mut to| {
        let version = list.get(me, index, &mut to)?;
        Ok(Some(one(to, version)))
    })
}

fn set(
    mut caller: Caller<'_, Host>,
    handle: i32,
    index: i64,
    src: u32,
    len: u32,
    at: i64,
) -> wasmtime::Result<i32> {
    let (item, host) = bytes(&mut caller, "list_set", src, len.into())?;
    List::on(host, "list_set", handle, |list, me| list.set(me, index, &item, version(at)))
}

fn append(mut caller: Caller<'_, Host>, handle: i32, src: u32, len: u32) -> wasmtime::Result<i32> {
    let (item, host) = bytes(&mut caller, "list_append", src, len.into())?;
    List::on(host, "list_append", handle, |list, me| list.append(me, &item))
}

fn insert(
    mut caller: Caller<'_, Host>,
    handle: i32,
    index: i64,
    src: u32,
    len: u32,
) -> wasmtime::Result<i32> {
    let (item, host) = bytes(&mut caller, "list_insert", src, len.into())?;
    List::on(host, "list_insert", handle, |list, me| list.insert(me, index, &item))
}

fn splice(
    mut caller: Caller<'_, Host>,
    handle: i32,
    start: i64,
    end: i64,
    src: u32,
    len: u32,
    at: i64,
) -> wasmtime::Result<i32> {
    let packed = copied(&mut caller, "list_splice", (src, len))?;
    let items = row("list_splice", &packed)?;
    List::on(caller.data_mut(), "list_splice", handle, |list, me| {
        list.splice(me, (start, end), &items, version(at))
    })
}

fn pop(
    mut caller: Caller<'_, Host>,
    handle: i32,
    index: i64,
    dst: u32,
    capacity: u32,
) -> wasmtime::Result<i64> {
    fetch::<List<'_>>(&mut caller, "list_pop", handle, (dst, capacity), |list, me, mut to| {
        list.pop(me, index, &mut to)?;
        Ok(Some(one(to, 0)))
    })
}

fn slice(
    mut caller: Caller<'_, Host>,
    handle: i32,
    start: i64,
    end: i64,
    dst: u32,
    capacity: u32,
) -> wasmtime::Result<i64> {
    fetch::<List<'_>>(&mut caller, "list_slice", handle, (dst, capacity), |list, me, _| {
        list.slice(me, start, end).map(Some)
    })
}

fn index_of(
    mut caller: Caller<'_, Host>,
    handle: i32,
    src: u32,
    len: u32,
    start: i64,
    end: i64,
) -> wasmtime::Result<i64> {
    let (item, host) = bytes(&mut caller, "list_index_of", src, len.into())?;
    let found = List::ask(host, "list_index_of", handle, |list, me| {
        list.index_of(me, &item, start, end)?.ok_or(Error::NotFound)
    })?;
    Ok(wide(found))
}

fn reverse(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    List::on(caller.data_mut(), "list_reverse", handle, |list, me| list.reverse(me))
}
