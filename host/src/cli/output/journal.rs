//! A joblog's files: the log itself, and `FILE.meta.json`, which tells what was run.
//!
//! Rows are known by the number of their job only, so going on with another module or other input
//! would mix up results. The second file makes that an error.

use super::joblog::{HEADER, JobLog};
use super::resume::{Skip, whole_rows};
use crate::cli::exit::Exit;
use crate::cli::flags::LogFlags;
use crate::cli::plan::SHUFFLED;
use crate::cli::report::Report;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// blake3 of the module.
    module: String,
    /// Name of the task.
    task: String,
    /// The arguments after `--`.
    args: Vec<String>,
    /// The jobs.
    input: String,
}

impl Meta {
    /// What is run.
    pub(crate) fn new(module: String, task: String, args: Vec<String>, input: String) -> Self {
        Meta { module, task, args, input }
    }

    /// What differs between two runs.
    fn difference(&self, other: &Meta) -> Option<&'static str> {
        let same = [
            (self.module == other.module, "module"),
            (self.task == other.task, "task"),
            (self.args == other.args, "arguments after `--`"),
            (self.input == other.input, "jobs"),
        ];
        same.iter().find(|(same, _)| !same).map(|(_, what)| *what)
    }
}

/// A joblog to write, and what an earlier run left to skip.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// The log.
    pub(crate) log: Option<JobLog>,
    /// The jobs that are not to be run.
    pub(crate) skip: Option<Skip>,
}

/// The seed of the random order in which an earlier run, which is gone on with, took its jobs.
pub(crate) fn earlier_seed(flags: &LogFlags) -> Option<u64> {
    let path = flags.joblog.as_ref().filter(|_| flags.resume().is_some())?;
    let meta: Meta = serde_json::from_slice(&fs::read(meta_path(path)).ok()?).ok()?;
    let (_, seed) = meta.input.rsplit_once(SHUFFLED)?;
    seed.trim().parse().ok()
}

/// Opens the joblog that the flags name, if they name one.
///
/// # Errors
/// A file cannot be read or written, or tells of another run.
pub(crate) fn open(flags: &LogFlags, meta: &Meta) -> Result<Journal, Report> {
    let Some(path) = &flags.joblog else { return Ok(Journal::default()) };
    let wrong = |error: io::Error| {
        Report::new(Exit::Setup, format!("cannot use --joblog {}: {error}", path.display()))
            .help("give a file that you may write, in a folder that is there")
    };
    let earlier = match flags.resume() {
        None => None,
        Some(resume) => match fs::read(path) {
            Ok(log) => Some((log, resume)),
            // Nothing was run yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(wrong(error)),
        },
    };
    let Some((log, resume)) = earlier else {
        let file = begin(path, meta).map_err(wrong)?;
        return Ok(Journal { log: Some(JobLog::new(file)), skip: None });
    };
    if !flags.force_resume {
        check(path, meta)?;
    }
    let skip = Skip::read(&log, resume).map_err(|error| {
        Report::usage(format!("--joblog {} is not a joblog: {error}", path.display()))
            .help("without a resume flag the log begins anew")
    })?;
    let file = go_on(path, whole_rows(&log)).map_err(wrong)?;
    Ok(Journal { log: Some(JobLog::new(file)), skip: Some(skip) })
}

/// Begins a log, in place of any other.
fn begin(path: &Path, meta: &Meta) -> io::Result<File> {
    let mut file = File::create(path)?;
    file.write_all(HEADER.as_bytes())?;
    let mut text = serde_json::to_string_pretty(meta)?;
    text.push('\n');
    fs::write(meta_path(path), text)?;
    Ok(file)
}

/// Opens a log to go on with, behind its last whole row.
fn go_on(path: &Path, whole: usize) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.set_len(whole as u64)?;
    file.seek(SeekFrom::End(0))?;
    if whole == 0 {
        file.write_all(HEADER.as_bytes())?;
    }
    Ok(file)
}

/// Checks that the log is of the same run.
fn check(path: &Path, meta: &Meta) -> Result<(), Report> {
    let meta_path = meta_path(path);
    let help = "--force-resume goes on all the same; without a resume flag the log begins anew";
    let earlier = fs::read(&meta_path).map_err(|error| {
        Report::usage(format!(
            "cannot tell what {} is of: {}: {error}",
            path.display(),
            meta_path.display()
        ))
        .help(help)
    })?;
    let earlier: Meta = serde_json::from_slice(&earlier).map_err(|error| {
        Report::usage(format!("cannot tell what {} is of: {error}", path.display())).help(help)
    })?;
    match earlier.difference(meta) {
        None => Ok(()),
        Some(what) => {
            Err(Report::usage(format!("--joblog {} is of other {what}", path.display())).help(help))
        }
    }
}

fn meta_path(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".meta.json");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(input: &str) -> Meta {
        Meta::new("hash".into(), "square".into(), Vec::new(), input.into())
    }

    #[test]
    fn a_log_of_other_jobs_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("log");
        begin(&path, &meta("3 words")).expect("begun");
        assert!(check(&path, &meta("3 words")).is_ok());
        let report = check(&path, &meta("4 words")).expect_err("other jobs");
        assert!(report.error.ends_with("is of other jobs"), "{}", report.error);
        assert_eq!(report.exit, Exit::Usage);
    }

    #[test]
    fn a_log_without_its_second_file_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let report = check(&folder.path().join("log"), &meta("")).expect_err("no file");
        assert!(report.error.contains("log.meta.json"), "{}", report.error);
    }

    #[test]
    fn a_torn_row_is_cut_off_before_rows_are_added() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("log");
        fs::write(&path, "Seq\tHost\n1\t:").expect("written");
        let whole = whole_rows(b"Seq\tHost\n1\t:");
        go_on(&path, whole).expect("opened").write_all(b"row\n").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("read"), "Seq\tHost\nrow\n");
    }
}
