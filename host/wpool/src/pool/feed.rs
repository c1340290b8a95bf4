//! The two ends that a dispatcher is given: the source of jobs and the sink of outcomes.

use crate::wire::clock::MonotonicTime;
use crate::wire::failure::Failure;
use crate::wire::frame::{Entries, Walk};
use crate::wire::line::Stream;
use crate::wire::record::{Measure, Record};
use crate::wire::waits::Waits;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// The answer of a source to [`Source::fill`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// The source may have more jobs at once.
    More,
    /// The source has no more jobs until [`Source::fd`] is readable.
    Blocked,
    /// The source will have no more jobs.
    End,
}

/// The input queue to which a source adds its next jobs. Jobs are numbered from 0 in the order in
/// which they are added.
#[derive(Debug, Default)]
pub struct InputQueue {
    /// The jobs to run, encoded for the wire, skipped numbers included.
    pub(crate) entries: Entries,
    /// The jobs that already have their outcome, by number.
    pub(crate) settled: Vec<(u64, Settled)>,
    /// The number of the next job.
    pub(crate) next: u64,
}

/// A job that needs no worker.
#[derive(Debug)]
pub(crate) enum Settled {
    /// The job failed before it was run (for example, because its file cannot be read).
    Failed { input: Vec<u8>, failure: Failure },
    /// The job is not to be run, because a resumed run already has its outcome.
    Skipped,
}

impl InputQueue {
    /// Adds a job.
    #[inline]
    pub fn push(&mut self, job: &[u8]) {
        self.entries.push(self.next, job);
        self.next += 1;
    }

    /// Adds a job that `write` writes in place: the bytes that `write` appends are the job.
    #[inline]
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.entries.push_with(self.next, write);
        self.next += 1;
    }

    /// Adds a job that has already failed. The job is not run, and `input` is shown with its
    /// failure.
    pub fn fail(&mut self, input: &[u8], failure: Failure) {
        self.settled.push((self.next, Settled::Failed { input: input.to_vec(), failure }));
        self.next += 1;
    }

    /// Adds a job that is neither run nor reported.
    pub fn skip(&mut self) {
        self.settled.push((self.next, Settled::Skipped));
        self.next += 1;
    }

    /// Removes the jobs that were added but not yet taken, passing each to `take`.
    pub fn drain(&mut self, mut take: impl FnMut(&[u8])) {
        Walk::new(self.entries.bytes(), self.entries.first()).for_each(|(_, job)| take(job));
        self.entries.clear();
    }

    /// Discards the jobs that were added but not yet taken. Numbering continues after them.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.settled.clear();
    }

    /// Returns the first job that has already failed, with its failure.
    pub fn first_failed(&self) -> Option<(u64, &Failure)> {
        self.settled.iter().find_map(|(job, settled)| match settled {
            Settled::Failed { failure, .. } => Some((*job, failure)),
            Settled::Skipped => None,
        })
    }

    /// Removes and returns the jobs that have already failed, with their failures, in job order.
    pub fn take_failed(&mut self) -> Vec<(u64, Failure)> {
        let settled = std::mem::take(&mut self.settled).into_iter();
        settled
            .filter_map(|(job, settled)| match settled {
                Settled::Failed { failure, .. } => Some((job, failure)),
                Settled::Skipped => None,
            })
            .collect()
    }

    /// Returns the number that the next job will get.
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// Returns the size, in bytes, of the jobs that were added but not yet taken.
    pub fn bytes(&self) -> usize {
        self.entries.bytes().len()
    }
}

/// A source of jobs.
pub trait Source {
    /// Adds jobs until about `room` bytes are added or there are no more jobs for now. Never
    /// blocks, and never works for long: it may return [`Fill::More`] without having added any job.
    ///
    /// # Errors
    /// Returns an error if the input cannot be read; the error ends the run.
    fn fill(&mut self, inputs: &mut InputQueue, room: usize) -> io::Result<Fill>;

    /// Returns the descriptor that becomes readable when there are more jobs, to be waited on after
    /// [`Fill::Blocked`].
    fn fd(&self) -> Option<BorrowedFd<'_>>;

