//! Dicts: values by key, in the order in which the keys came.

use super::super::Shared;
use super::super::error::Error;
use super::super::object::{Kind, ObjectId};
use super::super::slots::Caller;
use super::change::Change;
use super::entry::Entry;
use super::header::Header;
use super::inner::{Inner, Nested};
use super::item::{self, NARROW, WIDE, Words};
use super::space::Space;
use super::table::{self, Found};
use super::{CALL_BYTES_MAX, Collection, Fault, PAGE_ENTRIES_MAX, Page, check_item, check_items};
use std::ops::Deref;

/// The part of each entry that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The key.
    Keys,
    /// The value.
    Values,
    /// The key, then the value.
    Items,
}

/// A dict.
#[derive(Clone, Copy)]
pub struct Dict<'a> {
    on: Collection<'a>,
}

#[inline]
fn find(space: &Space<'_>, header: Header, key: &[u8]) -> Result<Option<Found>, Fault> {
    table::find(space, header, table::hash_of(space, key), key)
}

/// Returns the entries of a table from a cursor on, as a page.
pub(super) fn page(
    on: &Collection<'_>,
    caller: &Caller<'_>,
    part: Part,
    (cursor, version): (u64, u64),
) -> Result<Page, Error> {
    let page = on.look(caller, |space, header| {
        let mut page = Page { version: header.version(space), ..Page::default() };
        let mut next = match cursor {
            0 => table::end(space, header, false)?,
            // Whoever asks begins anew.
            _ if version != page.version => return Ok(page),
            block => {
                let block = u32::try_from(block).map_err(|_| Fault::Answer(Error::OutOfRange))?;
                Some(Entry::of(space, block).map_err(|_| Fault::Answer(Error::OutOfRange))?)
            }
        };
        for _ in 0..PAGE_ENTRIES_MAX {
            let Some(entry) = next.filter(|_| page.items.len() < CALL_BYTES_MAX) else { break };
            if part != Part::Values {
                item::pack_from(space, &entry.key(space), NARROW, &mut page.items)?;
            }
            if part != Part::Keys {
                item::pack_from(space, &entry.value(space), WIDE, &mut page.items)?;
            }
            next = table::next(space, entry)?;
        }
        page.cursor = next.map_or(0, |entry| entry.block.into());
        Ok(page)
    })?;
    Ok(page.unwrap_or_default())
}

impl<'a> Deref for Dict<'a> {
    type Target = Collection<'a>;

    fn deref(&self) -> &Collection<'a> {
        &self.on
    }
}

