//! Shared objects of the instances and jobs of a run: how many there may be, who sees them, and
//! what becomes of them when an instance is gone.

use crate::common::flat::module;
use crate::common::run::{Wpool, map_wat};

const ISOLATIONS: [&str; 3] = ["reuse", "fresh", "process"];

/// Returns a run of the one exported function among these.
fn map(functions: &str) -> Wpool {
    map_wat(&module(functions))
}

/// A function that makes events until there is no more room, and returns their number and the
/// reason. The names are numbers of eight bytes, whose upper four bytes are the job.
const FILL: &str = r#"(func $fill (param $job i32) (result i32 i32)
        (local $count i32) (local $answer i32)
        (i32.store (i32.const 4) (i32.or (local.get $job) (i32.const 0x01010100)))
        (loop $more
            (i32.store (i32.const 0) (i32.add (local.get $count) (i32.const 0x01010101)))
            (local.set $answer (call $event_create (i32.const 0) (i32.const 8)))
            (if (i32.gt_s (local.get $answer) (i32.const 0)) (then
                (local.set $count (i32.add (local.get $count) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $count) (i32.const 10000))))))
        (local.get $count) (local.get $answer))"#;

#[test]
fn a_job_makes_64_objects_and_all_jobs_together_1024() {
    let jobs: Vec<String> = (1..=18).map(|job| job.to_string()).collect();
    let run = || map(&format!("{FILL} (export \"fill\" (func $fill))")).jobs(&jobs);
    let expected = "[64,-9]\n".repeat(16) + &"[0,-9]\n".repeat(2);
    for isolation in ISOLATIONS {
        run().args(["-j", "1", "--isolation", isolation]).run().ends(0).prints(&expected);
    }
}

#[test]
fn an_object_counts_until_it_is_deleted_and_closed() {
    let again = r#"(func (export "again") (param i32) (result i32 i32 i32 i32)
        (call $fill (local.get 0)) drop drop
        (call $event_create (i32.const 97) (i32.const 1))
        (call $object_delete (i32.const 1))
        (call $event_create (i32.const 97) (i32.const 1))
        (drop (call $object_close (i32.const 1)))
        (call $event_create (i32.const 97) (i32.const 1)))"#;
    map(&format!("{FILL} {again}")).jobs(["1"]).run().ends(0).prints("[-9,0,-9,1]\n");
}

#[test]
fn an_instance_has_4096_handles_and_one_too_many_leaves_nothing_behind() {
    let handles = r#"(func (export "handles") (param i32) (result i32 i32 i32 i32 i32)
        (local $count i32)
        (drop (call $event_create (i32.const 97) (i32.const 1)))
        (loop $more
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (br_if $more (i32.gt_s
                (call $event_open (i32.const 97) (i32.const 1)) (i32.const 0))))
        (local.get $count)
        (call $event_open (i32.const 97) (i32.const 1))
        (call $event_create (i32.const 98) (i32.const 1))
        (drop (call $object_close (i32.const 5)))
        (call $event_open (i32.const 98) (i32.const 1))
        (call $event_open (i32.const 97) (i32.const 1)))"#;
    map(handles).jobs(["1"]).run().ends(0).prints("[4096,-9,-9,-11,5]\n");
}

#[test]
fn storage_ends_at_shared_space() {
    let arrays = r#"(func (export "arrays") (param i32) (result i32 i32 i32)
        (call $array_create (i32.const 97) (i32.const 1) (i32.const 2) (i32.const 0x40000))
        (call $array_create (i32.const 98) (i32.const 1) (i32.const 2) (i32.const 100))
        (call $queue_create (i32.const 99) (i32.const 1) (i32.const 1000)
            (i64.const 0x200000) (i32.const 0)))"#;
    map(arrays).flags("--shared-space 3MiB").jobs(["1"]).run().ends(0).prints("[-9,1,-9]\n");
    map(arrays).jobs(["1"]).run().ends(0).prints("[1,2,3]\n");
}

