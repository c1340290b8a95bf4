//! The core of a dispatcher: listens to the crew, keeps the schedule, and hands outcomes and
//! notices to the sink.

use super::config::Config;
use super::crew::{Event, Listener, Request, Stop};
use super::error::PoolError;
use super::feed::{Notice, Sink};
use super::schedule::{Action, Fate, Schedule, hand_over, hand_over_run};
use crate::wire::record::Record;
use std::borrow::Cow;
use std::time::Instant;

/// The listener of a run's crew.
pub(super) struct Core<'a> {
    pub(super) schedule: Schedule,
    pub(super) sink: &'a mut dyn Sink,
    /// The time of the events that are being handled.
    pub(super) now: Instant,
}

/// A range of a batch's next records, all of jobs that succeeded.
struct Successes {
    count: u16,
    bytes: std::ops::Range<usize>,
}

impl<'a> Core<'a> {
    /// Returns the core of a run that starts now.
    pub(super) fn new(config: Config, sink: &'a mut dyn Sink, now: Instant) -> Core<'a> {
        Core { schedule: Schedule::new(config, now), sink, now }
    }

    /// Hands over the outcomes that are due.
    ///
    /// # Errors
    /// Returns the errors of the sink.
    #[inline]
    pub(super) fn hand_over_due(&mut self) -> Result<(), PoolError> {
        while let Some((first, segment)) = self.schedule.next_due() {
            hand_over(first, &segment, self.sink).map_err(PoolError::Output)?;
        }
        Ok(())
    }

    /// Takes whole records of a batch.
    fn take_records(&mut self, slot: u32, batch: u32, bytes: Cow<'_, [u8]>) -> Result<(), Stop> {
        let Some((mut next, limit, is_run)) = self.schedule.expected(slot, batch) else {
            // The records were all taken from job memory already, and the batch is done.
            return Ok(());
        };
        let (mut rest, mut taken) = (&*bytes, 0);
        let mut run = Successes { count: 0, bytes: 0..0 };
        while !rest.is_empty() {
            let (record, tail) = Record::split_first(rest).ok_or("a malformed record")?;
            if record.index != next || next >= limit {
                return Err("a record out of turn".into());
            }
            next += 1;
            let end = bytes.len() - tail.len();
            if record.failed || !is_run {
                self.take_successes(
                    slot,
                    batch,
                    Cow::Borrowed(&bytes[run.bytes.clone()]),
                    run.count,
                )?;
                run = Successes { count: 0, bytes: end..end };
            }
            if record.failed {
                self.schedule.failed(slot, batch, &record, self.now);
                self.hand_over_due()?;
            } else {
                if let Some(measure) = record.measure {
                    self.schedule.note_time(measure.nanos);
                }
                let start = if run.count == 0 { taken } else { run.bytes.start };
                run = Successes { count: run.count + 1, bytes: start..end };
            }
            (taken, rest) = (end, tail);
        }
        let records = match run.bytes == (0..bytes.len()) {
            true => bytes,
            false => Cow::Borrowed(&bytes[run.bytes]),
        };
        self.take_successes(slot, batch, records, run.count)?;
        Ok(())
    }

    /// Hands successes over without a copy if no earlier job is awaited; otherwise holds them.
    fn take_successes(
        &mut self,
        slot: u32,
        batch: u32,
        records: Cow<'_, [u8]>,
        count: u16,
    ) -> Result<(), PoolError> {
        if count == 0 {
            return Ok(());
        }
        let Some(successes) = self.schedule.succeeded(slot, batch, count, records.len()) else {
            return Ok(());
        };
        match successes.fate {
            Fate::Pass => {
                let inputs = successes.inputs.as_ref().map(|(all, ends)| (&all[..], &ends[..]));
                hand_over_run(successes.first, &records, inputs, successes.attempt, self.sink)
                    .map_err(PoolError::Output)?;
            }
            Fate::Hold => self.schedule.hold(successes, count, records.into_owned()),
        }
        self.hand_over_due()
    }

    /// Passes a notice to the sink.
    pub(super) fn tell(&mut self, notice: Notice) {
        self.sink.notice(notice);
    }

    /// Carries out the actions that need no crew, and returns the next request that does.
    pub(super) fn next_request(&mut self) -> Option<Request> {
        loop {
            match self.schedule.next_action()? {
                Action::Ask(request) => {
                    if let Request::Send { slot, parcel } = &request {
                        let (job, jobs) = (parcel.number(0), parcel.count());
                        self.sink.notice(Notice::Sent { slot: *slot, job, jobs });
                    }
                    return Some(request);
                }
                Action::Tell(notice) => self.sink.notice(*notice),
                Action::TellDraining { why } => {
                    let running = self.schedule.stats().in_flight;
                    self.sink.notice(Notice::Draining { running, why });
                }
            }
        }
    }
}

impl Listener for Core<'_> {
    fn hear(&mut self, event: Event<'_>) -> Result<(), Stop> {
        let now = self.now;
        match event {
            Event::Records { slot, batch, bytes } => return self.take_records(slot, batch, bytes),
            Event::Quiet { slot } => self.schedule.settle(slot, now),
            Event::Written { slot, batch } => self.schedule.written(slot, batch, now),
            Event::Claims { slot, batch, next, end } => {
                self.schedule.claims(slot, batch, next, end);
            }
            Event::Sampled { slot } => self.schedule.sampled(slot, now),
            Event::Drained { slot, awaited } => self.schedule.drained(slot, awaited, now),
            Event::Forked { slot, pid } => self.schedule.forked(slot, pid),
            Event::Refused { slot, why } => self.schedule.refuse(slot, why, now)?,
            Event::Ready { slot, asked, ready } => {
                let job = self.schedule.up(slot);
                let pid = self.schedule.pid(slot);
                self.tell(Notice::WorkerStarted { slot, pid, asked, ready, job });
            }
            Event::Line { slot, job, stream, line } => {
                self.schedule.printed(slot, line.len())?;
                let job = Some(job).filter(|&job| self.schedule.awaits(slot, job));
                let pid = self.schedule.pid(slot);
                self.tell(Notice::Log { pid, job, stream, line: line.to_vec() });
            }
            Event::Waited { slot, waits } => {
                if self.schedule.awaits(slot, waits.job) {
                    let pid = self.schedule.pid(slot);
                    self.tell(Notice::Waited { pid, waits });
                }
            }
            Event::Lost { slot } => self.schedule.lost(slot),
            Event::Broke { slot, what } => self.schedule.broke(slot, what),
            Event::Full { slot, excess } => self.schedule.full(slot, excess),
            Event::Gone { slot, death } => self.schedule.gone(slot, *death, now)?,
            Event::ZygoteLost => self.schedule.zygote_lost()?,
            Event::ZygoteRestarted { how } => self.tell(Notice::ZygoteLost { how }),
            Event::Loaded { lines } => {
                self.schedule.loaded();
                lines.into_iter().for_each(|line| self.tell(line));
            }
        }
        self.hand_over_due()?;
        Ok(())
    }
}
