//! The `wpool` program. All of it is in `cli`; this is the only place where the process ends.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    // A panic's own exit code, 101, is taken: it means that the module cannot be used.
    let exit = std::panic::catch_unwind(cli::main).unwrap_or(cli::exit::Exit::Internal);
    ExitCode::from(exit.code())
}
