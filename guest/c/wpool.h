/* wpool.h: what wpool offers its guests, for C and C++.
 *
 * A task is an export `task_NAME` without parameters that returns 0, or anything else if the job
 * failed; or an export NAME whose parameters and result are numbers.
 *
 *     #include "wpool.h"
 *
 *     __attribute__((export_name("deposit"))) int64_t deposit(int64_t amount) {
 *         wpool_handle balance = wpool_value_open("balance", 7);
 *         if (balance < 0) __builtin_trap();
 *         return wpool_value_add(balance, amount) + amount;
 *     }
 *
 *     clang --target=wasm32-wasi -O2 -mexec-model=reactor -o bank.wasm bank.c
 *     wpool map bank.wasm --value balance=i64:100 ::: 5 7
 *
 * Said once for all functions:
 * - Names are UTF-8, 1 to 128 bytes without NUL, of so many bytes; no NUL need follow.
 * - A handle is above 0 and belongs to one instance of the module, with which it is closed.
 * - `timeout_ns` is the longest wait in nanoseconds: WPOOL_FOREVER or any other negative number has
 *   no end, WPOOL_NOW does not wait at all.
 * - A negative answer is one of enum wpool_error. Any function of an object that a death has
 *   damaged beyond repair may answer WPOOL_BROKEN.
 * - A handle that is none, or of another kind, and a pointer to bytes that are not all in the
 *   memory, are bugs of the module and trap: the job fails. "Traps" says what else does.
 */

#ifndef WPOOL_H
#define WPOOL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An open object. */
typedef int32_t wpool_handle;

#define WPOOL_FOREVER ((int64_t)-1)
#define WPOOL_NOW ((int64_t)0)

/* Why something was not done. */
enum wpool_error {
    /* The time given was over; without any, it cannot be done now. */
    WPOOL_TIMED_OUT = -1,
    /* The run is ending: nothing is waited for any more. */
    WPOOL_INTERRUPTED = -2,
    /* A barrier was broken, or the object is damaged beyond repair; see wpool_culprit. */
    WPOOL_BROKEN = -3,
    /* Only the process that holds it may do this. */
    WPOOL_NOT_OWNER = -4,
    /* This process holds it already, and would wait for itself for ever. */
    WPOOL_ALREADY_OWNER = -5,
    /* Released more often than acquired, done more often than got, or acquired too many times. */
    WPOOL_TOO_MANY = -6,
    /* The queue is closed, and for a get empty as well. */
    WPOOL_CLOSED = -7,
    /* The message can never fit the queue. */
    WPOOL_TOO_LARGE = -8,
    /* No object, storage, address space or quota is left. */
    WPOOL_NO_SPACE = -9,
    /* There is an object of this name. */
    WPOOL_EXISTS = -10,
    /* There is no object of this name. */
    WPOOL_NOT_FOUND = -11,
    /* The object of this name is of another kind, or cannot do this. */
    WPOOL_WRONG_KIND = -12,
    /* The numbers are of another type. */
    WPOOL_WRONG_TYPE = -13,
    /* The name is no name, or a size or a count is outside of its limits. */
    WPOOL_OUT_OF_RANGE = -14,
    /* The region may only be read. */
    WPOOL_READ_ONLY = -15
};

/* What acquiring a lock may answer: it is held, but a process died while it held it. */
#define WPOOL_OWNER_DIED 1

/* In the answer of wpool_condition_wait, beside WPOOL_OWNER_DIED: nobody notified in time. */
#define WPOOL_TIME_OVER 2

/* In the answer of wpool_queue_get: another process got the message before, and died. */
#define WPOOL_REDELIVERED ((int64_t)1 << 32)

/* Flags of wpool_semaphore_create. */
enum wpool_semaphore_flag {
    /* A permit belongs to the process that acquired it, and is restored at its death. */
    WPOOL_OWNED = 1,
    /* There are never more permits than at the start. */
    WPOOL_BOUNDED = 2
};

/* Types of numbers. A number crosses as an int64_t: signed ones with their sign, unsigned ones with
 * zeros, floats as their IEEE bits, a bool as 0 or 1. On the way in only the low bits count. */
enum wpool_type {
    WPOOL_I32 = 1,
    WPOOL_I64 = 2,
    WPOOL_U32 = 3,
    WPOOL_U64 = 4,
    WPOOL_F32 = 5,
    WPOOL_F64 = 6,
    WPOOL_BOOL = 7
};

