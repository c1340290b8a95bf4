//! A crew: who does the work that the schedule gives out.
//!
//! [`local::LocalCrew`] is one of processes of this machine. Tests have one that is simulated. What reads or
//! changes the claims of a worker is a request whose answer is an event: the local crew answers before the
//! request returns, and the schedule does not rely on that.

pub(super) mod local;

use super::error::PoolError;
use super::feed::Notice;
use super::parcel::Parcel;
use crate::wire::clock::Moment;
use crate::wire::control::ExitStatus;
use crate::wire::failure::Failure;
use crate::wire::line::Stream;
use crate::wire::waits::{Awaited, Wait, Waits};
use rustix::process::Signal;
use std::borrow::Cow;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What a dispatcher asks of its crew. A request about a worker that is not there is passed over.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    /// Have one more worker, in this slot. It may be sent parcels at once.
    /// Answer: [`Event::Forked`] or [`Event::Refused`], at any time.
    Fork { slot: u32 },
    /// Send the worker a parcel. Answer: [`Event::Written`], then its records.
    Send { slot: u32, parcel: Rc<Parcel> },
    /// Forget a batch, whose jobs are all finished or taken back.
    Forget { slot: u32, batch: u32 },
    /// Tell what is claimed. Answer: [`Event::Claims`] of each batch, then [`Event::Sampled`].
    Sample { slot: u32 },
    /// Take back at most so many of the jobs that the worker has not claimed, the last first.
    /// Answer: [`Event::Claims`] of the batches that were changed.
    TakeBack { slot: u32, most: u32 },
    /// Take what the worker has committed. Answer: records, then [`Event::Drained`].
    Drain { slot: u32 },
    /// Hear the worker's records and lines, or leave them where they are for a while.
    Hear { slot: u32, on: bool },
    /// Send the worker a signal that ends it, now or as soon as it is known.
    Kill { slot: u32, signal: Signal },
    /// Let the worker end by itself once it has done what it was sent.
    Close { slot: u32 },
    /// Do not wait for the birth or the end of a worker. Answer: [`Event::Gone`].
    Drop { slot: u32 },
    /// End what workers wait for on behalf of their guests: nobody may come any more to fulfil it.
    InterruptWaits,
    /// Have another zygote in the place of one that was lost. Answer: [`Event::Loaded`].
    RestartZygote,
    /// Do without a zygote from now on.
    EndZygote,
}

/// How a worker ended.
#[derive(Debug)]
pub(crate) struct Death {
    /// Its status, if that was told in time.
    pub(crate) status: Option<ExitStatus>,
    /// Whether the worker has been a process.
    pub(crate) born: bool,
    /// Whether it ended because of something that happened to others, too.
    pub(crate) excused: bool,
    /// The trap that the worker says has ended it.
    pub(crate) trap: Option<Failure>,
    /// What it, or its zygote, said of it before.
    pub(crate) last_words: Option<String>,
    /// Since when it is dead.
    pub(crate) since: Instant,
    /// When the job began that it ran, if that is measured.
    pub(crate) began: Option<Moment>,
    /// What the command had printed that it ran.
    pub(crate) printed: Vec<u8>,
    /// The wait in which it died: its end is not known.
    pub(crate) waited: Option<Wait>,
}

