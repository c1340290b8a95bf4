//! Lists: elements by place, as Python's.

use super::super::Shared;
use super::super::error::Error;
use super::super::object::{Kind, ObjectId};
use super::super::slots::Caller;
use super::change::Change;
use super::header::Header;
use super::inner::{Inner, Nested};
use super::item::{self, NARROW, Words};
use super::places::{self, at, edge, place, put_all, put_in, replace_at, take_out, walk};
use super::tree;
use super::{
    CALL_BYTES_MAX, CALL_ENTRIES_MAX, Collection, Fault, PAGE_ENTRIES_MAX, Page, SEARCHES,
    check_item, check_items,
};
use std::ops::Deref;

/// How far a search has come.
enum Search {
    Found(u64),
    Absent,
    /// It was not found before this place, at this version.
    GoOn {
        from: u64,
        version: u64,
    },
}

/// A list.
#[derive(Clone, Copy)]
pub struct List<'a> {
    on: Collection<'a>,
}

impl<'a> Deref for List<'a> {
    type Target = Collection<'a>;

    fn deref(&self) -> &Collection<'a> {
        &self.on
    }
}

impl<'a> List<'a> {
    /// Returns the list of this id.
    ///
    /// # Errors
    /// Returns `NotFound`, `WrongKind`; `Broken` if its words make no sense.
    #[inline]
    pub fn of(shared: &'a Shared, id: ObjectId) -> Result<List<'a>, Error> {
        Ok(List { on: Collection::of(shared, id, Kind::List)? })
    }

    /// Returns the list inside another list or dict.
    ///
    /// # Errors
    /// Returns `NotFound`, `WrongKind`; `Broken` if its words make no sense.
    #[inline]
    pub fn inside(shared: &'a Shared, inner: Inner) -> Result<List<'a>, Error> {
        Ok(List { on: Collection::inside(shared, inner, Kind::List)? })
    }

    /// Copies the element at an index, from the end if negative; the list's version.
    ///
    /// # Errors
    /// Returns `OutOfRange`, `Broken`.
    #[inline]
    pub fn get(&self, caller: &Caller<'_>, index: i64, to: &mut Vec<u8>) -> Result<u64, Error> {
        to.clear();
        let got = self.on.look(caller, |space, header| {
            let place = place(index, header.len(space)).ok_or(Fault::Answer(Error::OutOfRange))?;
            let words = tree::get(space, header, at(space, header, place))?;
            item::read(space, &words, NARROW, to)?;
            Ok(header.version(space))
        })?;
        got.ok_or(Error::OutOfRange)
    }

    /// Replaces the element at an index; with a version, only if the list is still at it. Whether it
    /// was.
    ///
    /// # Errors
    /// Returns `OutOfRange`, `TooLarge`, `NoSpace`, `Broken`.
    #[inline]
    pub fn set(
        &self,
        caller: &Caller<'_>,
        index: i64,
        bytes: &[u8],
        version: Option<u64>,
    ) -> Result<bool, Error> {
        check_item(bytes)?;
        self.on.change(caller, |change, header| {
            let space = change.space;
            if version.is_some_and(|version| version != header.version(&space)) {
                return Ok(false);
            }
            let words = item::make(change, bytes, NARROW)?;
            replace_at(change, header, index, words)?;
            header.moved(change)?;
            Ok(true)
        })
    }

    /// Puts an element at the end.
    ///
    /// # Errors
    /// Returns `TooLarge`, `NoSpace`, `Broken`.
    #[inline]
    pub fn append(&self, caller: &Caller<'_>, bytes: &[u8]) -> Result<(), Error> {
        self.insert(caller, i64::MAX, bytes)
    }

    /// Inserts an element before an index, which is clamped to the list.
    ///
    /// # Errors
    /// Returns `TooLarge`, `NoSpace`, `Broken`.
    #[inline]
    pub fn insert(&self, caller: &Caller<'_>, index: i64, bytes: &[u8]) -> Result<(), Error> {
        check_item(bytes)?;
        self.on.change(caller, |change, header| {
            let words = item::make(change, bytes, NARROW)?;
            self.insert_at(change, header, index, words)?;
            header.moved(change)?;
            Ok(())
        })
    }

    /// Puts a list, dict or set in, empty: before an index, which is clamped to the list, or in the place
    /// of the element at one.
    ///
    /// # Errors
    /// Returns `OutOfRange` (in the place of an element), `NoSpace`, `Broken`.
    pub fn nest(
        &self,
        caller: &Caller<'_>,
        index: i64,
        kind: Kind,
        replace: bool,
    ) -> Result<Inner, Error> {
        self.on.change(caller, |change, header| {
            let nested = Nested::new(change, kind)?;
            match replace {
                true => replace_at(change, header, index, item::nest(nested))?,
                false => self.insert_at(change, header, index, item::nest(nested))?,
            }
            header.moved(change)?;
            Ok(self.on.inner(nested))
        })
    }

    /// Returns the list, dict or set that is the element at an index, from the end if negative.
    ///
    /// # Errors
    /// Returns `OutOfRange`; `WrongType`: the element is bytes; `Broken`.
    pub fn inner(&self, caller: &Caller<'_>, index: i64) -> Result<Inner, Error> {
        let inner = self.on.look(caller, |space, header| {
            let place = place(index, header.len(space)).ok_or(Fault::Answer(Error::OutOfRange))?;
            let words = tree::get(space, header, at(space, header, place))?;
            self.on.inner_of(&words, NARROW)
        })?;
        inner.ok_or(Error::OutOfRange)
    }

    fn insert_at(
        &self,
        change: &mut Change<'_, '_>,
        header: Header,
        index: i64,
        words: Words,
    ) -> Result<(), Fault> {
        let len = header.len(&change.space);
        self.on.check_len(len + 1)?;
        put_in(change, header, edge(index, len), words)
    }

    /// Puts elements in the place of those from `start` to `end`, both clamped to the list; with a
    /// version, only if the list is still at it. Returns whether it was.
    ///
    /// # Errors
    /// Returns `TooLarge`: more than 4,096 elements or 64 KiB go in or out; `NoSpace`, `Broken`.
    pub fn splice(
        &self,
        caller: &Caller<'_>,
        (start, end): (i64, i64),
        items: &[&[u8]],
        version: Option<u64>,
    ) -> Result<bool, Error> {
        check_items(items.iter().copied(), 1)?;
        self.on.change(caller, |change, header| {
            let len = header.len(&change.space);
            if version.is_some_and(|version| version != header.version(&change.space)) {
                return Ok(false);
            }
            let (start, end) = (edge(start, len), edge(end, len));
            let end = end.max(start);
            if end - start > CALL_ENTRIES_MAX as u64 {
                return Err(Fault::Answer(Error::TooLarge));
            }
            self.on.check_len(len - (end - start) + items.len() as u64)?;
            take_out(change, header, (start, end))?;
            let words: Result<Vec<_>, _> =
                items.iter().map(|bytes| item::make(change, bytes, NARROW)).collect();
            put_all(change, header, start, words?)?;
            if end > start || !items.is_empty() {
                header.moved(change)?;
            }
            Ok(true)
        })
    }

    /// Removes the element at an index, and returns it.
    ///
    /// # Errors
    /// Returns `OutOfRange`, `Broken`.
    #[inline]
    pub fn pop(&self, caller: &Caller<'_>, index: i64, to: &mut Vec<u8>) -> Result<(), Error> {
        self.on.change(caller, |change, header| {
            let len = header.len(&change.space);
            let place = place(index, len).ok_or(Fault::Answer(Error::OutOfRange))?;
            to.clear();
            let at = at(&change.space, header, place);
            tree::remove(change, header, at, 1, |change, words| {
                item::read(&change.space, &words, NARROW, to)?;
                item::release(change, &words, NARROW)
            })?;
            header.moved(change)?;
            Ok(())
        })
    }

    /// Returns the elements from `start` to `end`, both clamped to the list: as many as fit into a page, whose
    /// cursor is the place of the next.
    ///
    /// # Errors
    /// Returns `Broken`.
    pub fn slice(&self, caller: &Caller<'_>, start: i64, end: i64) -> Result<Page, Error> {
        let page = self.on.look(caller, |space, header| {
            let len = header.len(space);
            let mut page = Page { version: header.version(space), ..Page::default() };
            let (mut next, end) = (edge(start, len), edge(end, len));
            walk(
                space,
                header,
                (next, end.min(next + PAGE_ENTRIES_MAX as u64)),
                |place, words| {
                    item::pack_from(space, words, NARROW, &mut page.items)?;
                    next = place + 1;
                    Ok(page.items.len() < CALL_BYTES_MAX)
                },
            )?;
            page.cursor = if next < end { next } else { 0 };
            Ok(page)
        })?;
        Ok(page.unwrap_or_default())
    }

    /// Returns the first place of an element from `start` to `end`, both clamped to the list.
    ///
    /// # Errors
    /// Returns `Changing`: it changed all the time; `Broken`.
    pub fn index_of(
        &self,
        caller: &Caller<'_>,
        wanted: &[u8],
        start: i64,
        end: i64,
    ) -> Result<Option<u64>, Error> {
        for _ in 0..SEARCHES {
            let mut so_far = None;
            loop {
                match self.search(caller, wanted, (start, end), so_far)? {
                    Search::Found(place) => return Ok(Some(place)),
                    Search::Absent => return Ok(None),
                    Search::GoOn { version, .. } if so_far.is_some_and(|(_, at)| at != version) => {
                        break;
                    }
                    Search::GoOn { from, version } => so_far = Some((from, version)),
                }
            }
        }
        Err(Error::Changing)
    }

    /// Looks at one page of the list: from its start, or from where the last search ended.
    fn search(
        &self,
        caller: &Caller<'_>,
        wanted: &[u8],
        (start, end): (i64, i64),
        so_far: Option<(u64, u64)>,
    ) -> Result<Search, Error> {
        let search = self.on.look(caller, |space, header| {
            let (len, version) = (header.len(space), header.version(space));
            let (start, end) = (edge(start, len), edge(end, len));
            let start = so_far.map_or(start, |(from, _)| from);
            if so_far.is_some_and(|(_, at)| at != version) {
                return Ok(Search::GoOn { from: start, version });
            }
            // Each of them may be as long as what is looked for.
            let most = (CALL_BYTES_MAX / wanted.len().max(1)).clamp(1, PAGE_ENTRIES_MAX);
            let until = end.min(start + most as u64);
            let mut found = None;
            walk(space, header, (start, until), |place, words| {
                if item::is(space, words, NARROW, wanted)? {
                    found = Some(place);
                }
                Ok(found.is_none())
            })?;
            Ok(match found {
                Some(place) => Search::Found(place),
                None if until < end => Search::GoOn { from: until, version },
                None => Search::Absent,
            })
        })?;
        Ok(search.unwrap_or(Search::Absent))
    }

    /// Reverses the order.
    ///
    /// # Errors
    /// Returns `Broken`.
    pub fn reverse(&self, caller: &Caller<'_>) -> Result<(), Error> {
        self.on.change(caller, |change, header| {
            places::reverse(change, header)?;
            header.moved(change)?;
            Ok(())
        })
    }
}
