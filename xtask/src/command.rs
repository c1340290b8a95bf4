//! Runs other programs; every failure names the command as one would type it.

use std::env;
use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Result, root};

/// Makes a command that runs `program` with `arguments` at the repository's root.
pub fn command<S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Makes a command of the cargo that runs this program.
pub fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    command(env::var_os("CARGO").unwrap_or("cargo".into()), arguments)
}

/// Runs a command to its end, on this program's own standard streams.
pub fn run(command: &mut Command) -> Result {
    let status = command.status().map_err(|error| format!("`{}`: {error}", typed(command)))?;
    if !status.success() {
        return Err(format!("`{}` failed: {status}", typed(command)).into());
    }
    Ok(())
}

/// Runs a command to its end, and returns what it printed.
pub fn bytes(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("`{}`: {error}", typed(command)))?;
    if !output.status.success() {
        return Err(format!("`{}` failed: {}", typed(command), output.status).into());
    }
    Ok(output.stdout)
}

/// Runs a command to its end, and returns what it printed, without the last line end.
pub fn text(command: &mut Command) -> Result<String> {
    Ok(String::from_utf8(bytes(command)?)?.trim_end().to_owned())
}

/// Returns whether the command can be run and succeeds, in silence and within a time.
pub fn succeeds(command: &mut Command, within: Duration) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = silent.spawn() else {
        return false;
    };
    let start = Instant::now();
    while start.elapsed() < within {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => thread::sleep(Duration::from_millis(20)),
            Err(_) => return false,
        }
    }
    // The time is over, and it makes no difference whether the kill succeeds.
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// Returns the command as one would type it.
pub fn typed(command: &Command) -> String {
    let program = command.get_program();
    // A path to cargo says nothing that the name does not.
    let program = match std::path::Path::new(program).file_name() {
        Some(name) if name == "cargo" => name,
        _ => program,
    };
    let words: Vec<String> = [program].into_iter().chain(command.get_args()).map(quoted).collect();
    words.join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |char: char| char.is_alphanumeric() || "-_=+,.:/".contains(char);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_typed() {
        let command = command("/opt/bin/cargo", ["test", "--", ":::", "[1,2]", "it's", ""]);
        assert_eq!(typed(&command), r"cargo test -- ::: '[1,2]' 'it'\''s' ''");
    }

    #[test]
    fn a_failure_names_the_command() {
        let error = run(&mut command("false", ["--really"])).unwrap_err().to_string();
        assert!(error.starts_with("`false --really` failed"), "{error}");
    }

    #[test]
    fn a_command_that_takes_too_long_is_given_up() {
        assert!(!succeeds(&mut command("sleep", ["1000"]), Duration::from_millis(1)));
        assert!(!succeeds(&mut command("no-such-program", [""]), Duration::from_secs(1000)));
        assert!(succeeds(&mut command("true", [""]), Duration::from_secs(1000)));
    }
}
