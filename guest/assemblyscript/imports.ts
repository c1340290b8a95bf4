/**
 * The imports from the module `wpool`. Written by `cargo xtask codegen` from `wit/`.
 */

/** The operation could not be done in the given time. With a time of 0, it cannot be done now. */
export const TIMED_OUT: i32 = -1;
/** The run is ending, and nothing is waited for any more. */
export const INTERRUPTED: i32 = -2;
/** The barrier is broken, or a death has damaged the object beyond repair. */
export const BROKEN: i32 = -3;
/** The caller is not the owner, and only the owner may do this. */
export const NOT_OWNER: i32 = -4;
/** The caller holds the lock already, and would wait for itself for ever. */
export const ALREADY_OWNER: i32 = -5;
/** An object was released more often than acquired, a task was done more often than got, or a
 * lock is nested too deeply. */
export const TOO_MANY: i32 = -6;
/** The queue is closed: nothing can be put. If this is the answer to `get`, no message is left
 * either. */
export const CLOSED: i32 = -7;
/** The message could never fit into the queue. */
export const TOO_LARGE: i32 = -8;
/** No object, no storage, no handle or no address space is left. */
export const NO_SPACE: i32 = -9;
/** An object with this name exists. */
export const EXISTS: i32 = -10;
/** There is no object with this name. */
export const NOT_FOUND: i32 = -11;
/** The object with this name is of another kind, or the queue does not count tasks. */
export const WRONG_KIND: i32 = -12;
/** The number is not of the value's or the array's type. */
export const WRONG_TYPE: i32 = -13;
/** A name is empty, longer than 128 bytes, or has a NUL; or a size or a count is outside its
 * limits. */
export const OUT_OF_RANGE: i32 = -14;
/** The region may only be read. */
export const READ_ONLY: i32 = -15;
/** A signed integer of 32 bits. */
export const NUMBER_TYPE_I32: i32 = 1;
/** A signed integer of 64 bits. */
export const NUMBER_TYPE_I64: i32 = 2;
/** An unsigned integer of 32 bits. */
export const NUMBER_TYPE_U32: i32 = 3;
/** An unsigned integer of 64 bits. */
export const NUMBER_TYPE_U64: i32 = 4;
/** A float of 32 bits. */
export const NUMBER_TYPE_F32: i32 = 5;
/** A float of 64 bits. */
export const NUMBER_TYPE_F64: i32 = 6;
/** A boolean. */
export const NUMBER_TYPE_BOOL: i32 = 7;

/** Returns the id of the operating-system process that runs this guest. Guests may print the id
 * to show which jobs share a process; nothing else follows from it. Arguments: none. Answers:
 * the id. */
// @ts-ignore: decorator
@external("wpool", "process_id")
export declare function process_id(): i32;

/** Returns the slot of this process in shared state. Arguments: none. Answers: the slot, which no
 * other process has at the same time. */
// @ts-ignore: decorator
@external("wpool", "process_slot")
export declare function process_slot(): i32;

/** Returns the slot of the process whose death or abort was reported last to this instance: by
 * `owner-died`, `broken`, or restored permits. Arguments: none. Answers: the slot, if it is
 * known. */
// @ts-ignore: decorator
@external("wpool", "culprit")
export declare function culprit(): i32;

/** Makes a lock and opens it. Arguments: the name; true if the owner may take the lock again.
 * Answers: the lock; `exists`, `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "lock_create")
export declare function lock_create(name: usize, name_len: usize, recursive: i32): i32;

/** Opens a lock. Arguments: the name. Answers: the lock; `not-found`, `wrong-kind`, `no-space`,
 * `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "lock_open")
export declare function lock_open(name: usize, name_len: usize): i32;

/** Takes the lock. Arguments: the longest time to wait. Answers: the way the lock was taken;
 * `timed-out`, `interrupted`, `broken`, `already-owner` (without a limit the caller would wait
 * for itself for ever), `too-many` (beyond 65,534 levels). */
// @ts-ignore: decorator
@external("wpool", "lock_acquire")
export declare function lock_acquire(handle: i32, timeout_ns: i64): i32;

