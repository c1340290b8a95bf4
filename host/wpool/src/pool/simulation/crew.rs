//! A simulated crew: workers with claims, pipes that fill, deaths at any time, and news that is
//! late or never comes.
//!
//! The clock of the simulation moves only when the dispatcher waits, so that hours pass in a
//! second.

use super::truth::Truth;
use crate::pool::crew::{Crew, Death, Event, Listener, Outside, Request, Stop};
use crate::pool::error::PoolError;
use crate::pool::parcel::Parcel;
use crate::wire::clock::MonotonicTime;
use crate::wire::control::ExitStatus;
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::record;
use crate::wire::waits::Awaited;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The faults of a simulation, and the rules that are left out to show that the test notices.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// True if answers come later, as from another machine.
    pub(super) remote: bool,
    /// The number of jobs of which one ends its worker; 0 for none.
    pub(super) deaths: u32,
    /// The number of forks of which one is refused; 0 for none.
    pub(super) refusals: u32,
    /// The number of forks of which one is the zygote's last; 0 for none.
    pub(super) zygote_deaths: u32,
    /// True if a worker whose zygote is gone is not fenced before its jobs are given to others.
    pub(super) no_fence: bool,
}

/// A job of the simulation, as encoded in its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    /// The longest time until the job is done, in milliseconds.
    pub(super) time: u16,
    pub(super) result_bytes: u16,
    /// The number of attempts that fail before one succeeds.
    pub(super) failures: u8,
}

impl Job {
    pub(super) fn encode(self) -> [u8; 5] {
        let [a, b] = self.time.to_le_bytes();
        let [c, d] = self.result_bytes.to_le_bytes();
        [a, b, c, d, self.failures]
    }

    fn decode(bytes: &[u8]) -> Job {
        Job {
            time: u16::from_le_bytes([bytes[0], bytes[1]]),
            result_bytes: u16::from_le_bytes([bytes[2], bytes[3]]),
            failures: bytes[4],
        }
    }
}

/// A batch in a simulated worker.
#[derive(Debug)]
struct Flight {
    parcel: Rc<Parcel>,
    next: u16,
    end: u16,
    /// The records that are committed and not yet reported.
    outbox: Vec<u8>,
}

#[derive(Debug, Default)]
struct Worker {
    /// The identity of the worker, so that what was planned for an earlier worker of the slot does
    /// not concern it.
    life: u64,
    told: bool,
    ready: bool,
    dead: bool,
    /// True if nothing but the end of the worker will be heard of it.
    orphan: bool,
    heard: bool,
    closed: bool,
    flights: VecDeque<Flight>,
    /// The job that the worker is running: batch and index.
    running: Option<(u32, u16)>,
}

/// An event that happens at a planned time.
#[derive(Clone, Debug)]
enum Plan {
    Born,
    Ready,
    Done,
    Death,
    Gone,
    Ask(Request),
    ZygoteDeath,
    Loaded,
    Source,
    Sink,
    Commands,
}

/// A planned event, and the worker that it concerns.
#[derive(Clone, Debug)]
struct Planned {
    slot: u32,
    /// The identity of the worker that the slot had when this event was planned.
    life: u64,
    plan: Plan,
}

/// The origin of an event: a plan for a worker, or a pipe with records.
#[derive(Clone, Copy, Debug)]
pub(super) enum Token {
    Plan(u64),
    Pipe(u32),
}

pub(super) struct SimulatedCrew {
    rng: RefCell<StdRng>,
    now: Instant,
    faults: Faults,
    /// The largest number of bytes of records that a pipe holds.
    pipe_bytes: usize,
    workers: Vec<Option<Worker>>,
    plans: RefCell<BTreeMap<(Instant, u64), Planned>>,
    due: BTreeMap<u64, Planned>,
    next_plan: Cell<u64>,
    lives: u64,
    zygote: bool,
    truth: Rc<RefCell<Truth>>,
    pub(super) events: u64,
}

