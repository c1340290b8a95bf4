//! Dicts: values by key.

#![expect(unsafe_code, reason = "the host writes sums into memory that is not initialised")]

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::{ANY, decode, encode, fetch, fetch_some, pack, pages, unpack, wide};
use crate::error::{Error, answer, done};
use crate::handle::{Handle, nanoseconds, object};
use crate::nested::{Nested, opened};
use crate::raw;

const KEYS: i32 = 0;
const VALUES: i32 = 1;
const ITEMS: i32 = 2;

/// A dict that processes share by its name, as the `dict` of Python's `Manager`, without a server process.
/// Entries stand in the order in which their keys came.
///
/// The keys and values are JSON. Each call is one step, which happens as a whole or not at all, whoever dies
/// in it: nothing need be read, changed and written back under a lock.
///
/// ```no_run
/// use wpool_guest::Dict;
///
/// let counts = Dict::<String, i64>::open_or_create("counts")?;
/// counts.add(&"apples".to_owned(), 1)?;
/// println!("{:?}", counts.to_vec()?);
/// # Ok::<(), wpool_guest::Error>(())
/// ```
///
/// # Errors
/// All functions return [`Broken`](Error::Broken), [`Malformed`](Error::Malformed) for what is not JSON of a `K`
/// or a `V`; those that put something in return [`NoSpace`](Error::NoSpace), [`TooLarge`](Error::TooLarge) for
/// more than 1 MiB.
#[derive(Debug)]
pub struct Dict<K, V> {
    pub(crate) handle: Handle<Entry<K, V>>,
}

/// The types of a dict's entries.
type Entry<K, V> = PhantomData<(K, V)>;

/// A value, and at which version of its dict it was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versioned<V> {
    /// The value.
    pub value: V,
    /// The version, for [`Dict::swap_if`].
    pub version: u64,
}

impl<K, V> Dict<K, V> {
    object! {
        "dict", open: raw::dict_open;

        /// Creates a dict, empty, that grows as far as there is space.
        create, open_or_create(): |name| raw::dict_create(name, 0, 0);

        /// Creates a dict, empty, with at most so many entries, and so many bytes for them with all that is
        /// needed to find them. 0 is any number.
        create_bounded, open_or_create_bounded(entries: u32, bytes: u64):
            |name| raw::dict_create(name, entries, bytes);
    }

    /// Returns the number of entries.
    pub fn len(&self) -> Result<usize, Error> {
        answer(raw::dict_len(self.handle.id())).map(|len| len as usize)
    }

    /// Returns whether it is empty.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// Returns the version of the dict, which each change increments.
    pub fn version(&self) -> Result<u64, Error> {
        wide(raw::dict_version(self.handle.id()))
    }

    /// Waits until the version is not `since`, for at most `timeout`, and returns the new version.
    ///
    /// # Errors
    /// Returns [`TimedOut`](Error::TimedOut), [`Interrupted`](Error::Interrupted).
    pub fn wait_changed(&self, since: u64, timeout: Duration) -> Result<u64, Error> {
        let timeout = nanoseconds(timeout);
        wide(raw::dict_wait_changed(self.handle.id(), since, timeout))
    }

    /// Removes everything, in one step.
    pub fn clear(&self) -> Result<(), Error> {
        done(raw::dict_clear(self.handle.id()))
    }

    fn part(&self, part: i32) -> Result<Vec<Vec<u8>>, Error> {
        let id = self.handle.id();
        pages(id, |cursor, version, room| raw::dict_page(id, part, cursor, version, room))
    }
}

impl<K: Serialize + DeserializeOwned, V: Serialize + DeserializeOwned> Dict<K, V> {
    /// Returns the value of a key.
    pub fn get(&self, key: &K) -> Result<Option<V>, Error> {
        Ok(self.get_versioned(key)?.map(|versioned| versioned.value))
    }

    /// Returns the value of a key, and the version at which it was set.
    pub fn get_versioned(&self, key: &K) -> Result<Option<Versioned<V>>, Error> {
        let (id, key, mut bytes) = (self.handle.id(), encode(key)?, Vec::new());
        let found = fetch_some(id, &mut bytes, |room| raw::dict_get(id, &key, room))?;
        let versioned = || {
            Ok(Versioned { value: decode(&bytes)?, version: raw::object_answer_version(id) as u64 })
        };
        found.then(versioned).transpose()
    }

    /// Returns whether there is a key.
    pub fn contains_key(&self, key: &K) -> Result<bool, Error> {
        let key = encode(key)?;
        let found = raw::dict_contains(self.handle.id(), &key);
        Ok(answer(found)? != 0)
    }

    /// Sets the value of a key. One that is new comes last.
    pub fn set(&self, key: &K, value: &V) -> Result<(), Error> {
        let (id, key, value) = (self.handle.id(), encode(key)?, encode(value)?);
        done(raw::dict_set(id, &key, &value))
    }

