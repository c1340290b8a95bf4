//! Warm starts: a task that is called once, before the first job.

use crate::common::processes::{Signal, children, wait_for_end};
use crate::common::run::{file, map_file, wpool};
use crate::common::{until, watchdog};
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;
use wpool::{Error, Pool};

/// Makes a module. `prepare` adds 1 to a word of the memory, and prints; `count` returns a hundred
/// times that word, plus the number of calls in this instance, and traps if the job is 0. `bad`
/// traps, `spin` never ends.
fn module() -> PathBuf {
    file(
        "init.wat",
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\20\00\00\00\06\00\00\00")
  (data (i32.const 32) "ready\0a")
  (func (export "prepare")
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))))
  (func (export "count") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then unreachable))
    (i32.store (i32.const 4) (i32.add (i32.load (i32.const 4)) (i32.const 1)))
    (i32.add (i32.mul (i32.const 100) (i32.load (i32.const 0))) (i32.load (i32.const 4))))
  (func (export "bad") unreachable)
  (func (export "spin") (loop (br 0))))"#,
    )
}

#[test]
fn every_instance_begins_where_it_was_initialised() {
    for (isolation, results) in [
        ("reuse", "101\n102\nnull\n101\n102\n"),
        ("fresh", "101\n101\nnull\n101\n101\n"),
        ("process", "101\n101\nnull\n101\n101\n"),
    ] {
        let map = map_file(module()).flags("-j1 --task count --init prepare --isolation");
        map.arg(isolation).jobs(["1", "1", "0", "1", "1"]).run().ends(100).prints(results);
    }
    let run = wpool(["run", "--init", "prepare"]).arg(module()).args(["count(1)", "count(1)"]);
    run.run().ends(0).prints("ready\n101\n101\n");
}

#[test]
fn it_is_called_once_for_all_workers_and_what_it_prints_is_printed_once() {
    for (isolation, times) in [("reuse", 1), ("process", 1)] {
        let map = map_file(module()).flags("-j4 --task count --init prepare --batch 1 --isolation");
        let done = map.arg(isolation).flags("--range 1..200").run().ends(0);
        assert_eq!(done.stderr.matches("ready").count(), times, "{isolation}");
    }
}

#[test]
fn a_worker_that_is_replaced_begins_there_as_well() {
    let _watchdog = watchdog(60);
    let pool = Pool::builder(module())
        .task("count")
        .init("prepare")
        .workers(1)
        .jobs_per_worker(2)
        .start()
        .unwrap();
    assert_eq!(pool.map([1; 6]), Ok(vec![101, 102, 101, 102, 101, 102]));
}

/// Returns modules that make random numbers of all kinds: a core module and a component, each with
/// a task `init`.
fn random() -> [(PathBuf, &'static str); 4] {
    let core = file(
        "random.wat",
        r#"(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $next (result i64) (drop (call $random (i32.const 0) (i32.const 8)))
    (i64.load (i32.const 0)))
  (func (export "secure") (param i64) (result i64) (call $next))
  (func (export "init") (drop (call $next))))"#,
    );
    let component = file(
        "random-component.wat",
        r#"(component
  (import "wasi:random/random@0.2.0" (instance $r (export "get-random-u64" (func (result u64)))))
  (import "wasi:random/insecure@0.2.0"
    (instance $i (export "get-insecure-random-u64" (func (result u64)))))
  (import "wasi:random/insecure-seed@0.2.0"
    (instance $s (export "insecure-seed" (func (result (tuple u64 u64))))))
  (core module $memory (memory (export "memory") 1))
  (core instance $memory (instantiate $memory))
  (alias core export $memory "memory" (core memory $bytes))
  (core func $secure (canon lower (func $r "get-random-u64")))
  (core func $insecure (canon lower (func $i "get-insecure-random-u64")))
  (core func $seed (canon lower (func $s "insecure-seed") (memory $bytes)))
  (core module $m (import "" "memory" (memory 1)) (import "" "seed" (func $seed (param i32)))
    (import "" "secure" (func $secure (result i64)))
    (import "" "insecure" (func $insecure (result i64)))
    (func (export "secure") (param i32) (result i64) (call $secure))
    (func (export "insecure") (param i32) (result i64) (call $insecure))
    (func (export "seed") (param i32) (result i64)
      (call $seed (i32.const 16)) (i64.load (i32.const 16)))
    (func (export "init") (drop (call $secure)) (drop (call $insecure))))
  (core instance $i (instantiate $m (with "" (instance (export "memory" (memory $bytes))
    (export "seed" (func $seed)) (export "secure" (func $secure))
    (export "insecure" (func $insecure))))))
  (func (export "secure") (param "n" u32) (result u64) (canon lift (core func $i "secure")))
  (func (export "insecure") (param "n" u32) (result u64) (canon lift (core func $i "insecure")))
  (func (export "seed") (param "n" u32) (result u64) (canon lift (core func $i "seed")))
  (func (export "init") (canon lift (core func $i "init"))))"#,
    );
    [
        (core, "secure"),
        (component.clone(), "secure"),
        (component.clone(), "insecure"),
        (component, "seed"),
    ]
}

