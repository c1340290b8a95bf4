//! The pool's part in shared state: a slot for each worker, from its fork to its sweep.
//!
//! **Invariant:** a slot is swept when no process can act in its name any more. The end of the
//! worker is not enough: a child that runs a job for the worker dies some moments later. Only when
//! no process holds the writing end of the worker's pipe of results is the slot swept.

use super::worker::Worker;
use super::{LocalCrew, hear};
use crate::pool::crew::{Event, Listener};
use crate::pool::error::PoolError;
use crate::shared::{
    JOINERS, Kind, Member, NOTIFIED, Owner, PUTTERS, Shared, Side, Standing, Swept,
};
use crate::wire::control::Membership;
use crate::wire::jobmem::JobMem;
use crate::wire::waits::{Awaited, Wait, Want};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::HashSet;
use std::fs::File;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The time for which a live worker may hold up a sweep by holding a latch. Holding a latch takes
/// microseconds, unless the worker was stopped or is hostile.
const STUCK_MAX: Duration = Duration::from_secs(1);

/// The time for which a worker's pipe may stay open after its death. Only a hostile worker hands
/// its pipe on.
const LINGER: Duration = Duration::from_secs(1);

/// The time for which killed workers are awaited at the end of a run.
const DEATH_WAIT: Duration = Duration::from_secs(1);

/// The time between two looks at workers that are leaving.
const LOOK: Duration = Duration::from_millis(10);

/// The dispatcher's own membership, and the memberships of its workers.
#[derive(Debug)]
pub(in crate::pool) struct Sharing {
    member: Member,
    /// The workers that have a slot and are not leaving.
    attached: HashSet<Membership>,
    leaving: Vec<Leaving>,
    /// The workers that held up the last sweep, and the time since which something is left to
    /// sweep.
    stuck: Option<(Vec<Owner>, Instant)>,
}

/// A worker that is gone for the dispatcher, and whose slot is not swept yet.
#[derive(Debug)]
struct Leaving {
    member: Membership,
    results: File,
    /// The time at which the worker's death was known; `None` if the zygote never reported it.
    dead: Option<Instant>,
}

impl Leaving {
    /// Returns whether every process of the worker has ended, waiting at most `patience`.
    fn is_gone(&self, patience: Duration) -> bool {
        let now = Instant::now();
        if self.dead.is_some_and(|dead| now >= dead + LINGER) {
            return true;
        }
        loop {
            // A hang-up is reported by `poll` even if no event is requested.
            let mut pipe = [PollFd::new(&self.results, PollFlags::empty())];
            let left = patience.saturating_sub(now.elapsed());
            match poll(&mut pipe, Some(&Timespec::try_from(left).expect("seconds"))) {
                Err(rustix::io::Errno::INTR) => {}
                ready => return ready.is_ok_and(|ready| ready > 0),
            }
        }
    }
}

impl Sharing {
    /// Joins shared state.
    ///
    /// # Errors
    /// Returns an error if all slots of the host are taken.
    pub(in crate::pool) fn new(shared: &Arc<Shared>) -> Result<Sharing, PoolError> {
        let member = Member::join(shared).map_err(|_| {
            PoolError::Lost(
                "shared state has no slot left for this pool: too many pools and threads use it at \
                 once"
                    .into(),
            )
        })?;
        Ok(Sharing { member, attached: HashSet::new(), leaving: Vec::new(), stuck: None })
    }

    /// Returns the shared state of this member.
    pub(in crate::pool) fn shared(&self) -> &Arc<Shared> {
        self.member.shared()
    }

    /// Returns a slot for a worker that is about to be forked; `None` while all worker slots are
    /// taken.
    pub(super) fn attach(&mut self) -> Option<Membership> {
        let owner = self.shared().attach(Side::Worker).ok()?;
        let member = Membership { slot: owner.slot, epoch: owner.epoch };
        self.attached.insert(member);
        Some(member)
    }

    /// Takes over a worker that ended at `dead`, or that will end without being heard of again. The
    /// worker's slot is swept as soon as possible.
    pub(super) fn release(&mut self, member: Membership, results: File, dead: Option<Instant>) {
        self.leave(member, results, dead);
        self.release_gone(Duration::ZERO);
    }

    fn leave(&mut self, member: Membership, results: File, dead: Option<Instant>) {
        self.attached.remove(&member);
        self.leaving.push(Leaving { member, results, dead });
    }

    /// Sweeps the slots of workers that are gone, waiting for their ends at most `patience`.
    pub(super) fn release_gone(&mut self, patience: Duration) {
        let until = Instant::now() + patience;
        let mut at = 0;
        while at < self.leaving.len() {
            let left = until.saturating_duration_since(Instant::now());
            if self.leaving[at].is_gone(left) {
                let dead = self.leaving.swap_remove(at).member;
                self.sweep(dead);
            } else {
                at += 1;
            }
        }
    }

