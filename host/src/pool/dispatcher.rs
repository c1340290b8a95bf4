//! The dispatcher: owns the truth about jobs and workers.
//!
//! One struct, one loop over epoll, one match over events. It trusts nothing that a worker can write.
//! The parts of its work have a file each: [`super::sending`], [`super::receiving`],
//! [`super::outcomes`], [`super::ending`] and [`super::watching`].

use super::backlog::Backlog;
use super::config::Config;
use super::error::PoolError;
use super::events::{Events, Token};
use super::feed::{Command, Commands, Intake, Sink, Source, Stats};
use super::handle::{Killed, WorkerHandle};
use super::ledger::Ledger;
use super::limit::TimeLimit;
use super::pace::Pace;
use super::session::Session;
use super::summary::{End, Summary};
use super::supply::Supply;
use crate::wire::clock::after;
use crate::wire::spin::Spin;
use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// Bytes of outcomes after which they are handed on even while there is more to do.
const FLUSH_BYTES: usize = 64 << 10;

/// Time between two calls of [`Sink::progress`].
const PROGRESS: Duration = Duration::from_millis(200);

/// How long a run that was asked to end waits for an output whose reader takes nothing.
const OUTPUT_WAIT: Duration = Duration::from_secs(10);

/// How long it does so once its workers have been killed.
const OUTPUT_LAST_WAIT: Duration = Duration::from_secs(1);

/// What is known of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// There may be more jobs at once.
    Open,
    /// There are no more jobs until its descriptor is readable.
    Blocked,
    /// There are no more jobs.
    Ended,
}

/// Where the run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Jobs are started.
    Running,
    /// No more jobs are started; those that run may finish, until a time if there is one.
    Draining(End, Option<Instant>),
    /// All workers have been killed.
    Killing(End),
}

/// The dispatcher of one run.
pub(super) struct Dispatcher<'a> {
    pub(super) session: &'a mut Session,
    pub(super) config: Config,
    pub(super) source: &'a mut dyn Source,
    pub(super) sink: &'a mut dyn Sink,
    pub(super) commands: &'a mut dyn Commands,
    pub(super) events: Events,
    /// By slot.
    pub(super) workers: Vec<Option<WorkerHandle>>,
    /// How often each slot was used.
    pub(super) epochs: Vec<u64>,
    pub(super) intake: Intake,
    pub(super) backlog: Backlog,
    pub(super) ledger: Ledger,
    pub(super) pace: Pace,
    pub(super) limit: TimeLimit,
    pub(super) input: Input,
    pub(super) phase: Phase,
    /// Failed attempts at jobs that have no outcome yet.
    pub(super) attempts: HashMap<u64, u32>,
    /// Jobs to be given up wherever they turn up.
    pub(super) cancelled: HashSet<u64>,
    pub(super) retried: u64,
    pub(super) skipped: u64,
    pub(super) started: Instant,
    pub(super) last_sample: Instant,
    last_progress: Instant,
    spin: Spin,
    /// Whether the source has more work to do before it has a job.
    pub(super) unfilled: bool,
    /// What the sink waits for, while it cannot take more.
    sink_blocked: Option<OwnedFd>,
    /// Workers in a row that ended before they were ready.
    pub(super) false_starts: u32,
    /// Zygotes lost in a row without a finished job between.
    pub(super) zygotes_lost: u32,
    /// How many workers the system gives.
    pub(super) supply: Supply,
    /// Why the run is given up, once it is.
    failed: Option<PoolError>,
    /// Whether every job has its outcome, and only the output is waited for.
    complete: bool,
    /// Since when the sink has passed nothing on, with nothing else left to do, and what it held then.
    output_stood: Option<(Instant, usize)>,
}

impl<'a> Dispatcher<'a> {
    /// A dispatcher for one run of a loaded module.
    ///
    /// # Errors
    /// No descriptors.
    pub(super) fn new(
        session: &'a mut Session,
        config: Config,
        source: &'a mut dyn Source,
        sink: &'a mut dyn Sink,
        commands: &'a mut dyn Commands,
    ) -> Result<Self, PoolError> {
        let events = Events::new().map_err(|error| PoolError::setup("wait for events", error))?;
        let now = Instant::now();
        Ok(Dispatcher {
            session,
            source,
            sink,
            commands,
            events,
            workers: Vec::new(),
            epochs: Vec::new(),
            intake: Intake::default(),
            backlog: Backlog::default(),
            ledger: Ledger::new(config.ordered),
            pace: Pace::new(config.batch_jobs_max),
            limit: TimeLimit::new(&config),
            input: Input::Open,
            phase: Phase::Running,
            attempts: HashMap::new(),
            cancelled: HashSet::new(),
            retried: 0,
            skipped: 0,
            started: now,
            last_sample: now,
            last_progress: now,
            spin: Spin::default(),
            unfilled: false,
            sink_blocked: None,
            false_starts: 0,
            zygotes_lost: 0,
            supply: Supply::default(),
            failed: None,
            complete: false,
            output_stood: None,
            config,
        })
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub(super) fn run(mut self) -> Result<Summary, PoolError> {
        let served = self.serve();
        let stats = self.stats();
        self.sink.progress(&stats);
        self.end_workers();
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        served.map(|()| self.summary(stats))
    }

    fn serve(&mut self) -> Result<(), PoolError> {
        self.watch(Token::Zygote)?;
        self.watch(Token::Commands)?;
        let mut tokens = Vec::new();
        loop {
            match self.turn(&mut tokens) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => self.give_up(error)?,
            }
        }
    }

