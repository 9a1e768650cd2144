/*
 * Telling the audit log of loads, appends, and what else the library does without SQL. [AUDIT-3,4]
 */
#include "table/audited.h"

static dw_audit_event
make_event(const dw_table *table, const dw_told *told)
{
    dw_audit_event event = DW_AUDIT_EVENT_INIT;
    event.user = told->user.len == 0 ? DW_STR_NULL : told->user;
    event.session = told->session;
    event.verb = dw__str_from(told->verb);
    event.statement = DW_STR_NULL;
    event.table_path = dw__table_root(table);
    event.table_id = DW_STR_NULL;
    event.code = DW_STR_NULL;
    return event;
}

dw_status
dw__table_tell_begin(dw_table *table, dw_told *told, dw_error *err)
{
    dw_error ignored = DW_ERROR_INIT;
    DW_AUTO(dw_log_snapshot_ptr) old = NULL;
    told->started = 0;
    if (dw__table_audit(table) == NULL) {
        return DW_OK;
    }
    dw_audit_event event = make_event(table, told);
    event.outcome = DW_AUDIT_STARTED;
    event.statement = told->text;
    if (dw__log_snapshot(dw__table_log(table), &old, &ignored) == DW_OK) {
        event.table_id = dw__log_snapshot_metadata(old)->id;
        event.read_version = dw__log_snapshot_version(old);
    }
    return dw__audit_begin(dw__table_audit(table), &event, &told->started, err);
}

void
dw__table_tell_end(dw_table *table, const dw_told *told, const dw_write_result *done,
                   dw_status status, const dw_error *err)
{
    if (told->started == 0) {
        return;
    }
    dw_audit_event event = make_event(table, told);
    event.started = told->started;
    event.version = done == NULL || told->in_transaction ? -1 : done->version;
    event.outcome = dw__audit_outcome_of(status, event.version, told->in_transaction);
    if (status == DW_OK && done != NULL) {
        event.has_counts = true;
        event.rows_inserted = done->rows_added;
        event.files_added = done->files_added;
        event.bytes_added = done->bytes_added;
    } else if (status != DW_OK && err != NULL) {
        event.code = dw__str_from(err->code);
    }
    dw__audit_end(dw__table_audit(table), &event);
}

dw_status
dw__table_tell_read(dw_table *table, const dw_log_snapshot *snapshot, const char *verb,
                    dw_error *err)
{
    const dw_audit *audit = dw__table_audit(table);
    if (audit == NULL || !dw__audit_wants_reads(audit)) {
        return DW_OK;
    }
    dw_told told = DW_TOLD_INIT(verb);
    dw_audit_event event = make_event(table, &told);
    dw_audit_table seen = {.path = dw__table_root(table),
                           .id = dw__log_snapshot_metadata(snapshot)->id,
                           .version = dw__log_snapshot_version(snapshot)};
    event.outcome = DW_AUDIT_READ;
    event.table_path = DW_STR_NULL;
    event.tables = &seen;
    event.table_count = 1;
    return dw__audit_read(audit, &event, err);
}
