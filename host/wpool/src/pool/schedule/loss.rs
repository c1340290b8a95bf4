//! The loss of workers and zygotes: which job is charged, and when to give up.

use super::outcomes::Work;
use super::reorder::Segment;
use super::supply::Refused;
use super::worker::{Intent, Life, Worker};
use super::*;
use crate::pool::feed::Attempt;
use crate::wire::clock::MonotonicTime;
use crate::wire::control::ExitStatus;
use crate::wire::failure::{Failure, FailureDetail, FailureKind};
use crate::wire::jobmem::EXIT_WITHOUT_PROCESS;
use crate::wire::waits::{Wait, Waits};

/// The time within which a worker that ends before it is ready counts as a failed start.
const START_TIME: Duration = Duration::from_secs(1);

/// The number of failed starts, or of lost zygotes, in a row that ends the run.
const IN_A_ROW: u32 = 3;

/// The number of workers that end with a job as the first that they had not begun, after which the
/// job is charged. An honest worker may be killed at such a time, but hardly so often with the same
/// job; a hostile guest may deny that it began.
const DENIALS_MAX: u32 = 5;

impl Schedule {
    /// Notes that a worker is now a process.
    pub(crate) fn forked(&mut self, slot: u32, pid: i32) {
        if let Some(worker) = self.worker_mut(slot) {
            worker.pid = pid;
            if worker.life == Life::Forking {
                worker.life = Life::Starting;
            }
        }
    }

    /// Notes that a worker is ready, and returns the first of the jobs that it has been sent, if
    /// any.
    pub(crate) fn up(&mut self, slot: u32) -> Option<u64> {
        self.failed_starts = 0;
        let worker = self.worker_mut(slot)?;
        if worker.life != Life::Lost {
            worker.life = Life::Up;
        }
        (worker.was_up, worker.silent) = (true, None);
        worker.window.batches.front().map(|batch| batch.parcel.number(batch.received))
    }

    /// Notes that a worker can be sent nothing more.
    pub(crate) fn lost(&mut self, slot: u32) {
        if let Some(worker) = self.worker_mut(slot).filter(|worker| worker.life != Life::Lost) {
            worker.life = Life::Lost;
            worker.first_left = worker.window.lowest();
        }
    }

    /// Handles the refusal of a worker; its jobs go to others. If there is no reason, a worker can
    /// be had in a moment.
    ///
    /// # Errors
    /// Returns an error if no worker can be had for long and there are no others.
    pub(crate) fn refuse(
        &mut self,
        slot: u32,
        why: Option<String>,
        now: Instant,
    ) -> Result<(), PoolError> {
        if let Some(worker) = self.remove(slot) {
            left_of(&worker).for_each(|(job, input, _)| self.put_back(job, input));
        }
        self.refused = true;
        match why {
            Some(why) => self.do_with_fewer(&why, now),
            None => Ok(()),
        }
    }

    /// Makes do with the workers that there are, because the system does not allow another one.
    fn do_with_fewer(&mut self, why: &str, now: Instant) -> Result<(), PoolError> {
        let others = self.workers().filter(|worker| worker.is_serving()).count();
        match self.supply.refused(others, now) {
            Refused::Fewer(true) => {
                self.tell(Notice::FewerWorkers { workers: others, why: why.into() });
                Ok(())
            }
            Refused::Fewer(false) | Refused::Pause => Ok(()),
            Refused::GiveUp => Err(PoolError::Lost(format!("no worker can be started: {why}"))),
        }
    }

    /// Handles the end of a worker: charges the job that it was running, and takes back the others.
    ///
    /// # Errors
    /// Returns an error if workers do not start.
    pub(crate) fn gone(&mut self, slot: u32, death: Death, now: Instant) -> Result<(), PoolError> {
        let Some(worker) = self.remove(slot) else { return Ok(()) };
        let mut death = death;
        let printed = std::mem::take(&mut death.printed);
        let mut failure = failure_of(&worker, &death);
        // A job that was given up may be run again, and then prints everything.
        if failure.kind != FailureKind::Cancelled {
            failure.stdout = printed.into();
        }
        // The jobs left are those that the worker had claimed. One of them was running; only a
        // worker that lies leaves more.
        let mut left = left_of(&worker);
        let running = left.next().map(|(job, input, sent)| {
            let attempt = self.attempt_of(slot, &worker, sent);
            let attempt = self.until_its_end(attempt, &worker, &death, now);
            Work { job, input: input.to_vec(), attempt }
        });
        left.for_each(|(job, input, _)| self.put_back(job, input));
        if let Some(work) = &running {
            self.tell_last_wait(work, &death);
        }
        let announced = self.announce(slot, &worker, &death, &failure, now);
        if let Some(work) = running {
            self.fail(work, failure, now);
        } else if let Some(job) = worker.first_left.filter(|_| is_own_end(&worker, &death)) {
            self.note_denial(slot, &worker, job, &failure);
        }
        announced
    }

