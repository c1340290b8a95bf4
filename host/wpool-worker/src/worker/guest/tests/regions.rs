//! Tests of guests with regions that may only be read, which only the host creates.

use super::*;
use crate::shared::{Member, Shared, Side, Space, Spec};
use crate::wire::control::Membership;
use crate::wire::jobmem::JobMem;

/// Returns shared state with the region `r`, which holds the bytes 0 to 99 and may only be read.
fn attached() -> Attached {
    let space = Space { shared_bytes: 4 << 20, region_bytes: 1 << 20 };
    let shared = Arc::new(Shared::new(space).unwrap());
    let host = Member::join(&shared).unwrap();
    let spec = Spec::Region { bytes: 100, read_only: true };
    let id = shared.create(&host.caller(), "r", &spec, 0).unwrap();
    let bytes: Vec<u8> = (0..100).collect();
    shared.region(id).unwrap().fill(0, &bytes).unwrap();
    let owner = shared.attach(Side::Worker).unwrap();
    let slot = Membership { slot: owner.slot, epoch: owner.epoch };
    Attached::new(shared, slot, Arc::new(JobMem::create(0).unwrap().0))
}

/// Runs a task once for each of the jobs, with the region mapped at `$at`. Returns the results, or
/// the reasons why there are none.
fn results(task: &str, jobs: &[&str]) -> Vec<String> {
    let text = format!(
        r#"(module
          (import "wpool" "job_read" (func $job_read (param i32 i32 i32) (result i32)))
          (import "wpool" "region_open" (func $open (param i32 i32) (result i32)))
          (import "wpool" "region_is_read_only" (func $is_read_only (param i32) (result i32)))
          (import "wpool" "region_map" (func $map (param i32) (result i64)))
          (import "wpool" "region_read" (func $read (param i32 i64 i32 i32) (result i32)))
          (import "wpool" "region_write" (func $write (param i32 i64 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "r")
          (func (export "task") (param $job i64) (result i64) (local $handle i32) (local $at i32)
            (local.set $handle (call $open (i32.const 0) (i32.const 1)))
            (local.set $at (i32.wrap_i64 (call $map (local.get $handle))))
            {task}))"#
    );
    let program = load(&text, &Settings::default()).unwrap();
    let mut guest = Guest::new(&program, Arc::new(Kept::default()), Some(attached()), None);
    let mut result = |job: &&str| {
        let mut out = Vec::new();
        match guest.run(0, job.as_bytes(), &mut out) {
            Ok(()) => String::from_utf8(out).unwrap(),
            Err(failure) => failure.to_string(),
        }
    };
    jobs.iter().map(&mut result).collect()
}

const READ_ONLY: &str = "trap: write to read-only region r";

#[test]
fn a_read_only_region_can_be_read_and_a_store_to_it_is_a_trap_that_names_it() {
    let task = |store: &str| {
        format!(
            "(if (i64.eqz (local.get $job)) (then {store})) (i64.load8_u offset=7 (local.get $at))"
        )
    };
    for store in [
        "(i32.store8 (i32.add (local.get $at) (i32.const 99)) (i32.const 1))",
        // The store is behind the region's end, in its last page.
        "(v128.store offset=65520 (local.get $at) (v128.const i64x2 0 0))",
        "(drop (i64.atomic.rmw.add (local.get $at) (i64.const 1)))",
        "(drop (call $job_read (local.get $at) (i32.const 0) (i32.const 1)))",
    ] {
        let results = results(&task(store), &["1", "0", "1", "0"]);
        assert_eq!((&results[0], &results[2]), (&"7".into(), &"7".into()), "{store}");
        let said = results[1].replace("job_read: ", "");
        assert_eq!((said.as_str(), &results[3]), (READ_ONLY, &results[1]), "{store}");
    }
}

#[test]
fn a_trap_elsewhere_says_nothing_of_regions() {
    let task = r#"(if (i64.eqz (local.get $job)) (then (i32.store (local.get $at) (i32.const 1))))
        (if (i64.eq (local.get $job) (i64.const 1)) (then
            (i32.store (i32.add (local.get $at) (i32.const 65536)) (i32.const 1))))
        (if (i64.eq (local.get $job) (i64.const 2)) (then
            (memory.copy (i32.const 0) (local.get $at) (i32.const 65537))))
        (i64.const 0)"#;
    let outside = "trap: out of bounds memory access";
    assert_eq!(
        results(task, &["0", "1", "0", "2", "0"]),
        [READ_ONLY, outside, READ_ONLY, outside, READ_ONLY]
    );
}

#[test]
fn calls_that_would_write_to_a_read_only_region_answer_or_trap() {
    let task = r#"(if (i64.eqz (local.get $job)) (then
            (drop (call $read (local.get $handle) (i64.const 0) (i32.const 65500) (i32.const 37)))))
        (if (i64.eq (local.get $job) (i64.const 1)) (then
            (drop (call $read (local.get $handle) (i64.const 0) (i32.const 65500) (i32.const 36)))))
        (i64.add
            (i64.mul (i64.const 100) (i64.extend_i32_s (call $is_read_only (local.get $handle))))
            (i64.extend_i32_s
                (call $write (local.get $handle) (i64.const 0) (i32.const 0) (i32.const 1))))"#;
    let message = READ_ONLY.replace("write", "region_read: write");
    assert_eq!(results(task, &["0", "1"]), [message.as_str(), "85"]);
}
