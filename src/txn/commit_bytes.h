/*
 * The bytes of a commit file: commitInfo first, then the actions. PROTOCOL.md "Commit Provenance
 * Information", "In-Commit Timestamps".
 */
#ifndef DW_TXN_COMMIT_BYTES_H
#define DW_TXN_COMMIT_BYTES_H

#include "txn/txn.h"

typedef struct dw_commit_header {
    int64_t timestamp_ms;
    bool has_in_commit_timestamp; /* then it equals timestamp_ms */
    bool tracks_rows;             /* row tracking is enabled */
    int64_t read_version;         /* -1: none, the commit creates the table */
    dw_txn_isolation isolation;
    bool is_blind_append;
    const char *txn_id; /* a UUID: by it the commit is known as ours */
} dw_commit_header;

/* Replaces the content of `out`. DW_INVALID_ARGUMENT (SIZE_LIMIT) beyond DW_COMMIT_BYTES_MAX. */
DW_WARN_UNUSED dw_status dw__commit_bytes(const dw_txn *txn, const dw_commit_header *header,
                                          dw_strbuf *out, dw_error *err);

#endif