    fn sweep(&mut self, dead: Membership) {
        let swept = self.shared().release(&self.member.caller(), owner(dead));
        self.note(swept.unwrap_or_default());
    }

    fn note(&mut self, swept: Swept) {
        let since = self.stuck.take().map(|(_, since)| since);
        if !swept.stuck.is_empty() {
            self.stuck = Some((swept.stuck, since.unwrap_or_else(Instant::now)));
        }
    }

    /// Continues sweeps that a worker held up, whichever pool began them: only the pool of that
    /// worker can end the delay. Returns the workers that have held up sweeps for long.
    fn sweep_again(&mut self, now: Instant) -> &[Owner] {
        if self.stuck.is_some() || !self.shared().is_swept() {
            let swept = self.shared().sweep_again(&self.member.caller());
            self.note(swept.unwrap_or_default());
        }
        match &self.stuck {
            Some((stuck, since)) if now.saturating_duration_since(*since) >= STUCK_MAX => stuck,
            _ => &[],
        }
    }

    /// Makes a worker look at the word in its memory that ends waits.
    fn interrupt(&self, worker: Membership) {
        self.shared().interrupt(owner(worker));
    }
}

impl Drop for Sharing {
    /// Sweeps all slots. The zygote has ended by now, and so has every process that it forked.
    fn drop(&mut self) {
        let now = Instant::now();
        for leaving in &mut self.leaving {
            leaving.dead.get_or_insert(now);
        }
        self.release_gone(LINGER);
        self.release_gone(Duration::ZERO);
        // The attached workers are left over from a dispatcher that panicked and that held their
        // pipes.
        if !self.attached.is_empty() {
            thread::sleep(LINGER);
        }
        std::mem::take(&mut self.attached).into_iter().for_each(|lost| self.sweep(lost));
    }
}

fn owner(membership: Membership) -> Owner {
    Owner { slot: membership.slot, epoch: membership.epoch }
}

impl Sharing {
    /// Returns the wait in which a worker died, if it was waiting. The end of the wait is not
    /// known. The worker's slot must not have been swept yet.
    pub(super) fn last_wait(&self, member: Membership, memory: &JobMem) -> Option<Wait> {
        let Standing { kind, name, .. } = self.shared().waits_for(owner(member))?;
        let called = memory.called();
        Some(Wait { kind: kind.to_string(), name, began: called, ended: called })
    }

    /// Returns what a worker's job waits for in shared state, if it waits.
    pub(super) fn awaited(&self, member: Membership) -> Option<Awaited> {
        let standing = self.shared().waits_for(owner(member))?;
        let (here, all) = standing.parties;
        let want = match (standing.kind, standing.line) {
            (Kind::Queue, PUTTERS) => Want::Room,
            (Kind::Queue, JOINERS) => Want::Done,
            (Kind::Queue, _) => Want::Message,
            (Kind::Condition, NOTIFIED) => Want::Notification,
            (Kind::Lock | Kind::Condition, _) => Want::Lock,
            (Kind::Semaphore, _) => Want::Permit,
            (Kind::Event, _) => Want::Event,
            (Kind::Barrier, _) => Want::Parties { here, all },
            (Kind::List | Kind::Dict | Kind::Set, _) => Want::Change,
            // Jobs never wait for objects of these kinds.
            (Kind::Value | Kind::Array | Kind::Region, _) => return None,
        };
        Some(Awaited { want, name: standing.name })
    }

    /// Returns the time of the next look at workers that are leaving.
    pub(super) fn next_burial(&self, now: Instant) -> Option<Instant> {
        (!self.leaving.is_empty()).then(|| now + LOOK)
    }

    /// Sweeps the slots of workers that have been killed, once they are dead. Workers that are not
    /// dead in time, or that could not be killed, end with the zygote and are swept then.
    pub(super) fn release_killed(&mut self, workers: Vec<Worker>) {
        for worker in workers {
            if let Some(member) = worker.member {
                self.leave(member, worker.results, worker.ended);
            }
        }
        self.release_gone(DEATH_WAIT);
    }
}

impl LocalCrew<'_> {
    /// Ends what workers wait for on behalf of their guests, because no other job may come to
    /// fulfil it.
    pub(super) fn interrupt_waits(&self) {
        let Some(sharing) = &self.session.sharing else { return };
        for worker in self.workers.iter().flatten() {
            worker.memory.stop();
            if let Some(member) = worker.member {
                sharing.interrupt(member);
            }
        }
    }

    /// Continues sweeps that a live worker held up, and reports a worker that holds up sweeps for
    /// long.
    pub(super) fn sweep_again(
        &mut self,
        now: Instant,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        let Some(sharing) = &mut self.session.sharing else { return Ok(()) };
        let stuck = sharing.sweep_again(now);
        for worker in self.workers.iter().flatten() {
            if worker.member.is_some_and(|member| stuck.contains(&owner(member))) {
                let what = "it holds a latch of shared state".into();
                hear(listener, Event::Broke { slot: worker.id.slot, what })?;
            }
        }
        Ok(())
    }
}