/// What a crew tells.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// A worker is a process.
    Forked { slot: u32, pid: i32 },
    /// A worker cannot be had. Without a reason, it can be in a moment.
    Refused { slot: u32, why: Option<String> },
    /// A worker is ready since then, and was asked for at that time.
    Ready { slot: u32, asked: Moment, ready: Moment },
    /// A batch has been written to its end.
    Written { slot: u32, batch: u32 },
    /// Whole records, the next ones of a batch.
    Records { slot: u32, batch: u32, bytes: Cow<'a, [u8]> },
    /// The worker has told all that there is for now.
    Quiet { slot: u32 },
    /// Of a batch, the jobs before `next` are claimed, and those from `end` on will not be.
    Claims { slot: u32, batch: u32, next: u16, end: u16 },
    /// All claims have been told.
    Sampled { slot: u32 },
    /// All that was committed has been told. The job that runs waits for this in shared state, if it does.
    Drained { slot: u32, awaited: Option<Awaited> },
    /// A guest printed a line.
    Line { slot: u32, job: u64, stream: Stream, line: &'a [u8] },
    /// A job waited in shared state.
    Waited { slot: u32, waits: Waits },
    /// The worker cannot be sent anything more: it has ended, or will not be heard of but by its end.
    Lost { slot: u32 },
    /// The worker broke the protocol.
    Broke { slot: u32, what: String },
    /// The worker's job has so much in its scratch folder, which is more than it may.
    Full { slot: u32, what: String },
    /// The worker is gone, and all that it left has been told. Its slot is free.
    Gone { slot: u32, death: Box<Death> },
    /// The zygote is gone, and its workers will be.
    ZygoteLost,
    /// Another zygote starts; the lost one ended so.
    ZygoteRestarted { how: String },
    /// The zygote has loaded the module, and its guest printed these lines meanwhile.
    Loaded { lines: Vec<Notice> },
}

/// Why an event was not taken.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The worker broke the protocol: it is to be heard no more.
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

/// Who hears what a crew tells.
pub(crate) trait Listener {
    /// Takes an event.
    ///
    /// # Errors
    /// [`Stop`]: the event shows that its worker lies, or ends the run.
    fn hear(&mut self, event: Event<'_>) -> Result<(), Stop>;
}

/// What is awaited beside the crew itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outside {
    /// The source may have more jobs.
    Source,
    /// The sink can take more bytes.
    Sink,
    /// There may be a command.
    Commands,
}

/// Who does the work.
pub(crate) trait Crew {
    /// Where an event comes from.
    type Token: Copy;

    /// Returns the time.
    fn now(&self) -> Instant;

    /// Carries out a request.
    ///
    /// # Errors
    /// The run cannot go on.
    fn carry_out(&mut self, request: Request, listener: &mut dyn Listener)
    -> Result<(), PoolError>;

    /// Looks for events without sleeping, for a moment if nothing else is to be done (`idle`).
    ///
    /// # Errors
    /// That of the system.
    fn look(&mut self, idle: bool, tokens: &mut Vec<Self::Token>) -> Result<(), PoolError>;

    /// Waits for events, at most until then.
    ///
    /// # Errors
    /// That of the system.
    fn wait(&mut self, until: Instant, tokens: &mut Vec<Self::Token>) -> Result<(), PoolError>;

    /// Handles an event of the crew; answers with where it comes from if it is another's.
    ///
    /// # Errors
    /// The run cannot go on.
    fn handle(
        &mut self,
        token: Self::Token,
        listener: &mut dyn Listener,
    ) -> Result<Option<Outside>, PoolError>;

    /// Does what is due.
    ///
    /// # Errors
    /// The run cannot go on.
    fn tick(&mut self, now: Instant, listener: &mut dyn Listener) -> Result<(), PoolError>;

    /// Returns when [`Crew::tick`] has something to do.
    fn next_timer(&self, now: Instant) -> Option<Instant>;

    /// Watches a descriptor of somebody else's; false for one that is always ready (a file).
    ///
    /// # Errors
    /// That of the system.
    fn watch(&self, fd: BorrowedFd<'_>, outside: Outside) -> Result<bool, PoolError>;

    /// Watches such a descriptor no more.
    fn forget(&self, fd: BorrowedFd<'_>);

    /// Returns bytes held of results that are not whole yet.
    fn held(&self) -> usize;

    /// Returns what a worker's job waits for in shared state, if that is known and it does.
    fn awaited(&self, slot: u32) -> Option<Awaited>;

    /// Stops all workers, or lets them go on.
    fn pause(&self, stop: bool);

    /// Ends all workers, of which none has a job.
    fn end(&mut self);
}

/// The time for which the system has been stopped is no worker's.
pub(crate) fn later(instant: &mut Instant, stood: Duration) {
    *instant = instant.checked_add(stood).unwrap_or(*instant);
}
