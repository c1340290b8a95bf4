//! A worker as the dispatcher sees it.

use super::batch::Batch;
use super::events::{Events, Token};
use super::feed::{Notice, Sink};
use crate::wire::channel::FrameBuffer;
use crate::wire::control::{ExitStatus, Membership, WorkerId};
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::jobmem::JobMem;
use crate::wire::waits::Awaited;
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::process::{Signal, pidfd_send_signal};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

/// Bytes asked for in each pipe; a kernel that does not allow it leaves what it has.
pub(super) const PIPE_BYTES: usize = 1 << 20;

/// Time after which a worker that does not begin with its jobs is silent.
const SILENCE: Duration = Duration::from_millis(100);

/// Most batches in flight to one worker.
pub(super) const BATCHES_MAX: usize = 2;

/// Why the dispatcher killed a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Killed {
    /// Its job ran longer than this, and waited for that when its time was over.
    Timeout(Duration, Option<Awaited>),
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
    /// The failure of the job that the worker runs.
    pub(super) fn failure(&self) -> Failure {
        match self {
            Killed::Timeout(limit, awaited) => {
                let mut message = format!("it ran longer than {limit:?}");
                if let Some(awaited) = awaited {
                    message += &format!(", waiting for {awaited}");
                }
                let awaited = awaited.clone().map(Box::new);
                Failure { awaited, ..Failure::new(FailureKind::Timeout, message) }
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

    /// Returns whether the worker was killed for a reason that is not its own fault.
    pub(super) fn is_asked_for(&self) -> bool {
        !matches!(self, Killed::Protocol(_) | Killed::Silent(_))
    }

    /// The signal that it is done by.
    pub(super) fn signal(&self) -> Signal {
        match self {
            Killed::Terminated => Signal::TERM,
            Killed::Timeout(..)
            | Killed::Cancelled(_)
            | Killed::Protocol(_)
            | Killed::Silent(_) => Signal::KILL,
        }
    }
}

/// Which jobs a worker is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Post {
    /// All.
    Ordinary,
    /// Only the job that all others wait for, while memory is short. It is one beyond those that were asked
    /// for, and is never given anything else: it must be idle when it is needed.
    Awaited,
}

/// Which claim the dispatcher saw last, and since when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) batch: u32,
    pub(super) next: u16,
    pub(super) since: Instant,
}

/// A worker as the dispatcher sees it.
#[derive(Debug)]
pub(super) struct WorkerHandle {
    pub(super) id: WorkerId,
    pub(super) post: Post,
    /// Its slot in shared state, if it takes part in any.
    pub(super) member: Option<Membership>,
    /// Its process id, once the zygote has told.
    pub(super) pid: Option<i32>,
    pub(super) pidfd: Option<OwnedFd>,
    /// The pipe of jobs; closed when the worker is to end by itself.
    pub(super) jobs: Option<File>,
    pub(super) results: File,
    pub(super) memory: JobMem,
    pub(super) frames: FrameBuffer,
    pub(super) in_flight: VecDeque<Batch>,
    next_batch: u32,
    /// Jobs sent to it so far.
    pub(super) jobs_sent: u64,
    /// When it was asked for.
    pub(super) asked: Instant,
    pub(super) ready: bool,
    pub(super) killed: Option<Killed>,
    /// What it said of itself before it gave up.
    pub(super) fatal: Option<String>,
    /// Since when only the end of its pipe can tell of its death, because its zygote died before it had sent a
    /// descriptor for it.
    pub(super) orphaned: Option<Instant>,
    /// Whether nobody has the other end of its pipe any more.
    pub(super) hung_up: bool,
    /// When its end was seen.
    pub(super) ended: Option<Instant>,
    pub(super) status: Option<ExitStatus>,
    pub(super) seen: Option<Seen>,
    /// Since when it has been sent a job and has begun with none, nor finished one, although nothing is in its
    /// way.
    pub(super) silent: Option<Instant>,
    /// Bytes of lines that it has sent since its last record.
    pub(super) logged: u64,
    /// When the last batch was done, or the first was sent.
    pub(super) batch_start: Instant,
    reading: bool,
    writing: bool,
}

