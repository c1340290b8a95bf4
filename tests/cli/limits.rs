//! Limits: a job that crosses a limit fails alone, and its message says what happened.

use crate::common::run::{Done, file, folder, map, map_wat, wpool};
use crate::common::{HALF, guest, pool, watchdog};
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// The factor by which a slow and busy machine may exceed the calculated time.
const MACHINE_FACTOR: u32 = 5;

/// A byte task that appends its job's byte to the granted file `runs`, and then does as the job
/// says: 0 succeeds, 1 fails, 2 traps, 3 never ends, 4 wants too much memory, 5 exits with code 5,
/// 6 traps the first time and succeeds the next.
const ATTEMPTS: &str = r#"(module
    (import "wpool" "job_read" (func $job_read (param i32 i32 i32) (result i32)))
    (import "wpool" "result_write" (func $result_write (param i32 i32)))
    (import "wasi_snapshot_preview1" "path_open" (func $open
        (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_create_directory"
        (func $create (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "runs")
    (data (i32.const 80) "second")
    (func $record
        (if (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 1)
                (i64.const 64) (i64.const 0) (i32.const 1) (i32.const 16))
            (then (unreachable)))
        (i32.store (i32.const 0) (i32.const 128))
        (i32.store (i32.const 4) (i32.const 1))
        (if (call $write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8))
            (then (unreachable)))
        (drop (call $close (i32.load (i32.const 16)))))
    (func (export "task_attempts") (result i32)
        (local $kind i32)
        (drop (call $job_read (i32.const 128) (i32.const 0) (i32.const 1)))
        (call $record)
        (call $result_write (i32.const 128) (i32.const 1))
        (local.set $kind (i32.sub (i32.load8_u (i32.const 128)) (i32.const 48)))
        (if (i32.eq (local.get $kind) (i32.const 1)) (then (return (i32.const 1))))
        (if (i32.eq (local.get $kind) (i32.const 2)) (then (unreachable)))
        (if (i32.eq (local.get $kind) (i32.const 3)) (then (loop $again (br $again))))
        (if (i32.eq (local.get $kind) (i32.const 4))
            (then (drop (memory.grow (i32.const 1000))) (unreachable)))
        (if (i32.eq (local.get $kind) (i32.const 5)) (then (call $exit (i32.const 5))))
        (if (i32.eq (local.get $kind) (i32.const 6))
            (then (if (i32.eqz (call $create (i32.const 3) (i32.const 80) (i32.const 6)))
                (then (unreachable)))))
        (i32.const 0)))"#;

/// Runs a misbehaving job in the middle of a thousand good ones, which must all succeed.
fn beside_good_jobs(kind: &str, flags: &str) -> Done {
    let good = "ok\n".repeat(500);
    let run = map("misbehave").flags("-R --jsonl -v").flags(flags);
    let done = run.stdin(format!("{good}{kind}\n{good}")).run();
    let rows = done.rows();
    assert_eq!(rows.len(), 1001);
    for row in rows.iter().filter(|row| row["seq"] != 500) {
        assert_eq!((&row["ok"], &row["output"]), (&true.into(), &"ok".into()), "{row}");
    }
    done
}

/// Returns the kind of failure of the job in the middle.
fn kind_of(done: &Done) -> String {
    let row = &done.rows()[500];
    row["error"]["kind"].as_str().unwrap_or_else(|| panic!("it did not fail: {row}")).to_owned()
}

#[test]
fn each_misbehaviour_fails_alone_and_says_what_happened() {
    for (kind, flags, failure, message) in [
        (
            "error",
            "",
            "guest-error",
            "job 500 (line 501 of standard input: error) failed: failed as asked",
        ),
        ("panic", "", "trap", "trapped: panicked at misbehave/src/lib.rs"),
        ("spin", "--timeout 0.2", "timeout", "timed out"),
        ("allocate", "--memory 64MiB", "out-of-memory", "needed more than 64 MiB"),
        ("recurse", "", "trap", "trapped: call stack exhausted"),
        ("exit", "", "exit", "exited with code 3"),
        ("abort", "", "trap", "trapped: unreachable"),
        ("spin", "--fuel 10000000", "fuel", "more than 10000000 instructions"),
        ("big-result", "--max-output 1MiB", "output-too-large", "more than 1 MiB"),
        (
            "big-result",
            "--max-output 9GiB --max-buffer 1MiB",
            "output-too-large",
            "more than 1 MiB",
        ),
        ("garbage", "", "guest-error", "failed: result is not one line of JSON"),
        ("no-kind", "", "guest-error", "unknown kind \"no-kind\""),
    ] {
        let done =
            beside_good_jobs(kind, flags).ends(100).says(message).says("1000 jobs ok, 1 failed");
        assert_eq!(kind_of(&done), failure, "{kind}");
    }
}

#[test]
fn each_misbehaviour_fails_alone_in_fresh_instances_and_processes() {
    for (mode, good) in [("fresh", 200), ("process", 100)] {
        let kinds = ["error", "panic", "spin", "allocate", "recurse", "exit", "abort", "garbage"];
        let good = "ok\n".repeat(good);
        let jobs: String = kinds.iter().map(|kind| format!("{good}{kind}\n")).collect();
        let run = map("misbehave").flags("-R --jsonl --timeout 3 --memory 64MiB --isolation");
        let done = run.arg(mode).stdin(jobs).run().ends(100);
        let mut failures = BTreeMap::new();
        for row in done.rows().iter().filter(|row| row["ok"] == false) {
            let input = row["input"].as_str().expect("a string").to_owned();
            let kind = row["error"]["kind"].as_str().expect("a string").to_owned();
            failures.insert(input, kind);
        }
        assert_eq!(failures.len(), kinds.len(), "{mode}: {failures:?}");
        let expected = ["trap", "out-of-memory", "guest-error", "exit", "guest-error", "trap"];
        let found =
            ["abort", "allocate", "error", "exit", "garbage", "panic"].map(|k| &failures[k]);
        assert_eq!(found, expected.each_ref());
        assert_eq!((&*failures["recurse"], &*failures["spin"]), ("trap", "timeout"));
    }
}

#[test]
fn printing_too_much_is_cut_with_a_note_and_fails_nothing() {
    let done = beside_good_jobs("print", "--max-log 2KiB").ends(0);
    let printed = done.stderr.lines().filter(|line| line.contains("which nobody asked")).count();
    assert!((20..60).contains(&printed), "{printed} lines");
    done.says("… output cut: more than 2048 bytes");
    let done = map("misbehave").flags("-R").stdin("print\n").run().ends(0);
    let printed: usize = done.stderr.lines().map(|line| line.len() + 1).sum();
    assert!(((1 << 19)..(3 << 20)).contains(&printed), "{printed} bytes");
}

#[test]
fn stuck_jobs_cost_their_timeout_and_not_much_more() {
    let (stuck, workers, timeout) = (6_u32, 2, Duration::from_millis(300));
    let good = "ok\n".repeat(1000 / stuck as usize);
    let alone = map("misbehave").flags("-R -j 2").stdin(good.repeat(stuck as usize)).run().ends(0);
    let run = map("misbehave").flags("-R -j 2 --timeout 0.3");
    let done = run.stdin(format!("{good}spin\n").repeat(stuck as usize)).run().ends(100);
    assert_eq!(done.lines().iter().filter(|line| **line == "\"ok\"").count(), 996);
    let rounds = stuck.div_ceil(workers);
    let most = rounds * (timeout + Duration::from_millis(200)) + MACHINE_FACTOR * alone.took;
    assert!(done.took <= most, "{:?} is more than {most:?}", done.took);
}

#[test]
fn a_deadline_ends_the_run_whatever_its_jobs_do() {
    // The first run fills the cache, because the deadline covers compiling, too.
    map("misbehave").flags("-R").stdin("ok\n").run().ends(0);
    let run = map("misbehave").flags("-R --deadline 2").stdin("ok\nspin\nspin\nspin\n");
    let done = run.within(20).run().ends(124).says("stopped by --deadline");
    assert_eq!(done.lines()[0], "\"ok\"");
    assert!(done.took >= Duration::from_secs(2));
    let run = map("misbehave").flags("-R --deadline 30").stdin("ok\n");
    run.run().ends(0).prints("\"ok\"\n");
}

#[test]
fn a_job_larger_than_the_buffer_is_refused_and_the_others_run() {
    let large = "x".repeat(65_537);
    let done = map("misbehave").flags("-R --max-buffer 64KiB").stdin(format!("ok\n{large}\nok\n"));
    let done = done.run().ends(100).prints("\"ok\"\nnull\n\"ok\"\n");
    let told = format!("(line 2 of standard input: {}…) is invalid: too large", "x".repeat(60));
    done.says(&told).says("more than 65536 bytes");
    // The longest job that fits reaches the guest, but the guest's message about it does not fit
    // any more.
    let fits = format!("ok\n{}\nok\n", &large[..65_536]);
    let done = map("misbehave").flags("-R --max-buffer 64KiB").stdin(fits).run().ends(100);
    done.prints("\"ok\"\nnull\n\"ok\"\n").says("too large a result: more than 64 KiB");
}

#[test]
fn fuel_is_the_same_limit_on_every_machine() {
    let run = || map("cubes").flags("--task cubes_sum --fuel").arg("15000").jobs(["1"]).run();
    let first = run();
    assert_eq!((first.code, &first.stdout), (run().code, &run().stdout));
    map("cubes").flags("--task cubes_sum --fuel 1000000").jobs(["1"]).run().ends(0);
    map("cubes")
        .flags("--task cubes_sum --fuel 100")
        .jobs(["1"])
        .run()
        .ends(100)
        .says("--fuel 200");
}

#[test]
fn halt_stops_at_the_count_it_was_given() {
    let run = |rule: &str, jobs: &str| {
        let run = map("misbehave").flags("-R -j 1 --batch 1 --halt").arg(rule);
        run.stdin(jobs.replace(' ', "\n")).within(20).run()
    };
    let done = run("now,fail=1", "ok error spin spin").ends(100).says("stopped by --halt");
    // The job after the failed one may have been started, and is given up then.
    assert_eq!(done.lines()[..2], ["\"ok\"", "null"]);
    assert!(done.lines().len() <= 3, "{:?}", done.lines());
    run("soon,fail=2", "error ok error ok ok ok ok").ends(100).says("2 failed");
    run("soon,fail=50%", "ok error").ends(100);
    let done = run("now,success=2", "error ok ok spin spin").ends(0).says("stopped by --halt");
    assert_eq!(done.lines()[..3], ["null", "\"ok\"", "\"ok\""]);
    let done = run("soon,done=3", &"ok ".repeat(500)).ends(0);
    assert!((3..10).contains(&done.lines().len()), "{:?}", done.lines());
    run("never", "error ok error").ends(100).prints("null\n\"ok\"\nnull\n");
    let all = map("misbehave").flags("-R --fail-fast").stdin("error\nspin\nspin\n").within(20);
    all.run().ends(100);
}

/// Runs attempts of one kind, and returns how many there were.
fn attempts(kind: char, flags: &str) -> (usize, Done) {
    let runs = folder("attempts");
    let run = map_wat(ATTEMPTS).flags("--timeout 0.1 --memory 1MiB").flags(flags);
    let done = run.dir(&runs, "/runs").jobs([kind.to_string()]).run();
    let ran = fs::read_to_string(runs.join("runs")).unwrap_or_default();
    assert!(ran.chars().all(|ran| ran == kind), "{ran}");
    (ran.len(), done)
}

#[test]
fn retries_are_counted_and_only_the_chosen_failures_are_tried_again() {
    for (kind, name) in
        [('1', "error"), ('2', "trap"), ('3', "timeout"), ('4', "memory"), ('5', "exit")]
    {
        let (ran, done) = attempts(kind, &format!("--retries 2 --retry-on {name}"));
        done.ends(100).prints("null\n").says("2 retried");
        assert_eq!(ran, 3, "{name}");
        let other = if name == "trap" { "timeout,crash" } else { "trap,crash" };
        let (ran, done) = attempts(kind, &format!("--retries 2 --retry-on {other}"));
        done.ends(100);
        assert_eq!(ran, 1, "{name}");
        let (ran, _) = attempts(kind, "");
        assert_eq!(ran, 1, "{name}");
    }
}

#[test]
fn a_retry_that_succeeds_is_a_success() {
    let (ran, done) = attempts('6', "--retries 5 -v");
    done.ends(0).prints("6\n").says("1 retried").says("job 0 again after attempt 1: trap");
    assert_eq!(ran, 2);
    let (ran, done) = attempts('0', "--retries 5");
    done.ends(0).prints("0\n");
    assert_eq!(ran, 1);
}

#[test]
fn workers_are_replaced_after_their_number_of_jobs() {
    let run =
        map_wat(crate::common::PROCESS_ID).flags("-j 1 --max-jobs-per-worker 10 --range 0..100");
    let mut jobs_of = BTreeMap::<String, u32>::new();
    for pid in run.run().ends(0).lines() {
        *jobs_of.entry(pid.to_owned()).or_default() += 1;
    }
    assert_eq!(jobs_of.len(), 10, "{jobs_of:?}");
    assert!(jobs_of.values().all(|jobs| *jobs == 10), "{jobs_of:?}");
}

#[test]
fn a_module_that_needs_more_memory_than_the_limit_is_refused_at_once() {
    let wat =
        r#"(module (memory (export "memory") 1000) (func (export "f") (result i32) i32.const 1))"#;
    let done = map_wat(wat).flags("--memory 1MiB").stdin("\n").run().ends(101).prints("");
    done.says("more than the limit of 1 MiB").says("help: raise --memory");
    map_wat(wat).flags("--memory 63MiB").stdin("\n").run().ends(0).prints("1\n");
}

#[test]
fn objects_that_refer_to_each_other_are_freed_and_those_that_stay_count_as_memory() {
    let wat = r#"(module
        (type $pair (struct (field (mut (ref null $pair))) (field i64) (field i64)))
        (global $kept (mut (ref null $pair)) (ref.null $pair))
        (func (export "cycles") (param $number i32) (result i32) (local $a (ref null $pair))
            (loop $again
                (local.set $a (struct.new $pair (ref.null $pair) (i64.const 1) (i64.const 1)))
                (struct.set $pair 0 (local.get $a)
                    (struct.new $pair (local.get $a) (i64.const 1) (i64.const 1)))
                (local.set $number (i32.sub (local.get $number) (i32.const 1)))
                (br_if $again (local.get $number)))
            (local.get $number))
        (func (export "chain") (param $number i32) (result i32)
            (loop $again
                (global.set $kept
                    (struct.new $pair (global.get $kept) (i64.const 1) (i64.const 1)))
                (local.set $number (i32.sub (local.get $number) (i32.const 1)))
                (br_if $again (local.get $number)))
            (local.get $number)))"#;
    let run = |task, memory, number| {
        map_wat(wat).args(["--task", task, "--memory", memory]).jobs([number]).run()
    };
    run("cycles", "1MiB", "1000000").ends(0).prints("0\n");
    run("chain", "64MiB", "100000").ends(0).prints("0\n");
    let done = run("chain", "4MiB", "1000000").ends(100);
    done.says("out of memory").says("needed more than 4 MiB");
    run("chain", "5GiB", "1000000").ends(0).prints("0\n");
}

