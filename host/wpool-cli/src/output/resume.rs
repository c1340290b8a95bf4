//! `--resume`, `--resume-failed` and `--retry-failed`: finds the jobs that need not run, according
//! to a joblog.

use super::joblog::CANCELLED;
use crate::cli::escape;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead};
use std::ops::Range;
use std::rc::Rc;

/// The jobs of a log that are run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// The jobs that have no outcome yet.
    Rest,
    /// The jobs that have no outcome yet, and the failed ones.
    RestAndFailed,
    /// The failed jobs only.
    Failed,
}

/// The most jobs of a log whose texts are remembered for comparison, at 16 bytes of memory each.
const TEXTS_MAX: usize = 1 << 20;

/// A row of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    /// The job's number, from 0.
    pub(super) job: u64,
    /// The number of bytes that the job has in the output.
    pub(super) received: u64,
    exit: i64,
    signal: i64,
    /// The text of the job in the log.
    text: &'a [u8],
}

impl<'a> Row<'a> {
    /// Parses a row, with or without its line end.
    pub(super) fn parse(row: &'a [u8]) -> Option<Self> {
        let row = row.strip_suffix(b"\n").unwrap_or(row);
        let mut columns = row.splitn(9, |&byte| byte == b'\t');
        let mut number =
            |index| std::str::from_utf8(columns.nth(index)?).ok()?.trim().parse::<i64>().ok();
        let (seq, received, exit, signal) = (number(0)?, number(4)?, number(0)?, number(0)?);
        let job = u64::try_from(seq).ok()?.checked_sub(1)?;
        let received = u64::try_from(received).ok()?;
        Some(Row { job, received, exit, signal, text: columns.next()? })
    }

    /// Returns whether the job was given up because its run ended.
    fn is_cancelled(&self) -> bool {
        (self.exit, self.signal) == (CANCELLED.0.into(), CANCELLED.1.into())
    }
}

/// A set of jobs' numbers, kept as ranges: a few bytes for a million jobs in a row.
#[derive(Debug, Default)]
struct Numbers(BTreeMap<u64, u64>);

impl Numbers {
    fn contains(&self, number: u64) -> bool {
        self.0.range(..=number).next_back().is_some_and(|(_, last)| number <= *last)
    }

    fn insert(&mut self, number: u64) {
        if self.contains(number) {
            return;
        }
        let mut last = number;
        if let Some(after) = number.checked_add(1).and_then(|next| self.0.remove(&next)) {
            last = after;
        }
        match self.0.range_mut(..number).next_back() {
            Some((_, before)) if before.checked_add(1) == Some(number) => *before = last,
            _ => drop(self.0.insert(number, last)),
        }
    }

    fn remove(&mut self, number: u64) {
        let Some((&first, &last)) = self.0.range(..=number).next_back() else { return };
        if number > last {
            return;
        }
        self.0.remove(&first);
        if first < number {
            self.0.insert(first, number - 1);
        }
        if number < last {
            self.0.insert(number + 1, last);
        }
    }
}

/// The outcomes in a log. The last row of a job counts.
#[derive(Debug, Default)]
struct Logged {
    succeeded: Numbers,
    failed: Numbers,
    /// The hashes of the first jobs' texts.
    texts: HashMap<u64, u64>,
    /// The number of the last job that has a row.
    last: Option<u64>,
}

/// The jobs that are not to be run.
#[derive(Clone, Debug)]
pub(crate) struct Skip {
    logged: Rc<Logged>,
    resume: Resume,
    /// True if jobs need not be those of the log.
    any: bool,
}

