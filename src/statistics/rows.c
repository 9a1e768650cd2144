/*
 * Figures as rows; NULL is what is not known. [STATISTICS-2]
 */
#include "statistics/rows.h"

#include "base/vec.h"

typedef struct version_vec {
    dw_version_figures *items;
    size_t count;
    size_t capacity;
} version_vec;

static void
put_or_null(dw_rows *rows, int64_t value, bool is_known)
{
    if (is_known) {
        dw__rows_put_i64(rows, value);
    } else {
        dw__rows_put_null(rows);
    }
}

/* Files, bytes, rows, deletion vectors and what they delete. */
static void
put_totals(dw_rows *rows, const dw_file_totals *totals)
{
    dw__rows_put_i64(rows, totals->files);
    dw__rows_put_i64(rows, totals->bytes);
    put_or_null(rows, totals->rows, totals->files_without_rows == 0);
    dw__rows_put_i64(rows, totals->vectors);
    dw__rows_put_i64(rows, totals->vector_rows);
}

#define TOTALS_COLUMNS                                                                             \
    {"numFiles", DW_ROWS_I64, 0, 0}, {"sizeInBytes", DW_ROWS_I64, 0, 0},                           \
        {"numRecords", DW_ROWS_I64, 0, 0}, {"numDeletionVectors", DW_ROWS_I64, 0, 0},              \
    {                                                                                              \
        "numDeletedRecords", DW_ROWS_I64, 0, 0                                                     \
    }
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const dw_allocator *
allocator_of(const dw_log_snapshot *snapshot)
{
    return dw__log_env(dw__log_snapshot_log(snapshot))->allocator;
}

/* ---- The state ------------------------------------------------------------------------------- */

static void
put_state(dw_rows *rows, const dw_log_snapshot *snapshot, const dw_table_figures *figures)
{
    const dw_file_totals *totals = &figures->totals;
    dw__rows_put_i64(rows, dw__log_snapshot_version(snapshot));
    dw__rows_put_i64(rows, dw__log_snapshot_timestamp_ms(snapshot) * 1000);
    put_totals(rows, totals);
    dw__rows_put_i64(rows, totals->files_without_rows);
    dw__rows_put_i64(rows, (int64_t) figures->partition_count);
    put_or_null(rows, figures->smallest_bytes, totals->files > 0);
    put_or_null(rows, totals->files == 0 ? 0 : totals->bytes / totals->files, totals->files > 0);
    put_or_null(rows, figures->largest_bytes, totals->files > 0);
}

static void
put_log(dw_rows *rows, const dw_log_figures *log)
{
    put_or_null(rows, log->first_version, log->first_version >= 0);
    dw__rows_put_i64(rows, log->commits);
    dw__rows_put_i64(rows, log->checkpoints);
    dw__rows_put_i64(rows, log->compacted);
    dw__rows_put_i64(rows, log->bytes);
}

dw_status
dw__statistics_rows(dw_log_snapshot *snapshot, struct ArrowArrayStream *out, dw_error *err)
{
    static const dw_rows_column columns[] = {{"version", DW_ROWS_I64, 0, 0},
                                             {"timestamp", DW_ROWS_TIMESTAMP, 0, 0},
                                             TOTALS_COLUMNS,
                                             {"numFilesWithoutRecords", DW_ROWS_I64, 0, 0},
                                             {"numPartitions", DW_ROWS_I64, 0, 0},
                                             {"smallestFileInBytes", DW_ROWS_I64, 0, 0},
                                             {"averageFileInBytes", DW_ROWS_I64, 0, 0},
                                             {"largestFileInBytes", DW_ROWS_I64, 0, 0},
                                             {"firstVersion", DW_ROWS_I64, 0, 0},
                                             {"numCommits", DW_ROWS_I64, 0, 0},
                                             {"numCheckpoints", DW_ROWS_I64, 0, 0},
                                             {"numCompactedCommits", DW_ROWS_I64, 0, 0},
                                             {"logSizeInBytes", DW_ROWS_I64, 0, 0}};
    dw_rows *rows;
    dw_table_figures figures;
    dw_log_figures log;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, allocator_of(snapshot));
    DW_TRY(dw__statistics_collect(snapshot, &arena, &figures, err));
    DW_TRY(dw__statistics_log(dw__log_snapshot_log(snapshot), &log, err));
    DW_TRY(dw__rows_new(arena.allocator, columns, COUNT_OF(columns), &rows, err));
    put_state(rows, snapshot, &figures);
    put_log(rows, &log);
    return dw__rows_stream(rows, out, err);
}

/* ---- Partitions and sizes -------------------------------------------------------------------- */