impl SimulatedCrew {
    pub(super) fn new(seed: u64, faults: Faults, truth: Rc<RefCell<Truth>>) -> SimulatedCrew {
        let mut rng = StdRng::seed_from_u64(seed);
        SimulatedCrew {
            pipe_bytes: rng.random_range(64..2000),
            rng: RefCell::new(rng),
            now: Instant::now(),
            faults,
            workers: Vec::new(),
            plans: RefCell::default(),
            due: BTreeMap::new(),
            next_plan: Cell::new(0),
            lives: 0,
            zygote: true,
            truth,
            events: 0,
        }
    }

    fn one_in(&self, many: u32) -> bool {
        many > 0 && self.rng.borrow_mut().random_range(0..many) == 0
    }

    /// Plans an event at a random time within the next `within` milliseconds.
    fn plan(&self, slot: u32, within: u64, plan: Plan) {
        let life = self.worker(slot).map_or(0, |worker| worker.life);
        let micros = self.rng.borrow_mut().random_range(0..=within * 1000);
        let (when, number) = (self.now + Duration::from_micros(micros), self.next_plan.get());
        self.next_plan.set(number + 1);
        self.plans.borrow_mut().insert((when, number), Planned { slot, life, plan });
    }

    fn worker(&self, slot: u32) -> Option<&Worker> {
        self.workers.get(slot as usize)?.as_ref()
    }

    fn worker_mut(&mut self, slot: u32) -> Option<&mut Worker> {
        self.workers.get_mut(slot as usize)?.as_mut()
    }

    /// Makes a worker claim its next job, unless its pipe is full.
    fn go_on(&mut self, slot: u32) {
        let pipe_bytes = self.pipe_bytes;
        let truth = self.truth.clone();
        let Some(worker) = self.worker_mut(slot) else { return };
        let full =
            worker.flights.iter().map(|flight| flight.outbox.len()).sum::<usize>() > pipe_bytes;
        if worker.dead || !worker.ready || worker.running.is_some() || full {
            return;
        }
        let Some(flight) = worker.flights.iter_mut().find(|flight| flight.next < flight.end) else {
            if worker.closed {
                self.plan(slot, 1, Plan::Death);
            }
            return;
        };
        let (number, bytes) = flight.parcel.job(flight.next);
        let job = Job::decode(bytes);
        worker.running = Some((flight.parcel.batch, flight.next));
        flight.next += 1;
        truth.borrow_mut().begun(number);
        let dies = self.one_in(self.faults.deaths);
        let plan = if dies { Plan::Death } else { Plan::Done };
        self.plan(slot, u64::from(job.time), plan);
    }

    /// Commits the record of the job that a worker has done.
    fn done(&mut self, slot: u32) {
        let truth = self.truth.clone();
        let Some(worker) = self.worker_mut(slot).filter(|worker| !worker.dead) else { return };
        let Some((batch, index)) = worker.running.take() else { return };
        let flight = worker.flights.iter_mut().find(|flight| flight.parcel.batch == batch);
        if let Some(flight) = flight {
            let (number, bytes) = flight.parcel.job(index);
            let job = Job::decode(bytes);
            let mut bytes = Vec::new();
            record::begin(&mut bytes, false);
            let fails = truth.borrow_mut().attempts(number) <= u64::from(job.failures);
            match fails {
                true => Failure::new(FailureKind::Trap, "as it should").encode(&mut bytes),
                false => bytes.resize(bytes.len() + usize::from(job.result_bytes), b'x'),
            }
            record::finish(&mut bytes, index, fails, None);
            flight.outbox.extend_from_slice(&bytes);
            truth.borrow_mut().committed(number);
        }
        self.go_on(slot);
    }

    /// Reports the records that a worker has committed.
    fn tell_records(&mut self, slot: u32, listener: &mut dyn Listener) -> Result<(), PoolError> {
        let Some(worker) = self.worker_mut(slot) else { return Ok(()) };
        let flights = worker.flights.iter_mut();
        let told: Vec<_> = flights
            .map(|flight| (flight.parcel.batch, std::mem::take(&mut flight.outbox)))
            .filter(|(_, bytes)| !bytes.is_empty())
            .collect();
        for (batch, bytes) in told {
            hear(listener, Event::Records { slot, batch, bytes: bytes.into() })?;
        }
        hear(listener, Event::Quiet { slot })?;
        self.go_on(slot);
        Ok(())
    }