#define WPOOL_IMPORT(name) __attribute__((import_module("wpool"), import_name(name)))

/* ---- The job and the process ---- */

/* The size of the job, for a task `task_NAME`.
 * Arguments: none. Answers: bytes. Traps: never. Blocks: never. */
WPOOL_IMPORT("job_size") size_t wpool_job_size(void);

/* Copies bytes of the job.
 * Arguments: where to; the first byte of the job; how many. Answers: how many were copied, fewer at
 * the job's end. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("job_read") size_t wpool_job_read(void *dst, size_t offset, size_t len);

/* Appends bytes to the result, or to the message of a failure.
 * Arguments: where they are; how many. Answers: nothing. Traps: the result grows above
 * --max-output. Blocks: never. */
WPOOL_IMPORT("result_write") void wpool_result_write(const void *src, size_t len);

/* The id of this process.
 * Arguments: none. Answers: the id. Traps: never. Blocks: never. */
WPOOL_IMPORT("process_id") int32_t wpool_process_id(void);

/* The slot of this process in shared state, by which wpool_culprit names others.
 * Arguments: none. Answers: the slot, 0 or above. Traps: never. Blocks: never. */
WPOOL_IMPORT("process_slot") int32_t wpool_process_slot(void);

/* The slot of the process that the last WPOOL_OWNER_DIED, restored permits or WPOOL_BROKEN of this
 * instance was about.
 * Arguments: none. Answers: the slot, or -1 if it is not known. Traps: never. Blocks: never. */
WPOOL_IMPORT("culprit") int32_t wpool_culprit(void);

/* ---- All objects ---- */

/* Closes a handle. The object is closed for this process with its last handle.
 * Arguments: the handle of any object. Answers: 0. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("object_close") int32_t wpool_object_close(wpool_handle object);

/* Deletes an object: its name goes at once, its storage when no process has it open any more. The
 * handle stays valid until it is closed.
 * Arguments: the handle of any object. Answers: 0; WPOOL_NOT_FOUND if it was deleted before;
 * WPOOL_NOT_OWNER if the command line or the host's program has made it.
 * Traps: as said above. Blocks: never. */
WPOOL_IMPORT("object_delete") int32_t wpool_object_delete(wpool_handle object);

/* Every `create` makes an object and opens it.
 * Answers: a handle; WPOOL_EXISTS, WPOOL_NO_SPACE, WPOOL_OUT_OF_RANGE (a name, a size, a count).
 * Traps: the name is not UTF-8; a flag or a type is none of those above. Blocks: never.
 *
 * Every `open` opens an object that is there.
 * Answers: a handle; WPOOL_NOT_FOUND, WPOOL_WRONG_KIND, WPOOL_NO_SPACE, WPOOL_OUT_OF_RANGE (the
 * name). Traps: the name is not UTF-8. Blocks: never. */

/* ---- Locks ---- */

/* Creates a lock. Arguments: a name; 1 if its owner may acquire it again, else 0. */
WPOOL_IMPORT("lock_create")
wpool_handle wpool_lock_create(const char *name, size_t name_len, int32_t recursive);

/* Opens a lock. Arguments: its name. */
WPOOL_IMPORT("lock_open") wpool_handle wpool_lock_open(const char *name, size_t name_len);

/* Acquires a lock.
 * Arguments: the lock; the longest wait. Answers: 0; WPOOL_OWNER_DIED: it is held, and what it
 * protects may be half changed; WPOOL_TIMED_OUT, WPOOL_INTERRUPTED, WPOOL_ALREADY_OWNER (only where
 * the wait has no end), WPOOL_TOO_MANY. Traps: as said above. Blocks: until it is free. */
WPOOL_IMPORT("lock_acquire") int32_t wpool_lock_acquire(wpool_handle lock, int64_t timeout_ns);

/* Releases a lock, or one level of a recursive one.
 * Arguments: the lock. Answers: 0; WPOOL_NOT_OWNER. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("lock_release") int32_t wpool_lock_release(wpool_handle lock);

/* Says that what a lock protects is whole again. If its holder dies before that or a release, the
 * next one is told WPOOL_OWNER_DIED again.
 * Arguments: the lock. Answers: 0; WPOOL_NOT_OWNER. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("lock_mark_consistent") int32_t wpool_lock_mark_consistent(wpool_handle lock);

/* ---- Semaphores ---- */

