/**
 * The imports from the module `wpool`. Written by `cargo xtask codegen` from `wit/`.
 */

/** The time was over first. With a time of 0: it cannot be done now. */
export const TIMED_OUT: i32 = -1;
/** The run ends, and nothing is waited for any more. */
export const INTERRUPTED: i32 = -2;
/** A barrier is broken, or a death has damaged the object beyond repair. */
export const BROKEN: i32 = -3;
/** Only the owner may do this. */
export const NOT_OWNER: i32 = -4;
/** The caller holds it already, and would wait for itself for ever. */
export const ALREADY_OWNER: i32 = -5;
/** Released more often than acquired, done more often than got, or nested too deeply. */
export const TOO_MANY: i32 = -6;
/** The queue is closed: nothing can be put, and where this is the answer to `get`, nothing is
 * left either. */
export const CLOSED: i32 = -7;
/** The message could never fit the queue. */
export const TOO_LARGE: i32 = -8;
/** No object, no storage, no handle or no address space is left. */
export const NO_SPACE: i32 = -9;
/** There is an object of this name. */
export const EXISTS: i32 = -10;
/** There is no object of this name. */
export const NOT_FOUND: i32 = -11;
/** The object of this name is of another kind, or the queue counts no tasks. */
export const WRONG_KIND: i32 = -12;
/** The number is of another type than the value's or the array's. */
export const WRONG_TYPE: i32 = -13;
/** A name that is empty, longer than 128 bytes, or has a NUL; a size or a count outside its
 * limits. */
export const OUT_OF_RANGE: i32 = -14;
/** The region may only be read. */
export const READ_ONLY: i32 = -15;
/** Signed, 32 bits. */
export const NUMBER_TYPE_I32: i32 = 1;
/** Signed, 64 bits. */
export const NUMBER_TYPE_I64: i32 = 2;
/** Unsigned, 32 bits. */
export const NUMBER_TYPE_U32: i32 = 3;
/** Unsigned, 64 bits. */
export const NUMBER_TYPE_U64: i32 = 4;
/** A float of 32 bits. */
export const NUMBER_TYPE_F32: i32 = 5;
/** A float of 64 bits. */
export const NUMBER_TYPE_F64: i32 = 6;
/** False or true. */
export const NUMBER_TYPE_BOOL: i32 = 7;

/** The id of the operating-system process that runs this guest. Guests may print it to show which
 * jobs share a process; nothing else follows from it. Arguments: none. Answers: the id. */
// @ts-ignore: decorator
@external("wpool", "process_id")
export declare function process_id(): i32;

/** Who this process is in shared state. Arguments: none. Answers: its slot, which no other
 * process has at the same time. */
// @ts-ignore: decorator
@external("wpool", "process_slot")
export declare function process_slot(): i32;

/** Whom the last answer of this instance was about that spoke of a death: `owner-died`, `broken`,
 * or permits that were restored. Arguments: none. Answers: the slot of a process, if it is
 * known. */
// @ts-ignore: decorator
@external("wpool", "culprit")
export declare function culprit(): i32;

/** Makes a lock and opens it. Arguments: its name; whether its owner may take it again. Answers:
 * the lock; `exists`, `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "lock_create")
export declare function lock_create(name: usize, name_len: usize, recursive: i32): i32;

/** Opens a lock. Arguments: its name. Answers: the lock; `not-found`, `wrong-kind`, `no-space`,
 * `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "lock_open")
export declare function lock_open(name: usize, name_len: usize): i32;

/** Takes the lock. Arguments: how long to wait at most. Answers: how it was taken; `timed-out`,
 * `interrupted`, `broken`, `already-owner` (without a limit it would wait for itself for ever),
 * `too-many` (beyond 65,534 levels). */
// @ts-ignore: decorator
@external("wpool", "lock_acquire")
export declare function lock_acquire(handle: i32, timeout_ns: i64): i32;

/** Gives the lock back, or one level of it. Arguments: none. Answers: nothing; `not-owner`,
 * `broken`. */
// @ts-ignore: decorator
@external("wpool", "lock_release")
export declare function lock_release(handle: i32): i32;

