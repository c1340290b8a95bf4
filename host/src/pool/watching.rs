//! The dispatcher's watch: time limits, cancelled jobs, and the ways a run is ended early.

use super::dispatcher::{Dispatcher, Phase};
use super::error::PoolError;
use super::feed::{Attempt, Notice};
use super::handle::{Killed, Seen, WorkerHandle};
use super::summary::End;
use crate::wire::clock::after;
use crate::wire::failure::{Failure, FailureKind};
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// Time between two looks at job memory where there is no time limit.
const LOOK: Duration = Duration::from_millis(20);

/// How long a worker may be silent once it is ready, and before. It may take as long as a job may, if that is
/// limited, but never as little as a busy machine may need.
const SILENT_MAX: Duration = Duration::from_secs(10);
const SILENT_MIN: Duration = Duration::from_secs(1);
const STARTING_MAX: Duration = Duration::from_secs(60);

impl Dispatcher<'_> {
    /// Time between two looks at job memory: a twentieth of the time limit, so that a job is stopped
    /// at most that much late.
    fn look(&self) -> Duration {
        self.limit
            .now()
            .map_or(LOOK, |timeout| (timeout / 20).max(Duration::from_millis(1)).min(LOOK))
    }

    /// When job memory is looked at next; `None` while no job is in flight.
    pub(super) fn next_sample(&self) -> Option<Instant> {
        let busy = |worker: &WorkerHandle| {
            (!worker.in_flight.is_empty() || worker.silent.is_some()) && worker.ended.is_none()
        };
        let any = self.workers.iter().flatten().any(busy);
        any.then(|| self.last_sample + self.look())
    }

    /// Looks at which job each worker is running. One that has run for a while does not hold up the
    /// results before it, and one that has run too long is stopped.
    pub(super) fn sample(&mut self, now: Instant) -> Result<(), PoolError> {
        let since_last = now.saturating_duration_since(self.last_sample);
        let look = self.look();
        if since_last < look {
            return Ok(());
        }
        self.last_sample = now;
        // While the dispatcher was stopped or too busy to look, clocks stood.
        let stood = since_last.saturating_sub(look * 4);
        for slot in 0..self.workers.len() as u32 {
            self.with_worker(slot, |this, worker| {
                if let Some(seen) = &mut worker.seen {
                    seen.since += stood;
                }
                if let Some(silent) = &mut worker.silent {
                    *silent += stood;
                }
                this.listen(worker, now)?;
                this.look_at(worker, now)
            })?;
            self.settle_worker(slot)?;
        }
        Ok(())
    }

    /// Takes note of a worker that does not begin with its jobs, and kills one that has not for long.
    fn listen(&mut self, worker: &mut WorkerHandle, now: Instant) -> Result<(), PoolError> {
        if !worker.is_serving() || !worker.is_reading() {
            worker.silent = None;
            return Ok(());
        }
        if let Some(batch) = worker.in_flight.front() {
            let claimed = worker.memory.claimed(batch.id).map_or(0, |claimed| claimed.next);
            if claimed > batch.received || !batch.unwritten().is_empty() {
                worker.silent = None;
                return Ok(());
            }
            worker.silent.get_or_insert(now);
        }
        let most = match (worker.ready, self.config.timeout) {
            (true, timeout) => timeout.map_or(SILENT_MAX, |t| t.clamp(SILENT_MIN, SILENT_MAX)),
            (false, timeout) => timeout.map_or(STARTING_MAX, |t| t.max(SILENT_MAX)),
        };
        if worker.silent.is_some_and(|since| now >= after(since, most)) {
            self.fence(worker);
            self.salvage(worker)?;
            worker.kill(Killed::Silent(most), self.sink);
        }
        Ok(())
    }

    fn look_at(&mut self, worker: &mut WorkerHandle, now: Instant) -> Result<(), PoolError> {
        let Some(batch) = worker.in_flight.front() else { return Ok(()) };
        let (id, received) = (batch.id, batch.received);
        let claimed = worker.memory.claimed(id).map_or(0, |claimed| claimed.next);
        if !worker.is_reading() || !worker.is_serving() || claimed <= received {
            worker.seen = None;
            return Ok(());
        }
        let since = match worker.seen {
            Some(seen) if (seen.batch, seen.next) == (id, claimed) => seen.since,
            _ => {
                worker.seen = Some(Seen { batch: id, next: claimed, since: now });
                return Ok(());
            }
        };
        // The same job as at the last look: the results before it may be waiting for its end.
        self.salvage(worker)?;
        let late = self.limit.now().is_some_and(|timeout| now >= after(since, timeout));
        if late && unfinished(worker, id, claimed) {
            self.expire(worker, id, claimed)?;
        }
        Ok(())
    }

    /// A job ran too long: nothing more may start in its worker, and if it is still unfinished then,
    /// the worker is killed.
    fn expire(
        &mut self,
        worker: &mut WorkerHandle,
        batch: u32,
        claimed: u16,
    ) -> Result<(), PoolError> {
        self.fence(worker);
        self.salvage(worker)?;
        if unfinished(worker, batch, claimed) {
            let limit = self.limit.now().unwrap_or_default();
            worker.kill(Killed::Timeout(limit, self.awaited(worker)), self.sink);
        }
        Ok(())
    }

    /// Takes back all jobs that a worker has not started.
    pub(super) fn fence(&mut self, worker: &mut WorkerHandle) {
        for batch in &mut worker.in_flight {
            let Some((_, end)) = worker.memory.take_back(batch.id, |seen| seen.next) else {
                continue;
            };
            let end = end.clamp(batch.received, batch.limit);
            if self.phase == Phase::Running {
                for (number, job) in batch.jobs(end..batch.limit) {
                    self.backlog.put_back(number, job.to_vec());
                }
            }
            batch.limit = end;
        }
    }

    fn fence_all(&mut self) -> Result<(), PoolError> {
        for slot in 0..self.workers.len() as u32 {
            self.take_back_all(slot)?;
            self.settle_worker(slot)?;
        }
        Ok(())
    }

    /// Starts no more jobs; those that run may finish until a time.
    pub(super) fn drain(
        &mut self,
        end: End,
        until: Option<Instant>,
        why: &str,
    ) -> Result<(), PoolError> {
        match self.phase {
            Phase::Running => {}
            // Asked again, with less patience.
            Phase::Draining(end, None) => {
                self.phase = Phase::Draining(end, until);
                return Ok(());
            }
            Phase::Draining(..) | Phase::Killing(_) => return Ok(()),
        }
        self.phase = Phase::Draining(end, until);
        self.backlog.clear();
        self.forget_source();
        self.fence_all()?;
        self.interrupt_waits();
        let running = self.stats().in_flight;
        self.sink.notice(Notice::Draining { running, why: why.into() });
        Ok(())
    }

    /// Kills all workers. The jobs that they run are given up; the others have not started.
    pub(super) fn kill_all(&mut self, end: End, why: &str) -> Result<(), PoolError> {
        // Asked again, it kills again: what was missed, for whatever reason, must not be waited for.
        if !matches!(self.phase, Phase::Killing(_)) {
            self.phase = Phase::Killing(end);
        }
        self.backlog.clear();
        self.forget_source();
        self.fence_all()?;
        let mut unborn = Vec::new();
        for worker in self.workers.iter_mut().flatten() {
            if worker.status.is_some() {
                // It is dying already, for a reason of its own.
                worker.signal(Signal::KILL);
            } else if !worker.in_flight.is_empty() {
                worker.kill(Killed::Cancelled(why.into()), self.sink);
                unborn.extend(worker.pid.is_none().then_some(worker.id.slot));
            }
        }
        // One that the zygote has not told of ends with it; nobody waits to hear of its birth.
        unborn.into_iter().try_for_each(|slot| self.finalize(slot))
    }

    /// Gives up one job, wherever it is. If it runs, its worker is killed as `how` says.
    pub(super) fn cancel(&mut self, job: u64, how: Killed) -> Result<(), PoolError> {
        let failure = || Failure::new(FailureKind::Cancelled, "");
        if let Some(input) = self.backlog.remove(job) {
            self.cancelled.insert(job);
            return self.fail(job, input, failure(), Attempt::default());
        }
        let holds = |worker: &&WorkerHandle| worker.awaits(job);
        let Some(slot) = self.workers.iter().flatten().find(holds).map(|worker| worker.id.slot)
        else {
            return Ok(());
        };
        self.with_worker(slot, |this, worker| {
            this.fence(worker);
            this.salvage(worker)
        })?;
        self.settle_worker(slot)?;
        if let Some(input) = self.backlog.remove(job) {
            self.cancelled.insert(job);
            return self.fail(job, input, failure(), Attempt::default());
        }
        if let Some(worker) = &mut self.workers[slot as usize]
            && worker.awaits(job)
        {
            self.cancelled.insert(job);
            worker.kill(how, self.sink);
        }
        Ok(())
    }

    /// Stops all workers, and tells whoever commands that it is done.
    pub(super) fn pause(&mut self) {
        self.signal_all(Signal::STOP);
        let paused = Instant::now();
        self.commands.paused();
        let stood = paused.elapsed();
        self.last_sample += stood;
        for worker in self.workers.iter_mut().flatten() {
            if let Some(seen) = &mut worker.seen {
                seen.since += stood;
            }
        }
    }

    /// Lets stopped workers go on.
    pub(super) fn resume(&mut self) {
        self.signal_all(Signal::CONT);
    }

    /// Signals the zygote's group, and the workers that left it for the dispatcher's.
    fn signal_all(&self, signal: Signal) {
        self.session.zygote.signal_group(signal);
        self.workers.iter().flatten().for_each(|worker| worker.signal(signal));
    }

    /// Tells which jobs are running.
    pub(super) fn report(&mut self) {
        let stats = self.stats();
        let mut lines = vec![format!(
            "{} succeeded, {} failed, {} in flight, {} workers",
            stats.succeeded, stats.failed, stats.in_flight, stats.workers
        )];
        for worker in self.workers.iter().flatten() {
            if let Some((job, since)) = worker.running() {
                let (pid, seconds) = (worker.pid.unwrap_or(0), since.as_secs_f64());
                let awaited = self.awaited(worker);
                let waits = awaited.map(|what| format!(", and waits for {what}"));
                let waits = waits.unwrap_or_default();
                lines.push(format!("worker {pid} runs job {job} for {seconds:.1} s{waits}"));
            }
        }
        for line in lines {
            self.sink.notice(Notice::Report(line));
        }
    }
}

/// Whether the job that was the last claimed of a batch still has no record.
fn unfinished(worker: &WorkerHandle, batch: u32, claimed: u16) -> bool {
    worker.in_flight.iter().any(|flying| flying.id == batch && flying.received < claimed)
}
