//! The space of a collection: one range of addresses over extents that double.
//!
//! ```text
//! extent     root page 4 KiB, journal 8 KiB, segment 0 of 16 KiB: reserved at creation
//! grown[0]   the long journal, 1 MiB: reserved when a call first needs it
//! grown[k]   segment k, 16 KiB × 2^k: reserved when the space is first that full
//! ```
//!
//! Segment k holds the addresses from 16 KiB × 2^k up to 16 KiB × 2^(k+1). So a block whose size is a
//! power of two, and whose address is a multiple of it, lies in one segment and is whole in memory.
//! Extents are sparse: what was never written costs nothing.
//!
//! **Invariant:** an extent is never given back before the object is; each is reserved by one store to
//! the object's record, under the directory's latch.

use super::super::layout::{BLOCK_BASE, BLOCK_BYTES, record};
use super::super::memory::Memory;
use super::super::object::Object;
use super::Fault;
use std::sync::atomic::Ordering;

/// Words for the extents that are reserved later.
pub(crate) const GROWN: usize = 16;
/// Which of them is the long journal.
pub(super) const LONG_JOURNAL: usize = 0;

const ROOT_BYTES: usize = 4096;
const JOURNAL_BYTES: usize = 8192;
const LONG_JOURNAL_BYTES: usize = 1 << 20;
const SEGMENT_LOG: u32 = 14;
const SEGMENT_BYTES: usize = 1 << SEGMENT_LOG;
/// The least address.
pub(super) const START: u64 = SEGMENT_BYTES as u64;
/// Storage at creation.
pub(crate) const STORAGE_BYTES: usize = ROOT_BYTES + JOURNAL_BYTES + SEGMENT_BYTES;
/// Most bytes that a collection can have for what is in it.
pub(crate) const BYTES_MAX: u64 = START * ((1 << GROWN) - 1);
/// An entry of the journal: a place and what it was.
const ENTRY_BYTES: usize = 16;
const SHORT_ENTRIES: usize = JOURNAL_BYTES / ENTRY_BYTES;
const ENTRIES: usize = SHORT_ENTRIES + LONG_JOURNAL_BYTES / ENTRY_BYTES;

/// The place of a block: its address in units of 16 bytes. 0 is none.
pub(super) type Ref = u32;

/// Bytes that the extent at this place is to have.
pub(crate) fn grown_bytes(which: usize) -> usize {
    if which == LONG_JOURNAL { LONG_JOURNAL_BYTES } else { SEGMENT_BYTES << which }
}

/// Words of the root page.
pub(super) mod root {
    /// PRIMARY: how many entries of the journal are to be undone. 0 commits.
    pub(in super::super) const JOURNAL: usize = 0;
    /// The place at which the space begins that was never used. 0: nothing was ever stored.
    pub(in super::super) const BUMP: usize = 8;
    /// The outermost list, dict or set.
    pub(in super::super) const OUTERMOST: usize = 16;
    /// Headers that are free.
    pub(in super::super) const HEADERS: usize = 24;
    /// Headers whose contents are to be freed.
    pub(in super::super) const GARBAGE: usize = 32;
    /// The last serial number of a header.
    pub(in super::super) const SERIAL: usize = 40;
    /// Two words: the key of the hash.
    pub(in super::super) const HASH_KEY: usize = 48;
    /// The free blocks, a word for each size from 2^0.
    pub(in super::super) const FREE: usize = 256;
}

/// The space, for looking.
#[derive(Clone, Copy)]
pub(super) struct Space<'a> {
    pub(super) object: Object<'a>,
    pub(super) memory: &'a Memory,
    base: usize,
}