/** Gives the lock back, or one level of a recursive lock. Arguments: none. Answers: nothing;
 * `not-owner`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "lock_release")
export declare function lock_release(handle: i32): i32;

/** Marks the data that the lock protects as whole again, after `owner-died`. Arguments: none.
 * Answers: nothing; `not-owner`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "lock_mark_consistent")
export declare function lock_mark_consistent(handle: i32): i32;

/** Deletes the lock. Its name is free at once; processes that have the lock open can go on using
 * it. Arguments: none. Answers: nothing; `not-found` if it was deleted before; `not-owner` if
 * the command line or the host's program has made it. */
// @ts-ignore: decorator
@external("wpool", "object_delete")
export declare function object_delete(handle: i32): i32;

/** Makes a semaphore and opens it. Arguments: the name; the number of permits, at most 2³¹−1;
 * the options. Answers: the semaphore; `exists`, `no-space`, `out-of-range` (the name, the
 * permits). */
// @ts-ignore: decorator
@external("wpool", "semaphore_create")
export declare function semaphore_create(name: usize, name_len: usize, initial: u32, flags: i32): i32;

/** Opens a semaphore. Arguments: the name. Answers: the semaphore; `not-found`, `wrong-kind`,
 * `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "semaphore_open")
export declare function semaphore_open(name: usize, name_len: usize): i32;

/** Takes a permit. Arguments: the longest time to wait. Answers: the number of restored permits
 * of dead processes, which is reported once; `timed-out`, `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "semaphore_acquire")
export declare function semaphore_acquire(handle: i32, timeout_ns: i64): i32;

/** Gives a permit back, or makes a new one if this process holds none. Arguments: none. Answers:
 * nothing; `too-many` (a bounded semaphore would have more than at the start, any other more
 * than 2³¹−1), `broken`. */
// @ts-ignore: decorator
@external("wpool", "semaphore_release")
export declare function semaphore_release(handle: i32): i32;

/** Returns how many permits are free at this moment. Arguments: none. Answers: the count. */
// @ts-ignore: decorator
@external("wpool", "semaphore_count")
export declare function semaphore_count(handle: i32): i32;

/** Makes a condition and opens it. Arguments: the name; the lock, or none for a recursive lock of
 * its own. Answers: the condition; `exists`, `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "condition_create")
export declare function condition_create(name: usize, name_len: usize, lock: i32): i32;

/** Opens a condition. Arguments: the name. Answers: the condition; `not-found`, `wrong-kind`,
 * `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "condition_open")
export declare function condition_open(name: usize, name_len: usize): i32;

/** Takes the condition's lock. Arguments: the longest time to wait. Answers: the way the lock was
 * taken; `timed-out`, `interrupted`, `broken`, `already-owner` (without a limit the caller would
 * wait for itself for ever), `too-many` (beyond 65,534 levels). */
// @ts-ignore: decorator
@external("wpool", "condition_acquire")
export declare function condition_acquire(handle: i32, timeout_ns: i64): i32;

/** Gives the condition's lock back, or one level of a recursive lock. Arguments: none. Answers:
 * nothing; `not-owner`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "condition_release")
export declare function condition_release(handle: i32): i32;

/** Marks the data that the condition's lock protects as whole again, after `owner-died`.
 * Arguments: none. Answers: nothing; `not-owner`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "condition_mark_consistent")
export declare function condition_mark_consistent(handle: i32): i32;

/** Gives the lock back (all its levels), waits for a notification, and takes the lock again.
 * Arguments: the longest time to wait for the notification. Taking the lock again has no limit.
 * Answers: the way the wait ended; `not-owner`; `interrupted`, `broken`: the lock is not held. */
// @ts-ignore: decorator
@external("wpool", "condition_wait")
export declare function condition_wait(handle: i32, timeout_ns: i64): i32;

/** Notifies waiting processes, the longest waiting first. Arguments: the greatest number.
 * Answers: the number of notified processes; `not-owner`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "condition_notify")
export declare function condition_notify(handle: i32, count: u32): i32;

/** Notifies all waiting processes. Arguments: none. Answers: the number of notified processes;
 * `not-owner`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "condition_notify_all")
export declare function condition_notify_all(handle: i32): i32;

/** Makes an event that is not set, and opens it. Arguments: the name. Answers: the event;
 * `exists`, `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "event_create")
export declare function event_create(name: usize, name_len: usize): i32;

/** Opens an event. Arguments: the name. Answers: the event; `not-found`, `wrong-kind`,
 * `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "event_open")
export declare function event_open(name: usize, name_len: usize): i32;

/** Sets the flag. All waiting processes go on, even if the flag is cleared at once. Arguments:
 * none. Answers: nothing; `broken`. */
