//! Regions: memory that processes share, inside the linear memory of their guests.

use crate::common::flat::module;
use crate::common::run::{self, Done, Wpool, map_wat};
use serde_json::json;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

/// The functions that the tasks have in common.
const HELPERS: &str = r#"
    ;; Opens the region whose name is the letter, or makes it.
    (func $region (param $name i32) (param $bytes i64) (result i32) (local $handle i32)
        (local.set $handle (call $region_open (local.get $name) (i32.const 1)))
        (if (i32.lt_s (local.get $handle) (i32.const 0)) (then (local.set $handle
            (call $region_create (local.get $name) (i32.const 1) (local.get $bytes)))))
        (if (i32.lt_s (local.get $handle) (i32.const 0)) (then (local.set $handle
            (call $region_open (local.get $name) (i32.const 1)))))
        (local.get $handle))
    ;; The address of the same region.
    (func $mapped (param $name i32) (param $bytes i64) (result i32)
        (call $map (call $region (local.get $name) (local.get $bytes))))
    (func $map (param $handle i32) (result i32)
        (i32.wrap_i64 (call $region_map (local.get $handle))))
    (func $unmap (param $handle i32) (drop (call $region_unmap (local.get $handle))))
    (func $close (param $handle i32) (drop (call $object_close (local.get $handle))))
    ;; The sum of the bytes from an address to the end of the memory.
    (func $sum_from (param $at i32) (result i64) (local $sum i64)
        (loop $more
            (if (i32.lt_u (local.get $at) (i32.mul (memory.size) (i32.const 65536))) (then
                (local.set $sum (i64.add (local.get $sum) (i64.load8_u (local.get $at))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br $more))))
        (local.get $sum))"#;

/// Returns a module with a page of memory, in which each letter stands at the address of its own
/// code: 97 is the address of the name `a`.
fn text(tasks: &str) -> String {
    module(&format!("{HELPERS} {tasks}"))
}

fn map(tasks: &str) -> Wpool {
    map_wat(&text(tasks))
}

/// Runs a task without parameters once.
fn once(body: &str) -> Done {
    map(&format!("(func (export \"task\") {body})")).jobs(["0"]).run()
}

/// A task that maps a page of the region `a`, and returns the sum of all bytes after the first
/// page, the sum of the data segment, and the number of pages. Before, job 0 writes to the region,
/// job 1 grows the memory, and job 2 traps with the region mapped and written.
const LOOK: &str = r#"(func (export "look") (param $job i64) (result i64 i64 i32)
    (local $at i32)
    (if (i64.ne (local.get $job) (i64.const 1)) (then
        (local.set $at (call $mapped (i32.const 97) (i64.const 200000)))
        (i32.store (local.get $at) (i32.const 0x01010101))
        (i32.store8 (i32.add (local.get $at) (i32.const 199999)) (i32.const 1))))
    (if (i64.eq (local.get $job) (i64.const 1)) (then
        (drop (memory.grow (i32.const 16)))))
    (if (i64.eq (local.get $job) (i64.const 2)) (then (unreachable)))
    (call $sum_from (i32.const 65536))
    (i64.load (i32.const 97))
    (memory.size))"#;

#[test]
fn regions_are_created_opened_read_and_written() {
    let done = once(
        r#"(result i64 i32 i32 i64 i32 i32) (local $handle i32)
        (local.set $handle (call $region (i32.const 97) (i64.const 100)))
        (call $region_size (local.get $handle))
        (call $region_is_read_only (local.get $handle))
        (call $region_write (local.get $handle) (i64.const 3) (i32.const 97) (i32.const 26))
        (drop (call $region_read (local.get $handle) (i64.const 4) (i32.const 1000) (i32.const 8)))
        (i64.load (i32.const 1000))
        (call $region_create (i32.const 97) (i32.const 1) (i64.const 100))
        (call $region_open (i32.const 98) (i32.const 1))"#,
    );
    let bcdefghi = i64::from_le_bytes(*b"bcdefghi");
    done.ends(0).prints(format!("[100,0,0,{bcdefghi},-10,-11]\n"));
}

