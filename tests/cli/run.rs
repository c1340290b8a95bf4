//! `wpool run` of calls: a process for each call, all at once.

use crate::common::calls::{run, run_wat};
use crate::common::gate::Gate;
use crate::common::processes::{self, Signal, wait_for_end};
use crate::common::run::path;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// A module with tasks that print: `shout(letter, lines, width)` prints `lines` lines of `width`
/// letters, each in two pieces, alternately to standard output and standard error; `both` prints a
/// word to each.
const PRINTER: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write"
        (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 32)
    (data (i32.const 16) "to outto err\n")
    (func $write (param $fd i32) (param $at i32) (param $size i32)
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $size))
        (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "shout") (param $letter i32) (param $lines i32) (param $width i32)
        (local $half i32)
        (memory.fill (i32.const 64) (local.get $letter) (local.get $width))
        (i32.store8 (i32.add (i32.const 64) (local.get $width)) (i32.const 10))
        (local.set $half (i32.shr_u (local.get $width) (i32.const 1)))
        (loop $next
            (call $write (i32.add (i32.const 1) (i32.and (local.get $lines) (i32.const 1)))
                (i32.const 64) (local.get $half))
            (call $write (i32.add (i32.const 1) (i32.and (local.get $lines) (i32.const 1)))
                (i32.add (i32.const 64) (local.get $half))
                (i32.add (i32.const 1) (i32.sub (local.get $width) (local.get $half))))
            (br_if $next (local.tee $lines (i32.sub (local.get $lines) (i32.const 1))))))
    (func (export "both") (result i32)
        (call $write (i32.const 1) (i32.const 16) (i32.const 6))
        (call $write (i32.const 2) (i32.const 22) (i32.const 7))
        (i32.const 7)))"#;

#[test]
fn each_call_has_a_process_of_its_own_and_results_follow_in_the_order_of_calls() {
    let calls = ["compute_squares(3)", "compute_squares(-4)", "square(5)"];
    let done = run("square").args(calls).run().ends(0).says_nothing();
    let lines = done.lines();
    let mut printed: Vec<(&str, &str)> = lines[..2]
        .iter()
        .map(|line| line.split_once(" calculating square of ").expect("the task's words"))
        .collect();
    printed.sort_by_key(|(_, number)| *number);
    assert_eq!([printed[0].1, printed[1].1], ["-4", "3"]);
    assert_ne!(printed[0].0, printed[1].0, "two processes");
    assert_eq!(lines[2..], ["9", "16", "25"]);
}

#[test]
fn all_calls_run_at_once() {
    let gate = Gate::new();
    let calls: Vec<String> = (0..30).map(|n| format!("wait({n})")).collect();
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    let run = gate.run(&calls).start();
    run.until("all of them", || gate.started().len() == 30);
    let pids: BTreeSet<i32> = gate.started().iter().map(|started| started.pid).collect();
    assert_eq!(pids.len(), 30);
    gate.open_all();
    let of_call: BTreeMap<i64, String> = gate
        .started()
        .into_iter()
        .map(|at| (at.job.parse().expect("a number"), at.pid.to_string()))
        .collect();
    let expected: Vec<String> = of_call.into_values().collect();
    assert_eq!(run.finish().ends(0).lines(), expected, "each result is its own process");
}

#[test]
fn arguments_are_json_and_the_only_task_needs_no_name() {
    run("product").arg("product(2, -3, 7)").run().ends(0).prints("-42\n").says_nothing();
    run("evens").arg("evens([1,2,3,4])").run().ends(0).prints("[2,4]\n");
    run("square").arg("(12)").run().ends(0).prints("144\n");
    run("misbehave").arg("(\"ok\")").run().ends(0).prints("\"ok\"\n");
    run("misbehave").args(["(\"ok\")", "-r"]).run().ends(0).prints("ok\n");
    run_wat(PRINTER).arg("both").run().ends(0).prints("to out\n7\n");
}

