//! The files of a joblog: the log itself, and `FILE.meta.json`, which describes the run and the
//! place of its results.
//!
//! Rows name only the number of their job, so resuming with another module or other input would mix
//! up results. The second file makes that an error. It also tells which rows have their results in
//! which file, so that a resumed run can make that file agree with the log, at whatever moment the
//! earlier run was killed.

use super::console::Console;
use super::joblog::{HEADER, JobLog};
use super::merge::{self, Merge};
use super::resume::{Resume, Skip};
use super::target::{Target, lock};
use crate::cli::exit::Exit;
use crate::cli::flags::LogFlags;
use crate::cli::plan::{Jobs, SHUFFLED};
use crate::cli::report::Report;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The help for a log that does not suit a run.
const ANEW: &str = "--force-resume goes on all the same; without a resume flag the log begins anew";

/// A description of a run and of the place of its results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// The blake3 hash of the module.
    module: String,
    /// The name of the task.
    task: String,
    /// The arguments after `--`.
    args: Vec<String>,
    /// A description of where the jobs come from, for people: jobs are compared one by one.
    input: String,
    /// A description of how records become jobs; `None` in the log of an earlier version.
    #[serde(default)]
    shape: Option<String>,
    /// The file with the results, if they are in a file.
    #[serde(default)]
    pub(super) output: Option<Placed>,
    /// A merge that was begun.
    #[serde(default)]
    pub(super) merge: Option<Merge>,
}

/// A file with results: those of the log's rows from a certain row on, in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Placed {
    path: Option<String>,
    pub(super) device: u64,
    pub(super) inode: u64,
    /// The format of the results.
    format: String,
    /// The number of bytes in the log before the first of these rows.
    pub(super) log: u64,
    /// The number of bytes in the file before the first of these results.
    pub(super) start: u64,
    /// True if the last run ended by itself: bytes after the results were then not written by that
    /// run.
    closed: bool,
}

impl Meta {
    /// Makes the description of a run without results.
    pub(crate) fn new(module: String, task: String, args: Vec<String>, jobs: &Jobs) -> Self {
        let (input, shape) = (jobs.about.clone(), Some(jobs.shape.clone()));
        Meta { module, task, args, input, shape, output: None, merge: None }
    }

    /// Returns the first difference between two runs, beside the jobs.
    fn difference(&self, other: &Meta) -> Option<&'static str> {
        let same = [
            (self.module == other.module, "module"),
            (self.task == other.task, "task"),
            (self.args == other.args, "arguments after `--`"),
            (self.shape.is_none() || self.shape == other.shape, "columns, blocks or order of jobs"),
        ];
        same.iter().find(|(same, _)| !same).map(|(_, what)| *what)
    }

    /// Reads the description that belongs to a log.
    pub(super) fn read(log: &Path) -> Result<Meta, Report> {
        let path = meta_path(log);
        let wrong = |error: &dyn std::fmt::Display| {
            let (log, path) = (log.display(), path.display());
            Report::usage(format!("cannot tell what {log} is of: {path}: {error}")).help(ANEW)
        };
        let bytes = fs::read(&path).map_err(|error| wrong(&error))?;
        serde_json::from_slice(&bytes).map_err(|error| wrong(&error))
    }

    /// Writes the description, in one step.
    pub(super) fn write(&self, log: &Path) -> io::Result<()> {
        let path = meta_path(log);
        let new = with_suffix(&path, ".new");
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        fs::write(&new, text).and_then(|()| fs::rename(&new, path)).inspect_err(|_| {
            // The new file may not have been made at all.
            let _ = fs::remove_file(&new);
        })
    }
}

impl Placed {
    /// Describes the results of a run that begins; `None` if they are not in a regular file.
    fn new(target: &Target, log: u64, start: u64, format: &str) -> io::Result<Option<Placed>> {
        let metadata = target.file.metadata()?;
        Ok(metadata.is_file().then(|| Placed {
            path: target.path().map(|path| path.to_string_lossy().into_owned()),
            device: metadata.dev(),
            inode: metadata.ino(),
            format: format.to_owned(),
            log,
            start,
            closed: false,
        }))
    }

