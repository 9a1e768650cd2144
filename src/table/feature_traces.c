/*
 * Clearing, feature by feature.
 */
#include "table/feature_traces.h"

#include "log/file_set_core.h"
#include "protocol/type_widening.h"
#include "table/alter_core.h"
#include "table/alter_mapping.h"
#include "table/change.h"
#include "table/dv_tombstones.h"
#include "table/feature_rewrites.h"
#include "txn/row_backfill.h"

#define CONSTRAINT_PREFIX DW_STR("delta.constraints.")

typedef struct clearing {
    dw_table *table;
    dw_connection *connection;
    dw_feature feature;
    bool cleared;
} clearing;

bool
dw__feature_is_removable(dw_feature feature)
{
    switch ((unsigned) feature) {
    case DW_FEATURE_CHECK_CONSTRAINTS:
    case DW_FEATURE_COLUMN_MAPPING:
    case DW_FEATURE_DELETION_VECTORS:
    case DW_FEATURE_DOMAIN_METADATA:
    case DW_FEATURE_V2_CHECKPOINT:
    case DW_FEATURE_ROW_TRACKING:
    case DW_FEATURE_IN_COMMIT_TIMESTAMP:
    case DW_FEATURE_VACUUM_PROTOCOL_CHECK:
    case DW_FEATURE_TYPE_WIDENING:
    case DW_FEATURE_TYPE_WIDENING_PREVIEW:
    case DW_FEATURE_MATERIALIZE_PARTITION_COLUMNS:
    case DW_FEATURE_CHECKPOINT_PROTECTION:
        return true;
    default:
        return false;
    }
}

bool
dw__feature_marks_history(dw_feature feature)
{
    return dw__feature_spec(feature)->is_reader_feature;
}

/* ---- Properties ------------------------------------------------------------------------------ */

/* UNSET TBLPROPERTIES. */
static dw_status
unset(clearing *c, dw_str key, dw_error *err)
{
    dw_alter_report done = {0};
    DW_TRY(dw__table_unset_properties(c->table, &key, 1, true, &done, err));
    c->cleared |= done.version >= 0;
    return DW_OK;
}

static dw_status
set(clearing *c, const dw_pair *pairs, size_t count, dw_error *err)
{
    dw_alter_report done = {0};
    dw_pairs properties = {.items = (dw_pair *) (uintptr_t) pairs, .count = count};
    DW_TRY(dw__table_set_properties(c->table, c->connection, &properties, &done, err));
    c->cleared |= done.version >= 0;
    return DW_OK;
}

static dw_status
unset_in_commit_timestamps(dw_alter *alter, void *ctx, dw_strbuf *parameters, dw_error *err)
{
    static const dw_str keys[] = {{"delta.inCommitTimestampEnablementTimestamp", 42},
                                  {"delta.inCommitTimestampEnablementVersion", 40},
                                  {"delta.enableInCommitTimestamps", 30}};
    (void) ctx;
    dw_str gone[3];
    size_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        if (dw__alter_unset(alter, keys[i])) {
            gone[count++] = keys[i];
        }
    }
    if (dw__log_snapshot_properties(alter->snapshot)->enable_in_commit_timestamps) {
        dw__alter_set(alter, keys[2], DW_STR("false"));
        gone[count++] = keys[2];
    }
    return dw__alter_note_unset(alter, gone, count, true, parameters, err);
}

static dw_status
clear_in_commit_timestamps(clearing *c, dw_error *err)
{
    dw_alter_report done = {0};
    return dw__alter_run(c->table, 0, "UNSET TBLPROPERTIES", unset_in_commit_timestamps, NULL,
                         &done, err);
}

/* ---- One feature each ------------------------------------------------------------------------ */

static dw_status
clear_deletion_vectors(clearing *c, dw_error *err)
{
    DW_TRY(unset(c, DW_STR("delta.enableDeletionVectors"), err));
    bool purged;
    DW_TRY(dw__feature_purge_vectors(c->table, c->connection, &purged, err));
    c->cleared |= purged;
    /* Also where no vector is left: readers of older versions still need their files. */
    return dw__dv_tombstones_commit(c->table, err);
}

