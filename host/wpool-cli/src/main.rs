//! The `wpool` program: the only code that knows clap or prints, and the only place where the process
//! ends.
//!
//! Each subcommand has a file. `flags` holds the flags, `input` makes jobs, `output` takes their
//! outcomes, and `exit` and `report` tell how a run ends.

extern crate self as cli;

mod argv;
mod bench;
mod call;
mod compile;
mod compiling;
mod completions;
mod doctor;
mod dry_run;
pub(crate) mod exit;
mod files;
mod flags;
mod help;
mod input;
mod inspect;
mod language;
mod man;
mod map;
mod modules;
mod numbers;
mod objects;
mod output;
mod plan;
mod readiness;
mod report;
mod run;
mod setup;
mod signals;
mod summary;
mod synonyms;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use exit::Exit;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use report::Report;
use std::ffi::OsString;
use std::process::ExitCode;
use wpool::pool::session::EarlyZygote;
use wpool_text::{escape, units};

/// The version of wpool, and that of its engine.
pub(crate) const VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), " (wasmtime ", env!("WASMTIME_VERSION"), ")");

/// The error with which `wpool` without arguments shows the help and fails.
const NO_ARGUMENTS: ErrorKind = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;

/// Multiprocessing for WebAssembly: runs jobs through a wasm module in sandboxed OS processes.
#[derive(Debug, Parser)]
#[command(
    name = "wpool",
    version = VERSION,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    subcommand: Sub,
}

#[derive(Debug, Subcommand)]
enum Sub {
    Map(Box<flags::MapFlags>),
    Run(Box<flags::RunFlags>),
    Bench(Box<flags::BenchFlags>),
    Inspect(inspect::InspectFlags),
    Compile(compile::CompileFlags),
    Doctor(doctor::DoctorFlags),
    Completions(completions::CompletionsFlags),
    Man(man::ManFlags),
    #[command(hide = true)]
    Tasks(completions::TasksFlags),
    /// Prints the version, as --version does.
    Version,
}

fn main() -> ExitCode {
    // A panic's own exit code, 101, is taken: it means that the module cannot be used.
    let exit = std::panic::catch_unwind(run_program).unwrap_or(Exit::Internal);
    ExitCode::from(exit.code())
}

/// Runs the command line of this process.
fn run_program() -> Exit {
    let args: Vec<OsString> = std::env::args_os().collect();
    hide_memory();
    open_many();
    outlive_large_writes();
    // A subcommand that always needs a zygote starts it before the command line is read.
    let early = match args.get(1).and_then(|subcommand| subcommand.to_str()) {
        Some("map" | "run") => EarlyZygote::start(),
        _ => None,
    };
    obey(&args, early).unwrap_or_else(|report| {
        report.print();
        report.exit
    })
}

/// Hides this process's memory and descriptors from other processes of its user, workers among them.
fn hide_memory() {
    // A system that refuses it has other layers.
    let _ = nix::sys::prctl::set_dumpable(false);
}

/// Raises the limit of file descriptors as far as the system allows: each worker takes three.
fn open_many() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // If the system refuses, fewer workers have to do.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

/// Makes a write beyond `ulimit -f` an error instead of the end of the program. Programs that wpool
/// starts inherit the blocked signal, and see the error too.
fn outlive_large_writes() {
    // Blocking a signal that exists cannot fail.
    let _ = SigSet::from(Signal::SIGXFSZ).thread_block();
}

fn obey(args: &[OsString], early: Option<EarlyZygote>) -> Result<Exit, Report> {
    // `wpool run` and completions treat `:::` like any other word.
    let (front, columns) = match args.get(1) {
        Some(subcommand) if subcommand == "run" || subcommand == "tasks" => {
            (args.to_vec(), Vec::new())
        }
        _ => argv::cut(args.iter().cloned())?,
    };
    let cli = match command().try_get_matches_from(front).and_then(|m| Cli::from_arg_matches(&m)) {
        Ok(cli) => cli,
        // The user asked for the help, in one way or another.
        Err(error) if error.exit_code() == 0 || error.kind() == NO_ARGUMENTS => {
            // Nobody is left to tell if the help cannot be printed.
            let _ = error.print();
            return Ok(if error.exit_code() == 0 { Exit::Success } else { Exit::Usage });
        }
        Err(error) => {
            let subcommand = args.get(1).and_then(|word| word.to_str()).unwrap_or_default();
            return Err(Report::of_clap(&error, subcommand));
        }
    };
    if !columns.is_empty() && !matches!(cli.subcommand, Sub::Map(_) | Sub::Bench(_)) {
        return Err(Report::usage("only `wpool map` and `wpool bench` take jobs after `:::`")
            .help("leave out `:::` and what follows it"));
    }
    match cli.subcommand {
        Sub::Map(flags) => map::run(&flags, columns, args, early),
        Sub::Run(flags) => run::run(&flags, early),
        Sub::Bench(flags) => bench::run(&flags, columns),
        Sub::Inspect(flags) => inspect::run(&flags),
        Sub::Compile(flags) => compile::run(&flags),
        Sub::Doctor(flags) => doctor::run(&flags),
        Sub::Completions(flags) => completions::run(&flags),
        Sub::Man(flags) => man::run(&flags),
        Sub::Tasks(flags) => completions::tasks(&flags),
        Sub::Version => summary::print(&command().render_version()),
    }
}

/// Returns the command line's definition for clap.
fn command() -> clap::Command {
    Cli::command().mut_subcommands(flags::with_environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn every_long_flag_has_a_variable_unless_it_grants_something() {
        let mut command = command();
        let mut grants = Vec::from(flags::GRANTS);
        for subcommand in ["map", "run", "bench"] {
            let subcommand = command.find_subcommand_mut(subcommand).expect("a subcommand");
            for arg in subcommand.get_arguments() {
                let Some(long) = arg.get_long().filter(|long| *long != "help") else { continue };
                let name = arg.get_env().and_then(|name| name.to_str()).unwrap_or_default();
                let expected = !flags::GRANTS.contains(&long);
                assert_eq!(name.starts_with("WPOOL_"), expected, "{arg}");
                grants.retain(|grant| *grant != long);
            }
        }
        assert_eq!(grants, [""; 0], "no such flags");
    }

    #[test]
    fn the_version_names_the_engine_that_is_linked() {
        let lock = include_str!("../../../Cargo.lock");
        let (_, entry) = lock.split_once("name = \"wasmtime\"\nversion = \"").expect("an entry");
        let version = entry.split('"').next().expect("a version");
        assert!(command().render_version().contains(&format!("(wasmtime {version})")));
    }
}
