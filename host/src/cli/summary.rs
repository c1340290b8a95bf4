//! What is told at the end of a run, or instead of one.

use super::argv;
use super::exit::Exit;
use super::flags::NoInput;
use super::output::console::Console;
use super::report::Report;
use super::units::{count, duration_text, size_text};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;
use wpool::pool::summary::{End, Summary};

const RESUME_FLAGS: [&str; 4] = ["--resume", "--resume-failed", "--retry-failed", "--force-resume"];

/// Tells how a run ended, and what to run next if jobs failed or are left.
pub(crate) fn tell(
    console: &mut Console,
    summary: &Summary,
    took: Duration,
    logged: bool,
    args: &[OsString],
) {
    console.info(line(summary, took));
    if summary.undelivered > 0 {
        let lost = size_text(summary.undelivered as u64);
        console.error(format_args!("nobody took the last {lost} of the output: they are lost"));
        console
            .help("have what reads the output read to its end, or write to a file: --output FILE");
    }
    let left = summary.end != End::Complete;
    if logged && left {
        console.info(format_args!(
            "go on with: {}",
            argv::again(args, "--resume-failed", &RESUME_FLAGS)
        ));
    } else if logged && summary.stats.failed > 0 {
        console.info(format_args!(
            "run the failed jobs again with: {}",
            argv::again(args, "--retry-failed", &RESUME_FLAGS)
        ));
    } else if summary.stats.failed > 0 || left {
        console
            .info("with --joblog FILE, a run can go on where another one stopped: --resume-failed");
    }
}

/// The counts on one line.
fn line(summary: &Summary, took: Duration) -> String {
    let stats = &summary.stats;
    let mut line = format!("{} ok", count(stats.succeeded, "job"));
    let mut add = |number: u64, what: &str| {
        if number > 0 {
            write!(line, ", {number} {what}").expect("writing to a String cannot fail");
        }
    };
    add(stats.failed, "failed");
    add(stats.retried, "retried");
    if let (true, Some(total)) = (summary.end != End::Complete, stats.total) {
        add(total.saturating_sub(stats.succeeded + stats.failed), "not run");
    }
    let rate = (stats.succeeded + stats.failed) as f64 / took.as_secs_f64().max(1e-9);
    let rate = if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") };
    write!(line, ", in {} ({rate} jobs/s)", duration_text(took))
        .expect("writing to a String cannot fail");
    match summary.end {
        End::Complete => (),
        End::Halted { .. } => line.push_str("; stopped by --halt"),
        End::Drained => line.push_str("; stopped on request"),
        End::Killed => line.push_str("; killed on request"),
        End::Deadline => line.push_str("; stopped by --deadline"),
    }
    line
}

/// Tells that there were no jobs, and how that ends the program.
pub(crate) fn no_jobs(what: NoInput, console: &mut Console) -> Exit {
    match what {
        NoInput::Pass => Exit::Success,
        NoInput::Warn => {
            console.warning("there were no jobs");
            Exit::Success
        }
        NoInput::Fail => {
            console.error("there were no jobs");
            console.help("give them after `:::`, with --range, with -a, or on standard input");
            Exit::NoInput
        }
    }
}

/// Prints to standard output.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn print(text: &str) -> Result<Exit, Report> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => Ok(Exit::Success),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Exit::BrokenPipe),
        Err(error) => Err(Report::new(Exit::Output, format!("standard output: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wpool::pool::feed::Stats;

    #[test]
    fn the_line_has_the_counts_that_are_not_zero_and_the_rate() {
        let stats = Stats { succeeded: 1, ..Stats::default() };
        let mut summary =
            Summary { end: End::Complete, stats, input_exhausted: true, undelivered: 0 };
        assert_eq!(line(&summary, Duration::from_millis(4)), "1 job ok, in 4.0ms (250 jobs/s)");
        summary.stats =
            Stats { succeeded: 5, failed: 3, retried: 2, total: Some(10), ..Stats::default() };
        summary.end = End::Deadline;
        assert_eq!(
            line(&summary, Duration::from_secs(2)),
            "5 jobs ok, 3 failed, 2 retried, 2 not run, in 2.00s (4.0 jobs/s); stopped by --deadline"
        );
    }
}
