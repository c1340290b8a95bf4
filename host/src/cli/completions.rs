//! `wpool completions`: completion scripts for shells.

use super::exit::Exit;
use super::report::Report;
use super::summary;
use clap::Args;
use clap_complete::Shell;

/// Prints the completion script of a shell.
#[derive(Args, Debug)]
pub(crate) struct CompletionsFlags {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Runs the subcommand.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn run(flags: &CompletionsFlags) -> Result<Exit, Report> {
    let mut script = Vec::new();
    clap_complete::generate(flags.shell, &mut super::command(), "wpool", &mut script);
    summary::print(&String::from_utf8_lossy(&script))
}
