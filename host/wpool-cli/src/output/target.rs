//! The place of results: the file of `--output`, or standard output.

use super::stream::{Patience, Stream};
use super::unwritable::Unwritable;
use crate::cli::exit::Exit;
use crate::cli::report::Report;
use rustix::fs::{OFlags, fcntl_getfl};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom};
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use wpool::pool::session::closed_at_start;

/// The place of results. Opening it leaves its contents unchanged.
#[derive(Debug)]
pub(crate) struct Target {
    pub(super) file: File,
    /// The name in errors.
    pub(super) name: String,
    /// True for a file that wpool has opened itself, and may cut and replace.
    pub(super) own: bool,
    /// The path at which the file was made, if it was not there before.
    made: Option<PathBuf>,
}

impl Target {
    /// Opens the file of `--output`, or else standard output.
    ///
    /// # Errors
    /// Fails if the file cannot be written, or another run writes it.
    pub(crate) fn open(path: Option<&Path>) -> Result<Target, Report> {
        match path {
            None => Target::standard_output(),
            Some(path) => Target::own("--output", path),
        }
    }

    /// Opens wpool's own standard output.
    ///
    /// # Errors
    /// Fails if standard output is closed.
    pub(crate) fn standard_output() -> Result<Target, Report> {
        let name = "standard output".to_owned();
        if closed_at_start()[1] {
            return Err(Report::new(Exit::Output, "standard output is closed")
                .help("give it a file or a pipe, or write results to a file by --output FILE"));
        }
        match io::stdout().as_fd().try_clone_to_owned() {
            Ok(fd) => Ok(Target { file: fd.into(), name, own: false, made: None }),
            Err(error) => Err(Report::new(Exit::Output, format!("{name}: {error}"))),
        }
    }

    /// Opens the file that a flag names.
    ///
    /// # Errors
    /// Fails if the file cannot be written, or another run writes it.
    pub(crate) fn own(flag: &str, path: &Path) -> Result<Target, Report> {
        let name = format!("{flag} {}", path.display());
        let there = path.metadata();
        let made = there.is_err().then(|| path.to_owned());
        // Opening a pipe or a terminal for reading would change how it behaves, so only a regular
        // file is.
        let read = there.map_or(true, |metadata| metadata.is_file());
        let open = |read| {
            OpenOptions::new().read(read).write(true).create(true).truncate(false).open(path)
        };
        let opened = open(read).or_else(|error| match error.kind() {
            io::ErrorKind::PermissionDenied if read => open(false),
            _ => Err(error),
        });
        let file = opened.map_err(|error| {
            Report::new(Exit::Output, format!("cannot write {name}: {error}"))
                .help("give a file that you may write, in a folder that is there")
        })?;
        lock(&file, &name, Exit::Output)?;
        Ok(Target { file, name, own: true, made })
    }

    /// Removes the file if it was made by opening it.
    pub(crate) fn unmake(&self) {
        if let Some(path) = &self.made {
            // If the removal fails, an empty file stays.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Empties a file that wpool has opened itself.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub(crate) fn empty(&mut self) -> Result<(), Report> {
        if self.own && self.is_regular() {
            self.cut(0).map_err(|error| self.unwritable(&error))?;
        }
        Ok(())
    }

    /// Returns the size of a regular file in bytes, and 0 for anything else.
    pub(super) fn bytes(&self) -> u64 {
        self.file
            .metadata()
            .map_or(0, |metadata| if metadata.is_file() { metadata.len() } else { 0 })
    }

    /// Returns the offset at which the next result goes.
    pub(super) fn position(&self) -> u64 {
        let appends = fcntl_getfl(&self.file).is_ok_and(|flags| flags.contains(OFlags::APPEND));
        if appends { self.bytes() } else { (&self.file).stream_position().unwrap_or(0) }
    }

    /// Moves the offset of the next result to `bytes`.
    pub(super) fn turn_to(&mut self, bytes: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(bytes)).map(drop)
    }

    /// Replaces the contents by these bytes, however long that takes.
    ///
    /// # Errors
    /// Fails if the bytes cannot be written.
    pub(super) fn replace(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        let name = self.name.clone();
        let mut write = || {
            if self.is_regular() {
                self.cut(0)?;
            }
            let mut stream = Stream::new(self.file.try_clone()?)?;
            stream.buffer().extend_from_slice(&bytes);
            while !stream.flush()? {
                stream.wait(Patience::Endless);
            }
            Ok(())
        };
        write().map_err(Unwritable::output(&name))
    }

    /// Cuts the file to its first `bytes` bytes; further results go after them.
    pub(super) fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)?;
        self.turn_to(bytes)
    }

    /// Returns the report of an error.
    pub(crate) fn unwritable(&self, error: &io::Error) -> Report {
        Report::new(Exit::Output, format!("cannot write {}: {error}", self.name))
            .help("give a file that you may write, in a folder that is there")
    }

    /// Returns the name in errors.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns a copy of the file's handle.
    ///
    /// # Errors
    /// Fails if there are too many descriptors.
    pub(crate) fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Returns whether the place is a regular file, in which results stay.
    pub(super) fn is_regular(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.is_file())
    }

    /// Returns the path, if there is one.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        std::fs::read_link(format!("/proc/self/fd/{}", self.file.as_raw_fd())).ok()
    }

    /// Makes a stream to the place.
    ///
    /// # Errors
    /// Fails if the kind of the file cannot be found out.
    pub(crate) fn stream(&self) -> Result<Stream, Report> {
        let stream = self.file.try_clone().and_then(Stream::new);
        stream.map_err(|error| self.unwritable(&error))
    }
}

/// Keeps other runs from writing a file that this run writes. Does nothing if the file cannot be
/// locked.
///
/// # Errors
/// Fails if another run has the lock.
pub(super) fn lock(file: &File, name: &str, exit: Exit) -> Result<(), Report> {
    let regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
    match file.try_lock() {
        Err(TryLockError::WouldBlock) if regular => {
            Err(Report::new(exit, format!("another run writes {name}"))
                .help("wait until it has ended, or give another file"))
        }
        _ => Ok(()),
    }
}
