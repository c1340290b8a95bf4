//! The commands of the README: each block is run, in a folder like `target/guests`, and its output
//! is compared with what the page shows. Numbers that differ from run to run (times, process ids,
//! results of races) are not compared, nor is what a line `…` stands for.

use crate::common::run::folder;
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The longest time of one command, in seconds.
const SECONDS: &str = "300";

/// A command of the page, and what the page shows of its output.
#[derive(Debug, PartialEq)]
struct Shown {
    /// The line of the command in the page.
    line: usize,
    command: String,
    output: Vec<String>,
}

/// Returns the commands in a page's blocks that begin with ```` ```console ````, in order.
fn commands(page: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    let (mut inside, mut goes_on) = (false, false);
    for (at, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
            continue;
        }
        if !inside {
            continue;
        }
        match (line.strip_prefix("$ "), found.last_mut()) {
            (None, Some(last)) if goes_on => last.command += &format!("\n{line}"),
            (Some(command), _) => {
                found.push(Shown { line: at + 1, command: command.into(), output: Vec::new() });
            }
            (None, Some(last)) => last.output.push(line.to_owned()),
            (None, None) => panic!("line {} of the page belongs to no command", at + 1),
        }
        goes_on = line.ends_with('\\') && (goes_on || line.starts_with("$ "));
    }
    found
}

/// A piece of a line: a number with its unit, or the text between two.
#[derive(Debug, PartialEq)]
enum Piece<'a> {
    Text(&'a str),
    Number(&'a str),
}

fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let end = rest[start..].find(|c: char| !c.is_ascii_digit() && c != '.');
        let end = end.map_or(rest.len(), |end| start + end);
        // The full stop after a number is not one of its digits.
        let end = rest[..end].trim_end_matches('.').len();
        pieces.push(Piece::Text(&rest[..start]));
        pieces.push(Piece::Number(&rest[start..end]));
        rest = &rest[end..];
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// The units of times and rates, as they follow a number.
const UNITS: [&str; 9] = ["ns", "µs", "ms", "s", "m ", " ns", " µs", " ms", " jobs/s"];

/// Returns whether a number may differ in the next run, judged by the text before and after it.
fn varies(before: &str, number: &str, after: &str) -> bool {
    let is_unit = |unit: &str| {
        let rest = after.strip_prefix(unit);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    };
    let is_id = ["Process ", "process "].iter().any(|word| before.ends_with(word));
    // The first worker to arrive at a barrier is the one that waits.
    let is_field = ["worker", "start", "ms", "peak_mem", "ts", "dur", "pid", "tid", "job"]
        .iter()
        .any(|field| before.ends_with(&format!("\"{field}\":")));
    // The sum may be any number without a lock; with a lock, it is 1.
    let is_race = before.trim_end_matches('-').ends_with("{\"balance\":") && number != "1";
    let is_printer = before == "[" && after.starts_with("] ");
    is_id || is_field || is_race || is_printer || UNITS.iter().any(|unit| is_unit(unit))
}

/// Returns whether a printed line matches a line that the page shows.
fn agrees(shown: &str, printed: &str) -> bool {
    let (shown, printed) = (pieces(shown), pieces(printed));
    if shown.len() != printed.len() {
        return false;
    }
    shown.iter().zip(&printed).enumerate().all(|(at, pair)| match pair {
        (Piece::Number(number), Piece::Number(other)) => {
            let (Piece::Text(before), Piece::Text(after)) = (&shown[at - 1], &shown[at + 1]) else {
                unreachable!("numbers stand between texts")
            };
            number == other || varies(before, number, after)
        }
        // The unit depends on the number, and a sum may be below zero.
        (Piece::Text(text), Piece::Text(other)) => same_text(text) == same_text(other),
        _ => false,
    })
}

/// Returns a text without what goes with a number that varies: its unit, the sign of a balance.
fn same_text(text: &str) -> String {
    let unit = UNITS.iter().filter(|unit| text.starts_with(**unit)).max_by_key(|unit| unit.len());
    let text = unit.map_or(text, |unit| &text[unit.len()..]);
    text.replace("{\"balance\":-", "{\"balance\":")
}

/// Returns a description of what is wrong with an output, if anything. Lines of standard output
/// must come in the order of the page, lines of standard error may come anywhere.
fn compare(shown: &[String], stdout: &str, stderr: &str) -> Result<(), String> {
    let is_elision = |line: &&String| line.trim() == "…";
    let abridged = shown.iter().any(|line| is_elision(&line));
    let mut said: Vec<&str> = stderr.lines().collect();
    let mut printed = stdout.lines().peekable();
    let mut skipped = Vec::new();
    for line in shown.iter().filter(|line| !is_elision(line)) {
        if printed.peek().is_some_and(|printed| agrees(line, printed)) {
            printed.next();
        } else if let Some(at) = said.iter().position(|said| agrees(line, said)) {
            said.remove(at);
        } else if abridged && let Some(at) = printed.clone().position(|next| agrees(line, next)) {
            skipped.extend(printed.by_ref().take(at));
            printed.next();
        } else {
            return Err(format!("it does not print: {line}"));
        }
    }
    // The closing line is omitted if it tells nothing new.
    said.retain(|line| !line.starts_with("wpool: "));
    match printed.next().or(said.first().copied()) {
        Some(line) if !abridged => Err(format!("the page does not show: {line}")),
        _ => Ok(()),
    }
}

/// Makes a folder that looks like a checkout, as far as the commands can see, and returns the
/// folder to run them in.
fn checkout() -> PathBuf {
    let root = crate::common::root();
    let copy = folder("checkout");
    // The files are copies, not links, because no grant leads out of its folder.
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        fs::copy(root.join(name), copy.join(name)).expect("the test's own folder");
    }
    for name in ["guest-examples", "benches"] {
        symlink(root.join(name), copy.join(name)).expect("the test's own folder");
    }
    let guests = copy.join("target/guests");
    fs::create_dir_all(&guests).expect("the test's own folder");
    for entry in fs::read_dir(root.join("target/guests")).expect("cargo xtask guests makes it") {
        let entry = entry.expect("it can be read");
        symlink(entry.path(), guests.join(entry.file_name())).expect("the test's own folder");
    }
    guests
}

