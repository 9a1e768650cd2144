/*
 * REORG as dropping a feature needs it: files that use the feature are written again, in one commit
 * that changes no row.
 */
#ifndef DW_TABLE_FEATURE_REWRITES_H
#define DW_TABLE_FEATURE_REWRITES_H

#include "table/table.h"

#include "engine/database.h"

/* True when a file of the version has a deletion vector. */
bool dw__feature_has_vectors(const dw_log_snapshot *snapshot);
/* Writes the files with deletion vectors again. */
DW_WARN_UNUSED dw_status dw__feature_purge_vectors(dw_table *table, dw_connection *connection,
                                                   bool *purged_out, dw_error *err);
/* Writes the files again in which a column has a type that it had before, and then takes the
 * changes of types out of the schema. */
DW_WARN_UNUSED dw_status dw__feature_apply_types(dw_table *table, dw_connection *connection,
                                                 bool *applied_out, dw_error *err);

#endif
