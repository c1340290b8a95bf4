//! The crew of this machine: worker processes that a zygote forks, with a pipe each way and a job
//! memory.
//!
//! The crew trusts nothing that a worker can write.

mod ending;
mod events;
mod forking;
mod reading;
mod scratch;
mod sharing;
mod worker;

pub(in crate::pool) use scratch::ScratchFolder;
pub(in crate::pool) use sharing::Sharing;

use super::{Crew, Event, Listener, Outside, Request};
use crate::pool::config::Config;
use crate::pool::error::PoolError;
use crate::pool::session::Session;
use crate::wire::spin::Spin;
use crate::wire::waits::Awaited;
use events::{Events, Token};
use reading::READS_PIPE;
use rustix::process::Signal;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};
use worker::Worker;

/// The time between two attempts at sweeps that a live worker held up.
const SWEEP: Duration = Duration::from_millis(200);

/// The crew of this machine.
pub(in crate::pool) struct LocalCrew<'a> {
    session: &'a mut Session,
    config: Config,
    events: Events,
    /// The workers, by slot.
    workers: Vec<Option<Worker>>,
    /// The number of times that each slot was used.
    epochs: Vec<u64>,
    spin: Spin,
    last_sweep: Instant,
}

impl<'a> LocalCrew<'a> {
    /// Returns a crew for one run of a loaded module.
    ///
    /// # Errors
    /// Returns an error if descriptors are lacking.
    pub(in crate::pool) fn new(
        session: &'a mut Session,
        config: Config,
    ) -> Result<LocalCrew<'a>, PoolError> {
        let events = Events::new().map_err(cannot("wait for events"))?;
        let crew = LocalCrew {
            session,
            config,
            events,
            workers: Vec::new(),
            epochs: Vec::new(),
            spin: Spin::default(),
            last_sweep: Instant::now(),
        };
        crew.watch_zygote()?;
        Ok(crew)
    }

    fn watch_zygote(&self) -> Result<(), PoolError> {
        let socket = self.session.zygote.as_fd();
        let watched = self.events.watch_readable(socket, Token::Zygote);
        watched.map(drop).map_err(cannot("wait for the zygote"))
    }

    fn worker(&self, slot: u32) -> Option<&Worker> {
        self.workers.get(slot as usize)?.as_ref()
    }

    fn worker_mut(&mut self, slot: u32) -> Option<&mut Worker> {
        self.workers.get_mut(slot as usize)?.as_mut()
    }

    /// Returns the worker in a slot, together with the watched descriptors.
    fn with_events(&mut self, slot: u32) -> Option<(&mut Worker, &Events)> {
        Some((self.workers.get_mut(slot as usize)?.as_mut()?, &self.events))
    }

    /// Returns the slots in use.
    fn slots(&self) -> impl Iterator<Item = u32> + use<> {
        let used = self.workers.iter().enumerate().filter(|(_, worker)| worker.is_some());
        used.map(|(slot, _)| slot as u32).collect::<Vec<_>>().into_iter()
    }

    /// Reports the batches of a worker that have been written completely.
    fn tell_written(&mut self, slot: u32, listener: &mut dyn Listener) -> Result<(), PoolError> {
        while let Some(batch) = self.worker_mut(slot).and_then(Worker::next_written) {
            hear(listener, Event::Written { slot, batch })?;
        }
        Ok(())
    }

    /// Reports which jobs of a worker are claimed.
    fn sample(&mut self, slot: u32, listener: &mut dyn Listener) -> Result<(), PoolError> {
        let Some(worker) = self.worker_mut(slot) else { return Ok(()) };
        for at in 0..worker.flights.len() {
            let Some(worker) = self.worker_mut(slot) else { return Ok(()) };
            let Some(flight) = worker.flights.get_mut(at) else { break };
            let batch = flight.parcel.batch;
            if let Some(claimed) = worker.memory.claimed(batch) {
                flight.end = claimed.end;
                let (next, end) = (claimed.next, claimed.end);
                hear(listener, Event::Claims { slot, batch, next, end })?;
            }
        }
        hear(listener, Event::Sampled { slot })
    }

    /// Reports the jobs that a worker has given back by itself.
    fn tell_given_back(&mut self, slot: u32, listener: &mut dyn Listener) -> Result<(), PoolError> {
        let Some(worker) = self.workers.get_mut(slot as usize).and_then(Option::as_mut) else {
            return Ok(());
        };
        for flight in &mut worker.flights {
            let batch = flight.parcel.batch;
            let Some(claimed) = worker.memory.claimed(batch) else { continue };
            if claimed.end != flight.end {
                flight.end = claimed.end;
                let (next, end) = (claimed.next, claimed.end);
                hear(listener, Event::Claims { slot, batch, next, end })?;
            }
        }
        Ok(())
    }

    /// Takes back at most `most` of the jobs that a worker has not claimed, the last first.
    fn take_back(
        &mut self,
        slot: u32,
        mut most: u32,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        let Some(worker) = self.workers.get_mut(slot as usize).and_then(Option::as_mut) else {
            return Ok(());
        };
        for flight in worker.flights.iter_mut().rev() {
            let batch = flight.parcel.batch;
            let some = u16::try_from(most).unwrap_or(u16::MAX);
            let keep = |next: u16, end: u16| end.saturating_sub(some).max(next);
            let taken = worker.memory.take_back(batch, |seen| keep(seen.next, seen.end));
            let Some((seen, end)) = taken else { continue };
            most -= u32::from(seen.end.saturating_sub(end)).min(most);
            flight.end = end;
            hear(listener, Event::Claims { slot, batch, next: seen.next, end })?;
            if most == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Tells of workers whose jobs have more in their scratch folders than they may.
    fn look_at_scratch(
        &mut self,
        now: Instant,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        let Some(scratch) = self.session.scratch.as_mut().filter(|scratch| scratch.is_due(now))
        else {
            return Ok(());
        };
        let alive = self.workers.iter().flatten().filter(|worker| worker.ended.is_none());
        let found = scratch.look(alive.filter_map(|worker| Some((worker.id.slot, worker.pid?))));
        found
            .into_iter()
            .try_for_each(|(slot, excess)| hear(listener, Event::Full { slot, excess }))
    }

    /// Takes what a worker has committed.
    fn drain(&mut self, slot: u32, listener: &mut dyn Listener) -> Result<(), PoolError> {
        self.drain_committed(slot, READS_PIPE, listener)?;
        let awaited = self.awaited(slot);
        hear(listener, Event::Drained { slot, awaited })
    }
}

impl Crew for LocalCrew<'_> {
    type Token = Token;

    #[inline]
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn carry_out(
        &mut self,
        request: Request,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        match request {
            Request::Send { slot, parcel } => {
                let Some((worker, events)) = self.with_events(slot) else { return Ok(()) };
                worker.send(parcel, events).map_err(cannot("write to a worker"))?;
                self.tell_written(slot, listener)
            }
            Request::Forget { slot, batch } => {
                if let Some(worker) = self.worker_mut(slot)
                    && let Some(at) = worker.place(batch)
                {
                    worker.flights.remove(at);
                }
                Ok(())
            }
            Request::Hear { slot, on } => {
                let Some((worker, events)) = self.with_events(slot) else { return Ok(()) };
                worker.set_wanted(on, events).map_err(cannot("wait for a worker"))
            }
            Request::Fork { slot } => self.fork(slot, listener),
            Request::Sample { slot } => self.sample(slot, listener),
            Request::TakeBack { slot, most } => self.take_back(slot, most, listener),
            Request::Drain { slot } => self.drain(slot, listener),
            Request::Kill { slot, signal } => {
                if let Some(worker) = self.worker_mut(slot) {
                    worker.kill(signal);
                }
                Ok(())
            }
            Request::Close { slot } => {
                if let Some((worker, events)) = self.with_events(slot) {
                    worker.close(events);
                }
                Ok(())
            }
            Request::Drop { slot } => self.finalize(slot, listener),
            Request::InterruptWaits => {
                self.interrupt_waits();
                Ok(())
            }
            Request::RestartZygote => self.restart_zygote(listener),
            Request::EndZygote => {
                self.session.end_zygote();
                Ok(())
            }
        }
    }

    fn look(&mut self, idle: bool, tokens: &mut Vec<Token>) -> Result<(), PoolError> {
        self.events.wait(Some(Duration::ZERO), tokens).map_err(cannot("wait for events"))?;
        if !tokens.is_empty() || !idle {
            return Ok(());
        }
        let mut result = Ok(());
        let events = &mut self.events;
        self.spin.until(|| {
            result = events.wait(Some(Duration::ZERO), tokens);
            result.is_err() || !tokens.is_empty()
        });
        result.map_err(cannot("wait for events"))
    }

    fn wait(&mut self, until: Instant, tokens: &mut Vec<Token>) -> Result<(), PoolError> {
        let timeout = until.saturating_duration_since(Instant::now());
        self.events.wait(Some(timeout), tokens).map_err(cannot("wait for events"))
    }

    fn handle(
        &mut self,
        token: Token,
        listener: &mut dyn Listener,
    ) -> Result<Option<Outside>, PoolError> {
        match token {
            Token::Results(slot) => self.read_results(slot, listener)?,
            Token::Jobs(slot) => {
                if let Some((worker, events)) = self.with_events(slot) {
                    worker.write(events).map_err(cannot("write to a worker"))?;
                }
                self.tell_written(slot, listener)?;
            }
            Token::Ended(slot) => self.worker_ended(slot, listener)?,
            Token::Zygote => self.hear_zygote(listener)?,
            Token::Source => return Ok(Some(Outside::Source)),
            Token::Sink => return Ok(Some(Outside::Sink)),
            Token::Commands => return Ok(Some(Outside::Commands)),
        }
        Ok(None)
    }

    fn tick(&mut self, now: Instant, listener: &mut dyn Listener) -> Result<(), PoolError> {
        self.give_up_waiting(now, listener)?;
        self.look_at_scratch(now, listener)?;
        if let Some(sharing) = &mut self.session.sharing {
            sharing.release_gone(Duration::ZERO);
        }
        if now >= self.last_sweep + SWEEP {
            self.last_sweep = now;
            self.sweep_again(now, listener)?;
        }
        Ok(())
    }

    fn next_timer(&self, now: Instant) -> Option<Instant> {
        let burial = self.session.sharing.as_ref().and_then(|sharing| sharing.next_burial(now));
        let timers = [self.session.loading_until(), self.next_status_timeout(), burial];
        timers.into_iter().flatten().min()
    }

    fn watch(&self, fd: BorrowedFd<'_>, outside: Outside) -> Result<bool, PoolError> {
        match outside {
            Outside::Source => {
                self.events.watch_readable(fd, Token::Source).map_err(cannot("wait for the input"))
            }
            Outside::Sink => {
                self.events.watch_writable(fd, Token::Sink).map_err(cannot("wait for the output"))
            }
            Outside::Commands => {
                self.events.watch_readable(fd, Token::Commands).map_err(cannot("wait for events"))
            }
        }
    }

    fn forget(&self, fd: BorrowedFd<'_>) {
        self.events.forget(fd);
    }

    #[inline]
    fn held(&self) -> usize {
        self.workers.iter().flatten().map(Worker::partial_bytes).sum()
    }

    fn awaited(&self, slot: u32) -> Option<Awaited> {
        self.session.sharing.as_ref()?.awaited(self.worker(slot)?.member?)
    }

    /// Signals the zygote's group, and also each worker, because some workers have left that group
    /// for the dispatcher's.
    fn pause(&self, stop: bool) {
        let signal = if stop { Signal::STOP } else { Signal::CONT };
        self.session.zygote.signal_group(signal);
        self.workers.iter().flatten().for_each(|worker| worker.send_signal(signal));
    }

    fn end(&mut self) {
        let workers: Vec<Worker> = self.workers.drain(..).flatten().collect();
        // The outcomes are known, or no longer wanted; there is nothing to save.
        workers.iter().for_each(|worker| worker.send_signal(Signal::KILL));
        if let Some(sharing) = &mut self.session.sharing {
            sharing.release_killed(workers);
        }
    }
}

/// Passes the listener an event that cannot show a fault of a worker.
fn hear(listener: &mut dyn Listener, event: Event<'_>) -> Result<(), PoolError> {
    match listener.hear(event) {
        Ok(()) | Err(super::Stop::Violation(_)) => Ok(()),
        Err(super::Stop::Error(error)) => Err(error),
    }
}

/// Returns a function that makes the error of a step that the system does not allow.
fn cannot(what: &'static str) -> impl Fn(io::Error) -> PoolError {
    move |error| PoolError::setup(what, error)
}