/// Returns a module with enough functions to keep a compiler busy for seconds.
fn large_module() -> String {
    let body =
        "(local.set 0 (i64.mul (i64.add (local.get 0) (i64.const 3)) (local.get 0)))".repeat(50);
    let function =
        |n| format!("(func (export \"f{n}\") (param i64) (result i64) {body} local.get 0)");
    format!("(module {})", (0..6000).map(function).collect::<String>())
}

#[test]
fn compiling_has_limits_that_are_named_where_they_are_crossed() {
    let wat = large_module();
    let run = |flags: &str| map_wat(&wat).flags("--task f1 --no-cache").flags(flags).jobs(["1"]);
    let done = run("--compile-timeout 50ms").run().ends(101).prints("");
    done.says("compiling it takes longer than 0.05 s")
        .says("help: ")
        .says("--compile-timeout 100ms");
    let done = run("--compile-memory 16MiB").run().ends(101).prints("");
    done.says("compiling it needs more than 16 MiB of memory").says("--compile-memory 32MiB");
    let done = run("--deadline 0.1").run().ends(124).prints("");
    done.says("--deadline passed while the module was compiled").says("help: ");
}

#[test]
fn a_task_that_initialises_for_ever_is_ended_by_every_limit_of_time() {
    let wat = r#"(module (func (export "spin") (loop (br 0)))
        (func (export "f") (param i32) (result i32) (local.get 0)))"#;
    let run = |flags: &str| {
        let run = map_wat(wat).flags("--task f --init spin").flags(flags).jobs(["1"]);
        run.within(20).run().prints("")
    };
    let done = run("--timeout 0.3").ends(101).says("--init spin took longer than 0.3 s");
    done.says("help: give it longer: --init-timeout 600ms");
    let done = run("--timeout 60 --init-timeout 0.2").ends(101);
    done.says("--init spin took longer than 0.2 s");
    run("--deadline 3").ends(124).says("--deadline passed while the module was loaded");
    let done = run("--isolation fresh --timeout 0.3").ends(101);
    done.says("--init spin took longer than 0.3 s");
}

