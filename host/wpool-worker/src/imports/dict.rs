//! `wpool.dict_*`: values by key.

use super::answers::misuse;
use super::collection::{common, copied, fetch, one, row, version};
use super::objects::{Noun, Open};
use super::{Host, MODULE, bytes, room};
use crate::shared::{Dict, Error, Kind, ObjectId, Part, Shared};
use wasmtime::{Caller, Linker};

/// In what `dict_get_or_insert` answers: there was no such key.
const INSERTED: i64 = 1 << 32;

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    common!(linker, Dict, "dict");
    linker.func_wrap(MODULE, "dict_get", get)?;
    linker.func_wrap(MODULE, "dict_set", set)?;
    linker.func_wrap(MODULE, "dict_set_many", set_many)?;
    linker.func_wrap(MODULE, "dict_get_or_insert", get_or_insert)?;
    linker.func_wrap(MODULE, "dict_swap_if", swap_if)?;
    linker.func_wrap(MODULE, "dict_remove_if", remove_if)?;
    linker.func_wrap(MODULE, "dict_pop", pop)?;
    linker.func_wrap(MODULE, "dict_remove", remove)?;
    linker.func_wrap(MODULE, "dict_contains", contains)?;
    linker.func_wrap(MODULE, "dict_pop_item", pop_item)?;
    linker.func_wrap(MODULE, "dict_page", page)?;
    linker.func_wrap(MODULE, "dict_add", add)?;
    Ok(())
}

impl Noun for Dict<'_> {
    const KIND: Kind = Kind::Dict;
    const OPEN: &'static str = "dict_open";
    type Of<'a> = Dict<'a>;

    #[inline]
    fn find(shared: &Shared, id: ObjectId) -> Result<Dict<'_>, Error> {
        Dict::of(shared, id)
    }

    #[inline]
    fn find_open(shared: &Shared, open: Open) -> Result<Dict<'_>, Error> {
        match open.inner {
            None => Dict::of(shared, open.id),
            Some(inner) => Dict::inside(shared, inner),
        }
    }
}

fn get(
    mut caller: Caller<'_, Host>,
    handle: i32,
    key: u32,
    key_len: u32,
    dst: u32,
    capacity: u32,
) -> wasmtime::Result<i64> {
    let key = copied(&mut caller, "dict_get", (key, key_len))?;
    fetch::<Dict<'_>>(&mut caller, "dict_get", handle, (dst, capacity), |dict, me, mut to| {
        let version = dict.get(me, &key, &mut to)?;
        Ok(version.map(|version| one(to, version)))
    })
}

fn set(
    mut caller: Caller<'_, Host>,
    handle: i32,
    key: u32,
    key_len: u32,
    src: u32,
    len: u32,
) -> wasmtime::Result<i32> {
    let key = copied(&mut caller, "dict_set", (key, key_len))?;
    let (value, host) = bytes(&mut caller, "dict_set", src, len.into())?;
    Dict::on(host, "dict_set", handle, |dict, me| dict.set(me, &key, &value))
}

fn set_many(
    mut caller: Caller<'_, Host>,
    handle: i32,
    src: u32,
    len: u32,
) -> wasmtime::Result<i32> {
    let packed = copied(&mut caller, "dict_set_many", (src, len))?;
    let items = row("dict_set_many", &packed)?;
    if !items.len().is_multiple_of(2) {
        return Err(misuse("dict_set_many", "there is a key without a value"));
    }
    Dict::on(caller.data_mut(), "dict_set_many", handle, |dict, me| dict.set_many(me, &items))
}

#[expect(
    clippy::too_many_arguments,
    reason = "core modules pass numbers: a key, a value and room for the answer"
)]
fn get_or_insert(
    mut caller: Caller<'_, Host>,
    handle: i32,
    key: u32,
    key_len: u32,
    src: u32,
    len: u32,
    dst: u32,
    capacity: u32,
) -> wasmtime::Result<i64> {
    let call = "dict_get_or_insert";
    let key = copied(&mut caller, call, (key, key_len))?;
    let value = copied(&mut caller, call, (src, len))?;
    let mut inserted = false;
    let length =
        fetch::<Dict<'_>>(&mut caller, call, handle, (dst, capacity), |dict, me, mut to| {
            inserted = dict.get_or_insert(me, &key, &value, &mut to)?;
            Ok(Some(one(to, 0)))
        })?;
    Ok(if inserted { length | INSERTED } else { length })
}

