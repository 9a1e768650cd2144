/*
 * The head of a log, in a small file beside it: how many records there are and the digest of the
 * last, so that records cut off at the end are missed. It is also what writers lock.
 *
 *  [HEAD-1] It is written after the record that it counts: it may lag behind after a crash, never
 *           be ahead of what a power failure leaves of records that were synced.
 */
#ifndef DW_AUDIT_HEAD_H
#define DW_AUDIT_HEAD_H

#include "audit/record.h"
#include "storage/local_file.h"

typedef struct dw_audit_head {
    dw_audit_mark last;
    int64_t size_bytes; /* of the newest file */
} dw_audit_head;

typedef enum dw_audit_head_state {
    DW_AUDIT_HEAD_EMPTY,   /* the file has no byte: a new log */
    DW_AUDIT_HEAD_INVALID, /* it is no head, or with a key has no right MAC */
    DW_AUDIT_HEAD_RIGHT
} dw_audit_head_state;

/* `key` null string: the MAC is not looked at. */
DW_WARN_UNUSED dw_status dw__audit_head_read(const dw_local_file *file,
                                             const dw_allocator *allocator, dw_str key,
                                             dw_audit_head *out, dw_audit_head_state *state_out,
                                             dw_error *err);
DW_WARN_UNUSED dw_status dw__audit_head_write(const dw_local_file *file,
                                              const dw_allocator *allocator, dw_str key,
                                              const dw_audit_head *head, dw_error *err);

#endif
