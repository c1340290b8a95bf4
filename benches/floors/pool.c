// The dispatcher: pool [--spin] [--fork] TASK WORKERS BATCH FIRST END
//                 pool [--spin] [--fork] TASK WORKERS BATCH LIST
//
// Jobs are the numbers from FIRST up to END, or the bytes of the files whose NUL-terminated paths are
// in LIST. Results go to standard output, a line each, in the order of the jobs. With --fork, each
// job has a process of its own; with --spin, the dispatcher looks for results for a while before it
// sleeps.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floor.h"

enum { WORKERS_MAX = 64, IN_FLIGHT_MAX = 2, PIPE_BYTES = 1 << 20, OUT_BYTES = 1 << 16 };
enum { SPIN_NANOS = 20000 };

struct worker {
    int jobs;
    int in_flight;
    struct reader results;
};

// What has come before its turn.
struct early {
    char *buffer;
    struct frame *frame;
};

static struct {
    task *run;
    int fork_each, worker_count;
    uint32_t batch;
    int64_t next, end;
    const char *path;
    uint64_t sent, printed;
    struct early *early;
    struct idle idle;
} pool;

static struct worker workers[WORKERS_MAX];
static char out[OUT_BYTES];
static size_t out_length;

static void flush(void) {
    write_all(1, out, out_length);
    out_length = 0;
}

static void print(const char *bytes, size_t length) {
    if (length > sizeof out - out_length) flush();
    if (length > sizeof out / 4) {
        write_all(1, bytes, length);
        return;
    }
    memcpy(out + out_length, bytes, length);
    out_length += length;
}

static void start_worker(struct worker *worker) {
    int jobs[2], results[2];
    if (pipe(jobs) < 0 || pipe(results) < 0) fail("pipe");
    fcntl(jobs[1], F_SETPIPE_SZ, PIPE_BYTES);
    fcntl(results[1], F_SETPIPE_SZ, PIPE_BYTES);
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        // Those of the workers before it too, or they would not see the end.
        for (struct worker *other = workers; other < worker; other++) close(other->jobs);
        close(jobs[1]);
        close(results[0]);
        work(jobs[0], results[1], pool.run, pool.fork_each);
    }
    close(jobs[0]);
    close(results[1]);
    *worker = (struct worker){jobs[1], 0, reader_of(results[0])};
}

static char *append_file(char *to) {
    int fd = open(pool.path, O_RDONLY);
    struct stat file;
    if (fd < 0 || fstat(fd, &file) < 0 || file.st_size > FRAME_BYTES_MAX / 4) fail(pool.path);
    ssize_t got = read(fd, to, (size_t)file.st_size);
    if (got != file.st_size) fail(pool.path);
    close(fd);
    pool.path += strlen(pool.path) + 1;
    return to + got;
}

static void send_batch(struct worker *worker) {
    static _Alignas(8) char bytes[FRAME_BYTES_MAX];
    int64_t left = pool.end - pool.next;
    uint32_t count = left < pool.batch ? (uint32_t)left : pool.batch;
    struct frame *frame = (void *)bytes;
    uint32_t *lengths = (void *)(frame + 1);
    char *at = (void *)(lengths + count);
    for (uint32_t n = 0; n < count; n++, pool.next++) {
        if (at > bytes + sizeof bytes * 3 / 4) fail("batch");
        char *end = pool.path ? append_file(at) : append_number(at, pool.next);
        lengths[n] = (uint32_t)(end - at);
        at = end;
    }
    while ((at - bytes) % 8 != 0) *at++ = 0;
    *frame = (struct frame){count, (uint32_t)(at - bytes - sizeof *frame), pool.sent++};
    write_all(worker->jobs, bytes, (size_t)(at - bytes));
    worker->in_flight++;
}

// Prints the results of a batch. A worker is not trusted, so the lengths are added up.
static void print_batch(const struct frame *frame) {
    uint64_t total = 0, table = frame->count * sizeof(uint32_t);
    const uint32_t *lengths = (const void *)(frame + 1);
    if (table > frame->bytes) fail("results");
    for (uint32_t n = 0; n < frame->count; n++) total += lengths[n];
    if (table + total > frame->bytes) fail("results");
    print((const char *)frame + sizeof *frame + table, total);
    pool.printed++;
}

