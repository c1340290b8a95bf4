//! Dicts: values by key.

use super::bounds::Bounds;
use super::error::SharedError;
use super::handle::{Handle, object};
use super::list::decode;
use super::queue::encode;
use crate::shared::{self as control, Caller, Part, Spec, unpack};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// A dict that processes and threads share by its name, as the `dict` of Python's `Manager`, without a
/// server process. Entries stand in the order in which their keys came.
///
/// The keys and values are JSON. Each call is one step, which happens as a whole or not at all, whoever dies
/// in it: nothing need be read, changed and written back under a lock.
///
/// ```
/// use wpool::{Dict, Shared};
///
/// let shared = Shared::new()?;
/// let ages = Dict::<String, i64>::create(&shared, "ages")?;
/// ages.set(&"Ada".to_owned(), &36)?;
/// assert_eq!(ages.add(&"Ada".to_owned(), 1)?, 37);
/// assert_eq!(ages.get(&"Alan".to_owned())?, None);
/// assert_eq!(ages.to_vec()?, [("Ada".to_owned(), 37)]);
/// # Ok::<(), wpool::SharedError>(())
/// ```
///
/// # Errors
/// All functions return [`SharedError::Broken`] if a hostile worker has destroyed the dict;
/// [`SharedError::NoSlot`]; [`SharedError::Malformed`] for what is not JSON of a `K` or a `V`; those that
/// put something in return [`SharedError::NoSpace`], [`SharedError::TooLarge`].
#[derive(Clone, Debug)]
pub struct Dict<K, V> {
    handle: Arc<Handle>,
    entry: PhantomData<fn() -> (K, V)>,
}

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
        Dict "dict";

        /// Creates a dict, empty.
        create, open_or_create(): Spec::Dict(Bounds::default().inner());

        /// Creates a dict, empty, that holds no more than this.
        create_bounded, open_or_create_bounded(bounds: Bounds): Spec::Dict(bounds.inner());
    }

    fn opened(handle: Handle) -> Result<Dict<K, V>, SharedError> {
        Ok(Dict { handle: Arc::new(handle), entry: PhantomData })
    }

    #[inline]
    fn act<R>(
        &self,
        operation: impl FnOnce(control::Dict<'_>, &Caller<'_>) -> Result<R, control::Error>,
    ) -> Result<R, SharedError> {
        self.handle.act(|memory, me, id| operation(control::Dict::of(memory, id)?, me))
    }

    /// Returns the number of entries.
    pub fn len(&self) -> Result<usize, SharedError> {
        self.act(|dict, me| dict.len(me)).map(|len| len as usize)
    }

    /// Returns whether it is empty.
    pub fn is_empty(&self) -> Result<bool, SharedError> {
        Ok(self.len()? == 0)
    }

    /// Returns the version of the dict, which each change increments.
    pub fn version(&self) -> Result<u64, SharedError> {
        self.act(|dict, me| dict.version(me))
    }

    /// Waits until the version is not `since`, for at most `timeout`, and returns the new version.
    ///
    /// # Errors
    /// Returns [`SharedError::TimedOut`].
    pub fn wait_changed(&self, since: u64, timeout: Duration) -> Result<u64, SharedError> {
        self.act(|dict, me| dict.wait_changed(me, since, Some(timeout)))
    }

    /// Removes everything, in one step.
    pub fn clear(&self) -> Result<(), SharedError> {
        self.act(|dict, me| dict.clear(me))
    }

    fn part(&self, part: Part) -> Result<Vec<Vec<u8>>, SharedError> {
        self.act(|dict, me| {
            control::whole(|cursor, version| dict.page(me, part, (cursor, version)))
        })
    }
}

impl<K: Serialize + DeserializeOwned, V: Serialize + DeserializeOwned> Dict<K, V> {
    /// Returns the value of a key.
    pub fn get(&self, key: &K) -> Result<Option<V>, SharedError> {
        Ok(self.get_versioned(key)?.map(|versioned| versioned.value))
    }

    /// Returns the value of a key, and the version at which it was set.
    pub fn get_versioned(&self, key: &K) -> Result<Option<Versioned<V>>, SharedError> {
        let (key, mut bytes) = (encode(key)?, Vec::new());
        let version = self.act(|dict, me| dict.get(me, &key, &mut bytes))?;
        version.map(|version| Ok(Versioned { value: decode(&bytes)?, version })).transpose()
    }

