/*
 * V2 checkpoints: files in sidecars, all else in a small main file that names them. PROTOCOL.md "V2
 * Spec", "Sidecar Files", "UUID-named checkpoint"; checklist C6, B14.
 *
 *  [V2-1] Sidecars are durable before the main file that names them. Those of a checkpoint that was
 *         not finished are named by none; cleaning the log up removes them.
 *  [V2-2] Once the first commit is gone, or about to go, some main file has a copy under a classic
 *         name: whoever does not know V2 checkpoints finds the protocol there.
 */
#ifndef DW_LOG_CHECKPOINT_V2_H
#define DW_LOG_CHECKPOINT_V2_H

#include "log/log.h"

/* The rows of a sidecar, as the reference has by default: also what is in memory at a time while a
 * checkpoint is written. */
#define DW_SIDECAR_ROWS_MAX ((int64_t) 50000)

/* A checkpoint that is being written. */
typedef struct dw_v2_checkpoint {
    dw_log *log;
    dw_arena *arena;
    int64_t version;
    struct {
        dw_action *items;
        size_t count;
        size_t capacity;
    } sidecars;
    int64_t sidecar_rows;
    int64_t sidecar_bytes;
    int64_t add_count;
    int64_t main_bytes; /* from dw__v2_checkpoint_finish on */
    dw_str hint_json;   /* likewise: what `_last_checkpoint` says of it, in the arena */
} dw_v2_checkpoint;

dw_v2_checkpoint dw__v2_checkpoint_make(dw_log *log, int64_t version, dw_arena *arena);
void dw__v2_checkpoint_deinit(dw_v2_checkpoint *checkpoint);
/* Puts a sidecar of so many rows. */
DW_WARN_UNUSED dw_status dw__v2_checkpoint_add(dw_v2_checkpoint *checkpoint, dw_str bytes,
                                               int64_t row_count, dw_error *err);
/* Puts the main file with the actions that are no files, of which DW_ACTION_CHECKPOINT_METADATA is
 * left out: it is made here. */
DW_WARN_UNUSED dw_status dw__v2_checkpoint_finish(dw_v2_checkpoint *checkpoint,
                                                  const dw_action *actions, size_t count,
                                                  dw_error *err);

#endif
