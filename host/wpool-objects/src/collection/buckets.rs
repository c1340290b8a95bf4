//! Buckets: which entries of a table have which hashes.
//!
//! ```text
//! header     more[1] buckets   more[2…] {block, block} of buckets, ten words
//! bucket     u32: the first entry of a chain
//! ```
//!
//! Linear hashing: with each new entry one bucket is split in two, so no call moves a table. Block 0
//! has 16 buckets, block k those from 8 × 2^k on.

use super::Fault;
use super::change::Change;
use super::entry::{Entry, Half};
use super::header::Header;
use super::space::{Ref, Space};

const BUCKETS: usize = 1;
const BLOCKS: usize = 2;
const BLOCKS_MAX: usize = 20;
const FIRST_LOG: u32 = 4;

/// Frees the buckets of a table that is garbage and has no entries any more.
pub(super) fn free(change: &mut Change<'_, '_>, header: Header) -> Result<(), Fault> {
    for (block, bytes) in blocks(&change.space, header) {
        change.give_back(block, bytes);
    }
    for word in [BUCKETS].into_iter().chain(BLOCKS..BLOCKS + BLOCKS_MAX / 2) {
        change.put(header.more(word), 0)?;
    }
    Ok(())
}

/// Returns the blocks of buckets that there are, and their bytes.
pub(super) fn blocks(
    space: &Space<'_>,
    header: Header,
) -> impl Iterator<Item = (Ref, usize)> + use<> {
    let all: Vec<_> = (0..BLOCKS_MAX)
        .map(|index| (block(header, index).get(space), block_bytes(index)))
        .filter(|(block, _)| *block != 0)
        .collect();
    all.into_iter()
}

/// Returns how many buckets there are.
#[inline]
pub(super) fn count(space: &Space<'_>, header: Header) -> Result<u32, Fault> {
    let buckets = space.get(header.more(BUCKETS));
    let most = 1u64 << (FIRST_LOG as usize + BLOCKS_MAX - 1);
    if buckets <= most { Ok(buckets as u32) } else { Err(Fault::Damaged) }
}

/// Returns the bucket of a hash, where there are so many, at least one.
#[inline]
pub(super) fn place(hash: u32, buckets: u32) -> u32 {
    let all = buckets.next_power_of_two();
    let place = hash & (all - 1);
    if place < buckets { place } else { place & (all / 2 - 1) }
}

/// Returns the block in which a bucket is, and which it is there.
#[inline]
fn in_block(bucket: u32) -> (usize, u32) {
    match bucket.checked_ilog2() {
        Some(log) if log >= FIRST_LOG => ((log + 1 - FIRST_LOG) as usize, bucket - (1 << log)),
        _ => (0, bucket),
    }
}

fn block_bytes(index: usize) -> usize {
    4 << (FIRST_LOG as usize + index.saturating_sub(1))
}

/// Returns the reference to a block of buckets.
#[inline]
fn block(header: Header, index: usize) -> Half {
    Half { at: header.more(BLOCKS + index / 2), shift: (index as u32 % 2) * 32 }
}

/// Returns the reference that is a bucket.
#[inline]
pub(super) fn bucket(space: &Space<'_>, header: Header, bucket: u32) -> Result<Half, Fault> {
    let (index, place) = in_block(bucket);
    let at = space.at(block(header, index).get(space), block_bytes(index))?;
    Ok(Half { at: at + place as usize / 2 * 8, shift: (place % 2) * 32 })
}

/// Adds a bucket: it takes its part of the one that had it until now.
pub(super) fn split(change: &mut Change<'_, '_>, header: Header) -> Result<(), Fault> {
    let old = count(&change.space, header)?;
    let (index, place) = in_block(old);
    if index >= BLOCKS_MAX {
        // Chains grow longer.
        return Ok(());
    }
    if place == 0 {
        let new = change.take(block_bytes(index))?;
        block(header, index).put(change, new)?;
    }
    if old == 0 {
        let at = bucket(&change.space, header, 0)?.at;
        (0..block_bytes(0)).step_by(8).for_each(|word| change.init(at + word, 0));
        return change.put(header.more(BUCKETS), 1 << FIRST_LOG);
    }
    let from = bucket(&change.space, header, old & !(1 << old.ilog2()))?;
    let to = bucket(&change.space, header, old)?;
    let chain = chain(&change.space, header, from)?;
    change.put(header.more(BUCKETS), u64::from(old) + 1)?;
    let space = change.space;
    let moves = |entry: &&Entry| self::place(entry.hash(&space), old + 1) == old;
    relink(change, from, chain.iter().filter(|entry| !moves(entry)))?;
    relink(change, to, chain.iter().filter(moves))
}

/// Returns whether an entry is in the bucket in which it is looked for.
pub(super) fn belongs(space: &Space<'_>, entry: Entry, bucket: u32, buckets: u32) -> bool {
    place(entry.hash(space), buckets) == bucket
}

/// Returns the entries of the chain that begins at a reference.
pub(super) fn chain(
    space: &Space<'_>,
    header: Header,
    mut link: Half,
) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    for _ in 0..=header.len(space) {
        match link.get(space) {
            0 => return Ok(entries),
            block => {
                let entry = Entry::of(space, block)?;
                entries.push(entry);
                link = entry.chain();
            }
        }
    }
    Err(Fault::Damaged)
}

/// Makes a chain of these entries.
fn relink<'e>(
    change: &mut Change<'_, '_>,
    mut link: Half,
    entries: impl Iterator<Item = &'e Entry>,
) -> Result<(), Fault> {
    for entry in entries {
        if link.get(&change.space) != entry.block {
            link.put(change, entry.block)?;
        }
        link = entry.chain();
    }
    if link.get(&change.space) == 0 { Ok(()) } else { link.put(change, 0) }
}
