//! Values: one number each, always whole.

use crate::handle::{Handle, object};
use crate::number::{Arithmetic, Number, checked};
use crate::raw;

/// A number that processes share by its name, as Python's `Value`.
///
/// Every function is atomic, and takes a host call of some nanoseconds. Two calls together are not
/// atomic:
///
/// ```no_run
/// use wpool_guest::Value;
///
/// let hits = Value::<u32>::open("hits")?;
/// hits.add(1); // No addition is lost.
/// hits.set(hits.get() + 1); // Another one between the two calls is.
/// # Ok::<(), wpool_guest::Error>(())
/// ```
#[derive(Debug)]
pub struct Value<T: Number> {
    handle: Handle<T>,
}

impl<T: Number> Value<T> {
    object! {
        "value", open: |name| checked::<T>(raw::value_open(name), raw::value_type);

        /// Creates a value with this number.
        create, open_or_create(initial: T):
            |name| raw::value_create(name, T::TYPE, initial.into_bits());
    }

    /// Returns the number.
    #[inline]
    pub fn get(&self) -> T {
        T::from_bits(raw::value_get(self.handle.id()))
    }

    /// Sets the number.
    #[inline]
    pub fn set(&self, number: T) {
        raw::value_set(self.handle.id(), number.into_bits());
    }

    /// Sets the number, and returns its previous value.
    #[inline]
    pub fn swap(&self, number: T) -> T {
        T::from_bits(raw::value_swap(self.handle.id(), number.into_bits()))
    }

    /// Sets the number to `new` if it is `expected`; floats are compared by their bits. Returns the
    /// previous value, as `Ok` if the number was set.
    ///
    /// # Errors
    /// Returns the number, if it was not `expected`.
    #[inline]
    pub fn compare_exchange(&self, expected: T, new: T) -> Result<T, T> {
        let expected = expected.into_bits();
        let before = raw::value_compare_exchange(self.handle.id(), expected, new.into_bits());
        if before == expected { Ok(T::from_bits(before)) } else { Err(T::from_bits(before)) }
    }
}

impl<T: Arithmetic> Value<T> {
    /// Adds to the number, and returns its previous value. Integers wrap.
    #[inline]
    pub fn add(&self, number: T) -> T {
        T::from_bits(raw::value_add(self.handle.id(), number.into_bits()))
    }
}
