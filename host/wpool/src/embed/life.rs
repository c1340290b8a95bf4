//! The life of a process: the dispatcher's thread notes its events, and any other thread may wait
//! for them.

use super::error::Error;
use super::home::{Home, may_wait};
use super::reply::Delivery;
use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The exit code of a process that was lost with its launcher, as in Python when its fork server
/// dies.
const LOST: i32 = 255;

/// The life of a process.
#[derive(Debug)]
pub(super) struct Life {
    home: Home,
    state: Mutex<State>,
    news: Condvar,
    /// An eventfd that is readable once the process has ended.
    sentinel: OwnedFd,
    /// The number of the launcher's processes that are alive.
    alive: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct State {
    pid: Option<i32>,
    /// The first signal by which the process was asked to end.
    asked: Option<i32>,
    ended: Option<Delivery>,
}

impl Life {
    /// Begins the life of a process that is about to start, unless `most` processes are alive.
    ///
    /// # Errors
    /// Returns an error if `most` processes are alive, or if no descriptor is left.
    pub(super) fn begin(alive: &Arc<AtomicUsize>, most: usize) -> io::Result<Arc<Life>> {
        let sentinel = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        // The count orders nothing else, so relaxed is enough.
        if alive.fetch_add(1, Ordering::Relaxed) >= most {
            alive.fetch_sub(1, Ordering::Relaxed);
            return Err(io::Error::other(format!("{most} processes are alive already")));
        }
        Ok(Arc::new(Life {
            home: Home::default(),
            state: Mutex::default(),
            news: Condvar::new(),
            sentinel,
            alive: Arc::clone(alive),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic of another holder leaves the state whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the process has started.
    pub(super) fn started(&self, pid: i32) {
        self.lock().pid = Some(pid);
        self.news.notify_all();
    }

    /// Notes that the process has ended.
    pub(super) fn end(&self, delivery: Delivery) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
        self.lock().ended = Some(delivery);
        self.news.notify_all();
        // The counter is never read, so one write never fills it.
        let _ = rustix::io::write(&self.sentinel, &1u64.to_ne_bytes());
    }

    /// Notes that the process is about to be asked to end by `signal`.
    pub(super) fn ask(&self, signal: i32) {
        self.lock().asked.get_or_insert(signal);
    }

    /// Waits for the start of the process, and returns its id.
    ///
    /// # Errors
    /// Returns the reason why the process did not start.
    pub(super) fn wait_for_start(&self) -> Result<i32, Error> {
        self.home.enter()?;
        let mut state = self.lock();
        loop {
            match (state.pid, &state.ended) {
                (Some(pid), _) => return Ok(pid),
                (None, Some(Err(error))) => return Err(error.clone()),
                (None, Some(Ok(_))) => return Err(Error::Pool("it has no process".into())),
                (None, None) => may_wait()?,
            }
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for the end of the process until `deadline` (for ever if `None`). Returns its result.
    ///
    /// # Errors
    /// Returns [`Error::TimedOut`] if the process is still alive; [`Error::Pool`] if the caller
    /// must not wait.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Result<Delivery, Error> {
        self.home.enter()?;
        let mut state = self.lock();
        loop {
            if let Some(ended) = &state.ended {
                return Ok(ended.clone());
            }
            state = match deadline {
                None => {
                    may_wait()?;
                    self.news.wait(state).unwrap_or_else(PoisonError::into_inner)
                }
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(Error::TimedOut);
                    }
                    let waited = self.news.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Returns the id of the process, which has started.
    pub(super) fn pid(&self) -> i32 {
        self.lock().pid.unwrap_or_default()
    }

    /// Returns whether the process is alive, as far as the calling process can know.
    pub(super) fn is_alive(&self) -> bool {
        self.home.is_here() && self.lock().ended.is_none()
    }

    /// Returns the exit code, if the process has ended.
    pub(super) fn exit_code(&self) -> Option<i32> {
        const KILL: i32 = 9;
        let state = self.lock();
        Some(match state.ended.as_ref()? {
            Ok(_) => 0,
            // The job was given up before there was a process to send a signal to.
            Err(Error::Job(failure)) if failure.is_unsent() => -state.asked.unwrap_or(KILL),
            Err(Error::Job(failure)) => failure.exit_code(),
            Err(Error::Closed) => -KILL,
            Err(_) => LOST,
        })
    }

    /// Returns a descriptor that is readable once the process has ended.
    pub(super) fn sentinel(&self) -> BorrowedFd<'_> {
        self.sentinel.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Failure, FailureKind};

    #[test]
    fn only_so_many_are_alive_at_once_and_an_end_makes_room() {
        let alive = Arc::default();
        let begin = || Life::begin(&alive, 2);
        let first = begin().unwrap();
        let _second = begin().unwrap();
        assert!(begin().unwrap_err().to_string().contains("2 processes are alive already"));
        first.end(Ok(Vec::new()));
        assert!(begin().is_ok());
    }

    #[test]
    fn how_it_was_first_asked_to_end_tells_where_no_signal_was_sent() {
        let cancelled = Failure::new(FailureKind::Cancelled, "");
        let life = Life::begin(&Arc::default(), 1).unwrap();
        assert_eq!(life.exit_code(), None);
        life.ask(15);
        life.ask(9);
        life.end(Err(Error::Job(cancelled.clone())));
        assert_eq!(life.exit_code(), Some(-15));
        for (why, code) in [
            (Error::Job(cancelled), -9),
            (Error::Job(Failure::new(FailureKind::Trap, "")), -6),
            (Error::Closed, -9),
            (Error::Pool("three zygotes were lost".into()), 255),
        ] {
            let life = Life::begin(&Arc::default(), 1).unwrap();
            life.end(Err(why));
            assert_eq!(life.exit_code(), Some(code));
        }
    }

    #[test]
    fn one_that_ends_without_having_started_tells_why() {
        let life = Life::begin(&Arc::default(), 1).unwrap();
        life.end(Err(Error::Closed));
        assert_eq!(life.wait_for_start(), Err(Error::Closed));
    }
}
