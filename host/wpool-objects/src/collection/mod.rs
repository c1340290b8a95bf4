//! Collections: lists, dicts and sets, of bytes.
//!
//! ```text
//! params     {most elements or entries: 32 bits, most pages of 4 KiB: 32 bits}, 0 for no bound
//! grown      PRIMARY: the extents reserved since, see `space`
//! extent     root page, journal, and the first segment of the space
//! ```
//!
//! Every operation is one call under the object's latch, and happens as a whole or not (`change`). It
//! takes its room first: for more, the latch is left, an extent is reserved in the directory, and the
//! call begins anew. What a call frees at once is bounded too: a list that is cleared becomes garbage,
//! of which each later call frees a little.
//!
//! ```text
//! space   change   item           addresses and extents; the journal; bytes in words
//! header  inner    garbage        what each is known by, also inside others, and what it becomes
//! places  tree     node            lists
//! table   buckets  entry   hash   dicts and sets
//! list    dict     set            the operations
//! ```
//!
//! **Invariant:** each block of the space is in exactly one place: in one list, dict or set, in garbage,
//! or free.

mod buckets;
mod change;
mod dict;
mod entry;
mod fsck;
mod garbage;
mod hash;
mod header;
mod inner;
mod item;
mod list;
mod node;
mod places;
mod set;
mod space;
mod table;
mod tree;

pub(super) use self::space::{BYTES_MAX, GROWN, STORAGE_BYTES, grown_bytes};
#[cfg(test)]
pub(crate) use self::{change::JOURNALS, item::ITEM_BYTES_MAX};
pub use self::{
    dict::{Dict, Part},
    inner::Inner,
    item::unpack,
    list::List,
    set::{Set, Update},
};
pub(super) use fsck::survey;

use self::change::Change;
use self::header::Header;
use self::space::{Space, root};
use super::Shared;
use super::error::Error;
use super::layout::{BLOCK_BYTES, record};
use super::object::{Held, Kind, Object, ObjectId};
use super::slots::Caller;
use super::wait;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Most entries that one call puts in or takes out.
pub const CALL_ENTRIES_MAX: usize = 4096;
/// Most bytes of them, if they are more than one.
pub const CALL_BYTES_MAX: usize = 64 << 10;

/// Most entries in a page: each may be far from the others in memory.
const PAGE_ENTRIES_MAX: usize = 1024;

/// Who waits for a change stands in this line.
const CHANGED: u8 = 0;
/// Times that a look through all of a collection begins anew because it has changed.
const SEARCHES: usize = 100;
/// Times that a call begins anew for more room. The space doubles with each, or garbage is freed.
const TURNS: usize = 100_000;

/// Why a look or a change comes to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The words make no sense.
    Damaged,
    /// It needs this extent first.
    Grow(usize),
    /// There is no more room in the bounds of the collection.
    Full,
    /// It is not to be done.
    Answer(Error),
}

/// A list, dict or set, whichever.
#[derive(Clone, Copy)]
pub struct Collection<'a> {
    shared: &'a Shared,
    id: ObjectId,
    kind: Kind,
    space: Space<'a>,
    /// The place inside another object, if the object is inside one.
    inner: Option<Inner>,
}

/// Some entries, and where to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The parts of each entry that were asked for, packed.
    pub items: Vec<u8>,
    /// The place at which the next page begins; 0 if this page is the last.
    pub cursor: u64,
    /// The version of the collection then. A cursor is good as long as this does not move.
    pub version: u64,
}

impl Page {
    /// Returns the items, one by one.
    pub fn unpacked(&self) -> Vec<Vec<u8>> {
        let items = unpack(&self.items).unwrap_or_default();
        items.into_iter().map(<[u8]>::to_vec).collect()
    }
}

