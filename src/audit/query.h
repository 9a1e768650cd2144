/*
 * Looking into a log: the records of some table, user or time, as they stand or as rows.
 */
#ifndef DW_AUDIT_QUERY_H
#define DW_AUDIT_QUERY_H

#include "codec/rows.h"
#include "env/env.h"

typedef struct dw_audit_query {
    dw_str path;
    int64_t since_us, until_us; /* INT64_MIN, INT64_MAX: any time */
    dw_str table;               /* its path, the end of it, or its id; null string: any */
    dw_str user;                /* of the system, or as the session calls itself */
    int64_t limit;              /* the newest ones; 0: all */
} dw_audit_query;

typedef dw_status (*dw_audit_line_visitor)(void *ctx, dw_str line, dw_error *err);
/* The lines, each with its end, oldest first; what is no record is left out. DW_NOT_FOUND
 * (AUDIT_LOG_NOT_FOUND). */
DW_WARN_UNUSED dw_status dw__audit_lines(const dw_env *env, const dw_audit_query *query,
                                         dw_audit_line_visitor visit, void *ctx, dw_error *err);
/* The same as rows of what people look for. */
DW_WARN_UNUSED dw_status dw__audit_rows(const dw_env *env, const dw_audit_query *query,
                                        struct ArrowArrayStream *out, dw_error *err);

#endif
