//! `--isolation`: what a job can see of earlier jobs, and what its end does to them.

use crate::common::processes;
use crate::common::run::{map, map_wat};

/// A task that finds what earlier jobs left behind. It returns a count in a global, one in the
/// first page, one in the last page, one in place of a data segment, and the number of pages of
/// memory; each job adds one to each. Traps if the job is 0.
const TRACES: &str = r#"(module
    (memory (export "memory") 3)
    (data (i32.const 512) "\07\00\00\00")
    (global $count (mut i32) (i32.const 0))
    (func $add (param $at i32) (result i32)
        (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1)))
        (i32.load (local.get $at)))
    (func (export "traces") (param i64) (result i32 i32 i32 i32 i32)
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (global.get $count)
        (call $add (i32.const 16))
        (call $add (i32.const 196604))
        (call $add (i32.const 512))
        (memory.grow (i32.const 1))
        (if (i64.eqz (local.get 0)) (then (unreachable)))))"#;

/// A byte task that writes its job to its result and to standard output, both without a line end,
/// and traps if the job begins with `!`. The task returns the size that `job_read` gives it.
const WRITES: &str = r#"(module
    (import "wpool" "job_read" (func $job_read (param i32 i32 i32) (result i32)))
    (import "wpool" "result_write" (func $result_write (param i32 i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "task_writes") (result i32)
        (i32.store (i32.const 0) (i32.const 64))
        (i32.store (i32.const 4)
            (call $job_read (i32.const 64) (i32.const 0) (i32.const 1000)))
        (call $result_write (i32.const 64) (i32.load (i32.const 4)))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (if (i32.eq (i32.load8_u (i32.const 65)) (i32.const 33)) (then (unreachable)))
        (i32.const 0)))"#;

/// The objects and exceptions of a guest: `start` makes an object that stays, and `caught` throws
/// its job, catches it, and adds what was kept.
const OBJECTS: &str = r#"
    (type $kept (struct (field i64)))
    (tag $thrown (param i64))
    (global $kept (mut (ref null $kept)) (ref.null $kept))
    (func (export "start") (global.set $kept (struct.new $kept (i64.const 1000))))
    (func (export "caught") (param $job i64) (result i64) (local $added i64)
        (if (ref.is_null (global.get $kept)) (then) (else
            (local.set $added (struct.get $kept 0 (global.get $kept)))))
        (block $caught (result i64)
            (try_table (catch $thrown $caught) (throw $thrown (local.get $job))) (unreachable))
        (i64.add (local.get $added)))"#;

const CLEAN: &str = "[1,1,1,8,3]\n";

#[test]
fn reuse_keeps_an_instance_until_it_traps() {
    let done = map_wat(TRACES).flags("-j 1").jobs(["1", "1", "0", "1", "1"]).run().ends(100);
    done.prints(format!("{CLEAN}[2,2,2,9,4]\nnull\n{CLEAN}[2,2,2,9,4]\n"));
}

#[test]
fn fresh_instances_see_nothing_of_earlier_jobs() {
    let done = map_wat(TRACES).flags("--isolation fresh --range 1..2000").run().ends(0);
    done.prints(CLEAN.repeat(1999));
    let done = map_wat(TRACES).flags("--isolation fresh -j 1").jobs(["1", "0", "1"]).run();
    done.ends(100).prints(format!("{CLEAN}null\n{CLEAN}"));
}

#[test]
fn processes_see_nothing_of_earlier_jobs() {
    let done = map_wat(TRACES).flags("--isolation process --range 1..200").run().ends(0);
    done.prints(CLEAN.repeat(199));
}

#[test]
fn all_modes_give_the_same_results() {
    for (guest, task, jobs) in [
        ("square", "square", vec!["-3", "9", "3037000499"]),
        ("product", "product", vec!["[2,3,4]", "[0,0,0]"]),
        ("roots", "square_root", vec!["2", "-1", "1e100"]),
        ("evens", "evens", vec!["[1,2,3,4]", "[]", "[0]"]),
        ("cubes", "cubes", vec!["1", "2"]),
        ("cubes", "cubes_sum", vec!["1", "2"]),
        (
            "misbehave",
            "misbehave",
            vec!["\"ok\"", "\"error\"", "\"panic\"", "\"exit\"", "\"sleep\""],
        ),
    ] {
        let run = |mode| map(guest).args(["-q", "--task", task, "--isolation", mode]).jobs(&jobs);
        let reuse = run("reuse").run();
        assert_eq!(reuse.lines().len(), jobs.len());
        for mode in ["fresh", "process"] {
            run(mode).run().ends(reuse.code.expect("it was not killed")).prints(&reuse.stdout);
        }
    }
}

#[test]
fn every_job_of_process_isolation_has_a_process_of_its_own() {
    let pids = |flags| {
        let done =
            map_wat(crate::common::PROCESS_ID).flags(flags).flags("--range 0..100").run().ends(0);
        let mut pids: Vec<String> = done.lines().iter().map(|pid| (*pid).to_owned()).collect();
        pids.sort();
        pids.dedup();
        pids.len()
    };
    assert_eq!(pids("--isolation process -j 2"), 100);
    assert!(pids("--isolation reuse -j 2") <= 2);
    assert!(pids("--isolation fresh -j 2") <= 2);
}

