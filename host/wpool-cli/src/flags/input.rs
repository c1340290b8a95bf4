//! The flags that say where jobs come from.

use super::grammar;
use crate::cli::input::columns::{Columns, Separator, separator};
use crate::cli::input::encode::Words;
use crate::cli::input::lines::Record;
use crate::cli::input::range::Range;
use crate::cli::report::Report;
use crate::cli::units;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// The heading in the help for flags that make jobs of several words, of columns or of blocks.
const COLUMNS: &str = "Columns, blocks and order";

/// The default size of a block, in bytes.
const BLOCK_BYTES: u64 = 1 << 20;

/// The format of the input's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// A job, whatever its bytes; a task checks them.
    Lines,
    /// A JSON value, checked before the job is sent.
    Jsonl,
}

/// The behaviour of a run without jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NoInput {
    /// Succeed.
    Pass,
    /// Say so and succeed.
    Warn,
    /// Fail with code 4.
    Fail,
}

/// The flags that say where jobs come from.
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

    /// Each word or line is the path of a file whose bytes are the job (a command's standard input). (GNU
    /// parallel's --files is --results here)
    #[arg(long)]
    pub(crate) files: bool,

    /// Jobs read from files end with NUL, not with a line end
    #[arg(short = '0', long)]
    pub(crate) null: bool,

    /// Jobs read from files end with this character, not with a line end
    #[arg(short = 'd', long, value_name = "CHAR", value_parser = grammar::delimiter,
          conflicts_with = "null")]
    pub(crate) delimiter: Option<u8>,

    /// The columns of each line are the words of a job: {1} {2} … of a command, or the values of a task's
    /// parameters. They are separated by a character or by what a regular expression matches
    #[arg(short = 'C', long, value_name = "REGEX", value_parser = separator,
          help_heading = COLUMNS)]
    pub(crate) colsep: Option<Separator>,

    /// The same for CSV, whose columns may have quotes; --colsep says what separates them if not a comma
    #[arg(long, help_heading = COLUMNS)]
    pub(crate) csv: bool,

    /// The first line names the columns (of words, the first after each `:::`): {NAME} of a command, or the
    /// fields of a task's only parameter, or its parameters. Columns are separated by TABs unless --colsep or
    /// --csv is given. `:` is the only value
    #[arg(long, value_name = ":", value_parser = [":"], hide_possible_values = true,
          help_heading = COLUMNS)]
    header: Option<String>,

    /// The words of a job are so many lines or words after `:::`: arguments of a command, or an array; with
    /// --pipe, a block has so many lines
    #[arg(
        short = 'N',
        long,
        value_name = "N",
        visible_short_alias = 'n',
        alias = "max-replace-args", help_heading = COLUMNS
    )]
    max_args: Option<u32>,

    /// Jobs are blocks of whole lines: a command's standard input, or the text of a task's only parameter
    #[arg(long, aliases = ["spreadstdin", "pipe-part", "pipepart"], help_heading = COLUMNS,
          conflicts_with_all = ["range", "files", "stdin", "colsep", "csv"])]
    pub(crate) pipe: bool,

    /// Largest block of --pipe, unless it is a single line [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size, alias = "block-size",
          requires = "pipe", conflicts_with = "max_args", help_heading = COLUMNS)]
    block: Option<u64>,

    /// Take the jobs in a random order, which --seed makes the same in every run. Those read from files are
    /// kept in memory
    #[arg(long, conflicts_with = "pipe", help_heading = COLUMNS)]
    pub(crate) shuf: bool,

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

impl InputFlags {
    /// Returns the byte that ends a record of a file.
    fn end(&self) -> u8 {
        self.delimiter.unwrap_or(if self.null { 0 } else { b'\n' })
    }

    /// Returns whether the first record names the columns.
    pub(crate) fn has_header(&self) -> bool {
        self.header.is_some()
    }

    /// Returns whether a job is the text of the task's only parameter.
    pub(crate) fn is_raw(&self) -> bool {
        self.pipe || self.files || self.raw_input && self.columns().is_none()
    }

    /// Returns the number of records that are the words of a job, if it is not one.
    pub(crate) fn run(&self) -> Option<u32> {
        self.max_args.filter(|most| *most != 1 && !self.pipe)
    }

    /// Returns the kind of record that a line is; a header is always a line.
    pub(crate) fn line(&self) -> Record {
        if self.csv { Record::Quoted(self.end()) } else { Record::Line(self.end()) }
    }

    /// Returns the kind of record that a file has.
    pub(crate) fn record(&self) -> Record {
        let end = self.end();
        match (self.pipe, self.max_args) {
            (false, _) => self.line(),
            (true, Some(count)) => Record::Lines { end, count: count.max(1) },
            (true, None) => {
                let bytes = self.block.unwrap_or(BLOCK_BYTES).max(1);
                Record::Block { end, bytes: usize::try_from(bytes).unwrap_or(usize::MAX) }
            }
        }
    }

    /// Returns the way in which a record is split into columns, if it has any.
    pub(crate) fn columns(&self) -> Option<Columns> {
        match (&self.colsep, self.csv) {
            (Some(separator), true) => Some(Columns::Csv(separator.byte().unwrap_or(b','))),
            (None, true) => Some(Columns::Csv(b',')),
            (Some(separator), false) => Some(Columns::Separated(separator.regex.clone())),
            (None, false) if self.has_header() && !self.pipe => {
                Some(Columns::Separated(separator("\t").expect("a TAB is an expression").regex))
            }
            (None, false) => None,
        }
    }

    /// Returns the way in which records become the words of jobs.
    pub(crate) fn words(&self) -> Words {
        match (self.columns(), self.run()) {
            (Some(columns), _) => Words::Columns(columns),
            (None, Some(0)) => Words::None,
            (None, Some(most)) => Words::Several(most as usize),
            (None, None) => Words::One,
        }
    }

    /// Checks that the flags go together.
    ///
    /// # Errors
    /// Fails if two of the flags do not go together.
    pub(crate) fn check(&self) -> Result<(), Report> {
        let wrong = |flags: &str, help: &str| Err(Report::usage(flags).help(help));
        let columns = self.columns().is_some();
        let lines = self.input_format == InputFormat::Lines;
        match self {
            _ if columns && self.run().is_some() => {
                wrong("a job is either a row of columns or -N lines", "leave one of them out")
            }
            _ if columns && self.range.is_some() => {
                wrong("the integers of --range have no columns", "leave one of them out")
            }
            _ if (columns || self.pipe) && !lines => wrong(
                "--input-format jsonl has neither columns nor blocks",
                "a line of JSON can be an array: [1,2]",
            ),
            _ if (columns || self.run().is_some()) && (self.files || self.stdin) => wrong(
                "--files and --stdin take one word for each job",
                "leave out -N and what splits lines into columns",
            ),
            _ if self.csv && self.colsep.as_ref().is_some_and(|text| text.byte().is_none()) => {
                wrong(
                    "the columns of --csv are separated by a single byte",
                    "write --colsep ';' or leave --csv out",
                )
            }
            _ => Ok(()),
        }
    }

    /// Returns whether jobs that are read from files come from standard input, too.
    pub(crate) fn reads_standard_input(&self) -> bool {
        self.arg_file.is_empty() || self.arg_file.iter().any(|path| path.as_os_str() == "-")
    }
}
