/*
 * From the tokens of a query to text that the engine can run, with its scans open.
 */
#include "base/assert.h"
#include "sql/execution.h"

/* The part that can be planned: a SELECT; of other statements there may be none. */
static dw_status
plan_text(const dw_binding *binding, dw_sql_range range, dw_sql_range plan, dw_str text,
          dw_str *out, dw_error *err)
{
    bool is_same = plan.first == range.first && plan.last == range.last;
    *out = text;
    return is_same || dw__sql_range_is_empty(plan) ? DW_OK
                                                   : dw__binding_print(binding, plan, out, err);
}

dw_status
dw__open_query(dw_execution *x, const dw_binding *binding, dw_sql_range range, dw_sql_range plan,
               dw_open_query *out)
{
    *out = (dw_open_query){.reference_count = binding->references.count,
                           .was_edited = binding->edits.count > 0};
    DW_TRY(dw__binding_print(binding, range, &out->text, x->err));
    if (binding->references.count == 0) {
        return DW_OK;
    }
    dw_scan_source *sources;
    dw_str planned;
    DW_TRY(dw__execution_sources(x, binding, &sources));
    DW_TRY(plan_text(binding, range, plan, out->text, &planned, x->err));
    DW_TRY(dw__session_check_cancelled(x->session, x->err));
    return dw__scan_open(x->session->connection, x->session->database, planned, sources,
                         binding->references.count, &out->scan, x->err);
}

void
dw__open_query_close(dw_open_query *query)
{
    dw__scan_close(query->scan);
    query->scan = NULL;
}

/* ---- Errors ---------------------------------------------------------------------------------- */

/* The name in "table with name flights does not exist". */
static dw_str
missing_table(dw_str message)
{
    static const dw_str before = {"table with name ", sizeof "table with name " - 1};
    if (!dw__str_starts_with(message, before)) {
        return DW_STR_NULL;
    }
    dw_str rest = dw__str_slice(message, before.len, message.len);
    size_t end = dw__str_find(rest, ' ');
    bool is_name = end != SIZE_MAX && dw__str_starts_with(dw__str_slice(rest, end, rest.len),
                                                          DW_STR(" does not exist"));
    return is_name ? dw__str_slice(rest, 0, end) : DW_STR_NULL;
}

dw_status
dw__explain_engine_error(dw_execution *x, const dw_open_query *query, dw_status status)
{
    if (status == DW_OK) {
        return DW_OK;
    }
    status = dw__scan_explain_error(query->scan, x->err);
    if (status != DW_INVALID_ARGUMENT || !dw__error_has_code(x->err, "CATALOG_ERROR")) {
        return status;
    }
    dw_str missing = missing_table(dw__str_from(x->err->message));
    dw_sql_name name = {.part_count = 1};
    if (dw__str_is_null(missing) || !dw__arena_dup(&x->arena, missing, &name.parts[0])) {
        return status;
    }
    return dw__table_not_found(x, &name);
}
