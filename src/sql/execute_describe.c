/*
 * Statements that look at one table: DESCRIBE, SHOW TBLPROPERTIES, SHOW CREATE TABLE, CHECKPOINT,
 * COMPACT LOG.
 */
#include "base/assert.h"
#include "codec/rows.h"
#include "sql/execution.h"
#include "sql/show_create.h"
#include "statistics/report.h"
#include "statistics/rows.h"
#include "table/describe.h"
#include "upkeep/clustering_report.h"

#include <inttypes.h>

#define DW_MESSAGE_BYTES_MAX ((size_t) 65536)

/* Of the columns that are named, else of those that the table is clustered by, else of all. */
static dw_status
choose_columns(dw_execution *x, const dw_log_snapshot *snapshot, dw_cluster_columns *out)
{
    dw_name_paths names = x->statement.as.describe.columns;
    if (names.count > 0) {
        return dw__cluster_columns_find(dw__log_snapshot_schema(snapshot), names, &x->arena, out,
                                        x->err);
    }
    DW_TRY(dw__cluster_columns_of(snapshot, &x->arena, out, x->err));
    return out->count > 0 ? DW_OK : dw__cluster_columns_bounded(snapshot, &x->arena, out, x->err);
}

static dw_status
describe_clustering(dw_execution *x, const dw_log_snapshot *snapshot, struct ArrowArrayStream *out)
{
    static const dw_rows_column columns[] = {{"column", DW_ROWS_STR, 0, 0},
                                             {"numFiles", DW_ROWS_I64, 0, 0},
                                             {"numFilesUnbounded", DW_ROWS_I64, 0, 0},
                                             {"averageOverlaps", DW_ROWS_DOUBLE, 0, 0},
                                             {"averageDepth", DW_ROWS_DOUBLE, 0, 0},
                                             {"maxDepth", DW_ROWS_I64, 0, 0}};
    dw_cluster_columns chosen;
    dw_column_clustering *report;
    DW_TRY(choose_columns(x, snapshot, &chosen));
    DW_TRY(dw__clustering_report(snapshot, &chosen, &x->arena, &report, x->err));
    dw_rows *rows;
    DW_TRY(dw__rows_new(x->session->env->allocator, columns, sizeof(columns) / sizeof(columns[0]),
                        &rows, x->err));
    for (size_t i = 0; i < chosen.count; i++) {
        dw__rows_put_str(rows, report[i].name);
        dw__rows_put_i64(rows, report[i].file_count);
        dw__rows_put_i64(rows, report[i].unbounded_count);
        dw__rows_put_double(rows, report[i].average_overlaps);
        dw__rows_put_double(rows, report[i].average_depth);
        dw__rows_put_i64(rows, report[i].depth_max);
    }
    return dw__rows_stream(rows, out, x->err);
}

static void
put_advised(dw_rows *rows, const dw_advice *advice, size_t idx, dw_strbuf *text)
{
    const dw_advised_column *column = &advice->columns[idx];
    dw__rows_put_str(rows, column->column.name);
    dw__rows_put_i64(rows, column->use_count);
    dw__rows_put_i64(rows, column->file_count);
    dw__rows_put_i64(rows, column->skipped_count);
    dw__rows_put_double(rows, column->depth);
    dw__rows_put_double(rows, column->expected);
    dw__strbuf_clear(text);
    dw__advice_explain_column(advice, idx, text);
    dw__rows_put_str(rows, dw__strbuf_str(text));
}

