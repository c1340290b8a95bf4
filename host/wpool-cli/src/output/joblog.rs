//! `--joblog`: GNU parallel's log of jobs, with a row of nine columns for each.
//!
//! `Seq` counts from 1, as in GNU parallel. `Receive` is the number of bytes that the job has in
//! the output. `Exitval` is a command's exit code, 0 for success, 134 for a trap (as SIGABRT would
//! give), 1 for other errors of the guest, and -1 for jobs that were stopped: by a limit, or, with
//! `Signal` 2, by the end of the run, in which case `--resume` runs them again.
//!
//! A row is written when all bytes of its job are in the output, and rows are in the order of these
//! bytes. So the log tells where the result of each job is in the output. Bytes after the last of
//! these results were written by a run that was killed before it wrote the row.

pub(super) use super::resume::log_text;
use super::unwritable::Unwritable;
use std::collections::VecDeque;
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

/// The place of a job's bytes in the output.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    /// The number of bytes in the run's output up to the end of the job's.
    pub(crate) end: u64,
    /// The number of bytes of the job.
    pub(crate) bytes: u64,
}

/// A log that is being written.
#[derive(Debug)]
pub(crate) struct JobLog {
    file: File,
    /// The name of the log in errors.
    name: String,
    /// The size of the file in bytes, all in whole rows.
    bytes: u64,
    /// The rows not yet written.
    rows: String,
    /// For each of these rows, the end of the job in the output, and the end of the row in the
    /// file.
    ends: VecDeque<(u64, u64)>,
    /// The number of bytes in the output whose jobs have a row in the file.
    logged: u64,
    /// The exit codes that are successes.
    ok_exit: Vec<i32>,
}

impl JobLog {
    /// Makes a log that is appended to this file, which has `bytes` bytes.
    pub(crate) fn new(file: File, name: String, bytes: u64, ok_exit: Vec<i32>) -> Self {
        let (rows, ends) = (String::new(), VecDeque::new());
        JobLog { file, name, bytes, rows, ends, logged: 0, ok_exit }
    }

    /// Adds the row of a job. `start` is the run's start, in time since 1970.
    pub(crate) fn add(
        &mut self,
        outcome: &Outcome<'_>,
        input: &[u8],
        start: Duration,
        place: Place,
    ) {
        let started = (start + outcome.attempt.sent).as_secs_f64();
        let ran = outcome.attempt.ran.unwrap_or_default().as_secs_f64();
        let (exit, signal) = match outcome.result {
            Ok(_) => (outcome.attempt.exit_code.unwrap_or(0), 0),
            Err(failure) => self.exit_and_signal(failure),
        };
        let (sent, received) = (input.len(), place.bytes);
        let command = log_text(input);
        let job = outcome.job + 1;
        writeln!(
            self.rows,
            "{job}\t:\t{started:.3}\t{ran:10.3}\t{sent}\t{received}\t{exit}\t{signal}\t{command}"
        )
        .expect("writing to a String cannot fail");
        self.ends.push_back((place.end, self.bytes + self.rows.len() as u64));
    }

    /// Returns the number of bytes in rows not yet written.
    pub(crate) fn held(&self) -> usize {
        self.rows.len()
    }

    /// Returns the number of bytes in the output whose jobs have a row in the file.
    pub(crate) fn logged(&self) -> u64 {
        self.logged
    }

    /// Writes the rows of jobs whose results are among the first `output` bytes of the output.
    ///
    /// # Errors
    /// Fails if the file cannot be written. If possible, the file ends with a whole row all the
    /// same.
    pub(crate) fn flush(&mut self, output: u64) -> io::Result<()> {
        let due = self.ends.partition_point(|(end, _)| *end <= output);
        let Some((_, last)) = due.checked_sub(1).map(|last| self.ends[last]) else { return Ok(()) };
        let due = &self.rows.as_bytes()[..(last - self.bytes) as usize];
        let mut written = 0;
        let result = write_counted(&mut self.file, due, &mut written);
        let whole = memchr::memrchr(b'\n', &due[..written]).map_or(0, |at| at + 1);
        self.rows.drain(..whole);
        self.bytes += whole as u64;
        while let Some((end, _)) = self.ends.pop_front_if(|(_, row)| *row <= self.bytes) {
            self.logged = end;
        }
        if whole < written {
            // A resumed run cuts off a torn row, too.
            let _ = self.file.set_len(self.bytes);
        }
        result.map_err(Unwritable::log(&self.name))
    }

