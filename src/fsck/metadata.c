/*
 * Protocol and metadata: which features are listed, which are used, and what each needs. Rules B1
 * to B5, D, P1.
 */
#include "base/assert.h"
#include "fsck/core.h"
#include "table/expectation.h"

#include <inttypes.h>

/* ---- Protocol -------------------------------------------------------------------------------- */

static void
check_listed_writer_feature(dw_fsck *fsck, const dw_protocol *protocol, dw_str name)
{
    dw_feature feature = dw__feature_by_name(name);
    if (feature == DW_FEATURE_COUNT) {
        dw__fsck_find(fsck, DW_FSCK_NOTE, "B2", DW_STR_NULL,
                      "the feature '%.*s' is not known here: what it demands was not checked",
                      DW_STR_ARG(name));
        return;
    }
    const dw_feature_spec *spec = dw__feature_spec(feature);
    bool is_implied = spec->legacy_reader > 0 && protocol->min_reader_version < 3 &&
                      protocol->min_reader_version >= spec->legacy_reader;
    if (spec->is_reader_feature && !is_implied &&
        !dw__str_among(protocol->reader_features, protocol->reader_feature_count, name)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B3", DW_STR_NULL,
                      "the feature %.*s is a reader's, too: expected it in readerFeatures",
                      DW_STR_ARG(name));
    }
}

static void
check_listed_reader_feature(dw_fsck *fsck, dw_str name)
{
    dw_feature feature = dw__feature_by_name(name);
    if (feature != DW_FEATURE_COUNT && !dw__feature_spec(feature)->is_reader_feature) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B3", DW_STR_NULL,
                      "the feature %.*s is a writer's only: expected it in writerFeatures alone",
                      DW_STR_ARG(name));
    }
}

/* What the versions of a legacy protocol implied must be listed when features come to be. */
static void
check_upgrade(dw_fsck *fsck, const dw_protocol *protocol, const dw_protocol *before)
{
    if (before->min_writer_version >= 7 || protocol->min_writer_version < 7) {
        return;
    }
    for (int f = 0; f < DW_FEATURE_COUNT; f++) {
        if (dw__protocol_supports(before, (dw_feature) f) &&
            !dw__protocol_supports(protocol, (dw_feature) f)) {
            dw_str name = dw__feature_spec((dw_feature) f)->name;
            dw__fsck_find(fsck, DW_FSCK_WARNING, "B4", DW_STR_NULL,
                          "the protocol goes from writer version %d to 7 and loses the feature "
                          "%.*s, which version %d implied",
                          before->min_writer_version, DW_STR_ARG(name), before->min_writer_version);
        }
    }
}

static void
check_dependencies(dw_fsck *fsck, const dw_protocol *protocol)
{
    static const struct {
        const char *rule;
        dw_feature feature, needs;
    } needs[] = {
        {"D13", DW_FEATURE_ROW_TRACKING, DW_FEATURE_DOMAIN_METADATA},
        {"D14", DW_FEATURE_CLUSTERING, DW_FEATURE_DOMAIN_METADATA},
        {"D15", DW_FEATURE_ICEBERG_COMPAT_V1, DW_FEATURE_COLUMN_MAPPING},
        {"D16", DW_FEATURE_ICEBERG_COMPAT_V2, DW_FEATURE_COLUMN_MAPPING},
        {"D23", DW_FEATURE_VARIANT_SHREDDING, DW_FEATURE_VARIANT_TYPE},
    };
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        if (dw__protocol_supports(protocol, needs[i].feature) &&
            !dw__protocol_supports(protocol, needs[i].needs)) {
            dw__fsck_find(
                fsck, DW_FSCK_ERROR, needs[i].rule, DW_STR_NULL,
                "the feature %.*s needs the feature %.*s, which the protocol does not have",
                DW_STR_ARG(dw__feature_spec(needs[i].feature)->name),
                DW_STR_ARG(dw__feature_spec(needs[i].needs)->name));
        }
    }
}

