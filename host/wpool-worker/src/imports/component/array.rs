//! `wpool:host/array`: arrays of numbers, each changed by one instruction.

use super::number::{of_bytes, of_type, to_bytes};
use super::wit::array::{self, Array, Number, NumberType, Numbers};
use super::{Object, Undone, close, create, delete, handle, look, open};
use crate::imports::Host;
use crate::imports::array::{at, slice_bytes};
use crate::imports::objects::Noun;
use crate::shared::{self, Error, Scalar, Spec};
use wasmtime::component::Resource;

impl Object for Array {
    type Noun = shared::Array<'static>;
}

impl array::Host for Host {}

impl array::HostArray for Host {
    fn create(
        &mut self,
        name: String,
        kind: NumberType,
        length: u32,
    ) -> Result<Resource<Array>, Undone> {
        let spec = Spec::Array { kind: kind.into(), length: length as usize };
        create(self, "array.create", &name, &spec)
    }

    fn open(&mut self, name: String) -> Result<Resource<Array>, Undone> {
        open(self, "array.open", &name)
    }

    fn number_type(&mut self, array: Resource<Array>) -> wasmtime::Result<NumberType> {
        look(self, "array.number-type", &array, |array| array.kind().into())
    }

    fn len(&mut self, array: Resource<Array>) -> wasmtime::Result<u32> {
        look(self, "array.len", &array, |array| array.len() as u32)
    }

    fn get(&mut self, array: Resource<Array>, index: u32) -> wasmtime::Result<Number> {
        let element = at(self, "array.get", handle(&array), index, |array, at| array.get(at))?;
        Ok(element.into())
    }

    fn set(&mut self, array: Resource<Array>, index: u32, number: Number) -> Result<(), Undone> {
        let new = number.into();
        change(self, "array.set", (&array, index), [new], |array, at| array.set(at, new))
    }

    fn swap(
        &mut self,
        array: Resource<Array>,
        index: u32,
        number: Number,
    ) -> Result<Number, Undone> {
        let new = number.into();
        let element = (&array, index);
        let before = change(self, "array.swap", element, [new], |array, at| array.swap(at, new))?;
        Ok(before.into())
    }

    fn add(
        &mut self,
        array: Resource<Array>,
        index: u32,
        number: Number,
    ) -> Result<Number, Undone> {
        let more = number.into();
        let element = (&array, index);
        let before = change(self, "array.add", element, [more], |array, at| array.add(at, more))?;
        Ok(before.into())
    }

    fn compare_exchange(
        &mut self,
        array: Resource<Array>,
        index: u32,
        expected: Number,
        new: Number,
    ) -> Result<Number, Undone> {
        let (expected, new) = (expected.into(), new.into());
        let (element, numbers) = ((&array, index), [expected, new]);
        let (Ok(before) | Err(before)) =
            change(self, "array.compare-exchange", element, numbers, |array, at| {
                array.compare_exchange(at, expected, new)
            })?;
        Ok(before.into())
    }

    fn read(
        &mut self,
        array: Resource<Array>,
        first: u32,
        count: u32,
    ) -> wasmtime::Result<Numbers> {
        let length = slice_bytes(self, "array.read", handle(&array), first, count)?;
        shared::Array::look(self, "array.read", handle(&array), |array| {
            let mut bytes = vec![0; length as usize];
            array.read(first as usize, &mut bytes)?;
            Ok(of_bytes(array.kind(), &bytes))
        })
    }

    fn write(
        &mut self,
        array: Resource<Array>,
        first: u32,
        numbers: Numbers,
    ) -> Result<(), Undone> {
        let (kind, count, bytes) = to_bytes(&numbers);
        // A list has no more elements than a 32-bit number can count.
        slice_bytes(self, "array.write", handle(&array), first, count as u32)?;
        let written = shared::Array::look(self, "array.write", handle(&array), |array| {
            if array.kind() != kind {
                return Ok(Err(Error::WrongType));
            }
            array.write(first as usize, &bytes).map(Ok)
        })?;
        Ok(written?)
    }

    fn delete(&mut self, array: Resource<Array>) -> Result<(), Undone> {
        delete(self, "array.delete", &array)
    }

    fn drop(&mut self, array: Resource<Array>) -> wasmtime::Result<()> {
        close(self, "array.drop", &array)
    }
}

/// Changes an element by numbers, which have to be of the element's type.
fn change<T, const N: usize>(
    host: &mut Host,
    call: &'static str,
    (array, index): (&Resource<Array>, u32),
    numbers: [Scalar; N],
    operation: impl FnOnce(shared::Array<'_>, usize) -> Result<T, Error>,
) -> Result<T, Undone> {
    let changed = at(host, call, handle(array), index, |array, at| {
        of_type(array.kind(), numbers, || operation(array, at))
    })?;
    Ok(changed?)
}