/* What was recorded of the use of columns, and what follows from it. */
static dw_status
describe_pruning(dw_execution *x, dw_table *table, struct ArrowArrayStream *out)
{
    static const dw_rows_column columns[] = {
        {"column", DW_ROWS_STR, 0, 0},          {"numUses", DW_ROWS_I64, 0, 0},
        {"numFiles", DW_ROWS_I64, 0, 0},        {"numFilesSkipped", DW_ROWS_I64, 0, 0},
        {"averageDepth", DW_ROWS_DOUBLE, 0, 0}, {"expectedDepth", DW_ROWS_DOUBLE, 0, 0},
        {"advice", DW_ROWS_STR, 0, 0}};
    dw_advice advice;
    DW_TRY(dw__execution_advise(x, table, &advice));
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_MESSAGE_BYTES_MAX);
    dw_rows *rows;
    DW_TRY(dw__rows_new(x->session->env->allocator, columns, sizeof(columns) / sizeof(columns[0]),
                        &rows, x->err));
    for (size_t i = 0; i < advice.count; i++) {
        put_advised(rows, &advice, i, &text);
    }
    return dw__rows_stream(rows, out, x->err);
}

/* A property that is no expectation stands in the list, too: with what is wrong with it. */
static dw_status
put_expectation(dw_rows *rows, const dw_pair *property, const dw_type *schema, dw_arena *arena,
                dw_error *err)
{
    dw_error problem = DW_ERROR_INIT;
    dw_expectation_spec spec;
    dw_expectation made;
    dw_status status = dw__expectation_parse(property, arena, &spec, &problem);
    bool is_read = status == DW_OK;
    if (is_read) {
        status = dw__expectation_make(&spec, schema, arena, &made, &problem);
    }
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    dw__rows_put_str(rows, spec.name);
    dw__rows_put_str(rows, is_read ? spec.text : property->value);
    dw__rows_put_str(rows, is_read ? dw__str_from(dw__violation_name(spec.action)) : DW_STR_NULL);
    dw__rows_put_str(rows, is_read ? spec.quarantine : DW_STR_NULL);
    dw__rows_put_str(rows, status == DW_OK ? DW_STR_NULL : dw__str_from(problem.message));
    return DW_OK;
}

static dw_status
show_expectations(dw_execution *x, const dw_log_snapshot *snapshot, struct ArrowArrayStream *out)
{
    static const dw_rows_column columns[] = {{"name", DW_ROWS_STR, 0, 0},
                                             {"expression", DW_ROWS_STR, 0, 0},
                                             {"on_violation", DW_ROWS_STR, 0, 0},
                                             {"quarantine", DW_ROWS_STR, 0, 0},
                                             {"problem", DW_ROWS_STR, 0, 0}};
    const dw_pairs *pairs = &dw__log_snapshot_metadata(snapshot)->configuration;
    dw_rows *rows;
    DW_TRY(dw__rows_new(x->session->env->allocator, columns, sizeof(columns) / sizeof(columns[0]),
                        &rows, x->err));
    dw_status status = DW_OK;
    for (size_t i = 0; status == DW_OK && i < pairs->count; i++) {
        if (dw__is_expectation_key(pairs->items[i].key)) {
            status = put_expectation(rows, &pairs->items[i], dw__log_snapshot_schema(snapshot),
                                     &x->arena, x->err);
        }
    }
    if (status != DW_OK) {
        dw__rows_free(rows);
        return status;
    }
    return dw__rows_stream(rows, out, x->err);
}

/* The page as the only value. */
static dw_status
describe_report(dw_execution *x, const dw_table *table, dw_log_snapshot *snapshot,
                struct ArrowArrayStream *out)
{
    static const dw_rows_column columns[] = {{"html", DW_ROWS_STR, 0, 0}};
    const dw_allocator *allocator = x->session->env->allocator;
    dw_rows *rows;
    DW_AUTO(dw_strbuf) html = dw__strbuf_make(allocator, DW_REPORT_BYTES_MAX);
    dw_str name = dw__log_snapshot_metadata(snapshot)->name;
    DW_TRY(dw__statistics_report(snapshot, name.len > 0 ? name : dw__table_root(table), &html,
                                 x->err));
    DW_TRY(dw__rows_new(allocator, columns, 1, &rows, x->err));
    dw__rows_put_str(rows, dw__strbuf_str(&html));
    return dw__rows_stream(rows, out, x->err);
}

