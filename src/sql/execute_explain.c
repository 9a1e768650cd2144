/*
 * EXPLAIN of a query: for each table what is read of it and why so little, then the engine's plan.
 */
#include "sql/explain.h"

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
    dw__explain_put_answered(x, &binding->references.items[0].name, sources[0].snapshot, &text);
    return dw__explain_set(x, &text);
}

static dw_status
explain(dw_execution *x, const dw_binding *binding, dw_open_query *query)
{
    dw_sql_range range = x->statement.as.explain.query;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_EXPLAIN_BYTES_MAX);
    DW_TRY(dw__open_query(x, binding, range, range, query));
    if (query->scan != NULL) {
        DW_TRY(dw__explain_put_scans(x, binding, query->scan, &text));
    }
    DW_TRY(dw__explain_put_plan(x, query->text, x->statement.as.explain.analyze, &text));
    return dw__explain_set(x, &text);
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
