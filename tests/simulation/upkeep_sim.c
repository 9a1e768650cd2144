/*
 * Commands that look after a table beside the statements of dml_run.h: OPTIMIZE in all its kinds,
 * REORG, VACUUM, RESTORE, shallow clones, FSCK REPAIR and readers of older versions, on an object
 * store with faults. What is the library's and what stands in for data files: upkeep_table.h.
 *
 * What must hold beside the history:
 *  - No file is missing that a version has which was the newest one since the oldest moment that
 *    anybody reads or writes from, or clones; VACUUM is given the shortest retention that is legal.
 *  - RESTORE of such a version finds all files; whatever it restores is whole.
 *  - REPAIR finds nothing.
 *  - A last VACUUM leaves the files of the newest version and no others.
 */
#include "dml_run.h"
#include "needed.h"
#include "upkeep_table.h"

#include "base/assert.h"
#include "codec/rows.h"
#include "support/fake_engine.h"
#include "table/dv_write.h"
#include "upkeep/clone.h"
#include "upkeep/optimize.h"
#include "upkeep/repair.h"
#include "upkeep/restore.h"
#include "upkeep/vacuum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 20000, WRITERS = 3, CRASHES_MAX = 1, STEPS_SHARE = 35, CLONES_MAX = 4 };

static const char root[] = "/simulated/t";

/* What all writers of a seed share. */
typedef struct shared {
    dw_database *database; /* never loaded */
    dw_storage *truth;
    dw_storage *vectors; /* all that were written, for the history */
    needed needed;
    bool is_vacuuming; /* two at once may hide each other from RESTORE: docs/upkeep.md */
    size_t clone_count;
} shared;

typedef struct step {
    shared *at;
    life *self;
    dml *all;
    dw_table table;
    dw_upkeep upkeep;
} step;

/* ---- A clock that stands still --------------------------------------------------------------- */

/* VACUUM counts its retention from one moment: so it is the very shortest that is legal. */
typedef struct still_clock {
    dw_env env;
    const dw_env *inner;
    int64_t now_us;
} still_clock;

static int64_t
still_now(void *ctx)
{
    return ((still_clock *) ctx)->now_us;
}

static int64_t
still_monotonic(void *ctx)
{
    const dw_env *inner = ((still_clock *) ctx)->inner;
    return inner->ops->monotonic_us(inner->ctx);
}

static void
still_sleep(void *ctx, int64_t duration_us)
{
    const dw_env *inner = ((still_clock *) ctx)->inner;
    inner->ops->sleep_us(inner->ctx, duration_us);
}

static void
still_random(void *ctx, void *bytes, size_t size)
{
    const dw_env *inner = ((still_clock *) ctx)->inner;
    inner->ops->random(inner->ctx, bytes, size);
}

static void
still_log(void *ctx, dw_log_level level, const char *line)
{
    const dw_env *inner = ((still_clock *) ctx)->inner;
    inner->ops->log(inner->ctx, level, line);
}

