//! The flags of `wpool bench`.

use super::grammar;
use super::{ConsoleFlags, GrantFlags, InputFlags, JailFlags, LimitFlags, ModuleFlags, TraceFlags};
use crate::cli::plan::Call;
use clap::Args;
use std::path::{Path, PathBuf};
use wpool_bench::contest::Rounds;
use wpool_bench::mode::Mode;
use wpool_bench::python::PythonFunction;
use wpool_bench::time_unit::TimeUnit;

/// Runs the same jobs in several modes side by side, and compares their times.
///
/// Modes are WebAssembly in one process and in workers (as --isolation says), and, where they are given,
/// the same task from a shared library (--native) in one process, in threads and in workers, and a Python
/// function by itself and in `multiprocessing.Pool` (--python). A command is compared with a native one under xargs and
/// GNU parallel. Several modules are compared in the same modes. Jobs are given as to `wpool map`.
///
/// First each mode runs once, and the results are compared: no time is printed of modes that do not
/// agree. Then modes take turns, round by round. Times are from the first job's start to the last
/// result, with the start of worker processes, without that of the program, and without compilation.
#[derive(Args, Debug)]
#[command(
    override_usage = "wpool bench [OPTIONS] MODULE… [-- ARG…] [::: JOB…]…",
    after_help = "Exit codes: 0 all is measured, 100 a job failed, or modes do not agree. Others as of \
                  `wpool map`."
)]
pub(crate) struct BenchFlags {
    /// The module: WebAssembly, binary or text; several are compared with each other.
    #[arg(value_name = "MODULE", required = true)]
    pub(crate) modules: Vec<PathBuf>,

    /// Arguments of a command.
    #[arg(last = true, value_name = "ARG")]
    pub(crate) template: Vec<String>,

    #[command(flatten)]
    pub(crate) compared: ComparedFlags,

    #[command(flatten)]
    pub(crate) input: InputFlags,

    #[command(flatten)]
    pub(crate) rounds: RoundFlags,

    #[command(flatten)]
    pub(crate) exports: ExportFlags,

    #[command(flatten)]
    pub(crate) limits: LimitFlags,

    #[command(flatten)]
    pub(crate) grants: GrantFlags,

    #[command(flatten)]
    pub(crate) jail: JailFlags,

    #[command(flatten)]
    pub(crate) foreign: ModuleFlags,

    #[command(flatten)]
    pub(crate) console: ConsoleFlags,
}

/// The flags that name what is compared.
#[derive(Args, Debug)]
#[command(next_help_heading = "Modes")]
pub(crate) struct ComparedFlags {
    /// A shared library with the same tasks (a command: a program), to be run without a sandbox
    #[arg(long, value_name = "LIB.so")]
    pub(crate) native: Option<PathBuf>,

    /// An equivalent Python function, to be run by itself and in `multiprocessing.Pool`
    #[arg(long, value_name = "FILE.py:FUNCTION", value_parser = PythonFunction::parse)]
    pub(crate) python: Option<PythonFunction>,

    /// Only these modes, the first being the one that others are compared with: native, threads,
    /// native-workers, wasm, reuse, fresh, process, python-serial, python, xargs, parallel
    #[arg(long, value_name = "LIST", value_delimiter = ',', hide_possible_values = true)]
    pub(crate) modes: Vec<Mode>,

    /// Worker processes, or threads; several numbers to see what more of them gain: 1,2,4 [default:
    /// usable CPUs]
    #[arg(short = 'j', long, value_name = "N|N%,…", value_parser = grammar::measured_workers,
          value_delimiter = ',', allow_hyphen_values = true, visible_alias = "jobs",
          aliases = ["max-procs", "processes", "max-workers"])]
    pub(crate) workers: Vec<usize>,

    /// The task to call, where the module has several
    #[arg(long, value_name = "NAME")]
    pub(crate) task: Option<String>,

    /// Call this task once before the first job
    #[arg(long, value_name = "TASK")]
    pub(crate) init: Option<String>,

    /// Most jobs sent to a worker at once [default: as many as run in about a millisecond]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096),
          alias = "chunksize")]
    pub(crate) batch: Option<u16>,

    /// Measure although jobs fail, as long as they fail in all modes
    #[arg(short, long)]
    pub(crate) ignore_failure: bool,
}

/// The flags for the number of rounds.
#[derive(Args, Debug)]
#[command(next_help_heading = "Rounds")]
pub(crate) struct RoundFlags {
    /// Rounds before those that count; the one that compares results is one more
    #[arg(short, long, value_name = "N", default_value_t = 0)]
    pub(crate) warmup: u32,

    /// Exactly so many rounds
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) runs: Option<u32>,

    /// At least so many rounds
    #[arg(short, long, value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) min_runs: u32,

    /// At most so many rounds; fewer if all modes have been measured for 3 s each
    #[arg(short = 'M', long, value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) max_runs: u32,
}

/// The flags for files with the times, beside the table.
#[derive(Args, Debug)]
#[command(next_help_heading = "Exports")]
pub(crate) struct ExportFlags {
    /// Write all times as JSON, as hyperfine does
    #[arg(long, value_name = "FILE")]
    pub(crate) export_json: Option<PathBuf>,

    /// Write a summary as CSV, as hyperfine does
    #[arg(long, value_name = "FILE")]
    pub(crate) export_csv: Option<PathBuf>,

    /// Write a table in Markdown
    #[arg(long, value_name = "FILE")]
    pub(crate) export_markdown: Option<PathBuf>,

    /// Write a table in AsciiDoc
    #[arg(long, value_name = "FILE")]
    pub(crate) export_asciidoc: Option<PathBuf>,

    /// Write a table for Org mode
    #[arg(long, value_name = "FILE")]
    pub(crate) export_orgmode: Option<PathBuf>,

    /// Write a page with tables and charts
    #[arg(long, value_name = "FILE")]
    pub(crate) export_html: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) trace: TraceFlags,

    /// Unit of times in the table: second, millisecond, microsecond, nanosecond
    #[arg(short = 'u', long, value_name = "UNIT", hide_possible_values = true)]
    pub(crate) time_unit: Option<TimeUnit>,
}

impl RoundFlags {
    /// Returns the number of rounds.
    pub(crate) fn rounds(&self) -> Rounds {
        let RoundFlags { warmup, runs, min_runs, max_runs } = *self;
        Rounds { warmup, runs, min_runs, max_runs }
    }
}

impl ExportFlags {
    /// The flags that name a file, and the file.
    pub(crate) fn files(&self) -> Vec<(&'static str, Option<&Path>)> {
        vec![
            ("--export-json", self.export_json.as_deref()),
            ("--export-csv", self.export_csv.as_deref()),
            ("--export-markdown", self.export_markdown.as_deref()),
            ("--export-asciidoc", self.export_asciidoc.as_deref()),
            ("--export-orgmode", self.export_orgmode.as_deref()),
            ("--export-html", self.export_html.as_deref()),
            ("--trace", self.trace.trace.as_deref()),
        ]
    }
}

impl BenchFlags {
    /// Returns the call that is made of one of the modules.
    pub(crate) fn call<'a>(&'a self, module: &'a Path) -> Call<'a> {
        Call {
            module,
            task: self.compared.task.as_deref(),
            init: self.compared.init.as_deref(),
            argv0: self.grants.argv0.as_deref(),
            template: &self.template,
            replace: None,
            ok_exit: &[0],
            base64: false,
            raw_output: false,
            input: &self.input,
        }
    }
}
