//! Processes as the system sees them, through `/proc`.

use super::until;
use nix::unistd::Pid;
use std::fs;
use std::os::unix::fs::MetadataExt;

pub(crate) use nix::sys::signal::Signal;

/// Returns the state letter and the parent of a process that has not been reaped.
fn stat(pid: i32) -> Option<(char, i32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The process name in parentheses, which comes before the state, may hold any character.
    let mut words = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    Some((words.next()?.chars().next()?, words.next()?.parse().ok()?))
}

/// Returns whether a process runs. A process that has ended does not run, even if it has not been
/// reaped yet.
pub(crate) fn is_alive(pid: i32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != 'Z' && state != 'X')
}

/// Returns whether a process waits for something.
pub(crate) fn is_asleep(pid: i32) -> bool {
    stat(pid).is_some_and(|(state, _)| state == 'S')
}

/// Returns the processor time that a process has used, in ticks; 0 once the process has ended.
pub(crate) fn cpu_ticks(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let words = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
    // The user time and the system time are the 12th and the 13th word after the state.
    words.skip(11).take(2).filter_map(|word| word.parse::<u64>().ok()).sum()
}

/// Returns the number of threads of a user's processes.
pub(crate) fn threads_of(user: u32) -> usize {
    let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    let theirs = entries.filter(|entry| entry.metadata().is_ok_and(|data| data.uid() == user));
    let tasks = theirs.filter_map(|process| fs::read_dir(process.path().join("task")).ok());
    tasks.map(Iterator::count).sum()
}

/// Returns the parent of a living process.
pub(crate) fn parent(pid: i32) -> i32 {
    stat(pid).expect("the process is alive").1
}

/// Returns the living children of a process, sorted.
pub(crate) fn children(parent: i32) -> Vec<i32> {
    let entries = fs::read_dir("/proc").expect("/proc is mounted");
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let mut children: Vec<i32> = pids
        .filter(|&pid| stat(pid).is_some_and(|(_, theirs)| theirs == parent) && is_alive(pid))
        .collect();
    children.sort_unstable();
    children
}

/// Returns the children of this program: its zygotes.
pub(crate) fn zygotes() -> Vec<i32> {
    children(std::process::id() as i32)
}

/// Sends a signal to a living process.
pub(crate) fn signal(pid: i32, signal: Signal) {
    nix::sys::signal::kill(Pid::from_raw(pid), signal).expect("the process is there");
}

/// Kills a process.
pub(crate) fn kill(pid: i32) {
    signal(pid, Signal::SIGKILL);
}

/// Waits until a process has ended.
pub(crate) fn wait_for_end(pid: i32) {
    until(|| !is_alive(pid));
}
