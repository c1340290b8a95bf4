//! `cargo xtask`: the commands that contributors run, without tools beyond Rust's own.

mod bench;
mod codegen;
mod command;
mod component;
mod demo;
mod guests;
mod languages;
mod native;
mod public;
mod soak;
mod test;

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask COMMAND

  guests   build the examples in guest-examples/ as target/guests/NAME.wasm, some of them as native
           libraries too (target/guests/native/libNAME.so), and published programs as
           target/guests/public/NAME.wasm
  codegen  write what follows from wit/ into the files of the SDKs and the host
  test     formatting, lints and all tests, for the host and for guests
  bench    measure wpool beside what people use today: see `cargo xtask bench --help`
  soak     the long forms of the tests that kill processes: see `cargo xtask soak --help`
  demo     show what wpool does, and check it against native tools
";

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["codegen"] => codegen::run(),
        ["guests"] => guests::build().map(drop),
        ["test"] => test::run(),
        ["bench", ref rest @ ..] => bench::run(rest),
        ["soak", ref rest @ ..] => soak::run(rest),
        ["demo"] => demo::run(),
        ["help" | "-h" | "--help"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::FAILURE;
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the repository's root. The commands below name files relative to it.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask/ lies in the repository")
}
