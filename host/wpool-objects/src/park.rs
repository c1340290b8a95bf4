//! Sleeping until another process says so: futex waits, always timed.
//!
//! A park word is `{changes: 31 bits, sleeping: 1 bit}`. Whoever wakes adds one change, and calls the
//! kernel only if somebody sleeps.

use super::memory::Memory;
use rustix::thread::futex::{self, Flags};
use rustix::time::Timespec;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Longest sleep without looking again. In tests it is so long that a lost wake-up is noticed.
pub(super) const SLICE: Duration = Duration::from_millis(if cfg!(test) { 3000 } else { 50 });

const SLEEPING: u32 = 1;
const CHANGE: u32 = 2;

/// Sleeps while the word is as seen, at most for `limit`. False after the whole time.
pub(super) fn sleep(word: &AtomicU32, seen: u32, limit: Duration) -> bool {
    let limit = Timespec {
        tv_sec: limit.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    };
    // No PRIVATE flag: the sleepers are in several processes.
    futex::wait(word, Flags::empty(), seen, Some(&limit)) != Err(rustix::io::Errno::TIMEDOUT)
}

/// Wakes up to `count` that sleep on the word.
pub(super) fn wake(word: &AtomicU32, count: u32) {
    // An error can only mean that the address is bad, and then nobody sleeps there.
    let _ = futex::wake(word, Flags::empty(), count);
}

/// The word on which one slot sleeps.
#[derive(Clone, Copy)]
pub(super) struct Park<'a> {
    word: &'a AtomicU32,
}

impl<'a> Park<'a> {
    pub(super) fn new(memory: &'a Memory, at: usize) -> Park<'a> {
        Park { word: memory.half(at) }
    }

    /// What to hand to `sleep`. Ask before looking at what is waited for.
    pub(super) fn seen(self) -> u32 {
        // Acquire: pairs with the Release in `bump`.
        self.word.load(Ordering::Acquire) & !SLEEPING
    }

    /// Sleeps until the next change after `seen`, at most for `limit`.
    pub(super) fn sleep(self, seen: u32, limit: Duration) {
        let asleep = seen | SLEEPING;
        // The bit may stand there already, from a sleep that was cut short.
        let now = self.word.load(Ordering::Acquire);
        if now & !SLEEPING != seen
            || self.word.compare_exchange(now, asleep, Ordering::AcqRel, Ordering::Acquire).is_err()
        {
            return;
        }
        sleep(self.word, asleep, limit);
        self.word.fetch_and(!SLEEPING, Ordering::AcqRel);
    }

    /// Ends the sleep, or the next one that `seen` was asked for before.
    pub(super) fn bump(self) {
        // Release: what was changed before is seen by the one that wakes.
        if self.word.fetch_add(CHANGE, Ordering::AcqRel) & SLEEPING != 0 {
            wake(self.word, 1);
        }
    }

    /// As `bump`, for a word of which nobody knows who changed it last.
    pub(super) fn bump_surely(self) {
        self.word.fetch_add(CHANGE, Ordering::AcqRel);
        wake(self.word, u32::MAX >> 1);
    }
}