impl<'a> Collection<'a> {
    /// Returns the collection of this id and kind.
    #[inline]
    fn of(shared: &'a Shared, id: ObjectId, kind: Kind) -> Result<Collection<'a>, Error> {
        let object = Object::of(shared.memory(), id, kind)?;
        let space = Space::of(object).ok_or(Error::Broken { culprit: None })?;
        Ok(Collection { shared, id, kind, space, inner: None })
    }

    /// Returns the collection inside another, which has to be of this kind.
    #[inline]
    fn inside(shared: &'a Shared, inner: Inner, kind: Kind) -> Result<Collection<'a>, Error> {
        if inner.kind() != kind {
            return Err(Error::WrongKind { kind: inner.kind() });
        }
        let outermost = Collection::of(shared, inner.id, inner.outermost)?;
        Ok(Collection { kind, inner: Some(inner), ..outermost })
    }

    #[inline]
    fn header(&self) -> Result<Option<Header>, Fault> {
        match self.inner {
            None => Header::outermost(&self.space),
            Some(inner) => inner.nested.header(&self.space).map(Some),
        }
    }

    /// Looks at it. `None`: nothing was ever stored.
    #[inline]
    fn look<T>(
        &self,
        caller: &Caller<'_>,
        look: impl FnOnce(&Space<'a>, Header) -> Result<T, Fault>,
    ) -> Result<Option<T>, Error> {
        let mut held = self.space.object.hold(caller)?;
        let looked =
            self.header().and_then(|header| header.map(|at| look(&self.space, at)).transpose());
        looked.map_err(|fault| match fault {
            Fault::Answer(error) => error,
            _ => held.mark_broken(None),
        })
    }

    /// Changes it, as a whole or not at all.
    #[inline]
    fn change<T>(
        &self,
        caller: &Caller<'_>,
        mut act: impl FnMut(&mut Change<'a, '_>, Header) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        for _ in 0..TURNS {
            let mut held = self.space.object.hold(caller)?;
            let fault = match self.try_once(&mut held, &mut act) {
                Ok(done) => {
                    if held.waiting(CHANGED) > 0 {
                        held.wake_all_waiting();
                    }
                    return Ok(done);
                }
                Err(fault) => fault,
            };
            match fault {
                Fault::Damaged => return Err(held.mark_broken(None)),
                Fault::Answer(error) => return Err(error),
                Fault::Grow(_) | Fault::Full => self.make_room(caller, held, fault)?,
            }
        }
        Err(Error::NoSpace)
    }

    #[inline]
    fn try_once<T>(
        &self,
        held: &mut Held<'a>,
        act: &mut impl FnMut(&mut Change<'a, '_>, Header) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut change = Change::begin(held, self.space, self.bytes_max());
        let header = match self.header()? {
            Some(header) => header,
            None => self.first(&mut change)?,
        };
        let done = act(&mut change, header)?;
        garbage::free(&mut change, garbage::FREED)?;
        change.commit()?;
        Ok(done)
    }

    /// Makes the outermost header, for what is stored first.
    #[cold]
    fn first(&self, change: &mut Change<'a, '_>) -> Result<Header, Fault> {
        for word in [0, 8] {
            let random = RandomState::new().hash_one(word);
            change.put(self.space.root(root::HASH_KEY + word), random)?;
        }
        let header = Header::new(change, self.kind)?;
        change.put(self.space.root(root::OUTERMOST), header.block.into())?;
        Ok(header)
    }

    /// Has the next turn find more room: garbage is freed, or an extent reserved.
    #[cold]
    fn make_room(
        &self,
        caller: &Caller<'_>,
        mut held: Held<'a>,
        fault: Fault,
    ) -> Result<(), Error> {
        let mut change = Change::begin(&mut held, self.space, self.bytes_max());
        let freed = garbage::free(&mut change, garbage::FREED_MOST);
        match freed.and_then(|freed| change.commit().map(|()| freed)) {
            Ok(0) => {}
            Ok(_) if fault != Fault::Grow(space::LONG_JOURNAL) => return Ok(()),
            Ok(_) => {}
            Err(_) => return Err(held.mark_broken(None)),
        }
        drop(held);
        match fault {
            Fault::Grow(which) if which < GROWN => self.shared.grow(caller, self.id, which),
            _ => Err(Error::NoSpace),
        }
    }

    /// Most elements or entries. What is inside another is bounded by its bytes alone.
    fn entries_max(&self) -> u64 {
        match self.space.object.get(record::PARAMS) as u32 {
            most if most > 0 && self.inner.is_none() => most.into(),
            _ => u32::MAX.into(),
        }
    }

    fn bytes_max(&self) -> u64 {
        match self.space.object.get(record::PARAMS) >> 32 {
            0 => BYTES_MAX,
            pages => pages * BLOCK_BYTES as u64,
        }
    }

    /// Returns how many elements, entries or members it has.
    ///
    /// # Errors
    /// Returns `Broken`.
    pub fn len(&self, caller: &Caller<'_>) -> Result<u64, Error> {
        Ok(self.look(caller, |space, header| Ok(header.len(space)))?.unwrap_or(0))
    }

    /// The version of the collection: each change adds one.
    ///
    /// # Errors
    /// Returns `Broken`.
    pub fn version(&self, caller: &Caller<'_>) -> Result<u64, Error> {
        Ok(self.look(caller, |space, header| Ok(header.version(space)))?.unwrap_or(0))
    }

    /// Waits until the version is not `since`, at most for `limit`, and returns the new version.
    ///
    /// # Errors
    /// Returns `TimedOut`, `Interrupted`, `Broken`.
    pub fn wait_changed(
        &self,
        caller: &Caller<'_>,
        since: u64,
        limit: Option<Duration>,
    ) -> Result<u64, Error> {
        let version = || Ok(self.header()?.map_or(0, |header| header.version(&self.space)));
        let ready = || !version().is_ok_and(|version: u64| version == since);
        wait::wait(self.space.object, caller, limit, CHANGED, ready, |held| {
            let version = version().map_err(|fault: Fault| match fault {
                Fault::Answer(error) => error,
                _ => held.mark_broken(None),
            })?;
            Ok((version != since).then_some(version))
        })
    }

    /// Removes everything.
    ///
    /// # Errors
    /// Returns `NoSpace`, `Broken`.
    pub fn clear(&self, caller: &Caller<'_>) -> Result<(), Error> {
        self.change(caller, |change, header| {
            if header.len(&change.space) > 0 {
                header.empty(change, self.kind)?;
                header.moved(change)?;
            }
            Ok(())
        })
    }

    /// Returns whether so many entries are not too many.
    fn check_len(&self, len: u64) -> Result<(), Fault> {
        if len <= self.entries_max() { Ok(()) } else { Err(Fault::Answer(Error::NoSpace)) }
    }
}

/// Undoes what the holder of a latch had not committed when it died.
pub(super) fn rebuild(object: Object<'_>) -> Option<()> {
    Space::of(object)?.undo()
}

/// Checks one item of a call.
fn check_item(bytes: &[u8]) -> Result<(), Error> {
    if bytes.len() <= item::ITEM_BYTES_MAX { Ok(()) } else { Err(Error::TooLarge) }
}

/// Checks the items of a call, of which so many belong to one entry.
fn check_items<'b>(
    items: impl ExactSizeIterator<Item = &'b [u8]>,
    each: usize,
) -> Result<(), Error> {
    let (count, mut bytes) = (items.len(), 0);
    for item in items {
        check_item(item)?;
        bytes += item.len();
    }
    let is_one = count <= each;
    let fits = bytes <= CALL_BYTES_MAX && count <= CALL_ENTRIES_MAX * each;
    if is_one || fits { Ok(()) } else { Err(Error::TooLarge) }
}

/// Returns the items of all pages, read at one moment. `next` answers with the page at a cursor and a version.
///
/// # Errors
/// Returns `Changing`: they changed each time; those of `next`.
pub fn whole(mut next: impl FnMut(u64, u64) -> Result<Page, Error>) -> Result<Vec<Vec<u8>>, Error> {
    for _ in 0..SEARCHES {
        let (mut all, mut cursor, mut version) = (Vec::new(), 0, None);
        loop {
            let page = next(cursor, version.unwrap_or(0))?;
            if version.is_some_and(|version| version != page.version) {
                break;
            }
            all.extend(page.unpacked());
            (cursor, version) = (page.cursor, Some(page.version));
            if cursor == 0 {
                return Ok(all);
            }
        }
    }
    Err(Error::Changing)
}
