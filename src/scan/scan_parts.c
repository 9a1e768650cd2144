/*
 * Cutting the files of a scan into parts.
 *
 * A row is masked by its file and its place there: a condition on two columns, which runs above the
 * Parquet reader, over chunks that it has filtered and cut once. In a part of one file the
 * condition is on the place alone; the engine hands it to the reader, which filters once, and that
 * halves what deleted rows cost. But parts are joined by UNION ALL, which the engine cannot see
 * through where it looks for the first rows only, and which takes part after part where their order
 * is kept. So files are cut only for aggregates [PLAN-4], and only large files in small numbers: to
 * plan a part takes the engine as long as it takes to mask the rows of some ten megabytes.
 *
 * Where the statement has conditions on several columns, the reader has left few rows to mask when
 * the condition on places comes: then parts only cost their planning, and one condition more in the
 * reader keeps it from finding the best order of the others.
 */
#include "scan/scan_core.h"

#define PARTS_MAX 16
/* More parts than that must hold so much on average. */
#define PARTS_FEW 4
#define MANY_PARTS_BYTES_MIN ((int64_t) 32 << 20)
#define LARGE_BYTES_MIN ((int64_t) 4 << 20)
/* Conditions on so many columns leave few rows. */
#define NARROWING_COLUMNS_MIN 2

static bool
is_masked(const dw_bound_source *source, size_t idx)
{
    return (source->deleted.is_any && source->deleted.items[idx] != NULL) ||
           (source->kept.is_any && source->kept.items[idx] != NULL);
}

static int64_t
size_of(const dw_bound_source *source, size_t idx)
{
    return dw__file_set_file_size(source->relation.files, source->files[idx]);
}

static bool
stands_alone(const dw_bound_source *source, size_t idx)
{
    return is_masked(source, idx) && size_of(source, idx) >= LARGE_BYTES_MIN;
}

/* True when file `idx` begins a part. */
static bool
is_first(const dw_bound_source *source, size_t idx)
{
    return idx == 0 || stands_alone(source, idx) || stands_alone(source, idx - 1);
}

/* How many rows a part holds, as far as sizes tell: the engine orders joins by it. */
static int64_t
estimate_rows(const dw_bound_source *source, int64_t size_bytes)
{
    int64_t row_bytes = 2 * (int64_t) source->relation.schema->field_count;
    return size_bytes / (row_bytes > 0 ? row_bytes : 1);
}

static dw_scan_part
make_part(const dw_bound_source *source, size_t first, size_t count)
{
    dw_scan_part part = {.first = first, .count = count};
    int64_t size_bytes = 0;
    for (size_t i = first; i < first + count; i++) {
        size_bytes += size_of(source, i);
        part.has_deleted_rows = part.has_deleted_rows || is_masked(source, i);
    }
    part.is_large = size_bytes >= LARGE_BYTES_MIN;
    part.row_count = estimate_rows(source, size_bytes);
    return part;
}

/* 1 where it is not worth it to have more. */
static size_t
count_parts(const dw_bound_source *source)
{
    size_t count = 0;
    int64_t size_bytes = 0;
    for (size_t i = 0; i < source->file_count && count <= PARTS_MAX; i++) {
        count += is_first(source, i) ? 1 : 0;
        size_bytes += size_of(source, i);
    }
    bool is_worth_it = count <= PARTS_FEW || size_bytes / (int64_t) count >= MANY_PARTS_BYTES_MIN;
    return count <= PARTS_MAX && is_worth_it ? count : 1;
}

/* True for a condition that most values of a column do not meet, as far as its form tells. */
static bool
is_narrowing(const dw_predicate *predicate)
{
    return predicate->kind == DW_PREDICATE_IN ||
           (predicate->kind == DW_PREDICATE_COMPARE &&
            predicate->comparison != DW_COMPARISON_NOT_EQUAL &&
            predicate->comparison != DW_COMPARISON_DISTINCT);
}

/* Notes the columns on which all rows meet such a condition. [PREDICATE-3] */
static void
mark_narrowed(const dw_predicate *predicate, bool *columns)
{
    if (is_narrowing(predicate)) {
        columns[predicate->column_idx] = true;
    }
    for (size_t i = 0; predicate->kind == DW_PREDICATE_AND && i < predicate->child_count; i++) {
        mark_narrowed(predicate->children[i], columns);
    }
}

/* True when the reader leaves few rows. Partition values it never sees. */
static bool
is_narrowed(const dw_plan_source *plan)
{
    bool columns[DW_PREDICATE_COLUMNS_MAX] = {false};
    mark_narrowed(plan->predicate, columns);
    size_t count = 0;
    for (size_t i = 0; i < plan->scope.column_count; i++) {
        count += columns[i] && !plan->scope.columns[i].is_partition ? 1 : 0;
    }
    return count >= NARROWING_COLUMNS_MIN;
}

dw_status
dw__scan_cut(const dw_bound_source *source, const dw_plan_source *plan, dw_arena *arena,
             dw_scan_part **out, size_t *count_out, dw_error *err)
{
    bool may_cut = plan->is_aggregated && source->deleted.is_any && !source->with_positions &&
                   !is_narrowed(plan);
    size_t count = may_cut ? count_parts(source) : 0;
    bool is_cut = count > 1;
    *count_out = is_cut ? count : source->file_count > 0 ? 1 : 0;
    *out = DW_ARENA_ARRAY(arena, dw_scan_part, *count_out);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    size_t made = 0;
    for (size_t first = 0, i = 1; i <= source->file_count; i++) {
        if (i == source->file_count || (is_cut && is_first(source, i))) {
            (*out)[made++] = make_part(source, first, i - first);
            first = i;
        }
    }
    return DW_OK;
}
