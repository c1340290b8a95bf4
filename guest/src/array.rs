//! Arrays of numbers.

#![expect(unsafe_code, reason = "the host copies elements from and to slices")]

use crate::handle::{Handle, object};
use crate::number::{Arithmetic, Bits, Number, checked};
use crate::raw;

/// An array of numbers that processes share by its name, as Python's `Array`.
///
/// Each element is always whole, and changed atomically. A slice is copied element by element: a
/// consistent copy of several elements needs a lock. For numbers in bulk without any copying see
/// [`Region`](crate::Region).
///
/// ```no_run
/// use wpool_guest::Array;
///
/// let squares = Array::<u64>::open("squares")?;
/// for n in 0..squares.len() {
///     squares.set(n, n as u64 * n as u64);
/// }
/// println!("{:?}", squares.to_vec());
/// # Ok::<(), wpool_guest::Error>(())
/// ```
///
/// # Traps
/// Every function traps at an index beyond the end, and so fails the job.
#[derive(Debug)]
pub struct Array<T: Number> {
    handle: Handle<T>,
}

impl<T: Number> Array<T> {
    object! {
        "array", open: |name| checked::<T>(raw::array_open(name), raw::array_type);

        /// Creates an array of `length` zeros.
        create, open_or_create(length: usize): |name| raw::array_create(name, T::TYPE, length as u32);
    }

    /// Returns the number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        raw::array_len(self.handle.id()) as u32 as usize
    }

    /// Returns whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns an element.
    #[inline]
    pub fn get(&self, index: usize) -> T {
        T::from_bits(raw::array_get(self.handle.id(), index as u32))
    }

    /// Sets an element.
    #[inline]
    pub fn set(&self, index: usize, number: T) {
        raw::array_set(self.handle.id(), index as u32, number.into_bits());
    }

    /// Sets an element, and returns its previous value.
    #[inline]
    pub fn swap(&self, index: usize, number: T) -> T {
        T::from_bits(raw::array_swap(self.handle.id(), index as u32, number.into_bits()))
    }

    /// Sets an element to `new` if it is `expected`; floats are compared by their bits. Returns the
    /// previous value, as `Ok` if the element was set.
    ///
    /// # Errors
    /// Returns the element, if it was not `expected`.
    #[inline]
    pub fn compare_exchange(&self, index: usize, expected: T, new: T) -> Result<T, T> {
        let (expected, new) = (expected.into_bits(), new.into_bits());
        let id = self.handle.id();
        let before = raw::array_compare_exchange(id, index as u32, expected, new);
        if before == expected { Ok(T::from_bits(before)) } else { Err(T::from_bits(before)) }
    }

    /// Copies elements from `first` on, as many as `to` holds.
    pub fn read(&self, first: usize, to: &mut [T]) {
        let (dst, count) = (to.as_mut_ptr().cast::<u8>(), to.len());
        // SAFETY: the host writes `count` elements from the pointer on, in their natural layout.
        // Any bytes are a number, and the bytes of bools are turned into valid ones below.
        unsafe { raw::array_read(self.handle.id(), first as u32, dst, count) };
        if T::TYPE == bool::TYPE {
            for at in 0..count {
                // SAFETY: a bool is a byte, and there are `count` of them. No bool is read.
                unsafe { *dst.add(at) = u8::from(*dst.add(at) != 0) };
            }
        }
    }

    /// Copies `from` into the elements from `first` on.
    pub fn write(&self, first: usize, from: &[T]) {
        let (id, src) = (self.handle.id(), from.as_ptr().cast());
        // SAFETY: the host reads `from.len()` elements from the pointer on, which are those of
        // `from`.
        unsafe { raw::array_write(id, first as u32, src, from.len()) };
    }

    /// Copies all elements.
    pub fn to_vec(&self) -> Vec<T> {
        let mut elements = vec![T::from_bits(0); self.len()];
        self.read(0, &mut elements);
        elements
    }
}

impl<T: Arithmetic> Array<T> {
    /// Adds to an element, and returns its previous value. Integers wrap.
    #[inline]
    pub fn add(&self, index: usize, number: T) -> T {
        T::from_bits(raw::array_add(self.handle.id(), index as u32, number.into_bits()))
    }
}
