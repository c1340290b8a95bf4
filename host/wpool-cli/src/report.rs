//! Errors for people: one `error:` line that names the flag or file, and one `help:` line.

use super::exit::Exit;
use super::help;
use super::input::encode::Differs;
use super::output::console::Console;
use super::output::failures::{self, FRAMES_MAX, happened};
use super::output::unwritable::Unwritable;
use super::{escape, synonyms, units};
use anstream::{AutoStream, ColorChoice};
use clap::error::ErrorKind;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use wpool::pool::config::{CompileLimit, Config};
use wpool::pool::error::PoolError;
use wpool::wire::jail::Missing;

/// The reason why the program gives up, and what the user can do about it.
#[derive(Debug)]
pub(crate) struct Report {
    /// The exit of the program.
    pub(crate) exit: Exit,
    /// The lines that a guest printed before the error.
    pub(crate) before: Vec<Vec<u8>>,
    /// The error; a lowercase fragment.
    pub(crate) error: String,
    /// The guest's functions in which the error happened, innermost first.
    pub(crate) frames: Vec<String>,
    /// The advice on what to do about the error.
    pub(crate) help: Option<String>,
}

impl Report {
    /// Makes a report without help.
    pub(crate) fn new(exit: Exit, error: impl Into<String>) -> Self {
        let (before, frames) = (Vec::new(), Vec::new());
        Report { exit, before, error: error.into(), frames, help: None }
    }

    /// Makes a report of a wrong flag, of its value, or of a file that it names.
    pub(crate) fn usage(error: impl Into<String>) -> Self {
        Report::new(Exit::Usage, error)
    }

    /// Adds more help after the report's own, unless the command line was at fault.
    pub(crate) fn then(self, more: Option<String>) -> Self {
        let help = match (self.help, more.filter(|_| self.exit != Exit::Usage)) {
            (Some(help), Some(more)) => Some(format!("{help}; {more}")),
            (help, more) => help.or(more),
        };
        Report { help, ..self }
    }

    /// Sets the help.
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Report { help: Some(help.into()), ..self }
    }

    /// Reports an error of a pool, and names the module's file if the module is at fault.
    pub(crate) fn of_module(path: &Path, error: PoolError) -> Self {
        let help = match &error {
            PoolError::Module(error) => help::of_module(path, error),
            _ => None,
        };
        let report = Report::from(error);
        match report.exit {
            Exit::Module => {
                let help = report.help.or(help);
                Report { error: format!("{}: {}", path.display(), report.error), help, ..report }
            }
            _ => report,
        }
    }

    /// Reports an error of a pool with this configuration, and names the limit that was crossed.
    pub(crate) fn of_load(path: &Path, error: PoolError, config: &Config) -> Self {
        match error {
            PoolError::Init { task, failure, printed } => {
                let error = format!("{}: --init {task} {}", path.display(), happened(&failure));
                let help = failures::help(&failure, config);
                let frames = failure.backtrace.into_iter().take(FRAMES_MAX).collect();
                Report { before: printed, frames, help, ..Report::new(Exit::Module, error) }
            }
            error => Report::of_module(path, error),
        }
    }

    /// Reports a command line that clap refuses: what is wrong, and what to write instead.
    pub(crate) fn of_clap(error: &clap::Error, subcommand: &str) -> Self {
        let text = error.render().to_string();
        let (mut wrong, mut help) = (Vec::new(), Vec::new());
        let mut lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
        let first = lines.next().unwrap_or_default();
        wrong.push(first.strip_prefix("error: ").unwrap_or(first));
        for line in lines {
            match line.strip_prefix("tip: ").or(line.strip_prefix('[')) {
                Some(tip) => help.push(tip.trim_end_matches(']')),
                None if line.is_empty() || line.starts_with("For more") => (),
                None => wrong.push(line),
            }
        }
        let wrong = wrong.join(" ");
        if let Some(known) = synonyms::help(error, subcommand) {
            return Report::usage(wrong).help(known);
        }
        if error.kind() == ErrorKind::UnknownArgument {
            return Report::usage(wrong).help(match synonyms::near(error) {
                Some(flag) => {
                    format!("there is {flag}, if that is meant; `--help` lists the flags")
                }
                None => {
                    "`--help` lists the flags; a command's own arguments stand behind `--`".into()
                }
            });
        }
        // The text is wpool's own on a value: what is wrong with it; what to write.
        let split = wrong.rsplit_once("': ").and_then(|(_, words)| words.split_once("; "));
        match (split, help.as_slice()) {
            (Some((_, what)), []) => {
                let wrong = wrong.strip_suffix(what).and_then(|wrong| wrong.strip_suffix("; "));
                Report::usage(wrong.unwrap_or_default()).help(what)
            }
            (None, []) => Report::usage(wrong).help("`--help` lists the flags and what they take"),
            _ => Report::usage(wrong).help(help.join("; ")),
        }
    }

    /// Prints the report among other messages, at the end of a run. A closed pipe is not reported.
    pub(crate) fn tell(&self, console: &mut Console) {
        if self.exit == Exit::BrokenPipe {
            return;
        }
        console.error(&self.error);
        if let Some(help) = &self.help {
            console.help(help);
        }
    }

    /// Prints the report to standard error. A closed pipe is not reported.
    pub(crate) fn print(&self) {
        if self.exit == Exit::BrokenPipe {
            return;
        }
        let stderr = io::stderr();
        let color = AutoStream::choice(&stderr) != ColorChoice::Never;
        // Nobody is left to tell if standard error cannot be written.
        let _ = stderr.lock().write_all(self.text(color).as_bytes());
    }

    fn text(&self, color: bool) -> String {
        let mut text = String::new();
        for line in &self.before {
            text += &format!("{}\n", escape::bytes(line));
        }
        text += &format!("{} {}\n", Label::Error.paint(color), escape::text(&self.error));
        for frame in &self.frames {
            text += &format!("    {}\n", escape::text(frame));
        }
        if let Some(help) = &self.help {
            text += &format!("{} {}\n", Label::Help.paint(color), escape::text(help));
        }
        text
    }
}

