//! Where jobs come from and where outcomes go: the two ends a dispatcher is given.

use crate::wire::clock::Moment;
use crate::wire::failure::Failure;
use crate::wire::frame::{Entries, Walk};
use crate::wire::line::Stream;
use crate::wire::record::{Measure, Record};
use crate::wire::waits::Waits;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// What a source has to say after a [`Source::fill`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// There may be more at once.
    More,
    /// Nothing more until [`Source::fd`] is readable.
    Blocked,
    /// There will be no more jobs.
    End,
}

/// What a source adds its next jobs to. Jobs are numbered from 0 in the order they are added.
#[derive(Debug, Default)]
pub struct Intake {
    /// Jobs to run, encoded for the wire, skipped numbers included.
    pub(crate) entries: Entries,
    /// Jobs that have their outcome already, by number.
    pub(crate) settled: Vec<(u64, Settled)>,
    /// Number of the next job.
    pub(crate) next: u64,
}

/// A job that needs no worker.
#[derive(Debug)]
pub(crate) enum Settled {
    /// It failed before it was run (its file cannot be read, say).
    Failed { input: Vec<u8>, failure: Failure },
    /// It is not to be run (a resumed run has its outcome).
    Skipped,
}

impl Intake {
    /// Adds a job.
    #[inline]
    pub fn push(&mut self, job: &[u8]) {
        self.entries.push(self.next, job);
        self.next += 1;
    }

    /// Adds a job that is written in place by `write`; what it appends is the job.
    #[inline]
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.entries.push_with(self.next, write);
        self.next += 1;
    }

    /// Adds a job that has failed already: it is not run, and `input` is shown with its failure.
    pub fn fail(&mut self, input: &[u8], failure: Failure) {
        self.settled.push((self.next, Settled::Failed { input: input.to_vec(), failure }));
        self.next += 1;
    }

    /// Adds a job that is neither run nor reported.
    pub fn skip(&mut self) {
        self.settled.push((self.next, Settled::Skipped));
        self.next += 1;
    }

    /// Takes out the jobs that were added and not yet taken.
    pub fn drain(&mut self, mut take: impl FnMut(&[u8])) {
        Walk::new(self.entries.bytes(), self.entries.first()).for_each(|(_, job)| take(job));
        self.entries.clear();
    }

    /// Forgets the jobs that were added and not yet taken; those that follow are numbered on.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.settled.clear();
    }

    /// The first job that has failed already, and why.
    pub fn first_failed(&self) -> Option<(u64, &Failure)> {
        self.settled.iter().find_map(|(job, settled)| match settled {
            Settled::Failed { failure, .. } => Some((*job, failure)),
            Settled::Skipped => None,
        })
    }

    /// Takes out the jobs that have failed already, and why, in the order of their numbers.
    pub fn take_failed(&mut self) -> Vec<(u64, Failure)> {
        let settled = std::mem::take(&mut self.settled).into_iter();
        settled
            .filter_map(|(job, settled)| match settled {
                Settled::Failed { failure, .. } => Some((job, failure)),
                Settled::Skipped => None,
            })
            .collect()
    }

    /// Number that the next job will get.
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// Bytes of the jobs added and not yet taken.
    pub fn bytes(&self) -> usize {
        self.entries.bytes().len()
    }
}

/// Where jobs come from.
pub trait Source {
    /// Adds jobs until about `room` bytes are added, or there is nothing more for now. Never
    /// blocks, and does not work for long: it may answer [`Fill::More`] without having added any.
    ///
    /// # Errors
    /// An input that cannot be read ends the run.
    fn fill(&mut self, intake: &mut Intake, room: usize) -> io::Result<Fill>;

    /// What to wait on (readable) after [`Fill::Blocked`].
    fn fd(&self) -> Option<BorrowedFd<'_>>;

    /// How many jobs are still to come, where that is known.
    fn remaining(&self) -> Option<u64>;
}

/// Where, when and how long an attempt at a job ran.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attempt {
    /// Which attempt it was, from 1.
    pub number: u32,
    /// Process id of the worker; 0 where no worker ran it.
    pub pid: i32,
    /// Slot of that worker.
    pub slot: u32,
    /// From the start of the run to when the job's batch was sent.
    pub sent: Duration,
    /// When the job began in its worker, if [`Settings::measured`](crate::wire::settings::Settings::measured).
    pub began: Option<Moment>,
    /// How long it ran, if measured.
    pub ran: Option<Duration>,
    /// Bytes of linear memory at its end, if measured.
    pub memory_bytes: Option<u64>,
    /// The code with which its command exited, if measured.
    pub exit_code: Option<i32>,
}

impl Attempt {
    /// The same attempt, with what its worker measured.
    #[inline]
    pub(super) fn measured(self, measure: Option<Measure>) -> Attempt {
        let Some(Measure { began, nanos, memory_bytes, exit_code }) = measure else { return self };
        let (began, ran) = (Some(began), Some(Duration::from_nanos(nanos)));
        Attempt { began, ran, memory_bytes: Some(memory_bytes), exit_code: Some(exit_code), ..self }
    }
}

/// A job's one outcome.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// Its number.
    pub job: u64,
    /// Its input, if [`Config::keep_inputs`](super::config::Config::keep_inputs). If not, the beginning of a
    /// failed job's.
    pub input: Option<&'a [u8]>,
    /// The bytes of its result, or why there is none.
    pub result: Result<&'a [u8], &'a Failure>,
    /// The last attempt at it.
    pub attempt: Attempt,
}