/** Says that what the lock protects is whole again, after `owner-died`. Arguments: none. Answers:
 * nothing; `not-owner`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "lock_mark_consistent")
export declare function lock_mark_consistent(handle: i32): i32;

/** Deletes the lock. Its name is free at once; those that have it open go on with it. Arguments:
 * none. Answers: nothing; `not-found` if it was deleted before; `not-owner` if the command line
 * or the host's program has made it. */
// @ts-ignore: decorator
@external("wpool", "object_delete")
export declare function object_delete(handle: i32): i32;

/** Makes a semaphore and opens it. Arguments: its name; how many permits it has, at most
 * 2³¹−1; what it is made for. Answers: the semaphore; `exists`, `no-space`, `out-of-range`
 * (the name, the permits). */
// @ts-ignore: decorator
@external("wpool", "semaphore_create")
export declare function semaphore_create(name: usize, name_len: usize, initial: u32, flags: i32): i32;

/** Opens a semaphore. Arguments: its name. Answers: the semaphore; `not-found`, `wrong-kind`,
 * `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "semaphore_open")
export declare function semaphore_open(name: usize, name_len: usize): i32;

/** Takes a permit. Arguments: how long to wait at most. Answers: how many permits of the dead
 * were restored, which is told once; `timed-out`, `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "semaphore_acquire")
export declare function semaphore_acquire(handle: i32, timeout_ns: i64): i32;

/** Gives a permit back, or makes a new one if this process has none. Arguments: none. Answers:
 * nothing; `too-many` (a bounded one would have more than at the start, any other more than
 * 2³¹−1), `broken`. */
// @ts-ignore: decorator
@external("wpool", "semaphore_release")
export declare function semaphore_release(handle: i32): i32;

/** How many permits are free at this moment. Arguments: none. Answers: the count. */
// @ts-ignore: decorator
@external("wpool", "semaphore_count")
export declare function semaphore_count(handle: i32): i32;

/** Makes a condition and opens it. Arguments: its name; its lock, or none for a recursive lock of
 * its own. Answers: the condition; `exists`, `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "condition_create")
export declare function condition_create(name: usize, name_len: usize, lock: i32): i32;

/** Opens a condition. Arguments: its name. Answers: the condition; `not-found`, `wrong-kind`,
 * `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "condition_open")
export declare function condition_open(name: usize, name_len: usize): i32;

/** Takes the condition's lock. Arguments: how long to wait at most. Answers: how it was taken;
 * `timed-out`, `interrupted`, `broken`, `already-owner` (without a limit it would wait for
 * itself for ever), `too-many` (beyond 65,534 levels). */
// @ts-ignore: decorator
@external("wpool", "condition_acquire")
export declare function condition_acquire(handle: i32, timeout_ns: i64): i32;

/** Gives the condition's lock back, or one level of it. Arguments: none. Answers: nothing;
 * `not-owner`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "condition_release")
export declare function condition_release(handle: i32): i32;

/** Says that what the condition's lock protects is whole again, after `owner-died`. Arguments:
 * none. Answers: nothing; `not-owner`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "condition_mark_consistent")
export declare function condition_mark_consistent(handle: i32): i32;

/** Gives the lock back (all levels), waits for a notification, and takes the lock again.
 * Arguments: how long to wait at most for the notification. Taking the lock again has no limit.
 * Answers: how the wait ended; `not-owner`; `interrupted`, `broken`: the lock is not held. */
// @ts-ignore: decorator
@external("wpool", "condition_wait")
export declare function condition_wait(handle: i32, timeout_ns: i64): i32;

/** Notifies those that wait, who came first first. Arguments: how many at most. Answers: how many
 * were notified; `not-owner`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "condition_notify")
export declare function condition_notify(handle: i32, count: u32): i32;

/** Notifies all that wait. Arguments: none. Answers: how many were notified; `not-owner`,
 * `broken`. */
// @ts-ignore: decorator
@external("wpool", "condition_notify_all")
export declare function condition_notify_all(handle: i32): i32;

/** Makes an event, not set, and opens it. Arguments: its name. Answers: the event; `exists`,
 * `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "event_create")
export declare function event_create(name: usize, name_len: usize): i32;

/** Opens an event. Arguments: its name. Answers: the event; `not-found`, `wrong-kind`,
 * `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "event_open")
export declare function event_open(name: usize, name_len: usize): i32;

/** Sets the flag, and lets all go that wait for it, even if it is cleared at once. Arguments:
 * none. Answers: nothing; `broken`. */
