//! Arrays of numbers. Each element is always whole; a slice of several elements is not, and needs a
//! lock.
//!
//! ```text
//! params     {length: 32 bits, type: 8 bits}
//! storage    the elements, each in its natural size
//! ```

use super::Shared;
use super::error::Error;
use super::layout::record;
use super::object::{Kind, Object, ObjectId};
use super::scalar::{Cell, Scalar, Type};
use std::sync::atomic::Ordering;

/// The position of the length in the parameters.
pub(super) const LENGTH_SHIFT: u32 = 32;

/// An array.
#[derive(Clone, Copy)]
pub struct Array<'a> {
    object: Object<'a>,
    kind: Type,
    at: usize,
    length: usize,
}

impl Shared {
    /// Returns the array with this id.
    ///
    /// # Errors
    /// Returns `NotFound` or `WrongKind`; `Broken` if the array's words make no sense.
    #[inline]
    pub fn array(&self, id: ObjectId) -> Result<Array<'_>, Error> {
        Array::at(Object::of(self.memory(), id, Kind::Array)?)
            .ok_or(Error::Broken { culprit: None })
    }
}

impl<'a> Array<'a> {
    pub(super) fn at(object: Object<'a>) -> Option<Array<'a>> {
        let params = object.word(record::PARAMS).load(Ordering::Relaxed);
        let kind = Type::unpack(params as u8)?;
        let length = (params >> LENGTH_SHIFT) as usize;
        let (at, bytes) = object.storage()?;
        (length.checked_mul(kind.bytes())? <= bytes).then_some(Array { object, kind, at, length })
    }

    /// Returns the type of the elements.
    pub fn kind(&self) -> Type {
        self.kind
    }

    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        self.length
    }

    #[inline]
    fn cell(&self, index: usize) -> Result<Cell<'a>, Error> {
        if index >= self.length {
            return Err(Error::OutOfRange);
        }
        let at = self.at + index * self.kind.bytes();
        Ok(Cell { memory: self.object.memory, at, kind: self.kind })
    }

    /// Returns an element.
    ///
    /// # Errors
    /// Returns `OutOfRange`.
    #[inline]
    pub fn get(&self, index: usize) -> Result<Scalar, Error> {
        Ok(self.cell(index)?.get())
    }

    /// Sets an element.
    ///
    /// # Errors
    /// Returns `OutOfRange` or `WrongType`.
    #[inline]
    pub fn set(&self, index: usize, number: Scalar) -> Result<(), Error> {
        self.cell(index)?.set(number)
    }

    /// Sets an element and returns its previous value.
    ///
    /// # Errors
    /// Returns `OutOfRange` or `WrongType`.
    #[inline]
    pub fn swap(&self, index: usize, number: Scalar) -> Result<Scalar, Error> {
        self.cell(index)?.swap(number)
    }

    /// Adds to an element and returns its previous value.
    ///
    /// # Errors
    /// Returns `OutOfRange` or `WrongType`.
    #[inline]
    pub fn add(&self, index: usize, number: Scalar) -> Result<Scalar, Error> {
        self.cell(index)?.add(number)
    }

    /// Compares and exchanges an element, as
    /// [`Value::compare_exchange`](crate::Value::compare_exchange) does.
    ///
    /// # Errors
    /// Returns `OutOfRange` or `WrongType`.
    #[inline]
    pub fn compare_exchange(
        &self,
        index: usize,
        expected: Scalar,
        new: Scalar,
    ) -> Result<Result<Scalar, Scalar>, Error> {
        self.cell(index)?.compare_exchange(expected, new)
    }

    fn slice(&self, first: usize, bytes: usize) -> Result<usize, Error> {
        let size = self.kind.bytes();
        let inside = first.checked_add(bytes / size).is_some_and(|end| end <= self.length);
        if !bytes.is_multiple_of(size) || !inside {
            return Err(Error::OutOfRange);
        }
        Ok(self.at + first * size)
    }

    /// Copies elements out, from `first` on, as little-endian bytes.
    ///
    /// # Errors
    /// Returns `OutOfRange`, also if `to` does not hold whole elements.
    pub fn read(&self, first: usize, to: &mut [u8]) -> Result<(), Error> {
        let at = self.slice(first, to.len())?;
        self.object.memory.read(at, to);
        Ok(())
    }

    /// Copies elements in, from `first` on, given as little-endian bytes.
    ///
    /// # Errors
    /// Returns `OutOfRange`, also if `from` does not hold whole elements.
    pub fn write(&self, first: usize, from: &[u8]) -> Result<(), Error> {
        let at = self.slice(first, from.len())?;
        self.object.memory.write(at, from);
        Ok(())
    }
}
