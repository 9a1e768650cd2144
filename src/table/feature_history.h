/*
 * Dropping a feature that readers of older versions need: checkpoints in front of the version that
 * drops it, or a history in which nothing uses it.
 */
#ifndef DW_TABLE_FEATURE_HISTORY_H
#define DW_TABLE_FEATURE_HISTORY_H

#include "table/table.h"

/* Commits a version that changes nothing, and writes a checkpoint of it, so that nobody who begins
 * there meets commits from before. */
DW_WARN_UNUSED dw_status dw__history_put_barrier(dw_table *table, dw_error *err);
/* Cuts the log off behind what is older than delta.dropFeatureTruncateHistory.retentionDuration. */
DW_WARN_UNUSED dw_status dw__history_truncate(dw_table *table, dw_error *err);
/* Whether a version that the log still has uses the feature. */
DW_WARN_UNUSED dw_status dw__history_uses(dw_table *table, dw_feature feature, bool *out,
                                          dw_error *err);
/* Whether the log begins at or behind that version, with a checkpoint. */
DW_WARN_UNUSED dw_status dw__history_begins_behind(dw_table *table, int64_t version, bool *out,
                                                   dw_error *err);

#endif
