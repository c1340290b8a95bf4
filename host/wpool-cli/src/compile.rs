//! `wpool compile`: compiles modules into the cache ahead of time.

use super::exit::Exit;
use super::flags::{CompileLimitFlags, JailFlags};
use super::report::Report;
use super::{compiling, modules, summary, units};
use clap::Args;
use std::path::PathBuf;
use wpool::pool::config::CompileConfig;

/// Compiles modules into the user's cache folder, so that later runs start at once.
#[derive(Args, Debug)]
pub(crate) struct CompileFlags {
    /// The modules: WebAssembly, binary or text.
    #[arg(value_name = "MODULE", required = true)]
    modules: Vec<PathBuf>,

    /// Compile for runs with --fuel, which have machine code of their own
    #[arg(long)]
    fuel: bool,

    /// Inline functions across the modules of a component: Python runs an eighth faster, and compiling it
    /// takes ten times the memory
    #[arg(long)]
    inline: bool,

    /// Compile for runs with --stub-imports, modules that import functions which wpool does not have
    #[arg(long)]
    stub_imports: bool,

    #[command(flatten)]
    limits: CompileLimitFlags,

    #[command(flatten)]
    jail: JailFlags,
}

/// Runs the subcommand.
///
/// # Errors
/// Fails if a module cannot be used.
pub(crate) fn run(flags: &CompileFlags) -> Result<Exit, Report> {
    for path in &flags.modules {
        let config = CompileConfig {
            fuel: flags.fuel,
            inline: flags.inline,
            stub_imports: flags.stub_imports,
            ..flags.jail.compile(flags.limits.config())
        };
        let session = compiling::open(None, path, &modules::read(path)?, config, false)?;
        let compiled = session.compiled();
        let place = match &compiled.path {
            Some(path) => path.display().to_string(),
            None => "not kept: there is no cache folder that is yours alone".into(),
        };
        let took = match compiled.cached {
            true => "was compiled before".into(),
            false => format!("compiled in {}", units::duration_text(compiled.took)),
        };
        let size = units::size_text(compiled.bytes);
        let exit = summary::print(&format!("{}\t{size}\t{took}\t{place}\n", path.display()))?;
        if exit != Exit::Success {
            return Ok(exit);
        }
    }
    Ok(Exit::Success)
}
