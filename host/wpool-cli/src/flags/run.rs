//! The flags of `wpool run`.

use super::{
    ConsoleFlags, GrantFlags, JailFlags, LimitFlags, ModuleFlags, ObjectFlags, PolicyFlags,
    ResultFlags, ScratchFlags, TraceFlags,
};
use clap::Args;
use std::path::PathBuf;

/// Runs calls of a module's tasks, each in a process of its own, all at once; or runs a command.
///
/// A CALL is TASK(ARGUMENT, …) with arguments in JSON, quoted for the shell: 'square(12)',
/// 'product(1, 2, 3)', 'greet("you")'. TASK alone takes no arguments; (ARGUMENT, …) alone calls the
/// module's only or default task. NAME=TASK(…) names the process, which is called TASK otherwise.
///
/// Each call is a job with a process of its own. What calls print goes to standard output and standard error as it comes, in whole lines. When all
/// have ended, their results follow on standard output, in the order of the calls and each on a line;
/// a task without a result has no line.
///
/// A command is run as if alone: its arguments are ARG…, the standard streams and the exit code are
/// its own.
#[derive(Args, Debug)]
#[command(
    override_usage = "wpool run [OPTIONS] MODULE CALL…\n       wpool run [OPTIONS] MODULE [-- ARG…]",
    after_help = "Exit codes: that of the command or of the only call (a failed task 1, a wrong \
                  argument 2, a trap or too much memory 134, --timeout 124, killed by signal N \
                  128+N); of several calls 0 if all succeeded, otherwise 100. Others as of `wpool \
                  map`."
)]
pub(crate) struct RunFlags {
    /// The module: WebAssembly, binary or text.
    #[arg(value_name = "MODULE")]
    pub(crate) module: PathBuf,

    /// Calls of its tasks: 'TASK(ARGUMENT, …)', with a name before it 'NAME=TASK(ARGUMENT, …)'.
    #[arg(value_name = "CALL")]
    pub(crate) calls: Vec<String>,

    /// Arguments of a command.
    #[arg(last = true, value_name = "ARG")]
    pub(crate) arguments: Vec<String>,

    #[command(flatten)]
    pub(crate) results: ResultFlags,

    /// Print the name of its process before each line that a call prints, and before its result
    #[arg(long, help_heading = "Results")]
    pub(crate) tag: bool,

    /// Call this task once before the processes start, and fork them from there
    #[arg(long, value_name = "TASK", help_heading = "Workers")]
    pub(crate) init: Option<String>,

    #[command(flatten)]
    pub(crate) policy: PolicyFlags,

    #[command(flatten)]
    pub(crate) limits: LimitFlags,

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

    #[command(flatten, next_help_heading = "Display")]
    pub(crate) trace: TraceFlags,

    #[command(flatten)]
    pub(crate) console: ConsoleFlags,
}
