//! What becomes of jobs: their outcomes, second attempts, and the end of a run that has seen enough.

use super::config::{Halt, HaltLimit, HaltOn};
use super::dispatcher::{Dispatcher, Phase};
use super::error::PoolError;
use super::feed::{Attempt, Notice, Settled};
use super::handle::WorkerHandle;
use super::ledger::Segment;
use super::summary::End;
use crate::wire::clock::after;
use crate::wire::failure::Failure;
use std::time::Instant;

/// Bytes of a failed job's input that the sink is told where it does not want all.
const INPUT_TOLD_MAX: usize = 256;

impl Dispatcher<'_> {
    /// Enters the outcomes that the source brought along.
    pub(super) fn settle_intake(&mut self) -> Result<(), PoolError> {
        for (number, settled) in std::mem::take(&mut self.intake.settled) {
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
            self.enter(number, segment)?;
        }
        Ok(())
    }

    /// Enters an outcome.
    pub(super) fn enter(&mut self, first: u64, segment: Segment) -> Result<(), PoolError> {
        self.ledger.enter(first, segment, self.sink).map_err(PoolError::Output)
    }

    /// An attempt that a worker makes, at a job of a batch that was sent then.
    pub(super) fn attempt_of(&self, worker: &WorkerHandle, sent: Instant) -> Attempt {
        Attempt {
            number: 1,
            pid: worker.pid.unwrap_or(0),
            slot: worker.id.slot,
            sent: sent.saturating_duration_since(self.started),
            ..Attempt::default()
        }
    }

    /// A job failed: tries it again, or enters its failure.
    pub(super) fn fail(
        &mut self,
        job: u64,
        mut input: Vec<u8>,
        failure: Failure,
        mut attempt: Attempt,
    ) -> Result<(), PoolError> {
        let failed_before = self.attempts.get(&job).copied().unwrap_or(0);
        attempt.number = failed_before + 1;
        let retry = &self.config.retry;
        let again = failed_before < retry.attempts
            && retry.on.contains(&failure.kind)
            && self.phase == Phase::Running
            && !self.cancelled.contains(&job);
        if !again {
            self.attempts.remove(&job);
            self.cancelled.remove(&job);
            if !self.config.keep_inputs {
                // Enough to tell which job it was.
                input.truncate(INPUT_TOLD_MAX);
                input.shrink_to_fit();
            }
            return self.enter(job, Segment::Failed { input: Some(input), failure, attempt });
        }
        self.attempts.insert(job, failed_before + 1);
        self.retried += 1;
        if retry.delay.is_zero() {
            self.backlog.put_back(job, input);
        } else {
            self.backlog.put_back_at(job, input, after(Instant::now(), retry.delay));
        }
        self.sink.notice(Notice::Retrying { job, attempt, failure });
        Ok(())
    }

    /// Stops the run if `--halt` says so. Called between events, when every worker is in its slot.
    pub(super) fn halt_if_met(&mut self) -> Result<(), PoolError> {
        let (now, on) = match self.config.halt {
            Halt::Never => return Ok(()),
            _ if self.phase != Phase::Running => return Ok(()),
            Halt::Soon(on) => (false, on),
            Halt::Now(on) => (true, on),
        };
        let (succeeded, failed) = (self.ledger.succeeded, self.ledger.failed);
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
            return Ok(());
        }
        let end = End::Halted { failed: failures };
        let why = "the limit of --halt is met";
        if now { self.kill_all(end, why) } else { self.drain(end, None, why) }
    }
}