#[test]
fn a_memory_of_64_bits_grows_above_4_gib_and_says_why_where_it_cannot() {
    let wat = r#"(module (memory (export "memory") i64 1)
        (func (export "need") (param i64) (result i64)
            (if (i64.eq (memory.grow (local.get 0)) (i64.const -1)) (then (unreachable)))
            (i64.store (i64.sub (i64.mul (memory.size) (i64.const 65536)) (i64.const 8))
                (local.get 0))
            (i64.load (i64.sub (i64.mul (memory.size) (i64.const 65536)) (i64.const 8)))))"#;
    for isolation in ["reuse", "fresh", "process"] {
        let run = map_wat(wat).args(["-j1", "--memory", "12GiB", "--isolation", isolation]);
        run.jobs(["65000", "70000"]).run().ends(0).prints("65000\n70000\n");
    }
    let done = map_wat(wat).flags("--memory 5GiB").jobs(["90000"]).run().ends(100);
    done.says("needed more than 5 GiB").says("help: raise the limit: --memory 10GiB");
    let done = map_wat(wat).flags("--memory 500GiB").jobs(["2000000"]).run().ends(100);
    done.says("its memory cannot grow to 122.1 GiB: ");
}

#[test]
fn memory_that_a_guest_cannot_have_is_not_given_back_to_its_limit() {
    let wat = r#"(module (memory 1) (func (export "need") (param i32) (result i32)
        (drop (memory.grow (local.get 0))) (drop (memory.grow (i32.const 65535)))
        (memory.grow (local.get 0))))"#;
    let run = map_wat(wat).flags("-j1 --memory 8MiB --isolation fresh").jobs(["100", "60"]);
    run.run().ends(0).prints("-1\n61\n");
}

