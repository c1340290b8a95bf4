//! The subject of a benchmark: modules, their task, and the jobs, which are kept to be run again
//! and again.

use super::findings::Group;
use super::mode::Contender;
use super::python::PythonFunction;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;
use wpool::module::description::{Description, Task};
use wpool::pool::alone::Batch;
use wpool::pool::config::{CompileConfig, Config};
use wpool::pool::feed::{Commands, Fill, InputQueue, Source};

/// The most bytes of all jobs together.
pub const JOBS_BYTES_MAX: usize = 1 << 30;

/// The time that another program may take to start.
const START: Duration = Duration::from_secs(30);

/// The longest time of one run, unless --deadline says otherwise.
const LIMIT: Duration = Duration::from_secs(3600);

/// Takes the commands that may ask the run of another program to end. Called when the program has
/// started; the commands are taken until they are dropped.
pub type Asking<'a> = dyn Fn() -> io::Result<Box<dyn Commands>> + 'a;

/// A module that is measured.
pub struct Module<'a> {
    /// The file.
    pub path: &'a Path,
    /// The bytes of the file.
    pub bytes: Vec<u8>,
    /// The description of the module.
    pub description: Description,
    /// The task that is called.
    pub task: Task,
    /// The configuration of pools.
    pub config: Config,
}

/// The subject of a benchmark.
pub struct Subject<'a> {
    /// The modules, at least one.
    pub modules: &'a [Module<'a>],
    /// The configuration of the compiler.
    pub compile: CompileConfig,
    /// The jobs that each mode runs.
    pub jobs: &'a Jobs,
    /// A shared library with the same tasks, or for a command a program.
    pub native: Option<&'a Path>,
    /// An equivalent function.
    pub python: Option<&'a PythonFunction>,
    /// True if jobs may fail.
    pub ignore_failure: bool,
    /// The source of commands that may ask the run of another program to end.
    pub asking: &'a Asking<'a>,
}

impl Subject<'_> {
    /// Returns the configuration that the modules have in common.
    pub(crate) fn config(&self) -> &Config {
        &self.modules[0].config
    }

    /// Returns the name of a contender: its mode, and its module if there are several.
    pub(crate) fn name(&self, Contender { module, mode, .. }: Contender) -> String {
        match self.modules {
            [_, _, ..] if mode.group() == Group::Wasm => {
                format!("{}: {}", self.modules[module].path.display(), mode.name())
            }
            _ => mode.name().to_owned(),
        }
    }

    /// Returns the longest time of one run of another program. The time of a single job is not
    /// known there, so the limit is the sum of all jobs' limits.
    pub(crate) fn limit(&self) -> Duration {
        let jobs = u32::try_from(self.jobs.len()).unwrap_or(u32::MAX);
        let all = self.config().timeout.and_then(|timeout| timeout.checked_mul(jobs));
        let all = all.map_or(LIMIT, |all| all.saturating_add(START));
        self.config().deadline.unwrap_or(LIMIT).min(all)
    }
}

/// The jobs, encoded as workers take them.
#[derive(Debug, Default)]
pub struct Jobs {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Jobs {
    /// Adds a job.
    pub fn push(&mut self, job: &[u8]) {
        self.bytes.extend_from_slice(job);
        self.ends.push(self.bytes.len());
    }

    /// Returns the bytes of all jobs together.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the number of jobs.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, at: usize) -> Option<&[u8]> {
        let start = if at == 0 { 0 } else { *self.ends.get(at - 1)? };
        Some(&self.bytes[start..*self.ends.get(at)?])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|at| self.get(at).expect("it is below the length"))
    }

    /// Returns the jobs as a batch for a run in one process.
    pub(crate) fn batch(&self) -> Batch {
        let mut batch = Batch::default();
        self.iter().for_each(|job| batch.push(job));
        batch
    }
}

/// A source of the jobs for one run.
pub(crate) struct Replay<'a> {
    jobs: &'a Jobs,
    next: usize,
}

impl<'a> Replay<'a> {
    pub(crate) fn new(jobs: &'a Jobs) -> Self {
        Replay { jobs, next: 0 }
    }
}

impl Source for Replay<'_> {
    fn fill(&mut self, inputs: &mut InputQueue, room: usize) -> io::Result<Fill> {
        let end = inputs.bytes() + room.max(1);
        while inputs.bytes() < end {
            let Some(job) = self.jobs.get(self.next) else { return Ok(Fill::End) };
            inputs.push(job);
            self.next += 1;
        }
        Ok(Fill::More)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn remaining(&self) -> Option<u64> {
        Some((self.jobs.len() - self.next) as u64)
    }
}
