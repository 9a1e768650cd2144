/*
 * Giving ids to the rows of a table that did not track them from the start. PROTOCOL.md "Writer
 * Requirements for Row Tracking".
 */
#ifndef DW_TXN_ROW_BACKFILL_H
#define DW_TXN_ROW_BACKFILL_H

#include "txn/txn.h"

/* Commits every live file again that has no row ids, some at a time, until none is left: then row
 * tracking can be enabled. The protocol must list rowTracking already, so that files that others
 * add meanwhile have ids. What was committed stays when it fails halfway; to run it again goes on
 * from there. DW_UNSUPPORTED (ROW_TRACKING_NOT_SUPPORTED); others as dw__txn_commit. */
DW_WARN_UNUSED dw_status dw__row_tracking_backfill(dw_log *log, int64_t *file_count_out,
                                                   dw_error *err);

/* The other way: takes the ids from all files. Tracking must be suspended, so that no others come.
 */
DW_WARN_UNUSED dw_status dw__row_tracking_unbackfill(dw_log *log, int64_t *file_count_out,
                                                     dw_error *err);

#endif
