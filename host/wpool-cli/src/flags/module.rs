//! The flags for modules that were not made for wpool.

use clap::Args;
use wpool::pool::config::CompileConfig;
use wpool::wire::settings::TaskSpec;

/// The flags for modules that were not made for wpool.
#[derive(Args, Debug)]
#[command(next_help_heading = "Module")]
pub(crate) struct ModuleFlags {
    /// Have functions that the module imports, and wpool does not have, trap when they are called
    #[arg(long)]
    pub(crate) stub_imports: bool,

    /// Take integers for unsigned (u32, u64), where the module does not say
    #[arg(long)]
    pub(crate) unsigned: bool,
}

impl ModuleFlags {
    /// Adds these flags to the limits on compiling.
    pub(crate) fn compile(&self, config: CompileConfig) -> CompileConfig {
        CompileConfig { stub_imports: self.stub_imports, ..config }
    }

    /// Returns the task with these flags.
    pub(crate) fn apply(&self, task: TaskSpec) -> TaskSpec {
        TaskSpec { stub_imports: self.stub_imports, unsigned: self.unsigned, ..task }
    }
}
