//! The crew: does the work that the schedule gives out.
//!
//! [`local::LocalCrew`] is a crew of processes on this machine; tests use a simulated crew. A
//! request that reads or changes the claims of a worker is answered by an event. The local crew
//! answers before the request returns, but the schedule does not rely on that.

pub(super) mod local;

use super::error::PoolError;
use super::feed::Notice;
use super::parcel::Parcel;
use crate::wire::clock::MonotonicTime;
use crate::wire::control::ExitStatus;
use crate::wire::failure::Failure;
use crate::wire::line::Stream;
use crate::wire::scratch::Excess;
use crate::wire::waits::{Awaited, Wait, Waits};
use rustix::process::Signal;
use std::borrow::Cow;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A request of a dispatcher to its crew. A request about a worker that does not exist is ignored.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    /// Forks one more worker, in this slot. Parcels may be sent to the worker at once. Answer:
    /// [`Event::Forked`] or [`Event::Refused`], at any time.
    Fork { slot: u32 },
    /// Sends a parcel to the worker. Answer: [`Event::Written`], then the worker's records.
    Send { slot: u32, parcel: Rc<Parcel> },
    /// Forgets a batch whose jobs are all finished or taken back.
    Forget { slot: u32, batch: u32 },
    /// Reports what the worker has claimed. Answer: [`Event::Claims`] for each batch, then
    /// [`Event::Sampled`].
    Sample { slot: u32 },
    /// Takes back at most `most` of the jobs that the worker has not claimed, the last first.
    /// Answer: [`Event::Claims`] for each batch that was changed.
    TakeBack { slot: u32, most: u32 },
    /// Takes what the worker has committed. Answer: records, then [`Event::Drained`].
    Drain { slot: u32 },
    /// Reads the worker's records and lines, or leaves them unread for a while.
    Hear { slot: u32, on: bool },
    /// Sends the worker a signal that ends it, now or as soon as its process is known.
    Kill { slot: u32, signal: Signal },
    /// Lets the worker end by itself once it has done the jobs it was sent.
    Close { slot: u32 },
    /// Stops waiting for the start or the end of a worker. Answer: [`Event::Gone`].
    Drop { slot: u32 },
    /// Ends what workers wait for on behalf of their guests, because no other job may come to
    /// fulfil it.
    InterruptWaits,
    /// Starts another zygote in place of a lost one. Answer: [`Event::Loaded`].
    RestartZygote,
    /// Goes on without a zygote from now on.
    EndZygote,
}

/// The end of a worker.
#[derive(Debug)]
pub(crate) struct Death {
    /// The exit status of the worker, if it was reported in time.
    pub(crate) status: Option<ExitStatus>,
    /// True if the worker has been a process.
    pub(crate) had_process: bool,
    /// True if the worker ended because of something that also happened to others.
    pub(crate) excused: bool,
    /// The trap that has ended the worker, according to the worker.
    pub(crate) trap: Option<Failure>,
    /// The last message about the worker, from itself or from its zygote.
    pub(crate) fatal_message: Option<String>,
    /// The time since which the worker has been dead.
    pub(crate) since: Instant,
    /// The time at which the job began that the worker was running, if that is measured.
    pub(crate) began: Option<MonotonicTime>,
    /// The output so far of the command that the worker was running.
    pub(crate) printed: Vec<u8>,
    /// The wait during which the worker died. Its end is not known.
    pub(crate) waited: Option<Wait>,
}

