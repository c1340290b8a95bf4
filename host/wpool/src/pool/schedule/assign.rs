//! The assignment of jobs to workers: workers are requested, batches sent, jobs stolen.

use super::progress::{self, Awaited, Readers};
use super::sizing::BATCH_BYTES_MAX;
use super::window::{BATCHES_MAX, Batch};
use super::*;
use crate::wire::frame::Entries;
use crate::wire::settings::PauseAfter;

/// The number of bytes of jobs requested from the source at once.
const FILL_BYTES: usize = 256 << 10;

/// The largest number of workers requested and not yet answered for: their answers fit into the
/// control socket.
const FORKS_PENDING_MAX: usize = 32;

/// The number of batches that each worker may be ahead of one that has just been held up.
const BATCHES_AHEAD: usize = 3;

/// The time for which a batch counts as only just held up.
const MOMENT: Duration = Duration::from_millis(20);

/// The condition for [`Schedule::assign`] to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// The source has to add jobs of about this many bytes.
    Jobs(usize),
    /// An event has to arrive.
    Events,
}

impl Schedule {
    /// Begins a turn: requests that were refused or answered in the last turn may be made again.
    pub(crate) fn begin_turn(&mut self, now: Instant) {
        (self.sampled, self.refused, self.news) = (false, false, true);
        self.pending.wake(now);
        self.workers.iter_mut().flatten().for_each(|worker| worker.asked_back = false);
    }

    /// Assigns as many jobs as workers, memory and the source allow.
    pub(crate) fn assign(&mut self, now: Instant) -> Needs {
        self.news = false;
        while self.phase == Phase::Running {
            if self.is_tight() {
                self.send_awaited(now);
                break;
            }
            if self.is_far_ahead(now) || self.config.paced && !self.has_idle(now) {
                break;
            }
            if self.pending.count() == 0 {
                if self.input == Input::Open {
                    let room = self.config.buffer_bytes_max - self.held();
                    return Needs::Jobs(room.min(FILL_BYTES));
                }
                self.steal(now);
                break;
            }
            let Some(slot) = self.pick_worker(now) else { break };
            self.send_batch(slot, usize::MAX, now);
        }
        Needs::Events
    }

    /// Returns whether an answer has come, since jobs were last assigned, that may let more jobs be
    /// sent.
    pub(crate) fn has_news(&self) -> bool {
        self.news && self.phase == Phase::Running
    }

    /// Goes on without the source, which has no job now although it is not blocked.
    pub(crate) fn assign_without_source(&mut self, now: Instant) {
        if self.phase == Phase::Running && !self.is_tight() && self.pending.count() == 0 {
            self.steal(now);
        }
    }

    /// Returns the number of bytes held: inputs of unfinished jobs, and outcomes not yet handed on.
    pub(crate) fn held(&self) -> usize {
        self.in_flight + self.pending.bytes() + self.reorder.held() + self.elsewhere
    }

    /// Returns whether so many bytes are held that only the job that all others wait for may go on.
    pub(crate) fn is_tight(&self) -> bool {
        self.held() >= self.config.buffer_bytes_max
    }

    /// Returns whether outcomes of several batches wait for a batch that will be done in a moment,
    /// because its worker has lost its CPU for a while. The worker gets its CPU back if fewer
    /// workers are busy; more results to keep would not help. A batch that takes longer holds up no
    /// other.
    fn is_far_ahead(&self, now: Instant) -> bool {
        if self.reorder.waiting() < BATCHES_AHEAD * self.config.workers {
            return false;
        }
        let Some(awaited) = self.reorder.awaited() else { return false };
        let batch = self.workers().find_map(|worker| worker.window.holding(awaited));
        batch.is_some_and(|batch: &Batch| now.saturating_duration_since(batch.sent) < MOMENT)
    }

    /// Returns whether a worker can start a job at once, or another worker may be forked for it.
    fn has_idle(&self, now: Instant) -> bool {
        let ordinary = |worker: &&Worker| worker.is_serving() && worker.post == Post::Ordinary;
        let alive = self.workers().filter(ordinary).count();
        alive < self.supply.most(self.config.workers, now)
            || self.idle(Post::Ordinary, now).is_some()
    }

