/*
 * Sessions: running one statement after the other. [SESSION-1..3]
 */
#include "sql/session.h"

#include "base/assert.h"
#include "sql/audited.h"
#include "sql/lineage.h"

#include <inttypes.h>
#include <stdio.h>

#define PERMILLE 1000

dw_status
dw__session_open(dw_catalog *catalog, dw_session **out, dw_error *err)
{
    *out = NULL;
    const dw_env *env = dw__catalog_env(catalog);
    dw_session *session = DW_NEW(env->allocator, dw_session);
    if (session == NULL) {
        return dw__error_oom(err);
    }
    session->catalog = catalog;
    session->env = env;
    session->database = dw__catalog_database(catalog);
    session->token = (uint32_t) dw__env_random_u64(env);
    atomic_init(&session->progress_permille, -1);
    dw_status status = dw__connection_open(session->database, &session->connection, err);
    if (status != DW_OK) {
        DW_DELETE(env->allocator, session);
        return status;
    }
    dw__connection_count_progress(session->connection);
    *out = session;
    return DW_OK;
}

void
dw__session_close(dw_session *session)
{
    if (session == NULL) {
        return;
    }
    dw_assert(!session->is_reading); /* the rows must be released first */
    dw__transaction_rollback(session->transaction);
    dw__session_views_deinit(session);
    dw__connection_close(session->connection);
    DW_DELETE(session->env->allocator, session);
}

void
dw__session_cancel(dw_session *session)
{
    atomic_store(&session->is_cancelled, true);
    dw__connection_interrupt(session->connection);
}

bool
dw__session_in_transaction(const dw_session *session)
{
    return session->transaction != NULL;
}

double
dw__session_progress(dw_session *session)
{
    int own = atomic_load(&session->progress_permille);
    return own >= 0 ? own / (double) PERMILLE : dw__connection_progress(session->connection);
}

bool
dw__session_is_cancelled(void *ctx)
{
    const dw_session *session = ctx;
    return atomic_load(&session->is_cancelled);
}

void
dw__session_set_progress(void *ctx, double share)
{
    dw_session *session = ctx;
    atomic_store(&session->progress_permille, (int) (share * PERMILLE));
}

dw_status
dw__session_check_cancelled(const dw_session *session, dw_error *err)
{
    if (!atomic_load(&session->is_cancelled)) {
        return DW_OK;
    }
    return dw__error_set(err, DW_CANCELLED, "CANCELLED", "the statement was cancelled");
}

static dw_status
begin_statement(dw_session *session, dw_error *err)
{
    if (session->is_reading) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "RESULT_OPEN",
                             "the rows of the statement before are still open: release them first");
    }
    atomic_store(&session->is_cancelled, false);
    atomic_store(&session->progress_permille, -1);
    return DW_OK;
}

/* ---- One statement --------------------------------------------------------------------------- */