// @ts-ignore: decorator
@external("wpool", "event_set")
export declare function event_set(handle: i32): i32;

/** Clears the flag. Arguments: none. Answers: nothing; `broken`. */
// @ts-ignore: decorator
@external("wpool", "event_clear")
export declare function event_clear(handle: i32): i32;

/** Returns whether the flag is set. Arguments: none. Answers: the boolean. */
// @ts-ignore: decorator
@external("wpool", "event_is_set")
export declare function event_is_set(handle: i32): i32;

/** Waits until the flag is set. Arguments: the longest time to wait. Answers: nothing;
 * `timed-out`, `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "event_wait")
export declare function event_wait(handle: i32, timeout_ns: i64): i32;

/** Makes a barrier and opens it. Arguments: the name; the number of parties, 1 to 1024. Answers:
 * the barrier; `exists`, `no-space`, `out-of-range` (the name, the parties). */
// @ts-ignore: decorator
@external("wpool", "barrier_create")
export declare function barrier_create(name: usize, name_len: usize, parties: u32): i32;

/** Opens a barrier. Arguments: the name. Answers: the barrier; `not-found`, `wrong-kind`,
 * `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "barrier_open")
export declare function barrier_open(name: usize, name_len: usize): i32;

/** Waits until all parties wait. Arguments: the longest time to wait. Answers: the place of this
 * party in the order of arrival, from 0; `broken` if the barrier is broken, or breaks meanwhile;
 * `timed-out`, `interrupted`: the barrier is broken now, for all. */
// @ts-ignore: decorator
@external("wpool", "barrier_wait")
export declare function barrier_wait(handle: i32, timeout_ns: i64): i32;

/** Breaks the barrier for all parties that wait now or later. Arguments: none. Answers: nothing;
 * `broken` if the barrier is damaged. */
// @ts-ignore: decorator
@external("wpool", "barrier_abort")
export declare function barrier_abort(handle: i32): i32;

/** Resets the barrier. Waiting parties are told that it broke. Arguments: none. Answers: nothing;
 * `broken` if the barrier is damaged. */
// @ts-ignore: decorator
@external("wpool", "barrier_reset")
export declare function barrier_reset(handle: i32): i32;

/** Returns the number of parties. Arguments: none. Answers: the number. */
// @ts-ignore: decorator
@external("wpool", "barrier_parties")
export declare function barrier_parties(handle: i32): i32;

/** Returns how many parties wait at this moment. Arguments: none. Answers: the number. */
// @ts-ignore: decorator
@external("wpool", "barrier_waiting")
export declare function barrier_waiting(handle: i32): i32;

/** Returns whether the barrier is broken. Arguments: none. Answers: the boolean. */
// @ts-ignore: decorator
@external("wpool", "barrier_is_broken")
export declare function barrier_is_broken(handle: i32): i32;

/** Makes a queue and opens it. Arguments: the name; the greatest number of messages, 1 to 65,536;
 * the greatest number of bytes, in pieces of 256, of messages longer than 96 bytes; true if
 * tasks are counted, for `task-done` and `join`. Answers: the queue; `exists`, `no-space`,
 * `out-of-range` (the name, a size). */
// @ts-ignore: decorator
@external("wpool", "queue_create")
export declare function queue_create(name: usize, name_len: usize, messages: u32, bytes: u64, joinable: i32): i32;

/** Opens a queue. Arguments: the name. Answers: the queue; `not-found`, `wrong-kind`, `no-space`,
 * `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "queue_open")
export declare function queue_open(name: usize, name_len: usize): i32;

/** Puts a message at the end. Arguments: the message; the longest time to wait for space.
 * Answers: nothing; `timed-out` (full), `closed`, `too-large`, `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "queue_put")
export declare function queue_put(handle: i32, src: usize, len: usize, timeout_ns: i64): i32;

/** Gets the first message. If this process dies before it is done with the message, another
 * process gets it. The process is done with the message at its next call of any function of this
 * queue, and when its job succeeds. Arguments: the longest time to wait. Answers: the message;
 * `timed-out` (empty), `closed` (and empty), `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "queue_get")
export declare function queue_get(handle: i32, dst: usize, capacity: usize, timeout_ns: i64): i64;

/** Gets the first message. If this process dies before it is done with the message, another
 * process gets it. The process is done with the message at its next call of any function of this
 * queue, and when its job succeeds. Arguments: the longest time to wait. Answers: the message;
 * `timed-out` (empty), `closed` (and empty), `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "queue_read")
export declare function queue_read(handle: i32, dst: usize, offset: usize, len: usize): i32;

/** Acknowledges the message last got: it will not be delivered again. Arguments: none. Answers:
 * nothing; `not-owner` if there is no message to acknowledge, `broken`. */
