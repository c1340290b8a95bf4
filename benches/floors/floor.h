// What the parts of the floor share: the same plumbing as wpool's, without WebAssembly.
//
// A floor is the time that the work takes a C program which does only what cannot be avoided: it
// forks workers, sends them batches of jobs as text down pipes, has each job claimed and its result
// committed in shared memory, and prints the results in the order of the jobs.

#ifndef FLOOR_H
#define FLOOR_H

#include <stddef.h>
#include <stdint.h>

// Most bytes of a frame, and so of the jobs or the results of a batch.
enum { FRAME_BYTES_MAX = 1 << 20 };

// A batch of jobs, or of their results: behind it `count` lengths, then the bytes of each.
struct frame {
    uint32_t count;
    uint32_t bytes;
    uint64_t batch;
};

// A task appends the result of a job to `out` and returns its end.
typedef char *task(char *out, const char *job, size_t length);

// The task of that name, or NULL.
task *task_named(const char *name);

// Appends a number in decimal digits and returns their end.
char *append_number(char *out, int64_t number);

// Appends the digest in hexadecimal and returns its end.
char *append_sha256(char *out, const char *bytes, size_t length);

// Writes all of it, or ends the program.
void write_all(int fd, const char *bytes, size_t length);

// Ends the program: what it needs is not to be had.
_Noreturn void fail(const char *what);

// Takes batches from one pipe and answers them on the other until there are no more.
_Noreturn void work(int jobs, int results, task *run, int fork_each);

// The frames that arrive on a pipe.
struct reader {
    int fd;
    char *bytes;
    size_t start, end;
};

struct reader reader_of(int fd);

// The next frame that has arrived whole, or NULL. `*closed` tells whether there will be no more.
struct frame *next_frame(struct reader *reader, int *closed);

// How one waits: for `spin` nanoseconds by looking again and again, then asleep. Sleeping and being
// woken costs more than a short spin, if there is a core to spare.
struct idle {
    int64_t spin;
    // 0 where something has come since.
    int64_t since;
};

// Waits until one of the pipes has something or is closed, or returns at once to be called again.
void wait_for(struct idle *idle, const int *fds, int count);

#endif
