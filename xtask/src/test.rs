//! `cargo xtask test`: runs the checks that have to pass before a commit, the quickest first.

use std::time::Instant;

use crate::{Result, command, guests};

/// The workspaces apart from the host's, whose code is tested natively.
const GUEST_WORKSPACES: [&str; 2] = ["guest/Cargo.toml", "guest-examples/Cargo.toml"];

/// The target folder of the guests, apart from the host's, so that neither build throws away what
/// the other has made.
const GUESTS_TARGET: &str = "target/guests-native";

/// Runs every step; the first that fails ends the run.
pub fn run() -> Result {
    step("format", || {
        cargo(["fmt", "--all", "--check"])?;
        for manifest in GUEST_WORKSPACES {
            cargo(["fmt", "--all", "--check", "--manifest-path", manifest])?;
        }
        Ok(())
    })?;
    step("lints of guests", || guests_natively("clippy", &["--all-targets", "--", "-Dwarnings"]))?;
    step("tests of guests", || {
        guests_natively("test", &[])?;
        // The feature `native` selects the other form of the SDK, and of the code that `#[task]`
        // writes.
        let native = ["--features", "native", "--target-dir", GUESTS_TARGET];
        cargo(["test", "--manifest-path", GUEST_WORKSPACES[0]].into_iter().chain(native))
    })?;
    step("guests", || guests::build().map(drop))?;
    step("lints", || {
        cargo(["clippy", "--release", "--workspace", "--all-targets", "--", "-Dwarnings"])
    })?;
    // The tests all run, so that one run reports every failure.
    step("tests", || cargo(["test", "--release", "--workspace", "--no-fail-fast"]))
}

fn step(name: &str, run: impl FnOnce() -> Result) -> Result {
    println!("== {name}");
    let start = Instant::now();
    run()?;
    println!("== {name}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn guests_natively(subcommand: &str, arguments: &[&str]) -> Result {
    // A debug build checks arithmetic.
    let target = ["--target-dir", GUESTS_TARGET];
    for manifest in GUEST_WORKSPACES {
        let common = [subcommand, "--workspace", "--manifest-path", manifest];
        cargo(common.iter().chain(&target).chain(arguments))?;
    }
    Ok(())
}

fn cargo<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Result {
    command::run(&mut command::cargo(arguments))
}