// @ts-ignore: decorator
@external("wpool", "queue_acknowledge")
export declare function queue_acknowledge(handle: i32): i32;

/** Marks a task whose message was got as done. Acknowledges the message last got. Arguments:
 * none. Answers: nothing; `too-many` if no task is undone, `wrong-kind` if the queue does not
 * count tasks, `broken`. */
// @ts-ignore: decorator
@external("wpool", "queue_task_done")
export declare function queue_task_done(handle: i32): i32;

/** Waits until the tasks of all messages are done. Arguments: the longest time to wait. Answers:
 * the number of tasks that were acknowledged by processes that died before the tasks were done,
 * which is reported once; `timed-out`, `wrong-kind` if the queue does not count tasks,
 * `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "queue_join")
export declare function queue_join(handle: i32, timeout_ns: i64): i32;

/** Closes the queue for puts of all processes. The messages in the queue can still be got.
 * Arguments: none. Answers: nothing; `broken`. */
// @ts-ignore: decorator
@external("wpool", "queue_close")
export declare function queue_close(handle: i32): i32;

/** Returns whether the queue is closed. Arguments: none. Answers: the boolean. */
// @ts-ignore: decorator
@external("wpool", "queue_is_closed")
export declare function queue_is_closed(handle: i32): i32;

/** Returns how many messages are in the queue at this moment. Arguments: none. Answers: the
 * number. */
// @ts-ignore: decorator
@external("wpool", "queue_len")
export declare function queue_len(handle: i32): i32;

/** Makes a value and opens it. Arguments: the name; the number, which sets the type as well.
 * Answers: the value; `exists`, `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "value_create")
export declare function value_create(name: usize, name_len: usize, type: i32, initial: i64): i32;

/** Opens a value. Arguments: the name. Answers: the value; `not-found`, `wrong-kind`, `no-space`,
 * `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "value_open")
export declare function value_open(name: usize, name_len: usize): i32;

/** Returns the type of the number. Arguments: none. Answers: the type. */
// @ts-ignore: decorator
@external("wpool", "value_type")
export declare function value_type(handle: i32): i32;

/** Returns the number. Arguments: none. Answers: the number. */
// @ts-ignore: decorator
@external("wpool", "value_get")
export declare function value_get(handle: i32): i64;

/** Sets the number. Arguments: the number. Answers: nothing; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "value_set")
export declare function value_set(handle: i32, bits: i64): void;

/** Sets the number, and returns the previous one. Arguments: the number. Answers: the previous
 * number; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "value_swap")
export declare function value_swap(handle: i32, bits: i64): i64;

/** Adds to the number, and returns the previous one. Integers wrap. Arguments: the number to add.
 * Answers: the previous number; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "value_add")
export declare function value_add(handle: i32, bits: i64): i64;

/** Sets the number if it is the expected one (floats: the same bits), and returns the previous
 * one. Arguments: the expected number; the new number. Answers: the previous number, which was
 * replaced if it is the expected one; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "value_compare_exchange")
export declare function value_compare_exchange(handle: i32, expected: i64, new_: i64): i64;

/** Makes an array of zeros and opens it. Arguments: the name; the type of the elements; the
 * number of elements. Answers: the array; `exists`, `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "array_create")
export declare function array_create(name: usize, name_len: usize, type: i32, length: u32): i32;

/** Opens an array. Arguments: the name. Answers: the array; `not-found`, `wrong-kind`,
 * `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "array_open")
export declare function array_open(name: usize, name_len: usize): i32;

/** Returns the type of the elements. Arguments: none. Answers: the type. */
// @ts-ignore: decorator
@external("wpool", "array_type")
export declare function array_type(handle: i32): i32;

/** Returns the number of elements. Arguments: none. Answers: the number. */
// @ts-ignore: decorator
@external("wpool", "array_len")
export declare function array_len(handle: i32): i32;

