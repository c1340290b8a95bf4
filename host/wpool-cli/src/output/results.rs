//! `--results DIR`: writes the outcome of each job to files of its own, in GNU parallel's layout.
//!
//! Job `a b` has the files `stdout`, `stderr` and `seq` in `DIR/1/a/2/b`, or, if a header names the
//! columns, in `DIR/NAME/a/NAME/b`. A line that a job prints is written at once, to a file with the
//! job's number. The file is moved when the job has ended, so that nothing is held however long
//! other jobs take.

use super::words::WordsOf;
use crate::cli::input::names::Names;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use wpool::pool::feed::{Notice, Outcome, Results, Sink, Stats};

/// The beginning of the name of the file with what a job prints before its outcome is known.
const PRINTED: &str = ".stderr-";

/// Returns whether a file of this name may be one of a job's.
pub(crate) fn is_name_of_file(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    [&b"seq"[..], b"stdout", b"stderr"].contains(&name) || name.starts_with(PRINTED.as_bytes())
}

/// The most bytes in the name of a folder.
const NAME_BYTES_MAX: usize = 255;

/// The files of jobs.
#[derive(Debug)]
pub(crate) struct ResultFiles {
    folder: PathBuf,
    header: Option<Vec<String>>,
    words: WordsOf,
    names: Names,
    /// The error of writing a line that a job printed; returned when an outcome is taken.
    failed: Option<io::Error>,
}

impl ResultFiles {
    /// Makes the folder for the files of jobs with these words and names.
    ///
    /// # Errors
    /// Fails if the folder cannot be made.
    pub(crate) fn new(
        folder: &Path,
        header: Option<Vec<String>>,
        words: WordsOf,
        names: Names,
    ) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(ResultFiles { folder: folder.to_owned(), header, words, names, failed: None })
    }

    /// Returns the path for lines that a job prints before its outcome is known.
    fn printed(&self, job: u64) -> PathBuf {
        self.folder.join(format!("{PRINTED}{}", job + 1))
    }

    fn print(&self, job: u64, line: &[u8]) -> io::Result<()> {
        let path = self.printed(job);
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        file.write_all(&[line, b"\n"].concat()).map_err(|error| named(error, &path))
    }

    fn write(&self, outcome: &Outcome<'_>) -> io::Result<()> {
        let words = match self.names.path(outcome.job) {
            Some(path) => vec![String::from_utf8_lossy(&path).into_owned()],
            None => self.words.read(outcome.input.unwrap_or_default()),
        };
        let mut folder = self.folder.clone();
        for (place, word) in words.iter().enumerate() {
            let name = self.header.as_ref().and_then(|names| names.get(place));
            folder.push(name.map_or_else(|| (place + 1).to_string(), |name| file_name(name)));
            folder.push(file_name(word));
        }
        fs::create_dir_all(&folder).map_err(|error| named(error, &folder))?;
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.join(name);
            fs::write(&path, bytes).map_err(|error| named(error, &path))
        };
        write("seq", (outcome.job + 1).to_string().as_bytes())?;
        write("stdout", outcome.result.unwrap_or_else(|failure| &failure.stdout))?;
        let (printed, stderr) = (self.printed(outcome.job), folder.join("stderr"));
        match fs::rename(&printed, &stderr) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => write("stderr", b""),
            moved => moved.map_err(|error| named(error, &stderr)),
        }
    }
}

fn named(error: io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("--results: {}: {error}", path.display()))
}

/// Returns a word as the name of a folder, as GNU parallel writes it. A long word is cut, and gets
/// a hash to keep it apart from others.
fn file_name(word: &str) -> String {
    let mut name = String::new();
    for character in word.chars() {
        match character {
            '\\' => name += "\\\\",
            '/' => name += "\\_",
            '\t' => name += "\\t",
            '\0' => name += "\\0",
            other => name.push(other),
        }
    }
    match name.as_str() {
        "" | "." | ".." => format!("{name}\\"),
        _ if name.len() > NAME_BYTES_MAX => {
            let hash = blake3::hash(word.as_bytes()).to_hex();
            let start = name.floor_char_boundary(NAME_BYTES_MAX - 17);
            format!("{}-{}", &name[..start], &hash[..16])
        }
        _ => name,
    }
}

/// A sink that writes files of jobs before it passes outcomes to another sink.
#[derive(Debug)]
pub(crate) struct Filed<S> {
    /// The other sink.
    pub(crate) sink: S,
    files: Option<ResultFiles>,
}

impl<S> Filed<S> {
    /// Makes a sink before `sink`, with files if there are any.
    pub(crate) fn new(sink: S, files: Option<ResultFiles>) -> Self {
        Filed { sink, files }
    }
}

impl<S: Sink> Sink for Filed<S> {
    fn take(&mut self, outcome: &Outcome<'_>) -> io::Result<()> {
        if let Some(files) = &mut self.files {
            files.failed.take().map_or(Ok(()), Err)?;
            files.write(outcome)?;
        }
        self.sink.take(outcome)
    }

    fn take_plain(&mut self, results: Results<'_>) -> bool {
        self.files.is_none() && self.sink.take_plain(results)
    }

    fn notice(&mut self, notice: Notice) {
        if let (Some(files), Notice::Log { job: Some(job), line, .. }) = (&mut self.files, &notice)
            && let Err(error) = files.print(*job, line)
        {
            files.failed = Some(error);
        }
        self.sink.notice(notice);
    }

    fn progress(&mut self, stats: &Stats) {
        self.sink.progress(stats);
    }

    fn held(&self) -> usize {
        self.sink.held()
    }

    fn flush(&mut self) -> io::Result<bool> {
        self.sink.flush()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.sink.fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_names_of_folders() {
        assert_eq!(file_name("a/b\\c\td e"), "a\\_b\\\\c\\td e");
        assert_eq!(file_name(""), "\\");
        assert_eq!(file_name(".."), "..\\");
        let (a, b) = (file_name(&"ж".repeat(500)), file_name(&("ж".repeat(499) + "a")));
        assert!(a.len() <= NAME_BYTES_MAX && b.len() <= NAME_BYTES_MAX && a != b);
    }
}
