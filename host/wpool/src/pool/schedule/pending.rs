//! The pending jobs, which are read but not sent: new ones, and ones that came back.

use crate::pool::feed::InputQueue;
use crate::wire::frame::{ENTRY_BYTES, Entries, Walk, u32_at};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// The jobs that are read but not sent.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// The new jobs as the source wrote them; the first `at` bytes have been taken.
    fresh: Entries,
    at: usize,
    taken: usize,
    next: u64,
    /// The jobs that were sent and came back, by number.
    returned: BTreeMap<u64, Vec<u8>>,
    returned_bytes: usize,
    /// The jobs to be retried, by the time before which they must not run.
    delayed: BTreeSet<(Instant, u64)>,
    delayed_jobs: BTreeMap<u64, Vec<u8>>,
}

impl Pending {
    /// Takes over the jobs that a source has added. There must be no new jobs left.
    pub(crate) fn refill(&mut self, inputs: &mut InputQueue) {
        debug_assert!(self.fresh_count() == 0, "a refill never mixes two blocks");
        std::mem::swap(&mut self.fresh, &mut inputs.entries);
        inputs.entries.clear();
        (self.at, self.taken, self.next) = (0, 0, self.fresh.first());
    }

    /// Returns the number of new jobs.
    pub(crate) fn fresh_count(&self) -> usize {
        self.fresh.count() - self.taken
    }

    /// Returns the number of jobs that can be sent now.
    pub(crate) fn count(&self) -> usize {
        self.fresh_count() + self.returned.len()
    }

    /// Returns whether there is no job, not even a delayed one.
    pub(crate) fn is_empty(&self) -> bool {
        self.count() == 0 && self.delayed.is_empty()
    }

