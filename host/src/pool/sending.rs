//! The dispatcher's way out: reads jobs from the source, forks workers, sends batches, steals.

use super::batch::Batch;
use super::dispatcher::{Dispatcher, Input, Phase};
use super::error::PoolError;
use super::events::Token;
use super::feed::{Fill, Notice};
use super::handle::{BATCHES_MAX, Post, WorkerHandle};
use super::pace::BATCH_BYTES_MAX;
use super::progress::{self, Awaited, Readers};
use super::sharing::Sharing;
use crate::wire::control::{ToZygote, WorkerId};
use crate::wire::frame::Entries;
use crate::wire::settings::PauseAfter;
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
            if self.is_far_ahead() || self.config.paced && !self.has_idle() {
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
        let in_flight: usize = self.in_flight().map(Batch::held).sum();
        in_flight + self.backlog.bytes() + self.ledger.held() + self.sink.held()
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
        let batch = self.in_flight().find(|batch| batch.awaits(awaited));
        batch.is_some_and(|batch| batch.sent.elapsed() < MOMENT)
    }

    /// Whether a worker could start with a job at once, or one more may be forked for it.
    fn has_idle(&self) -> bool {
        let ordinary =
            |worker: &&WorkerHandle| worker.is_serving() && worker.post == Post::Ordinary;
        let alive = self.workers.iter().flatten().filter(ordinary).count();
        let most = self.supply.most(self.config.workers, Instant::now());
        alive < most || self.idle(Post::Ordinary).is_some()
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
        if let Some(slot) = self.idle(Post::Ordinary) {
            return Ok(Some(slot));
        }
        if let Some(slot) = self.fork_worker(Post::Ordinary)? {
            return Ok(Some(slot));
        }
        Ok(self.sendable(Post::Ordinary).next().map(|worker| worker.id.slot))
    }

    /// The workers at a post that can be sent a batch.
    fn sendable(&self, post: Post) -> impl Iterator<Item = &WorkerHandle> {
        let limit = self.config.jobs_per_worker_max.unwrap_or(u64::MAX);
        // Nothing is sent ahead to a worker that is to wait until its last job has been heard of.
        let ahead = self.config.settings.pause == PauseAfter::Nothing && !self.config.paced;
        let batches = if ahead { BATCHES_MAX } else { 1 };
        let workers = self.workers.iter().flatten();
        workers.filter(move |worker| {
            worker.post == post && worker.has_room(batches) && worker.jobs_sent < limit
        })
    }

    /// A worker at a post that has nothing to do.
    fn idle(&self, post: Post) -> Option<u32> {
        let idle = self.sendable(post).find(|worker| worker.in_flight.is_empty());
        idle.map(|worker| worker.id.slot)
    }

    /// Asks for one more worker, unless there are enough; answers with its slot. It can be sent jobs
    /// at once: its pipes are there before it is.
    fn fork_worker(&mut self, post: Post) -> Result<Option<u32>, PoolError> {
        let most = match post {
            Post::Ordinary => self.supply.most(self.config.workers, Instant::now()),
            Post::Awaited => usize::from(self.supply.wake(Instant::now()).is_none()),
        };
        let alive = self.workers.iter().flatten().filter(|worker| worker.is_serving());
        let (mut count, mut pending) = (0, 0);
        for worker in alive {
            count += usize::from(worker.post == post);
            pending += usize::from(worker.pid.is_none());
        }
        // While another zygote loads the module, nothing is asked of it.
        let loading = self.session.loading_until().is_some();
        if count >= most || pending >= FORKS_PENDING_MAX || loading {
            return Ok(None);
        }
        let slot = self.workers.iter().position(Option::is_none).unwrap_or(self.workers.len());
        let epoch = self.epochs.get(slot).copied().unwrap_or(0);
        let id = WorkerId { slot: slot as u32, epoch };
        let (mut worker, ends) = match WorkerHandle::new(id, post, pending) {
            Ok(made) => made,
            Err(error) => {
                let why = PoolError::setup("make the pipes of a worker", error);
                return self.refused(&why.to_string()).map(|()| None);
            }
        };
        worker.member = match self.session.sharing.as_mut().map(Sharing::enrol) {
            None => None,
            Some(Some(member)) => Some(member),
            // Those that there are do the work, or one that ends leaves its slot.
            Some(None) if self.workers.iter().any(Option::is_some) => return Ok(None),
            Some(None) if self.next_burial(Instant::now()).is_some() => return Ok(None),
            Some(None) => return Err(PoolError::Lost(NO_SLOT.into())),
        };
        if slot == self.workers.len() {
            self.workers.push(None);
            self.epochs.push(0);
        }
        self.epochs[slot] += 1;
        let fds = [ends.jobs.as_fd(), ends.results.as_fd(), ends.memory.as_fd()];
        // A zygote that is gone is noticed by its socket; the worker is finalised then.
        let _ =
            self.session.zygote.send(&ToZygote::Fork { worker: id, member: worker.member }, &fds);
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
        let mut slot = self.idle(Post::Ordinary).or_else(|| self.idle(Post::Awaited));
        for post in [Post::Ordinary, Post::Awaited] {
            if slot.is_none() {
                slot = self.fork_worker(post)?;
            }
        }
        match slot {
            Some(slot) => self.send_batch(slot, 1),
            None => Ok(()),
        }
    }

    /// Reads from the pipes of all workers, or, while memory is short, of those that
    /// [`progress::readers`] names.
    pub(super) fn choose_readers(&mut self) -> Result<(), PoolError> {
        if self.phase != Phase::Running {
            // Outcomes wait for jobs in flight only: no others will have any.
            let unfinished = self.in_flight().filter(|batch| batch.received < batch.limit);
            let lowest = unfinished.map(|batch| batch.number(batch.received)).min();
            let lowest = lowest.unwrap_or(u64::MAX);
            self.ledger.skip_to(lowest, self.sink).map_err(PoolError::Output)?;
        }
        let readers = self.readers();
        for worker in self.workers.iter_mut().flatten() {
            let chosen = match readers {
                Readers::All => true,
                Readers::Only(slot) => worker.id.slot == slot,
                Readers::Nobody => false,
            };
            // The end of a pipe is how the death of a worker without a descriptor is heard of.
            let reading = chosen || worker.orphaned.is_some();
            worker
                .set_reading(reading, &self.events)
                .map_err(|error| PoolError::setup("wait for a worker", error))?;
        }
        Ok(())
    }

    fn readers(&self) -> Readers {
        // A run that is asked to end takes what running jobs bring, though nobody takes it from the sink.
        if self.phase == Phase::Running && self.sink.held() >= self.config.buffer_bytes_max {
            return Readers::Nobody;
        }
        if !self.is_tight() {
            return Readers::All;
        }
        let busy = self.workers.iter().flatten().filter(|worker| !worker.in_flight.is_empty());
        let busy = busy.map(|worker| (worker.id.slot, worker.jobs_in_flight()));
        progress::readers(self.find_awaited(), busy)
    }

    /// Tells where the job is that all outcomes held wait for.
    fn find_awaited(&self) -> Awaited {
        let Some(job) = self.ledger.awaited() else { return Awaited::Any };
        if let Some(worker) = self.workers.iter().flatten().find(|worker| worker.awaits(job)) {
            return Awaited::InFlight(worker.id.slot);
        }
        match self.backlog.lowest() {
            Some(lowest) if lowest == job => Awaited::Pending,
            _ if self.backlog.is_delayed(job) => Awaited::Delayed,
            _ => Awaited::Any,
        }
    }

    /// All batches in flight.
    fn in_flight(&self) -> impl Iterator<Item = &Batch> {
        self.workers.iter().flatten().flat_map(|worker| &worker.in_flight)
    }

    /// There is nothing left to send: gives idle workers half of what the busiest has not started.
    fn steal(&mut self) -> Result<(), PoolError> {
        while self.phase == Phase::Running {
            let Some(thief) = self
                .sendable(Post::Ordinary)
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
        let idle = |worker: &&WorkerHandle| worker.in_flight.is_empty();
        let coming = self.sendable(Post::Ordinary).filter(idle).count();
        for _ in coming..waiting as usize {
            if self.fork_worker(Post::Ordinary)?.is_none() {
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
