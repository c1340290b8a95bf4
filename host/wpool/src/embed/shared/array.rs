//! Arrays of numbers.

use super::error::SharedError;
use super::handle::{Handle, object};
use super::number::{self, Arithmetic, Number, scalar, type_of};
use crate::shared::{self as control, Spec};
use std::marker::PhantomData;
use std::sync::Arc;

/// The number of bytes that are copied at once.
const PIECE_BYTES: usize = 64 << 10;

/// An array of numbers that processes and threads share by its name, as Python's `Array`.
///
/// Each element is always whole, and changed atomically. A slice is copied element by element: a
/// consistent copy of several elements needs a lock.
///
/// ```
/// use wpool::{Array, Shared};
///
/// let shared = Shared::new()?;
/// let squares = Array::<u64>::create(&shared, "squares", 4)?;
/// for n in 0..squares.len() {
///     squares.set(n, n as u64 * n as u64)?;
/// }
/// assert_eq!(squares.to_vec()?, [0, 1, 4, 9]);
/// # Ok::<(), wpool::SharedError>(())
/// ```
///
/// # Errors
/// All functions return [`SharedError::OutOfRange`] beyond the end; [`SharedError::Broken`] or
/// [`SharedError::NotFound`] if a hostile worker has destroyed the array.
#[derive(Clone, Debug)]
pub struct Array<T: Number> {
    handle: Arc<Handle>,
    length: usize,
    number: PhantomData<fn() -> T>,
}

impl<T: Number> Array<T> {
    object! {
        Array "array";

        /// Creates an array of `length` zeros.
        create, open_or_create(length: usize): Spec::Array { kind: type_of::<T>(), length };
    }

    fn opened(handle: Handle) -> Result<Array<T>, SharedError> {
        let (kind, length) = handle.look(|memory, id| {
            let array = memory.array(id)?;
            Ok((array.kind(), array.len()))
        })?;
        if kind != type_of::<T>() {
            let (object, holds) = (handle.object(), number::name(kind));
            return Err(SharedError::WrongType { object, holds });
        }
        Ok(Array { handle: Arc::new(handle), length, number: PhantomData })
    }

    #[inline]
    fn with<R>(
        &self,
        operation: impl FnOnce(control::Array<'_>) -> Result<R, control::Error>,
    ) -> Result<R, SharedError> {
        self.handle.look(|memory, id| operation(memory.array(id)?))
    }

    /// Returns the number of elements.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Returns whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Returns an element.
    #[inline]
    pub fn get(&self, index: usize) -> Result<T, SharedError> {
        self.with(|array| array.get(index).map(number::number))
    }

    /// Sets an element.
    #[inline]
    pub fn set(&self, index: usize, number: T) -> Result<(), SharedError> {
        self.with(|array| array.set(index, scalar(number)))
    }

    /// Sets an element, and returns its previous value.
    #[inline]
    pub fn swap(&self, index: usize, number: T) -> Result<T, SharedError> {
        self.with(|array| array.swap(index, scalar(number)).map(number::number))
    }

    /// Sets an element to `new` if it is `expected`; floats are compared by their bits. Returns the
    /// previous value, as `Ok` if the element was set.
    #[inline]
    pub fn compare_exchange(
        &self,
        index: usize,
        expected: T,
        new: T,
    ) -> Result<Result<T, T>, SharedError> {
        self.with(|array| {
            let before = array.compare_exchange(index, scalar(expected), scalar(new))?;
            Ok(before.map(number::number).map_err(number::number))
        })
    }

    /// Copies elements from `first` on, as many as `to` holds.
    pub fn read(&self, first: usize, to: &mut [T]) -> Result<(), SharedError> {
        self.check(first, to.len())?;
        let size = type_of::<T>().bytes();
        let mut bytes = vec![0; PIECE_BYTES.min(to.len() * size)];
        let mut at = first;
        for piece in to.chunks_mut(PIECE_BYTES / size) {
            let bytes = &mut bytes[..piece.len() * size];
            self.with(|array| array.read(at, bytes))?;
            for (number, bytes) in piece.iter_mut().zip(bytes.chunks_exact(size)) {
                let mut bits = [0; 8];
                bits[..size].copy_from_slice(bytes);
                *number = T::from_bits(u64::from_le_bytes(bits));
            }
            at += piece.len();
        }
        Ok(())
    }

    /// Copies `from` into the elements from `first` on.
    pub fn write(&self, first: usize, from: &[T]) -> Result<(), SharedError> {
        self.check(first, from.len())?;
        let size = type_of::<T>().bytes();
        let mut bytes = Vec::with_capacity(PIECE_BYTES.min(from.len() * size));
        let mut at = first;
        for piece in from.chunks(PIECE_BYTES / size) {
            bytes.clear();
            for number in piece {
                bytes.extend_from_slice(&number.into_bits().to_le_bytes()[..size]);
            }
            self.with(|array| array.write(at, &bytes))?;
            at += piece.len();
        }
        Ok(())
    }

    /// Copies all elements.
    pub fn to_vec(&self) -> Result<Vec<T>, SharedError> {
        let mut elements = vec![T::from_bits(0); self.length];
        self.read(0, &mut elements)?;
        Ok(elements)
    }

    /// Checks that a slice fits, so that nothing is copied of a slice that does not.
    fn check(&self, first: usize, count: usize) -> Result<(), SharedError> {
        match first.checked_add(count).is_some_and(|end| end <= self.length) {
            true => Ok(()),
            false => Err(self.handle.error(control::Error::OutOfRange)),
        }
    }
}

impl<T: Arithmetic> Array<T> {
    /// Adds to an element, and returns its previous value. Integers wrap.
    #[inline]
    pub fn add(&self, index: usize, number: T) -> Result<T, SharedError> {
        self.with(|array| array.add(index, scalar(number)).map(number::number))
    }
}
