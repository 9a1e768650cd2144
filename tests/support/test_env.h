/*
 * A deterministic world: a clock that only moves when it is read or slept on, seeded chance,
 * captured log lines, counted memory.
 *
 *     dwt_env world;
 *     dwt_env_init(&world, 1);
 *     ... use &world.env ...
 *     dwt_env_deinit(&world);      // fails the test if memory is still live
 *
 * Thread-safe.
 */
#ifndef DWT_SUPPORT_TEST_ENV_H
#define DWT_SUPPORT_TEST_ENV_H

#include "env/env.h"
#include "support/fault_allocator.h"

#include <pthread.h>

/* Where the clock starts: 2024-01-01 00:00:00 UTC. */
#define DWT_EPOCH_US INT64_C(1704067200000000)
#define DWT_EPOCH_MS (DWT_EPOCH_US / 1000)

enum { DWT_LOG_BYTES_MAX = 16384 };

typedef struct dwt_env {
    dw_env env;
    dwt_fault_allocator memory;
    pthread_mutex_t mutex; /* guards all below */
    int64_t now_us;
    int64_t tick_us;  /* each reading of the clock moves it by that; 1000 at first */
    int64_t slept_us; /* the sum of all sleeps; they return at once and move the clock */
    uint64_t random_state;
    int64_t cancel_after_polls; /* is_cancelled says true from this poll on; -1: never */
    size_t log_len;
    char log[DWT_LOG_BYTES_MAX]; /* "warn: text\ndebug: text\n"; what does not fit is dropped */
} dwt_env;

void dwt_env_init(dwt_env *world, uint64_t seed);
void dwt_env_deinit(dwt_env *world);

/* Sets the clock, in milliseconds since 1970 (the library's unit for commits). */
void dwt_env_set_now_ms(dwt_env *world, int64_t now_ms);
/* True when a captured line holds `text`. */
bool dwt_env_logged(dwt_env *world, const char *text);

/* The generator by itself (splitmix64), for tests that make choices of their own. */
uint64_t dwt_random_next(uint64_t *state);
/* 0 .. bound - 1. */
uint64_t dwt_random_below(uint64_t *state, uint64_t bound);

/* Fixtures of cmocka: the state is a dwt_env. */
int dwt_env_setup(void **state);
int dwt_env_teardown(void **state);

#endif