#[test]
fn sizes_that_make_no_region_are_answers() {
    let create =
        |bytes: &str| format!("(call $region_create (i32.const 97) (i32.const 1) {bytes})");
    let sizes = ["(i64.const 0)", "(i64.const -1)", "(i64.const 0x20000000000)"].map(create);
    let done = once(&format!("(result i32 i32 i32) {}", sizes.join(" ")));
    done.ends(0).prints("[-14,-14,-14]\n");
    let create = create("(i64.const 1000001)");
    let run = map(&format!(r#"(func (export "task") (result i32) {create})"#)).jobs(["0"]);
    run.flags("--region-space 917504").run().ends(0).prints("-9\n");
}

#[test]
fn bytes_outside_of_a_region_are_the_guest_s_bug() {
    for (call, arguments, message) in [
        ("region_read", "(i64.const 60) (i32.const 0) (i32.const 41)", "41 bytes at 60"),
        (
            "region_read",
            "(i64.const -1) (i32.const 0) (i32.const 1)",
            "1 bytes at 18446744073709551615",
        ),
        ("region_write", "(i64.const 101) (i32.const 0) (i32.const 0)", "0 bytes at 101"),
    ] {
        let region = "(call $region (i32.const 97) (i64.const 100))";
        let done = once(&format!("(result i32) (call ${call} {region} {arguments})"));
        done.ends(100).says(&format!("{call}: {message} are not inside the region"));
    }
}

#[test]
fn two_processes_add_to_one_mapped_word_at_once_and_lose_nothing() {
    // The two jobs both arrive before either goes on, so they add at the same time.
    let add = r#"(func (export "add") (param $n i64) (result i64 i32)
        (local $at i32) (local $left i64)
        (local.set $at (call $mapped (i32.const 97) (i64.const 16)))
        (drop (i64.atomic.rmw.add offset=8 (local.get $at) (i64.const 1)))
        (loop $wait (br_if $wait
            (i64.lt_u (i64.atomic.load offset=8 (local.get $at)) (i64.const 2))))
        (local.set $left (local.get $n))
        (loop $more
            (drop (i64.atomic.rmw.add (local.get $at) (i64.const 1)))
            (local.set $left (i64.sub (local.get $left) (i64.const 1)))
            (br_if $more (i64.ne (local.get $left) (i64.const 0))))
        (drop (i64.atomic.rmw.add offset=8 (local.get $at) (i64.const 1)))
        (loop $wait (br_if $wait
            (i64.lt_u (i64.atomic.load offset=8 (local.get $at)) (i64.const 4))))
        (i64.atomic.load (local.get $at))
        (local.get $at))"#;
    let done = map(add).flags("-j 2 --batch 1").jobs(["3000000"; 2]).run();
    done.ends(0).prints("[6000000,65536]\n".repeat(2));
}

#[test]
fn what_one_job_writes_to_a_region_another_process_reads() {
    for isolation in ["reuse", "fresh", "process"] {
        let run = map(LOOK).args(["-j", "1", "--isolation", isolation]);
        let abcdefgh = i64::from_le_bytes(*b"abcdefgh");
        let seen = format!("[5,{abcdefgh},5]\n");
        run.flags("--max-jobs-per-worker 1").jobs(["0"; 3]).run().ends(0).prints(seen.repeat(3));
    }
}

#[test]
fn the_next_instance_sees_no_region_and_its_own_data() {
    let abcdefgh = i64::from_le_bytes(*b"abcdefgh");
    let (mapped, grown) = (format!("[5,{abcdefgh},5]\n"), format!("[0,{abcdefgh},17]\n"));
    let expected = [&mapped, &grown, "null\n", &grown, &mapped, &mapped, &grown].concat();
    for isolation in ["fresh", "process"] {
        let run = map(LOOK).args(["-j", "1", "--isolation", isolation]);
        run.jobs(["0", "1", "2", "1", "0", "0", "1"]).run().ends(100).prints(&expected);
    }
    // The traps make one instance follow another.
    let run = map(LOOK).flags("-j 1").jobs(["0", "2", "1", "2", "0", "2", "1"]);
    run.run()
        .ends(100)
        .prints([&mapped, "null\n", &grown, "null\n", &mapped, "null\n", &grown].concat());
}

#[test]
fn an_instance_that_traps_in_its_initialization_leaves_nothing_behind() {
    // The first instance makes the region, and traps; the next ones find it there.
    let body = r#"(func (export "_initialize")
            (if (i32.lt_s (call $region_open (i32.const 97) (i32.const 1)) (i32.const 0)) (then
                (i32.store (call $mapped (i32.const 97) (i64.const 200000)) (i32.const 7))
                (drop (call $region (i32.const 98) (i64.const 1)))
                (unreachable))))
        (func (export "look") (param i64) (result i64 i32)
            (drop (memory.grow (i32.const 16)))
            (call $sum_from (i32.const 65536)) (i32.load8_u (i32.const 97)))"#;
    let done = map(body).flags("-j 1").jobs(["0", "0"]).run();
    done.ends(100).prints("null\n[0,97]\n");
}

