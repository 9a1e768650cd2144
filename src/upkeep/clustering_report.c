/*
 * Bounds of a column in order tell how many ranges begin and end before a value: what began and did
 * not end is there.
 */
#include "upkeep/clustering_report.h"

#include "base/assert.h"

#include <stdlib.h>

/* The bounds of one column. */
typedef struct ranges {
    dw_value *min, *max; /* of the same file */
    size_t count;
    int64_t unbounded_count;
} ranges;

typedef struct collector {
    const dw_cluster_columns *columns;
    dw_column_path *paths;
    dw_column_stats *stats;
    ranges *ranges;
    dw_arena *arena;
} collector;

/* ---- Collecting ------------------------------------------------------------------------------ */

static dw_status
collect(void *ctx, dw_file_ref ref, dw_str json, dw_error *err)
{
    (void) ref;
    collector *c = ctx;
    dw_file_stats counts = {0};
    memset(c->stats, 0, c->columns->count * sizeof(*c->stats));
    if (!dw__str_is_null(json) &&
        !dw__stats_read(json, c->paths, c->columns->count, c->arena, &counts, c->stats)) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < c->columns->count; i++) {
        const dw_column_stats *stats = &c->stats[i];
        ranges *r = &c->ranges[i];
        bool is_null = counts.has_num_records && stats->has_null_count &&
                       stats->null_count == counts.num_records;
        if (stats->has_min && stats->has_max) {
            r->min[r->count] = stats->min;
            r->max[r->count] = stats->max;
            r->count++;
        } else if (!is_null) {
            r->unbounded_count++;
        }
    }
    return DW_OK;
}

static dw_status
collector_init(collector *c, size_t file_count, dw_error *err)
{
    size_t count = c->columns->count;
    c->paths = DW_ARENA_ARRAY(c->arena, dw_column_path, count + 1);
    c->stats = DW_ARENA_ARRAY(c->arena, dw_column_stats, count + 1);
    c->ranges = DW_ARENA_ARRAY(c->arena, ranges, count + 1);
    if (c->paths == NULL || c->stats == NULL || c->ranges == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        c->paths[i] = c->columns->items[i].path;
        c->ranges[i].min = DW_ARENA_ARRAY(c->arena, dw_value, file_count + 1);
        c->ranges[i].max = DW_ARENA_ARRAY(c->arena, dw_value, file_count + 1);
        if (c->ranges[i].min == NULL || c->ranges[i].max == NULL) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

/* ---- Counting -------------------------------------------------------------------------------- */

static int
compare_values(const void *a, const void *b)
{
    bool comparable;
    return dw__value_compare(a, b, &comparable);
}

/* How many of the sorted values are below, or not above. */
static size_t
count_below(const dw_value *sorted, size_t count, const dw_value *value, bool or_equal)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        int order = compare_values(&sorted[middle], value);
        if (order < 0 || (or_equal && order == 0)) {
            low = middle + 1;
        } else {
            count = middle;
        }
    }
    return low;
}

static void
measure(const ranges *r, const dw_value *mins, const dw_value *maxs, dw_column_clustering *out)
{
    double overlaps = 0, depths = 0;
    for (size_t i = 0; i < r->count; i++) {
        size_t begun = count_below(mins, r->count, &r->max[i], true);
        size_t over = count_below(maxs, r->count, &r->min[i], false);
        overlaps += (double) (begun - over - 1);
        const dw_value *points[] = {&r->min[i], &r->max[i]};
        for (size_t k = 0; k < 2; k++) {
            size_t depth = count_below(mins, r->count, points[k], true) -
                           count_below(maxs, r->count, points[k], false);
            depths += (double) depth / 2;
            out->depth_max = (int64_t) depth > out->depth_max ? (int64_t) depth : out->depth_max;
        }
    }
    double bounded = r->count == 0 ? 1 : (double) r->count;
    out->average_overlaps = overlaps / bounded + (double) r->unbounded_count;
    out->average_depth = depths / bounded + (double) r->unbounded_count;
    out->depth_max += r->unbounded_count;
    out->unbounded_count = r->unbounded_count;
}

static dw_status
measure_column(const ranges *r, dw_arena *arena, dw_column_clustering *out, dw_error *err)
{
    dw_value *mins = DW_ARENA_ARRAY(arena, dw_value, r->count + 1);
    dw_value *maxs = DW_ARENA_ARRAY(arena, dw_value, r->count + 1);
    if (mins == NULL || maxs == NULL) {
        return dw__error_oom(err);
    }
    if (r->count > 0) {
        memcpy(mins, r->min, r->count * sizeof(*mins));
        memcpy(maxs, r->max, r->count * sizeof(*maxs));
        qsort(mins, r->count, sizeof(*mins), compare_values);
        qsort(maxs, r->count, sizeof(*maxs), compare_values);
    }
    measure(r, mins, maxs, out);
    return DW_OK;
}

dw_status
dw__clustering_report(const dw_log_snapshot *snapshot, const dw_cluster_columns *columns,
                      dw_arena *arena, dw_column_clustering **out, dw_error *err)
{
    dw_file_set *files = dw__log_snapshot_files(snapshot);
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, arena->allocator);
    collector c = {.columns = columns, .arena = &scratch};
    *out = DW_ARENA_ARRAY(arena, dw_column_clustering, columns->count + 1);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(collector_init(&c, dw__file_set_count(files), err));
    DW_TRY(dw__file_set_visit_stats(files, collect, &c, err));
    for (size_t i = 0; i < columns->count; i++) {
        (*out)[i] = (dw_column_clustering){.name = columns->items[i].name,
                                           .file_count = (int64_t) dw__file_set_count(files)};
        DW_TRY(measure_column(&c.ranges[i], &scratch, &(*out)[i], err));
    }
    return DW_OK;
}
