/*
 * Reports on a table as rows: DESCRIBE TABLE, HISTORY, DETAIL and SHOW TBLPROPERTIES. None of them
 * needs the query engine unless a checkpoint must be read.
 */
#ifndef DW_TABLE_DESCRIBE_H
#define DW_TABLE_DESCRIBE_H

#include "table/table.h"

/* col_name, data_type, comment; then the partition columns as Spark lists them. */
DW_WARN_UNUSED dw_status dw__table_describe(dw_log_snapshot *snapshot, const dw_env *env,
                                            struct ArrowArrayStream *out, dw_error *err);
/* version, timestamp, userId, userName, operation, operationParameters, ..., newest first. `limit`
 * 0: all. */
DW_WARN_UNUSED dw_status dw__table_history(dw_table *table, int64_t limit,
                                           struct ArrowArrayStream *out, dw_error *err);
/* version, timestamp, operation, change, column, before, after: what the versions did to the
 * columns.
 */
DW_WARN_UNUSED dw_status dw__table_schema_history(dw_table *table, int64_t limit,
                                                  struct ArrowArrayStream *out, dw_error *err);
/* One row: format, id, name, description, location, createdAt, lastModified, partitionColumns,
 * clusteringColumns, numFiles, sizeInBytes, properties, minReaderVersion, minWriterVersion,
 * tableFeatures, statistics. */
DW_WARN_UNUSED dw_status dw__table_detail(dw_table *table, dw_log_snapshot *snapshot,
                                          struct ArrowArrayStream *out, dw_error *err);
/* key, value; `key` limits it to one (null string: all). */
DW_WARN_UNUSED dw_status dw__table_properties(dw_log_snapshot *snapshot, const dw_env *env,
                                              dw_str key, struct ArrowArrayStream *out,
                                              dw_error *err);

#endif