#[test]
fn mapping_and_unmapping_a_thousand_times_uses_the_same_addresses() {
    let task = r#"(func (export "task") (param $job i64) (result i32 i32 i32)
        (local $a i32) (local $b i32) (local $at i32)
        (local.set $a (call $region (i32.const 97) (i64.const 600000)))
        (local.set $b (call $region (i32.const 98) (i64.const 200000)))
        (drop (call $map (local.get $a)))
        (local.set $at (call $map (local.get $b)))
        (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1)))
        (i32.load (local.get $at))
        (call $unmap (local.get $a))
        (call $unmap (local.get $b))
        (i32.load (local.get $at))
        (call $close (local.get $a))
        (call $close (local.get $b))
        (memory.size))"#;
    let run = map(task).flags("-j 1 --region-space 1MiB --range 1..1001");
    let expected: String = (1..1001).map(|n| format!("[{n},0,15]\n")).collect();
    run.run().ends(0).prints(expected);
}

#[test]
fn the_guest_s_own_pages_are_never_mapped_over() {
    // The memory holds a region, a page of the guest's own, and a region; then a larger region in
    // place of the second.
    let done = once(
        r#"(result i32 i32 i32 i32 i32 i32) (local $own i32) (local $a i32) (local $b i32)
        (local.set $a (call $region (i32.const 97) (i64.const 65536)))
        (local.set $b (call $region (i32.const 98) (i64.const 65536)))
        (call $map (local.get $a))
        (local.set $own (i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))
        (i32.store (local.get $own) (i32.const 7))
        (local.get $own)
        (call $map (local.get $b))
        (call $unmap (local.get $a))
        (call $unmap (local.get $b))
        (call $mapped (i32.const 99) (i64.const 131072))
        (memory.size)
        (i32.load (local.get $own))"#,
    );
    done.ends(0).prints("[65536,131072,196608,196608,5,7]\n");
}

#[test]
fn the_allocator_of_a_rust_guest_and_regions_stay_out_of_each_other_s_way() {
    // The bytes that were read are kept until the script ends: memory grows before, between and
    // after regions.
    let bytes = ["a".repeat(150_000), "b".repeat(150_000)].concat();
    let mut steps = vec!["region r ensure 300000", "region r map"];
    steps.extend(["region r fill 0 150000 97", "region r fill 150000 150000 98"]);
    steps.extend(["region r read 100000 200000", "region s ensure 100000", "region s map"]);
    steps.extend(["region r read 0 200000", "9* region s fill 0 100000 7", "region r unmap"]);
    steps.extend(["region r read 50000 200000", "region r map", "region r peek 0 300000"]);
    let script = serde_json::to_string(&steps).expect("strings are JSON");
    for isolation in ["reuse", "fresh", "process"] {
        let run = run::map("script").args(["-j", "1", "--isolation", isolation]);
        let rows = run.jobs([&script; 5]).run().ends(0).rows();
        for row in rows {
            assert_eq!(row[4], json!(bytes[100_000..]), "{isolation}");
            assert_eq!(row[7], json!(bytes[..200_000]));
            assert_eq!(row[10], json!(bytes[50_000..250_000]));
            assert_eq!(row[12], json!(bytes));
        }
    }
}

#[test]
fn fresh_instances_map_a_region_one_after_the_other() {
    let count = r#"(func (export "count") (param i64) (result i64)
        (i64.add (i64.const 1) (i64.atomic.rmw.add
            (call $mapped (i32.const 97) (i64.const 16777216)) (i64.const 1))))"#;
    let run = map(count).flags("--isolation fresh -j 1 --range 1..2001").run();
    run.ends(0).prints((1..2001).map(|n| format!("{n}\n")).collect::<String>());
}

#[test]
fn a_region_is_unmapped_with_the_last_handle_that_has_it_mapped() {
    let done = once(
        r#"(result i32 i32 i32 i32) (local $first i32) (local $second i32) (local $at i32)
        (local.set $first (call $region (i32.const 97) (i64.const 4)))
        (local.set $second (call $region (i32.const 97) (i64.const 4)))
        (local.set $at (call $map (local.get $first)))
        (i32.store (local.get $at) (i32.const 7))
        (i32.sub (local.get $at) (call $map (local.get $second)))
        (i32.sub (local.get $at) (call $map (local.get $second)))
        (call $unmap (local.get $second))
        (i32.load (local.get $at))
        (call $close (local.get $first))
        (i32.load (local.get $at))"#,
    );
    done.ends(0).prints("[0,0,7,0]\n");
}