#[test]
fn the_advice_is_never_less_than_what_was_asked_for() {
    let wat = r#"(module (memory 1) (func (export "need") (param i32) (result i32)
        (if (i32.eq (memory.grow (local.get 0)) (i32.const -1)) (then (unreachable)))
        (memory.size)))"#;
    let done = map_wat(wat).flags("--memory 1MiB").jobs(["70"]).run().ends(100);
    done.says("(asked for 4.5 MiB)").says("help: raise the limit: --memory 5MiB");
    map_wat(wat).flags("--memory 5MiB").jobs(["70"]).run().ends(0).prints("71\n");
}

/// A task that recurses as often as its job says.
const DEEP: &str = r#"(module (func $deep (export "deep") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
    (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))))"#;

#[test]
fn the_call_stack_has_a_limit_that_is_named_and_can_be_raised() {
    let deep = |flags: &str, times| map_wat(DEEP).flags(flags).jobs([times]).run();
    let done = deep("", "1000000").ends(100).says("call stack exhausted");
    done.says("help: raise the limit: --stack 2MiB");
    for flags in ["--stack 64MiB", "--stack 64MiB --isolation process"] {
        deep(flags, "1000000").ends(0).prints("1000000\n");
    }
    deep("--stack 64KiB", "1000000").ends(100).says("call stack exhausted");
    deep("--stack 1GiB", "1").ends(2).says("between 64KiB and 64MiB");
}