static dw_status
describe_statistics(dw_execution *x, dw_table *table, dw_log_snapshot *snapshot,
                    struct ArrowArrayStream *out)
{
    const dw_describe_statement *describe = &x->statement.as.describe;
    switch (describe->statistics) {
    case DW_STATISTICS_STATE:
        return dw__statistics_rows(snapshot, out, x->err);
    case DW_STATISTICS_PARTITIONS:
        return dw__statistics_partition_rows(snapshot, out, x->err);
    case DW_STATISTICS_HISTOGRAM:
        return dw__statistics_histogram_rows(snapshot, out, x->err);
    case DW_STATISTICS_HISTORY:
        return dw__statistics_history_rows(dw__table_log(table), describe->limit, out, x->err);
    case DW_STATISTICS_REPORT:
        return describe_report(x, table, snapshot, out);
    }
    dw_unreachable("kind of statistics");
}

static dw_status
describe(dw_execution *x, dw_table *table, struct ArrowArrayStream *rows)
{
    const dw_describe_statement *describe = &x->statement.as.describe;
    const dw_env *env = x->session->env;
    dw_log_snapshot *snapshot;
    if (describe->kind == DW_DESCRIBE_HISTORY) {
        return describe->of_schema ? dw__table_schema_history(table, describe->limit, rows, x->err)
                                   : dw__table_history(table, describe->limit, rows, x->err);
    }
    DW_TRY(dw__execution_snapshot(x, table, &describe->travel, &snapshot));
    switch (describe->kind) {
    case DW_DESCRIBE_TABLE:
        return dw__table_describe(snapshot, env, rows, x->err);
    case DW_DESCRIBE_DETAIL:
        return dw__table_detail(table, snapshot, rows, x->err);
    case DW_DESCRIBE_PROPERTIES:
        return dw__table_properties(snapshot, env, describe->key, rows, x->err);
    case DW_DESCRIBE_CREATE_TABLE:
        return dw__show_create_table(table, snapshot, &describe->name, &x->arena, rows, x->err);
    case DW_DESCRIBE_CLUSTERING:
        return describe_clustering(x, snapshot, rows);
    case DW_DESCRIBE_EXPECTATIONS:
        return show_expectations(x, snapshot, rows);
    case DW_DESCRIBE_PROFILE:
        return dw__describe_profile(x, table, snapshot, rows);
    case DW_DESCRIBE_DRIFT:
        return dw__show_drift(x, table, snapshot, rows);
    case DW_DESCRIBE_PRUNING:
        return describe_pruning(x, table, rows);
    case DW_DESCRIBE_STATISTICS:
        return describe_statistics(x, table, snapshot, rows);
    case DW_DESCRIBE_HISTORY:
        break;
    }
    dw_unreachable("describe kind");
}

static dw_status
describe_delta(dw_execution *x, dw_table *table)
{
    struct ArrowArrayStream rows;
    dw_status status = describe(x, table, &rows);
    if (status != DW_OK) {
        dw_str name = dw__sql_name_print(&x->statement.as.describe.name, &x->arena);
        dw__error_context(x->err, "%s %.*s", x->statement.verb, DW_STR_ARG(name));
        return status;
    }
    dw__execution_set_rows(x, &rows);
    return DW_OK;
}

/* DESCRIBE of a view of the session is that of its query. */
static dw_status
describe_view(dw_execution *x)
{
    dw_statement *statement = &x->statement;
    *statement = (dw_statement){.kind = DW_STATEMENT_QUERY, .verb = "DESCRIBE"};
    statement->as.query.query = dw__execution_range(x);
    return dw__execute_query(x);
}

