/*
 * Queries, and statements that are the engine's.
 */
#include "base/assert.h"
#include "sql/execution.h"
#include "table/row_stream.h"

void
dw__execution_set_rows(dw_execution *x, struct ArrowArrayStream *rows)
{
    dw_assert(x->result->stream.release == NULL);
    x->result->stream = *rows;
    x->result->has_rows = true;
    memset(rows, 0, sizeof *rows);
}

void
dw__execution_set_message(dw_execution *x, const dw_strbuf *message, int64_t row_count)
{
    dw_str text = dw__str_slice(dw__strbuf_str(message), 0, DW_RESULT_MESSAGE_SIZE - 1);
    memcpy(x->result->message, text.ptr, text.len);
    x->result->message[text.len] = '\0';
    x->result->row_count = row_count;
}

void
dw__execution_set_change(dw_execution *x, const dw_change_report *change)
{
    x->result->change = *change;
    if (x->session->transaction != NULL) {
        x->result->change.version = -1; /* it is not committed yet */
    }
    x->result->has_change = true;
    dw__execution_note_commit(x, x->result->change.version);
}

void
dw__execution_note_commit(dw_execution *x, int64_t version)
{
    x->committed = version;
}

static bool
is_session_cancelled(const void *ctx)
{
    const dw_session *session = ctx;
    return atomic_load(&session->is_cancelled);
}

static void
end_reading(void *ctx)
{
    dw_session *session = ctx;
    session->is_reading = false;
}

/* Runs the text; its rows, if it has any, keep the session busy and the scan open until they are
 * released. */
static dw_status
run(dw_execution *x, dw_open_query *query)
{
    struct ArrowArrayStream rows;
    bool is_query;
    int64_t changed;
    dw_session *session = x->session;
    DW_TRY(dw__session_check_cancelled(session, x->err));
    DW_TRY(
        dw__connection_query(session->connection, query->text, &rows, &is_query, &changed, x->err));
    if (!is_query) {
        rows.release(&rows);
        x->result->row_count = changed;
        return DW_OK;
    }
    dw_scan *scan = query->scan;
    query->scan = NULL;
    struct ArrowArrayStream guarded;
    dw_row_stream_owner owner = {session, is_session_cancelled, end_reading};
    DW_TRY(dw__row_stream_open(session->env->allocator, &rows, scan, &owner, &guarded, x->err));
    session->is_reading = true;
    dw__execution_set_rows(x, &guarded);
    return DW_OK;
}

dw_status
dw__execution_set_query(dw_execution *x, dw_str sql)
{
    dw_open_query query = {.text = sql};
    return run(x, &query);
}

/* In its turn, until there are rows: what is left to do then is up to who reads them. */
static dw_status
open_and_run(dw_execution *x, const dw_binding *binding, dw_sql_range plan)
{
    dw_open_query query;
    dw_turn turn;
    dw_turns *turns = dw__database_turns(x->session->database);
    dw__turn_take(turns, &turn);
    dw_status status = dw__open_query_once(x, binding, dw__execution_range(x), plan, &query);
    if (status == DW_OK) {
        status = run(x, &query);
    }
    status = dw__explain_engine_error(x, &query, status);
    dw__open_query_close(&query);
    dw__turn_end(turns, &turn);
    return status;
}

dw_status
dw__execute_query(dw_execution *x)
{
    bool answered;
    struct ArrowArrayStream rows;
    DW_AUTO(dw_binding) binding = {0};
    dw_bind_options options = dw__execution_bind_options(x);
    dw_sql_range range = x->statement.as.query.query;
    DW_TRY(dw__bind(&binding, &x->sql, range, &x->arena, &options, x->err));
    DW_TRY(dw__answer_from_metadata(x, &binding, range, &rows, &answered));
    if (!answered) {
        return open_and_run(x, &binding, range);
    }
    dw__execution_set_rows(x, &rows);
    return DW_OK;
}

/* ---- The engine's statements ----------------------------------------------------------------- */

static bool
makes_objects(const dw_execution *x)
{
    switch (x->sql.items[0].keyword) {
    case DW_KEYWORD_CREATE:
    case DW_KEYWORD_ATTACH:
    case DW_KEYWORD_IMPORT:
    case DW_KEYWORD_LOAD:
    case DW_KEYWORD_CALL:
    case DW_KEYWORD_EXECUTE:
        return true;
    default:
        return false;
    }
}

/* Also of the planner's stubs: see dw__connection_plan_with. */
static bool
may_change_settings(const dw_execution *x)
{
    switch (x->sql.items[0].keyword) {
    case DW_KEYWORD_SET:
    case DW_KEYWORD_RESET:
    case DW_KEYWORD_PRAGMA:
        return true;
    default:
        return makes_objects(x);
    }
}

/* What the engine would keep beyond the statement cannot hold a scan of ours. */
static dw_status
check_not_kept(dw_execution *x, const dw_binding *binding)
{
    uint16_t first = x->sql.items[0].keyword;
    bool is_kept = first == DW_KEYWORD_PREPARE;
    for (size_t i = 1; first == DW_KEYWORD_CREATE && i < 5 && i < x->sql.count; i++) {
        uint16_t word = x->sql.items[i].keyword;
        is_kept = is_kept || word == DW_KEYWORD_MACRO || word == DW_KEYWORD_FUNCTION;
    }
    if (!is_kept || binding->edits.count == 0) {
        return DW_OK;
    }
    return dw__error_set(x->err, DW_UNSUPPORTED, "STATEMENT_UNSUPPORTED",
                         "macros and prepared statements cannot read Delta tables: use a view");
}