/// A function that opens the value `v`, or makes it, and adds one to it.
const COUNT: &str = r#"(func $count (result i64) (local $value i32)
        (local.set $value
            (call $value_create (i32.const 118) (i32.const 1) (i32.const 2) (i64.const 0)))
        (if (i32.eq (local.get $value) (i32.const -10)) (then
            (local.set $value (call $value_open (i32.const 118) (i32.const 1)))))
        (call $value_add (local.get $value) (i64.const 1)))"#;

#[test]
fn an_object_outlives_the_instance_that_made_it() {
    for isolation in ISOLATIONS {
        let task = "(func (export \"count\") (param i32) (result i64) (call $count))";
        let run = map(&format!("{COUNT} {task}")).args(["-j", "1", "--isolation", isolation]);
        run.flags("--range 0..5").run().ends(0).prints("0\n1\n2\n3\n4\n");
    }
}

#[test]
fn an_object_outlives_the_instance_that_trapped() {
    for isolation in ISOLATIONS {
        let task = r#"(func (export "count") (param i32) (result i64)
            (call $count) (if (i32.lt_u (local.get 0) (i32.const 3)) (then unreachable)))"#;
        let run = map(&format!("{COUNT} {task}")).args(["-j", "1", "--isolation", isolation]);
        run.flags("--range 0..5").run().ends(100).prints("null\nnull\nnull\n3\n4\n");
    }
}

#[test]
fn an_instance_that_is_thrown_away_closes_what_it_had_open() {
    // Each job makes an object, deletes it, and does not close it: its storage is freed with the
    // handle.
    let task = r#"(func (export "leave") (param i32) (result i32)
        (if (i32.lt_s (call $event_create (i32.const 97) (i32.const 1)) (i32.const 0))
            (then (return (i32.const -9))))
        (call $object_delete (local.get 0)))"#;
    let run = |isolation| map(task).args(["-j", "1", "--isolation", isolation]);
    let firsts = vec!["1"; 1200];
    run("fresh").jobs(&firsts).run().ends(0).prints("0\n".repeat(1200));
    let counting: Vec<String> = (1..=1025).map(|handle: i32| handle.to_string()).collect();
    let expected = "0\n".repeat(1024) + "-9\n";
    run("reuse").jobs(&counting).run().ends(0).prints(expected);
}

#[test]
fn what_an_instance_held_is_given_back_and_the_next_is_told_whose_it_was() {
    // Job 0 takes a lock, two permits and a message; the others return what they are told.
    let task = r#"(func (export "told") (param $job i32) (result i32 i32 i64 i32)
        (local $lock i32) (local $semaphore i32) (local $queue i32)
        (if (i32.eqz (local.get $job)) (then
            (drop (call $lock_acquire
                (call $lock_create (i32.const 108) (i32.const 1) (i32.const 0)) (i64.const 0)))
            (local.set $semaphore
                (call $semaphore_create (i32.const 115) (i32.const 1) (i32.const 2) (i32.const 3)))
            (drop (call $semaphore_acquire (local.get $semaphore) (i64.const 0)))
            (drop (call $semaphore_acquire (local.get $semaphore) (i64.const 0)))
            (local.set $queue (call $queue_create (i32.const 113) (i32.const 1) (i32.const 1)
                (i64.const 0) (i32.const 0)))
            (drop (call $queue_put (local.get $queue) (i32.const 97) (i32.const 3) (i64.const 0)))
            (drop (call $queue_get
                (local.get $queue) (i32.const 0) (i32.const 0) (i64.const 0)))
            unreachable))
        (call $lock_acquire
            (call $lock_open (i32.const 108) (i32.const 1)) (i64.const 0))
        (call $semaphore_acquire
            (call $semaphore_open (i32.const 115) (i32.const 1)) (i64.const 0))
        (call $queue_get (call $queue_open (i32.const 113) (i32.const 1))
            (i32.const 0) (i32.const 0) (i64.const 0))
        (i32.eq (call $culprit) (call $process_slot)))"#;
    for isolation in ISOLATIONS {
        let run = map(task).args(["-j", "1", "--isolation", isolation]).jobs(["0", "1"]);
        let redelivered = (1_i64 << 32) + 3;
        run.run().ends(100).prints(format!("null\n[1,2,{redelivered},1]\n"));
    }
}

