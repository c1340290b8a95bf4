//! The pool's part in shared state: a slot for each worker, from its fork to its sweep.

use super::dispatcher::Dispatcher;
use super::error::PoolError;
use super::handle::{Killed, WorkerHandle};
use crate::shared::{Member, Owner, Shared, Side, Swept};
use crate::wire::control::Membership;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a live worker may hold up a sweep by holding a latch, which takes microseconds unless it
/// was stopped or is hostile.
const STUCK_MAX: Duration = Duration::from_secs(1);

/// How long a killed worker is waited for at the end of a run.
const DEATH_WAIT: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The dispatcher's own membership.
#[derive(Debug)]
pub(super) struct Sharing {
    member: Member,
    /// Who held up the last sweep, and since when there is something left to sweep.
    stuck: Option<(Vec<Owner>, Instant)>,
}

impl Sharing {
    /// Takes part in shared state.
    ///
    /// # Errors
    /// All slots of the host are taken.
    pub(super) fn new(shared: &Arc<Shared>) -> Result<Sharing, PoolError> {
        let member = Member::join(shared).map_err(|_| {
            PoolError::Lost("shared state has no slot left: too many pools use it at once".into())
        })?;
        Ok(Sharing { member, stuck: None })
    }

    /// A slot for a worker that is about to be forked.
    ///
    /// # Errors
    /// All slots of workers are taken.
    pub(super) fn enrol(&self) -> Result<Membership, PoolError> {
        let owner = self.member.shared().attach(Side::Worker).map_err(|_| {
            PoolError::Lost("shared state has no slot left for a worker: use fewer workers".into())
        })?;
        Ok(Membership { slot: owner.slot, epoch: owner.epoch })
    }

    /// Sweeps the slot of a worker that is dead, and frees it.
    pub(super) fn bury(&mut self, dead: Membership) {
        let swept = self.member.shared().bury(&self.member.caller(), owner(dead));
        self.note(swept.unwrap_or_default());
    }

    fn note(&mut self, swept: Swept) {
        let since = self.stuck.take().map(|(_, since)| since);
        if !swept.stuck.is_empty() {
            self.stuck = Some((swept.stuck, since.unwrap_or_else(Instant::now)));
        }
    }

    /// Has a worker look at its word that ends waits.
    fn interrupt(&self, worker: Membership) {
        self.member.shared().interrupt(owner(worker));
    }
}

fn owner(membership: Membership) -> Owner {
    Owner { slot: membership.slot, epoch: membership.epoch }
}

impl Dispatcher<'_> {
    /// Ends what workers wait for on behalf of their guests: nobody may come any more to fulfil it.
    pub(super) fn interrupt_waits(&self) {
        let Some(sharing) = &self.sharing else { return };
        for worker in self.workers.iter().flatten() {
            worker.memory.stop();
            if let Some(member) = worker.member {
                sharing.interrupt(member);
            }
        }
    }

    /// Goes on with sweeps that a live worker held up, and kills one that does so for long.
    pub(super) fn sweep_again(&mut self, now: Instant) {
        let Some(sharing) = &mut self.sharing else { return };
        if sharing.stuck.is_none() {
            return;
        }
        let swept = sharing.member.shared().sweep_again(&sharing.member.caller());
        sharing.note(swept.unwrap_or_default());
        let Some((stuck, since)) = &sharing.stuck else { return };
        if now.saturating_duration_since(*since) < STUCK_MAX {
            return;
        }
        for worker in self.workers.iter_mut().flatten() {
            if worker.member.is_some_and(|member| stuck.contains(&owner(member))) {
                worker.kill(Killed::Protocol("it holds a latch of shared state".into()));
            }
        }
    }

    /// Sweeps the slots of workers that have been killed and that nobody will hear of again. One that
    /// does not die in time keeps its slot: what lives must not be swept.
    pub(super) fn bury_killed(&mut self, workers: &[WorkerHandle]) {
        let Some(sharing) = &mut self.sharing else { return };
        for worker in workers {
            let (Some(member), Some(pidfd)) = (worker.member, &worker.pidfd) else { continue };
            let dead = loop {
                match poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&DEATH_WAIT)) {
                    Err(rustix::io::Errno::INTR) => {}
                    ready => break ready.is_ok_and(|ready| ready > 0),
                }
            };
            if dead {
                sharing.bury(member);
            }
        }
    }
}
