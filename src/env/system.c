/*
 * The real world behind dw_env.
 */
#include "env/env.h"

#include "base/assert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int64_t
read_clock(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    dw_assert(failed == 0);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t
system_now_us(void *ctx)
{
    (void) ctx;
    return read_clock(CLOCK_REALTIME);
}

static int64_t
system_monotonic_us(void *ctx)
{
    (void) ctx;
    return read_clock(CLOCK_MONOTONIC);
}

static void
system_sleep_us(void *ctx, int64_t duration_us)
{
    (void) ctx;
    struct timespec left = {duration_us / 1000000, (duration_us % 1000000) * 1000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

static void
system_random(void *ctx, void *bytes, size_t size)
{
    (void) ctx;
    char *next = bytes;
    while (size > 0) {
        ssize_t got = getrandom(next, size, 0);
        dw_assert(got > 0 || errno == EINTR);
        if (got > 0) {
            next += got;
            size -= (size_t) got;
        }
    }
}

static void
system_log(void *ctx, dw_log_level level, const char *line)
{
    (void) ctx;
    const char *wanted = getenv("DELTAWORKS_LOG");
    if (level == DW_LOG_WARN) {
        fprintf(stderr, "deltaworks: warning: %s\n", line);
    } else if (wanted != NULL && wanted[0] == 'd') {
        fprintf(stderr, "deltaworks: debug: %s\n", line);
    }
}

dw_env
dw__env_system(void)
{
    static const dw_env_ops ops = {system_now_us, system_monotonic_us, system_sleep_us,
                                   system_random, system_log,          NULL};
    return (dw_env){dw__allocator_libc(), &ops, NULL};
}
