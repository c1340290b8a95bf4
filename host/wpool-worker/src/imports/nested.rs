//! `wpool.nested_*`: lists, dicts and sets inside lists and dicts.

use super::answers::{Answer, flag, misuse};
use super::collection::copied;
use super::objects::Noun;
use super::{Host, MODULE};
use crate::shared::{self, Dict, Error, Inner, Kind, List};
use wasmtime::{Caller, Linker};

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "nested_open_in_list", open_in_list)?;
    linker.func_wrap(MODULE, "nested_open_in_dict", open_in_dict)?;
    linker.func_wrap(MODULE, "nested_create_in_list", create_in_list)?;
    linker.func_wrap(MODULE, "nested_create_in_dict", create_in_dict)?;
    Ok(())
}

/// Finds or makes an object inside the one of a handle, and opens it. Returns its handle and its kind.
pub(super) fn open<N: Noun>(
    host: &mut Host,
    call: &'static str,
    handle: i32,
    find: impl FnOnce(N::Of<'_>, &shared::Caller<'_>) -> Result<Inner, Error>,
) -> wasmtime::Result<Result<(u64, Kind), Error>> {
    let objects = host.objects(call)?;
    // A handle is found before anything is made.
    let opened = match objects.vacancy() {
        Ok(free) => N::with(objects, call, handle, find)?
            .map(|inner| (objects.insert_inner(free, inner), inner.kind())),
        Err(error) => Err(error),
    };
    if let Err(error) = &opened {
        objects.note(&Err::<(), _>(*error));
    }
    Ok(opened)
}

/// Returns the answer of a core module: the handle, and the kind above it.
fn answer(opened: Result<(u64, Kind), Error>) -> i64 {
    match opened {
        Ok((handle, kind)) => (kind as i64) << 32 | handle as i64,
        Err(error) => Err::<(), _>(error).number().into(),
    }
}

/// Returns the kind that a guest names by its number, for the object of a handle.
fn kind<N: Noun>(
    host: &mut Host,
    call: &'static str,
    handle: i32,
    number: i32,
) -> wasmtime::Result<Kind> {
    host.objects(call)?.find(call, N::KIND, handle)?;
    [Kind::List, Kind::Dict, Kind::Set]
        .into_iter()
        .find(|kind| *kind as i32 == number)
        .ok_or_else(|| misuse(call, format!("{number} is no kind that can be nested")))
}

fn open_in_list(mut caller: Caller<'_, Host>, handle: i32, index: i64) -> wasmtime::Result<i64> {
    let host = caller.data_mut();
    let opened =
        open::<List<'_>>(host, "nested_open_in_list", handle, |list, me| list.inner(me, index))?;
    Ok(answer(opened))
}

fn open_in_dict(
    mut caller: Caller<'_, Host>,
    handle: i32,
    key: u32,
    key_len: u32,
) -> wasmtime::Result<i64> {
    let call = "nested_open_in_dict";
    let key = copied(&mut caller, call, (key, key_len))?;
    let host = caller.data_mut();
    Ok(answer(open::<Dict<'_>>(host, call, handle, |dict, me| dict.inner(me, &key))?))
}

fn create_in_list(
    mut caller: Caller<'_, Host>,
    handle: i32,
    index: i64,
    number: i32,
    replace: i32,
) -> wasmtime::Result<i64> {
    let (call, host) = ("nested_create_in_list", caller.data_mut());
    let kind = kind::<List<'_>>(host, call, handle, number)?;
    let replace = flag(call, "replace", replace)?;
    let opened =
        open::<List<'_>>(host, call, handle, |list, me| list.nest(me, index, kind, replace))?;
    Ok(answer(opened))
}

fn create_in_dict(
    mut caller: Caller<'_, Host>,
    handle: i32,
    key: u32,
    key_len: u32,
    number: i32,
    keep: i32,
) -> wasmtime::Result<i64> {
    let call = "nested_create_in_dict";
    let key = copied(&mut caller, call, (key, key_len))?;
    let host = caller.data_mut();
    let kind = kind::<Dict<'_>>(host, call, handle, number)?;
    let keep = flag(call, "keep", keep)?;
    let opened = open::<Dict<'_>>(host, call, handle, |dict, me| dict.nest(me, &key, kind, keep))?;
    Ok(answer(opened))
}
