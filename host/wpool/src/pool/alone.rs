//! In-process runs: all jobs in one forked process, without workers.

use super::config::Config;
use super::error::PoolError;
use super::session::{Session, no_zygote, setup};
use crate::wire::control::{ALONE_BYTES_MAX, JOB_TOO_SLOW, ToZygote};
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::frame::Entries;
use crate::wire::packet::Attachment;
use crate::wire::record::Record;
use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::time::Duration;
use wpool_worker::zygote::payload;

/// The longest time for all jobs together if the configuration sets no deadline.
const DEADLINE: Duration = Duration::from_secs(3600);

/// The jobs to be run in one process.
#[derive(Debug, Default)]
pub struct Batch {
    entries: Entries,
}

/// The results of an in-process run.
#[derive(Debug)]
pub struct Done {
    /// The time from just before the first job to just after the last one, without the start of the
    /// process.
    pub took: Duration,
    records: Vec<u8>,
}

/// The reason why an in-process run was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The job with this number took longer than [`Config::timeout`].
    Timeout(u64),
    /// The jobs together took longer than [`Config::deadline`], or than an hour if no deadline is
    /// set.
    Deadline,
}

impl Batch {
    /// Adds a job.
    pub fn push(&mut self, job: &[u8]) {
        self.entries.push(self.entries.count() as u64, job);
    }
}

impl Done {
    /// Returns the result of each job, or its failure, in job order.
    pub fn results(&self) -> impl Iterator<Item = Result<&[u8], Failure>> {
        let mut rest = &self.records[..];
        std::iter::from_fn(move || {
            let (record, after) = Record::split_first(rest)?;
            rest = after;
            Some(if record.failed { Err(failure(record.bytes)) } else { Ok(record.bytes) })
        })
    }
}

impl Session {
    /// Runs all jobs in one process that is forked for them, in several threads if the
    /// configuration names a native library
    /// ([`TaskSpec::native`](crate::wire::settings::TaskSpec::native)). No job is retried, and the
    /// first job that takes too long ends the run.
    ///
    /// # Errors
    /// Returns a [`PoolError`] if the module cannot be loaded or the process died.
    pub fn run_alone(
        &mut self,
        config: &Config,
        batch: &Batch,
        threads: usize,
    ) -> Result<Result<Done, Stopped>, PoolError> {
        let config = config.clone().bounded();
        self.load(&config)?;
        let jobs = payload("wpool-jobs", batch.entries.bytes()).map_err(setup("pass the jobs"))?;
        let results = memfd_create("wpool-results", MemfdFlags::CLOEXEC);
        let results = results.map_err(|error| setup("take the results")(error.into()))?;
        let limit = config.deadline.unwrap_or(DEADLINE);
        // The limit is rounded up, so that it is never zero or too short.
        let timeout_ms = config.timeout.map(|timeout| timeout.as_millis() as u64 + 1);
        let request = ToZygote::Alone { threads, timeout_ms };
        let files = [(Attachment::Jobs, jobs.as_fd()), (Attachment::Results, results.as_fd())];
        let ended = match self.zygote.run_alone(&request, &files, limit) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                return Ok(Err(Stopped::Deadline));
            }
            ended => ended.map_err(no_zygote)?,
        };
        let read = read(File::from(results), ALONE_BYTES_MAX);
        match (read, ended) {
            // The process stopped itself.
            (Ok(Err(stopped)), _) => Ok(Err(stopped)),
            (_, Err(message)) => Err(PoolError::Lost(message)),
            (read, Ok(())) => read.map_err(setup("read the results")),
        }
    }
}

fn failure(json: &[u8]) -> Failure {
    let unreadable = || Failure::new(FailureKind::WorkerLost, "its failure cannot be read");
    Failure::decode(json).unwrap_or_else(unreadable)
}

/// Reads the results of a run. The file is not trusted: the process that wrote it ran guest code.
fn read(mut file: File, most: u64) -> io::Result<Result<Done, Stopped>> {
    file.rewind()?;
    let mut number = || {
        let mut bytes = [0; 8];
        file.read_exact(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    };
    let nanos = number()?;
    if nanos == JOB_TOO_SLOW {
        return Ok(Err(Stopped::Timeout(number()?)));
    }
    let mut records = Vec::new();
    if file.take(most + 1).read_to_end(&mut records)? as u64 > most {
        return Err(io::Error::other(format!("they are more than {most} bytes")));
    }
    Ok(Ok(Done { took: Duration::from_nanos(nanos), records }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[&[u8]], most: u64) -> io::Result<Result<Done, Stopped>> {
        read(payload("results", &parts.concat()).unwrap(), most)
    }

    #[test]
    fn results_are_read_up_to_a_limit_whatever_the_file_holds() {
        let seven = 7u64.to_le_bytes();
        let done = of(&[&seven, b"12345"], 5).unwrap().unwrap();
        assert_eq!((done.took.as_nanos(), &done.records[..]), (7, &b"12345"[..]));
        assert!(of(&[&seven, b"123456"], 5).is_err());
        assert!(of(&[b"1234567"], 5).is_err());
        let slow = JOB_TOO_SLOW.to_le_bytes();
        assert_eq!(of(&[&slow, &seven], 5).unwrap().unwrap_err(), Stopped::Timeout(7));
        assert!(of(&[&slow], 5).is_err());
    }
}
