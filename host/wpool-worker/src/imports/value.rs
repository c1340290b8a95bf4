//! `wpool.value_*`: one number each, changed by one instruction.

use super::number::{bits, kind, number};
use super::objects::Noun;
use super::{Host, MODULE};
use crate::shared::{Error, Kind, ObjectId, Shared, Spec, Value};
use wasmtime::{Caller, Linker};

/// Adds the functions to a linker.
pub(super) fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "value_create", create)?;
    linker.func_wrap(MODULE, Value::OPEN, Value::open)?;
    linker.func_wrap(MODULE, "value_type", type_of)?;
    linker.func_wrap(MODULE, "value_get", get)?;
    linker.func_wrap(MODULE, "value_set", set)?;
    linker.func_wrap(MODULE, "value_swap", swap)?;
    linker.func_wrap(MODULE, "value_add", add)?;
    linker.func_wrap(MODULE, "value_compare_exchange", compare_exchange)?;
    Ok(())
}

impl Noun for Value<'_> {
    const KIND: Kind = Kind::Value;
    const OPEN: &'static str = "value_open";
    type Of<'a> = Value<'a>;

    #[inline]
    fn find(shared: &Shared, id: ObjectId) -> Result<Value<'_>, Error> {
        shared.value(id)
    }
}

/// `value_create(name: i32, name_len: i32, type: i32, initial: i64) -> i32`: makes a value and opens it.
///
/// Arguments: its name; the code of its number's type; its number.
/// Answers: a handle; `exists`, `no-space`, `out-of-range` (the name).
/// Traps: the name is outside the memory or not UTF-8; an unknown type. Blocks: never.
fn create(
    mut caller: Caller<'_, Host>,
    name: u32,
    name_len: u32,
    r#type: i32,
    initial: i64,
) -> wasmtime::Result<i32> {
    let initial = number(kind("value_create", r#type)?, initial);
    Value::create(&mut caller, "value_create", (name, name_len), &Spec::Value { initial })
}

/// `value_type(handle: i32) -> i32`: the type of its number.
///
/// Arguments: the value. Answers: the type's code. Traps: not a value's handle. Blocks: never.
fn type_of(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Value::look(caller.data_mut(), "value_type", handle, |value| Ok(value.kind() as i32))
}

/// `value_get(handle: i32) -> i64`: the number.
///
/// Arguments: the value. Answers: the number's bits. Traps: not a value's handle. Blocks: never.
fn get(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i64> {
    Value::look(caller.data_mut(), "value_get", handle, |value| Ok(bits(value.get())))
}

/// `value_set(handle: i32, bits: i64)`: sets the number.
///
/// Arguments: the value; the number. Answers: nothing. Traps: not a value's handle. Blocks: never.
fn set(mut caller: Caller<'_, Host>, handle: i32, new: i64) -> wasmtime::Result<()> {
    Value::look(caller.data_mut(), "value_set", handle, |value| {
        value.set(number(value.kind(), new))
    })
}

/// `value_swap(handle: i32, bits: i64) -> i64`: sets the number, and says what it was.
///
/// Arguments: the value; the number. Answers: the bits before. Traps: not a value's handle.
/// Blocks: never.
fn swap(mut caller: Caller<'_, Host>, handle: i32, new: i64) -> wasmtime::Result<i64> {
    Value::look(caller.data_mut(), "value_swap", handle, |value| {
        value.swap(number(value.kind(), new)).map(bits)
    })
}

/// `value_add(handle: i32, bits: i64) -> i64`: adds to the number, and says what it was. Integers wrap.
///
/// Arguments: the value; what to add. Answers: the bits before. Traps: not a value's handle; a bool.
/// Blocks: never.
fn add(mut caller: Caller<'_, Host>, handle: i32, more: i64) -> wasmtime::Result<i64> {
    Value::look(caller.data_mut(), "value_add", handle, |value| {
        value.add(number(value.kind(), more)).map(bits)
    })
}

/// `value_compare_exchange(handle: i32, expected: i64, new: i64) -> i64`: sets the number if it is the
/// expected one (floats: the same bits), and says what it was.
///
/// Arguments: the value; what is expected; the new number. Answers: the bits before: it was set if they
/// are the expected ones. Traps: not a value's handle. Blocks: never.
fn compare_exchange(
    mut caller: Caller<'_, Host>,
    handle: i32,
    expected: i64,
    new: i64,
) -> wasmtime::Result<i64> {
    Value::look(caller.data_mut(), "value_compare_exchange", handle, |value| {
        let (expected, new) = (number(value.kind(), expected), number(value.kind(), new));
        let (Ok(before) | Err(before)) = value.compare_exchange(expected, new)?;
        Ok(bits(before))
    })
}
