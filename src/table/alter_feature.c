/*
 * DROP FEATURE: what may be dropped, and by which way. As in the reference (Delta 4): at once,
 * behind checkpoints that hide what came before, or with TRUNCATE HISTORY in two runs, the second
 * when the versions that use the feature are old enough to go.
 */
#include "base/assert.h"
#include "table/alter_core.h"
#include "table/change.h"
#include "table/feature_history.h"
#include "table/feature_traces.h"

#include <inttypes.h>

/* Readers try that many checkpoints, less one, before they give up. */
#define BARRIER_COUNT 3
#define CONFLICTS_MAX 20
#define PROTECTION_KEY DW_STR("delta.requireCheckpointProtectionBeforeVersion")

typedef struct feature_drop {
    dw_table *table;
    dw_connection *connection;
    dw_str name;
    dw_feature feature;
    bool truncates;
    dw_alter_report *report;
} feature_drop;

/* ---- What may be dropped --------------------------------------------------------------------- */

static dw_status
check_present(feature_drop *drop, const dw_protocol *protocol, dw_error *err)
{
    drop->feature = dw__feature_by_name(drop->name);
    if (drop->feature != DW_FEATURE_COUNT && dw__protocol_supports(protocol, drop->feature)) {
        return DW_OK;
    }
    if (dw__str_starts_with(drop->name, DW_STR("delta."))) {
        return dw__error_set(err, DW_NOT_FOUND, "FEATURE_NOT_FOUND",
                             "'%.*s' is no feature but a property: use UNSET TBLPROPERTIES",
                             DW_STR_ARG(drop->name));
    }
    return dw__error_set(err, DW_NOT_FOUND, "FEATURE_NOT_FOUND",
                         "the table does not have the feature '%.*s'", DW_STR_ARG(drop->name));
}

static dw_status
check_truncation(const feature_drop *drop, dw_error *err)
{
    bool protects = drop->feature == DW_FEATURE_CHECKPOINT_PROTECTION;
    if (drop->truncates && !protects && !dw__feature_marks_history(drop->feature)) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "HISTORY_TRUNCATION_NOT_ALLOWED",
                             "TRUNCATE HISTORY is for features that readers need; '%.*s' is a "
                             "writer's: leave it out",
                             DW_STR_ARG(drop->name));
    }
    if (protects && !drop->truncates) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "HISTORY_TRUNCATION_NEEDED",
                             "'%.*s' goes only with the history that it protects: use DROP FEATURE "
                             "%.*s TRUNCATE HISTORY",
                             DW_STR_ARG(drop->name), DW_STR_ARG(drop->name));
    }
    return DW_OK;
}

static dw_status
check(feature_drop *drop, const dw_log_snapshot *snapshot, dw_error *err)
{
    const dw_protocol *protocol = dw__log_snapshot_protocol(snapshot);
    DW_TRY(check_present(drop, protocol, err));
    if (!dw__feature_is_removable(drop->feature)) {
        return dw__error_set(err, DW_UNSUPPORTED, "FEATURE_STAYS",
                             "the feature '%.*s' cannot be dropped: Delta has no way to drop it",
                             DW_STR_ARG(drop->name));
    }
    DW_TRY(check_truncation(drop, err));
    dw_feature dependent = dw__protocol_dependent(protocol, drop->feature);
    if (dependent != DW_FEATURE_COUNT) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "FEATURE_IN_USE",
                             "the feature '%.*s' cannot be dropped: the table's feature '%.*s' "
                             "needs it",
                             DW_STR_ARG(drop->name), DW_STR_ARG(dw__feature_spec(dependent)->name));
    }
    return dw__protocol_check_write(protocol, dw__log_snapshot_schema(snapshot), err);
}

/* ---- The commit that drops it ---------------------------------------------------------------- */

