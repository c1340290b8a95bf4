//! `wpool.array_*`: arrays of numbers, each changed by one instruction.

use super::answers::misuse;
use super::number::{bits, kind, number};
use super::objects::Noun;
use super::{Host, MODULE, bytes, room};
use crate::shared::{Array, Error, Kind, ObjectId, Scalar, Shared, Spec, Type};
use wasmtime::{Caller, Linker};

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "array_create", create)?;
    linker.func_wrap(MODULE, Array::OPEN, Array::open)?;
    linker.func_wrap(MODULE, "array_type", type_of)?;
    linker.func_wrap(MODULE, "array_len", len)?;
    linker.func_wrap(MODULE, "array_get", get)?;
    linker.func_wrap(MODULE, "array_set", set)?;
    linker.func_wrap(MODULE, "array_swap", swap)?;
    linker.func_wrap(MODULE, "array_add", add)?;
    linker.func_wrap(MODULE, "array_compare_exchange", compare_exchange)?;
    linker.func_wrap(MODULE, "array_read", read)?;
    linker.func_wrap(MODULE, "array_write", write)?;
    Ok(())
}

impl Noun for Array<'_> {
    const KIND: Kind = Kind::Array;
    const OPEN: &'static str = "array_open";
    type Of<'a> = Array<'a>;

    #[inline]
    fn find(shared: &Shared, id: ObjectId) -> Result<Array<'_>, Error> {
        shared.array(id)
    }
}

/// Does an operation with an element of the array of a handle.
#[inline]
pub(super) fn at<T>(
    host: &mut Host,
    call: &'static str,
    handle: i32,
    index: u32,
    operation: impl FnOnce(Array<'_>, usize) -> Result<T, Error>,
) -> wasmtime::Result<T> {
    let done = Array::look(host, call, handle, |array| match array.len() {
        length if index as usize >= length => Ok(Err(length)),
        _ => operation(array, index as usize).map(Ok),
    })?;
    done.map_err(|length| misuse(call, format!("{index} is not an index of {length} elements")))
}

/// Returns the size in bytes of a slice of the array of a handle.
pub(super) fn slice_bytes(
    host: &mut Host,
    call: &'static str,
    handle: i32,
    first: u32,
    count: u32,
) -> wasmtime::Result<u64> {
    let (length, size) =
        Array::look(host, call, handle, |array| Ok((array.len(), array.kind().bytes())))?;
    if u64::from(first) + u64::from(count) > length as u64 {
        let what = format!("{count} elements from {first} on are not inside {length} elements");
        return Err(misuse(call, what));
    }
    Ok(u64::from(count) * size as u64)
}

fn create(
    mut caller: Caller<'_, Host>,
    name: u32,
    name_len: u32,
    r#type: i32,
    length: u32,
) -> wasmtime::Result<i32> {
    let spec = Spec::Array { kind: kind("array_create", r#type)?, length: length as usize };
    Array::create(&mut caller, "array_create", (name, name_len), &spec)
}

fn type_of(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Array::look(caller.data_mut(), "array_type", handle, |array| Ok(array.kind() as i32))
}

fn len(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<u32> {
    Array::look(caller.data_mut(), "array_len", handle, |array| Ok(array.len() as u32))
}

fn get(mut caller: Caller<'_, Host>, handle: i32, index: u32) -> wasmtime::Result<i64> {
    at(caller.data_mut(), "array_get", handle, index, |array, index| array.get(index).map(bits))
}

fn set(mut caller: Caller<'_, Host>, handle: i32, index: u32, new: i64) -> wasmtime::Result<()> {
    at(caller.data_mut(), "array_set", handle, index, |array, index| {
        array.set(index, number(array.kind(), new))
    })
}

fn swap(mut caller: Caller<'_, Host>, handle: i32, index: u32, new: i64) -> wasmtime::Result<i64> {
    at(caller.data_mut(), "array_swap", handle, index, |array, index| {
        array.swap(index, number(array.kind(), new)).map(bits)
    })
}

fn add(mut caller: Caller<'_, Host>, handle: i32, index: u32, more: i64) -> wasmtime::Result<i64> {
    at(caller.data_mut(), "array_add", handle, index, |array, index| {
        array.add(index, number(array.kind(), more)).map(bits)
    })
}

fn compare_exchange(
    mut caller: Caller<'_, Host>,
    handle: i32,
    index: u32,
    expected: i64,
    new: i64,
) -> wasmtime::Result<i64> {
    at(caller.data_mut(), "array_compare_exchange", handle, index, |array, index| {
        let (expected, new) = (number(array.kind(), expected), number(array.kind(), new));
        let (Ok(before) | Err(before)) = array.compare_exchange(index, expected, new)?;
        Ok(bits(before))
    })
}

fn read(
    mut caller: Caller<'_, Host>,
    handle: i32,
    first: u32,
    dst: u32,
    count: u32,
) -> wasmtime::Result<()> {
    let length = slice_bytes(caller.data_mut(), "array_read", handle, first, count)?;
    let (mut room, host) = room(&mut caller, "array_read", dst, length)?;
    Array::look(host, "array_read", handle, |array| room.fill(|to| array.read(first as usize, to)))
}

fn write(
    mut caller: Caller<'_, Host>,
    handle: i32,
    first: u32,
    src: u32,
    count: u32,
) -> wasmtime::Result<()> {
    let length = slice_bytes(caller.data_mut(), "array_write", handle, first, count)?;
    let (from, host) = bytes(&mut caller, "array_write", src, length)?;
    Array::look(host, "array_write", handle, |array| match array.kind() {
        // A bool is stored as 0 or 1 in shared state; otherwise `array_compare_exchange` would miss
        // it.
        Type::Bool => {
            let bools = from.iter().map(|byte| Scalar::Bool(*byte != 0));
            bools.zip(first as usize..).try_for_each(|(bool, index)| array.set(index, bool))
        }
        _ => array.write(first as usize, &from),
    })
}
