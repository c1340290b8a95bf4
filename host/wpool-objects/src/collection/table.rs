//! Tables: the entries of dicts and sets, by key and in the order in which they came.
//!
//! ```text
//! header     more[0] {first, last entry}   the rest: see `super::buckets`
//! ```

use super::Fault;
use super::buckets::{self, bucket, place};
use super::change::Change;
use super::entry::{ENTRY_BYTES, Entry, Half};
use super::hash::hash;
use super::header::Header;
use super::item::{self, NARROW, WIDE, Words};
use super::space::{Space, root};

const ENDS: usize = 0;

/// An entry that was found, and the reference of its chain that leads to it.
pub(super) struct Found {
    pub(super) entry: Entry,
    link: Half,
}

/// Returns the hash of a key in a space.
#[inline]
pub(super) fn hash_of(space: &Space<'_>, key: &[u8]) -> u32 {
    let word = |at: usize| space.get(space.root(root::HASH_KEY + at));
    hash([word(0), word(8)], key) as u32
}

/// Returns the entry of a key.
#[inline]
pub(super) fn find(
    space: &Space<'_>,
    header: Header,
    hash: u32,
    key: &[u8],
) -> Result<Option<Found>, Fault> {
    let buckets = buckets::count(space, header)?;
    if buckets == 0 {
        return Ok(None);
    }
    let mut link = bucket(space, header, place(hash, buckets))?;
    for _ in 0..=header.len(space) {
        let block = link.get(space);
        if block == 0 {
            return Ok(None);
        }
        let entry = Entry::of(space, block)?;
        if entry.hash(space) == hash && item::is(space, &entry.key(space), NARROW, key)? {
            return Ok(Some(Found { entry, link }));
        }
        link = entry.chain();
    }
    Err(Fault::Damaged)
}

/// Adds an entry behind all others. Its key is not there yet.
pub(super) fn insert(
    change: &mut Change<'_, '_>,
    header: Header,
    hash: u32,
    contents: (&Words, &Words),
    version: u64,
) -> Result<(), Fault> {
    let len = header.len(&change.space) + 1;
    if len > u64::from(buckets::count(&change.space, header)?) {
        buckets::split(change, header)?;
    }
    let block = change.take(ENTRY_BYTES)?;
    let entry = Entry::of(&change.space, block)?;
    let buckets = buckets::count(&change.space, header)?;
    let link = bucket(&change.space, header, place(hash, buckets))?;
    let last = last(header).get(&change.space);
    entry.init(change, hash, link.get(&change.space), contents, version);
    entry.init_last(change, last);
    link.put(change, block)?;
    match last {
        0 => change.put(header.more(ENDS), u64::from(block) << 32 | u64::from(block))?,
        _ => {
            Entry::of(&change.space, last)?.after().put(change, block)?;
            self::last(header).put(change, block)?;
        }
    }
    header.set_len(change, len)
}

/// Removes an entry, and frees all of it.
pub(super) fn remove(
    change: &mut Change<'_, '_>,
    header: Header,
    found: &Found,
) -> Result<(), Fault> {
    let (entry, space) = (found.entry, change.space);
    let (key, value) = (entry.key(&space), entry.value(&space));
    item::release(change, &key, NARROW)?;
    item::release(change, &value, WIDE)?;
    found.link.put(change, entry.chain().get(&space))?;
    let (before, after) = (entry.before().get(&space), entry.after().get(&space));
    let link = if before == 0 { first(header) } else { Entry::of(&space, before)?.after() };
    link.put(change, after)?;
    let link = if after == 0 { last(header) } else { Entry::of(&space, after)?.before() };
    link.put(change, before)?;
    change.give_back(entry.block, ENTRY_BYTES);
    let len = header.len(&space).checked_sub(1).ok_or(Fault::Damaged)?;
    header.set_len(change, len)
}

/// Finds an entry again, to be removed.
pub(super) fn again(space: &Space<'_>, header: Header, entry: Entry) -> Result<Found, Fault> {
    let buckets = buckets::count(space, header)?;
    if buckets == 0 {
        return Err(Fault::Damaged);
    }
    let mut link = bucket(space, header, place(entry.hash(space), buckets))?;
    for _ in 0..=header.len(space) {
        match link.get(space) {
            0 => return Err(Fault::Damaged),
            block if block == entry.block => return Ok(Found { entry, link }),
            block => link = Entry::of(space, block)?.chain(),
        }
    }
    Err(Fault::Damaged)
}

/// Returns the entry that came first, or last.
pub(super) fn end(
    space: &Space<'_>,
    header: Header,
    is_last: bool,
) -> Result<Option<Entry>, Fault> {
    let link = if is_last { last(header) } else { first(header) };
    match link.get(space) {
        0 => Ok(None),
        block => Entry::of(space, block).map(Some),
    }
}

/// Returns the entry that came after this one.
pub(super) fn next(space: &Space<'_>, entry: Entry) -> Result<Option<Entry>, Fault> {
    match entry.after().get(space) {
        0 => Ok(None),
        block => Entry::of(space, block).map(Some),
    }
}

fn first(header: Header) -> Half {
    Half { at: header.more(ENDS), shift: 0 }
}

fn last(header: Header) -> Half {
    Half { at: header.more(ENDS), shift: 32 }
}