/// A task that prints so many lines of a letter to each of its standard streams, and waits for the other one
/// after each.
const TALKER: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write"
        (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wpool" "barrier_open" (func $open (param i32 i32) (result i32)))
    (import "wpool" "barrier_wait" (func $wait (param i32 i64) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\10\00\00\00\02\00\00\00") (data (i32.const 17) "\nb")
    (func (export "talk") (param $letter i32) (param $lines i32) (local $barrier i32)
        (i32.store8 (i32.const 16) (local.get $letter))
        (local.set $barrier (call $open (i32.const 18) (i32.const 1)))
        (loop $next
            (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
            (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
            (drop (call $wait (local.get $barrier) (i64.const -1)))
            (br_if $next (local.tee $lines (i32.sub (local.get $lines) (i32.const 1)))))))"#;

#[test]
fn lines_of_a_process_stay_together_while_others_print() {
    let run = run_wat(TALKER).args(["talk(97, 100)", "talk(98, 100)"]).flags("--barrier b=2 --tag");
    let done = run.run().ends(0);
    for text in [String::from_utf8_lossy(&done.stdout), done.stderr.as_str().into()] {
        let lines: Vec<&str> = text.lines().collect();
        let spoken = lines.iter().filter(|line| line.ends_with('a') || line.ends_with('b')).count();
        assert_eq!(spoken, 200, "{text}");
        let turns = lines.windows(2).filter(|pair| pair[0] != pair[1]).count();
        // The lines would alternate if they were printed as they come: a busy machine may end a
        // turn, but no more.
        assert!(turns < 20, "{turns} turns\n{text}");
    }
}

#[test]
fn one_call_ends_wpool_with_its_own_code() {
    let misbehave = |kind: &str| run("misbehave").arg(format!("misbehave({kind:?})"));
    misbehave("ok").run().ends(0);
    misbehave("error").run().ends(1).prints("").says("failed as asked");
    run("square").arg("square(\"x\")").run().ends(2).says("has invalid arguments");
    misbehave("exit").run().ends(3).prints("").says("exited with code 3");
    misbehave("panic").run().ends(134).prints("").says("panicked as asked");
    misbehave("abort").run().ends(134);
    misbehave("recurse").run().ends(134).says("call stack exhausted");
    misbehave("allocate").args(["--memory", "16MiB"]).run().ends(134).says("--memory 32MiB");
    misbehave("spin").args(["--fuel", "1000000"]).run().ends(134).says("--fuel 2000000");
    misbehave("big-result").run().ends(134).says("help: raise the limit: --max-output 128MiB\n");
    misbehave("spin").args(["--timeout", "0.1"]).run().ends(124).says("timed out");
    misbehave("spin").args(["--deadline", "2"]).run().ends(124).says("the deadline passed");
}

#[test]
fn codes_above_a_byte_are_cut_as_the_system_cuts_them_but_never_to_success() {
    let exit = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "leave") (param i32) (call $exit (local.get 0))))"#;
    for (code, seen) in [("0", 0), ("255", 255), ("257", 1), ("256", 255), ("-1", 255)] {
        run_wat(exit).arg(format!("leave({code})")).run().ends(seen).prints("");
    }
}

#[test]
fn several_calls_end_with_0_or_100_and_failures_are_told_with_names_and_processes() {
    run("square").args(["square(1)", "square(2)"]).run().ends(0);
    let calls = ["(\"ok\")", "bad=(\"error\")", "(\"exit\")", "(\"ok\")"];
    let done = run("misbehave").args(calls).run().ends(100);
    assert_eq!(done.lines(), ["\"ok\"", "null", "null", "\"ok\""], "line N is of call N");
    let mut errors = done.labelled("error:");
    errors.sort_unstable();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].starts_with("error: bad (process "), "{errors:?}");
    assert!(errors[0].ends_with(") failed: failed as asked"), "{errors:?}");
    assert!(errors[1].starts_with("error: misbehave#2 (process "), "{errors:?}");
    assert!(errors[1].ends_with(") exited with code 3"), "{errors:?}");
}

#[test]
fn a_process_that_is_killed_fails_alone() {
    let gate = Gate::new();
    let run = gate.run(&["wait(1)", "wait(2)"]).start();
    run.until("both", || gate.started().len() == 2);
    let (first, second) = (gate.wait_for_job(1), gate.wait_for_job(2));
    processes::kill(first);
    run.wait_for_message(&format!("error: wait (process {first}) was killed by SIGKILL\n"));
    gate.open_all();
    run.finish().ends(100).prints(format!("null\n{second}\n"));

    let gate = Gate::new();
    let run = gate.run(&["wait(1)"]).start();
    run.until("the call", || gate.started().len() == 1);
    processes::kill(gate.started()[0].pid);
    run.finish().ends(137).prints("").says("was killed by SIGKILL");
}

