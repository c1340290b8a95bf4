//! Births: workers that the zygote is asked for, and zygotes that take the place of lost ones.

use super::*;
use crate::pool::crew::Stop;
use crate::wire::control::{FromZygote, ToZygote, Unloaded, WorkerId};
use rustix::process::pidfd_send_signal;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};

/// Most messages of the zygote that are taken at once.
const REPORTS_MAX: u32 = 64;

const NO_SLOT: &str = "shared state has no slot left for a worker: the pools that use it have too \
                       many workers together";

impl LocalCrew<'_> {
    /// Asks the zygote for a worker. Its pipes are there before it is.
    pub(super) fn fork(&mut self, slot: u32, listener: &mut dyn Listener) -> Result<(), PoolError> {
        let at = slot as usize;
        if self.workers.len() <= at {
            self.workers.resize_with(at + 1, || None);
            self.epochs.resize(at + 1, 0);
        }
        let id = WorkerId { slot, epoch: self.epochs[at] };
        let coming = self.workers.iter().flatten().filter(|worker| worker.pid.is_none()).count();
        let (mut worker, ends) = match Worker::new(id, self.config.tape_bytes(), coming) {
            Ok(made) => made,
            Err(error) => {
                let why = PoolError::setup("make the pipes of a worker", error).to_string();
                return hear(listener, Event::Refused { slot, why: Some(why) });
            }
        };
        worker.member = match self.session.sharing.as_mut().map(Sharing::enrol) {
            None => None,
            Some(Some(member)) => Some(member),
            // Those that there are do the work, or one that ends leaves its slot.
            Some(None) if self.workers.iter().any(Option::is_some) || self.is_burying() => {
                return hear(listener, Event::Refused { slot, why: None });
            }
            Some(None) => return Err(PoolError::Lost(NO_SLOT.into())),
        };
        self.epochs[at] += 1;
        let fds = [ends.jobs.as_fd(), ends.results.as_fd(), ends.memory.as_fd()];
        // A zygote that is gone is noticed by its socket; the worker is finalised then.
        let _ =
            self.session.zygote.send(&ToZygote::Fork { worker: id, member: worker.member }, &fds);
        self.workers[at] = Some(worker);
        Ok(())
    }

    fn is_burying(&self) -> bool {
        let sharing = self.session.sharing.as_ref();
        sharing.is_some_and(|sharing| sharing.next_burial(Instant::now()).is_some())
    }

    /// The zygote has sent something, or is gone.
    pub(super) fn hear_zygote(&mut self, listener: &mut dyn Listener) -> Result<(), PoolError> {
        // One that talks without end must not keep the dispatcher here; what is left is an event again.
        for _ in 0..REPORTS_MAX {
            match self.session.zygote.receive() {
                Ok(Some((message, fds))) => self.take_report(message, fds, listener)?,
                Ok(None) => return self.zygote_lost(listener),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // It is on the untrusted side: what it sends may be anything.
                Err(_) => return self.zygote_lost(listener),
            }
        }
        Ok(())
    }

    fn take_report(
        &mut self,
        message: FromZygote,
        fds: Vec<OwnedFd>,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        match message {
            FromZygote::Forked { worker, pid } => self.worker_forked(worker, pid, fds, listener),
            FromZygote::Loaded(loaded) => self.zygote_loaded(loaded, fds, listener),
            FromZygote::Exited { worker, status } => {
                let Some(known) = self.find(worker) else { return Ok(()) };
                known.status = status.checked();
                match known.ended.is_some() {
                    true => self.finalize(worker.slot, listener),
                    false => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn find(&mut self, id: WorkerId) -> Option<&mut Worker> {
        self.worker_mut(id.slot).filter(|worker| worker.id == id)
    }

    fn worker_forked(
        &mut self,
        id: WorkerId,
        pid: Result<i32, String>,
        mut fds: Vec<OwnedFd>,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        let (zygote, slot) = (self.session.zygote.pid(), id.slot);
        let Some(worker) = self.find(id) else {
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
                (worker.pid, worker.pidfd) = (Some(pid), Some(pidfd));
                if let Some(signal) = worker.signal {
                    worker.send_signal(signal);
                }
                let (worker, events) = self.with_events(slot).expect("just found");
                let pidfd = worker.pidfd.as_ref().expect("just set");
                let watched = events.watch_readable(pidfd, Token::Ended(slot)).map(drop);
                watched
                    .and_then(|()| worker.update_reading(events))
                    .map_err(cannot("wait for a worker"))?;
                hear(listener, Event::Forked { slot, pid })
            }
            // None is left, or it is not known to be the worker's: its zygote has died, perhaps.
            (Ok(pid), _) => {
                worker.pid = Some(pid);
                hear(listener, Event::Forked { slot, pid })?;
                self.orphan(slot, "no descriptor of it came", listener)
            }
            (Err(why), _) => {
                worker.last_words = Some(why);
                // There is no process any more, so nothing waits for its end.
                worker.ended = Some(Instant::now());
                self.finalize(slot, listener)
            }
        }
    }

    /// The zygote is gone, and its workers with it.
    pub(super) fn zygote_lost(&mut self, listener: &mut dyn Listener) -> Result<(), PoolError> {
        self.events.forget(self.session.zygote.as_fd());
        for slot in self.slots() {
            let Some(worker) = self.worker_mut(slot) else { continue };
            worker.send_signal(Signal::KILL);
            worker.last_words.get_or_insert_with(|| "its zygote was lost".into());
            // Nobody will tell its status, and that it ends is not its own fault.
            worker.excused = true;
            worker.status = worker.status.or(Some(super::ending::KILLED));
            if worker.ended.is_some() {
                self.finalize(slot, listener)?;
            } else if worker.pidfd.is_some() {
                hear(listener, Event::Lost { slot })?;
            } else {
                // It may have been forked all the same, and be at work.
                self.orphan(slot, "its zygote was lost", listener)?;
            }
        }
        match listener.hear(Event::ZygoteLost) {
            Err(Stop::Error(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// Starts another zygote in the place of one that was lost.
    pub(super) fn restart_zygote(&mut self, listener: &mut dyn Listener) -> Result<(), PoolError> {
        let how = self.session.restart(&self.config)?;
        self.watch_zygote()?;
        hear(listener, Event::ZygoteRestarted { how })
    }

    /// Another zygote has loaded the module, or says why it cannot.
    fn zygote_loaded(
        &mut self,
        loaded: Result<(), Unloaded>,
        fds: Vec<OwnedFd>,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        let lines = self.session.hear_loaded(loaded, fds, &self.config)?;
        hear(listener, Event::Loaded { lines })
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
