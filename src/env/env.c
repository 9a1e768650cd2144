/*
 * The helpers that are the same for every world.
 */
#include "env/env.h"

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

#define LOG_LINE_SIZE 2048

uint64_t
dw__env_random_u64(const dw_env *env)
{
    uint64_t value;
    env->ops->random(env->ctx, &value, sizeof(value));
    return value;
}

bool
dw__env_is_cancelled(const dw_env *env)
{
    return env->ops->is_cancelled != NULL && env->ops->is_cancelled(env->ctx);
}

static void
log_line(const dw_env *env, dw_log_level level, const char *fmt, va_list args)
{
    char line[LOG_LINE_SIZE];
    vsnprintf(line, sizeof(line), fmt, args);
    dw__make_one_line(line); /* names in it may be of files that anybody made */
    env->ops->log(env->ctx, level, line);
}

void
dw__env_warn(const dw_env *env, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    log_line(env, DW_LOG_WARN, fmt, args);
    va_end(args);
}

void
dw__env_debug(const dw_env *env, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    log_line(env, DW_LOG_DEBUG, fmt, args);
    va_end(args);
}
