//! The ends of workers and zygotes: what is saved, who is charged, who comes next.

use super::dispatcher::{Dispatcher, Phase};
use super::error::PoolError;
use super::events::Token;
use super::feed::{Attempt, Notice};
use super::handle::{Killed, WorkerHandle};
use super::supply::Refused;
use crate::wire::clock::Moment;
use crate::wire::control::{ExitStatus, FromZygote, Unloaded, WorkerId};
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::jobmem::EXIT_WITHOUT_PROCESS;
use rustix::process::{Signal, pidfd_send_signal};
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
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
            FromZygote::Loaded(loaded) => self.zygote_loaded(loaded, fds),
            FromZygote::Exited { worker, status } => {
                let Some(handle) = self.find(worker) else { return Ok(()) };
                handle.status = status.checked();
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
        let zygote = self.session.zygote.pid();
        let Some(handle) = self.find(worker) else {
            // Nobody waits for it any more.
            if let (Some(pidfd), Ok(pid)) = (fds.pop(), pid)
                && descends(&pidfd, pid, zygote)
            {
                let _ = pidfd_send_signal(pidfd, Signal::KILL);
            }
            return Ok(());
        };
        match (pid, fds.pop()) {
            (Ok(pid), Some(pidfd)) if descends(&pidfd, pid, zygote) => {
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
            // None is left, or it is not known to be the worker's: its zygote has died, perhaps.
            (Ok(pid), _) => {
                handle.pid = Some(pid);
                self.orphan(worker.slot, "no descriptor of it came")
            }
            (Err(why), _) => {
                handle.fatal = Some(why);
                // There is no process any more, so nothing waits for its end.
                handle.ended = Some(Instant::now());
                self.finalize(worker.slot)
            }
        }
    }

    /// Takes back all jobs that the worker in a slot has not started.
    pub(super) fn take_back_all(&mut self, slot: u32) -> Result<(), PoolError> {
        self.with_worker(slot, |this, worker| {
            this.fence(worker);
            Ok(())
        })
        .map(drop)
    }

    /// The system does not give another worker: the pool does with those that it has, if it has any.
    pub(super) fn refused(&mut self, why: &str) -> Result<(), PoolError> {
        let others = self.workers.iter().flatten().filter(|worker| worker.is_serving()).count();
        match self.supply.refused(others, Instant::now()) {
            Refused::Fewer(true) => {
                self.sink.notice(Notice::FewerWorkers { workers: others, why: why.into() });
                Ok(())
            }
            Refused::Fewer(false) | Refused::Pause => Ok(()),
            Refused::GiveUp => Err(PoolError::Lost(format!("no worker can be started: {why}"))),
        }
    }

    /// Nothing but the end of its pipe can tell of this worker's death from now on. Until then it starts no
    /// more jobs.
    fn orphan(&mut self, slot: u32, why: &str) -> Result<(), PoolError> {
        self.with_worker(slot, |this, worker| {
            this.fence(worker);
            worker.retire(&this.events);
            worker.orphaned = Some(Instant::now());
            worker.fatal.get_or_insert_with(|| why.into());
            Ok(())
        })
        .map(drop)
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
        let unborn = |worker: &WorkerHandle| {
            let waits = worker.pid.is_none() && worker.orphaned.is_none();
            waits && now >= worker.asked + FORK_WAIT
        };
        let loading = self.session.loading_until().is_some_and(|until| now >= until);
        if loading || self.workers.iter().flatten().any(unborn) {
            return self.zygote_lost();
        }
        for slot in 0..self.workers.len() {
            let overdue = |worker: &WorkerHandle| {
                let gone = worker.ended.or(worker.orphaned);
                gone.is_some_and(|gone| now >= gone + STATUS_WAIT)
            };
            if self.workers[slot].as_ref().is_some_and(overdue) {
                self.finalize(slot as u32)?;
            }
        }
        Ok(())
    }

    /// When the first of the statuses that are waited for is given up on.
    pub(super) fn next_status_timeout(&self) -> Option<Instant> {
        let workers = self.workers.iter().flatten();
        let ended = workers.filter_map(|worker| worker.ended.or(worker.orphaned));
        ended.min().map(|ended| ended + STATUS_WAIT)
    }

    /// Removes an ended worker: charges the job it was running, and takes the others back.
    pub(super) fn finalize(&mut self, slot: u32) -> Result<(), PoolError> {
        // First of all nothing more can start, whoever may still act in the worker's name.
        self.take_back_all(slot)?;
        let Some(worker) = &mut self.workers[slot as usize] else { return Ok(()) };
        worker.retire(&self.events);
        self.events.forget(&worker.results);
        let worker = self.workers[slot as usize].take().expect("it was just there");
        let failure = failure_of(&worker);
        // What is left is claimed. One job was running; only of a worker that lies is there more.
        let mut running = None;
        for batch in &worker.in_flight {
            for (job, input) in batch.jobs(batch.received..batch.limit) {
                if running.is_none() {
                    let attempt = self.until_its_end(self.attempt_of(&worker, batch.sent), &worker);
                    running = Some((job, input.to_vec(), attempt));
                } else if self.phase == Phase::Running {
                    self.backlog.put_back(job, input.to_vec());
                }
            }
        }
        if let Some((job, _, attempt)) = &running {
            self.tell_last_wait(&worker, *job, attempt);
        }
        let announced = self.announce(&worker, &failure);
        if let (Some(member), Some(sharing)) = (worker.member, &mut self.session.sharing) {
            sharing.bury(member, worker.results, worker.ended);
        }
        if let Some((job, input, attempt)) = running {
            self.fail(job, input, failure, attempt)?;
        }
        announced
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
        let trapped = matches!(failure.kind, FailureKind::Trap | FailureKind::OutOfMemory);
        let killed = worker.killed.as_ref().is_some_and(Killed::is_asked_for);
        let lost = !in_order && !trapped && !killed;
        let how = if lost { failure.message.clone() } else { status_text(worker) };
        self.tell_end(worker, how, lost);
        if in_order || trapped {
            return Ok(());
        }
        // Neither is the fault of this worker: the system has no process to give.
        let unborn = worker.pid.is_none() && worker.orphaned.is_none() && worker.killed.is_none();
        if unborn || worker.status == Some(ExitStatus::Code(EXIT_WITHOUT_PROCESS)) {
            return self.refused(worker.fatal.as_deref().unwrap_or("no process"));
        }
        let silent = matches!(worker.killed, Some(Killed::Silent(_)));
        let late = worker.killed.is_some() || worker.asked.elapsed() > START_TIME;
        if worker.ready || (late && !silent) {
            return Ok(());
        }
        self.false_starts += 1;
        if self.false_starts < IN_A_ROW {
            return Ok(());
        }
        let how = &failure.message;
        Err(PoolError::Lost(format!(
            "workers do not start: {IN_A_ROW} in a row did not get ready ({how})"
        )))
    }

    fn tell_end(&mut self, worker: &WorkerHandle, how: String, lost: bool) {
        let (slot, pid) = (worker.id.slot, worker.pid.unwrap_or(0));
        self.sink.notice(Notice::WorkerEnded { slot, pid, how, lost });
    }

    /// The zygote is gone, and its workers with it: another one takes its place.
    fn zygote_lost(&mut self) -> Result<(), PoolError> {
        self.events.forget(self.session.zygote.as_fd());
        for slot in 0..self.workers.len() as u32 {
            let Some(worker) = &mut self.workers[slot as usize] else { continue };
            worker.signal(Signal::KILL);
            if worker.killed.is_none() {
                worker.fatal.get_or_insert_with(|| "its zygote was lost".into());
            }
            // Nobody will tell its status, and that it ends is not its own fault.
            worker.ready = true;
            worker.status = worker.status.or(Some(ExitStatus::Signal(9)));
            if worker.ended.is_some() {
                self.finalize(slot)?;
            } else if worker.pidfd.is_none() {
                // It may have been forked all the same, and be at work.
                self.orphan(slot, "its zygote was lost")?;
            }
        }
        self.zygotes_lost += 1;
        if self.zygotes_lost >= IN_A_ROW {
            return Err(PoolError::Lost(format!("{IN_A_ROW} zygotes in a row were lost")));
        }
        if self.phase != Phase::Running {
            // No more workers are needed.
            self.session.end_zygote();
            return Ok(());
        }
        let how = self.session.restart(&self.config)?;
        self.sink.notice(Notice::ZygoteLost { how });
        self.events
            .watch_readable(self.session.zygote.as_fd(), Token::Zygote)
            .map_err(|error| PoolError::setup("wait for the zygote", error))?;
        Ok(())
    }

    /// Another zygote has loaded the module, or says why it cannot.
    fn zygote_loaded(
        &mut self,
        loaded: Result<(), Unloaded>,
        fds: Vec<OwnedFd>,
    ) -> Result<(), PoolError> {
        for line in self.session.hear_loaded(loaded, fds, &self.config)? {
            self.sink.notice(line);
        }
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

/// Returns whether a descriptor stands for this process, which the zygote or its child has forked: what it is
/// signalled by must be no other's. Where /proc does not tell, the zygote is believed.
fn descends(pidfd: &OwnedFd, pid: i32, zygote: i32) -> bool {
    let info = match fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())) {
        Ok(info) => info,
        Err(_) => return true,
    };
    let known = info.lines().find_map(|line| line.strip_prefix("Pid:"));
    match known.and_then(|known| known.trim().parse::<i32>().ok()) {
        // It has ended, and no signal reaches it.
        Some(-1) => true,
        Some(known) if known == pid => {
            let parents = std::iter::successors(Some(pid), |&pid| parent(pid)).skip(1).take(2);
            // One that has ended has none.
            parent(pid).is_none() || parents.into_iter().any(|parent| parent == zygote)
        }
        _ => false,
    }
}

/// Returns the parent of a process that has not ended.
fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it is in parentheses, and may hold anything.
    let mut words = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    let state = words.next()?;
    if state == "Z" { None } else { words.next()?.parse().ok() }
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
