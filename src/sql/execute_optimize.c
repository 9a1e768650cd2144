/*
 * OPTIMIZE and REORG TABLE: runs them, and tells in the reference's columns, path and metrics, what
 * was done; people read one line instead.
 */
#include "sql/lineage.h"
#include "sql/parse.h"
#include "upkeep/clustering_report.h"
#include "upkeep/optimize.h"

#include <inttypes.h>

#define DW_TEXT_BYTES_MAX ((size_t) 1 << 20)

/* ---- How well files are clustered ------------------------------------------------------------ */

/* By the columns that rows are ordered by; none: they are not. */
typedef struct depths {
    dw_cluster_columns columns;
    dw_column_clustering *before, *after;
} depths;

/* The columns borrow their names from the snapshot. */
static dw_status
find_columns(dw_execution *x, const dw_log_snapshot *snapshot, dw_cluster_columns *out)
{
    dw_name_paths names = x->statement.as.optimize.z_order;
    return names.count > 0 ? dw__cluster_columns_find(dw__log_snapshot_schema(snapshot), names,
                                                      &x->arena, out, x->err)
                           : dw__cluster_columns_of(snapshot, &x->arena, out, x->err);
}

/* Of the newest version, which `*snapshot_out` keeps alive. */
static dw_status
measure(dw_execution *x, dw_table *table, depths *d, dw_log_snapshot **snapshot_out,
        dw_column_clustering **out)
{
    DW_TRY(dw__log_snapshot(dw__table_log(table), snapshot_out, x->err));
    dw_log_snapshot *snapshot = *snapshot_out;
    if (d->columns.items == NULL) {
        DW_TRY(find_columns(x, snapshot, &d->columns));
    }
    return d->columns.count == 0
               ? DW_OK
               : dw__clustering_report(snapshot, &d->columns, &x->arena, out, x->err);
}

static void
put_depths(dw_strbuf *out, const depths *d)
{
    dw__strbuf_append_literal(out, "\"clustering\": CAST([");
    for (size_t i = 0; i < d->columns.count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("ROW(") : DW_STR(", ROW("));
        dw__sql_put_literal(out, d->before[i].name);
        dw__strbuf_printf(out, ", %.6g, %.6g)", d->before[i].average_depth,
                          d->after[i].average_depth);
    }
    dw__strbuf_append_literal(out, "] AS STRUCT(\"column\" VARCHAR, \"averageDepthBefore\" DOUBLE, "
                                   "\"averageDepthAfter\" DOUBLE)[]), ");
}

static void
tell_depths(dw_strbuf *out, const depths *d)
{
    for (size_t i = 0; i < d->columns.count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("; files that may have a value of ") : DW_STR(", "));
        dw__strbuf_printf(out, "%.*s: %.1f before, %.1f now", DW_STR_ARG(d->before[i].name),
                          d->before[i].average_depth, d->after[i].average_depth);
    }
}

/* ---- The row --------------------------------------------------------------------------------- */

static void
put_number(dw_strbuf *out, const char *name, int64_t value)
{
    dw__strbuf_printf(out, "\"%s\": ", name);
    dw__strbuf_append_i64(out, value);
    dw__strbuf_append_literal(out, "::BIGINT, ");
}

static void
put_figures(dw_strbuf *out, const char *name, const dw_file_figures *figures)
{
    double average =
        figures->count == 0 ? 0 : (double) figures->size_bytes / (double) figures->count;
    dw__strbuf_printf(out, "\"%s\": {", name);
    put_number(out, "min", figures->size_min);
    put_number(out, "max", figures->size_max);
    dw__strbuf_printf(out, "\"avg\": %.1f::DOUBLE, ", average);
    put_number(out, "totalFiles", figures->count);
    dw__strbuf_append_literal(out, "\"totalSize\": ");
    dw__strbuf_append_i64(out, figures->size_bytes);
    dw__strbuf_append_literal(out, "::BIGINT}, ");
}

