//! The common part of lists, dicts and sets for core modules.

use super::answers::{Answer, misuse};
use super::objects::{Noun, Objects};
use super::{Host, Room, bytes, room};
use crate::shared::{self, Error, Page, unpack};
use wasmtime::Caller;

/// Links the functions that are the same for lists, dicts and sets: `KIND_create`, `KIND_open`,
/// `KIND_len`, `KIND_version`, `KIND_wait_changed`, `KIND_clear`.
macro_rules! common {
    ($linker:ident, $Noun:ident, $kind:literal) => {{
        use crate::imports::answers::limit;
        use crate::shared::{Bounds, Spec};
        $linker.func_wrap(
            MODULE,
            concat!($kind, "_create"),
            |mut caller: Caller<'_, Host>, name: u32, name_len: u32, entries: u32, bytes: u64| {
                let spec = Spec::$Noun(Bounds { entries, bytes });
                $Noun::create(&mut caller, concat!($kind, "_create"), (name, name_len), &spec)
            },
        )?;
        $linker.func_wrap(MODULE, $Noun::OPEN, <$Noun<'_> as Noun>::open)?;
        $linker.func_wrap(
            MODULE,
            concat!($kind, "_len"),
            |mut caller: Caller<'_, Host>, it: i32| {
                $Noun::on(caller.data_mut(), concat!($kind, "_len"), it, |it, me| it.len(me))
            },
        )?;
        $linker.func_wrap(
            MODULE,
            concat!($kind, "_version"),
            |mut caller: Caller<'_, Host>, it: i32| {
                let call = concat!($kind, "_version");
                let version = $Noun::ask(caller.data_mut(), call, it, |it, me| it.version(me))?;
                Ok(crate::imports::collection::wide(version))
            },
        )?;
        $linker.func_wrap(
            MODULE,
            concat!($kind, "_wait_changed"),
            |mut caller: Caller<'_, Host>, it: i32, since: u64, timeout_ns: i64| {
                let call = concat!($kind, "_wait_changed");
                let version = $Noun::ask(caller.data_mut(), call, it, |it, me| {
                    it.wait_changed(me, since, limit(timeout_ns))
                })?;
                Ok(crate::imports::collection::wide(version))
            },
        )?;
        $linker.func_wrap(
            MODULE,
            concat!($kind, "_clear"),
            |mut caller: Caller<'_, Host>, it: i32| {
                $Noun::on(caller.data_mut(), concat!($kind, "_clear"), it, |it, me| it.clear(me))
            },
        )?;
    }};
}

pub(super) use common;

/// A number of 64 bits, or the code of an error.
pub(super) fn wide(said: Result<u64, Error>) -> i64 {
    match said {
        Ok(number) => number as i64,
        Err(_) => said.number().into(),
    }
}

/// The bytes that a guest passes at a pointer: a key, or what stands in a row.
pub(super) type Given = (u32, u32);

/// Copies what a guest passes, to have its memory free for something else.
pub(super) fn copied(
    caller: &mut Caller<'_, Host>,
    call: &'static str,
    (pointer, length): Given,
) -> wasmtime::Result<Vec<u8>> {
    Ok(bytes(caller, call, pointer, length.into())?.0.into_owned())
}

/// Returns the items of a packed row that a guest passes.
pub(super) fn row<'b>(call: &'static str, packed: &'b [u8]) -> wasmtime::Result<Vec<&'b [u8]>> {
    unpack(packed)
        .ok_or_else(|| misuse(call, "the row is not lengths of 32 bits and so many bytes"))
}

/// Asks for bytes: keeps them, copies what there is room for at `dst`, and answers with their length.
/// An entry that is not there is `not-found`.
pub(super) fn fetch<N: Noun>(
    caller: &mut Caller<'_, Host>,
    call: &'static str,
    handle: i32,
    (dst, capacity): Given,
    ask: impl FnOnce(N::Of<'_>, &shared::Caller<'_>, Vec<u8>) -> Result<Option<Page>, Error>,
) -> wasmtime::Result<i64> {
    let (mut dst, host) = room(caller, call, dst, capacity.into())?;
    let objects = host.objects(call)?;
    let buffer = objects.answered.buffer();
    let said = N::with(objects, call, handle, |object, me| ask(object, me, buffer))?;
    Ok(keep(objects, handle, said, &mut dst))
}

fn keep(
    objects: &mut Objects,
    handle: i32,
    said: Result<Option<Page>, Error>,
    dst: &mut Room<'_>,
) -> i64 {
    match said.and_then(|page| page.ok_or(Error::NotFound)) {
        Ok(page) => objects.answered.keep(handle, page, dst),
        Err(error) => objects.answer(Err::<(), _>(error)).into(),
    }
}

/// An answer of one item.
pub(super) fn one(items: Vec<u8>, version: u64) -> Page {
    Page { items, cursor: 0, version }
}

/// A version that a guest passes: none if it is negative.
pub(super) fn version(number: i64) -> Option<u64> {
    u64::try_from(number).ok()
}
