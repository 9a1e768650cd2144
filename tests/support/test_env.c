/*
 * The deterministic world.
 */
#include "support/test_env.h"

#include "base/assert.h"

#include <stdio.h>
#include <string.h>

uint64_t
dwt_random_next(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t
dwt_random_below(uint64_t *state, uint64_t bound)
{
    dw_assert(bound > 0);
    return dwt_random_next(state) % bound;
}

static int64_t
read_clock(void *ctx)
{
    dwt_env *world = ctx;
    pthread_mutex_lock(&world->mutex);
    int64_t now = world->now_us;
    world->now_us += world->tick_us;
    pthread_mutex_unlock(&world->mutex);
    return now;
}

static void
advance_clock(void *ctx, int64_t duration_us)
{
    dwt_env *world = ctx;
    dw_assert(duration_us >= 0);
    pthread_mutex_lock(&world->mutex);
    world->now_us += duration_us;
    world->slept_us += duration_us;
    pthread_mutex_unlock(&world->mutex);
}

static void
fill_random(void *ctx, void *bytes, size_t size)
{
    dwt_env *world = ctx;
    char *next = bytes;
    pthread_mutex_lock(&world->mutex);
    while (size > 0) {
        uint64_t word = dwt_random_next(&world->random_state);
        size_t part = size < sizeof(word) ? size : sizeof(word);
        memcpy(next, &word, part);
        next += part;
        size -= part;
    }
    pthread_mutex_unlock(&world->mutex);
}

static void
capture_line(void *ctx, dw_log_level level, const char *line)
{
    static const char *const names[] = {"debug", "info", "warn"};
    dwt_env *world = ctx;
    pthread_mutex_lock(&world->mutex);
    size_t left = sizeof(world->log) - world->log_len;
    int len = snprintf(world->log + world->log_len, left, "%s: %s\n", names[level], line);
    dw_assert(len >= 0);
    if ((size_t) len < left) {
        world->log_len += (size_t) len;
    } else {
        world->log[world->log_len] = '\0';
    }
    pthread_mutex_unlock(&world->mutex);
}

static bool
poll_cancelled(void *ctx)
{
    dwt_env *world = ctx;
    pthread_mutex_lock(&world->mutex);
    bool cancelled = world->cancel_after_polls == 0;
    if (world->cancel_after_polls > 0) {
        world->cancel_after_polls--;
    }
    pthread_mutex_unlock(&world->mutex);
    return cancelled;
}

void
dwt_env_init(dwt_env *world, uint64_t seed)
{
    static const dw_env_ops ops = {read_clock,  read_clock,   advance_clock,
                                   fill_random, capture_line, poll_cancelled};
    *world = (dwt_env){
        .now_us = DWT_EPOCH_US, .tick_us = 1000, .random_state = seed, .cancel_after_polls = -1};
    dwt_fault_allocator_init(&world->memory);
    int failed = pthread_mutex_init(&world->mutex, NULL);
    dw_assert(failed == 0);
    world->env = (dw_env){&world->memory.allocator, &ops, world};
}

void
dwt_env_deinit(dwt_env *world)
{
    dwt_fault_allocator_deinit(&world->memory);
    pthread_mutex_destroy(&world->mutex);
}

void
dwt_env_set_now_ms(dwt_env *world, int64_t now_ms)
{
    pthread_mutex_lock(&world->mutex);
    world->now_us = now_ms * 1000;
    pthread_mutex_unlock(&world->mutex);
}

bool
dwt_env_logged(dwt_env *world, const char *text)
{
    pthread_mutex_lock(&world->mutex);
    bool found = strstr(world->log, text) != NULL;
    pthread_mutex_unlock(&world->mutex);
    return found;
}

int
dwt_env_setup(void **state)
{
    static dwt_env world;
    dwt_env_init(&world, 7);
    *state = &world;
    return 0;
}

int
dwt_env_teardown(void **state)
{
    dwt_env_deinit(*state);
    return 0;
}
