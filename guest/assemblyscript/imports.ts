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
/** The object changed during each attempt to read all of it. */
export const CHANGING: i32 = -16;
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

/** Makes a list and opens it. Arguments: the name; the largest number of elements, and of bytes
 * for them and for all that is needed to find them, in pages of 4 KiB; 0 for no bound but the
 * space that is there. Answers: the list; `exists`, `no-space`, `out-of-range` (the name, a
 * size). */
// @ts-ignore: decorator
@external("wpool", "list_create")
export declare function list_create(name: usize, name_len: usize, entries: u32, bytes: u64): i32;

/** Opens a list. Arguments: the name. Answers: the list; `not-found`, `wrong-kind`, `no-space`,
 * `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "list_open")
export declare function list_open(name: usize, name_len: usize): i32;

/** Returns the number of elements. Arguments: none. Answers: the number; `broken`. */
// @ts-ignore: decorator
@external("wpool", "list_len")
export declare function list_len(handle: i32): i32;

/** Returns the version of the list, which each change increments. Arguments: none. Answers: the
 * version; `broken`. */
// @ts-ignore: decorator
@external("wpool", "list_version")
export declare function list_version(handle: i32): i64;

/** Waits until the version changes. Arguments: the known version; the longest time to wait.
 * Answers: the new version; `timed-out`, `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "list_wait_changed")
export declare function list_wait_changed(handle: i32, since: u64, timeout_ns: i64): i64;

/** Removes all elements. Arguments: none. Answers: nothing; `no-space`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "list_clear")
export declare function list_clear(handle: i32): i32;

/** Reads an element. Arguments: the index, from the end if negative. Answers: the element;
 * `out-of-range`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "list_get")
export declare function list_get(handle: i32, index: i64, dst: usize, capacity: usize): i64;

/** Replaces an element. Arguments: the index, from the end if negative; the new element; the
 * version at which the list must still be, if any. Answers: whether it was at this version, and
 * so replaced; `out-of-range`, `too-large`, `no-space`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "list_set")
export declare function list_set(handle: i32, index: i64, src: usize, len: usize, version: i64): i32;

/** Puts an element at the end. Arguments: the element. Answers: nothing; `too-large` (more than 1
 * MiB), `no-space`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "list_append")
export declare function list_append(handle: i32, src: usize, len: usize): i32;

/** Inserts an element before an index. Arguments: the index, from the end if negative, clamped to
 * the list; the element. Answers: nothing; `too-large`, `no-space`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "list_insert")
export declare function list_insert(handle: i32, index: i64, src: usize, len: usize): i32;

/** Replaces a range of elements by others, all at once. Arguments: the begin and the end of the
 * range, as indices that are clamped to the list; the new elements; the version at which the
 * list must still be, if any. Answers: whether it was at this version, and so changed;
 * `too-large` (more than 4,096 elements or 64 KiB are inserted or removed), `no-space`,
 * `broken`. */
// @ts-ignore: decorator
@external("wpool", "list_splice")
export declare function list_splice(handle: i32, start: i64, end: i64, src: usize, len: usize, version: i64): i32;

/** Removes an element, and returns it. Arguments: the index, from the end if negative. Answers:
 * the element; `out-of-range`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "list_pop")
export declare function list_pop(handle: i32, index: i64, dst: usize, capacity: usize): i64;

/** Reads a range of elements. Arguments: the begin and the end, as indices that are clamped to
 * the list. Answers: a page of them; `broken`. */
// @ts-ignore: decorator
@external("wpool", "list_slice")
export declare function list_slice(handle: i32, start: i64, end: i64, dst: usize, capacity: usize): i64;

/** Looks for an element. Arguments: the element; the begin and the end of the search, as indices
 * that are clamped to the list. Answers: the first index; `not-found`, `changing`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "list_index_of")
export declare function list_index_of(handle: i32, src: usize, len: usize, start: i64, end: i64): i64;

/** Reverses the order, in one step for a list of any length. Arguments: none. Answers: nothing;
 * `broken`. */
// @ts-ignore: decorator
@external("wpool", "list_reverse")
export declare function list_reverse(handle: i32): i32;

/** Makes a dict and opens it. Arguments: the name; the largest number of entries, and of bytes
 * for them and for all that is needed to find them, in pages of 4 KiB; 0 for no bound but the
 * space that is there. Answers: the dict; `exists`, `no-space`, `out-of-range` (the name, a
 * size). */
// @ts-ignore: decorator
@external("wpool", "dict_create")
export declare function dict_create(name: usize, name_len: usize, entries: u32, bytes: u64): i32;