    /// Returns whether both are the same file, even if it was moved.
    fn is_same_file(&self, other: &Placed) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// Returns whether both are the same file, or files at the same path.
    fn is_same(&self, other: &Placed) -> bool {
        self.is_same_file(other) || (self.path.is_some() && self.path == other.path)
    }
}

/// The plan of a run, as far as its joblog needs it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The description of the run.
    pub(crate) meta: Meta,
    /// The format of results.
    pub(crate) format: String,
    /// True if results come in the order of jobs.
    pub(crate) ordered: bool,
    /// The exit codes that are successes.
    pub(crate) ok_exit: Vec<i32>,
}

/// A joblog to write, and the jobs of an earlier run to skip.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// The log.
    pub(crate) log: Option<JobLog>,
    /// The jobs that are not to be run.
    pub(crate) skip: Option<Skip>,
    /// The number of bytes in the results' file before this run's.
    pub(crate) before: u64,
    /// The work that is left for the end of the run.
    pub(crate) ending: Option<Ending>,
}

/// Returns the seed of the random order in which the run to be resumed took its jobs.
pub(crate) fn earlier_seed(flags: &LogFlags) -> Option<u64> {
    let path = flags.joblog.as_ref().filter(|_| flags.resume().is_some())?;
    let meta: Meta = serde_json::from_slice(&fs::read(meta_path(path)).ok()?).ok()?;
    let shape = meta.shape?;
    let (_, seed) = shape.rsplit_once(SHUFFLED)?;
    seed.trim().parse().ok()
}

/// A log that is opened but unchanged, because it is not known yet whether the run may begin.
#[derive(Debug)]
pub(crate) struct Opened {
    path: PathBuf,
    name: String,
    file: File,
    made: bool,
    resume: Option<Resume>,
    forced: bool,
    earlier: Option<Earlier>,
    plan: Plan,
}

/// The state that earlier runs have left in a log.
#[derive(Debug)]
struct Earlier {
    skip: Skip,
    /// The size of the log's whole rows, in bytes.
    bytes: u64,
    /// The file with the results, and the number of bytes that they must have.
    output: Option<(Placed, u64)>,
}

impl Opened {
    /// Opens the joblog that the flags name, if they name one, and reads it if the run resumes.
    ///
    /// # Errors
    /// Fails if a file cannot be read or written, is being written by another run, or belongs to
    /// another run.
    pub(crate) fn open(flags: &LogFlags, plan: Plan) -> Result<Option<Opened>, Report> {
        let Some(path) = &flags.joblog else { return Ok(None) };
        let name = format!("--joblog {}", path.display());
        let (resume, forced) = (flags.resume(), flags.force_resume);
        let made = !path.exists();
        let open = || -> Result<File, Report> {
            let mut options = OpenOptions::new();
            options.read(resume.is_some()).write(true).create(true).truncate(false);
            let file = options.open(path).map_err(|error| unusable(&name, &error))?;
            lock(&file, &name, Exit::Setup)?;
            Ok(file)
        };
        let mut file = open()?;
        if merge::recover(path).map_err(|error| unusable(&name, &error))? {
            // The merge may have put another file in its place.
            drop(file);
            file = open()?;
        }
        let mut opened =
            Opened { path: path.clone(), name, file, made, resume, forced, earlier: None, plan };
        if let Some(resume) = resume
            && opened.file.metadata().is_ok_and(|metadata| metadata.len() > 0)
        {
            opened.earlier = Some(opened.read(resume)?);
        }
        Ok(Some(opened))
    }

    /// Returns the jobs that need not be run.
    pub(crate) fn skip(&self) -> Option<&Skip> {
        self.earlier.as_ref().map(|earlier| &earlier.skip)
    }

