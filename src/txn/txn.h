/*
 * Commits: the optimistic loop from a change to a new version. PROTOCOL.md "Delta Log Entries",
 * checklist section N; the conflict rules are those of the reference (conflict.h).
 *
 *  [TXN-1] A commit is acknowledged only when its file is durable and known to be ours.
 *  [TXN-2] An unknown outcome is settled by reading the version back and comparing the commit's own
 *          id; only if that fails too is DW_AMBIGUOUS returned.
 *  [TXN-3] A retry never writes below a version that this commit may already have become.
 *  [TXN-4] Data is durable before the commit that names it (the caller syncs it first).
 */
#ifndef DW_TXN_TXN_H
#define DW_TXN_TXN_H

#include "log/log.h"

#define DW_TXN_ATTEMPTS_MAX 10000

typedef enum dw_txn_isolation {
    DW_TXN_SNAPSHOT_ISOLATION,
    DW_TXN_WRITE_SERIALIZABLE,
    DW_TXN_SERIALIZABLE
} dw_txn_isolation;

/* A change that wants to become the next version. Everything is borrowed for the call. */
typedef struct dw_txn {
    dw_log *log;
    dw_log_snapshot *read_snapshot; /* NULL: the table must not exist yet */

    /* Without commitInfo; files that existed are removed by the key that the read snapshot has for
     * them. Row ids, their high-water mark, names of row tracking's columns and when in-commit
     * timestamps were enabled are added by the commit (assign.h). */
    const dw_action *actions;
    size_t action_count;
    bool recommits_files; /* some adds name live files by their very keys, to say more of them */

    /* The read set. A blind append reads nothing. */
    bool reads_whole_table;
    bool looks_for_rows;      /* by a predicate: files that others add may have some, too */
    const dw_str *read_paths; /* as in the log: files whose rows were read */
    size_t read_path_count;

    /* What commitInfo says. */
    const char *operation;            /* "WRITE", "CREATE TABLE", ... */
    dw_str operation_parameters_json; /* an object of strings, or the null string */
    dw_str operation_metrics_json;    /* likewise */
    dw_str user_metadata;             /* null string: none */
    bool data_change;                 /* false: the change only rearranges (OPTIMIZE) */
    bool loses_row_ids;        /* rows were copied without the ids that row tracking gave them */
    bool moves_identity_marks; /* the metadata changes in high-water marks only */
} dw_txn;

typedef struct dw_txn_result {
    int64_t version;
    int64_t attempt_count;
    bool was_duplicate; /* another commit had recorded our txn action: nothing was written */
} dw_txn_result;

/*
 * Commits. Rebases over the commits of others where the conflict rules allow it.
 * Errors: DW_CONFLICT (CONCURRENT_APPEND, CONCURRENT_DELETE_READ, CONCURRENT_DELETE_DELETE,
 * METADATA_CHANGED, PROTOCOL_CHANGED, CONCURRENT_TRANSACTION) says which version won and what it
 * did; DW_ALREADY_EXISTS (TABLE_ALREADY_EXISTS) for a creation; DW_AMBIGUOUS
 * (COMMIT_OUTCOME_UNKNOWN) names the version to look at; DW_IO when nothing was committed.
 */
DW_WARN_UNUSED dw_status dw__txn_commit(const dw_txn *txn, dw_txn_result *out, dw_error *err);

#endif
