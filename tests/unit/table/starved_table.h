/*
 * Work on a table on disk while memory runs out, one allocation after the other: for commands whose
 * results are tested end to end.
 */
#ifndef DWT_TABLE_STARVED_TABLE_H
#define DWT_TABLE_STARVED_TABLE_H

#include "support/fault_loop.h"
#include "support/temp_dir.h"
#include "support/test.h"
#include "table/table.h"

typedef dw_status (*dwt_table_work)(dw_table *table, dw_database *database, const dw_env *env,
                                    dw_error *err);

/* Opens the table at `path` with an engine of its own for as long as `work` runs. */
static inline dw_status
dwt_with_table(const dw_env *env, const char *path, dwt_table_work work, dw_error *err)
{
    dw_database *database = NULL;
    dw_database_options options = {.thread_count = 1};
    dw_status status = dw__database_open(env, &options, &database, err);
    if (status == DW_OK) {
        DW_AUTO(dw_table_ptr) table = NULL;
        status = dw__table_open(env, database, dw__str_from(path), &table, err);
        status = status == DW_OK ? work(table, database, env, err) : status;
    }
    dw__database_close(database);
    return status;
}

/* Each round works on a table that is made for it, in a directory that is new unless `path` names
 * one. */
typedef struct dwt_starved_table {
    void (*make)(dwt_world *world, const char *path);
    dwt_table_work work;
    void (*check)(const char *path, dw_status status);
    const char *path;
    int64_t round_step; /* as of dwt_fault_case */
    dwt_temp_dir dir;
} dwt_starved_table;

static inline const char *
dwt_starved_path(const dwt_starved_table *table)
{
    return table->path == NULL ? table->dir.path : table->path;
}

static inline void
dwt_starved_setup(dwt_world *world, void *ctx)
{
    dwt_starved_table *table = ctx;
    if (table->path == NULL) {
        dwt_temp_dir_make(&table->dir);
    }
    table->make(world, dwt_starved_path(table));
}

static inline dw_status
dwt_starved_round(dwt_world *world, void *ctx, dw_error *err)
{
    dwt_starved_table *table = ctx;
    return dwt_with_table(world->env, dwt_starved_path(table), table->work, err);
}

static inline void
dwt_starved_check(dwt_world *world, void *ctx, dw_status status)
{
    (void) world;
    dwt_starved_table *table = ctx;
    table->check(dwt_starved_path(table), status);
    if (table->path == NULL) {
        dwt_temp_dir_remove(&table->dir);
    }
}

static inline void
dwt_starve(dwt_starved_table *table)
{
    dwt_fault_loop(&(dwt_fault_case){.setup = dwt_starved_setup,
                                     .operation = dwt_starved_round,
                                     .check = dwt_starved_check,
                                     .ctx = table,
                                     .faults = DWT_FAULTS_ALLOC_ONCE,
                                     .round_step = table->round_step});
}

#endif
