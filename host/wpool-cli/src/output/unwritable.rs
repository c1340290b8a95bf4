//! Failed writes, with the name of what could not be written.

use crate::cli::exit::Exit;
use crate::cli::report::Report;
use std::io;
use wpool::pool::error::PoolError;

/// A file that could not be written, and the reason.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {what}: {source}")]
pub(crate) struct Unwritable {
    what: String,
    exit: Exit,
    source: io::Error,
}

impl Unwritable {
    /// Makes errors of writing results or other outputs of a run name the file.
    pub(crate) fn output(what: &str) -> impl FnOnce(io::Error) -> io::Error {
        Unwritable::of(what, Exit::Output)
    }

    /// Makes errors of writing the joblog name it.
    pub(crate) fn log(what: &str) -> impl FnOnce(io::Error) -> io::Error {
        Unwritable::of(what, Exit::Setup)
    }

    fn of(what: &str, exit: Exit) -> impl FnOnce(io::Error) -> io::Error {
        move |source| {
            let kind = source.kind();
            io::Error::new(kind, Unwritable { what: what.to_owned(), exit, source })
        }
    }

    /// Returns the failed write that an error of a run is about, if any.
    pub(crate) fn in_error(error: &PoolError) -> Option<&Unwritable> {
        match error {
            PoolError::Output(error) => error.get_ref()?.downcast_ref(),
            _ => None,
        }
    }

    /// Returns the exit of the program for the error.
    pub(crate) fn exit(&self) -> Exit {
        match self.source.kind() {
            io::ErrorKind::BrokenPipe if self.exit == Exit::Output => Exit::BrokenPipe,
            _ => self.exit,
        }
    }

    /// Returns the report for people.
    pub(crate) fn report(&self) -> Report {
        let help = match self.source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk",
            io::ErrorKind::FileTooLarge => "raise the limit of a file's size: ulimit -f",
            _ => "give a file that you may write, in a folder that is there",
        };
        Report::new(self.exit(), self.to_string()).help(help)
    }
}