    fn read(&self, resume: Resume) -> Result<Earlier, Report> {
        let meta = match Meta::read(&self.path) {
            Ok(meta) => Some(meta),
            Err(_) if self.forced => None,
            Err(report) => return Err(report),
        };
        let differs = meta.as_ref().and_then(|meta| meta.difference(&self.plan.meta));
        if let (Some(what), false) = (differs, self.forced) {
            return Err(Report::usage(format!("{} is of other {what}", self.name)).help(ANEW));
        }
        let placed = meta.and_then(|meta| meta.output);
        let mut received = 0;
        let read = Skip::read(BufReader::new(&self.file), resume, &self.plan.ok_exit, |row, at| {
            if placed.as_ref().is_some_and(|placed| at.start >= placed.log) {
                received += row.received;
            }
        });
        let (skip, bytes) = read.map_err(|error| {
            Report::usage(format!("{} is not a joblog: {error}", self.name))
                .help("without a resume flag the log begins anew")
        })?;
        let skip = if self.forced { skip.of_any_jobs() } else { skip };
        Ok(Earlier { skip, bytes, output: placed.map(|placed| (placed, received)) })
    }

    /// Begins the log or resumes it, and prepares the results' file.
    ///
    /// # Errors
    /// Fails if the results of earlier runs are not where they were, or a file cannot be written.
    pub(crate) fn begin(mut self, target: &mut Target) -> Result<Journal, Report> {
        let begun = match self.earlier.take() {
            Some(earlier) => self.go_on(earlier, target),
            None => self.begin_anew(target),
        };
        begun.inspect_err(|_| {
            target.unmake();
            if self.made {
                // If the removal fails, an empty file stays.
                let _ = fs::remove_file(&self.path);
            }
        })
    }

    fn begin_anew(&mut self, target: &mut Target) -> Result<Journal, Report> {
        if self.resume.is_some() && target.own && target.bytes() > 0 {
            let (log, results) = (&self.name, &target.name);
            return Err(Report::usage(format!("{log} has no rows, and {results} has results"))
                .help("without a resume flag both begin anew"));
        }
        target.empty()?;
        self.cut(0).map_err(|error| unusable(&self.name, &error))?;
        let (start, log) = (target.position(), HEADER.len() as u64);
        let placed = Placed::new(target, log, start, &self.plan.format);
        let placed = placed.map_err(|error| target.unwritable(&error))?;
        self.start(placed, None, log, start)
    }

    fn go_on(&mut self, earlier: Earlier, target: &mut Target) -> Result<Journal, Report> {
        let wrong = |target: &Target, error: io::Error| target.unwritable(&error);
        let log = earlier.bytes.max(HEADER.len() as u64);
        // The contents of a file that is no part of the log are kept as well.
        let start = if target.own { target.bytes() } else { target.position() };
        let new = Placed::new(target, log, start, &self.plan.format);
        let placed = match (new.map_err(|error| wrong(target, error))?, earlier.output) {
            (Some(new), Some((old, received))) if old.is_same(&new) => {
                Some(self.go_on_in(new, old, received, target)?)
            }
            (new, _) => new.map(|new| (new, start)),
        };
        let before = placed.as_ref().map_or(0, |(_, end)| *end);
        if placed.is_some() {
            let ready = if target.own { target.cut(before) } else { target.turn_to(before) };
            ready.map_err(|error| wrong(target, error))?;
        }
        self.cut(earlier.bytes).map_err(|error| unusable(&self.name, &error))?;
        self.start(placed.map(|(placed, _)| placed), Some(earlier.skip), log, before)
    }

    /// Decides where results go in the file that has those of earlier runs, and after how many
    /// bytes.
    fn go_on_in(
        &self,
        new: Placed,
        old: Placed,
        received: u64,
        target: &Target,
    ) -> Result<(Placed, u64), Report> {
        let (there, end) = (target.bytes(), old.start + received);
        let (log, results) = (&self.name, &target.name);
        let behind = (Placed { start: there, ..new.clone() }, there);
        let again = (Placed { log: old.log, start: old.start, ..new.clone() }, end);
        if self.forced && (there < end || old.format != new.format) {
            return Ok(behind);
        }
        if there < end {
            let error =
                format!("{results} has {there} of the {end} bytes of results that {log} tells of");
            return Err(Report::usage(error).help(
                "append to it (`>>`, not `>`), or give another file; --force-resume goes on all the same",
            ));
        }
        if old.format != new.format {
            let error = format!("{results} has results in another format: {}", old.format);
            return Err(Report::usage(error).help("give the same flags again, or another file"));
        }
        match there == end {
            true => Ok(again),
            // Another program has added to the file.
            false if old.closed || self.forced => Ok(behind),
            false if target.own && old.is_same_file(&new) => Ok(again),
            false => {
                let error = format!(
                    "{results} has {} bytes behind the results that {log} tells of",
                    there - end
                );
                Err(Report::usage(error).help(format!(
                    "if they are of the run that was killed: truncate -s {end} FILE; --force-resume keeps \
                     them"
                )))
            }
        }
    }

