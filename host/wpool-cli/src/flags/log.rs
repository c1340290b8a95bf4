//! The flags for the joblog and the timeline.

use crate::cli::output::resume::Resume;
use clap::Args;
use std::path::PathBuf;

/// The flag for a timeline.
#[derive(Args, Debug)]
pub(crate) struct TraceFlags {
    /// Write a timeline of workers, jobs and what they wait for to FILE, for https://ui.perfetto.dev or
    /// chrome://tracing
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
}

/// The flags for the joblog, and for resuming a run.
#[derive(Args, Debug)]
#[command(next_help_heading = "Log and resume")]
pub(crate) struct LogFlags {
    /// Log each job in FILE, in GNU parallel's format; FILE.meta.json tells what was run
    #[arg(long, value_name = "FILE")]
    pub(crate) joblog: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) trace: TraceFlags,

    /// Run only jobs that have no row in the joblog
    #[arg(long, requires = "joblog", conflicts_with_all = ["resume_failed", "retry_failed"])]
    resume: bool,

    /// Run jobs that have no row in the joblog, and those that failed
    #[arg(long, requires = "joblog", conflicts_with = "retry_failed")]
    resume_failed: bool,

    /// Run only jobs that failed according to the joblog. The same jobs must be given again
    #[arg(long, requires = "joblog")]
    retry_failed: bool,

    /// Resume even if the joblog is of another module, task or input
    #[arg(long)]
    pub(crate) force_resume: bool,
}

impl LogFlags {
    /// Returns which jobs of the log are run again; `None` if a new log is begun.
    pub(crate) fn resume(&self) -> Option<Resume> {
        match (self.resume, self.resume_failed, self.retry_failed) {
            (true, ..) => Some(Resume::Rest),
            (_, true, _) => Some(Resume::RestAndFailed),
            (_, _, true) => Some(Resume::Failed),
            _ => None,
        }
    }
}
