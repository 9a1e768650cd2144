/*
 * Checkpoints: reading any kind, writing classic ones. PROTOCOL.md "Checkpoints"; checklist C5-C12.
 *
 *  [CHECKPOINT-1] Actions that are no files are read first, so that the protocol is known before a
 *                 file is believed. [LOG-5]
 *  [CHECKPOINT-2] The n-th file of a checkpoint file is the n-th row that was read from it:
 *                 statistics are found again by that number.
 */
#ifndef DW_LOG_CHECKPOINT_H
#define DW_LOG_CHECKPOINT_H

#include "log/replay.h"
#include "log/segment.h"
#include "log/table_state.h"

typedef struct dw_log dw_log;
typedef struct dw_checkpoint dw_checkpoint;

/* Opens the checkpoint of a segment and replays all its actions but adds and removes into `base`,
 * also its sidecars. Of a JSON checkpoint adds and removes are replayed too. Errors: DW_CORRUPT
 * names file and column; DW_NOT_FOUND when a file of it is gone. */
DW_WARN_UNUSED dw_status dw__checkpoint_open(dw_log *log, const dw_segment *segment,
                                             dw_replay *base, dw_checkpoint **out, dw_error *err);
/* Reads the adds into base->adds. Statistics of small checkpoints come with them, those of large
 * ones stay where they are. `definition` is the one that holds: statistics may be structs of its
 * columns. */
DW_WARN_UNUSED dw_status dw__checkpoint_read_adds(dw_checkpoint *checkpoint,
                                                  dw_definition *definition, dw_replay *base,
                                                  dw_error *err);
/* Visits the adds of its Parquet files, some at a time, in order: a set lasts as long as its visit,
 * which may change it. */
typedef dw_status (*dw_adds_visitor)(void *ctx, dw_file_set *adds, dw_error *err);
DW_WARN_UNUSED dw_status dw__checkpoint_visit_adds(dw_checkpoint *checkpoint,
                                                   dw_definition *definition, dw_adds_visitor visit,
                                                   void *ctx, dw_error *err);
/* Visits the removes. DW_NOT_FOUND when a file of it was removed meanwhile. */
typedef dw_status (*dw_remove_visitor)(void *ctx, const dw_file *remove, dw_error *err);
DW_WARN_UNUSED dw_status dw__checkpoint_visit_removes(dw_checkpoint *checkpoint,
                                                      dw_remove_visitor visit, void *ctx,
                                                      dw_error *err);
/* True once reading it again found a file of it missing. */
bool dw__checkpoint_is_gone(const dw_checkpoint *checkpoint);
/* The key of its first file; lives as long as the checkpoint. */
dw_str dw__checkpoint_main_key(const dw_checkpoint *checkpoint);
dw_checkpoint *dw__checkpoint_ref(dw_checkpoint *checkpoint);
void dw__checkpoint_unref(dw_checkpoint *checkpoint);

typedef dw_checkpoint *dw_checkpoint_ptr;

static inline void
dw__dw_checkpoint_ptr_cleanup(dw_checkpoint_ptr *checkpoint)
{
    dw__checkpoint_unref(*checkpoint);
}

#endif