static void
put_amount(dw_strbuf *out, const char *name, int64_t count, int64_t size_bytes)
{
    dw__strbuf_printf(out, "\"%s\": {", name);
    put_number(out, "num", count);
    dw__strbuf_printf(out, "\"size\": %" PRId64 "::BIGINT}, ", size_bytes);
}

/*
 * As the reference has it, where all files of a partition are ordered anew; NULL without ZORDER BY.
 */
static void
put_z_order_stats(dw_strbuf *out, const dw_optimize_result *done, bool is_z_ordered)
{
    dw__strbuf_append_literal(out, "\"zOrderStats\": ");
    dw__strbuf_append(out, is_z_ordered ? DW_STR("{") : DW_STR("CASE WHEN false THEN {"));
    dw__strbuf_append_literal(out, "\"strategyName\": 'all', ");
    put_amount(out, "inputCubeFiles", 0, 0);
    put_amount(out, "inputOtherFiles", done->removed.count, done->removed.size_bytes);
    put_number(out, "inputNumCubes", 0);
    put_amount(out, "mergedFiles", done->removed.count, done->removed.size_bytes);
    put_number(out, "numOutputCubes", done->partitions_optimized);
    dw__strbuf_append_literal(out, "\"mergedNumCubes\": CAST(NULL AS BIGINT)}");
    dw__strbuf_append(out, is_z_ordered ? DW_STR(", ") : DW_STR(" END, "));
}

static void
put_cube_files(dw_strbuf *out, const char *name, const dw_file_amount *files)
{
    dw__strbuf_printf(out, "\"%s\": {", name);
    put_number(out, "numFiles", files->count);
    dw__strbuf_printf(out, "\"size\": %" PRId64 "::BIGINT}, ", files->size_bytes);
}

/* NULL for tables that are not clustered. */
static void
put_clustering_stats(dw_strbuf *out, const dw_cube_figures *cubes)
{
    dw__strbuf_append_literal(out, "\"clusteringStats\": ");
    dw__strbuf_append(out, cubes->is_clustered ? DW_STR("{") : DW_STR("CASE WHEN false THEN {"));
    put_cube_files(out, "inputZCubeFiles", &cubes->in_cubes);
    put_cube_files(out, "inputOtherFiles", &cubes->others);
    put_number(out, "inputNumZCubes", cubes->cube_count);
    put_cube_files(out, "mergedFiles", &cubes->merged);
    dw__strbuf_printf(out, "\"numOutputZCubes\": %" PRId64 "::BIGINT}", cubes->merged_cube_count);
    dw__strbuf_append(out, cubes->is_clustered ? DW_STR(", ") : DW_STR(" END, "));
}

static void
put_metrics(dw_strbuf *out, const dw_optimize_result *done, const depths *d, bool is_z_ordered)
{
    put_depths(out, d);
    put_number(out, "numFilesAdded", done->added.count);
    put_number(out, "numFilesRemoved", done->removed.count);
    put_figures(out, "filesAdded", &done->added);
    put_figures(out, "filesRemoved", &done->removed);
    put_number(out, "partitionsOptimized", done->partitions_optimized);
    put_z_order_stats(out, done, is_z_ordered);
    put_clustering_stats(out, &done->cubes);
    put_number(out, "numBins", done->bin_count);
    put_number(out, "numBatches", done->batch_count);
    put_number(out, "totalConsideredFiles", done->files_considered);
    put_number(out, "totalFilesSkipped", done->files_skipped);
    put_number(out, "totalPartitions", done->partition_count);
    put_number(out, "openPartitions", done->partitions_open);
    put_number(out, "smallPartitions", done->partitions_small);
    dw__strbuf_append_literal(out, "\"advice\": ");
    if (done->advice[0] == '\0') {
        dw__strbuf_append_literal(out, "CAST(NULL AS VARCHAR)");
    } else {
        dw__sql_put_literal(out, dw__str_from(done->advice));
    }
    dw__strbuf_append_literal(out, ", \"preserveInsertionOrder\": true, ");
    put_number(out, "startTimeMs", done->start_ms);
    put_number(out, "endTimeMs", done->end_ms);
    dw__strbuf_append_literal(out, "\"deletionVectorStats\": {");
    put_number(out, "numDeletionVectorsRemoved", done->vectors_removed);
    dw__strbuf_append_literal(out, "\"numDeletionVectorRowsRemoved\": ");
    dw__strbuf_append_i64(out, done->deleted_rows_removed);
    dw__strbuf_append_literal(out, "::BIGINT}");
}

