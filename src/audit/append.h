/*
 * Adding records to a log that others add to, too. [AUDIT-1,2]
 */
#ifndef DW_AUDIT_APPEND_H
#define DW_AUDIT_APPEND_H

#include "audit/head.h"

typedef struct dw_audit_target {
    const dw_env *env;
    dw_str path;
    dw_str key; /* null string: none */
    int64_t file_bytes_max;
    const dw_identity *identity;
} dw_audit_target;

/* Adds the record and, where the log was left damaged, one before it that says so. Errors are those
 * of files, FILE_LOCKED, and DW_INVALID_ARGUMENT (AUDIT_KEY_MISSING). */
DW_WARN_UNUSED dw_status dw__audit_append(const dw_audit_target *target,
                                          const dw_audit_event *event, bool is_synced,
                                          int64_t *number_out, dw_error *err);

#endif