/// The results of jobs that succeeded and have consecutive numbers.
#[derive(Clone, Debug)]
pub struct Results<'a> {
    records: &'a [u8],
}

impl<'a> Results<'a> {
    /// Of well-formed records.
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

/// Something that happened beside outcomes.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A guest printed a line (without its newline).
    Log {
        /// Process id of the worker.
        pid: i32,
        /// The job that printed it, if it is one that the worker has.
        job: Option<u64>,
        /// What it was printed to.
        stream: Stream,
        /// The line; any bytes.
        line: Vec<u8>,
    },
    /// What a job waited for in shared state, if [`Settings::waits`](crate::wire::settings::Settings::waits).
    /// The worker tells it when the job ends. Of one that dies first, only the wait is told in which it was.
    Waited {
        /// Process id of the worker.
        pid: i32,
        /// The job, and its waits.
        waits: Waits,
    },
    /// A batch was sent to a worker. Jobs that are taken back from it later are sent again.
    Sent {
        /// Slot of the worker.
        slot: u32,
        /// The first job.
        job: u64,
        /// How many there are.
        jobs: u16,
    },
    /// A worker is ready.
    WorkerStarted {
        /// Its slot.
        slot: u32,
        /// Its process id.
        pid: i32,
        /// When it was asked for.
        asked: Moment,
        /// When it was ready.
        ready: Moment,
        /// The first of the jobs that it has been sent, if there are any.
        job: Option<u64>,
    },
    /// A worker is killed.
    WorkerKilled {
        /// Its slot.
        slot: u32,
        /// Its process id; 0 while it is not known.
        pid: i32,
        /// Why, as the failure of a job that it runs.
        why: Failure,
    },
    /// A worker ended.
    WorkerEnded {
        /// Its slot.
        slot: u32,
        /// Its process id.
        pid: i32,
        /// How it ended, in words.
        how: String,
        /// Whether nobody asked it to, and no job's failure tells of it.
        lost: bool,
    },
    /// An attempt failed and the job will be tried again.
    Retrying {
        /// The job.
        job: u64,
        /// The attempt that failed.
        attempt: Attempt,
        /// Why.
        failure: Failure,
    },
    /// No more jobs are started; this many are still running.
    Draining {
        /// Jobs that run or may be running.
        running: u64,
        /// Why, in words.
        why: String,
    },
    /// The zygote was lost and another one started.
    ZygoteLost {
        /// How it ended, in words.
        how: String,
    },
    /// The system does not give as many workers as were asked for. The pool asks again later.
    FewerWorkers {
        /// How many there are.
        workers: usize,
        /// Why, in words.
        why: String,
    },
    /// A line of the answer to [`Command::Report`].
    Report(String),
}

/// Counts of a run so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Jobs read from the source so far (skipped ones not counted).
    pub read: u64,
    /// Jobs in all, where known.
    pub total: Option<u64>,
    /// Jobs that succeeded.
    pub succeeded: u64,
    /// Jobs that failed.
    pub failed: u64,
    /// Attempts beyond each job's first.
    pub retried: u64,
    /// Workers alive.
    pub workers: u64,
    /// Jobs sent to workers and without an outcome.
    pub in_flight: u64,
}

/// Where outcomes go.
pub trait Sink {
    /// Takes a job's outcome. Called once for each job, in job order if the pool is ordered.
    ///
    /// # Errors
    /// An output that cannot be kept ends the run.
    fn take(&mut self, outcome: &Outcome<'_>) -> io::Result<()>;

    /// Takes the results of jobs that succeeded, if a sink wants nothing of them but their bytes; true if
    /// it does. If not, each is handed to [`Sink::take`]. It saves a fifth of the dispatcher's time
    /// where jobs are short.
    fn take_plain(&mut self, results: Results<'_>) -> bool {
        let _ = results;
        false
    }

    /// Takes note of something.
    fn notice(&mut self, notice: Notice);

    /// Called a few times a second and at the end, for a display of progress.
    fn progress(&mut self, stats: &Stats) {
        let _ = stats;
    }

    /// Bytes taken and not yet handed on.
    fn held(&self) -> usize {
        0
    }

    /// Hands on what is held, as far as that is possible without blocking; true if all is handed on.
    ///
    /// # Errors
    /// An output that cannot be written ends the run.
    fn flush(&mut self) -> io::Result<bool> {
        Ok(true)
    }

    /// What to wait on (writable) when [`Sink::flush`] answered false.
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

/// What a running dispatcher can be told from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Start no more jobs; finish the running ones.
    Drain,
    /// Start no more jobs; finish the running ones within this time, then kill.
    DrainFor(Duration),
    /// Kill running jobs and end.
    Kill,
    /// Give up this job, killing its worker if it runs.
    Cancel(u64),
    /// The same, but its worker is asked to end (SIGTERM) instead of killed.
    Terminate(u64),
    /// Stop all clocks and workers (SIGTSTP).
    Pause,
    /// Go on (SIGCONT).
    Resume,
    /// Tell the sink which jobs are running, as [`Notice::Report`].
    Report,
}

/// Where commands come from.
pub trait Commands {
    /// The next command, if there is one. Never blocks.
    fn next(&mut self) -> Option<Command>;

    /// What to wait on (readable).
    fn fd(&self) -> Option<BorrowedFd<'_>>;

    /// Called when [`Command::Pause`] has been carried out. May stop the calling process.
    fn paused(&mut self) {}
}

/// No commands.
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