#[test]
fn no_process_has_the_random_numbers_of_another() {
    for (module, task) in random() {
        // An instance has only one seed.
        let isolations =
            if task == "seed" { &["fresh", "process"][..] } else { &["reuse", "fresh", "process"] };
        for isolation in isolations {
            let map = map_file(&module).flags("-j4 --init init --batch 1 --range 0..300 --task");
            let done = map.arg(task).arg("--isolation").arg(isolation).run().ends(0);
            let numbers: HashSet<&str> = done.lines().into_iter().collect();
            assert_eq!(numbers.len(), 300, "{task} {isolation} {}", module.display());
        }
        let call = format!("{task}(1)");
        let run = wpool(["run", "--init", "init"]).arg(&module).args([&call; 8]).run().ends(0);
        assert_eq!(run.lines().into_iter().collect::<HashSet<_>>().len(), 8, "{task}");
    }
}

#[test]
fn with_a_seed_they_are_the_same_in_every_run() {
    let [(module, _), ..] = random();
    let numbers = |workers: &str| {
        let map = map_file(&module).flags("--init init --task secure --seed 7 --range 0..20 -j");
        map.arg(workers).run().ends(0).stdout
    };
    assert_eq!(numbers("1"), numbers("3"));
}

#[test]
fn what_goes_wrong_there_ends_the_run_before_it_begins() {
    let init = |task: &str| {
        map_file(module()).flags("--task count --init").arg(task).jobs(["1"]).run().ends(101)
    };
    let done = init("bad").says("--init bad trapped: while it was initialised: unreachable\n");
    done.says("    <wasm function 3>\n");
    init("count")
        .says("count(s32) -> s32 cannot initialise: it would have to be a task without parameters");
    init("nothing").says("the module has no task `nothing`");
}

#[test]
fn a_failure_there_is_told_as_any_other_with_what_was_printed_and_the_limit() {
    let module = file(
        "fails.wat",
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\20\00\00\00\08\00\00\00")
  (data (i32.const 32) "one\0atwo\0a")
  (func $print (drop (call $write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 8))))
  (func $large (export "large") (call $print) (drop (memory.grow (i32.const 100))) unreachable)
  (func $recurse (call $recurse))
  (func (export "deep") (call $print) (call $recurse))
  (func (export "count") (param i32) (result i32) (local.get 0)))"#,
    );
    let init = |task: &str| {
        let run = map_file(&module).flags("--memory 1MiB --task count --init").arg(task);
        let done = run.jobs(["1"]).run().ends(101).prints("");
        let lines = done.stderr.lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(lines[..2], ["one", "two"], "{lines:?}");
        assert!(lines[3].starts_with("    "), "{lines:?}");
        lines
    };
    let lines = init("large");
    assert!(lines[2].contains(": --init large ran out of memory: "), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "help: raise the limit: --memory 7MiB");
    let lines = init("deep");
    assert!(lines[2].contains(": --init deep trapped: "), "{lines:?}");
    assert_eq!(lines.last().unwrap(), "help: raise the limit: --stack 2MiB");
}

#[test]
fn it_is_bounded_in_time() {
    let _watchdog = watchdog(60);
    let started = Pool::builder(module())
        .task("count")
        .init("spin")
        .config(|config, _| config.init_timeout = Some(Duration::from_millis(200)))
        .start();
    let Err(Error::Pool(message)) = started else { panic!("it began") };
    assert!(message.contains("`spin`, which initialises, took longer than 0.2 s"), "{message}");
}

#[test]
fn nobody_goes_on_with_it_when_the_run_is_ended() {
    let _watchdog = watchdog(60);
    // The module is in the cache then, and the zygote's first child is not the compiler.
    map_file(module()).flags("--task count").jobs(["1"]).run().prints("1\n");
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let run = map_file(module()).flags("--task count --init spin").jobs(["1"]).start();
        let zygote = run.zygote();
        until(|| !children(zygote).is_empty());
        let initialises = children(zygote)[0];
        run.signal(signal);
        wait_for_end(initialises);
    }
}
