/*
 * INSERT ... REPLACE WHERE: the condition as a query for the rows that go, and as a demand on those
 * that come.
 */
#ifndef DW_SQL_INSERT_REPLACE_H
#define DW_SQL_INSERT_REPLACE_H

#include "sql/row_query.h"

typedef struct dw_insert_replace {
    dw_row_query chosen;
    dw_row_change_spec rows;
    dw_str condition; /* the engine's, on columns of the table */
} dw_insert_replace;

/* Opens the scan of the rows that meet the condition of the INSERT. Close it after the commit, also
 * after a failure. DW_UNSUPPORTED (STATEMENT_UNSUPPORTED) for a condition with a query in it. */
DW_WARN_UNUSED dw_status dw__insert_replace_open(dw_execution *x, dw_table *table,
                                                 dw_insert_replace *out);
void dw__insert_replace_close(dw_insert_replace *replace);

#endif