    /// Returns the number of jobs still to come, if known.
    fn remaining(&self) -> Option<u64>;
}

/// An attempt at a job: where, when and for how long it ran.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attempt {
    /// The number of the attempt, from 1.
    pub number: u32,
    /// The process id of the worker; 0 if no worker ran the attempt.
    pub pid: i32,
    /// The slot of the worker.
    pub slot: u32,
    /// The time from the start of the run until the job's batch was sent.
    pub sent: Duration,
    /// The time at which the job began in its worker, if
    /// [`Probe::measured`](crate::wire::settings::Probe::measured).
    pub began: Option<MonotonicTime>,
    /// The time for which the job ran, if measured.
    pub ran: Option<Duration>,
    /// The size of linear memory, in bytes, at the end of the job, if measured.
    pub memory_bytes: Option<u64>,
    /// The exit code of the job's command, if measured.
    pub exit_code: Option<i32>,
}

impl Attempt {
    /// Returns the attempt with what its worker measured.
    #[inline]
    pub(super) fn measured(self, measure: Option<Measure>) -> Attempt {
        let Some(Measure { began, nanos, memory_bytes, exit_code }) = measure else { return self };
        let (began, ran) = (Some(began), Some(Duration::from_nanos(nanos)));
        Attempt { began, ran, memory_bytes: Some(memory_bytes), exit_code: Some(exit_code), ..self }
    }
}

/// The outcome of a job. Every job has exactly one.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// The number of the job.
    pub job: u64,
    /// The input of the job, if [`Config::keep_inputs`](super::config::Config::keep_inputs) is set;
    /// otherwise only the beginning of a failed job's input.
    pub input: Option<&'a [u8]>,
    /// The bytes of the job's result, or its failure.
    pub result: Result<&'a [u8], &'a Failure>,
    /// The last attempt at the job.
    pub attempt: Attempt,
}

/// The results of successful jobs with consecutive numbers.
#[derive(Clone, Debug)]
pub struct Results<'a> {
    records: &'a [u8],
}

impl<'a> Results<'a> {
    /// Makes an iterator over well-formed records.
    pub(crate) fn new(records: &'a [u8]) -> Self {
        Results { records }
    }
}

impl<'a> Iterator for Results<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (record, rest) = Record::split_first(self.records)?;
        self.records = rest;
        Some(record.bytes)
    }
}

/// An event of a run other than an outcome.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A guest printed a line.
    Log {
        /// The process id of the worker.
        pid: i32,
        /// The job that printed the line, if the worker has that job.
        job: Option<u64>,
        /// The stream to which the line was printed.
        stream: Stream,
        /// The line without its newline; any bytes.
        line: Vec<u8>,
    },
    /// A job waited in shared state, reported if
    /// [`Probe::waits`](crate::wire::settings::Probe::waits) is set. The worker reports the
    /// waits when the job ends. For a job that dies first, only the wait in which it died is
    /// reported.
    Waited {
        /// The process id of the worker.
        pid: i32,
        /// The job and its waits.
        waits: Waits,
    },
    /// A batch was sent to a worker. Jobs that are later taken back from the worker are sent again.
    Sent {
        /// The slot of the worker.
        slot: u32,
        /// The first job.
        job: u64,
        /// The number of jobs in the batch.
        jobs: u16,
    },
    /// A worker is ready.
    WorkerStarted {
        /// The slot of the worker.
        slot: u32,
        /// The process id of the worker.
        pid: i32,
        /// The time at which the worker was requested.
        asked: MonotonicTime,
        /// The time at which the worker was ready.
        ready: MonotonicTime,
        /// The first of the jobs that were sent to the worker, if any.
        job: Option<u64>,
    },
    /// A worker is being killed.
    WorkerKilled {
        /// The slot of the worker.
        slot: u32,
        /// The process id of the worker; 0 while it is unknown.
        pid: i32,
        /// The reason, as the failure of the job that the worker runs.
        why: Failure,
    },
    /// A worker ended.
    WorkerEnded {
        /// The slot of the worker.
        slot: u32,
        /// The process id of the worker.
        pid: i32,
        /// A description of how the worker ended.
        how: String,
        /// True if the worker was not asked to end and no job's failure reports the loss.
        lost: bool,
    },
    /// An attempt failed, and the job will be tried again.
    Retrying {
        /// The job.
        job: u64,
        /// The attempt that failed.
        attempt: Attempt,
        /// The failure of that attempt.
        failure: Failure,
    },
    /// No more jobs are started; the running ones are finished.
    Draining {
        /// The number of jobs that are running or may be running.
        running: u64,
        /// The reason, in words.
        why: String,
    },
    /// The zygote was lost, and another one was started.
    ZygoteLost {
        /// A description of how the zygote ended.
        how: String,
    },
    /// The system does not allow as many workers as were requested. The pool tries again later.
    FewerWorkers {
        /// The number of workers that there are.
        workers: usize,
        /// The reason, in words.
        why: String,
    },
    /// A line of the answer to [`Command::Report`].
    Report(String),
}

