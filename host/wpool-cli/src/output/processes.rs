//! The outputs of `wpool run`: the lines of its processes as they come, and their results when all
//! have ended.

use super::console::{Console, push_line};
use super::failures::{Failures, happened};
use super::stream::{Patience, Stream};
use super::target::Target;
use super::turns::{Said, Turns};
use super::unwritable::Unwritable;
use super::{Format, rows};
use crate::cli::exit::Exit;
use crate::cli::signals::{Cause, SharedCause};
use crate::cli::units::{count, duration_text, size_text};
use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wpool::pool::feed::{Attempt, Notice, Outcome, Sink, Stats};
use wpool::{Failure, FailureDetail, FailureKind, Stream as GuestStream};

/// The signals that end a command without a message: the sender knows.
const QUIET_SIGNALS: [i32; 5] = [1, 2, 3, 13, 15];

/// A process, from its call to its end.
#[derive(Debug)]
pub(crate) struct Process {
    /// The name of the process.
    pub(crate) name: String,
    /// The task that the process calls.
    pub(crate) task: String,
    /// The task's arguments, in JSON.
    pub(crate) arguments: Vec<u8>,
    /// True if the task has a result.
    pub(crate) answers: bool,
    /// True if the process is a command, which is as silent as if it ran without wpool.
    pub(crate) command: bool,
}

/// A process that has ended.
#[derive(Debug)]
struct Ended {
    /// The text to be printed as its result.
    text: Vec<u8>,
    failure: Option<Failure>,
}

/// The processes of a run, and their outputs.
#[derive(Debug)]
pub(crate) struct Processes {
    processes: Vec<Process>,
    ended: Vec<Option<Ended>>,
    /// The tags before the lines of each process; empty if lines are not tagged.
    tags: Vec<String>,
    format: Format,
    /// Standard output.
    lines: Stream,
    console: Console,
    /// The lines of processes on their way to standard output or the console.
    turns: Turns,
    failures: Failures,
    cause: SharedCause,
    /// The run's start, in time since 1970.
    start: Duration,
}

