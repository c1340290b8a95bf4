//! The reading of workers: frames from their pipes, and what they have committed in job memory.

use super::worker::{PIPE_BYTES, Partial};
use super::*;
use crate::pool::crew::Stop;
use crate::wire::channel::ROOM_BYTES;
use crate::wire::clock::MonotonicTime;
use crate::wire::frame::{FrameKind, Header, PART_BYTES, u64_at};
use crate::wire::line::Stream;
use crate::wire::record::{MEASURE_BYTES, RECORD_BYTES};
use crate::wire::waits::Waits;
use std::borrow::Cow;

/// The largest number of reads from one worker before the others have their turn.
const READS_MAX: usize = 4;

/// The largest number of bytes of a failure, without what its job has printed.
const FAILURE_BYTES_MAX: usize = 1 << 20;

/// The number of reads that suffices for everything that a pipe holds.
pub(super) const READS_PIPE: usize = PIPE_BYTES / ROOM_BYTES;

impl LocalCrew<'_> {
    /// Takes what is in a worker's pipe, which is readable.
    pub(super) fn read_results(
        &mut self,
        slot: u32,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        self.read(slot, READS_MAX, listener)?;
        self.tell_given_back(slot, listener)?;
        hear(listener, Event::Quiet { slot })?;
        let orphan = |worker: &Worker| worker.orphaned.is_some() && worker.hung_up;
        match self.worker(slot).is_some_and(orphan) {
            true => self.worker_ended(slot, listener),
            false => Ok(()),
        }
    }

    /// Reads at most `most` times, or until the pipe is empty.
    pub(super) fn read(
        &mut self,
        slot: u32,
        most: usize,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        let mut emptied = false;
        for _ in 0..most {
            let Some((worker, events)) = self.with_events(slot) else { return Ok(()) };
            if emptied || worker.broken {
                break;
            }
            match worker.frames.fill(&mut worker.results) {
                Ok(0) => {
                    // No process holds the worker's end any more; the pidfd reports the death, if
                    // there is one.
                    events.forget(&worker.results);
                    worker.hung_up = true;
                    return Ok(());
                }
                Ok(bytes) => emptied = bytes < ROOM_BYTES,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(PoolError::setup("read from a worker", error)),
            }
            let taken = self.take_frames(slot, listener);
            self.carry_on(slot, taken, listener)?;
        }
        Ok(())
    }

    /// Marks a worker that broke the protocol, so that it is not heard any more; the run goes on.
    fn carry_on(
        &mut self,
        slot: u32,
        taken: Result<(), Stop>,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        match taken {
            Ok(()) => Ok(()),
            Err(Stop::Error(error)) => Err(error),
            Err(Stop::Violation(what)) => {
                if let Some((worker, events)) = self.with_events(slot) {
                    worker.broken = true;
                    // Whoever may still have its other end writes for nobody.
                    events.forget(&worker.results);
                }
                hear(listener, Event::Broke { slot, what })
            }
        }
    }

    fn take_frames(&mut self, slot: u32, listener: &mut dyn Listener) -> Result<(), Stop> {
        let output_bytes_max = self.config.settings.limits.output_bytes_max as usize;
        let Some(worker) = self.worker_mut(slot).filter(|worker| !worker.broken) else {
            return Ok(());
        };
        let mut frames = std::mem::take(&mut worker.frames);
        let result = loop {
            match frames.next() {
                Ok(Some((header, body))) => {
                    let taken = Frame { header, body, output_bytes_max }.take(worker, listener);
                    if let Err(stop) = taken {
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

    /// Takes the records that a worker has committed but not yet sent completely. Before that,
    /// reads from the worker's pipe at most `reads` times.
    pub(super) fn drain_committed(
        &mut self,
        slot: u32,
        reads: usize,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        let Some(worker) = self.worker(slot) else { return Ok(()) };
        let flights = worker.flights.iter();
        let committed: Vec<(u32, usize)> = flights
            .map(|flight| flight.parcel.batch)
            .filter_map(|batch| Some((batch, worker.memory.committed(batch)?)))
            .filter(|&(batch, committed)| committed > outbox_seen(worker, batch))
            .collect();
        if committed.is_empty() {
            return Ok(());
        }
        // The lines that a job printed are in the pipe before its record is committed, and have to
        // come first.
        self.read(slot, reads, listener)?;
        for (batch, committed) in committed {
            let Some(worker) = self.worker_mut(slot).filter(|worker| !worker.broken) else {
                return Ok(());
            };
            let seen = outbox_seen(worker, batch);
            let Some(at) = worker.place(batch).filter(|_| committed > seen) else { continue };
            let bytes = worker.memory.copy_out(batch, seen..committed);
            worker.flights[at].outbox_seen = committed;
            let taken = listener.hear(Event::Records { slot, batch, bytes: bytes.into() });
            self.carry_on(slot, taken, listener)?;
        }
        Ok(())
    }
}

fn outbox_seen(worker: &Worker, batch: u32) -> usize {
    worker.place(batch).map_or(0, |at| worker.flights[at].outbox_seen)
}

/// A frame from a worker.
struct Frame<'a> {
    header: Header,
    body: &'a [u8],
    /// The largest number of bytes of a result.
    output_bytes_max: usize,
}

impl Frame<'_> {
    fn take(&self, worker: &mut Worker, listener: &mut dyn Listener) -> Result<(), Stop> {
        let (slot, body) = (worker.id.slot, self.body);
        match self.header.kind {
            FrameKind::Results => self.take_results(worker, listener),
            FrameKind::ResultPart => self.take_part(worker, listener),
            FrameKind::Log => {
                let job = self.header.first_job;
                let stream = Stream::from_code(self.header.count).ok_or("a line of no stream")?;
                listener.hear(Event::Line { slot, job, stream, line: body })
            }
            FrameKind::Ready if worker.ready => Err("a second start".into()),
            FrameKind::Ready => {
                worker.ready = true;
                let ready = body.try_into().map_err(|_| "a worker that is ready at no time")?;
                let asked = MonotonicTime::ago(worker.asked.elapsed());
                let ready = MonotonicTime::of_nanos(u64::from_le_bytes(ready));
                listener.hear(Event::Ready { slot, asked, ready })
            }
            FrameKind::Waits => {
                let waits: Waits =
                    serde_json::from_slice(body).map_err(|_| "waits that are unreadable")?;
                listener.hear(Event::Waited { slot, waits })
            }
            FrameKind::Fatal => {
                worker.fatal_message = Some(String::from_utf8_lossy(body).into_owned());
                Ok(())
            }
            FrameKind::Jobs | FrameKind::JobPart => Err("a frame of the dispatcher's".into()),
        }
    }

    /// Takes a piece of the outbox, without the part that was already taken from job memory.
    fn take_results(&self, worker: &mut Worker, listener: &mut dyn Listener) -> Result<(), Stop> {
        let batch = self.header.batch;
        let Some(at) = worker.place(batch) else {
            // The whole piece was already taken from job memory, and the batch is done.
            return Ok(());
        };
        let seen = worker.flights[at].outbox_seen as u64;
        let known = seen.checked_sub(self.header.first_job).ok_or("a gap in the outbox")?;
        let Some(new) = self.body.get(known as usize..).filter(|new| !new.is_empty()) else {
            return Ok(());
        };
        worker.flights[at].outbox_seen += new.len();
        let bytes = Cow::Borrowed(new);
        listener.hear(Event::Records { slot: worker.id.slot, batch, bytes })
    }

    /// Takes a piece of a result that did not fit into the outbox.
    fn take_part(&self, worker: &mut Worker, listener: &mut dyn Listener) -> Result<(), Stop> {
        let Some((place, piece)) = self.body.split_at_checked(PART_BYTES) else {
            return Err("a part without its place".into());
        };
        let (total, offset) = (u64_at(place, 0) as usize, u64_at(place, 8) as usize);
        let batch = self.header.batch;
        let at = worker.place(batch).ok_or("a part of a batch that is not in flight")?;
        // A failure may be longer than a result, and is followed by what was printed.
        let most = self.output_bytes_max + RECORD_BYTES + MEASURE_BYTES + FAILURE_BYTES_MAX;
        if total > most {
            return Err("a result above the limit".into());
        }
        let flight = &mut worker.flights[at];
        let partial = flight.partial.get_or_insert_with(|| Partial::new(total));
        let fits = offset == partial.bytes.len() && offset + piece.len() <= total;
        if partial.total != total || !fits || piece.is_empty() {
            return Err("a part that does not fit the others".into());
        }
        partial.bytes.extend_from_slice(piece);
        if partial.bytes.len() < total {
            return Ok(());
        }
        let record = flight.partial.take().expect("it was just there").bytes;
        listener.hear(Event::Records { slot: worker.id.slot, batch, bytes: record.into() })
    }
}
