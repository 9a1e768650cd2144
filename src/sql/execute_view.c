/*
 * Views over Delta tables. The session keeps their text and puts it where their name stands, so
 * that each use sees the newest versions; other views are the engine's.
 */
#include "sql/execution.h"

/* Runs nothing, but finds what is wrong with the query now rather than at its first use. */
static dw_status
check_query(dw_execution *x, const dw_binding *binding)
{
    const dw_view_statement *view = &x->statement.as.view;
    dw_open_query query;
    dw_query_column *columns;
    size_t count = 0;
    dw_status status = dw__open_query(x, binding, view->query, view->query, &query);
    if (status == DW_OK) {
        status = dw__connection_describe(x->session->connection, query.text, &x->arena, &columns,
                                         &count, x->err);
        status = dw__explain_engine_error(x, &query, status);
    }
    dw__open_query_close(&query);
    DW_TRY(status);
    if (view->column_count > count) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "COLUMN_COUNT_MISMATCH",
                             "expected at most %zu column names, as many as the query returns, "
                             "found %zu",
                             count, view->column_count);
    }
    return DW_OK;
}

static dw_status
keep_view(dw_execution *x, const dw_binding *binding)
{
    const dw_view_statement *view = &x->statement.as.view;
    if (view->name.is_path || view->name.part_count != 1) {
        dw_str name = dw__sql_name_print(&view->name, &x->arena);
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "VIEW_NAME_INVALID",
                             "expected one word as the name of a view over Delta tables, found "
                             "%.*s",
                             DW_STR_ARG(name));
    }
    DW_TRY(check_query(x, binding));
    dw_sql_view kept = {.name = view->name.parts[0],
                        .text = dw__tokens_text(&x->sql, view->query.first, view->query.last),
                        .columns = view->columns,
                        .column_count = view->column_count};
    return dw__session_view_put(x->session, &kept, x->err);
}

dw_status
dw__execute_create_view(dw_execution *x)
{
    const dw_view_statement *view = &x->statement.as.view;
    dw_str name = view->name.parts[0];
    bool exists = dw__session_view_find(x->session, name) != NULL;
    if (exists && view->if_not_exists) {
        return DW_OK;
    }
    if (exists && !view->or_replace) {
        return dw__error_set(x->err, DW_ALREADY_EXISTS, "VIEW_ALREADY_EXISTS",
                             "there is a view %.*s already: use CREATE OR REPLACE VIEW",
                             DW_STR_ARG(name));
    }
    DW_AUTO(dw_binding) binding = {0};
    dw_bind_options options = dw__execution_bind_options(x);
    DW_TRY(dw__bind(&binding, &x->sql, view->query, &x->arena, &options, x->err));
    if (binding.edits.count > 0) {
        return keep_view(x, &binding);
    }
    DW_TRY(dw__execute_engine(x, (dw_sql_range){0}));
    (void) dw__session_view_remove(x->session, name); /* replaced by the engine's */
    return DW_OK;
}

dw_status
dw__execute_drop_view(dw_execution *x)
{
    const dw_sql_name *name = &x->statement.as.view.name;
    if (name->part_count == 1 && dw__session_view_remove(x->session, name->parts[0])) {
        return DW_OK;
    }
    return dw__execute_engine(x, (dw_sql_range){0});
}
