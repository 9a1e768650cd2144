/*
 * DELETE FROM and TRUNCATE TABLE: the condition becomes a query for the places of the rows.
 */
#include "sql/execution.h"
#include "table/delete.h"

#include <inttypes.h>

#define DW_MESSAGE_BYTES_MAX ((size_t) 65536)

/* The parts of DELETE FROM table [AS alias] [WHERE condition], as tokens. */
typedef struct delete_parts {
    dw_sql_range from;      /* FROM table AS alias */
    dw_sql_range condition; /* empty: none */
} delete_parts;

/* ---- Reading the statement ------------------------------------------------------------------- */

static dw_status
parse_parts(dw_execution *x, delete_parts *out)
{
    size_t end = x->sql.count - 1;
    size_t from = x->sql.items[0].keyword == DW_KEYWORD_DELETE ? 1 : 0;
    dw_parser parser = dw__parser_make(&x->sql, &x->arena, x->err);
    parser.pos = x->statement.as.modify.name_end;
    bool has_as = dw__parser_accept(&parser, DW_KEYWORD_AS);
    bool has_alias = dw__parser_is_name(&parser) && !dw__parser_is(&parser, DW_KEYWORD_WHERE) &&
                     !dw__parser_is(&parser, DW_KEYWORD_USING);
    if (has_as || has_alias) {
        dw_str alias;
        DW_TRY(dw__parser_name(&parser, "an alias", &alias));
    }
    *out = (delete_parts){.from = {from, parser.pos}, .condition = {end, end}};
    if (dw__parser_at_end(&parser)) {
        return DW_OK;
    }
    if (!dw__parser_accept(&parser, DW_KEYWORD_WHERE)) {
        return dw__parser_fail(&parser, "WHERE or the end of the statement");
    }
    if (dw__parser_at_end(&parser)) {
        return dw__parser_fail(&parser, "a condition");
    }
    out->condition = (dw_sql_range){parser.pos, end};
    return DW_OK;
}

/* SELECT <places> FROM table AS alias WHERE (condition): a condition is one, whatever it says. */
static dw_status
print_query(dw_execution *x, const dw_binding *binding, const delete_parts *parts, dw_str *out)
{
    dw_str from;
    dw_str condition;
    DW_TRY(dw__binding_print(binding, parts->from, &from, x->err));
    DW_TRY(dw__binding_print(binding, parts->condition, &condition, x->err));
    *out = dw__arena_printf(
        &x->arena, "SELECT " DW_SCAN_FILE_COLUMN ", " DW_SCAN_ROW_COLUMN " %.*s WHERE (%.*s\n)",
        DW_STR_ARG(from), DW_STR_ARG(condition));
    return dw__str_is_null(*out) ? dw__error_oom(x->err) : DW_OK;
}

/* ---- Running it ------------------------------------------------------------------------------ */

static dw_status
delete_chosen(dw_execution *x, dw_table *table, const dw_binding *binding, dw_delete_spec *spec,
              dw_delete_result *out)
{
    dw_scan_source *sources;
    dw_scan *scan;
    DW_TRY(dw__execution_sources(x, binding, &sources));
    sources[0].with_positions = true;
    spec->snapshot = sources[0].snapshot;
    DW_TRY(dw__session_check_cancelled(x->session, x->err));
    DW_TRY(dw__scan_open(x->session->connection, x->session->database, spec->query, sources,
                         binding->references.count, &scan, x->err));
    spec->scan = scan;
    dw_status status = dw__table_delete(table, x->session->connection, spec, out, x->err);
    dw_open_query query = {.text = spec->query, .scan = scan};
    status = dw__explain_engine_error(x, &query, status);
    dw__open_query_close(&query);
    return status;
}

static dw_status
delete_where(dw_execution *x, dw_table *table, const delete_parts *parts, dw_delete_result *out)
{
    DW_AUTO(dw_binding) binding = {0};
    dw_bind_options options = dw__execution_bind_options(x);
    dw_sql_range all = {parts->from.first, parts->condition.last};
    DW_TRY(dw__bind(&binding, &x->sql, all, &x->arena, &options, x->err));
    dw_delete_spec spec = {
        .name_prefix = dw__str_from(x->scan_prefix),
        .predicate = dw__tokens_text(&x->sql, parts->condition.first, parts->condition.last)};
    DW_TRY(print_query(x, &binding, parts, &spec.query));
    return delete_chosen(x, table, &binding, &spec, out);
}

static dw_status
delete_all(dw_execution *x, dw_table *table, dw_delete_result *out)
{
    dw_sql_travel newest = {.kind = DW_TRAVEL_NONE};
    dw_delete_spec spec = {.name_prefix = dw__str_from(x->scan_prefix)};
    DW_TRY(dw__execution_snapshot(x, table, &newest, &spec.snapshot));
    return dw__table_delete(table, x->session->connection, &spec, out, x->err);
}

static void
put_files(dw_strbuf *text, int64_t count, const char *what, bool *is_first)
{
    if (count == 0) {
        return;
    }
    dw__strbuf_append(text, *is_first ? DW_STR(" (") : DW_STR(", "));
    dw__put_counted(text, count, "file");
    dw__strbuf_printf(text, " %s", what);
    *is_first = false;
}

static dw_status
set_delete_message(dw_execution *x, const dw_delete_result *done)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_MESSAGE_BYTES_MAX);
    if (done->version < 0) {
        dw__strbuf_append_literal(&text, "no rows to delete: nothing was committed");
    } else {
        bool is_first = true;
        dw__strbuf_append_literal(&text, "deleted ");
        if (done->rows_deleted < 0) {
            dw__strbuf_append_literal(&text, "all rows");
        } else {
            dw__put_counted(&text, done->rows_deleted, "row");
        }
        put_files(&text, done->files_removed, "removed", &is_first);
        put_files(&text, done->files_marked, "marked", &is_first);
        put_files(&text, done->files_rewritten, "rewritten", &is_first);
        dw__strbuf_append(&text, is_first ? DW_STR("") : DW_STR(")"));
        dw__strbuf_printf(&text, " as version %" PRId64, done->version);
    }
    dw__execution_set_message(x, &text, done->rows_deleted);
    return dw__strbuf_ok(&text, "the message", x->err);
}

dw_status
dw__execute_delete(dw_execution *x, dw_table *table)
{
    delete_parts parts;
    dw_delete_result done;
    DW_TRY(parse_parts(x, &parts));
    bool has_condition = !dw__sql_range_is_empty(parts.condition);
    dw_status status =
        has_condition ? delete_where(x, table, &parts, &done) : delete_all(x, table, &done);
    if (status != DW_OK) {
        dw_str name = dw__sql_name_print(&x->statement.as.modify.name, &x->arena);
        dw__error_context(x->err, "%s %.*s",
                          has_condition || parts.from.first == 1 ? "DELETE FROM" : "TRUNCATE",
                          DW_STR_ARG(name));
        return status;
    }
    return set_delete_message(x, &done);
}
