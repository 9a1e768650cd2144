/*
 * SHOW CREATE TABLE: the statement that would make an empty table like this one.
 */
#ifndef DW_SQL_SHOW_CREATE_H
#define DW_SQL_SHOW_CREATE_H

#include "sql/ast.h"

/* One row with one column, createtab_stmt. */
DW_WARN_UNUSED dw_status dw__show_create_table(dw_table *table, dw_log_snapshot *snapshot,
                                               const dw_sql_name *name, dw_arena *arena,
                                               struct ArrowArrayStream *out, dw_error *err);

#endif