    /// Notes that a worker has ended, as it says without having begun the job that was its next one.
    fn note_denial(&mut self, slot: u32, worker: &Worker, job: u64, failure: &Failure) {
        if !self.pending.holds(job) {
            return;
        }
        let denials = self.denials.entry(job).or_default();
        *denials += 1;
        if *denials < DENIALS_MAX {
            return;
        }
        self.denials.remove(&job);
        if let Some(input) = self.pending.remove(job) {
            let message = format!(
                "{DENIALS_MAX} workers ended before they began with it: {}",
                failure.message
            );
            let failure = Failure { message, ..failure.clone() };
            let attempt = self.attempt_of(slot, worker, worker.asked);
            self.reorder.enter(job, Segment::Failed { input: Some(input), failure, attempt });
        }
    }

    /// Removes a worker from its slot.
    fn remove(&mut self, slot: u32) -> Option<Worker> {
        let worker = self.workers.get_mut(slot as usize)?.take()?;
        let bytes: usize = worker.window.batches.iter().map(|batch| batch.parcel.bytes()).sum();
        self.in_flight -= bytes;
        self.news = true;
        Some(worker)
    }

    /// Completes an attempt that ended with its worker. The worker has noted when the attempt
    /// began, or else the dispatcher has seen it run.
    fn until_its_end(
        &self,
        attempt: Attempt,
        worker: &Worker,
        death: &Death,
        now: Instant,
    ) -> Attempt {
        let seen = worker.seen.map(|seen| now.saturating_duration_since(seen.since));
        if !self.config.settings.probe.measured {
            return Attempt { ran: seen, ..attempt };
        }
        let ended = MonotonicTime::ago(now.saturating_duration_since(death.since));
        let began = death.began.unwrap_or_else(|| MonotonicTime::ago(seen.unwrap_or_default()));
        Attempt { began: Some(began), ran: Some(ended.since(began)), ..attempt }
    }

    /// Reports the wait in which a worker died while running a job, if it was waiting.
    fn tell_last_wait(&mut self, work: &Work, death: &Death) {
        let ended = work.attempt.began.zip(work.attempt.ran).map(|(began, ran)| began.after(ran));
        let (true, Some(ended), Some(wait)) =
            (self.config.settings.probe.waits, ended, &death.waited)
        else {
            return;
        };
        let list = vec![Wait { ended, ..wait.clone() }];
        let waits = Waits { job: work.job, list, left_out: 0 };
        self.tell(Notice::Waited { pid: work.attempt.pid, waits });
    }

    /// Reports the end of a worker, and gives up if too many ended unasked in the same way.
    fn announce(
        &mut self,
        slot: u32,
        worker: &Worker,
        death: &Death,
        failure: &Failure,
        now: Instant,
    ) -> Result<(), PoolError> {
        let closed = worker.intent == Intent::Close && death.status == Some(ExitStatus::Code(0));
        let in_order = closed && worker.window.is_empty();
        // The guest is at fault, and the job's failure says so.
        let trapped = matches!(failure.kind, FailureKind::Trap | FailureKind::OutOfMemory);
        let killed = match &worker.intent {
            Intent::Kill(killed) => Some(killed),
            Intent::Serve | Intent::Close => None,
        };
        let lost = !in_order && !trapped && !killed.is_some_and(Killed::is_asked_for);
        let how = if lost { failure.message.clone() } else { status_text(death.status) };
        self.tell(Notice::WorkerEnded { slot, pid: worker.pid, how, lost });
        if in_order || trapped {
            return Ok(());
        }
        // The worker is not at fault: the system has no process to give.
        let failed_start = !death.had_process && killed.is_none();
        if failed_start || death.status == Some(ExitStatus::Code(EXIT_WITHOUT_PROCESS)) {
            return self.do_with_fewer(death.fatal_message.as_deref().unwrap_or("no process"), now);
        }
        let silent = matches!(killed, Some(Killed::Silent(_)));
        let late = killed.is_some() || now.saturating_duration_since(worker.asked) > START_TIME;
        if worker.was_up || death.excused || (late && !silent) {
            return Ok(());
        }
        self.failed_starts += 1;
        if self.failed_starts < IN_A_ROW {
            return Ok(());
        }
        let how = &failure.message;
        Err(PoolError::Lost(format!(
            "workers do not start: {IN_A_ROW} in a row did not get ready ({how})"
        )))
    }

