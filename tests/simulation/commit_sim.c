/*
 * Simulates rival writers through the real log and the real commit loop, and compares what is in
 * storage afterwards with what they were told and with a naive replay. See seeds.h for how it is
 * called.
 *
 * What must hold for each seed:
 *  - what was acknowledged is in the log exactly once, what was refused never, and what stayed
 *    unknown, or was under way in a crash, at most once;
 *  - versions are contiguous and break no rule of the protocol; row ids are given once;
 *  - every snapshot that anybody saw, and every version read afterwards with and without
 *    checkpoints, equals the replay, and the checksum written with it agrees.
 */
#include "log/checksum_file.h"
#include "seeds.h"
#include "support/fake_engine.h"
#include "table_model.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS_DEFAULT = 10000, WRITERS = 3, CHANGES_EACH = 5, CRASHES_MAX = 2 };

typedef struct run {
    sim *world;
    writers all;
    table_model model;
    char fault[4000]; /* "" while all is well */
} run;

static void
find_fault(run *self, const char *what, const char *detail)
{
    if (self->fault[0] == '\0') {
        snprintf(self->fault, sizeof(self->fault), "%s: %s", what, detail);
    }
}

/* ---- what writers were told ------------------------------------------------------------------ */

static void
check_entry(run *self, const ledger_entry *entry)
{
    char mark[LEDGER_ID_SIZE + 8];
    snprintf(mark, sizeof(mark), "id=%s!", entry->id);
    size_t occurrences = 0;
    int64_t version = -1;
    for (int64_t v = 0; v < self->model.version_count; v++) {
        /* Kept with a NUL behind it. */
        if (strstr(self->model.versions[v].text.ptr, mark) != NULL) {
            occurrences++;
            version = v;
        }
    }
    const char *fault = ledger_fault(entry, occurrences, version);
    if (fault != NULL) {
        find_fault(self, entry->id, fault);
    }
}

/* ---- what readers see ------------------------------------------------------------------------ */

static void
check_observations(run *self)
{
    for (size_t i = 0; i < self->all.observations.count; i++) {
        const observation *seen = &self->all.observations.items[i];
        if (seen->version >= self->model.version_count) {
            find_fault(self, "a writer saw a version", "that is not there");
        } else if (seen->digest_hash != dw__str_hash(self->model.versions[seen->version].digest)) {
            find_fault(self, "a writer saw a snapshot", "that differs from the replay");
        }
    }
}

static void
check_version(run *self, dw_log *log, int64_t version)
{
    dw_error err = DW_ERROR_INIT;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    if (dw__log_snapshot_at(log, version, &snapshot, &err) != DW_OK) {
        find_fault(self, "a version cannot be read", err.message);
        return;
    }
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_str digest = table_digest(snapshot, &arena);
    if (dw__log_snapshot_version(snapshot) != version ||
        !dw__str_equal(digest, self->model.versions[version].digest)) {
        find_fault(self, "a version read afterwards", "differs from the replay");
    }
    if (dw__checksum_verify(snapshot, &err) != DW_OK) {
        find_fault(self, "a checksum", err.message);
    }
}

/* A fresh process reads every version, the newest first by listing, then one after the other. */
static void
check_versions(run *self)
{
    const dw_env *env = sim_env(self->world);
    dw_engine *engine = dwt_fake_engine_open(env);
    dw_log *log = NULL;
    dw_error err = DW_ERROR_INIT;
    dw_log_snapshot *newest = NULL;
    if (dw__log_open(env, sim_storage(self->world), engine, &log, &err) != DW_OK ||
        dw__log_snapshot(log, &newest, &err) != DW_OK) {
        find_fault(self, "the table cannot be read", err.message);
    } else if (dw__log_snapshot_version(newest) != self->model.version_count - 1) {
        find_fault(self, "the newest version", "is not the last of the log");
    } else {
        for (int64_t version = 0; version < self->model.version_count; version++) {
            check_version(self, log, version);
        }
    }
    dw__log_snapshot_unref(newest);
    dw__log_close(log);
    dw__engine_close(engine);
}

static void
check(run *self)
{
    table_promises promises = {self->all.is_serializable, self->all.with_in_commit_timestamps,
                               self->all.with_row_tracking};
    table_model_read(&self->model, sim_storage(self->world), promises);
    if (self->all.fault[0] != '\0') {
        find_fault(self, "a writer got", self->all.fault);
    }
    if (self->model.fault[0] != '\0') {
        find_fault(self, "the log breaks a rule", self->model.fault);
    }
    for (size_t i = 0; i < self->all.book.count; i++) {
        check_entry(self, &self->all.book.items[i]);
    }
    check_observations(self);
    if (self->model.version_count > 0) {
        check_versions(self);
    }
}

/* ---- seeds ----------------------------------------------------------------------------------- */

/* True when all is well. */
static bool
run_seed(uint64_t seed, sim_options options, seed_totals *sum)
{
    run *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    self->world = sim_new(seed, &options);
    self->all.changes_each = CHANGES_EACH;
    self->all.is_serializable = seed % 2 == 1;
    self->all.with_in_commit_timestamps = seed / 2 % 2 == 1;
    self->all.with_row_tracking = seed / 4 % 2 == 1;
    self->all.with_row_backfill = seed / 4 % 2 == 0 && seed / 8 % 2 == 1;
    self->all.with_sidecars = seed / 16 % 2 == 1;
    sim_outcome outcome = sim_run(self->world, writer_main, &self->all);
    check(self);
    bool is_well = self->fault[0] == '\0';
    if (options.with_trace) {
        printf("%s", sim_trace(self->world));
    }
    if (!is_well) {
        printf("seed %" PRIu64 ": %s\n", seed, self->fault);
    }
    sum->call_count += outcome.call_count;
    sum->fault_count += outcome.fault_count;
    sum->crash_count += outcome.crash_count;
    sum->commit_count += self->model.version_count;
    sum->conflict_count += self->all.conflict_count;
    sum->checkpoint_count += self->all.checkpoint_count;
    sum->compaction_count += self->all.compaction_count;
    sum->backfilled_file_count += self->all.backfilled_file_count;
    table_model_deinit(&self->model);
    writers_deinit(&self->all);
    sim_free(self->world);
    free(self);
    return is_well;
}

int
main(int argc, char **argv)
{
    return seeds_main(argc, argv,
                      &(seeds_options){.run = run_seed,
                                       .seed_count = SEEDS_DEFAULT,
                                       .actor_count = WRITERS,
                                       .crashes_max = CRASHES_MAX});
}
