/*
 * A table in memory whose files exist in its log only: enough for pruning and for answers from
 * metadata.
 */
#ifndef DW_TEST_SCAN_WORLD_H
#define DW_TEST_SCAN_WORLD_H

#include "support/delta_log.h"
#include "support/fake_engine.h"
#include "support/test.h"
#include "support/test_env.h"

#include "log/log.h"

typedef struct scan_world {
    dwt_env test;
    dw_storage *storage;
    dw_engine *engine;
    dw_log *log;
    dw_log_snapshot *snapshot;
    dw_arena arena;
    dw_error err;
} scan_world;

static inline void
scan_world_init(scan_world *world)
{
    memset(world, 0, sizeof(*world));
    dwt_env_init(&world->test, 1);
    dw__arena_init(&world->arena, world->test.env.allocator);
    assert_ok(dw__storage_memory_open(&world->test.env, &world->storage, &world->err), &world->err);
    world->engine = dwt_fake_engine_open(&world->test.env);
    assert_ok(
        dw__log_open(&world->test.env, world->storage, world->engine, &world->log, &world->err),
        &world->err);
}

static inline void
scan_world_deinit(scan_world *world)
{
    dw__log_snapshot_unref(world->snapshot);
    dw__log_close(world->log);
    dw__engine_close(world->engine);
    dw__storage_close(world->storage);
    dw__arena_deinit(&world->arena);
    dwt_env_deinit(&world->test);
}

/* Sets the snapshot to the newest version. */
static inline void
scan_world_refresh(scan_world *world)
{
    dw__log_snapshot_unref(world->snapshot);
    world->snapshot = NULL;
    assert_ok(dw__log_snapshot(world->log, &world->snapshot, &world->err), &world->err);
}

/* Starts version 0 of a table; the caller adds files and writes the commit. */
static inline void
scan_world_create(dwt_commit *commit, const char *schema, const char *partition_columns,
                  const char *configuration)
{
    dwt_commit_begin(commit);
    if (configuration == NULL) {
        dwt_commit_protocol(commit, 1, 2);
    } else {
        dwt_commit_protocol_features(commit, "[\"columnMapping\",\"deletionVectors\"]",
                                     "[\"columnMapping\",\"deletionVectors\"]");
    }
    dwt_commit_metadata(commit, schema, partition_columns, configuration);
}

#endif