#[test]
fn a_mapping_never_shows_another_region_s_bytes() {
    // The second region gets the storage of the first, which was deleted and closed while it was
    // mapped.
    let done = once(
        r#"(result i32 i32 i32) (local $handle i32) (local $at i32)
        (local.set $handle (call $region (i32.const 97) (i64.const 60000)))
        (local.set $at (call $map (local.get $handle)))
        (i32.store (local.get $at) (i32.const 7))
        (drop (call $object_delete (local.get $handle)))
        (i32.load (local.get $at))
        (call $close (local.get $handle))
        (local.set $handle (call $region (i32.const 98) (i64.const 60000)))
        (i32.store (i32.const 0) (i32.const 9))
        (call $region_write (local.get $handle) (i64.const 0) (i32.const 0) (i32.const 4))
        (i32.load (local.get $at))"#,
    );
    done.ends(0).prints("[7,0,0]\n");
}

#[test]
fn what_does_not_fit_into_the_memory_is_answered_and_changes_nothing() {
    // The memory has 1 page, and room for 65535: regions of 3 GiB, 2 GiB and 1 GiB.
    let task = r#"(func (export "task") (result i32 i32 i32 i32 i32 i32)
        (local $large i32) (local $middle i32) (local $small i32)
        (local.set $large (call $region (i32.const 97) (i64.const 0xC0000000)))
        (local.set $middle (call $region (i32.const 98) (i64.const 0x80000000)))
        (local.set $small (call $region (i32.const 99) (i64.const 0x40000000)))
        (call $map (local.get $large))
        (call $map (local.get $middle))
        (memory.size)
        (call $map (local.get $small))
        (call $unmap (local.get $large))
        (call $map (local.get $middle))
        (memory.size))"#;
    let done = map(task).flags("--region-space 8GiB").jobs(["0"]).run().ends(0);
    done.prints("[65536,-9,49153,-9,65536,49153]\n");
}

#[test]
fn the_memory_s_own_maximum_is_kept() {
    let task = r#"(func (export "task") (result i32 i32 i32 i32)
        (call $mapped (i32.const 97) (i64.const 65537))
        (call $mapped (i32.const 98) (i64.const 65536))
        (memory.grow (i32.const 1))
        (memory.size))"#;
    let text =
        text(task).replace(r#"(memory (export "memory") 1)"#, r#"(memory (export "memory") 1 2)"#);
    map_wat(&text).jobs(["0"]).run().ends(0).prints("[-9,65536,-1,2]\n");
}

#[test]
fn regions_count_against_their_own_limit_and_the_guest_s_growth_against_memory() {
    let task = r#"(func (export "task") (param $pages i32) (result i32 i32 i32 i32)
        (local $at i32)
        (local.set $at (call $mapped (i32.const 97) (i64.const 4194304)))
        (local.get $at)
        (memory.grow (local.get $pages))
        (if (i32.eq (memory.size) (i32.const 65)) (then (unreachable)))
        (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4)) (i32.const 7))
        (i32.load (local.get $at))
        (memory.size))"#;
    let run = map(task).flags("--memory 1MiB --region-space 4MiB -j 1 --isolation fresh");
    let done = run.jobs(["15", "16", "15"]).run().ends(100);
    done.prints("[65536,65,0,80]\nnull\n[65536,65,0,80]\n")
        .says("needed more than 1 MiB (asked for 1.1 MiB)");
}

#[test]
fn a_killed_worker_takes_no_region_along() {
    let task = r#"(func (export "task") (param $job i64) (result i32) (local $at i32)
        (local.set $at (call $mapped (i32.const 97) (i64.const 4)))
        (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1)))
        (loop $again (br_if $again (i64.eqz (local.get $job))))
        (i32.load (local.get $at)))"#;
    let run = map(task).flags("-j 1 --timeout 0.2").jobs(["1", "0", "1"]);
    run.run().ends(100).prints("1\nnull\n3\n");
}

#[test]
fn a_64_bit_memory_has_regions_copied_only() {
    let tasks = r#"(func (export "task") (result i64) (local $handle i32)
        (local.set $handle (call $region_create (i32.const 97) (i32.const 1) (i64.const 8)))
        (drop (call $region_write (local.get $handle) (i64.const 0) (i32.const 97) (i32.const 8)))
        (drop (call $region_read (local.get $handle) (i64.const 1) (i32.const 0) (i32.const 7)))
        (i64.load (i64.const 0)))
        (func (export "map") (result i64)
            (call $region_map (call $region_create (i32.const 97) (i32.const 1) (i64.const 8))))"#;
    let text = module(tasks).replace("1)\n", "i64 1)\n").replace("(data (i32", "(data (i64");
    let done = map_wat(&text).flags("--task task").jobs(["0"]).run().ends(0);
    done.prints(format!("{}\n", i64::from_le_bytes(*b"bcdefgh\0")));
    let message = "region_map: a region is mapped into a 32-bit memory only: use region_read";
    map_wat(&text).flags("--task map").jobs(["0"]).run().ends(100).says(message);
}

