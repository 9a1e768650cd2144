/*
 * Cutting files that are much larger than they should be: the engine writes the rows of a partition
 * into one file, whatever its size.
 *
 *  [CUT-1] Rows keep their order up to a few row groups, as in every file.
 *  [CUT-2] A file is removed when its parts are written; on failure the caller removes them all.
 */
#ifndef DW_TABLE_FILE_CUT_H
#define DW_TABLE_FILE_CUT_H

#include "engine/database.h"
#include "table/table.h"

/* Replaces each file that is far beyond `written->file_size_bytes` by smaller ones. Paths of
 * `files` are keys of the table's storage. Everything in `arena`. */
DW_WARN_UNUSED dw_status dw__files_cut(dw_table *table, dw_connection *connection,
                                       const dw_copy_request *written, dw_arena *arena,
                                       dw_copy_file **files, size_t *count, dw_error *err);

#endif
