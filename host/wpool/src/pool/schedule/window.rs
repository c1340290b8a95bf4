//! A worker's window: the batches that were sent to the worker, and what is known about them.

use crate::pool::parcel::Parcel;
use crate::wire::frame::Entries;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

/// The largest number of batches in flight to one worker.
pub(crate) const BATCHES_MAX: usize = 2;

/// A batch in flight.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) parcel: Rc<Parcel>,
    /// The end of the jobs that the worker has claimed or may still claim; the jobs from here on
    /// were taken back.
    pub(crate) limit: u16,
    /// The number of jobs known to be claimed.
    pub(crate) claimed: u16,
    /// The number of records received; the next record is for the job with this index.
    pub(crate) received: u16,
    /// The number of bytes of results received.
    pub(crate) result_bytes: usize,
    /// The time at which the batch was sent.
    pub(crate) sent: Instant,
    /// True if the batch has been written completely. Until then the batch must be kept, because
    /// half of it may be in the pipe.
    pub(crate) written: bool,
}

impl Batch {
    /// Returns whether every job that was not taken back has its record.
    fn is_done(&self) -> bool {
        self.received >= self.limit && self.written
    }

    /// Returns whether the job with this number is in the batch and unfinished.
    pub(crate) fn awaits(&self, job: u64) -> bool {
        self.parcel.contains(job, self.received..self.limit)
    }

    /// Returns the number of jobs that are neither finished nor taken back.
    pub(crate) fn unfinished(&self) -> u16 {
        self.limit.saturating_sub(self.received)
    }

    /// Returns the lowest number of a job that is neither finished nor taken back.
    pub(crate) fn lowest(&self) -> Option<u64> {
        (self.unfinished() > 0).then(|| self.parcel.number(self.received))
    }
}

/// A worker's window.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) batches: VecDeque<Batch>,
    next_batch: u32,
    /// The number of jobs sent so far.
    pub(crate) jobs_sent: u64,
    /// The time at which the last batch was done, or the first one was sent.
    pub(crate) since: Instant,
}

impl Window {
    /// Returns an empty window.
    pub(crate) fn new(now: Instant) -> Window {
        let batches = VecDeque::with_capacity(BATCHES_MAX);
        Window { batches, next_batch: 0, jobs_sent: 0, since: now }
    }

    /// Returns whether nothing is in flight.
    pub(crate) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Returns whether another batch may be sent, with at most `most` in flight. Only the newest
    /// [`BATCHES_MAX`] batches may be unfinished, because a crew has room for only that many.
    pub(crate) fn has_room(&self, most: usize) -> bool {
        let reaches =
            |first: &Batch| self.next_batch.wrapping_sub(first.parcel.batch) < BATCHES_MAX as u32;
        self.batches.len() < most && self.batches.front().is_none_or(reaches)
    }

    /// Adds a batch of these jobs, of which there is at least one.
    pub(crate) fn push(&mut self, jobs: Entries, now: Instant) -> Rc<Parcel> {
        let parcel = Rc::new(Parcel::new(self.next_batch, jobs));
        self.next_batch = self.next_batch.wrapping_add(1);
        self.jobs_sent += u64::from(parcel.count());
        if self.batches.is_empty() {
            self.since = now;
        }
        self.batches.push_back(Batch {
            parcel: parcel.clone(),
            limit: parcel.count(),
            claimed: 0,
            received: 0,
            result_bytes: 0,
            sent: now,
            written: false,
        });
        parcel
    }

    /// Returns the place of a batch among those in flight.
    pub(crate) fn place(&self, batch: u32) -> Option<usize> {
        self.batches.iter().position(|flying| flying.parcel.batch == batch)
    }

    /// Removes and returns a batch that is done.
    pub(crate) fn pop_done(&mut self) -> Option<Batch> {
        let at = self.batches.iter().position(Batch::is_done)?;
        self.batches.remove(at)
    }

    /// Returns the number of jobs that were sent and are neither finished nor taken back.
    pub(crate) fn unfinished(&self) -> u64 {
        self.batches.iter().map(|batch| u64::from(batch.unfinished())).sum()
    }

    /// Returns the lowest number of a job that was sent and is neither finished nor taken back.
    pub(crate) fn lowest(&self) -> Option<u64> {
        self.batches.iter().filter_map(Batch::lowest).min()
    }

    /// Returns the batch that holds a job without a record.
    pub(crate) fn holding(&self, job: u64) -> Option<&Batch> {
        self.batches.iter().find(|batch| batch.awaits(job))
    }

    /// Returns the number of jobs known not to be claimed. The jobs of a worker that has claimed
    /// none are counted only if the worker is `silent`; otherwise it is about to claim them.
    pub(crate) fn unclaimed(&self, silent: bool) -> u32 {
        let started = |at: usize, batch: &Batch| batch.claimed > 0 || at > 0 || silent;
        let batches = self.batches.iter().enumerate();
        batches
            .filter(|(at, batch)| started(*at, batch))
            .map(|(_, batch)| u32::from(batch.limit.saturating_sub(batch.claimed)))
            .sum()
    }
}
