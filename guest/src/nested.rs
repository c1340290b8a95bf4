//! Lists, dicts and sets inside lists and dicts.

use crate::code::error as code;
use crate::dict::Dict;
use crate::error::Error;
use crate::handle::Handle;
use crate::list::List;
use crate::raw;
use crate::set::Set;

/// An object that can be an element of a [`List`] or a value of a [`Dict`]: a list, dict or set.
///
/// The object belongs to the place where it was made. It is removed with that place, and its contents with it:
/// then its functions return [`NotFound`](Error::NotFound). Functions that read the values of the outer
/// object return [`WrongKind`](Error::WrongKind) or [`Malformed`](Error::Malformed) for it.
pub trait Nested: Inside {}

impl<T> Nested for List<T> {}
impl<K, V> Nested for Dict<K, V> {}
impl<T> Nested for Set<T> {}

/// The part of [`Nested`] that only this crate can see.
pub trait Inside: Sized {
    /// The number of the kind.
    const KIND: i32;

    /// Makes the object of a handle that is open.
    #[doc(hidden)]
    fn opened(id: i32) -> Self;
}

impl<T> Inside for List<T> {
    const KIND: i32 = 10;

    fn opened(id: i32) -> List<T> {
        List { handle: Handle::opened(id) }
    }
}

impl<K, V> Inside for Dict<K, V> {
    const KIND: i32 = 11;

    fn opened(id: i32) -> Dict<K, V> {
        Dict { handle: Handle::opened(id) }
    }
}

impl<T> Inside for Set<T> {
    const KIND: i32 = 12;

    fn opened(id: i32) -> Set<T> {
        Set { handle: Handle::opened(id) }
    }
}

/// Returns the object that the host has opened, if it is of the kind that is wanted.
pub(crate) fn opened<C: Nested>(answer: i64) -> Result<C, Error> {
    if answer < 0 {
        // All codes are small.
        return Err(Error::of(answer as i32));
    }
    let (id, kind) = (answer as i32, (answer >> 32) as i32);
    if kind == C::KIND {
        return Ok(C::opened(id));
    }
    raw::object_close(id);
    Err(Error::of(code::WRONG_KIND))
}
