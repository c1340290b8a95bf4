//! The outcomes of `wpool map`: writes results to standard output or a file, failures and guests'
//! lines to standard error, rows to the joblog, and a timeline to the trace.

pub(crate) mod console;
pub(crate) mod failures;
pub(crate) mod joblog;
pub(crate) mod journal;
mod merge;
pub(crate) mod processes;
pub(crate) mod progress;
pub(crate) mod results;
pub(crate) mod resume;
mod rows;
pub(crate) mod stream;
pub(crate) mod target;
pub(crate) mod trace;
mod turns;
pub(crate) mod unwritable;
pub(crate) mod words;

use super::input::names::Names;
use super::input::pacing::Delayed;
use super::signals::{Cause, SharedCause};
use super::{escape, units};
use console::Console;
use failures::Failures;
use joblog::{JobLog, Place, log_text};
use std::borrow::Cow;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use stream::Stream;
use turns::{Said, Turns};
use unwritable::Unwritable;
use words::{WordsOf, command_text};
use wpool::pool::feed::{Notice, Outcome, Results, Sink, Stats};
use wpool::wire::template::{Filling, Template};

/// The format in which results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A line for each result; the output of a command unchanged.
    Raw,
    /// A JSON object for each job.
    Jsonl,
    /// A NUL byte after each result.
    Null,
}

/// The settings of an [`Output`].
#[derive(Debug)]
pub(crate) struct Plan {
    /// The format in which results are written.
    pub(crate) format: Format,
    /// True if each line of a result begins with the job's input.
    pub(crate) tag: bool,
    /// The template of the tag before each line of a result, if one is given.
    pub(crate) tagstring: Option<Template>,
    /// The meaning of a job's words.
    pub(crate) words: WordsOf,
    /// True if results come in the order of jobs, so that a failed job must hold its place.
    pub(crate) ordered: bool,
    /// True if the module is a command.
    pub(crate) command: bool,
    /// True if jobs are the bytes of files.
    pub(crate) files: bool,
}

/// The outputs of a run.
#[derive(Debug)]
pub(crate) struct Output {
    results: Stream,
    /// The name of the results' file in errors.
    name: String,
    /// True if results are shown on a terminal, to which no guest may send control characters.
    shown: bool,
    /// The number of bytes in the results' file before this run's.
    before: u64,
    plan: Plan,
    /// The byte that ends each result; `None` for the output of a command, which is passed on
    /// unchanged.
    end: Option<u8>,
    /// True if only the bytes of a result and their end are written: the fast path.
    plain: bool,
    names: Names,
    log: Option<JobLog>,
    failures: Failures,
    console: Console,
    /// The lines of guests on their way to the console.
    turns: Turns,
    /// The line about what jobs that have not started wait for.
    delayed: Delayed,
    cause: SharedCause,
    /// The run's start, in time since 1970.
    start: Duration,
}

impl Output {
    /// Makes the outputs. Results go to `results`, with this name and `before` bytes before them,
    /// and everything else to `console` and `log`.
    pub(crate) fn new(
        (results, name, before): (Stream, String, u64),
        plan: Plan,
        failures: Failures,
        console: Console,
        log: Option<JobLog>,
        cause: SharedCause,
    ) -> Self {
        let shown = results.is_terminal();
        let end = match plan.format {
            Format::Null => Some(0),
            Format::Raw if plan.command => None,
            Format::Raw | Format::Jsonl => Some(b'\n'),
        };
        let plain = plan.format != Format::Jsonl
            && !plan.tag
            && plan.tagstring.is_none()
            && !plan.files
            && log.is_none()
            && !shown;
        let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let names = failures.names();
        Output {
            results,
            name,
            shown,
            before,
            plan,
            end,
            plain,
            names,
            log,
            failures,
            console,
            turns: Turns::default(),
            delayed: Delayed::default(),
            cause,
            start,
        }
    }

    /// Returns the place for a line about what jobs wait for, which the output shows.
    pub(crate) fn delayed(&self) -> Delayed {
        self.delayed.clone()
    }

    /// Returns the byte that ends each record of the output: a line end, or NUL.
    pub(crate) fn record_end(&self) -> u8 {
        self.end.unwrap_or(b'\n')
    }

    /// Returns standard output for what is printed after the results, on a line of its own. `there`
    /// says that results went to standard output.
    pub(crate) fn after_results(&self, there: bool) -> impl Write + use<> {
        let mut after = io::stdout().lock();
        if there && !self.results.ends_with(self.record_end()) {
            // If the line end cannot be written, the next write fails too.
            let _ = after.write_all(&[self.record_end()]);
        }
        after
    }

    /// Ends the messages of the run, and returns the console for those after it.
    pub(crate) fn end(&mut self) -> &mut Console {
        self.end_turns();
        self.console.end_progress();
        self.failures.end(&mut self.console);
        &mut self.console
    }

