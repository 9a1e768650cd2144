/*
 * A seed: the table, its writers, and the look back at what they did.
 */
#include "dml_run.h"

#include "base/assert.h"
#include "dml_history.h"
#include "support/delta_log.h"
#include "support/fake_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATEMENTS_EACH = 8 };

static const dml_upkeep *upkeep;

/* What differs between the tables of seeds. */
typedef struct table_kind {
    bool is_serializable;
    bool tracks_rows;
    bool is_clustered;
} table_kind;

typedef struct run {
    sim *world;
    dml all;
    history past;
    char fault[4000]; /* "" while all is well */
} run;

static void
find_fault(run *self, const char *what, const char *detail)
{
    if (self->fault[0] == '\0') {
        snprintf(self->fault, sizeof(self->fault), "%s: %s", what, detail);
    }
}

static void
create_table(run *self, table_kind kind)
{
    dwt_commit commit;
    char features[128];
    snprintf(features, sizeof(features), "[\"deletionVectors\",\"domainMetadata\"%s%s]",
             kind.tracks_rows ? ",\"rowTracking\"" : "",
             kind.is_clustered ? ",\"clustering\"" : "");
    dwt_commit_begin(&commit);
    dwt_commit_protocol_features(&commit, "[\"deletionVectors\"]", features);
    dwt_commit_metadata(&commit, DWT_ROWS_SCHEMA, "[\"a\",\"b\"]",
                        kind.is_serializable ? "{\"delta.isolationLevel\":\"Serializable\"}"
                                             : NULL);
    if (kind.is_clustered) {
        dwt_commit_raw(&commit, "{\"domainMetadata\":{\"domain\":\"delta.clustering\","
                                "\"configuration\":\"{\\\"clusteringColumns\\\":[[\\\"id\\\"]]}\","
                                "\"removed\":false}}");
    }
    dwt_commit_write(&commit, sim_storage(self->world), 0);
}

/* Files that hold each id once. */
static void
put_files(run *self, table_kind kind)
{
    dwt_commit commit;
    dwt_commit_begin(&commit);
    for (int64_t i = 0; i < DML_IDS / DML_ROWS_OF_FILE; i++) {
        char path[32], stats[128], more[96] = "";
        int64_t low = i * DML_ROWS_OF_FILE;
        snprintf(path, sizeof(path), "start-%" PRId64, i);
        snprintf(stats, sizeof(stats),
                 "{\"numRecords\":%d,\"minValues\":{\"id\":%" PRId64
                 "},\"maxValues\":{\"id\":%" PRId64 "}}",
                 DML_ROWS_OF_FILE, low, low + DML_ROWS_OF_FILE - 1);
        snprintf(more, sizeof(more), "\"baseRowId\":%" PRId64 ",\"defaultRowCommitVersion\":1",
                 low);
        if (upkeep != NULL) {
            dw_status status =
                dw__storage_put(sim_storage(self->world), dw__str_from(path), DW_STR("rows"), NULL);
            dw_assert(status == DW_OK);
        }
        dwt_commit_add(&commit, &(dwt_add){.path = path,
                                           .partition_values = "{\"a\":\"0\",\"b\":\"0\"}",
                                           .stats = stats,
                                           .more = kind.tracks_rows ? more : NULL});
    }
    if (kind.tracks_rows) {
        dwt_commit_raw(&commit, "{\"domainMetadata\":{\"domain\":\"delta.rowTracking\","
                                "\"configuration\":\"{\\\"rowIdHighWaterMark\\\":23}\","
                                "\"removed\":false}}");
    }
    dwt_commit_write(&commit, sim_storage(self->world), 1);
}

/* ---- afterwards ------------------------------------------------------------------------------ */

static void
check_entry(run *self, const ledger_entry *entry)
{
    char mark[LEDGER_ID_SIZE + 8];
    snprintf(mark, sizeof(mark), "id=%s!", entry->id);
    size_t occurrences = 0;
    int64_t version = -1;
    for (int64_t v = 0; v < self->all.archive_count; v++) {
        if (strstr(self->all.archive[v], mark) != NULL) {
            occurrences++;
            version = v;
        }
    }
    const char *fault = ledger_fault(entry, occurrences, version);
    if (fault != NULL) {
        find_fault(self, entry->id, fault);
    }
}

