/*
 * DROP FEATURE: writer features that left nothing behind which a reader of old versions needs to
 * know of.
 */
#include "base/assert.h"
#include "table/alter_core.h"
#include "table/change.h"

#include <inttypes.h>

#define PARAMETERS_BYTES_MAX ((size_t) 65536)

static dw_status
refuse(dw_str name, const char *why, dw_error *err)
{
    return dw__error_set(err, DW_UNSUPPORTED, "FEATURE_STAYS",
                         "the feature '%.*s' cannot be dropped: %s", DW_STR_ARG(name), why);
}

static dw_status
in_use(dw_str name, dw_str what, const char *advice, dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, "FEATURE_IN_USE",
                         "the feature '%.*s' is in use: %.*s: %s", DW_STR_ARG(name),
                         DW_STR_ARG(what), advice);
}

static dw_status
drop_constraints(const dw_alter *alter, dw_str name, dw_error *err)
{
    const dw_pairs *pairs = &alter->metadata.configuration;
    for (size_t i = 0; i < pairs->count; i++) {
        if (dw__str_starts_with(pairs->items[i].key, DW_STR("delta.constraints."))) {
            return in_use(name, pairs->items[i].key, "drop the constraint first", err);
        }
    }
    return DW_OK;
}

static void
drop_in_commit_timestamps(dw_alter *alter)
{
    (void) dw__alter_unset(alter, DW_STR("delta.enableInCommitTimestamps"));
    (void) dw__alter_unset(alter, DW_STR("delta.inCommitTimestampEnablementVersion"));
    (void) dw__alter_unset(alter, DW_STR("delta.inCommitTimestampEnablementTimestamp"));
}

static dw_status
drop_domains(const dw_alter *alter, dw_str name, dw_error *err)
{
    const dw_protocol *protocol = dw__log_snapshot_protocol(alter->snapshot);
    if (dw__protocol_supports(protocol, DW_FEATURE_ROW_TRACKING) ||
        dw__protocol_supports(protocol, DW_FEATURE_CLUSTERING)) {
        return refuse(name, "rowTracking and clustering need it", err);
    }
    if (dw__log_snapshot_domain_count(alter->snapshot) > 0) {
        return in_use(name, dw__log_snapshot_domain(alter->snapshot, 0)->domain,
                      "the table has domain metadata", err);
    }
    return DW_OK;
}

/* Takes what puts the feature to use out of the metadata. */
static dw_status
clear_traces(dw_alter *alter, dw_feature feature, bool truncates, dw_error *err)
{
    dw_str name = dw__feature_spec(feature)->name;
    if (dw__feature_spec(feature)->is_reader_feature) {
        return refuse(name,
                      "versions that the log still has need it of their readers, and rewriting "
                      "them is not supported: drop it with Spark",
                      err);
    }
    switch ((unsigned) feature) {
    case DW_FEATURE_CHECK_CONSTRAINTS:
        DW_TRY(drop_constraints(alter, name, err));
        break;
    case DW_FEATURE_IN_COMMIT_TIMESTAMP:
        drop_in_commit_timestamps(alter);
        break;
    case DW_FEATURE_MATERIALIZE_PARTITION_COLUMNS:
        (void) dw__alter_unset(alter, DW_STR("delta.enableMaterializePartitionColumnsFeature"));
        break;
    case DW_FEATURE_DOMAIN_METADATA:
        DW_TRY(drop_domains(alter, name, err));
        break;
    case DW_FEATURE_ROW_TRACKING:
        return refuse(name, "its ids would have to be taken from every file: drop it with Spark",
                      err);
    case DW_FEATURE_CHECKPOINT_PROTECTION:
        return refuse(name,
                      "the history that it protects would have to be cut off: drop it with "
                      "Spark",
                      err);
    default:
        return refuse(name, "Delta has no way to drop it", err);
    }
    return truncates ? dw__error_set(err, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                     "TRUNCATE HISTORY is for features that readers need; '%.*s' "
                                     "is a writer's",
                                     DW_STR_ARG(name))
                     : DW_OK;
}

static dw_status
drop(dw_alter *alter, dw_str name, bool truncates, dw_strbuf *parameters, dw_error *err)
{
    dw_feature feature = dw__feature_by_name(name);
    const dw_protocol *before = dw__log_snapshot_protocol(alter->snapshot);
    if (feature == DW_FEATURE_COUNT || !dw__protocol_supports(before, feature)) {
        return dw__error_set(err, DW_NOT_FOUND, "FEATURE_NOT_FOUND",
                             "the table does not have the feature '%.*s'", DW_STR_ARG(name));
    }
    DW_TRY(clear_traces(alter, feature, truncates, err));
    DW_TRY(dw__protocol_without(before, feature, &alter->arena, &alter->protocol, err));
    alter->has_protocol = true;
    dw__change_put_parameter(parameters, "featureName", name);
    dw__json_put_key(parameters, DW_STR("truncateHistory"));
    dw__strbuf_append(parameters, truncates ? DW_STR("true") : DW_STR("false"));
    return DW_OK;
}

dw_status
dw__table_drop_feature(dw_table *table, dw_str name, bool truncates, int64_t *version_out,
                       dw_error *err)
{
    *version_out = -1;
    DW_AUTO(dw_strbuf) parameters =
        dw__strbuf_make(dw__table_env(table)->allocator, PARAMETERS_BYTES_MAX);
    dw_alter alter;
    dw_status status = dw__alter_open(&alter, table, 0, err);
    if (status == DW_OK) {
        status = drop(&alter, name, truncates, &parameters, err);
    }
    if (status == DW_OK) {
        status = dw__alter_commit(&alter, "DROP FEATURE", &parameters, version_out, err);
    }
    dw__alter_close(&alter);
    return status;
}