#[test]
fn a_guest_has_no_more_stack_than_the_system_allows() {
    let module = file("deep.wat", DEEP);
    let run = |kibibytes: u32, flags: &str| {
        let script = format!("ulimit -s {kibibytes}; exec \"$@\"");
        let wpool = std::process::Command::new("sh")
            .args(["-c", &script, "sh", crate::common::run::program(), "map"])
            .arg(&module)
            .args(["--no-cache"])
            .args(flags.split_whitespace())
            .args([":::", "1000000"])
            .output()
            .expect("sh is there");
        (wpool.status.code(), String::from_utf8_lossy(&wpool.stderr).into_owned())
    };
    for kibibytes in [1024, 1200, 2048] {
        let (code, said) = run(kibibytes, "");
        assert_eq!(code, Some(100), "{said}");
        assert!(said.contains("call stack exhausted"), "{said}");
    }
    let (code, said) = run(2048, "--stack 32MiB");
    assert_eq!(code, Some(101), "{said}");
    assert!(said.contains("ulimit -s: 2 MiB") && said.contains("help: lower --stack"), "{said}");
}

#[test]
fn a_limit_of_the_library_may_be_beyond_all_time() {
    let _watchdog = watchdog(60);
    let forever = |config: &mut wpool::pool::config::Config| {
        config.deadline = Some(Duration::MAX);
        config.retry.delay = Duration::MAX;
        config.init_timeout = Some(Duration::MAX);
    };
    let builder = pool(HALF).timeout(Duration::MAX).config(|config, _| forever(config));
    assert_eq!(builder.start().expect("a pool").apply::<_, i64>(4), Ok(2));
}