dw_status
dw__statistics_partition_rows(dw_log_snapshot *snapshot, struct ArrowArrayStream *out,
                              dw_error *err)
{
    static const dw_rows_column columns[] = {{"partition", DW_ROWS_STR_MAP, 0, 0},
                                             TOTALS_COLUMNS,
                                             {"lastModified", DW_ROWS_TIMESTAMP, 0, 0}};
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    dw_rows *rows;
    dw_table_figures figures;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, allocator_of(snapshot));
    DW_TRY(dw__statistics_collect(snapshot, &arena, &figures, err));
    DW_TRY(dw__rows_new(arena.allocator, columns, COUNT_OF(columns), &rows, err));
    for (size_t i = 0; i < figures.partition_count; i++) {
        const dw_partition_figures *partition = &figures.partitions[i];
        dw__rows_begin(rows);
        for (size_t k = 0; k < metadata->partition_column_count; k++) {
            dw__rows_put_item(rows, metadata->partition_columns[k], partition->values[k]);
        }
        dw__rows_end(rows);
        put_totals(rows, &partition->totals);
        dw__rows_put_i64(rows, partition->modified_ms * 1000);
    }
    return dw__rows_stream(rows, out, err);
}

dw_status
dw__statistics_histogram_rows(dw_log_snapshot *snapshot, struct ArrowArrayStream *out,
                              dw_error *err)
{
    static const dw_rows_column columns[] = {
        {"fromBytes", DW_ROWS_I64, 0, 0}, {"toBytes", DW_ROWS_I64, 0, 0}, TOTALS_COLUMNS};
    dw_rows *rows;
    dw_table_figures figures;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, allocator_of(snapshot));
    DW_TRY(dw__statistics_collect(snapshot, &arena, &figures, err));
    DW_TRY(dw__rows_new(arena.allocator, columns, COUNT_OF(columns), &rows, err));
    for (size_t i = 0; i < DW_STATISTICS_BIN_COUNT; i++) {
        const dw_size_bin *bin = &figures.bins[i];
        dw__rows_put_i64(rows, bin->from_bytes);
        put_or_null(rows, bin->to_bytes, bin->to_bytes >= 0);
        put_totals(rows, &bin->totals);
    }
    return dw__rows_stream(rows, out, err);
}

/* ---- Versions -------------------------------------------------------------------------------- */

typedef struct keeper {
    const dw_allocator *allocator;
    dw_arena *arena;
    version_vec versions;
} keeper;

static dw_status
keep_version(void *ctx, const dw_version_figures *version, dw_error *err)
{
    keeper *k = ctx;
    dw_version_figures *slot = DW_VEC_PUSH(k->allocator, &k->versions);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    *slot = *version;
    return dw__arena_dup(k->arena, version->operation, &slot->operation) ? DW_OK
                                                                         : dw__error_oom(err);
}

/* What came or went: NULL where the version before is not known. */
static void
put_difference(dw_rows *rows, const dw_file_totals *part, bool is_known)
{
    put_or_null(rows, part->files, is_known);
    put_or_null(rows, part->bytes, is_known);
    put_or_null(rows, part->rows, is_known && part->files_without_rows == 0);
}

static void
put_version(dw_rows *rows, const dw_version_figures *version)
{
    dw__rows_put_i64(rows, version->version);
    dw__rows_put_i64(rows, version->timestamp_ms * 1000);
    dw__rows_put_str(rows, version->operation.len == 0 ? DW_STR_NULL : version->operation);
    put_totals(rows, &version->after);
    put_difference(rows, &version->added, version->has_changes);
    put_difference(rows, &version->removed, version->has_changes);
    put_or_null(rows, version->commit_bytes, version->has_changes);
}

static dw_status
make_history(dw_log *log, int64_t limit, keeper *k, struct ArrowArrayStream *out, dw_error *err)
{
    static const dw_rows_column columns[] = {
        {"version", DW_ROWS_I64, 0, 0},         {"timestamp", DW_ROWS_TIMESTAMP, 0, 0},
        {"operation", DW_ROWS_STR, 0, 0},       TOTALS_COLUMNS,
        {"numFilesAdded", DW_ROWS_I64, 0, 0},   {"bytesAdded", DW_ROWS_I64, 0, 0},
        {"numRecordsAdded", DW_ROWS_I64, 0, 0}, {"numFilesRemoved", DW_ROWS_I64, 0, 0},
        {"bytesRemoved", DW_ROWS_I64, 0, 0},    {"numRecordsRemoved", DW_ROWS_I64, 0, 0},
        {"commitInBytes", DW_ROWS_I64, 0, 0}};
    dw_rows *rows;
    DW_TRY(dw__statistics_visit_versions(log, limit, keep_version, k, err));
    DW_TRY(dw__rows_new(k->allocator, columns, COUNT_OF(columns), &rows, err));
    for (size_t i = k->versions.count; i > 0; i--) {
        put_version(rows, &k->versions.items[i - 1]);
    }
    return dw__rows_stream(rows, out, err);
}

dw_status
dw__statistics_history_rows(dw_log *log, int64_t limit, struct ArrowArrayStream *out, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__log_env(log)->allocator);
    keeper k = {.allocator = arena.allocator, .arena = &arena};
    dw_status status = make_history(log, limit, &k, out, err);
    DW_VEC_DEINIT(k.allocator, &k.versions);
    return status;
}