static dw_status
set_row(dw_execution *x, const dw_table *table, const dw_optimize_result *done, const depths *d)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(x->arena.allocator, DW_TEXT_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "SELECT ");
    dw__sql_put_literal(&sql, dw__table_root(table));
    dw__strbuf_append_literal(&sql, " AS path, {");
    put_metrics(&sql, done, d, x->statement.as.optimize.z_order.count > 0);
    dw__strbuf_append_literal(&sql, "} AS metrics");
    DW_TRY(dw__strbuf_ok(&sql, "the statement", x->err));
    return dw__execution_set_query(x, dw__strbuf_str(&sql));
}

/* ---- AUTO ------------------------------------------------------------------------------------ */

/* What the advice was, and what became of it. */
typedef struct auto_choice {
    dw_advice advice;
    bool is_asked;     /* AUTO */
    bool is_owners;    /* the columns are not to be chosen */
    int64_t clustered; /* the version that took other columns; -1: none */
} auto_choice;

static dw_status
cluster_anew(dw_execution *x, dw_table *table, auto_choice *choice)
{
    dw_alter_report report = {.arena = &x->arena, .version = -1};
    DW_TRY(dw__execution_upkeep_limits(x, table, &report.limits));
    dw_status status = dw__execution_follow_advice(x, table, &choice->advice, &report);
    choice->clustered = report.version;
    return status;
}

/* A table whose columns are to be chosen is clustered by them, one that is not clustered is
 * Z-ordered. A dry run shows what becomes of the files as if that were always so. */
static dw_status
choose_columns(dw_execution *x, dw_table *table, auto_choice *choice)
{
    dw_optimize_statement *optimize = &x->statement.as.optimize;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__execution_advise(x, table, &choice->advice));
    DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, x->err));
    const dw_str *mark =
        dw__pairs_get(&dw__log_snapshot_metadata(snapshot)->configuration, DW_CLUSTER_BY_AUTO);
    bool is_marked = mark != NULL && dw__str_equal(*mark, DW_STR("true"));
    bool is_clustered = choice->advice.present.count > 0;
    choice->is_owners = is_clustered && !is_marked;
    if (choice->is_owners || !choice->advice.is_better) {
        return DW_OK;
    }
    if (is_marked && !optimize->options.dry_run) {
        return cluster_anew(x, table, choice);
    }
    if (!is_clustered) {
        optimize->z_order = choice->advice.chosen;
    }
    return DW_OK;
}

static void
tell_choice(dw_strbuf *out, const auto_choice *choice)
{
    if (choice->is_asked && choice->is_owners) {
        dw__strbuf_append_literal(out, "; AUTO chose no columns, as the table is clustered by ");
        dw__cluster_columns_put_names(&choice->advice.present, out);
        dw__strbuf_append_literal(out, ": ALTER TABLE ... CLUSTER BY AUTO lets it");
    } else if (choice->is_asked) {
        dw__strbuf_append_literal(out, "; ");
        dw__advice_explain(&choice->advice, out);
    }
}

/* ---- The line -------------------------------------------------------------------------------- */

/* "12 files (3.4 MB)" */
static void
put_files(dw_strbuf *out, const dw_file_figures *figures)
{
    dw__put_counted(out, figures->count, "file");
    dw__strbuf_append_literal(out, " (");
    dw__put_size(out, figures->size_bytes);
    dw__strbuf_append_char(out, ')');
}