    /// Returns whether there is a key.
    pub fn contains_key(&self, key: &K) -> Result<bool, SharedError> {
        let key = encode(key)?;
        self.act(|dict, me| dict.contains(me, &key))
    }

    /// Sets the value of a key. One that is new comes last.
    pub fn set(&self, key: &K, value: &V) -> Result<(), SharedError> {
        let (key, value) = (encode(key)?, encode(value)?);
        self.act(|dict, me| dict.set(me, &key, &value))
    }

    /// Sets the values of several keys, all or none.
    ///
    /// # Errors
    /// Returns [`SharedError::TooLarge`]: more than 4,096 entries or 64 KiB.
    pub fn set_many<'a>(
        &self,
        entries: impl IntoIterator<Item = (&'a K, &'a V)>,
    ) -> Result<(), SharedError>
    where
        K: 'a,
        V: 'a,
    {
        let mut items = Vec::new();
        for (key, value) in entries {
            items.extend([encode(key)?, encode(value)?]);
        }
        let items: Vec<&[u8]> = items.iter().map(|item| &item[..]).collect();
        self.act(|dict, me| dict.set_many(me, &items))
    }

    /// Returns the value of a key, which is set first if there is no such key.
    pub fn get_or_insert(&self, key: &K, value: &V) -> Result<V, SharedError> {
        let (key, value, mut bytes) = (encode(key)?, encode(value)?, Vec::new());
        self.act(|dict, me| dict.get_or_insert(me, &key, &value, &mut bytes))?;
        decode(&bytes)
    }

    /// Sets, or with `None` removes, the value of a key if it was set at this version, or with `None` if
    /// there is no such key; returns whether it did.
    pub fn swap_if(
        &self,
        key: &K,
        version: Option<u64>,
        new: Option<&V>,
    ) -> Result<bool, SharedError> {
        let (key, new) = (encode(key)?, new.map(encode).transpose()?);
        self.act(|dict, me| dict.swap_if(me, &key, version, new.as_deref()))
    }

    /// Removes a key, and returns its value.
    pub fn remove(&self, key: &K) -> Result<Option<V>, SharedError> {
        let (key, mut bytes) = (encode(key)?, Vec::new());
        let removed = self.act(|dict, me| dict.pop(me, &key, &mut bytes))?;
        removed.then(|| decode(&bytes)).transpose()
    }

    /// Removes the entry whose key was inserted last, and returns it.
    pub fn pop_item(&self) -> Result<Option<(K, V)>, SharedError> {
        let mut row = Vec::new();
        if !self.act(|dict, me| dict.pop_item(me, true, &mut row))? {
            return Ok(None);
        }
        let items = unpack(&row).unwrap_or_default();
        let [key, value] = items[..] else { return Err(SharedError::Broken { culprit: None }) };
        Ok(Some((decode(key)?, decode(value)?)))
    }

    /// Adds to the whole number that is the value of a key, 0 if there is no such key; returns the sum.
    ///
    /// # Errors
    /// Returns [`SharedError::WrongType`] if the value is no whole number; [`SharedError::OutOfRange`] if the
    /// sum has more than 64 bits.
    pub fn add(&self, key: &K, number: i64) -> Result<i64, SharedError> {
        let key = encode(key)?;
        self.act(|dict, me| dict.add(me, &key, number))
    }

    /// Returns all keys in their order, read at one moment.
    ///
    /// # Errors
    /// Returns [`SharedError::Changing`].
    pub fn keys(&self) -> Result<Vec<K>, SharedError> {
        self.part(Part::Keys)?.iter().map(|key| decode(key)).collect()
    }

    /// Returns all values in their keys' order, read at one moment.
    ///
    /// # Errors
    /// Returns [`SharedError::Changing`].
    pub fn values(&self) -> Result<Vec<V>, SharedError> {
        self.part(Part::Values)?.iter().map(|value| decode(value)).collect()
    }

    /// Returns all entries in their order, read at one moment.
    ///
    /// # Errors
    /// Returns [`SharedError::Changing`].
    pub fn to_vec(&self) -> Result<Vec<(K, V)>, SharedError> {
        let items = self.part(Part::Items)?;
        let entries = items.as_chunks::<2>().0.iter();
        entries.map(|[key, value]| Ok((decode(key)?, decode(value)?))).collect()
    }
}
