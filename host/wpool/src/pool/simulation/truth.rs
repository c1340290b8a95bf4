//! The true history of the jobs of a simulation, to compare with what the dispatcher reports.

use std::collections::HashMap;

#[derive(Debug, Default)]
pub(super) struct Truth {
    /// The number of attempts at each job.
    begun: HashMap<u64, u64>,
    /// The number of attempts at each job that have a record.
    committed: HashMap<u64, u64>,
}

impl Truth {
    pub(super) fn begun(&mut self, job: u64) {
        *self.begun.entry(job).or_default() += 1;
    }

    pub(super) fn committed(&mut self, job: u64) {
        *self.committed.entry(job).or_default() += 1;
    }

    pub(super) fn attempts(&self, job: u64) -> u64 {
        self.begun.get(&job).copied().unwrap_or(0)
    }

    /// Returns a job that was begun more than `most` times, and how often it was.
    pub(super) fn begun_too_often(&self, most: u64) -> Option<(u64, u64)> {
        self.begun.iter().map(|(job, times)| (*job, *times)).find(|(_, times)| *times > most)
    }

    /// Returns the jobs that were finished.
    pub(super) fn finished(&self) -> impl Iterator<Item = u64> {
        self.committed.keys().copied()
    }
}
