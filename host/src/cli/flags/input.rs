//! Flags that say where jobs come from.

use crate::cli::input::range::Range;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What a record of the input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// A job, whatever its bytes; a task checks them.
    Lines,
    /// A JSON value, checked before the job is sent.
    Jsonl,
}

/// What to do when there are no jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NoInput {
    /// Succeed.
    Pass,
    /// Say so and succeed.
    Warn,
    /// Fail with code 4.
    Fail,
}

/// Where jobs come from.
#[derive(Args, Debug)]
#[command(next_help_heading = "Jobs")]
pub(crate) struct InputFlags {
    /// The integers from A up to, but not including, B (A..=B: including), STEP apart
    #[arg(long, value_name = "A..B[..STEP]", value_parser = Range::parse,
          allow_hyphen_values = true, conflicts_with = "arg_file")]
    pub(crate) range: Option<Range>,

    /// Read jobs from FILE, a line each; `-` is standard input. Several files are read in turn
    #[arg(short = 'a', long, value_name = "FILE")]
    pub(crate) arg_file: Vec<PathBuf>,

    /// Each word or line is the path of a file whose bytes are the job (a command's standard input)
    #[arg(long)]
    pub(crate) files: bool,

    /// Jobs read from files end with NUL, not with a line end
    #[arg(short = '0', long)]
    pub(crate) null: bool,

    /// What a line is. `lines`: a job as it is (an empty one too); `jsonl`: JSON, checked at once
    #[arg(long, value_name = "FORMAT", default_value = "lines", hide_possible_values = true)]
    pub(crate) input_format: InputFormat,

    /// Each job is the text of the task's only parameter, a string
    #[arg(short = 'R', long)]
    pub(crate) raw_input: bool,

    /// Each job is the command's standard input instead of an argument
    #[arg(long, conflicts_with = "files")]
    pub(crate) stdin: bool,
}