    fn take_back(
        &mut self,
        slot: u32,
        mut most: u32,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        let Some(worker) = self.worker_mut(slot) else { return Ok(()) };
        let mut claims = Vec::new();
        for flight in worker.flights.iter_mut().rev() {
            let some = u32::from(flight.end - flight.next).min(most);
            (flight.end, most) = (flight.end - some as u16, most - some);
            claims.push((flight.parcel.batch, flight.next, flight.end));
        }
        for (batch, next, end) in claims {
            hear(listener, Event::Claims { slot, batch, next, end })?;
        }
        Ok(())
    }

    /// Kills a worker: what it left is reported, and a while later how it ended.
    fn die(&mut self, slot: u32, listener: &mut dyn Listener) -> Result<(), PoolError> {
        let Some(worker) = self.worker_mut(slot).filter(|worker| !worker.dead) else {
            return Ok(());
        };
        worker.dead = true;
        if worker.told || worker.orphan {
            hear(listener, Event::Lost { slot })?;
            self.tell_records(slot, listener)?;
            self.plan(slot, 5, Plan::Gone);
        }
        Ok(())
    }

    fn gone(
        &mut self,
        slot: u32,
        excused: bool,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        if self.worker(slot).is_none() {
            return Ok(());
        }
        if !self.faults.no_fence {
            self.take_back(slot, u32::MAX, listener)?;
        }
        self.tell_records(slot, listener)?;
        let Some(mut worker) = self.workers[slot as usize].take() else { return Ok(()) };
        if !worker.dead && self.faults.no_fence {
            // The worker goes on although it was not fenced.
            for flight in &mut worker.flights {
                while flight.next < flight.end {
                    self.truth.borrow_mut().begun(flight.parcel.job(flight.next).0);
                    flight.next += 1;
                }
            }
        }
        let death = Death {
            status: Some(if worker.closed { ExitStatus::Code(0) } else { ExitStatus::Signal(9) }),
            had_process: true,
            excused,
            trap: None,
            fatal_message: None,
            since: self.now,
            began: None,
            printed: Vec::new(),
            waited: None,
        };
        hear(listener, Event::Gone { slot, death: Box::new(death) })
    }

    /// Kills the zygote. The workers that it has reported die with it; of the others only the end
    /// is heard.
    fn lose_zygote(&mut self, listener: &mut dyn Listener) -> Result<(), PoolError> {
        if !std::mem::take(&mut self.zygote) {
            return Ok(());
        }
        for slot in 0..self.workers.len() as u32 {
            let Some(worker) = self.worker_mut(slot) else { continue };
            if worker.told {
                self.die(slot, listener)?;
                continue;
            }
            worker.orphan = true;
            if self.faults.no_fence {
                self.gone(slot, true, listener)?;
            } else {
                self.take_back(slot, u32::MAX, listener)?;
                hear(listener, Event::Lost { slot })?;
                self.plan(slot, 20, Plan::Death);
            }
        }
        match listener.hear(Event::ZygoteLost) {
            Err(Stop::Error(error)) => Err(error),
            _ => Ok(()),
        }
    }

    fn fork(&mut self, slot: u32, listener: &mut dyn Listener) -> Result<(), PoolError> {
        if self.one_in(self.faults.refusals) {
            let why = Some("as it should".into());
            return hear(listener, Event::Refused { slot, why });
        }
        let at = slot as usize;
        if self.workers.len() <= at {
            self.workers.resize_with(at + 1, || None);
        }
        self.lives += 1;
        self.workers[at] = Some(Worker { life: self.lives, ..Worker::default() });
        self.plan(slot, 10, Plan::Born);
        self.plan(slot, 10, Plan::Ready);
        if self.one_in(self.faults.zygote_deaths) {
            self.plan(slot, 10, Plan::ZygoteDeath);
        }
        Ok(())
    }

