/*
 * Change data: files that hold what a version changed, row by row, for readers of the change data
 * feed. PROTOCOL.md "Change Data Files", "Add CDC File".
 */
#ifndef DW_TABLE_CHANGE_DATA_H
#define DW_TABLE_CHANGE_DATA_H

#include "log/changes.h"
#include "table/data_files.h"

/*
 * Makes files of a table files of its change data: with _change_type, in their folder. In `arena`.
 */
DW_WARN_UNUSED dw_status dw__change_data_target(dw_data_target *target, dw_arena *arena,
                                                dw_error *err);
/* What a commit says of such a file. */
dw_action dw__change_data_action(const dw_file *file);
/* Writes changes that are not recorded yet; `name` is one that is free on the connection. */
DW_WARN_UNUSED dw_status dw__change_data_record(dw_table *table, dw_connection *connection,
                                                dw_log_changes *changes, dw_str name,
                                                dw_arena *arena, dw_data_files *out, dw_error *err);

#endif
