/*
 * The text of an EXPLAIN.
 *
 *     flights, version 12
 *         files       240 in the table, 20 after partitions, 3 after statistics, 1 after bloom
 *         filters removed     2 files as a whole, without reading
 *         bytes       12.3 MB of 812.0 MB
 *         pruned by   month = 3 AND delay > 60
 */
#include "sql/explain.h"

#include "codec/rows.h"

#include <inttypes.h>

static void
put_head(dw_execution *x, const char *prefix, const dw_sql_name *name,
         const dw_log_snapshot *snapshot, dw_strbuf *out)
{
    dw_str text = dw__sql_name_print(name, &x->arena);
    dw__strbuf_printf(out, "%s%.*s, version %" PRId64 "\n    files       ", prefix,
                      DW_STR_ARG(text), dw__log_snapshot_version(snapshot));
}

static void
put_report(const dw_scan_report *report, const dw_file_set *files, dw_strbuf *out)
{
    dw__put_count(out, report->files_total);
    dw__strbuf_append_literal(out, " in the table, ");
    dw__put_count(out, report->files_after_partitions);
    dw__strbuf_append_literal(out, " after partitions, ");
    dw__put_count(out, report->files_after_statistics);
    dw__strbuf_append_literal(out, " after statistics");
    if (report->has_filters) {
        dw__strbuf_append_literal(out, ", ");
        dw__put_count(out, report->files_after_filters);
        dw__strbuf_append_literal(out, " after bloom filters");
    }
    if (report->files_without_filters > 0) {
        dw__strbuf_append_literal(out, " (");
        dw__put_count(out, report->files_without_filters);
        dw__strbuf_append(out, report->files_without_filters == 1 ? DW_STR(" has none)")
                                                                  : DW_STR(" have none)"));
    }
    dw__strbuf_append_literal(out, "\n    ");
    if (report->files_whole > 0) {
        dw__strbuf_append_literal(out, "removed     ");
        dw__put_counted(out, report->files_whole, "file");
        dw__strbuf_append_literal(out, " as a whole, without reading\n    ");
    }
    dw__strbuf_append_literal(out, "bytes       ");
    dw__put_size(out, report->bytes_read_max);
    dw__strbuf_append_literal(out, " of ");
    dw__put_size(out, dw__file_set_size_bytes(files));
    dw__strbuf_append_literal(out, "\n    pruned by   ");
    dw__strbuf_append(out, report->predicate.len > 0 ? report->predicate : DW_STR("nothing"));
    dw__strbuf_append_literal(out, "\n\n");
}

/* `what` becomes of the files, of which none is read. */
static void
put_unread(dw_execution *x, const dw_sql_name *name, const dw_log_snapshot *snapshot,
           const char *what, dw_strbuf *out)
{
    put_head(x, "", name, snapshot, out);
    dw__put_count(out, (int64_t) dw__file_set_count(dw__log_snapshot_files(snapshot)));
    dw__strbuf_printf(out, " in the table, %s\n", what);
}

void
dw__explain_put_answered(dw_execution *x, const dw_sql_name *name, const dw_log_snapshot *snapshot,
                         dw_strbuf *out)
{
    put_unread(x, name, snapshot, "none is read: answered from its log", out);
}

void
dw__explain_put_emptied(dw_execution *x, const dw_sql_name *name, const dw_log_snapshot *snapshot,
                        dw_strbuf *out)
{
    put_unread(x, name, snapshot, "all are removed without reading", out);
}

void
dw__explain_put_scan(dw_execution *x, const dw_sql_reference *reference,
                     const dw_scan_source *source, const dw_scan_report *report, dw_strbuf *out)
{
    put_head(x, reference->changes.is_set ? "changes of " : "", &reference->name, source->snapshot,
             out);
    put_report(report,
               source->changes != NULL ? dw__log_changes_files(source->changes)
                                       : dw__log_snapshot_files(source->snapshot),
               out);
}

dw_status
dw__explain_put_scans(dw_execution *x, const dw_binding *binding, const dw_scan *scan,
                      dw_strbuf *out)
{
    dw_scan_source *sources;
    DW_TRY(dw__execution_sources(x, binding, &sources));
    for (size_t i = 0; i < binding->references.count; i++) {
        dw__explain_put_scan(x, &binding->references.items[i], &sources[i],
                             dw__scan_report(scan, i), out);
    }
    return DW_OK;
}

/* The engine gives its plan as a table of kinds and drawings. */
dw_status
dw__explain_put_plan(dw_execution *x, dw_str query, bool analyze, dw_strbuf *out)
{
    dw_text_rows rows;
    dw_str sql =
        dw__arena_printf(&x->arena, "EXPLAIN %s%.*s", analyze ? "ANALYZE " : "", DW_STR_ARG(query));
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

dw_status
dw__explain_set(dw_execution *x, const dw_strbuf *lines)
{
    return dw__execution_set_lines(x, "explain", lines);
}

dw_status
dw__execution_set_lines(dw_execution *x, const char *column, const dw_strbuf *lines)
{
    const dw_rows_column columns[] = {{column, DW_ROWS_STR, 0, 0}};
    dw_rows *rows;
    struct ArrowArrayStream stream;
    dw_str text = dw__strbuf_str(lines);
    DW_TRY(dw__strbuf_ok(lines, "the text", x->err));
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
