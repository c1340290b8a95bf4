//! A task that goes wrong in every way a task can: fodder for tests.

use std::hint::{black_box, spin_loop};
use std::process;
use std::thread;
use std::time::Duration;

use wpool_guest::{result_write, task};

const KINDS: &str = "ok, error, panic, spin, sleep, allocate, recurse, exit, abort, print, \
                     big-result, garbage";

/// Goes wrong as `kind` says: ok, error, panic, spin, sleep, allocate, recurse, exit, abort, print,
/// big-result or garbage.
#[task]
fn misbehave(kind: &str) -> Result<String, String> {
    match kind {
        "ok" => Ok("ok".into()),
        "error" => Err("failed as asked".into()),
        "panic" => panic!("panicked as asked"),
        "spin" => spin(),
        "sleep" => {
            thread::sleep(Duration::from_millis(1));
            Ok("slept".into())
        }
        "allocate" => allocate(),
        "recurse" => Ok(recurse(0).to_string()),
        "exit" => process::exit(3),
        "abort" => process::abort(),
        "print" => Ok(print()),
        "big-result" => Ok("x".repeat(100_000_000)),
        "garbage" => {
            // The bytes go before the result proper; together they are no line of UTF-8, let alone
            // JSON.
            result_write(b"\xff\xfe{\n");
            Ok("garbage".into())
        }
        _ => Err(format!("unknown kind {kind:?}; the kinds are {KINDS}")),
    }
}

fn spin() -> ! {
    loop {
        spin_loop();
    }
}

/// Holds on to ever more memory, until there is none and the allocator aborts.
fn allocate() -> ! {
    let mut blocks = Vec::new();
    loop {
        blocks.push(black_box(vec![1_u8; 1 << 20]));
    }
}

/// Calls itself until the stack is full. `black_box` keeps the compiler from making it a loop.
fn recurse(depth: u64) -> u64 {
    if depth == u64::MAX { depth } else { black_box(recurse(black_box(depth + 1))) + 1 }
}

/// Prints about five megabytes.
fn print() -> String {
    let lines = 100_000;
    for line in 0..lines {
        println!("line {line:6} of {lines}, which nobody asked to see");
    }
    format!("printed {lines} lines")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_kinds_come_back() {
        assert_eq!(misbehave("ok"), Ok("ok".into()));
        assert_eq!(misbehave("sleep"), Ok("slept".into()));
        assert_eq!(misbehave("error"), Err("failed as asked".into()));
        assert_eq!(misbehave("big-result").map(|text| text.len()), Ok(100_000_000));
    }

    #[test]
    fn an_unknown_kind_is_told_the_kinds() {
        let message = misbehave("nonsense").unwrap_err();
        assert!(message.contains("\"nonsense\"") && message.ends_with(KINDS), "{message}");
    }
}
