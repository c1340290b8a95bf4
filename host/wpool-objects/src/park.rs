//! Parking: sleeping until another process wakes the sleeper. All futex waits are timed.
//!
//! A park word is `{changes: 31 bits, sleeping: 1 bit}`. A waker adds one change, and calls the
//! kernel only if somebody sleeps.

use super::memory::Memory;
use rustix::thread::futex::{self, Flags};
use rustix::time::Timespec;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The longest sleep without looking again. In tests it is so long that a lost wake-up is noticed.
pub(super) const SLICE: Duration = Duration::from_millis(if cfg!(test) { 3000 } else { 50 });

const SLEEPING: u32 = 1;
const CHANGE: u32 = 2;

/// Sleeps while the word is `seen`, at most for `limit`. Returns false if the whole time has
/// passed.
pub(super) fn sleep(word: &AtomicU32, seen: u32, limit: Duration) -> bool {
    let limit = Timespec {
        tv_sec: limit.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: limit.subsec_nanos().into(),
    };
    // No PRIVATE flag: the sleepers are in several processes.
    futex::wait(word, Flags::empty(), seen, Some(&limit)) != Err(rustix::io::Errno::TIMEDOUT)
}

/// Wakes up to `count` sleepers of the word.
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

    /// Returns the value to hand to `sleep`. The caller reads it before looking at what it waits
    /// for.
    pub(super) fn seen(self) -> u32 {
        // Acquire: pairs with the Release in `bump`.
        self.word.load(Ordering::Acquire) & !SLEEPING
    }

    /// Sleeps until the next change after `seen`, at most for `limit`.
    pub(super) fn sleep(self, seen: u32, limit: Duration) {
        let asleep = seen | SLEEPING;
        // The bit may be set already, by a sleep that was cut short.
        let now = self.word.load(Ordering::Acquire);
        if now & !SLEEPING != seen
            || self.word.compare_exchange(now, asleep, Ordering::AcqRel, Ordering::Acquire).is_err()
        {
            return;
        }
        sleep(self.word, asleep, limit);
        self.word.fetch_and(!SLEEPING, Ordering::AcqRel);
    }

    /// Ends the present sleep, or the next one whose `seen` was read before.
    pub(super) fn bump(self) {
        // Release: the sleeper sees what was changed before the wake-up.
        if self.word.fetch_add(CHANGE, Ordering::AcqRel) & SLEEPING != 0 {
            wake(self.word, 1);
        }
    }

    /// Does the same as `bump` for a word that anybody may have changed last.
    pub(super) fn bump_surely(self) {
        self.word.fetch_add(CHANGE, Ordering::AcqRel);
        wake(self.word, u32::MAX >> 1);
    }
}
