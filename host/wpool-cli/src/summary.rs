//! The messages at the end of a run, or instead of a run.

use super::argv;
use super::exit::Exit;
use super::flags::NoInput;
use super::output::console::Console;
use super::report::Report;
use super::signals::Cause;
use super::units::{count, duration_text, size_text};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;
use wpool::pool::session::closed_at_start;
use wpool::pool::summary::{End, Summary};

const RESUME_FLAGS: [&str; 4] = ["--resume", "--resume-failed", "--retry-failed", "--force-resume"];

/// The command line that resumes a run, for people to paste into a shell.
#[derive(Clone, Debug)]
pub(crate) struct Again<'a> {
    /// The arguments of the run.
    pub(crate) args: &'a [OsString],
    /// True if the run had a joblog.
    pub(crate) logged: bool,
    /// The text before the command line, if jobs come from standard input, and the text after it,
    /// if standard output is a file.
    pub(crate) redirected: [String; 2],
}

impl<'a> Again<'a> {
    /// Makes the command line. `reads` says that jobs come from standard input, and `writes` that
    /// results go to standard output.
    pub(crate) fn new(args: &'a [OsString], logged: bool, reads: bool, writes: bool) -> Self {
        let file = |stream: BorrowedFd<'_>| {
            let is_file = stream.try_clone_to_owned().and_then(|fd| File::from(fd).metadata());
            let path = std::fs::read_link(format!("/proc/self/fd/{}", stream.as_raw_fd())).ok();
            path.filter(|_| is_file.is_ok_and(|metadata| metadata.is_file()))
        };
        let quoted = |path: PathBuf| argv::quote(path.as_os_str().as_bytes());
        let (input, output) = (file(io::stdin().as_fd()), file(io::stdout().as_fd()));
        let (before, from) = match input {
            _ if !reads => (String::new(), String::new()),
            Some(path) => (String::new(), format!(" < {}", quoted(path))),
            None => ("… | ".to_owned(), String::new()),
        };
        // The redirection is never `>`, which would empty the file.
        let to =
            output.filter(|_| writes).map_or(String::new(), |to| format!(" >> {}", quoted(to)));
        Again { args, logged, redirected: [before, from + &to] }
    }

    fn with(&self, flag: &str) -> String {
        let [before, after] = &self.redirected;
        // A timeline shows one run only: the file of the first run stays.
        let again = argv::again(self.args, flag, &RESUME_FLAGS, &["--trace"]);
        format!("{before}{again}{after}")
    }

    /// Returns the line that resumes a run with jobs left.
    pub(crate) fn go_on(&self) -> Option<String> {
        self.logged.then(|| format!("go on with: {}", self.with("--resume-failed")))
    }
}

/// Prints how a run ended, and what to run next if jobs failed or are left. Returns the exit of the
/// program. `cause` is the signal that stopped the run, if one did.
pub(crate) fn tell(
    console: &mut Console,
    summary: &Summary,
    took: Duration,
    again: &Again<'_>,
    cause: Option<Cause>,
) -> Exit {
    console.info(line(summary, took));
    if summary.undelivered > 0 {
        let lost = size_text(summary.undelivered as u64);
        console.error(format_args!("nobody took the last {lost} of the output: they are lost"));
        console
            .help("have what reads the output read to its end, or write to a file: --output FILE");
    }
    let left = summary.end != End::Complete;
    match again.go_on() {
        Some(go_on) if left => console.info(go_on),
        Some(_) if summary.stats.failed > 0 => console
            .info(format_args!("run the failed jobs again with: {}", again.with("--retry-failed"))),
        None if summary.stats.failed > 0 || left => console
            .info("with --joblog FILE, a run can go on where another one stopped: --resume-failed"),
        _ => (),
    }
    Exit::of_run(summary, cause)
}

/// Formats the counts on one line.
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

/// Reports that there were no jobs, and returns the exit of the program.
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
/// Fails if standard output cannot be written.
pub(crate) fn print(text: &str) -> Result<Exit, Report> {
    if closed_at_start()[1] {
        return Err(Report::new(Exit::Output, "standard output is closed"));
    }
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
