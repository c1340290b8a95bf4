//! `cargo xtask soak`: runs the long forms of the tests that kill processes.

use crate::{Result, command, guests};

pub const HELP: &str = "\
Usage: cargo xtask soak [SECONDS]

  SECONDS   how long each of the tests with random kills goes on (default: 600)

First a process is killed after each instruction of each operation on shared objects, then processes
are killed at random while they use objects, jobs and the pool. WPOOL_TEST_SEED changes the random
numbers. At last a program that uses the library is built and run, optimised as a whole.
";

const SECONDS: &str = "600";

/// Runs the tests one after the other; the first that fails ends the run.
pub fn run(arguments: &[&str]) -> Result {
    let seconds = match arguments {
        [] => SECONDS,
        ["-h" | "--help"] => {
            print!("{HELP}");
            return Ok(());
        }
        [seconds] if seconds.parse::<u64>().is_ok_and(|seconds| seconds > 0) => seconds,
        _ => return Err(format!("`{}` is not a number of seconds", arguments.join(" ")).into()),
    };
    guests::build()?;
    test(
        &["--package", "wpool-objects", "--lib"],
        &[("WPOOL_KILL", "every"), ("WPOOL_SOAK", seconds)],
    )?;
    test(&["--test", "library_kills", "soak::"], &[("WPOOL_SOAK", seconds)])?;
    test(&["--test", "cli_kills", "crash::"], &[("WPOOL_TEST_JOBS", "1000000")])?;
    test(&["--test", "library", "outside::"], &[("WPOOL_TEST_LTO", "1")])
}

/// Runs tests in turn and shows their output.
fn test(which: &[&str], variables: &[(&str, &str)]) -> Result {
    let arguments = ["test", "--release"].iter().chain(which);
    let mut test = command::cargo(arguments.chain(&["--", "--nocapture", "--test-threads=1"]));
    test.envs(variables.iter().copied());
    command::run(&mut test)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_time_is_named() {
        for wrong in [&["0"][..], &["long"], &["1", "2"]] {
            let error = run(wrong).unwrap_err().to_string();
            assert!(error.contains(wrong[0]), "{error}");
        }
    }
}
