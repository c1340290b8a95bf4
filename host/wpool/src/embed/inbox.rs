//! The way into a pool: a bounded queue of jobs, and commands, with an eventfd each.

use super::error::Error;
use super::home::{Home, may_wait};
use super::reply::{Address, Addresses};
use crate::pool::feed::{Command, Commands, Fill, InputQueue, Source};
use crate::wire::failure::{Failure, FailureDetail, FailureKind};
use rustix::event::{EventfdFlags, eventfd};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The greatest number of jobs that wait in an inbox; a caller that submits more waits.
const JOBS_MAX: usize = 4096;

/// The number by which a submitted job is known.
pub(super) type Ticket = u64;

/// A submitted job, with the address for its outcome.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) job: Vec<u8>,
    pub(super) address: Address,
}

#[derive(Debug, Default)]
struct Queue {
    /// The jobs that the dispatcher has not taken; the first has the ticket `next_number`.
    waiting: VecDeque<Option<Submission>>,
    bytes: usize,
    /// The ticket of the next job that the dispatcher takes. Tickets are job numbers: jobs are
    /// numbered in the order of submission.
    next_number: Ticket,
    commands: VecDeque<Command>,
    closed: bool,
    /// The reason why the dispatcher has ended.
    ended: Option<Error>,
}

/// The way into a pool, shared by its handles and its dispatcher.
#[derive(Debug)]
pub(super) struct Inbox {
    home: Home,
    queue: Mutex<Queue>,
    room: Condvar,
    bytes_max: usize,
    jobs_bell: OwnedFd,
    commands_bell: OwnedFd,
}

impl Inbox {
    /// Makes an empty inbox for at most `bytes_max` bytes of jobs.
    ///
    /// # Errors
    /// Returns the error of `eventfd`, if no descriptors are left.
    pub(super) fn new(bytes_max: usize) -> io::Result<Inbox> {
        let bell = || eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        Ok(Inbox {
            home: Home::default(),
            queue: Mutex::default(),
            room: Condvar::new(),
            bytes_max,
            jobs_bell: bell()?,
            commands_bell: bell()?,
        })
    }

