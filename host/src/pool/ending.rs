//! The ends of workers and zygotes: what is saved, who is charged, who comes next.

use super::dispatcher::{Dispatcher, Phase};
use super::error::PoolError;
use super::events::Token;
use super::feed::{Attempt, Notice};
use super::handle::{Killed, WorkerHandle};
use crate::wire::clock::Moment;
use crate::wire::control::{ExitStatus, FromZygote, WorkerId};
use crate::wire::failure::{Failure, FailureKind};
use rustix::process::{Signal, pidfd_send_signal};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// Most messages of the zygote that are taken at once.
const REPORTS_MAX: u32 = 64;

/// How long the status of an ended worker is waited for.
const STATUS_WAIT: Duration = Duration::from_secs(1);

/// How long a zygote may take to fork a worker.
const FORK_WAIT: Duration = Duration::from_secs(10);

/// A worker that ends before it is ready, and within this time, is a false start.
const START_TIME: Duration = Duration::from_secs(1);

/// So many false starts, or lost zygotes, in a row end the run.
const IN_A_ROW: u32 = 3;

impl Dispatcher<'_> {
    /// The zygote has sent something, or is gone.
    pub(super) fn hear_zygote(&mut self) -> Result<(), PoolError> {
        // One that talks without end must not keep the dispatcher here; what is left is an event again.
        for _ in 0..REPORTS_MAX {
            match self.session.zygote.receive() {
                Ok(Some((message, fds))) => self.take_report(message, fds)?,
                Ok(None) => return self.zygote_lost(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // It is on the untrusted side: what it sends may be anything.
                Err(_) => return self.zygote_lost(),
            }
        }
        Ok(())
    }

    fn take_report(&mut self, message: FromZygote, fds: Vec<OwnedFd>) -> Result<(), PoolError> {
        match message {
            FromZygote::Forked { worker, pid } => self.worker_forked(worker, pid, fds),
            FromZygote::Exited { worker, status } => {
                let Some(handle) = self.find(worker) else { return Ok(()) };
                handle.status = Some(status);
                if handle.ended.is_some() { self.finalize(worker.slot) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    fn find(&mut self, worker: WorkerId) -> Option<&mut WorkerHandle> {
        let slot = self.workers.get_mut(worker.slot as usize)?;
        slot.as_mut().filter(|handle| handle.id == worker)
    }

    fn worker_forked(
        &mut self,
        worker: WorkerId,
        pid: Result<i32, String>,
        mut fds: Vec<OwnedFd>,
    ) -> Result<(), PoolError> {
        let Some(handle) = self.find(worker) else {
            // Nobody waits for it any more.
            if let Some(pidfd) = fds.pop() {
                let _ = pidfd_send_signal(pidfd, Signal::KILL);
            }
            return Ok(());
        };
        match (pid, fds.pop()) {
            (Ok(pid), Some(pidfd)) => {
                handle.pid = Some(pid);
                handle.pidfd = Some(pidfd);
                if let Some(killed) = &handle.killed {
                    handle.signal(killed.signal());
                }
                let handle = self.workers[worker.slot as usize].as_ref().expect("just found");
                let pidfd = handle.pidfd.as_ref().expect("just set");
                self.events
                    .watch_readable(pidfd, Token::Ended(worker.slot))
                    .map_err(|error| PoolError::setup("wait for a worker", error))?;
                Ok(())
            }
            (pid, _) => {
                handle.fatal = Some(pid.err().unwrap_or_else(|| "no descriptor".into()));
                // There is no process, so nothing waits for its end.
                handle.ended = Some(Instant::now());
                self.finalize(worker.slot)
            }
        }
    }

    /// A worker has ended: takes all it has left, and classifies it once its status is known.
    pub(super) fn worker_ended(&mut self, slot: u32) -> Result<(), PoolError> {
        let known = self.with_worker(slot, |this, worker| {
            if worker.ended.is_some() {
                return Ok(false);
            }
            worker.ended = Some(Instant::now());
            if let Some(pidfd) = &worker.pidfd {
                this.events.forget(pidfd);
            }
            this.events.forget(&worker.results);
            this.take_remains(worker)?;
            Ok(worker.status.is_some())
        })?;
        if known == Some(true) { self.finalize(slot) } else { Ok(()) }
    }

    /// Reads a worker's pipe to its end, and the records it committed and did not send.
    fn take_remains(&mut self, worker: &mut WorkerHandle) -> Result<(), PoolError> {
        self.read(worker, usize::MAX)?;
        self.salvage(worker)
    }

    /// Classifies workers whose status does not come, and gives up a zygote that does not fork.
    pub(super) fn give_up_waiting(&mut self, now: Instant) -> Result<(), PoolError> {
        let unborn =
            |worker: &WorkerHandle| worker.pid.is_none() && now >= worker.asked + FORK_WAIT;
        if self.workers.iter().flatten().any(unborn) {
            return self.zygote_lost();
        }
        for slot in 0..self.workers.len() {
            let overdue = |worker: &WorkerHandle| {
                worker.ended.is_some_and(|ended| now >= ended + STATUS_WAIT)
            };
            if self.workers[slot].as_ref().is_some_and(overdue) {
                self.finalize(slot as u32)?;
            }
        }
        Ok(())
    }

    /// When the first of the statuses that are waited for is given up on.
    pub(super) fn next_status_timeout(&self) -> Option<Instant> {
        let ended = self.workers.iter().flatten().filter_map(|worker| worker.ended);
        ended.min().map(|ended| ended + STATUS_WAIT)
    }

    /// Removes an ended worker: charges the job it was running, and takes the others back.
    pub(super) fn finalize(&mut self, slot: u32) -> Result<(), PoolError> {
        let Some(mut worker) = self.workers[slot as usize].take() else { return Ok(()) };
        worker.retire(&self.events);
        self.events.forget(&worker.results);
        let failure = failure_of(&worker);
        let announced = self.announce(&worker, &failure);
        // The first job without a record that is claimed was running; there can be only one.
        let mut running = None;
        for batch in &worker.in_flight {
            let claimed = worker.memory.claimed(batch.id).map_or(0, |claimed| claimed.next);
            let mut first = batch.received;
            if running.is_none() && claimed > batch.received && batch.received < batch.limit {
                let (job, input) = batch.job(batch.received);
                let attempt = self.until_its_end(self.attempt_of(&worker, batch.sent), &worker);
                running = Some((job, input.to_vec(), attempt));
                first += 1;
            }
            if self.phase == Phase::Running {
                for (number, job) in batch.jobs(first..batch.limit.max(first)) {
                    self.backlog.put_back(number, job.to_vec());
                }
            }
        }
        if let Some((job, _, attempt)) = &running {
            self.tell_last_wait(&worker, *job, attempt);
        }
        if let (Some(member), Some(sharing)) = (worker.member, &mut self.session.sharing) {
            sharing.bury(member, worker.results, worker.ended);
        }
        announced?;
        match running {
            Some((job, input, attempt)) => self.fail(job, input, failure, attempt),
            None => Ok(()),
        }
    }

    /// An attempt that ended with its worker: the worker has noted when it began, or else the dispatcher
    /// has seen that it ran.
    fn until_its_end(&self, attempt: Attempt, worker: &WorkerHandle) -> Attempt {
        let seen = worker.seen.map(|seen| seen.since.elapsed());
        if !self.config.settings.measured {
            return Attempt { ran: seen, ..attempt };
        }
        let ended = Moment::ago(worker.ended.map_or(Duration::ZERO, |ended| ended.elapsed()));
        let began = worker.memory.began();
        let began = began.unwrap_or_else(|| Moment::ago(seen.unwrap_or_default()));
        Attempt { began: Some(began), ran: Some(ended.since(began)), ..attempt }
    }

    /// Tells of an end, and gives up if there are too many of a kind that was not asked for.
    fn announce(&mut self, worker: &WorkerHandle, failure: &Failure) -> Result<(), PoolError> {
        let retired = worker.jobs.is_none() && worker.status == Some(ExitStatus::Code(0));
        let in_order = retired && worker.in_flight.is_empty();
        // Its guest's fault, which the job's failure tells.
        let trapped = failure.kind == FailureKind::Trap;
        let killed = worker.killed.as_ref().is_some_and(|why| !matches!(why, Killed::Protocol(_)));
        let lost = !in_order && !trapped && !killed;
        let how = if lost { failure.message.clone() } else { status_text(worker) };
        self.tell_end(worker, how, lost);
        if in_order || trapped {
            return Ok(());
        }
        if worker.ready || worker.killed.is_some() || worker.asked.elapsed() > START_TIME {
            return Ok(());
        }
        self.false_starts += 1;
        if self.false_starts < IN_A_ROW {
            return Ok(());
        }
        let how = &failure.message;
        Err(PoolError::Lost(format!(
            "workers do not start: {IN_A_ROW} in a row ended at once ({how})"
        )))
    }

    fn tell_end(&mut self, worker: &WorkerHandle, how: String, lost: bool) {
        let (slot, pid) = (worker.id.slot, worker.pid.unwrap_or(0));
        self.sink.notice(Notice::WorkerEnded { slot, pid, how, lost });
    }

    /// The zygote is gone, and its workers with it: another one takes its place.
    fn zygote_lost(&mut self) -> Result<(), PoolError> {
        self.events.forget(self.session.zygote.as_fd());
        let mut orphans = Vec::new();
        for worker in self.workers.iter_mut().flatten() {
            worker.signal(Signal::KILL);
            if worker.pidfd.is_none() || worker.ended.is_some() {
                orphans.push(worker.id.slot);
            }
            if worker.fatal.is_none() && worker.killed.is_none() {
                worker.fatal = Some("its zygote was lost".into());
            }
            // Nobody will tell its status, and that it ends is not its own fault.
            worker.ready = true;
            worker.status = worker.status.or(Some(ExitStatus::Signal(9)));
        }
        for slot in orphans {
            self.finalize(slot)?;
        }
        self.zygotes_lost += 1;
        if self.zygotes_lost >= IN_A_ROW {
            return Err(PoolError::Lost(format!("{IN_A_ROW} zygotes in a row were lost")));
        }
        let how = self.session.restart(&self.config)?;
        self.sink.notice(Notice::ZygoteLost { how });
        self.events
            .watch_readable(self.session.zygote.as_fd(), Token::Zygote)
            .map_err(|error| PoolError::setup("wait for the zygote", error))?;
        Ok(())
    }

    /// Ends all workers at the end of a run, when none has a job.
    pub(super) fn end_workers(&mut self) {
        let workers: Vec<WorkerHandle> = self.workers.drain(..).flatten().collect();
        for worker in &workers {
            // The job's outcome is known, or nobody wants it; there is nothing to save.
            worker.signal(Signal::KILL);
            if worker.ready {
                self.tell_end(worker, "the run is over".into(), false);
            }
        }
        self.bury_killed(workers);
    }
}

/// Why the job that a worker was running has no result.
fn failure_of(worker: &WorkerHandle) -> Failure {
    if let Some(trap) = trap_of(worker) {
        return trap;
    }
    let status = status_text(worker);
    let mut failure = match &worker.killed {
        Some(killed) => killed.failure(),
        None => Failure::new(
            FailureKind::WorkerLost,
            match &worker.fatal {
                Some(fatal) => format!("{fatal} ({status})"),
                None => status,
            },
        ),
    };
    match worker.status {
        Some(ExitStatus::Signal(signal)) => failure.signal = Some(signal),
        Some(ExitStatus::Code(code)) => failure.code = Some(code),
        None => {}
    }
    failure
}

/// The trap that a worker says has ended it: only one that was serving, and was left alone.
fn trap_of(worker: &WorkerHandle) -> Option<Failure> {
    match worker.status {
        Some(ExitStatus::Code(code)) if worker.ready && worker.killed.is_none() => {
            Failure::of_last_words(code, &worker.memory)
        }
        _ => None,
    }
}

fn status_text(worker: &WorkerHandle) -> String {
    match worker.status {
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
