/*
 * What a feature leaves in a table, and clearing it away before the protocol lets the feature go.
 * The order of commits and their names are those of the reference's
 * PreDowngradeTableFeatureCommand.
 *
 *  [TRACES-1] The property that lets writers use the feature goes first: whoever relies on it
 *             conflicts with that commit, and nobody brings traces back unseen.
 *  [TRACES-2] No clearing changes a row, and each commit of it leaves a table that can be read: to
 *             run it again goes on where it stopped.
 */
#ifndef DW_TABLE_FEATURE_TRACES_H
#define DW_TABLE_FEATURE_TRACES_H

#include "table/table.h"

#include "engine/database.h"

/* True when a feature can be dropped at all. */
bool dw__feature_is_removable(dw_feature feature);
/* True when versions that the log has may need the feature of their readers. */
bool dw__feature_marks_history(dw_feature feature);

/* Clears away what the newest version uses of the feature. `cleared_out`: something was there.
 * DW_INVALID_ARGUMENT (FEATURE_IN_USE) when only the user can take it away. */
DW_WARN_UNUSED dw_status dw__feature_clear(dw_table *table, dw_connection *connection,
                                           dw_feature feature, bool *cleared_out, dw_error *err);
/* Whether that version is free of it. */
DW_WARN_UNUSED dw_status dw__feature_is_clear(const dw_log_snapshot *snapshot, dw_feature feature,
                                              bool *out, dw_error *err);

#endif
