/*
 * How well files are clustered by a column, from their statistics alone: into how many files one
 * has to look for a value. What has no bounds counts as if it had every value.
 */
#ifndef DW_UPKEEP_CLUSTERING_REPORT_H
#define DW_UPKEEP_CLUSTERING_REPORT_H

#include "table/clustering.h"

typedef struct dw_column_clustering {
    dw_str name;
    int64_t file_count;
    int64_t unbounded_count; /* files without bounds that may have values */
    double average_overlaps; /* how many other files a file shares a range with */
    double average_depth;    /* the files that may have a value, on average over all bounds */
    int64_t depth_max;
} dw_column_clustering;

/* One for each column, in `arena`. */
DW_WARN_UNUSED dw_status dw__clustering_report(const dw_log_snapshot *snapshot,
                                               const dw_cluster_columns *columns, dw_arena *arena,
                                               dw_column_clustering **out, dw_error *err);

#endif
