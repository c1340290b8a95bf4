//! Values: one number each, always whole.

use super::error::SharedError;
use super::handle::{Handle, object};
use super::number::{self, Arithmetic, Number, scalar, type_of};
use crate::shared::Spec;
use std::marker::PhantomData;
use std::sync::Arc;

/// A number that processes and threads share by its name, as Python's `Value`.
///
/// Every function is atomic. Two calls together are not:
///
/// ```
/// use wpool::{Shared, Value};
///
/// let shared = Shared::new()?;
/// let hits = Value::create(&shared, "hits", 0_u32)?;
/// hits.add(1)?; // No addition is lost.
/// hits.set(hits.get()? + 1)?; // Another one between the two calls is.
/// # assert_eq!(hits.get()?, 2);
/// # Ok::<(), wpool::SharedError>(())
/// ```
///
/// # Errors
/// All functions return [`SharedError::Broken`] or [`SharedError::NotFound`] if a hostile worker
/// has destroyed the value.
#[derive(Clone, Debug)]
pub struct Value<T: Number> {
    handle: Arc<Handle>,
    number: PhantomData<fn() -> T>,
}

impl<T: Number> Value<T> {
    object! {
        Value "value";

        /// Creates a value with this number.
        create, open_or_create(initial: T): Spec::Value { initial: scalar(initial) };
    }

    fn opened(handle: Handle) -> Result<Value<T>, SharedError> {
        let kind = handle.look(|memory, id| Ok(memory.value(id)?.kind()))?;
        if kind != type_of::<T>() {
            let (object, holds) = (handle.object(), number::name(kind));
            return Err(SharedError::WrongType { object, holds });
        }
        Ok(Value { handle: Arc::new(handle), number: PhantomData })
    }

    /// Returns the number.
    #[inline]
    pub fn get(&self) -> Result<T, SharedError> {
        self.handle.look(|memory, id| Ok(number::number(memory.value(id)?.get())))
    }

    /// Sets the number.
    #[inline]
    pub fn set(&self, number: T) -> Result<(), SharedError> {
        self.handle.look(|memory, id| memory.value(id)?.set(scalar(number)))
    }

    /// Sets the number, and returns its previous value.
    #[inline]
    pub fn swap(&self, number: T) -> Result<T, SharedError> {
        self.handle.look(|memory, id| memory.value(id)?.swap(scalar(number)).map(number::number))
    }

    /// Sets the number to `new` if it is `expected`; floats are compared by their bits. Returns the
    /// previous value, as `Ok` if the number was set.
    #[inline]
    pub fn compare_exchange(&self, expected: T, new: T) -> Result<Result<T, T>, SharedError> {
        self.handle.look(|memory, id| {
            let (expected, new) = (scalar(expected), scalar(new));
            let before = memory.value(id)?.compare_exchange(expected, new)?;
            Ok(before.map(number::number).map_err(number::number))
        })
    }
}

impl<T: Arithmetic> Value<T> {
    /// Adds to the number, and returns its previous value. Integers wrap.
    #[inline]
    pub fn add(&self, number: T) -> Result<T, SharedError> {
        self.handle.look(|memory, id| memory.value(id)?.add(scalar(number)).map(number::number))
    }
}
