/*
 * BEGIN, COMMIT, ROLLBACK and SET TRANSACTION, and what other statements ask of the transaction
 * that they are in.
 */
#include "base/assert.h"
#include "sql/lineage.h"

#include <inttypes.h>

#define DW_MESSAGE_BYTES_MAX ((size_t) 65536)

/* ---- For other statements -------------------------------------------------------------------- */

static bool
is_allowed(dw_statement_kind kind)
{
    switch (kind) {
    case DW_STATEMENT_CREATE_TABLE:
    case DW_STATEMENT_ALTER:
    case DW_STATEMENT_OPTIMIZE:
    case DW_STATEMENT_GENERATE:
    case DW_STATEMENT_REPAIR:
    case DW_STATEMENT_CONVERT:
    case DW_STATEMENT_ANALYZE:
    case DW_STATEMENT_BLOOM:
    case DW_STATEMENT_RESTORE:
    case DW_STATEMENT_MIGRATE:
    case DW_STATEMENT_VACUUM:
        return false;
    case DW_STATEMENT_EMPTY:
    case DW_STATEMENT_QUERY:
    case DW_STATEMENT_EXPLAIN:
    case DW_STATEMENT_INSERT:
    case DW_STATEMENT_COPY_INTO:
    case DW_STATEMENT_DESCRIBE:
    case DW_STATEMENT_SHOW_TABLES:
    case DW_STATEMENT_SHOW_LINEAGE:
    case DW_STATEMENT_CHECKPOINT:
    case DW_STATEMENT_COMPACT_LOG:
    case DW_STATEMENT_FSCK:
    case DW_STATEMENT_CHECK:
    case DW_STATEMENT_CREATE_VIEW:
    case DW_STATEMENT_DROP_VIEW:
    case DW_STATEMENT_SETTING:
    case DW_STATEMENT_MODIFY:
    case DW_STATEMENT_TRANSACTION:
    case DW_STATEMENT_ENGINE:
        return true;
    }
    dw_unreachable("statement kind");
}

dw_status
dw__execution_enter_transaction(dw_execution *x)
{
    dw_transaction *transaction = x->session->transaction;
    if (transaction == NULL || x->statement.kind == DW_STATEMENT_TRANSACTION) {
        return DW_OK;
    }
    if (!is_allowed(x->statement.kind)) {
        return dw__error_set(x->err, DW_UNSUPPORTED, "TRANSACTION_STATEMENT",
                             "%s cannot be part of a transaction: COMMIT or ROLLBACK first",
                             x->statement.verb);
    }
    return dw__transaction_next(transaction, x->err);
}

/* The table of which that is a state that the statement sees; NULL: it is an older version. */
static const dw_table *
table_of(const dw_execution *x, const dw_log_snapshot *snapshot)
{
    for (size_t i = 0; i < x->seen.count; i++) {
        if (x->seen.items[i].is_newest && x->seen.items[i].snapshot == snapshot) {
            return x->seen.items[i].table;
        }
    }
    return NULL;
}

dw_status
dw__execution_note_read(dw_execution *x, const dw_scan_source *sources, size_t first, size_t count,
                        const dw_scan *scan)
{
    dw_transaction *transaction = x->session->transaction;
    for (size_t i = first; transaction != NULL && i < count; i++) {
        size_t ref_count = 0;
        const dw_table *table = table_of(x, sources[i].snapshot);
        const dw_file_ref *refs = scan == NULL ? NULL : dw__scan_files(scan, i, &ref_count);
        if (table != NULL && sources[i].changes == NULL) {
            DW_TRY(dw__transaction_read(transaction, table, sources[i].snapshot, refs, ref_count,
                                        x->err));
        }
    }
    return DW_OK;
}

void
dw__put_outcome(const dw_execution *x, dw_strbuf *out, int64_t version)
{
    if (x->session->transaction != NULL) {
        dw__strbuf_append_literal(out, " in the transaction");
    } else {
        dw__strbuf_printf(out, " as version %" PRId64, version);
    }
}

