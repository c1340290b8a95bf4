//! The dispatcher: owns the truth about jobs and workers.
//!
//! The dispatcher is one loop with one match over events. The [schedule](super::schedule) decides
//! what is to be done, and the [crew](super::crew) does it; the source, the sink and the commands
//! are supplied by the caller. Nothing in the loop blocks.

use super::config::Config;
use super::core::Core;
use super::crew::{Crew, Outside};
use super::error::PoolError;
use super::feed::{Command, Commands, Fill, InputQueue, Notice, Sink, Source, Stats};
use super::schedule::{Input, Killed, Needs, Phase, Schedule};
use super::summary::{End, Summary};
use crate::wire::clock::after;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// The number of bytes of outcomes at which outcomes are handed on even while there is more to do.
const FLUSH_BYTES: usize = 64 << 10;

/// The time between two calls of [`Sink::progress`].
const PROGRESS: Duration = Duration::from_millis(200);

/// The time for which a run that was asked to end waits for an output whose reader takes nothing.
const OUTPUT_WAIT: Duration = Duration::from_secs(10);

/// The time for which such a run waits once its workers have been killed.
const OUTPUT_LAST_WAIT: Duration = Duration::from_secs(1);

/// The dispatcher of one run.
pub(super) struct Dispatcher<'a, C: Crew> {
    crew: C,
    core: Core<'a>,
    source: &'a mut dyn Source,
    commands: &'a mut dyn Commands,
    inputs: InputQueue,
    last_progress: Instant,
    /// True if the source has more work to do before it has a job.
    unfilled: bool,
    /// The descriptor that the sink waits for, while the sink cannot take more.
    sink_blocked: Option<OwnedFd>,
    /// The reason why the run is given up, once it is.
    failed: Option<PoolError>,
    /// True if every job has its outcome and only the output is still awaited.
    complete: bool,
    /// The time since which the sink has passed nothing on, and the bytes that it held then. Set
    /// only when nothing else is left to do.
    output_stood: Option<(Instant, usize)>,
}

impl<'a, C: Crew> Dispatcher<'a, C> {
    /// Returns the dispatcher of one run by a crew.
    pub(super) fn new(
        crew: C,
        config: Config,
        source: &'a mut dyn Source,
        sink: &'a mut dyn Sink,
        commands: &'a mut dyn Commands,
    ) -> Self {
        let now = crew.now();
        Dispatcher {
            core: Core::new(config, sink, now),
            crew,
            source,
            commands,
            inputs: InputQueue::default(),
            last_progress: now,
            unfilled: false,
            sink_blocked: None,
            failed: None,
            complete: false,
            output_stood: None,
        }
    }

    /// Runs until the run is over.
    ///
    /// # Errors
    /// Returns the same errors as [`Session::run`](super::session::Session::run).
    pub(super) fn run(mut self) -> Result<Summary, PoolError> {
        let served = self.serve();
        self.finish(served)
    }

    /// Ends the crew, and returns how the run ended.
    fn finish(mut self, served: Result<(), PoolError>) -> Result<Summary, PoolError> {
        let stats = self.schedule().stats();
        self.core.sink.progress(&stats);
        let ended: Vec<_> = self.schedule().ready().collect();
        self.crew.end();
        for (slot, pid) in ended {
            let how = "the run is over".into();
            self.core.sink.notice(Notice::WorkerEnded { slot, pid, how, lost: false });
        }
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        served.map(|()| self.summary(stats))
    }

    fn schedule(&mut self) -> &mut Schedule {
        &mut self.core.schedule
    }