#[test]
fn a_trap_with_a_lock_held_is_told_to_the_worker_that_waits_for_it() {
    // Job 1 holds the lock when it traps. Job 0 waits for that lock in another worker.
    let task = r#"(func (export "hold") (param $job i32) (result i32 i32)
        (local $lock i32) (local $held i32)
        (local.set $lock (call $lock_create (i32.const 108) (i32.const 1) (i32.const 0)))
        (if (i32.eq (local.get $lock) (i32.const -10))
            (then (local.set $lock (call $lock_open (i32.const 108) (i32.const 1)))))
        (local.set $held (call $event_create (i32.const 101) (i32.const 1)))
        (if (i32.eq (local.get $held) (i32.const -10))
            (then (local.set $held (call $event_open (i32.const 101) (i32.const 1)))))
        (if (local.get $job) (then
            (drop (call $lock_acquire (local.get $lock) (i64.const -1)))
            (drop (call $event_set (local.get $held)))
            unreachable))
        (drop (call $event_wait (local.get $held) (i64.const -1)))
        (call $lock_acquire (local.get $lock) (i64.const -1))
        (i32.ne (call $culprit) (call $process_slot)))"#;
    for isolation in ISOLATIONS {
        let run = map(task).args(["-j", "2", "--batch", "1", "--isolation", isolation]);
        let done = run.jobs(["0", "1"]).run().ends(100).prints("[1,1]\nnull\n");
        done.says("job 1 (1) trapped: unreachable");
    }
}

#[test]
fn a_message_of_any_length_is_read_in_pieces() {
    // The task puts `len` bytes, gets eight of them, and reads the last bytes at the end, and one
    // beyond.
    let task = r#"(func (export "read") (param $len i32) (result i64 i32 i32 i32 i32)
        (local $queue i32)
        (drop (memory.grow (i32.const 64)))
        (local.set $queue (call $queue_create (i32.const 113) (i32.const 1) (i32.const 2)
            (i64.const 4000000) (i32.const 0)))
        (if (i32.eq (local.get $queue) (i32.const -10))
            (then (local.set $queue (call $queue_open (i32.const 113) (i32.const 1)))))
        (i64.store8 offset=65536 (local.get $len) (i64.const 7))
        (drop (call $queue_put (local.get $queue) (i32.const 65537) (local.get $len) (i64.const 0)))
        (i64.store (i32.const 8) (i64.const 0))
        (call $queue_get (local.get $queue) (i32.const 0) (i32.const 8) (i64.const 0))
        (call $queue_read (local.get $queue)
            (i32.const 16) (i32.sub (local.get $len) (i32.const 3)) (i32.const 8))
        (i32.load8_u (i32.const 18))
        (call $queue_read (local.get $queue) (i32.const 16) (local.get $len) (i32.const 8))
        (i32.load (i32.const 8)))"#;
    let lengths = ["3", "96", "97", "3000000", "5"];
    let expected = lengths.map(|length| format!("[{length},3,7,0,0]\n")).concat();
    map(task).flags("-j 1").jobs(lengths).run().ends(0).prints(expected);
}