static void
still_init(still_clock *clock, const dw_env *inner)
{
    static const dw_env_ops ops = {still_now,    still_monotonic, still_sleep,
                                   still_random, still_log,       NULL};
    *clock = (still_clock){.inner = inner, .now_us = dw__env_now_us(inner)};
    clock->env = (dw_env){inner->allocator, &ops, clock};
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static int64_t
choose(step *s, int64_t bound)
{
    return (int64_t) sim_choose(s->self->actor, (uint64_t) bound);
}

static void
report(step *s, const char *doing, dw_status status, const dw_error *err)
{
    sim_note(s->self->actor, "%s: %s %s", doing, dw_status_name(status),
             status == DW_OK ? "" : err->message);
    if (status == DW_CONFLICT) {
        s->all->all.conflict_count++;
    } else if (status != DW_OK) {
        life_report(s->self, doing, status, err);
    }
}

static void
fail(step *s, const char *what, const char *detail)
{
    if (s->all->all.fault[0] == '\0' && !sim_has_crashed(s->self->actor)) {
        snprintf(s->all->all.fault, sizeof(s->all->all.fault), "%s: %s", what, detail);
    }
}

static void
optimize(step *s, bool purges)
{
    static const dw_str id = {"id", 2};
    static const dw_name_path path = {&id, 1};
    dw_error err = DW_ERROR_INIT;
    dw_optimize_result done;
    bool is_clustered = choose(s, 2) == 0;
    dw_optimize_spec spec = {.table = &s->table,
                             .predicate = DW_STR_NULL,
                             .condition = DW_STR_NULL,
                             .full = choose(s, 4) == 0,
                             .purges = purges};
    if (!purges && is_clustered) {
        spec.z_order = (dw_name_paths){&path, 1};
    }
    dw_status status = dw__optimize(&s->upkeep, &spec, &done, &err);
    if (status == DW_INVALID_ARGUMENT && strcmp(err.code, "CLUSTERING_WITH_ZORDER_BY") == 0) {
        spec.z_order = (dw_name_paths){0};
        status = dw__optimize(&s->upkeep, &spec, &done, &err);
    }
    report(s, purges ? "REORG" : "OPTIMIZE", status, &err);
}

static void
vacuum(step *s)
{
    dw_error err = DW_ERROR_INIT;
    dw_vacuum_result done;
    struct ArrowArrayStream rows;
    still_clock clock;
    if (s->at->is_vacuuming) {
        return;
    }
    /* Nobody reads that clone again. */
    s->all->since_ms[WRITERS + choose(s, CLONES_MAX)] = INT64_MAX;
    still_init(&clock, &s->self->actor->env);
    int64_t now_ms = clock.now_us / 1000;
    dw_vacuum_spec spec = {.kind = choose(s, 2) == 0 ? DW_VACUUM_LITE : DW_VACUUM_FULL,
                           .has_retention = true,
                           .retention_ms =
                               now_ms - dml_oldest_ms(s->all, now_ms) + 1 + choose(s, 3),
                           .skips_check = true};
    s->table.env = &clock.env;
    s->at->is_vacuuming = true;
    sim_note(s->self->actor, "VACUUM of what went before %" PRId64, now_ms - spec.retention_ms);
    dw_status status = dw__table_vacuum(&s->upkeep, &s->table, &spec, &rows, &done, &err);
    s->at->is_vacuuming = false;
    if (status == DW_OK) {
        rows.release(&rows);
        s->all->vacuumed_count += done.deleted_count;
    } else if (strcmp(err.code, "CANNOT_VACUUM_LITE") == 0) {
        return;
    }
    report(s, "VACUUM", status, &err);
}

static void
restore(step *s)
{
    dw_error err = DW_ERROR_INIT;
    dw_restore_result done;
    int64_t count = s->at->needed.version_count;
    if (count == 0) {
        return;
    }
    int64_t back = choose(s, 3) == 0 ? choose(s, count) : choose(s, count < 6 ? count : 6);
    dw_restore_spec spec = {.version = count - 1 - back, .timestamp = DW_STR_NULL};
    dw_status status = dw__table_restore(&s->table, &s->upkeep, &spec, &done, &err);
    bool misses_files = status == DW_NOT_FOUND && strcmp(err.code, "FILES_MISSING") == 0;
    /* A cleanup of the log that was stopped leaves some commits of those that go. */
    bool misses_log = status == DW_CORRUPT && strcmp(err.code, "LOG_GAP") == 0;
    if (misses_files || misses_log) {
        int64_t oldest = dml_oldest_ms(s->all, dw__env_now_ms(&s->self->actor->env));
        int64_t kept_from = needed_version_at(&s->at->needed, oldest);
        if (spec.version >= kept_from) {
            fail(s, "RESTORE within the retention", err.message);
        }
        return;
    }
    s->all->restored_count += status == DW_OK;
    if (status != DW_NOT_FOUND) { /* what the log has no more */
        report(s, "RESTORE", status, &err);
    }
}

static void
repair(step *s)
{
    dw_error err = DW_ERROR_INIT;
    dw_repair_result done;
    struct ArrowArrayStream rows;
    dw_status status = dw__table_repair(&s->table, &s->upkeep, false, &rows, &done, &err);
    if (status == DW_OK) {
        rows.release(&rows);
    }
    if (done.removed_count > 0 || status == DW_NOT_FOUND) {
        fail(s, "FSCK REPAIR", "found files missing");
    }
    report(s, "FSCK REPAIR", status, &err);
}

/* A reader of the version, which may be an older one. */
static void
read_files(step *s, dw_log_snapshot *snapshot)
{
    dw_file_ref ref = {0, 0};
    dw_file_set *set = dw__log_snapshot_files(snapshot);
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        dw_object_meta meta;
        dw_error err = DW_ERROR_INIT;
        dw_status status =
            dw__storage_head(s->table.storage, dw__file_set_path(set, ref), &meta, &err);
        if (status == DW_NOT_FOUND) {
            fail(s, "a reader misses", err.message);
        }
    }
}

/* ---- Clones ---------------------------------------------------------------------------------- */

