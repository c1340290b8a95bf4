//! The schedule: decides which job goes to which worker, and when; and what becomes of jobs that
//! fail or are lost.
//!
//! The schedule is pure: it neither reads nor writes, and is told the time. It puts what is to be
//! done into a queue of [`Request`]s and [`Notice`]s, and outcomes to be handed on into the reorder
//! buffer. It does not rely on answers that come at once: a request without an answer yet is a
//! state.
//!
//! **Invariant (progress):** see [`progress`]. **Invariant (bound):** at most `buffer_bytes_max`
//! bytes are held, plus what one fill and one worker's window bring.

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
use super::feed::{InputQueue, Notice, Stats};
use super::summary::End;
use limit::TimeLimit;
use pending::Pending;
use reorder::Reorder;
use sizing::Sizing;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};
use supply::Supply;
use worker::{Intent, Life, Post, Worker};

/// The state of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The source may have more jobs at once.
    Open,
    /// The source has no more jobs until its descriptor is readable.
    Blocked,
    /// The source has no more jobs.
    Ended,
}

/// The phase of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Jobs are started.
    Running,
    /// No more jobs are started; the running ones may finish, until this time if there is one.
    Draining(End, Option<Instant>),
    /// The workers have all been killed.
    Killing(End),
}

/// An action that is to be carried out. Actions are carried out in order.
#[derive(Debug)]
pub(crate) enum Action {
    /// The crew has to carry out a request.
    Ask(Request),
    /// The sink has to be told. (The notice is in a box because it is large and rare.)
    Tell(Box<Notice>),
    /// The sink has to be told how many jobs are still running, because no more are started.
    TellDraining { why: String },
}

/// The schedule of one run.
#[derive(Debug)]
pub(crate) struct Schedule {
    config: Config,
    /// The workers, by slot.
    workers: Vec<Option<Worker>>,
    pending: Pending,
    reorder: Reorder,
    sizing: Sizing,
    limit: TimeLimit,
    input: Input,
    /// The number of jobs still to come from the source, if known.
    remaining: Option<u64>,
    /// The number of jobs read or skipped so far.
    numbered: u64,
    phase: Phase,
    /// The number of failed attempts at each job that has no outcome yet.
    attempts: HashMap<u64, u32>,
    /// The number of workers that have ended before they began a job, by the job.
    denials: HashMap<u64, u32>,
    /// The jobs to be given up wherever they turn up, each with the way in which to end it.
    cancelled: HashMap<u64, Killed>,
    retried: u64,
    skipped: u64,
    started: Instant,
    last_look: Instant,
    supply: Supply,
    /// The number of workers in a row that ended before they were ready.
    failed_starts: u32,
    /// The number of zygotes lost in a row without a finished job in between.
    zygotes_lost: u32,
    /// True while another zygote loads the module; no worker can be forked until it has.
    loading: bool,
    /// The number of bytes of the jobs in flight.
    in_flight: usize,
    /// The number of bytes that the sink and the crew hold for this run.
    elsewhere: usize,
    /// The number of bytes that the sink holds.
    at_sink: usize,
    /// True if claims have been requested in this turn, to steal jobs.
    sampled: bool,
    /// True if a worker has been refused in this turn.
    refused: bool,
    /// True if an answer has come that may let more jobs be sent.
    news: bool,
    actions: VecDeque<Action>,
    /// True if the rule of progress is turned off, to show that tests notice its absence.
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

    /// Removes and returns the next action.
    #[inline]
    pub(crate) fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Returns whether there are actions to be carried out.
    pub(crate) fn has_actions(&self) -> bool {
        !self.actions.is_empty()
    }

    /// Returns the phase of the run.
    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// Returns the state of the source.
    pub(crate) fn input(&self) -> Input {
        self.input
    }

    /// Notes the state of the source, and the number of jobs still to come if known.
    pub(crate) fn set_input(&mut self, input: Input, remaining: Option<u64>) {
        (self.input, self.remaining) = (input, remaining);
    }

    /// Takes over the jobs that the source has added.
    pub(crate) fn refill(&mut self, inputs: &mut InputQueue) {
        self.pending.refill(inputs);
        self.numbered = inputs.next_number();
        self.enter_settled(std::mem::take(&mut inputs.settled));
    }

    /// Notes the number of bytes that the sink and the crew hold.
    #[inline]
    pub(crate) fn set_elsewhere(&mut self, sink: usize, crew: usize) {
        (self.at_sink, self.elsewhere) = (sink, sink + crew);
    }

    /// Returns whether there is nothing left to do or to wait for.
    pub(crate) fn is_over(&self) -> bool {
        let idle = self.workers().all(|worker| worker.window.is_empty());
        match self.phase {
            Phase::Running => idle && self.input == Input::Ended && self.pending.is_empty(),
            Phase::Draining(..) | Phase::Killing(_) => idle,
        }
    }

    /// Returns the slots of the workers that are ready, with their process ids.
    pub(crate) fn ready(&self) -> impl Iterator<Item = (u32, i32)> {
        let up = |worker: &&(u32, &Worker)| worker.1.was_up;
        self.slots().filter(move |worker| up(&worker)).map(|(slot, worker)| (slot, worker.pid))
    }

    /// Returns a worker's process id; 0 while it is unknown.
    pub(crate) fn pid(&self, slot: u32) -> i32 {
        self.worker(slot).map_or(0, |worker| worker.pid)
    }

    /// Returns whether a worker has been sent this job and the job has no record yet.
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

    /// Returns the time at which something is due even if no event arrives.
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

    /// Returns the time at which the whole run must have ended.
    fn deadline(&self) -> Option<Instant> {
        self.config.deadline.and_then(|deadline| self.started.checked_add(deadline))
    }

    /// Does what is due now.
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

    /// Notes that all clocks stood still for a time.
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

    /// Returns the workers with their slots.
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

    /// Kills a worker, and reports it the first time. What the worker has committed still counts.
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
