//! `--resume`, `--resume-failed` and `--retry-failed`: which jobs a joblog says need not run.

use super::joblog::CANCELLED;
use std::rc::Rc;

/// Which jobs of a log are run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// Those that have no outcome yet.
    Rest,
    /// Those and the failed ones.
    RestAndFailed,
    /// Only the failed ones.
    Failed,
}

/// The jobs that are not to be run.
#[derive(Clone, Debug)]
pub(crate) struct Skip {
    outcomes: Rc<Vec<Logged>>,
    resume: Resume,
}

/// What a log says about a job. The last row of a job counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Logged {
    #[default]
    Nothing,
    Succeeded,
    Failed,
}

/// Jobs that a log may hold: one byte of memory each.
const JOBS_MAX: u64 = 1 << 32;

impl Skip {
    /// Reads a log. A last row without its line end was torn by a crash and does not count.
    ///
    /// # Errors
    /// What is wrong with the log.
    pub(crate) fn read(log: &[u8], resume: Resume) -> Result<Self, String> {
        let mut outcomes = Vec::new();
        let whole = &log[..whole_rows(log)];
        for (index, row) in whole.split_inclusive(|&byte| byte == b'\n').enumerate() {
            if index == 0 && row.starts_with(b"Seq\t") {
                continue;
            }
            let (job, logged) = parse(row).ok_or(format!("line {} is no row", index + 1))?;
            let job = job as usize;
            if job >= outcomes.len() {
                outcomes.resize(job + 1, Logged::Nothing);
            }
            outcomes[job] = logged;
        }
        Ok(Skip { outcomes: Rc::new(outcomes), resume })
    }

    /// Whether the job is not to be run.
    pub(crate) fn contains(&self, job: u64) -> bool {
        let logged = self.outcomes.get(job as usize).copied().unwrap_or_default();
        match self.resume {
            Resume::Rest => logged != Logged::Nothing,
            Resume::RestAndFailed => logged == Logged::Succeeded,
            Resume::Failed => logged != Logged::Failed,
        }
    }
}

/// Bytes of the log's whole rows.
pub(crate) fn whole_rows(log: &[u8]) -> usize {
    memchr::memrchr(b'\n', log).map_or(0, |at| at + 1)
}

/// The job's number from 0, and what its row says.
fn parse(row: &[u8]) -> Option<(u64, Logged)> {
    let mut columns = row.split(|&byte| byte == b'\t');
    let mut number =
        |index| std::str::from_utf8(columns.nth(index)?).ok()?.trim().parse::<i64>().ok();
    let (seq, exit, signal) = (number(0)?, number(5)?, number(0)?);
    let job = u64::try_from(seq).ok()?.checked_sub(1).filter(|job| *job < JOBS_MAX)?;
    let logged = match (exit, signal) {
        (0, 0) => Logged::Succeeded,
        _ if (exit, signal) == (CANCELLED.0.into(), CANCELLED.1.into()) => Logged::Nothing,
        _ => Logged::Failed,
    };
    Some((job, logged))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::joblog::HEADER;

    fn log(rows: &[(u64, i32, i32)]) -> Vec<u8> {
        let row = |(seq, exit, signal): &(u64, i32, i32)| {
            format!("{seq}\t:\t1700000000.250\t     0.000\t5\t2\t{exit}\t{signal}\tsquare 1\n")
        };
        (HEADER.to_owned() + &rows.iter().map(row).collect::<String>()).into_bytes()
    }

    fn run(log: &[u8], resume: Resume) -> Vec<u64> {
        let skip = Skip::read(log, resume).expect("a valid log");
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
    fn a_torn_last_row_does_not_count() {
        let mut log = log(&[(1, 0, 0)]);
        log.extend_from_slice(b"2\t:\t17000");
        assert_eq!(run(&log, Resume::Rest), [1, 2, 3, 4, 5]);
        assert_eq!(&log[whole_rows(&log)..], b"2\t:\t17000");
    }

    #[test]
    fn what_is_not_a_log_is_refused() {
        assert_eq!(Skip::read(b"hello\n", Resume::Rest).expect_err("no log"), "line 1 is no row");
    }
}