    /// Returns the columns of a failure, which must not look like a success.
    fn exit_and_signal(&self, failure: &Failure) -> (i32, i32) {
        match exit_and_signal(failure) {
            (code, 0) if self.ok_exit.contains(&code) => match self.ok_exit.contains(&1) {
                true => (-1, 0),
                false => (1, 0),
            },
            told => told,
        }
    }
}

/// Writes all bytes, and counts those that were written.
fn write_counted(file: &mut File, bytes: &[u8], written: &mut usize) -> io::Result<()> {
    while *written < bytes.len() {
        match file.write(&bytes[*written..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(more) => *written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn exit_and_signal(failure: &Failure) -> (i32, i32) {
    match failure.kind {
        FailureKind::GuestError | FailureKind::InvalidJob => (1, 0),
        FailureKind::Trap => (134, 0),
        FailureKind::Exit => (failure.code.unwrap_or(1), 0),
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

    fn add(log: &mut JobLog, job: u64, result: Result<&[u8], &Failure>, place: (u64, u64)) {
        let outcome = Outcome { job, input: None, result, attempt: Attempt::default() };
        let place = Place { end: place.0, bytes: place.1 };
        log.add(&outcome, b"a\tb\nc", Duration::from_millis(1_700_000_000_250), place);
    }

    fn text(mut file: File) -> String {
        let mut text = String::new();
        file.rewind().expect("rewound");
        file.read_to_string(&mut text).expect("read");
        text
    }

    #[test]
    fn rows_have_nine_columns_whatever_the_input_holds() {
        let file = tempfile::tempfile().expect("a temporary file");
        let mut log = JobLog::new(file.try_clone().expect("cloned"), "log".into(), 0, vec![0]);
        let failure = Failure::new(FailureKind::Timeout, "");
        add(&mut log, 0, Ok(b"49"), (3, 3));
        add(&mut log, 1, Err(&failure), (8, 5));
        assert!(log.held() > 0);
        log.flush(8).expect("written");
        assert_eq!((log.held(), log.logged()), (0, 8));
        assert_eq!(
            text(file),
            "1\t:\t1700000000.250\t     0.000\t5\t3\t0\t0\ta\\tb\\nc\n\
             2\t:\t1700000000.250\t     0.000\t5\t5\t-1\t9\ta\\tb\\nc\n"
        );
    }

    #[test]
    fn a_row_waits_for_the_last_byte_of_its_result() {
        let file = tempfile::tempfile().expect("a temporary file");
        let mut log = JobLog::new(file.try_clone().expect("cloned"), "log".into(), 0, vec![0]);
        add(&mut log, 0, Ok(b"49"), (3, 3));
        add(&mut log, 1, Ok(b"64"), (6, 3));
        log.flush(5).expect("written");
        assert_eq!((text(file.try_clone().expect("cloned")).lines().count(), log.logged()), (1, 3));
        log.flush(6).expect("written");
        assert_eq!((text(file).lines().count(), log.logged()), (2, 6));
    }

    #[test]
    fn no_failure_looks_like_a_success() {
        let told = |kind, code, ok_exit: &[i32]| {
            let file = tempfile::tempfile().expect("a temporary file");
            let log = JobLog::new(file, "log".into(), 0, ok_exit.to_vec());
            log.exit_and_signal(&Failure { code, ..Failure::new(kind, "") })
        };
        assert_eq!(told(FailureKind::Exit, Some(3), &[0, 1]), (3, 0));
        assert_eq!(told(FailureKind::Exit, Some(0), &[1]), (0, 0));
        assert_eq!(told(FailureKind::Exit, Some(0), &[0]), (1, 0), "a task has no exit code");
        assert_eq!(told(FailureKind::InvalidJob, None, &[0]), (1, 0));
        assert_eq!(told(FailureKind::InvalidJob, None, &[0, 1]), (-1, 0));
    }
}
