/*
 * What the audit log is told of verbs that are called without a statement: see audit/audit.h.
 */
#ifndef DW_TABLE_AUDITED_H
#define DW_TABLE_AUDITED_H

#include "table/write.h"

/* One use of a verb. Null strings where nothing is known. */
typedef struct dw_told {
    const char *verb;
    dw_str text; /* in the place of a statement */
    dw_str user, session;
    bool in_transaction;
    int64_t started; /* set by _begin */
} dw_told;

#define DW_TOLD_INIT(named)                                                                        \
    ((dw_told){.verb = (named), .text = DW_STR_NULL, .user = DW_STR_NULL, .session = DW_STR_NULL})

/* Before it begins. AUDIT_LOG_UNWRITABLE: it may not. */
DW_WARN_UNUSED dw_status dw__table_tell_begin(dw_table *table, dw_told *told, dw_error *err);
/* After it; `done` may be NULL where nothing is written, and `err` too. */
void dw__table_tell_end(dw_table *table, const dw_told *told, const dw_write_result *done,
                        dw_status status, const dw_error *err);
/* Before rows of a snapshot are handed out. */
DW_WARN_UNUSED dw_status dw__table_tell_read(dw_table *table, const dw_log_snapshot *snapshot,
                                             const char *verb, dw_error *err);

#endif
