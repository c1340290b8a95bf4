//! Batch sizing: the number of jobs to put into a batch.
//!
//! A batch should take about a millisecond: long enough that its frame costs nothing, short enough
//! that no worker is left alone with a long one. The size starts at one job, doubles while batches
//! are shorter than that, and halves when one took too long.

use crate::wire::frame::BATCH_JOBS_MAX;
use crate::wire::jobmem::OUTBOX_BYTES;
use std::time::Duration;

/// The duration below which a batch makes the next ones larger.
const SHORT: Duration = Duration::from_millis(1);

/// The duration above which a batch makes the next ones smaller.
const LONG: Duration = Duration::from_millis(4);

/// The largest number of bytes of jobs in a batch of more than one job.
pub(crate) const BATCH_BYTES_MAX: usize = 64 << 10;

/// The size of the next batches.
#[derive(Clone, Debug)]
pub(crate) struct Sizing {
    jobs: u16,
    jobs_max: u16,
    /// The moving mean of the bytes of a result.
    result_bytes: f64,
}

impl Sizing {
    /// Starts with one job per batch, and allows at most `jobs_max`.
    pub(crate) fn new(jobs_max: Option<u16>) -> Self {
        let jobs_max = jobs_max.unwrap_or(BATCH_JOBS_MAX).clamp(1, BATCH_JOBS_MAX);
        Sizing { jobs: 1, jobs_max, result_bytes: 0.0 }
    }

    /// Returns the largest number of jobs for the next batch, when `left` jobs are known to be left
    /// for `workers` workers.
    pub(crate) fn jobs(&self, left: Option<u64>, workers: usize) -> u16 {
        let fair = left.map_or(u64::MAX, |left| (left / (2 * workers.max(1) as u64)).max(1));
        let fitting = (OUTBOX_BYTES / 2) as f64 / self.result_bytes.max(1.0);
        let most = u64::from(self.jobs_max).min(fair).min((fitting as u64).max(1));
        u64::from(self.jobs).min(most) as u16
    }

    /// Learns from a batch of `jobs` jobs whose results had `bytes` bytes, and which took `took`.
    pub(crate) fn learn(&mut self, jobs: u16, bytes: usize, took: Duration) {
        let mean = bytes as f64 / f64::from(jobs.max(1));
        // A first large result counts at once, later ones level out.
        self.result_bytes =
            if mean > self.result_bytes { mean } else { self.result_bytes * 0.75 + mean * 0.25 };
        if took > LONG {
            self.jobs = (self.jobs / 2).max(1);
        } else if took < SHORT && jobs >= self.jobs {
            self.jobs = self.jobs.saturating_mul(2).min(self.jobs_max);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_of_short_jobs_grow_to_the_limit_and_no_further() {
        let mut sizing = Sizing::new(None);
        assert_eq!(sizing.jobs(None, 2), 1);
        for _ in 0..20 {
            sizing.learn(sizing.jobs(None, 2), 100, Duration::from_micros(50));
        }
        assert_eq!(sizing.jobs(None, 2), BATCH_JOBS_MAX);
        assert_eq!(sizing.jobs(Some(100), 2), 25, "the rest is shared fairly");
        assert_eq!(sizing.jobs(Some(1), 2), 1);
    }

    #[test]
    fn an_overrun_halves_the_size() {
        let mut sizing = Sizing::new(None);
        for _ in 0..4 {
            sizing.learn(sizing.jobs(None, 1), 1, Duration::ZERO);
        }
        sizing.learn(16, 16, Duration::from_millis(5));
        assert_eq!(sizing.jobs(None, 1), 8);
    }

    #[test]
    fn large_results_make_small_batches() {
        let mut sizing = Sizing::new(Some(100));
        for _ in 0..10 {
            sizing.learn(sizing.jobs(None, 1), 1, Duration::ZERO);
        }
        sizing.learn(1, 40_000, Duration::ZERO);
        assert_eq!(sizing.jobs(None, 1), 3);
    }
}
