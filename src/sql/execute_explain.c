/*
 * EXPLAIN: for each table what is read of it and why so little, then the engine's plan.
 *
 *     flights, version 12
 *         files       240 in the table, 20 after partitions, 3 after statistics
 *         bytes       12.3 MB of 812.0 MB
 *         pruned by   month = 3 AND delay > 60
 */
#include "codec/rows.h"
#include "sql/execution.h"

#include <inttypes.h>

#define DW_EXPLAIN_BYTES_MAX ((size_t) 64 << 20)

static void
put_table(const dw_sql_reference *reference, const dw_log_snapshot *snapshot, dw_strbuf *out,
          dw_arena *arena)
{
    dw_str name = dw__sql_name_print(&reference->name, arena);
    dw__strbuf_append(out, reference->changes.is_set ? DW_STR("changes of ") : DW_STR(""));
    dw__strbuf_printf(out, "%.*s, version %" PRId64 "\n    files       ", DW_STR_ARG(name),
                      dw__log_snapshot_version(snapshot));
}

static void
put_scan(const dw_sql_reference *reference, const dw_scan_source *source,
         const dw_scan_report *report, dw_strbuf *out, dw_arena *arena)
{
    const dw_file_set *files = source->changes != NULL ? dw__log_changes_files(source->changes)
                                                       : dw__log_snapshot_files(source->snapshot);
    put_table(reference, source->snapshot, out, arena);
    dw__put_count(out, report->files_total);
    dw__strbuf_append_literal(out, " in the table, ");
    dw__put_count(out, report->files_after_partitions);
    dw__strbuf_append_literal(out, " after partitions, ");
    dw__put_count(out, report->files_after_statistics);
    dw__strbuf_append_literal(out, " after statistics\n    bytes       ");
    dw__put_size(out, report->bytes_read_max);
    dw__strbuf_append_literal(out, " of ");
    dw__put_size(out, dw__file_set_size_bytes(files));
    dw__strbuf_append_literal(out, "\n    pruned by   ");
    dw__strbuf_append(out, report->predicate.len > 0 ? report->predicate : DW_STR("nothing"));
    dw__strbuf_append_literal(out, "\n\n");
}

static dw_status
put_scans(dw_execution *x, const dw_binding *binding, const dw_open_query *query, dw_strbuf *out)
{
    dw_scan_source *sources;
    DW_TRY(dw__execution_sources(x, binding, &sources));
    for (size_t i = 0; i < binding->references.count; i++) {
        put_scan(&binding->references.items[i], &sources[i], dw__scan_report(query->scan, i), out,
                 &x->arena);
    }
    return DW_OK;
}

/* The engine gives its plan as a table of kinds and drawings. */
static dw_status
put_plan(dw_execution *x, const dw_open_query *query, dw_strbuf *out)
{
    dw_text_rows rows;
    bool analyze = x->statement.as.explain.analyze;
    dw_str sql = dw__arena_printf(&x->arena, "EXPLAIN %s%.*s", analyze ? "ANALYZE " : "",
                                  DW_STR_ARG(query->text));
    if (dw__str_is_null(sql)) {
        return dw__error_oom(x->err);
    }
    DW_TRY(dw__connection_query_text(x->session->connection, sql, &x->arena, &rows, x->err));
    for (size_t i = 0; i < rows.row_count; i++) {
        dw__strbuf_append(out, rows.cells[i * rows.column_count + rows.column_count - 1]);
        dw__strbuf_append_char(out, '\n');
    }
    return DW_OK;
}

/* Each line becomes a row; empty ones at the end are left out. */
static dw_status
set_lines(dw_execution *x, dw_str text)
{
    static const dw_rows_column columns[] = {{"explain", DW_ROWS_STR, 0, 0}};
    dw_rows *rows;
    struct ArrowArrayStream stream;
    DW_TRY(dw__rows_new(x->session->env->allocator, columns, 1, &rows, x->err));
    while (text.len > 0 && text.ptr[text.len - 1] == '\n') {
        text.len--;
    }
    while (text.len > 0) {
        size_t end = dw__str_find(text, '\n');
        size_t len = end == SIZE_MAX ? text.len : end;
        dw__rows_put_str(rows, dw__str_slice(text, 0, len));
        text = dw__str_slice(text, len + 1, text.len);
    }
    DW_TRY(dw__rows_stream(rows, &stream, x->err));
    dw__execution_set_rows(x, &stream);
    return DW_OK;
}

/* What the log answers needs no plan. */
static dw_status
explain_answer(dw_execution *x, const dw_binding *binding, bool *answered_out)
{
    struct ArrowArrayStream rows;
    dw_scan_source *sources;
    DW_TRY(
        dw__answer_from_metadata(x, binding, x->statement.as.explain.query, &rows, answered_out));
    if (!*answered_out) {
        return DW_OK;
    }
    rows.release(&rows);
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_EXPLAIN_BYTES_MAX);
    DW_TRY(dw__execution_sources(x, binding, &sources));
    put_table(&binding->references.items[0], sources[0].snapshot, &text, &x->arena);
    dw__put_count(&text, (int64_t) dw__file_set_count(dw__log_snapshot_files(sources[0].snapshot)));
    dw__strbuf_append_literal(&text, " in the table, none is read: answered from its log\n");
    DW_TRY(dw__strbuf_ok(&text, "the plan", x->err));
    return set_lines(x, dw__strbuf_str(&text));
}

static dw_status
explain(dw_execution *x, const dw_binding *binding, dw_open_query *query)
{
    dw_sql_range range = x->statement.as.explain.query;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_EXPLAIN_BYTES_MAX);
    DW_TRY(dw__open_query(x, binding, range, range, query));
    if (query->scan != NULL) {
        DW_TRY(put_scans(x, binding, query, &text));
    }
    DW_TRY(put_plan(x, query, &text));
    DW_TRY(dw__strbuf_ok(&text, "the plan", x->err));
    return set_lines(x, dw__strbuf_str(&text));
}

dw_status
dw__execute_explain(dw_execution *x)
{
    DW_AUTO(dw_binding) binding = {0};
    dw_open_query query = {0};
    dw_bind_options options = dw__execution_bind_options(x);
    DW_TRY(dw__bind(&binding, &x->sql, x->statement.as.explain.query, &x->arena, &options, x->err));
    bool answered;
    DW_TRY(explain_answer(x, &binding, &answered));
    if (answered) {
        return DW_OK;
    }
    dw_status status = explain(x, &binding, &query);
    status = dw__explain_engine_error(x, &query, status);
    dw__open_query_close(&query);
    return status;
}