/** Opens a dict. Arguments: the name. Answers: the dict; `not-found`, `wrong-kind`, `no-space`,
 * `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "dict_open")
export declare function dict_open(name: usize, name_len: usize): i32;

/** Returns the number of entries. Arguments: none. Answers: the number; `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_len")
export declare function dict_len(handle: i32): i32;

/** Returns the version of the dict, which each change increments. Arguments: none. Answers: the
 * version; `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_version")
export declare function dict_version(handle: i32): i64;

/** Waits until the version changes. Arguments: the known version; the longest time to wait.
 * Answers: the new version; `timed-out`, `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_wait_changed")
export declare function dict_wait_changed(handle: i32, since: u64, timeout_ns: i64): i64;

/** Removes all entries. Arguments: none. Answers: nothing; `no-space`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_clear")
export declare function dict_clear(handle: i32): i32;

/** Reads the value of a key. Arguments: the key. Answers: the value, if there is such a key;
 * `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_get")
export declare function dict_get(handle: i32, key: usize, key_len: usize, dst: usize, capacity: usize): i64;

/** Sets the value of a key. A new key is the last. Arguments: the key; the value. Answers:
 * nothing; `too-large` (more than 1 MiB), `no-space`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_set")
export declare function dict_set(handle: i32, key: usize, key_len: usize, src: usize, len: usize): i32;

/** Sets the values of several keys, all or none. Arguments: keys and values. Answers: nothing;
 * `too-large` (more than 4,096 entries or 64 KiB), `no-space`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_set_many")
export declare function dict_set_many(handle: i32, src: usize, len: usize): i32;

/** Reads the value of a key, which is set first if there is no such key. Arguments: the key; the
 * value to set. Answers: the value, and whether it was set now; `too-large`, `no-space`,
 * `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_get_or_insert")
export declare function dict_get_or_insert(handle: i32, key: usize, key_len: usize, src: usize, len: usize, dst: usize, capacity: usize): i64;

/** Sets the value of a key if it was last set at a version. Arguments: the key; the version, none
 * if there must be no such key; the value. Answers: whether it was so, and is set; `too-large`,
 * `no-space`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_swap_if")
export declare function dict_swap_if(handle: i32, key: usize, key_len: usize, version: i64, src: usize, len: usize): i32;

/** Removes a key if its value was last set at a version. Arguments: the key; the version, none if
 * there must be no such key. Answers: whether it was so; `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_remove_if")
export declare function dict_remove_if(handle: i32, key: usize, key_len: usize, version: i64): i32;

/** Removes a key. Arguments: the key. Answers: its value, if there was such a key; `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_pop")
export declare function dict_pop(handle: i32, key: usize, key_len: usize, dst: usize, capacity: usize): i64;

/** Removes a key, whatever its value is. Arguments: the key. Answers: whether there was such a
 * key; `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_remove")
export declare function dict_remove(handle: i32, key: usize, key_len: usize): i32;

/** Returns whether there is a key. Arguments: the key. Answers: whether there is; `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_contains")
export declare function dict_contains(handle: i32, key: usize, key_len: usize): i32;

/** Removes the entry whose key was inserted last, and returns it. Arguments: none. Answers: the
 * key and the value, if there was one; `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_pop_item")
export declare function dict_pop_item(handle: i32, dst: usize, capacity: usize): i64;

/** Reads entries, in the order in which their keys were inserted. Arguments: the part; the cursor
 * and the version of the page before, 0 for the first. Answers: a page. If the version has moved
 * since the page before, it is empty, and whoever asks begins anew. `out-of-range` (no such
 * cursor), `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_page")
export declare function dict_page(handle: i32, part: i32, cursor: u64, version: u64, dst: usize, capacity: usize): i64;

/** Adds to the whole number that is the value of a key, in decimal digits; it is 0 if there is no
 * such key. Arguments: the key; what to add. Answers: the sum; `wrong-type` (the value is no
 * whole number), `out-of-range` (the sum has more than 64 bits), `too-large`, `no-space`,
 * `broken`. */
// @ts-ignore: decorator
@external("wpool", "dict_add")
export declare function dict_add(handle: i32, key: usize, key_len: usize, number: i64, dst: usize): i32;

/** Makes a set and opens it. Arguments: the name; the largest number of members, and of bytes for
 * them and for all that is needed to find them, in pages of 4 KiB; 0 for no bound but the space
 * that is there. Answers: the set; `exists`, `no-space`, `out-of-range` (the name, a size). */
// @ts-ignore: decorator
@external("wpool", "set_create")
export declare function set_create(name: usize, name_len: usize, entries: u32, bytes: u64): i32;

