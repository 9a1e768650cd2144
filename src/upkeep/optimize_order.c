/*
 * Tables that are sorted stay so: where the files of a partition are ranges of a column that do not
 * overlap, they are packed in the order of that column, each with its neighbours. [OPTIMIZE-5]
 */
#include "base/assert.h"
#include "protocol/stats.h"
#include "upkeep/optimize_core.h"

#include <stdlib.h>

/* Columns that are tried, in the order of the schema, and values that are held. */
#define COLUMNS_MAX ((size_t) 8)
#define VALUES_MAX ((size_t) 2 << 20)

/* A file and what it has of the column that is tried. */
typedef struct ranged_file {
    dw_optimize_file file;
    const dw_column_stats *range;
} ranged_file;

typedef struct orderer {
    dw_optimize *o;
    dw_column_path *columns;
    size_t column_count;
    size_t *places;          /* of the files that are visited, in o->files; SIZE_MAX: not wanted */
    dw_file_ref *refs;       /* likewise, sorted */
    dw_column_stats *ranges; /* of each file of o->files, column by column */
    ranged_file *sorted;
} orderer;

static dw_status
find_columns(orderer *r, dw_error *err)
{
    const dw_log_snapshot *snapshot = r->o->snapshot;
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    size_t count;
    DW_TRY(dw__stats_columns(dw__log_snapshot_schema(snapshot), metadata->partition_columns,
                             metadata->partition_column_count,
                             dw__log_snapshot_properties(snapshot), &r->o->arena, &r->columns,
                             &count, err));
    for (size_t i = 0; i < count; i++) {
        size_t next = r->column_count + 1;
        if (next <= COLUMNS_MAX && next * r->o->file_count <= VALUES_MAX &&
            dw__stats_has_bounds(r->columns[i].type)) {
            r->columns[r->column_count++] = r->columns[i];
        }
    }
    return DW_OK;
}

/* ---- Ranges ---------------------------------------------------------------------------------- */

static int
compare_refs(const void *a, const void *b)
{
    const dw_file_ref *x = &((const dw_optimize_file *) a)->ref;
    const dw_file_ref *y = &((const dw_optimize_file *) b)->ref;
    if (x->block != y->block) {
        return x->block < y->block ? -1 : 1;
    }
    return x->row < y->row ? -1 : x->row > y->row;
}

/* The place of a file in o->files, by its ref; SIZE_MAX: it is not looked at. */
static size_t
place_of(const orderer *r, dw_file_ref ref)
{
    size_t low = 0, high = r->o->file_count;
    const dw_optimize_file wanted = {.ref = ref};
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const dw_optimize_file found = {.ref = r->refs[middle]};
        int order = compare_refs(&found, &wanted);
        if (order == 0) {
            return r->places[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return SIZE_MAX;
}

static dw_status
read_ranges(void *ctx, dw_file_ref ref, dw_str stats, dw_error *err)
{
    orderer *r = ctx;
    dw_file_stats counts;
    size_t place = place_of(r, ref);
    if (place == SIZE_MAX || dw__str_is_null(stats)) {
        return DW_OK;
    }
    return dw__stats_read(stats, r->columns, r->column_count, &r->o->arena, &counts,
                          &r->ranges[place * r->column_count])
               ? DW_OK
               : dw__error_oom(err);
}

/* Where each file is, by its ref. */
static dw_status
index_files(orderer *r, dw_error *err)
{
    dw_optimize *o = r->o;
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, o->arena.allocator);
    dw_optimize_file *files = DW_ARENA_ARRAY(&scratch, dw_optimize_file, o->file_count + 1);
    r->refs = DW_ARENA_ARRAY(&o->arena, dw_file_ref, o->file_count + 1);
    r->places = DW_ARENA_ARRAY(&o->arena, size_t, o->file_count + 1);
    if (files == NULL || r->refs == NULL || r->places == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < o->file_count; i++) {
        files[i] = o->files[i];
        files[i].partition_idx = i;
    }
    qsort(files, o->file_count, sizeof *files, compare_refs);
    for (size_t i = 0; i < o->file_count; i++) {
        r->refs[i] = files[i].ref;
        r->places[i] = files[i].partition_idx;
    }
    return DW_OK;
}

/* ---- Sorted? --------------------------------------------------------------------------------- */

static int
compare_least(const void *a, const void *b)
{
    bool comparable;
    return dw__value_compare(&((const ranged_file *) a)->range->min,
                             &((const ranged_file *) b)->range->min, &comparable);
}

static bool
is_apart(const ranged_file *before, const ranged_file *behind)
{
    bool comparable;
    return dw__value_compare(&before->range->max, &behind->range->min, &comparable) <= 0 &&
           comparable;
}

/* Sorts the files of a partition by a column; false when their ranges overlap, or are one value. */
static bool
sort_by(orderer *r, const dw_optimize_partition *partition, size_t column)
{
    for (size_t i = 0; i < partition->count; i++) {
        size_t place = partition->first + i;
        const dw_column_stats *range = &r->ranges[place * r->column_count + column];
        if (!range->has_min || !range->has_max) {
            return false;
        }
        r->sorted[i] = (ranged_file){r->o->files[place], range};
    }
    qsort(r->sorted, partition->count, sizeof *r->sorted, compare_least);
    for (size_t i = 0; i + 1 < partition->count; i++) {
        if (!is_apart(&r->sorted[i], &r->sorted[i + 1])) {
            return false;
        }
    }
    return !is_apart(&r->sorted[partition->count - 1], &r->sorted[0]);
}

static void
order_partition(orderer *r, dw_optimize_partition *partition)
{
    for (size_t column = 0; column < r->column_count && partition->count > 1; column++) {
        if (!sort_by(r, partition, column)) {
            continue;
        }
        for (size_t i = 0; i < partition->count; i++) {
            r->o->files[partition->first + i] = r->sorted[i].file;
        }
        partition->is_sorted = true;
        return;
    }
}

dw_status
dw__optimize_order_files(dw_optimize *o, dw_error *err)
{
    orderer r = {.o = o};
    DW_TRY(find_columns(&r, err));
    if (r.column_count == 0 || o->file_count < 2) {
        return DW_OK;
    }
    r.ranges = DW_ARENA_ARRAY(&o->arena, dw_column_stats, o->file_count * r.column_count + 1);
    r.sorted = DW_ARENA_ARRAY(&o->arena, ranged_file, o->file_count + 1);
    if (r.ranges == NULL || r.sorted == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(index_files(&r, err));
    DW_TRY(dw__file_set_visit_stats(dw__log_snapshot_files(o->snapshot), read_ranges, &r, err));
    for (size_t i = 0; i < o->partition_count; i++) {
        order_partition(&r, &o->partitions[i]);
    }
    return DW_OK;
}