static dw_status
clear_type_changes(clearing *c, dw_error *err)
{
    DW_TRY(unset(c, DW_STR("delta.enableTypeWidening"), err));
    bool cleared;
    DW_TRY(dw__feature_apply_types(c->table, c->connection, &cleared, err));
    c->cleared |= cleared;
    return DW_OK;
}

static dw_status
clear_mapping(clearing *c, dw_error *err)
{
    dw_alter_report done = {0};
    DW_TRY(dw__table_remove_mapping(c->table, c->connection, false, &done, err));
    c->cleared |= done.version >= 0;
    return DW_OK;
}

static dw_status
clear_v2_checkpoints(clearing *c, dw_error *err)
{
    static const dw_pair classic = {{"delta.checkpointPolicy", 22}, {"classic", 7}};
    DW_TRY(set(c, &classic, 1, err));
    c->cleared = true; /* the newest checkpoint may be one, too */
    return DW_OK;
}

static dw_status
clear_row_tracking(clearing *c, dw_error *err)
{
    static const dw_pair off[] = {{{"delta.enableRowTracking", 23}, {"false", 5}},
                                  {{"delta.rowTrackingSuspended", 26}, {"true", 4}}};
    int64_t file_count;
    DW_TRY(set(c, off, 2, err));
    return dw__row_tracking_unbackfill(dw__table_log(c->table), &file_count, err);
}

/* Domains that nobody needs any more: whatever needs domains was dropped before. */
static dw_status
clear_domains(clearing *c, const dw_log_snapshot *snapshot, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(c->table)->allocator);
    size_t count = dw__log_snapshot_domain_count(snapshot);
    dw_action *actions = DW_ARENA_ARRAY(&arena, dw_action, count + 1);
    dw_str parameters = dw__arena_printf(&arena, "{\"domainMetadataRemovedCount\":%zu}", count);
    if (actions == NULL || dw__str_is_null(parameters)) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        actions[i] = (dw_action){.kind = DW_ACTION_DOMAIN,
                                 .as.domain = *dw__log_snapshot_domain(snapshot, i)};
        actions[i].as.domain.removed = true;
    }
    dw_txn_result result;
    dw_txn txn = {.log = dw__table_log(c->table),
                  .read_snapshot = dw__log_snapshot_ref((dw_log_snapshot *) (uintptr_t) snapshot),
                  .actions = actions,
                  .action_count = count,
                  .operation = "DOMAIN METADATA CLEANUP",
                  .operation_parameters_json = parameters};
    dw_status status = dw__txn_commit(&txn, &result, err);
    dw__log_snapshot_unref(txn.read_snapshot);
    return status;
}

static const dw_pair *
first_constraint(const dw_log_snapshot *snapshot)
{
    const dw_pairs *pairs = &dw__log_snapshot_metadata(snapshot)->configuration;
    for (size_t i = 0; i < pairs->count; i++) {
        if (dw__str_starts_with(pairs->items[i].key, CONSTRAINT_PREFIX)) {
            return &pairs->items[i];
        }
    }
    return NULL;
}

/* Only the user knows whether a constraint may go. */
static dw_status
check_constraints(const dw_log_snapshot *snapshot, dw_error *err)
{
    const dw_pair *pair = first_constraint(snapshot);
    return pair == NULL ? DW_OK
                        : dw__error_set(err, DW_INVALID_ARGUMENT, "FEATURE_IN_USE",
                                        "the feature 'checkConstraints' is in use: %.*s: drop the "
                                        "constraint first",
                                        DW_STR_ARG(pair->key));
}

/* ---- The switch ------------------------------------------------------------------------------ */

static dw_status
clear(clearing *c, const dw_log_snapshot *snapshot, dw_error *err)
{
    switch ((unsigned) c->feature) {
    case DW_FEATURE_CHECK_CONSTRAINTS:
        return check_constraints(snapshot, err);
    case DW_FEATURE_COLUMN_MAPPING:
        return clear_mapping(c, err);
    case DW_FEATURE_DOMAIN_METADATA:
        return clear_domains(c, snapshot, err);
    case DW_FEATURE_V2_CHECKPOINT:
        return clear_v2_checkpoints(c, err);
    case DW_FEATURE_ROW_TRACKING:
        return clear_row_tracking(c, err);
    case DW_FEATURE_IN_COMMIT_TIMESTAMP:
        return clear_in_commit_timestamps(c, err);
    case DW_FEATURE_TYPE_WIDENING:
    case DW_FEATURE_TYPE_WIDENING_PREVIEW:
        return clear_type_changes(c, err);
    default:
        return DW_OK;
    }
}

