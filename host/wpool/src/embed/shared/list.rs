//! Lists: elements by place.

use super::bounds::Bounds;
use super::error::SharedError;
use super::handle::{Handle, object};
use super::queue::{encode, malformed};
use crate::shared::{self as control, CALL_BYTES_MAX, CALL_ENTRIES_MAX, Caller, Spec};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// A list that processes and threads share by its name, as the `list` of Python's `Manager`, without a
/// server process.
///
/// The elements are values of type `T` as JSON. Each call is one step, which happens as a whole or not at
/// all, whoever dies in it. Indices count from the end where they are negative, as Python's.
///
/// ```
/// use wpool::{List, Shared};
///
/// let shared = Shared::new()?;
/// let words = List::<String>::create(&shared, "words")?;
/// words.append(&"hello".to_owned())?;
/// words.append(&"world".to_owned())?;
/// assert_eq!(words.get(-1)?, "world");
/// words.reverse()?;
/// assert_eq!(words.to_vec()?, ["world", "hello"]);
/// # Ok::<(), wpool::SharedError>(())
/// ```
///
/// # Errors
/// All functions return [`SharedError::Broken`] if a hostile worker has destroyed the list;
/// [`SharedError::NoSlot`]; [`SharedError::Malformed`] for a value that is not JSON of a `T`; those that
/// put something in return [`SharedError::NoSpace`], [`SharedError::TooLarge`].
#[derive(Clone, Debug)]
pub struct List<T> {
    handle: Arc<Handle>,
    element: PhantomData<fn(T) -> T>,
}

impl<T> List<T> {
    object! {
        List "list";

        /// Creates a list, empty.
        create, open_or_create(): Spec::List(Bounds::default().inner());

        /// Creates a list, empty, that holds no more than this.
        create_bounded, open_or_create_bounded(bounds: Bounds): Spec::List(bounds.inner());
    }

    fn opened(handle: Handle) -> Result<List<T>, SharedError> {
        Ok(List { handle: Arc::new(handle), element: PhantomData })
    }

    #[inline]
    fn act<R>(
        &self,
        operation: impl FnOnce(control::List<'_>, &Caller<'_>) -> Result<R, control::Error>,
    ) -> Result<R, SharedError> {
        self.handle.act(|memory, me, id| operation(control::List::of(memory, id)?, me))
    }

    /// Returns the number of elements.
    pub fn len(&self) -> Result<usize, SharedError> {
        self.act(|list, me| list.len(me)).map(|len| len as usize)
    }

    /// Returns whether it is empty.
    pub fn is_empty(&self) -> Result<bool, SharedError> {
        Ok(self.len()? == 0)
    }

    /// Returns the version of the list, which each change increments.
    pub fn version(&self) -> Result<u64, SharedError> {
        self.act(|list, me| list.version(me))
    }

    /// Waits until the version is not `since`, for at most `timeout`, and returns the new version.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`].
    pub fn wait_changed(&self, since: u64, timeout: Duration) -> Result<u64, SharedError> {
        self.act(|list, me| list.wait_changed(me, since, Some(timeout)))
    }

    /// Reverses the order, in one step.
    pub fn reverse(&self) -> Result<(), SharedError> {
        self.act(|list, me| list.reverse(me))
    }

    /// Removes everything, in one step.
    pub fn clear(&self) -> Result<(), SharedError> {
        self.act(|list, me| list.clear(me))
    }
}

impl<T: Serialize + DeserializeOwned> List<T> {
    /// Returns the element at an index.
    ///
    /// # Errors
    /// Returns [`SharedError::OutOfRange`].
    pub fn get(&self, index: i64) -> Result<T, SharedError> {
        self.get_versioned(index).map(|(element, _)| element)
    }

    /// Returns the element at an index, and the version of the list, for [`set_if`](List::set_if).
    ///
    /// # Errors
    /// Returns [`SharedError::OutOfRange`].
    pub fn get_versioned(&self, index: i64) -> Result<(T, u64), SharedError> {
        let mut bytes = Vec::new();
        let version = self.act(|list, me| list.get(me, index, &mut bytes))?;
        Ok((decode(&bytes)?, version))
    }

    /// Replaces the element at an index.
    ///
    /// # Errors
    /// Returns [`SharedError::OutOfRange`].
    pub fn set(&self, index: i64, element: &T) -> Result<(), SharedError> {
        let bytes = encode(element)?;
        self.act(|list, me| list.set(me, index, &bytes, None)).map(|_| ())
    }

