/*
 * When each version was committed. PROTOCOL.md "In-Commit Timestamps"; checklist C3, C4, D19.
 *
 *  [TIME-1] Times grow strictly with versions: a file time that does not is taken for one
 *           millisecond after the one before, as in the reference.
 *  [TIME-2] From the version on that enabled in-commit timestamps, the commits themselves say when.
 */
#ifndef DW_LOG_TIMELINE_H
#define DW_LOG_TIMELINE_H

#include "log/listing.h"
#include "log/log.h"

typedef struct dw_timeline_entry {
    int64_t version;
    int64_t file_time_ms; /* made monotonic */
} dw_timeline_entry;

/* The commits that are still there, oldest first. */
typedef struct dw_timeline {
    dw_timeline_entry *items;
    size_t count;
} dw_timeline;

/* The commits of a listing of the whole log, from `first_version` on. In `arena`. */
DW_WARN_UNUSED dw_status dw__timeline_make(const dw_log_listing *listing, int64_t first_version,
                                           dw_arena *arena, dw_timeline *out, dw_error *err);

/* The last version of that listing of the whole log at or before a time, by the in-commit
 * timestamps where the table has them; -1: none. `newest` is the newest snapshot. */
DW_WARN_UNUSED dw_status dw__timeline_version_until(const dw_log_snapshot *newest,
                                                    const dw_log_listing *listing, int64_t time_ms,
                                                    int64_t *version_out, dw_error *err);

#endif