dw_status
dw__feature_clear(dw_table *table, dw_connection *connection, dw_feature feature, bool *cleared_out,
                  dw_error *err)
{
    *cleared_out = false;
    clearing c = {.table = table, .connection = connection, .feature = feature};
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, err));
    if (feature == DW_FEATURE_DELETION_VECTORS) {
        DW_TRY(clear_deletion_vectors(&c, err));
    } else {
        bool is_clear;
        DW_TRY(dw__feature_is_clear(snapshot, feature, &is_clear, err));
        if (!is_clear) {
            DW_TRY(clear(&c, snapshot, err));
        }
    }
    *cleared_out = c.cleared;
    return DW_OK;
}

/* ---- Is it clear ----------------------------------------------------------------------------- */

static bool
has_row_ids(const dw_log_snapshot *snapshot)
{
    dw_file_ref ref;
    const dw_file_set *files = dw__log_snapshot_files(snapshot);
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        unsigned flags = dw__file_block_flags(dw__file_set_block(files, ref.block), ref.row);
        if ((flags & (DW_FILE_HAS_BASE_ROW_ID | DW_FILE_HAS_COMMIT_VERSION)) != 0) {
            return true;
        }
    }
    return false;
}

static dw_status
has_type_changes(const dw_log_snapshot *snapshot, dw_arena *scratch, bool *out, dw_error *err)
{
    *out = dw__log_snapshot_properties(snapshot)->enable_type_widening;
    return dw__type_changes_find(dw__log_snapshot_schema(snapshot), out, scratch, err);
}

static bool
has_timestamps(const dw_log_snapshot *snapshot)
{
    const dw_properties *properties = dw__log_snapshot_properties(snapshot);
    return properties->enable_in_commit_timestamps ||
           properties->in_commit_timestamp_enablement_version >= 0 ||
           properties->in_commit_timestamp_enablement_timestamp_ms >= 0;
}

dw_status
dw__feature_is_clear(const dw_log_snapshot *snapshot, dw_feature feature, bool *out, dw_error *err)
{
    const dw_properties *properties = dw__log_snapshot_properties(snapshot);
    bool found = false;
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, dw__log_env(dw__log_snapshot_log(snapshot))->allocator);
    *out = false;
    switch ((unsigned) feature) {
    case DW_FEATURE_CHECK_CONSTRAINTS:
        found = first_constraint(snapshot) != NULL;
        break;
    case DW_FEATURE_COLUMN_MAPPING:
        DW_TRY(dw__mapping_left(snapshot, &scratch, &found, err));
        break;
    case DW_FEATURE_DELETION_VECTORS:
        found = properties->enable_deletion_vectors || dw__feature_has_vectors(snapshot);
        break;
    case DW_FEATURE_DOMAIN_METADATA:
        found = dw__log_snapshot_domain_count(snapshot) > 0;
        break;
    case DW_FEATURE_V2_CHECKPOINT:
        DW_TRY(dw__log_snapshot_is_on_v2(snapshot, &found, err));
        found |= properties->checkpoint_policy_v2;
        break;
    case DW_FEATURE_ROW_TRACKING:
        found = properties->enable_row_tracking || !properties->row_tracking_suspended ||
                has_row_ids(snapshot);
        break;
    case DW_FEATURE_IN_COMMIT_TIMESTAMP:
        found = has_timestamps(snapshot);
        break;
    case DW_FEATURE_TYPE_WIDENING:
    case DW_FEATURE_TYPE_WIDENING_PREVIEW:
        DW_TRY(has_type_changes(snapshot, &scratch, &found, err));
        break;
    default:
        break;
    }
    *out = !found;
    return DW_OK;
}
