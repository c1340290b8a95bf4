//! The messages of a queue: their descriptors, and the blocks that hold long messages.
//!
//! ```text
//! storage: undone[slot] u64   PRIMARY {epoch, n}: acknowledged by the slot, and not yet done
//!          lease[slot]  u32   derived: the descriptor that the slot has on lease, plus one
//!          ring         u32   derived: the descriptors that are ready, in order
//!          next         u32   for each block the next one: in a message, or in the free chain
//!          descriptor   128   word PRIMARY, ticket, {blocks, bytes}, {next free, first block}, inline
//!          block        256
//! ```
//!
//! A descriptor's word is `{deliveries: 8 bits, state: 8, owner: 47}`: free (0) → being written by
//! its owner → ready → on lease to its owner → free. Short messages are stored in the descriptor.
//!
//! `high` is the number of descriptors, and of blocks, that were ever used. Both numbers only grow,
//! and grow before the store that commits the use. Descriptors and blocks above `high` are free and
//! were never touched.

use super::layout::{SLOTS, record};
use super::object::Object;
use super::slots::{OWNER_BITS, OWNER_MASK, Owner};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The longest message that is stored in its descriptor, in bytes.
pub(super) const INLINE_BYTES: usize = 96;
/// The size of a block, in bytes.
pub(super) const PIECE: usize = 256;
/// The greatest number of messages that a queue can be made for.
pub(crate) const MESSAGES_MAX: u32 = 1 << 16;
/// The greatest number of bytes that a queue can be made for.
pub(crate) const BYTES_MAX: u64 = 1 << 36;

const DESCRIPTOR: usize = 128;
const TICKET: usize = 8;
const SIZE: usize = 16;
const LINKS: usize = 24;
const INLINE: usize = 32;

/// A bit of the parameters `{joinable: 1 bit, blocks: 31, messages: 32}`.
pub(super) const JOINABLE: u64 = 1 << 63;

/// The state of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Free = 0,
    Writing = 1,
    Ready = 2,
    Leased = 3,
}

/// A descriptor's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) state: State,
    pub(super) owner: u64,
    pub(super) deliveries: u8,
}

impl Word {
    #[inline]
    pub(super) fn pack(self) -> u64 {
        u64::from(self.deliveries) << 55 | (self.state as u64) << OWNER_BITS | self.owner
    }

    #[inline]
    pub(super) fn unpack(word: u64) -> Option<Word> {
        let state = match (word >> OWNER_BITS) as u8 {
            0 => State::Free,
            1 => State::Writing,
            2 => State::Ready,
            3 => State::Leased,
            _ => return None,
        };
        Some(Word { state, owner: word & OWNER_MASK, deliveries: (word >> 55) as u8 })
    }

    pub(super) fn is(self, state: State, owner: Owner) -> bool {
        self.state == state && self.owner == owner.pack()
    }
}

/// Returns the two halves of a word, which change together under the latch.
#[inline]
pub(super) fn halves(word: u64) -> (u32, u32) {
    (word as u32, (word >> 32) as u32)
}

#[inline]
pub(super) fn join(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// The places of a queue's parts, checked against its storage: every index below the counts here is
/// inside the memory.
#[derive(Clone, Copy)]
pub(super) struct Store<'a> {
    pub(super) object: Object<'a>,
    pub(super) messages: u32,
    pub(super) blocks: u32,
    pub(super) joinable: bool,
    pub(super) descriptors: u32,
    at: usize,
    lease: usize,
    ring: usize,
    next: usize,
    descriptor: usize,
    data: usize,
}

/// Returns the offsets of the parts, and their end.
#[inline]
fn parts(descriptors: usize, blocks: usize) -> [usize; 6] {
    let lease = SLOTS * 8;
    let ring = lease + SLOTS * 4;
    let next = ring + descriptors * 4;
    let descriptor = (next + blocks * 4).next_multiple_of(DESCRIPTOR);
    let data = (descriptor + descriptors * DESCRIPTOR).next_multiple_of(PIECE);
    [lease, ring, next, descriptor, data, data + blocks * PIECE]
}

/// Returns the bytes of storage of a queue for this many messages and blocks. Each slot can have
/// one more message on lease.
pub(super) fn storage_bytes(messages: u32, blocks: u32) -> usize {
    parts(messages as usize + SLOTS, blocks as usize)[5]
}

impl<'a> Store<'a> {
    /// Returns the parts of a queue, or `None` if its words make no sense.
    #[inline]
    pub(super) fn of(object: Object<'a>) -> Option<Store<'a>> {
        let (messages, high) = halves(object.word(record::PARAMS).load(Ordering::Relaxed));
        let (blocks, joinable) = (high & (u32::MAX >> 1), high >> 31 != 0);
        let (at, bytes) = object.storage()?;
        if messages > MESSAGES_MAX {
            return None;
        }
        let descriptors = messages + SLOTS as u32;
        let [lease, ring, next, descriptor, data, end] =
            parts(descriptors as usize, blocks as usize);
        let parts = [lease, ring, next, descriptor, data].map(|part| at + part);
        let [lease, ring, next, descriptor, data] = parts;
        (end <= bytes).then_some(Store {
            object,
            messages,
            blocks,
            joinable,
            descriptors,
            at,
            lease,
            ring,
            next,
            descriptor,
            data,
        })
    }

    pub(super) fn undone(&self, slot: u16) -> &'a AtomicU64 {
        self.object.memory.word(self.at + usize::from(slot) * 8)
    }

