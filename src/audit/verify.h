/*
 * Is a log what its writers left? docs/audit.md says what can and what cannot be found, and how.
 *
 *  [VERIFY-1] Nothing is changed, and writers go on.
 *  [VERIFY-2] What a crash may leave is a note, everything else an error.
 */
#ifndef DW_AUDIT_VERIFY_H
#define DW_AUDIT_VERIFY_H

#include "codec/rows.h"
#include "env/env.h"

/* Findings that are listed; more are counted. */
#define DW_AUDIT_FINDINGS_MAX ((int64_t) 1000)

typedef struct dw_audit_verify_spec {
    dw_str path;
    dw_str key_path;      /* null string: MACs are not looked at */
    int64_t anchor_count; /* a record that was there at some time, and its digest; 0: none */
    dw_str anchor_hash;
} dw_audit_verify_spec;

typedef struct dw_audit_verdict {
    int64_t record_count; /* the number of the last one */
    int64_t error_count, note_count;
    char last_hash[65];
} dw_audit_verdict;

/* A row for each finding: severity, code, record, file, line, message. DW_NOT_FOUND
 * (AUDIT_LOG_NOT_FOUND), DW_INVALID_ARGUMENT (AUDIT_KEY_INVALID, AUDIT_ANCHOR_INVALID). */
DW_WARN_UNUSED dw_status dw__audit_verify(const dw_env *env, const dw_audit_verify_spec *spec,
                                          struct ArrowArrayStream *out,
                                          dw_audit_verdict *verdict_out, dw_error *err);

#endif
