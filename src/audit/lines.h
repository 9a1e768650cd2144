/*
 * The files of a log, oldest first, and their bytes line by line.
 *
 *  [LINES-1] Every byte of a range is given once, in order; memory is bounded by the longest
 *            record.
 */
#ifndef DW_AUDIT_LINES_H
#define DW_AUDIT_LINES_H

#include "audit/audit.h"
#include "base/arena.h"
#include "storage/local_file.h"

/* Behind the path of the log: ".000000012", and ".head". */
#define DW_AUDIT_NUMBER_DIGITS 9
#define DW_AUDIT_SUFFIX_SIZE 16

/* The path of an older file of the log; false when it is too long. */
bool dw__audit_file_path(dw_str path, int64_t file_number, char out[DW_LOCAL_PATH_SIZE]);
bool dw__audit_head_path(dw_str path, char out[DW_LOCAL_PATH_SIZE]);

/* The numbers of the older files that are there, ascending. In `arena`. */
DW_WARN_UNUSED dw_status dw__audit_list(const dw_env *env, dw_str path, dw_arena *arena,
                                        int64_t **out, size_t *count_out, dw_error *err);

/* `bytes` is a line with its end, or what is behind the last one, or (whole false) a part of a line
 * that is longer than any record. */
typedef dw_status (*dw_audit_visitor)(void *ctx, dw_str bytes, bool is_whole, dw_error *err);
/* Visits the bytes from one offset to before another. */
DW_WARN_UNUSED dw_status dw__audit_visit(const dw_allocator *allocator, const dw_local_file *file,
                                         int64_t from, int64_t to, dw_audit_visitor visit,
                                         void *ctx, dw_error *err);

#endif
