//! Runs of all jobs in one process, from memory to memory: the baseline for the cost of pipes and
//! other processes.

use super::fault;
use super::guest::Guest;
use super::log::{LogSink, Origin};
use super::program::Program;
use crate::jail::limits::Memory;
use crate::jail::{Cell, Needs};
use crate::wire::control::{ALONE_BYTES_MAX, JOB_TOO_SLOW};
use crate::wire::frame::Walk;
use crate::wire::jail::Jail;
use crate::wire::record;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The greatest number of jobs that a thread takes at once.
const PIECE_MAX: usize = 1024;

/// The longest time between two looks at the running jobs.
const LOOK_MAX: Duration = Duration::from_millis(20);

/// A sink for the lines that guests print, which nobody reads.
struct Nowhere;

impl LogSink for Nowhere {
    fn line(&self, _: Origin, _: &[u8]) {}
}

/// The work of a run in one process.
pub(crate) struct Work<'a> {
    /// The program that is run.
    pub(crate) program: &'a Program,
    /// A guest that has been initialised.
    pub(crate) guest: Option<Guest<'a>>,
    /// The number of threads that run jobs: one, except for native libraries.
    pub(crate) threads: usize,
    /// The longest time of a job. The first job that takes longer ends the process.
    pub(crate) timeout: Option<Duration>,
}

/// The work with its jobs in memory.
pub(crate) struct Prepared<'a> {
    work: Work<'a>,
    jobs: Vec<u8>,
}

/// Returns the private memory of a process for the jobs in this file.
///
/// # Errors
/// Returns an error if the file's length cannot be read.
pub(crate) fn memory(program: &Program, jobs: &File) -> io::Result<Memory> {
    Ok(program.memory(jobs.metadata()?.len().saturating_add(2 * ALONE_BYTES_MAX)))
}

impl<'a> Work<'a> {
    /// Reads the jobs, and says in which jail they are run.
    ///
    /// # Errors
    /// Returns an error if the jobs cannot be read.
    pub(crate) fn prepare(self, mut jobs: File, jail: Jail) -> io::Result<(Prepared<'a>, Cell)> {
        fault::install_abort()?;
        let mut bytes = Vec::new();
        jobs.read_to_end(&mut bytes)?;
        let needs = self.program.needs();
        let threads = needs.threads || self.threads > 1 || self.timeout.is_some();
        let cell = self.program.cell(jail, Needs { threads, ..needs }, &self.program.folders)?;
        Ok((Prepared { work: self, jobs: bytes }, cell))
    }
}

impl Prepared<'_> {
    /// Runs all jobs, and writes `{nanoseconds u64 LE}` and their records, in order, with all indices 0.
    ///
    /// # Errors
    /// Returns an error if the results cannot be written.
    pub(crate) fn run(self, mut results: File) -> io::Result<()> {
        let Prepared { work: Work { program, guest, threads, timeout }, jobs } = self;
        let jobs: Vec<(u64, &[u8])> = Walk::new(&jobs, 0).collect();
        let running = Running::watched(threads, timeout, &results)?;
        let begun = Instant::now();
        let records = match &running[..] {
            [one] => vec![work(program, guest, &jobs, one)],
            several => in_threads(program, &jobs, several),
        };
        let nanos = begun.elapsed().as_nanos() as u64;
        results.write_all(&nanos.to_le_bytes())?;
        let mut room = ALONE_BYTES_MAX;
        for records in records {
            room = room
                .checked_sub(records.len() as u64)
                .ok_or_else(|| io::Error::other("the records are too many"))?;
            results.write_all(&records)?;
        }
        Ok(())
    }
}

/// Returns the records of these jobs.
fn work<'a>(
    program: &'a Program,
    guest: Option<Guest<'a>>,
    jobs: &[(u64, &[u8])],
    running: &Running,
) -> Vec<u8> {
    let mut guest = match guest {
        Some(mut guest) => {
            guest.move_in(Arc::new(Nowhere), None);
            guest.renew();
            guest.enter_runtime();
            guest
        }
        None => Guest::new(program, Arc::new(Nowhere), None, None),
    };
    let (mut records, mut record) = (Vec::new(), Vec::new());
    for (number, job) in jobs {
        running.begin(*number);
        record::begin(&mut record, false);
        let result = guest.run(*number, job, &mut record);
        if let Err(failure) = &result {
            failure.encode(&mut record);
        }
        record::finish(&mut record, 0, result.is_err(), None);
        records.extend_from_slice(&record);
        if records.len() as u64 > ALONE_BYTES_MAX {
            break;
        }
    }
    running.end();
    records
}

/// Returns the records of jobs in several threads, each of which takes one piece after the other.
fn in_threads(program: &Program, jobs: &[(u64, &[u8])], threads: &[Running]) -> Vec<Vec<u8>> {
    let piece = jobs.len().div_ceil(threads.len() * 16).clamp(1, PIECE_MAX);
    let pieces: Vec<_> = jobs.chunks(piece).collect();
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Vec<u8>>> = pieces.iter().map(|_| Mutex::default()).collect();
    thread::scope(|scope| {
        for running in threads {
            let (pieces, next, done) = (&pieces, &next, &done);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(jobs) = pieces.get(at) else { break };
                    let records = work(program, None, jobs, running);
                    *done[at].lock().unwrap_or_else(PoisonError::into_inner) = records;
                }
            });
        }
    });
    done.into_iter().map(|done| done.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

/// The job that a thread runs: its number plus one, or 0.
#[derive(Clone, Debug, Default)]
struct Running(Arc<AtomicU64>);

impl Running {
    /// Returns one value for each thread. Another thread watches over them, if jobs have a time
    /// limit.
    fn watched(
        threads: usize,
        timeout: Option<Duration>,
        results: &File,
    ) -> io::Result<Vec<Running>> {
        let all = vec![(); threads.max(1)];
        let all: Vec<Running> = all.iter().map(|()| Running::default()).collect();
        if let Some(timeout) = timeout {
            let (watched, results) = (all.clone(), results.try_clone()?);
            thread::Builder::new().spawn(move || watch(&watched, timeout, results))?;
        }
        Ok(all)
    }

    fn begin(&self, job: u64) {
        self.0.store(job + 1, Ordering::Relaxed);
    }

    fn end(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Ends the process when a job has run for too long, and notes that in the results.
fn watch(threads: &[Running], timeout: Duration, mut results: File) {
    let look = (timeout / 20).clamp(Duration::from_millis(1), LOOK_MAX);
    let mut seen = vec![(0, Instant::now()); threads.len()];
    loop {
        thread::sleep(look);
        for (Running(running), seen) in threads.iter().zip(&mut seen) {
            let job = running.load(Ordering::Relaxed);
            if job != seen.0 {
                *seen = (job, Instant::now());
            } else if job > 0 && seen.1.elapsed() > timeout {
                let told = [JOB_TOO_SLOW.to_le_bytes(), (job - 1).to_le_bytes()].concat();
                // If the write fails, the dispatcher only sees the end of the process.
                let _ = results.write_all(&told);
                std::process::abort();
            }
        }
    }
}
