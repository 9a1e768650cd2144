/*
 * SET TBLPROPERTIES and UNSET TBLPROPERTIES.
 */
#include "base/assert.h"
#include "protocol/column_mapping.h"
#include "table/alter_core.h"
#include "table/alter_mapping.h"
#include "table/change.h"
#include "table/expectation.h"
#include "txn/row_backfill.h"

#define LIST_BYTES_MAX ((size_t) 16 << 20)
#define FEATURE_PREFIX DW_STR("delta.feature.")
#define ROW_TRACKING_KEY DW_STR("delta.enableRowTracking")
#define COMMENT_KEY DW_STR("comment")

/* ---- SET ------------------------------------------------------------------------------------- */

static bool
is_protocol_key(dw_str key)
{
    return dw__str_starts_with(key, FEATURE_PREFIX) ||
           dw__str_equal(key, DW_STR("delta.minReaderVersion")) ||
           dw__str_equal(key, DW_STR("delta.minWriterVersion"));
}

static dw_status
refuse(dw_str key, const char *why, dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, "PROPERTY_INVALID", "'%.*s': %s",
                         DW_STR_ARG(key), why);
}

/* What no property of a table may be, as in the reference. */
static dw_status
check_settable(const dw_pair *pair, dw_error *err)
{
    if (dw__str_equal(pair->key, DW_STR("location")) ||
        dw__str_equal(pair->key, DW_STR("provider")) ||
        dw__str_equal(pair->key, DW_STR("external"))) {
        return refuse(pair->key, "a table's place and format cannot be set", err);
    }
    if (dw__str_equal(pair->key, DW_STR("delta.feature.clustering"))) {
        return refuse(pair->key, "clustering comes with clustering columns", err);
    }
    if (dw__str_starts_with(pair->key, DW_STR("delta.constraints."))) {
        return refuse(pair->key, "use ALTER TABLE ... ADD CONSTRAINT", err);
    }
    if (dw__is_expectation_key(pair->key)) {
        return refuse(pair->key, "use ALTER TABLE ... ADD EXPECTATION", err);
    }
    return dw__property_check(pair->key, pair->value, err);
}

/* Iceberg's readers want more of files than Delta's: partition columns and the ids of elements in
 * them, and no deletion vectors. */
static void
prepare_iceberg(dw_alter *alter, dw_connection *connection, const dw_pair *pair)
{
    bool is_v2 = dw__str_equal(pair->key, DW_STR("delta.enableIcebergCompatV2"));
    const dw_str *before =
        dw__pairs_get(&dw__log_snapshot_metadata(alter->snapshot)->configuration, pair->key);
    bool was_true = before != NULL && dw__str_equal_nocase(*before, DW_STR("true"));
    if ((!is_v2 && !dw__str_equal(pair->key, DW_STR("delta.enableIcebergCompatV1"))) || was_true ||
        !dw__str_equal_nocase(pair->value, DW_STR("true"))) {
        return;
    }
    const dw_file_set *files = dw__log_snapshot_files(alter->snapshot);
    bool is_nested = false;
    for (size_t i = 0; i < alter->schema->field_count; i++) {
        is_nested |= dw__type_is_nested(alter->schema->fields[i].type);
    }
    if (dw__file_set_count(files) > 0 &&
        (alter->metadata.partition_column_count > 0 || (is_v2 && is_nested) ||
         dw__file_set_dv_count(files) > 0)) {
        alter->rewrites_with = connection;
    }
}

typedef struct property_set {
    dw_connection *connection;
    const dw_pairs *properties;
} property_set;

static dw_status
set_all(dw_alter *alter, void *ctx, dw_strbuf *parameters, dw_error *err)
{
    const property_set *set = ctx;
    const dw_pairs *properties = set->properties;
    DW_AUTO(dw_strbuf) list = dw__strbuf_make(alter->arena.allocator, LIST_BYTES_MAX);
    dw__strbuf_append_char(&list, '{');
    for (size_t i = 0; i < properties->count; i++) {
        const dw_pair *pair = &properties->items[i];
        DW_TRY(check_settable(pair, err));
        prepare_iceberg(alter, set->connection, pair);
        dw__json_put_key(&list, pair->key);
        dw__json_put_string(&list, pair->value);
        if (is_protocol_key(pair->key)) {
            dw__alter_want(alter, pair->key, pair->value);
        } else if (dw__str_equal(pair->key, COMMENT_KEY)) {
            alter->metadata.description = pair->value;
        } else {
            dw__alter_set(alter, pair->key, pair->value);
        }
    }
    dw__strbuf_append_char(&list, '}');
    DW_TRY(dw__strbuf_ok(&list, "the properties", err));
    dw__change_put_parameter(parameters, "properties", dw__strbuf_str(&list));
    return DW_OK;
}

/* The feature alone, where the table does not number its rows yet. */
static dw_status
support_row_tracking(dw_alter *alter, void *ctx, dw_strbuf *parameters, dw_error *err)
{
    bool *is_enabled = ctx;
    (void) err;
    *is_enabled = dw__log_snapshot_properties(alter->snapshot)->enable_row_tracking;
    if (!*is_enabled) {
        dw__alter_want(alter, DW_STR("delta.feature.rowTracking"), DW_STR("supported"));
    }
    dw__change_put_parameter(parameters, "properties",
                             DW_STR("{\"delta.feature.rowTracking\":\"supported\"}"));
    return DW_OK;
}