#[test]
fn a_process_that_is_killed_has_a_successor_where_retries_are_allowed() {
    let gate = Gate::new();
    let run = gate.run(&["wait(1)", "--retries", "1"]).start();
    run.until("the call", || gate.started().len() == 1);
    let first = gate.started()[0].pid;
    processes::kill(first);
    run.until("its successor", || gate.started().len() == 2);
    gate.open_all();
    let pids: Vec<i32> = gate.started().iter().map(|at| at.pid).collect();
    let done = run.finish().ends(0);
    let answer: i32 = done.lines()[0].parse().expect("a process id");
    assert!(answer != first && pids.contains(&answer));
}

#[test]
fn the_first_failure_ends_the_others_where_that_is_asked_for() {
    let gate = Gate::new();
    let calls = ["wait(1)", "odd_fails(3)", "--fail-fast"];
    let done = gate.run(&calls).run().ends(100);
    assert_eq!(done.lines(), ["null", "null"]);
    // The second process may not even have begun.
    let ended = ["was killed: enough jobs have ended", "wait was not run"];
    assert!(ended.iter().any(|ended| done.stderr.contains(ended)), "{}", done.stderr);
}

#[test]
fn standard_output_and_standard_error_stay_apart() {
    run_wat(PRINTER).arg("both()").run().ends(0).prints("to out\n7\n").says("to err\n");
    let done = run_wat(PRINTER).args(["both", "b=both", "--tag"]).run().ends(0);
    let mut lines = done.lines();
    lines[..2].sort_unstable();
    assert_eq!(lines, ["b    | to out", "both | to out", "both | 7", "b    | 7"]);
    let mut lines: Vec<&str> = done.stderr.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["b    | to err", "both | to err"]);
}

#[test]
fn lines_of_processes_that_print_at_once_are_never_mixed() {
    for (lines, width) in [(3000, 300), (20, 300_000)] {
        let calls = (b'a'..b'e').map(|letter| format!("shout({letter}, {lines}, {width})"));
        let done = run_wat(PRINTER).args(calls).run().ends(0);
        for text in [std::str::from_utf8(&done.stdout).expect("letters"), &done.stderr] {
            let mut counts = BTreeMap::new();
            for line in text.lines() {
                let letter = line.as_bytes()[0];
                assert!(line.len() == width && line.bytes().all(|byte| byte == letter));
                *counts.entry(letter).or_insert(0) += 1;
            }
            let each: Vec<i32> = counts.into_values().collect();
            assert_eq!(each, [lines / 2; 4]);
        }
    }
}

#[test]
fn what_calls_print_is_neither_cut_nor_dropped() {
    let done = run("misbehave").args(["(\"print\")", "b=(\"print\")"]).run().ends(0);
    let lines = done.lines();
    assert_eq!(lines.len(), 200_002, "ten megabytes");
    assert_eq!(lines[200_000..], ["\"printed 100000 lines\""; 2]);
    let done = run_wat(PRINTER).arg("shout(97, 400, 100000)").run().ends(0);
    assert_eq!(done.stderr.len(), 200 * 100_001, "twenty megabytes on standard error");
    assert_eq!(done.stdout.len(), 200 * 100_001);
}

#[test]
fn a_line_of_more_than_a_megabyte_is_broken() {
    let done = run_wat(PRINTER).arg("shout(97, 2, 1500000)").run().ends(0);
    let lengths: Vec<usize> = done.lines().iter().map(|line| line.len()).collect();
    assert_eq!(lengths, [1 << 20, 1_500_000 - (1 << 20)]);
}

#[test]
fn a_task_without_a_result_has_no_line() {
    run_wat(PRINTER).args(["shout(97, 2, 1)", "both()"]).run().ends(0).says("a\n").says("to err");
    let done = run_wat(PRINTER).args(["shout(97, 2, 1)", "both()", "--jsonl"]).run().ends(0);
    assert_eq!(done.lines().len(), 4, "two printed lines, two rows: {:?}", done.lines());
}