/// A component whose tasks return lists: of as many `false` as the job says, which the host keeps
/// as values of 40 bytes each.
const LISTS: &str = r#"(component
    (core module $module
        (memory (export "memory") 800)
        (func $list (export "list") (param i32) (result i32)
            (i32.store (i32.const 16) (i32.const 64))
            (i32.store (i32.const 20) (local.get 0))
            (i32.const 16))
        (func (export "huge") (result i32) (call $list (i32.const 32000000))))
    (core instance $instance (instantiate $module))
    (func (export "list") (param "length" u32) (result (list bool))
        (canon lift (core func $instance "list") (memory $instance "memory")))
    (func (export "huge") (result (list bool))
        (canon lift (core func $instance "huge") (memory $instance "memory"))))"#;

const PROCESS_NEEDED: &str = "its process needed more than the limits of memory, twice a result";

#[test]
fn what_a_job_has_its_process_hold_is_bounded_as_well() {
    for isolation in ["reuse", "fresh", "process"] {
        let run = map_wat(LISTS).flags("--task list -j 1 --memory 64MiB --jsonl --isolation");
        let jobs = ["2", "32000000", "1", "32000000", "0"];
        let done = run.arg(isolation).jobs(jobs).run().ends(100).says(PROCESS_NEEDED);
        let done = done.says("help: raise the limit: --memory");
        let rows = done.rows();
        let kinds: Vec<_> = rows.iter().map(|row| row["error"]["kind"].as_str()).collect();
        let fails = Some("out-of-memory");
        assert_eq!(kinds, [None, fails, None, fails, None], "{}", done.stderr);
        assert_eq!(rows[0]["output"], serde_json::json!([false, false]));
    }
    // The run does not end because of such jobs, however many there are.
    let run = map_wat(LISTS).flags("--task list -j 2 --memory 64MiB").jobs(["32000000"; 8]);
    run.run().ends(100).says("8 failed");
}

#[test]
fn what_an_initialisation_has_its_process_hold_is_bounded_as_well() {
    let run = map_wat(LISTS).flags("--task list --init huge --memory 64MiB").jobs(["1"]);
    run.run().ends(101).says(PROCESS_NEEDED);
}

