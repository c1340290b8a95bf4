//! The outcomes of jobs: successes, failures, retries, and the end of a run that the limit of ended jobs stops.

use super::reorder::{Run, Segment};
use super::worker::Worker;
use super::*;
use crate::pool::config::{Halt, HaltLimit, HaltOn};
use crate::pool::crew::Stop;
use crate::pool::feed::{Attempt, Outcome, Results, Settled, Sink};
use crate::wire::clock::after;
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::record::Record;
use std::io;

/// The number of bytes of a failed job's input that the sink receives if it does not want all
/// inputs.
const INPUT_TOLD_MAX: usize = 256;

/// The number of bytes of lines that a worker may add to a job's own: notes of what was cut.
const LOG_SLACK: u64 = 64 << 10;

/// The handling of a run of successes.
#[derive(Debug)]
pub(crate) enum Fate {
    /// The successes are due: the sink gets them now.
    Pass,
    /// The successes wait for earlier outcomes.
    Hold,
}

/// The successful jobs of a batch that have consecutive numbers, as they are passed to the sink.
#[derive(Debug)]
pub(crate) struct Successes {
    /// The number of the first job.
    pub(crate) first: u64,
    pub(crate) fate: Fate,
    pub(crate) attempt: Attempt,
    /// The inputs one after the other, and the end of each, if the sink wants inputs.
    pub(crate) inputs: Option<(Vec<u8>, Vec<usize>)>,
}

/// An attempt at a job, and its input.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) job: u64,
    pub(super) input: Vec<u8>,
    pub(super) attempt: Attempt,
}

impl Schedule {
    /// Returns the index of the next record of a batch, the index from which on there may be no
    /// records, and whether the batch's jobs have consecutive numbers. Returns `None` if the batch
    /// is not in flight.
    #[inline]
    pub(crate) fn expected(&self, slot: u32, batch: u32) -> Option<(u16, u16, bool)> {
        let window = &self.worker(slot)?.window;
        let batch = &window.batches[window.place(batch)?];
        Some((batch.received, batch.limit, batch.parcel.is_run()))
    }

    /// Notes that the next `count` jobs of a batch succeeded, with `bytes` bytes of records, and
    /// returns how these successes are to be handled.
    pub(crate) fn succeeded(
        &mut self,
        slot: u32,
        batch: u32,
        count: u16,
        bytes: usize,
    ) -> Option<Successes> {
        let worker = self.workers.get_mut(slot as usize)?.as_mut()?;
        let place = worker.window.place(batch)?;
        (worker.silent, worker.printed) = (None, 0);
        let flying = &mut worker.window.batches[place];
        let from = flying.received;
        flying.received += count;
        flying.claimed = flying.claimed.max(flying.received);
        flying.result_bytes += bytes;
        let worker = self.worker(slot)?;
        let flying = &worker.window.batches[place];
        let first = flying.parcel.number(from);
        let mut attempt = self.attempt_of(slot, worker, flying.sent);
        let inputs = self.config.keep_inputs.then(|| {
            let (mut all, mut ends) = (Vec::new(), Vec::with_capacity(usize::from(count)));
            for (_, job) in flying.parcel.jobs(from..from + count) {
                all.extend_from_slice(job);
                ends.push(all.len());
            }
            (all, ends)
        });
        self.note_work();
        if !self.attempts.is_empty() || !self.cancelled.is_empty() {
            for job in first..first + u64::from(count) {
                attempt.number = self.attempts.remove(&job).map_or(1, |failed| failed + 1);
                // The job ended before its cancellation took effect.
                self.cancelled.remove(&job);
            }
        }
        let fate = match self.reorder.is_due(first) {
            true => {
                self.reorder.passed(count.into());
                Fate::Pass
            }
            false => Fate::Hold,
        };
        Some(Successes { first, fate, attempt, inputs })
    }

    /// Holds successes until they are due.
    pub(crate) fn hold(&mut self, successes: Successes, count: u16, records: Vec<u8>) {
        let Successes { first, attempt, inputs, .. } = successes;
        let run = Run { count: count.into(), records, inputs, attempt };
        self.reorder.enter(first, Segment::Run(run));
    }

    /// Notes how long a successful job took, in nanoseconds.
    #[inline]
    pub(crate) fn note_time(&mut self, nanos: u64) {
        self.limit.note(nanos);
    }

