// Frames on pipes. All reading ends are non-blocking.

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "floor.h"

// Small frames are read several at a time.
enum { READ_BYTES = 1 << 16 };

_Noreturn void fail(const char *what) {
    perror(what);
    exit(1);
}

void write_all(int fd, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0) fail("write");
        bytes += written;
        length -= (size_t)written;
    }
}

struct reader reader_of(int fd) {
    // One frame whole, and the beginning of the next.
    char *bytes = malloc(FRAME_BYTES_MAX + READ_BYTES);
    if (!bytes || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) fail("reader");
    return (struct reader){fd, bytes, 0, 0};
}

// How long the frame at the start is: at least its head, which may not have arrived.
static size_t frame_length(const struct reader *reader) {
    struct frame *frame = (void *)(reader->bytes + reader->start);
    if (reader->end - reader->start < sizeof *frame) return sizeof *frame;
    if (frame->bytes > FRAME_BYTES_MAX - sizeof *frame) fail("frame");
    return sizeof *frame + frame->bytes;
}

struct frame *next_frame(struct reader *reader, int *closed) {
    for (;;) {
        size_t length = frame_length(reader), have = reader->end - reader->start;
        if (have >= length && length > sizeof(struct frame)) {
            struct frame *frame = (void *)(reader->bytes + reader->start);
            // The next one begins where numbers may stand.
            reader->start += length;
            return frame;
        }
        if (reader->start > 0) {
            memmove(reader->bytes, reader->bytes + reader->start, have);
            reader->start = 0;
            reader->end = have;
        }
        // Of a long frame its rest and no more, so that the next need not be moved.
        size_t want = length > READ_BYTES ? length - have : READ_BYTES;
        ssize_t got = read(reader->fd, reader->bytes + have, want);
        if (got < 0 && errno != EAGAIN) fail("read");
        *closed = got == 0;
        if (got <= 0) return NULL;
        reader->end += (size_t)got;
    }
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

void wait_for(struct idle *idle, const int *fds, int count) {
    if (idle->spin > 0) {
        if (idle->since == 0) idle->since = now();
        if (now() - idle->since < idle->spin) return;
    }
    struct pollfd polls[count];
    for (int n = 0; n < count; n++) polls[n] = (struct pollfd){fds[n], POLLIN, 0};
    poll(polls, (nfds_t)count, -1);
}
