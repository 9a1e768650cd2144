/*
 * A table's statistics as one page: pictures and figures, nothing from outside, no scripts.
 */
#ifndef DW_STATISTICS_REPORT_H
#define DW_STATISTICS_REPORT_H

#include "statistics/statistics.h"

#define DW_REPORT_BYTES_MAX ((size_t) 16 << 20)

/* Appends the page about the state, and about the versions that the log still has. `name` is what
 * the table is called. */
DW_WARN_UNUSED dw_status dw__statistics_report(dw_log_snapshot *snapshot, dw_str name,
                                               dw_strbuf *out, dw_error *err);

#endif