    /// Picks the worker to send to: an idle one, a new one, or one that already has a batch.
    fn pick_worker(&mut self, now: Instant) -> Option<u32> {
        self.idle(Post::Ordinary, now)
            .or_else(|| self.fork_worker(Post::Ordinary, now))
            .or_else(|| self.sendable(Post::Ordinary, now).next().map(|(slot, _)| slot))
    }

    /// Returns the workers at a post to which a batch can be sent.
    fn sendable(&self, post: Post, now: Instant) -> impl Iterator<Item = (u32, &Worker)> {
        let limit = self.config.jobs_per_worker_max.unwrap_or(u64::MAX);
        // A worker that must wait until its last job has been handled is sent nothing in advance.
        let ahead = self.config.settings.task.pause == PauseAfter::Nothing && !self.config.paced;
        let batches = if ahead { BATCHES_MAX } else { 1 };
        self.slots().filter(move |(_, worker)| {
            let has_room = worker.has_room(batches, now) && worker.window.jobs_sent < limit;
            worker.post == post && has_room
        })
    }

    /// Returns a worker at a post that has no jobs.
    fn idle(&self, post: Post, now: Instant) -> Option<u32> {
        let mut sendable = self.sendable(post, now);
        sendable.find(|(_, worker)| worker.window.is_empty()).map(|(slot, _)| slot)
    }

    /// Requests one more worker unless there are enough, and returns its slot.
    fn fork_worker(&mut self, post: Post, now: Instant) -> Option<u32> {
        let most = match post {
            Post::Ordinary => self.supply.most(self.config.workers, now),
            Post::Awaited => usize::from(self.supply.wake(now).is_none()),
        };
        let (mut count, mut pending) = (0, 0);
        for worker in self.workers().filter(|worker| worker.is_serving()) {
            count += usize::from(worker.post == post);
            pending += usize::from(worker.life == Life::Forking);
        }
        if count >= most || pending >= FORKS_PENDING_MAX || self.loading || self.refused {
            return None;
        }
        let slot = self.workers.iter().position(Option::is_none).unwrap_or(self.workers.len());
        if slot == self.workers.len() {
            self.workers.push(None);
        }
        self.workers[slot] = Some(Worker::new(post, now));
        let slot = slot as u32;
        self.ask(Request::Fork { slot });
        Some(slot)
    }

    /// Sends a batch of at most `most` pending jobs. There must be at least one.
    fn send_batch(&mut self, slot: u32, most: usize, now: Instant) {
        let pending = self.pending.count() as u64;
        let left = match self.input {
            Input::Open => self.remaining.map(|left| left + pending),
            Input::Blocked | Input::Ended => Some(pending),
        };
        let jobs = usize::from(self.sizing.jobs(left, self.config.workers)).min(most);
        let limit = self.config.jobs_per_worker_max.unwrap_or(u64::MAX);
        let worker = self.workers[slot as usize].as_mut().expect("a picked worker exists");
        let jobs = jobs.min(usize::try_from(limit - worker.window.jobs_sent).unwrap_or(usize::MAX));
        let mut entries = Entries::default();
        self.pending.cut(jobs, BATCH_BYTES_MAX, &mut entries);
        let parcel = worker.window.push(entries, now);
        self.in_flight += parcel.bytes();
        self.ask(Request::Send { slot, parcel });
    }

    /// Sends only the job that all held outcomes wait for, because memory is short. If every worker
    /// is busy (perhaps because its results are not read), requests one more worker.
    fn send_awaited(&mut self, now: Instant) {
        let nothing_runs = self.workers().all(|worker| worker.window.is_empty());
        let awaited = match self.reorder.awaited() {
            Some(job) => self.pending.lowest() == Some(job),
            None => self.pending.count() > 0 && nothing_runs,
        };
        if !awaited {
            return;
        }
        let mut slot = self
            .idle(Post::Ordinary, now)
            .or_else(|| self.idle(Post::Awaited, now))
            .or_else(|| self.fork_worker(Post::Ordinary, now));
        if slot.is_none() && self.keeps_progress() {
            slot = self.fork_worker(Post::Awaited, now);
        }
        if let Some(slot) = slot {
            self.send_batch(slot, 1, now);
        }
    }