// @ts-ignore: decorator
@external("wpool", "event_set")
export declare function event_set(handle: i32): i32;

/** Clears the flag. Arguments: none. Answers: nothing; `broken`. */
// @ts-ignore: decorator
@external("wpool", "event_clear")
export declare function event_clear(handle: i32): i32;

/** Whether the flag is set. Arguments: none. Answers: whether it is. */
// @ts-ignore: decorator
@external("wpool", "event_is_set")
export declare function event_is_set(handle: i32): i32;

/** Waits until the flag is set. Arguments: how long to wait at most. Answers: nothing;
 * `timed-out`, `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "event_wait")
export declare function event_wait(handle: i32, timeout_ns: i64): i32;

/** Makes a barrier and opens it. Arguments: its name; how many go on together, 1 to 1024.
 * Answers: the barrier; `exists`, `no-space`, `out-of-range` (the name, the parties). */
// @ts-ignore: decorator
@external("wpool", "barrier_create")
export declare function barrier_create(name: usize, name_len: usize, parties: u32): i32;

/** Opens a barrier. Arguments: its name. Answers: the barrier; `not-found`, `wrong-kind`,
 * `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "barrier_open")
export declare function barrier_open(name: usize, name_len: usize): i32;

/** Waits until all parties wait. Arguments: how long to wait at most. Answers: which party this
 * was, from 0 in the order of arrival; `broken` if the barrier is, or breaks meanwhile;
 * `timed-out`, `interrupted`: the barrier is broken now, for all. */
// @ts-ignore: decorator
@external("wpool", "barrier_wait")
export declare function barrier_wait(handle: i32, timeout_ns: i64): i32;

/** Breaks the barrier for all that wait, and will wait. Arguments: none. Answers: nothing;
 * `broken` if it is damaged. */
// @ts-ignore: decorator
@external("wpool", "barrier_abort")
export declare function barrier_abort(handle: i32): i32;

/** Makes the barrier new. Those that wait are told that it broke. Arguments: none. Answers:
 * nothing; `broken` if it is damaged. */
// @ts-ignore: decorator
@external("wpool", "barrier_reset")
export declare function barrier_reset(handle: i32): i32;

/** How many parties it takes. Arguments: none. Answers: the number. */
// @ts-ignore: decorator
@external("wpool", "barrier_parties")
export declare function barrier_parties(handle: i32): i32;

/** How many parties wait at this moment. Arguments: none. Answers: the number. */
// @ts-ignore: decorator
@external("wpool", "barrier_waiting")
export declare function barrier_waiting(handle: i32): i32;

/** Whether the barrier is broken. Arguments: none. Answers: whether it is. */
// @ts-ignore: decorator
@external("wpool", "barrier_is_broken")
export declare function barrier_is_broken(handle: i32): i32;

/** Makes a queue and opens it. Arguments: its name; most messages in it, 1 to 65,536; most bytes,
 * in pieces of 256, of those messages that are longer than 96 bytes; whether tasks are counted,
 * for `task-done` and `join`. Answers: the queue; `exists`, `no-space`, `out-of-range` (the
 * name, a size). */
// @ts-ignore: decorator
@external("wpool", "queue_create")
export declare function queue_create(name: usize, name_len: usize, messages: u32, bytes: u64, joinable: i32): i32;

/** Opens a queue. Arguments: its name. Answers: the queue; `not-found`, `wrong-kind`, `no-space`,
 * `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "queue_open")
export declare function queue_open(name: usize, name_len: usize): i32;

/** Puts a message at the end. Arguments: the message; how long to wait for space at most.
 * Answers: nothing; `timed-out` (full), `closed`, `too-large`, `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "queue_put")
export declare function queue_put(handle: i32, src: usize, len: usize, timeout_ns: i64): i32;

/** Gets the first message. If this process dies before it is done with it, another process gets
 * it. It is done at its next call for this queue, whichever that is, and when its job succeeds.
 * Arguments: how long to wait at most. Answers: the message; `timed-out` (empty), `closed` (and
 * empty), `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "queue_get")
export declare function queue_get(handle: i32, dst: usize, capacity: usize, timeout_ns: i64): i64;

/** Gets the first message. If this process dies before it is done with it, another process gets
 * it. It is done at its next call for this queue, whichever that is, and when its job succeeds.
 * Arguments: how long to wait at most. Answers: the message; `timed-out` (empty), `closed` (and
 * empty), `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "queue_read")
export declare function queue_read(handle: i32, dst: usize, offset: usize, len: usize): i32;

/** Says that the message last got is dealt with, and will not be delivered again. Arguments:
 * none. Answers: nothing; `not-owner` if there is none to acknowledge, `broken`. */