    fn serve(&mut self) -> Result<(), PoolError> {
        if let Some(fd) = self.commands.fd() {
            self.crew.watch(fd, Outside::Commands)?;
        }
        let mut tokens = Vec::new();
        loop {
            match self.turn(&mut tokens) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => self.give_up(error)?,
            }
        }
    }

    /// Turns off the rule that the run must make progress.
    #[cfg(test)]
    pub(super) fn without_progress(mut self) -> Self {
        self.core.schedule.without_progress = true;
        self
    }

    /// Runs like [`Dispatcher::run`], but checks the schedule after each turn. Returns `None` if
    /// the run does not end within `time` or within `turns` turns.
    #[cfg(test)]
    pub(super) fn run_checked(
        mut self,
        time: Duration,
        turns: u64,
        mut check: impl FnMut(&Schedule, &C),
    ) -> Option<Result<Summary, PoolError>> {
        let (mut tokens, end) = (Vec::new(), self.crew.now() + time);
        for _ in 0..turns {
            let turn = self.turn(&mut tokens);
            check(&self.core.schedule, &self.crew);
            let served = match turn {
                Ok(true) => Ok(()),
                Ok(false) if self.crew.now() > end => return None,
                Ok(false) => continue,
                Err(error) => match self.give_up(error) {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                },
            };
            return Some(self.finish(served));
        }
        None
    }

    /// Does what can be done, waits for the next events, and handles them. Returns whether the run
    /// is over.
    fn turn(&mut self, tokens: &mut Vec<C::Token>) -> Result<bool, PoolError> {
        self.assign()?;
        if self.schedule().is_over() && self.is_handed_over()? {
            return Ok(true);
        }
        self.schedule().choose_readers();
        self.perform()?;
        tokens.clear();
        self.wait(tokens)?;
        self.core.now = self.crew.now();
        for &token in tokens.iter() {
            self.handle(token)?;
            self.perform()?;
        }
        self.tick()?;
        Ok(false)
    }

    /// Assigns as many jobs as workers, memory and the source allow.
    fn assign(&mut self) -> Result<(), PoolError> {
        let now = self.core.now;
        self.unfilled = false;
        self.schedule().begin_turn(now);
        loop {
            let (sink, crew) = (self.core.sink.held(), self.crew.held());
            self.schedule().set_elsewhere(sink, crew);
            match self.schedule().assign(now) {
                Needs::Jobs(room) if !self.unfilled => {
                    self.perform()?;
                    self.fill(room)?;
                    continue;
                }
                // The source is still working on a long job, so others have their turn first.
                Needs::Jobs(_) => self.schedule().assign_without_source(now),
                Needs::Events => {}
            }
            self.perform()?;
            if !self.schedule().has_news() {
                return Ok(());
            }
        }
    }

    /// Reads jobs from the source.
    fn fill(&mut self, room: usize) -> Result<(), PoolError> {
        let fill = self.source.fill(&mut self.inputs, room).map_err(PoolError::Input)?;
        let input = match fill {
            Fill::More => Input::Open,
            Fill::Blocked => {
                if let Some(fd) = self.source.fd() {
                    self.crew.watch(fd, Outside::Source)?;
                }
                Input::Blocked
            }
            Fill::End => Input::Ended,
        };
        self.unfilled = input == Input::Open && self.inputs.bytes() == 0;
        let remaining = self.source.remaining();
        self.core.schedule.set_input(input, remaining);
        self.core.schedule.refill(&mut self.inputs);
        self.core.hand_over_due()
    }

    /// Carries out what the schedule asks for, including what it asks for in reply to the answers.
    fn perform(&mut self) -> Result<(), PoolError> {
        loop {
            while let Some(request) = self.core.next_request() {
                self.crew.carry_out(request, &mut self.core)?;
            }
            self.schedule().halt_if_met();
            if !self.schedule().has_actions() {
                return self.core.hand_over_due();
            }
        }
    }

    /// Gives up a run that cannot go on. Finished jobs are still handed over, unless the output
    /// itself failed.
    fn give_up(&mut self, error: PoolError) -> Result<(), PoolError> {
        if self.failed.is_some() || matches!(error, PoolError::Output(_)) {
            return Err(error);
        }
        let input = matches!(error, PoolError::Input(_));
        self.failed = Some(error);
        if input {
            // The jobs that could be read are still run.
            self.forget_source();
            self.schedule().set_input(Input::Ended, None);
            return Ok(());
        }
        self.schedule().kill_all(End::Killed, "the run is given up");
        self.perform()
    }

    fn handle(&mut self, token: C::Token) -> Result<(), PoolError> {
        match self.crew.handle(token, &mut self.core)? {
            None => Ok(()),
            Some(Outside::Source) => {
                self.forget_source();
                let remaining = self.source.remaining();
                self.schedule().set_input(Input::Open, remaining);
                Ok(())
            }
            Some(Outside::Sink) => self.flush(),
            Some(Outside::Commands) => self.obey(),
        }
    }

    /// Stops waiting for the source.
    fn forget_source(&mut self) {
        if let Some(fd) = self.source.fd() {
            self.crew.forget(fd);
        }
    }

    /// Waits for the next events. Outcomes are handed on before the dispatcher sleeps, and when
    /// there are many.
    fn wait(&mut self, tokens: &mut Vec<C::Token>) -> Result<(), PoolError> {
        let idle = !(self.unfilled && self.core.schedule.phase() == Phase::Running);
        if self.core.sink.held() < FLUSH_BYTES {
            self.crew.look(idle, tokens)?;
        }
        let due = tokens.is_empty() || self.core.sink.held() >= FLUSH_BYTES;
        if due && self.core.sink.held() > 0 && self.sink_blocked.is_none() {
            self.flush()?;
        }
        if !tokens.is_empty() {
            return Ok(());
        }
        let now = self.crew.now();
        let until = if idle { self.next_timer(now) } else { now };
        self.crew.wait(until, tokens)
    }

    /// Hands outcomes on. If the sink cannot take them now, watches the sink's descriptor.
    fn flush(&mut self) -> Result<(), PoolError> {
        if let Some(watched) = self.sink_blocked.take() {
            self.crew.forget(watched.as_fd());
        }
        if self.core.sink.flush().map_err(PoolError::Output)? {
            return Ok(());
        }
        // The descriptor is cloned because the sink may wait on another one next time.
        if let Some(fd) = self.core.sink.fd() {
            let watched = fd
                .try_clone_to_owned()
                .map_err(|error| PoolError::setup("wait for the output", error))?;
            self.crew.watch(watched.as_fd(), Outside::Sink)?;
            self.sink_blocked = Some(watched);
        }
        Ok(())
    }

    /// Returns the time at which something is due even if no event arrives.
    fn next_timer(&mut self, now: Instant) -> Instant {
        let timers =
            [self.core.schedule.next_timer(now), self.crew.next_timer(now), self.output_patience()];
        timers.into_iter().flatten().fold(self.last_progress + PROGRESS, Instant::min)
    }

    /// Does what is due now.
    fn tick(&mut self) -> Result<(), PoolError> {
        let now = self.core.now;
        self.schedule().tick(now);
        self.perform()?;
        self.crew.tick(now, &mut self.core)?;
        self.perform()?;
        if now >= self.last_progress + PROGRESS {
            self.last_progress = now;
            let stats = self.schedule().stats();
            self.core.sink.progress(&stats);
        }
        Ok(())
    }

    fn obey(&mut self) -> Result<(), PoolError> {
        while let Some(command) = self.commands.next() {
            let now = self.crew.now();
            match command {
                Command::Drain => self.schedule().drain(End::Drained, None, "asked to"),
                Command::DrainFor(grace) => {
                    self.schedule().drain(End::Drained, Some(after(now, grace)), "asked to");
                }
                Command::Kill => self.schedule().kill_all(End::Killed, "asked to"),
                Command::Cancel(job) => {
                    self.schedule().cancel(job, Killed::Cancelled(String::new()));
                }
                Command::Terminate(job) => self.schedule().cancel(job, Killed::Terminated),
                Command::Pause => {
                    self.crew.pause(true);
                    self.commands.paused();
                    self.core.now = self.crew.now();
                    let stood = self.core.now.saturating_duration_since(now);
                    self.schedule().stood(stood);
                }
                Command::Resume => self.crew.pause(false),
                Command::Report => self.report(now),
            }
            self.perform()?;
        }
        Ok(())
    }

    /// Reports which jobs are running.
    fn report(&mut self, now: Instant) {
        let crew = &self.crew;
        let lines = self.core.schedule.report(|slot| crew.awaited(slot), now);
        lines.into_iter().for_each(|line| self.core.tell(Notice::Report(line)));
    }

    /// Hands over everything that is left. Returns true once the sink has passed it on, or once the
    /// time to wait for the sink is over.
    fn is_handed_over(&mut self) -> Result<bool, PoolError> {
        self.complete |= self.schedule().phase() == Phase::Running;
        self.schedule().release_all();
        self.core.hand_over_due()?;
        if self.sink_blocked.is_none() {
            self.flush()?;
        }
        if self.sink_blocked.is_none() {
            return Ok(true);
        }
        let (now, held) = (self.crew.now(), self.core.sink.held());
        if self.output_stood.is_none_or(|(_, before)| held < before) {
            self.output_stood = Some((now, held));
        }
        Ok(self.output_patience().is_some_and(|until| now >= until))
    }

    /// Returns the time until which a run that was asked to end waits for its output, unless the
    /// reader takes something before then.
    fn output_patience(&self) -> Option<Instant> {
        let (since, _) = self.output_stood?;
        match self.core.schedule.phase() {
            Phase::Running => None,
            Phase::Draining(..) => Some(since + OUTPUT_WAIT),
            Phase::Killing(_) => Some(since + OUTPUT_LAST_WAIT),
        }
    }

    fn summary(&self, stats: Stats) -> Summary {
        let undelivered = if self.sink_blocked.is_some() { self.core.sink.held() } else { 0 };
        let schedule = &self.core.schedule;
        let end = match schedule.phase() {
            Phase::Running => End::Complete,
            _ if self.complete && undelivered == 0 => End::Complete,
            Phase::Draining(end, _) | Phase::Killing(end) => end,
        };
        let input_exhausted = schedule.input() == Input::Ended;
        Summary { end, stats, input_exhausted, undelivered }
    }
}