dw_status
dw__execute_describe(dw_execution *x)
{
    const dw_describe_statement *describe = &x->statement.as.describe;
    dw_target_kind kind;
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_target(x, &describe->name, &kind, &table));
    if (kind == DW_TARGET_DELTA) {
        return describe_delta(x, table);
    }
    if (kind == DW_TARGET_NONE || describe->kind != DW_DESCRIBE_TABLE) {
        return dw__execution_table(x, &describe->name, &table);
    }
    if (kind == DW_TARGET_VIEW) {
        return describe_view(x);
    }
    return dw__execute_engine(x, (dw_sql_range){0});
}

/* ---- CHECKPOINT ------------------------------------------------------------------------------ */

static dw_status
checkpoint(dw_execution *x, dw_table *table)
{
    dw_log_snapshot *snapshot;
    dw_sql_travel newest = {0};
    DW_TRY(dw__execution_snapshot(x, table, &newest, &snapshot));
    DW_TRY(dw__log_checkpoint(snapshot, x->err));
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_MESSAGE_BYTES_MAX);
    dw__strbuf_printf(&text, "wrote a checkpoint of version %" PRId64,
                      dw__log_snapshot_version(snapshot));
    dw__execution_set_message(x, &text, -1);
    return dw__strbuf_ok(&text, "the message", x->err);
}

dw_status
dw__execute_checkpoint(dw_execution *x)
{
    const dw_sql_name *name = &x->statement.as.checkpoint;
    dw_target_kind kind;
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_target(x, name, &kind, &table));
    if (kind == DW_TARGET_NONE && x->session->may_have_engine_objects) {
        return dw__execute_engine(x, (dw_sql_range){0}); /* an attached database */
    }
    if (kind != DW_TARGET_DELTA) {
        return dw__execution_table(x, name, &table);
    }
    dw_status status = checkpoint(x, table);
    if (status != DW_OK) {
        dw__error_context(x->err, "CHECKPOINT of %.*s", DW_STR_ARG(dw__table_root(table)));
    }
    return status;
}

/* ---- COMPACT LOG ----------------------------------------------------------------------------- */

static dw_status
check_range(const dw_compact_statement *compact, const dw_log_snapshot *snapshot, dw_error *err)
{
    int64_t newest = dw__log_snapshot_version(snapshot);
    if (compact->first < 0 || compact->first >= compact->last || compact->last > newest) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "VERSION_RANGE_INVALID",
                             "expected at least two versions, from one to a later one up to "
                             "%" PRId64 ", found %" PRId64 " to %" PRId64,
                             newest, compact->first, compact->last);
    }
    return DW_OK;
}

static dw_status
compact_log(dw_execution *x, dw_table *table)
{
    const dw_compact_statement *compact = &x->statement.as.compact;
    int64_t first = compact->first, last = compact->last;
    dw_log_snapshot *snapshot;
    dw_sql_travel newest = {0};
    DW_TRY(dw__execution_snapshot(x, table, &newest, &snapshot));
    DW_TRY(compact->has_range ? check_range(compact, snapshot, x->err)
                              : dw__log_compactable(snapshot, &first, &last, x->err));
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_MESSAGE_BYTES_MAX);
    if (first >= last) {
        dw__strbuf_append_literal(&text, "nothing to compact behind the last checkpoint");
    } else {
        DW_TRY(dw__log_compact(dw__table_log(table), first, last, x->err));
        dw__strbuf_printf(&text, "compacted the commits %" PRId64 " to %" PRId64, first, last);
    }
    dw__execution_set_message(x, &text, -1);
    return dw__strbuf_ok(&text, "the message", x->err);
}

dw_status
dw__execute_compact_log(dw_execution *x)
{
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_table(x, &x->statement.as.compact.name, &table));
    dw_status status = compact_log(x, table);
    if (status != DW_OK) {
        dw__error_context(x->err, "COMPACT LOG of %.*s", DW_STR_ARG(dw__table_root(table)));
    }
    return status;
}
