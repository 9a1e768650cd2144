/*
 * Replaying actions: a run of commits, oldest first, or the rows of a checkpoint. What comes out is
 * what the run alone says; dw__snapshot_join puts it on top of what was there before. PROTOCOL.md
 * "Action Reconciliation".
 *
 * Within one commit actions count in their order and the last of a key wins, as in the reference: a
 * file that is added twice, or added and removed, is read and not refused. Two different metaData
 * or protocol actions in one commit have no right order and are refused. (Checklist B8, B15.)
 *
 *  [REPLAY-1] Every key of the run is in the index of `adds` or `removes`, dead or alive: what is
 *             below the run is hidden by it.
 */
#ifndef DW_LOG_REPLAY_H
#define DW_LOG_REPLAY_H

#include "base/map.h"
#include "log/file_set_core.h"

typedef struct dw_replay {
    const dw_env *env;
    dw_arena arena;                          /* of what is kept */
    dw_arena scratch;                        /* of the commit that is being read */
    dw_arena protocol_arena, metadata_arena; /* of the newest only */
    const dw_protocol *protocol;             /* NULL: not in the run */
    const dw_metadata *metadata;             /* likewise */
    dw_map txns;                             /* app id to dw_txn_id */
    dw_map domains;                          /* name to dw_domain, removed ones too */
    struct {
        dw_sidecar *items;
        size_t count;
        size_t capacity;
    } sidecars; /* of a checkpoint */
    dw_file_set *adds;
    dw_file_set *removes;
    dw_strbuf commit_info; /* of the newest commit; empty: it has none */

    bool commit_has_protocol; /* of the commit that is being read */
    bool commit_has_metadata;
} dw_replay;

DW_WARN_UNUSED dw_status dw__replay_init(dw_replay *replay, const dw_env *env, dw_error *err);
void dw__replay_deinit(dw_replay *replay);

/*
 * Replays the text of one commit, of a compacted commit, or of the main file of a JSON checkpoint.
 */
DW_WARN_UNUSED dw_status dw__replay_text(dw_replay *replay, dw_str ndjson, dw_error *err);
/* Replays one action, which the run then keeps a copy of. */
DW_WARN_UNUSED dw_status dw__replay_action(dw_replay *replay, const dw_action *action,
                                           dw_error *err);
/* Seals the newest blocks: nothing may follow. */
void dw__replay_seal(dw_replay *replay);

static inline void
dw__dw_replay_cleanup(dw_replay *replay)
{
    dw__replay_deinit(replay);
}

#endif