    /// Replaces the element at an index if the list is still at this version; returns whether it was.
    ///
    /// # Errors
    /// Returns [`SharedError::OutOfRange`].
    pub fn set_if(&self, index: i64, element: &T, version: u64) -> Result<bool, SharedError> {
        let bytes = encode(element)?;
        self.act(|list, me| list.set(me, index, &bytes, Some(version)))
    }

    /// Puts an element at the end.
    pub fn append(&self, element: &T) -> Result<(), SharedError> {
        let bytes = encode(element)?;
        self.act(|list, me| list.append(me, &bytes))
    }

    /// Puts elements at the end: in one step up to 4,096 and 64 KiB, in several beyond.
    pub fn extend<'a>(&self, elements: impl IntoIterator<Item = &'a T>) -> Result<(), SharedError>
    where
        T: 'a,
    {
        let mut rest = elements.into_iter().peekable();
        while rest.peek().is_some() {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while batch.len() < CALL_ENTRIES_MAX && bytes < CALL_BYTES_MAX / 2 {
                let Some(element) = rest.next() else { break };
                let element = encode(element)?;
                bytes += element.len();
                batch.push(element);
            }
            // What does not fit a step with others goes in alone.
            let last = if bytes > CALL_BYTES_MAX && batch.len() > 1 { batch.pop() } else { None };
            self.put(&batch)?;
            if let Some(last) = last {
                self.put(&[last])?;
            }
        }
        Ok(())
    }

    fn put(&self, batch: &[Vec<u8>]) -> Result<(), SharedError> {
        let batch: Vec<&[u8]> = batch.iter().map(|element| &element[..]).collect();
        self.act(|list, me| list.splice(me, (i64::MAX, i64::MAX), &batch, None)).map(|_| ())
    }

    /// Inserts an element before an index, which is clamped to the list.
    pub fn insert(&self, index: i64, element: &T) -> Result<(), SharedError> {
        let bytes = encode(element)?;
        self.act(|list, me| list.insert(me, index, &bytes))
    }

    /// Puts elements in the place of those from `start` to `end`, in one step. Both are clamped to the
    /// list.
    ///
    /// # Errors
    /// Returns [`SharedError::TooLarge`]: more than 4,096 elements or 64 KiB come or go.
    pub fn splice(&self, start: i64, end: i64, elements: &[T]) -> Result<(), SharedError> {
        let elements: Vec<_> = elements.iter().map(encode).collect::<Result<_, _>>()?;
        let elements: Vec<&[u8]> = elements.iter().map(|element| &element[..]).collect();
        self.act(|list, me| list.splice(me, (start, end), &elements, None)).map(|_| ())
    }

    /// Removes the last element and returns it, or `None` if there is none.
    pub fn pop(&self) -> Result<Option<T>, SharedError> {
        match self.remove(-1) {
            Err(SharedError::OutOfRange { .. }) => Ok(None),
            popped => popped.map(Some),
        }
    }

    /// Removes the element at an index, and returns it.
    ///
    /// # Errors
    /// Returns [`SharedError::OutOfRange`].
    pub fn remove(&self, index: i64) -> Result<T, SharedError> {
        let mut bytes = Vec::new();
        self.act(|list, me| list.pop(me, index, &mut bytes))?;
        decode(&bytes)
    }

    /// Returns the elements from `start` to `end`, both clamped to the list, read at one moment.
    ///
    /// # Errors
    /// Returns [`SharedError::Changing`].
    pub fn slice(&self, start: i64, end: i64) -> Result<Vec<T>, SharedError> {
        let elements = self.act(|list, me| {
            control::whole(|cursor, _| {
                list.slice(me, if cursor == 0 { start } else { cursor as i64 }, end)
            })
        })?;
        elements.iter().map(|bytes| decode(bytes)).collect()
    }

    /// Returns all elements, read at one moment.
    ///
    /// # Errors
    /// Returns [`SharedError::Changing`].
    pub fn to_vec(&self) -> Result<Vec<T>, SharedError> {
        self.slice(0, i64::MAX)
    }

    /// Returns the first index of an element that is the same as JSON.
    ///
    /// # Errors
    /// Returns [`SharedError::Changing`].
    pub fn index_of(&self, element: &T) -> Result<Option<usize>, SharedError> {
        let bytes = encode(element)?;
        let found = self.act(|list, me| list.index_of(me, &bytes, 0, i64::MAX))?;
        Ok(found.map(|index| index as usize))
    }
}

/// A value of its JSON.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, SharedError> {
    serde_json::from_slice(bytes).map_err(malformed)
}
