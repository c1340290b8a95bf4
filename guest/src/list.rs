//! Lists: elements by place.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::{
    ANY, BYTES_MAX, ITEMS_MAX, decode, encode, encode_all, fetch, pack, pages, wide,
};
use crate::error::{Error, answer, done};
use crate::handle::{Handle, nanoseconds, object};
use crate::nested::{Nested, opened};
use crate::raw;

/// A list that processes share by its name, as the `list` of Python's `Manager`, without a server process.
///
/// The elements are values of type `T` as JSON. Each call is one step, which happens as a whole or not at
/// all, whoever dies in it. Indices count from the end where they are negative, as Python's.
///
/// ```no_run
/// use wpool_guest::List;
///
/// let words = List::<String>::open_or_create("words")?;
/// words.append(&"hello".to_owned())?;
/// for word in words.to_vec()? {
///     println!("{word}");
/// }
/// # Ok::<(), wpool_guest::Error>(())
/// ```
///
/// # Errors
/// All functions return [`Broken`](Error::Broken), [`Malformed`](Error::Malformed) for what is not JSON of a
/// `T`; those that put something in return [`NoSpace`](Error::NoSpace), [`TooLarge`](Error::TooLarge) for more
/// than 1 MiB; those with an index return [`OutOfRange`](Error::OutOfRange).
#[derive(Debug)]
pub struct List<T> {
    pub(crate) handle: Handle<T>,
}

impl<T> List<T> {
    object! {
        "list", open: raw::list_open;

        /// Creates a list, empty, that grows as far as there is space.
        create, open_or_create(): |name| raw::list_create(name, 0, 0);

        /// Creates a list, empty, with at most so many elements, and so many bytes for them with all that
        /// is needed to find them. 0 is any number.
        create_bounded, open_or_create_bounded(elements: u32, bytes: u64):
            |name| raw::list_create(name, elements, bytes);
    }

    /// Returns the number of elements.
    pub fn len(&self) -> Result<usize, Error> {
        answer(raw::list_len(self.handle.id())).map(|len| len as usize)
    }

    /// Returns whether it is empty.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// Returns the version of the list, which each change increments.
    pub fn version(&self) -> Result<u64, Error> {
        wide(raw::list_version(self.handle.id()))
    }

    /// Waits until the version is not `since`, for at most `timeout`, and returns the new version.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut), [`Interrupted`](Error::Interrupted).
    pub fn wait_changed(&self, since: u64, timeout: Duration) -> Result<u64, Error> {
        let timeout = nanoseconds(timeout);
        wide(raw::list_wait_changed(self.handle.id(), since, timeout))
    }

    /// Reverses the order, in one step.
    pub fn reverse(&self) -> Result<(), Error> {
        done(raw::list_reverse(self.handle.id()))
    }

    /// Removes everything, in one step.
    pub fn clear(&self) -> Result<(), Error> {
        done(raw::list_clear(self.handle.id()))
    }
}

impl<T: Serialize + DeserializeOwned> List<T> {
    /// Returns the element at an index.
    pub fn get(&self, index: i64) -> Result<T, Error> {
        self.get_versioned(index).map(|(element, _)| element)
    }

    /// Returns the element at an index, and the version of the list, for [`set_if`](List::set_if).
    pub fn get_versioned(&self, index: i64) -> Result<(T, u64), Error> {
        let (id, mut bytes) = (self.handle.id(), Vec::new());
        fetch(id, &mut bytes, |room| raw::list_get(id, index, room))?;
        Ok((decode(&bytes)?, raw::object_answer_version(id) as u64))
    }

    /// Replaces the element at an index.
    pub fn set(&self, index: i64, element: &T) -> Result<(), Error> {
        self.set_at(index, element, ANY).map(|_| ())
    }

    /// Replaces the element at an index if the list is still at this version; returns whether it was.
    pub fn set_if(&self, index: i64, element: &T, version: u64) -> Result<bool, Error> {
        self.set_at(index, element, version as i64)
    }

    fn set_at(&self, index: i64, element: &T, version: i64) -> Result<bool, Error> {
        let (id, bytes) = (self.handle.id(), encode(element)?);
        let set = raw::list_set(id, index, &bytes, version);
        Ok(answer(set)? != 0)
    }

    /// Puts an element at the end.
    pub fn append(&self, element: &T) -> Result<(), Error> {
        let (id, bytes) = (self.handle.id(), encode(element)?);
        done(raw::list_append(id, &bytes))
    }

