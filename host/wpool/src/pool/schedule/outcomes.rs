//! What becomes of jobs: their outcomes, second attempts, and the end of a run that has seen enough.

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

/// Bytes of a failed job's input that the sink is told where it does not want all.
const INPUT_TOLD_MAX: usize = 256;

/// Bytes of lines that a worker may add to a job's own: notes of what was cut.
const LOG_SLACK: u64 = 64 << 10;

/// What becomes of a run of successes.
#[derive(Debug)]
pub(crate) enum Fate {
    /// They are due: the sink gets them now.
    Pass,
    /// They wait for earlier ones.
    Hold,
}

/// Jobs of a batch that succeeded and have consecutive numbers, as the sink is told of them.
#[derive(Debug)]
pub(crate) struct Successes {
    /// Number of the first.
    pub(crate) first: u64,
    pub(crate) fate: Fate,
    pub(crate) attempt: Attempt,
    /// Their inputs one after the other, and where each ends, if the sink wants them.
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
    /// Returns the index of the next record of a batch, the index from on which there may be none, and whether
    /// the batch's jobs have consecutive numbers; `None` if the batch is not in flight.
    #[inline]
    pub(crate) fn expected(&self, slot: u32, batch: u32) -> Option<(u16, u16, bool)> {
        let window = &self.worker(slot)?.window;
        let batch = &window.batches[window.place(batch)?];
        Some((batch.received, batch.limit, batch.parcel.is_run()))
    }

    /// Takes note of `count` successes of a batch, the next ones, whose records have `bytes` bytes; answers with
    /// what becomes of them.
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
                // It was faster than its cancellation.
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

    /// Takes note of how long a job took that succeeded, in nanoseconds.
    #[inline]
    pub(crate) fn note_time(&mut self, nanos: u64) {
        self.limit.note(nanos);
    }

    /// A job of a batch, the next one, failed.
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

    /// A job has been done: what went wrong in a row did not stay so.
    fn note_work(&mut self) {
        self.zygotes_lost = 0;
        self.supply.given();
    }

    /// A worker's guest printed a line of so many bytes.
    ///
    /// # Errors
    /// There are more than its jobs may print: those of each that it has, and as many for instances that begin.
    pub(crate) fn printed(&mut self, slot: u32, bytes: usize) -> Result<(), Stop> {
        let each = self.config.settings.log_bytes_max.saturating_add(LOG_SLACK);
        let Some(worker) = self.worker_mut(slot) else { return Ok(()) };
        worker.printed += bytes as u64 + 1;
        match worker.printed > each.saturating_mul(worker.window.unfinished() + 2) {
            true => Err("more lines than its jobs may print".into()),
            false => Ok(()),
        }
    }

    /// A batch has been written to its end.
    pub(crate) fn written(&mut self, slot: u32, batch: u32, now: Instant) {
        if let Some(worker) = self.worker_mut(slot)
            && let Some(place) = worker.window.place(batch)
        {
            worker.window.batches[place].written = true;
            self.settle(slot, now);
        }
    }

    /// Removes the batches of a worker that are done, learns from them, and lets a worker go that has had its
    /// share.
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

    /// Takes out outcomes that are to be handed to the sink now.
    #[inline]
    pub(crate) fn next_due(&mut self) -> Option<(u64, Segment)> {
        self.reorder.next_due()
    }

    /// No more outcomes come: those that wait are handed over.
    pub(crate) fn release_all(&mut self) {
        self.reorder.skip_to(u64::MAX);
    }

    /// Enters the outcomes that the source brought along.
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

    /// An attempt that a worker makes, at a job of a batch that was sent then.
    pub(super) fn attempt_of(&self, slot: u32, worker: &Worker, sent: Instant) -> Attempt {
        Attempt {
            number: 1,
            pid: worker.pid,
            slot,
            sent: sent.saturating_duration_since(self.started),
            ..Attempt::default()
        }
    }

    /// A job failed: it is tried again, or has failed.
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
                // Enough to tell which job it was.
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

    /// Makes a job pending again that a worker has not begun with, unless it is not to be run any more.
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

    /// A job that does not run is cancelled.
    pub(super) fn give_up_job(&mut self, job: u64, input: Vec<u8>) {
        self.cancelled.entry(job).or_insert(Killed::Terminated);
        let work = Work { job, input, attempt: Attempt::default() };
        // A cancelled job is not tried again, whenever that is.
        self.fail(work, Failure::new(FailureKind::Cancelled, ""), self.started);
    }

    /// Ends the run if `--halt` says so.
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
        let why = "the limit of --halt is met";
        if now { self.kill_all(end, why) } else { self.drain(end, None, why) }
    }
}

/// Hands outcomes to a sink, the first of which is that of job `first`.
///
/// # Errors
/// Those of the sink.
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

/// Hands over the jobs of well-formed records, which succeeded and have consecutive numbers.
///
/// # Errors
/// Those of the sink.
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
