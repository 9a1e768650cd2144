/*
 * DESCRIBE STATISTICS: figures as rows.
 */
#ifndef DW_STATISTICS_ROWS_H
#define DW_STATISTICS_ROWS_H

#include "codec/rows.h"
#include "statistics/statistics.h"

/* One row about the state, and about its log. */
DW_WARN_UNUSED dw_status dw__statistics_rows(dw_log_snapshot *snapshot,
                                             struct ArrowArrayStream *out, dw_error *err);
/* A row for each partition. */
DW_WARN_UNUSED dw_status dw__statistics_partition_rows(dw_log_snapshot *snapshot,
                                                       struct ArrowArrayStream *out, dw_error *err);
/* A row for each range of sizes. */
DW_WARN_UNUSED dw_status dw__statistics_histogram_rows(dw_log_snapshot *snapshot,
                                                       struct ArrowArrayStream *out, dw_error *err);
/* A row for each of the last versions (`limit` 0: all), newest first. */
DW_WARN_UNUSED dw_status dw__statistics_history_rows(dw_log *log, int64_t limit,
                                                     struct ArrowArrayStream *out, dw_error *err);

#endif
