//! The dispatcher's way in: frames from workers, and what they have committed.

use super::batch::{Batch, Partial};
use super::dispatcher::{Dispatcher, Phase};
use super::error::PoolError;
use super::feed::{Notice, Sink};
use super::handle::{Killed, PIPE_BYTES, WorkerHandle};
use super::ledger::{Run, Segment, hand_over_run};
use crate::wire::channel::ROOM_BYTES;
use crate::wire::clock::Moment;
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::frame::{FrameKind, Header, PART_BYTES, u64_at};
use crate::wire::line::Stream;
use crate::wire::record::{MEASURE_BYTES, RECORD_BYTES, Record};
use crate::wire::waits::Waits;
use std::borrow::Cow;
use std::io;
use std::ops::Range;
use std::time::Instant;

/// Most reads from one worker before the others have their turn.
const READS_MAX: usize = 4;

/// Bytes of lines that a worker may add to a job's own: notes of what was cut.
const LOG_SLACK: u64 = 64 << 10;

/// Most bytes of a failure beside what its job has printed.
const FAILURE_BYTES_MAX: usize = 1 << 20;

/// Reads that are enough for all that a pipe holds.
const READS_PIPE: usize = PIPE_BYTES / ROOM_BYTES;

/// Why frames were not taken to their end.
enum Stop {
    /// The worker broke the protocol.
    Violation(String),
    /// The run cannot go on.
    Error(PoolError),
}

impl Stop {
    /// A worker that broke the protocol is killed; the run goes on.
    fn carry_out(self, worker: &mut WorkerHandle, sink: &mut dyn Sink) -> Result<(), PoolError> {
        match self {
            Stop::Error(error) => Err(error),
            Stop::Violation(what) => {
                worker.kill(Killed::Protocol(what), sink);
                Ok(())
            }
        }
    }
}

impl From<PoolError> for Stop {
    fn from(error: PoolError) -> Self {
        Stop::Error(error)
    }
}

impl From<&str> for Stop {
    fn from(violation: &str) -> Self {
        Stop::Violation(violation.into())
    }
}

/// A range of an outbox's records that are successes of consecutive indices.
struct Successes {
    first: u16,
    count: u16,
    bytes: Range<usize>,
}

