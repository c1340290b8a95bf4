/* wpool.h: the functions that wpool offers its guests, for C and C++.
 *
 * A task is an export `task_NAME` without parameters that returns 0, or any other number if the job
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
 * `cargo xtask codegen` writes the parts that follow from the files of wit/. All functions have in common:
 * - A name is UTF-8 of 1 to 128 bytes without NUL, given with its length; no NUL need follow.
 * - A handle is above 0 and belongs to one instance of the module, with which it is closed.
 * - `timeout_ns` is the longest wait in nanoseconds: WPOOL_FOREVER or any other negative number has
 *   no end, WPOOL_NOW does not wait at all.
 * - A negative answer is one of enum wpool_error. Any function of an object that a death has
 *   damaged beyond repair may return WPOOL_BROKEN.
 * - A bad handle, a handle of another kind of object, and a pointer to bytes that are not all in the
 *   memory are bugs of the module and trap: the job fails. "Traps" names the other bugs.
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

/* The reason why an operation was not done. */
enum wpool_error {
    /* codegen: errors */
    /* The operation could not be done in the given time. With a time of 0, it cannot be done now. */
    WPOOL_TIMED_OUT = -1,
    /* The run is ending, and nothing is waited for any more. */
    WPOOL_INTERRUPTED = -2,
    /* The barrier is broken, or a death has damaged the object beyond repair. */
    WPOOL_BROKEN = -3,
    /* The caller is not the owner, and only the owner may do this. */
    WPOOL_NOT_OWNER = -4,
    /* The caller holds the lock already, and would wait for itself for ever. */
    WPOOL_ALREADY_OWNER = -5,
    /* An object was released more often than acquired, a task was done more often than got, or a
     * lock is nested too deeply. */
    WPOOL_TOO_MANY = -6,
    /* The queue is closed: nothing can be put. If this is the answer to get, no message is left
     * either. */
    WPOOL_CLOSED = -7,
    /* The message could never fit into the queue. */
    WPOOL_TOO_LARGE = -8,
    /* No object, no storage, no handle or no address space is left. */
    WPOOL_NO_SPACE = -9,
    /* An object with this name exists. */
    WPOOL_EXISTS = -10,
    /* There is no object with this name. */
    WPOOL_NOT_FOUND = -11,
    /* The object with this name is of another kind, or the queue does not count tasks. */
    WPOOL_WRONG_KIND = -12,
    /* The number is not of the value's or the array's type. */
    WPOOL_WRONG_TYPE = -13,
    /* A name is empty, longer than 128 bytes, or has a NUL; or a size or a count is outside its
     * limits. */
    WPOOL_OUT_OF_RANGE = -14,
    /* The region may only be read. */
    WPOOL_READ_ONLY = -15,
    /* The object changed during each attempt to read all of it. */
    WPOOL_CHANGING = -16,
    /* codegen: end */
};

/* An answer to acquiring a lock: the caller holds it, but a process died while it held it. */
#define WPOOL_OWNER_DIED 1

/* A flag in the answer of wpool_condition_wait, beside WPOOL_OWNER_DIED: nobody notified in time. */
#define WPOOL_TIME_OVER 2

/* A flag in the answer of wpool_queue_get: another process got the message before, and died. */
#define WPOOL_REDELIVERED ((int64_t)1 << 32)

/* The flags of wpool_semaphore_create. */
enum wpool_semaphore_flag {
    /* A permit belongs to the process that acquired it, and is restored at its death. */
    WPOOL_OWNED = 1,
    /* There are never more permits than at the start. */
    WPOOL_BOUNDED = 2
};

/* The types of numbers. A number crosses as an int64_t: signed numbers with their sign, unsigned
 * numbers with zeros, floats as their IEEE bits, a bool as 0 or 1. On the way in only the low bits
 * count. */
enum wpool_type {
    /* codegen: number-types */
    /* A signed integer of 32 bits. */
    WPOOL_I32 = 1,
    /* A signed integer of 64 bits. */
    WPOOL_I64 = 2,
    /* An unsigned integer of 32 bits. */
    WPOOL_U32 = 3,
    /* An unsigned integer of 64 bits. */
    WPOOL_U64 = 4,
    /* A float of 32 bits. */
    WPOOL_F32 = 5,
    /* A float of 64 bits. */
    WPOOL_F64 = 6,
    /* A boolean. */
    WPOOL_BOOL = 7,
    /* codegen: end */
};

#define WPOOL_IMPORT(name) __attribute__((import_module("wpool"), import_name(name)))

/* ---- The job ---- */

/* Returns the size of the job, for a task `task_NAME`.
 * Arguments: none. Answers: the number of bytes. Traps: never. Blocks: never. */
WPOOL_IMPORT("job_size") size_t wpool_job_size(void);

/* Copies bytes of the job.
 * Arguments: the place to copy to; the first byte of the job; the number of bytes. Answers: the
 * number of copied bytes, fewer at the job's end. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("job_read") size_t wpool_job_read(void *dst, size_t offset, size_t len);

/* Appends bytes to the result, or to the message of a failure.
 * Arguments: the bytes; their number. Answers: nothing. Traps: the result grows above
 * --max-output. Blocks: never. */
WPOOL_IMPORT("result_write") void wpool_result_write(const void *src, size_t len);

/* ---- All objects ---- */

/* Closes a handle. The object is closed for this process with its last handle.
 * Arguments: the handle of any object. Answers: 0. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("object_close") int32_t wpool_object_close(wpool_handle object);

/* Deletes an object: its name is free at once, its storage when no process has the object open any
 * more. The handle stays valid until it is closed.
 * Arguments: the handle of any object. Answers: 0; WPOOL_NOT_FOUND if it was deleted before;
 * WPOOL_NOT_OWNER if the command line or the host's program has made it.
 * Traps: as said above. Blocks: never. */
WPOOL_IMPORT("object_delete") int32_t wpool_object_delete(wpool_handle object);

/* Every `create` makes an object and opens it.
 * Answers: a handle; WPOOL_EXISTS, WPOOL_NO_SPACE, WPOOL_OUT_OF_RANGE (a name, a size, a count).
 * Traps: the name is not UTF-8; a flag or a type is unknown. Blocks: never.
 *
 * Every `open` opens an object that exists.
 * Answers: a handle; WPOOL_NOT_FOUND, WPOOL_WRONG_KIND, WPOOL_NO_SPACE, WPOOL_OUT_OF_RANGE (the
 * name). Traps: the name is not UTF-8. Blocks: never. */

/* ---- Regions in the memory of the module ---- */

/* Maps the region into the memory of the module, until the handle is unmapped or closed. The region
 * is mapped once: other handles of it get the same address, and it is unmapped with the last handle.
 * A write to a region that may only be read traps and ends the process.
 * Call `malloc` once before: an old wasi-libc takes all memory that its first call finds for its
 * own.
 * Arguments: the region. Answers: its address, a multiple of 64 KiB and not 0; WPOOL_NO_SPACE.
 * Traps: the module exports no memory, or one of 64 bits. Blocks: never. */