/* What goes with the feature only now, because it may be used until then. */
static dw_status
unset_last(dw_alter *alter, const feature_drop *drop, dw_error *err)
{
    static const dw_str tracking_keys[] = {
        {"delta.enableRowTracking", 23},
        {"delta.rowTrackingSuspended", 26},
        {"delta.rowTracking.materializedRowIdColumnName", 45},
        {"delta.rowTracking.materializedRowCommitVersionColumnName", 56}};
    if (drop->feature == DW_FEATURE_MATERIALIZE_PARTITION_COLUMNS) {
        (void) dw__alter_unset(alter, DW_STR("delta.enableMaterializePartitionColumnsFeature"));
    }
    if (drop->feature != DW_FEATURE_ROW_TRACKING) {
        return DW_OK;
    }
    for (size_t i = 0; i < sizeof(tracking_keys) / sizeof(tracking_keys[0]); i++) {
        (void) dw__alter_unset(alter, tracking_keys[i]);
    }
    dw_action *gone = DW_ARENA_NEW(&alter->arena, dw_action);
    if (gone == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < dw__log_snapshot_domain_count(alter->snapshot); i++) {
        const dw_domain *domain = dw__log_snapshot_domain(alter->snapshot, i);
        if (dw__str_equal(domain->domain, DW_STR("delta.rowTracking"))) {
            *gone = (dw_action){.kind = DW_ACTION_DOMAIN, .as.domain = *domain};
            gone->as.domain.removed = true;
            alter->more = gone;
            alter->more_count = 1;
        }
    }
    return DW_OK;
}

static dw_status
protect_history(dw_alter *alter, dw_error *err)
{
    dw_str version =
        dw__arena_printf(&alter->arena, "%" PRId64, dw__log_snapshot_version(alter->snapshot) + 1);
    if (dw__str_is_null(version)) {
        return dw__error_oom(err);
    }
    dw__alter_set(alter, PROTECTION_KEY, version);
    return DW_OK;
}

/* Others may have committed since the traces were cleared. */
static dw_status
check_clear(const feature_drop *drop, const dw_log_snapshot *snapshot, dw_error *err)
{
    bool is_clear;
    DW_TRY(dw__feature_is_clear(snapshot, drop->feature, &is_clear, err));
    return is_clear ? DW_OK
                    : dw__error_set(err, DW_CONFLICT, "FEATURE_IN_USE_AGAIN",
                                    "another writer began to use the feature '%.*s' again: run "
                                    "the statement once more",
                                    DW_STR_ARG(drop->name));
}

static dw_status
change_protocol(const feature_drop *drop, dw_alter *alter, dw_strbuf *parameters, dw_error *err)
{
    bool protects = dw__feature_marks_history(drop->feature) && !drop->truncates;
    DW_TRY(unset_last(alter, drop, err));
    if (protects) {
        DW_TRY(protect_history(alter, err));
    }
    DW_TRY(dw__protocol_without(dw__log_snapshot_protocol(alter->snapshot), drop->feature,
                                protects ? DW_FEATURE_CHECKPOINT_PROTECTION : DW_FEATURE_COUNT,
                                &alter->arena, &alter->protocol, err));
    alter->has_protocol = true;
    /* The version that is protected is this one: no other may come between. */
    alter->reads_all_files = true;
    dw__change_put_parameter(parameters, "featureName", drop->name);
    dw__json_put_key(parameters, DW_STR("truncateHistory"));
    dw__strbuf_append(parameters, drop->truncates ? DW_STR("true") : DW_STR("false"));
    return DW_OK;
}

static dw_status
change_clear(dw_alter *alter, void *ctx, dw_strbuf *parameters, dw_error *err)
{
    const feature_drop *drop = ctx;
    DW_TRY(check_clear(drop, alter->snapshot, err));
    return change_protocol(drop, alter, parameters, err);
}

/* What the commit would do that drops it. Which files are written again before it is told as the
 * files that use the feature. */
static dw_status
change_planned(dw_alter *alter, void *ctx, dw_strbuf *parameters, dw_error *err)
{
    const feature_drop *drop = ctx;
    const dw_file_set *files = dw__log_snapshot_files(alter->snapshot);
    alter->rewrite_count =
        drop->feature == DW_FEATURE_DELETION_VECTORS ? dw__file_set_dv_count(files)
        : drop->feature == DW_FEATURE_COLUMN_MAPPING || drop->feature == DW_FEATURE_TYPE_WIDENING
            ? dw__file_set_count(files)
            : 0;
    return change_protocol(drop, alter, parameters, err);
}

static dw_status
run_once(feature_drop *drop, dw_alter_step step, dw_error *err)
{
    return dw__alter_run(drop->table, 1, "DROP FEATURE", step, drop, drop->report, err);
}

