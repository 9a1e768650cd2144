/*
 * The lineage of verbs without a session. [RECORD-1]
 */
#include "table/run_lineage.h"

#include "lineage/tell.h"

dw_status
dw__table_lineage_begin(const dw_table *table, const char *verb, dw_arena *arena, dw_lineage **out,
                        dw_error *err)
{
    dw_lineage_start start = {
        .defaults = dw__table_lineage(table), .verb = verb, .table = dw__table_root(table)};
    *out = NULL;
    if (start.defaults == NULL) {
        return DW_OK;
    }
    dw_lineage *lineage = DW_ARENA_NEW(arena, dw_lineage);
    if (lineage == NULL) {
        return dw__error_oom(err);
    }
    lineage->arena = arena;
    lineage->reads_nothing = true;
    lineage->statement.sql = DW_STR_NULL;
    if (!dw__lineage_begin(lineage, dw__table_env(table), &start)) {
        return dw__error_oom(err);
    }
    *out = lineage;
    dw__lineage_tell_start(lineage, dw__table_env(table), start.defaults);
    return DW_OK;
}

void
dw__table_lineage_end(dw_table *table, dw_lineage *lineage, const dw_write_result *done,
                      dw_status status, const dw_error *err)
{
    if (lineage == NULL || !lineage->is_told) {
        return;
    }
    dw_lineage_outcome outcome = {.is_done = status == DW_OK || done->version >= 0,
                                  .problem = dw__str_from(err != NULL ? err->message : ""),
                                  .version = done->version,
                                  .row_count = done->rows_added,
                                  .file_count = done->files_added,
                                  .size_bytes = done->bytes_added};
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    dw_error ignored = DW_ERROR_INIT;
    if (done->version >= 0 &&
        dw__log_snapshot(dw__table_log(table), &snapshot, &ignored) == DW_OK) {
        outcome.schema = dw__log_snapshot_schema(snapshot);
    }
    dw__lineage_tell_end(lineage, dw__table_env(table), dw__table_lineage(table), &outcome);
}