WPOOL_IMPORT("region_map") int64_t wpool_region_map(wpool_handle region);

/* Takes the region out of the memory of the module, unless another handle has it mapped. Its place
 * holds zeros, which may only be read, until another region is mapped there.
 * Arguments: the region. Answers: 0. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("region_unmap") int32_t wpool_region_unmap(wpool_handle region);

/* codegen: functions */
/* ---- process ---- The process that runs a guest, and other processes. */

/* Returns the id of the operating-system process that runs this guest. Guests may print the id
 * to show which jobs share a process; nothing else follows from it.
 * Arguments: none. Answers: the id. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("process_id") int32_t wpool_process_id(void);

/* Returns the slot of this process in shared state.
 * Arguments: none. Answers: the slot, which no other process has at the same time. Traps: as
 * said above. Blocks: never. */
WPOOL_IMPORT("process_slot") int32_t wpool_process_slot(void);

/* Returns the slot of the process whose death or abort was reported last to this instance: by
 * WPOOL_OWNER_DIED, WPOOL_BROKEN, or restored permits.
 * Arguments: none. Answers: the slot, if it is known. Traps: as said above. Blocks: never.
 * In C: -1 if it is not known. */
WPOOL_IMPORT("culprit") int32_t wpool_culprit(void);

/* ---- lock ---- Locks, recursive or not, between the processes of a pool. A lock belongs to a
 * process. When the process dies, the next owner of the lock is told. */

/* Makes a lock and opens it.
 * Arguments: the name; true if the owner may take the lock again. Answers: a handle;
 * WPOOL_EXISTS, WPOOL_NO_SPACE, WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks:
 * never.
 * In C: with 0 or 1 for recursive. */
WPOOL_IMPORT("lock_create")
wpool_handle wpool_lock_create(const char *name, size_t name_len, int32_t recursive);

/* Opens a lock.
 * Arguments: the name. Answers: a handle; WPOOL_NOT_FOUND, WPOOL_WRONG_KIND, WPOOL_NO_SPACE,
 * WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks: never. */
WPOOL_IMPORT("lock_open") wpool_handle wpool_lock_open(const char *name, size_t name_len);

/* Takes the lock.
 * Arguments: the lock; the longest time to wait. Answers: the way the lock was taken;
 * WPOOL_TIMED_OUT, WPOOL_INTERRUPTED, WPOOL_BROKEN, WPOOL_ALREADY_OWNER (without a limit the
 * caller would wait for itself for ever), WPOOL_TOO_MANY (beyond 65,534 levels). Traps: as said
 * above. Blocks: until the lock is free. */
WPOOL_IMPORT("lock_acquire") int32_t wpool_lock_acquire(wpool_handle lock, int64_t timeout_ns);

/* Gives the lock back, or one level of a recursive lock.
 * Arguments: the lock. Answers: 0; WPOOL_NOT_OWNER, WPOOL_BROKEN. Traps: as said above. Blocks:
 * never. */
WPOOL_IMPORT("lock_release") int32_t wpool_lock_release(wpool_handle lock);

/* Marks the data that the lock protects as whole again, after WPOOL_OWNER_DIED.
 * Arguments: the lock. Answers: 0; WPOOL_NOT_OWNER, WPOOL_BROKEN. Traps: as said above. Blocks:
 * never. */
WPOOL_IMPORT("lock_mark_consistent") int32_t wpool_lock_mark_consistent(wpool_handle lock);

/* ---- semaphore ---- Semaphores: counts of permits between the processes of a pool. */

/* Makes a semaphore and opens it.
 * Arguments: the name; the number of permits, at most 2³¹−1; the options. Answers: a handle;
 * WPOOL_EXISTS, WPOOL_NO_SPACE, WPOOL_OUT_OF_RANGE (the name, the permits). Traps: as said
 * above. Blocks: never.
 * In C: with the sum of 1 for owned and 2 for bounded. */
WPOOL_IMPORT("semaphore_create")
wpool_handle wpool_semaphore_create(const char *name, size_t name_len, uint32_t initial,
                                    int32_t flags);

/* Opens a semaphore.
 * Arguments: the name. Answers: a handle; WPOOL_NOT_FOUND, WPOOL_WRONG_KIND, WPOOL_NO_SPACE,
 * WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks: never. */
WPOOL_IMPORT("semaphore_open") wpool_handle wpool_semaphore_open(const char *name, size_t name_len);

/* Takes a permit.
 * Arguments: the semaphore; the longest time to wait. Answers: the number of restored permits of
 * dead processes, which is reported once; WPOOL_TIMED_OUT, WPOOL_INTERRUPTED, WPOOL_BROKEN.
 * Traps: as said above. Blocks: until a permit is free. */
WPOOL_IMPORT("semaphore_acquire")
int32_t wpool_semaphore_acquire(wpool_handle semaphore, int64_t timeout_ns);

/* Gives a permit back, or makes a new one if this process holds none.
 * Arguments: the semaphore. Answers: 0; WPOOL_TOO_MANY (a bounded semaphore would have more than
 * at the start, any other more than 2³¹−1), WPOOL_BROKEN. Traps: as said above. Blocks:
 * never. */
WPOOL_IMPORT("semaphore_release") int32_t wpool_semaphore_release(wpool_handle semaphore);

/* Returns how many permits are free at this moment.
 * Arguments: the semaphore. Answers: the count. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("semaphore_count") int32_t wpool_semaphore_count(wpool_handle semaphore);

/* ---- condition ---- Conditions: waiting for a notification, with a lock given back meanwhile. */

/* Makes a condition and opens it.
 * Arguments: the name; the lock, or none for a recursive lock of its own. Answers: a handle;
 * WPOOL_EXISTS, WPOOL_NO_SPACE, WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks:
 * never.
 * In C: with 0 for a lock of its own. */
WPOOL_IMPORT("condition_create")
wpool_handle wpool_condition_create(const char *name, size_t name_len, wpool_handle lock);

/* Opens a condition.
 * Arguments: the name. Answers: a handle; WPOOL_NOT_FOUND, WPOOL_WRONG_KIND, WPOOL_NO_SPACE,
 * WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks: never. */
WPOOL_IMPORT("condition_open") wpool_handle wpool_condition_open(const char *name, size_t name_len);

/* Takes the condition's lock.
 * Arguments: the condition; the longest time to wait. Answers: the way the lock was taken;
 * WPOOL_TIMED_OUT, WPOOL_INTERRUPTED, WPOOL_BROKEN, WPOOL_ALREADY_OWNER (without a limit the
 * caller would wait for itself for ever), WPOOL_TOO_MANY (beyond 65,534 levels). Traps: as said
 * above. Blocks: until the lock is free. */
