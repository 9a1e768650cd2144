/*
 * From a segment to a snapshot: the tail of commits is replayed, the checkpoint is read below it.
 */
#ifndef DW_LOG_LOAD_H
#define DW_LOG_LOAD_H

#include "log/segment.h"
#include "log/snapshot.h"

/* The snapshot of a version (-1: the newest) from what storage lists. */
DW_WARN_UNUSED dw_status dw__load_version(dw_log *log, int64_t version, dw_log_snapshot **out,
                                          dw_error *err);

/* The newest version without the files of its checkpoint, if it has one. */
DW_WARN_UNUSED dw_status dw__load_lean(dw_log *log, dw_log_snapshot **out, dw_error *err);

/* The same version from what the log has now, for something that could not be done with the
 * snapshot because the checkpoint that it rests on is gone. When that is not why, `cause` is the
 * error. */
DW_WARN_UNUSED dw_status dw__load_again(const dw_log_snapshot *snapshot, const dw_error *cause,
                                        dw_log_snapshot **out, dw_error *err);

/* Sets the commit time: the in-commit timestamp where the table has them, else `file_time_ms`. */
DW_WARN_UNUSED dw_status dw__load_set_timestamp(dw_log_snapshot *snapshot, const dw_replay *tail,
                                                int64_t file_time_ms, dw_error *err);

#endif
