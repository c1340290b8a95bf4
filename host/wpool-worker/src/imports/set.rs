//! `wpool.set_*`: members, once each.

use super::answers::misuse;
use super::collection::{common, copied, fetch, one, row};
use super::objects::{Noun, Open};
use super::{Host, MODULE, bytes};
use crate::shared::{Error, Kind, ObjectId, Set, Shared, Update};
use wasmtime::{Caller, Linker};

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    common!(linker, Set, "set");
    linker.func_wrap(MODULE, "set_add", add)?;
    linker.func_wrap(MODULE, "set_discard", discard)?;
    linker.func_wrap(MODULE, "set_contains", contains)?;
    linker.func_wrap(MODULE, "set_pop", pop)?;
    linker.func_wrap(MODULE, "set_update", update)?;
    linker.func_wrap(MODULE, "set_page", page)?;
    Ok(())
}

impl Noun for Set<'_> {
    const KIND: Kind = Kind::Set;
    const OPEN: &'static str = "set_open";
    type Of<'a> = Set<'a>;

    #[inline]
    fn find(shared: &Shared, id: ObjectId) -> Result<Set<'_>, Error> {
        Set::of(shared, id)
    }

    #[inline]
    fn find_open(shared: &Shared, open: Open) -> Result<Set<'_>, Error> {
        match open.inner {
            None => Set::of(shared, open.id),
            Some(inner) => Set::inside(shared, inner),
        }
    }
}

fn add(mut caller: Caller<'_, Host>, handle: i32, src: u32, len: u32) -> wasmtime::Result<i32> {
    let (member, host) = bytes(&mut caller, "set_add", src, len.into())?;
    Set::on(host, "set_add", handle, |set, me| set.add(me, &member))
}

fn discard(mut caller: Caller<'_, Host>, handle: i32, src: u32, len: u32) -> wasmtime::Result<i32> {
    let (member, host) = bytes(&mut caller, "set_discard", src, len.into())?;
    Set::on(host, "set_discard", handle, |set, me| set.discard(me, &member))
}

fn contains(
    mut caller: Caller<'_, Host>,
    handle: i32,
    src: u32,
    len: u32,
) -> wasmtime::Result<i32> {
    let (member, host) = bytes(&mut caller, "set_contains", src, len.into())?;
    Set::on(host, "set_contains", handle, |set, me| set.contains(me, &member))
}

fn pop(
    mut caller: Caller<'_, Host>,
    handle: i32,
    dst: u32,
    capacity: u32,
) -> wasmtime::Result<i64> {
    fetch::<Set<'_>>(&mut caller, "set_pop", handle, (dst, capacity), |set, me, mut to| {
        Ok(set.pop(me, &mut to)?.then(|| one(to, 0)))
    })
}

fn update(
    mut caller: Caller<'_, Host>,
    handle: i32,
    how: i32,
    src: u32,
    len: u32,
) -> wasmtime::Result<i32> {
    let update = match how {
        0 => Update::Union,
        1 => Update::Intersection,
        2 => Update::Difference,
        3 => Update::SymmetricDifference,
        _ => return Err(misuse("set_update", format!("{how} is not an update of sets"))),
    };
    let packed = copied(&mut caller, "set_update", (src, len))?;
    let members = row("set_update", &packed)?;
    Set::on(caller.data_mut(), "set_update", handle, |set, me| set.update(me, update, &members))
}

fn page(
    mut caller: Caller<'_, Host>,
    handle: i32,
    cursor: u64,
    at: u64,
    dst: u32,
    capacity: u32,
) -> wasmtime::Result<i64> {
    fetch::<Set<'_>>(&mut caller, "set_page", handle, (dst, capacity), |set, me, _| {
        set.page(me, (cursor, at)).map(Some)
    })
}
