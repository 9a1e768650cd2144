/*
 * Telling others of runs: an event when the lineage of a statement begins, and one when it ends. In
 * a transaction the commit is the run. [NOTE-1]
 */
#include "lineage/tell.h"
#include "sql/lineage.h"

void
dw__execution_tell_start(dw_execution *x)
{
    bool is_part = x->session->transaction != NULL && x->statement.kind != DW_STATEMENT_TRANSACTION;
    if (!is_part) {
        dw__lineage_tell_start(x->lineage, x->session->env,
                               dw__catalog_lineage(x->session->catalog));
    }
}

void
dw__execution_tell_end(dw_execution *x, dw_status status, const dw_change_report *change)
{
    if (x->lineage == NULL || !x->lineage->is_told) {
        return;
    }
    dw_lineage_outcome outcome = {.is_done = status == DW_OK || x->committed >= 0,
                                  .problem = dw__str_from(x->err->message),
                                  .version = x->committed,
                                  .alters = x->statement.kind == DW_STATEMENT_ALTER,
                                  .row_count = change != NULL ? change->rows_inserted : -1,
                                  .file_count = change != NULL ? change->files_added : -1,
                                  .size_bytes = change != NULL ? change->bytes_added : -1};
    DW_AUTO(dw_table_ptr) table = NULL;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    dw_error ignored = DW_ERROR_INIT;
    if (x->committed >= 0 &&
        dw__catalog_table_at(x->session->catalog, x->lineage->table, &table, &ignored) == DW_OK &&
        dw__log_snapshot(dw__table_log(table), &snapshot, &ignored) == DW_OK) {
        outcome.schema = dw__log_snapshot_schema(snapshot);
    }
    dw__lineage_tell_end(x->lineage, x->session->env, dw__catalog_lineage(x->session->catalog),
                         &outcome);
}