    /// Returns the number of bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.fresh.bytes().len() - self.at + self.returned_bytes
    }

    /// Returns the lowest number of a job that can be sent now.
    pub(crate) fn lowest(&self) -> Option<u64> {
        let fresh = (self.fresh_count() > 0).then(|| self.peek_fresh().0);
        let returned = self.returned.first_key_value().map(|(&number, _)| number);
        fresh.into_iter().chain(returned).min()
    }

    /// Returns whether the job with this number has come back and can be sent again.
    pub(crate) fn holds(&self, number: u64) -> bool {
        self.returned.contains_key(&number)
    }

    /// Returns whether the job with this number is to be retried later.
    pub(crate) fn is_delayed(&self, number: u64) -> bool {
        self.delayed_jobs.contains_key(&number)
    }

    fn peek_fresh(&self) -> (u64, &[u8]) {
        let rest = &self.fresh.bytes()[self.at..];
        let skip = if self.taken == 0 { 0 } else { u32_at(rest, 0) };
        let (_, job) = Walk::new(rest, 0).next().expect("the source's jobs are well-formed");
        (self.next + u64::from(skip), job)
    }

    fn take_fresh(&mut self) {
        let (number, job) = self.peek_fresh();
        let bytes = ENTRY_BYTES + job.len();
        self.at += bytes;
        self.taken += 1;
        self.next = number + 1;
    }

    /// Puts back a job that has not run, or that is to run again.
    pub(crate) fn put_back(&mut self, number: u64, job: Vec<u8>) {
        self.returned_bytes += job.len();
        self.returned.insert(number, job);
    }

    /// Puts back a job that must not run before `when`.
    pub(crate) fn put_back_at(&mut self, number: u64, job: Vec<u8>, when: Instant) {
        self.returned_bytes += job.len();
        self.delayed.insert((when, number));
        self.delayed_jobs.insert(number, job);
    }

    /// Makes the delayed jobs ready whose time has come, and returns the time of the next one.
    pub(crate) fn wake(&mut self, now: Instant) -> Option<Instant> {
        while let Some(&(when, number)) = self.delayed.first() {
            if when > now {
                return Some(when);
            }
            self.delayed.pop_first();
            if let Some(job) = self.delayed_jobs.remove(&number) {
                self.returned.insert(number, job);
            }
        }
        None
    }

    /// Cuts the next batch: at most `jobs` jobs in ascending order, with at most `bytes` bytes in
    /// all unless the first job alone is longer. Jobs that came back go first.
    pub(crate) fn cut(&mut self, jobs: usize, bytes: usize, to: &mut Entries) {
        while to.count() < jobs {
            let Some((&number, job)) = self.returned.first_key_value() else { break };
            if !to.reaches(number) || to.count() > 0 && to.bytes().len() + job.len() > bytes {
                return;
            }
            to.push(number, job);
            self.returned_bytes -= job.len();
            self.returned.pop_first();
        }
        // New jobs need one walk and one copy, unless they follow jobs that came back.
        if to.count() == 0 {
            return self.cut_fresh(jobs, bytes, to);
        }
        while to.count() < jobs && self.fresh_count() > 0 {
            let (number, job) = self.peek_fresh();
            if !to.reaches(number) || to.bytes().len() + ENTRY_BYTES + job.len() > bytes {
                return;
            }
            to.push(number, job);
            self.take_fresh();
        }
    }

    fn cut_fresh(&mut self, jobs: usize, bytes: usize, to: &mut Entries) {
        if self.fresh_count() == 0 {
            return;
        }
        let (first, _) = self.peek_fresh();
        let (start, taken) = (self.at, self.taken);
        let all = self.fresh.bytes();
        while self.taken - taken < jobs && self.at < all.len() {
            let end = self.at + ENTRY_BYTES + u32_at(all, self.at + 4) as usize;
            if end - start > bytes && self.taken > taken {
                break;
            }
            let skip =
                if self.taken == taken { first - self.next } else { u32_at(all, self.at).into() };
            self.next += skip + 1;
            self.at = end;
            self.taken += 1;
        }
        if self.at - start > bytes && self.at - start == all.len() {
            // A single long job is passed on as it is, without a copy.
            std::mem::swap(&mut self.fresh, to);
            (self.at, self.taken) = (0, 0);
            return;
        }
        to.fill(&all[start..self.at], self.taken - taken, first, self.next - 1);
    }

    /// Removes and returns the job with this number, if it is pending.
    pub(crate) fn remove(&mut self, number: u64) -> Option<Vec<u8>> {
        if let Some(job) = self.remove_returned(number) {
            return Some(job);
        }
        if let Some(job) = self.delayed_jobs.remove(&number) {
            self.returned_bytes -= job.len();
            self.delayed.retain(|&(_, delayed)| delayed != number);
            return Some(job);
        }
        if self.fresh_count() == 0 || number < self.peek_fresh().0 {
            return None;
        }
        self.return_fresh();
        self.remove_returned(number)
    }

    /// Turns each new job into a returned one, so that it can be removed on its own.
    fn return_fresh(&mut self) {
        while self.fresh_count() > 0 {
            let (number, job) = self.peek_fresh();
            let job = job.to_vec();
            self.take_fresh();
            self.put_back(number, job);
        }
    }

    fn remove_returned(&mut self, number: u64) -> Option<Vec<u8>> {
        let job = self.returned.remove(&number)?;
        self.returned_bytes -= job.len();
        Some(job)
    }

    /// Discards all jobs, because no more jobs will be started.
    pub(crate) fn clear(&mut self) {
        *self = Pending::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(numbers: &[u64]) -> Pending {
        let mut inputs = InputQueue::default();
        for &number in numbers {
            inputs.entries.push(number, format!("job {number}").as_bytes());
        }
        let mut pending = Pending::default();
        pending.refill(&mut inputs);
        pending
    }

    fn cut(pending: &mut Pending, jobs: usize, bytes: usize) -> Vec<u64> {
        let mut batch = Entries::default();
        pending.cut(jobs, bytes, &mut batch);
        Walk::new(batch.bytes(), batch.first()).map(|(number, _)| number).collect()
    }

    #[test]
    fn jobs_leave_in_order_with_their_numbers() {
        let mut pending = pending(&[3, 4, 7, 8]);
        assert_eq!(cut(&mut pending, 3, 1 << 20), [3, 4, 7]);
        assert_eq!(pending.lowest(), Some(8));
        assert_eq!(cut(&mut pending, 3, 1 << 20), [8]);
        assert!(pending.is_empty());
        assert_eq!(pending.bytes(), 0);
    }

    #[test]
    fn jobs_that_came_back_go_first() {
        let mut pending = pending(&[5, 6]);
        pending.put_back(2, b"two".to_vec());
        pending.put_back(1, b"one".to_vec());
        assert_eq!(pending.lowest(), Some(1));
        assert_eq!(cut(&mut pending, 3, 1 << 20), [1, 2, 5]);
    }

    #[test]
    fn jobs_that_are_too_far_apart_for_one_batch_go_in_two() {
        const FAR: u64 = 1 << 33;
        let mut pending = pending(&[2 * FAR]);
        pending.put_back(0, b"zero".to_vec());
        pending.put_back(FAR, b"far".to_vec());
        assert_eq!(cut(&mut pending, 3, 1 << 20), [0]);
        assert_eq!(cut(&mut pending, 3, 1 << 20), [FAR]);
        assert_eq!(cut(&mut pending, 3, 1 << 20), [2 * FAR]);
    }

    #[test]
    fn a_long_job_goes_alone() {
        let mut pending = pending(&[0, 1, 2]);
        assert_eq!(cut(&mut pending, 10, 1), [0]);
        assert_eq!(cut(&mut pending, 10, 30), [1, 2]);
    }

    #[test]
    fn a_long_job_that_came_alone_leaves_nothing_behind() {
        let mut pending = pending(&[7]);
        assert_eq!(cut(&mut pending, 10, 1), [7]);
        assert_eq!((pending.count(), pending.bytes()), (0, 0));
        assert!(pending.is_empty());
    }

    #[test]
    fn a_job_can_be_taken_out_wherever_it_waits() {
        let mut pending = pending(&[4, 5, 6]);
        pending.put_back(1, b"one".to_vec());
        let later = Instant::now() + std::time::Duration::from_secs(9);
        pending.put_back_at(2, b"two".to_vec(), later);
        assert_eq!(pending.remove(1).as_deref(), Some(&b"one"[..]));
        assert_eq!(pending.remove(2).as_deref(), Some(&b"two"[..]));
        assert_eq!(pending.remove(5).as_deref(), Some(&b"job 5"[..]));
        assert_eq!(pending.remove(5), None);
        assert_eq!(cut(&mut pending, 9, 1 << 20), [4, 6]);
        assert_eq!(pending.bytes(), 0);
    }

    #[test]
    fn a_delayed_job_wakes_when_its_time_has_come() {
        let mut pending = Pending::default();
        let now = Instant::now();
        let then = now + std::time::Duration::from_secs(1);
        pending.put_back_at(3, b"x".to_vec(), then);
        assert_eq!((pending.wake(now), pending.count()), (Some(then), 0));
        assert!(!pending.is_empty());
        assert_eq!((pending.wake(then), pending.count()), (None, 1));
    }
}
