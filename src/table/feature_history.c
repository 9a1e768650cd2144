/*
 * Barriers, and looking for a feature in what the log still has. The reference's
 * historyContainsFeature.
 */
#include "table/feature_history.h"

#include "log/cleanup.h"
#include "protocol/type_widening.h"
#include "table/feature_rewrites.h"
#include "txn/txn.h"

#include <inttypes.h>

dw_status
dw__history_put_barrier(dw_table *table, dw_error *err)
{
    dw_log *log = dw__table_log(table);
    DW_AUTO(dw_log_snapshot_ptr) before = NULL;
    DW_AUTO(dw_log_snapshot_ptr) after = NULL;
    dw_txn_result done;
    DW_TRY(dw__log_snapshot(log, &before, err));
    dw_txn txn = {.log = log, .read_snapshot = before, .operation = "Empty Commit"};
    DW_TRY(dw__txn_commit(&txn, &done, err));
    DW_TRY(dw__log_snapshot(log, &after, err));
    return dw__log_checkpoint(after, err);
}

dw_status
dw__history_truncate(dw_table *table, dw_error *err)
{
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, err));
    dw_cleanup_result done;
    dw_cleanup_request request = {
        dw__log_snapshot_properties(snapshot)->truncate_history_retention_ms, DW_MINUTE_MS};
    return dw__log_clean_up(snapshot, &request, &done, err);
}

dw_status
dw__history_begins_behind(dw_table *table, int64_t version, bool *out, dw_error *err)
{
    dw_log *log = dw__table_log(table);
    int64_t first, last, first_commit;
    *out = false;
    DW_TRY(dw__log_version_range(log, &first, &last, err));
    DW_TRY(dw__log_first_commit(log, &first_commit, err));
    *out = first >= version && (first_commit < 0 || first_commit >= version);
    return DW_OK;
}

/* ---- Looking for the feature ----------------------------------------------------------------- */

static dw_status
metadata_uses(const dw_metadata *metadata, dw_feature feature, dw_arena *scratch, bool *out,
              dw_error *err)
{
    dw_properties properties;
    const dw_type *schema;
    dw__properties_read(&metadata->configuration, &properties, NULL);
    switch ((unsigned) feature) {
    case DW_FEATURE_DELETION_VECTORS:
        *out = properties.enable_deletion_vectors;
        return DW_OK;
    case DW_FEATURE_COLUMN_MAPPING:
        *out = properties.mapping_mode != DW_MAPPING_NONE;
        return DW_OK;
    case DW_FEATURE_V2_CHECKPOINT:
        *out = properties.checkpoint_policy_v2;
        return DW_OK;
    case DW_FEATURE_TYPE_WIDENING:
    case DW_FEATURE_TYPE_WIDENING_PREVIEW:
        DW_TRY(dw__schema_parse("schemaString", metadata->schema_string, scratch, &schema, err));
        return dw__type_changes_find(schema, out, scratch, err);
    default:
        return DW_OK;
    }
}

static dw_status
action_uses(const dw_action *action, dw_feature feature, dw_arena *scratch, bool *out,
            dw_error *err)
{
    switch ((unsigned) action->kind) {
    case DW_ACTION_METADATA:
        return metadata_uses(&action->as.metadata, feature, scratch, out, err);
    case DW_ACTION_ADD:
    case DW_ACTION_REMOVE:
    case DW_ACTION_CDC:
        *out = feature == DW_FEATURE_DELETION_VECTORS && action->as.file.dv != NULL;
        return DW_OK;
    default:
        return DW_OK;
    }
}

/* The state that the oldest checkpoint has; its removes tell readers nothing. */
static dw_status
first_state_uses(dw_table *table, int64_t version, dw_feature feature, bool *out, dw_error *err)
{
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, dw__table_env(table)->allocator);
    DW_TRY(dw__log_snapshot_at(dw__table_log(table), version, &snapshot, err));
    DW_TRY(metadata_uses(dw__log_snapshot_metadata(snapshot), feature, &scratch, out, err));
    *out |= feature == DW_FEATURE_DELETION_VECTORS && dw__feature_has_vectors(snapshot);
    return feature == DW_FEATURE_V2_CHECKPOINT && !*out
               ? dw__log_snapshot_is_on_v2(snapshot, out, err)
               : DW_OK;
}

static dw_status
commit_uses(dw_log *log, int64_t version, dw_feature feature, dw_arena *scratch, bool *out,
            dw_error *err)
{
    dw_commit_actions commit = {0};
    DW_TRY(dw__commit_read(log, version, scratch, &commit, err));
    for (size_t i = 0; i < commit.count && !*out; i++) {
        DW_TRY(action_uses(&commit.items[i], feature, scratch, out, err));
    }
    return DW_OK;
}

dw_status
dw__history_uses(dw_table *table, dw_feature feature, bool *out, dw_error *err)
{
    dw_log *log = dw__table_log(table);
    int64_t first, last, first_commit;
    *out = false;
    DW_TRY(dw__log_version_range(log, &first, &last, err));
    DW_TRY(dw__log_first_commit(log, &first_commit, err));
    DW_TRY(first_state_uses(table, first, feature, out, err));
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, dw__table_env(table)->allocator);
    for (int64_t version = first_commit; version >= 0 && version <= last && !*out; version++) {
        DW_TRY(commit_uses(log, version, feature, &scratch, out, err));
        dw__arena_reset(&scratch);
    }
    return DW_OK;
}
