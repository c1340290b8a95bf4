//! Measures the memory of processes.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::{Result, command};

/// The number of jobs that a pool has done before its workers count as idle.
const JOBS: usize = 1000;

/// The time for which idle workers are left alone. Results have arrived by then, but the workers
/// may still be about to sleep.
const SETTLE: Duration = Duration::from_millis(200);

/// Starts a program, gives it jobs and waits for their results. Returns the largest proportional
/// set size, in bytes, of the processes that are `depth` generations below the program.
pub fn of_idle_workers(program: &mut Command, depth: usize) -> Result<f64> {
    let typed = command::typed(program);
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let largest = measure(&mut child, depth);
    // The end of standard input ends the program, whose further output does not matter.
    drop(child.stdin.take());
    drop(child.stdout.take());
    child.wait()?;
    largest?.ok_or_else(|| format!("`{typed}` has no workers").into())
}

fn measure(child: &mut Child, depth: usize) -> Result<Option<f64>> {
    let jobs: String = (0..JOBS).map(|job| format!("{job}\n")).collect();
    child.stdin.as_mut().ok_or("standard input is a pipe")?.write_all(jobs.as_bytes())?;
    let results = BufReader::new(child.stdout.as_mut().ok_or("standard output is a pipe")?);
    let count = results.lines().take(JOBS).filter(|line| line.is_ok()).count();
    if count != JOBS {
        return Err(format!("{count} results of {JOBS} jobs").into());
    }
    thread::sleep(SETTLE);
    let mut processes = vec![child.id()];
    for _ in 0..depth {
        processes = children(&processes)?;
    }
    let mut largest = None;
    for process in processes {
        let size = proportional_set_size(process)?;
        largest = Some(size.max(largest.unwrap_or(0.0)));
    }
    Ok(largest)
}

/// Returns the processes whose parent is one of `parents`.
fn children(parents: &[u32]) -> Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that has ended meanwhile counts as nobody's child.
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        if parent(&stat).is_some_and(|parent| parents.contains(&parent)) {
            children.push(process);
        }
    }
    Ok(children)
}

/// Returns the parent, from the text of a process's `stat`.
fn parent(stat: &str) -> Option<u32> {
    // The name before the parent is in parentheses, and may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn proportional_set_size(process: u32) -> Result<f64> {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    Ok(bytes(&rollup, "Pss:").ok_or("no Pss")?)
}

/// Returns the largest resident set that a process has had so far, in bytes.
pub fn peak(process: u32) -> Option<f64> {
    bytes(&fs::read_to_string(format!("/proc/{process}/status")).ok()?, "VmHWM:")
}

/// Returns the bytes behind a name, in a text of `/proc`.
fn bytes(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_found_behind_any_name() {
        assert_eq!(parent("12 (a) b (c)) S 7 12 12"), Some(7));
        assert_eq!(parent(""), None);
    }

    #[test]
    fn bytes_are_found_by_their_name() {
        let text = "Name: x\nVmPeak:\t  9 kB\nVmHWM:\t   2 kB\n";
        assert_eq!(bytes(text, "VmHWM:"), Some(2048.0));
        assert_eq!(bytes(text, "Name:"), None);
    }

    #[test]
    fn workers_are_found_and_have_a_size() {
        let echo = "for _ in 1; do cat; done | cat";
        let size = of_idle_workers(&mut command::command("sh", ["-c", echo]), 1);
        assert!(size.expect("two children") > 1000.0);
        let none = of_idle_workers(&mut command::command("cat", ["-"]), 1).unwrap_err();
        assert_eq!(none.to_string(), "`cat -` has no workers");
    }
}