impl Skip {
    /// Reads the whole rows of a log, and calls `each` for them as [`whole_rows`] does. Returns
    /// also the size of the rows in bytes. Exit codes in `ok_exit` are successes.
    ///
    /// # Errors
    /// Returns what is wrong with the log.
    pub(crate) fn read(
        log: impl BufRead,
        resume: Resume,
        ok_exit: &[i32],
        mut each: impl FnMut(&Row<'_>, Range<u64>),
    ) -> io::Result<(Self, u64)> {
        let mut logged = Logged::default();
        let bytes = whole_rows(log, |row, at| {
            let job = row.job;
            logged.last = logged.last.max(Some(job));
            if logged.texts.len() < TEXTS_MAX || logged.texts.contains_key(&job) {
                logged.texts.insert(job, hash(row.text));
            }
            let ok = row.signal == 0 && ok_exit.iter().any(|code| i64::from(*code) == row.exit);
            let (into, out_of) = match ok {
                true => (&mut logged.succeeded, &mut logged.failed),
                false => (&mut logged.failed, &mut logged.succeeded),
            };
            out_of.remove(job);
            if row.is_cancelled() {
                into.remove(job)
            } else {
                into.insert(job)
            }
            each(row, at);
        })?;
        Ok((Skip { logged: Rc::new(logged), resume, any: false }, bytes))
    }

    /// Allows jobs that are not those of the log.
    pub(super) fn of_any_jobs(self) -> Self {
        Skip { any: true, ..self }
    }

    /// Returns whether the job is not to be run.
    pub(crate) fn contains(&self, job: u64) -> bool {
        let Logged { succeeded, failed, .. } = &*self.logged;
        match self.resume {
            Resume::Rest => succeeded.contains(job) || failed.contains(job),
            Resume::RestAndFailed => succeeded.contains(job),
            Resume::Failed => !failed.contains(job),
        }
    }

    /// Returns whether a job may be the one that the log has under this number.
    pub(crate) fn is_same(&self, job: u64, text: &[u8]) -> bool {
        match self.logged.texts.get(&job) {
            Some(logged) if !self.any => *logged == hash(log_text(text).as_bytes()),
            _ => true,
        }
    }

    /// Returns the number of the last job that has a row.
    pub(crate) fn last(&self) -> Option<u64> {
        self.logged.last
    }
}

/// Returns the text of a job for a log. A TAB or a line end in the text would break the row, so
/// they are escaped.
pub(super) fn log_text(input: &[u8]) -> String {
    escape::bytes(input).replace('\t', "\\t")
}

fn hash(text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Calls `each` for the rows of a log, with their places in it in bytes. Returns the size of all
/// rows. A last row without its line end was torn by a crash and does not count.
///
/// # Errors
/// Fails if a line is no row, or the log cannot be read.
pub(super) fn whole_rows(
    mut log: impl BufRead,
    mut each: impl FnMut(&Row<'_>, Range<u64>),
) -> io::Result<u64> {
    let mut line = Vec::new();
    let (mut number, mut at) = (0, 0);
    loop {
        line.clear();
        let end = at + log.read_until(b'\n', &mut line)? as u64;
        if line.last() != Some(&b'\n') {
            return Ok(at);
        }
        number += 1;
        match Row::parse(&line) {
            Some(row) => each(&row, at..end),
            None if number == 1 && line.starts_with(b"Seq\t") => (),
            None => return Err(io::Error::other(format!("line {number} is no row"))),
        }
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::joblog::HEADER;

    fn log(rows: &[(u64, i32, i32)]) -> Vec<u8> {
        let row = |(seq, exit, signal): &(u64, i32, i32)| {
            format!("{seq}\t:\t1700000000.250\t     0.000\t5\t2\t{exit}\t{signal}\tsquare {seq}\n")
        };
        (HEADER.to_owned() + &rows.iter().map(row).collect::<String>()).into_bytes()
    }

    fn read(log: &[u8], resume: Resume) -> Skip {
        Skip::read(log, resume, &[0], |_, _| ()).expect("a valid log").0
    }

    fn run(log: &[u8], resume: Resume) -> Vec<u64> {
        let skip = read(log, resume);
        (0..6).filter(|job| !skip.contains(*job)).collect()
    }

    #[test]
    fn each_flag_runs_what_it_says() {
        let log = log(&[(1, 0, 0), (3, 1, 0), (4, -1, 9), (2, 0, 0)]);
        assert_eq!(run(&log, Resume::Rest), [4, 5]);
        assert_eq!(run(&log, Resume::RestAndFailed), [2, 3, 4, 5]);
        assert_eq!(run(&log, Resume::Failed), [2, 3]);
    }

    #[test]
    fn the_last_row_of_a_job_counts() {
        let log = log(&[(1, 134, 0), (1, 0, 0)]);
        assert_eq!(run(&log, Resume::Failed), [0; 0]);
    }

    #[test]
    fn a_cancelled_job_has_no_outcome() {
        let log = log(&[(1, -1, 2), (2, 0, 0)]);
        assert_eq!(run(&log, Resume::Rest), [0, 2, 3, 4, 5]);
    }

    #[test]
    fn exit_codes_that_are_given_are_successes() {
        let log = log(&[(1, 10, 0), (2, 0, 0), (3, 20, 0)]);
        let skip = Skip::read(&log[..], Resume::RestAndFailed, &[0, 10], |_, _| ());
        let (skip, _) = skip.expect("a valid log");
        assert!(skip.contains(0) && skip.contains(1) && !skip.contains(2));
    }

    #[test]
    fn a_torn_last_row_does_not_count() {
        let mut log = log(&[(1, 0, 0)]);
        let whole = log.len() as u64;
        log.extend_from_slice(b"2\t:\t17000");
        assert_eq!(run(&log, Resume::Rest), [1, 2, 3, 4, 5]);
        assert_eq!(whole_rows(&log[..], |_, _| ()).expect("a valid log"), whole);
    }

    #[test]
    fn what_is_not_a_log_is_refused() {
        let error = Skip::read(&b"hello\n"[..], Resume::Rest, &[0], |_, _| ()).expect_err("no log");
        assert_eq!(error.to_string(), "line 1 is no row");
    }

    #[test]
    fn absurd_numbers_take_no_memory_and_are_known() {
        let far = i64::MAX as u64;
        let skip = read(&log(&[(1 << 32, 0, 0), (far, 1, 0), (1, 0, 0)]), Resume::Rest);
        assert!(skip.contains((1 << 32) - 1) && skip.contains(far - 1) && skip.contains(0));
        assert!(!skip.contains(1) && !skip.contains(1 << 32));
        assert_eq!(skip.logged.succeeded.0.len() + skip.logged.failed.0.len(), 3);
    }

    #[test]
    fn numbers_in_any_order_become_ranges() {
        let mut numbers = Numbers::default();
        for number in [5, 3, 4, 0, 1, 2, 9, 8] {
            numbers.insert(number);
        }
        assert_eq!(numbers.0.iter().collect::<Vec<_>>(), [(&0, &5), (&8, &9)]);
        for number in [3, 0, 9, 7] {
            numbers.remove(number);
        }
        assert_eq!(numbers.0.iter().collect::<Vec<_>>(), [(&1, &2), (&4, &5), (&8, &8)]);
        assert!(numbers.contains(4) && !numbers.contains(3) && !numbers.contains(10));
    }

    #[test]
    fn a_job_is_the_same_if_its_text_is() {
        let skip = read(&log(&[(3, 0, 0)]), Resume::Rest);
        assert!(skip.is_same(2, b"square 3") && !skip.is_same(2, b"square 4"));
        assert!(skip.is_same(1, b"anything"), "it has no row");
    }
}
