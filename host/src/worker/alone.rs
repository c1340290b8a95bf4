//! All jobs of a run in one process, from memory to memory: what pipes and other processes cost is
//! measured against this.

use super::guest::Guest;
use super::log::{LogSink, Origin};
use super::program::Program;
use super::{encode, jail};
use crate::wire::frame::Walk;
use crate::wire::record;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// Jobs that a thread takes at once, at most.
const PIECE_MAX: usize = 1024;

/// What guests print: nobody reads it.
struct Nowhere;

impl LogSink for Nowhere {
    fn line(&self, _: Origin, _: &[u8]) {}
}

/// Runs all jobs, and writes `{nanoseconds u64 LE}` and their records, in order, with all indices 0.
///
/// Several threads are for native libraries only.
///
/// # Errors
/// The jobs cannot be read or the results not written.
pub(crate) fn run(
    program: &Program,
    guest: Option<Guest<'_>>,
    mut jobs: File,
    mut results: File,
    threads: usize,
) -> io::Result<()> {
    // For people only.
    let _ = jail::name(c"wpool-alone");
    let mut bytes = Vec::new();
    jobs.read_to_end(&mut bytes)?;
    let jobs: Vec<(u64, &[u8])> = Walk::new(&bytes, 0).collect();
    let begun = Instant::now();
    let records = match threads {
        0 | 1 => vec![work(program, guest, &jobs)],
        _ => in_threads(program, &jobs, threads),
    };
    let nanos = begun.elapsed().as_nanos() as u64;
    results.write_all(&nanos.to_le_bytes())?;
    records.iter().try_for_each(|records| results.write_all(records))
}

/// The records of these jobs.
fn work<'a>(program: &'a Program, guest: Option<Guest<'a>>, jobs: &[(u64, &[u8])]) -> Vec<u8> {
    let mut guest = match guest {
        Some(mut guest) => {
            guest.move_in(Arc::new(Nowhere), None);
            guest.enter_runtime();
            guest
        }
        None => Guest::new(program, Arc::new(Nowhere), None, None),
    };
    let (mut records, mut record) = (Vec::new(), Vec::new());
    for (number, job) in jobs {
        record::begin(&mut record, false);
        let result = guest.run(*number, job, &mut record);
        if let Err(failure) = &result {
            encode(failure, &mut record);
        }
        record::finish(&mut record, 0, result.is_err(), None);
        records.extend_from_slice(&record);
    }
    records
}

/// The same by several threads, each of which takes a piece after the other.
fn in_threads(program: &Program, jobs: &[(u64, &[u8])], threads: usize) -> Vec<Vec<u8>> {
    let piece = jobs.len().div_ceil(threads * 16).clamp(1, PIECE_MAX);
    let pieces: Vec<_> = jobs.chunks(piece).collect();
    let next = AtomicUsize::new(0);
    let done: Vec<Mutex<Vec<u8>>> = pieces.iter().map(|_| Mutex::default()).collect();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(jobs) = pieces.get(at) else { break };
                    let records = work(program, None, jobs);
                    *done[at].lock().unwrap_or_else(PoisonError::into_inner) = records;
                }
            });
        }
    });
    done.into_iter().map(|done| done.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}
