/*
 * Counts and extremes without opening a data file. Only what is exact is answered; everything else
 * is left to the engine.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "protocol/stats.h"
#include "scan/scan.h"

/* Rows whose texts are read into the same scratch memory. */
#define SCRATCH_ROWS 256

/* ---- Counting -------------------------------------------------------------------------------- */

typedef struct row_counter {
    const dw_file_set *set;
    const dw_partition_match *matches;
    size_t match_count;
    dw_arena scratch; /* of a file's partition values */
    int64_t rows;
    bool is_known;
} row_counter;

/* Whether the rows of a file are counted; not known when a partition value makes no sense. */
static dw_status
is_matching(row_counter *counter, dw_file_ref ref, bool *out, dw_error *err)
{
    *out = true;
    for (size_t i = 0; *out && i < counter->match_count; i++) {
        const dw_partition_match *match = &counter->matches[i];
        dw_str text = dw__file_set_partition_value(counter->set, ref, match->field->physical_name);
        dw_value value;
        dw_error ignored = DW_ERROR_INIT;
        bool comparable = true;
        dw_status status =
            dw__partition_value_parse(match->field, text, &counter->scratch, &value, &ignored);
        if (status == DW_OUT_OF_MEMORY) {
            return dw__error_oom(err);
        }
        *out = status == DW_OK && value.kind != DW_VALUE_NULL &&
               dw__value_compare(&value, &match->value, &comparable) == 0;
        counter->is_known = counter->is_known && status == DW_OK && comparable;
    }
    if (counter->scratch.used > 0) {
        dw__arena_reset(&counter->scratch);
    }
    return DW_OK;
}

/* The rows of a file that are not deleted; false when that cannot be known. */
static bool
live_rows(const dw_file_set *set, dw_file_ref ref, const dw_file_stats *stats, int64_t *out)
{
    const dw_dv_descriptor *dv = dw__file_set_dv(set, ref);
    int64_t deleted = dv == NULL ? 0 : dv->cardinality;
    *out = 0;
    return stats->has_num_records && stats->num_records >= 0 && deleted >= 0 &&
           deleted <= stats->num_records && dw__checked_sub_i64(stats->num_records, deleted, out);
}

static dw_status
count_file(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    row_counter *counter = ctx;
    dw_file_stats file = {.has_num_records = false};
    int64_t rows;
    bool matches = false;
    if (counter->is_known) {
        DW_TRY(is_matching(counter, ref, &matches, err));
    }
    if (matches) {
        if (!dw__str_is_null(stats)) {
            dw__stats_read_counts(stats, &file);
        }
        counter->is_known = live_rows(counter->set, ref, &file, &rows) &&
                            dw__checked_add_i64(counter->rows, rows, &counter->rows);
    }
    return DW_OK;
}

/* Statistics that went away while they were read are statistics that are not known. */
static dw_status
forgive_moved(dw_status status, bool *known, dw_error *err)
{
    if (status == DW_UNAVAILABLE && dw__error_has_code(err, "STATISTICS_MOVED")) {
        *known = false;
        dw__error_clear(err);
        return DW_OK;
    }
    return status;
}

dw_status
dw__scan_count_matching(dw_log_snapshot *snapshot, const dw_partition_match *matches, size_t count,
                        int64_t *rows_out, bool *known_out, dw_error *err)
{
    *rows_out = 0;
    *known_out = false;
    dw_error own = DW_ERROR_INIT;
    dw_file_set *set = dw__log_snapshot_files(snapshot);
    row_counter counter = {.set = set, .matches = matches, .match_count = count, .is_known = true};
    dw__arena_init(&counter.scratch, dw__log_env(dw__log_snapshot_log(snapshot))->allocator);
    dw_status status = dw__file_set_visit_stats(set, count_file, &counter, &own);
    dw__arena_deinit(&counter.scratch);
    status = forgive_moved(status, &counter.is_known, &own);
    if (status != DW_OK) {
        dw__error_copy(err, &own);
        return status;
    }
    *known_out = counter.is_known;
    *rows_out = counter.is_known ? counter.rows : 0;
    return DW_OK;
}

dw_status
dw__scan_count_rows(dw_log_snapshot *snapshot, int64_t *rows_out, bool *known_out, dw_error *err)
{
    return dw__scan_count_matching(snapshot, NULL, 0, rows_out, known_out, err);
}

/* ---- Extremes -------------------------------------------------------------------------------- */

typedef struct extremes {
    dw_file_set *set;
    dw_column_path path;
    const dw_field *partition_field; /* NULL: the column is in the files */
    dw_arena *arena;                 /* of the result */
    dw_arena scratch;
    size_t scratch_rows;
    dw_value min, max;
    bool is_known;
} extremes;

