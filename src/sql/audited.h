/*
 * What the audit log is told of a statement: see audit/audit.h.
 *
 *  [AUDITED-1] What changes tables is told before it begins, and how it came out; what reads is
 *              told before its rows are handed out. [AUDIT-3]
 */
#ifndef DW_SQL_AUDITED_H
#define DW_SQL_AUDITED_H

#include "sql/execution.h"
#include "table/audited.h"

/* Before the statement runs. AUDIT_LOG_UNWRITABLE: it may not. */
DW_WARN_UNUSED dw_status dw__audited_begin(dw_execution *x);
/* After it, with how it came out; returns that, or, for one that read, why its rows may not be
 * shown. */
DW_WARN_UNUSED dw_status dw__audited_end(dw_execution *x, dw_status status);
void dw__audited_deinit(dw_execution *x);

/* What kinds of statements there are for the log. */
typedef enum dw_audited_kind { DW_AUDITED_NOT, DW_AUDITED_READ, DW_AUDITED_CHANGE } dw_audited_kind;
dw_audited_kind dw__audited_kind(const dw_statement *statement);
/* The table that a statement changes, if it names one: NULL for others. */
const dw_sql_name *dw__audited_name(const dw_statement *statement);

/* The same for a load, which is no statement: what to tell of it. The text lives in `text`, the
 * name of the session in `name`. */
#define DW_AUDITED_SESSION_SIZE 9
dw_told dw__audited_load(const dw_session *session, const dw_load_spec *spec, dw_strbuf *text,
                         char name[DW_AUDITED_SESSION_SIZE]);

#endif
