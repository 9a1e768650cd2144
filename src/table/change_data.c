/*
 * Writing change data.
 */
#include "table/change_data.h"

#include "scan/scan.h"
#include "table/zeros.h"

#define SQL_BYTES_MAX ((size_t) 64 << 20)
#define CHANGE_DATA_DIRECTORY "_change_data"

dw_status
dw__change_data_target(dw_data_target *target, dw_arena *arena, dw_error *err)
{
    target->directory = DW_STR(CHANGE_DATA_DIRECTORY);
    target->has_no_filters = true;
    return dw__data_target_add_column(target, DW_STR(DW_CHANGE_TYPE_COLUMN), DW_TYPE_STRING, arena,
                                      err);
}

dw_action
dw__change_data_action(const dw_file *file)
{
    dw_action action = {.kind = DW_ACTION_CDC, .as.file = *file};
    action.as.file.data_change = false;
    action.as.file.stats = DW_STR_NULL;
    return action;
}

static dw_status
write(dw_table *table, dw_connection *connection, const dw_log_snapshot *snapshot, dw_str name,
      dw_arena *arena, dw_data_files *out, dw_error *err)
{
    dw_data_target target = dw__data_target_of(snapshot);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(arena->allocator, SQL_BYTES_MAX);
    DW_TRY(dw__change_data_target(&target, arena, err));
    for (size_t i = 0; i < target.schema->field_count; i++) {
        dw__strbuf_append(&sql, i == 0 ? DW_STR("SELECT ") : DW_STR(", "));
        dw__zeros_print_column(&sql, &target.schema->fields[i]);
    }
    dw__strbuf_append_literal(&sql, " FROM ");
    dw__sql_put_identifier(&sql, name);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    return dw__data_files_write(table, connection, &target, dw__strbuf_str(&sql), arena, out, err);
}

dw_status
dw__change_data_record(dw_table *table, dw_connection *connection, dw_log_changes *changes,
                       dw_str name, dw_arena *arena, dw_data_files *out, dw_error *err)
{
    dw_scan *scan;
    dw_log_snapshot *snapshot = dw__log_changes_snapshot(changes);
    dw_scan_source source = {.name = name, .snapshot = snapshot, .changes = changes};
    *out = (dw_data_files){0};
    DW_TRY(
        dw__scan_open(connection, dw__table_database(table), DW_STR(""), &source, 1, &scan, err));
    dw_status status = write(table, connection, snapshot, name, arena, out, err);
    if (status != DW_OK && err != NULL) {
        status = dw__scan_explain_error(scan, err);
    }
    dw__scan_close(scan);
    return status;
}
