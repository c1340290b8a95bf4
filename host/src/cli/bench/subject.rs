//! What is measured: a module, its task, and its jobs, which are kept to be run again and again.

use super::findings::Group;
use super::mode::Contender;
use super::python::PythonFunction;
use crate::cli::input::{Input, fill_waiting};
use crate::cli::report::Report;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;
use wpool::module::description::{Description, Task};
use wpool::pool::alone::Batch;
use wpool::pool::config::{CompileConfig, Config};
use wpool::pool::feed::{Fill, Intake, Source};

/// Most bytes of all jobs together.
pub(super) const JOBS_BYTES_MAX: usize = 1 << 30;

/// How long another program may take to start.
const START: Duration = Duration::from_secs(30);

/// Longest time of one run where --deadline does not say otherwise.
const LIMIT: Duration = Duration::from_secs(3600);

/// A module that is measured.
pub(crate) struct Module<'a> {
    pub(crate) path: &'a Path,
    pub(crate) bytes: Vec<u8>,
    pub(crate) description: Description,
    pub(crate) task: Task,
    pub(crate) config: Config,
}

/// What is measured.
pub(crate) struct Subject<'a> {
    /// At least one.
    pub(crate) modules: &'a [Module<'a>],
    pub(crate) compile: CompileConfig,
    pub(crate) jobs: &'a Jobs,
    /// A shared library with the same tasks, or for a command a program.
    pub(crate) native: Option<&'a Path>,
    pub(crate) python: Option<&'a PythonFunction>,
    pub(crate) ignore_failure: bool,
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
pub(crate) struct Jobs {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Jobs {
    /// All jobs of an input.
    ///
    /// # Errors
    /// They cannot be read, one of them has failed before it is run, or they are too large.
    pub(crate) fn read(mut input: Input) -> Result<Jobs, Report> {
        let wrong = |error: io::Error| Report::usage(format!("cannot read the jobs: {error}"));
        let (mut jobs, mut intake) = (Jobs::default(), Intake::default());
        loop {
            let fill = fill_waiting(&mut input, &mut intake).map_err(wrong)?;
            if let Some((job, failure)) = intake.first_failed() {
                return Err(Report::usage(format!("job {job} cannot be run: {failure}")));
            }
            intake.drain(|job| jobs.push(job));
            if jobs.bytes.len() > JOBS_BYTES_MAX {
                return Err(Report::usage("the jobs are larger than 1 GiB together")
                    .help("a part of them measures as well"));
            }
            if fill == Fill::End {
                return Ok(jobs);
            }
        }
    }

    fn push(&mut self, job: &[u8]) {
        self.bytes.extend_from_slice(job);
        self.ends.push(self.bytes.len());
    }

    pub(crate) fn len(&self) -> usize {
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