#[test]
fn only_the_message_last_got_is_kept_and_only_for_its_handle() {
    let task = r#"(func (export "read") (param i32) (result i32 i32 i32 i32 i32)
        (local $first i32) (local $second i32)
        (local.set $first (call $queue_create (i32.const 97) (i32.const 1) (i32.const 2)
            (i64.const 0) (i32.const 0)))
        (local.set $second (call $queue_open (i32.const 97) (i32.const 1)))
        (call $queue_read (local.get $first) (i32.const 0) (i32.const 0) (i32.const 8))
        (drop (call $queue_put (local.get $first) (i32.const 97) (i32.const 5) (i64.const 0)))
        (drop (call $queue_get (local.get $first) (i32.const 0) (i32.const 0) (i64.const 0)))
        (call $queue_read (local.get $first) (i32.const 0) (i32.const 0) (i32.const 8))
        (call $queue_read (local.get $second) (i32.const 0) (i32.const 0) (i32.const 8))
        (drop (call $object_close (local.get $first)))
        (drop (call $queue_open (i32.const 97) (i32.const 1)))
        (call $queue_read (local.get $first) (i32.const 0) (i32.const 0) (i32.const 8))
        (drop (call $queue_get (local.get $second) (i32.const 0) (i32.const 0) (i64.const 0)))
        (call $queue_read (local.get $second) (i32.const 0) (i32.const 0) (i32.const 8)))"#;
    map(task).jobs(["0"]).run().ends(0).prints("[-11,5,-11,-11,-11]\n");
}

#[test]
fn a_message_is_not_lost_where_there_is_no_room_for_it_in_the_memory() {
    let task = r#"(func (export "get") (param $at i32) (result i32 i32)
        (local $queue i32)
        (local.set $queue (call $queue_create (i32.const 97) (i32.const 1) (i32.const 2)
            (i64.const 0) (i32.const 0)))
        (if (i32.eq (local.get $queue) (i32.const -10))
            (then (local.set $queue (call $queue_open (i32.const 97) (i32.const 1))))
            (else (drop (call $queue_put
                (local.get $queue) (i32.const 97) (i32.const 5) (i64.const 0)))))
        (call $queue_len (local.get $queue))
        (drop (call $queue_get (local.get $queue) (local.get $at) (i32.const 8) (i64.const 0)))
        (call $queue_len (local.get $queue)))"#;
    map(task).flags("-j 1").jobs(["-1", "0"]).run().ends(100).prints("null\n[1,0]\n");
}

#[test]
fn a_bool_is_0_or_1_whatever_byte_is_written() {
    let task = r#"(func (export "bools") (param i32) (result i64 i64 i32)
        (local $bools i32)
        (local.set $bools (call $array_create (i32.const 97) (i32.const 1) (i32.const 7)
            (i32.const 4)))
        (call $array_write (local.get $bools) (i32.const 1) (i32.const 97) (i32.const 2))
        (call $array_compare_exchange
            (local.get $bools) (i32.const 1) (i64.const 256) (i64.const 0))
        (call $array_swap (local.get $bools) (i32.const 3) (i64.const -1))
        (call $array_read (local.get $bools) (i32.const 0) (i32.const 0) (i32.const 4))
        (i32.load (i32.const 0)))"#;
    let left = 0x0101_0000;
    map(task).jobs(["0"]).run().ends(0).prints(format!("[1,0,{left}]\n"));
}

#[test]
fn what_the_command_line_makes_no_guest_can_delete() {
    // The code opens `a`, deletes it, and tries to make another object with its name. Then it does
    // the same with `b`, its own object.
    let replace = |kind: &str, name: i64, create: &str| {
        let name = format!("(i32.const {name}) (i32.const 1)");
        format!(
            "(call $object_delete (call ${kind}_open {name}))
            (call ${kind}_create {name} {create})"
        )
    };
    for (kind, flag, create) in [
        ("value", "--value a=i64:7", "(i32.const 1) (i64.const 666)"),
        ("event", "--event a=set", ""),
        ("region", "--region a:64KiB", "(i64.const 4)"),
        ("queue", "--queue a", "(i32.const 1) (i64.const 64) (i32.const 0)"),
    ] {
        let own = replace(kind, 98, create);
        let flagged = replace(kind, 97, create);
        let functions = format!(
            r#"(func (export "replace") (param i32) (result i32 i32 i32)
                (if (i32.lt_s (call ${kind}_create (i32.const 98) (i32.const 1) {create}) (i32.const 0))
                    (then (unreachable)))
                {flagged} {own} (drop))"#
        );
        for isolation in ISOLATIONS {
            let run = map(&functions).args(["--isolation", isolation]).flags(flag).jobs(["0"]);
            run.run().ends(0).prints("[-4,-10,0]\n");
        }
    }
}