/// An event that a crew reports.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// A worker is now a process.
    Forked { slot: u32, pid: i32 },
    /// A worker cannot be had. If there is no reason, a worker can be had in a moment.
    Refused { slot: u32, why: Option<String> },
    /// A worker that was requested at `asked` has been ready since `ready`.
    Ready { slot: u32, asked: MonotonicTime, ready: MonotonicTime },
    /// A batch has been written completely.
    Written { slot: u32, batch: u32 },
    /// The next whole records of a batch have arrived.
    Records { slot: u32, batch: u32, bytes: Cow<'a, [u8]> },
    /// The worker has reported everything that there is for now.
    Quiet { slot: u32 },
    /// The jobs of a batch before `next` are claimed, and those from `end` on will not be.
    Claims { slot: u32, batch: u32, next: u16, end: u16 },
    /// The claims have all been reported.
    Sampled { slot: u32 },
    /// The committed records have all been reported. The running job waits for `awaited` in
    /// shared state, if it waits.
    Drained { slot: u32, awaited: Option<Awaited> },
    /// A guest printed a line.
    Line { slot: u32, job: u64, stream: Stream, line: &'a [u8] },
    /// A job waited in shared state.
    Waited { slot: u32, waits: Waits },
    /// The worker cannot be sent anything more: it has ended, or nothing but its end will be heard
    /// of.
    Lost { slot: u32 },
    /// The worker broke the protocol.
    Broke { slot: u32, what: String },
    /// The scratch folder of the worker's job holds more than it may; `what` says how much.
    Full { slot: u32, excess: Excess },
    /// The worker is gone, and all that it left has been reported. Its slot is free.
    Gone { slot: u32, death: Box<Death> },
    /// The zygote is gone, and its workers will be gone soon.
    ZygoteLost,
    /// Another zygote is starting; `how` says how the lost one ended.
    ZygoteRestarted { how: String },
    /// The zygote has loaded the module, and the guest printed these lines meanwhile.
    Loaded { lines: Vec<Notice> },
}

/// The reason why an event was not taken.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The worker broke the protocol, and must not be heard any more.
    Violation(String),
    /// The run cannot go on.
    Error(PoolError),
}

impl From<PoolError> for Stop {
    fn from(error: PoolError) -> Self {
        Stop::Error(error)
    }
}

impl From<&str> for Stop {
    fn from(violation: &str) -> Self {
        Stop::Violation(violation.into())
    }
}

/// A listener to the events of a crew.
pub(crate) trait Listener {
    /// Takes an event.
    ///
    /// # Errors
    /// Returns [`Stop::Violation`] if the event shows that its worker lies, and [`Stop::Error`] if
    /// the event ends the run.
    fn hear(&mut self, event: Event<'_>) -> Result<(), Stop>;
}

/// An event source outside the crew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outside {
    /// The source may have more jobs.
    Source,
    /// The sink can take more bytes.
    Sink,
    /// There may be a command.
    Commands,
}

/// A crew of workers.
pub(crate) trait Crew {
    /// The origin of an event.
    type Token: Copy;

    /// Returns the current time.
    fn now(&self) -> Instant;

    /// Carries out a request.
    ///
    /// # Errors
    /// Returns an error if the run cannot go on.
    fn carry_out(&mut self, request: Request, listener: &mut dyn Listener)
    -> Result<(), PoolError>;

    /// Looks for events without sleeping; spins for a moment if nothing else is to be done
    /// (`idle`).
    ///
    /// # Errors
    /// Returns the errors of the system.
    fn look(&mut self, idle: bool, tokens: &mut Vec<Self::Token>) -> Result<(), PoolError>;

    /// Waits for events until `until` at the latest.
    ///
    /// # Errors
    /// Returns the errors of the system.
    fn wait(&mut self, until: Instant, tokens: &mut Vec<Self::Token>) -> Result<(), PoolError>;

    /// Handles an event of the crew. Returns the origin of an event that comes from outside the
    /// crew.
    ///
    /// # Errors
    /// Returns an error if the run cannot go on.
    fn handle(
        &mut self,
        token: Self::Token,
        listener: &mut dyn Listener,
    ) -> Result<Option<Outside>, PoolError>;

    /// Does what is due now.
    ///
    /// # Errors
    /// Returns an error if the run cannot go on.
    fn tick(&mut self, now: Instant, listener: &mut dyn Listener) -> Result<(), PoolError>;

    /// Returns the time at which [`Crew::tick`] has something to do.
    fn next_timer(&self, now: Instant) -> Option<Instant>;

    /// Watches a descriptor from outside the crew. Returns false for a descriptor that is always
    /// ready (a file).
    ///
    /// # Errors
    /// Returns the errors of the system.
    fn watch(&self, fd: BorrowedFd<'_>, outside: Outside) -> Result<bool, PoolError>;

    /// Stops watching a descriptor from outside the crew.
    fn forget(&self, fd: BorrowedFd<'_>);

    /// Returns the number of bytes held of incomplete results.
    fn held(&self) -> usize;

    /// Returns what a worker's job waits for in shared state, if it waits and that is known.
    fn awaited(&self, slot: u32) -> Option<Awaited>;

    /// Stops all workers, or lets them go on.
    fn pause(&self, stop: bool);

    /// Ends all workers. None of them has a job.
    fn end(&mut self);
}

/// Moves an instant by the time for which the system was stopped, because that time is not charged
/// to a worker.
pub(crate) fn later(instant: &mut Instant, stood: Duration) {
    *instant = instant.checked_add(stood).unwrap_or(*instant);
}
