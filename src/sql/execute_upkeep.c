/*
 * What the commands of upkeep share when they run as statements.
 */
#include "sql/lineage.h"
#include "upkeep/auto_compact.h"

#include <inttypes.h>

static dw_upkeep
make_upkeep(dw_session *session, const dw_upkeep_options *options)
{
    dw_upkeep upkeep = dw__upkeep_make(session->env, session->connection, options);
    upkeep.is_cancelled = dw__session_is_cancelled;
    upkeep.progress = dw__session_set_progress;
    upkeep.ctx = session;
    upkeep.limits = session->settings.limits;
    return upkeep;
}

dw_status
dw__execution_upkeep(dw_execution *x, const dw_table *table, const dw_upkeep_options *options,
                     dw_upkeep *out)
{
    *out = make_upkeep(x->session, options);
    return options->dry_run || table == NULL ? DW_OK
                                             : dw__execution_upkeep_limits(x, table, &out->limits);
}

void
dw__execution_tell_partial(dw_execution *x, int64_t version)
{
    if (version >= 0) {
        dw__error_context(x->err, "what it did up to version %" PRId64 " was committed", version);
    }
}

/* ---- Auto compaction ------------------------------------------------------------------------- */

void
dw__session_auto_compact(dw_session *session, dw_table *table)
{
    const dw_upkeep_options options = {0};
    dw_upkeep upkeep = make_upkeep(session, &options);
    dw__auto_compact(&upkeep, table);
    atomic_store(&session->progress_permille, -1);
}

/* The table whose rows the statement has changed; NULL: none. */
static const dw_sql_name *
changed_table(const dw_statement *statement)
{
    if (statement->kind == DW_STATEMENT_INSERT) {
        return &statement->as.insert.name;
    }
    if (statement->kind == DW_STATEMENT_COPY_INTO) {
        return &statement->as.copy.name;
    }
    return statement->kind == DW_STATEMENT_MODIFY ? &statement->as.modify.name : NULL;
}

void
dw__execution_auto_compact(dw_execution *x)
{
    const dw_sql_name *name = changed_table(&x->statement);
    bool is_committed =
        x->session->transaction == NULL && x->result->has_change && x->result->change.version >= 0;
    dw_target_kind kind;
    DW_AUTO(dw_table_ptr) table = NULL;
    dw_error ignored = DW_ERROR_INIT;
    dw_error *err = x->err;
    if (name == NULL || !is_committed) {
        return;
    }
    x->err = &ignored;
    if (dw__execution_target(x, name, &kind, &table) == DW_OK && table != NULL) {
        dw__session_auto_compact(x->session, table);
    }
    x->err = err;
}
