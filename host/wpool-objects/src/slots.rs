//! Slots: the identities that own things in control memory.
//!
//! A slot belongs to one worker or one thread of the host at a time; its epoch grows by one each
//! time the slot is handed out. Owned things name both slot and epoch, so nothing is ever charged
//! to a successor.
//!
//! ```text
//! life       {epoch, attached}          for people and for fsck; the host's registry has the truth
//! wait       PRIMARY, see `super::wait`
//! ticket     the place in the order of waits
//! note       what the wait is about (a barrier's generation)
//! notified   PRIMARY: the condition whose notification this slot has taken and not yet returned with
//! park       the only futex on which this slot sleeps, except latches
//! ```

use super::layout::{SLOT_BASE, SLOT_BYTES, SLOTS, slot};
use super::memory::Memory;
use super::park::Park;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The bits of an epoch. Epochs are compared for equality only, so they may wrap.
const EPOCH: u32 = u32::MAX >> 1;
/// The number of bits of a packed owner.
pub(super) const OWNER_BITS: u32 = 47;
pub(super) const OWNER_MASK: u64 = (1 << OWNER_BITS) - 1;

/// An owner: a slot in one of its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// The index of the slot.
    pub slot: u16,
    /// The number of the slot's life.
    pub epoch: u32,
}

impl Owner {
    /// Packs the owner into 47 bits, which are never 0.
    #[inline]
    pub(super) fn pack(self) -> u64 {
        (u64::from(self.epoch & EPOCH) << 16) | (u64::from(self.slot) + 1)
    }

    /// Returns the owner in the low 47 bits of a word, or `None` if they name no existing slot.
    #[inline]
    pub(super) fn unpack(word: u64) -> Option<Owner> {
        let slot = (word & 0xffff).checked_sub(1)? as u16;
        let epoch = (word >> 16) as u32 & EPOCH;
        (usize::from(slot) < SLOTS).then_some(Owner { slot, epoch })
    }

    /// Returns the next life of the same slot.
    pub(crate) fn successor(self) -> Owner {
        Owner { slot: self.slot, epoch: (self.epoch + 1) & EPOCH }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {} (epoch {})", self.slot, self.epoch)
    }
}

/// The caller of an operation, with the flag that makes it give up waiting.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The identity under which everything is done.
    pub owner: Owner,
    /// The stop flag. While it is not 0, every wait ends with `Interrupted`; `Shared::interrupt`
    /// makes a sleeper look at once.
    pub stop: &'a AtomicU32,
}

/// The words of a slot.
#[derive(Clone, Copy)]
pub(super) struct Slot<'a> {
    memory: &'a Memory,
    at: usize,
}

impl<'a> Slot<'a> {
    /// Returns the words of a slot. `index` is below `SLOTS`: it was checked when it was read.
    #[inline]
    pub(super) fn new(memory: &'a Memory, index: u16) -> Slot<'a> {
        assert!(usize::from(index) < SLOTS, "a slot's index is checked where it is read");
        Slot { memory, at: SLOT_BASE + usize::from(index) * SLOT_BYTES }
    }

    pub(super) fn all(memory: &'a Memory) -> impl Iterator<Item = (u16, Slot<'a>)> {
        (0..SLOTS as u16).map(move |index| (index, Slot::new(memory, index)))
    }

    #[inline]
    pub(super) fn wait(self) -> &'a AtomicU64 {
        self.memory.word(self.at + slot::WAIT)
    }

    pub(super) fn ticket(self) -> &'a AtomicU64 {
        self.memory.word(self.at + slot::TICKET)
    }

    pub(super) fn note(self) -> &'a AtomicU64 {
        self.memory.word(self.at + slot::NOTE)
    }

    pub(super) fn notified(self) -> &'a AtomicU64 {
        self.memory.word(self.at + slot::NOTIFIED)
    }

    #[inline]
    pub(super) fn park(self) -> Park<'a> {
        Park::new(self.memory, self.at + slot::PARK)
    }

    /// Prepares the slot for a new life.
    pub(super) fn begin(self, owner: Owner) {
        self.forget();
        self.memory.word(self.at + slot::LIFE).store(owner.pack(), Ordering::Release);
    }

    /// Ends the slot's life.
    pub(super) fn end(self) {
        self.forget();
        self.memory.word(self.at + slot::LIFE).store(0, Ordering::Release);
    }

    /// Clears the slot's wait and notification.
    pub(super) fn forget(self) {
        self.wait().store(0, Ordering::Release);
        self.notified().store(0, Ordering::Release);
    }

    /// Returns the slot's present owner, as far as control memory knows.
    pub(super) fn life(self) -> Option<Owner> {
        Owner::unpack(self.memory.word(self.at + slot::LIFE).load(Ordering::Acquire))
    }
}
