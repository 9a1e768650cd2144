/*
 * Changes of the protocol and of metadata that leave data valid which was written before them.
 */
#include "txn/definition.h"

#include "base/assert.h"
#include "protocol/property.h"

#define MAPPING_PREFIX DW_STR("delta.columnMapping.")

/* ---- Protocols ------------------------------------------------------------------------------- */

/* Data that was written before the table got the feature is as good as what is written after. */
static bool
is_safe_to_gain(dw_feature feature)
{
    switch (feature) {
    case DW_FEATURE_APPEND_ONLY:
    case DW_FEATURE_CHANGE_DATA_FEED:
    case DW_FEATURE_COLUMN_MAPPING:
    case DW_FEATURE_TIMESTAMP_NTZ:
    case DW_FEATURE_DELETION_VECTORS:
    case DW_FEATURE_ROW_TRACKING:
    case DW_FEATURE_DOMAIN_METADATA:
    case DW_FEATURE_ICEBERG_COMPAT_V1:
    case DW_FEATURE_ICEBERG_COMPAT_V2:
    case DW_FEATURE_V2_CHECKPOINT:
    case DW_FEATURE_TYPE_WIDENING:
    case DW_FEATURE_TYPE_WIDENING_PREVIEW:
    case DW_FEATURE_IN_COMMIT_TIMESTAMP:
    case DW_FEATURE_VACUUM_PROTOCOL_CHECK:
        return true;
    case DW_FEATURE_INVARIANTS:
    case DW_FEATURE_CHECK_CONSTRAINTS:
    case DW_FEATURE_GENERATED_COLUMNS:
    case DW_FEATURE_IDENTITY_COLUMNS:
    case DW_FEATURE_ALLOW_COLUMN_DEFAULTS:
    case DW_FEATURE_CLUSTERING:
    case DW_FEATURE_VARIANT_TYPE:
    case DW_FEATURE_VARIANT_TYPE_PREVIEW:
    case DW_FEATURE_VARIANT_SHREDDING:
    case DW_FEATURE_VARIANT_SHREDDING_PREVIEW:
    case DW_FEATURE_MATERIALIZE_PARTITION_COLUMNS:
    case DW_FEATURE_CHECKPOINT_PROTECTION:
        return false;
    case DW_FEATURE_COUNT:
        break;
    }
    dw_unreachable("feature");
}

/* Nobody here knows what such a feature means. */
static bool
lists_unknown(const dw_protocol *protocol)
{
    for (size_t i = 0; i < protocol->writer_feature_count; i++) {
        if (dw__feature_by_name(protocol->writer_features[i]) == DW_FEATURE_COUNT) {
            return true;
        }
    }
    return false;
}

bool
dw__protocol_change_is_harmless(const dw_protocol *before, const dw_protocol *after)
{
    if (lists_unknown(before) || lists_unknown(after)) {
        return false;
    }
    for (int i = 0; i < DW_FEATURE_COUNT; i++) {
        bool had = dw__protocol_supports(before, (dw_feature) i);
        bool has = dw__protocol_supports(after, (dw_feature) i);
        if (had ? !has : has && !is_safe_to_gain((dw_feature) i)) {
            return false;
        }
    }
    return true;
}

/* True when the action puts the feature to use. */
static bool
is_trace(dw_feature feature, const dw_action *action)
{
    bool is_add = action->kind == DW_ACTION_ADD;
    switch ((unsigned) feature) {
    case DW_FEATURE_DELETION_VECTORS:
        return is_add && action->as.file.dv != NULL;
    case DW_FEATURE_ROW_TRACKING:
        return is_add && action->as.file.has_base_row_id;
    case DW_FEATURE_DOMAIN_METADATA:
        return action->kind == DW_ACTION_DOMAIN;
    case DW_FEATURE_CHECK_CONSTRAINTS:
    case DW_FEATURE_IN_COMMIT_TIMESTAMP:
    case DW_FEATURE_MATERIALIZE_PARTITION_COLUMNS:
        return false; /* metadata has the only traces, and a change of it stops this one anyway */
    default:
        return action->kind != DW_ACTION_COMMIT_INFO;
    }
}