/** Returns an element. Arguments: the index. Answers: the number. */
// @ts-ignore: decorator
@external("wpool", "array_get")
export declare function array_get(handle: i32, index: u32): i64;

/** Sets an element. Arguments: the index; the number. Answers: nothing; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "array_set")
export declare function array_set(handle: i32, index: u32, bits: i64): void;

/** Sets an element, and returns its previous number. Arguments: the index; the number. Answers:
 * the previous number; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "array_swap")
export declare function array_swap(handle: i32, index: u32, bits: i64): i64;

/** Adds to an element, and returns its previous number. Integers wrap. Arguments: the index; the
 * number to add. Answers: the previous number; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "array_add")
export declare function array_add(handle: i32, index: u32, bits: i64): i64;

/** Sets an element if it is the expected number (floats: the same bits), and returns the previous
 * number. Arguments: the index; the expected number; the new number. Answers: the previous
 * number, which was replaced if it is the expected one; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "array_compare_exchange")
export declare function array_compare_exchange(handle: i32, index: u32, expected: i64, new_: i64): i64;

/** Copies elements out. Arguments: the first index; the number of elements. Answers: the numbers. */
// @ts-ignore: decorator
@external("wpool", "array_read")
export declare function array_read(handle: i32, first: u32, dst: usize, count: usize): void;

/** Copies elements in. Arguments: the first index; the numbers. Answers: nothing; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "array_write")
export declare function array_write(handle: i32, first: u32, src: usize, count: usize): void;

/** Makes a region of zeros, which every process may write, and opens it. Arguments: the name; the
 * number of bytes. Answers: the region; `exists`, `no-space`, `out-of-range` (the name, or the
 * size). */
// @ts-ignore: decorator
@external("wpool", "region_create")
export declare function region_create(name: usize, name_len: usize, bytes: u64): i32;

/** Opens a region. Arguments: the name. Answers: the region; `not-found`, `wrong-kind`,
 * `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "region_open")
export declare function region_open(name: usize, name_len: usize): i32;

/** Returns the size of the region. Arguments: none. Answers: the number of bytes. */
// @ts-ignore: decorator
@external("wpool", "region_size")
export declare function region_size(handle: i32): i64;

/** Returns whether guests may only read the region. Arguments: none. Answers: the boolean. */
// @ts-ignore: decorator
@external("wpool", "region_is_read_only")
export declare function region_is_read_only(handle: i32): i32;

/** Copies bytes out of the region. Each aligned word of eight or four bytes is whole; several
 * words together are not. Arguments: the first byte's offset; the number of bytes. Answers: the
 * bytes; `broken`. */
// @ts-ignore: decorator
@external("wpool", "region_read")
export declare function region_read(handle: i32, offset: u64, dst: usize, len: usize): i32;

/** Copies bytes into the region. Each aligned word of eight or four bytes is whole; several words
 * together are not. Arguments: the first byte's offset; the bytes. Answers: nothing;
 * `read-only`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "region_write")
export declare function region_write(handle: i32, offset: u64, src: usize, len: usize): i32;

/** Closes an object. */
// @ts-ignore: decorator
@external("wpool", "object_close")
export declare function object_close(handle: i32): i32;

/** bytes of the job of a byte task (an export `task_NAME: () -> i32`) */
// @ts-ignore: decorator
@external("wpool", "job_size")
export declare function job_size(): i32;

/** copies bytes of the job from `offset` to `dst`; returns how many */
// @ts-ignore: decorator
@external("wpool", "job_read")
export declare function job_read(dst: usize, offset: usize, len: usize): i32;

/** appends bytes to the result, or to the error message if the task then returns anything but 0 */
// @ts-ignore: decorator
@external("wpool", "result_write")
export declare function result_write(src: usize, len: usize): void;

/** maps a region into the memory, behind everything that the guest has; returns its address, a
 * multiple of 64 KiB, or `no-space`; a region that is mapped already keeps its address */
// @ts-ignore: decorator
@external("wpool", "region_map")
export declare function region_map(handle: i32): i64;

/** takes the region out of the memory, unless another handle has it mapped; closing the handle
 * does so, too */
// @ts-ignore: decorator
@external("wpool", "region_unmap")
export declare function region_unmap(handle: i32): i32;