    #[inline]
    pub(super) fn lease(&self, slot: u16) -> &'a AtomicU32 {
        self.object.memory.half(self.lease + usize::from(slot) * 4)
    }

    /// Returns a place in the ring, which must be below `descriptors`.
    #[inline]
    pub(super) fn ring(&self, place: u32) -> &'a AtomicU32 {
        assert!(place < self.descriptors, "a place in the ring is checked where it is read");
        self.object.memory.half(self.ring + place as usize * 4)
    }

    /// Returns the link of a block, which must be below `blocks`: the next block's index plus one,
    /// or 0.
    #[inline]
    pub(super) fn next(&self, block: u32) -> &'a AtomicU32 {
        assert!(block < self.blocks, "a block's index is checked where it is read");
        self.object.memory.half(self.next + block as usize * 4)
    }

    #[inline]
    pub(super) fn block(&self, block: u32) -> usize {
        assert!(block < self.blocks, "a block's index is checked where it is read");
        self.data + block as usize * PIECE
    }

    #[inline]
    fn descriptor(&self, index: u32, field: usize) -> &'a AtomicU64 {
        assert!(index < self.descriptors, "a descriptor's index is checked where it is read");
        self.object.memory.word(self.descriptor + index as usize * DESCRIPTOR + field)
    }

    #[inline]
    pub(super) fn word(&self, index: u32) -> Option<Word> {
        Word::unpack(self.descriptor(index, 0).load(Ordering::Acquire))
    }

    /// Commits a descriptor's word.
    #[inline]
    pub(super) fn commit(&self, index: u32, word: Word) {
        // Release: pairs with the Acquire in `word`; the message is whole when it is ready.
        self.descriptor(index, 0).store(word.pack(), Ordering::Release);
    }

    #[inline]
    pub(super) fn ticket(&self, index: u32) -> &'a AtomicU64 {
        self.descriptor(index, TICKET)
    }

    #[inline]
    pub(super) fn set_size(&self, index: u32, bytes: u32, blocks: u32) {
        self.descriptor(index, SIZE).store(join(bytes, blocks), Ordering::Relaxed);
    }

    /// Returns the bytes and blocks of a message, or `None` if they do not fit each other.
    #[inline]
    pub(super) fn size(&self, index: u32) -> Option<(u32, u32)> {
        let (bytes, blocks) = halves(self.descriptor(index, SIZE).load(Ordering::Relaxed));
        let fits = if blocks == 0 {
            bytes as usize <= INLINE_BYTES
        } else {
            blocks <= self.blocks && bytes as usize <= blocks as usize * PIECE
        };
        fits.then_some((bytes, blocks))
    }

    /// Returns the links of a descriptor: `{first block plus one, next free descriptor plus one}`.
    #[inline]
    pub(super) fn links(&self, index: u32) -> &'a AtomicU64 {
        self.descriptor(index, LINKS)
    }

    #[inline]
    pub(super) fn inline(&self, index: u32) -> usize {
        assert!(index < self.descriptors, "a descriptor's index is checked where it is read");
        self.descriptor + index as usize * DESCRIPTOR + INLINE
    }

    /// Returns how many descriptors and blocks were ever used.
    #[inline]
    pub(super) fn high(&self) -> (u32, u32) {
        let (descriptors, blocks) = halves(self.object.get(record::SECOND));
        (descriptors.min(self.descriptors), blocks.min(self.blocks))
    }

    /// Returns the blocks of a message in order, with a `None` at the first index that makes no
    /// sense.
    #[inline]
    pub(super) fn chain(&self, index: u32, blocks: u32) -> Chain<'a> {
        let first = halves(self.links(index).load(Ordering::Relaxed)).0;
        Chain { store: *self, at: first, left: blocks }
    }

    /// Copies a message's bytes from private memory into its place. Returns false if its chain
    /// makes no sense.
    #[inline]
    pub(super) fn write(&self, index: u32, from: &[u8], blocks: u32) -> bool {
        let memory = self.object.memory;
        if blocks == 0 {
            memory.write(self.inline(index), from);
            return true;
        }
        let mut pieces = from.chunks(PIECE);
        for block in self.chain(index, blocks) {
            let Some(block) = block else { return false };
            memory.write(self.block(block), pieces.next().unwrap_or_default());
        }
        pieces.next().is_none()
    }

    /// Copies a message out. Returns false if its chain makes no sense.
    #[inline]
    pub(super) fn read(&self, index: u32, bytes: u32, blocks: u32, to: &mut Vec<u8>) -> bool {
        let memory = self.object.memory;
        to.clear();
        to.resize(bytes as usize, 0);
        if blocks == 0 {
            memory.read(self.inline(index), to);
            return true;
        }
        let mut pieces = to.chunks_mut(PIECE);
        for block in self.chain(index, blocks) {
            let Some(block) = block else { return false };
            memory.read(self.block(block), pieces.next().unwrap_or_default());
        }
        pieces.next().is_none()
    }
}

/// An iterator over the blocks of a message. It yields one item for each block, unless one makes no
/// sense.
pub(super) struct Chain<'a> {
    store: Store<'a>,
    at: u32,
    left: u32,
}

impl Iterator for Chain<'_> {
    type Item = Option<u32>;

    #[inline]
    fn next(&mut self) -> Option<Option<u32>> {
        self.left = self.left.checked_sub(1)?;
        let block = self.at.wrapping_sub(1);
        if block >= self.store.blocks {
            self.left = 0;
            return Some(None);
        }
        self.at = self.store.next(block).load(Ordering::Relaxed);
        Some(Some(block))
    }
}
