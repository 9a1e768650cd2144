/*
 * Queries in the user's words whose first table is the one that the statement changes: which rows
 * it chooses, and what they become.
 */
#ifndef DW_SQL_ROW_QUERY_H
#define DW_SQL_ROW_QUERY_H

#include "sql/execution.h"
#include "table/row_change.h"

typedef struct dw_row_query {
    dw_sql_text text;
    dw_binding binding;
    dw_scan_source *sources; /* the first is the table; may be filled further before _open */
    dw_str sql;              /* as the engine understands it */
    dw_scan *scan;
} dw_row_query;

/* Binds `text`; `scan_prefix` begins the names of its scans. Release with _deinit, also after a
 * failure. */
DW_WARN_UNUSED dw_status dw__row_query_bind(dw_execution *x, dw_str text, const char *scan_prefix,
                                            dw_row_query *out);
DW_WARN_UNUSED dw_status dw__row_query_open(dw_execution *x, dw_row_query *query);
void dw__row_query_deinit(dw_row_query *query);

/* Binds and opens the query for the places of the rows of `table` (with its alias, as it was
 * written) that meet the condition; "": all. */
DW_WARN_UNUSED dw_status dw__row_query_choose(dw_execution *x, dw_str table, dw_str condition,
                                              const char *scan_prefix, dw_row_query *out);
/* The same for rows that are deleted: files of which all rows meet the condition, which is that
 * range of the statement, are not read where that can be told from the log. */
DW_WARN_UNUSED dw_status dw__row_query_choose_deleted(dw_execution *x, dw_str table,
                                                      dw_sql_range condition,
                                                      const char *scan_prefix, dw_row_query *out);

/* Sets the figures of a statement that changes rows: of rows those of `rows`, of files those of the
 * change. */
void dw__execution_set_rows_changed(dw_execution *x, const dw_row_change_result *done,
                                    dw_change_report rows);

#endif