    fn answer(&mut self, request: Request, listener: &mut dyn Listener) -> Result<(), PoolError> {
        match request {
            Request::Fork { slot } => self.fork(slot, listener),
            Request::Send { slot, parcel } => {
                let Some(worker) = self.worker_mut(slot) else { return Ok(()) };
                let (batch, end) = (parcel.batch, parcel.count());
                worker.flights.push_back(Flight { parcel, next: 0, end, outbox: Vec::new() });
                hear(listener, Event::Written { slot, batch })?;
                self.go_on(slot);
                Ok(())
            }
            Request::Forget { slot, batch } => {
                if let Some(worker) = self.worker_mut(slot) {
                    worker.flights.retain(|flight| flight.parcel.batch != batch);
                }
                Ok(())
            }
            Request::Sample { slot } => {
                let Some(worker) = self.worker(slot) else { return Ok(()) };
                let flights = worker.flights.iter();
                let claims: Vec<_> =
                    flights.map(|flight| (flight.parcel.batch, flight.next, flight.end)).collect();
                for (batch, next, end) in claims {
                    hear(listener, Event::Claims { slot, batch, next, end })?;
                }
                hear(listener, Event::Sampled { slot })
            }
            Request::TakeBack { slot, most } => self.take_back(slot, most, listener),
            Request::Drain { slot } => {
                if self.worker(slot).is_none() {
                    return Ok(());
                }
                self.tell_records(slot, listener)?;
                hear(listener, Event::Drained { slot, awaited: None })
            }
            Request::Hear { slot, on } => {
                if let Some(worker) = self.worker_mut(slot) {
                    worker.heard = on;
                }
                Ok(())
            }
            Request::Kill { slot, .. } => {
                if self.worker(slot).is_some() {
                    self.plan(slot, 2, Plan::Death);
                }
                Ok(())
            }
            Request::Close { slot } => {
                if let Some(worker) = self.worker_mut(slot) {
                    worker.closed = true;
                }
                self.go_on(slot);
                Ok(())
            }
            Request::Drop { slot } => self.gone(slot, false, listener),
            Request::RestartZygote => {
                self.zygote = true;
                hear(listener, Event::ZygoteRestarted { how: String::new() })?;
                self.plan(0, 100, Plan::Loaded);
                Ok(())
            }
            Request::InterruptWaits | Request::EndZygote => Ok(()),
        }
    }

    /// Makes due what was planned until now.
    fn collect(&mut self, tokens: &mut Vec<Token>) {
        let mut plans = self.plans.borrow_mut();
        while let Some(entry) = plans.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let ((_, number), what) = entry.remove_entry();
            self.due.insert(number, what);
            tokens.push(Token::Plan(number));
        }
        for (slot, worker) in self.workers.iter().enumerate() {
            if let Some(worker) = worker
                && worker.heard
                && worker.told
                && !worker.dead
                && worker.flights.iter().any(|flight| !flight.outbox.is_empty())
            {
                tokens.push(Token::Pipe(slot as u32));
            }
        }
    }

    fn happen(
        &mut self,
        slot: u32,
        plan: Plan,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        match plan {
            Plan::Born => {
                let zygote = self.zygote;
                let Some(worker) = self.worker_mut(slot).filter(|_| zygote) else { return Ok(()) };
                worker.told = true;
                let dead = worker.dead;
                hear(listener, Event::Forked { slot, pid: slot as i32 + 1 })?;
                if dead {
                    hear(listener, Event::Lost { slot })?;
                    self.plan(slot, 5, Plan::Gone);
                }
                Ok(())
            }
            Plan::Ready => {
                let Some(worker) = self.worker_mut(slot) else { return Ok(()) };
                worker.ready = true;
                self.go_on(slot);
                let (asked, ready) = (MonotonicTime::now(), MonotonicTime::now());
                hear(listener, Event::Ready { slot, asked, ready })
            }
            Plan::Done => {
                self.done(slot);
                Ok(())
            }
            Plan::Death => self.die(slot, listener),
            Plan::Gone => self.gone(slot, false, listener),
            Plan::Ask(request) => self.answer(request, listener),
            Plan::ZygoteDeath => self.lose_zygote(listener),
            Plan::Loaded => hear(listener, Event::Loaded { lines: Vec::new() }),
            Plan::Source | Plan::Sink | Plan::Commands => Ok(()),
        }
    }

    /// Plans a command at a random time within the next `within` milliseconds.
    pub(super) fn plan_command(&self, within: u64) {
        self.plan(u32::MAX, within, Plan::Commands);
    }
}