// @ts-ignore: decorator
@external("wpool", "queue_acknowledge")
export declare function queue_acknowledge(handle: i32): i32;

/** Says that a task whose message was got is done. Acknowledges the message last got. Arguments:
 * none. Answers: nothing; `too-many` if none is undone, `wrong-kind` if the queue counts no
 * tasks, `broken`. */
// @ts-ignore: decorator
@external("wpool", "queue_task_done")
export declare function queue_task_done(handle: i32): i32;

/** Waits until the tasks of all messages are done. Arguments: how long to wait at most. Answers:
 * how many were acknowledged by processes that died before they were done, which is told once;
 * `timed-out`, `wrong-kind` if the queue counts no tasks, `interrupted`, `broken`. */
// @ts-ignore: decorator
@external("wpool", "queue_join")
export declare function queue_join(handle: i32, timeout_ns: i64): i32;

/** Ends all puts, of all processes. What is in the queue can still be got. Arguments: none.
 * Answers: nothing; `broken`. */
// @ts-ignore: decorator
@external("wpool", "queue_close")
export declare function queue_close(handle: i32): i32;

/** Whether puts have ended. Arguments: none. Answers: whether they have. */
// @ts-ignore: decorator
@external("wpool", "queue_is_closed")
export declare function queue_is_closed(handle: i32): i32;

/** How many messages are in the queue at this moment. Arguments: none. Answers: the number. */
// @ts-ignore: decorator
@external("wpool", "queue_len")
export declare function queue_len(handle: i32): i32;

/** Makes a value and opens it. Arguments: its name; its number, which gives its type as well.
 * Answers: the value; `exists`, `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "value_create")
export declare function value_create(name: usize, name_len: usize, type: i32, initial: i64): i32;

/** Opens a value. Arguments: its name. Answers: the value; `not-found`, `wrong-kind`, `no-space`,
 * `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "value_open")
export declare function value_open(name: usize, name_len: usize): i32;

/** The number's type. Arguments: none. Answers: the type. */
// @ts-ignore: decorator
@external("wpool", "value_type")
export declare function value_type(handle: i32): i32;

/** The number. Arguments: none. Answers: the number. */
// @ts-ignore: decorator
@external("wpool", "value_get")
export declare function value_get(handle: i32): i64;

/** Sets the number. Arguments: the number. Answers: nothing; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "value_set")
export declare function value_set(handle: i32, bits: i64): void;

/** Sets the number, and says what it was. Arguments: the number. Answers: the number before;
 * `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "value_swap")
export declare function value_swap(handle: i32, bits: i64): i64;

/** Adds to the number, and says what it was. Integers wrap. Arguments: what to add. Answers: the
 * number before; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "value_add")
export declare function value_add(handle: i32, bits: i64): i64;

/** Sets the number if it is the expected one (floats: the same bits), and says what it was.
 * Arguments: what is expected; the new number. Answers: the number before: it was set if that is
 * the expected one; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "value_compare_exchange")
export declare function value_compare_exchange(handle: i32, expected: i64, new_: i64): i64;

/** Makes an array of zeros and opens it. Arguments: its name; its elements' type; how many there
 * are. Answers: the array; `exists`, `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "array_create")
export declare function array_create(name: usize, name_len: usize, type: i32, length: u32): i32;

/** Opens an array. Arguments: its name. Answers: the array; `not-found`, `wrong-kind`,
 * `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "array_open")
export declare function array_open(name: usize, name_len: usize): i32;

/** The elements' type. Arguments: none. Answers: the type. */
// @ts-ignore: decorator
@external("wpool", "array_type")
export declare function array_type(handle: i32): i32;