/// Returns a command line of the shell in this folder, with the program that was built.
fn shell(command: &str, folder: &Path) -> Command {
    let program = Path::new(crate::common::run::program());
    let mut folders = vec![program.parent().expect("it is in a folder").to_owned()];
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme");
    fs::create_dir_all(&cache).expect("the folder for temporary files is writable");
    let mut shell = Command::new("timeout");
    shell.args(["-k", "5", SECONDS, "bash", "-c", command]).current_dir(folder);
    for (name, _) in
        env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"WPOOL_"))
    {
        shell.env_remove(name);
    }
    shell.env("PATH", env::join_paths(folders).expect("they came from there"));
    shell.env("XDG_STATE_HOME", cache.join("state")).env("XDG_CACHE_HOME", cache);
    shell.env("NO_COLOR", "1");
    // A single round of a benchmark also shows that it works.
    shell.env("WPOOL_RUNS", "1").stdin(Stdio::null());
    shell
}

/// Returns the modules that a command names.
fn modules(command: &str) -> BTreeSet<&str> {
    let words = command.split(|c: char| c.is_whitespace() || c == '\'');
    words.filter(|word| word.ends_with(".wasm") && !word.contains('/')).collect()
}

/// Returns whether a command can be run here: it does not set things up, and its modules were
/// built. Modules in languages whose tools are missing were not built.
fn is_run(command: &str, guests: &Path) -> bool {
    if ["cargo ", "cd ", "export "].iter().any(|word| command.starts_with(word)) {
        return false;
    }
    let languages = ["python.wasm", "javascript.wasm", "assemblyscript.wasm", "c.wasm"];
    let missing = |module: &&str| languages.contains(module) && !guests.join(module).exists();
    let needs: bool = modules(command).iter().any(missing);
    assert!(!needs || env::var_os("CI").is_none(), "{command}: a module is missing");
    !needs
}

/// Returns whether a command starts processes of its own, which print at the same time.
fn runs_several_processes(command: &str) -> bool {
    command.contains("wpool run ") && command.matches('(').count() > 1
}

