/*
 * The protocol of a new table: the smallest versions that carry what schema and properties ask for.
 * PROTOCOL.md "Table Features for New and Existing Tables".
 */
#include "base/assert.h"
#include "protocol/feature.h"
#include "protocol/feature_use.h"
#include "protocol/property.h"

#define FEATURE_PREFIX DW_STR("delta.feature.")

/* Properties that ask for a feature when they are true. */
static const struct {
    dw_str key;
    dw_feature feature;
} asking_properties[] = {
    {{"delta.enableDeletionVectors", 27}, DW_FEATURE_DELETION_VECTORS},
    {{"delta.enableChangeDataFeed", 26}, DW_FEATURE_CHANGE_DATA_FEED},
    {{"delta.enableRowTracking", 23}, DW_FEATURE_ROW_TRACKING},
    {{"delta.enableInCommitTimestamps", 30}, DW_FEATURE_IN_COMMIT_TIMESTAMP},
    {{"delta.enableTypeWidening", 24}, DW_FEATURE_TYPE_WIDENING},
    {{"delta.enableIcebergCompatV1", 27}, DW_FEATURE_ICEBERG_COMPAT_V1},
    {{"delta.enableIcebergCompatV2", 27}, DW_FEATURE_ICEBERG_COMPAT_V2},
    {{"delta.enableVariantShredding", 28}, DW_FEATURE_VARIANT_SHREDDING},
    {{"delta.enableMaterializePartitionColumnsFeature", 46},
     DW_FEATURE_MATERIALIZE_PARTITION_COLUMNS},
};

/* Column metadata that asks for a feature. */
static const struct {
    dw_field_trait trait;
    dw_feature feature;
} asking_traits[] = {
    {DW_FIELD_GENERATED, DW_FEATURE_GENERATED_COLUMNS},
    {DW_FIELD_IDENTITY, DW_FEATURE_IDENTITY_COLUMNS},
    {DW_FIELD_DEFAULT, DW_FEATURE_ALLOW_COLUMN_DEFAULTS},
};

/* What a feature cannot be without. */
static const struct {
    dw_feature feature;
    dw_feature needs;
} dependencies[] = {
    {DW_FEATURE_ROW_TRACKING, DW_FEATURE_DOMAIN_METADATA},
    {DW_FEATURE_CLUSTERING, DW_FEATURE_DOMAIN_METADATA},
    {DW_FEATURE_ICEBERG_COMPAT_V1, DW_FEATURE_COLUMN_MAPPING},
    {DW_FEATURE_ICEBERG_COMPAT_V2, DW_FEATURE_COLUMN_MAPPING},
    {DW_FEATURE_VARIANT_SHREDDING, DW_FEATURE_VARIANT_TYPE},
};

dw_feature
dw__protocol_dependent(const dw_protocol *protocol, dw_feature feature)
{
    for (size_t i = 0; i < sizeof(dependencies) / sizeof(dependencies[0]); i++) {
        if (dependencies[i].needs == feature &&
            dw__protocol_supports(protocol, dependencies[i].feature)) {
            return dependencies[i].feature;
        }
    }
    return DW_FEATURE_COUNT;
}

static dw_status
add_named_feature(dw_feature_set *set, dw_str key, dw_error *err)
{
    dw_str name = dw__str_slice(key, FEATURE_PREFIX.len, key.len);
    dw_feature feature = dw__feature_by_name(name);
    if (feature == DW_FEATURE_COUNT) {
        return dw__error_set(err, DW_UNSUPPORTED, "FEATURE_UNSUPPORTED",
                             "this version of Deltaworks does not know the table feature '%.*s'",
                             DW_STR_ARG(name));
    }
    set->has[feature] = true;
    return DW_OK;
}

static void
add_version(dw_str value, int32_t max, int32_t *version)
{
    int64_t wanted;
    if (dw__str_to_i64(value, &wanted) && wanted > *version && wanted <= max) {
        *version = (int32_t) wanted;
    }
}

static dw_status
add_property(dw_feature_set *set, const dw_pair *pair, dw_error *err)
{
    if (dw__str_starts_with(pair->key, FEATURE_PREFIX)) {
        return add_named_feature(set, pair->key, err);
    }
    if (dw__str_starts_with(pair->key, DW_STR("delta.constraints."))) {
        set->has[DW_FEATURE_CHECK_CONSTRAINTS] = true;
    } else if (dw__str_equal(pair->key, DW_STR("delta.minReaderVersion"))) {
        add_version(pair->value, 2, &set->min_reader_version);
    } else if (dw__str_equal(pair->key, DW_STR("delta.minWriterVersion"))) {
        add_version(pair->value, 7, &set->min_writer_version);
    }
    for (size_t i = 0; i < sizeof(asking_properties) / sizeof(asking_properties[0]); i++) {
        if (dw__str_equal(pair->key, asking_properties[i].key) &&
            dw__str_equal_nocase(pair->value, DW_STR("true"))) {
            set->has[asking_properties[i].feature] = true;
        }
    }
    return DW_OK;
}

