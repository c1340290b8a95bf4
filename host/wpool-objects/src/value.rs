//! Values: one number each, changed by one instruction. A value needs no latch, because it is
//! always whole.
//!
//! ```text
//! primary    the number
//! params     the number's type
//! ```

use super::Shared;
use super::error::Error;
use super::layout::record;
use super::object::{Kind, Object, ObjectId};
use super::scalar::{Cell, Scalar, Type};
use std::sync::atomic::Ordering;

/// A value.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    cell: Cell<'a>,
}

impl Shared {
    /// Returns the value with this id.
    ///
    /// # Errors
    /// Returns `NotFound` or `WrongKind`; `Broken` if the value's words make no sense.
    #[inline]
    pub fn value(&self, id: ObjectId) -> Result<Value<'_>, Error> {
        let object = Object::of(self.memory(), id, Kind::Value)?;
        let kind = Type::unpack(object.word(record::PARAMS).load(Ordering::Relaxed) as u8);
        let kind = kind.ok_or(Error::Broken { culprit: None })?;
        Ok(Value { cell: Cell { memory: object.memory, at: object.at(record::PRIMARY), kind } })
    }
}

impl Value<'_> {
    /// Returns the type of the number.
    #[inline]
    pub fn kind(&self) -> Type {
        self.cell.kind
    }

    /// Returns the number.
    #[inline]
    pub fn get(&self) -> Scalar {
        self.cell.get()
    }

    /// Sets the number.
    ///
    /// # Errors
    /// Returns `WrongType`.
    #[inline]
    pub fn set(&self, number: Scalar) -> Result<(), Error> {
        self.cell.set(number)
    }

    /// Sets the number and returns its previous value.
    ///
    /// # Errors
    /// Returns `WrongType`.
    #[inline]
    pub fn swap(&self, number: Scalar) -> Result<Scalar, Error> {
        self.cell.swap(number)
    }

    /// Adds to the number and returns its previous value. Integers wrap.
    ///
    /// # Errors
    /// Returns `WrongType`, also for bools.
    #[inline]
    pub fn add(&self, number: Scalar) -> Result<Scalar, Error> {
        self.cell.add(number)
    }

    /// Sets the number if it is the expected one (for floats: the same bits). Returns the previous
    /// value, as `Ok` if the number was set.
    ///
    /// # Errors
    /// Returns `WrongType`.
    #[inline]
    pub fn compare_exchange(
        &self,
        expected: Scalar,
        new: Scalar,
    ) -> Result<Result<Scalar, Scalar>, Error> {
        self.cell.compare_exchange(expected, new)
    }
}
