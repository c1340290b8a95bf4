//! Runs in one process: all jobs at once, without workers.

use super::config::Config;
use super::error::PoolError;
use super::session::{Session, no_zygote, setup};
use crate::wire::failure::{Failure, FailureKind};
use crate::wire::frame::Entries;
use crate::wire::record::Record;
use crate::zygote::payload;
use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::time::Duration;

/// Longest time for all jobs where the configuration sets no deadline.
const DEADLINE: Duration = Duration::from_secs(3600);

/// Jobs to be run in one process.
#[derive(Debug, Default)]
pub struct Batch {
    entries: Entries,
}

/// What a run in one process came to.
#[derive(Debug)]
pub struct Done {
    /// From before the first job to behind the last one, without the start of the process.
    pub took: Duration,
    records: Vec<u8>,
}

impl Batch {
    /// Adds a job.
    pub fn push(&mut self, job: &[u8]) {
        self.entries.push(self.entries.count() as u64, job);
    }
}

impl Done {
    /// The result of each job in order, or why there is none.
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
    /// Runs all jobs in one process that is forked for it, in several threads if the configuration names
    /// a native library ([`Settings::native`](crate::wire::settings::Settings::native)). Jobs have no time
    /// limit but [`Config::deadline`], an hour where there is none, and nothing is tried again.
    ///
    /// # Errors
    /// [`PoolError`]: the module cannot be loaded, or the process died.
    pub fn run_alone(
        &mut self,
        config: &Config,
        batch: &Batch,
        threads: usize,
    ) -> Result<Done, PoolError> {
        self.load(config)?;
        let jobs = payload("wpool-jobs", batch.entries.bytes()).map_err(setup("pass the jobs"))?;
        let results = memfd_create("wpool-results", MemfdFlags::CLOEXEC);
        let results = results.map_err(|error| setup("take the results")(error.into()))?;
        let limit = config.deadline.unwrap_or(DEADLINE);
        self.zygote
            .run_alone(threads, [jobs.as_fd(), results.as_fd()], limit)
            .map_err(no_zygote)?
            .map_err(PoolError::Lost)?;
        read(File::from(results)).map_err(setup("read the results"))
    }
}

fn failure(json: &[u8]) -> Failure {
    let unreadable = |_| Failure::new(FailureKind::WorkerLost, "its failure cannot be read");
    serde_json::from_slice(json).unwrap_or_else(unreadable)
}

fn read(mut file: File) -> io::Result<Done> {
    let (mut nanos, mut records) = ([0; 8], Vec::new());
    file.rewind()?;
    file.read_exact(&mut nanos)?;
    file.read_to_end(&mut records)?;
    Ok(Done { took: Duration::from_nanos(u64::from_le_bytes(nanos)), records })
}
