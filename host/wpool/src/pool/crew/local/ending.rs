//! The ends of workers: first what they leave is reported, then how they ended.

use super::*;
use crate::pool::crew::Death;
use crate::wire::control::ExitStatus;
use crate::wire::failure::Failure;

/// The time for which the status of an ended worker is awaited.
const STATUS_WAIT: Duration = Duration::from_secs(1);

/// The time that a zygote may take to fork a worker.
const FORK_WAIT: Duration = Duration::from_secs(10);

/// The status of a worker that was killed with its zygote.
pub(super) const KILLED: ExitStatus = ExitStatus::Signal(9);

impl LocalCrew<'_> {
    /// Marks a worker as orphaned: from now on only the end of its pipe can show its death. Until
    /// then, the worker starts no more jobs.
    pub(super) fn orphan(
        &mut self,
        slot: u32,
        why: &str,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        self.take_back(slot, u32::MAX, listener)?;
        let Some((worker, events)) = self.with_events(slot) else { return Ok(()) };
        worker.close(events);
        worker.orphaned = Some(Instant::now());
        worker.fatal_message.get_or_insert_with(|| why.into());
        worker.update_reading(events).map_err(cannot("wait for a worker"))?;
        hear(listener, Event::Lost { slot })
    }

    /// Handles the end of a worker: takes all that it has left, and reports how it ended once its
    /// status is known.
    pub(super) fn worker_ended(
        &mut self,
        slot: u32,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        let Some((worker, events)) = self.with_events(slot) else { return Ok(()) };
        if worker.ended.is_some() {
            return Ok(());
        }
        worker.ended = Some(Instant::now());
        if let Some(pidfd) = &worker.pidfd {
            events.forget(pidfd);
        }
        events.forget(&worker.results);
        hear(listener, Event::Lost { slot })?;
        // The read stops after what a pipe holds: a child that the worker left behind may go on writing.
        self.read(slot, READS_PIPE, listener)?;
        self.drain_committed(slot, READS_PIPE, listener)?;
        hear(listener, Event::Quiet { slot })?;
        match self.worker(slot).is_some_and(|worker| worker.status.is_some()) {
            true => self.finalize(slot, listener),
            false => Ok(()),
        }
    }

    /// Gives up on statuses that do not come, and on a zygote that does not fork.
    pub(super) fn give_up_waiting(
        &mut self,
        now: Instant,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        let is_pending = |worker: &Worker| {
            let waits = worker.pid.is_none() && worker.orphaned.is_none();
            waits && now >= worker.asked + FORK_WAIT
        };
        let loading = self.session.loading_until().is_some_and(|until| now >= until);
        if loading || self.workers.iter().flatten().any(is_pending) {
            return self.zygote_lost(listener);
        }
        for slot in self.slots() {
            let overdue = |worker: &Worker| {
                let gone = worker.ended.or(worker.orphaned);
                gone.is_some_and(|gone| now >= gone + STATUS_WAIT)
            };
            if self.worker(slot).is_some_and(overdue) {
                self.finalize(slot, listener)?;
            }
        }
        Ok(())
    }

    /// Returns the time at which the first of the awaited statuses is given up on.
    pub(super) fn next_status_timeout(&self) -> Option<Instant> {
        let workers = self.workers.iter().flatten();
        let ended = workers.filter_map(|worker| worker.ended.or(worker.orphaned));
        ended.min().map(|ended| ended + STATUS_WAIT)
    }

    /// Removes a worker that has ended or will not be heard of any more, and reports how it ended.
    pub(super) fn finalize(
        &mut self,
        slot: u32,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        // The first step is that nothing more can start, even if a child still acts in the worker's
        // name.
        self.take_back(slot, u32::MAX, listener)?;
        let Some((worker, events)) = self.with_events(slot) else { return Ok(()) };
        worker.close(events);
        events.forget(&worker.results);
        let worker = self.workers[slot as usize].take().expect("it was just there");
        let death = Box::new(self.death_of(&worker));
        if let (Some(scratch), Some(pid)) = (&self.session.scratch, worker.pid) {
            scratch.remove(pid);
        }
        if let (Some(member), Some(sharing)) = (worker.member, &mut self.session.sharing) {
            sharing.release(member, worker.results, worker.ended);
        }
        hear(listener, Event::Gone { slot, death })
    }

    fn death_of(&self, worker: &Worker) -> Death {
        let trap = match worker.status {
            Some(ExitStatus::Code(code)) if worker.ready && !worker.excused => {
                Failure::of_fatal_message(code, &worker.memory)
            }
            _ => None,
        };
        let sharing = self.session.sharing.as_ref().zip(worker.member);
        Death {
            status: worker.status,
            had_process: worker.pid.is_some() || worker.orphaned.is_some(),
            excused: worker.excused,
            trap,
            fatal_message: worker.fatal_message.clone(),
            since: worker.ended.unwrap_or_else(Instant::now),
            began: worker.memory.began(),
            printed: worker.memory.printed(),
            waited: sharing.and_then(|(all, member)| all.last_wait(member, &worker.memory)),
        }
    }
}