static void
add_schema(dw_feature_set *set, const dw_type *schema)
{
    set->has[DW_FEATURE_TIMESTAMP_NTZ] |= dw__schema_has_kind(schema, DW_TYPE_TIMESTAMP_NTZ);
    set->has[DW_FEATURE_VARIANT_TYPE] |= dw__schema_has_kind(schema, DW_TYPE_VARIANT);
    for (size_t i = 0; i < sizeof(asking_traits) / sizeof(asking_traits[0]); i++) {
        set->has[asking_traits[i].feature] |=
            dw__schema_find_trait(schema, asking_traits[i].trait) != NULL;
    }
}

dw_status
dw__feature_set_collect(dw_feature_set *set, const dw_type *schema, const dw_pairs *configuration,
                        dw_error *err)
{
    for (size_t i = 0; i < configuration->count; i++) {
        DW_TRY(add_property(set, &configuration->items[i], err));
    }
    dw_properties properties;
    dw__properties_read(configuration, &properties, NULL);
    set->has[DW_FEATURE_COLUMN_MAPPING] |= properties.mapping_mode != DW_MAPPING_NONE;
    set->has[DW_FEATURE_V2_CHECKPOINT] |= properties.checkpoint_policy_v2;
    add_schema(set, schema);
    for (size_t i = 0; i < sizeof(dependencies) / sizeof(dependencies[0]); i++) {
        set->has[dependencies[i].needs] |= set->has[dependencies[i].feature];
    }
    return DW_OK;
}

/* ---- From the set to the protocol ------------------------------------------------------------ */

/* The versions by which the set is expressed without lists; false when one needs a list. */
static bool
find_legacy_versions(const dw_feature_set *set, dw_protocol *out)
{
    out->min_reader_version = set->min_reader_version;
    out->min_writer_version = set->min_writer_version;
    for (unsigned i = 0; i < DW_FEATURE_COUNT; i++) {
        const dw_feature_spec *spec = dw__feature_spec((dw_feature) i);
        if (!set->has[i]) {
            continue;
        }
        if (spec->legacy_writer == 0) {
            return false;
        }
        if (spec->legacy_writer > out->min_writer_version) {
            out->min_writer_version = spec->legacy_writer;
        }
        if (spec->legacy_reader > out->min_reader_version) {
            out->min_reader_version = spec->legacy_reader;
        }
    }
    return out->min_writer_version < 7;
}

static bool
list_features(const dw_feature_set *set, dw_arena *arena, dw_protocol *out)
{
    out->writer_features = DW_ARENA_ARRAY(arena, dw_str, DW_FEATURE_COUNT);
    out->reader_features = DW_ARENA_ARRAY(arena, dw_str, DW_FEATURE_COUNT);
    if (out->writer_features == NULL || out->reader_features == NULL) {
        return false;
    }
    for (unsigned i = 0; i < DW_FEATURE_COUNT; i++) {
        const dw_feature_spec *spec = dw__feature_spec((dw_feature) i);
        if (!set->has[i]) {
            continue;
        }
        out->writer_features[out->writer_feature_count++] = spec->name;
        if (spec->is_reader_feature) {
            out->reader_features[out->reader_feature_count++] = spec->name;
        }
    }
    out->has_writer_features = true;
    out->has_reader_features = out->reader_feature_count > 0;
    out->min_writer_version = 7;
    out->min_reader_version = out->has_reader_features ? 3 : 1;
    return true;
}

dw_status
dw__protocol_for_new_table(const dw_type *schema, const dw_pairs *configuration, dw_arena *arena,
                           dw_protocol *out, dw_error *err)
{
    *out = (dw_protocol){.min_reader_version = 0};
    dw_feature_set set = {.min_reader_version = 1, .min_writer_version = 2};
    set.has[DW_FEATURE_APPEND_ONLY] = true;
    set.has[DW_FEATURE_INVARIANTS] = true;
    DW_TRY(dw__feature_set_collect(&set, schema, configuration, err));
    dw_protocol protocol = {.min_reader_version = 0};
    if (!find_legacy_versions(&set, &protocol)) {
        protocol = (dw_protocol){.min_reader_version = 0};
        if (!list_features(&set, arena, &protocol)) {
            return dw__error_oom(err);
        }
    }
    dw_assert(protocol.min_reader_version >= 1 && protocol.min_writer_version >= 2);
    *out = protocol;
    return DW_OK;
}