/* Row tracking is enabled only where every file has ids: the feature first, then the ids of the
 * files that are there, then the property. */
static dw_status
prepare_row_tracking(dw_table *table, const dw_pairs *properties, dw_error *err)
{
    const dw_str *value = dw__pairs_get(properties, ROW_TRACKING_KEY);
    if (value == NULL || !dw__str_equal_nocase(*value, DW_STR("true"))) {
        return DW_OK;
    }
    bool is_enabled;
    int64_t file_count;
    dw_alter_report done = {0};
    DW_TRY(dw__alter_run(table, 1, "SET TBLPROPERTIES", support_row_tracking, &is_enabled, &done,
                         err));
    return is_enabled ? DW_OK : dw__row_tracking_backfill(dw__table_log(table), &file_count, err);
}

/* The mode none is more than a property: files are written again, in a commit of their own. */
static dw_status
remove_mapping(dw_table *table, dw_connection *connection, const dw_pairs *properties,
               dw_alter_report *report, dw_error *err)
{
    const dw_str *mode = dw__pairs_get(properties, DW_MAPPING_MODE_KEY);
    return mode == NULL || !dw__str_equal_nocase(*mode, DW_STR("none"))
               ? DW_OK
               : dw__table_remove_mapping(table, connection, true, report, err);
}

static dw_status
check_all(const dw_pairs *properties, dw_error *err)
{
    for (size_t i = 0; i < properties->count; i++) {
        DW_TRY(check_settable(&properties->items[i], err));
    }
    return DW_OK;
}

dw_status
dw__table_set_properties(dw_table *table, dw_connection *connection, const dw_pairs *properties,
                         dw_alter_report *report, dw_error *err)
{
    report->version = -1;
    DW_TRY(check_all(properties, err)); /* before anything is committed */
    DW_TRY(remove_mapping(table, connection, properties, report, err));
    bool is_done = report->version >= 0 || report->effect_count > 0;
    if (is_done && properties->count == 1) {
        return DW_OK;
    }
    if (!report->is_dry_run) {
        DW_TRY(prepare_row_tracking(table, properties, err));
    }
    property_set set = {connection, properties};
    return dw__alter_run(table, properties->count, "SET TBLPROPERTIES", set_all, &set, report, err);
}

/* ---- UNSET ----------------------------------------------------------------------------------- */

static dw_status
check_unsettable(dw_str key, dw_error *err)
{
    if (dw__str_starts_with(key, FEATURE_PREFIX)) {
        return refuse(key, "use ALTER TABLE ... DROP FEATURE", err);
    }
    if (dw__str_starts_with(key, DW_STR("delta.constraints."))) {
        return refuse(key, "use ALTER TABLE ... DROP CONSTRAINT", err);
    }
    if (is_protocol_key(key) || dw__str_starts_with(key, DW_STR("delta.columnMapping.")) ||
        dw__str_starts_with(key, DW_STR("delta.rowTracking.materialized")) ||
        dw__str_starts_with(key, DW_STR("delta.inCommitTimestampEnablement"))) {
        return refuse(key, "writers keep it, and it cannot be unset", err);
    }
    return DW_OK;
}

static dw_status
unset_one(dw_alter *alter, dw_str key, bool if_exists, dw_error *err)
{
    DW_TRY(check_unsettable(key, err));
    bool found;
    if (dw__str_equal(key, COMMENT_KEY)) {
        found = !dw__str_is_null(alter->metadata.description);
        alter->metadata.description = DW_STR_NULL;
    } else {
        found = dw__alter_unset(alter, key);
    }
    return found || if_exists
               ? DW_OK
               : dw__error_set(
                     err, DW_NOT_FOUND, "PROPERTY_NOT_FOUND",
                     "the table has no property '%.*s' to unset; IF EXISTS lets that pass",
                     DW_STR_ARG(key));
}

dw_status
dw__alter_note_unset(dw_alter *alter, const dw_str *keys, size_t count, bool if_exists,
                     dw_strbuf *parameters, dw_error *err)
{
    DW_AUTO(dw_strbuf) list = dw__strbuf_make(alter->arena.allocator, LIST_BYTES_MAX);
    dw__change_print_list(&list, keys, count);
    DW_TRY(dw__strbuf_ok(&list, "the properties", err));
    dw__change_put_parameter(parameters, "properties", dw__strbuf_str(&list));
    dw__json_put_key(parameters, DW_STR("ifExists"));
    dw__strbuf_append(parameters, if_exists ? DW_STR("true") : DW_STR("false"));
    return DW_OK;
}

typedef struct property_unset {
    const dw_str *keys;
    size_t count;
    bool if_exists;
} property_unset;

static dw_status
unset_all(dw_alter *alter, void *ctx, dw_strbuf *parameters, dw_error *err)
{
    const property_unset *unset = ctx;
    for (size_t i = 0; i < unset->count; i++) {
        DW_TRY(unset_one(alter, unset->keys[i], unset->if_exists, err));
    }
    return dw__alter_note_unset(alter, unset->keys, unset->count, unset->if_exists, parameters,
                                err);
}

dw_status
dw__table_unset_properties(dw_table *table, const dw_str *keys, size_t count, bool if_exists,
                           dw_alter_report *report, dw_error *err)
{
    property_unset unset = {keys, count, if_exists};
    return dw__alter_run(table, 0, "UNSET TBLPROPERTIES", unset_all, &unset, report, err);
}