    /// Handles the loss of the zygote, and of its workers with it. Another zygote takes its place
    /// if there is work left.
    ///
    /// # Errors
    /// Returns an error if too many zygotes in a row were lost.
    pub(crate) fn zygote_lost(&mut self) -> Result<(), PoolError> {
        self.zygotes_lost += 1;
        if self.zygotes_lost >= IN_A_ROW {
            return Err(PoolError::Lost(format!("{IN_A_ROW} zygotes in a row were lost")));
        }
        self.loading = true;
        let running = self.phase == Phase::Running;
        self.ask(if running { Request::RestartZygote } else { Request::EndZygote });
        Ok(())
    }

    /// Notes that a zygote has loaded the module.
    pub(crate) fn loaded(&mut self) {
        self.loading = false;
    }
}

/// Returns whether a worker ended by what it did itself: it was ready, it was not asked to end, and
/// it had everything that it needed.
fn is_own_end(worker: &Worker, death: &Death) -> bool {
    let asked_for = match &worker.intent {
        Intent::Kill(killed) => killed.is_asked_for(),
        Intent::Serve | Intent::Close => false,
    };
    let wanted = death.status == Some(ExitStatus::Code(EXIT_WITHOUT_PROCESS));
    worker.was_up && !death.excused && !asked_for && !wanted
}

/// Returns the jobs that a worker has left, each with its number, its bytes, and the time at which
/// it was sent.
fn left_of(worker: &Worker) -> impl Iterator<Item = (u64, &[u8], Instant)> {
    worker.window.batches.iter().flat_map(|batch| {
        let left = batch.parcel.jobs(batch.received..batch.limit.max(batch.received));
        left.map(|(job, input)| (job, input, batch.sent))
    })
}

/// Returns the failure of the job that a worker was running when it ended.
fn failure_of(worker: &Worker, death: &Death) -> Failure {
    let killed = match &worker.intent {
        Intent::Kill(killed) => Some(killed),
        Intent::Serve | Intent::Close => None,
    };
    // Only a worker that was serving, and that was not killed, ends by a trap.
    if let (Some(trap), true, None) = (&death.trap, worker.was_up, killed) {
        return trap.clone();
    }
    let status = status_text(death.status);
    let mut failure = match killed {
        Some(killed) => killed.failure(),
        None => match &death.fatal_message {
            Some(words) => Failure::new(FailureKind::WorkerLost, format!("{words} ({status})")),
            None => Failure {
                detail: matches!(death.status, Some(ExitStatus::Signal(_)))
                    .then_some(FailureDetail::Signal),
                ..Failure::new(FailureKind::WorkerLost, status)
            },
        },
    };
    match death.status {
        Some(ExitStatus::Signal(signal)) => failure.signal = Some(signal),
        Some(ExitStatus::Code(code)) => failure.code = Some(code),
        None => {}
    }
    failure
}

fn status_text(status: Option<ExitStatus>) -> String {
    match status {
        Some(ExitStatus::Signal(signal)) => format!("killed by {}", signal_name(signal)),
        Some(ExitStatus::Code(code)) => format!("exit code {code}"),
        None => "status unknown".into(),
    }
}

fn signal_name(signal: i32) -> String {
    match nix::sys::signal::Signal::try_from(signal) {
        Ok(known) => known.as_str().into(),
        Err(_) => format!("signal {signal}"),
    }
}
