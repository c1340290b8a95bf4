//! The start of processes: workers that the zygote is asked for, and zygotes that replace lost
//! ones.

use super::*;
use crate::pool::crew::Stop;
use crate::wire::control::{ToZygote, WorkerId};
use crate::wire::packet::{Attachment, Attachments};
use rustix::process::pidfd_send_signal;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use wpool_worker::zygote::{FromZygote, Unloaded};

/// The largest number of messages from the zygote that are taken at once.
const REPORTS_MAX: u32 = 64;

const NO_SLOT: &str = "shared state has no slot left for a worker: the pools that use it have too \
                       many workers together";

impl LocalCrew<'_> {
    /// Asks the zygote for a worker. The worker's pipes exist before the worker does.
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
        worker.member = match self.session.sharing.as_mut().map(Sharing::attach) {
            None => None,
            Some(Some(member)) => Some(member),
            // The other workers do the work, or an ending worker leaves its slot.
            Some(None) if self.workers.iter().any(Option::is_some) || self.is_releasing() => {
                return hear(listener, Event::Refused { slot, why: None });
            }
            Some(None) => return Err(PoolError::Lost(NO_SLOT.into())),
        };
        self.epochs[at] += 1;
        let files = [
            (Attachment::Jobs, ends.jobs.as_fd()),
            (Attachment::Results, ends.results.as_fd()),
            (Attachment::Memory, ends.memory.as_fd()),
        ];
        // The socket of a zygote that is gone reports so, and the worker is finalised then.
        let _ =
            self.session.zygote.send(&ToZygote::Fork { worker: id, member: worker.member }, &files);
        self.workers[at] = Some(worker);
        Ok(())
    }

    fn is_releasing(&self) -> bool {
        let sharing = self.session.sharing.as_ref();
        sharing.is_some_and(|sharing| sharing.next_burial(Instant::now()).is_some())
    }

    /// Takes what the zygote has sent, or notices that the zygote is gone.
    pub(super) fn hear_zygote(&mut self, listener: &mut dyn Listener) -> Result<(), PoolError> {
        // A zygote that talks without end must not keep the dispatcher here; the rest is another
        // event.
        for _ in 0..REPORTS_MAX {
            match self.session.zygote.receive() {
                Ok(Some((message, files))) => self.take_report(message, files, listener)?,
                Ok(None) => return self.zygote_lost(listener),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // The zygote is on the untrusted side: it may send anything.
                Err(_) => return self.zygote_lost(listener),
            }
        }
        Ok(())
    }

    fn take_report(
        &mut self,
        message: FromZygote,
        mut files: Attachments,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        match message {
            FromZygote::Forked { worker, pid } => {
                let pidfd = files.find(Attachment::Process);
                self.worker_forked(worker, pid.map(i32::from), pidfd, listener)
            }
            FromZygote::Loaded(loaded) => self.zygote_loaded(loaded, files, listener),
            FromZygote::Exited { worker, status } => {
                let Some(known) = self.find(worker) else { return Ok(()) };
                known.status = Some(status);
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
        pidfd: Option<OwnedFd>,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        let (zygote, slot) = (self.session.zygote.pid(), id.slot);
        let Some(worker) = self.find(id) else {
            // The dispatcher no longer waits for this worker.
            if let (Some(pidfd), Ok(pid)) = (pidfd, pid)
                && descends(&pidfd, pid, zygote)
            {
                let _ = pidfd_send_signal(pidfd, Signal::KILL);
            }
            return Ok(());
        };
        match (pid, pidfd) {
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
            // The descriptor is missing or may not be the worker's, perhaps because its zygote has
            // died.
            (Ok(pid), _) => {
                worker.pid = Some(pid);
                hear(listener, Event::Forked { slot, pid })?;
                self.orphan(slot, "no descriptor of it came", listener)
            }
            (Err(why), _) => {
                worker.fatal_message = Some(why);
                // There is no process, so no end of one has to be awaited.
                worker.ended = Some(Instant::now());
                self.finalize(slot, listener)
            }
        }
    }

    /// Handles the loss of the zygote, and of its workers with it.
    pub(super) fn zygote_lost(&mut self, listener: &mut dyn Listener) -> Result<(), PoolError> {
        self.events.forget(self.session.zygote.as_fd());
        for slot in self.slots() {
            let Some(worker) = self.worker_mut(slot) else { continue };
            worker.send_signal(Signal::KILL);
            worker.fatal_message.get_or_insert_with(|| "its zygote was lost".into());
            // No process will report the worker's status, and its end is not its own fault.
            worker.excused = true;
            worker.status = worker.status.or(Some(super::ending::KILLED));
            if worker.ended.is_some() {
                self.finalize(slot, listener)?;
            } else if worker.pidfd.is_some() {
                hear(listener, Event::Lost { slot })?;
            } else {
                // The worker may have been forked all the same, and be at work.
                self.orphan(slot, "its zygote was lost", listener)?;
            }
        }
        match listener.hear(Event::ZygoteLost) {
            Err(Stop::Error(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// Starts another zygote in place of a lost one.
    pub(super) fn restart_zygote(&mut self, listener: &mut dyn Listener) -> Result<(), PoolError> {
        let how = self.session.restart(&self.config)?;
        self.watch_zygote()?;
        hear(listener, Event::ZygoteRestarted { how })
    }

    /// Handles the answer of a replacement zygote: the module is loaded, or cannot be loaded.
    fn zygote_loaded(
        &mut self,
        loaded: Result<(), Unloaded>,
        files: Attachments,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        let lines = self.session.hear_loaded(loaded, files, &self.config)?;
        hear(listener, Event::Loaded { lines })
    }
}

/// Returns whether a pidfd stands for this process and the process was forked by the zygote or by
/// its child; otherwise a signal could reach a foreign process. If /proc does not say, the zygote
/// is believed.
fn descends(pidfd: &OwnedFd, pid: i32, zygote: i32) -> bool {
    let info = match fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())) {
        Ok(info) => info,
        Err(_) => return true,
    };
    let known = info.lines().find_map(|line| line.strip_prefix("Pid:"));
    match known.and_then(|known| known.trim().parse::<i32>().ok()) {
        // The process has ended, and no signal reaches it.
        Some(-1) => true,
        Some(known) if known == pid => {
            let parents = std::iter::successors(Some(pid), |&pid| parent(pid)).skip(1).take(2);
            // A process that has ended has no parent.
            parent(pid).is_none() || parents.into_iter().any(|parent| parent == zygote)
        }
        _ => false,
    }
}

/// Returns the parent of a process that has not ended.
fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The process name in parentheses, which comes before the state, may hold any character.
    let mut words = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    let state = words.next()?;
    if state == "Z" { None } else { words.next()?.parse().ok() }
}
