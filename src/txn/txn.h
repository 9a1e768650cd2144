/*
 * Commits: the optimistic loop from a change to a new version. PROTOCOL.md "Delta Log Entries",
 * checklist section N; the conflict rules are those of the reference (conflict.h).
 *
 *  [TXN-1] A commit is acknowledged only when its file is durable and known to be ours.
 *  [TXN-2] An unknown outcome is settled by reading the version back and comparing the commit's own
 *          id; only if that fails too is DW_AMBIGUOUS returned.
 *  [TXN-3] A retry never writes below a version that this commit may already have become.
 *  [TXN-4] Data is durable before the commit that names it (the caller syncs it first).
 *  [TXN-5] A deletion vector that is committed holds what other writers deleted meanwhile, too.
 */
#ifndef DW_TXN_TXN_H
#define DW_TXN_TXN_H

#include "codec/roaring.h"
#include "log/log.h"

/* How often, and for how long, a commit tries to get in behind others, unless it says otherwise. */
#define DW_TXN_ATTEMPTS_MAX INT64_C(10000)
#define DW_TXN_TIME_MAX_MS (INT64_C(10) * 60 * 1000)

/* What a session says of all its commits. */
typedef struct dw_commit_limits {
    int64_t attempts_max; /* 0: DW_TXN_ATTEMPTS_MAX */
    int64_t time_max_ms;  /* 0: DW_TXN_TIME_MAX_MS */
    /* Where the rows come from, to be completed and recorded; NULL: nothing is. */
    struct dw_lineage *lineage;
} dw_commit_limits;

typedef enum dw_txn_isolation {
    DW_TXN_SNAPSHOT_ISOLATION,
    DW_TXN_WRITE_SERIALIZABLE,
    DW_TXN_SERIALIZABLE
} dw_txn_isolation;

/* A file that stays and loses rows: it is removed and added again with a deletion vector. */
typedef struct dw_row_mark {
    size_t remove_idx, add_idx; /* in the actions */
    const dw_rowset *rows;      /* that this change takes out; none was deleted before */
    int64_t row_count;          /* of the file as it was written */
    bool *is_emptied; /* set when others left so few rows that the file goes instead; or NULL */
} dw_row_mark;

/* All of them, and what it takes to make a vector anew when another writer deleted other rows of
 * the file first. */
typedef struct dw_row_marks {
    const dw_row_mark *items;
    size_t count;
    dw_status (*read)(void *ctx, const dw_dv_descriptor *dv, dw_rowset **out, dw_error *err);
    /* The descriptor lives as long as the call of dw__txn_commit; it is good after `finish`. */
    dw_status (*write)(void *ctx, const dw_rowset *rows, dw_dv_descriptor **out, dw_error *err);
    dw_status (*finish)(void *ctx, dw_error *err);
    void *ctx;
} dw_row_marks;

/* Which files that others added may have rows that this change looks for. */
typedef struct dw_row_search {
    /* Sets found[i] for each action that is an ADD of such a file. NULL: all of them may be. */
    dw_status (*find)(void *ctx, const dw_action *actions, size_t count, bool *found,
                      dw_error *err);
    void *ctx;
} dw_row_search;

/* A change that wants to become the next version. Everything is borrowed for the call. */
typedef struct dw_txn {
    dw_log *log;
    dw_log_snapshot *read_snapshot; /* NULL: the table must not exist yet */

    /* Without commitInfo; files that existed are removed by the key that the read snapshot has for
     * them. Row ids, their high-water mark, names of row tracking's columns and when in-commit
     * timestamps were enabled are added by the commit (assign.h). */
    const dw_action *actions;
    size_t action_count;    /* 0: a version that changes nothing */
    bool recommits_files;   /* some adds name live files by their very keys, to say more of them */
    bool brings_files_back; /* some adds name files that were removed: a VACUUM may take them */

    /* The read set. A blind append reads nothing. */
    bool reads_whole_table;
    bool looks_for_rows;      /* by a predicate: files that others add may have some, too */
    const dw_str *read_paths; /* as in the log: files whose rows were read */
    size_t read_path_count;
    /* Likewise, files of which each row was looked at for itself: that others go is no matter. */
    const dw_str *searched_paths;
    size_t searched_path_count;
    dw_row_search search; /* with looks_for_rows */
    dw_row_marks marks;
    /* Of a change that only rearranges, the parts that do not need each other: the number of each
     * action's, with NULL for one whole. A part of which a file went meanwhile is left out. */
    const size_t *parts;
    bool *left_out; /* set for each part that was; not NULL with `parts` */
    /* Says anew what operationMetrics come to once winners altered the change; may be NULL. */
    dw_status (*count_left)(void *ctx, dw_str *metrics_json_out, dw_error *err);
    void *count_ctx;

    bool has_isolation; /* else it is what the table asks for and the actions allow */
    dw_txn_isolation isolation;
    dw_commit_limits limits;

    /* What commitInfo says. */
    const char *operation;            /* "WRITE", "CREATE TABLE", ... */
    dw_str operation_parameters_json; /* an object of strings, or the null string */
    dw_str operation_metrics_json;    /* likewise */
    dw_str user_metadata;             /* null string: none */
    dw_str lineage_json;              /* an object, or the null string; see lineage/lineage.h */
    bool data_change;                 /* false: the change only rearranges (OPTIMIZE) */
    bool loses_row_ids;        /* rows were copied without the ids that row tracking gave them */
    bool moves_identity_marks; /* the metadata changes in high-water marks only */
    bool replaces_table;       /* nothing of the old one stays: domains of others go, too */
} dw_txn;

typedef struct dw_txn_result {
    int64_t version;
    int64_t attempt_count;
    bool was_duplicate; /* another commit had recorded our txn action: nothing was written */
    bool was_left_out;  /* all parts were: nothing was written, and the version is -1 */
} dw_txn_result;

/*
 * Commits. Rebases over the commits of others where the conflict rules allow it.
 * Errors: DW_CONFLICT (CONCURRENT_APPEND, CONCURRENT_DELETE_READ, CONCURRENT_DELETE_DELETE,
 * CONCURRENT_VACUUM, METADATA_CHANGED, PROTOCOL_CHANGED, CONCURRENT_TRANSACTION) says which version
 * won and what it did, TOO_MANY_ATTEMPTS which won last; DW_ALREADY_EXISTS (TABLE_ALREADY_EXISTS)
 * for a creation; DW_UNSUPPORTED when a winner made the table one that is not understood;
 * DW_AMBIGUOUS (COMMIT_OUTCOME_UNKNOWN) names the version to look at; DW_IO when nothing was
 * committed.
 */
DW_WARN_UNUSED dw_status dw__txn_commit(const dw_txn *txn, dw_txn_result *out, dw_error *err);

#endif
