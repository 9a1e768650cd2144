/*
 * Binding and opening queries about the rows that a statement changes.
 */
#include "sql/row_query.h"

#include "sql/plain_condition.h"

void
dw__row_query_deinit(dw_row_query *query)
{
    dw__scan_close(query->scan);
    dw__binding_deinit(&query->binding);
    dw__sql_text_deinit(&query->text);
}

dw_status
dw__row_query_bind(dw_execution *x, dw_str text, const char *scan_prefix, dw_row_query *out)
{
    *out = (dw_row_query){.scan = NULL};
    dw_bind_options options = dw__execution_bind_options(x);
    options.scan_prefix = scan_prefix;
    DW_TRY(dw__sql_text_init(&out->text, x->arena.allocator, text, x->err));
    dw_sql_range all = {0, out->text.count - 1};
    DW_TRY(dw__bind(&out->binding, &out->text, all, &x->arena, &options, x->err));
    DW_TRY(dw__binding_print(&out->binding, all, &out->sql, x->err));
    return dw__execution_sources(x, &out->binding, &out->sources);
}

dw_status
dw__row_query_open(dw_execution *x, dw_row_query *query)
{
    DW_TRY(dw__session_check_cancelled(x->session, x->err));
    DW_TRY(dw__scan_open(x->session->connection, x->session->database, query->sql, query->sources,
                         query->binding.references.count, &query->scan, x->err));
    /* What is read of the table itself the change says. */
    return dw__execution_note_read(x, query->sources, 1, query->binding.references.count,
                                   query->scan);
}

/* SELECT <places> FROM table AS alias WHERE (condition): a condition is one, whatever it says. */
static dw_status
bind_choice(dw_execution *x, dw_str table, dw_str condition, const char *scan_prefix,
            dw_row_query *out)
{
    *out = (dw_row_query){.scan = NULL};
    dw_str text = dw__arena_printf(
        &x->arena,
        "SELECT " DW_SCAN_FILE_COLUMN ", " DW_SCAN_ROW_COLUMN " FROM %.*s WHERE (%.*s\n)",
        DW_STR_ARG(table), DW_STR_ARG(condition.len == 0 ? DW_STR("true") : condition));
    if (dw__str_is_null(text)) {
        return dw__error_oom(x->err);
    }
    DW_TRY(dw__row_query_bind(x, text, scan_prefix, out));
    out->sources[0].with_positions = true;
    return DW_OK;
}

dw_status
dw__row_query_choose(dw_execution *x, dw_str table, dw_str condition, const char *scan_prefix,
                     dw_row_query *out)
{
    DW_TRY(bind_choice(x, table, condition, scan_prefix, out));
    return dw__row_query_open(x, out);
}

/* The change data of files that are written again has the rows of the others, too: those must be
 * read then. */
static bool
needs_all_rows(const dw_log_snapshot *snapshot)
{
    const dw_properties *properties = dw__log_snapshot_properties(snapshot);
    return properties->enable_change_data_feed && !properties->enable_deletion_vectors;
}

dw_status
dw__row_query_choose_deleted(dw_execution *x, dw_str table, dw_sql_range condition,
                             const char *scan_prefix, dw_row_query *out)
{
    dw_str text = dw__tokens_text(&x->sql, condition.first, condition.last);
    DW_TRY(bind_choice(x, table, text, scan_prefix, out));
    dw_log_snapshot *snapshot = out->sources[0].snapshot;
    out->sources[0].sets_whole_files_aside =
        !needs_all_rows(snapshot) &&
        dw__sql_is_plain_condition(&x->sql, condition, dw__log_snapshot_schema(snapshot),
                                   &x->arena);
    return dw__row_query_open(x, out);
}

void
dw__execution_set_rows_changed(dw_execution *x, const dw_row_change_result *done,
                               dw_change_report rows)
{
    rows.version = done->version;
    rows.files_added = done->files_added;
    rows.bytes_added = done->bytes_added;
    rows.files_removed = done->files_removed;
    rows.files_marked = done->files_marked;
    rows.files_rewritten = done->files_rewritten;
    dw__execution_set_change(x, &rows);
}