fn swap_if(
    mut caller: Caller<'_, Host>,
    handle: i32,
    key: u32,
    key_len: u32,
    at: i64,
    src: u32,
    len: u32,
) -> wasmtime::Result<i32> {
    let key = copied(&mut caller, "dict_swap_if", (key, key_len))?;
    let (value, host) = bytes(&mut caller, "dict_swap_if", src, len.into())?;
    Dict::on(host, "dict_swap_if", handle, |dict, me| {
        dict.swap_if(me, &key, version(at), Some(&value))
    })
}

fn remove_if(
    mut caller: Caller<'_, Host>,
    handle: i32,
    key: u32,
    key_len: u32,
    at: i64,
) -> wasmtime::Result<i32> {
    let (key, host) = bytes(&mut caller, "dict_remove_if", key, key_len.into())?;
    Dict::on(host, "dict_remove_if", handle, |dict, me| dict.swap_if(me, &key, version(at), None))
}

fn pop(
    mut caller: Caller<'_, Host>,
    handle: i32,
    key: u32,
    key_len: u32,
    dst: u32,
    capacity: u32,
) -> wasmtime::Result<i64> {
    let key = copied(&mut caller, "dict_pop", (key, key_len))?;
    fetch::<Dict<'_>>(&mut caller, "dict_pop", handle, (dst, capacity), |dict, me, mut to| {
        Ok(dict.pop(me, &key, &mut to)?.then(|| one(to, 0)))
    })
}

fn remove(
    mut caller: Caller<'_, Host>,
    handle: i32,
    key: u32,
    key_len: u32,
) -> wasmtime::Result<i32> {
    let (key, host) = bytes(&mut caller, "dict_remove", key, key_len.into())?;
    Dict::on(host, "dict_remove", handle, |dict, me| dict.remove(me, &key))
}

fn contains(
    mut caller: Caller<'_, Host>,
    handle: i32,
    key: u32,
    key_len: u32,
) -> wasmtime::Result<i32> {
    let (key, host) = bytes(&mut caller, "dict_contains", key, key_len.into())?;
    Dict::on(host, "dict_contains", handle, |dict, me| dict.contains(me, &key))
}

fn pop_item(
    mut caller: Caller<'_, Host>,
    handle: i32,
    dst: u32,
    capacity: u32,
) -> wasmtime::Result<i64> {
    fetch::<Dict<'_>>(&mut caller, "dict_pop_item", handle, (dst, capacity), |dict, me, mut to| {
        Ok(dict.pop_item(me, true, &mut to)?.then(|| one(to, 0)))
    })
}

fn page(
    mut caller: Caller<'_, Host>,
    handle: i32,
    part: i32,
    cursor: u64,
    at: u64,
    dst: u32,
    capacity: u32,
) -> wasmtime::Result<i64> {
    let part = match part {
        0 => Part::Keys,
        1 => Part::Values,
        2 => Part::Items,
        _ => return Err(misuse("dict_page", format!("{part} is not a part of entries"))),
    };
    fetch::<Dict<'_>>(&mut caller, "dict_page", handle, (dst, capacity), |dict, me, _| {
        dict.page(me, part, (cursor, at)).map(Some)
    })
}

fn add(
    mut caller: Caller<'_, Host>,
    handle: i32,
    key: u32,
    key_len: u32,
    number: i64,
    dst: u32,
) -> wasmtime::Result<i32> {
    let key = copied(&mut caller, "dict_add", (key, key_len))?;
    let (mut dst, host) = room(&mut caller, "dict_add", dst, size_of::<i64>() as u64)?;
    Dict::on(host, "dict_add", handle, |dict, me| {
        let sum = dict.add(me, &key, number)?;
        dst.put(&sum.to_le_bytes());
        Ok(())
    })
}