/// The counts of a run so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// The number of jobs read from the source so far, without skipped ones.
    pub read: u64,
    /// The number of jobs in all, if known.
    pub total: Option<u64>,
    /// The number of jobs that succeeded.
    pub succeeded: u64,
    /// The number of jobs that failed.
    pub failed: u64,
    /// The number of attempts beyond each job's first.
    pub retried: u64,
    /// The number of workers alive.
    pub workers: u64,
    /// The number of jobs that were sent to workers and have no outcome yet.
    pub in_flight: u64,
}

/// A sink of outcomes.
pub trait Sink {
    /// Takes a job's outcome. Called once for each job, in job order if the pool is ordered.
    ///
    /// # Errors
    /// Returns an error if the output cannot be kept; the error ends the run.
    fn take(&mut self, outcome: &Outcome<'_>) -> io::Result<()>;

    /// Takes the results of successful jobs, and returns true, if the sink needs nothing but their
    /// bytes. If this function returns false, each result is passed to [`Sink::take`] instead.
    /// Implementing this function saves a fifth of the dispatcher's time where jobs are short.
    fn take_plain(&mut self, results: Results<'_>) -> bool {
        let _ = results;
        false
    }

    /// Takes note of an event.
    fn notice(&mut self, notice: Notice);

    /// Updates a display of progress. Called a few times a second and at the end.
    fn progress(&mut self, stats: &Stats) {
        let _ = stats;
    }

    /// Returns the number of bytes taken but not yet handed on.
    fn held(&self) -> usize {
        0
    }

    /// Hands on what is held, as far as possible without blocking. Returns true if everything is
    /// handed on.
    ///
    /// # Errors
    /// Returns an error if the output cannot be written; the error ends the run.
    fn flush(&mut self) -> io::Result<bool> {
        Ok(true)
    }

    /// Returns the descriptor that becomes writable when the sink can go on, to be waited on when
    /// [`Sink::flush`] returned false.
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// A command to a running dispatcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Starts no more jobs, and finishes the running ones.
    Drain,
    /// Starts no more jobs, finishes the running ones within this time, and then kills what still
    /// runs.
    DrainFor(Duration),
    /// Kills the running jobs and ends the run.
    Kill,
    /// Gives up the job with this number, killing its worker if the job is running.
    Cancel(u64),
    /// Gives up the job with this number, like [`Command::Cancel`], but asks its worker to end
    /// (SIGTERM) instead of killing it.
    Terminate(u64),
    /// Stops all clocks and workers (SIGTSTP).
    Pause,
    /// Goes on after [`Command::Pause`] (SIGCONT).
    Resume,
    /// Reports to the sink which jobs are running, as [`Notice::Report`].
    Report,
}

/// A source of commands.
pub trait Commands {
    /// Returns the next command, if there is one. Never blocks.
    fn next(&mut self) -> Option<Command>;

    /// Returns the descriptor that becomes readable when there is a command.
    fn fd(&self) -> Option<BorrowedFd<'_>>;

    /// Runs after [`Command::Pause`] has been carried out. May stop the calling process.
    fn paused(&mut self) {}
}

/// The source of commands that never has any.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCommands;

impl Commands for NoCommands {
    fn next(&mut self) -> Option<Command> {
        None
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
