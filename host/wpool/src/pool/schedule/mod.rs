//! The schedule: which job goes to which worker, and when; what becomes of those that fail or are lost.
//!
//! It is pure: it neither reads nor writes, and is told what time it is. What is to be done it puts into a queue
//! of [`Request`]s and [`Notice`]s, what is to be handed on into the reorder buffer. It does not rely on answers
//! that come at once: what it has asked for and not heard of is a state.
//!
//! **Invariant (progress):** see [`progress`]. **Invariant (bound):** what is held is at most
//! `buffer_bytes_max`, and beyond it what one fill and one worker's window bring.

mod assign;
mod limit;
mod loss;
mod outcomes;
mod pending;
mod progress;
mod reorder;
mod sizing;
mod supply;
#[cfg(test)]
mod tests;
mod watch;
pub(crate) mod window;
mod worker;

pub(crate) use assign::Needs;
pub(crate) use outcomes::{Fate, hand_over, hand_over_run};
pub(crate) use worker::Killed;

use super::config::Config;
use super::crew::{Death, Request, later};
use super::error::PoolError;
use super::feed::{Intake, Notice, Stats};
use super::summary::End;
use limit::TimeLimit;
use pending::Pending;
use reorder::Reorder;
use sizing::Sizing;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};
use supply::Supply;
use worker::{Intent, Life, Post, Worker};

/// What is known of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// There may be more jobs at once.
    Open,
    /// There are no more jobs until its descriptor is readable.
    Blocked,
    /// There are no more jobs.
    Ended,
}

/// Where the run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Jobs are started.
    Running,
    /// No more jobs are started; those that run may finish, until a time if there is one.
    Draining(End, Option<Instant>),
    /// All workers have been killed.
    Killing(End),
}

/// What is to be done next, in this order.
#[derive(Debug)]
pub(crate) enum Action {
    /// By the crew.
    Ask(Request),
    /// The sink is to be told. (In a box, since it is long and rare.)
    Tell(Box<Notice>),
    /// The sink is to be told how many jobs run when no more are started.
    TellDraining { why: String },
}

/// The schedule of one run.
#[derive(Debug)]
pub(crate) struct Schedule {
    config: Config,
    /// By slot.
    workers: Vec<Option<Worker>>,
    pending: Pending,
    reorder: Reorder,
    sizing: Sizing,
    limit: TimeLimit,
    input: Input,
    /// Jobs that are still to come from the source, where that is known.
    remaining: Option<u64>,
    /// Jobs read so far, or skipped.
    numbered: u64,
    phase: Phase,
    /// Failed attempts at jobs that have no outcome yet.
    attempts: HashMap<u64, u32>,
    /// Workers that have ended before they began with a job, by the job.
    denials: HashMap<u64, u32>,
    /// Jobs to be given up wherever they turn up, and how.
    cancelled: HashMap<u64, Killed>,
    retried: u64,
    skipped: u64,
    started: Instant,
    last_look: Instant,
    supply: Supply,
    /// Workers in a row that ended before they were ready.
    failed_starts: u32,
    /// Zygotes lost in a row without a finished job between.
    zygotes_lost: u32,
    /// Whether another zygote loads the module: no worker can be had until it has.
    loading: bool,
    /// Bytes of the jobs in flight.
    in_flight: usize,
    /// Bytes that others hold for this run: the sink, and the crew.
    elsewhere: usize,
    /// Bytes that the sink holds.
    at_sink: usize,
    /// Whether claims have been asked for in this turn, to steal jobs.
    sampled: bool,
    /// Whether a worker has been refused in this turn.
    refused: bool,
    /// Whether an answer has come that may make more jobs ready to be sent.
    news: bool,
    actions: VecDeque<Action>,
    /// Leaves out the rule of progress, to show that tests find that.
    #[cfg(test)]
    pub(crate) without_progress: bool,
}

impl Schedule {
    /// Returns the schedule of a run that starts now.
    pub(crate) fn new(config: Config, now: Instant) -> Schedule {
        Schedule {
            workers: Vec::new(),
            pending: Pending::default(),
            reorder: Reorder::new(config.ordered),
            sizing: Sizing::new(config.batch_jobs_max),
            limit: TimeLimit::new(&config),
            input: Input::Open,
            remaining: None,
            numbered: 0,
            phase: Phase::Running,
            attempts: HashMap::new(),
            denials: HashMap::new(),
            cancelled: HashMap::new(),
            retried: 0,
            skipped: 0,
            started: now,
            last_look: now,
            supply: Supply::default(),
            failed_starts: 0,
            zygotes_lost: 0,
            loading: false,
            in_flight: 0,
            elsewhere: 0,
            at_sink: 0,
            sampled: false,
            refused: false,
            news: false,
            actions: VecDeque::new(),
            #[cfg(test)]
            without_progress: false,
            config,
        }
    }

    /// Takes out what is to be done next.
    #[inline]
    pub(crate) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Returns whether anything is to be done.
    pub(crate) fn has_actions(&self) -> bool {
        !self.actions.is_empty()
    }

    /// Returns where the run is.
    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// Returns what is known of the source.
    pub(crate) fn input(&self) -> Input {
        self.input
    }