#[test]
fn all_of_the_memory_can_be_used_and_regions_beside_it() {
    // The task fills all memory up to a number of pages, then makes and maps a region of 1 GiB, and
    // writes to its end.
    let wat = r#"(module
        (import "wpool" "region_create" (func $create (param i32 i32 i64) (result i32)))
        (import "wpool" "region_open" (func $open (param i32 i32) (result i32)))
        (import "wpool" "region_map" (func $map (param i32) (result i64)))
        (memory (export "memory") 1)
        (data (i32.const 0) "r")
        (func (export "fill") (param $pages i32) (result i64) (local $region i32)
            (if (i32.gt_u (local.get $pages) (memory.size)) (then
                (if (i32.eq (i32.const -1)
                        (memory.grow (i32.sub (local.get $pages) (memory.size))))
                    (then (unreachable)))))
            (memory.fill (i32.const 16) (i32.const 1)
                (i32.sub (i32.mul (local.get $pages) (i32.const 65536)) (i32.const 16)))
            (local.set $region (call $create (i32.const 0) (i32.const 1) (i64.const 0x40000000)))
            (if (i32.lt_s (local.get $region) (i32.const 0)) (then
                (local.set $region (call $open (i32.const 0) (i32.const 1)))))
            (local.tee $address (call $map (local.get $region)))
            (if (i64.gt_s (local.get $address) (i64.const 0)) (then
                (i64.store (i32.add (i32.wrap_i64 (local.get $address)) (i32.const 0x3ffffff8))
                    (i64.const 7))))))"#;
    let wat = wat.replace("(local $region i32)", "(local $region i32) (local $address i64)");
    for isolation in ["reuse", "fresh", "process"] {
        let run = map_wat(&wat).flags("-j 1 --memory 128MiB --isolation").arg(isolation);
        let done = run.jobs(["2048", "2048", "2048"]).run().ends(0);
        let addresses = done.lines().into_iter().map(|line| line.parse::<i64>().expect("a number"));
        assert!(addresses.into_iter().all(|address| address >= 128 << 20), "{isolation}");
    }
}

#[test]
fn a_system_that_gives_little_is_told_with_what_helps() {
    let wat =
        r#"(module (memory 1) (func (export "same") (param i64) (result i64) (local.get 0)))"#;
    let run = |limit: &str| map_wat(wat).limited(limit).jobs(["1"]);
    let done = run("--as=4000000000").run().ends(96).prints("");
    done.says("addresses are limited to 3814 MiB").says("help: `ulimit -v unlimited`");
    let done = run("--fsize=1000000").flags("--value v=i32:1").run().ends(96).prints("");
    done.says("File too large")
        .says("help: lower --shared-space and --region-space, or raise `ulimit -f`");
    let done = run("--nofile=10").run().ends(96).prints("");
    done.says("Too many open files");
    let results = folder("results").join("file");
    let run = map_wat(wat).limited("--fsize=1000000").arg("-o").arg(&results);
    let done = run.flags("--range 0..300000").run().ends(110).says("File too large");
    assert_eq!(done.signal, None);
    assert!(fs::metadata(results).expect("it is there").len() <= 1_000_000);
}

#[test]
fn a_system_without_proc_is_told_once_with_what_helps() {
    // In namespaces of its own, a user may hide what is mounted there.
    let hidden = "exec unshare -rm sh -c 'mount -t tmpfs none /proc && exec \"$@\"' sh \"$@\"";
    let map = map("square").jobs(["3"]).in_shell(hidden).run();
    let run = wpool(["run"]).arg(guest("square")).arg("square(3)").in_shell(hidden).run();
    for done in [map, run] {
        let done = done.ends(96).prints("").says("/proc is not mounted");
        assert_eq!(done.stderr.matches("error:").count(), 1, "{}", done.stderr);
        done.says("help: mount it: mount -t proc proc /proc");
    }
    let doctor = wpool(["doctor"]).in_shell(hidden).run().ends(96);
    let lines = doctor.lines();
    assert!(lines.contains(&"missing    /proc is not mounted") && lines.contains(&"runs       no"));
}

#[test]
fn a_system_without_a_null_device_is_told_so() {
    let hidden = "exec unshare -rm sh -c 'mount -t tmpfs none /dev && exec \"$@\"' sh \"$@\"";
    let done = map("square").jobs(["3"]).in_shell(hidden).run().ends(96).prints("");
    done.says("there is no /dev/null").says("help: make it: mknod -m 666 /dev/null c 1 3");
}

#[test]
fn tables_above_the_limit_are_an_error_of_the_run() {
    let wat = |elements: u32| {
        format!(
            r#"(module (table {elements} funcref) (func (export "grow") (param i32) (result i32)
                (table.grow (ref.null func) (local.get 0))))"#
        )
    };
    let done = map_wat(&wat(1_100_000)).jobs(["1", "2"]).run().ends(101).prints("");
    done.says("needs 1100000 elements to start, more than the 1048576").says("help: ");
    map_wat(&wat(1 << 20)).jobs(["1", "0"]).run().ends(0).prints("-1\n1048576\n");
}
