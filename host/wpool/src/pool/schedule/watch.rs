//! The watch: time limits, silent workers, cancelled jobs, and the ways in which a run is ended
//! early.

use super::worker::{Seen, Verdict, Worker};
use super::*;
use crate::wire::clock::after;
use crate::wire::scratch::Excess;
use crate::wire::waits::Awaited;
use rustix::process::Signal;

/// The time between two looks at claims if there is no time limit.
const LOOK: Duration = Duration::from_millis(20);

/// The time for which a worker may be silent: `SILENT_MAX` once it is ready, `STARTING_MAX` before.
/// If jobs have a time limit, that limit applies instead, but never less than a busy machine may
/// need.
const SILENT_MAX: Duration = Duration::from_secs(10);
const SILENT_MIN: Duration = Duration::from_secs(1);
const STARTING_MAX: Duration = Duration::from_secs(60);

impl Schedule {
    /// Returns the time between two looks at claims: a twentieth of the time limit, so that a job
    /// is stopped at most that much too late.
    fn look_interval(&self) -> Duration {
        self.limit
            .now()
            .map_or(LOOK, |timeout| (timeout / 20).max(Duration::from_millis(1)).min(LOOK))
    }

    /// Returns the time of the next look at claims; `None` while no job is in flight.
    pub(super) fn next_look(&self) -> Option<Instant> {
        let busy = |worker: &Worker| {
            (!worker.window.is_empty() || worker.silent.is_some()) && worker.life != Life::Lost
        };
        self.workers().any(busy).then(|| self.last_look + self.look_interval())
    }

    /// Asks which job each worker is running, if it is time to.
    pub(super) fn look(&mut self, now: Instant) {
        let since_last = now.saturating_duration_since(self.last_look);
        let interval = self.look_interval();
        if since_last < interval {
            return;
        }
        self.last_look = now;
        // The clocks stood still while the dispatcher was stopped or too busy to look.
        let stood = since_last.saturating_sub(interval * 4);
        for slot in 0..self.workers.len() as u32 {
            let Some(worker) = self.worker_mut(slot) else { continue };
            worker.stood(stood);
            if !worker.window.is_empty() || worker.silent.is_some() {
                worker.looked_at = true;
                self.ask(Request::Sample { slot });
            }
        }
    }

    /// Notes that of a batch the jobs before `next` are claimed, and that those from `end` on will
    /// not be, because they were taken back or given back. A worker that lies about `end` can only
    /// give jobs back, never get any.
    pub(crate) fn claims(&mut self, slot: u32, batch: u32, next: u16, end: u16) {
        let Some(worker) = self.worker_mut(slot) else { return };
        let Some(place) = worker.window.place(batch) else { return };
        let batch = &mut worker.window.batches[place];
        let end = end.clamp(batch.received, batch.limit);
        batch.claimed = next.clamp(batch.received, end);
        if end == batch.limit {
            return;
        }
        let (parcel, back) = (batch.parcel.clone(), end..batch.limit);
        batch.limit = end;
        worker.asked_back = false;
        parcel.jobs(back).for_each(|(job, input)| self.put_back(job, input));
    }

    /// Judges what a worker is doing, now that all its claims are known, if a look was requested. A
    /// job that has run for a while does not hold up the results before it, and a job that has run
    /// too long is stopped.
    pub(crate) fn sampled(&mut self, slot: u32, now: Instant) {
        self.settle(slot, now);
        let Some(worker) = self.worker_mut(slot) else { return };
        if std::mem::take(&mut worker.looked_at) {
            self.judge_silence(slot, now);
            self.judge_progress(slot, now);
        }
    }

    /// Notes that a worker does not start its jobs, and ends a worker that has not started them for
    /// long.
    fn judge_silence(&mut self, slot: u32, now: Instant) {
        let timeout = self.config.timeout;
        let Some(worker) = self.worker_mut(slot) else { return };
        if !worker.is_serving() || !worker.is_heard() {
            worker.silent = None;
            return;
        }
        if let Some(batch) = worker.window.batches.front() {
            if batch.claimed > batch.received || !batch.written {
                worker.silent = None;
                return;
            }
            worker.silent.get_or_insert(now);
        }
        let most = match (worker.life, timeout) {
            (Life::Up, timeout) => timeout.map_or(SILENT_MAX, |t| t.clamp(SILENT_MIN, SILENT_MAX)),
            (_, timeout) => timeout.map_or(STARTING_MAX, |t| t.max(SILENT_MAX)),
        };
        if worker.silent.is_some_and(|since| now >= after(since, most)) {
            self.fence(slot, Verdict::Silent(most));
        }
    }

    fn judge_progress(&mut self, slot: u32, now: Instant) {
        let limit = self.limit.now();
        let Some(worker) = self.worker_mut(slot) else { return };
        let Some(batch) = worker.window.batches.front() else { return };
        let (id, claimed, received) = (batch.parcel.batch, batch.claimed, batch.received);
        if !worker.is_heard() || !worker.is_serving() || claimed <= received {
            worker.seen = None;
            return;
        }
        let since = match worker.seen {
            Some(seen) if (seen.batch, seen.next) == (id, claimed) => seen.since,
            _ => {
                worker.seen = Some(Seen { batch: id, next: claimed, since: now });
                return;
            }
        };
        // The worker runs the same job as at the last look. If the job has run too long, nothing
        // more may start in its worker, and if the job is still unfinished then, the worker is
        // killed.
        match limit.is_some_and(|timeout| now >= after(since, timeout)) {
            true => self.fence(slot, Verdict::Late { batch: id, claimed }),
            // The results before the job may be waiting for its end.
            false => self.ask(Request::Drain { slot }),
        }
    }

