//! `--joblog`: GNU parallel's log of jobs, one row of nine columns for each.
//!
//! `Seq` counts from 1, as there. `Exitval` is 0 for success, a guest's exit code, 134 for a trap
//! (as SIGABRT would give), 1 for other errors of the guest, and -1 for jobs that were stopped: by
//! a limit, or, with `Signal` 2, by the end of the run, in which case `--resume` runs them again.

use crate::cli::escape;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;
use wpool::pool::feed::Outcome;
use wpool::wire::failure::{Failure, FailureKind};

/// The first line of a log.
pub(crate) const HEADER: &str =
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

/// `Exitval` and `Signal` of a job that was given up because the run ended.
pub(crate) const CANCELLED: (i32, i32) = (-1, 2);

/// A log being written.
#[derive(Debug)]
pub(crate) struct JobLog {
    file: File,
    rows: String,
}

impl JobLog {
    /// A log that is appended to this file.
    pub(crate) fn new(file: File) -> Self {
        JobLog { file, rows: String::new() }
    }

    /// Adds the row of a job. `start` is the run's start, in seconds since 1970.
    pub(crate) fn add(&mut self, outcome: &Outcome<'_>, input: &[u8], start: Duration) {
        let started = (start + outcome.attempt.sent).as_secs_f64();
        let ran = outcome.attempt.ran.unwrap_or_default().as_secs_f64();
        let (exit, signal) = outcome.result.map_or_else(exit_and_signal, |_| (0, 0));
        let received = outcome.result.map_or(0, <[u8]>::len);
        let sent = input.len();
        // A TAB or a line end inside the input would break the row.
        let command = escape::bytes(input).replace('\t', "\\t");
        let job = outcome.job + 1;
        writeln!(
            self.rows,
            "{job}\t:\t{started:.3}\t{ran:10.3}\t{sent}\t{received}\t{exit}\t{signal}\t{command}"
        )
        .expect("writing to a String cannot fail");
    }

    /// Bytes of rows not yet written.
    pub(crate) fn held(&self) -> usize {
        self.rows.len()
    }

    /// Writes the rows.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if !self.rows.is_empty() {
            self.file.write_all(self.rows.as_bytes())?;
            self.rows.clear();
        }
        Ok(())
    }
}

fn exit_and_signal(failure: &Failure) -> (i32, i32) {
    match failure.kind {
        FailureKind::GuestError | FailureKind::InvalidJob => (1, 0),
        FailureKind::Trap => (134, 0),
        FailureKind::Exit => (failure.code.filter(|code| *code != 0).unwrap_or(1), 0),
        FailureKind::OutOfMemory | FailureKind::Fuel | FailureKind::OutputTooLarge => (-1, 0),
        FailureKind::Timeout => (-1, 9),
        FailureKind::WorkerLost => (-1, failure.signal.unwrap_or(0)),
        FailureKind::Cancelled => CANCELLED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek};
    use wpool::pool::feed::Attempt;

    #[test]
    fn rows_have_nine_columns_whatever_the_input_holds() {
        let mut file = tempfile::tempfile().expect("a temporary file");
        let mut log = JobLog::new(file.try_clone().expect("cloned"));
        let failure = Failure::new(FailureKind::Timeout, "");
        for (job, result) in [(0, Ok(&b"49"[..])), (1, Err(&failure))] {
            let outcome = Outcome { job, input: None, result, attempt: Attempt::default() };
            log.add(&outcome, b"a\tb\nc", Duration::from_millis(1_700_000_000_250));
        }
        assert!(log.held() > 0);
        log.flush().expect("written");
        let mut text = String::new();
        file.rewind().expect("rewound");
        file.read_to_string(&mut text).expect("read");
        assert_eq!(
            text,
            "1\t:\t1700000000.250\t     0.000\t5\t2\t0\t0\ta\\tb\\nc\n\
             2\t:\t1700000000.250\t     0.000\t5\t0\t-1\t9\ta\\tb\\nc\n"
        );
    }
}