impl Dispatcher<'_> {
    /// Takes a worker out of its slot for the time of `work`, so that both can be changed.
    pub(super) fn with_worker<T>(
        &mut self,
        slot: u32,
        work: impl FnOnce(&mut Self, &mut WorkerHandle) -> Result<T, PoolError>,
    ) -> Result<Option<T>, PoolError> {
        let Some(mut worker) = self.workers[slot as usize].take() else { return Ok(None) };
        let result = work(self, &mut worker);
        self.workers[slot as usize] = Some(worker);
        result.map(Some)
    }

    /// A worker's pipe is readable: takes what is there.
    pub(super) fn read_results(&mut self, slot: u32) -> Result<(), PoolError> {
        let orphan = self.with_worker(slot, |this, worker| {
            this.read(worker, READS_MAX)?;
            Ok(worker.orphaned.is_some() && worker.hung_up)
        })?;
        self.settle_worker(slot)?;
        if orphan == Some(true) { self.worker_ended(slot) } else { Ok(()) }
    }

    /// Reads at most `most` times, or to the end of what is there.
    pub(super) fn read(&mut self, worker: &mut WorkerHandle, most: usize) -> Result<(), PoolError> {
        let mut emptied = false;
        for _ in 0..most {
            if emptied {
                break;
            }
            match worker.frames.fill(&mut worker.results) {
                Ok(0) => {
                    // Nobody has the worker's end any more; the pidfd tells the rest, if there is one.
                    self.events.forget(&worker.results);
                    worker.hung_up = true;
                    return Ok(());
                }
                Ok(bytes) => emptied = bytes < ROOM_BYTES,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(PoolError::setup("read from a worker", error)),
            }
            if let Err(stop) = self.take_frames(worker) {
                return stop.carry_out(worker, self.sink);
            }
        }
        Ok(())
    }

    fn take_frames(&mut self, worker: &mut WorkerHandle) -> Result<(), Stop> {
        if matches!(worker.killed, Some(Killed::Protocol(_))) {
            return Ok(());
        }
        let mut frames = std::mem::take(&mut worker.frames);
        let result = loop {
            match frames.next() {
                Ok(Some((header, body))) => {
                    if let Err(stop) = self.take_frame(worker, &header, body) {
                        break Err(stop);
                    }
                }
                Ok(None) => break Ok(()),
                Err(bad) => break Err(Stop::Violation(bad.to_string())),
            }
        };
        worker.frames = frames;
        result
    }

    fn take_frame(
        &mut self,
        worker: &mut WorkerHandle,
        header: &Header,
        body: &[u8],
    ) -> Result<(), Stop> {
        match header.kind {
            FrameKind::Results => self.take_results(worker, header, body),
            FrameKind::ResultPart => self.take_part(worker, header, body),
            FrameKind::Log => {
                worker.logged += body.len() as u64 + 1;
                if worker.logged > self.logged_max(worker) {
                    return Err("more lines than its jobs may print".into());
                }
                let pid = worker.pid.unwrap_or(0);
                let job = Some(header.first_job).filter(|&job| worker.awaits(job));
                let stream = Stream::from_code(header.count).ok_or("a line of no stream")?;
                self.sink.notice(Notice::Log { pid, job, stream, line: body.to_vec() });
                Ok(())
            }
            FrameKind::Ready if worker.ready && worker.status.is_none() => {
                Err("a second start".into())
            }
            FrameKind::Ready => {
                worker.ready = true;
                worker.silent = None;
                self.false_starts = 0;
                let ready = body.try_into().map_err(|_| "a worker that is ready at no time")?;
                self.sink.notice(Notice::WorkerStarted {
                    slot: worker.id.slot,
                    pid: worker.pid.unwrap_or(0),
                    asked: Moment::ago(worker.asked.elapsed()),
                    ready: Moment::of_nanos(u64::from_le_bytes(ready)),
                    job: worker.in_flight.front().map(|batch| batch.number(batch.received)),
                });
                Ok(())
            }
            FrameKind::Waits => {
                let waits: Waits =
                    serde_json::from_slice(body).map_err(|_| "waits that are unreadable")?;
                if worker.awaits(waits.job) {
                    self.sink.notice(Notice::Waited { pid: worker.pid.unwrap_or(0), waits });
                }
                Ok(())
            }
            FrameKind::Fatal => {
                worker.fatal = Some(String::from_utf8_lossy(body).into_owned());
                Ok(())
            }
            FrameKind::Jobs | FrameKind::JobPart => Err("a frame of the dispatcher's".into()),
        }
    }

    /// Most bytes of lines that a worker may send between two records: those of each job that it has, and as
    /// many for instances that begin.
    fn logged_max(&self, worker: &WorkerHandle) -> u64 {
        let each = self.config.settings.log_bytes_max.saturating_add(LOG_SLACK);
        each.saturating_mul(worker.jobs_in_flight() + 2)
    }

    /// Takes a piece of the outbox, or what of it was not taken from job memory before.
    fn take_results(
        &mut self,
        worker: &mut WorkerHandle,
        header: &Header,
        body: &[u8],
    ) -> Result<(), Stop> {
        let Some(at) = worker.in_flight.iter().position(|batch| batch.id == header.batch) else {
            // All of it was taken from job memory, and the batch is done.
            return Ok(());
        };
        let seen = worker.in_flight[at].outbox_seen as u64;
        let known = seen.checked_sub(header.first_job).ok_or("a gap in the outbox")?;
        match body.get(known as usize..) {
            Some(new) => self.take_records(worker, at, new.into(), true),
            None => Ok(()),
        }
    }

    /// Takes a piece of a result that did not fit the outbox.
    fn take_part(
        &mut self,
        worker: &mut WorkerHandle,
        header: &Header,
        body: &[u8],
    ) -> Result<(), Stop> {
        let Some((place, piece)) = body.split_at_checked(PART_BYTES) else {
            return Err("a part without its place".into());
        };
        let (total, offset) = (u64_at(place, 0) as usize, u64_at(place, 8) as usize);
        let most = self.config.settings.output_bytes_max as usize + RECORD_BYTES + MEASURE_BYTES;
        // A failure may be long where results must be short, and has what was printed behind it.
        let most = most + FAILURE_BYTES_MAX;
        let at = worker.in_flight.iter().position(|batch| batch.id == header.batch);
        let at = at.ok_or("a part of a batch that is not in flight")?;
        let batch = &mut worker.in_flight[at];
        if total > most {
            return Err("a result above the limit".into());
        }
        let partial = batch.partial.get_or_insert_with(|| Partial::new(total));
        let fits = offset == partial.bytes.len() && offset + piece.len() <= total;
        if partial.total != total || !fits || piece.is_empty() {
            return Err("a part that does not fit the others".into());
        }
        partial.bytes.extend_from_slice(piece);
        if partial.bytes.len() < total {
            return Ok(());
        }
        let record = batch.partial.take().expect("it was just there").bytes;
        self.take_records(worker, at, record.into(), false)
    }

    /// Takes whole records, the next ones of the batch in flight at place `at`. `in_outbox` tells
    /// whether they are bytes of the outbox.
    fn take_records(
        &mut self,
        worker: &mut WorkerHandle,
        at: usize,
        bytes: Cow<'_, [u8]>,
        in_outbox: bool,
    ) -> Result<(), Stop> {
        let mut rest = &*bytes;
        let mut taken = 0;
        let mut run = Successes { first: 0, count: 0, bytes: 0..0 };
        while !rest.is_empty() {
            let (record, tail) = Record::split_first(rest).ok_or("a malformed record")?;
            let batch = &mut worker.in_flight[at];
            if record.index != batch.received || record.index >= batch.limit {
                return Err("a record out of turn".into());
            }
            batch.received += 1;
            if let (Some(measure), false) = (record.measure, record.failed) {
                self.limit.note(measure.nanos);
            }
            batch.result_bytes += rest.len() - tail.len();
            let end = bytes.len() - tail.len();
            if record.failed || !batch.is_run() {
                self.take_successes(worker, at, Cow::Borrowed(&bytes[run.bytes.clone()]), &run)?;
                run.count = 0;
            }
            if record.failed {
                self.take_failure(worker, at, &record)?;
            } else if run.count == 0 {
                run = Successes { first: record.index, count: 1, bytes: taken..end };
            } else {
                run.count += 1;
                run.bytes.end = end;
            }
            taken = end;
            rest = tail;
        }
        if in_outbox {
            worker.in_flight[at].outbox_seen += taken;
        }
        let records = match run.bytes == (0..bytes.len()) {
            true => bytes,
            false => Cow::Borrowed(&bytes[run.bytes.clone()]),
        };
        self.take_successes(worker, at, records, &run)?;
        (worker.silent, worker.logged) = (None, 0);
        self.zygotes_lost = 0;
        self.supply.given();
        Ok(())
    }

    /// Enters successes, or hands them over directly where nothing is before them.
    fn take_successes(
        &mut self,
        worker: &WorkerHandle,
        at: usize,
        records: Cow<'_, [u8]>,
        run: &Successes,
    ) -> Result<(), PoolError> {
        if run.count == 0 {
            return Ok(());
        }
        let batch = &worker.in_flight[at];
        let first = batch.number(run.first);
        let count = u64::from(run.count);
        let mut attempt = self.attempt_of(worker, batch.sent);
        if !self.attempts.is_empty() || !self.cancelled.is_empty() {
            for job in first..first + count {
                attempt.number = self.attempts.remove(&job).map_or(1, |failed| failed + 1);
                // It was faster than its cancellation.
                self.cancelled.remove(&job);
            }
        }
        let inputs = self.config.keep_inputs.then(|| {
            let (mut all, mut ends) = (Vec::new(), Vec::with_capacity(count as usize));
            for (_, job) in batch.jobs(run.first..run.first + run.count) {
                all.extend_from_slice(job);
                ends.push(all.len());
            }
            (all, ends)
        });
        if !self.ledger.is_due(first) {
            let run = Run { count, records: records.into_owned(), inputs, attempt };
            return self.enter(first, Segment::Run(run));
        }
        let inputs = inputs.as_ref().map(|(all, ends)| (&all[..], &ends[..]));
        hand_over_run(first, &records, inputs, attempt, self.sink)
            .and_then(|()| {
                self.ledger.passed(count);
                self.ledger.hand_over_due(self.sink)
            })
            .map_err(PoolError::Output)
    }

    fn take_failure(
        &mut self,
        worker: &WorkerHandle,
        at: usize,
        record: &Record<'_>,
    ) -> Result<(), PoolError> {
        let failure = Failure::decode(record.bytes).unwrap_or_else(|| {
            Failure::new(
                FailureKind::WorkerLost,
                "the worker's account of the failure is unreadable",
            )
        });
        let batch = &worker.in_flight[at];
        let (job, input) = batch.job(record.index);
        let attempt = self.attempt_of(worker, batch.sent).measured(record.measure);
        self.fail(job, input.to_vec(), failure, attempt)
    }

    /// Takes the records that a worker has committed and not (or not wholly) sent.
    pub(super) fn salvage(&mut self, worker: &mut WorkerHandle) -> Result<(), PoolError> {
        let memory = &worker.memory;
        let committed = worker.in_flight.iter().map(|batch| memory.committed(batch.id));
        let committed: Vec<usize> = committed.collect();
        let news = |(batch, &committed): (&Batch, _)| committed > batch.outbox_seen;
        if !worker.in_flight.iter().zip(&committed).any(news) {
            return Ok(());
        }
        // What a job printed is in the pipe before its record is committed, and comes before it.
        self.read(worker, READS_PIPE)?;
        for (at, committed) in committed.into_iter().enumerate() {
            let batch = &worker.in_flight[at];
            let (id, seen) = (batch.id, batch.outbox_seen);
            if committed <= seen {
                continue;
            }
            let bytes = worker.memory.copy_out(id, seen..committed);
            if let Err(stop) = self.take_records(worker, at, bytes.into(), true) {
                return stop.carry_out(worker, self.sink);
            }
        }
        Ok(())
    }

    /// Takes note of what a worker gave back, removes the batches that are done, learns from them,
    /// and lets a worker go that has had its share.
    pub(super) fn settle_worker(&mut self, slot: u32) -> Result<(), PoolError> {
        let Some(worker) = &mut self.workers[slot as usize] else { return Ok(()) };
        for batch in &mut worker.in_flight {
            if batch.received >= batch.limit {
                continue;
            }
            let Some(claimed) = worker.memory.claimed(batch.id) else { continue };
            let end = claimed.end.clamp(batch.received, batch.limit);
            if end < batch.limit && self.phase == Phase::Running {
                for (number, job) in batch.jobs(end..batch.limit) {
                    self.backlog.put_back(number, job.to_vec());
                }
            }
            batch.limit = end;
        }
        let now = Instant::now();
        while let Some(at) = worker.in_flight.iter().position(super::batch::Batch::is_done) {
            let batch = worker.in_flight.remove(at).expect("it was just found");
            if batch.received > 0 {
                let took = now.saturating_duration_since(worker.batch_start);
                self.pace.learn(batch.received, batch.result_bytes, took);
            }
            worker.batch_start = now;
            worker.seen = None;
        }
        let spent = self.config.jobs_per_worker_max.is_some_and(|most| worker.jobs_sent >= most);
        if spent && worker.in_flight.is_empty() {
            worker.retire(&self.events);
        }
        Ok(())
    }
}
