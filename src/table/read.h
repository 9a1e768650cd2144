/*
 * Reading and appending rows as Arrow streams, without SQL text from the caller.
 */
#ifndef DW_TABLE_READ_H
#define DW_TABLE_READ_H

#include "table/table.h"
#include "table/write.h"

/* Streams the rows of a snapshot: `columns` by name (count 0: all), those for which the SQL
 * predicate `filter` is true (null string: all). The stream keeps what it needs alive, but for the
 * table's database. */
DW_WARN_UNUSED dw_status dw__table_read(dw_table *table, dw_log_snapshot *snapshot,
                                        const dw_str *columns, size_t column_count, dw_str filter,
                                        struct ArrowArrayStream *out, dw_error *err);

typedef struct dw_append_spec {
    const dw_txn_id *txn; /* NULL: none */
    dw_str user_metadata;
    dw_write_columns columns_become;
} dw_append_spec;

/* Appends the rows of a stream, which is consumed and released in any case. */
DW_WARN_UNUSED dw_status dw__table_append(dw_table *table, struct ArrowArrayStream *rows,
                                          const dw_append_spec *append, dw_write_result *out,
                                          dw_error *err);

#endif
