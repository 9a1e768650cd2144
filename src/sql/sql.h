/*
 * SQL over Delta tables: the engine's language for queries, Delta on Spark's for table statements.
 *
 *  [SQL-1] Text is cut into statements and tokens once, by our lexer; what it does not understand
 *          is handed to the engine unchanged.
 *  [SQL-2] Every occurrence of a Delta table is bound to a snapshot before the statement runs; one
 *          statement sees one version of a table unless it names versions.
 */
#ifndef DW_SQL_SQL_H
#define DW_SQL_SQL_H

#include "fsck/fsck.h"
#include "table/catalog.h"
#include "table/load.h"

#define DW_SQL_STATEMENT_BYTES_MAX ((size_t) 16 << 20)

/* struct dw_session and struct dw_result are the public handles (include/deltaworks.h). */

DW_WARN_UNUSED dw_status dw__session_open(dw_catalog *catalog, dw_session **out, dw_error *err);
void dw__session_close(dw_session *session);
DW_WARN_UNUSED dw_status dw__session_execute(dw_session *session, dw_str sql, size_t *used_out,
                                             dw_result **out, dw_error *err);
/* Loads files into the table at `uri` on the session's connection, with its cancel and progress. */
DW_WARN_UNUSED dw_status dw__session_load(dw_session *session, dw_str uri, const dw_load_spec *spec,
                                          dw_load_result *out, dw_error *err);
/* Checks the table at `uri`, with the session's cancel and progress. */
DW_WARN_UNUSED dw_status dw__session_fsck(dw_session *session, dw_str uri, bool with_data,
                                          struct ArrowArrayStream *out, dw_fsck_counts *counts_out,
                                          dw_error *err);
void dw__session_cancel(dw_session *session); /* async-signal-safe, any thread */
bool dw__session_in_transaction(const dw_session *session);
double dw__session_progress(dw_session *session);

/* The length of the first complete statement with its semicolon; 0 when none is complete. */
size_t dw__sql_statement_length(dw_str sql);

bool dw__result_has_rows(const dw_result *result);
const char *dw__result_message(const dw_result *result);
int64_t dw__result_row_count(const dw_result *result);
int64_t dw__result_incompatible_count(const dw_result *result);
/* False for a statement that changes no rows of a Delta table. */
bool dw__result_change(const dw_result *result, dw_change_report *out);
DW_WARN_UNUSED dw_status dw__result_stream(dw_result *result, struct ArrowArrayStream *out,
                                           dw_error *err);
void dw__result_free(dw_result *result);

#endif
