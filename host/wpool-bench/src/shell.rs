//! Runs programs that start a process for each job of a command: xargs and GNU parallel.

use super::mode::Mode;
use super::subject::Subject;
use super::timing::{Timing, run_program};
use crate::error::Error;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};
use wpool::command_arguments;
use wpool::wire::settings::split_command_job;

/// The shell command that makes a program read a file. The program is `$0`, the file `$1`, and the
/// program's arguments follow.
const READ: &str = r#"file=$1; shift; exec "$0" "$@" < "$file""#;

/// Returns whether PATH has a program of this name.
pub fn is_there(name: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(name).is_file())
}

/// Runs a native program with the arguments and the standard input of each job; `keep` takes
/// everything that the program wrote.
///
/// # Errors
/// Fails if the program cannot be run, or fails itself.
pub(crate) fn run(
    subject: &Subject<'_>,
    program: &Path,
    mode: Mode,
    workers: usize,
    keep: &mut dyn FnMut(&[u8]),
) -> Result<Timing, Error> {
    // A name without a folder is looked for in the folders of PATH.
    let is_path = program.components().count() > 1;
    let program =
        if is_path { std::path::absolute(program).ok() } else { Some(program.to_owned()) };
    let program = program.ok_or_else(|| Error::usage("--native: there is no such folder"))?;
    let calls = Calls::of(subject)?;
    let (workers, words) = (workers.to_string(), calls.words.to_string());
    let mut command = match mode {
        Mode::Parallel => {
            let mut command = Command::new("parallel");
            command.args(["--null", "--quote", "--jobs", &workers, "--max-args", &words]);
            command
        }
        _ => {
            let mut command = Command::new("xargs");
            command.args(["--null", "--max-args", &words, "--max-procs", &workers]);
            command
        }
    };
    if calls.inputs.is_some() {
        command.args(["sh", "-c", READ]);
    }
    command.arg(program).stdin(Stdio::piped()).stdout(Stdio::piped());
    let (output, timing) =
        run_program(command, calls.list, subject.limit(), mode.name(), subject.asking)?;
    keep(&output);
    Ok(timing)
}

/// The calls of all jobs, as xargs reads them.
struct Calls {
    /// The words of each call, each with a NUL at its end.
    list: Vec<u8>,
    /// The number of words in a call.
    words: usize,
    /// The standard inputs, each in the file that is the first word of its call.
    inputs: Option<Folder>,
}

impl Calls {
    fn of(subject: &Subject<'_>) -> Result<Calls, Error> {
        let line = &subject.config().settings.task.command;
        let inputs = (!line.append).then(Folder::create).transpose().map_err(unwritable)?;
        let (mut list, mut count) = (Vec::new(), 0);
        for (job, bytes) in subject.jobs.iter().enumerate() {
            let call = command_arguments(line, job as u64, bytes)
                .map_err(|failure| Error::usage(format!("job {job} cannot be run: {failure}")))?;
            if let Some(folder) = &inputs {
                let (_, input) = split_command_job(bytes).expect("just decoded");
                let file = folder.put(job, input).map_err(unwritable)?;
                list.extend_from_slice(file.as_os_str().as_bytes());
                list.push(0);
            }
            // The first word is the command's own name.
            count = call.len() - 1 + usize::from(inputs.is_some());
            call[1..].iter().for_each(|word| list.extend(word.bytes().chain([0])));
        }
        Ok(Calls { list, words: count, inputs })
    }
}

fn unwritable(error: io::Error) -> Error {
    let folder = std::env::temp_dir();
    Error::setup(format!("cannot write into {}: {error}", folder.display()))
        .help("set TMPDIR to a folder with room for what jobs read")
}

/// A folder for temporary files, removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn create() -> io::Result<Folder> {
        // A run that was killed may have left a folder of the same process id.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let path = std::env::temp_dir().join(format!("wpool-bench-{}-{now}", process::id()));
        // The call fails if anybody else has made the folder.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Folder(path))
    }

    fn put(&self, job: usize, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.0.join(job.to_string());
        fs::write(&path, bytes)?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that cannot be removed is left to the system, like any temporary file.
        let _ = fs::remove_dir_all(&self.0);
    }
}