/* ---- The statements -------------------------------------------------------------------------- */

static dw_status
begin(dw_execution *x, dw_strbuf *text)
{
    dw_session *session = x->session;
    const dw_transaction_statement *statement = &x->statement.as.transaction;
    dw_transaction_level level = statement->has_level ? statement->level : session->level;
    if (session->transaction != NULL) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "TRANSACTION_OPEN",
                             "a transaction is open already: COMMIT or ROLLBACK first");
    }
    dw__strbuf_append_literal(text, "began a transaction");
    return dw__transaction_begin(session->env, session->connection, level, &session->transaction,
                                 x->err);
}

static dw_status
set_level(dw_execution *x, dw_strbuf *text)
{
    dw_transaction_level level = x->statement.as.transaction.level;
    if (x->session->transaction != NULL) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "TRANSACTION_OPEN",
                             "the level of an open transaction stays: say BEGIN TRANSACTION "
                             "ISOLATION LEVEL %s, or set it before BEGIN",
                             dw__transaction_level_name(level));
    }
    x->session->level = level;
    dw__strbuf_printf(text, "transactions of this session are %s",
                      level == DW_LEVEL_TABLE ? "as their table says"
                                              : dw__transaction_level_name(level));
    return DW_OK;
}

static dw_status
commit(dw_execution *x, dw_strbuf *text)
{
    dw_txn_result done;
    dw_transaction *transaction = x->session->transaction;
    size_t count = dw__transaction_change_count(transaction);
    dw_table *changed = dw__transaction_changed_table(transaction);
    DW_AUTO(dw_table_ptr) table = changed == NULL ? NULL : dw__table_ref(changed);
    dw_commit_limits limits = x->session->settings.limits;
    if (table != NULL) {
        DW_TRY(dw__execution_limits(x, table, &limits));
    }
    x->session->transaction = NULL;
    dw_status status = dw__transaction_commit(transaction, limits, &done, x->err);
    if (status != DW_OK) {
        dw__error_context(x->err, "COMMIT of %zu change%s", count, count == 1 ? "" : "s");
        return status;
    }
    if (done.version < 0) {
        dw__strbuf_append_literal(text, "the transaction changed nothing: nothing was committed");
        return DW_OK;
    }
    dw_change_report change = DW_CHANGE_REPORT_INIT;
    change.version = done.version;
    dw__execution_set_change(x, &change);
    dw__strbuf_append_literal(text, "committed ");
    dw__put_counted(text, (int64_t) count, "change");
    dw__put_outcome(x, text, done.version);
    dw__session_auto_compact(x->session, table);
    return DW_OK;
}

static dw_status
end(dw_execution *x, dw_strbuf *text)
{
    if (x->session->transaction == NULL) {
        return dw__error_set(x->err, DW_INVALID_ARGUMENT, "TRANSACTION_MISSING",
                             "expected an open transaction, found none: BEGIN opens one, and "
                             "without it every statement commits by itself");
    }
    if (x->statement.as.transaction.kind == DW_TRANSACTION_COMMIT) {
        return commit(x, text);
    }
    dw__transaction_rollback(x->session->transaction);
    x->session->transaction = NULL;
    dw__strbuf_append_literal(text, "rolled back: nothing was changed");
    return DW_OK;
}

static dw_status
run(dw_execution *x, dw_strbuf *text)
{
    switch (x->statement.as.transaction.kind) {
    case DW_TRANSACTION_BEGIN:
        return begin(x, text);
    case DW_TRANSACTION_SET_LEVEL:
        return set_level(x, text);
    case DW_TRANSACTION_COMMIT:
    case DW_TRANSACTION_ROLLBACK:
        return end(x, text);
    }
    dw_unreachable("transaction statement");
}

dw_status
dw__execute_transaction(dw_execution *x)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_MESSAGE_BYTES_MAX);
    DW_TRY(run(x, &text));
    dw__execution_set_message(x, &text, -1);
    return DW_OK; /* what was done is done, whether or not there is memory to say so */
}
