//! `wpool:host/value`: one number each, changed by one instruction.

use super::number::of_type;
use super::wit::value::{self, Number, NumberType, Value};
use super::{Object, Undone, close, create, delete, handle, look, open};
use crate::imports::Host;
use crate::imports::objects::Noun;
use crate::shared::{self, Spec};
use crate::shared::{Error, Scalar};
use wasmtime::component::Resource;

impl Object for Value {
    type Noun = shared::Value<'static>;
}

impl value::Host for Host {}

impl value::HostValue for Host {
    fn create(&mut self, name: String, initial: Number) -> Result<Resource<Value>, Undone> {
        create(self, "value.create", &name, &Spec::Value { initial: initial.into() })
    }

    fn open(&mut self, name: String) -> Result<Resource<Value>, Undone> {
        open(self, "value.open", &name)
    }

    fn number_type(&mut self, value: Resource<Value>) -> wasmtime::Result<NumberType> {
        look(self, "value.number-type", &value, |value| value.kind().into())
    }

    fn get(&mut self, value: Resource<Value>) -> wasmtime::Result<Number> {
        look(self, "value.get", &value, |value| value.get().into())
    }

    fn set(&mut self, value: Resource<Value>, number: Number) -> Result<(), Undone> {
        let new = number.into();
        change(self, "value.set", &value, [new], |value| value.set(new))
    }

    fn swap(&mut self, value: Resource<Value>, number: Number) -> Result<Number, Undone> {
        let new = number.into();
        let before = change(self, "value.swap", &value, [new], |value| value.swap(new))?;
        Ok(before.into())
    }

    fn add(&mut self, value: Resource<Value>, number: Number) -> Result<Number, Undone> {
        let more = number.into();
        let before = change(self, "value.add", &value, [more], |value| value.add(more))?;
        Ok(before.into())
    }

    fn compare_exchange(
        &mut self,
        value: Resource<Value>,
        expected: Number,
        new: Number,
    ) -> Result<Number, Undone> {
        let (expected, new) = (expected.into(), new.into());
        let numbers = [expected, new];
        let (Ok(before) | Err(before)) =
            change(self, "value.compare-exchange", &value, numbers, |value| {
                value.compare_exchange(expected, new)
            })?;
        Ok(before.into())
    }

    fn delete(&mut self, value: Resource<Value>) -> Result<(), Undone> {
        delete(self, "value.delete", &value)
    }

    fn drop(&mut self, value: Resource<Value>) -> wasmtime::Result<()> {
        close(self, "value.drop", &value)
    }
}

/// Changes a value by numbers, which have to be of the value's type.
fn change<T, const N: usize>(
    host: &mut Host,
    call: &'static str,
    value: &Resource<Value>,
    numbers: [Scalar; N],
    operation: impl FnOnce(shared::Value<'_>) -> Result<T, Error>,
) -> Result<T, Undone> {
    let changed = shared::Value::look(host, call, handle(value), |value| {
        of_type(value.kind(), numbers, || operation(value))
    })?;
    Ok(changed?)
}
