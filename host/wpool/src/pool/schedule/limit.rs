//! The time limit of an attempt: the same for all jobs, or a share of the median of the jobs that
//! have succeeded.

use crate::pool::config::Config;
use std::time::Duration;

/// The number of successes that a median needs.
const SUCCESSES_MIN: u64 = 3;

/// The smallest limit that a median can lead to. Shorter times depend more on the machine than on
/// the jobs.
const LIMIT_MIN: Duration = Duration::from_millis(100);

/// The number of parts into which each power of two of nanoseconds is divided, so that a median is
/// right to 3 percent.
const PARTS: usize = 32;
const PART_BITS: u32 = PARTS.trailing_zeros();

/// The time limit of an attempt.
#[derive(Debug)]
pub(crate) struct TimeLimit {
    fixed: Option<Duration>,
    percent: Option<f64>,
    /// The number of successes by the leading bits of their time in nanoseconds. Empty if no share
    /// of the median is configured.
    counts: Vec<u64>,
    count: u64,
}

impl TimeLimit {
    /// Returns the limit that the configuration names.
    pub(crate) fn new(config: &Config) -> Self {
        let counts = if config.timeout_percent.is_some() { 64 * PARTS } else { 0 };
        TimeLimit {
            fixed: config.timeout,
            percent: config.timeout_percent,
            counts: vec![0; counts],
            count: 0,
        }
    }

    /// Notes how long a successful job took.
    #[inline]
    pub(crate) fn note(&mut self, nanos: u64) {
        if !self.counts.is_empty() {
            self.counts[part(nanos)] += 1;
            self.count += 1;
        }
    }

    /// Returns the limit that holds now.
    pub(crate) fn now(&self) -> Option<Duration> {
        let (Some(percent), SUCCESSES_MIN..) = (self.percent, self.count) else {
            return self.fixed;
        };
        let mut before = 0;
        let middle = self.counts.iter().position(|count| {
            before += count;
            before > self.count / 2
        });
        let nanos = nanos_of(middle.unwrap_or(0)) as f64 * percent / 100.0;
        Some(Duration::from_nanos(nanos as u64).max(LIMIT_MIN))
    }
}

/// Returns the index at which a time is counted.
fn part(nanos: u64) -> usize {
    let power = u64::BITS - (nanos >> PART_BITS).leading_zeros();
    let first_bits = (nanos >> power.saturating_sub(1)) as usize;
    match power {
        0 => nanos as usize,
        _ => power as usize * PARTS + (first_bits - PARTS),
    }
}

/// Returns the smallest time, in nanoseconds, that is counted at an index.
fn nanos_of(part: usize) -> u64 {
    match part / PARTS {
        0 => part as u64,
        power => ((part % PARTS + PARTS) as u64) << (power - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(percent: Option<f64>) -> TimeLimit {
        TimeLimit::new(&Config { timeout_percent: percent, ..Config::default() })
    }

    #[test]
    fn a_share_of_the_median_is_the_limit_once_there_are_a_few_successes() {
        let mut limit = limit(Some(200.0));
        for milliseconds in [1_000, 50] {
            limit.note(milliseconds * 1_000_000);
        }
        assert_eq!(limit.now(), None);
        // The times are 1000, 50, 300, 400 and 60,000 ms; the median is 400.
        for milliseconds in [300, 400, 60_000] {
            limit.note(milliseconds * 1_000_000);
        }
        let now = limit.now().expect("a limit").as_secs_f64();
        assert!((0.77..=0.8).contains(&now), "{now}");
        (0..100).for_each(|_| limit.note(20_000));
        assert_eq!(limit.now(), Some(LIMIT_MIN));
    }

    #[test]
    fn without_a_share_the_limit_is_fixed_and_nothing_is_counted() {
        let mut fixed = limit(None);
        fixed.note(5);
        assert_eq!((fixed.now(), fixed.count), (None, 0));
    }

    #[test]
    fn every_time_has_a_place_that_is_right_to_three_percent() {
        let mut last = 0;
        for nanos in
            (0..64).flat_map(|bit| [1u64 << bit, (1 << bit) + (1 << bit) / 3, (1 << bit) - 1])
        {
            let place = part(nanos);
            assert!(place < 64 * PARTS, "{nanos}");
            let least = nanos_of(place);
            assert!(least <= nanos && nanos - least <= nanos / 32, "{nanos} {least}");
            last = last.max(place);
        }
        assert!(part(u64::MAX) >= last);
    }
}