    /// Sets the values of several keys, all or none.
    ///
    /// # Errors
    /// Returns [`TooLarge`](Error::TooLarge): more than 4,096 entries or 64 KiB.
    pub fn set_many<'a>(
        &self,
        entries: impl IntoIterator<Item = (&'a K, &'a V)>,
    ) -> Result<(), Error>
    where
        K: 'a,
        V: 'a,
    {
        let mut items = Vec::new();
        for (key, value) in entries {
            items.extend([encode(key)?, encode(value)?]);
        }
        let row = pack(&items);
        done(raw::dict_set_many(self.handle.id(), &row))
    }

    /// Returns the value of a key, which is set first if there is no such key.
    pub fn get_or_insert(&self, key: &K, value: &V) -> Result<V, Error> {
        let (id, key, value) = (self.handle.id(), encode(key)?, encode(value)?);
        let mut bytes = Vec::new();
        fetch(id, &mut bytes, |room| raw::dict_get_or_insert(id, &key, &value, room))?;
        decode(&bytes)
    }

    /// Sets, or with `None` removes, the value of a key if it was set at this version, or with `None` if
    /// there is no such key; returns whether it did.
    pub fn swap_if(&self, key: &K, version: Option<u64>, new: Option<&V>) -> Result<bool, Error> {
        let (id, key, new) = (self.handle.id(), encode(key)?, new.map(encode).transpose()?);
        let version = version.map_or(ANY, |version| version as i64);
        let swapped = match new {
            Some(new) => raw::dict_swap_if(id, &key, version, &new),
            None => raw::dict_remove_if(id, &key, version),
        };
        Ok(answer(swapped)? != 0)
    }

    /// Removes a key, and returns its value.
    pub fn remove(&self, key: &K) -> Result<Option<V>, Error> {
        let (id, key, mut bytes) = (self.handle.id(), encode(key)?, Vec::new());
        let found = fetch_some(id, &mut bytes, |room| raw::dict_pop(id, &key, room))?;
        found.then(|| decode(&bytes)).transpose()
    }

    /// Removes a key, whatever its value is, and returns whether it was there.
    pub fn discard(&self, key: &K) -> Result<bool, Error> {
        let key = encode(key)?;
        let found = raw::dict_remove(self.handle.id(), &key);
        Ok(answer(found)? != 0)
    }

    /// Opens the list, dict or set that is the value of a key. If there is no such key, an empty one is set
    /// first.
    ///
    /// # Errors
    /// Returns [`WrongType`](Error::WrongType) if the value is JSON, [`WrongKind`](Error::WrongKind) if it is
    /// an object of another kind.
    pub fn nested<C: Nested>(&self, key: &K) -> Result<C, Error> {
        let key = encode(key)?;
        opened(raw::nested_create_in_dict(self.handle.id(), &key, C::KIND, 1))
    }

    /// Opens the list, dict or set that is the value of a key, if there is such a key.
    ///
    /// # Errors
    /// Returns the errors of [`nested`](Dict::nested).
    pub fn get_nested<C: Nested>(&self, key: &K) -> Result<Option<C>, Error> {
        let key = encode(key)?;
        match opened(raw::nested_open_in_dict(self.handle.id(), &key)) {
            Err(Error::NotFound { .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    /// Sets the value of a key to a list, dict or set, which is empty.
    pub fn set_nested<C: Nested>(&self, key: &K) -> Result<C, Error> {
        let key = encode(key)?;
        opened(raw::nested_create_in_dict(self.handle.id(), &key, C::KIND, 0))
    }

    /// Removes the entry whose key was inserted last, and returns it.
    pub fn pop_item(&self) -> Result<Option<(K, V)>, Error> {
        let (id, mut row) = (self.handle.id(), Vec::new());
        let found = fetch_some(id, &mut row, |room| raw::dict_pop_item(id, room))?;
        let entry = || match unpack(&row)[..] {
            [key, value] => Ok((decode(key)?, decode(value)?)),
            _ => Err(Error::Broken { culprit: None }),
        };
        found.then(entry).transpose()
    }

    /// Adds to the whole number that is the value of a key, 0 if there is no such key; returns the sum.
    ///
    /// # Errors
    /// Returns [`WrongType`](Error::WrongType) if the value is no whole number;
    /// [`OutOfRange`](Error::OutOfRange) if the sum has more than 64 bits.
    pub fn add(&self, key: &K, number: i64) -> Result<i64, Error> {
        let (key, mut sum) = (encode(key)?, MaybeUninit::uninit());
        done(raw::dict_add(self.handle.id(), &key, number, &mut sum))?;
        // SAFETY: the host has written the sum.
        Ok(unsafe { sum.assume_init() })
    }

    /// Returns all keys in their order, read at one moment.
    ///
    /// # Errors
    /// Returns [`Changing`](Error::Changing).
    pub fn keys(&self) -> Result<Vec<K>, Error> {
        self.part(KEYS)?.iter().map(|key| decode(key)).collect()
    }

    /// Returns all values in their keys' order, read at one moment.
    ///
    /// # Errors
    /// Returns [`Changing`](Error::Changing).
    pub fn values(&self) -> Result<Vec<V>, Error> {
        self.part(VALUES)?.iter().map(|value| decode(value)).collect()
    }

    /// Returns all entries in their order, read at one moment.
    ///
    /// # Errors
    /// Returns [`Changing`](Error::Changing).
    pub fn to_vec(&self) -> Result<Vec<(K, V)>, Error> {
        let items = self.part(ITEMS)?;
        let entries = items.chunks_exact(2);
        entries.map(|entry| Ok((decode(&entry[0])?, decode(&entry[1])?))).collect()
    }
}