    /// Takes back all jobs that a worker has not started, and sets the verdict that follows.
    fn fence(&mut self, slot: u32, verdict: Verdict) {
        if let Some(worker) = self.worker_mut(slot) {
            worker.verdict = Some(verdict);
        }
        self.ask(Request::TakeBack { slot, most: u32::MAX });
        self.ask(Request::Drain { slot });
    }

    /// Carries out the verdict on a worker, now that everything it had committed is known.
    /// `awaited` is what the worker's job waits for.
    pub(crate) fn drained(&mut self, slot: u32, awaited: Option<Awaited>, now: Instant) {
        self.settle(slot, now);
        let limit = self.limit.now().unwrap_or_default();
        let Some(worker) = self.worker_mut(slot) else { return };
        let verdict = worker.verdict.take();
        let unfinished = |batch: u32, claimed: u16| {
            let place = worker.window.place(batch);
            place.is_some_and(|place| worker.window.batches[place].received < claimed)
        };
        match verdict {
            Some(Verdict::Silent(most)) => return self.kill(slot, Killed::Silent(most)),
            Some(Verdict::Late { batch, claimed }) if unfinished(batch, claimed) => {
                return self.kill(slot, Killed::Timeout(limit, awaited));
            }
            _ => {}
        }
        let Some(worker) = self.worker(slot) else { return };
        let holds = |job: u64| worker.window.holding(job).is_some();
        let cancelled = self.cancelled.iter().find(|(job, _)| holds(**job));
        if let Some(how) = cancelled.map(|(_, how)| how.clone()) {
            self.kill(slot, how);
        }
    }

    /// Takes back all jobs that no worker has started.
    fn fence_all(&mut self) {
        for slot in 0..self.workers.len() as u32 {
            if self.worker(slot).is_some() {
                self.ask(Request::TakeBack { slot, most: u32::MAX });
                self.ask(Request::Sample { slot });
            }
        }
    }

    /// Starts no more jobs; the running ones may finish until a time.
    pub(crate) fn drain(&mut self, end: End, until: Option<Instant>, why: &str) {
        match self.phase {
            Phase::Running => {}
            // The drain was requested again, now with less patience.
            Phase::Draining(end, None) => {
                self.phase = Phase::Draining(end, until);
                return;
            }
            Phase::Draining(..) | Phase::Killing(_) => return,
        }
        self.phase = Phase::Draining(end, until);
        self.pending.clear();
        self.fence_all();
        self.ask(Request::InterruptWaits);
        self.actions.push_back(Action::TellDraining { why: why.into() });
    }

    /// Kills all workers. The jobs that they are running are given up; the others have not started.
    pub(crate) fn kill_all(&mut self, end: End, why: &str) {
        // A second request kills again: a worker missed the first time, for whatever reason, must
        // not be waited for.
        if !matches!(self.phase, Phase::Killing(_)) {
            self.phase = Phase::Killing(end);
        }
        self.pending.clear();
        self.fence_all();
        for slot in 0..self.workers.len() as u32 {
            let Some(worker) = self.worker(slot).filter(|worker| !worker.window.is_empty()) else {
                continue;
            };
            // A worker that has not been reported may never start, and is not waited for.
            let is_forking = worker.pid == 0;
            match worker.life {
                // The worker is already dying, for a reason of its own.
                Life::Lost => self.ask(Request::Kill { slot, signal: Signal::KILL }),
                _ => self.kill(slot, Killed::Cancelled(why.into())),
            }
            if is_forking {
                self.ask(Request::Drop { slot });
            }
        }
    }

    /// Gives up one job, wherever it is. If the job is running, its worker is killed as `how` says.
    pub(crate) fn cancel(&mut self, job: u64, how: Killed) {
        if let Some(input) = self.pending.remove(job) {
            return self.give_up_job(job, input);
        }
        let holding = self.slots().find(|(_, worker)| worker.window.holding(job).is_some());
        let Some((slot, _)) = holding else { return };
        self.cancelled.insert(job, how);
        self.ask(Request::TakeBack { slot, most: u32::MAX });
        self.ask(Request::Drain { slot });
    }

    /// Returns lines that say which jobs are running. `awaited` returns what a worker's job waits
    /// for.
    pub(crate) fn report(
        &self,
        awaited: impl Fn(u32) -> Option<Awaited>,
        now: Instant,
    ) -> Vec<String> {
        let stats = self.stats();
        let mut lines = vec![format!(
            "{} succeeded, {} failed, {} in flight, {} workers",
            stats.succeeded, stats.failed, stats.in_flight, stats.workers
        )];
        for (slot, worker) in self.slots() {
            if let Some((job, since)) = worker.running(now) {
                let (pid, seconds) = (worker.pid, since.as_secs_f64());
                let waits = awaited(slot).map(|what| format!(", and waits for {what}"));
                let waits = waits.unwrap_or_default();
                lines.push(format!("worker {pid} runs job {job} for {seconds:.1} s{waits}"));
            }
        }
        lines
    }

    /// Kills a worker that broke the protocol.
    pub(crate) fn broke(&mut self, slot: u32, what: String) {
        self.kill(slot, Killed::Protocol(what));
    }

    /// Kills a worker whose job has more in its scratch folder than it may.
    pub(crate) fn full(&mut self, slot: u32, excess: Excess) {
        if self.worker_mut(slot).is_some_and(|worker| worker.is_serving()) {
            self.kill(slot, Killed::Full(excess));
        }
    }
}
