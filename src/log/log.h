/*
 * The log of one table: from what storage lists to the state of the table at a version.
 * PROTOCOL.md "Delta Log Entries", "Checkpoints", "Action Reconciliation".
 *
 *  [LOG-1] A gap in the commits is an error, never skipped over.
 *  [LOG-2] `_last_checkpoint` is a hint: missing, stale or lying it costs time, never rows.
 *  [LOG-3] A snapshot without protocol or metadata does not exist.
 *  [LOG-4] Snapshots are immutable and ref-counted; refreshing shares what did not change.
 *  [LOG-5] The protocol is checked for reading before any file action is believed.
 */
#ifndef DW_LOG_LOG_H
#define DW_LOG_LOG_H

#include "log/file_set.h"
#include "protocol/feature.h"
#include "protocol/property.h"

typedef struct dw_log dw_log;
typedef struct dw_bloom_store dw_bloom_store; /* bloom/store.h */
typedef struct dw_log_snapshot dw_log_snapshot;

#define DW_LOG_DIR "_delta_log/"

/* `storage` and `engine` are borrowed and must outlive the log. Nothing is read. */
DW_WARN_UNUSED dw_status dw__log_open(const dw_env *env, dw_storage *storage, dw_engine *engine,
                                      dw_log **out, dw_error *err);
void dw__log_close(dw_log *log);
const dw_env *dw__log_env(const dw_log *log);
dw_storage *dw__log_storage(const dw_log *log);
dw_engine *dw__log_engine(const dw_log *log);
/* What is known of the table's index files, as long as the log is open. Borrowed. */
dw_bloom_store *dw__log_filters(const dw_log *log);

/* The newest version. Looks for commits behind the cached snapshot by name (a get of the next
 * version, no listing); lists only the first time or when that chain is broken. DW_NOT_FOUND
 * (TABLE_NOT_FOUND).
 */
DW_WARN_UNUSED dw_status dw__log_snapshot(dw_log *log, dw_log_snapshot **out, dw_error *err);
/* DW_NOT_FOUND (VERSION_OUT_OF_RANGE): "version 9 is not there; the table has versions 2 to 7". */
DW_WARN_UNUSED dw_status dw__log_snapshot_at(dw_log *log, int64_t version, dw_log_snapshot **out,
                                             dw_error *err);
/* A later version, reached from `base` by the commits between. It takes the place of `base` where
 * that is what the log keeps: the next look for news then begins there. */
DW_WARN_UNUSED dw_status dw__log_snapshot_advance(const dw_log_snapshot *base, int64_t version,
                                                  dw_log_snapshot **out, dw_error *err);
/* What the next version would be, had it these actions: for those who have not committed yet. Row
 * ids and the like, which only a commit gives, are not there. Errors as those of a commit that is
 * read. */
DW_WARN_UNUSED dw_status dw__log_snapshot_stage(const dw_log_snapshot *base,
                                                const dw_action *actions, size_t count,
                                                dw_log_snapshot **out, dw_error *err);
/* A table that is not there, made of these actions alone, which define it; its version is -1. */
DW_WARN_UNUSED dw_status dw__log_snapshot_imagine(dw_log *log, const dw_action *actions,
                                                  size_t count, dw_log_snapshot **out,
                                                  dw_error *err);
/* True when the very file, with that deletion vector, is live. */
DW_WARN_UNUSED dw_status dw__log_snapshot_has_file(const dw_log_snapshot *snapshot,
                                                   const dw_file *file, bool *out, dw_error *err);
/* The last version committed at or before that time. DW_NOT_FOUND (TIMESTAMP_OUT_OF_RANGE) before
 * the first or after the last commit, with the range. */
DW_WARN_UNUSED dw_status dw__log_version_at(dw_log *log, int64_t timestamp_us, int64_t *version_out,
                                            dw_error *err);
/* The first version committed at or after that time; the same error after the last commit. */
DW_WARN_UNUSED dw_status dw__log_version_from(dw_log *log, int64_t timestamp_us,
                                              int64_t *version_out, dw_error *err);
/* True when a table is there at all. */
DW_WARN_UNUSED dw_status dw__log_exists(dw_log *log, bool *exists_out, dw_error *err);

dw_log_snapshot *dw__log_snapshot_ref(dw_log_snapshot *snapshot);
void dw__log_snapshot_unref(dw_log_snapshot *snapshot);

/* The log it was read from. Borrowed; the log outlives it. */
dw_log *dw__log_snapshot_log(const dw_log_snapshot *snapshot);
int64_t dw__log_snapshot_version(const dw_log_snapshot *snapshot);
/* The commit time of the version (in-commit timestamp, else the file's, made monotonic). */
int64_t dw__log_snapshot_timestamp_ms(const dw_log_snapshot *snapshot);
const dw_protocol *dw__log_snapshot_protocol(const dw_log_snapshot *snapshot);
const dw_metadata *dw__log_snapshot_metadata(const dw_log_snapshot *snapshot);
const dw_properties *dw__log_snapshot_properties(const dw_log_snapshot *snapshot);
const dw_type *dw__log_snapshot_schema(const dw_log_snapshot *snapshot);
/* Mutable only in its caches. */
dw_file_set *dw__log_snapshot_files(const dw_log_snapshot *snapshot);
/* Visits the removes that the log still has, each at least once, also those that have expired, and
 * of a checkpoint those of files that were added again. */