impl Crew for SimulatedCrew {
    type Token = Token;

    fn now(&self) -> Instant {
        self.now
    }

    fn carry_out(
        &mut self,
        request: Request,
        listener: &mut dyn Listener,
    ) -> Result<(), PoolError> {
        self.events += 1;
        let of_claims = matches!(
            request,
            Request::Sample { .. } | Request::TakeBack { .. } | Request::Drain { .. }
        );
        if self.faults.remote && of_claims {
            let (Request::Sample { slot }
            | Request::TakeBack { slot, .. }
            | Request::Drain { slot }) = request
            else {
                return Ok(());
            };
            self.plan(slot, 3, Plan::Ask(request));
            return Ok(());
        }
        self.answer(request, listener)
    }

    fn look(&mut self, _: bool, tokens: &mut Vec<Token>) -> Result<(), PoolError> {
        self.collect(tokens);
        Ok(())
    }

    fn wait(&mut self, until: Instant, tokens: &mut Vec<Token>) -> Result<(), PoolError> {
        let next = self.plans.borrow().keys().next().map(|(when, _)| *when);
        // The clock moves by at least a moment, because time would stand still otherwise.
        let until = until.max(self.now + Duration::from_micros(1));
        self.now = next.map_or(until, |next| next.clamp(self.now, until));
        self.collect(tokens);
        Ok(())
    }

    fn handle(
        &mut self,
        token: Token,
        listener: &mut dyn Listener,
    ) -> Result<Option<Outside>, PoolError> {
        self.events += 1;
        let number = match token {
            Token::Pipe(slot) => {
                self.tell_records(slot, listener)?;
                return Ok(None);
            }
            Token::Plan(number) => number,
        };
        let Some(Planned { slot, life, plan }) = self.due.remove(&number) else { return Ok(None) };
        match plan {
            Plan::Source => return Ok(Some(Outside::Source)),
            Plan::Sink => return Ok(Some(Outside::Sink)),
            Plan::Commands => return Ok(Some(Outside::Commands)),
            Plan::Loaded | Plan::ZygoteDeath => self.happen(slot, plan, listener)?,
            // The plan was for an earlier worker of the slot.
            _ if self.worker(slot).is_none_or(|worker| worker.life != life) => {}
            plan => self.happen(slot, plan, listener)?,
        }
        Ok(None)
    }

    fn tick(&mut self, _: Instant, _: &mut dyn Listener) -> Result<(), PoolError> {
        Ok(())
    }

    fn next_timer(&self, _: Instant) -> Option<Instant> {
        None
    }

    fn watch(&self, _: BorrowedFd<'_>, outside: Outside) -> Result<bool, PoolError> {
        match outside {
            Outside::Source => self.plan(u32::MAX, 20, Plan::Source),
            Outside::Sink => self.plan(u32::MAX, 20, Plan::Sink),
            Outside::Commands => {}
        }
        Ok(true)
    }

    fn forget(&self, _: BorrowedFd<'_>) {}

    fn held(&self) -> usize {
        0
    }

    fn awaited(&self, _: u32) -> Option<Awaited> {
        None
    }

    fn pause(&self, _: bool) {}

    fn end(&mut self) {}
}

fn hear(listener: &mut dyn Listener, event: Event<'_>) -> Result<(), PoolError> {
    match listener.hear(event) {
        Ok(()) => Ok(()),
        Err(Stop::Error(error)) => Err(error),
        Err(Stop::Violation(what)) => panic!("an honest worker broke the protocol: {what}"),
    }
}
