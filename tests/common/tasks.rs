//! Tasks on shared objects whose names are letters.

use super::flat::module;

/// Scalar tasks, each with one number as its job. Tasks that never end first write their process id
/// to the value `p`.
/// - `hold` acquires the lock `l`, `take` a permit of `s`, `fetch` the first message of `q`; then each
///   goes on for ever;
/// - `locked` adds to the value `v` as often as its job says, by reading and writing it under the
///   lock `l`; `atomic` does so without the lock;
/// - `double` gets a number from the queue `q`, waiting for it, and puts its double into `r`;
/// - `sums` sets each element of the array `a` to the sum of all elements up to it;
/// - `wait` waits for the event `e`, `meet` at the barrier `b`, `sleep` for a notification of `c`,
///   and each returns the answer to its wait; `wake` notifies all waits for `c`.
const TASKS: &str = r#"
    (func $open_lock (result i32) (call $lock_open (i32.const 108) (i32.const 1)))
    (func $open_value (param $name i32) (result i32) (call $value_open (local.get $name) (i32.const 1)))
    (func $open_queue (param $name i32) (result i32) (call $queue_open (local.get $name) (i32.const 1)))
    (func $for_ever (result i32)
        (call $value_set (call $open_value (i32.const 112)) (i64.extend_i32_u (call $process_id)))
        (loop $again (br $again))
        (unreachable))
    (func (export "hold") (param i64) (result i32)
        (drop (call $lock_acquire (call $open_lock) (i64.const -1)))
        (call $for_ever))
    (func (export "take") (param i64) (result i32)
        (drop (call $semaphore_acquire (call $semaphore_open (i32.const 115) (i32.const 1))
            (i64.const -1)))
        (call $for_ever))
    (func (export "fetch") (param i64) (result i32)
        (drop (call $queue_get (call $open_queue (i32.const 113)) (i32.const 1024) (i32.const 100)
            (i64.const -1)))
        (call $for_ever))

    (func $add_one (param $value i32)
        (call $value_set (local.get $value)
            (i64.add (call $value_get (local.get $value)) (i64.const 1))))
    (func (export "locked") (param $times i64) (result i32)
        (local $lock i32) (local $value i32)
        (local.set $lock (call $open_lock))
        (local.set $value (call $open_value (i32.const 118)))
        (loop $again
            (if (call $lock_acquire (local.get $lock) (i64.const -1)) (then (unreachable)))
            (call $add_one (local.get $value))
            (if (call $lock_release (local.get $lock)) (then (unreachable)))
            (local.set $times (i64.sub (local.get $times) (i64.const 1)))
            (br_if $again (i64.gt_s (local.get $times) (i64.const 0))))
        (i32.const 0))
    (func (export "atomic") (param $times i64) (result i32)
        (local $value i32)
        (local.set $value (call $open_value (i32.const 118)))
        (loop $again
            (drop (call $value_add (local.get $value) (i64.const 1)))
            (local.set $times (i64.sub (local.get $times) (i64.const 1)))
            (br_if $again (i64.gt_s (local.get $times) (i64.const 0))))
        (i32.const 0))

    (func $number (param $at i32) (param $length i32) (result i64)
        (local $number i64)
        (loop $digit
            (local.set $number (i64.add (i64.mul (local.get $number) (i64.const 10))
                (i64.sub (i64.load8_u (local.get $at)) (i64.const 48))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (local.set $length (i32.sub (local.get $length) (i32.const 1)))
            (br_if $digit (local.get $length)))
        (local.get $number))
    (func (export "double") (param i64) (result i64)
        (local $number i64) (local $rest i64) (local $at i32)
        (local.set $number (call $number (i32.const 1024)
            (i32.wrap_i64 (call $queue_get (call $open_queue (i32.const 113)) (i32.const 1024)
                (i32.const 100) (i64.const -1)))))
        (local.set $rest (i64.mul (local.get $number) (i64.const 2)))
        (local.set $at (i32.const 2048))
        (loop $digit
            (local.set $at (i32.sub (local.get $at) (i32.const 1)))
            (i64.store8 (local.get $at)
                (i64.add (i64.const 48) (i64.rem_u (local.get $rest) (i64.const 10))))
            (local.set $rest (i64.div_u (local.get $rest) (i64.const 10)))
            (br_if $digit (i64.ne (local.get $rest) (i64.const 0))))
        (if (call $queue_put (call $open_queue (i32.const 114)) (local.get $at)
                (i32.sub (i32.const 2048) (local.get $at)) (i64.const -1))
            (then (unreachable)))
        (local.get $number))

    (func (export "sums") (param i64) (result i32)
        (local $array i32) (local $at i32) (local $sum i64)
        (local.set $array (call $array_open (i32.const 97) (i32.const 1)))
        (loop $next
            (local.set $sum
                (i64.add (local.get $sum) (call $array_get (local.get $array) (local.get $at))))
            (call $array_set (local.get $array) (local.get $at) (local.get $sum))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $at) (call $array_len (local.get $array)))))
        (local.get $at))

    (func (export "wait") (param i64) (result i32)
        (call $event_wait (call $event_open (i32.const 101) (i32.const 1)) (i64.const -1)))
    (func (export "meet") (param i64) (result i32)
        (call $barrier_wait (call $barrier_open (i32.const 98) (i32.const 1)) (i64.const -1)))
    (func $open_condition (result i32)
        (local $condition i32)
        (local.set $condition (call $condition_open (i32.const 99) (i32.const 1)))
        (if (call $condition_acquire (local.get $condition) (i64.const -1)) (then (unreachable)))
        (local.get $condition))
    (func (export "sleep") (param i64) (result i32)
        (local $condition i32) (local $how i32)
        (local.set $condition (call $open_condition))
        (local.set $how (call $condition_wait (local.get $condition) (i64.const -1)))
        (drop (call $condition_release (local.get $condition)))
        (local.get $how))
    (func (export "wake") (param i64) (result i32)
        (local $condition i32) (local $how i32)
        (local.set $condition (call $open_condition))
        (local.set $how (call $condition_notify_all (local.get $condition)))
        (drop (call $condition_release (local.get $condition)))
        (local.get $how))"#;

/// Returns the module with all these tasks.
pub(crate) fn tasks() -> String {
    module(TASKS)
}
