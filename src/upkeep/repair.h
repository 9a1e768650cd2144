/*
 * FSCK REPAIR TABLE: takes the files out of the log that are not in storage any more, so that the
 * rows that are left can be read. It is the one command here that lets rows go: those that are lost
 * already.
 *
 *  [REPAIR-1] Only what was looked for and is not there goes: an error of the storage ends the
 *             command, and a file that cannot be looked for stays.
 *  [REPAIR-2] A place of which every file is missing - the table's own, or all that lies elsewhere
 *             - is more likely a disk that is not mounted. It is left alone unless forced.
 */
#ifndef DW_UPKEEP_REPAIR_H
#define DW_UPKEEP_REPAIR_H

#include "table/table.h"
#include "upkeep/upkeep.h"

/* So many files are listed; the rest is counted. */
#define DW_REPAIR_LISTED_MAX ((int64_t) 1000)

typedef struct dw_repair_result {
    int64_t version;    /* -1: nothing was committed */
    int64_t file_count; /* of the table */
    int64_t removed_count;
    bool needs_force; /* of a dry run: [REPAIR-2] */
} dw_repair_result;

/* Rows: dataFilePath, dataFileMissing, deletionVectorPath, deletionVectorFileMissing. A file of
 * which the deletion vector is gone goes, too: nobody knows which of its rows are deleted.
 * DW_NOT_FOUND (ALL_FILES_MISSING); DW_INVALID_ARGUMENT (APPEND_ONLY); DW_UNSUPPORTED for a table
 * that may not be written; DW_CANCELLED; and those of a commit. */
DW_WARN_UNUSED dw_status dw__table_repair(dw_table *table, const dw_upkeep *upkeep, bool force,
                                          struct ArrowArrayStream *out,
                                          dw_repair_result *result_out, dw_error *err);

#endif
