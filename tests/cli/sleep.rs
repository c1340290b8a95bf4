//! Guests that wait for time to pass: waits on every kind of clock return, in every mode.

use crate::common::run::{map, map_wat};

/// A task that sleeps two milliseconds by one or more subscriptions to a clock, which is read
/// before and after. Returns the error number, whether there was an event, and whether the time has
/// passed.
const NAP: &str = r#"(module
    (import "wasi_snapshot_preview1" "poll_oneoff"
        (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get"
        (func $clock (param i32 i64 i32) (result i32)))
    (memory (export "memory") 1)
    (func $now (param $clock i32) (result i64)
        (drop (call $clock (local.get $clock) (i64.const 1) (i32.const 4096)))
        (i64.load (i32.const 4096)))
    (func $subscribe (param $at i32) (param $clock i32) (param $absolute i32) (param $time i64)
        (i64.store (local.get $at) (i64.const 7))
        (i32.store offset=16 (local.get $at) (local.get $clock))
        (i64.store offset=24 (local.get $at) (local.get $time))
        (i32.store16 offset=40 (local.get $at) (local.get $absolute)))
    (func (export "nap")
        (param $clock i32) (param $absolute i32) (param $subscriptions i32)
        (result i32 i32 i32)
        (local $start i64) (local $time i64) (local $rest i32)
        (local.set $start (call $now (local.get $clock)))
        (local.set $time (i64.const 2000000))
        (if (local.get $absolute)
            (then (local.set $time (i64.add (local.get $time) (local.get $start)))))
        (local.set $rest (local.get $subscriptions))
        (loop $next
            (local.set $rest (i32.sub (local.get $rest) (i32.const 1)))
            (call $subscribe (i32.mul (local.get $rest) (i32.const 48)) (local.get $clock)
                (local.get $absolute) (local.get $time))
            (br_if $next (local.get $rest)))
        (call $poll (i32.const 0) (i32.const 1024) (local.get $subscriptions) (i32.const 2048))
        (i32.gt_u (i32.load (i32.const 2048)) (i32.const 0))
        (i64.ge_u (i64.sub (call $now (local.get $clock)) (local.get $start))
            (i64.const 2000000))))"#;

const MODES: [&str; 3] = ["reuse", "fresh", "process"];

/// Sleeps by these subscriptions, several times in a row, in every mode.
fn naps(clock: u32, absolute: u32, subscriptions: u32) {
    for mode in MODES {
        let job = format!("[{clock},{absolute},{subscriptions}]");
        let run = map_wat(NAP).args(["-j", "2", "--timeout", "10", "--isolation", mode]);
        run.jobs([&job, &job, &job, &job, &job]).run().ends(0).prints("[0,1,1]\n".repeat(5));
    }
}

#[test]
fn a_sleep_for_a_time_returns() {
    naps(1, 0, 1);
}

#[test]
fn a_sleep_until_a_time_returns() {
    naps(1, 1, 1);
}

#[test]
fn a_sleep_by_the_wall_clock_returns() {
    naps(0, 0, 1);
    naps(0, 1, 1);
}

#[test]
fn a_wait_for_the_first_of_two_clocks_returns() {
    naps(1, 0, 2);
    naps(1, 1, 2);
}

#[test]
fn a_wait_for_many_clocks_returns() {
    naps(1, 0, 20);
}

#[test]
fn rusts_sleep_returns() {
    for mode in MODES {
        let run = map("misbehave").args(["-R", "-j", "2", "--timeout", "10", "--isolation", mode]);
        run.stdin("sleep\n".repeat(50)).run().ends(0).prints("\"slept\"\n".repeat(50));
    }
}

#[test]
fn a_sleeping_job_is_stopped_by_its_time_limit() {
    let hour = r#"(module
        (import "wasi_snapshot_preview1" "poll_oneoff"
            (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "nap") (param i64) (result i32)
            (if (i64.eqz (local.get 0)) (then (return (i32.const 7))))
            (i32.store offset=16 (i32.const 0) (i32.const 1))
            (i64.store offset=24 (i32.const 0) (i64.const 3600000000000))
            (call $poll (i32.const 0) (i32.const 1024) (i32.const 1) (i32.const 2048))))"#;
    for mode in MODES {
        let run = map_wat(hour).args(["--timeout", "0.2", "--isolation", mode]);
        run.jobs(["0", "1", "0"]).run().ends(100).prints("7\nnull\n7\n").says("timed out");
    }
}
