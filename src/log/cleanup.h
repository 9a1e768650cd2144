/*
 * Removing what has expired from a log. PROTOCOL.md "Metadata Cleanup", and the rules of the
 * feature checkpointProtection.
 *
 *  [CLEANUP-1] Every version that was the newest at some time within the retention stays readable:
 *              kept are the newest checkpoint at or before the first of them, its commit, and all
 *              that comes behind.
 *  [CLEANUP-2] Whatever is left halfway is a log whose kept versions can be read: commits go before
 *              checkpoints, both in the order of versions, and sidecars last.
 *  [CLEANUP-3] Versions that delta.requireCheckpointProtectionBeforeVersion protects go in one
 *              cleanup, or none of them does.
 *  [CLEANUP-4] A sidecar goes only when every checkpoint that is left could be read, and none names
 *              it.
 */
#ifndef DW_LOG_CLEANUP_H
#define DW_LOG_CLEANUP_H

#include "log/log.h"

#define DW_MINUTE_MS INT64_C(60000)
#define DW_DAY_MS (INT64_C(24) * 60 * DW_MINUTE_MS)

typedef struct dw_cleanup_request {
    int64_t retention_ms;   /* delta.logRetentionDuration, or a shorter time */
    int64_t granularity_ms; /* what is kept begins at a whole day, or minute */
} dw_cleanup_request;

typedef struct dw_cleanup_result {
    int64_t first_version; /* whose checkpoint is the first that is kept; -1: nothing has expired */
    int64_t file_count;    /* that were removed */
} dw_cleanup_result;

/* `snapshot` is the newest of its log. DW_NOT_FOUND, DW_CORRUPT: the checkpoint to keep cannot be
 * read, and nothing was removed. */
DW_WARN_UNUSED dw_status dw__log_clean_up(dw_log_snapshot *snapshot,
                                          const dw_cleanup_request *request, dw_cleanup_result *out,
                                          dw_error *err);

/* The first version of which the log still has a commit file; -1: it has none. */
DW_WARN_UNUSED dw_status dw__log_first_commit(dw_log *log, int64_t *version_out, dw_error *err);

#endif
