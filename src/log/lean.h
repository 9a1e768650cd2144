/*
 * Going through all files of the newest version once, without holding them: for those who would
 * keep little of each, of a table with millions of them.
 *
 *  [LEAN-1] A lean snapshot has everything but the files of its checkpoint, which are read with
 *           each visit, a block at a time. [FILES-2] holds for what is visited, too.
 */
#ifndef DW_LOG_LEAN_H
#define DW_LOG_LEAN_H

#include "log/log.h"

/* The newest version: the snapshot that the log keeps, brought up to date, or else a lean one,
 * which it does not keep. Of the files of that only dw__log_snapshot_visit_files may be asked, and
 * it is not compared with its checksum. Errors as those of dw__log_snapshot. */
DW_WARN_UNUSED dw_status dw__log_snapshot_lean(dw_log *log, dw_log_snapshot **out, dw_error *err);

/* Visits sets which together are the live files; each lasts as long as its visit. When the
 * checkpoint fails on the way, the version is read another way, and files are visited again. */
typedef dw_status (*dw_files_visitor)(void *ctx, const dw_file_set *files, dw_error *err);
DW_WARN_UNUSED dw_status dw__log_snapshot_visit_files(const dw_log_snapshot *snapshot,
                                                      dw_files_visitor visit, void *ctx,
                                                      dw_error *err);

#endif