    /// Returns the tag before each line of a result.
    fn tag<'a>(&self, outcome: &Outcome<'_>, input: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let Some(template) = &self.plan.tagstring else {
            return self.plan.tag.then(|| Cow::Owned(log_text(input).into_bytes()));
        };
        let words = match self.plan.files {
            true => vec![String::from_utf8_lossy(input).into_owned()],
            false => self.plan.words.read(outcome.input.unwrap_or_default()),
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (number, slot) = (outcome.job + 1, outcome.attempt.slot + 1);
        let mut tag = Vec::new();
        template.expand(Filling { words: &words, number, slot }, &mut tag);
        Some(Cow::Owned(log_text(tag.join(" ").as_bytes()).into_bytes()))
    }

    /// Shows all lines of guests.
    fn end_turns(&mut self) {
        let console = &mut self.console;
        self.turns.end(&mut |said| console.guest(said.pid, said.line));
    }

    fn push(&mut self, outcome: &Outcome<'_>, input: &[u8]) {
        let tag = self.tag(outcome, input);
        let buffer = self.results.buffer();
        if self.plan.format == Format::Jsonl {
            return rows::push(buffer, outcome, input, self.start, self.plan.command);
        }
        let result = match outcome.result {
            Ok(result) => result,
            // The output of a command is its output whatever its exit code, as in GNU parallel.
            Err(failure) if self.plan.command => {
                let holds_place = self.end.is_some() && self.plan.ordered;
                if failure.stdout.is_empty() && !holds_place {
                    return;
                }
                &failure.stdout
            }
            // A failed job holds its place, so that line N stays the result of job N.
            Err(_) if self.plan.ordered => b"null",
            Err(_) => return,
        };
        let result = if self.shown { escape::shown(result) } else { Cow::Borrowed(result) };
        put_tagged(buffer, &result, tag.as_deref(), self.end);
    }

    fn take_any(&mut self, outcome: &Outcome<'_>) {
        let path = self.plan.files.then(|| self.names.take_path(outcome.job)).flatten();
        let input = match &path {
            Some(path) => Cow::Borrowed(path.as_slice()),
            None if self.plan.command => command_text(outcome.input.unwrap_or_default()),
            None => Cow::Borrowed(outcome.input.unwrap_or_default()),
        };
        let begin = self.results.end();
        self.push(outcome, &input);
        if let Some(log) = &mut self.log {
            let end = self.results.end();
            log.add(outcome, &input, self.start, Place { end, bytes: end - begin });
        }
        if let Err(failure) = outcome.result {
            // The lines of a job come before its failure.
            self.end_turns();
            self.failures.add(&mut self.console, outcome.job, path.as_deref(), &input, failure);
        }
    }

    /// Shows the lines of the guests whose turn has come.
    fn pass_turn(&mut self) {
        let console = &mut self.console;
        self.turns.pass(Instant::now(), &mut |said| console.guest(said.pid, said.line));
    }

    /// Makes results and log agree, after the last write. A result without a row is cut off,
    /// because its job will be run again.
    pub(crate) fn settle(&mut self) {
        if let Some(log) = &self.log {
            // If the cut fails here, a resumed run makes it.
            let _ = self.results.cut(self.before, log.logged());
        }
    }
}

impl Sink for Output {
    fn take(&mut self, outcome: &Outcome<'_>) -> io::Result<()> {
        self.take_any(outcome);
        Ok(())
    }

    fn take_plain(&mut self, results: Results<'_>) -> bool {
        if self.plain {
            for result in results {
                self.results.put(result);
                self.results.buffer().extend(self.end);
            }
        }
        self.plain
    }

    fn notice(&mut self, notice: Notice) {
        let console = &mut self.console;
        match notice {
            Notice::Log { pid, job, stream, line } => {
                let said = Said { pid, job, stream, line: &line };
                self.turns.line(said, Instant::now(), &mut |said| {
                    console.guest(said.pid, said.line);
                });
            }
            Notice::WorkerStarted { slot, pid, .. } => {
                console.detail(format_args!("worker {slot} started, process {pid}"));
            }
            Notice::WorkerEnded { slot, pid, how, lost: true } => {
                console.detail(format_args!("worker {slot}, process {pid}, was lost: {how}"));
            }
            Notice::Retrying { job, attempt, failure } => {
                let number = attempt.number;
                console.detail(format_args!("job {job} again after attempt {number}: {failure}"));
            }
            Notice::Draining { running, why } => {
                let jobs = units::count(running, "job");
                match self.cause.get() {
                    Some(Cause::Interrupt) => {
                        console.info(format_args!("draining {jobs}, Ctrl-C again to kill"));
                    }
                    Some(Cause::Terminate | Cause::HangUp) => {
                        console.info(format_args!("draining {jobs}"));
                    }
                    None => console.info(format_args!("{why}: draining {jobs}")),
                }
            }
            Notice::ZygoteLost { how } => {
                console.warning(format_args!("the zygote was lost, another one starts: {how}"));
            }
            Notice::FewerWorkers { workers, why } => {
                console.warning(format_args!(
                    "{} for now: {why}",
                    units::count(workers as u64, "worker")
                ));
            }
            Notice::Report(text) => console.info(text),
            Notice::Sent { .. }
            | Notice::Waited { .. }
            | Notice::WorkerKilled { .. }
            | Notice::WorkerEnded { .. } => {}
        }
    }

