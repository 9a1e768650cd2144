/*
 * CLONE: a table with the files of another, in some version. A shallow clone names the files where
 * they are; a deep one has copies. PROTOCOL.md "Add File and Remove File".
 *
 *  [CLONE-1] The clone has the rows and the definition of the source, and a history of its own.
 *  [CLONE-2] Cloned again the target gets the difference alone; without one there is no commit.
 *  [CLONE-3] A deep clone that was interrupted leaves no commit, and goes on where it was.
 */
#ifndef DW_UPKEEP_CLONE_H
#define DW_UPKEEP_CLONE_H

#include "table/create.h"
#include "upkeep/convert.h"
#include "upkeep/upkeep.h"

typedef struct dw_clone_spec {
    dw_create_mode mode;
    bool deep;
    dw_table *source;
    dw_log_snapshot *snapshot; /* of the source */
    dw_str source_name;        /* for the history */
    bool is_directory;   /* the source is a directory of Parquet files, the snapshot imagined */
    dw_pairs properties; /* TBLPROPERTIES */
} dw_clone_spec;

typedef struct dw_clone_result {
    int64_t version; /* -1: nothing was committed */
    int64_t source_bytes, source_files;
    int64_t files_removed, files_copied, bytes_removed, bytes_copied;
} dw_clone_result;

/* DW_ALREADY_EXISTS, DW_NOT_FOUND (TABLE_ALREADY_EXISTS, TABLE_NOT_FOUND) by the mode;
 * DW_INVALID_ARGUMENT (CLONE_INTO_ITSELF, MAPPING_MODE_CHANGE, APPEND_ONLY); DW_CORRUPT
 * (FILE_NOT_FOUND); those of a commit. */
DW_WARN_UNUSED dw_status dw__table_clone(dw_table *target, const dw_upkeep *upkeep,
                                         const dw_clone_spec *spec, dw_clone_result *out,
                                         dw_error *err);
/* The table that the source, a directory of Parquet files, would be; files that the target has
 * already get no statistics. Errors as those of dw__table_convert_imagine. */
DW_WARN_UNUSED dw_status dw__clone_imagine(dw_table *target, const dw_upkeep *upkeep,
                                           const dw_clone_spec *spec, dw_convert_spec *convert,
                                           dw_log_snapshot **out, dw_error *err);

#endif
