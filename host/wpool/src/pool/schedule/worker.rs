//! A worker as the schedule sees it.

use super::window::Window;
use crate::pool::crew::later;
use crate::wire::failure::{Failure, FailureKind, SCRATCH_FULL};
use crate::wire::waits::Awaited;
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// Time after which a worker that does not begin with its jobs is silent.
const SILENCE: Duration = Duration::from_millis(100);

/// Which jobs a worker is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Post {
    /// All.
    Ordinary,
    /// Only the job that all others wait for, while memory is short. Such a worker is one beyond those that were
    /// asked for, and is never given anything else: it must be idle when it is needed.
    Awaited,
}

/// How far a worker has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It was asked for.
    Forking,
    /// It is a process.
    Starting,
    /// It is ready.
    Up,
    /// It can be sent nothing more, and is about to end.
    Lost,
}

/// What is to become of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    /// It is to work.
    Serve,
    /// It is to end once it has done what it was sent.
    Close,
    /// It is to end at once.
    Kill(Killed),
}

/// Why a worker is killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Killed {
    /// Its job ran longer than this, and waited for that when its time was over.
    Timeout(Duration, Option<Awaited>),
    /// Its job had so much in its scratch folder.
    Full(String),
    /// Its job was cancelled, or the whole run.
    Cancelled(String),
    /// Its job was cancelled, by SIGTERM.
    Terminated,
    /// It broke the protocol.
    Protocol(String),
    /// It was sent a job and did not begin with it for so long: it is stopped, perhaps. No job is charged.
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
            Killed::Full(what) => {
                Failure::new(FailureKind::OutOfMemory, format!("{SCRATCH_FULL} {what}"))
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

/// Which claim was seen last, and since when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) batch: u32,
    pub(crate) next: u16,
    pub(crate) since: Instant,
}

/// What is decided once it is known what a worker had committed when it was fenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is killed if the job that it had claimed last in this batch has no record.
    Late { batch: u32, claimed: u16 },
    /// It is killed, since it was silent for so long.
    Silent(Duration),
}

/// A worker as the schedule sees it.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) post: Post,
    pub(crate) life: Life,
    pub(crate) intent: Intent,
    pub(crate) window: Window,
    /// Its process id; 0 while that is not known.
    pub(crate) pid: i32,
    /// When it was asked for.
    pub(crate) asked: Instant,
    /// Whether it has ever been ready.
    pub(crate) was_up: bool,
    /// Whether its pipe is read, as far as it is known who it is.
    pub(crate) heard: bool,
    /// Whether a look at its claims has been asked for.
    pub(crate) looked_at: bool,
    /// Whether jobs have been asked back, and the answer is not known.
    pub(crate) asked_back: bool,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) seen: Option<Seen>,
    /// Since when it has been sent a job and has begun with none, nor finished one, although nothing is in its
    /// way.
    pub(crate) silent: Option<Instant>,
    /// Bytes of lines that it has sent since its last record.
    pub(crate) printed: u64,
    /// The lowest job that it had not finished when it was lost.
    pub(crate) first_left: Option<u64>,
}

impl Worker {
    /// Returns a worker that is asked for now.
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

    /// Returns whether the worker is alive as far as is known, and not about to end.
    pub(crate) fn is_serving(&self) -> bool {
        self.life != Life::Lost && self.intent == Intent::Serve
    }

    /// Returns whether others may have the worker's jobs, and it gets no more, because it does not begin with
    /// them.
    pub(crate) fn is_silent(&self, now: Instant) -> bool {
        self.silent.is_some_and(|silent| now.saturating_duration_since(silent) >= SILENCE)
    }

    /// Returns whether the worker may be sent another batch, of at most `most` in flight.
    pub(crate) fn has_room(&self, most: usize, now: Instant) -> bool {
        self.is_serving() && !self.is_silent(now) && self.window.has_room(most)
    }

    /// Returns the jobs that others may have.
    pub(crate) fn unclaimed(&self, now: Instant) -> u32 {
        let apart = self.life == Life::Lost || self.asked_back;
        if apart { 0 } else { self.window.unclaimed(self.is_silent(now)) }
    }

    /// Returns whether the worker's records are heard.
    pub(crate) fn is_heard(&self) -> bool {
        self.heard && self.life != Life::Forking
    }

    /// Takes note that clocks stood for a time.
    pub(crate) fn stood(&mut self, time: Duration) {
        if let Some(seen) = &mut self.seen {
            later(&mut seen.since, time);
        }
        if let Some(silent) = &mut self.silent {
            later(silent, time);
        }
    }

    /// Returns the job that the worker is running, as far as is known, and for how long.
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
