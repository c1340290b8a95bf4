//! The flags for the jail of processes that compile modules or run guests.

use super::grammar;
use crate::cli::output::console::Console;
use clap::Args;
use wpool::pool::config::CompileConfig;
use wpool::pool::jail;
use wpool::wire::jail::{Features, Jail, JailMode};
use wpool::wire::settings::Settings;

/// The flags for the jail.
#[derive(Args, Debug)]
#[command(next_help_heading = "Grants")]
pub(crate) struct JailFlags {
    /// How the processes of guests are confined by the system, beside WebAssembly's own sandbox: `auto` (by all that
    /// the kernel has), `strict` (refuse to run where something is missing) or `off`
    #[arg(long, value_name = "HOW", default_value = "auto", value_parser = grammar::jail(),
          hide_possible_values = true)]
    jail: JailMode,

    /// Use no more of the kernel than this: what it lacks, for tests
    #[arg(long, value_name = "FEATURE,…", value_parser = grammar::kernel, hide = true)]
    jail_kernel: Option<Features>,
}

impl JailFlags {
    /// Returns the jail that is asked for.
    fn jail(&self) -> Jail {
        Jail { mode: self.jail, most: self.jail_kernel.unwrap_or(Features::ALL) }
    }

    /// Adds these flags to the limits on compiling.
    pub(crate) fn compile(&self, config: CompileConfig) -> CompileConfig {
        CompileConfig { jail: self.jail(), ..config }
    }

    /// Warns of what is missing of the jail, or says that there is none.
    pub(crate) fn tell(&self, settings: &Settings, console: &mut Console) {
        if self.jail == JailMode::Off {
            console.info("the jail is off: a guest that breaks out of WebAssembly has your rights");
        }
        // What must not be missing has ended the run before.
        if let Ok((_, Some(missing))) = jail::layers(self.jail(), settings) {
            console.warning(missing);
        }
    }
}