    /// Returns the process that the pool belongs to.
    pub(super) fn home(&self) -> Home {
        self.home
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic of another holder leaves the queue whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Submits a job, waiting while the inbox is full. Returns the job's ticket.
    ///
    /// # Errors
    /// Returns an error if the pool is closed or has ended, if the calling thread must not wait, or
    /// if the job is larger than the inbox.
    pub(super) fn submit(&self, submission: Submission) -> Result<Ticket, Error> {
        self.home.enter()?;
        let bytes = submission.job.len();
        if bytes > self.bytes_max {
            let why = format!("too large: {bytes} bytes, more than {}", self.bytes_max);
            let failure = Failure::new(FailureKind::InvalidJob, why);
            return Err(Error::Job(failure.detailed(FailureDetail::JobBytes)));
        }
        let mut queue = self.lock();
        loop {
            if let Some(why) = &queue.ended {
                return Err(why.clone());
            }
            if queue.closed {
                return Err(Error::Closed);
            }
            let empty = queue.waiting.is_empty();
            let fits = queue.waiting.len() < JOBS_MAX && queue.bytes + bytes <= self.bytes_max;
            if empty || fits {
                break;
            }
            may_wait()?;
            queue = self.room.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let ticket = queue.next_number + queue.waiting.len() as u64;
        queue.bytes += bytes;
        let first = queue.waiting.is_empty();
        queue.waiting.push_back(Some(submission));
        drop(queue);
        if first {
            ring(&self.jobs_bell);
        }
        Ok(ticket)
    }

    /// Gives a job up, whether it still waits or runs already.
    pub(super) fn cancel(&self, ticket: Ticket) {
        self.give_up(ticket, Command::Cancel(ticket));
    }

    /// Gives a job up. A process that runs it is asked to end.
    pub(super) fn terminate(&self, ticket: Ticket) {
        self.give_up(ticket, Command::Terminate(ticket));
    }

    /// Gives a job up in the inbox, or by a command if the dispatcher has taken it.
    fn give_up(&self, ticket: Ticket, command: Command) {
        if !self.home.is_here() {
            return;
        }
        let mut queue = self.lock();
        let Some(at) = ticket.checked_sub(queue.next_number) else {
            drop(queue);
            return self.command(command);
        };
        let submission = queue.waiting.get_mut(at as usize).and_then(Option::take);
        queue.bytes -= submission.as_ref().map_or(0, |submission| submission.job.len());
        drop(queue);
        if let Some(Submission { address, .. }) = submission {
            self.room.notify_all();
            address.deliver(Err(cancelled()));
        }
    }

    /// Sends a command to the dispatcher.
    pub(super) fn command(&self, command: Command) {
        if !self.home.is_here() {
            return;
        }
        self.lock().commands.push_back(command);
        ring(&self.commands_bell);
    }

    /// Closes the inbox for new jobs.
    pub(super) fn close(&self) {
        if !self.home.is_here() {
            return;
        }
        self.lock().closed = true;
        self.room.notify_all();
        ring(&self.jobs_bell);
    }

    /// Ends the inbox with the dispatcher. Callers that wait for room, or for a job that is still
    /// here, get the error `why`.
    pub(super) fn end(&self, why: Error) {
        let mut queue = self.lock();
        for Submission { address, .. } in queue.waiting.drain(..).flatten() {
            address.deliver(Err(why.clone()));
        }
        queue.ended = Some(why);
        drop(queue);
        self.room.notify_all();
    }
}

fn cancelled() -> Error {
    Error::Job(Failure::new(FailureKind::Cancelled, ""))
}

fn ring(bell: &OwnedFd) {
    // A full counter means that the bell has been rung often enough.
    let _ = rustix::io::write(bell, &1u64.to_ne_bytes());
}

fn silence(bell: &OwnedFd) {
    // An empty counter means that the bell was silent.
    let _ = rustix::io::read(bell, &mut [0; 8]);
}

/// The dispatcher's end of the queue of jobs.
pub(super) struct InboxSource {
    pub(super) inbox: Arc<Inbox>,
    pub(super) addresses: Addresses,
}

impl Source for InboxSource {
    fn fill(&mut self, inputs: &mut InputQueue, room: usize) -> io::Result<Fill> {
        silence(&self.inbox.jobs_bell);
        let mut queue = self.inbox.lock();
        if queue.commands.contains(&Command::Kill) {
            // This is not the end of the jobs: the pool is terminated, as its dispatcher is about
            // to learn.
            return Ok(Fill::Blocked);
        }
        let mut addresses = self.addresses.borrow_mut();
        while inputs.bytes() < room {
            let Some(waiting) = queue.waiting.pop_front() else { break };
            queue.next_number += 1;
            match waiting {
                Some(Submission { job, address }) => {
                    queue.bytes -= job.len();
                    addresses.insert(inputs.next_number(), address);
                    inputs.push(&job);
                }
                // The job was cancelled while it waited, and its caller was told.
                None => inputs.skip(),
            }
        }
        let (empty, closed) = (queue.waiting.is_empty(), queue.closed);
        drop(queue);
        self.inbox.room.notify_all();
        Ok(match (empty, closed) {
            (false, _) => Fill::More,
            (true, true) => Fill::End,
            (true, false) => Fill::Blocked,
        })
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.inbox.jobs_bell.as_fd())
    }

    fn remaining(&self) -> Option<u64> {
        None
    }
}

/// The dispatcher's end of the queue of commands.
pub(super) struct InboxCommands(pub(super) Arc<Inbox>);

impl Commands for InboxCommands {
    fn next(&mut self) -> Option<Command> {
        silence(&self.0.commands_bell);
        self.0.lock().commands.pop_front()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.commands_bell.as_fd())
    }
}