WPOOL_IMPORT("condition_acquire")
int32_t wpool_condition_acquire(wpool_handle condition, int64_t timeout_ns);

/* Gives the condition's lock back, or one level of a recursive lock.
 * Arguments: the condition. Answers: 0; WPOOL_NOT_OWNER, WPOOL_BROKEN. Traps: as said above.
 * Blocks: never. */
WPOOL_IMPORT("condition_release") int32_t wpool_condition_release(wpool_handle condition);

/* Marks the data that the condition's lock protects as whole again, after WPOOL_OWNER_DIED.
 * Arguments: the condition. Answers: 0; WPOOL_NOT_OWNER, WPOOL_BROKEN. Traps: as said above.
 * Blocks: never. */
WPOOL_IMPORT("condition_mark_consistent")
int32_t wpool_condition_mark_consistent(wpool_handle condition);

/* Gives the lock back (all its levels), waits for a notification, and takes the lock again.
 * Arguments: the condition; the longest time to wait for the notification. Taking the lock again
 * has no limit. Answers: the way the wait ended; WPOOL_NOT_OWNER; WPOOL_INTERRUPTED,
 * WPOOL_BROKEN: the lock is not held. Traps: as said above. Blocks: until a notification comes
 * and the lock is free. */
WPOOL_IMPORT("condition_wait")
int32_t wpool_condition_wait(wpool_handle condition, int64_t timeout_ns);

/* Notifies waiting processes, the longest waiting first.
 * Arguments: the condition; the greatest number. Answers: the number of notified processes;
 * WPOOL_NOT_OWNER, WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("condition_notify")
int32_t wpool_condition_notify(wpool_handle condition, uint32_t count);

/* Notifies all waiting processes.
 * Arguments: the condition. Answers: the number of notified processes; WPOOL_NOT_OWNER,
 * WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("condition_notify_all") int32_t wpool_condition_notify_all(wpool_handle condition);

/* ---- event ---- Events: flags that many processes can wait for. */

/* Makes an event that is not set, and opens it.
 * Arguments: the name. Answers: a handle; WPOOL_EXISTS, WPOOL_NO_SPACE, WPOOL_OUT_OF_RANGE (the
 * name). Traps: as said above. Blocks: never. */
WPOOL_IMPORT("event_create") wpool_handle wpool_event_create(const char *name, size_t name_len);

/* Opens an event.
 * Arguments: the name. Answers: a handle; WPOOL_NOT_FOUND, WPOOL_WRONG_KIND, WPOOL_NO_SPACE,
 * WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks: never. */
WPOOL_IMPORT("event_open") wpool_handle wpool_event_open(const char *name, size_t name_len);

/* Sets the flag. All waiting processes go on, even if the flag is cleared at once.
 * Arguments: the event. Answers: 0; WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("event_set") int32_t wpool_event_set(wpool_handle event);

/* Clears the flag.
 * Arguments: the event. Answers: 0; WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("event_clear") int32_t wpool_event_clear(wpool_handle event);

/* Returns whether the flag is set.
 * Arguments: the event. Answers: the boolean. Traps: as said above. Blocks: never.
 * In C: 0 or 1. */
WPOOL_IMPORT("event_is_set") int32_t wpool_event_is_set(wpool_handle event);

/* Waits until the flag is set.
 * Arguments: the event; the longest time to wait. Answers: 0; WPOOL_TIMED_OUT,
 * WPOOL_INTERRUPTED, WPOOL_BROKEN. Traps: as said above. Blocks: until the flag is set. */
WPOOL_IMPORT("event_wait") int32_t wpool_event_wait(wpool_handle event, int64_t timeout_ns);

/* ---- barrier ---- Barriers: parties that wait for one another and go on together. Nobody waits
 * for the dead: the barrier breaks when a process that has it open dies, or when the process's
 * instance is thrown away after a failure. A process that ends in good order leaves the barrier
 * as if it had closed it. */

/* Makes a barrier and opens it.
 * Arguments: the name; the number of parties, 1 to 1024. Answers: a handle; WPOOL_EXISTS,
 * WPOOL_NO_SPACE, WPOOL_OUT_OF_RANGE (the name, the parties). Traps: as said above. Blocks:
 * never. */
WPOOL_IMPORT("barrier_create")
wpool_handle wpool_barrier_create(const char *name, size_t name_len, uint32_t parties);

/* Opens a barrier.
 * Arguments: the name. Answers: a handle; WPOOL_NOT_FOUND, WPOOL_WRONG_KIND, WPOOL_NO_SPACE,
 * WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks: never. */
WPOOL_IMPORT("barrier_open") wpool_handle wpool_barrier_open(const char *name, size_t name_len);

/* Waits until all parties wait.
 * Arguments: the barrier; the longest time to wait. Answers: the place of this party in the
 * order of arrival, from 0; WPOOL_BROKEN if the barrier is broken, or breaks meanwhile;
 * WPOOL_TIMED_OUT, WPOOL_INTERRUPTED: the barrier is broken now, for all. Traps: as said above.
 * Blocks: until the last party waits. */
WPOOL_IMPORT("barrier_wait") int32_t wpool_barrier_wait(wpool_handle barrier, int64_t timeout_ns);

/* Breaks the barrier for all parties that wait now or later.
 * Arguments: the barrier. Answers: 0; WPOOL_BROKEN if the barrier is damaged. Traps: as said
 * above. Blocks: never. */
WPOOL_IMPORT("barrier_abort") int32_t wpool_barrier_abort(wpool_handle barrier);

/* Resets the barrier. Waiting parties are told that it broke.
 * Arguments: the barrier. Answers: 0; WPOOL_BROKEN if the barrier is damaged. Traps: as said
 * above. Blocks: never. */
WPOOL_IMPORT("barrier_reset") int32_t wpool_barrier_reset(wpool_handle barrier);

/* Returns the number of parties.
 * Arguments: the barrier. Answers: the number. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("barrier_parties") int32_t wpool_barrier_parties(wpool_handle barrier);

/* Returns how many parties wait at this moment.
 * Arguments: the barrier. Answers: the number. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("barrier_waiting") int32_t wpool_barrier_waiting(wpool_handle barrier);

/* Returns whether the barrier is broken.
 * Arguments: the barrier. Answers: the boolean. Traps: as said above. Blocks: never.
 * In C: 0 or 1. */
WPOOL_IMPORT("barrier_is_broken") int32_t wpool_barrier_is_broken(wpool_handle barrier);

/* ---- queue ---- Queues of messages, bounded in messages and in bytes, for any number of
 * producers and consumers. A message whose wpool_queue_put has returned is delivered at least
 * once, and only once unless it is marked as redelivered. */

