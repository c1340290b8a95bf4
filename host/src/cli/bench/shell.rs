//! Programs that start a process for each job of a command: xargs and GNU parallel.

use super::mode::Mode;
use super::subject::Subject;
use super::timing::{Timing, run_program};
use crate::cli::report::Report;
use std::path::Path;
use std::process::{Command, Stdio};
use wpool::wire::settings::split_command_job;

/// Whether there is a program of this name.
pub(crate) fn is_there(name: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(name).is_file())
}

/// Runs a native program with the words of each job; `keep` takes all that the program wrote.
///
/// # Errors
/// The program cannot be run, or fails.
pub(crate) fn run(
    subject: &Subject<'_>,
    program: &Path,
    mode: Mode,
    workers: usize,
    keep: &mut dyn FnMut(&[u8]),
) -> Result<Timing, Report> {
    // A name alone is looked for in the folders of PATH.
    let is_path = program.components().count() > 1;
    let program =
        if is_path { std::path::absolute(program).ok() } else { Some(program.to_owned()) };
    let program = program.ok_or_else(|| Report::usage("--native: there is no such folder"))?;
    let workers = workers.to_string();
    let mut command = match mode {
        Mode::Parallel => {
            let mut command = Command::new("parallel");
            command.args(["--null", "--quote", "--jobs", &workers]);
            command
        }
        _ => {
            let mut command = Command::new("xargs");
            command.args(["--null", "--max-args=1", "--max-procs", &workers]);
            command
        }
    };
    command.arg(program).args(subject.template).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut input = Vec::new();
    for job in subject.jobs.iter() {
        let (words, _) = split_command_job(job).expect("jobs of commands are encoded so");
        input.extend_from_slice(words);
    }
    let (output, timing) = run_program(command, input, subject.limit(), mode.name())?;
    keep(&output);
    Ok(timing)
}
