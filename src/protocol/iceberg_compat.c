/*
 * The rules of icebergCompatV1 and icebergCompatV2.
 */
#include "protocol/iceberg_compat.h"

#include "base/assert.h"
#include "protocol/column_mapping.h"
#include "protocol/column_name.h"
#include "protocol/type_widening.h"

typedef struct compat_check {
    int version; /* 1 or 2 */
    const dw_protocol *protocol;
    const dw_properties *properties;
    dw_arena *scratch;
    dw_error *err;
} compat_check;

static bool
is_active(const dw_protocol *protocol, const dw_properties *properties, int version)
{
    return version == 1 ? properties->enable_iceberg_compat_v1 &&
                              dw__protocol_supports(protocol, DW_FEATURE_ICEBERG_COMPAT_V1)
                        : properties->enable_iceberg_compat_v2 &&
                              dw__protocol_supports(protocol, DW_FEATURE_ICEBERG_COMPAT_V2);
}

bool
dw__writes_partition_columns(const dw_protocol *protocol, const dw_properties *properties)
{
    return properties->write_partition_columns_to_parquet || is_active(protocol, properties, 1) ||
           is_active(protocol, properties, 2) ||
           dw__protocol_supports(protocol, DW_FEATURE_MATERIALIZE_PARTITION_COLUMNS);
}

/* ---- Types ----------------------------------------------------------------------------------- */

static bool
is_legal(int version, dw_type_kind kind)
{
    switch (kind) {
    case DW_TYPE_VOID:
        return false;
    case DW_TYPE_VARIANT:
        return version == 1; /* a later addition, of which its rules say nothing */
    case DW_TYPE_ARRAY:
    case DW_TYPE_MAP:
        return version == 2;
    case DW_TYPE_STRING:
    case DW_TYPE_LONG:
    case DW_TYPE_INTEGER:
    case DW_TYPE_SHORT:
    case DW_TYPE_BYTE:
    case DW_TYPE_FLOAT:
    case DW_TYPE_DOUBLE:
    case DW_TYPE_DECIMAL:
    case DW_TYPE_BOOLEAN:
    case DW_TYPE_BINARY:
    case DW_TYPE_DATE:
    case DW_TYPE_TIMESTAMP:
    case DW_TYPE_TIMESTAMP_NTZ:
    case DW_TYPE_STRUCT:
        return true;
    }
    dw_unreachable("every kind is listed");
}

/* Recursion is at most DW_SCHEMA_DEPTH_MAX deep. */
static dw_status
check_types(const compat_check *check, const dw_column_name *name, const dw_type *type)
{
    if (!is_legal(check->version, type->kind)) {
        char column[DW_COLUMN_NAME_SIZE];
        char text[DW_TYPE_TEXT_SIZE];
        return dw__error_set(check->err, DW_INVALID_ARGUMENT, "ICEBERG_COMPAT",
                             "delta.enableIcebergCompatV%d allows no %s: column %s: choose another "
                             "type or set the property to false",
                             check->version, dw__type_text(type, text),
                             dw__column_name_print(name, column));
    }
    for (size_t i = 0; i < type->field_count; i++) {
        dw_column_name field = {name, type->fields[i].name};
        DW_TRY(check_types(check, &field, type->fields[i].type));
    }
    if (type->key != NULL) {
        dw_column_name key = {name, DW_STR("key")};
        DW_TRY(check_types(check, &key, type->key));
    }
    if (type->element != NULL) {
        dw_column_name element = {name, type->key == NULL ? DW_STR("element") : DW_STR("value")};
        return check_types(check, &element, type->element);
    }
    return DW_OK;
}

/* ---- The other rules ------------------------------------------------------------------------- */

static dw_status
broken(const compat_check *check, const char *rule)
{
    return dw__error_set(check->err, DW_INVALID_ARGUMENT, "ICEBERG_COMPAT",
                         "delta.enableIcebergCompatV%d %s", check->version, rule);
}