/// The worker's ends of its pipes and its memory, to be sent to the zygote.
pub(super) struct WorkerEnds {
    pub(super) jobs: OwnedFd,
    pub(super) results: OwnedFd,
    pub(super) memory: OwnedFd,
}

/// Descriptors that a pool leaves to the rest of the program when it makes a worker: for its inputs and outputs,
/// and for what the zygote sends.
const DESCRIPTORS_LEFT: usize = 8;

impl WorkerHandle {
    /// Makes the pipes and the job memory of a worker, and leaves room for the descriptors of so many workers
    /// that are `coming`.
    ///
    /// # Errors
    /// No descriptors or no memory.
    pub(super) fn new(id: WorkerId, post: Post, coming: usize) -> io::Result<(Self, WorkerEnds)> {
        let (jobs_read, jobs) = pipe_with(PipeFlags::CLOEXEC)?;
        let (results, results_write) = pipe_with(PipeFlags::CLOEXEC)?;
        for pipe in [&jobs, &results] {
            // Refused where the user has many pipes already.
            let _ = fcntl_setpipe_size(pipe, PIPE_BYTES);
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        let (memory, memory_fd) = JobMem::create()?;
        let room = (0..DESCRIPTORS_LEFT + coming).map(|_| results.try_clone());
        room.collect::<io::Result<Vec<_>>>().map(drop)?;
        let now = Instant::now();
        let handle = WorkerHandle {
            id,
            post,
            member: None,
            pid: None,
            pidfd: None,
            jobs: Some(File::from(jobs)),
            results: File::from(results),
            memory,
            frames: FrameBuffer::default(),
            in_flight: VecDeque::with_capacity(BATCHES_MAX),
            next_batch: 0,
            jobs_sent: 0,
            asked: now,
            ready: false,
            killed: None,
            fatal: None,
            orphaned: None,
            hung_up: false,
            ended: None,
            status: None,
            seen: None,
            silent: None,
            logged: 0,
            batch_start: now,
            reading: false,
            writing: false,
        };
        let ends = WorkerEnds { jobs: jobs_read, results: results_write, memory: memory_fd };
        Ok((handle, ends))
    }

    /// Returns whether it may be sent another batch, of at most `most` in flight.
    pub(super) fn has_room(&self, most: usize) -> bool {
        // The half of job memory that the next batch uses must be free.
        let free = || self.in_flight.iter().all(|batch| (batch.id ^ self.next_batch) & 1 == 1);
        let open = self.is_serving() && !self.is_silent();
        open && self.in_flight.len() < most && free()
    }

    /// Returns whether others may have its jobs, and it gets no more, because it does not begin with them.
    fn is_silent(&self) -> bool {
        self.silent.is_some_and(|since| since.elapsed() >= SILENCE)
    }

    /// Jobs that it has been sent and has not started, as far as job memory tells. Those of a worker
    /// that has started none are counted only if it is silent: else it is about to.
    pub(super) fn unclaimed(&self) -> u32 {
        let mut unclaimed = 0;
        for (at, batch) in self.in_flight.iter().enumerate() {
            let Some(claimed) = self.memory.claimed(batch.id) else { continue };
            let started = claimed.next > 0 || at > 0 || self.is_silent();
            if started && self.ended.is_none() {
                let end = claimed.end.min(batch.limit);
                unclaimed += u32::from(end.saturating_sub(claimed.next));
            }
        }
        unclaimed
    }

    /// Whether it is alive as far as is known, and not about to end.
    pub(super) fn is_serving(&self) -> bool {
        self.jobs.is_some() && self.killed.is_none() && self.ended.is_none()
    }

    /// Number of the next batch.
    pub(super) fn next_batch(&mut self) -> u32 {
        let batch = self.next_batch;
        self.next_batch = batch.wrapping_add(1);
        batch
    }

    /// Offers a batch and writes as much of it as the pipe takes.
    ///
    /// # Errors
    /// Those of the pipe; a worker that has ended is not an error (its end is an event).
    pub(super) fn send(&mut self, batch: Batch, events: &Events) -> io::Result<()> {
        self.memory.arm(batch.id, batch.count());
        self.jobs_sent += u64::from(batch.count());
        if self.in_flight.is_empty() {
            self.batch_start = batch.sent;
        }
        self.in_flight.push_back(batch);
        self.write(events)
    }

    /// Writes what is unwritten, as far as the pipe takes it.
    ///
    /// # Errors
    /// As [`WorkerHandle::send`].
    pub(super) fn write(&mut self, events: &Events) -> io::Result<()> {
        let Some(pipe) = &self.jobs else { return Ok(()) };
        let mut blocked = false;
        'batches: for batch in &mut self.in_flight {
            loop {
                let unwritten = batch.unwritten();
                if unwritten.is_empty() {
                    break;
                }
                match (&*pipe).write(&unwritten) {
                    Ok(written) => batch.written += written,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        blocked = true;
                        break 'batches;
                    }
                    // It has ended; the pidfd tells.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break 'batches,
                    Err(error) => return Err(error),
                }
            }
        }
        if blocked != self.writing {
            self.writing = blocked;
            if blocked {
                events.watch_writable(pipe, Token::Jobs(self.id.slot))?;
            } else {
                events.forget(pipe);
            }
        }
        Ok(())
    }

    /// Lets the worker end by itself once it has done what it was sent.
    pub(super) fn retire(&mut self, events: &Events) {
        if let Some(pipe) = self.jobs.take()
            && self.writing
        {
            events.forget(&pipe);
            self.writing = false;
        }
    }

    /// Reads from its pipe, or leaves it alone for a while.
    ///
    /// # Errors
    /// That of epoll_ctl.
    pub(super) fn set_reading(&mut self, reading: bool, events: &Events) -> io::Result<()> {
        // What a worker says is heard once it is known who it is, or that nobody will tell.
        let is_known = self.pid.is_some() || self.orphaned.is_some();
        if reading == self.reading || self.ended.is_some() || self.hung_up || !is_known {
            return Ok(());
        }
        self.reading = reading;
        if reading {
            events.watch_readable(&self.results, Token::Results(self.id.slot))?;
            // Its clock stood while it might have waited for the dispatcher.
            self.seen = None;
        } else {
            events.forget(&self.results);
        }
        Ok(())
    }

    /// Whether its pipe is read.
    pub(super) fn is_reading(&self) -> bool {
        self.reading
    }

    /// Kills it, and tells so the first time. What it has committed still counts.
    pub(super) fn kill(&mut self, why: Killed, sink: &mut dyn Sink) {
        let signal = why.signal();
        if self.killed.is_none() {
            let (slot, pid) = (self.id.slot, self.pid.unwrap_or(0));
            sink.notice(Notice::WorkerKilled { slot, pid, why: why.failure() });
            self.killed = Some(why);
        }
        self.signal(signal);
    }

    /// Sends it a signal, if its pidfd has arrived (if not, that of a kill is sent on arrival).
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pidfd) = &self.pidfd {
            // It may have ended already.
            let _ = pidfd_send_signal(pidfd.as_fd(), signal);
        }
    }

    /// Jobs sent and neither finished nor taken back.
    pub(super) fn jobs_in_flight(&self) -> u64 {
        self.in_flight
            .iter()
            .map(|batch| u64::from(batch.limit - batch.received.min(batch.limit)))
            .sum()
    }

    /// Whether it has been sent this job, which has no record yet.
    pub(super) fn awaits(&self, job: u64) -> bool {
        self.in_flight.iter().any(|batch| batch.awaits(job))
    }

    /// The job that it is running, as far as job memory tells.
    pub(super) fn running(&self) -> Option<(u64, Duration)> {
        let batch = self.in_flight.front()?;
        let claimed = self.memory.claimed(batch.id)?;
        let index = claimed.next.checked_sub(1)?;
        if index < batch.received || index >= batch.limit {
            return None;
        }
        let since = self.seen.map_or(Duration::ZERO, |seen| seen.since.elapsed());
        Some((batch.number(index), since))
    }
}