impl Processes {
    /// Makes the outputs, whose lines go to `lines` and `console`.
    pub(crate) fn new(
        processes: Vec<Process>,
        tagged: bool,
        format: Format,
        lines: Stream,
        console: Console,
        failures: Failures,
        cause: SharedCause,
    ) -> Self {
        let width = processes.iter().map(|process| process.name.chars().count()).max().unwrap_or(0);
        let tag = |process: &Process| match tagged {
            true => format!("{:width$} | ", process.name),
            false => String::new(),
        };
        Processes {
            tags: processes.iter().map(tag).collect(),
            ended: processes.iter().map(|_| None).collect(),
            processes,
            format,
            lines,
            console,
            turns: Turns::default(),
            failures,
            cause,
            start: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// Prints the results to `file`, whose contents are replaced, or else to standard output, and
    /// writes everything that is held.
    ///
    /// # Errors
    /// Fails if the results cannot be written.
    pub(crate) fn finish(&mut self, file: Option<Target>, patience: Patience) -> io::Result<()> {
        self.show_lines(Turns::end);
        let mut text = Vec::new();
        for (at, ended) in self.ended.iter().enumerate() {
            match ended {
                Some(ended) => text.extend_from_slice(&ended.text),
                None => {
                    self.hold_place(at, &mut text);
                    let process = &self.processes[at];
                    if !process.command {
                        self.console.error(format_args!("{} was not run", process.name));
                    }
                }
            }
        }
        let written = match file {
            Some(mut file) => file.replace(text),
            None => {
                self.lines.buffer().append(&mut text);
                Ok(())
            }
        };
        let printed = self.write_lines(patience).map_err(Unwritable::output("standard output"));
        self.console.finish(patience);
        written.and(printed)
    }

    /// Shows lines of processes: all lines that wait, or those whose turn has come.
    fn show_lines(&mut self, which: impl FnOnce(&mut Turns, &mut dyn FnMut(Said<'_>))) {
        let Processes { turns, tags, lines, console, .. } = self;
        which(turns, &mut |Said { job, stream, line, .. }| {
            let tag = job.and_then(|job| tags.get(job as usize)).map_or("", |tag| tag);
            match stream {
                GuestStream::Out => push_line(lines.buffer(), tag, line),
                GuestStream::Err => console.pass(tag, line),
            }
        });
    }

    /// Writes the held bytes of standard output, as far as the patience allows.
    fn write_lines(&mut self, patience: Patience) -> io::Result<()> {
        while !self.lines.flush()? {
            if !self.lines.wait(patience) {
                let lost = size_text(self.lines.held() as u64);
                self.console.error(format_args!("nobody took the last {lost} of the output"));
                break;
            }
        }
        Ok(())
    }

    /// Returns the exit that the processes give the program, if nothing else decides it.
    pub(crate) fn exit(&self) -> Exit {
        let exit = |ended: &Option<Ended>| match ended {
            Some(ended) => Exit::of_process(ended.failure.as_ref()),
            None => Exit::Process(137),
        };
        match self.ended.as_slice() {
            [only] => exit(only),
            all if all.iter().all(|ended| exit(ended).code() == 0) => Exit::Success,
            _ => Exit::JobsFailed,
        }
    }

    /// Returns the text to be printed for a process that has ended.
    fn text(&self, at: usize, outcome: &Outcome<'_>) -> Vec<u8> {
        let mut text = Vec::new();
        let process = &self.processes[at];
        match (self.format, outcome.result) {
            _ if process.command => {}
            (Format::Jsonl, _) => {
                let names = [process.name.as_str(), process.task.as_str()];
                rows::push_process(&mut text, outcome, names, &process.arguments, self.start);
            }
            _ if !process.answers => {}
            (_, Ok(result)) => self.push(at, result, &mut text),
            (_, Err(_)) => self.hold_place(at, &mut text),
        }
        text
    }

    /// Appends a text in place of a missing result, so that line N belongs to call N.
    fn hold_place(&self, at: usize, text: &mut Vec<u8>) {
        let several = self.processes.len() > 1;
        if several && self.processes[at].answers && self.format != Format::Jsonl {
            self.push(at, b"null", text);
        }
    }

    fn push(&self, at: usize, result: &[u8], text: &mut Vec<u8>) {
        text.extend_from_slice(self.tags[at].as_bytes());
        text.extend_from_slice(result);
        text.push(if self.format == Format::Null { 0 } else { b'\n' });
    }

    /// Reports how a process ended, as far as that is of interest.
    fn tell(&mut self, at: usize, failure: Option<&Failure>, attempt: &Attempt) {
        let process = &self.processes[at];
        let after = attempt.ran.map(|ran| format!(" after {}", duration_text(ran)));
        let who = match attempt.pid {
            0 => process.name.clone(),
            pid => format!("{} (process {pid})", process.name),
        };
        self.console.detail(format_args!(
            "{who} ended with exit code {}{}",
            failure.map_or(0, Failure::exit_code),
            after.unwrap_or_default()
        ));
        let Some(failure) = failure else { return };
        let quiet = match failure.kind {
            FailureKind::Exit => process.command || failure.code == Some(0),
            FailureKind::WorkerLost => {
                process.command && failure.signal.is_some_and(|s| QUIET_SIGNALS.contains(&s))
            }
            FailureKind::Cancelled => process.command && self.cause.get().is_some(),
            _ => false,
        };
        if !quiet {
            let what = match failure.kind {
                FailureKind::WorkerLost if failure.detail == Some(FailureDetail::Signal) => {
                    format!("was {}", failure.message)
                }
                FailureKind::Cancelled => format!("was killed: {}", failure.message),
                FailureKind::InvalidJob => format!("has invalid arguments: {}", failure.message),
                _ => happened(failure),
            };
            self.failures.tell(&mut self.console, format!("{who} {what}"), failure);
        }
    }

    fn name(&self, job: u64) -> &str {
        self.processes.get(job as usize).map_or("?", |process| &process.name)
    }
}

impl Sink for Processes {
    fn take(&mut self, outcome: &Outcome<'_>) -> io::Result<()> {
        let at = outcome.job as usize;
        let text = self.text(at, outcome);
        let failure = outcome.result.err().cloned();
        if failure.is_some() {
            // The lines of a process come before its failure.
            self.show_lines(Turns::end);
        }
        self.tell(at, failure.as_ref(), &outcome.attempt);
        self.ended[at] = Some(Ended { text, failure });
        Ok(())
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Log { pid, job, stream, line } => {
                let said = Said { pid, job, stream, line: &line };
                self.show_lines(|turns, show| turns.line(said, Instant::now(), show));
            }
            Notice::WorkerStarted { pid, job: Some(job), .. } => {
                let name = self.name(job).to_owned();
                self.console.detail(format_args!("{name} started, process {pid}"));
            }
            Notice::Retrying { job, attempt, failure } => {
                let name = self.name(job).to_owned();
                let number = attempt.number;
                let again = format_args!("{name} again after attempt {number}: {failure}");
                self.console.detail(again);
            }
            Notice::Draining { running, why } => {
                let calls = count(running, "call");
                match self.cause.get() {
                    Some(Cause::Interrupt) => {
                        self.console.info(format_args!("waiting for {calls}, Ctrl-C again to kill"))
                    }
                    Some(Cause::Terminate | Cause::HangUp) => {
                        self.console.info(format_args!("waiting for {calls}"));
                    }
                    None => self.console.info(format_args!("{why}: waiting for {calls}")),
                }
            }
            Notice::ZygoteLost { how } => {
                let text = format_args!("the zygote was lost, another one starts: {how}");
                self.console.warning(text);
            }
            Notice::FewerWorkers { why, .. } => {
                self.console
                    .warning(format_args!("processes have to wait for others to end: {why}"));
            }
            Notice::Report(text) => self.console.info(text),
            // The end of a process is reported by its outcome.
            Notice::WorkerStarted { .. }
            | Notice::WorkerKilled { .. }
            | Notice::WorkerEnded { .. }
            | Notice::Sent { .. }
            | Notice::Waited { .. } => {}
        }
    }

    fn progress(&mut self, _: &Stats) {
        self.show_lines(|turns, show| turns.pass(Instant::now(), show));
        self.console.flush();
    }

    fn held(&self) -> usize {
        // Lines that wait for their turn must not hold up results, so all of them count as one byte
        // to be flushed.
        let waiting = usize::from(!self.turns.is_empty());
        self.lines.held() + self.console.held() + waiting
    }

    fn flush(&mut self) -> io::Result<bool> {
        self.show_lines(|turns, show| turns.pass(Instant::now(), show));
        let console = self.console.flush();
        let lines = self.lines.flush().map_err(Unwritable::output("standard output"))?;
        Ok(lines && console)
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(if self.lines.held() > 0 { self.lines.fd() } else { self.console.fd() })
    }
}