static void
put_rest(dw_strbuf *out, const dw_optimize_result *done)
{
    if (done->partitions_open > 0) {
        dw__strbuf_append_literal(out, "; left alone are ");
        dw__put_counted(out, done->partitions_open, "partition");
        dw__strbuf_append_literal(out, " that may still grow");
    }
    if (done->bins_left > 0) {
        dw__strbuf_append_literal(out, "; the time was up before ");
        dw__put_counted(out, done->bins_left, "more bin");
    }
    if (done->bins_lost > 0) {
        dw__strbuf_append_literal(out, "; other writers changed the files of ");
        dw__put_counted(out, done->bins_lost, "bin");
    }
    if (done->advice[0] != '\0') {
        dw__strbuf_printf(out, "; %s", done->advice);
    }
}

static dw_status
set_message(dw_execution *x, const dw_optimize_result *done, const depths *d,
            const auto_choice *choice)
{
    bool is_dry = x->statement.as.optimize.options.dry_run;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_TEXT_BYTES_MAX);
    if (done->removed.count == 0) {
        dw__strbuf_append_literal(&text, "nothing to do: ");
        dw__put_counted(&text, done->files_considered, "file");
        dw__strbuf_append(&text, done->files_considered == 1 ? DW_STR(" is as it should be")
                                                             : DW_STR(" are as they should be"));
    } else {
        put_files(&text, &done->removed);
        dw__strbuf_append(&text, is_dry ? DW_STR(" would become ") : DW_STR(" became "));
        put_files(&text, &done->added);
        if (done->deleted_rows_removed > 0) {
            dw__strbuf_append_literal(&text, ", without ");
            dw__put_counted(&text, done->deleted_rows_removed, "deleted row");
        }
        if (!is_dry) {
            dw__put_outcome(x, &text, done->version);
            tell_depths(&text, d);
        }
    }
    put_rest(&text, done);
    tell_choice(&text, choice);
    dw__execution_set_message(x, &text, -1);
    return dw__strbuf_ok(&text, "the message", x->err);
}

/* ---- The statement --------------------------------------------------------------------------- */

static dw_status
run(dw_execution *x, dw_table *table, dw_optimize_result *out)
{
    const dw_optimize_statement *optimize = &x->statement.as.optimize;
    dw_sql_range condition = optimize->condition;
    dw_upkeep upkeep;
    DW_TRY(dw__execution_upkeep(x, table, &optimize->options, &upkeep));
    dw_optimize_spec spec = {.table = table,
                             .predicate = DW_STR_NULL,
                             .condition = DW_STR_NULL,
                             .z_order = optimize->z_order,
                             .full = optimize->full,
                             .purges = optimize->purges};
    if (!dw__sql_range_is_empty(condition)) {
        spec.predicate = dw__tokens_text(&x->sql, condition.first, condition.last);
        DW_TRY(dw__sql_range_print(&x->sql, condition, &x->arena, &spec.condition, x->err));
    }
    return dw__optimize(&upkeep, &spec, out, x->err);
}

dw_status
dw__execute_optimize(dw_execution *x)
{
    dw_optimize_result done = {.version = -1};
    auto_choice choice = {.is_asked = x->statement.as.optimize.is_auto, .clustered = -1};
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_table(x, &x->statement.as.optimize.name, &table));
    depths d = {0};
    DW_AUTO(dw_log_snapshot_ptr) before = NULL;
    DW_AUTO(dw_log_snapshot_ptr) after = NULL;
    dw_status status = choice.is_asked ? choose_columns(x, table, &choice) : DW_OK;
    if (status == DW_OK) {
        status = measure(x, table, &d, &before, &d.before);
    }
    if (status == DW_OK) {
        status = run(x, table, &done);
    }
    if (status == DW_OK && measure(x, table, &d, &after, &d.after) != DW_OK) {
        dw__error_clear(x->err); /* what is done is done */
        d.columns.count = 0;
    }
    if (status != DW_OK) {
        dw_str name = dw__sql_name_print(&x->statement.as.optimize.name, &x->arena);
        dw__error_context(x->err, "%s %.*s", x->statement.verb, DW_STR_ARG(name));
        dw__execution_tell_partial(x, done.version < 0 ? choice.clustered : done.version);
        return status;
    }
    dw__execution_note_commit(x, done.version < 0 ? choice.clustered : done.version);
    DW_TRY(set_message(x, &done, &d, &choice));
    return set_row(x, table, &done, &d);
}