static void
check_versions(run *self, dw_log *log)
{
    int64_t first, last;
    dw_error err = DW_ERROR_INIT;
    if (dw__log_version_range(log, &first, &last, &err) != DW_OK) {
        find_fault(self, "the table cannot be read", err.message);
        return;
    }
    if (last != self->past.version_count - 1) {
        find_fault(self, "the newest version", "is not the last of the log");
    }
    for (int64_t version = first; version <= last && self->fault[0] == '\0'; version++) {
        DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
        if (dw__log_snapshot_at(log, version, &snapshot, &err) != DW_OK) {
            find_fault(self, "a version cannot be read", err.message);
        } else if (history_digest(snapshot) != self->past.digests[version]) {
            find_fault(self, "a version read afterwards", "differs from the replay");
        }
    }
}

static void
check(run *self, table_kind kind)
{
    dw_storage *truth = sim_storage(self->world);
    const dw_env *env = sim_env(self->world);
    dml_archive(&self->all, truth);
    if (upkeep != NULL) {
        upkeep->end(self->all.upkeep_ctx, &self->all, self->world);
    }
    history_check(&self->past, &self->all,
                  upkeep == NULL ? truth : upkeep->vectors(self->all.upkeep_ctx),
                  kind.is_serializable, kind.tracks_rows);
    if (self->all.all.fault[0] != '\0') {
        find_fault(self, "a writer got", self->all.all.fault);
    }
    if (self->past.fault[0] != '\0') {
        find_fault(self, "the history", self->past.fault);
    }
    for (size_t i = 0; i < self->all.all.book.count; i++) {
        check_entry(self, &self->all.all.book.items[i]);
    }
    dw_log *log = NULL;
    dw_error err = DW_ERROR_INIT;
    dw_engine *engine = dwt_fake_engine_open(env);
    if (dw__log_open(env, truth, engine, &log, &err) != DW_OK) {
        find_fault(self, "the log cannot be opened", err.message);
    } else if (self->fault[0] == '\0') {
        check_versions(self, log);
    }
    dw__log_close(log);
    dw__engine_close(engine);
}

/* True when all is well. */
static bool
run_seed(uint64_t seed, sim_options options, seed_totals *sum)
{
    run *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    table_kind kind = {.is_serializable = seed % 2 == 1,
                       .tracks_rows = seed / 2 % 2 == 1,
                       .is_clustered = upkeep != NULL && seed / 4 % 3 == 1};
    self->world = sim_new(seed, &options);
    self->all.all.changes_each = STATEMENTS_EACH;
    for (size_t i = options.actor_count; i < DML_ACTORS_MAX; i++) {
        self->all.since_ms[i] = INT64_MAX;
    }
    self->all.upkeep = upkeep;
    create_table(self, kind);
    put_files(self, kind);
    if (upkeep != NULL) {
        self->all.upkeep_ctx = upkeep->begin(self->world);
    }
    sim_outcome outcome = sim_run(self->world, dml_writer_main, &self->all);
    check(self, kind);
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
    sum->commit_count += self->past.version_count;
    sum->conflict_count += self->all.all.conflict_count;
    sum->checkpoint_count += self->all.all.checkpoint_count;
    sum->merge_count += self->all.merged_count;
    sum->read_check_count += self->past.read_check_count;
    sum->cleaned_count += self->all.cleaned_count;
    sum->vacuumed_count += self->all.vacuumed_count;
    sum->restored_count += self->all.restored_count;
    history_deinit(&self->past);
    if (upkeep != NULL) {
        upkeep->release(self->all.upkeep_ctx);
    }
    dml_deinit(&self->all);
    sim_free(self->world);
    free(self);
    return is_well;
}

int
dml_main(int argc, char **argv, const dml_upkeep *with, seeds_options options)
{
    upkeep = with;
    options.run = run_seed;
    return seeds_main(argc, argv, &options);
}