static void
check_clone(step *s, dw_log *log, dw_log_snapshot *source)
{
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    dw_status status = dw__log_snapshot(log, &snapshot, &err);
    if (status != DW_OK) {
        fail(s, "the clone cannot be read", err.message);
        return;
    }
    dw_file_ref ref = {0, 0};
    dw_file_set *set = dw__log_snapshot_files(snapshot);
    if (dw__file_set_count(set) != dw__file_set_count(dw__log_snapshot_files(source))) {
        fail(s, "the clone", "has other files than its source");
    }
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        if (!dw__str_starts_with(dw__file_set_path(set, ref), DW_STR("file:/simulated/t/"))) {
            fail(s, "the clone has a file of its own", dw__file_set_path(set, ref).ptr);
        }
    }
}

/* Into a place of its own. From then on the clone reads the version, as long as others like. */
static void
make_clone(step *s, dw_log_snapshot *snapshot)
{
    dw_error err = DW_ERROR_INIT;
    dw_storage *storage = NULL;
    dw_log *log = NULL;
    dw_clone_result done;
    size_t slot = WRITERS + s->at->clone_count++ % CLONES_MAX;
    s->all->since_ms[slot] = s->all->since_ms[s->self->actor->number];
    dw_status status = dw__storage_memory_open(&s->self->actor->env, &storage, &err);
    dw_assert(status == DW_OK);
    status = dw__log_open(&s->self->actor->env, storage, s->self->engine, &log, &err);
    dw_assert(status == DW_OK);
    dw_table target = s->table;
    target.storage = storage;
    target.log = log;
    target.root = DW_STR("/simulated/clone");
    dw_clone_spec spec = {.mode = DW_CREATE_NEW,
                          .source = &s->table,
                          .snapshot = snapshot,
                          .source_name = DW_STR("t")};
    status = dw__table_clone(&target, &s->upkeep, &spec, &done, &err);
    report(s, "CLONE", status, &err);
    if (status == DW_OK) {
        check_clone(s, log, snapshot);
    }
    dw__log_close(log);
    dw__storage_close(storage);
}

/* ---- What a simulation is given -------------------------------------------------------------- */

static void *
begin(sim *world)
{
    shared *at = calloc(1, sizeof(*at));
    dw_error err = DW_ERROR_INIT;
    dw_database_options options = {.thread_count = 1};
    dw_assert(at != NULL);
    dw_status status = dw__database_open(sim_env(world), &options, &at->database, &err);
    dw_assert(status == DW_OK);
    at->truth = sim_storage(world);
    status = dw__storage_memory_open(sim_env(world), &at->vectors, &err);
    dw_assert(status == DW_OK);
    needed_init(&at->needed);
    return at;
}

/* Like data files these are written without faults: what comes of it is a commit or is not. */
static dw_status
write_vector(dwt_change *change, const dw_rowset *rows, dw_dv_descriptor **out, dw_error *err)
{
    shared *at = change->write_ctx;
    dw_dv_writer writer;
    dw__dv_writer_init(&writer, at->truth, &change->arena);
    dw_status status = dw__dv_writer_put(&writer, rows, out, err);
    if (status == DW_OK) {
        status = dw__storage_put(at->vectors, writer.key, dw__strbuf_str(&writer.file), err);
    }
    if (status == DW_OK) {
        status = dw__dv_writer_finish(&writer, err);
    }
    dw__dv_writer_deinit(&writer);
    return status;
}

static void
write_vectors_into_files(void *ctx, dwt_change *change)
{
    change->storage = ((shared *) ctx)->truth;
    change->write_vector = write_vector;
    change->write_ctx = ctx;
}

static void
look_after(void *ctx, life *self, dml *all, dw_log_snapshot *snapshot)
{
    static const dw_upkeep_options options = {.dry_run = false};
    step s = {.at = ctx, .self = self, .all = all};
    s.table = (dw_table){.env = &self->actor->env,
                         .database = s.at->database,
                         .storage = self->actor->storage,
                         .log = self->log,
                         .root = dw__str_from(root),
                         .self = self,
                         .all = all};
    s.upkeep = dw__upkeep_make(&self->actor->env, NULL, &options);
    int64_t chosen = choose(&s, 100);
    if (chosen < 30) {
        vacuum(&s);
    } else if (chosen < 50) {
        restore(&s);
    } else if (chosen < 70) {
        optimize(&s, false);
    } else if (chosen < 78) {
        optimize(&s, true);
    } else if (chosen < 86) {
        read_files(&s, snapshot);
    } else if (chosen < 94) {
        make_clone(&s, snapshot);
    } else {
        repair(&s);
    }
}

