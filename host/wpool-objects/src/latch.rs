//! The latch: a word that says who is inside an object for some nanoseconds.
//!
//! ```text
//! 0, or {epoch: 31 bits, slot + 1: 16 bits, contended: 1 bit}
//! ```
//!
//! It is taken by one CAS and left by one swap. Who finds it taken spins, then sleeps in slices. It
//! holds no pointers, and the kernel knows nothing of it, so a process that scribbles over it can make
//! others wait, and no more.
//!
//! **Invariant:** only a sweep breaks a latch, only that of an owner known to be dead, by the CAS
//! `{dead}` → `{sweeper}`; it rebuilds what the latch protects before it lets go.

use super::memory::Memory;
use super::park;
use super::slots::Owner;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Longest sleep before the word is looked at again: a wake-up can be lost with its sender.
const SLICE: Duration = Duration::from_millis(50);
/// Slices after which a latch is given up. They are counted, not timed, so that a machine (or a
/// process group) that was stopped meanwhile does not count.
pub(super) static SLICES_MAX: AtomicU32 = AtomicU32::new(40);
/// Turns of looking, with twice as many pauses after each, before it sleeps: some microseconds, while
/// a section takes a tenth of one. Who looks rarely lets the other go on with the object's words in
/// its own cache: between two CPUs that move from hand to hand costs more than the work.
const TURNS: u32 = 12;
const PAUSES_LOG_MAX: u32 = 6;

const CONTENDED: u64 = 1;

/// The latch was held for too long by somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stuck {
    /// Who, if the word names a slot.
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

    /// Takes the latch.
    #[inline]
    pub(super) fn take(self, me: Owner) -> Result<(), Stuck> {
        let mine = me.pack() << 1;
        // Acquire: pairs with the Release in `leave`.
        match self.word.compare_exchange(0, mine, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(_) => self.take_slowly(mine, SLICES_MAX.load(Ordering::Relaxed)),
        }
    }

    /// Takes the latch, waiting for at most so many slices.
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
        // Each turn either sees the word change, or sleeps: the bound is for hostile words.
        for _ in 0..100_000 {
            let seen = self.word.load(Ordering::Relaxed);
            if seen == 0 {
                // Contended: others may sleep, and whoever woke this one knows of no others.
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

    /// Leaves the latch after a sweep: a wake-up may have died with the one that was to send it.
    pub(super) fn leave_and_wake_all(self) {
        self.word.store(0, Ordering::Release);
        park::wake(self.low, u32::MAX >> 1);
    }

    /// Takes the latch of an owner that is dead. False if somebody else (or nobody) has it.
    pub(super) fn break_dead(self, dead: impl Fn(Option<Owner>) -> bool, me: Owner) -> bool {
        let seen = self.word.load(Ordering::Acquire);
        seen != 0 && dead(owner_in(seen)) && self.swap(seen, me.pack() << 1 | CONTENDED)
    }

    pub(super) fn is_free(self) -> bool {
        self.word.load(Ordering::Acquire) == 0
    }
}