bool
dw__protocol_drop_forbids(const dw_protocol *before, const dw_protocol *after,
                          const dw_action *action)
{
    for (int i = 0; i < DW_FEATURE_COUNT; i++) {
        if (dw__protocol_supports(before, (dw_feature) i) &&
            !dw__protocol_supports(after, (dw_feature) i) && is_trace((dw_feature) i, action)) {
            return true;
        }
    }
    return false;
}

/* ---- Schemas: the same but for the metadata of column mapping -------------------------------- */

static bool equal_json(dw_json a, dw_json b);

static bool
is_ignored(dw_str key)
{
    return dw__str_starts_with(key, MAPPING_PREFIX);
}

static size_t
count_members(dw_json object)
{
    size_t count = 0;
    dw_json_iter it = dw__json_iter(object);
    while (dw__json_next(&it)) {
        count += is_ignored(it.key) ? 0 : 1;
    }
    return count;
}

static bool
equal_objects(dw_json a, dw_json b)
{
    if (count_members(a) != count_members(b)) {
        return false;
    }
    dw_json_iter it = dw__json_iter(a);
    while (dw__json_next(&it)) {
        if (!is_ignored(it.key) && !equal_json(it.value, dw__json_get(b, it.key))) {
            return false;
        }
    }
    return true;
}

static bool
equal_arrays(dw_json a, dw_json b)
{
    dw_json_iter left = dw__json_iter(a);
    dw_json_iter right = dw__json_iter(b);
    while (dw__json_next(&left)) {
        if (!dw__json_next(&right) || !equal_json(left.value, right.value)) {
            return false;
        }
    }
    return !dw__json_next(&right);
}

/* Depth is at most DW_JSON_DEPTH_MAX. */
static bool
equal_json(dw_json a, dw_json b)
{
    if (dw__json_kind(a) != dw__json_kind(b)) {
        return false;
    }
    switch (dw__json_kind(a)) {
    case DW_JSON_MISSING:
    case DW_JSON_NULL:
        return true;
    case DW_JSON_BOOL:
        return dw__json_bool(a, false) == dw__json_bool(b, false);
    case DW_JSON_NUMBER:
        return dw__str_equal(dw__json_number(a), dw__json_number(b));
    case DW_JSON_STRING:
        return dw__str_equal(dw__json_str(a), dw__json_str(b));
    case DW_JSON_ARRAY:
        return equal_arrays(a, b);
    case DW_JSON_OBJECT:
        return equal_objects(a, b);
    }
    dw_unreachable("a kind is one of those above");
}

/* Files that were written before have the columns under their names. Depth is the schema's. */
static bool
keeps_names(const dw_type *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        if (!dw__str_equal(field->name, field->physical_name) || !keeps_names(field->type)) {
            return false;
        }
    }
    return (type->element == NULL || keeps_names(type->element)) &&
           (type->key == NULL || keeps_names(type->key));
}

/* Column mapping by name was switched on, and nothing else happened to the schema. */
static dw_status
only_maps_names(const dw_metadata *before, const dw_metadata *after, dw_arena *arena, bool *out,
                dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) old = NULL;
    DW_AUTO(dw_json_doc_ptr) new = NULL;
    const dw_type *schema;
    dw_properties was, is;
    dw__properties_read(&before->configuration, &was, NULL);
    dw__properties_read(&after->configuration, &is, NULL);
    *out = false;
    if (was.mapping_mode != DW_MAPPING_NONE || is.mapping_mode != DW_MAPPING_NAME) {
        return DW_OK;
    }
    DW_TRY(dw__json_parse(arena->allocator, before->schema_string, "the schema", &old, err));
    DW_TRY(dw__json_parse(arena->allocator, after->schema_string, "the schema", &new, err));
    DW_TRY(dw__schema_parse("the schema", after->schema_string, arena, &schema, err));
    *out = equal_json(dw__json_root(old), dw__json_root(new)) && keeps_names(schema);
    return DW_OK;
}

/* ---- Properties ------------------------------------------------------------------------------ */

typedef struct property_change {
    const dw_protocol *protocol;
    const dw_properties *before, *after;
    bool is_new;
} property_change;

static bool
enables_row_tracking(const property_change *c)
{
    return c->after->enable_row_tracking &&
           dw__protocol_supports(c->protocol, DW_FEATURE_ROW_TRACKING);
}

