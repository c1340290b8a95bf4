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

fn type_of(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i32> {
    Value::look(caller.data_mut(), "value_type", handle, |value| Ok(value.kind() as i32))
}

fn get(mut caller: Caller<'_, Host>, handle: i32) -> wasmtime::Result<i64> {
    Value::look(caller.data_mut(), "value_get", handle, |value| Ok(bits(value.get())))
}

fn set(mut caller: Caller<'_, Host>, handle: i32, new: i64) -> wasmtime::Result<()> {
    Value::look(caller.data_mut(), "value_set", handle, |value| {
        value.set(number(value.kind(), new))
    })
}

fn swap(mut caller: Caller<'_, Host>, handle: i32, new: i64) -> wasmtime::Result<i64> {
    Value::look(caller.data_mut(), "value_swap", handle, |value| {
        value.swap(number(value.kind(), new)).map(bits)
    })
}

fn add(mut caller: Caller<'_, Host>, handle: i32, more: i64) -> wasmtime::Result<i64> {
    Value::look(caller.data_mut(), "value_add", handle, |value| {
        value.add(number(value.kind(), more)).map(bits)
    })
}

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