    /// Notes that the next job of a batch failed.
    pub(crate) fn failed(&mut self, slot: u32, batch: u32, record: &Record<'_>, now: Instant) {
        let Some(worker) = self.workers.get_mut(slot as usize).and_then(Option::as_mut) else {
            return;
        };
        let Some(place) = worker.window.place(batch) else { return };
        (worker.silent, worker.printed) = (None, 0);
        let flying = &mut worker.window.batches[place];
        flying.received += 1;
        flying.claimed = flying.claimed.max(flying.received);
        flying.result_bytes += record.bytes.len();
        let failure = Failure::decode(record.bytes).unwrap_or_else(|| {
            let what = "the worker's account of the failure is unreadable";
            Failure::new(FailureKind::WorkerLost, what)
        });
        let worker = self.worker(slot).expect("just found");
        let flying = &worker.window.batches[place];
        let (job, input) = flying.parcel.job(record.index);
        let attempt = self.attempt_of(slot, worker, flying.sent).measured(record.measure);
        let work = Work { job, input: input.to_vec(), attempt };
        self.note_work();
        self.fail(work, failure, now);
    }

    /// Resets the counts of failures in a row, because a job has been done.
    fn note_work(&mut self) {
        self.zygotes_lost = 0;
        self.supply.given();
    }

    /// Notes that a worker's guest printed a line of `bytes` bytes.
    ///
    /// # Errors
    /// Returns an error if the worker has printed more than its jobs may print: the limit of each
    /// job that it has, and as much again for instances that are starting.
    pub(crate) fn printed(&mut self, slot: u32, bytes: usize) -> Result<(), Stop> {
        let each = self.config.settings.limits.log_bytes_max.saturating_add(LOG_SLACK);
        let Some(worker) = self.worker_mut(slot) else { return Ok(()) };
        worker.printed += bytes as u64 + 1;
        match worker.printed > each.saturating_mul(worker.window.unfinished() + 2) {
            true => Err("more lines than its jobs may print".into()),
            false => Ok(()),
        }
    }

    /// Notes that a batch has been written completely.
    pub(crate) fn written(&mut self, slot: u32, batch: u32, now: Instant) {
        if let Some(worker) = self.worker_mut(slot)
            && let Some(place) = worker.window.place(batch)
        {
            worker.window.batches[place].written = true;
            self.settle(slot, now);
        }
    }

    /// Removes the finished batches of a worker and learns from them. Closes a worker that has run
    /// its share of jobs.
    pub(crate) fn settle(&mut self, slot: u32, now: Instant) {
        while let Some(worker) = self.worker_mut(slot)
            && let Some(batch) = worker.window.pop_done()
        {
            let took = now.saturating_duration_since(worker.window.since);
            (worker.window.since, worker.seen) = (now, None);
            if batch.received > 0 {
                self.sizing.learn(batch.received, batch.result_bytes, took);
            }
            self.in_flight -= batch.parcel.bytes();
            self.news = true;
            self.ask(Request::Forget { slot, batch: batch.parcel.batch });
        }
        let most = self.config.jobs_per_worker_max.unwrap_or(u64::MAX);
        if let Some(worker) = self.worker_mut(slot)
            && worker.window.jobs_sent >= most
            && worker.window.is_empty()
            && worker.intent == Intent::Serve
        {
            worker.intent = Intent::Close;
            self.ask(Request::Close { slot });
        }
    }

    /// Removes and returns outcomes that are to be handed to the sink now.
    #[inline]
    pub(crate) fn next_due(&mut self) -> Option<(u64, Segment)> {
        self.reorder.next_due()
    }

    /// Makes all held outcomes due, because no more outcomes will come.
    pub(crate) fn release_all(&mut self) {
        self.reorder.skip_to(u64::MAX);
    }

    /// Enters the outcomes that the source supplied itself.
    pub(super) fn enter_settled(&mut self, all: Vec<(u64, Settled)>) {
        for (number, settled) in all {
            let segment = match settled {
                Settled::Skipped => {
                    self.skipped += 1;
                    Segment::Skipped
                }
                Settled::Failed { input, failure } => Segment::Failed {
                    input: Some(input),
                    failure,
                    attempt: Attempt { number: 1, ..Attempt::default() },
                },
            };
            self.reorder.enter(number, segment);
        }
    }

    /// Returns the attempt of a worker at a job whose batch was sent at this time.
    pub(super) fn attempt_of(&self, slot: u32, worker: &Worker, sent: Instant) -> Attempt {
        Attempt {
            number: 1,
            pid: worker.pid,
            slot,
            sent: sent.saturating_duration_since(self.started),
            ..Attempt::default()
        }
    }