static void
check_needed(void *ctx, life *self, dml *all)
{
    shared *at = ctx;
    dw_storage *truth = sim_storage(self->actor->sim);
    dml_archive(all, truth);
    needed_follow(&at->needed, all, truth);
    int64_t oldest = dml_oldest_ms(all, dw__env_now_ms(sim_env(self->actor->sim)));
    int64_t first = needed_version_at(&at->needed, oldest);
    dw_str missing = needed_missing(&at->needed, first, truth);
    if (!dw__str_is_null(missing) && all->all.fault[0] == '\0') {
        snprintf(all->all.fault, sizeof(all->all.fault),
                 "%.*s is gone, though a version from %" PRId64 " on has it", DW_STR_ARG(missing),
                 first);
    }
}

/* ---- The end --------------------------------------------------------------------------------- */

static bool
enters_any(void *ctx, dw_str key, bool is_marked)
{
    (void) ctx;
    (void) is_marked;
    return !dw__str_equal(key, DW_STR("_delta_log"));
}

static bool
wants_any(void *ctx, dw_str key)
{
    (void) ctx;
    (void) key;
    return true;
}

typedef struct leftovers {
    const needed *needed;
    dml *all;
} leftovers;

static dw_status
check_left(void *ctx, const dw_object_meta *meta, dw_error *err)
{
    const leftovers *l = ctx;
    (void) err;
    if (!needed_is_live(l->needed, meta->key) && l->all->all.fault[0] == '\0') {
        snprintf(l->all->all.fault, sizeof(l->all->all.fault), "the last VACUUM left %.*s",
                 DW_STR_ARG(meta->key));
    }
    return DW_OK;
}

static dw_status
vacuum_at_last(shared *at, sim *world, dw_log *log, dw_error *err)
{
    static const dw_upkeep_options options = {.dry_run = false};
    dw_vacuum_result done;
    struct ArrowArrayStream rows;
    dw_table table = {.env = sim_env(world),
                      .database = at->database,
                      .storage = sim_storage(world),
                      .log = log,
                      .root = dw__str_from(root)};
    dw_upkeep upkeep = dw__upkeep_make(table.env, NULL, &options);
    dw_vacuum_spec spec = {.kind = DW_VACUUM_FULL, .has_retention = true, .skips_check = true};
    DW_TRY(dw__table_vacuum(&upkeep, &table, &spec, &rows, &done, err));
    rows.release(&rows);
    return DW_OK;
}

static void
end(void *ctx, dml *all, sim *world)
{
    shared *at = ctx;
    dw_log *log = NULL;
    dw_error err = DW_ERROR_INIT;
    dw_storage *truth = sim_storage(world);
    dw_engine *engine = dwt_fake_engine_open(sim_env(world));
    dw_status status = dw__log_open(sim_env(world), truth, engine, &log, &err);
    if (status == DW_OK) {
        status = vacuum_at_last(at, world, log, &err);
    }
    if (status != DW_OK && all->all.fault[0] == '\0') {
        snprintf(all->all.fault, sizeof(all->all.fault), "the last VACUUM: %s", err.message);
    }
    dml_archive(all, truth);
    needed_follow(&at->needed, all, truth);
    leftovers left = {&at->needed, all};
    dw_walk walk = {.enters = enters_any, .wants = wants_any, .file = check_left, .ctx = &left};
    status = dw__storage_walk(truth, &walk, &err);
    dw_assert(status == DW_OK);
    dw_str missing = needed_missing(&at->needed, at->needed.version_count - 1, truth);
    if (!dw__str_is_null(missing) && all->all.fault[0] == '\0') {
        snprintf(all->all.fault, sizeof(all->all.fault), "the last VACUUM took %.*s",
                 DW_STR_ARG(missing));
    }
    dw__log_close(log);
    dw__engine_close(engine);
}

static dw_storage *
vectors_of(void *ctx)
{
    return ((shared *) ctx)->vectors;
}

static void
release(void *ctx)
{
    shared *at = ctx;
    needed_deinit(&at->needed);
    dw__storage_close(at->vectors);
    dw__database_close(at->database);
    free(at);
}

int
main(int argc, char **argv)
{
    static const dml_upkeep upkeep = {.begin = begin,
                                      .step = look_after,
                                      .prepare = write_vectors_into_files,
                                      .check = check_needed,
                                      .end = end,
                                      .vectors = vectors_of,
                                      .release = release,
                                      .share = STEPS_SHARE};
    return dml_main(
        argc, argv, &upkeep,
        (seeds_options){.seed_count = SEEDS, .actor_count = WRITERS, .crashes_max = CRASHES_MAX});
}