    /// Cuts the log to its first `bytes` bytes.
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        if self.file.metadata()?.is_file() {
            self.file.set_len(bytes)?;
            self.file.seek(SeekFrom::Start(bytes))?;
        }
        if bytes == 0 { self.file.write_all(HEADER.as_bytes()) } else { Ok(()) }
    }

    /// Writes the description of the run. The log has `bytes` bytes, and the results' file
    /// `before`.
    fn start(
        &mut self,
        placed: Option<Placed>,
        skip: Option<Skip>,
        bytes: u64,
        before: u64,
    ) -> Result<Journal, Report> {
        let wrong = |error: io::Error| unusable(&self.name, &error);
        let mut meta = self.plan.meta.clone();
        meta.output = placed;
        meta.write(&self.path).map_err(wrong)?;
        let file = self.file.try_clone().map_err(wrong)?;
        let log = JobLog::new(file, self.name.clone(), bytes, self.plan.ok_exit.clone());
        let merges = self.plan.ordered && skip.is_some();
        let ending = Ending { path: self.path.clone(), meta, merges };
        Ok(Journal { log: Some(log), skip, before, ending: Some(ending) })
    }
}

/// The work that is left for the end of a run.
#[derive(Debug)]
pub(crate) struct Ending {
    path: PathBuf,
    meta: Meta,
    /// True if results of this run may have to go before those of earlier ones.
    merges: bool,
}

impl Ending {
    /// Puts results in the order of jobs, and records that the run has ended by itself. Everything
    /// must have been written.
    pub(crate) fn end(mut self, target: &Target, console: &mut Console) {
        let Some(placed) = &mut self.meta.output else { return };
        placed.closed = true;
        if self.merges
            && target.own
            && let Err(error) = merge::merge(&self.path, &mut self.meta, target)
        {
            let name = &target.name;
            console.warning(format_args!(
                "the results of this run stand behind the earlier ones in {name}: cannot merge: {error}"
            ));
        }
        // A resumed run finds out by itself, unless another program writes the file as well.
        let _ = self.meta.write(&self.path);
    }
}

fn unusable(name: &str, error: &io::Error) -> Report {
    Report::new(Exit::Setup, format!("cannot use {name}: {error}"))
        .help("give a file that you may write, in a folder that is there")
}

/// Returns the path of a log's second file.
pub(crate) fn meta_path(path: &Path) -> PathBuf {
    with_suffix(path, ".meta.json")
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(task: &str) -> Meta {
        let text = format!(r#"{{"module":"hash","task":"{task}","args":[],"input":"3 words"}}"#);
        serde_json::from_str(&text).expect("a description")
    }

    #[test]
    fn a_log_of_another_task_is_told_from_one_of_the_same() {
        assert_eq!(meta("square").difference(&meta("square")), None);
        assert_eq!(meta("square").difference(&meta("cube")), Some("task"));
    }

    #[test]
    fn a_log_without_its_second_file_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let report = Meta::read(&folder.path().join("log")).expect_err("no file");
        assert!(report.error.contains("log.meta.json"), "{}", report.error);
    }

    #[test]
    fn a_second_file_of_an_earlier_version_says_nothing_of_results() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join("log");
        let text = r#"{"module":"hash","task":"square","args":[],"input":"3 words"}"#;
        fs::write(meta_path(&log), text).expect("written");
        assert_eq!(Meta::read(&log).expect("readable"), meta("square"));
    }
}
