//! Moments on the clock that all processes of a machine share.

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// A time longer than any run. (An [`Instant`] has no largest value.)
const AGES: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Returns the instant that is `time` later than another one. If there is no such instant, returns
/// one that nobody lives to see.
pub fn after(instant: Instant, time: Duration) -> Instant {
    instant.checked_add(time).unwrap_or_else(|| instant + AGES)
}

/// A moment in nanoseconds of `CLOCK_MONOTONIC`, which is the same in every process of a machine.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MonotonicTime(u64);

impl MonotonicTime {
    /// Returns the present moment.
    pub fn now() -> MonotonicTime {
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("every Linux has this clock");
        MonotonicTime(Duration::from(now).as_nanos() as u64)
    }

    /// Returns the moment that was `time` ago.
    pub fn ago(time: Duration) -> MonotonicTime {
        MonotonicTime(MonotonicTime::now().0.saturating_sub(time.as_nanos() as u64))
    }

    /// Returns the moment that is `time` later.
    pub fn after(self, time: Duration) -> MonotonicTime {
        MonotonicTime(self.0.saturating_add(time.as_nanos() as u64))
    }

    /// Returns the time from an earlier moment to this one, or zero if `earlier` is later.
    pub fn since(self, earlier: MonotonicTime) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Returns the moment in nanoseconds, as it travels.
    pub fn nanos(self) -> u64 {
        self.0
    }

    /// Returns a moment that has travelled: it is untrusted, and may be far in the future.
    pub fn of_nanos(nanos: u64) -> MonotonicTime {
        MonotonicTime(nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_an_instant_after_any_time() {
        let now = Instant::now();
        assert_eq!(after(now, Duration::from_secs(1)) - now, Duration::from_secs(1));
        assert_eq!(after(now, Duration::MAX) - now, AGES);
    }

    #[test]
    fn time_goes_on_and_never_back() {
        let earlier = MonotonicTime::now();
        let later = MonotonicTime::now();
        assert!(earlier <= later && earlier.nanos() > 0);
        assert_eq!(earlier.since(later), Duration::ZERO);
        let second = MonotonicTime::of_nanos(later.nanos() + 1_000_000_000);
        assert_eq!(second.since(later), Duration::from_secs(1));
    }
}