/* Makes a queue and opens it.
 * Arguments: the name; the greatest number of messages, 1 to 65,536; the greatest number of
 * bytes, in pieces of 256, of messages longer than 96 bytes; true if tasks are counted, for
 * wpool_queue_task_done and wpool_queue_join. Answers: a handle; WPOOL_EXISTS, WPOOL_NO_SPACE,
 * WPOOL_OUT_OF_RANGE (the name, a size). Traps: as said above. Blocks: never.
 * In C: with 0 or 1 for joinable. */
WPOOL_IMPORT("queue_create")
wpool_handle wpool_queue_create(const char *name, size_t name_len, uint32_t messages,
                                uint64_t bytes, int32_t joinable);

/* Opens a queue.
 * Arguments: the name. Answers: a handle; WPOOL_NOT_FOUND, WPOOL_WRONG_KIND, WPOOL_NO_SPACE,
 * WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks: never. */
WPOOL_IMPORT("queue_open") wpool_handle wpool_queue_open(const char *name, size_t name_len);

/* Puts a message at the end.
 * Arguments: the queue; the message; the longest time to wait for space. Answers: 0;
 * WPOOL_TIMED_OUT (full), WPOOL_CLOSED, WPOOL_TOO_LARGE, WPOOL_INTERRUPTED, WPOOL_BROKEN. Traps:
 * as said above. Blocks: until there is space. */
WPOOL_IMPORT("queue_put")
int32_t wpool_queue_put(wpool_handle queue, const void *src, size_t len, int64_t timeout_ns);

/* Gets the first message. If this process dies before it is done with the message, another
 * process gets it. The process is done with the message at its next call of any function of this
 * queue, and when its job succeeds.
 * Arguments: the queue; the longest time to wait. Answers: the message; WPOOL_TIMED_OUT (empty),
 * WPOOL_CLOSED (and empty), WPOOL_INTERRUPTED, WPOOL_BROKEN. Traps: as said above. Blocks: until
 * there is a message.
 * In C: returns the message's length in the low 32 bits, and copies at most capacity bytes of
 * it. The whole message is kept until the next wpool_queue_get of the instance, of any queue:
 * wpool_queue_read copies a piece, and returns its length; WPOOL_NOT_FOUND if there is no
 * message of this handle. */
WPOOL_IMPORT("queue_get")
int64_t wpool_queue_get(wpool_handle queue, void *dst, size_t capacity, int64_t timeout_ns);
WPOOL_IMPORT("queue_read")
int32_t wpool_queue_read(wpool_handle queue, void *dst, size_t offset, size_t len);

/* Acknowledges the message last got: it will not be delivered again.
 * Arguments: the queue. Answers: 0; WPOOL_NOT_OWNER if there is no message to acknowledge,
 * WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("queue_acknowledge") int32_t wpool_queue_acknowledge(wpool_handle queue);

/* Marks a task whose message was got as done. Acknowledges the message last got.
 * Arguments: the queue. Answers: 0; WPOOL_TOO_MANY if no task is undone, WPOOL_WRONG_KIND if the
 * queue does not count tasks, WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("queue_task_done") int32_t wpool_queue_task_done(wpool_handle queue);

/* Waits until the tasks of all messages are done.
 * Arguments: the queue; the longest time to wait. Answers: the number of tasks that were
 * acknowledged by processes that died before the tasks were done, which is reported once;
 * WPOOL_TIMED_OUT, WPOOL_WRONG_KIND if the queue does not count tasks, WPOOL_INTERRUPTED,
 * WPOOL_BROKEN. Traps: as said above. Blocks: until the last task is done. */
WPOOL_IMPORT("queue_join") int32_t wpool_queue_join(wpool_handle queue, int64_t timeout_ns);

/* Closes the queue for puts of all processes. The messages in the queue can still be got.
 * Arguments: the queue. Answers: 0; WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("queue_close") int32_t wpool_queue_close(wpool_handle queue);

/* Returns whether the queue is closed.
 * Arguments: the queue. Answers: the boolean. Traps: as said above. Blocks: never.
 * In C: 0 or 1. */
WPOOL_IMPORT("queue_is_closed") int32_t wpool_queue_is_closed(wpool_handle queue);

/* Returns how many messages are in the queue at this moment.
 * Arguments: the queue. Answers: the number. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("queue_len") int32_t wpool_queue_len(wpool_handle queue);

/* ---- value ---- Values: one number each, changed by one instruction, and so always whole,
 * whoever dies. */

/* Makes a value and opens it.
 * Arguments: the name; the number, which sets the type as well. Answers: a handle; WPOOL_EXISTS,
 * WPOOL_NO_SPACE, WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks: never.
 * In C: an unknown type traps. */
WPOOL_IMPORT("value_create")
wpool_handle wpool_value_create(const char *name, size_t name_len, int32_t type, int64_t initial);

/* Opens a value.
 * Arguments: the name. Answers: a handle; WPOOL_NOT_FOUND, WPOOL_WRONG_KIND, WPOOL_NO_SPACE,
 * WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks: never. */
WPOOL_IMPORT("value_open") wpool_handle wpool_value_open(const char *name, size_t name_len);

/* Returns the type of the number.
 * Arguments: the value. Answers: the type. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("value_type") int32_t wpool_value_type(wpool_handle value);

/* Returns the number.
 * Arguments: the value. Answers: the number. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("value_get") int64_t wpool_value_get(wpool_handle value);

/* Sets the number.
 * Arguments: the value; the number. Answers: nothing; WPOOL_WRONG_TYPE. Traps: as said above.
 * Blocks: never. */
WPOOL_IMPORT("value_set") void wpool_value_set(wpool_handle value, int64_t bits);

/* Sets the number, and returns the previous one.
 * Arguments: the value; the number. Answers: the previous number; WPOOL_WRONG_TYPE. Traps: as
 * said above. Blocks: never. */
WPOOL_IMPORT("value_swap") int64_t wpool_value_swap(wpool_handle value, int64_t bits);

/* Adds to the number, and returns the previous one. Integers wrap.
 * Arguments: the value; the number to add. Answers: the previous number; WPOOL_WRONG_TYPE.
 * Traps: the number is a bool. Blocks: never. */
WPOOL_IMPORT("value_add") int64_t wpool_value_add(wpool_handle value, int64_t bits);

/* Sets the number if it is the expected one (floats: the same bits), and returns the previous
 * one.
 * Arguments: the value; the expected number; the new number. Answers: the previous number, which
 * was replaced if it is the expected one; WPOOL_WRONG_TYPE. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("value_compare_exchange")
int64_t wpool_value_compare_exchange(wpool_handle value, int64_t expected, int64_t new_);

/* ---- array ---- Arrays of numbers. Each element is always whole; several elements together are
 * not, and need a lock. */