    /// Does what can be done, waits for the next events, and handles them. Answers with whether the run is
    /// over.
    fn turn(&mut self, tokens: &mut Vec<Token>) -> Result<bool, PoolError> {
        self.send_jobs()?;
        if self.is_over() && self.is_handed_over()? {
            return Ok(true);
        }
        self.choose_readers()?;
        tokens.clear();
        self.wait(tokens)?;
        for &token in tokens.iter() {
            self.handle(token)?;
            self.halt_if_met()?;
        }
        self.tick(Instant::now())?;
        self.halt_if_met()?;
        Ok(false)
    }

    /// The run cannot go on. What is finished is handed over all the same, unless the output is what failed.
    fn give_up(&mut self, error: PoolError) -> Result<(), PoolError> {
        if self.failed.is_some() || matches!(error, PoolError::Output(_)) {
            return Err(error);
        }
        let input = matches!(error, PoolError::Input(_));
        self.failed = Some(error);
        if input {
            // The jobs that could be read are run.
            self.forget_source();
            self.input = Input::Ended;
            return Ok(());
        }
        self.kill_all(End::Killed, "the run is given up")
    }

    fn watch(&self, token: Token) -> Result<(), PoolError> {
        let watched = match token {
            Token::Zygote => self.events.watch_readable(self.session.zygote.as_fd(), token),
            _ => match self.commands.fd() {
                Some(fd) => self.events.watch_readable(fd, token),
                None => Ok(true),
            },
        };
        watched.map(|_| ()).map_err(|error| PoolError::setup("wait for events", error))
    }

    fn handle(&mut self, token: Token) -> Result<(), PoolError> {
        match token {
            Token::Results(slot) => self.read_results(slot),
            Token::Jobs(slot) => self.write_jobs(slot),
            Token::Ended(slot) => self.worker_ended(slot),
            Token::Zygote => self.hear_zygote(),
            Token::Source => {
                self.forget_source();
                self.input = Input::Open;
                Ok(())
            }
            Token::Sink => self.flush(),
            Token::Commands => self.obey(),
        }
    }

    /// Stops waiting for the source.
    pub(super) fn forget_source(&mut self) {
        if let Some(fd) = self.source.fd() {
            self.events.forget(fd);
        }
    }

    /// Waits for the next events. Outcomes are handed on before it sleeps, and when there are many.
    fn wait(&mut self, tokens: &mut Vec<Token>) -> Result<(), PoolError> {
        let lost = |error| PoolError::setup("wait for events", error);
        if self.sink.held() < FLUSH_BYTES {
            self.look_for_events(tokens).map_err(lost)?;
        }
        let due = tokens.is_empty() || self.sink.held() >= FLUSH_BYTES;
        if due && self.sink.held() > 0 && self.sink_blocked.is_none() {
            self.flush()?;
        }
        if !tokens.is_empty() {
            return Ok(());
        }
        let timeout = match self.unfilled && self.phase == Phase::Running {
            true => Duration::ZERO,
            false => self.next_timer().saturating_duration_since(Instant::now()),
        };
        self.events.wait(Some(timeout), tokens).map_err(lost)
    }

    /// Looks for events without sleeping.
    fn look_for_events(&mut self, tokens: &mut Vec<Token>) -> io::Result<()> {
        self.events.wait(Some(Duration::ZERO), tokens)?;
        if !tokens.is_empty() || self.unfilled {
            return Ok(());
        }
        let mut result = Ok(());
        let events = &mut self.events;
        self.spin.until(|| {
            result = events.wait(Some(Duration::ZERO), tokens);
            result.is_err() || !tokens.is_empty()
        });
        result
    }

    /// Hands outcomes on; if the sink cannot take them now, waits for it.
    fn flush(&mut self) -> Result<(), PoolError> {
        let lost = |error| PoolError::setup("wait for the output", error);
        if let Some(watched) = self.sink_blocked.take() {
            self.events.forget(&watched);
        }
        if self.sink.flush().map_err(PoolError::Output)? {
            return Ok(());
        }
        // A copy, because what the sink waits for next may be another descriptor.
        if let Some(fd) = self.sink.fd() {
            let watched = fd.try_clone_to_owned().map_err(lost)?;
            self.events.watch_writable(&watched, Token::Sink).map_err(lost)?;
            self.sink_blocked = Some(watched);
        }
        Ok(())
    }