/** Opens a set. Arguments: the name. Answers: the set; `not-found`, `wrong-kind`, `no-space`,
 * `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "set_open")
export declare function set_open(name: usize, name_len: usize): i32;

/** Returns the number of members. Arguments: none. Answers: the number; `broken`. */
// @ts-ignore: decorator
@external("wpool", "set_len")
export declare function set_len(handle: i32): i32;

/** Returns the version of the set, which each change increments. Arguments: none. Answers: the
 * version; `broken`. */
// @ts-ignore: decorator
@external("wpool", "set_version")
export declare function set_version(handle: i32): i64;

/** Waits until the version changes. Arguments: the known version; the longest time to wait.
 * Answers: the new version; `timed-out`, `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "set_wait_changed")
export declare function set_wait_changed(handle: i32, since: u64, timeout_ns: i64): i64;

/** Removes all members. Arguments: none. Answers: nothing; `no-space`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "set_clear")
export declare function set_clear(handle: i32): i32;

/** Puts a member in. Arguments: the member. Answers: whether it was not there; `too-large` (more
 * than 1 MiB), `no-space`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "set_add")
export declare function set_add(handle: i32, src: usize, len: usize): i32;

/** Removes a member. Arguments: the member. Answers: whether it was there; `broken`. */
// @ts-ignore: decorator
@external("wpool", "set_discard")
export declare function set_discard(handle: i32, src: usize, len: usize): i32;

/** Returns whether there is a member. Arguments: the member. Answers: whether there is; `broken`. */
// @ts-ignore: decorator
@external("wpool", "set_contains")
export declare function set_contains(handle: i32, src: usize, len: usize): i32;

/** Removes any member, and returns it. Arguments: none. Answers: the member, if there was one;
 * `broken`. */
// @ts-ignore: decorator
@external("wpool", "set_pop")
export declare function set_pop(handle: i32, dst: usize, capacity: usize): i64;

/** Updates the set with other members, all at once. Arguments: the way; the members. Answers:
 * whether something changed; `too-large` (more than 4,096 members or 64 KiB, or an intersection
 * with a set of more), `no-space`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "set_update")
export declare function set_update(handle: i32, how: i32, src: usize, len: usize): i32;

/** Reads members. Arguments: the cursor and the version of the page before, 0 for the first.
 * Answers: a page. If the version has moved since the page before, it is empty, and whoever asks
 * begins anew. `out-of-range` (no such cursor), `broken`. */
// @ts-ignore: decorator
@external("wpool", "set_page")
export declare function set_page(handle: i32, cursor: u64, version: u64, dst: usize, capacity: usize): i64;

/** Opens the object that is an element of a list. Arguments: the list; the index, from the end if
 * negative. Answers: the object; `out-of-range`, `wrong-type` (the element is bytes),
 * `no-space`, `not-found`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "nested_open_in_list")
export declare function nested_open_in_list(handle: i32, index: i64): i64;

/** Opens the object that is the value of a key. Arguments: the dict; the key. Answers: the
 * object; `not-found`, `wrong-type` (the value is bytes), `no-space`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "nested_open_in_dict")
export declare function nested_open_in_dict(handle: i32, key: usize, key_len: usize): i64;

/** Makes an empty object that is an element of a list, and opens it. Arguments: the list; the
 * index, from the end if negative; the kind; true if the object replaces the element at the
 * index, false if it is inserted before the index, which is then clamped to the list. Answers:
 * the object; `out-of-range`, `no-space`, `not-found`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "nested_create_in_list")
export declare function nested_create_in_list(handle: i32, index: i64, kind: i32, replace: i32): i64;

/** Makes an empty object that is the value of a key, and opens it. Arguments: the dict; the key;
 * the kind; true if an object of this kind that is there already is opened and stays as it is,
 * false if any old value is replaced. Answers: the object; with true `wrong-type` (the value is
 * bytes) and `wrong-kind`; `too-large`, `no-space`, `not-found`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "nested_create_in_dict")
export declare function nested_create_in_dict(handle: i32, key: usize, key_len: usize, kind: i32, keep: i32): i64;

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

/** The bytes of the element. */
// @ts-ignore: decorator
@external("wpool", "object_answer")
export declare function object_answer(handle: i32, dst: usize, offset: usize, len: usize): i32;

/** The version of the list at which the element was read. */
// @ts-ignore: decorator
@external("wpool", "object_answer_version")
export declare function object_answer_version(handle: i32): i64;

/** The index at which the next page begins; 0 if this page is the last. */
// @ts-ignore: decorator
@external("wpool", "object_answer_cursor")
export declare function object_answer_cursor(handle: i32): i64;