impl<'a> Space<'a> {
    /// Returns the space of an object; `None` if its words make no sense.
    #[inline]
    pub(super) fn of(object: Object<'a>) -> Option<Space<'a>> {
        let (base, bytes) = object.storage()?;
        (bytes >= STORAGE_BYTES).then_some(Space { object, memory: object.memory, base })
    }

    /// A word of the root page.
    #[inline]
    pub(super) fn root(&self, field: usize) -> usize {
        self.base + field
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> u64 {
        self.memory.word(at).load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set(&self, at: usize, value: u64) {
        // Release: stores stay in the order of the program, for whoever finds them after a death.
        self.memory.word(at).store(value, Ordering::Release);
    }

    /// Returns where a grown extent stands, if it is reserved and inside the memory.
    fn grown(&self, which: usize) -> Option<usize> {
        let extent = self.object.get(record::GROWN + which * 8);
        let (first, count) = ((extent >> 32) as usize, extent as u32 as usize);
        let at = BLOCK_BASE + first * BLOCK_BYTES;
        let whole = count * BLOCK_BYTES == grown_bytes(which);
        (whole && at + grown_bytes(which) <= self.memory.bytes()).then_some(at)
    }

    /// Returns where a block of so many bytes stands in memory.
    #[inline]
    pub(super) fn at(&self, block: Ref, bytes: usize) -> Result<usize, Fault> {
        let address = u64::from(block) << 4;
        let segment = (u64::BITS - 1).wrapping_sub(address.leading_zeros() + SEGMENT_LOG) as usize;
        if address < START || segment >= GROWN {
            return Err(Fault::Damaged);
        }
        let offset = address as usize - (SEGMENT_BYTES << segment);
        if bytes > (SEGMENT_BYTES << segment) - offset {
            return Err(Fault::Damaged);
        }
        let at = match segment {
            0 => self.base + ROOT_BYTES + JOURNAL_BYTES,
            _ => self.grown(segment).ok_or(Fault::Damaged)?,
        };
        Ok(at + offset)
    }

    /// Returns the segment in which an address lies that the space does not have yet.
    pub(super) fn missing(&self, address: u64) -> Option<usize> {
        let segment = (address >> SEGMENT_LOG).checked_ilog2().unwrap_or(0) as usize;
        (1..=segment).find(|segment| *segment >= GROWN || self.grown(*segment).is_none())
    }

    /// Returns where an entry of the journal stands: two words.
    pub(super) fn entry(&self, index: usize) -> Result<usize, Fault> {
        if let Some(far) = index.checked_sub(SHORT_ENTRIES) {
            if index >= ENTRIES {
                return Err(Fault::Answer(super::Error::TooLarge));
            }
            let long = self.grown(LONG_JOURNAL).ok_or(Fault::Grow(LONG_JOURNAL))?;
            return Ok(long + far * ENTRY_BYTES);
        }
        Ok(self.base + ROOT_BYTES + index * ENTRY_BYTES)
    }

    /// Returns whether a place in memory is a word that the journal may speak of.
    fn owns(&self, at: usize) -> bool {
        let within = |start: usize, bytes: usize| at >= start && at < start + bytes;
        let heap = self.base + ROOT_BYTES + JOURNAL_BYTES;
        at.is_multiple_of(8)
            && (within(self.base + root::BUMP, ROOT_BYTES - root::BUMP)
                || within(heap, SEGMENT_BYTES)
                || (1..GROWN).any(|segment| {
                    self.grown(segment).is_some_and(|start| within(start, grown_bytes(segment)))
                }))
    }

    /// Undoes what the journal says was not committed: each word becomes what it was, last first.
    /// Doing it again does no harm. `None`: the journal makes no sense.
    pub(super) fn undo(&self) -> Option<()> {
        let entries = self.get(self.root(root::JOURNAL));
        if entries as usize > ENTRIES {
            return None;
        }
        for index in (0..entries as usize).rev() {
            let entry = self.entry(index).ok()?;
            let (at, was) = (self.get(entry) as usize, self.get(entry + 8));
            if !self.owns(at) {
                return None;
            }
            self.set(at, was);
        }
        self.set(self.root(root::JOURNAL), 0);
        Some(())
    }
}
