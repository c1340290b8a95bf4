//! The ways of outcomes back to the callers that submitted the jobs.

use super::error::Error;
use super::home::{Home, may_wait};
use super::life::Life;
use crate::pool::feed::{Notice, Outcome, Sink};
use crate::wire::line::Stream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The time that a stream that does not block may stay full before a line is given up.
const UNREAD_MAX: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The bytes of a result, or the reason why there is none.
pub(super) type Delivery = Result<Vec<u8>, Error>;

/// A mailbox in which the outcomes of one call arrive, each with its index in that call.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    home: Home,
    arrived: Mutex<VecDeque<(usize, Delivery)>>,
    news: Condvar,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, VecDeque<(usize, Delivery)>> {
        // A panic of another holder leaves the queue whole.
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an outcome in.
    pub(super) fn deliver(&self, index: usize, delivery: Delivery) {
        self.lock().push_back((index, delivery));
        self.news.notify_one();
    }

    /// Takes the next outcome, waiting for it until `deadline` (for ever if `None`).
    ///
    /// # Errors
    /// Returns [`Error::TimedOut`] if no outcome has come; [`Error::Pool`] if the caller must not
    /// wait.
    pub(super) fn take(&self, deadline: Option<Instant>) -> Result<(usize, Delivery), Error> {
        self.home.enter()?;
        let mut arrived = self.lock();
        loop {
            if let Some(next) = arrived.pop_front() {
                return Ok(next);
            }
            arrived = match deadline {
                None => {
                    may_wait()?;
                    self.news.wait(arrived).unwrap_or_else(PoisonError::into_inner)
                }
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(Error::TimedOut);
                    }
                    let waited = self.news.wait_timeout(arrived, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

/// Returns the end of a wait that begins now.
pub(super) fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

/// The address to which the outcome of one job goes.
#[derive(Clone, Debug)]
pub(super) enum Address {
    /// The mailbox of a call, and the job's index there.
    Call(Arc<Mailbox>, usize),
    /// The life of the process that the job is.
    Process(Arc<Life>),
}

impl Address {
    /// Hands the outcome over.
    pub(super) fn deliver(self, delivery: Delivery) {
        match self {
            Address::Call(mailbox, index) => mailbox.deliver(index, delivery),
            Address::Process(life) => life.end(delivery),
        }
    }
}

/// The addresses of the jobs that the dispatcher has. The source adds to them and the sink removes:
/// both live in the dispatcher's thread.
pub(super) type Addresses = Rc<RefCell<HashMap<u64, Address>>>;

/// A line that a guest printed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct GuestLine<'a> {
    /// The id of the process that ran the guest.
    pub pid: i32,
    /// The stream to which the line was printed.
    pub stream: Stream,
    /// The line without its line end; it may hold any bytes.
    pub bytes: &'a [u8],
}

/// A function that receives the lines that guests print.
pub(super) type OnLog = Box<dyn Fn(GuestLine<'_>) + Send>;

/// Writes a line to a standard stream without the standard library's lock: the thread that holds
/// the lock may be waiting for this pool. If the stream is closed, or is not read for long, the
/// line is dropped.
pub(super) fn write_line(stream: &impl AsFd, line: &[u8]) {
    let whole = [line, b"\n"].concat();
    let mut left = &whole[..];
    while !left.is_empty() {
        match rustix::io::write(stream, left) {
            Ok(written) => left = &left[written..],
            Err(Errno::INTR) => {}
            // Another user of the stream has made it non-blocking.
            Err(Errno::AGAIN) => {
                let mut fds = [PollFd::new(stream, PollFlags::OUT)];
                if poll(&mut fds, Some(&UNREAD_MAX)) == Ok(0) {
                    return;
                }
            }
            // A stream that was closed does not need the line.
            Err(_) => return,
        }
    }
}

/// The sink of a library's dispatcher.
pub(super) struct Router {
    pub(super) addresses: Addresses,
    pub(super) on_log: OnLog,
}

impl Sink for Router {
    fn take(&mut self, outcome: &Outcome<'_>) -> io::Result<()> {
        if let Some(address) = self.addresses.borrow_mut().remove(&outcome.job) {
            let delivery = match outcome.result {
                Ok(bytes) => Ok(bytes.to_vec()),
                Err(failure) => Err(Error::Job(failure.clone())),
            };
            address.deliver(delivery);
        }
        Ok(())
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Log { pid, stream, line, .. } => {
                (self.on_log)(GuestLine { pid, stream, bytes: &line });
            }
            Notice::WorkerStarted { pid, job: Some(job), .. } => {
                if let Some(Address::Process(life)) = self.addresses.borrow().get(&job) {
                    life.started(pid);
                }
            }
            _ => {}
        }
    }
}

impl Router {
    /// Tells all remaining callers that no outcome will come.
    pub(super) fn give_up(&self, why: &Error) {
        for (_, address) in self.addresses.borrow_mut().drain() {
            address.deliver(Err(why.clone()));
        }
    }
}
