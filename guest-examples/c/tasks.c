/* Tasks in C.
 *
 * A function of numbers is a task as it is. Any other task, `task_NAME`, reads its job as bytes of
 * JSON and writes its result; here these are lists of whole numbers.
 */

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wpool.h"

#define TASK(name) __attribute__((export_name(name)))

/* ---- Numbers ---- */

/* The square of a number. */
TASK("square") int64_t square(int64_t n) {
    return n * n;
}

/* The square root of a number, rounded to two digits. */
TASK("square_root") double square_root(double n) {
    return round(sqrt(n) * 100) / 100;
}

/* The product of three numbers. */
TASK("product") int64_t product(int64_t a, int64_t b, int64_t c) {
    return a * b * c;
}

/* The sum of the cubes of 0 to 999, whatever the job is. */
TASK("cubes_sum") int64_t cubes_sum(int64_t n) {
    (void)n;
    int64_t sum = 0;
    for (int64_t i = 0; i < 1000; i++) {
        int64_t cube = i * i * i;
        /* Without this the compiler would work the sum out and leave nothing to do. */
        __asm__ volatile("" : "+r"(cube));
        sum += cube;
    }
    return sum;
}

/* The square of a number; prints the id of the process that calculates it. */
TASK("compute_squares") int64_t compute_squares(int64_t n) {
    printf("Process %d calculating square of %lld\n", (int)wpool_process_id(), (long long)n);
    /* Nobody else does: a task is not the end of a program. */
    fflush(stdout);
    return square(n);
}

/* ---- Lists ---- */

/* Fails the job with a message. */
static int32_t fail(const char *message) {
    wpool_result_write(message, strlen(message));
    return 1;
}

/* The job as text, to be freed; NULL if there is no memory for it. */
static char *read_job(void) {
    size_t size = wpool_job_size();
    char *job = malloc(size + 1);
    if (job) job[wpool_job_read(job, 0, size)] = '\0';
    return job;
}

/* Appends a number to a result that is a list. */
static void write_item(int64_t item, bool first) {
    char text[24];
    int length = snprintf(text, sizeof text, "%s%lld", first ? "" : ",", (long long)item);
    wpool_result_write(text, (size_t)length);
}

/* Moves to the next character that is no space. */
static const char *skip_spaces(const char *at) {
    return at + strspn(at, " \t\r\n");
}

/* Reads a list of whole numbers, and answers how many there are; -1 if the text is no such list. */
static int32_t read_list(const char *at, int64_t *items) {
    int32_t count = 0;
    at = skip_spaces(at);
    if (*at != '[') return -1;
    if (*skip_spaces(at + 1) == ']') return 0;
    while (*at != ']') {
        char *end;
        errno = 0;
        items[count++] = strtoll(at + 1, &end, 10);
        if (end == at + 1 || errno == ERANGE) return -1;
        at = skip_spaces(end);
        if (*at != ',' && *at != ']') return -1;
    }
    return count;
}

/* The even ones among the numbers. */
TASK("task_evens") int32_t evens(void) {
    char *job = read_job();
    /* Each number takes two bytes of the job at least: itself and what stands before it. */
    int64_t *items = job ? malloc((strlen(job) / 2 + 1) * sizeof *items) : NULL;
    if (!items) return fail("no memory for the job");
    int32_t count = read_list(job, items);
    if (count < 0) {
        free(items);
        free(job);
        return fail("the job is not a list of whole numbers");
    }
    bool first = true;
    wpool_result_write("[", 1);
    for (int32_t i = 0; i < count; i++) {
        if (items[i] % 2 != 0) continue;
        write_item(items[i], first);
        first = false;
    }
    wpool_result_write("]", 1);
    free(items);
    free(job);
    return 0;
}

/* The cubes of 0 to 999, whatever the job is. */
TASK("task_cubes") int32_t cubes(void) {
    wpool_result_write("[", 1);
    for (int64_t i = 0; i < 1000; i++) write_item(i * i * i, i == 0);
    wpool_result_write("]", 1);
    return 0;
}

/* ---- What processes share ---- */

/* Opens the value `balance`; ends the job if there is none. */
static wpool_handle open_balance(void) {
    wpool_handle balance = wpool_value_open("balance", strlen("balance"));
    if (balance < 0) {
        fputs("there is no value `balance`: --value balance=i32:1\n", stderr);
        abort();
    }
    return balance;
}

/* Adds to the value `balance`, so often, holding the lock `guard` each time. */
static void change_locked(int32_t times, int64_t step) {
    wpool_handle balance = open_balance();
    wpool_handle guard = wpool_lock_open("guard", strlen("guard"));
    if (guard < 0) {
        fputs("there is no lock `guard`: --lock guard\n", stderr);
        abort();
    }
    for (int32_t i = 0; i < times; i++) {
        if (wpool_lock_acquire(guard, WPOOL_FOREVER) != 0) abort();
        wpool_value_set(balance, wpool_value_get(balance) + step);
        wpool_lock_release(guard);
    }
    wpool_object_close(guard);
    wpool_object_close(balance);
}

/* Adds 1 to the value `balance`, so often, holding the lock `guard` each time. */
TASK("add_locked") void add_locked(int32_t times) {
    change_locked(times, 1);
}

/* Subtracts as `add_locked` adds. */
TASK("subtract_locked") void subtract_locked(int32_t times) {
    change_locked(times, -1);
}
