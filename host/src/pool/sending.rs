//! The dispatcher's way out: reads jobs from the source, forks workers, sends batches, steals.

use super::batch::Batch;
use super::dispatcher::{Dispatcher, Input, Phase};
use super::error::PoolError;
use super::events::Token;
use super::feed::{Fill, Notice};
use super::handle::WorkerHandle;
use super::pace::BATCH_BYTES_MAX;
use super::sharing::Sharing;
use crate::wire::control::{ToZygote, WorkerId};
use crate::wire::frame::Entries;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Bytes of jobs asked for at once.
const FILL_BYTES: usize = 256 << 10;

/// Most workers asked for and not yet heard of: so many answers fit into the control socket.
const FORKS_PENDING_MAX: usize = 32;

/// How many batches each worker may be ahead of one that has just been held up.
const BATCHES_AHEAD: usize = 3;

/// How long a batch counts as just held up.
const MOMENT: Duration = Duration::from_millis(20);

const NO_SLOT: &str = "shared state has no slot left for a worker: the pools that use it have too \
                       many workers together";

impl Dispatcher<'_> {
    /// Sends as many jobs as workers, memory and the source allow.
    pub(super) fn send_jobs(&mut self) -> Result<(), PoolError> {
        if self.phase != Phase::Running {
            return Ok(());
        }
        self.backlog.wake(Instant::now());
        while self.phase == Phase::Running {
            if self.is_tight() {
                return self.send_awaited();
            }
            if self.is_far_ahead() {
                return Ok(());
            }
            if self.backlog.count() == 0 {
                self.fill()?;
                if self.backlog.count() == 0 {
                    return self.steal();
                }
            }
            let Some(slot) = self.pick_worker()? else { return Ok(()) };
            self.send_batch(slot, usize::MAX)?;
        }
        Ok(())
    }

    /// Bytes held: inputs of unfinished jobs, and outcomes not yet handed on.
    pub(super) fn held(&self) -> usize {
        let in_flight: usize =
            self.workers.iter().flatten().flat_map(|w| &w.in_flight).map(Batch::bytes).sum();
        let partial: usize = self
            .workers
            .iter()
            .flatten()
            .flat_map(|worker| &worker.in_flight)
            .filter_map(|batch| batch.partial.as_ref())
            .map(|partial| partial.bytes.len())
            .sum();
        in_flight + partial + self.backlog.bytes() + self.ledger.held() + self.sink.held()
    }

    /// Whether so much is held that only the job that all others wait for may go on.
    pub(super) fn is_tight(&self) -> bool {
        self.held() >= self.config.buffer_bytes_max
    }

    /// Whether outcomes of several batches wait for a batch that will be there in a moment: its worker
    /// has lost its CPU for a while. That it gets it back needs fewer busy workers, not more results
    /// to keep. A batch that takes longer holds up nobody.
    fn is_far_ahead(&self) -> bool {
        if self.ledger.waiting() < BATCHES_AHEAD * self.config.workers {
            return false;
        }
        let Some(awaited) = self.ledger.awaited() else { return false };
        let mut in_flight = self.workers.iter().flatten().flat_map(|worker| &worker.in_flight);
        in_flight
            .find(|batch| batch.awaits(awaited))
            .is_some_and(|batch| batch.sent.elapsed() < MOMENT)
    }

    /// Reads jobs until there are some, or there are none for now.
    fn fill(&mut self) -> Result<(), PoolError> {
        self.unfilled = false;
        while self.input == Input::Open && self.backlog.fresh_count() == 0 && !self.is_tight() {
            if self.unfilled {
                // It works on a long job. Others have their turn first.
                return Ok(());
            }
            let room = (self.config.buffer_bytes_max - self.held()).min(FILL_BYTES);
            let fill = self.source.fill(&mut self.intake, room).map_err(PoolError::Input)?;
            self.backlog.refill(&mut self.intake);
            match fill {
                Fill::More => self.unfilled = self.backlog.fresh_count() == 0,
                Fill::Blocked => {
                    self.input = Input::Blocked;
                    if let Some(fd) = self.source.fd() {
                        self.events
                            .watch_readable(fd, Token::Source)
                            .map_err(|error| PoolError::setup("wait for the input", error))?;
                    }
                }
                Fill::End => self.input = Input::Ended,
            }
            self.settle_intake()?;
        }
        Ok(())
    }

    /// The worker to send to: an idle one, or a new one, or one that has a batch already.
    fn pick_worker(&mut self) -> Result<Option<u32>, PoolError> {
        let idle = |worker: &&WorkerHandle| worker.in_flight.is_empty();
        if let Some(worker) = self.sendable().find(idle) {
            return Ok(Some(worker.id.slot));
        }
        if let Some(slot) = self.fork_worker(self.config.workers)? {
            return Ok(Some(slot));
        }
        Ok(self.sendable().next().map(|worker| worker.id.slot))
    }

    /// The workers that can be sent a batch.
    fn sendable(&self) -> impl Iterator<Item = &WorkerHandle> {
        let limit = self.config.jobs_per_worker_max.unwrap_or(u64::MAX);
        let workers = self.workers.iter().flatten();
        workers.filter(move |worker| worker.has_room() && worker.jobs_sent < limit)
    }

    /// Asks for one more worker, unless there are `most`; answers with its slot. It can be sent jobs
    /// at once: its pipes are there before it is.
    fn fork_worker(&mut self, most: usize) -> Result<Option<u32>, PoolError> {
        let alive = self.workers.iter().flatten().filter(|worker| worker.is_serving());
        let (mut count, mut pending) = (0, 0);
        for worker in alive {
            count += 1;
            pending += usize::from(worker.pid.is_none());
        }
        if count >= most || pending >= FORKS_PENDING_MAX {
            return Ok(None);
        }
        let member = match self.session.sharing.as_mut().map(Sharing::enrol) {
            None => None,
            Some(Some(member)) => Some(member),
            // Those that there are do the work, or one that ends leaves its slot.
            Some(None) if self.workers.iter().any(Option::is_some) => return Ok(None),
            Some(None) if self.next_burial(Instant::now()).is_some() => return Ok(None),
            Some(None) => return Err(PoolError::Lost(NO_SLOT.into())),
        };
        let slot = self.workers.iter().position(Option::is_none).unwrap_or(self.workers.len());
        if slot == self.workers.len() {
            self.workers.push(None);
            self.epochs.push(0);
        }
        let id = WorkerId { slot: slot as u32, epoch: self.epochs[slot] };
        self.epochs[slot] += 1;
        let setup = |error| PoolError::setup("make the pipes of a worker", error);
        let (worker, ends) = WorkerHandle::new(id, member).map_err(setup)?;
        let fds = [ends.jobs.as_fd(), ends.results.as_fd(), ends.memory.as_fd()];
        // A zygote that is gone is noticed by its socket; the worker is finalised then.
        let _ = self.session.zygote.send(&ToZygote::Fork { worker: id, member }, &fds);
        self.workers[slot] = Some(worker);
        Ok(Some(id.slot))
    }

    /// Sends a batch of at most `most` jobs from the backlog, which is not empty.
    fn send_batch(&mut self, slot: u32, most: usize) -> Result<(), PoolError> {
        let left = match self.input {
            Input::Open => self.source.remaining().map(|left| left + self.backlog.count() as u64),
            Input::Blocked | Input::Ended => Some(self.backlog.count() as u64),
        };
        let jobs = usize::from(self.pace.jobs(left, self.config.workers)).min(most);
        let limit = self.config.jobs_per_worker_max.unwrap_or(u64::MAX);
        let worker = self.workers[slot as usize].as_mut().expect("a picked worker exists");
        let jobs = jobs.min(usize::try_from(limit - worker.jobs_sent).unwrap_or(usize::MAX));
        let mut entries = Entries::default();
        self.backlog.cut(jobs, BATCH_BYTES_MAX, &mut entries);
        let batch = Batch::new(worker.next_batch(), entries, Instant::now());
        self.sink.notice(Notice::Sent { slot, job: batch.number(0), jobs: batch.count() });
        worker
            .send(batch, &self.events)
            .map_err(|error| PoolError::setup("write to a worker", error))
    }

    /// A worker's pipe has room again.
    pub(super) fn write_jobs(&mut self, slot: u32) -> Result<(), PoolError> {
        if let Some(worker) = &mut self.workers[slot as usize] {
            worker
                .write(&self.events)
                .map_err(|error| PoolError::setup("write to a worker", error))?;
        }
        self.settle_worker(slot)
    }

    /// Memory is short: sends only the job that all outcomes held wait for. If every worker is busy
    /// (waiting, perhaps, for the dispatcher to read its results), one more is forked for it.
    fn send_awaited(&mut self) -> Result<(), PoolError> {
        let nothing_runs = self.workers.iter().flatten().all(|worker| worker.in_flight.is_empty());
        let awaited = match self.ledger.awaited() {
            Some(job) => self.backlog.lowest() == Some(job),
            None => self.backlog.count() > 0 && nothing_runs,
        };
        if !awaited {
            return Ok(());
        }
        let idle = self.sendable().find(|worker| worker.in_flight.is_empty());
        let slot = match idle.map(|worker| worker.id.slot) {
            Some(slot) => Some(slot),
            None => self.fork_worker(self.config.workers + 1)?,
        };
        match slot {
            Some(slot) => self.send_batch(slot, 1),
            None => Ok(()),
        }
    }

    /// Reads from the pipes of all workers, or, while memory is short, of the one only that has the
    /// job which all others wait for.
    pub(super) fn choose_readers(&mut self) -> Result<(), PoolError> {
        let tight = self.is_tight();
        let full = self.sink.held() >= self.config.buffer_bytes_max;
        let awaited = self.ledger.awaited();
        for worker in self.workers.iter_mut().flatten() {
            let has_awaited = || awaited.is_none_or(|job| worker.awaits(job));
            let reading = !full && (!tight || has_awaited());
            worker
                .set_reading(reading, &self.events)
                .map_err(|error| PoolError::setup("wait for a worker", error))?;
        }
        Ok(())
    }

    /// There is nothing left to send: gives idle workers half of what the busiest has not started.
    fn steal(&mut self) -> Result<(), PoolError> {
        while self.phase == Phase::Running {
            let Some(thief) = self
                .sendable()
                .find(|worker| worker.in_flight.is_empty() && worker.ready)
                .map(|worker| worker.id.slot)
            else {
                return self.fork_for_stealing();
            };
            let victim = self
                .workers
                .iter()
                .flatten()
                .map(|worker| (worker.unclaimed(), worker.id.slot))
                .filter(|&(unclaimed, _)| unclaimed > 0)
                .max();
            let Some((unclaimed, victim)) = victim else { return Ok(()) };
            self.take_back(victim, unclaimed.div_ceil(2));
            if self.backlog.count() == 0 {
                return Ok(());
            }
            self.settle_worker(victim)?;
            self.send_batch(thief, usize::MAX)?;
        }
        Ok(())
    }

    /// Forks workers for jobs that wait behind others' running ones, as far as there may be more.
    fn fork_for_stealing(&mut self) -> Result<(), PoolError> {
        let waiting: u32 = self.workers.iter().flatten().map(WorkerHandle::unclaimed).sum();
        let coming = self.sendable().filter(|worker| worker.in_flight.is_empty()).count();
        for _ in coming..waiting as usize {
            if self.fork_worker(self.config.workers)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Takes back at most `most` of the jobs that a worker has not started, the last first.
    pub(super) fn take_back(&mut self, slot: u32, mut most: u32) {
        let Some(worker) = &mut self.workers[slot as usize] else { return };
        for batch in worker.in_flight.iter_mut().rev() {
            let keep = |next: u16, end: u16| {
                end.saturating_sub(u16::try_from(most).unwrap_or(u16::MAX)).max(next)
            };
            let taken = worker.memory.take_back(batch.id, |seen| keep(seen.next, seen.end));
            let Some((_, end)) = taken else { continue };
            // A worker that lies about `end` can only give jobs back, never take any.
            let end = end.clamp(batch.received, batch.limit);
            for (number, job) in batch.jobs(end..batch.limit) {
                self.backlog.put_back(number, job.to_vec());
            }
            most -= u32::from(batch.limit - end).min(most);
            batch.limit = end;
            if most == 0 {
                return;
            }
        }
    }
}