    /// Whether there is nothing left to do or to wait for.
    fn is_over(&self) -> bool {
        let idle = self.workers.iter().flatten().all(|worker| worker.in_flight.is_empty());
        match self.phase {
            Phase::Running => idle && self.input == Input::Ended && self.backlog.is_empty(),
            Phase::Draining(..) | Phase::Killing(_) => idle,
        }
    }

    /// When something is to be done although nothing happens.
    fn next_timer(&mut self) -> Instant {
        let now = Instant::now();
        let mut next = self.last_progress + PROGRESS;
        let mut sooner = |when: Instant| next = next.min(when);
        if let Some(when) = self.next_sample() {
            sooner(when);
        }
        let grace = match self.phase {
            Phase::Draining(_, until) => until,
            _ => None,
        };
        let restarted = self.session.loading_until();
        let others = [self.deadline(), grace, self.output_patience(), restarted];
        others.into_iter().flatten().chain(self.supply.wake(now)).for_each(&mut sooner);
        if let Some(when) = self.next_status_timeout() {
            sooner(when);
        }
        if let Some(when) = self.next_burial(now) {
            sooner(when);
        }
        if let Some(when) = self.backlog.wake(now) {
            sooner(when);
        }
        next
    }

    /// When the whole run must have ended.
    fn deadline(&self) -> Option<Instant> {
        self.config.deadline.and_then(|deadline| self.started.checked_add(deadline))
    }

    /// Does what is due.
    fn tick(&mut self, now: Instant) -> Result<(), PoolError> {
        if self.deadline().is_some_and(|deadline| now >= deadline)
            && !matches!(self.phase, Phase::Killing(_))
        {
            self.kill_all(End::Deadline, "the deadline passed")?;
        }
        if let Phase::Draining(end, Some(until)) = self.phase
            && now >= until
        {
            self.kill_all(end, "the time to finish passed")?;
        }
        self.sample(now)?;
        self.give_up_waiting(now)?;
        self.bury_gone();
        if now >= self.last_progress + PROGRESS {
            self.last_progress = now;
            self.sweep_again(now);
            let stats = self.stats();
            self.sink.progress(&stats);
        }
        Ok(())
    }

    /// The counts so far.
    pub(super) fn stats(&self) -> Stats {
        let known = self.intake.next_number() - self.skipped;
        let mut stats = Stats {
            read: known,
            total: match self.input {
                Input::Ended => Some(known),
                _ => self.source.remaining().map(|left| known + left),
            },
            retried: self.retried,
            workers: self.workers.iter().flatten().filter(|worker| worker.ended.is_none()).count()
                as u64,
            in_flight: self.workers.iter().flatten().map(WorkerHandle::jobs_in_flight).sum(),
            ..Stats::default()
        };
        self.ledger.count(&mut stats);
        stats
    }

    fn obey(&mut self) -> Result<(), PoolError> {
        while let Some(command) = self.commands.next() {
            match command {
                Command::Drain => self.drain(End::Drained, None, "asked to")?,
                Command::DrainFor(grace) => {
                    self.drain(End::Drained, Some(after(Instant::now(), grace)), "asked to")?;
                }
                Command::Kill => self.kill_all(End::Killed, "asked to")?,
                Command::Cancel(job) => self.cancel(job, Killed::Cancelled(String::new()))?,
                Command::Terminate(job) => self.cancel(job, Killed::Terminated)?,
                Command::Pause => self.pause(),
                Command::Resume => self.resume(),
                Command::Report => self.report(),
            }
        }
        Ok(())
    }

    /// Hands over all that is left; answers with whether the sink has passed it on, or nobody waits for that
    /// any more.
    fn is_handed_over(&mut self) -> Result<bool, PoolError> {
        self.complete |= self.phase == Phase::Running;
        self.ledger.skip_to(u64::MAX, self.sink).map_err(PoolError::Output)?;
        if self.sink_blocked.is_none() {
            self.flush()?;
        }
        if self.sink_blocked.is_none() {
            return Ok(true);
        }
        let (now, held) = (Instant::now(), self.sink.held());
        if self.output_stood.is_none_or(|(_, before)| held < before) {
            self.output_stood = Some((now, held));
        }
        Ok(self.output_patience().is_some_and(|until| now >= until))
    }

    /// Until when a run that was asked to end waits for its output, unless something is taken of it.
    fn output_patience(&self) -> Option<Instant> {
        let (since, _) = self.output_stood?;
        match self.phase {
            Phase::Running => None,
            Phase::Draining(..) => Some(since + OUTPUT_WAIT),
            Phase::Killing(_) => Some(since + OUTPUT_LAST_WAIT),
        }
    }

    fn summary(&self, stats: Stats) -> Summary {
        let undelivered = if self.sink_blocked.is_some() { self.sink.held() } else { 0 };
        let end = match self.phase {
            Phase::Running => End::Complete,
            _ if self.complete && undelivered == 0 => End::Complete,
            Phase::Draining(end, _) | Phase::Killing(end) => end,
        };
        Summary { end, stats, input_exhausted: self.input == Input::Ended, undelivered }
    }
}
