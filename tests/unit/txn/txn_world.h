/*
 * What the tests of commits share: two writers on one table in memory, and short ways to say what
 * they commit.
 */
#ifndef DWT_UNIT_TXN_TXN_WORLD_H
#define DWT_UNIT_TXN_TXN_WORLD_H

#include "support/delta_log.h"
#include "support/fake_engine.h"
#include "support/test.h"
#include "support/test_env.h"
#include "txn/txn.h"

#include <stdlib.h>

typedef struct writer {
    dw_engine *engine;
    dw_log *log;
    dw_log_snapshot *snapshot;
} writer;

static inline dw_status
writer_open(writer *w, const dw_env *env, dw_storage *storage, dw_error *err)
{
    *w = (writer){.engine = dwt_fake_engine_open(env)};
    if (w->engine == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(dw__log_open(env, storage, w->engine, &w->log, err));
    return dw__log_snapshot(w->log, &w->snapshot, err);
}

static inline void
writer_close(writer *w)
{
    dw__log_snapshot_unref(w->snapshot);
    dw__log_close(w->log);
    dw__engine_close(w->engine);
    *w = (writer){0};
}

static inline dw_action
add_action(const char *path)
{
    dw_action action = {.kind = DW_ACTION_ADD};
    action.as.file = (dw_file){.path = dw__str_from(path),
                               .has_partition_values = true,
                               .has_size = true,
                               .size_bytes = 10,
                               .modification_time_ms = DWT_EPOCH_MS,
                               .data_change = true,
                               .extra_json = DW_STR("")};
    return action;
}

static inline dw_action
remove_action(const char *path)
{
    dw_action action = {.kind = DW_ACTION_REMOVE};
    action.as.file = (dw_file){.path = dw__str_from(path),
                               .has_deletion_timestamp = true,
                               .deletion_timestamp_ms = DWT_EPOCH_MS,
                               .data_change = true,
                               .extra_json = DW_STR("")};
    return action;
}

static inline dw_status
commit(writer *w, const dw_action *actions, size_t count, bool reads_all, dw_txn_result *out,
       dw_error *err)
{
    dw_txn txn = {.log = w->log,
                  .read_snapshot = w->snapshot,
                  .actions = actions,
                  .action_count = count,
                  .reads_whole_table = reads_all,
                  .operation = "WRITE",
                  .data_change = true};
    return dw__txn_commit(&txn, out, err);
}

typedef struct fixture {
    dwt_env world;
    dw_storage *storage;
    writer a, b;
    dw_error err;
} fixture;

static inline int
setup(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    dwt_env_init(&f->world, 7);
    assert_ok(dw__storage_memory_open(&f->world.env, &f->storage, &f->err), &f->err);
    dwt_log_create(f->storage, NULL);
    dwt_log_append(f->storage, 1); /* part-1.parquet */
    assert_ok(writer_open(&f->a, &f->world.env, f->storage, &f->err), &f->err);
    assert_ok(writer_open(&f->b, &f->world.env, f->storage, &f->err), &f->err);
    *state = f;
    return 0;
}

static inline int
teardown(void **state)
{
    fixture *f = *state;
    writer_close(&f->a);
    writer_close(&f->b);
    dw__storage_close(f->storage);
    dwt_env_deinit(&f->world);
    free(f);
    return 0;
}

#endif