/* Makes an array of zeros and opens it.
 * Arguments: the name; the type of the elements; the number of elements. Answers: a handle;
 * WPOOL_EXISTS, WPOOL_NO_SPACE, WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks:
 * never.
 * In C: an unknown type traps. */
WPOOL_IMPORT("array_create")
wpool_handle wpool_array_create(const char *name, size_t name_len, int32_t type, uint32_t length);

/* Opens an array.
 * Arguments: the name. Answers: a handle; WPOOL_NOT_FOUND, WPOOL_WRONG_KIND, WPOOL_NO_SPACE,
 * WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks: never. */
WPOOL_IMPORT("array_open") wpool_handle wpool_array_open(const char *name, size_t name_len);

/* Returns the type of the elements.
 * Arguments: the array. Answers: the type. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("array_type") int32_t wpool_array_type(wpool_handle array);

/* Returns the number of elements.
 * Arguments: the array. Answers: the number. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("array_len") int32_t wpool_array_len(wpool_handle array);

/* Returns an element.
 * Arguments: the array; the index. Answers: the number. Traps: there is no such element. Blocks:
 * never. */
WPOOL_IMPORT("array_get") int64_t wpool_array_get(wpool_handle array, uint32_t index);

/* Sets an element.
 * Arguments: the array; the index; the number. Answers: nothing; WPOOL_WRONG_TYPE. Traps: there
 * is no such element. Blocks: never. */
WPOOL_IMPORT("array_set") void wpool_array_set(wpool_handle array, uint32_t index, int64_t bits);

/* Sets an element, and returns its previous number.
 * Arguments: the array; the index; the number. Answers: the previous number; WPOOL_WRONG_TYPE.
 * Traps: there is no such element. Blocks: never. */
WPOOL_IMPORT("array_swap")
int64_t wpool_array_swap(wpool_handle array, uint32_t index, int64_t bits);

/* Adds to an element, and returns its previous number. Integers wrap.
 * Arguments: the array; the index; the number to add. Answers: the previous number;
 * WPOOL_WRONG_TYPE. Traps: there is no such element; the elements are bools. Blocks: never. */
WPOOL_IMPORT("array_add") int64_t wpool_array_add(wpool_handle array, uint32_t index, int64_t bits);

/* Sets an element if it is the expected number (floats: the same bits), and returns the previous
 * number.
 * Arguments: the array; the index; the expected number; the new number. Answers: the previous
 * number, which was replaced if it is the expected one; WPOOL_WRONG_TYPE. Traps: there is no
 * such element. Blocks: never. */
WPOOL_IMPORT("array_compare_exchange")
int64_t wpool_array_compare_exchange(wpool_handle array, uint32_t index, int64_t expected,
                                     int64_t new_);

/* Copies elements out.
 * Arguments: the array; the first index; the number of elements. Answers: the numbers. Traps:
 * there are no such elements. Blocks: never. */
WPOOL_IMPORT("array_read")
void wpool_array_read(wpool_handle array, uint32_t first, void *dst, size_t count);

/* Copies elements in.
 * Arguments: the array; the first index; the numbers. Answers: nothing; WPOOL_WRONG_TYPE. Traps:
 * there are no such elements. Blocks: never. */
WPOOL_IMPORT("array_write")
void wpool_array_write(wpool_handle array, uint32_t first, const void *src, size_t count);

/* ---- region ---- Regions: shared memory. These functions copy its bytes; core modules can also
 * map a region into their own memory. */

/* Makes a region of zeros, which every process may write, and opens it.
 * Arguments: the name; the number of bytes. Answers: a handle; WPOOL_EXISTS, WPOOL_NO_SPACE,
 * WPOOL_OUT_OF_RANGE (the name, or the size). Traps: as said above. Blocks: never. */
WPOOL_IMPORT("region_create")
wpool_handle wpool_region_create(const char *name, size_t name_len, uint64_t bytes);

/* Opens a region.
 * Arguments: the name. Answers: a handle; WPOOL_NOT_FOUND, WPOOL_WRONG_KIND, WPOOL_NO_SPACE,
 * WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks: never. */
WPOOL_IMPORT("region_open") wpool_handle wpool_region_open(const char *name, size_t name_len);

/* Returns the size of the region.
 * Arguments: the region. Answers: the number of bytes. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("region_size") int64_t wpool_region_size(wpool_handle region);

/* Returns whether guests may only read the region.
 * Arguments: the region. Answers: the boolean. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("region_is_read_only") int32_t wpool_region_is_read_only(wpool_handle region);

/* Copies bytes out of the region. Each aligned word of eight or four bytes is whole; several
 * words together are not.
 * Arguments: the region; the first byte's offset; the number of bytes. Answers: the bytes;
 * WPOOL_BROKEN. Traps: not all bytes are inside the region. Blocks: never. */
WPOOL_IMPORT("region_read")
int32_t wpool_region_read(wpool_handle region, uint64_t offset, void *dst, size_t len);

/* Copies bytes into the region. Each aligned word of eight or four bytes is whole; several words
 * together are not.
 * Arguments: the region; the first byte's offset; the bytes. Answers: 0; WPOOL_READ_ONLY,
 * WPOOL_BROKEN. Traps: not all bytes are inside the region. Blocks: never. */
WPOOL_IMPORT("region_write")
int32_t wpool_region_write(wpool_handle region, uint64_t offset, const void *src, size_t len);

/* ---- list ---- Lists of elements by index, like Python's. Elements are bytes. Each operation
 * is atomic: if a process dies during it, all of it has happened, or nothing. */

/* Makes a list and opens it.
 * Arguments: the name; the largest number of elements, and of bytes for them and for all that is
 * needed to find them, in pages of 4 KiB; 0 for no bound but the space that is there. Answers: a
 * handle; WPOOL_EXISTS, WPOOL_NO_SPACE, WPOOL_OUT_OF_RANGE (the name, a size). Traps: as said
 * above. Blocks: never. */
WPOOL_IMPORT("list_create")
wpool_handle wpool_list_create(const char *name, size_t name_len, uint32_t entries, uint64_t bytes);

/* Opens a list.
 * Arguments: the name. Answers: a handle; WPOOL_NOT_FOUND, WPOOL_WRONG_KIND, WPOOL_NO_SPACE,
 * WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks: never. */
WPOOL_IMPORT("list_open") wpool_handle wpool_list_open(const char *name, size_t name_len);

/* Returns the number of elements.
 * Arguments: the list. Answers: the number; WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("list_len") int32_t wpool_list_len(wpool_handle list);

/* Returns the version of the list, which each change increments.
 * Arguments: the list. Answers: the version; WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("list_version") int64_t wpool_list_version(wpool_handle list);

/* Waits until the version changes.
 * Arguments: the list; the known version; the longest time to wait. Answers: the new version;
 * WPOOL_TIMED_OUT, WPOOL_INTERRUPTED, WPOOL_BROKEN. Traps: as said above. Blocks: until
 * something changes. */