/* Creates a semaphore. Arguments: a name; permits at the start; of enum wpool_semaphore_flag. */
WPOOL_IMPORT("semaphore_create")
wpool_handle wpool_semaphore_create(const char *name, size_t name_len, int32_t initial,
                                    int32_t flags);

/* Opens a semaphore. Arguments: its name. */
WPOOL_IMPORT("semaphore_open")
wpool_handle wpool_semaphore_open(const char *name, size_t name_len);

/* Acquires a permit.
 * Arguments: the semaphore; the longest wait. Answers: 0; above 0, with a permit as well: so many
 * permits of processes that died were restored, which is told once; WPOOL_TIMED_OUT,
 * WPOOL_INTERRUPTED. Traps: as said above. Blocks: until a permit is free. */
WPOOL_IMPORT("semaphore_acquire")
int32_t wpool_semaphore_acquire(wpool_handle semaphore, int64_t timeout_ns);

/* Releases a permit, or adds one if this process holds none.
 * Arguments: the semaphore. Answers: 0; WPOOL_TOO_MANY. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("semaphore_release") int32_t wpool_semaphore_release(wpool_handle semaphore);

/* How many permits are free, at this moment.
 * Arguments: the semaphore. Answers: the number. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("semaphore_count") int32_t wpool_semaphore_count(wpool_handle semaphore);

/* ---- Conditions ---- */

/* Creates a condition. Arguments: a name; the handle of a lock, or 0 for a recursive lock of its
 * own. Traps also: `lock` is neither. */
WPOOL_IMPORT("condition_create")
wpool_handle wpool_condition_create(const char *name, size_t name_len, wpool_handle lock);

/* Opens a condition. Arguments: its name. */
WPOOL_IMPORT("condition_open")
wpool_handle wpool_condition_open(const char *name, size_t name_len);

/* Acquires a condition's lock.
 * Arguments, answers, traps, blocks: as wpool_lock_acquire. */
WPOOL_IMPORT("condition_acquire")
int32_t wpool_condition_acquire(wpool_handle condition, int64_t timeout_ns);

/* Releases a condition's lock.
 * Arguments, answers, traps, blocks: as wpool_lock_release. */
WPOOL_IMPORT("condition_release") int32_t wpool_condition_release(wpool_handle condition);

/* Says that what a condition's lock protects is whole again.
 * Arguments, answers, traps, blocks: as wpool_lock_mark_consistent. */
WPOOL_IMPORT("condition_mark_consistent")
int32_t wpool_condition_mark_consistent(wpool_handle condition);

/* Releases the lock, all levels of it, waits for a notification, and acquires the lock again.
 * Arguments: the condition; the longest wait for a notification. Answers: 0 or above, with the lock
 * held: WPOOL_OWNER_DIED and WPOOL_TIME_OVER, or'ed; WPOOL_NOT_OWNER, WPOOL_INTERRUPTED, with the
 * lock not held. Traps: as said above. Blocks: until notified and the lock is free. */
WPOOL_IMPORT("condition_wait")
int32_t wpool_condition_wait(wpool_handle condition, int64_t timeout_ns);

/* Notifies some of those that wait, those first that came first.
 * Arguments: the condition, with its lock held; how many. Answers: how many were notified;
 * WPOOL_NOT_OWNER. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("condition_notify")
int32_t wpool_condition_notify(wpool_handle condition, int32_t count);

/* Notifies all that wait.
 * Arguments: the condition, with its lock held. Answers: how many were notified; WPOOL_NOT_OWNER.
 * Traps: as said above. Blocks: never. */
WPOOL_IMPORT("condition_notify_all") int32_t wpool_condition_notify_all(wpool_handle condition);

/* ---- Events ---- */

/* Creates an event that is not set. Arguments: a name. */
WPOOL_IMPORT("event_create") wpool_handle wpool_event_create(const char *name, size_t name_len);

/* Opens an event. Arguments: its name. */
WPOOL_IMPORT("event_open") wpool_handle wpool_event_open(const char *name, size_t name_len);