    /// Puts elements at the end: in one step up to 4,096 and 64 KiB, in several beyond.
    pub fn extend<'a>(&self, elements: impl IntoIterator<Item = &'a T>) -> Result<(), Error>
    where
        T: 'a,
    {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for element in elements {
            let element = encode(element)?;
            if batch.len() == ITEMS_MAX || bytes + element.len() > BYTES_MAX && bytes > 0 {
                self.put(i64::MAX, i64::MAX, &batch, ANY)?;
                batch.clear();
                bytes = 0;
            }
            bytes += element.len();
            batch.push(element);
        }
        self.put(i64::MAX, i64::MAX, &batch, ANY).map(|_| ())
    }

    fn put(&self, start: i64, end: i64, batch: &[Vec<u8>], version: i64) -> Result<bool, Error> {
        let (id, row) = (self.handle.id(), pack(batch));
        let put = raw::list_splice(id, start, end, &row, version);
        Ok(answer(put)? != 0)
    }

    /// Inserts an element before an index, which is clamped to the list.
    pub fn insert(&self, index: i64, element: &T) -> Result<(), Error> {
        let (id, bytes) = (self.handle.id(), encode(element)?);
        done(raw::list_insert(id, index, &bytes))
    }

    /// Puts elements in the place of those from `start` to `end`, in one step. Both are clamped to the
    /// list.
    ///
    /// # Errors
    /// Returns [`TooLarge`](Error::TooLarge): more than 4,096 elements or 64 KiB come or go.
    pub fn splice(&self, start: i64, end: i64, elements: &[T]) -> Result<(), Error> {
        self.put(start, end, &encode_all(elements)?, ANY).map(|_| ())
    }

    /// Returns the same, if the list is still at this version; returns whether it was.
    ///
    /// # Errors
    /// Returns the errors of `splice`.
    pub fn splice_if(
        &self,
        start: i64,
        end: i64,
        elements: &[T],
        version: u64,
    ) -> Result<bool, Error> {
        self.put(start, end, &encode_all(elements)?, version as i64)
    }

    /// Opens the list, dict or set that is the element at an index.
    ///
    /// # Errors
    /// Returns [`WrongType`](Error::WrongType) if the element is JSON, [`WrongKind`](Error::WrongKind) if it
    /// is an object of another kind.
    pub fn nested<C: Nested>(&self, index: i64) -> Result<C, Error> {
        opened(raw::nested_open_in_list(self.handle.id(), index))
    }

    /// Puts a list, dict or set at the end, which is empty.
    pub fn append_nested<C: Nested>(&self) -> Result<C, Error> {
        opened(raw::nested_create_in_list(self.handle.id(), i64::MAX, C::KIND, 0))
    }

    /// Replaces the element at an index by a list, dict or set, which is empty.
    pub fn set_nested<C: Nested>(&self, index: i64) -> Result<C, Error> {
        opened(raw::nested_create_in_list(self.handle.id(), index, C::KIND, 1))
    }

    /// Removes the last element and returns it, or `None` if there is none.
    pub fn pop(&self) -> Result<Option<T>, Error> {
        match self.remove(-1) {
            Err(Error::OutOfRange { .. }) => Ok(None),
            popped => popped.map(Some),
        }
    }

    /// Removes the element at an index, and returns it.
    pub fn remove(&self, index: i64) -> Result<T, Error> {
        let (id, mut bytes) = (self.handle.id(), Vec::new());
        fetch(id, &mut bytes, |room| raw::list_pop(id, index, room))?;
        decode(&bytes)
    }

    /// Returns the elements from `start` to `end`, both clamped to the list, read at one moment.
    ///
    /// # Errors
    /// Returns [`Changing`](Error::Changing).
    pub fn slice(&self, start: i64, end: i64) -> Result<Vec<T>, Error> {
        let id = self.handle.id();
        let elements = pages(id, |cursor, _, room| {
            let start = if cursor == 0 { start } else { cursor as i64 };
            raw::list_slice(id, start, end, room)
        })?;
        elements.iter().map(|bytes| decode(bytes)).collect()
    }

    /// Returns all elements, read at one moment.
    ///
    /// # Errors
    /// Returns [`Changing`](Error::Changing).
    pub fn to_vec(&self) -> Result<Vec<T>, Error> {
        self.slice(0, i64::MAX)
    }

    /// Returns the first index of an element that is the same as JSON.
    ///
    /// # Errors
    /// Returns [`Changing`](Error::Changing).
    pub fn index_of(&self, element: &T) -> Result<Option<usize>, Error> {
        let (id, bytes) = (self.handle.id(), encode(element)?);
        match wide(raw::list_index_of(id, &bytes, 0, i64::MAX)) {
            Err(Error::NotFound { .. }) => Ok(None),
            found => found.map(|index| Some(index as usize)),
        }
    }
}