WPOOL_IMPORT("list_wait_changed")
int64_t wpool_list_wait_changed(wpool_handle list, uint64_t since, int64_t timeout_ns);

/* Removes all elements.
 * Arguments: the list. Answers: 0; WPOOL_NO_SPACE, WPOOL_BROKEN. Traps: as said above. Blocks:
 * never. */
WPOOL_IMPORT("list_clear") int32_t wpool_list_clear(wpool_handle list);

/* Reads an element.
 * Arguments: the list; the index, from the end if negative. Answers: the element;
 * WPOOL_OUT_OF_RANGE, WPOOL_BROKEN. Traps: as said above. Blocks: never.
 * In C: returns the element's length, and copies at most capacity bytes of it. The whole answer
 * is kept for object_answer until the next answer of a list, dict or set that has bytes. */
WPOOL_IMPORT("list_get")
int64_t wpool_list_get(wpool_handle list, int64_t index, void *dst, size_t capacity);

/* Replaces an element.
 * Arguments: the list; the index, from the end if negative; the new element; the version at
 * which the list must still be, if any. Answers: whether it was at this version, and so
 * replaced; WPOOL_OUT_OF_RANGE, WPOOL_TOO_LARGE, WPOOL_NO_SPACE, WPOOL_BROKEN. Traps: as said
 * above. Blocks: never.
 * In C: 0 or 1; a negative version is none. */
WPOOL_IMPORT("list_set")
int32_t wpool_list_set(wpool_handle list, int64_t index, const void *src, size_t len,
                       int64_t version);

/* Puts an element at the end.
 * Arguments: the list; the element. Answers: 0; WPOOL_TOO_LARGE (more than 1 MiB),
 * WPOOL_NO_SPACE, WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("list_append")
int32_t wpool_list_append(wpool_handle list, const void *src, size_t len);

/* Inserts an element before an index.
 * Arguments: the list; the index, from the end if negative, clamped to the list; the element.
 * Answers: 0; WPOOL_TOO_LARGE, WPOOL_NO_SPACE, WPOOL_BROKEN. Traps: as said above. Blocks:
 * never. */
WPOOL_IMPORT("list_insert")
int32_t wpool_list_insert(wpool_handle list, int64_t index, const void *src, size_t len);

/* Replaces a range of elements by others, all at once.
 * Arguments: the list; the begin and the end of the range, as indices that are clamped to the
 * list; the new elements; the version at which the list must still be, if any. Answers: whether
 * it was at this version, and so changed; WPOOL_TOO_LARGE (more than 4,096 elements or 64 KiB
 * are inserted or removed), WPOOL_NO_SPACE, WPOOL_BROKEN. Traps: as said above. Blocks: never.
 * In C: takes a row, and traps if it is none. */
WPOOL_IMPORT("list_splice")
int32_t wpool_list_splice(wpool_handle list, int64_t start, int64_t end, const void *src,
                          size_t len, int64_t version);

/* Removes an element, and returns it.
 * Arguments: the list; the index, from the end if negative. Answers: the element;
 * WPOOL_OUT_OF_RANGE, WPOOL_BROKEN. Traps: as said above. Blocks: never.
 * In C: as wpool_list_get. */
WPOOL_IMPORT("list_pop")
int64_t wpool_list_pop(wpool_handle list, int64_t index, void *dst, size_t capacity);

/* Reads a range of elements.
 * Arguments: the list; the begin and the end, as indices that are clamped to the list. Answers:
 * a page of them; WPOOL_BROKEN. Traps: as said above. Blocks: never.
 * In C: returns the row's length, as wpool_list_get. */
WPOOL_IMPORT("list_slice")
int64_t wpool_list_slice(wpool_handle list, int64_t start, int64_t end, void *dst, size_t capacity);

/* Looks for an element.
 * Arguments: the list; the element; the begin and the end of the search, as indices that are
 * clamped to the list. Answers: the first index; WPOOL_NOT_FOUND, WPOOL_CHANGING, WPOOL_BROKEN.
 * Traps: as said above. Blocks: never. */
WPOOL_IMPORT("list_index_of")
int64_t wpool_list_index_of(wpool_handle list, const void *src, size_t len, int64_t start,
                            int64_t end);

/* Reverses the order, in one step for a list of any length.
 * Arguments: the list. Answers: 0; WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("list_reverse") int32_t wpool_list_reverse(wpool_handle list);

/* The bytes of the element. */
WPOOL_IMPORT("object_answer")
int32_t wpool_object_answer(wpool_handle list, void *dst, size_t offset, size_t len);

/* The version of the list at which the element was read. */
WPOOL_IMPORT("object_answer_version") int64_t wpool_object_answer_version(wpool_handle list);

/* The index at which the next page begins; 0 if this page is the last. */
WPOOL_IMPORT("object_answer_cursor") int64_t wpool_object_answer_cursor(wpool_handle list);

/* ---- dict ---- Dicts of values by key, in the order of insertion, like Python's. Keys and
 * values are bytes. Each operation is atomic: if a process dies during it, all of it has
 * happened, or nothing. */

/* Makes a dict and opens it.
 * Arguments: the name; the largest number of entries, and of bytes for them and for all that is
 * needed to find them, in pages of 4 KiB; 0 for no bound but the space that is there. Answers: a
 * handle; WPOOL_EXISTS, WPOOL_NO_SPACE, WPOOL_OUT_OF_RANGE (the name, a size). Traps: as said
 * above. Blocks: never. */
WPOOL_IMPORT("dict_create")
wpool_handle wpool_dict_create(const char *name, size_t name_len, uint32_t entries, uint64_t bytes);

/* Opens a dict.
 * Arguments: the name. Answers: a handle; WPOOL_NOT_FOUND, WPOOL_WRONG_KIND, WPOOL_NO_SPACE,
 * WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks: never. */
WPOOL_IMPORT("dict_open") wpool_handle wpool_dict_open(const char *name, size_t name_len);

/* Returns the number of entries.
 * Arguments: the dict. Answers: the number; WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("dict_len") int32_t wpool_dict_len(wpool_handle dict);

/* Returns the version of the dict, which each change increments.
 * Arguments: the dict. Answers: the version; WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("dict_version") int64_t wpool_dict_version(wpool_handle dict);

/* Waits until the version changes.
 * Arguments: the dict; the known version; the longest time to wait. Answers: the new version;
 * WPOOL_TIMED_OUT, WPOOL_INTERRUPTED, WPOOL_BROKEN. Traps: as said above. Blocks: until
 * something changes. */
WPOOL_IMPORT("dict_wait_changed")
int64_t wpool_dict_wait_changed(wpool_handle dict, uint64_t since, int64_t timeout_ns);

/* Removes all entries.
 * Arguments: the dict. Answers: 0; WPOOL_NO_SPACE, WPOOL_BROKEN. Traps: as said above. Blocks:
 * never. */
