/*
 * What of a commit depends on the version that it becomes, and is made anew with each try: row ids
 * and commit versions, the properties that say since when in-commit timestamps hold and history is
 * protected. PROTOCOL.md
 * "Row Tracking", "In-Commit Timestamps".
 *
 *  [ASSIGN-1] Row ids are never used twice: those of a try begin behind the newest high-water mark,
 *             and the mark that is committed with them is the last id.
 *  [ASSIGN-2] What has ids keeps them: an add that is committed again, and every remove.
 *  [ASSIGN-3] No table has row tracking enabled while a file of it has no ids.
 */
#ifndef DW_TXN_ASSIGN_H
#define DW_TXN_ASSIGN_H

#include "txn/definition.h"
#include "txn/txn.h"

#define DW_ROW_TRACKING_DOMAIN "delta.rowTracking"

typedef struct dw_assignment {
    const dw_txn *txn;
    dw_definition before; /* the table's, behind which the change comes */
    dw_arena *arena;
    dw_action *actions; /* of the last try; NULL: those of the caller do */
    size_t count;
    bool with_in_commit_timestamps;
    bool enables_in_commit_timestamps; /* on a table that has versions without them */
    bool protects_history;             /* versions before this very one are protected from now on */
    bool tracks_rows;                  /* ids are assigned */
    bool is_tracking_enabled;          /* they can be relied upon */
    bool strips_row_ids;               /* tracking is suspended */
    int64_t high_water_mark;           /* of the newest version that is known; -1: none */
    int64_t *row_counts;               /* of the actions that need ids; -1: the others */
    const dw_metadata *metadata;       /* as it will be committed; NULL: it is not */
    size_t metadata_idx;
} dw_assignment;

/* Borrows all. DW_UNSUPPORTED (ROW_TRACKING_SUSPENDED, ROW_IDS_MISSING,
 * ROW_IDS_WITHOUT_STATISTICS) when the change cannot be made as asked; DW_CORRUPT
 * (ROW_TRACKING_INVALID). */
DW_WARN_UNUSED dw_status dw__assignment_init(dw_assignment *assignment, const dw_txn *txn,
                                             dw_definition before, dw_arena *arena, dw_error *err);
/* Takes note of a commit that came first. DW_CORRUPT (ROW_TRACKING_INVALID) when its high-water
 * mark went back. */
DW_WARN_UNUSED dw_status dw__assignment_note(dw_assignment *assignment, const dw_action *actions,
                                             size_t count, dw_error *err);
/* The same for what has become of the change and of the table; what was noted still counts. */
DW_WARN_UNUSED dw_status dw__assignment_renew(dw_assignment *assignment, const dw_txn *txn,
                                              dw_definition before, dw_arena *arena, dw_error *err);
/* The change as it becomes `version`, borrowed until the next call. DW_UNSUPPORTED
 * (ROW_IDS_EXHAUSTED). */
DW_WARN_UNUSED dw_status dw__assignment_make(dw_assignment *assignment, int64_t version,
                                             int64_t timestamp_ms, dw_txn *out, dw_error *err);

#endif
