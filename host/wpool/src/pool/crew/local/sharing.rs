//! The pool's part in shared state: a slot for each worker, from its fork to its sweep.
//!
//! **Invariant:** a slot is swept when nobody can act in its name any more. That is not when its worker
//! has ended: a child that runs a job for it dies some moments later. It is when nobody has the writing
//! end of the worker's pipe of results.

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

/// How long a live worker may hold up a sweep by holding a latch, which takes microseconds unless it
/// was stopped or is hostile.
const STUCK_MAX: Duration = Duration::from_secs(1);

/// How long after a worker's death its pipe may stay open. Only a hostile one hands it on.
const LINGER: Duration = Duration::from_secs(1);

/// How long killed workers are waited for at the end of a run.
const DEATH_WAIT: Duration = Duration::from_secs(1);

/// Time between two looks at workers that are leaving.
const LOOK: Duration = Duration::from_millis(10);

/// The dispatcher's own membership, and the memberships of workers that are about to end.
#[derive(Debug)]
pub(in crate::pool) struct Sharing {
    member: Member,
    /// The workers that have a slot and are not leaving.
    enrolled: HashSet<Membership>,
    leaving: Vec<Leaving>,
    /// Who held up the last sweep, and since when there is something left to sweep.
    stuck: Option<(Vec<Owner>, Instant)>,
}

/// A worker that is gone for the dispatcher, and whose slot is not swept yet.
#[derive(Debug)]
struct Leaving {
    member: Membership,
    results: File,
    /// When its death was known. The zygote may never have told of it.
    dead: Option<Instant>,
}

impl Leaving {
    /// Whether nobody acts in its name any more; waits for that at most so long.
    fn is_gone(&self, patience: Duration) -> bool {
        let now = Instant::now();
        if self.dead.is_some_and(|dead| now >= dead + LINGER) {
            return true;
        }
        loop {
            // What is asked for is a hang-up only, which need not be asked for.
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
    /// Takes part in shared state.
    ///
    /// # Errors
    /// All slots of the host are taken.
    pub(in crate::pool) fn new(shared: &Arc<Shared>) -> Result<Sharing, PoolError> {
        let member = Member::join(shared).map_err(|_| {
            PoolError::Lost(
                "shared state has no slot left for this pool: too many pools and threads use it at \
                 once"
                    .into(),
            )
        })?;
        Ok(Sharing { member, enrolled: HashSet::new(), leaving: Vec::new(), stuck: None })
    }

    /// Where it takes part.
    pub(in crate::pool) fn shared(&self) -> &Arc<Shared> {
        self.member.shared()
    }

    /// A slot for a worker that is about to be forked; `None` while all slots of workers are taken.
    pub(super) fn enrol(&mut self) -> Option<Membership> {
        let owner = self.shared().attach(Side::Worker).ok()?;
        let member = Membership { slot: owner.slot, epoch: owner.epoch };
        self.enrolled.insert(member);
        Some(member)
    }

    /// Takes over a worker that has ended, at this time, or will end without being heard of again. Its
    /// slot is swept as soon as it can be.
    pub(super) fn bury(&mut self, member: Membership, results: File, dead: Option<Instant>) {
        self.leave(member, results, dead);
        self.bury_gone(Duration::ZERO);
    }

    fn leave(&mut self, member: Membership, results: File, dead: Option<Instant>) {
        self.enrolled.remove(&member);
        self.leaving.push(Leaving { member, results, dead });
    }

    /// Sweeps the slots of those that are gone; waits for that at most so long.
    pub(super) fn bury_gone(&mut self, patience: Duration) {
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
        let swept = self.shared().bury(&self.member.caller(), owner(dead));
        self.note(swept.unwrap_or_default());
    }

    fn note(&mut self, swept: Swept) {
        let since = self.stuck.take().map(|(_, since)| since);
        if !swept.stuck.is_empty() {
            self.stuck = Some((swept.stuck, since.unwrap_or_else(Instant::now)));
        }
    }

    /// Goes on with sweeps that somebody held up, whichever pool began them: only the pool of the one
    /// that holds them up can end that. Says who has done so for long.
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

    /// Has a worker look at its word that ends waits.
    fn interrupt(&self, worker: Membership) {
        self.shared().interrupt(owner(worker));
    }
}

impl Drop for Sharing {
    /// The zygote has ended, and so has everyone that it forked.
    fn drop(&mut self) {
        let now = Instant::now();
        for leaving in &mut self.leaving {
            leaving.dead.get_or_insert(now);
        }
        self.bury_gone(LINGER);
        self.bury_gone(Duration::ZERO);
        // Those of a dispatcher that panicked, which had their pipes.
        if !self.enrolled.is_empty() {
            thread::sleep(LINGER);
        }
        std::mem::take(&mut self.enrolled).into_iter().for_each(|lost| self.sweep(lost));
    }
}

fn owner(membership: Membership) -> Owner {
    Owner { slot: membership.slot, epoch: membership.epoch }
}

impl Sharing {
    /// Returns the wait in which a worker died, if it was in one; its end is not known. The worker's slot must not
    /// be swept yet.
    pub(super) fn last_wait(&self, member: Membership, memory: &JobMem) -> Option<Wait> {
        let Standing { kind, name, .. } = self.shared().waits_for(owner(member))?;
        let called = memory.called();
        Some(Wait { kind: kind.to_string(), name, began: called, ended: called })
    }

    /// Returns what a worker's job waits for in shared state, if it does.
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
            // Nobody waits for these.
            (Kind::Value | Kind::Array | Kind::Region, _) => return None,
        };
        Some(Awaited { want, name: standing.name })
    }

    /// Returns when to look at workers that are leaving.
    pub(super) fn next_burial(&self, now: Instant) -> Option<Instant> {
        (!self.leaving.is_empty()).then(|| now + LOOK)
    }

    /// Sweeps the slots of workers that have been killed, once they are dead. Those that are not in
    /// time, and those that nobody could kill, end with the zygote, and are swept then.
    pub(super) fn bury_killed(&mut self, workers: Vec<Worker>) {
        for worker in workers {
            if let Some(member) = worker.member {
                self.leave(member, worker.results, worker.ended);
            }
        }
        self.bury_gone(DEATH_WAIT);
    }
}

impl LocalCrew<'_> {
    /// Ends what workers wait for on behalf of their guests: nobody may come any more to fulfil it.
    pub(super) fn interrupt_waits(&self) {
        let Some(sharing) = &self.session.sharing else { return };
        for worker in self.workers.iter().flatten() {
            worker.memory.stop();
            if let Some(member) = worker.member {
                sharing.interrupt(member);
            }
        }
    }

    /// Goes on with sweeps that a live worker held up, and tells of one that does so for long.
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
