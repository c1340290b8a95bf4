// A worker: claims each job, runs it, commits its result, and sends the results of a batch at once.

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floor.h"

// What the dispatcher of a pool could read after this worker's death.
struct memory {
    _Atomic uint64_t claimed;
    _Atomic uint64_t committed;
    char outbox[FRAME_BYTES_MAX];
};

// Runs a job whose result is to begin at `start`, here or in a child, and commits the result.
static void run_job(struct memory *memory, uint64_t start, task *run, int fork_each, const char *job,
                    uint32_t length) {
    pid_t child = fork_each ? fork() : 0;
    if (child < 0) fail("fork");
    if (child == 0) {
        char *end = run(memory->outbox + start, job, length);
        *end++ = '\n';
        atomic_store_explicit(&memory->committed, (uint64_t)(end - memory->outbox),
                              memory_order_release);
        if (fork_each) _exit(0);
    } else {
        waitpid(child, NULL, 0);
    }
}

static void answer(struct memory *memory, const struct frame *jobs, int results, task *run,
                   int fork_each) {
    const uint32_t *lengths = (const void *)(jobs + 1);
    const char *job = (const void *)(lengths + jobs->count);
    struct frame *frame = (void *)memory->outbox;
    uint32_t *written = (void *)(frame + 1);
    uint64_t end = sizeof *frame + jobs->count * sizeof *written;
    atomic_store(&memory->claimed, 0);
    for (uint32_t n = 0; n < jobs->count; n++) {
        uint64_t expected = n;
        if (!atomic_compare_exchange_strong(&memory->claimed, &expected, n + 1)) fail("claim");
        run_job(memory, end, run, fork_each, job, lengths[n]);
        uint64_t committed = atomic_load_explicit(&memory->committed, memory_order_acquire);
        written[n] = (uint32_t)(committed - end);
        end = committed;
        job += lengths[n];
    }
    // Frames are whole words, so that the next one's numbers stand where numbers may.
    while (end % sizeof(uint64_t) != 0) memory->outbox[end++] = 0;
    *frame = (struct frame){jobs->count, (uint32_t)(end - sizeof *frame), jobs->batch};
    write_all(results, memory->outbox, end);
}

_Noreturn void work(int jobs, int results, task *run, int fork_each) {
    struct memory *memory = mmap(NULL, sizeof *memory, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    struct reader reader = reader_of(jobs);
    struct idle idle = {0, 0};
    for (int closed = 0; !closed;) {
        struct frame *frame = next_frame(&reader, &closed);
        if (frame) {
            answer(memory, frame, results, run, fork_each);
        } else if (!closed) {
            wait_for(&idle, &jobs, 1);
        }
    }
    _exit(0);
}