/* Sets the flag: all that wait go on.
 * Arguments: the event. Answers: 0. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("event_set") int32_t wpool_event_set(wpool_handle event);

/* Clears the flag.
 * Arguments: the event. Answers: 0. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("event_clear") int32_t wpool_event_clear(wpool_handle event);

/* Whether the flag is set.
 * Arguments: the event. Answers: 1 or 0. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("event_is_set") int32_t wpool_event_is_set(wpool_handle event);

/* Waits until the flag is set.
 * Arguments: the event; the longest wait. Answers: 0; WPOOL_TIMED_OUT, WPOOL_INTERRUPTED.
 * Traps: as said above. Blocks: until the flag is set. */
WPOOL_IMPORT("event_wait") int32_t wpool_event_wait(wpool_handle event, int64_t timeout_ns);

/* ---- Barriers ---- */

/* Creates a barrier. Arguments: a name; how many parties go on together. */
WPOOL_IMPORT("barrier_create")
wpool_handle wpool_barrier_create(const char *name, size_t name_len, int32_t parties);

/* Opens a barrier. Arguments: its name. */
WPOOL_IMPORT("barrier_open") wpool_handle wpool_barrier_open(const char *name, size_t name_len);

/* Waits until all parties wait. A party that dies, is interrupted or waits no longer breaks the
 * barrier for all.
 * Arguments: the barrier; the longest wait. Answers: which party this is, from 0 in the order in
 * which they came; WPOOL_BROKEN; WPOOL_TIMED_OUT, WPOOL_INTERRUPTED. Traps: as said above.
 * Blocks: until all parties wait. */
WPOOL_IMPORT("barrier_wait")
int32_t wpool_barrier_wait(wpool_handle barrier, int64_t timeout_ns);

/* Breaks the barrier.
 * Arguments: the barrier. Answers: 0. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("barrier_abort") int32_t wpool_barrier_abort(wpool_handle barrier);

/* Makes the barrier as new; those that wait get WPOOL_BROKEN.
 * Arguments: the barrier. Answers: 0. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("barrier_reset") int32_t wpool_barrier_reset(wpool_handle barrier);

/* How many parties the barrier is for.
 * Arguments: the barrier. Answers: the number. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("barrier_parties") int32_t wpool_barrier_parties(wpool_handle barrier);

/* How many parties wait, at this moment.
 * Arguments: the barrier. Answers: the number. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("barrier_waiting") int32_t wpool_barrier_waiting(wpool_handle barrier);

/* Whether the barrier is broken.
 * Arguments: the barrier. Answers: 1 or 0. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("barrier_is_broken") int32_t wpool_barrier_is_broken(wpool_handle barrier);

/* ---- Queues ---- */

/* Creates a queue. Arguments: a name; most messages in it; most bytes of its messages longer than
 * 96 bytes, each taken as a multiple of 256; 1 if done tasks are counted, else 0. */
WPOOL_IMPORT("queue_create")
wpool_handle wpool_queue_create(const char *name, size_t name_len, int32_t messages, int64_t bytes,
                                int32_t joinable);

/* Opens a queue. Arguments: its name. */
WPOOL_IMPORT("queue_open") wpool_handle wpool_queue_open(const char *name, size_t name_len);

/* Puts a message at the end.
 * Arguments: the queue; the message's bytes; the longest wait. Answers: 0; WPOOL_TIMED_OUT (it is
 * full), WPOOL_INTERRUPTED, WPOOL_CLOSED, WPOOL_TOO_LARGE. Traps: as said above.
 * Blocks: until there is room. */
WPOOL_IMPORT("queue_put")
int32_t wpool_queue_put(wpool_handle queue, const void *src, size_t len, int64_t timeout_ns);

/* Gets the first message. It is on lease to this process until it next calls the queue, or its job
 * succeeds: if it dies before that, the message is delivered again.
 * Arguments: the queue; where the message goes; how many bytes of it at most; the longest wait.
 * Answers: the length of the message in the low 32 bits, and WPOOL_REDELIVERED; what there was no
 * room for is had by wpool_queue_read. Or WPOOL_TIMED_OUT (it is empty), WPOOL_INTERRUPTED,
 * WPOOL_CLOSED. Traps: as said above. Blocks: until there is a message. */
WPOOL_IMPORT("queue_get")
int64_t wpool_queue_get(wpool_handle queue, void *dst, size_t capacity, int64_t timeout_ns);