typedef dw_status (*dw_tombstone_visitor)(void *ctx, const dw_file *remove, dw_error *err);
DW_WARN_UNUSED dw_status dw__log_snapshot_visit_tombstones(const dw_log_snapshot *snapshot,
                                                           dw_tombstone_visitor visit, void *ctx,
                                                           dw_error *err);
/* True when those who read that version now begin with a checkpoint that needs v2Checkpoint. */
DW_WARN_UNUSED dw_status dw__log_snapshot_is_on_v2(const dw_log_snapshot *snapshot, bool *out,
                                                   dw_error *err);
/* The last txn of an application id; false when there is none. */
bool dw__log_snapshot_txn(const dw_log_snapshot *snapshot, dw_str app_id, dw_txn_id *out);
/* Calls for the last txn of each application, in no order. */
void dw__log_snapshot_each_txn(const dw_log_snapshot *snapshot,
                               void (*visit)(void *ctx, const dw_txn_id *txn), void *ctx);
/* The live domains, in no order. */
size_t dw__log_snapshot_domain_count(const dw_log_snapshot *snapshot);
const dw_domain *dw__log_snapshot_domain(const dw_log_snapshot *snapshot, size_t idx);
/* The configuration of the domain delta.clustering, or the null string. */
dw_str dw__log_snapshot_clustering(const dw_log_snapshot *snapshot);

/* ---- Commits --------------------------------------------------------------------------------- */

/* The key of a commit file: "_delta_log/00000000000000000007.json". */
#define DW_COMMIT_KEY_SIZE 40
dw_str dw__commit_key(int64_t version, char out[DW_COMMIT_KEY_SIZE]);
/* The parsed actions of one commit. DW_NOT_FOUND (LOG_VERSION_MISSING). `modified_ms_out` may be
 * NULL.
 */
typedef struct dw_commit_actions {
    dw_action *items;
    size_t count;
    size_t capacity;
    int64_t modified_ms;
    size_t size_bytes;
} dw_commit_actions;
DW_WARN_UNUSED dw_status dw__commit_read(dw_log *log, int64_t version, dw_arena *arena,
                                         dw_commit_actions *out, dw_error *err);

/* Writes what the commits from `first` to `last` come to as one file, for readers to take instead.
 * DW_NOT_FOUND (LOG_VERSION_MISSING). */
DW_WARN_UNUSED dw_status dw__log_compact(dw_log *log, int64_t first, int64_t last, dw_error *err);
/* The versions that a reader of the snapshot goes through one by one: those behind its checkpoint,
 * or all. */
DW_WARN_UNUSED dw_status dw__log_compactable(const dw_log_snapshot *snapshot, int64_t *first_out,
                                             int64_t *last_out, dw_error *err);
/* True when deltaworks.logCompactionInterval says that a run of commits ends with this version; the
 * first of them. */
bool dw__log_compaction_is_due(const dw_log_snapshot *snapshot, int64_t *first_out);

/* ---- Checkpoints ----------------------------------------------------------------------------- */

/* Writes a checkpoint of the snapshot and `_last_checkpoint`: classic, or with
 * delta.checkpointPolicy = v2 a main file of its own name and sidecars. DW_CORRUPT
 * (CHECKSUM_MISMATCH) when the version is not what its checksum says; DW_UNSUPPORTED
 * (FEATURE_UNSUPPORTED) when the table has features that are not known. */
DW_WARN_UNUSED dw_status dw__checkpoint_write(dw_log_snapshot *snapshot, dw_error *err);
/* The same, and then what has expired is removed from the log (cleanup.h) unless the table says
 * delta.enableExpiredLogCleanup = false. That it could not be removed is a warning. */
DW_WARN_UNUSED dw_status dw__log_checkpoint(dw_log_snapshot *snapshot, dw_error *err);
/* True when delta.checkpointInterval says that this version should get one. */
bool dw__checkpoint_is_due(const dw_log_snapshot *snapshot);

/* ---- History --------------------------------------------------------------------------------- */

typedef struct dw_history_entry {
    int64_t version;
    int64_t timestamp_ms; /* made monotonic, or the in-commit timestamp */
    dw_commit_info info;  /* zeroed where the commit has none */
} dw_history_entry;

/* Newest first, at most `limit` (0: all that the log still has). In `arena`. */
DW_WARN_UNUSED dw_status dw__log_history(dw_log *log, int64_t limit, dw_arena *arena,
                                         dw_history_entry **out, size_t *count_out, dw_error *err);
/* The versions that a reader can go back to. */
DW_WARN_UNUSED dw_status dw__log_version_range(dw_log *log, int64_t *first_out, int64_t *last_out,
                                               dw_error *err);

typedef dw_log_snapshot *dw_log_snapshot_ptr;

static inline void
dw__dw_log_snapshot_ptr_cleanup(dw_log_snapshot_ptr *snapshot)
{
    dw__log_snapshot_unref(*snapshot);
}

#endif