/// Returns an error unless the table of a benchmark has the modes that the page shows. Everything
/// else in the table varies.
fn compare_modes(shown: &[String], stdout: &str) -> Result<(), String> {
    let mode = |line: &str| line.split("   ").next().unwrap_or_default().trim().to_owned();
    let printed: Vec<String> = stdout.lines().map(mode).collect();
    let rows =
        shown.iter().skip_while(|line| !line.starts_with("mode")).take_while(|l| !l.is_empty());
    for row in rows.map(|line| mode(line)) {
        if !printed.contains(&row) {
            return Err(format!("it has no row: {row}"));
        }
    }
    Ok(())
}

#[test]
fn every_command_of_the_readme_works_and_prints_what_the_page_shows() {
    let root = crate::common::root();
    let page = fs::read_to_string(root.join("README.md")).expect("README.md");
    let guests = checkout();
    let all = commands(&page);
    assert!(all.len() > 20, "the commands were not found: {}", all.len());
    // The modules are compiled beforehand, so that no command reports compiling.
    let used: BTreeSet<&str> = all
        .iter()
        .filter(|shown| is_run(&shown.command, &guests))
        .flat_map(|shown| modules(&shown.command))
        .collect();
    let compile = format!("wpool compile {}", Vec::from_iter(used).join(" "));
    assert!(shell(&compile, &guests).stdout(Stdio::null()).status().expect("timeout").success());
    let mut wrong = Vec::new();
    for Shown { line, command, output } in all {
        if !is_run(&command, &guests) {
            continue;
        }
        let done = shell(&command, &guests).output().expect("timeout is installed");
        let [stdout, stderr] =
            [&done.stdout, &done.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        let compared = match command.contains("wpool bench") {
            true if !done.status.success() => Err(format!("it fails with {}", done.status)),
            true => compare_modes(&output, &stdout),
            // The lines are whole, in any order.
            false if runs_several_processes(&command) => {
                compare(&output, "", &format!("{stdout}{stderr}"))
            }
            false => compare(&output, &stdout, &stderr),
        };
        if let Err(what) = compared {
            wrong.push(format!(
                "README.md:{line}: $ {command}\n{what}\n--- output\n{stdout}--- messages\n{stderr}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_page_that_is_wrong_is_found_out() {
    let page = "```console\n$ one \\\n  two\nout\n$ three\n```\n```rust\n$ four\n```\n";
    let found = commands(page);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].command.as_str(), found[0].line), ("one \\\n  two", 2));
    assert_eq!(
        (&found[0].output[..], found[1].command.as_str()),
        (&["out".to_owned()][..], "three")
    );

    let check = |shown: &[&str], stdout: &str, stderr: &str| {
        compare(&shown.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>(), stdout, stderr)
    };
    let closing = "wpool: 5 jobs ok, in 4.4ms (1147 jobs/s)";
    assert_eq!(
        check(&["1", "4", closing], "1\n4\n", "wpool: 5 jobs ok, in 12s (7 jobs/s)\n"),
        Ok(())
    );
    assert!(
        check(&["1", "4", closing], "1\n4\n", "wpool: 6 jobs ok, in 12s (7 jobs/s)\n").is_err()
    );
    assert!(check(&["1", "4"], "4\n1\n", "").is_err(), "the order counts");
    assert!(check(&["1"], "1\n4\n", "").is_err(), "all is shown");
    assert_eq!(check(&["[7] hello", "…", "9"], "1\n4\n9\n", "[123] hello\n[123] you\n"), Ok(()));
    assert!(check(&["[7] hello", "…", "8"], "1\n4\n9\n", "[123] hello\n").is_err());
    assert!(agrees("p1 | Process 31900 calculating", "p1 | Process 7 calculating"));
    assert!(agrees("{\"balance\":-161}", "{\"balance\":7}"));
    assert!(!agrees("{\"balance\":1}", "{\"balance\":7}"));
    assert!(!agrees("error: job 1 (panic) trapped", "error: job 2 (panic) trapped"));
    let row = "mode     workers\nnative   1";
    let shown: Vec<String> = row.lines().map(str::to_owned).collect();
    assert_eq!(
        compare_modes(&shown, "title\n\nmode     workers\nnative         2   3 ms\n"),
        Ok(())
    );
    assert!(compare_modes(&shown, "mode     workers\nwasm   1\n").is_err());
}
