/*
 * ANALYZE TABLE: the statistics of files are compared with their rows, and where they are missing,
 * wrong or wider than they need be the file is committed again with better ones.
 *
 *  [ANALYZE-1] Nothing of an add changes but its statistics, and no reader of changes sees it.
 *  [ANALYZE-2] Statistics that are right stay as they are, whoever wrote them: a second run commits
 *              nothing.
 *  [ANALYZE-3] Footers are believed only where they name the very bound; the rest is asked of rows.
 */
#ifndef DW_UPKEEP_ANALYZE_H
#define DW_UPKEEP_ANALYZE_H

#include "table/clustering.h"
#include "table/table.h"
#include "upkeep/upkeep.h"

typedef struct dw_analyze_spec {
    dw_name_paths columns; /* FOR COLUMNS; none: all that get statistics */
    bool only_footers;     /* NOSCAN: no row is read */
} dw_analyze_spec;

typedef struct dw_analyze_result {
    int64_t version;                   /* the newest that it committed; -1: none */
    int64_t file_count;                /* that were looked at */
    int64_t missing, wrong, imprecise; /* so many had no statistics, false ones, wider ones */
    int64_t read_count;                /* so many had rows read */
    int64_t done_count;                /* got new ones, or would have */
    int64_t lost_count;                /* of these, other writers changed so many */
    int64_t left_count;                /* were not looked at before the time was up */
} dw_analyze_result;

/* DW_INVALID_ARGUMENT (COLUMN_NOT_FOUND, DUPLICATE_COLUMN, COLUMN_WITHOUT_STATISTICS);
 * DW_UNSUPPORTED for a table that may not be written; DW_CORRUPT for a data file that cannot be
 * read; those of a commit. What was committed before an error stays: see the version. */
DW_WARN_UNUSED dw_status dw__table_analyze(dw_table *table, const dw_upkeep *upkeep,
                                           const dw_analyze_spec *spec, dw_analyze_result *out,
                                           dw_error *err);

#endif