    /// Chooses the workers whose records are read: all of them or, while memory is short, those
    /// that [`progress::readers`] names.
    pub(crate) fn choose_readers(&mut self) {
        if self.phase != Phase::Running {
            // Outcomes can only wait for jobs in flight, because no other jobs will have any.
            let lowest = self.workers().filter_map(|worker| worker.window.lowest()).min();
            self.reorder.skip_to(lowest.unwrap_or(u64::MAX));
        }
        let readers = self.readers();
        for slot in 0..self.workers.len() as u32 {
            let on = match readers {
                Readers::All => true,
                Readers::Only(chosen) => chosen == slot,
                Readers::Nobody => false,
            };
            let Some(worker) = self.worker_mut(slot).filter(|worker| worker.heard != on) else {
                continue;
            };
            worker.heard = on;
            // The worker's clock stood while the worker may have waited for its records to be read.
            worker.seen = None;
            self.ask(Request::Hear { slot, on });
        }
    }

    fn readers(&self) -> Readers {
        // A run that was asked to end still takes the results of running jobs, even if the sink is
        // full.
        if self.phase == Phase::Running && self.at_sink >= self.config.buffer_bytes_max {
            return Readers::Nobody;
        }
        if !self.is_tight() {
            return Readers::All;
        }
        let busy = self.slots().filter(|(_, worker)| !worker.window.is_empty());
        let busy = busy.map(|(slot, worker)| (slot, worker.window.unfinished()));
        progress::readers(self.find_awaited(), busy)
    }

    /// Finds the state of the job that all held outcomes wait for.
    fn find_awaited(&self) -> Awaited {
        let Some(job) = self.reorder.awaited() else { return Awaited::Any };
        let holding = self.slots().find(|(_, worker)| worker.window.holding(job).is_some());
        if let Some((slot, _)) = holding {
            return Awaited::InFlight(slot);
        }
        match self.pending.lowest() {
            Some(lowest) if lowest == job && self.keeps_progress() => Awaited::Pending,
            Some(lowest) if lowest == job => Awaited::Delayed,
            _ if self.pending.is_delayed(job) => Awaited::Delayed,
            _ => Awaited::Any,
        }
    }

    /// Returns whether the rule of progress is in force, which is always so except in a test.
    fn keeps_progress(&self) -> bool {
        #[cfg(test)]
        return !self.without_progress;
        #[cfg(not(test))]
        true
    }

    /// Gives idle workers half of the jobs that the busiest worker has not started, because there
    /// is nothing left to send.
    fn steal(&mut self, now: Instant) {
        let idle =
            |(_, worker): &(u32, &Worker)| worker.window.is_empty() && worker.life == Life::Up;
        let has_thief = self.sendable(Post::Ordinary, now).any(|worker| idle(&worker));
        if !self.sampled {
            self.sampled = true;
            let busy = self.slots().filter(|(_, worker)| !worker.window.is_empty());
            let busy: Vec<u32> = busy.map(|(slot, _)| slot).collect();
            // Workers are not asked for their jobs if no other worker could take them.
            if has_thief || self.may_fork(now) {
                self.news |= !busy.is_empty();
                busy.into_iter().for_each(|slot| self.ask(Request::Sample { slot }));
            }
            return;
        }
        if !has_thief {
            return self.fork_for_stealing(now);
        }
        let victims = self.slots().map(|(slot, worker)| (worker.unclaimed(now), slot));
        let Some((unclaimed, slot)) = victims.filter(|&(unclaimed, _)| unclaimed > 0).max() else {
            return;
        };
        if let Some(worker) = self.worker_mut(slot) {
            worker.asked_back = true;
        }
        self.news = true;
        self.ask(Request::TakeBack { slot, most: unclaimed.div_ceil(2) });
    }

    /// Returns whether another worker may be forked.
    fn may_fork(&self, now: Instant) -> bool {
        let alive = self.workers().filter(|worker| worker.is_serving()).count();
        alive < self.supply.most(self.config.workers, now) && !self.loading
    }

    /// Requests workers for the jobs that wait behind other workers' running jobs, as far as
    /// workers may be forked.
    fn fork_for_stealing(&mut self, now: Instant) {
        let waiting: u32 = self.workers().map(|worker| worker.unclaimed(now)).sum();
        let idle = |worker: &(u32, &Worker)| worker.1.window.is_empty();
        let coming = self.sendable(Post::Ordinary, now).filter(idle).count();
        for _ in coming..waiting as usize {
            if self.fork_worker(Post::Ordinary, now).is_none() {
                break;
            }
        }
    }
}