/* True for types whose values stand in partition values as they are. */
static bool
is_exact_in_partitions(const dw_type *type)
{
    return !dw__type_is_nested(type) && type->kind != DW_TYPE_FLOAT &&
           type->kind != DW_TYPE_DOUBLE && type->kind != DW_TYPE_BINARY &&
           type->kind != DW_TYPE_VARIANT && type->kind != DW_TYPE_VOID;
}

static dw_status
keep_value(extremes *all, const dw_value *value, dw_value *extreme, bool is_max, dw_error *err)
{
    bool comparable = true;
    int order = extreme->kind == DW_VALUE_NULL ? 0 : dw__value_compare(value, extreme, &comparable);
    if (!comparable) {
        all->is_known = false;
        return DW_OK;
    }
    if (extreme->kind != DW_VALUE_NULL && (is_max ? order <= 0 : order >= 0)) {
        return DW_OK;
    }
    *extreme = *value;
    return value->kind != DW_VALUE_STR || dw__arena_dup(all->arena, value->as.str, &extreme->as.str)
               ? DW_OK
               : dw__error_oom(err);
}

/* The one value of a file's partition, which counts only if the file has a row. */
static dw_status
take_partition(extremes *all, dw_file_ref ref, const dw_file_stats *file, dw_error *err)
{
    int64_t rows;
    dw_value value;
    if (!live_rows(all->set, ref, file, &rows)) {
        all->is_known = false;
        return DW_OK;
    }
    dw_str text = dw__file_set_partition_value(all->set, ref, all->path.parts[0]);
    DW_TRY(dw__partition_value_parse(all->partition_field, text, &all->scratch, &value, err));
    if (rows == 0 || value.kind == DW_VALUE_NULL) {
        return DW_OK;
    }
    DW_TRY(keep_value(all, &value, &all->min, false, err));
    return keep_value(all, &value, &all->max, true, err);
}

/* The bounds of a file, which count only if some row that is not deleted has them. */
static dw_status
take_bounds(extremes *all, dw_file_ref ref, const dw_file_stats *file,
            const dw_column_stats *column, dw_error *err)
{
    bool has_rows_only_null =
        column->has_null_count && file->has_num_records && column->null_count == file->num_records;
    if (has_rows_only_null && !column->has_min && !column->has_max) {
        return DW_OK;
    }
    if (!file->tight_bounds || dw__file_set_dv(all->set, ref) != NULL || !column->has_min ||
        !column->has_max || !column->min_is_exact || !column->max_is_exact) {
        all->is_known = false;
        return DW_OK;
    }
    DW_TRY(keep_value(all, &column->min, &all->min, false, err));
    return keep_value(all, &column->max, &all->max, true, err);
}

static dw_status
take_file(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    extremes *all = ctx;
    dw_file_stats file = {.has_num_records = false};
    dw_column_stats column = {.has_min = false};
    if (!all->is_known) {
        return DW_OK;
    }
    if (dw__str_is_null(stats)) {
        all->is_known = false;
        return DW_OK;
    }
    if (all->scratch_rows++ % SCRATCH_ROWS == 0) {
        dw__arena_reset(&all->scratch);
    }
    if (!dw__stats_read(stats, &all->path, 1, &all->scratch, &file, &column)) {
        return dw__error_oom(err);
    }
    return all->partition_field != NULL ? take_partition(all, ref, &file, err)
                                        : take_bounds(all, ref, &file, &column, err);
}

static const dw_field *
find_partition_field(const dw_log_snapshot *snapshot, const dw_field *field)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    for (size_t i = 0; i < metadata->partition_column_count; i++) {
        if (dw__str_equal(metadata->partition_columns[i], field->name)) {
            return field;
        }
    }
    return NULL;
}

dw_status
dw__scan_min_max(dw_log_snapshot *snapshot, const dw_field *field, dw_arena *arena,
                 dw_value *min_out, dw_value *max_out, bool *known_out, dw_error *err)
{
    *min_out = *max_out = (dw_value){.kind = DW_VALUE_NULL};
    *known_out = false;
    extremes all = {.set = dw__log_snapshot_files(snapshot),
                    .path = {.parts = &field->physical_name, .count = 1, .type = field->type},
                    .partition_field = find_partition_field(snapshot, field),
                    .arena = arena,
                    .is_known = true};
    if (all.partition_field != NULL ? !is_exact_in_partitions(field->type)
                                    : !dw__stats_has_bounds(field->type)) {
        return DW_OK;
    }
    dw_error own = DW_ERROR_INIT;
    dw__arena_init(&all.scratch, dw__log_env(dw__log_snapshot_log(snapshot))->allocator);
    dw_status status = dw__file_set_visit_stats(all.set, take_file, &all, &own);
    dw__arena_deinit(&all.scratch);
    status = forgive_moved(status, &all.is_known, &own);
    if (status != DW_OK) {
        dw__error_copy(err, &own);
        return status;
    }
    if (all.is_known) {
        *min_out = all.min;
        *max_out = all.max;
        *known_out = true;
    }
    return DW_OK;
}
