//! What is measured: a module, its task, and its jobs, which are kept to be run again and again.

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
use wpool::pool::feed::{Commands, Fill, Intake, Source};

/// Most bytes of all jobs together.
pub const JOBS_BYTES_MAX: usize = 1 << 30;

/// How long another program may take to start.
const START: Duration = Duration::from_secs(30);

/// Longest time of one run where --deadline does not say otherwise.
const LIMIT: Duration = Duration::from_secs(3600);

/// Takes what may ask the run of another program to end: when the program has started, and until that is dropped.
pub type Asking<'a> = dyn Fn() -> io::Result<Box<dyn Commands>> + 'a;

/// A module that is measured.
pub struct Module<'a> {
    /// The file.
    pub path: &'a Path,
    /// What is in the file.
    pub bytes: Vec<u8>,
    /// What the module offers.
    pub description: Description,
    /// What is called.
    pub task: Task,
    /// How pools are set up.
    pub config: Config,
}

/// What is measured.
pub struct Subject<'a> {
    /// At least one.
    pub modules: &'a [Module<'a>],
    /// How modules are compiled.
    pub compile: CompileConfig,
    /// What is run, by each mode.
    pub jobs: &'a Jobs,
    /// A shared library with the same tasks, or for a command a program.
    pub native: Option<&'a Path>,
    /// An equivalent function.
    pub python: Option<&'a PythonFunction>,
    /// Whether jobs may fail.
    pub ignore_failure: bool,
    /// Who may ask the run of another program to end.
    pub asking: &'a Asking<'a>,
}

impl Subject<'_> {
    /// The settings that all modules have.
    pub(crate) fn config(&self) -> &Config {
        &self.modules[0].config
    }

    /// What a contender is called: by its mode, and its module if there are several.
    pub(crate) fn name(&self, Contender { module, mode, .. }: Contender) -> String {
        match self.modules {
            [_, _, ..] if mode.group() == Group::Wasm => {
                format!("{}: {}", self.modules[module].path.display(), mode.name())
            }
            _ => mode.name().to_owned(),
        }
    }

    /// Longest time of one run of another program, in which nobody sees how long a job takes: as long as all
    /// jobs may take one after the other.
    pub(crate) fn limit(&self) -> Duration {
        let jobs = u32::try_from(self.jobs.len()).unwrap_or(u32::MAX);
        let all = self.config().timeout.and_then(|timeout| timeout.checked_mul(jobs));
        let all = all.map_or(LIMIT, |all| all.saturating_add(START));
        self.config().deadline.unwrap_or(LIMIT).min(all)
    }
}

/// Jobs, encoded as workers take them.
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

    /// Bytes of all of them together.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// How many there are.
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

    /// The same for a run in one process.
    pub(crate) fn batch(&self) -> Batch {
        let mut batch = Batch::default();
        self.iter().for_each(|job| batch.push(job));
        batch
    }
}

/// The jobs as a source of one run.
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
    fn fill(&mut self, intake: &mut Intake, room: usize) -> io::Result<Fill> {
        let end = intake.bytes() + room.max(1);
        while intake.bytes() < end {
            let Some(job) = self.jobs.get(self.next) else { return Ok(Fill::End) };
            intake.push(job);
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
