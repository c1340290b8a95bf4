//! The flags for results, and for messages to people.

use super::grammar;
use crate::cli::output::Format;
use clap::{Args, ColorChoice, ValueEnum};
use std::path::PathBuf;
use wpool::wire::settings::{OutputForm, TaskSpec};

/// The format in which results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    Raw,
    Jsonl,
    Null,
}

/// The way in which progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressWhen {
    /// A bar on a terminal where no results are shown, plain lines off a terminal.
    Auto,
    /// A bar.
    Bar,
    /// A line every 10 seconds.
    Plain,
    /// Nothing.
    None,
}

/// The flags for the format and the file of results.
#[derive(Args, Debug)]
#[command(next_help_heading = "Results")]
pub(crate) struct ResultFlags {
    /// Write results to FILE instead of standard output. What is in it is replaced, unless a run goes on: then
    /// results take their place in it
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// `raw`: a line each (a command's bytes as they are); `jsonl`: a JSON object for each job;
    /// `null`: a NUL byte after each
    #[arg(long, value_name = "FORMAT", default_value = "raw", hide_possible_values = true)]
    output_format: OutputFormat,

    /// The same as --output-format jsonl
    #[arg(long)]
    jsonl: bool,

    /// Print results that are strings without quotes. (xargs' -r is --no-run-if-empty here)
    #[arg(short, long)]
    pub(crate) raw_output: bool,

    /// Print results of components that are bytes (list<u8>) as base64 instead of numbers
    #[arg(long)]
    pub(crate) base64: bool,
}

/// The flags for the results of `wpool map`.
#[derive(Args, Debug)]
#[command(next_help_heading = "Results")]
pub(crate) struct OutputFlags {
    /// Print the job and a TAB before each line of its result
    #[arg(long)]
    pub(crate) tag: bool,

    /// Print this and a TAB before each line of a result; {} {1} {.} {#} {%} … are replaced
    #[arg(long, value_name = "TEXT", conflicts_with = "tag")]
    tagstring: Option<String>,

    /// Keep what each job came to in DIR/1/WORD too, or DIR/1/WORD/2/WORD …, with a header DIR/NAME/WORD …:
    /// its result in stdout, what it printed in stderr, and its number in seq
    #[arg(long, value_name = "DIR", alias = "res", value_parser = grammar::results)]
    pub(crate) results: Option<PathBuf>,

    /// Exit codes of a command that are successes
    #[arg(
        long,
        value_name = "CODES",
        value_delimiter = ',',
        default_value = "0",
        allow_hyphen_values = true
    )]
    pub(crate) ok_exit: Vec<i32>,

    /// Print results as they come; failed tasks print nothing
    #[arg(long)]
    pub(crate) unordered: bool,

    /// Print results in the order of the jobs (the default; for those who come from GNU parallel)
    #[arg(short, long, conflicts_with = "unordered", hide = true)]
    keep_order: bool,

    /// Print each result whole (the default; for those who come from GNU parallel)
    #[arg(long, hide = true)]
    group: bool,
}

impl OutputFlags {
    /// Returns the template of the text before each line of a result, if there is one.
    pub(crate) fn tagstring(&self) -> Option<String> {
        self.tagstring.clone()
    }

    /// Returns whether the words of jobs are needed beside their results.
    pub(crate) fn needs_words(&self) -> bool {
        self.tag || self.tagstring.is_some() || self.results.is_some()
    }
}

impl ResultFlags {
    /// Returns the format in which results are written.
    pub(crate) fn format(&self) -> Format {
        match self.output_format {
            _ if self.jsonl => Format::Jsonl,
            OutputFormat::Raw => Format::Raw,
            OutputFormat::Jsonl => Format::Jsonl,
            OutputFormat::Null => Format::Null,
        }
    }

    /// Returns the flags of the format as a text. A resumed run must have the same.
    pub(crate) fn words(&self, tag: bool) -> String {
        let format = match self.format() {
            Format::Raw => "raw",
            Format::Jsonl => "jsonl",
            Format::Null => "null",
        };
        let flags = [("tag", tag), ("raw-output", self.raw_output), ("base64", self.base64)];
        let flags = flags.iter().filter(|(_, given)| *given).map(|(flag, _)| format!(" --{flag}"));
        format!("--output-format {format}{}", flags.collect::<String>())
    }

    /// Returns the task with these flags.
    pub(crate) fn apply(&self, task: TaskSpec) -> TaskSpec {
        TaskSpec {
            output: self.form(),
            nul_ends: self.format() == Format::Null,
            base64: self.base64,
            ..task
        }
    }

    /// Returns the form in which workers send results.
    fn form(&self) -> OutputForm {
        match self.format() {
            _ if self.raw_output => OutputForm::Raw,
            Format::Null => OutputForm::Bytes,
            Format::Raw | Format::Jsonl => OutputForm::Json,
        }
    }
}

/// The flags for progress.
#[derive(Args, Debug)]
#[command(next_help_heading = "Display")]
pub(crate) struct ProgressFlags {
    /// Show progress on standard error: `auto`, `bar`, `plain` (a line every 10 s) or `none`
    #[arg(long, value_name = "HOW", default_value = "auto", hide_possible_values = true)]
    progress: ProgressWhen,

    /// Show a bar of progress, and, where the number of jobs is known, how long it will take: --progress bar
    #[arg(long)]
    bar: bool,

    /// The same as --bar
    #[arg(long)]
    eta: bool,
}

impl ProgressFlags {
    /// Returns the way in which progress is shown.
    pub(crate) fn how(&self) -> ProgressWhen {
        if self.bar || self.eta { ProgressWhen::Bar } else { self.progress }
    }
}

/// The flags for messages to people.
#[derive(Args, Debug)]
#[command(next_help_heading = "Display")]
pub(crate) struct ConsoleFlags {
    /// Use colours: `auto`, `always` or `never`
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub(crate) color: ColorChoice,

    /// Show errors only
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Show workers, retries and every failure
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

impl ConsoleFlags {
    /// Makes --color override the environment, for everything that is printed from now on.
    pub(crate) fn apply_color(&self) {
        match self.color {
            ColorChoice::Auto => (),
            ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
            ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
        }
    }
}