static dw_status
execute_on_engine(dw_execution *x, dw_sql_range plan, const dw_bind_options *options)
{
    DW_AUTO(dw_binding) binding = {0};
    DW_TRY(dw__bind(&binding, &x->sql, dw__execution_range(x), &x->arena, options, x->err));
    DW_TRY(check_not_kept(x, &binding));
    x->session->may_have_engine_objects = x->session->may_have_engine_objects || makes_objects(x);
    dw_status status = open_and_run(x, &binding, plan);
    if (may_change_settings(x)) {
        dw__database_note_settings(x->session->database);
    }
    return status;
}

/* COPY table TO 'file' of a table that is not the engine's: as COPY (SELECT ...) TO 'file'. */
static dw_status
copy_as_query(dw_execution *x)
{
    const dw_engine_statement *copy = &x->statement.as.engine;
    dw_str table = dw__tokens_text(&x->sql, copy->copy_table.first, copy->copy_table.last);
    dw_str columns = dw__tokens_text(&x->sql, copy->copy_columns.first, copy->copy_columns.last);
    dw_str rest = dw__tokens_text(&x->sql, copy->copy_rest.first, copy->copy_rest.last);
    if (copy->copies_from) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "STATEMENT_UNSUPPORTED",
                             "COPY ... FROM does not load Delta tables: use COPY INTO %.*s FROM "
                             "'path' FILEFORMAT = PARQUET, CSV or JSON",
                             DW_STR_ARG(table));
    }
    dw_str text = dw__arena_printf(&x->arena, "COPY (SELECT %.*s FROM %.*s) %.*s",
                                   DW_STR_ARG(columns.len > 0 ? columns : DW_STR("*")),
                                   DW_STR_ARG(table), DW_STR_ARG(rest));
    return dw__str_is_null(text) ? dw__error_oom(x->err) : dw__execution_rerun(x, text);
}

static dw_status
is_copy_of_ours(dw_execution *x, bool *out)
{
    const dw_engine_statement *engine = &x->statement.as.engine;
    dw_target_kind kind = DW_TARGET_NONE;
    DW_AUTO(dw_table_ptr) table = NULL;
    if (x->statement.kind == DW_STATEMENT_ENGINE && engine->copy) {
        DW_TRY(dw__execution_target(x, &engine->copy_name, &kind, &table));
    }
    *out = kind == DW_TARGET_DELTA || kind == DW_TARGET_VIEW;
    return DW_OK;
}

dw_status
dw__execute_engine(dw_execution *x, dw_sql_range plan)
{
    bool is_copy;
    DW_TRY(is_copy_of_ours(x, &is_copy));
    if (is_copy) {
        return copy_as_query(x);
    }
    dw_bind_options options = dw__execution_bind_options(x);
    return execute_on_engine(x, plan, &options);
}

/* ---- Statements that change tables ------------------------------------------------ */

static dw_status
refuse_modify(dw_execution *x, dw_table *table)
{
    const dw_modify_statement *modify = &x->statement.as.modify;
    bool is_drop = x->sql.items[0].keyword == DW_KEYWORD_DROP;
    if (is_drop && table != NULL) {
        return dw__error_set(x->err, DW_UNSUPPORTED, "STATEMENT_UNSUPPORTED",
                             "DROP TABLE is not supported: to delete the table with its history, "
                             "remove the directory %.*s",
                             DW_STR_ARG(dw__table_root(table)));
    }
    return dw__error_set(x->err, DW_UNSUPPORTED, "STATEMENT_UNSUPPORTED",
                         "%s is not supported for Delta tables%s", modify->verb, modify->advice);
}

static dw_status
modify_table(dw_execution *x, dw_table *table)
{
    static const char *const changes[] = {"DELETE", "TRUNCATE", "UPDATE"};
    const dw_modify_statement *modify = &x->statement.as.modify;
    if (modify->analyzes) {
        return dw__error_set(x->err, DW_UNSUPPORTED, "STATEMENT_UNSUPPORTED",
                             "EXPLAIN ANALYZE runs what it explains, and %s would change the "
                             "table: use EXPLAIN, which only tells what it would read",
                             modify->verb);
    }
    if (strcmp(modify->verb, "MERGE INTO") == 0) {
        return dw__execute_merge(x, table);
    }
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        if (strcmp(modify->verb, changes[i]) == 0) {
            return dw__execute_change(x, table);
        }
    }
    return refuse_modify(x, table);
}

dw_status
dw__execute_modify(dw_execution *x)
{
    const dw_modify_statement *modify = &x->statement.as.modify;
    if (!modify->has_name) {
        return refuse_modify(x, NULL);
    }
    dw_target_kind kind;
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__execution_target(x, &modify->name, &kind, &table));
    if (kind == DW_TARGET_DELTA) {
        return modify_table(x, table);
    }
    if (kind == DW_TARGET_NONE && x->sql.items[0].keyword != DW_KEYWORD_DROP) {
        return dw__table_not_found(x, &modify->name);
    }
    dw_bind_options options = dw__execution_bind_options(x);
    options.from_is_clause = modify->has_from;
    options.using_is_clause = modify->has_using;
    return execute_on_engine(x, (dw_sql_range){0}, &options);
}
