/*
 * From what was recorded of a table's use, and from the statistics of its files, to advice.
 */
#include "upkeep/advice.h"

#include "upkeep/clustering_report.h"

/* ---- The columns ----------------------------------------------------------------------------- */

static bool
is_path(const dw_cluster_column *column, dw_str recorded, const dw_allocator *allocator)
{
    DW_AUTO(dw_strbuf) path = dw__strbuf_make(allocator, DW_COLUMN_USE_PATH_BYTES_MAX);
    dw__column_use_put_path(&path, &column->path);
    return dw__strbuf_ok(&path, "the path", NULL) == DW_OK &&
           dw__str_equal(dw__strbuf_str(&path), recorded);
}

static const dw_cluster_column *
find_column(const dw_cluster_columns *columns, dw_str recorded, const dw_allocator *allocator)
{
    for (size_t i = 0; i < columns->count; i++) {
        if (is_path(&columns->items[i], recorded, allocator)) {
            return &columns->items[i];
        }
    }
    return NULL;
}

/* Of the columns that have statistics: others are in no condition that these were asked about, or
 * are gone. */
static dw_status
find_columns(const dw_log_snapshot *snapshot, const dw_use_counts *uses, dw_arena *arena,
             dw_advice *out, dw_error *err)
{
    dw_cluster_columns counted;
    DW_TRY(dw__cluster_columns_counted(snapshot, arena, &counted, err));
    out->columns = DW_ARENA_ARRAY(arena, dw_advised_column, uses->count + 1);
    if (out->columns == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < uses->count; i++) {
        dw_str path = uses->columns[i].path;
        const dw_cluster_column *column = find_column(&counted, path, arena->allocator);
        if (column == NULL) {
            continue;
        }
        out->columns[out->count++] = (dw_advised_column){
            .column = *column,
            .use_count = uses->columns[i].use_count,
            .file_count = uses->columns[i].file_count,
            .skipped_count = uses->columns[i].skipped_count,
            .is_eligible = dw__stats_has_bounds(column->path.type),
            .is_present = find_column(&out->present, path, arena->allocator) != NULL};
    }
    return DW_OK;
}

/* How many files may have a value of each, now. */
static dw_status
measure(const dw_log_snapshot *snapshot, dw_arena *arena, dw_advice *advice, dw_error *err)
{
    dw_column_clustering *report;
    dw_cluster_columns columns = {DW_ARENA_ARRAY(arena, dw_cluster_column, advice->count + 1),
                                  advice->count};
    if (columns.items == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < advice->count; i++) {
        columns.items[i] = advice->columns[i].column;
    }
    DW_TRY(dw__clustering_report(snapshot, &columns, arena, &report, err));
    for (size_t i = 0; i < advice->count; i++) {
        double all = (double) advice->file_count;
        advice->columns[i].depth = report[i].average_depth < all ? report[i].average_depth : all;
        advice->columns[i].expected = all;
    }
    return DW_OK;
}

/* ---- The choice ------------------------------------------------------------------------------ */

/* The files that are to be put in order together: those of a partition, where there are such, as
 * far as the conditions tell. */
static double
files_together(const dw_advice *advice, const dw_log_snapshot *snapshot)
{
    double all = (double) advice->file_count;
    double uses = 0, files = 0;
    for (size_t i = 0; i < advice->count; i++) {
        uses += (double) advice->columns[i].use_count;
        files += (double) advice->columns[i].file_count;
    }
    bool is_whole = dw__log_snapshot_metadata(snapshot)->partition_column_count == 0 || uses == 0;
    return is_whole || files / uses > all ? all : files / uses;
}

/* Names that do not depend on the snapshot. */
static dw_status
dup_name(dw_name_path name, dw_arena *arena, dw_name_path *out, dw_error *err)
{
    dw_str *parts = DW_ARENA_ARRAY(arena, dw_str, name.count);
    bool done = parts != NULL;
    for (size_t i = 0; done && i < name.count; i++) {
        done = dw__arena_dup(arena, name.parts[i], &parts[i]);
    }
    *out = (dw_name_path){parts, name.count};
    return done ? DW_OK : dw__error_oom(err);
}

static dw_status
choose(const dw_log_snapshot *snapshot, dw_arena *arena, dw_advice *advice, dw_error *err)
{
    dw_name_path *names = DW_ARENA_ARRAY(arena, dw_name_path, DW_CLUSTER_COLUMNS_MAX);
    dw_advice_use *uses = DW_ARENA_ARRAY(arena, dw_advice_use, advice->count + 1);
    if (names == NULL || uses == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < advice->count; i++) {
        const dw_advised_column *column = &advice->columns[i];
        uses[i] = (dw_advice_use){.use_count = (double) column->use_count,
                                  .share = column->depth / (double) advice->file_count,
                                  .is_present = column->is_present,
                                  .is_eligible = column->is_eligible};
    }
    double together = files_together(advice, snapshot);
    dw_advice_choice choice = dw__advice_choose(uses, advice->count, together);
    for (size_t i = 0; i < choice.count; i++) {
        dw_advised_column *column = &advice->columns[choice.items[i]];
        column->is_chosen = true;
        column->expected = choice.share * (double) advice->file_count;
        DW_TRY(dup_name(column->column.parts, arena, &names[i], err));
    }
    advice->chosen = (dw_name_paths){names, choice.count};
    advice->is_better = advice->has_enough && choice.is_better;
    return DW_OK;
}

dw_status
dw__advise(dw_table *table, const dw_log_snapshot *snapshot, dw_arena *arena, dw_advice *out,
           dw_error *err)
{
    dw_use_counts uses = {0};
    dw_column_use *use = dw__table_column_use(table);
    *out =
        (dw_advice){.file_count = (int64_t) dw__file_set_count(dw__log_snapshot_files(snapshot))};
    if (use != NULL) {
        DW_TRY(dw__column_use_read(use, arena, &uses, err));
    }
    out->scan_count = uses.scan_count;
    out->has_enough = uses.scan_count >= DW_ADVICE_SCANS_MIN;
    DW_TRY(dw__cluster_columns_of(snapshot, arena, &out->present, err));
    DW_TRY(find_columns(snapshot, &uses, arena, out, err));
    if (out->count == 0 || out->file_count == 0) {
        return DW_OK;
    }
    DW_TRY(measure(snapshot, arena, out, err));
    return choose(snapshot, arena, out, err);
}
