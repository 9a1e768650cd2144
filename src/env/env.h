/*
 * dw_env: the bundle of effects. Everything that depends on the world outside - memory, time,
 * chance, waiting, warnings - is asked for through it, so that a simulator can answer instead.
 * Storage is handed over separately, one dw_storage a table.
 *
 *  [ENV-1] Nothing above this folder calls the operating system for time, chance or sleep.
 *  [ENV-2] The functions may be called from several threads at once.
 */
#ifndef DW_ENV_ENV_H
#define DW_ENV_ENV_H

#include "base/allocator.h"
#include "base/attr.h"
#include "base/str.h"

typedef enum dw_log_level { DW_LOG_DEBUG, DW_LOG_INFO, DW_LOG_WARN } dw_log_level;

typedef struct dw_env_ops {
    /* Microseconds since 1970-01-01 UTC by the wall clock. */
    int64_t (*now_us)(void *ctx);
    /* Microseconds of a clock that never goes back, for intervals. */
    int64_t (*monotonic_us)(void *ctx);
    void (*sleep_us)(void *ctx, int64_t duration_us);
    /* Fills `size` bytes that nobody can guess. */
    void (*random)(void *ctx, void *bytes, size_t size);
    /* One line, without a line end. */
    void (*log)(void *ctx, dw_log_level level, const char *line);
    /* True when the running operation was asked to stop. May be NULL: never. */
    bool (*is_cancelled)(void *ctx);
} dw_env_ops;

typedef struct dw_env {
    const dw_allocator *allocator;
    const dw_env_ops *ops;
    void *ctx;
} dw_env;

/*
 * The real world: the C library's memory, the system's clocks and randomness, warnings to stderr.
 */
dw_env dw__env_system(void);

static inline int64_t
dw__env_now_us(const dw_env *env)
{
    return env->ops->now_us(env->ctx);
}

static inline int64_t
dw__env_now_ms(const dw_env *env)
{
    return env->ops->now_us(env->ctx) / 1000;
}

uint64_t dw__env_random_u64(const dw_env *env);
bool dw__env_is_cancelled(const dw_env *env);
void dw__env_warn(const dw_env *env, const char *fmt, ...) DW_PRINTF(2, 3);
void dw__env_debug(const dw_env *env, const char *fmt, ...) DW_PRINTF(2, 3);

#endif
