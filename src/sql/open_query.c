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

/* A column _metadata of a table's own is a column like any other. */
static bool
has_own_metadata(const dw_scan_source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const dw_type *schema = dw__log_snapshot_schema(sources[i].snapshot);
        if (sources[i].with_metadata && dw__schema_find(schema, DW_STR("_metadata")) != NULL) {
            return true;
        }
    }
    return false;
}

static dw_status
print_again(const dw_binding *binding, dw_sql_range range, dw_sql_range plan, dw_str *text,
            dw_str *planned, dw_error *err)
{
    dw_binding other = *binding;
    other.shows_stars = true;
    DW_TRY(dw__binding_print(&other, range, text, err));
    return plan_text(&other, range, plan, *text, planned, err);
}

/* What begins a query in the query, or looks at what a name is. A query may be a column, which is
 * then called as it is written. */
static bool
is_in_the_way(dw_keyword keyword)
{
    static const dw_keyword some[] = {
        DW_KEYWORD_SELECT, DW_KEYWORD_FROM,         DW_KEYWORD_DESCRIBE,
        DW_KEYWORD_PIVOT,  DW_KEYWORD_PIVOT_LONGER, DW_KEYWORD_PIVOT_WIDER,
        DW_KEYWORD_SHOW,   DW_KEYWORD_SUMMARIZE,    DW_KEYWORD_UNPIVOT};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        if (keyword == some[i]) {
            return true;
        }
    }
    return false;
}

/* SELECT ... FROM tables, and nothing inside of it. The text of a session's views has the names of
 * scans in it already. */
static bool
can_inline(const dw_binding *binding, dw_sql_range range)
{
    const dw_token *tokens = binding->sql->items;
    bool can = tokens[range.first].keyword == DW_KEYWORD_SELECT;
    for (size_t i = 0; can && i < binding->edits.count; i++) {
        const dw_sql_edit *edit = &binding->edits.items[i];
        can = (edit->reference != SIZE_MAX || edit->is_star) && !edit->is_whole_query;
    }
    bool has_from = false;
    for (size_t i = range.first + 1; can && i < range.last; i++) {
        bool is_first_from = tokens[i].keyword == DW_KEYWORD_FROM && !has_from;
        has_from = has_from || is_first_from;
        can = is_first_from || !is_in_the_way(tokens[i].keyword);
    }
    return can;
}

/* The statement with its scans in the place of their names. */
static dw_status
print_inlined(dw_execution *x, const dw_binding *binding, dw_sql_range range, bool shows_stars,
              dw_open_query *query)
{
    dw_binding inlined = *binding;
    inlined.shows_stars = shows_stars;
    size_t count = binding->references.count;
    dw_sql_reference *references = DW_ARENA_ARRAY(&x->arena, dw_sql_reference, count);
    if (references == NULL) {
        return dw__error_oom(x->err);
    }
    for (size_t i = 0; i < count; i++) {
        references[i] = binding->references.items[i];
        references[i].scan_name = dw__scan_text(query->scan, i);
    }
    inlined.references.items = references;
    return dw__binding_print(&inlined, range, &query->text, x->err);
}

static dw_status
open_query(dw_execution *x, const dw_binding *binding, dw_sql_range range, dw_sql_range plan,
           bool is_inlined, dw_open_query *out)
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
    bool shows_stars = has_own_metadata(sources, binding->references.count);
    if (shows_stars) {
        DW_TRY(print_again(binding, range, plan, &out->text, &planned, x->err));
    }
    for (size_t i = 0; i < binding->references.count; i++) {
        sources[i].is_inlined = is_inlined;
    }
    if (is_inlined) {
        DW_TRY(dw__execution_keys(x, binding, range, &sources[0]));
    }
    DW_TRY(dw__session_check_cancelled(x->session, x->err));
    DW_TRY(dw__scan_open(x->session->connection, x->session->database, planned, sources,
                         binding->references.count, &out->scan, x->err));
    if (is_inlined) {
        DW_TRY(print_inlined(x, binding, range, shows_stars, out));
    }
    return dw__execution_note_read(x, sources, 0, binding->references.count, out->scan);
}

