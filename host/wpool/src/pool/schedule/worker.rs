//! A worker as the schedule sees it.

use super::window::Window;
use crate::pool::crew::later;
use crate::wire::failure::{Failure, FailureDetail, FailureKind};
use crate::wire::scratch::Excess;
use crate::wire::waits::Awaited;
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// The time after which a worker that has not started its jobs is silent.
const SILENCE: Duration = Duration::from_millis(100);

/// The jobs that a worker may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Post {
    /// The worker may be given any job.
    Ordinary,
    /// The worker may be given only the job that all others wait for, while memory is short. Such a
    /// worker comes on top of the configured number, and is never given anything else, so that it
    /// is idle when it is needed.
    Awaited,
}

/// The stage of a worker's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// The worker has been requested.
    Forking,
    /// The worker is a process, but not ready yet.
    Starting,
    /// The worker is ready.
    Up,
    /// The worker can be sent nothing more, and is about to end.
    Lost,
}

/// The plan for a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// The worker is to do jobs.
    Serve,
    /// The worker is to end once it has done the jobs it was sent.
    Close,
    /// The worker is to end at once.
    Kill(Killed),
}

/// The reason for which a worker is killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Killed {
    /// The worker's job ran longer than this duration. The second field is what the job waited for
    /// when its time was over.
    Timeout(Duration, Option<Awaited>),
    /// The scratch folder of the worker's job held more than this limit.
    Full(Excess),
    /// The worker's job, or the whole run, was cancelled.
    Cancelled(String),
    /// The worker's job was cancelled by SIGTERM.
    Terminated,
    /// The worker broke the protocol.
    Protocol(String),
    /// The worker was sent a job and did not start it for this long, perhaps because the worker is
    /// stopped. No job is charged.
    Silent(Duration),
}

impl Killed {
    /// Returns the failure of the job that the worker runs.
    pub(crate) fn failure(&self) -> Failure {
        match self {
            Killed::Timeout(limit, awaited) => {
                let mut message = format!("it ran longer than {limit:?}");
                if let Some(awaited) = awaited {
                    message += &format!(", waiting for {awaited}");
                }
                let awaited = awaited.clone().map(Box::new);
                Failure { awaited, ..Failure::new(FailureKind::Timeout, message) }
            }
            Killed::Full(excess) => {
                let detail = match excess {
                    Excess::Bytes(_) => FailureDetail::ScratchBytes,
                    Excess::Files(_) | Excess::Depth(_) => FailureDetail::ScratchFiles,
                };
                let message = format!("its scratch folder has more than {excess}");
                Failure::new(FailureKind::OutOfMemory, message).detailed(detail)
            }
            Killed::Cancelled(why) => Failure::new(FailureKind::Cancelled, why.clone()),
            Killed::Terminated => Failure::new(FailureKind::Cancelled, ""),
            Killed::Protocol(what) => {
                Failure::new(FailureKind::WorkerLost, format!("it broke the protocol: {what}"))
            }
            Killed::Silent(time) => Failure::new(
                FailureKind::WorkerLost,
                format!("it did not begin with a job for {time:?}"),
            ),
        }
    }

    /// Returns whether the worker is killed for a reason that is not its own fault.
    pub(crate) fn is_asked_for(&self) -> bool {
        !matches!(self, Killed::Protocol(_) | Killed::Silent(_))
    }

    /// Returns the signal that ends the worker.
    pub(crate) fn signal(&self) -> Signal {
        match self {
            Killed::Terminated => Signal::TERM,
            Killed::Timeout(..)
            | Killed::Full(_)
            | Killed::Cancelled(_)
            | Killed::Protocol(_)
            | Killed::Silent(_) => Signal::KILL,
        }
    }
}

/// The claim that was seen last, and the time since which it has been seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) batch: u32,
    pub(crate) next: u16,
    pub(crate) since: Instant,
}

/// The decision that takes effect once it is known what a fenced worker had committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The worker is killed if the job that it claimed last in this batch has no record.
    Late { batch: u32, claimed: u16 },
    /// The worker is killed because it was silent for this long.
    Silent(Duration),
}

/// A worker as the schedule sees it.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) post: Post,
    pub(crate) life: Life,
    pub(crate) intent: Intent,
    pub(crate) window: Window,
    /// The process id of the worker; 0 while it is unknown.
    pub(crate) pid: i32,
    /// The time at which the worker was requested.
    pub(crate) asked: Instant,
    /// True if the worker has ever been ready.
    pub(crate) was_up: bool,
    /// True if the worker's pipe is to be read once its process is known.
    pub(crate) heard: bool,
    /// True if a look at the worker's claims has been requested.
    pub(crate) looked_at: bool,
    /// True if jobs have been requested back from the worker and the answer has not come.
    pub(crate) asked_back: bool,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) seen: Option<Seen>,
    /// The time since which the worker has had a job without starting or finishing any, although
    /// nothing prevents it.
    pub(crate) silent: Option<Instant>,
    /// The number of bytes of lines that the worker has sent since its last record.
    pub(crate) printed: u64,
    /// The lowest job that it had not finished when it was lost.
    pub(crate) first_left: Option<u64>,
}

impl Worker {
    /// Returns a worker that is requested now.
    pub(crate) fn new(post: Post, now: Instant) -> Worker {
        Worker {
            post,
            life: Life::Forking,
            intent: Intent::Serve,
            window: Window::new(now),
            pid: 0,
            asked: now,
            was_up: false,
            heard: false,
            looked_at: false,
            asked_back: false,
            verdict: None,
            seen: None,
            silent: None,
            printed: 0,
            first_left: None,
        }
    }

    /// Returns whether the worker is alive, as far as is known, and not about to end.
    pub(crate) fn is_serving(&self) -> bool {
        self.life != Life::Lost && self.intent == Intent::Serve
    }

    /// Returns whether the worker's jobs may go to others, and the worker gets no more, because it
    /// does not start them.
    pub(crate) fn is_silent(&self, now: Instant) -> bool {
        self.silent.is_some_and(|silent| now.saturating_duration_since(silent) >= SILENCE)
    }

    /// Returns whether the worker may be sent another batch, with at most `most` in flight.
    pub(crate) fn has_room(&self, most: usize, now: Instant) -> bool {
        self.is_serving() && !self.is_silent(now) && self.window.has_room(most)
    }

    /// Returns the number of jobs that may go to other workers.
    pub(crate) fn unclaimed(&self, now: Instant) -> u32 {
        let apart = self.life == Life::Lost || self.asked_back;
        if apart { 0 } else { self.window.unclaimed(self.is_silent(now)) }
    }

    /// Returns whether the worker's records are read.
    pub(crate) fn is_heard(&self) -> bool {
        self.heard && self.life != Life::Forking
    }

    /// Notes that all clocks stood still for a time.
    pub(crate) fn stood(&mut self, time: Duration) {
        if let Some(seen) = &mut self.seen {
            later(&mut seen.since, time);
        }
        if let Some(silent) = &mut self.silent {
            later(silent, time);
        }
    }

    /// Returns the job that the worker is running, as far as is known, and the time for which it
    /// has run.
    pub(crate) fn running(&self, now: Instant) -> Option<(u64, Duration)> {
        let batch = self.window.batches.front()?;
        let index = batch.claimed.checked_sub(1)?;
        if index < batch.received || index >= batch.limit {
            return None;
        }
        let since =
            self.seen.map_or(Duration::ZERO, |seen| now.saturating_duration_since(seen.since));
        Some((batch.parcel.number(index), since))
    }
}