#[test]
fn what_lies_in_a_region_is_passed_to_the_host_and_filled_by_it() {
    // From a region's second byte on, through a queue and back behind it, across the border of two regions.
    let task = r#"(func (export "task") (result i64 i64 i32 i64) (local $at i32) (local $queue i32)
        (local.set $at (call $mapped (i32.const 97) (i64.const 65536)))
        (drop (call $mapped (i32.const 98) (i64.const 65536)))
        (memory.copy (i32.add (local.get $at) (i32.const 1)) (i32.const 97) (i32.const 26))
        (local.set $queue (call $queue_create (i32.const 113) (i32.const 1) (i32.const 8) (i64.const 4096) (i32.const 0)))
        (drop (call $queue_put (local.get $queue) (i32.add (local.get $at) (i32.const 1)) (i32.const 20) (i64.const 0)))
        (drop (call $queue_get (local.get $queue) (i32.add (local.get $at) (i32.const 65531)) (i32.const 20) (i64.const 0)))
        (i64.load offset=65531 (local.get $at))
        (i64.load offset=65543 (local.get $at))
        ;; A name in a region; and what does not fit changes nothing.
        (call $queue_open (i32.add (local.get $at) (i32.const 17)) (i32.const 1))
        (drop (call $queue_get (local.get $queue) (local.get $at) (i32.const 8) (i64.const 0)))
        (i64.load offset=1 (local.get $at)))"#;
    let word = |text: &[u8; 8]| i64::from_le_bytes(*text);
    let done = map(task).jobs(["0"]).run().ends(0);
    let (first, last) = (word(b"abcdefgh"), word(b"mnopqrst"));
    done.prints(format!("[{first},{last},4,{first}]\n"));
}

/// Two tasks that share a region. `flip` changes the last byte of a path there without end, from `a` to one that is
/// not UTF-8 and back, until `open` has tried to open the path many times; that answers with how often it could.
const FLIP: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wpool" "region_open" (func $region_open (param i32 i32) (result i32)))
    (import "wpool" "region_map" (func $region_map (param i32) (result i64)))
    (memory (export "memory") 1)
    (data (i32.const 0) "r")
    (func $mapped (result i32)
        (i32.wrap_i64 (call $region_map (call $region_open (i32.const 0) (i32.const 1)))))
    (func (export "flip") (local $at i32)
        (local.set $at (call $mapped))
        (loop $again
            (i32.atomic.store8 offset=2016 (local.get $at) (i32.const 255))
            (i32.atomic.store8 offset=2016 (local.get $at) (i32.const 97))
            (br_if $again (i32.eqz (i32.atomic.load (local.get $at))))))
    (func (export "open") (result i32) (local $at i32) (local $n i32) (local $opened i32)
        (local.set $at (call $mapped))
        (loop $fill
            (i32.store16 offset=16 (i32.add (local.get $at) (local.get $n)) (i32.const 0x2f2e))
            (br_if $fill (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 2))) (i32.const 2000))))
        (loop $wait
            (br_if $wait (i32.ne (i32.atomic.load8_u offset=2016 (local.get $at)) (i32.const 255))))
        (local.set $n (i32.const 3000))
        (loop $try
            (if (i32.eqz (call $path_open (i32.const 3) (i32.const 0) (i32.add (local.get $at) (i32.const 16))
                    (i32.const 2001) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8)))
                (then (local.set $opened (i32.add (local.get $opened) (i32.const 1)))))
            (br_if $try (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i32.atomic.store (local.get $at) (i32.const 1))
        (local.get $opened)))"#;

#[test]
fn a_path_that_others_change_is_checked_as_it_is_used() {
    let folder = run::folder("folder");
    // The only file there has a name that no path of WASI can have.
    let name = OsStr::from_bytes(b"\xff");
    fs::write(folder.join(name), "").expect("is writable");
    let module = run::file("module.wat", FLIP);
    let run = run::wpool(["run"]).arg(module).args(["open", "flip"]).flags("--region r:65536");
    run.dir(&folder, "/").run().ends(0).prints("0\n");
}