WPOOL_IMPORT("dict_clear") int32_t wpool_dict_clear(wpool_handle dict);

/* Reads the value of a key.
 * Arguments: the dict; the key. Answers: the value, if there is such a key; WPOOL_BROKEN. Traps:
 * as said above. Blocks: never.
 * In C: as wpool_list_get; WPOOL_NOT_FOUND if there is no such key. */
WPOOL_IMPORT("dict_get")
int64_t wpool_dict_get(wpool_handle dict, const void *key, size_t key_len, void *dst,
                       size_t capacity);

/* Sets the value of a key. A new key is the last.
 * Arguments: the dict; the key; the value. Answers: 0; WPOOL_TOO_LARGE (more than 1 MiB),
 * WPOOL_NO_SPACE, WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("dict_set")
int32_t wpool_dict_set(wpool_handle dict, const void *key, size_t key_len, const void *src,
                       size_t len);

/* Sets the values of several keys, all or none.
 * Arguments: the dict; keys and values. Answers: 0; WPOOL_TOO_LARGE (more than 4,096 entries or
 * 64 KiB), WPOOL_NO_SPACE, WPOOL_BROKEN. Traps: as said above. Blocks: never.
 * In C: takes a row of keys and values in turn, and traps if it is none. */
WPOOL_IMPORT("dict_set_many")
int32_t wpool_dict_set_many(wpool_handle dict, const void *src, size_t len);

/* Reads the value of a key, which is set first if there is no such key.
 * Arguments: the dict; the key; the value to set. Answers: the value, and whether it was set
 * now; WPOOL_TOO_LARGE, WPOOL_NO_SPACE, WPOOL_BROKEN. Traps: as said above. Blocks: never.
 * In C: answers with the length in the low 32 bits, and bit 32 if it was set now. */
WPOOL_IMPORT("dict_get_or_insert")
int64_t wpool_dict_get_or_insert(wpool_handle dict, const void *key, size_t key_len,
                                 const void *src, size_t len, void *dst, size_t capacity);

/* Sets the value of a key if it was last set at a version.
 * Arguments: the dict; the key; the version, none if there must be no such key; the value.
 * Answers: whether it was so, and is set; WPOOL_TOO_LARGE, WPOOL_NO_SPACE, WPOOL_BROKEN. Traps:
 * as said above. Blocks: never.
 * In C: 0 or 1; a negative version is none. */
WPOOL_IMPORT("dict_swap_if")
int32_t wpool_dict_swap_if(wpool_handle dict, const void *key, size_t key_len, int64_t version,
                           const void *src, size_t len);

/* Removes a key if its value was last set at a version.
 * Arguments: the dict; the key; the version, none if there must be no such key. Answers: whether
 * it was so; WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("dict_remove_if")
int32_t wpool_dict_remove_if(wpool_handle dict, const void *key, size_t key_len, int64_t version);

/* Removes a key.
 * Arguments: the dict; the key. Answers: its value, if there was such a key; WPOOL_BROKEN.
 * Traps: as said above. Blocks: never.
 * In C: as wpool_dict_get. */
WPOOL_IMPORT("dict_pop")
int64_t wpool_dict_pop(wpool_handle dict, const void *key, size_t key_len, void *dst,
                       size_t capacity);

/* Removes a key, whatever its value is.
 * Arguments: the dict; the key. Answers: whether there was such a key; WPOOL_BROKEN. Traps: as
 * said above. Blocks: never.
 * In C: 0 or 1. */
WPOOL_IMPORT("dict_remove")
int32_t wpool_dict_remove(wpool_handle dict, const void *key, size_t key_len);

/* Returns whether there is a key.
 * Arguments: the dict; the key. Answers: whether there is; WPOOL_BROKEN. Traps: as said above.
 * Blocks: never.
 * In C: 0 or 1. */
WPOOL_IMPORT("dict_contains")
int32_t wpool_dict_contains(wpool_handle dict, const void *key, size_t key_len);

/* Removes the entry whose key was inserted last, and returns it.
 * Arguments: the dict. Answers: the key and the value, if there was one; WPOOL_BROKEN. Traps: as
 * said above. Blocks: never.
 * In C: answers with the length of a row of both, as wpool_list_get; WPOOL_NOT_FOUND if there
 * was none. */
WPOOL_IMPORT("dict_pop_item")
int64_t wpool_dict_pop_item(wpool_handle dict, void *dst, size_t capacity);

/* Reads entries, in the order in which their keys were inserted.
 * Arguments: the dict; the part; the cursor and the version of the page before, 0 for the first.
 * Answers: a page. If the version has moved since the page before, it is empty, and whoever asks
 * begins anew. WPOOL_OUT_OF_RANGE (no such cursor), WPOOL_BROKEN. Traps: as said above. Blocks:
 * never.
 * In C: answers with the row's length, as wpool_list_get; an unknown part traps. */
WPOOL_IMPORT("dict_page")
int64_t wpool_dict_page(wpool_handle dict, int32_t part, uint64_t cursor, uint64_t version,
                        void *dst, size_t capacity);

/* Adds to the whole number that is the value of a key, in decimal digits; it is 0 if there is no
 * such key.
 * Arguments: the dict; the key; what to add. Answers: the sum; WPOOL_WRONG_TYPE (the value is no
 * whole number), WPOOL_OUT_OF_RANGE (the sum has more than 64 bits), WPOOL_TOO_LARGE,
 * WPOOL_NO_SPACE, WPOOL_BROKEN. Traps: as said above. Blocks: never.
 * In C: puts the sum at dst, in 64 bits, little endian. */
WPOOL_IMPORT("dict_add")
int32_t wpool_dict_add(wpool_handle dict, const void *key, size_t key_len, int64_t number,
                       int64_t *dst);

/* ---- set ---- Sets of members, like Python's. Members are bytes. Each operation is atomic: if
 * a process dies during it, all of it has happened, or nothing. */

/* Makes a set and opens it.
 * Arguments: the name; the largest number of members, and of bytes for them and for all that is
 * needed to find them, in pages of 4 KiB; 0 for no bound but the space that is there. Answers: a
 * handle; WPOOL_EXISTS, WPOOL_NO_SPACE, WPOOL_OUT_OF_RANGE (the name, a size). Traps: as said
 * above. Blocks: never. */
WPOOL_IMPORT("set_create")
wpool_handle wpool_set_create(const char *name, size_t name_len, uint32_t entries, uint64_t bytes);

/* Opens a set.
 * Arguments: the name. Answers: a handle; WPOOL_NOT_FOUND, WPOOL_WRONG_KIND, WPOOL_NO_SPACE,
 * WPOOL_OUT_OF_RANGE (the name). Traps: as said above. Blocks: never. */
WPOOL_IMPORT("set_open") wpool_handle wpool_set_open(const char *name, size_t name_len);

