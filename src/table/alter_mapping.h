/*
 * Taking column mapping away from a table.
 */
#ifndef DW_TABLE_ALTER_MAPPING_H
#define DW_TABLE_ALTER_MAPPING_H

#include "table/alter.h"

#include "engine/database.h"

/* True when the table's columns are mapped, or have ids or physical names left of a mapping. */
DW_WARN_UNUSED dw_status dw__mapping_left(const dw_log_snapshot *snapshot, dw_arena *scratch,
                                          bool *out, dw_error *err);
/* Writes all files again under the names that columns have now, and commits that with the metadata.
 * The mode is unset, or with `keeps_mode` becomes none; clustering columns go by their new names.
 * Nothing happens (version -1) when there is no mapping. DW_INVALID_ARGUMENT when a name is not
 * legal without it; DW_UNSUPPORTED for Iceberg's rules. */
DW_WARN_UNUSED dw_status dw__table_remove_mapping(dw_table *table, dw_connection *connection,
                                                  bool keeps_mode, dw_alter_report *report,
                                                  dw_error *err);

#endif
