// The tasks: what the guests of the same names do.

#include <string.h>

#include "floor.h"

char *append_number(char *out, int64_t number) {
    char digits[24];
    int count = 0;
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    if (number < 0) *out++ = '-';
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    while (count > 0) *out++ = digits[--count];
    return out;
}

static int64_t number_of(const char *job, size_t length) {
    int64_t number = 0;
    for (size_t n = 0; n < length; n++) number = number * 10 + (job[n] - '0');
    return number;
}

static char *square(char *out, const char *job, size_t length) {
    int64_t number = number_of(job, length);
    return append_number(out, number * number);
}

static char *cubes(char *out, const char *job, size_t length) {
    (void)job, (void)length;
    *out++ = '[';
    for (int64_t n = 0; n < 1000; n++) {
        out = append_number(out, n * n * n);
        *out++ = ',';
    }
    out[-1] = ']';
    return out;
}

static char *cubes_sum(char *out, const char *job, size_t length) {
    (void)job, (void)length;
    int64_t sum = 0;
    for (int64_t n = 0; n < 1000; n++) {
        // Kept from the optimizer, as the guest keeps it.
        volatile int64_t cube = n * n * n;
        sum += cube;
    }
    return append_number(out, sum);
}

static char *busy(char *out, const char *job, size_t length) {
    uint64_t mix = 0x9e3779b97f4a7c15;
    for (int64_t rounds = number_of(job, length); rounds > 0; rounds--) {
        mix ^= mix << 13;
        mix ^= mix >> 7;
        mix ^= mix << 17;
    }
    return append_number(out, (int64_t)mix);
}

task *task_named(const char *name) {
    static const struct {
        const char *name;
        task *task;
    } tasks[] = {{"square", square},
                 {"cubes", cubes},
                 {"cubes_sum", cubes_sum},
                 {"busy", busy},
                 {"sha256", append_sha256}};
    for (size_t n = 0; n < sizeof tasks / sizeof *tasks; n++) {
        if (strcmp(tasks[n].name, name) == 0) return tasks[n].task;
    }
    return NULL;
}
