//! The flags of `wpool map`, in groups that other subcommands take too. Their doc comments are the
//! help text.

mod bench;
mod grammar;
mod input;
mod jail;
mod limits;
mod log;
mod module;
pub(crate) mod object;
mod objects;
mod output;
mod run;

pub(crate) use bench::BenchFlags;
pub(crate) use input::{InputFlags, InputFormat, NoInput};
pub(crate) use jail::JailFlags;
pub(crate) use limits::{
    BufferFlags, CompileLimitFlags, GrantFlags, LimitFlags, PolicyFlags, PoolFlags, ScratchFlags,
};
pub(crate) use log::{LogFlags, TraceFlags};
pub(crate) use module::ModuleFlags;
pub(crate) use objects::ObjectFlags;
pub(crate) use output::{ConsoleFlags, OutputFlags, ProgressFlags, ProgressWhen, ResultFlags};
pub(crate) use run::RunFlags;

use super::plan::Call;
use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, Command};
use std::path::PathBuf;
use wpool::pool::config::CompileConfig;

/// The name of a subcommand that takes jobs or calls.
pub(crate) const MAP: &str = "map";
/// The name of the subcommand for processes.
pub(crate) const RUN: &str = "run";
/// The name of the subcommand that measures.
pub(crate) const BENCH: &str = "bench";

/// Runs each job through the module, in parallel.
///
/// A job is a line of JSON: the value for the task's parameter, or an array of values for several.
/// Jobs come from the words after `:::`, from --range, from the files of -a, or, if there are none
/// of these, from standard input. Results go to standard output in the order of the jobs.
///
/// Words after several `:::` are combined, the first varying slowest; `:::+` links its words to
/// those before it. A command's jobs are its arguments: they replace {} in the arguments after
/// `--`, or are appended to them.
#[derive(Args, Debug)]
#[command(
    override_usage = "wpool map [OPTIONS] MODULE [-- ARG…] [::: JOB…]…",
    after_help = "Exit codes: 0 every job succeeded, 100 jobs failed, 101 the module cannot be used, \
                  2 a wrong flag, 4 no jobs (--no-input fail), 96 the environment does not allow \
                  the run, 106 drained on SIGHUP, 110 the output cannot be written, 124 --deadline \
                  passed, 130 SIGINT, 141 closed pipe, 143 SIGTERM."
)]
pub(crate) struct MapFlags {
    /// The module: WebAssembly, binary or text.
    #[arg(value_name = "MODULE")]
    pub(crate) module: PathBuf,

    /// Arguments of a command, in which {} {.} {/} {//} {/.} {#} {%} {1} … are replaced.
    #[arg(last = true, value_name = "ARG")]
    pub(crate) template: Vec<String>,

    /// Replace this text in the arguments of a command instead of {}
    #[arg(short = 'I', value_name = "TEXT", help_heading = "Jobs",
          value_parser = clap::builder::NonEmptyStringValueParser::new())]
    replace: Option<String>,

    #[command(flatten)]
    pub(crate) input: InputFlags,

    /// What to do when there are no jobs: `pass`, `warn` or `fail` (exit code 4)
    #[arg(long, value_name = "WHAT", default_value = "warn", hide_possible_values = true)]
    #[arg(help_heading = "Jobs")]
    no_input: NoInput,

    /// The same as --no-input pass
    #[arg(long, help_heading = "Jobs")]
    no_run_if_empty: bool,

    #[command(flatten)]
    pub(crate) results: ResultFlags,

    #[command(flatten)]
    pub(crate) output: OutputFlags,

    #[command(flatten)]
    pub(crate) pool: PoolFlags,

    #[command(flatten)]
    pub(crate) policy: PolicyFlags,

    #[command(flatten)]
    pub(crate) limits: LimitFlags,

    #[command(flatten)]
    pub(crate) buffer: BufferFlags,

    #[command(flatten)]
    pub(crate) grants: GrantFlags,

    #[command(flatten)]
    pub(crate) scratch: ScratchFlags,

    #[command(flatten)]
    pub(crate) jail: JailFlags,

    #[command(flatten)]
    pub(crate) foreign: ModuleFlags,

    #[command(flatten)]
    pub(crate) objects: ObjectFlags,

    #[command(flatten)]
    pub(crate) log: LogFlags,

    #[command(flatten)]
    pub(crate) progress: ProgressFlags,

    #[command(flatten)]
    pub(crate) console: ConsoleFlags,
}

impl MapFlags {
    /// Returns the behaviour of a run without jobs.
    pub(crate) fn no_input(&self) -> NoInput {
        if self.no_run_if_empty { NoInput::Pass } else { self.no_input }
    }

    /// Returns the limits on compiling, from now on, and the jail.
    pub(crate) fn compile(&self) -> CompileConfig {
        let config = self.limits.compile_now(!self.policy.no_cache);
        self.jail.compile(self.foreign.compile(config))
    }

    /// Returns the call that is made for each job.
    pub(crate) fn call(&self) -> Call<'_> {
        Call {
            module: &self.module,
            task: self.pool.task.as_deref(),
            init: self.pool.init.as_deref(),
            argv0: self.grants.argv0.as_deref(),
            template: &self.template,
            replace: self.replace.as_deref(),
            ok_exit: &self.output.ok_exit,
            base64: self.results.base64,
            raw_output: self.results.raw_output,
            input: &self.input,
        }
    }
}

/// The flags that let guests reach files and variables of the host, or code outside the sandbox or the jail.
/// They cannot be set by environment variables, so that a variable left there by accident grants
/// nothing.
pub(super) const GRANTS: [&str; 16] = [
    "dir",
    "env",
    "files",
    "arg-file",
    "native",
    "python",
    "queue",
    "array",
    "region",
    "list",
    "dict",
    "set",
    "save",
    "scratch",
    "jail",
    "jail-kernel",
];

/// Allows every long flag that grants nothing to be set by an environment variable too: `--max-log`
/// by `WPOOL_MAX_LOG`.
pub(crate) fn with_environment(command: Command) -> Command {
    command.mut_args(|arg| {
        let Some(long) = arg.get_long().filter(|long| !GRANTS.contains(long)) else { return arg };
        if matches!(arg.get_action(), ArgAction::Help | ArgAction::Version | ArgAction::Count) {
            return arg;
        }
        // The text lives as long as the program, which parses its flags once.
        let name = format!("WPOOL_{}", long.replace('-', "_").to_uppercase()).leak();
        // An empty variable counts as not set.
        if std::env::var_os(&*name).is_some_and(|value| value.is_empty()) {
            return arg;
        }
        let arg = match arg.get_action() {
            ArgAction::SetTrue => arg.value_parser(FalseyValueParser::new()),
            _ => arg,
        };
        arg.env(&*name).hide_env_values(true)
    })
}