/** How many elements there are. Arguments: none. Answers: the number. */
// @ts-ignore: decorator
@external("wpool", "array_len")
export declare function array_len(handle: i32): i32;

/** An element. Arguments: which one. Answers: the number. */
// @ts-ignore: decorator
@external("wpool", "array_get")
export declare function array_get(handle: i32, index: u32): i64;

/** Sets an element. Arguments: which one; the number. Answers: nothing; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "array_set")
export declare function array_set(handle: i32, index: u32, bits: i64): void;

/** Sets an element, and says what it was. Arguments: which one; the number. Answers: the number
 * before; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "array_swap")
export declare function array_swap(handle: i32, index: u32, bits: i64): i64;

/** Adds to an element, and says what it was. Integers wrap. Arguments: which one; what to add.
 * Answers: the number before; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "array_add")
export declare function array_add(handle: i32, index: u32, bits: i64): i64;

/** Sets an element if it is the expected number (floats: the same bits), and says what it was.
 * Arguments: which one; what is expected; the new number. Answers: the number before: it was set
 * if that is the expected one; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "array_compare_exchange")
export declare function array_compare_exchange(handle: i32, index: u32, expected: i64, new_: i64): i64;

/** Copies elements out. Arguments: the first one; how many. Answers: the numbers. */
// @ts-ignore: decorator
@external("wpool", "array_read")
export declare function array_read(handle: i32, first: u32, dst: usize, count: usize): void;

/** Copies elements in. Arguments: the first one; the numbers. Answers: nothing; `wrong-type`. */
// @ts-ignore: decorator
@external("wpool", "array_write")
export declare function array_write(handle: i32, first: u32, src: usize, count: usize): void;

/** Makes a region of zeros, which everyone may write, and opens it. Arguments: its name; how many
 * bytes it has. Answers: the region; `exists`, `no-space`, `out-of-range` (the name, or the
 * size). */
// @ts-ignore: decorator
@external("wpool", "region_create")
export declare function region_create(name: usize, name_len: usize, bytes: u64): i32;

/** Opens a region. Arguments: its name. Answers: the region; `not-found`, `wrong-kind`,
 * `no-space`, `out-of-range` (the name). */
// @ts-ignore: decorator
@external("wpool", "region_open")
export declare function region_open(name: usize, name_len: usize): i32;

/** How large the region is. Arguments: none. Answers: its bytes. */
// @ts-ignore: decorator
@external("wpool", "region_size")
export declare function region_size(handle: i32): i64;

/** Whether guests may only read the region. Arguments: none. Answers: whether it is so. */
// @ts-ignore: decorator
@external("wpool", "region_is_read_only")
export declare function region_is_read_only(handle: i32): i32;

/** Copies bytes out of the region. Each aligned word of eight or four bytes is whole; all
 * together are not. Arguments: where in it to begin; how many. Answers: the bytes; `broken`. */
// @ts-ignore: decorator
@external("wpool", "region_read")
export declare function region_read(handle: i32, offset: u64, dst: usize, len: usize): i32;

/** Copies bytes into the region. Each aligned word of eight or four bytes is whole; all together
 * are not. Arguments: where in it to begin; the bytes. Answers: nothing; `read-only`, `broken`. */
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

/** copies bytes of the job from `offset` to `dst`; answers how many */
// @ts-ignore: decorator
@external("wpool", "job_read")
export declare function job_read(dst: usize, offset: usize, len: usize): i32;

/** appends bytes to the result, or to the error message if the task then returns anything but 0 */
// @ts-ignore: decorator
@external("wpool", "result_write")
export declare function result_write(src: usize, len: usize): void;

/** maps a region into the memory, behind all that the guest has; answers its address, a multiple
 * of 64 KiB, or `no-space`; mapped again, it is answered the same address */
// @ts-ignore: decorator
@external("wpool", "region_map")
export declare function region_map(handle: i32): i64;

/** takes it out of the memory, unless another handle has it mapped; closing the handle does so,
 * too */
// @ts-ignore: decorator
@external("wpool", "region_unmap")
export declare function region_unmap(handle: i32): i32;