impl<'a> Dict<'a> {
    /// Returns the dict of this id.
    ///
    /// # Errors
    /// Returns `NotFound`, `WrongKind`; `Broken` if its words make no sense.
    #[inline]
    pub fn of(shared: &'a Shared, id: ObjectId) -> Result<Dict<'a>, Error> {
        Ok(Dict { on: Collection::of(shared, id, Kind::Dict)? })
    }

    /// Returns the dict inside another list or dict.
    ///
    /// # Errors
    /// Returns `NotFound`, `WrongKind`; `Broken` if its words make no sense.
    #[inline]
    pub fn inside(shared: &'a Shared, inner: Inner) -> Result<Dict<'a>, Error> {
        Ok(Dict { on: Collection::inside(shared, inner, Kind::Dict)? })
    }

    /// Copies the value of a key; the version at which it was set, or `None` if there is no such key.
    ///
    /// # Errors
    /// Returns `Broken`.
    #[inline]
    pub fn get(
        &self,
        caller: &Caller<'_>,
        key: &[u8],
        to: &mut Vec<u8>,
    ) -> Result<Option<u64>, Error> {
        to.clear();
        let got = self.on.look(caller, |space, header| {
            let Some(found) = find(space, header, key)? else { return Ok(None) };
            item::read(space, &found.entry.value(space), WIDE, to)?;
            Ok(Some(found.entry.version(space)))
        })?;
        Ok(got.flatten())
    }

    /// Returns whether there is such a key.
    ///
    /// # Errors
    /// Returns `Broken`.
    #[inline]
    pub fn contains(&self, caller: &Caller<'_>, key: &[u8]) -> Result<bool, Error> {
        let found =
            self.on.look(caller, |space, header| Ok(find(space, header, key)?.is_some()))?;
        Ok(found.unwrap_or(false))
    }

    /// Sets the value of a key. One that is new comes last.
    ///
    /// # Errors
    /// Returns `TooLarge`, `NoSpace`, `Broken`.
    #[inline]
    pub fn set(&self, caller: &Caller<'_>, key: &[u8], value: &[u8]) -> Result<(), Error> {
        check_item(key)?;
        check_item(value)?;
        self.on.change(caller, |change, header| {
            let version = header.moved(change)?;
            self.put(change, header, key, value, version)
        })
    }

    #[inline]
    fn put(
        &self,
        change: &mut Change<'_, '_>,
        header: Header,
        key: &[u8],
        value: &[u8],
        version: u64,
    ) -> Result<(), Fault> {
        let words = item::make(change, value, WIDE)?;
        self.put_words(change, header, key, words, version)
    }

    #[inline]
    fn put_words(
        &self,
        change: &mut Change<'_, '_>,
        header: Header,
        key: &[u8],
        words: Words,
        version: u64,
    ) -> Result<(), Fault> {
        let hash = table::hash_of(&change.space, key);
        match table::find(&change.space, header, hash, key)? {
            Some(found) => found.entry.set_value(change, &words, version),
            None => {
                self.on.check_len(header.len(&change.space) + 1)?;
                let key = item::make(change, key, NARROW)?;
                table::insert(change, header, hash, (&key, &words), version)
            }
        }
    }

    /// Sets the values of several keys, all or none. Keys and values alternate.
    ///
    /// # Errors
    /// Returns `TooLarge`: more than 4,096 entries or 64 KiB; `OutOfRange`: a key without a value; `NoSpace`,
    /// `Broken`.
    pub fn set_many(&self, caller: &Caller<'_>, items: &[&[u8]]) -> Result<(), Error> {
        check_items(items.iter().copied(), 2)?;
        let (pairs, []) = items.as_chunks::<2>() else { return Err(Error::OutOfRange) };
        if pairs.is_empty() {
            return Ok(());
        }
        self.on.change(caller, |change, header| {
            let version = header.moved(change)?;
            pairs.iter().try_for_each(|[key, value]| self.put(change, header, key, value, version))
        })
    }

    /// Sets or removes (`None`) the value of a key if it was set at this version (`None`: if there is
    /// no such key). Returns whether it did.
    ///
    /// # Errors
    /// Returns `TooLarge`, `NoSpace`, `Broken`.
    pub fn swap_if(
        &self,
        caller: &Caller<'_>,
        key: &[u8],
        version: Option<u64>,
        new: Option<&[u8]>,
    ) -> Result<bool, Error> {
        check_item(key)?;
        check_item(new.unwrap_or_default())?;
        self.on.change(caller, |change, header| {
            let found = find(&change.space, header, key)?;
            let is = found.as_ref().map(|found| found.entry.version(&change.space));
            if is != version {
                return Ok(false);
            }
            match (new, found) {
                (Some(value), _) => {
                    let version = header.moved(change)?;
                    self.put(change, header, key, value, version)?;
                }
                (None, Some(found)) => {
                    header.moved(change)?;
                    table::remove(change, header, &found)?;
                }
                (None, None) => {}
            }
            Ok(true)
        })
    }

    /// Copies the value of a key, which is set first if there is no such key. Returns whether it was set.
    ///
    /// # Errors
    /// Returns `TooLarge`, `NoSpace`, `Broken`.
    pub fn get_or_insert(
        &self,
        caller: &Caller<'_>,
        key: &[u8],
        value: &[u8],
        to: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        check_item(key)?;
        check_item(value)?;
        self.on.change(caller, |change, header| {
            to.clear();
            if let Some(found) = find(&change.space, header, key)? {
                item::read(&change.space, &found.entry.value(&change.space), WIDE, to)?;
                return Ok(false);
            }
            let version = header.moved(change)?;
            self.put(change, header, key, value, version)?;
            to.extend_from_slice(value);
            Ok(true)
        })
    }

    /// Takes a key out and copies its value. Returns whether it was there.
    ///
    /// # Errors
    /// Returns `WrongKind`: it is a list, dict or set, and stays; `Broken`.
    pub fn pop(&self, caller: &Caller<'_>, key: &[u8], to: &mut Vec<u8>) -> Result<bool, Error> {
        self.on.change(caller, |change, header| {
            to.clear();
            let Some(found) = find(&change.space, header, key)? else { return Ok(false) };
            item::read(&change.space, &found.entry.value(&change.space), WIDE, to)?;
            header.moved(change)?;
            table::remove(change, header, &found)?;
            Ok(true)
        })
    }

    /// Takes a key out, whatever its value is. Returns whether it was there.
    ///
    /// # Errors
    /// Returns `Broken`.
    pub fn remove(&self, caller: &Caller<'_>, key: &[u8]) -> Result<bool, Error> {
        self.on.change(caller, |change, header| {
            let Some(found) = find(&change.space, header, key)? else { return Ok(false) };
            header.moved(change)?;
            table::remove(change, header, &found)?;
            Ok(true)
        })
    }

    /// Takes the entry that came last out (or first), as a packed key and value. Whether there was one.
    ///
    /// # Errors
    /// Returns `Broken`.
    pub fn pop_item(
        &self,
        caller: &Caller<'_>,
        is_last: bool,
        to: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        self.on.change(caller, |change, header| {
            let space = change.space;
            to.clear();
            let Some(entry) = table::end(&space, header, is_last)? else { return Ok(false) };
            item::pack_from(&space, &entry.key(&space), NARROW, to)?;
            item::pack_from(&space, &entry.value(&space), WIDE, to)?;
            let found = table::again(&space, header, entry)?;
            header.moved(change)?;
            table::remove(change, header, &found)?;
            Ok(true)
        })
    }

    /// Adds to the whole number that is the value of a key, in decimal digits; 0 if there is no such
    /// key. The sum.
    ///
    /// # Errors
    /// Returns `WrongType`: the value is no whole number; `OutOfRange`: the sum has more than 64 bits;
    /// `TooLarge`, `NoSpace`, `Broken`.
    pub fn add(&self, caller: &Caller<'_>, key: &[u8], number: i64) -> Result<i64, Error> {
        check_item(key)?;
        let mut text = Vec::new();
        self.on.change(caller, |change, header| {
            text.clear();
            if let Some(found) = find(&change.space, header, key)? {
                item::read(&change.space, &found.entry.value(&change.space), WIDE, &mut text)?;
            } else {
                text.push(b'0');
            }
            let value = str::from_utf8(&text).ok().and_then(|text| text.parse::<i64>().ok());
            let value = value.ok_or(Fault::Answer(Error::WrongType))?;
            let sum = value.checked_add(number).ok_or(Fault::Answer(Error::OutOfRange))?;
            let version = header.moved(change)?;
            self.put(change, header, key, sum.to_string().as_bytes(), version)?;
            Ok(sum)
        })
    }

    /// Makes the value of a key a list, dict or set, empty. With `keep`, one that is there stays.
    ///
    /// # Errors
    /// With `keep`: `WrongType` if the value is bytes, `WrongKind` if it is of another kind. `TooLarge`,
    /// `NoSpace`, `Broken`.
    pub fn nest(
        &self,
        caller: &Caller<'_>,
        key: &[u8],
        kind: Kind,
        keep: bool,
    ) -> Result<Inner, Error> {
        check_item(key)?;
        self.on.change(caller, |change, header| {
            if let Some(found) = find(&change.space, header, key)?.filter(|_| keep) {
                let inner = self.on.inner_of(&found.entry.value(&change.space), WIDE)?;
                return match inner.kind() {
                    there if there == kind => Ok(inner),
                    there => Err(Fault::Answer(Error::WrongKind { kind: there })),
                };
            }
            let nested = Nested::new(change, kind)?;
            let version = header.moved(change)?;
            self.put_words(change, header, key, item::nest(nested), version)?;
            Ok(self.on.inner(nested))
        })
    }

    /// Returns the list, dict or set that is the value of a key.
    ///
    /// # Errors
    /// Returns `NotFound`: no such key; `WrongType`: the value is bytes; `Broken`.
    pub fn inner(&self, caller: &Caller<'_>, key: &[u8]) -> Result<Inner, Error> {
        let inner = self.on.look(caller, |space, header| {
            let found = find(space, header, key)?.ok_or(Fault::Answer(Error::NotFound))?;
            self.on.inner_of(&found.entry.value(space), WIDE)
        })?;
        inner.ok_or(Error::NotFound)
    }

    /// Returns the entries in order: as many as fit into a page. It begins with the first, or where a page
    /// ended whose cursor and version these are; if the dict has changed since, it is empty and says so by its
    /// version.
    ///
    /// # Errors
    /// Returns `OutOfRange`: not a cursor; `Broken`.
    pub fn page(&self, caller: &Caller<'_>, part: Part, from: (u64, u64)) -> Result<Page, Error> {
        page(&self.on, caller, part, from)
    }
}