dw_status
dw__open_query(dw_execution *x, const dw_binding *binding, dw_sql_range range, dw_sql_range plan,
               dw_open_query *out)
{
    return open_query(x, binding, range, plan, false, out);
}

dw_status
dw__open_query_once(dw_execution *x, const dw_binding *binding, dw_sql_range range,
                    dw_sql_range plan, dw_open_query *out)
{
    return open_query(x, binding, range, plan, can_inline(binding, range), out);
}

void
dw__open_query_close(dw_open_query *query)
{
    dw__scan_close(query->scan);
    query->scan = NULL;
}

/* ---- Errors ---------------------------------------------------------------------------------- */

/* The name in: table with name flights does not exist; of several parts it stands in quotes. */
static dw_str
missing_table(dw_str message)
{
    static const dw_str before = {"table with name ", sizeof "table with name " - 1};
    static const dw_str after = {" does not exist", sizeof " does not exist" - 1};
    if (!dw__str_starts_with(message, before)) {
        return DW_STR_NULL;
    }
    dw_str name = dw__str_slice(message, before.len, message.len);
    size_t end = dw__str_find(name, ' ');
    if (end == SIZE_MAX || !dw__str_starts_with(dw__str_slice(name, end, name.len), after)) {
        return DW_STR_NULL;
    }
    name = dw__str_slice(name, 0, end);
    bool is_quoted = name.len > 2 && name.ptr[0] == '"' && name.ptr[name.len - 1] == '"';
    return is_quoted ? dw__str_slice(name, 1, name.len - 2) : name;
}

/* Cuts "sales.orders" into its parts. False when there are too many. */
static bool
split_name(dw_str text, dw_sql_name *out)
{
    *out = (dw_sql_name){0};
    for (;;) {
        size_t dot = dw__str_find(text, '.');
        if (out->part_count == DW_SQL_NAME_PARTS_MAX) {
            return false;
        }
        out->parts[out->part_count++] = dw__str_slice(text, 0, dot == SIZE_MAX ? text.len : dot);
        if (dot == SIZE_MAX) {
            return true;
        }
        text = dw__str_slice(text, dot + 1, text.len);
    }
}

/* The engine calls a scan of ours a list of values. */
static void
rename_values_list(dw_error *err)
{
    static const char before[] = "values list \"";
    static const char after[] = "table \"";
    if (strncmp(err->message, before, sizeof before - 1) == 0) {
        size_t shift = sizeof before - sizeof after;
        memcpy(err->message, after, sizeof after - 1);
        memmove(err->message + sizeof after - 1, err->message + sizeof before - 1,
                strlen(err->message) + 1 - shift - (sizeof after - 1));
    }
}

/* The struct _metadata lacks the ids of rows where they are not tracked. */
static bool
is_missing_row_id(const dw_execution *x)
{
    const dw_error *err = x->err;
    return dw__error_has_code(err, "BIND_ERROR") && dw__names_metadata(&x->sql, 0, x->sql.count) &&
           (strstr(err->message, "could not find key \"row_id\" in struct") != NULL ||
            strstr(err->message, "could not find key \"row_commit_version\" in struct") != NULL);
}

dw_status
dw__explain_engine_error(dw_execution *x, const dw_open_query *query, dw_status status)
{
    if (status == DW_OK) {
        return DW_OK;
    }
    dw_sql_name name;
    dw_str text;
    status = dw__scan_explain_error(query->scan, x->err);
    rename_values_list(x->err);
    if (is_missing_row_id(x)) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "ROW_TRACKING_OFF",
                             "expected a table with delta.enableRowTracking, whose rows have ids "
                             "in _metadata, found one without");
    }
    if (status != DW_INVALID_ARGUMENT || !dw__error_has_code(x->err, "CATALOG_ERROR")) {
        return status;
    }
    dw_str missing = missing_table(dw__str_from(x->err->message));
    if (dw__str_is_null(missing) || !dw__arena_dup(&x->arena, missing, &text) ||
        !split_name(text, &name)) {
        return status;
    }
    return dw__table_not_found(x, &name);
}
