/*
 * Inside of dw_log_snapshot: how a snapshot is put together from what a run of commits says and
 * what was there before it. PROTOCOL.md "Action Reconciliation".
 *
 *  [SNAPSHOT-1] A snapshot never changes; parts that two versions have in common are shared.
 *               [LOG-4]
 */
#ifndef DW_LOG_SNAPSHOT_H
#define DW_LOG_SNAPSHOT_H

#include "log/checkpoint.h"
#include "log/log.h"
#include "log/replay.h"
#include "log/table_state.h"

/* What tells the commit of a version from another file that took its name: a table that was deleted
 * and made again. */
typedef struct dw_file_identity {
    bool is_known;
    bool is_checkpoint; /* it is the checkpoint's first file: the commit was cleaned up */
    int64_t size_bytes;
    int64_t modified_ms;
} dw_file_identity;

struct dw_log_snapshot {
    dw_log *log;
    atomic_size_t ref_count;
    int64_t version;
    int64_t timestamp_ms;
    dw_file_identity identity; /* of the commit file of `version` */
    dw_definition *definition;
    dw_txn_set *txns;
    dw_domain_set *domains;
    dw_file_set *files;
    dw_file_set *tombstones;   /* the removes behind the checkpoint, or all when there is none */
    dw_checkpoint *checkpoint; /* where the older removes are; NULL: nowhere */
    /* Of a lean one, whose `files` lack those of the checkpoint: what its tail says of them. */
    dw_file_set *tail_adds, *tail_removes;
};

/* What a snapshot is made of. */
typedef struct dw_snapshot_parts {
    dw_log *log;
    int64_t version;
    dw_file_identity identity;
    const dw_replay *tail; /* the newest commits, sealed; may be empty */
    /* What is below the tail: an older snapshot, or a checkpoint with its rows, or nothing. */
    const dw_log_snapshot *base_snapshot;
    dw_checkpoint *checkpoint;
    const dw_replay *base_replay;
    dw_definition *definition; /* NULL: still to be made */
    bool is_lean;              /* the files of `checkpoint` are not in `base_replay` */
} dw_snapshot_parts;

/* The timestamp is left to the caller. Errors: as dw__definition_new, and DW_CORRUPT (NO_PROTOCOL,
 * NO_METADATA). */
DW_WARN_UNUSED dw_status dw__snapshot_join(const dw_env *env, const dw_snapshot_parts *parts,
                                           dw_log_snapshot **out, dw_error *err);
/* The definition that holds when `tail` is on top of `base` (may be NULL): made, and so checked,
 * before files are read. [LOG-5] */
DW_WARN_UNUSED dw_status dw__snapshot_define(const dw_env *env, const dw_replay *tail,
                                             const dw_replay *base, int64_t version,
                                             dw_definition **out, dw_error *err);
/* True once the checkpoint that the snapshot rests on was found removed or replaced: what was left
 * in it cannot be read any more. */
bool dw__snapshot_is_stale(const dw_log_snapshot *snapshot);
/* True when the files of its checkpoint are not in memory. */
bool dw__snapshot_is_lean(const dw_log_snapshot *snapshot);

#endif