static dw_status
check_features(const compat_check *check)
{
    if (check->properties->mapping_mode == DW_MAPPING_NONE) {
        return broken(check, "needs column mapping: set 'delta.columnMapping.mode' to 'name'");
    }
    bool supports_dvs = dw__protocol_supports(check->protocol, DW_FEATURE_DELETION_VECTORS);
    if (supports_dvs && (check->version == 1 || check->properties->enable_deletion_vectors)) {
        return broken(check, check->version == 1
                                 ? "allows no table that supports deletion vectors: drop the "
                                   "feature deletionVectors"
                                 : "allows no deletion vectors: set "
                                   "'delta.enableDeletionVectors' to 'false'");
    }
    return DW_OK;
}

/* Each element, key and value has an id, which the schema must bring along. */
static dw_status
check_nested_ids(const compat_check *check, const dw_type *schema)
{
    int64_t max_id = 0;
    const dw_type *complete;
    DW_TRY(dw__nested_ids_assign(schema, check->scratch, &max_id, &complete, check->err));
    return max_id == 0 ? DW_OK
                       : broken(check, "needs ids for elements, keys and values, and the schema "
                                       "lacks some: switch it off and on again");
}

static dw_status
check_rules(const compat_check *check, const dw_type *schema)
{
    DW_TRY(check_features(check));
    DW_TRY(check_types(check, NULL, schema));
    if (check->version == 2) {
        DW_TRY(check_nested_ids(check, schema));
    }
    if (dw__protocol_supports(check->protocol, DW_FEATURE_TYPE_WIDENING) ||
        dw__protocol_supports(check->protocol, DW_FEATURE_TYPE_WIDENING_PREVIEW)) {
        return dw__type_changes_check(schema, true, check->scratch, check->err);
    }
    return DW_OK;
}

dw_status
dw__iceberg_compat_check(const dw_protocol *protocol, const dw_properties *properties,
                         const dw_type *schema, dw_arena *scratch, dw_error *err)
{
    bool v1 = is_active(protocol, properties, 1);
    bool v2 = is_active(protocol, properties, 2);
    if (!v1 && !v2) {
        return DW_OK;
    }
    if (v1 && v2) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "ICEBERG_COMPAT",
                             "delta.enableIcebergCompatV1 and delta.enableIcebergCompatV2 exclude "
                             "each other: set one to false");
    }
    compat_check check = {.version = v1 ? 1 : 2,
                          .protocol = protocol,
                          .properties = properties,
                          .scratch = scratch,
                          .err = err};
    return check_rules(&check, schema);
}

static bool
is_true(const dw_pairs *configuration, dw_str key)
{
    const dw_str *value = dw__pairs_get(configuration, key);
    return value != NULL && dw__str_equal_nocase(*value, DW_STR("true"));
}

static bool
is_enabled(const dw_pairs *configuration)
{
    return is_true(configuration, DW_STR("delta.enableIcebergCompatV1")) ||
           is_true(configuration, DW_STR("delta.enableIcebergCompatV2"));
}

dw_status
dw__iceberg_compat_check_replace(const dw_metadata *before, const dw_metadata *metadata,
                                 dw_error *err)
{
    size_t count = before->partition_column_count;
    bool same = count == metadata->partition_column_count;
    for (size_t i = 0; i < count && same; i++) {
        same = dw__str_equal_nocase(before->partition_columns[i], metadata->partition_columns[i]);
    }
    if (same || count == 0 || !is_enabled(&metadata->configuration)) {
        return DW_OK;
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT, "ICEBERG_COMPAT",
                         "a table for Iceberg's readers (delta.enableIcebergCompatV1 or V2) keeps "
                         "its partition columns when it is replaced: partition by the same ones, "
                         "or make another table");
}

dw_status
dw__iceberg_compat_complete(dw_pairs *configuration, dw_arena *arena, dw_error *err)
{
    if (!is_enabled(configuration) || dw__pairs_get(configuration, DW_MAPPING_MODE_KEY) != NULL) {
        return DW_OK;
    }
    dw_pair *items = DW_ARENA_ARRAY(arena, dw_pair, configuration->count + 1);
    if (items == NULL) {
        return dw__error_oom(err);
    }
    memcpy(items, configuration->items, configuration->count * sizeof(*items));
    items[configuration->count++] = (dw_pair){.key = DW_MAPPING_MODE_KEY, .value = DW_STR("name")};
    configuration->items = items;
    return DW_OK;
}
