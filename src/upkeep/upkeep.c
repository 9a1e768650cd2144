/*
 * The budget, the cancellation and the progress of an upkeep command.
 */
#include "upkeep/upkeep.h"

#include "base/checked.h"

/* How many files pass between two looks at whether the user wants to stop. */
#define FILES_A_LOOK 1024

dw_upkeep
dw__upkeep_make(const dw_env *env, dw_connection *connection, const dw_upkeep_options *options)
{
    dw_upkeep upkeep = {.env = env,
                        .connection = connection,
                        .dry_run = options->dry_run,
                        .deadline_us = INT64_MAX};
    int64_t deadline;
    if (options->within_us > 0 &&
        dw__checked_add_i64(env->ops->monotonic_us(env->ctx), options->within_us, &deadline)) {
        upkeep.deadline_us = deadline;
    }
    return upkeep;
}

bool
dw__upkeep_is_over(const dw_upkeep *upkeep)
{
    return upkeep->deadline_us != INT64_MAX &&
           upkeep->env->ops->monotonic_us(upkeep->env->ctx) >= upkeep->deadline_us;
}

dw_status
dw__upkeep_check(const dw_upkeep *upkeep, dw_error *err)
{
    if (dw__env_is_cancelled(upkeep->env) ||
        (upkeep->is_cancelled != NULL && upkeep->is_cancelled(upkeep->ctx))) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "the statement was cancelled");
    }
    return DW_OK;
}

void
dw__upkeep_progress(const dw_upkeep *upkeep, int64_t done, int64_t all)
{
    if (upkeep->progress != NULL && all > 0) {
        upkeep->progress(upkeep->ctx, (double) done / (double) all);
    }
}

dw_status
dw__upkeep_go_on(const dw_upkeep *upkeep, int64_t done, int64_t all, dw_error *err)
{
    if (done % FILES_A_LOOK != 0) {
        return DW_OK;
    }
    dw__upkeep_progress(upkeep, done, all);
    return dw__upkeep_check(upkeep, err);
}