static dw_status
run(dw_execution *x)
{
    switch (x->statement.kind) {
    case DW_STATEMENT_EMPTY:
        return DW_OK;
    case DW_STATEMENT_QUERY:
        return dw__execute_query(x);
    case DW_STATEMENT_EXPLAIN:
        return dw__execute_explain(x);
    case DW_STATEMENT_CREATE_TABLE:
        return dw__execute_create_table(x);
    case DW_STATEMENT_INSERT:
        return dw__execute_insert(x);
    case DW_STATEMENT_COPY_INTO:
        return dw__execute_copy_into(x);
    case DW_STATEMENT_DESCRIBE:
        return dw__execute_describe(x);
    case DW_STATEMENT_SHOW_TABLES:
        return dw__execute_show_tables(x);
    case DW_STATEMENT_SHOW_LINEAGE:
        return dw__execute_lineage(x);
    case DW_STATEMENT_CHECKPOINT:
        return dw__execute_checkpoint(x);
    case DW_STATEMENT_COMPACT_LOG:
        return dw__execute_compact_log(x);
    case DW_STATEMENT_ALTER:
        return dw__execute_alter(x);
    case DW_STATEMENT_FSCK:
        return dw__execute_fsck(x);
    case DW_STATEMENT_VACUUM:
        return dw__execute_vacuum(x);
    case DW_STATEMENT_OPTIMIZE:
        return dw__execute_optimize(x);
    case DW_STATEMENT_CREATE_VIEW:
        return dw__execute_create_view(x);
    case DW_STATEMENT_DROP_VIEW:
        return dw__execute_drop_view(x);
    case DW_STATEMENT_SETTING:
        return dw__execute_setting(x);
    case DW_STATEMENT_MODIFY:
        return dw__execute_modify(x);
    case DW_STATEMENT_TRANSACTION:
        return dw__execute_transaction(x);
    case DW_STATEMENT_GENERATE:
        return dw__execute_generate(x);
    case DW_STATEMENT_REPAIR:
        return dw__execute_repair(x);
    case DW_STATEMENT_CONVERT:
        return dw__execute_convert(x);
    case DW_STATEMENT_ANALYZE:
        return dw__execute_analyze(x);
    case DW_STATEMENT_BLOOM:
        return dw__execute_bloom(x);
    case DW_STATEMENT_CHECK:
        return dw__execute_check(x);
    case DW_STATEMENT_MIGRATE:
        return dw__execute_migrate(x);
    case DW_STATEMENT_RESTORE:
        return dw__execute_restore(x);
    case DW_STATEMENT_ENGINE:
        return dw__execute_engine(x, x->statement.as.engine.query);
    }
    dw_unreachable("statement kind");
}

static dw_status
parse(dw_execution *x, dw_str text)
{
    DW_TRY(dw__sql_text_init(&x->sql, x->session->env->allocator, text, x->err));
    return dw__parse_statement(&x->sql, &x->arena, &x->statement, x->err);
}

dw_status
dw__execution_rerun(dw_execution *x, dw_str text)
{
    dw__sql_text_deinit(&x->sql);
    DW_TRY(parse(x, text));
    return run(x);
}

static dw_status
parse_and_run(dw_execution *x, dw_str text)
{
    DW_TRY(parse(x, text));
    if (x->statement.kind == DW_STATEMENT_EMPTY) {
        return DW_OK;
    }
    DW_TRY(dw__execution_enter_transaction(x));
    DW_TRY(dw__result_new(x->session, &x->result, x->err));
    DW_TRY(dw__audited_begin(x));
    dw_status status = dw__audited_end(x, run(x));
    if (status == DW_OK) {
        dw__execution_auto_compact(x);
    }
    return status;
}

static void
execution_deinit(dw_execution *x)
{
    for (size_t i = 0; i < x->seen.count; i++) {
        dw__log_snapshot_unref(x->seen.items[i].snapshot);
        dw__table_unref(x->seen.items[i].table);
    }
    DW_VEC_DEINIT(x->session->env->allocator, &x->seen);
    for (size_t i = 0; i < x->changes.count; i++) {
        dw__log_changes_unref(x->changes.items[i]);
    }
    DW_VEC_DEINIT(x->session->env->allocator, &x->changes);
    dw__audited_deinit(x);
    dw__sql_text_deinit(&x->sql);
    dw__arena_deinit(&x->arena);
}

/* Memory may have run out when only the answer was missing. */
static void
say_if_committed(const dw_execution *x)
{
    if (x->committed >= 0) {
        dw__error_context(x->err, "version %" PRId64 " was committed, but its answer got lost",
                          x->committed);
    }
}

static dw_status
execute_text(dw_session *session, dw_str text, dw_result **out, dw_error *err)
{
    dw_error ignored = DW_ERROR_INIT;
    dw_execution x = {
        .session = session, .err = err != NULL ? err : &ignored, .text = text, .committed = -1};
    dw__arena_init(&x.arena, session->env->allocator);
    /* The same for each statement: the planner's stubs of the last one may serve the next. */
    (void) snprintf(x.scan_prefix, sizeof x.scan_prefix, "dw_scan_%" PRIx32, session->token);
    dw_status status = parse_and_run(&x, text);
    atomic_store(&session->progress_permille, -1);
    if (status != DW_OK) {
        say_if_committed(&x);
    }
    dw__execution_tell_end(&x, status,
                           x.result != NULL && x.result->has_change ? &x.result->change : NULL);
    if (status != DW_OK) {
        dw__result_free(x.result);
        x.result = NULL;
    }
    *out = x.result;
    execution_deinit(&x);
    return status;
}