static struct early *early(uint64_t batch) { return &pool.early[batch % (WORKERS_MAX * 8)]; }

// Keeps results until it is their turn: a long frame has the reader's buffer to itself and takes it.
static void keep(struct reader *reader, struct frame *frame) {
    struct early *slot = early(frame->batch);
    if (frame->batch - pool.printed >= WORKERS_MAX * 8 || slot->frame) fail("order");
    size_t length = sizeof *frame + frame->bytes;
    if ((char *)frame == reader->bytes && reader->start == reader->end) {
        *slot = (struct early){reader->bytes, frame};
        *reader = reader_of(reader->fd);
        return;
    }
    char *copy = malloc(length);
    if (!copy) fail("malloc");
    *slot = (struct early){copy, memcpy(copy, frame, length)};
}

// Takes the results that have come and returns how many batches they were.
static int receive(struct worker *worker) {
    int closed = 0, received = 0;
    for (struct frame *frame; (frame = next_frame(&worker->results, &closed)) != NULL;) {
        worker->in_flight--;
        received++;
        if (frame->batch != pool.printed) {
            keep(&worker->results, frame);
            continue;
        }
        print_batch(frame);
        for (struct early *slot; (slot = early(pool.printed))->frame;) {
            print_batch(slot->frame);
            free(slot->buffer);
            *slot = (struct early){NULL, NULL};
        }
    }
    if (closed) fail("worker lost");
    return received;
}

// Sends what may be sent, and takes what has come or waits for it.
static void turn(const int *results) {
    // One batch each before the second of any; and none so far ahead that results would pile up.
    for (int depth = 1; depth <= IN_FLIGHT_MAX; depth++) {
        for (struct worker *worker = workers; worker < workers + pool.worker_count; worker++) {
            int ahead = pool.sent - pool.printed >= WORKERS_MAX * 8 - 1;
            if (worker->in_flight < depth && pool.next < pool.end && !ahead) send_batch(worker);
        }
    }
    if (pool.printed == pool.sent) return;
    int received = 0;
    for (int n = 0; n < pool.worker_count; n++) received += receive(&workers[n]);
    if (received > 0) {
        pool.idle.since = 0;
    } else {
        wait_for(&pool.idle, results, pool.worker_count);
    }
}

// The paths in a file, and how many there are.
static const char *paths(const char *list) {
    int fd = open(list, O_RDONLY);
    struct stat file;
    if (fd < 0 || fstat(fd, &file) < 0) fail(list);
    char *bytes = malloc((size_t)file.st_size + 1);
    if (!bytes || read(fd, bytes, (size_t)file.st_size) != file.st_size) fail(list);
    close(fd);
    for (off_t n = 0; n < file.st_size; n++) pool.end += bytes[n] == 0;
    return bytes;
}

int main(int count, char **words) {
    words++, count--;
    for (; count > 0 && words[0][0] == '-'; words++, count--) {
        if (strcmp(words[0], "--spin") == 0) pool.idle.spin = SPIN_NANOS;
        if (strcmp(words[0], "--fork") == 0) pool.fork_each = 1;
    }
    if (count < 4 || count > 5 || !(pool.run = task_named(words[0]))) {
        fprintf(stderr, "usage: pool [--spin] [--fork] TASK WORKERS BATCH FIRST END | LIST\n");
        return 2;
    }
    pool.worker_count = atoi(words[1]);
    pool.batch = (uint32_t)atoi(words[2]);
    pool.early = calloc(WORKERS_MAX * 8, sizeof *pool.early);
    if (pool.worker_count < 1 || pool.worker_count > WORKERS_MAX || !pool.early) return 2;
    pool.next = count == 5 ? atol(words[3]) : 0;
    pool.end = count == 5 ? atol(words[4]) : 0;
    if (count == 4) pool.path = paths(words[3]);

    int results[WORKERS_MAX];
    for (int n = 0; n < pool.worker_count; n++) {
        start_worker(&workers[n]);
        results[n] = workers[n].results.fd;
    }
    while (pool.next < pool.end || pool.printed < pool.sent) turn(results);
    flush();
    for (int n = 0; n < pool.worker_count; n++) close(workers[n].jobs);
    while (wait(NULL) > 0) {}
    return 0;
}