/* Copies bytes of the message that this instance got last, which has to be of this handle.
 * Arguments: the queue; where to; the first byte of the message; how many. Answers: how many were
 * copied, fewer at the message's end; WPOOL_NOT_FOUND if the last wpool_queue_get of the instance got
 * none, or was of another handle. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("queue_read")
int32_t wpool_queue_read(wpool_handle queue, void *dst, size_t offset, size_t len);

/* Ends the lease of the message got last: it is not delivered again.
 * Arguments: the queue. Answers: 0; WPOOL_NOT_OWNER if there is none. Traps: as said above.
 * Blocks: never. */
WPOOL_IMPORT("queue_acknowledge") int32_t wpool_queue_acknowledge(wpool_handle queue);

/* Says that a message that was got from a joinable queue is done.
 * Arguments: the queue. Answers: 0; WPOOL_TOO_MANY if all are; WPOOL_WRONG_KIND if it is not
 * joinable. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("queue_task_done") int32_t wpool_queue_task_done(wpool_handle queue);

/* Waits until all messages are done that were put.
 * Arguments: a joinable queue; the longest wait. Answers: 0; above 0: so many were acknowledged by
 * processes that died before they were done; WPOOL_TIMED_OUT, WPOOL_INTERRUPTED, WPOOL_WRONG_KIND.
 * Traps: as said above. Blocks: until all are done. */
WPOOL_IMPORT("queue_join") int32_t wpool_queue_join(wpool_handle queue, int64_t timeout_ns);

/* Ends all puts; what is in the queue can still be got.
 * Arguments: the queue. Answers: 0. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("queue_close") int32_t wpool_queue_close(wpool_handle queue);

/* Whether puts have ended.
 * Arguments: the queue. Answers: 1 or 0. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("queue_is_closed") int32_t wpool_queue_is_closed(wpool_handle queue);

/* How many messages can be got, at this moment.
 * Arguments: the queue. Answers: the number. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("queue_len") int32_t wpool_queue_len(wpool_handle queue);

/* ---- Values: every function is atomic ---- */

/* Creates a value. Arguments: a name; of enum wpool_type; its number. */
WPOOL_IMPORT("value_create")
wpool_handle wpool_value_create(const char *name, size_t name_len, int32_t type, int64_t initial);

/* Opens a value. Arguments: its name. */
WPOOL_IMPORT("value_open") wpool_handle wpool_value_open(const char *name, size_t name_len);

/* The type of the number.
 * Arguments: the value. Answers: of enum wpool_type. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("value_type") int32_t wpool_value_type(wpool_handle value);

/* The number.
 * Arguments: the value. Answers: its bits. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("value_get") int64_t wpool_value_get(wpool_handle value);

/* Sets the number.
 * Arguments: the value; the bits. Answers: nothing. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("value_set") void wpool_value_set(wpool_handle value, int64_t bits);

/* Sets the number.
 * Arguments: the value; the bits. Answers: the bits before. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("value_swap") int64_t wpool_value_swap(wpool_handle value, int64_t bits);

/* Adds to the number; integers wrap.
 * Arguments: the value; the bits. Answers: the bits before. Traps: it is a bool. Blocks: never. */
WPOOL_IMPORT("value_add") int64_t wpool_value_add(wpool_handle value, int64_t bits);

/* Sets the number if it has the expected bits.
 * Arguments: the value; the expected bits; the new ones. Answers: the bits before: it was set if
 * they are those expected. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("value_compare_exchange")
int64_t wpool_value_compare_exchange(wpool_handle value, int64_t expected, int64_t bits);

/* ---- Arrays: every function of one element is atomic ---- */

/* Creates an array of zeros. Arguments: a name; of enum wpool_type; how many elements. */
WPOOL_IMPORT("array_create")
wpool_handle wpool_array_create(const char *name, size_t name_len, int32_t type, size_t length);

/* Opens an array. Arguments: its name. */
WPOOL_IMPORT("array_open") wpool_handle wpool_array_open(const char *name, size_t name_len);

/* The type of the elements.
 * Arguments: the array. Answers: of enum wpool_type. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("array_type") int32_t wpool_array_type(wpool_handle array);

/* How many elements there are.
 * Arguments: the array. Answers: the number. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("array_len") size_t wpool_array_len(wpool_handle array);

/* An element.
 * Arguments: the array; the index. Answers: its bits. Traps: the index is out of range.
 * Blocks: never. */