dw_status
dw__session_run_part(dw_session *session, dw_str text, dw_result **out, dw_error *err)
{
    *out = NULL;
    DW_TRY(dw__session_check_cancelled(session, err));
    return execute_text(session, text, out, err);
}

dw_status
dw__session_execute(dw_session *session, dw_str sql, size_t *used_out, dw_result **out,
                    dw_error *err)
{
    *out = NULL;
    *used_out = 0;
    DW_TRY(begin_statement(session, err));
    size_t len = dw__sql_statement_length(sql);
    *used_out = len > 0 ? len : sql.len; /* the last one may lack its semicolon */
    return execute_text(session, dw__str_slice(sql, 0, len > 0 ? len - 1 : sql.len), out, err);
}

/* As a statement by itself. */
static dw_status
load(dw_session *session, dw_table *table, dw_load_spec *spec, dw_load_result *out, dw_error *err)
{
    dw_error ignored = DW_ERROR_INIT;
    dw_execution x = {.session = session, .err = err != NULL ? err : &ignored, .committed = -1};
    x.statement.verb = "LOAD";
    dw__arena_init(&x.arena, session->env->allocator);
    dw_status status = dw__execution_limits(&x, table, &spec->limits);
    if (status == DW_OK) {
        status = dw__table_load(table, session->connection, spec, out, x.err);
    }
    dw_change_report change = DW_CHANGE_REPORT_INIT;
    change.rows_inserted = out->write.rows_added;
    change.files_added = out->write.files_added;
    change.bytes_added = out->write.bytes_added;
    x.committed = status == DW_OK && session->transaction == NULL ? out->write.version : -1;
    dw__execution_tell_end(&x, status, &change);
    dw__arena_deinit(&x.arena);
    return status;
}

dw_status
dw__session_load(dw_session *session, dw_str uri, const dw_load_spec *spec, dw_load_result *out,
                 dw_error *err)
{
    *out = (dw_load_result){.write.version = -1};
    DW_TRY(begin_statement(session, err));
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__catalog_table_at(session->catalog, uri, &table, err));
    dw_load_spec within = *spec;
    within.transaction = session->transaction;
    if (session->settings.merges_schema && within.columns_become == DW_COLUMNS_STAY) {
        within.columns_become = DW_COLUMNS_MERGED;
    }
    dw_error own = DW_ERROR_INIT;
    err = err != NULL ? err : &own;
    char name[DW_AUDITED_SESSION_SIZE];
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(session->env->allocator, DW_SQL_STATEMENT_BYTES_MAX);
    dw_told told = dw__audited_load(session, spec, &text, name);
    DW_TRY(dw__strbuf_ok(&text, "the names of the files", err));
    DW_TRY(dw__table_tell_begin(table, &told, err));
    dw_status status = load(session, table, &within, out, err);
    dw__table_tell_end(table, &told, &out->write, status, err);
    if (status == DW_OK && session->transaction == NULL && out->write.version >= 0) {
        dw__session_auto_compact(session, table);
    }
    if (status != DW_OK) {
        dw__error_context(err, "loading into %.*s", DW_STR_ARG(dw__table_root(table)));
    }
    return status;
}

dw_status
dw__session_fsck(dw_session *session, dw_str uri, bool with_data, struct ArrowArrayStream *out,
                 dw_fsck_counts *counts_out, dw_error *err)
{
    *counts_out = (dw_fsck_counts){0};
    DW_TRY(begin_statement(session, err));
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_TRY(dw__catalog_table_at(session->catalog, uri, &table, err));
    return dw__session_fsck_table(session, table, with_data, out, counts_out, err);
}
