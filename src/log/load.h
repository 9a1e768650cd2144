/*
 * From a segment to a snapshot: the tail of commits is replayed, the checkpoint is read below it.
 */
#ifndef DW_LOG_LOAD_H
#define DW_LOG_LOAD_H

#include "log/segment.h"
#include "log/snapshot.h"

/* Replays the commit files in order into `replay`. When one of them cannot be understood and the
 * newest protocol among them needs a feature that is not known, that is the error. [LOG-5] */
DW_WARN_UNUSED dw_status dw__load_commits(dw_log *log, const dw_log_file *files, size_t count,
                                          dw_replay *replay, dw_error *err);
/* The snapshot of a segment. `checkpoint_failed_out` tells whether an error came from the
 * checkpoint, so that an older one may be tried. */
DW_WARN_UNUSED dw_status dw__load_segment(dw_log *log, const dw_segment *segment,
                                          dw_log_snapshot **out, bool *checkpoint_failed_out,
                                          dw_error *err);
/* The snapshot of a version (-1: the newest) from what storage lists. */
DW_WARN_UNUSED dw_status dw__load_version(dw_log *log, int64_t version, dw_log_snapshot **out,
                                          dw_error *err);

/* Sets the commit time: the in-commit timestamp where the table has them, else `file_time_ms`. */
DW_WARN_UNUSED dw_status dw__load_set_timestamp(dw_log_snapshot *snapshot, const dw_replay *tail,
                                                int64_t file_time_ms, dw_error *err);

#endif