void
dw__fsck_check_protocol(dw_fsck *fsck, const dw_protocol *protocol, const dw_protocol *before)
{
    dw_error cause = DW_ERROR_INIT;
    if (dw__protocol_check_read(protocol, &cause) == DW_CORRUPT) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B3", DW_STR_NULL, "%s", cause.message);
        return;
    }
    if (protocol->min_reader_version < 1 || protocol->min_writer_version < 1) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B2", DW_STR_NULL,
                      "expected versions from 1 on, found reader %d and writer %d",
                      protocol->min_reader_version, protocol->min_writer_version);
    }
    for (size_t i = 0; i < protocol->writer_feature_count; i++) {
        check_listed_writer_feature(fsck, protocol, protocol->writer_features[i]);
        if (dw__str_among(protocol->writer_features, i, protocol->writer_features[i])) {
            dw__fsck_find(fsck, DW_FSCK_WARNING, "B3", DW_STR_NULL,
                          "writerFeatures holds %.*s twice",
                          DW_STR_ARG(protocol->writer_features[i]));
        }
    }
    for (size_t i = 0; i < protocol->reader_feature_count; i++) {
        check_listed_reader_feature(fsck, protocol->reader_features[i]);
    }
    check_dependencies(fsck, protocol);
    if (before != NULL) {
        check_upgrade(fsck, protocol, before);
    }
}

/* ---- What is used must be supported ---------------------------------------------------------- */

static bool
supports_any(const dw_protocol *protocol, dw_feature a, dw_feature b)
{
    return dw__protocol_supports(protocol, a) || dw__protocol_supports(protocol, b);
}

static void
check_supported(dw_fsck *fsck, const char *rule, const char *what, dw_feature feature)
{
    const dw_protocol *protocol = fsck->state.protocol;
    dw_feature preview = feature == DW_FEATURE_TYPE_WIDENING  ? DW_FEATURE_TYPE_WIDENING_PREVIEW
                         : feature == DW_FEATURE_VARIANT_TYPE ? DW_FEATURE_VARIANT_TYPE_PREVIEW
                         : feature == DW_FEATURE_VARIANT_SHREDDING
                             ? DW_FEATURE_VARIANT_SHREDDING_PREVIEW
                             : feature;
    if (!supports_any(protocol, feature, preview)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, rule, DW_STR_NULL,
                      "%s needs the feature %.*s, which the protocol does not have", what,
                      DW_STR_ARG(dw__feature_spec(feature)->name));
    }
}

static void
check_properties_supported(dw_fsck *fsck)
{
    static const struct {
        const char *key, *rule;
        dw_feature feature;
    } uses[] = {
        {"delta.appendOnly", "D1", DW_FEATURE_APPEND_ONLY},
        {"delta.enableChangeDataFeed", "D4", DW_FEATURE_CHANGE_DATA_FEED},
        {"delta.enableDeletionVectors", "D9", DW_FEATURE_DELETION_VECTORS},
        {"delta.enableRowTracking", "D13", DW_FEATURE_ROW_TRACKING},
        {"delta.enableIcebergCompatV1", "D15", DW_FEATURE_ICEBERG_COMPAT_V1},
        {"delta.enableIcebergCompatV2", "D16", DW_FEATURE_ICEBERG_COMPAT_V2},
        {"delta.enableInCommitTimestamps", "D19", DW_FEATURE_IN_COMMIT_TIMESTAMP},
        {"delta.enableTypeWidening", "D21", DW_FEATURE_TYPE_WIDENING},
        {"delta.enableVariantShredding", "D23", DW_FEATURE_VARIANT_SHREDDING},
    };
    const dw_pairs *pairs = &fsck->state.metadata->configuration;
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        const dw_str *value = dw__pairs_get(pairs, dw__str_from(uses[i].key));
        if (value != NULL && dw__str_equal_nocase(*value, DW_STR("true"))) {
            check_supported(fsck, uses[i].rule, uses[i].key, uses[i].feature);
        }
    }
    for (size_t i = 0; i < pairs->count; i++) {
        if (dw__str_starts_with(pairs->items[i].key, DW_STR("delta.constraints."))) {
            check_supported(fsck, "D3", "a check constraint", DW_FEATURE_CHECK_CONSTRAINTS);
            break;
        }
    }
    if (fsck->state.properties.mapping_mode != DW_MAPPING_NONE) {
        check_supported(fsck, "E1", "delta.columnMapping.mode", DW_FEATURE_COLUMN_MAPPING);
    }
    if (fsck->state.properties.checkpoint_policy_v2) {
        check_supported(fsck, "D12", "delta.checkpointPolicy = v2", DW_FEATURE_V2_CHECKPOINT);
    }
}

