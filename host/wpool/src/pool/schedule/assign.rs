//! Which job goes to which worker, and when: workers are asked for, batches sent, jobs stolen.

use super::progress::{self, Awaited, Readers};
use super::sizing::BATCH_BYTES_MAX;
use super::window::{BATCHES_MAX, Batch};
use super::*;
use crate::wire::frame::Entries;
use crate::wire::settings::PauseAfter;

/// Bytes of jobs asked for at once.
const FILL_BYTES: usize = 256 << 10;

/// Most workers asked for and not yet heard of: so many answers fit into the control socket.
const FORKS_PENDING_MAX: usize = 32;

/// How many batches each worker may be ahead of one that has just been held up.
const BATCHES_AHEAD: usize = 3;

/// How long a batch counts as just held up.
const MOMENT: Duration = Duration::from_millis(20);

/// What [`Schedule::assign`] needs to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Jobs of the source, of about so many bytes.
    Jobs(usize),
    /// Something that happens.
    Events,
}

impl Schedule {
    /// Begins a turn: what was refused or looked at in the last one may be asked for again.
    pub(crate) fn begin_turn(&mut self, now: Instant) {
        (self.sampled, self.refused, self.news) = (false, false, true);
        self.pending.wake(now);
        self.workers.iter_mut().flatten().for_each(|worker| worker.asked_back = false);
    }

    /// Gives out as many jobs as workers, memory and the source allow.
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

    /// Returns whether an answer has come since jobs were given out that may make more ready to be sent.
    pub(crate) fn has_news(&self) -> bool {
        self.news && self.phase == Phase::Running
    }

    /// The source has nothing now, although it is not blocked.
    pub(crate) fn assign_without_source(&mut self, now: Instant) {
        if self.phase == Phase::Running && !self.is_tight() && self.pending.count() == 0 {
            self.steal(now);
        }
    }

    /// Returns bytes held: inputs of unfinished jobs, and outcomes not yet handed on.
    pub(crate) fn held(&self) -> usize {
        self.in_flight + self.pending.bytes() + self.reorder.held() + self.elsewhere
    }

    /// Returns whether so much is held that only the job that all others wait for may go on.
    pub(crate) fn is_tight(&self) -> bool {
        self.held() >= self.config.buffer_bytes_max
    }

    /// Returns whether outcomes of several batches wait for a batch that will be there in a moment: its worker
    /// has lost its CPU for a while. That it gets it back needs fewer busy workers, not more results
    /// to keep. A batch that takes longer holds up nobody.
    fn is_far_ahead(&self, now: Instant) -> bool {
        if self.reorder.waiting() < BATCHES_AHEAD * self.config.workers {
            return false;
        }
        let Some(awaited) = self.reorder.awaited() else { return false };
        let batch = self.workers().find_map(|worker| worker.window.holding(awaited));
        batch.is_some_and(|batch: &Batch| now.saturating_duration_since(batch.sent) < MOMENT)
    }

    /// Returns whether a worker could start with a job at once, or one more may be had for it.
    fn has_idle(&self, now: Instant) -> bool {
        let ordinary = |worker: &&Worker| worker.is_serving() && worker.post == Post::Ordinary;
        let alive = self.workers().filter(ordinary).count();
        alive < self.supply.most(self.config.workers, now)
            || self.idle(Post::Ordinary, now).is_some()
    }

    /// Picks the worker to send to: an idle one, or a new one, or one that has a batch already.
    fn pick_worker(&mut self, now: Instant) -> Option<u32> {
        self.idle(Post::Ordinary, now)
            .or_else(|| self.fork_worker(Post::Ordinary, now))
            .or_else(|| self.sendable(Post::Ordinary, now).next().map(|(slot, _)| slot))
    }

    /// Returns the workers at a post that can be sent a batch.
    fn sendable(&self, post: Post, now: Instant) -> impl Iterator<Item = (u32, &Worker)> {
        let limit = self.config.jobs_per_worker_max.unwrap_or(u64::MAX);
        // Nothing is sent ahead to a worker that is to wait until its last job has been heard of.
        let ahead = self.config.settings.pause == PauseAfter::Nothing && !self.config.paced;
        let batches = if ahead { BATCHES_MAX } else { 1 };
        self.slots().filter(move |(_, worker)| {
            let has_room = worker.has_room(batches, now) && worker.window.jobs_sent < limit;
            worker.post == post && has_room
        })
    }

    /// Returns a worker at a post that has nothing to do.
    fn idle(&self, post: Post, now: Instant) -> Option<u32> {
        let mut sendable = self.sendable(post, now);
        sendable.find(|(_, worker)| worker.window.is_empty()).map(|(slot, _)| slot)
    }

    /// Asks for one more worker, unless there are enough; answers with its slot.
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

    /// Sends a batch of at most `most` pending jobs, of which there are some.
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

    /// Memory is short: sends only the job that all outcomes held wait for. If every worker is busy
    /// (waiting, perhaps, for its results to be read), one more is asked for.
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

    /// Has the records of all workers heard, or, while memory is short, of those that
    /// [`progress::readers`] names.
    pub(crate) fn choose_readers(&mut self) {
        if self.phase != Phase::Running {
            // Outcomes wait for jobs in flight only: no others will have any.
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
            // Its clock stood while it might have waited for its records to be heard.
            worker.seen = None;
            self.ask(Request::Hear { slot, on });
        }
    }

    fn readers(&self) -> Readers {
        // A run that is asked to end takes what running jobs bring, though nobody takes it from the sink.
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

    /// Tells where the job is that all outcomes held wait for.
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

    /// Returns whether the rule of progress is kept, as it always is but in a test.
    fn keeps_progress(&self) -> bool {
        #[cfg(test)]
        return !self.without_progress;
        #[cfg(not(test))]
        true
    }

    /// There is nothing left to send: gives idle workers half of what the busiest has not started.
    fn steal(&mut self, now: Instant) {
        let idle =
            |(_, worker): &(u32, &Worker)| worker.window.is_empty() && worker.life == Life::Up;
        let has_thief = self.sendable(Post::Ordinary, now).any(|worker| idle(&worker));
        if !self.sampled {
            self.sampled = true;
            let busy = self.slots().filter(|(_, worker)| !worker.window.is_empty());
            let busy: Vec<u32> = busy.map(|(slot, _)| slot).collect();
            // Where nobody could have them, nobody is asked.
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

    /// Returns whether there may be more workers.
    fn may_fork(&self, now: Instant) -> bool {
        let alive = self.workers().filter(|worker| worker.is_serving()).count();
        alive < self.supply.most(self.config.workers, now) && !self.loading
    }

    /// Asks for workers for jobs that wait behind others' running ones, as far as there may be more.
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