WPOOL_IMPORT("array_get") int64_t wpool_array_get(wpool_handle array, size_t index);

/* Sets an element.
 * Arguments: the array; the index; the bits. Answers: nothing. Traps: the index is out of range.
 * Blocks: never. */
WPOOL_IMPORT("array_set") void wpool_array_set(wpool_handle array, size_t index, int64_t bits);

/* Sets an element.
 * Arguments: the array; the index; the bits. Answers: the bits before. Traps: the index is out of
 * range. Blocks: never. */
WPOOL_IMPORT("array_swap")
int64_t wpool_array_swap(wpool_handle array, size_t index, int64_t bits);

/* Adds to an element; integers wrap.
 * Arguments: the array; the index; the bits. Answers: the bits before. Traps: the index is out of
 * range; the elements are bools. Blocks: never. */
WPOOL_IMPORT("array_add") int64_t wpool_array_add(wpool_handle array, size_t index, int64_t bits);

/* Sets an element if it has the expected bits.
 * Arguments: the array; the index; the expected bits; the new ones. Answers: the bits before: it
 * was set if they are those expected. Traps: the index is out of range. Blocks: never. */
WPOOL_IMPORT("array_compare_exchange")
int64_t wpool_array_compare_exchange(wpool_handle array, size_t index, int64_t expected,
                                     int64_t bits);

/* Copies elements out, as C has them in an array; a bool is a byte.
 * Arguments: the array; the first index; where to; how many elements. Answers: nothing.
 * Traps: they are not all in the array. Blocks: never. */
WPOOL_IMPORT("array_read")
void wpool_array_read(wpool_handle array, size_t first, void *dst, size_t count);

/* Copies elements in, as C has them in an array; a bool is a byte.
 * Arguments: the array; the first index; where from; how many elements. Answers: nothing.
 * Traps: they are not all in the array. Blocks: never. */
WPOOL_IMPORT("array_write")
void wpool_array_write(wpool_handle array, size_t first, const void *src, size_t count);

/* ---- Regions ---- */

/* Creates a region of zeros. Arguments: a name; how many bytes. */
WPOOL_IMPORT("region_create")
wpool_handle wpool_region_create(const char *name, size_t name_len, int64_t bytes);

/* Opens a region. Arguments: its name. */
WPOOL_IMPORT("region_open") wpool_handle wpool_region_open(const char *name, size_t name_len);

/* How many bytes the region has.
 * Arguments: the region. Answers: the number. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("region_size") int64_t wpool_region_size(wpool_handle region);

/* Whether the region may only be read.
 * Arguments: the region. Answers: 1 or 0. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("region_is_read_only") int32_t wpool_region_is_read_only(wpool_handle region);

/* Maps the region into the memory of the module, until the handle is unmapped or closed. The region
 * is mapped once: other handles of it get the same address, and it goes with the last. A write to a
 * region that may only be read traps and ends the process.
 * Call `malloc` once before: an old wasi-libc takes all memory that its first call finds for its own.
 * Arguments: the region. Answers: its address, a multiple of 64 KiB and not 0; WPOOL_NO_SPACE.
 * Traps: the module exports no memory, or one of 64 bits. Blocks: never. */
WPOOL_IMPORT("region_map") int64_t wpool_region_map(wpool_handle region);

/* Takes the region out of the memory of the module, unless another handle has it mapped. Where it
 * was are zeros, which may only be read, until another region is mapped there.
 * Arguments: the region. Answers: 0. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("region_unmap") int32_t wpool_region_unmap(wpool_handle region);

/* Copies bytes out.
 * Arguments: the region; its first byte; where to; how many. Answers: 0. Traps: they are not all in
 * the region. Blocks: never. */
WPOOL_IMPORT("region_read")
int32_t wpool_region_read(wpool_handle region, int64_t offset, void *dst, size_t len);

/* Copies bytes in.
 * Arguments: the region; its first byte; where from; how many. Answers: 0; WPOOL_READ_ONLY.
 * Traps: they are not all in the region. Blocks: never. */
WPOOL_IMPORT("region_write")
int32_t wpool_region_write(wpool_handle region, int64_t offset, const void *src, size_t len);

#undef WPOOL_IMPORT

#ifdef __cplusplus
}
#endif

#endif