static bool
has_kind(const dw_type *type, dw_type_kind kind)
{
    if (type->kind == kind) {
        return true;
    }
    for (size_t i = 0; i < type->field_count; i++) {
        if (has_kind(type->fields[i].type, kind)) {
            return true;
        }
    }
    return (type->element != NULL && has_kind(type->element, kind)) ||
           (type->key != NULL && has_kind(type->key, kind));
}

static void
check_schema_supported(dw_fsck *fsck)
{
    static const struct {
        dw_field_trait trait;
        const char *rule, *what;
        dw_feature feature;
    } uses[] = {
        {DW_FIELD_INVARIANT, "D2", "an invariant of a column", DW_FEATURE_INVARIANTS},
        {DW_FIELD_GENERATED, "D5", "a generated column", DW_FEATURE_GENERATED_COLUMNS},
        {DW_FIELD_IDENTITY, "D7", "an identity column", DW_FEATURE_IDENTITY_COLUMNS},
        {DW_FIELD_DEFAULT, "D8", "the default of a column", DW_FEATURE_ALLOW_COLUMN_DEFAULTS},
    };
    const dw_type *schema = fsck->state.schema;
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        if (dw__schema_find_trait(schema, uses[i].trait) != NULL) {
            check_supported(fsck, uses[i].rule, uses[i].what, uses[i].feature);
        }
    }
    if (has_kind(schema, DW_TYPE_TIMESTAMP_NTZ)) {
        check_supported(fsck, "D10", "a column of type timestamp_ntz", DW_FEATURE_TIMESTAMP_NTZ);
    }
    if (has_kind(schema, DW_TYPE_VARIANT)) {
        check_supported(fsck, "D22", "a column of type variant", DW_FEATURE_VARIANT_TYPE);
    }
}

/* ---- Metadata -------------------------------------------------------------------------------- */

static void
check_partition_columns(dw_fsck *fsck)
{
    const dw_metadata *metadata = fsck->state.metadata;
    for (size_t i = 0; i < metadata->partition_column_count; i++) {
        dw_str name = metadata->partition_columns[i];
        const dw_field *field = dw__schema_find(fsck->state.schema, name);
        if (field == NULL) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, "B1", DW_STR_NULL,
                          "the partition column '%.*s' is not in the schema", DW_STR_ARG(name));
        } else if (dw__type_is_nested(field->type)) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, "B1", DW_STR_NULL,
                          "the partition column '%.*s' is nested", DW_STR_ARG(name));
        }
        if (dw__str_among(metadata->partition_columns, i, name)) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, "B1", DW_STR_NULL,
                          "the partition column '%.*s' stands there twice", DW_STR_ARG(name));
        }
    }
}

