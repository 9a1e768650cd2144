/*
 * What EXPLAIN shows: for each table what is read of it and why so little, then the engine's plan.
 * The functions append to a text, whose lines become the rows of the statement.
 */
#ifndef DW_SQL_EXPLAIN_H
#define DW_SQL_EXPLAIN_H

#include "sql/execution.h"

#define DW_EXPLAIN_BYTES_MAX ((size_t) 64 << 20)

/* The table, of which nothing is read as its log has the answer. */
void dw__explain_put_answered(dw_execution *x, const dw_sql_name *name,
                              const dw_log_snapshot *snapshot, dw_strbuf *out);
/* The table, all of whose files go. */
void dw__explain_put_emptied(dw_execution *x, const dw_sql_name *name,
                             const dw_log_snapshot *snapshot, dw_strbuf *out);
/* One table of a scan. */
void dw__explain_put_scan(dw_execution *x, const dw_sql_reference *reference,
                          const dw_scan_source *source, const dw_scan_report *report,
                          dw_strbuf *out);
/* All of them. */
DW_WARN_UNUSED dw_status dw__explain_put_scans(dw_execution *x, const dw_binding *binding,
                                               const dw_scan *scan, dw_strbuf *out);
/* The engine's plan of a query in its own words; `analyze`: having run it. */
DW_WARN_UNUSED dw_status dw__explain_put_plan(dw_execution *x, dw_str query, bool analyze,
                                              dw_strbuf *out);
/* Sets the lines as the rows of the statement; empty ones at the end are left out. */
DW_WARN_UNUSED dw_status dw__explain_set(dw_execution *x, const dw_strbuf *lines);

#endif