    /// Takes note of the source: what may come of it, and of how many jobs that is known.
    pub(crate) fn set_input(&mut self, input: Input, remaining: Option<u64>) {
        (self.input, self.remaining) = (input, remaining);
    }

    /// Takes over what the source has added.
    pub(crate) fn refill(&mut self, intake: &mut Intake) {
        self.pending.refill(intake);
        self.numbered = intake.next_number();
        self.enter_settled(std::mem::take(&mut intake.settled));
    }

    /// Takes note of the bytes that sink and crew hold.
    #[inline]
    pub(crate) fn set_elsewhere(&mut self, sink: usize, crew: usize) {
        (self.at_sink, self.elsewhere) = (sink, sink + crew);
    }

    /// Returns whether there is nothing left to do, nor to wait for.
    pub(crate) fn is_over(&self) -> bool {
        let idle = self.workers().all(|worker| worker.window.is_empty());
        match self.phase {
            Phase::Running => idle && self.input == Input::Ended && self.pending.is_empty(),
            Phase::Draining(..) | Phase::Killing(_) => idle,
        }
    }

    /// Returns the slots of workers that are ready, with their process ids.
    pub(crate) fn ready(&self) -> impl Iterator<Item = (u32, i32)> {
        let up = |worker: &&(u32, &Worker)| worker.1.was_up;
        self.slots().filter(move |worker| up(&worker)).map(|(slot, worker)| (slot, worker.pid))
    }

    /// Returns a worker's process id; 0 while that is not known.
    pub(crate) fn pid(&self, slot: u32) -> i32 {
        self.worker(slot).map_or(0, |worker| worker.pid)
    }

    /// Returns whether a worker has been sent this job, which has no record yet.
    pub(crate) fn awaits(&self, slot: u32, job: u64) -> bool {
        self.worker(slot).is_some_and(|worker| worker.window.holding(job).is_some())
    }

    /// Returns the counts so far.
    pub(crate) fn stats(&self) -> Stats {
        let read = self.numbered - self.skipped;
        let alive = self.workers().filter(|worker| worker.life != Life::Lost);
        Stats {
            read,
            total: match self.input {
                Input::Ended => Some(read),
                _ => self.remaining.map(|left| read + left),
            },
            succeeded: self.reorder.succeeded,
            failed: self.reorder.failed,
            retried: self.retried,
            workers: alive.count() as u64,
            in_flight: self.workers().map(|worker| worker.window.unfinished()).sum(),
        }
    }

    /// Returns when something is to be done although nothing happens.
    pub(crate) fn next_timer(&mut self, now: Instant) -> Option<Instant> {
        let grace = match self.phase {
            Phase::Draining(_, until) => until,
            _ => None,
        };
        let timers = [
            grace,
            self.deadline(),
            self.next_look(),
            self.supply.wake(now),
            self.pending.wake(now),
        ];
        timers.into_iter().flatten().min()
    }

    /// Returns when the whole run must have ended.
    fn deadline(&self) -> Option<Instant> {
        self.config.deadline.and_then(|deadline| self.started.checked_add(deadline))
    }

    /// Does what is due.
    pub(crate) fn tick(&mut self, now: Instant) {
        if self.deadline().is_some_and(|deadline| now >= deadline)
            && !matches!(self.phase, Phase::Killing(_))
        {
            self.kill_all(End::Deadline, "the deadline passed");
        }
        if let Phase::Draining(end, Some(until)) = self.phase
            && now >= until
        {
            self.kill_all(end, "the time to finish passed");
        }
        self.look(now);
    }

    /// Takes note that all clocks stood for a time.
    pub(crate) fn stood(&mut self, time: Duration) {
        later(&mut self.last_look, time);
        self.workers.iter_mut().flatten().for_each(|worker| worker.stood(time));
    }

    fn ask(&mut self, request: Request) {
        self.actions.push_back(Action::Ask(request));
    }

    fn tell(&mut self, notice: Notice) {
        self.actions.push_back(Action::Tell(Box::new(notice)));
    }

    fn workers(&self) -> impl Iterator<Item = &Worker> {
        self.workers.iter().flatten()
    }

    /// The workers with their slots.
    fn slots(&self) -> impl Iterator<Item = (u32, &Worker)> {
        let slots = self.workers.iter().enumerate();
        slots.filter_map(|(slot, worker)| Some((slot as u32, worker.as_ref()?)))
    }

    fn worker(&self, slot: u32) -> Option<&Worker> {
        self.workers.get(slot as usize)?.as_ref()
    }

    fn worker_mut(&mut self, slot: u32) -> Option<&mut Worker> {
        self.workers.get_mut(slot as usize)?.as_mut()
    }

    /// Kills a worker, and tells so the first time. What it has committed still counts.
    fn kill(&mut self, slot: u32, why: Killed) {
        let Some(worker) = self.worker_mut(slot) else { return };
        let signal = why.signal();
        let notice = Notice::WorkerKilled { slot, pid: worker.pid, why: why.failure() };
        if !matches!(worker.intent, Intent::Kill(_)) {
            worker.intent = Intent::Kill(why);
            self.tell(notice);
        }
        self.ask(Request::Kill { slot, signal });
    }
}
