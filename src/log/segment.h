/*
 * Which files make up a version: a checkpoint and the commits behind it. Pure: it looks at a
 * listing only. PROTOCOL.md "Action Reconciliation", "Log Compaction Files"; checklist C2, C3.
 *
 *  [SEGMENT-1] The checkpoint is the newest complete one at or before the version.
 *  [SEGMENT-2] Every version behind it is there, as its commit or inside a compacted commit.
 *              [LOG-1]
 *  [SEGMENT-3] A compacted commit is used only when it starts behind the checkpoint and ends at or
 *              before the version.
 */
#ifndef DW_LOG_SEGMENT_H
#define DW_LOG_SEGMENT_H

#include "log/listing.h"

typedef struct dw_segment_request {
    int64_t version;          /* -1: the newest */
    int64_t checkpoint_limit; /* only checkpoints of versions below it; INT64_MAX: any */
    dw_str root;              /* for messages; may be the null string */
} dw_segment_request;

/* All arrays are in the arena that was given; keys are those of the listing. */
typedef struct dw_segment {
    int64_t version;
    int64_t checkpoint_version;     /* -1: none */
    const dw_log_file *checkpoints; /* one file, or all parts in order */
    size_t checkpoint_count;
    const dw_log_file *commits; /* also compacted ones, in order */
    size_t commit_count;
    const dw_log_file *last_commit; /* the commit of `version`; NULL: it was cleaned up */
} dw_segment;

/*
 * Errors: DW_NOT_FOUND (TABLE_NOT_FOUND) when the listing holds neither commits nor checkpoints;
 * DW_NOT_FOUND (VERSION_OUT_OF_RANGE) with the range; DW_CORRUPT (LOG_GAP) names the missing
 * version.
 */
DW_WARN_UNUSED dw_status dw__segment_choose(const dw_log_listing *listing,
                                            const dw_segment_request *request, dw_arena *arena,
                                            dw_segment *out, dw_error *err);

/* The oldest and newest version that the listing can rebuild without a gap up to the newest; -1 and
 * -1 when it holds none. */
void dw__segment_range(const dw_log_listing *listing, int64_t *first_out, int64_t *last_out);
/* The newest complete checkpoint at or before `version`; -1: none. */
int64_t dw__segment_checkpoint_version(const dw_log_listing *listing, int64_t version);

#endif
