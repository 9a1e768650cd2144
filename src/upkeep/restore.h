/*
 * RESTORE: the table becomes again what it was in an older version, as a new version.
 *
 *  [RESTORE-1] What is brought back is there: data files and deletion vectors are looked for first.
 *  [RESTORE-2] The commit is the difference between the two states, and changes data: who reads
 *              changes sees what came back and what went.
 *  [RESTORE-3] Beside a writer that changed rows meanwhile it is a conflict: nobody's rows go
 *              unseen.
 *  [RESTORE-4] No VACUUM takes what was found to be there: one that began before the commit makes
 *              it look again, and one that may still be at work and does not keep the version makes
 *              it give up.
 */
#ifndef DW_UPKEEP_RESTORE_H
#define DW_UPKEEP_RESTORE_H

#include "table/table.h"
#include "upkeep/upkeep.h"

typedef struct dw_restore_spec {
    int64_t version;
    dw_str timestamp; /* as the statement meant it, for the history; null string: by version */
} dw_restore_spec;

typedef struct dw_restore_result {
    int64_t version; /* -1: nothing was committed */
    bool is_current; /* the table is in that version: there was nothing to do */
    int64_t bytes_after, files_after;
    int64_t files_removed, files_restored, bytes_removed, bytes_restored;
} dw_restore_result;

/* DW_NOT_FOUND (VERSION_OUT_OF_RANGE; FILES_MISSING says how many files are gone, and names one);
 * DW_INVALID_ARGUMENT (APPEND_ONLY); DW_UNSUPPORTED (FEATURE_UNSUPPORTED); DW_CONFLICT
 * (CONCURRENT_VACUUM) and what else a commit may end with.
 */
DW_WARN_UNUSED dw_status dw__table_restore(dw_table *table, const dw_upkeep *upkeep,
                                           const dw_restore_spec *spec, dw_restore_result *out,
                                           dw_error *err);

#endif