/* Returns the number of members.
 * Arguments: the set. Answers: the number; WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("set_len") int32_t wpool_set_len(wpool_handle set);

/* Returns the version of the set, which each change increments.
 * Arguments: the set. Answers: the version; WPOOL_BROKEN. Traps: as said above. Blocks: never. */
WPOOL_IMPORT("set_version") int64_t wpool_set_version(wpool_handle set);

/* Waits until the version changes.
 * Arguments: the set; the known version; the longest time to wait. Answers: the new version;
 * WPOOL_TIMED_OUT, WPOOL_INTERRUPTED, WPOOL_BROKEN. Traps: as said above. Blocks: until
 * something changes. */
WPOOL_IMPORT("set_wait_changed")
int64_t wpool_set_wait_changed(wpool_handle set, uint64_t since, int64_t timeout_ns);

/* Removes all members.
 * Arguments: the set. Answers: 0; WPOOL_NO_SPACE, WPOOL_BROKEN. Traps: as said above. Blocks:
 * never. */
WPOOL_IMPORT("set_clear") int32_t wpool_set_clear(wpool_handle set);

/* Puts a member in.
 * Arguments: the set; the member. Answers: whether it was not there; WPOOL_TOO_LARGE (more than
 * 1 MiB), WPOOL_NO_SPACE, WPOOL_BROKEN. Traps: as said above. Blocks: never.
 * In C: 0 or 1. */
WPOOL_IMPORT("set_add") int32_t wpool_set_add(wpool_handle set, const void *src, size_t len);

/* Removes a member.
 * Arguments: the set; the member. Answers: whether it was there; WPOOL_BROKEN. Traps: as said
 * above. Blocks: never.
 * In C: 0 or 1. */
WPOOL_IMPORT("set_discard")
int32_t wpool_set_discard(wpool_handle set, const void *src, size_t len);

/* Returns whether there is a member.
 * Arguments: the set; the member. Answers: whether there is; WPOOL_BROKEN. Traps: as said above.
 * Blocks: never.
 * In C: 0 or 1. */
WPOOL_IMPORT("set_contains")
int32_t wpool_set_contains(wpool_handle set, const void *src, size_t len);

/* Removes any member, and returns it.
 * Arguments: the set. Answers: the member, if there was one; WPOOL_BROKEN. Traps: as said above.
 * Blocks: never.
 * In C: as wpool_list_get; WPOOL_NOT_FOUND if there was none. */
WPOOL_IMPORT("set_pop") int64_t wpool_set_pop(wpool_handle set, void *dst, size_t capacity);

/* Updates the set with other members, all at once.
 * Arguments: the set; the way; the members. Answers: whether something changed; WPOOL_TOO_LARGE
 * (more than 4,096 members or 64 KiB, or an intersection with a set of more), WPOOL_NO_SPACE,
 * WPOOL_BROKEN. Traps: as said above. Blocks: never.
 * In C: takes a row, and traps if it is none. */
WPOOL_IMPORT("set_update")
int32_t wpool_set_update(wpool_handle set, int32_t how, const void *src, size_t len);

/* Reads members.
 * Arguments: the set; the cursor and the version of the page before, 0 for the first. Answers: a
 * page. If the version has moved since the page before, it is empty, and whoever asks begins
 * anew. WPOOL_OUT_OF_RANGE (no such cursor), WPOOL_BROKEN. Traps: as said above. Blocks: never.
 * In C: answers with the row's length, as wpool_list_get. */
WPOOL_IMPORT("set_page")
int64_t wpool_set_page(wpool_handle set, uint64_t cursor, uint64_t version, void *dst,
                       size_t capacity);

/* ---- nested ---- Lists, dicts and sets that are elements of lists, or values of dicts. A
 * nested object belongs to the place where it was made. It is removed with its place, and all
 * that is in it with it: then its functions return WPOOL_NOT_FOUND. It has no name, counts
 * towards the bytes of the outermost object, and delete returns WPOOL_NOT_OWNER. Functions that
 * read bytes return WPOOL_WRONG_KIND for it, and rows and pages have an item without bytes in
 * its place. */

/* Opens the object that is an element of a list.
 * Arguments: the nested; the list; the index, from the end if negative. Answers: the object;
 * WPOOL_OUT_OF_RANGE, WPOOL_WRONG_TYPE (the element is bytes), WPOOL_NO_SPACE, WPOOL_NOT_FOUND,
 * WPOOL_BROKEN. Traps: as said above. Blocks: never.
 * In C: returns the handle in the low 32 bits, and the number of the kind above them. */
WPOOL_IMPORT("nested_open_in_list")
int64_t wpool_nested_open_in_list(wpool_handle nested, int64_t index);

/* Opens the object that is the value of a key.
 * Arguments: the nested; the dict; the key. Answers: the object; WPOOL_NOT_FOUND,
 * WPOOL_WRONG_TYPE (the value is bytes), WPOOL_NO_SPACE, WPOOL_BROKEN. Traps: as said above.
 * Blocks: never.
 * In C: as wpool_nested_open_in_list. */
WPOOL_IMPORT("nested_open_in_dict")
int64_t wpool_nested_open_in_dict(wpool_handle nested, const void *key, size_t key_len);

/* Makes an empty object that is an element of a list, and opens it.
 * Arguments: the nested; the list; the index, from the end if negative; the kind; true if the
 * object replaces the element at the index, false if it is inserted before the index, which is
 * then clamped to the list. Answers: the object; WPOOL_OUT_OF_RANGE, WPOOL_NO_SPACE,
 * WPOOL_NOT_FOUND, WPOOL_BROKEN. Traps: as said above. Blocks: never.
 * In C: with 0 or 1 for replace, as wpool_nested_open_in_list. */
WPOOL_IMPORT("nested_create_in_list")
int64_t wpool_nested_create_in_list(wpool_handle nested, int64_t index, int32_t kind,
                                    int32_t replace);

/* Makes an empty object that is the value of a key, and opens it.
 * Arguments: the nested; the dict; the key; the kind; true if an object of this kind that is
 * there already is opened and stays as it is, false if any old value is replaced. Answers: the
 * object; with true WPOOL_WRONG_TYPE (the value is bytes) and WPOOL_WRONG_KIND; WPOOL_TOO_LARGE,
 * WPOOL_NO_SPACE, WPOOL_NOT_FOUND, WPOOL_BROKEN. Traps: as said above. Blocks: never.
 * In C: with 0 or 1 for keep, as wpool_nested_open_in_list. */
WPOOL_IMPORT("nested_create_in_dict")
int64_t wpool_nested_create_in_dict(wpool_handle nested, const void *key, size_t key_len,
                                    int32_t kind, int32_t keep);
/* codegen: end */

#undef WPOOL_IMPORT

#ifdef __cplusplus
}
#endif

#endif
