//! Lost workers and zygotes: who is charged, and when to give up.

use super::outcomes::Work;
use super::reorder::Segment;
use super::supply::Refused;
use super::worker::{Intent, Life, Worker};
use super::*;
use crate::pool::feed::Attempt;
use crate::wire::clock::Moment;
use crate::wire::control::ExitStatus;
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::jobmem::EXIT_WITHOUT_PROCESS;
use crate::wire::waits::{Wait, Waits};

/// A worker that ends before it is ready, and within this time, is a failed start.
const START_TIME: Duration = Duration::from_secs(1);

/// So many failed starts, or lost zygotes, in a row end the run.
const IN_A_ROW: u32 = 3;

/// A job is charged once so many workers have ended with it as the first that they had not begun. An honest
/// worker may be killed at such a time, but hardly so often with one job; a hostile guest may deny that it began.
const DENIALS_MAX: u32 = 5;

impl Schedule {
    /// A worker is a process.
    pub(crate) fn forked(&mut self, slot: u32, pid: i32) {
        if let Some(worker) = self.worker_mut(slot) {
            worker.pid = pid;
            if worker.life == Life::Forking {
                worker.life = Life::Starting;
            }
        }
    }

    /// A worker is ready; answers with the first of the jobs that it has been sent, if there are any.
    pub(crate) fn up(&mut self, slot: u32) -> Option<u64> {
        self.failed_starts = 0;
        let worker = self.worker_mut(slot)?;
        if worker.life != Life::Lost {
            worker.life = Life::Up;
        }
        (worker.was_up, worker.silent) = (true, None);
        worker.window.batches.front().map(|batch| batch.parcel.number(batch.received))
    }

    /// A worker can be sent nothing more.
    pub(crate) fn lost(&mut self, slot: u32) {
        if let Some(worker) = self.worker_mut(slot).filter(|worker| worker.life != Life::Lost) {
            worker.life = Life::Lost;
            worker.first_left = worker.window.lowest();
        }
    }

    /// A worker cannot be had: what it was to do is for others. Without a reason, one can be had in a moment.
    ///
    /// # Errors
    /// None can be had for long, and there are no others.
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

    /// The system does not give another worker: the pool does with those that it has, if it has any.
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

    /// A worker is gone: charges the job that it was running, and takes the others back.
    ///
    /// # Errors
    /// Workers do not start.
    pub(crate) fn gone(&mut self, slot: u32, death: Death, now: Instant) -> Result<(), PoolError> {
        let Some(worker) = self.remove(slot) else { return Ok(()) };
        let mut death = death;
        let printed = std::mem::take(&mut death.printed);
        let mut failure = failure_of(&worker, &death);
        // A job that was given up may be run again, and prints all of it then.
        if failure.kind != FailureKind::Cancelled {
            failure.stdout = printed.into();
        }
        // What is left is claimed. One job was running; only of a worker that lies is there more.
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

    /// A worker has ended without having begun with a job that was its next one, as it says.
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

    /// Takes a worker out of its slot.
    fn remove(&mut self, slot: u32) -> Option<Worker> {
        let worker = self.workers.get_mut(slot as usize)?.take()?;
        let bytes: usize = worker.window.batches.iter().map(|batch| batch.parcel.bytes()).sum();
        self.in_flight -= bytes;
        self.news = true;
        Some(worker)
    }

    /// An attempt that ended with its worker: the worker has noted when it began, or else it was seen that it
    /// ran.
    fn until_its_end(
        &self,
        attempt: Attempt,
        worker: &Worker,
        death: &Death,
        now: Instant,
    ) -> Attempt {
        let seen = worker.seen.map(|seen| now.saturating_duration_since(seen.since));
        if !self.config.settings.measured {
            return Attempt { ran: seen, ..attempt };
        }
        let ended = Moment::ago(now.saturating_duration_since(death.since));
        let began = death.began.unwrap_or_else(|| Moment::ago(seen.unwrap_or_default()));
        Attempt { began: Some(began), ran: Some(ended.since(began)), ..attempt }
    }

    /// Tells in what wait a worker died that was running a job, if it was in one.
    fn tell_last_wait(&mut self, work: &Work, death: &Death) {
        let ended = work.attempt.began.zip(work.attempt.ran).map(|(began, ran)| began.after(ran));
        let (true, Some(ended), Some(wait)) = (self.config.settings.waits, ended, &death.waited)
        else {
            return;
        };
        let list = vec![Wait { ended, ..wait.clone() }];
        let waits = Waits { job: work.job, list, left_out: 0 };
        self.tell(Notice::Waited { pid: work.attempt.pid, waits });
    }

    /// Tells of an end, and gives up if there are too many of a kind that was not asked for.
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
        // Its guest's fault, which the job's failure tells.
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
        // Neither is the fault of this worker: the system has no process to give.
        let unborn = !death.born && killed.is_none();
        if unborn || death.status == Some(ExitStatus::Code(EXIT_WITHOUT_PROCESS)) {
            return self.do_with_fewer(death.last_words.as_deref().unwrap_or("no process"), now);
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

    /// The zygote is gone, and its workers with it: another one takes its place if there is work left.
    ///
    /// # Errors
    /// Too many in a row were lost.
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

    /// A zygote has loaded the module.
    pub(crate) fn loaded(&mut self) {
        self.loading = false;
    }
}

/// Returns whether a worker ended by what it did itself: it was ready, nobody asked it to end, and it had all that
/// it needed.
fn is_own_end(worker: &Worker, death: &Death) -> bool {
    let asked_for = match &worker.intent {
        Intent::Kill(killed) => killed.is_asked_for(),
        Intent::Serve | Intent::Close => false,
    };
    let wanted = death.status == Some(ExitStatus::Code(EXIT_WITHOUT_PROCESS));
    worker.was_up && !death.excused && !asked_for && !wanted
}

/// Returns the jobs that a worker has left: number, bytes, and when each was sent.
fn left_of(worker: &Worker) -> impl Iterator<Item = (u64, &[u8], Instant)> {
    worker.window.batches.iter().flat_map(|batch| {
        let left = batch.parcel.jobs(batch.received..batch.limit.max(batch.received));
        left.map(|(job, input)| (job, input, batch.sent))
    })
}

/// Returns why the job that a worker was running has no result.
fn failure_of(worker: &Worker, death: &Death) -> Failure {
    let killed = match &worker.intent {
        Intent::Kill(killed) => Some(killed),
        Intent::Serve | Intent::Close => None,
    };
    // Only one that was serving, and was left alone, ends by a trap.
    if let (Some(trap), true, None) = (&death.trap, worker.was_up, killed) {
        return trap.clone();
    }
    let status = status_text(death.status);
    let mut failure = match killed {
        Some(killed) => killed.failure(),
        None => Failure::new(
            FailureKind::WorkerLost,
            match &death.last_words {
                Some(words) => format!("{words} ({status})"),
                None => status,
            },
        ),
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