static void
check_row_tracking_properties(dw_fsck *fsck)
{
    static const char *const keys[] = {"delta.rowTracking.materializedRowIdColumnName",
                                       "delta.rowTracking.materializedRowCommitVersionColumnName"};
    const dw_fsck_state *state = &fsck->state;
    if (!state->properties.enable_row_tracking) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        const dw_str *name = dw__pairs_get(&state->metadata->configuration, dw__str_from(keys[i]));
        if (name == NULL) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, "H3", DW_STR_NULL,
                          "delta.enableRowTracking is true, but %s is not set", keys[i]);
        } else if (state->schema != NULL && dw__schema_find(state->schema, *name) != NULL) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, "H3", DW_STR_NULL,
                          "%s names a column of the table, '%.*s'", keys[i], DW_STR_ARG(*name));
        }
    }
    if (state->properties.row_tracking_suspended) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "H3", DW_STR_NULL,
                      "delta.enableRowTracking and delta.rowTrackingSuspended are both true");
    }
}

/* Our own: one that cannot be understood refuses every write. */
static void
check_expectations(dw_fsck *fsck)
{
    const dw_fsck_state *state = &fsck->state;
    const dw_pairs *pairs = &state->metadata->configuration;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, fsck->env->allocator);
    for (size_t i = 0; i < pairs->count; i++) {
        dw_error cause = DW_ERROR_INIT;
        dw_expectation_spec spec;
        dw_expectation made;
        if (!dw__is_expectation_key(pairs->items[i].key)) {
            continue;
        }
        dw_status status = dw__expectation_parse(&pairs->items[i], &arena, &spec, &cause);
        if (status == DW_OK && state->schema != NULL) {
            status = dw__expectation_make(&spec, state->schema, &arena, &made, &cause);
        }
        if (status == DW_INVALID_ARGUMENT) {
            dw__fsck_find(fsck, DW_FSCK_WARNING, "P1", DW_STR_NULL, "the property '%.*s': %s",
                          DW_STR_ARG(pairs->items[i].key), cause.message);
        }
    }
}

static void
check_property_values(dw_fsck *fsck)
{
    const dw_fsck_state *state = &fsck->state;
    check_expectations(fsck);
    dw_properties properties;
    dw_str bad_key;
    dw__properties_read(&state->metadata->configuration, &properties, &bad_key);
    if (!dw__str_is_null(bad_key)) {
        const dw_str *value = dw__pairs_get(&state->metadata->configuration, bad_key);
        dw__fsck_find(fsck, DW_FSCK_WARNING, "P1", DW_STR_NULL,
                      "the property '%.*s' has a value that is not of its type: '%.*s'",
                      DW_STR_ARG(bad_key), DW_STR_ARG(*value));
    }
    bool has_version = properties.in_commit_timestamp_enablement_version >= 0;
    bool has_time = properties.in_commit_timestamp_enablement_timestamp_ms >= 0;
    if (has_version != has_time) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "D19", DW_STR_NULL,
                      "expected both or none of delta.inCommitTimestampEnablementVersion and "
                      "...Timestamp");
    }
    if (has_version && properties.in_commit_timestamp_enablement_version > fsck->version) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "D19", DW_STR_NULL,
                      "delta.inCommitTimestampEnablementVersion is %" PRId64 ", a version to come",
                      properties.in_commit_timestamp_enablement_version);
    }
}

void
dw__fsck_check_metadata(dw_fsck *fsck, const dw_metadata *before)
{
    const dw_fsck_state *state = &fsck->state;
    const dw_metadata *metadata = state->metadata;
    if (!dw__str_equal_nocase(metadata->format_provider, DW_STR("parquet"))) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "B1", DW_STR_NULL,
                      "expected the format parquet, found '%.*s'",
                      DW_STR_ARG(metadata->format_provider));
    }
    if (before != NULL && !dw__str_equal(before->id, metadata->id)) {
        dw__fsck_find(fsck, DW_FSCK_NOTE, "B1", DW_STR_NULL,
                      "the id of the table changes from %.*s to %.*s", DW_STR_ARG(before->id),
                      DW_STR_ARG(metadata->id));
    }
    check_property_values(fsck);
    check_properties_supported(fsck);
    check_row_tracking_properties(fsck);
    if (state->schema != NULL) {
        check_partition_columns(fsck);
        check_schema_supported(fsck);
    }
}