impl From<PoolError> for Report {
    fn from(error: PoolError) -> Self {
        if let Some(unwritable) = Unwritable::in_error(&error) {
            return unwritable.report();
        }
        if let Some(differs) = Differs::in_error(&error) {
            return differs.report();
        }
        let report = Report::new(Exit::of_error(&error), error.to_string());
        match error {
            PoolError::Task(error) => {
                Report { help: help::of_choice(&error, "choose one with --task"), ..report }
            }
            PoolError::Compile(limit) => report.help(match limit {
                CompileLimit::Memory(bytes) => {
                    let more = units::size_text(bytes.saturating_mul(2));
                    format!("raise the limit, if the module is worth it: --compile-memory {more}")
                }
                CompileLimit::Time(time) => {
                    let more = units::duration_text(time.saturating_mul(2));
                    format!("give it longer, if the module is worth it: --compile-timeout {more}")
                }
            }),
            PoolError::InitTime { task, limit } => {
                let seconds = limit.as_secs_f64();
                let more = units::duration_text(limit.saturating_mul(2));
                let error = format!("--init {task} took longer than {seconds} s");
                Report { error, ..report }.help(format!("give it longer: --init-timeout {more}"))
            }
            PoolError::Deadline(doing) => {
                let error = format!("--deadline passed while the module was {doing}");
                Report { error, ..report }.help("give the whole run longer, or none: --deadline")
            }
            PoolError::Setup { source, .. } => match help::of_system(&source) {
                Some(help) => report.help(help),
                None => report,
            },
            PoolError::Jail(missing) => report.help(match missing {
                Missing::Filters => "run it under another kernel, or, if you trust the module, without: --jail off",
                _ => "run it under another kernel, or with what this one has: --jail auto",
            }),
            PoolError::Grant(_) => report.help("--dir takes a folder that you may read and enter"),
            PoolError::CacheGranted { folder, .. } => report.help(format!(
                "let guests only read it (--dir {0}::{0}::ro), grant a folder in it, or keep the cache \
                 elsewhere: XDG_CACHE_HOME=FOLDER, its key: XDG_STATE_HOME=FOLDER",
                folder.display()
            )),
            _ => report,
        }
    }
}

/// The word with which a line for people begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// The line tells of a failure.
    Error,
    /// The line tells what to do about it.
    Help,
    /// The line tells of something odd.
    Warning,
    /// The line is information from wpool itself.
    Wpool,
}

impl Label {
    /// Returns the label with its colon, coloured or not.
    pub(crate) fn paint(self, color: bool) -> impl fmt::Display {
        let (text, style) = match self {
            Label::Error => ("error:", "\x1b[1;31m"),
            Label::Help => ("help:", "\x1b[1;36m"),
            Label::Warning => ("warning:", "\x1b[1;33m"),
            Label::Wpool => ("wpool:", "\x1b[1m"),
        };
        fmt::from_fn(move |f| match color {
            true => write!(f, "{style}{text}\x1b[0m"),
            false => f.write_str(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wpool::module::description::{ChooseError, NoChoice};

    #[test]
    fn a_report_is_one_error_line_and_one_help_line_with_control_characters_escaped() {
        let report = Report::usage("no task \"\x1b[2J\"").help("see\nthere");
        assert_eq!(report.text(false), "error: no task \"\\x1b[2J\"\nhelp: see\\nthere\n");
    }

    #[test]
    fn claps_errors_have_two_lines_too() {
        let report = |error: &str| {
            let error = clap::Error::raw(clap::error::ErrorKind::ValueValidation, error);
            let report = Report::of_clap(&error, "map");
            (report.error, report.help.expect("there is always help"))
        };
        assert_eq!(
            report(
                "invalid value 'x; y' for '--range <A..B>': not a range; write 0..12; or 1..2\n"
            ),
            (
                "invalid value 'x; y' for '--range <A..B>': not a range".into(),
                "write 0..12; or 1..2".into()
            )
        );
        assert_eq!(
            report("unexpected argument '-x'\n\n  tip: a\n  tip: b\n\nUsage: wpool\n\nFor more"),
            ("unexpected argument '-x'".into(), "a; b".into())
        );
        assert_eq!(
            report("missing:\n  <MODULE>\n\nUsage: wpool"),
            ("missing: <MODULE>".into(), "`--help` lists the flags and what they take".into())
        );
    }

    #[test]
    fn candidates_are_offered_where_the_task_is_wrong() {
        let error = ChooseError {
            why: NoChoice::Unknown,
            message: "no task".into(),
            candidates: vec!["a()".into()],
        };
        let error = PoolError::Task(error);
        let report = Report::of_module(Path::new("m.wasm"), error);
        assert_eq!((report.exit, report.error.as_str()), (Exit::Module, "m.wasm: no task"));
        assert_eq!(report.help.as_deref(), Some("choose one with --task: a()"));
    }
}