#[test]
fn a_job_whose_process_is_killed_fails_alone() {
    for mode in ["process", "reuse"] {
        let mut jobs: Vec<String> = (0..100).map(|n| format!("[{n},0]")).collect();
        jobs.insert(50, "[50,60000000]".into());
        let run = map("journal").flags("--task spin --unordered --isolation").arg(mode);
        let run = run.flags("-j 2").jobs(jobs).start();
        run.until("the other jobs", || run.stdout.text().lines().count() == 100);
        let workers = run.workers();
        let of_job = |pid: &i32| processes::children(*pid);
        let jobs: Vec<i32> = workers.iter().flat_map(of_job).collect();
        match mode {
            "process" => assert_eq!(jobs.len(), 1, "only one job runs"),
            _ => assert_eq!(jobs.len(), 0, "workers run their jobs themselves"),
        }
        let victims = if mode == "process" { &jobs } else { &workers };
        victims.iter().for_each(|pid| processes::kill(*pid));
        let done = run.finish().ends(100).says("job 50 ([50,60000000]) lost its worker");
        let mut results: Vec<i64> =
            done.lines().iter().map(|line| line.parse().expect("a number")).collect();
        results.sort_unstable();
        assert_eq!(results, (0..100).collect::<Vec<i64>>(), "{mode}");
    }
}

#[test]
fn what_a_failed_job_wrote_is_in_no_other_jobs_result() {
    for mode in ["reuse", "fresh", "process"] {
        let run = map_wat(WRITES).args(["-j", "1", "--isolation", mode]);
        let done = run.jobs(["\"a\"", "\"!secret\"", "\"b\""]).run().ends(100);
        done.prints("\"a\"\nnull\n\"b\"\n");
    }
}

#[test]
fn a_line_that_one_job_began_is_not_ended_by_another() {
    for mode in ["reuse", "fresh", "process"] {
        let run = map_wat(WRITES).args(["-j", "1", "--isolation", mode]);
        let done = run.jobs(["\"first\"", "\"second\""]).run().ends(0);
        let printed = |text: &str| {
            let end = format!("] {text}");
            done.stderr.lines().filter(|line| line.ends_with(&end)).count()
        };
        assert_eq!((printed("\"first\""), printed("\"second\"")), (1, 1), "{}", done.stderr);
    }
}

#[test]
fn guests_see_nothing_that_was_not_granted() {
    let run = map("sha256").env("SECRET", "1").jobs(["/etc/hostname"]);
    run.run().ends(100).prints("");
    // The environment has the variables of --env, and no others.
    let sizes = r#"(module
        (import "wasi_snapshot_preview1" "environ_sizes_get"
            (func $sizes (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_prestat_get"
            (func $granted (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "seen") (result i32 i32)
            (drop (call $sizes (i32.const 0) (i32.const 4)))
            (i32.load (i32.const 0))
            (call $granted (i32.const 3) (i32.const 8))))"#;
    let bad_descriptor = 8;
    map_wat(sizes).stdin("\n").run().ends(0).prints(format!("[0,{bad_descriptor}]\n"));
    let run = map_wat(sizes).flags("--env A=1 --env B=2 --dir /::/::ro").stdin("\n");
    run.run().ends(0).prints("[2,0]\n");
}

#[test]
fn no_two_jobs_draw_the_same_random_numbers_whatever_process_they_are_forked_into() {
    let random = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "random") (param i64) (result i64)
            (drop (call $random (i32.const 0) (i32.const 8)))
            (i64.load (i32.const 0))))"#;
    for isolation in ["reuse", "fresh", "process"] {
        let flags = format!("--isolation {isolation} --range 0..64 -j 4 --batch 1");
        let done = map_wat(random).flags(&flags).run().ends(0);
        let drawn: std::collections::BTreeSet<_> =
            done.stdout.split(|&byte| byte == b'\n').collect();
        assert_eq!(drawn.len(), 64 + 1, "and the end: {isolation}");
    }
}

#[test]
fn objects_and_exceptions_have_room_beside_any_number_of_memories() {
    let memories =
        ["", "(memory 1)", "(memory 1) (memory i64 1 9) (table 9 funcref) (table 9 externref)"];
    for isolation in ["reuse", "fresh", "process"] {
        let run = |module: &str, flags: &str| {
            let run = map_wat(module).args(["--task", "caught", "--isolation", isolation]);
            run.flags(flags).flags("--range 0..20 -j 2").run().ends(0)
        };
        let numbers = |from: i64| (from..from + 20).map(|n| format!("{n}\n")).collect::<String>();
        for memories in memories {
            let module = format!("(module {memories} {OBJECTS})");
            run(&module, "").prints(numbers(0));
            run(&module, "--init start").prints(numbers(1000));
            // Memories above 4 GiB have no slots in which they are used again.
            run(&module, "--memory 5GiB").prints(numbers(0));
        }
        let component = format!(
            r#"(component (core module $m (memory 1) {OBJECTS})
            (core instance $one (instantiate $m)) (core instance $two (instantiate $m))
            (func (export "start") (canon lift (core func $one "start")))
            (func (export "other") (param "n" s64) (result s64) (canon lift (core func $two "caught")))
            (func (export "caught") (param "n" s64) (result s64)
                (canon lift (core func $one "caught"))))"#
        );
        run(&component, "").prints(numbers(0));
        run(&component, "--init start").prints(numbers(1000));
    }
}