static bool
maps_names(const property_change *c)
{
    return c->before->mapping_mode == DW_MAPPING_NONE &&
           c->after->mapping_mode == DW_MAPPING_NAME &&
           dw__protocol_supports(c->protocol, DW_FEATURE_COLUMN_MAPPING);
}

static bool
enables_vectors(const property_change *c)
{
    return c->after->enable_deletion_vectors &&
           dw__protocol_supports(c->protocol, DW_FEATURE_DELETION_VECTORS);
}

static bool
asks_for_v2(const property_change *c)
{
    return c->after->checkpoint_policy_v2 &&
           dw__protocol_supports(c->protocol, DW_FEATURE_V2_CHECKPOINT);
}

static bool
enables_timestamps(const property_change *c)
{
    return c->after->enable_in_commit_timestamps &&
           dw__protocol_supports(c->protocol, DW_FEATURE_IN_COMMIT_TIMESTAMP);
}

static bool
is_new(const property_change *c)
{
    return c->is_new;
}

static bool
is_any(const property_change *c)
{
    (void) c;
    return true;
}

static const struct {
    const char *key;
    bool (*is_harmless)(const property_change *c);
} harmless[] = {
    {"delta.enableRowTracking", enables_row_tracking},
    {"delta.rowTracking.materializedRowIdColumnName", enables_row_tracking},
    {"delta.rowTracking.materializedRowCommitVersionColumnName", enables_row_tracking},
    {"delta.columnMapping.mode", maps_names},
    {"delta.columnMapping.maxColumnId", is_any},
    {"delta.enableDeletionVectors", enables_vectors},
    {"delta.checkpointPolicy", asks_for_v2},
    {"delta.enableInCommitTimestamps", enables_timestamps},
    {"delta.inCommitTimestampEnablementVersion", is_new},
    {"delta.inCommitTimestampEnablementTimestamp", is_new},
};

static bool
pair_is_harmless(const property_change *c, dw_str key)
{
    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        if (dw__str_equal(key, dw__str_from(harmless[i].key))) {
            return harmless[i].is_harmless(c);
        }
    }
    return false;
}

static bool
configuration_is_harmless(dw_definition before, const dw_metadata *after)
{
    const dw_pairs *old = &before.metadata->configuration;
    dw_properties was, is;
    dw__properties_read(old, &was, NULL);
    dw__properties_read(&after->configuration, &is, NULL);
    for (size_t i = 0; i < old->count; i++) {
        if (dw__pairs_get(&after->configuration, old->items[i].key) == NULL) {
            return false;
        }
    }
    for (size_t i = 0; i < after->configuration.count; i++) {
        const dw_pair *pair = &after->configuration.items[i];
        const dw_str *value = dw__pairs_get(old, pair->key);
        property_change change = {before.protocol, &was, &is, value == NULL};
        if ((value == NULL || !dw__str_equal(*value, pair->value)) &&
            !pair_is_harmless(&change, pair->key)) {
            return false;
        }
    }
    return true;
}

/* ---- The rest -------------------------------------------------------------------------------- */

static bool
equal_pairs(const dw_pairs *a, const dw_pairs *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++) {
        const dw_str *value = dw__pairs_get(b, a->items[i].key);
        equal = value != NULL && dw__str_equal(*value, a->items[i].value);
    }
    return equal;
}

/* All but schema and properties. */
static bool
equal_rest(const dw_metadata *a, const dw_metadata *b)
{
    return dw__str_equal(a->id, b->id) && dw__str_equal(a->name, b->name) &&
           dw__str_equal(a->description, b->description) &&
           dw__str_equal(a->format_provider, b->format_provider) &&
           equal_pairs(&a->format_options, &b->format_options) &&
           dw__str_lists_equal(a->partition_columns, a->partition_column_count,
                               b->partition_columns, b->partition_column_count) &&
           a->has_created_time == b->has_created_time && a->created_time_ms == b->created_time_ms;
}

dw_status
dw__metadata_change_is_harmless(dw_definition before, const dw_metadata *after, dw_arena *arena,
                                bool *out, dw_error *err)
{
    *out = equal_rest(before.metadata, after) && configuration_is_harmless(before, after);
    if (!*out || dw__str_equal(before.metadata->schema_string, after->schema_string)) {
        return DW_OK;
    }
    return only_maps_names(before.metadata, after, arena, out, err);
}
