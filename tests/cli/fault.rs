//! Writes to places that a guest may only read: read-only regions, and places where a region was.

use crate::common::flat::module;
use crate::common::run::{Wpool, file, map, map_wat};
use crate::common::{failure, pool, watchdog};
use wpool::{FailureKind, Isolation, Region, Shared};

/// Returns a run that maps the region `a`, unmaps it, and then runs `task` with `$at` as the
/// address where the region was.
fn map_unmapped(task: &str) -> Wpool {
    map_wat(&module(&format!(
        r#"(func (export "task") (param $job i64) (result i64) (local $handle i32) (local $at i32)
        (local.set $handle (call $region_create (i32.const 97) (i32.const 1) (i64.const 4)))
        (if (i32.lt_s (local.get $handle) (i32.const 0)) (then (local.set $handle
            (call $region_open (i32.const 97) (i32.const 1)))))
        (local.set $at (i32.wrap_i64 (call $region_map (local.get $handle))))
        (drop (call $region_unmap (local.get $handle)))
        (drop (call $object_close (local.get $handle)))
        {task} (local.get $job))"#
    )))
}

const UNMAPPED: &str = "write to a region that is not mapped any more";

#[test]
fn a_store_to_where_a_region_was_is_a_trap_that_says_so() {
    let run = map_unmapped("(i32.store (local.get $at) (i32.const 7))").jobs(["0"]);
    run.run().ends(100).says(UNMAPPED);
}

#[test]
fn a_fill_of_where_a_region_was_fails_its_own_job_alone() {
    // The host writes where nothing may be written, in odd jobs.
    let fill = r#"(if (i64.eqz (i64.rem_u (local.get $job) (i64.const 2))) (then) (else
        (memory.fill (i32.sub (local.get $at) (i32.const 60000)) (i32.const 1)
            (i32.const 60001))))"#;
    for isolation in ["reuse", "fresh", "process"] {
        let run = map_unmapped(fill).args(["-j", "2", "-v", "--isolation", isolation]);
        let done = run.flags("--range 0..20").run().ends(100);
        let expected = |n| if n % 2 == 0 { format!("{n}\n") } else { "null\n".into() };
        let done = done.prints((0..20).map(expected).collect::<String>());
        let said = |text: &str| done.stderr.matches(text).count();
        assert_eq!((said(UNMAPPED), said("lost")), (10, 0), "{}", done.stderr);
    }
}

#[test]
fn such_a_job_is_tried_again_as_one_that_traps() {
    let fill = "(memory.fill (local.get $at) (i32.const 1) (i32.const 1))";
    let run = map_unmapped(fill).flags("--retries 2 --retry-on trap --jsonl").jobs(["0"]);
    let rows = run.run().ends(100).rows();
    assert_eq!((&rows[0]["attempt"], &rows[0]["error"]["kind"]), (&3.into(), &"trap".into()));
}

#[test]
fn a_read_only_region_of_the_command_line_is_read_and_what_writes_to_it_is_told() {
    let data = file("data", "what is in the file");
    let script = |last: &str| format!(r#"["region r map", "region r peek 5 5", "{last}"]"#);
    let ways = ["region r poke 0 x", "region r fill 0 9 1", "region r random 3 4"].map(script);
    let fine = script("region r write 0 x");
    let jobs = [&fine, &ways[0], &fine, &ways[1], &fine, &ways[2], &fine];
    for isolation in ["reuse", "fresh", "process"] {
        let run = map("script").arg(format!("--region=r=@{}:ro", data.display()));
        let done = run.args(["-v", "-j", "1", "--isolation", isolation]).jobs(jobs).run().ends(100);
        let said = |text: &str| done.stderr.matches(text).count();
        let counts = (said("write to read-only region r"), said("lost"));
        assert_eq!(counts, (3, 0), "{}", done.stderr);
        for row in done.rows().iter().step_by(2) {
            assert_eq!((&row[1], &row[2]["error"]), (&"is in".into(), &"read-only".into()));
        }
    }
}

/// A module that maps the region `r\n`, which may only be read, and writes to it in the way that
/// the job names; job 0 does not write.
const WRITES: &str = r#"(module
    (import "wpool" "region_open" (func $open (param i32 i32) (result i32)))
    (import "wpool" "region_map" (func $map (param i32) (result i64)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get"
        (func $clock (param i32 i64 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "r\n")
    (func (export "write") (param $how i64) (result i64) (local $at i32)
        (local.set $at
            (i32.wrap_i64 (call $map (call $open (i32.const 0) (i32.const 2)))))
        (block $done (block $store (block $clock (block $random (block $copy (block $fill
            (br_table $done $fill $copy $random $clock $store (i32.wrap_i64 (local.get $how))))
            (memory.fill (local.get $at) (i32.const 1) (i32.const 100000)) (br $done))
            (memory.copy (i32.const 60000) (i32.const 0) (i32.const 6000)) (br $done))
            (drop (call $random (local.get $at) (i32.const 10))) (br $done))
            (drop (call $clock (i32.const 0) (i64.const 0) (local.get $at))) (br $done))
            (i64.store offset=99990 (local.get $at) (i64.const 0)))
        (i64.load8_u (local.get $at))))"#;

#[test]
fn whoever_writes_to_a_read_only_region_its_own_job_fails_and_no_other() {
    let _watchdog = watchdog(60);
    let shared = Shared::new().unwrap();
    Region::create_read_only(&shared, "r\n", 100_000, &[7; 100_000][..]).unwrap();
    for isolation in [Isolation::Reuse, Isolation::Fresh, Isolation::Process] {
        let pool = pool(WRITES).shared(&shared).isolation(isolation).start().unwrap();
        let jobs = [0, 1, 0, 2, 3, 0, 4, 0, 5].repeat(3);
        for (job, result) in jobs.iter().zip(pool.imap::<_, i64>(jobs.iter())) {
            if *job == 0 {
                assert_eq!(result, Ok(7));
                continue;
            }
            let failure = failure(result);
            assert_eq!(failure.kind, FailureKind::Trap);
            assert_eq!(failure.message, "write to read-only region r\\n", "job {job}");
        }
    }
}