    fn progress(&mut self, stats: &Stats) {
        self.pass_turn();
        if let Some(line) = self.delayed.take() {
            self.console.info(line);
        }
        // Results may stand on the line of the bar, so they are written first.
        let free = !self.shown || (self.results.held() == 0 && self.results.ends_with(b'\n'));
        self.console.progress(stats, free);
    }

    fn held(&self) -> usize {
        // Lines for people must not hold up results, so all of them together count as one byte to
        // be flushed.
        let lines = usize::from(self.console.held() > 0 || !self.turns.is_empty());
        self.results.held() + lines + self.log.as_ref().map_or(0, JobLog::held)
    }

    fn flush(&mut self) -> io::Result<bool> {
        // If standard error is blocked, the next call tries again: results do not wait for it.
        self.pass_turn();
        let written = match self.shown && self.results.held() > 0 {
            // The bar may stand where results go.
            true => self.console.hide_bar(),
            false => self.console.flush(),
        };
        if self.shown && !written {
            return Ok(self.results.held() == 0);
        }
        let all = self.results.flush();
        // A job counts as done in the log only once its result has been written.
        if let Some(log) = &mut self.log {
            let logged = log.flush(self.results.written());
            return match all {
                Ok(all) => logged.map(|()| all),
                Err(error) => Err(Unwritable::output(&self.name)(error)),
            };
        }
        all.map_err(Unwritable::output(&self.name))
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.results.fd())
    }
}

/// Appends a result. If there is a tag, each of the result's lines gets it, with a TAB.
fn put_tagged(buffer: &mut Vec<u8>, result: &[u8], tag: Option<&[u8]>, end: Option<u8>) {
    let Some(tag) = tag else {
        buffer.extend_from_slice(result);
        return buffer.extend(end);
    };
    for line in result.split_inclusive(|&byte| byte == b'\n') {
        buffer.extend_from_slice(tag);
        buffer.push(b'\t');
        buffer.extend_from_slice(line);
    }
    if result.is_empty() && end.is_some() {
        buffer.extend_from_slice(tag);
        buffer.push(b'\t');
    }
    buffer.extend(end);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{Read, Seek};
    use wpool::pool::config::Config;
    use wpool::pool::feed::Attempt;
    use wpool::wire::failure::{Failure, FailureKind};

    /// Returns the output of three jobs, the second of which fails.
    fn written(plan: Plan) -> String {
        let mut file: File = tempfile::tempfile().expect("a temporary file");
        let results = Stream::new(file.try_clone().expect("cloned")).expect("a stream");
        let console = Console::new(true, false, progress::Progress::None).expect("a console");
        let names = Names::words();
        let failures = Failures::new(names, &Config::default());
        let mut output = Output::new(
            (results, "out".into(), 0),
            plan,
            failures,
            console,
            None,
            SharedCause::default(),
        );
        let failure = Failure::new(FailureKind::Cancelled, "");
        for (job, result) in [(0, Ok(&b"1"[..])), (1, Err(&failure)), (2, Ok(b"a\nb"))] {
            let outcome = Outcome { job, input: Some(b"in"), result, attempt: Attempt::default() };
            output.take(&outcome).expect("taken");
        }
        assert!(output.flush().expect("flushed"));
        let mut text = String::new();
        file.rewind().expect("rewound");
        file.read_to_string(&mut text).expect("read");
        text
    }

    fn plan(format: Format) -> Plan {
        let (tagstring, words) = (None, WordsOf::Value);
        Plan { format, tag: false, tagstring, words, ordered: true, command: false, files: false }
    }

    #[test]
    fn a_failed_job_holds_its_place_in_ordered_results() {
        assert_eq!(written(plan(Format::Raw)), "1\nnull\na\nb\n");
        assert_eq!(written(plan(Format::Null)), "1\0null\0a\nb\0");
    }

    #[test]
    fn a_failed_job_writes_nothing_where_order_means_nothing_or_bytes_are_a_commands() {
        assert_eq!(written(Plan { ordered: false, ..plan(Format::Raw) }), "1\na\nb\n");
        assert_eq!(written(Plan { command: true, ..plan(Format::Raw) }), "1a\nb");
    }

    #[test]
    fn a_tag_stands_before_each_line() {
        assert_eq!(
            written(Plan { tag: true, ..plan(Format::Raw) }),
            "in\t1\nin\tnull\nin\ta\nin\tb\n"
        );
    }
}