/* Whoever only adds rows meanwhile is no obstacle. */
static dw_status
commit(feature_drop *drop, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    dw_status status = DW_CONFLICT;
    for (int i = 0; i < CONFLICTS_MAX && status == DW_CONFLICT; i++) {
        dw__error_clear(&cause);
        status = run_once(drop, change_clear, &cause);
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
    }
    return status;
}

/* ---- The ways -------------------------------------------------------------------------------- */

static dw_status
drop_at_once(feature_drop *drop, dw_error *err)
{
    bool cleared;
    bool protects = dw__feature_marks_history(drop->feature);
    DW_TRY(dw__feature_clear(drop->table, drop->connection, drop->feature, &cleared, err));
    for (int i = 0; protects && i < BARRIER_COUNT; i++) {
        DW_TRY(dw__history_put_barrier(drop->table, err));
    }
    DW_TRY(commit(drop, err));
    if (!protects) {
        return DW_OK;
    }
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(drop->table), &snapshot, err));
    return dw__log_checkpoint(snapshot, err);
}

static dw_status
wait_for_retention(const feature_drop *drop, const char *code, const char *what, dw_error *err)
{
    return dw__error_set(err, DW_CONFLICT, code,
                         "%s the feature '%.*s': it can go when they are older than "
                         "delta.dropFeatureTruncateHistory.retentionDuration (24 hours unless "
                         "set); then run the statement again, or without TRUNCATE HISTORY now",
                         what, DW_STR_ARG(drop->name));
}

static dw_status
drop_with_history(feature_drop *drop, dw_error *err)
{
    bool cleared, uses;
    DW_TRY(dw__feature_clear(drop->table, drop->connection, drop->feature, &cleared, err));
    DW_TRY(dw__history_put_barrier(drop->table, err));
    if (cleared) {
        return wait_for_retention(drop, "WAIT_FOR_RETENTION_PERIOD",
                                  "the newest version is free of it, but older versions use", err);
    }
    DW_TRY(dw__history_truncate(drop->table, err));
    DW_TRY(dw__history_uses(drop->table, drop->feature, &uses, err));
    if (uses) {
        return wait_for_retention(drop, "HISTORICAL_VERSIONS_EXIST",
                                  "the log still has versions that use", err);
    }
    return commit(drop, err);
}

/* Without the history that it protects the protection has nothing to do. */
static dw_status
drop_protection(feature_drop *drop, int64_t before_version, dw_error *err)
{
    bool is_gone;
    dw_alter_report unset = {.limits = drop->report->limits};
    dw_str key = PROTECTION_KEY;
    DW_TRY(dw__history_begins_behind(drop->table, before_version, &is_gone, err));
    if (!is_gone) {
        DW_TRY(dw__history_put_barrier(drop->table, err));
        DW_TRY(dw__history_truncate(drop->table, err));
        DW_TRY(dw__history_begins_behind(drop->table, before_version, &is_gone, err));
    }
    if (!is_gone) {
        return dw__error_set(
            err, DW_CONFLICT, "WAIT_FOR_RETENTION_PERIOD",
            "the log still has versions before %" PRId64 " that need '%.*s': it can go when they "
            "are older than delta.dropFeatureTruncateHistory.retentionDuration (24 hours unless "
            "set); then run the statement again",
            before_version, DW_STR_ARG(drop->name));
    }
    DW_TRY(dw__table_unset_properties(drop->table, &key, 1, true, &unset, err));
    return commit(drop, err);
}

dw_status
dw__table_drop_feature(dw_table *table, dw_connection *connection, dw_str name, bool truncates,
                       dw_alter_report *report, dw_error *err)
{
    report->version = -1;
    feature_drop drop = {.table = table,
                         .connection = connection,
                         .name = name,
                         .truncates = truncates,
                         .report = report};
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, err));
    DW_TRY(check(&drop, snapshot, err));
    if (report->is_dry_run) {
        return run_once(&drop, change_planned, err);
    }
    if (drop.feature == DW_FEATURE_CHECKPOINT_PROTECTION) {
        DW_TRY(drop_protection(
            &drop, dw__log_snapshot_properties(snapshot)->checkpoint_protection_version, err));
    } else if (truncates) {
        DW_TRY(drop_with_history(&drop, err));
    } else {
        DW_TRY(drop_at_once(&drop, err));
    }
    return DW_OK;
}
