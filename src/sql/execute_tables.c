/*
 * SHOW TABLES, and what is said about a table that is not there.
 */
#include "codec/rows.h"
#include "sql/execution.h"
#include "sql/table_list.h"

/* How often storage is asked for what there is, and for the sake of a message. */
#define DW_SHOW_TABLES_LOOKS_MAX ((size_t) 1000000)
#define DW_MESSAGE_LOOKS_MAX ((size_t) 1000)
/* How many tables a message names. */
#define DW_MESSAGE_TABLES_MAX ((size_t) 8)
#define DW_MESSAGE_BYTES_MAX ((size_t) 65536)

/* ---- SHOW TABLES ----------------------------------------------------------------------------- */

/* Tables and views that the engine was told to make. */
static dw_status
put_engine_tables(dw_execution *x, dw_rows *rows)
{
    const dw_str sql =
        DW_STR("SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal UNION ALL "
               "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL");
    dw_text_rows names;
    if (!x->session->may_have_engine_objects) {
        return DW_OK;
    }
    DW_TRY(dw__connection_query_text(x->session->connection, sql, &x->arena, &names, x->err));
    for (size_t i = 0; i < names.row_count; i++) {
        dw__rows_put_str(rows, names.cells[i * names.column_count]);
        dw__rows_put_str(rows, names.cells[i * names.column_count + 1]);
        dw__rows_put_bool(rows, true);
    }
    return DW_OK;
}

static void
put_table(dw_rows *rows, dw_str name)
{
    size_t dot = dw__str_find(name, '.');
    bool has_schema = dot != SIZE_MAX;
    dw__rows_put_str(rows, has_schema ? dw__str_slice(name, 0, dot) : DW_STR(""));
    dw__rows_put_str(rows, has_schema ? dw__str_slice(name, dot + 1, name.len) : name);
    dw__rows_put_bool(rows, false);
}

static dw_status
put_tables(dw_execution *x, const dw_table_list *list)
{
    static const dw_rows_column columns[] = {{"database", DW_ROWS_STR, 0, 0},
                                             {"tableName", DW_ROWS_STR, 0, 0},
                                             {"isTemporary", DW_ROWS_BOOL, 0, 0}};
    dw_rows *rows;
    struct ArrowArrayStream stream;
    DW_TRY(dw__rows_new(x->session->env->allocator, columns, 3, &rows, x->err));
    for (size_t i = 0; i < list->names.count; i++) {
        put_table(rows, list->names.items[i]);
    }
    for (size_t i = 0; i < x->session->views.count; i++) {
        dw__rows_put_str(rows, DW_STR(""));
        dw__rows_put_str(rows, x->session->views.items[i]->view.name);
        dw__rows_put_bool(rows, true);
    }
    dw_status status = put_engine_tables(x, rows);
    if (status != DW_OK) {
        dw__rows_free(rows);
        return status;
    }
    DW_TRY(dw__rows_stream(rows, &stream, x->err));
    dw__execution_set_rows(x, &stream);
    return DW_OK;
}

dw_status
dw__execute_show_tables(dw_execution *x)
{
    dw_table_list list;
    dw_status status =
        dw__table_list(x->session->catalog, DW_SHOW_TABLES_LOOKS_MAX, &x->arena, &list, x->err);
    if (status == DW_OK) {
        status = put_tables(x, &list);
    }
    dw__table_list_deinit(&list, &x->arena);
    return status;
}

/* ---- Not found ------------------------------------------------------------------------------- */

static void
put_known(dw_strbuf *out, const dw_table_list *list, dw_str wanted)
{
    dw_str nearest = dw__table_list_nearest(list, wanted);
    if (!dw__str_is_null(nearest)) {
        dw__strbuf_printf(out, "; did you mean %.*s", DW_STR_ARG(nearest));
        return;
    }
    if (list->names.count == 0) {
        dw__strbuf_append_literal(out, "; there are no tables");
        return;
    }
    for (size_t i = 0; i < list->names.count && i < DW_MESSAGE_TABLES_MAX; i++) {
        dw__strbuf_printf(out, "%s%.*s", i == 0 ? "; there are " : ", ",
                          DW_STR_ARG(list->names.items[i]));
    }
    dw__strbuf_append(out,
                      list->names.count > DW_MESSAGE_TABLES_MAX ? DW_STR(" and more") : DW_STR(""));
}

/* Where the table would have to be; nothing for names that no directory can have. */
static void
put_expected(dw_execution *x, dw_strbuf *out, const dw_sql_name *name)
{
    dw_str root;
    dw_error ignored = DW_ERROR_INIT;
    dw_status status = dw__catalog_resolve(x->session->catalog, name->parts, name->part_count,
                                           &x->arena, &root, &ignored);
    if (status == DW_OK) {
        dw__strbuf_printf(out, ": expected one at %.*s", DW_STR_ARG(root));
    }
}

dw_status
dw__table_not_found(dw_execution *x, const dw_sql_name *name)
{
    dw_table_list list;
    dw_error ignored = DW_ERROR_INIT;
    dw_str text = dw__sql_name_print(name, &x->arena);
    DW_AUTO(dw_strbuf) rest = dw__strbuf_make(x->arena.allocator, DW_MESSAGE_BYTES_MAX);
    dw_status status =
        dw__table_list(x->session->catalog, DW_MESSAGE_LOOKS_MAX, &x->arena, &list, &ignored);
    put_expected(x, &rest, name);
    if (status == DW_OK) {
        put_known(&rest, &list, text);
    }
    dw__table_list_deinit(&list, &x->arena);
    return dw__error_set(x->err, DW_NOT_FOUND, "TABLE_NOT_FOUND", "no table named %.*s%s",
                         DW_STR_ARG(text), dw__strbuf_cstr(&rest));
}
