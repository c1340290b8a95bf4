//! `wpool man`: prints manual pages.

use super::exit::Exit;
use super::report::Report;
use super::summary;
use clap::Args;

/// Prints a manual page, for `man -l -`.
#[derive(Args, Debug)]
pub(crate) struct ManFlags {
    /// The subcommand; wpool itself without one.
    #[arg(value_name = "COMMAND")]
    subcommand: Option<String>,
}

/// Runs the subcommand.
///
/// # Errors
/// Fails if there is no such subcommand, or standard output cannot be written.
pub(crate) fn run(flags: &ManFlags) -> Result<Exit, Report> {
    let mut command = super::command();
    // Building gives subcommands their full names: `wpool map`, not `map`.
    command.build();
    let command = match &flags.subcommand {
        None => command,
        Some(name) => command.find_subcommand(name).cloned().ok_or_else(|| {
            let names: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
            Report::usage(format!("there is no subcommand {name:?}"))
                .help(format!("there are: {}", names.join(", ")))
        })?,
    };
    let name = command.get_bin_name().unwrap_or("wpool").replace(' ', "-");
    let mut page = Vec::new();
    clap_mangen::Man::new(command.display_name(name))
        .source(concat!("wpool ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)
        .map_err(|error| Report::new(Exit::Internal, error.to_string()))?;
    summary::print(&String::from_utf8_lossy(&page))
}
