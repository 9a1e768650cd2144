/*
 * What every command that looks after a table is given beside the table: where to run, how long,
 * whether in earnest, and whom to tell.
 *
 *  [UPKEEP-1] No row changes, and nothing that a legal reader needs is removed.
 *  [UPKEEP-2] A command stops only between commits: what it has committed is whole, and another run
 *             goes on from there.
 *  [UPKEEP-3] A dry run writes nothing.
 */
#ifndef DW_UPKEEP_UPKEEP_H
#define DW_UPKEEP_UPKEEP_H

#include "engine/database.h"
#include "table/table.h"
#include "txn/txn.h"

/* What the statement says of any such command. */
typedef struct dw_upkeep_options {
    bool dry_run;      /* DRY RUN: tell what would be done */
    int64_t within_us; /* WITHIN 30 MINUTES; 0: as long as it takes */
} dw_upkeep_options;

typedef struct dw_upkeep {
    const dw_env *env;
    dw_connection *connection;
    bool dry_run;
    dw_commit_limits limits; /* of its commits */
    int64_t deadline_us;     /* of the monotonic clock; INT64_MAX: none */
    /* Asked now and then whether to stop, and told how far it is (0 to 1). Both may be NULL. */
    bool (*is_cancelled)(void *ctx);
    void (*progress)(void *ctx, double share);
    void *ctx;
} dw_upkeep;

/* The time begins to run. The callbacks stay unset. */
dw_upkeep dw__upkeep_make(const dw_env *env, dw_connection *connection,
                          const dw_upkeep_options *options);
/* True when the time is up: no further commit is begun. */
bool dw__upkeep_is_over(const dw_upkeep *upkeep);
/* DW_CANCELLED (CANCELLED) when the user wants it to stop. */
DW_WARN_UNUSED dw_status dw__upkeep_check(const dw_upkeep *upkeep, dw_error *err);
void dw__upkeep_progress(const dw_upkeep *upkeep, int64_t done, int64_t all);
/* Both now and then, for loops over files. */
DW_WARN_UNUSED dw_status dw__upkeep_go_on(const dw_upkeep *upkeep, int64_t done, int64_t all,
                                          dw_error *err);

#endif
