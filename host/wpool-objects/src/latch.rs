//! The latch: a word that names the owner that is inside an object for some nanoseconds.
//!
//! ```text
//! 0, or {epoch: 31 bits, slot + 1: 16 bits, contended: 1 bit}
//! ```
//!
//! A latch is taken by one CAS and left by one swap. A caller that finds the latch taken spins,
//! then sleeps in slices. The latch holds no pointers, and the kernel knows nothing of it, so a
//! process that scribbles over it can make others wait, and no more.
//!
//! **Invariant:** only a sweep breaks a latch, and only the latch of an owner known to be dead, by
//! the CAS `{dead}` → `{sweeper}`. The sweep rebuilds what the latch protects before it leaves the
//! latch.

use super::memory::Memory;
use super::park;
use super::slots::Owner;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// The longest sleep before the word is looked at again: a wake-up can be lost with its sender.
const SLICE: Duration = Duration::from_millis(50);
/// The number of slices after which a latch is given up. Slices are counted, not timed, so that a
/// machine (or a process group) that was stopped meanwhile does not count.
pub(super) static SLICES_MAX: AtomicU32 = AtomicU32::new(40);
/// The turns of looking before a caller sleeps, each with twice as many pauses as the one before:
/// some microseconds in all, while a section takes a tenth of one. A caller that looks rarely
/// leaves the object's words in the other CPU's cache: moving them between two CPUs costs more than
/// the work.
const TURNS: u32 = 12;
const PAUSES_LOG_MAX: u32 = 6;

const CONTENDED: u64 = 1;

/// The error of a latch that somebody held for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stuck {
    /// The holder, if the word names a slot.
    pub(super) holder: Option<Owner>,
}

#[derive(Clone, Copy)]
pub(super) struct Latch<'a> {
    word: &'a AtomicU64,
    low: &'a AtomicU32,
}

fn owner_in(word: u64) -> Option<Owner> {
    Owner::unpack(word >> 1)
}

impl<'a> Latch<'a> {
    #[inline]
    pub(super) fn new(memory: &'a Memory, at: usize) -> Latch<'a> {
        let low = at + if cfg!(target_endian = "big") { 4 } else { 0 };
        Latch { word: memory.word(at), low: memory.half(low) }
    }

    /// Takes the latch, or returns its holder if it was held for too long.
    #[inline]
    pub(super) fn take(self, me: Owner) -> Result<(), Stuck> {
        let mine = me.pack() << 1;
        // Acquire: pairs with the Release in `leave`.
        match self.word.compare_exchange(0, mine, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(_) => self.take_slowly(mine, SLICES_MAX.load(Ordering::Relaxed)),
        }
    }

    /// Takes the latch, waiting for at most `slices` slices.
    #[cold]
    pub(super) fn take_slowly(self, mine: u64, slices: u32) -> Result<(), Stuck> {
        for turn in 0..TURNS {
            if self.word.load(Ordering::Relaxed) == 0 && self.swap(0, mine) {
                return Ok(());
            }
            for _ in 0..1 << turn.min(PAUSES_LOG_MAX) {
                std::hint::spin_loop();
            }
        }
        let mut over = 0;
        // Each turn either sees the word change or sleeps: the bound is there for hostile words.
        for _ in 0..100_000 {
            let seen = self.word.load(Ordering::Relaxed);
            if seen == 0 {
                // The word is taken as contended: others may sleep, and the slot that woke this one
                // knows of no others.
                if self.swap(0, mine | CONTENDED) {
                    return Ok(());
                }
                continue;
            }
            if over >= slices {
                return Err(Stuck { holder: owner_in(seen) });
            }
            if seen & CONTENDED == 0 && !self.swap(seen, seen | CONTENDED) {
                continue;
            }
            if !park::sleep(self.low, (seen | CONTENDED) as u32, SLICE) {
                over += 1;
            }
        }
        Err(Stuck { holder: owner_in(self.word.load(Ordering::Relaxed)) })
    }

    fn swap(self, from: u64, to: u64) -> bool {
        self.word.compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Leaves the latch.
    #[inline]
    pub(super) fn leave(self) {
        // Release: pairs with the Acquire in `take`.
        if self.word.swap(0, Ordering::Release) & CONTENDED != 0 {
            park::wake(self.low, 1);
        }
    }

    /// Leaves the latch after a sweep, and wakes all sleepers: a wake-up may have died with its
    /// sender.
    pub(super) fn leave_and_wake_all(self) {
        self.word.store(0, Ordering::Release);
        park::wake(self.low, u32::MAX >> 1);
    }

    /// Takes the latch of a dead owner. Returns false if somebody else holds the latch, or nobody.
    pub(super) fn break_dead(self, dead: impl Fn(Option<Owner>) -> bool, me: Owner) -> bool {
        let seen = self.word.load(Ordering::Acquire);
        seen != 0 && dead(owner_in(seen)) && self.swap(seen, me.pack() << 1 | CONTENDED)
    }

    pub(super) fn is_free(self) -> bool {
        self.word.load(Ordering::Acquire) == 0
    }
}