    /// Handles the failure of a job: the job is retried, or its failure is its outcome.
    pub(super) fn fail(&mut self, work: Work, failure: Failure, now: Instant) {
        let Work { job, mut input, mut attempt } = work;
        let failed_before = self.attempts.get(&job).copied().unwrap_or(0);
        attempt.number = failed_before + 1;
        let retry = &self.config.retry;
        let again = failed_before < retry.attempts
            && retry.on.contains(&failure.kind)
            && self.phase == Phase::Running
            && !self.cancelled.contains_key(&job);
        if !again {
            self.attempts.remove(&job);
            self.cancelled.remove(&job);
            if !self.config.keep_inputs {
                // The beginning suffices to recognise the job.
                input.truncate(INPUT_TOLD_MAX);
                input.shrink_to_fit();
            }
            return self
                .reorder
                .enter(job, Segment::Failed { input: Some(input), failure, attempt });
        }
        let delay = retry.delay;
        self.attempts.insert(job, failed_before + 1);
        self.retried += 1;
        match delay.is_zero() {
            true => self.pending.put_back(job, input),
            false => self.pending.put_back_at(job, input, after(now, delay)),
        }
        self.news = true;
        self.tell(Notice::Retrying { job, attempt, failure });
    }

    /// Makes a job pending again that a worker has not started, unless the job is no longer to be
    /// run.
    pub(super) fn put_back(&mut self, job: u64, input: &[u8]) {
        if self.phase != Phase::Running {
            return;
        }
        if self.cancelled.contains_key(&job) {
            return self.give_up_job(job, input.to_vec());
        }
        self.pending.put_back(job, input.to_vec());
        self.news = true;
    }

    /// Cancels a job that is not running.
    pub(super) fn give_up_job(&mut self, job: u64, input: Vec<u8>) {
        self.cancelled.entry(job).or_insert(Killed::Terminated);
        let work = Work { job, input, attempt: Attempt::default() };
        // A cancelled job is never retried, so the time does not matter.
        self.fail(work, Failure::new(FailureKind::Cancelled, ""), self.started);
    }

    /// Ends the run if as many jobs have ended as end it.
    pub(crate) fn halt_if_met(&mut self) {
        let (now, on) = match self.config.halt {
            Halt::Never => return,
            _ if self.phase != Phase::Running => return,
            Halt::Soon(on) => (false, on),
            Halt::Now(on) => (true, on),
        };
        let (succeeded, failed) = (self.reorder.succeeded, self.reorder.failed);
        let (count, limit, failures) = match on {
            HaltOn::Fail(limit) => (failed, limit, true),
            HaltOn::Success(limit) => (succeeded, limit, false),
            HaltOn::Done(limit) => (succeeded + failed, limit, false),
        };
        let met = match limit {
            HaltLimit::Count(limit) => count >= limit,
            HaltLimit::Percent(percent) => self
                .stats()
                .total
                .is_some_and(|total| total > 0 && count as f64 * 100.0 >= percent * total as f64),
        };
        if !met || count == 0 {
            return;
        }
        let end = End::Halted { failed: failures };
        let why = "enough jobs have ended";
        if now { self.kill_all(end, why) } else { self.drain(end, None, why) }
    }
}

/// Hands outcomes to a sink; the first of them belongs to job `first`.
///
/// # Errors
/// Returns the errors of the sink.
pub(crate) fn hand_over(first: u64, segment: &Segment, sink: &mut dyn Sink) -> io::Result<()> {
    match segment {
        Segment::Run(run) => {
            let inputs = run.inputs.as_ref().map(|(bytes, ends)| (&bytes[..], &ends[..]));
            hand_over_run(first, &run.records, inputs, run.attempt, sink)
        }
        Segment::Failed { input, failure, attempt } => sink.take(&Outcome {
            job: first,
            input: input.as_deref(),
            result: Err(failure),
            attempt: *attempt,
        }),
        Segment::Skipped => Ok(()),
    }
}

/// Hands over successful jobs with consecutive numbers, given as well-formed records.
///
/// # Errors
/// Returns the errors of the sink.
pub(crate) fn hand_over_run(
    first: u64,
    mut records: &[u8],
    inputs: Option<(&[u8], &[usize])>,
    attempt: Attempt,
    sink: &mut dyn Sink,
) -> io::Result<()> {
    if sink.take_plain(Results::new(records)) {
        return Ok(());
    }
    let mut job = first;
    while let Some((record, rest)) = Record::split_first(records) {
        records = rest;
        let at = (job - first) as usize;
        let input = inputs.map(|(bytes, ends)| {
            let start = if at == 0 { 0 } else { ends[at - 1] };
            &bytes[start..ends[at]]
        });
        let attempt = attempt.measured(record.measure);
        sink.take(&Outcome { job, input, result: Ok(record.bytes), attempt })?;
        job += 1;
    }
    Ok(())
}