#[test]
fn rows_tell_of_each_process() {
    let calls = ["one=(\"ok\")", "(\"exit\")", "(\"panic\")", "--jsonl"];
    let done = run("misbehave").args(calls).run().ends(100);
    let rows = done.rows();
    let column = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    assert_eq!(column("name"), ["one", "misbehave", "misbehave#2"]);
    assert_eq!(column("task"), ["misbehave"; 3]);
    assert_eq!(column("input"), ["ok", "exit", "panic"]);
    assert_eq!(column("exit_code"), [0, 3, -6]);
    assert_eq!(rows[0]["output"], "ok");
    assert_eq!(rows[1]["error"]["kind"], "exit");
    let pids: BTreeSet<i64> =
        rows.iter().map(|row| row["worker"].as_i64().expect("a pid")).collect();
    assert_eq!(pids.len(), 3);
}

#[test]
fn results_may_go_to_a_file_of_their_own() {
    let file = path("results");
    let to_file = ["both()", "b=both()", "-o", file.to_str().expect("text")];
    run_wat(PRINTER).args(to_file).run().ends(0).prints("to out\nto out\n");
    assert_eq!(fs::read_to_string(&file).expect("written"), "7\n7\n");
    run("square")
        .args(["square(2)", "b=square(3)", "--output-format", "null"])
        .run()
        .prints("4\x009\0");
}

#[test]
fn details_name_the_processes_and_how_they_ended() {
    let done = run("misbehave").args(["p=(\"ok\")", "q=(\"exit\")", "-v"]).run().ends(100);
    let pid = |name: &str| {
        let start = format!("wpool: {name} started, process ");
        let line = done.stderr.lines().find_map(|line| line.strip_prefix(&start));
        line.expect("it has started").to_owned()
    };
    let (p, q) = (pid("p"), pid("q"));
    assert_ne!(p, q);
    let done = done.says(&format!("wpool: p (process {p}) ended with exit code 0 after "));
    done.says(&format!("wpool: q (process {q}) ended with exit code 3 after "));
}

#[test]
fn the_first_ctrl_c_waits_for_calls_and_the_second_kills_them() {
    let gate = Gate::new();
    let run = gate.run(&["wait(1)", "wait(2)"]).start();
    run.until("both", || gate.started().len() == 2);
    run.signal(Signal::SIGINT);
    run.wait_for_message("wpool: waiting for 2 calls, Ctrl-C again to kill\n");
    gate.open(1);
    let first = gate.wait_for_job(1);
    wait_for_end(first);
    run.signal(Signal::SIGINT);
    run.finish().ends(130).prints(format!("{first}\nnull\n")).says("was killed: asked to");
}

#[test]
fn terminate_gives_calls_their_grace_and_a_hang_up_all_the_time_they_need() {
    let gate = Gate::new();
    let run = gate.run(&["wait(1)", "--grace", "0.1"]).start();
    run.until("the call", || gate.started().len() == 1);
    run.signal(Signal::SIGTERM);
    run.finish().ends(143).says("waiting for 1 call\n").says("was killed");

    let gate = Gate::new();
    let run = gate.run(&["wait(1)"]).start();
    run.until("the call", || gate.started().len() == 1);
    run.signal(Signal::SIGHUP);
    run.wait_for_message("waiting for 1 call\n");
    gate.open_all();
    let pid = gate.started()[0].pid;
    run.finish().ends(106).prints(format!("{pid}\n"));
}

#[test]
fn no_process_outlives_a_run_that_is_killed() {
    let gate = Gate::new();
    let run = gate.run(&["wait(1)", "wait(2)"]).start();
    run.until("both", || gate.started().len() == 2);
    let zygote = run.zygote();
    let pids: Vec<i32> = gate.started().iter().map(|at| at.pid).collect();
    run.signal(Signal::SIGKILL);
    assert_eq!(run.finish().signal, Some(9));
    pids.into_iter().chain([zygote]).for_each(wait_for_end);
}

#[test]
fn more_calls_than_processes_can_be_are_refused() {
    let calls: Vec<String> = (0..961).map(|n| format!("square({n})")).collect();
    run("square").args(&calls).run().ends(2).says("961 calls are too many");
    let done = run("square").args(&calls[1..]).within(120).run().ends(0);
    let squares: Vec<String> = (1..961_i64).map(|n| (n * n).to_string()).collect();
    assert_eq!(done.lines(), squares);
}
