/*
 * Commit files as the log itself reads them.
 */
#ifndef DW_LOG_COMMIT_H
#define DW_LOG_COMMIT_H

#include "log/log.h"

/* The bytes of a commit. DW_NOT_FOUND (LOG_VERSION_MISSING). */
DW_WARN_UNUSED dw_status dw__commit_get(dw_log *log, int64_t version, dw_strbuf *bytes,
                                        int64_t *modified_ms_out, dw_error *err);
/* The commitInfo of a version, in `arena`; zeroed when it has none. Reads no more of the commit
 * than it must. */
DW_WARN_UNUSED dw_status dw__commit_info_read(dw_log *log, int64_t version, dw_arena *arena,
                                              dw_commit_info *out, dw_error *err);
/* Adds which file was being read. */
void dw__commit_context(dw_error *err, dw_str key);

#endif
