/*
 * The table of properties, and reading and checking values by it.
 */
#include "protocol/property.h"

#include "base/assert.h"
#include "protocol/feature.h"

#include <inttypes.h>
#include <stdio.h>

#define FEATURE_PREFIX DW_STR("delta.feature.")
#define CONSTRAINT_PREFIX DW_STR("delta.constraints.")
#define UNIFORM_PREFIX DW_STR("delta.universalFormat.config.")

typedef enum value_kind {
    VALUE_BOOL,
    VALUE_INT,      /* from `min` to `max` */
    VALUE_INTERVAL, /* milliseconds */
    VALUE_SIZE,     /* bytes, with an optional unit */
    VALUE_ISOLATION,
    VALUE_MAPPING,
    VALUE_POLICY,
    VALUE_CODEC,
    VALUE_FORMAT_VERSION,
    VALUE_TEXT
} value_kind;

typedef enum property_use {
    USE_SETTABLE,
    USE_INTERNAL /* writers set it, users do not */
} property_use;

/* The offset of properties that the library does not read. */
#define UNREAD SIZE_MAX

typedef struct property_spec {
    const char *key;
    value_kind kind;
    property_use use;
    int64_t min;
    int64_t max;
    size_t offset; /* in dw_properties */
} property_spec;

#define AT(member) offsetof(dw_properties, member)
#define BOOL(key, offset) {key, VALUE_BOOL, USE_SETTABLE, 0, 0, offset}
#define INTERVAL(key, offset) {key, VALUE_INTERVAL, USE_SETTABLE, 0, 0, offset}
#define TEXT(key, kind, offset) {key, kind, USE_SETTABLE, 0, 0, offset}
#define INT(key, use, min, max, offset) {key, VALUE_INT, use, min, max, offset}

static const property_spec specs[] = {
    BOOL("delta.appendOnly", AT(append_only)),
    BOOL("delta.enableDeletionVectors", AT(enable_deletion_vectors)),
    BOOL("delta.enableChangeDataFeed", AT(enable_change_data_feed)),
    BOOL("delta.enableRowTracking", AT(enable_row_tracking)),
    BOOL("delta.rowTrackingSuspended", AT(row_tracking_suspended)),
    BOOL("delta.enableInCommitTimestamps", AT(enable_in_commit_timestamps)),
    INT("delta.inCommitTimestampEnablementVersion", USE_INTERNAL, 0, INT64_MAX,
        AT(in_commit_timestamp_enablement_version)),
    INT("delta.inCommitTimestampEnablementTimestamp", USE_INTERNAL, 0, INT64_MAX,
        AT(in_commit_timestamp_enablement_timestamp_ms)),
    BOOL("delta.enableTypeWidening", AT(enable_type_widening)),
    INT("delta.checkpointInterval", USE_SETTABLE, 1, INT32_MAX, AT(checkpoint_interval)),
    INT("deltaworks.logCompactionInterval", USE_SETTABLE, 0, INT32_MAX,
        AT(log_compaction_interval)),
    INTERVAL("deltaworks.closedPartitionAge", UNREAD),
    BOOL("deltaworks.inlineDeletionVectors", AT(inline_deletion_vectors)),
    BOOL("delta.checkpoint.writeStatsAsJson", AT(checkpoint_write_stats_as_json)),
    BOOL("delta.checkpoint.writeStatsAsStruct", AT(checkpoint_write_stats_as_struct)),
    TEXT("delta.checkpointPolicy", VALUE_POLICY, AT(checkpoint_policy_v2)),
    INTERVAL("delta.logRetentionDuration", AT(log_retention_ms)),
    INTERVAL("delta.deletedFileRetentionDuration", AT(deleted_file_retention_ms)),
    BOOL("delta.enableExpiredLogCleanup", AT(enable_expired_log_cleanup)),
    INTERVAL("delta.setTransactionRetentionDuration", AT(set_transaction_retention_ms)),
    INT("delta.dataSkippingNumIndexedCols", USE_SETTABLE, -1, INT32_MAX,
        AT(data_skipping_num_indexed_cols)),
    TEXT("delta.dataSkippingStatsColumns", VALUE_TEXT, AT(data_skipping_stats_columns)),
    INT("delta.dataSkippingStringPrefixLength", USE_SETTABLE, 0, INT32_MAX,
        AT(data_skipping_string_prefix_length)),
    TEXT("delta.isolationLevel", VALUE_ISOLATION, AT(isolation)),
    TEXT("delta.columnMapping.mode", VALUE_MAPPING, AT(mapping_mode)),
    INT("delta.columnMapping.maxColumnId", USE_INTERNAL, 0, INT32_MAX, AT(mapping_max_column_id)),
    TEXT("delta.parquet.compression.codec", VALUE_CODEC, AT(compression_codec)),
    TEXT("delta.parquet.format.version", VALUE_FORMAT_VERSION, AT(parquet_format_version)),
    TEXT("delta.targetFileSize", VALUE_SIZE, AT(target_file_size_bytes)),
    BOOL("delta.randomizeFilePrefixes", AT(randomize_file_prefixes)),
    INT("delta.randomPrefixLength", USE_SETTABLE, 1, 64, AT(random_prefix_length)),
    INT("delta.minReaderVersion", USE_SETTABLE, 1, 3, UNREAD),
    INT("delta.minWriterVersion", USE_SETTABLE, 1, 7, UNREAD),
    BOOL("delta.ignoreProtocolDefaults", UNREAD),
    INTERVAL("delta.checkpointRetentionDuration", UNREAD),
    INTERVAL("delta.sampleRetentionDuration", UNREAD),
    INTERVAL("delta.dropFeatureTruncateHistory.retentionDuration",
             AT(truncate_history_retention_ms)),
    BOOL("delta.enableFullRetentionRollback", UNREAD),
    BOOL("delta.autoOptimize", UNREAD),
    TEXT("delta.autoOptimize.autoCompact", VALUE_TEXT, UNREAD),
    BOOL("delta.autoOptimize.optimizeWrite", UNREAD),
    BOOL("delta.compatibility.symlinkFormatManifest.enabled", UNREAD),
    TEXT("delta.universalFormat.enabledFormats", VALUE_TEXT, UNREAD),
    BOOL("delta.enableIcebergCompatV1", AT(enable_iceberg_compat_v1)),
    BOOL("delta.enableIcebergCompatV2", AT(enable_iceberg_compat_v2)),
    BOOL("delta.enableIcebergCompatV3", UNREAD),
    INT("delta.requireCheckpointProtectionBeforeVersion", USE_INTERNAL, 0, INT64_MAX,
        AT(checkpoint_protection_version)),
    BOOL("delta.enableMaterializePartitionColumnsFeature", UNREAD),
    BOOL("delta.writePartitionColumnsToParquet", AT(write_partition_columns_to_parquet)),
    BOOL("delta.enableVariantShredding", AT(enable_variant_shredding)),
    TEXT("delta.rowTracking.materializedRowIdColumnName", VALUE_TEXT, UNREAD),
    TEXT("delta.rowTracking.materializedRowCommitVersionColumnName", VALUE_TEXT, UNREAD),
    TEXT("delta.lastUpdateVersion", VALUE_TEXT, UNREAD),
    TEXT("delta.lastCommitTimestamp", VALUE_TEXT, UNREAD),
};

#define SPEC_COUNT (sizeof(specs) / sizeof(specs[0]))

static const property_spec *
find_spec(dw_str key)
{
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        if (dw__str_equal(key, dw__str_from(specs[i].key))) {
            return &specs[i];
        }
    }
    return NULL;
}

/* ---- Values ---------------------------------------------------------------------------------- */

/* A value of any kind; the member is that of the kind's place in dw_properties. */
typedef union property_value {
    bool boolean;
    int64_t i64;
    dw_str text;
    dw_isolation isolation;
    dw_mapping_mode mapping;
} property_value;

static bool
parse_bool(dw_str text, bool *out)
{
    *out = dw__str_equal_nocase(text, DW_STR("true"));
    return *out || dw__str_equal_nocase(text, DW_STR("false"));
}

/* "134217728", "128mb", "1g". */
static bool
parse_size(dw_str text, int64_t *out)
{
    static const char units[] = "kmgt";
    dw_str digits = text;
    if (digits.len > 0 && (digits.ptr[digits.len - 1] | 0x20) == 'b') {
        digits.len--;
    }
    int shift = 0;
    if (digits.len > 0) {
        const char *unit = strchr(units, digits.ptr[digits.len - 1] | 0x20);
        if (unit != NULL && *unit != '\0') {
            shift = (int) (unit - units + 1) * 10;
            digits.len--;
        }
    }
    return dw__str_to_i64(dw__str_trim(digits), out) && *out > 0 && *out <= INT64_MAX >> shift &&
           (*out *= INT64_C(1) << shift) > 0;
}

static bool
parse_isolation(dw_str text, dw_isolation *out)
{
    bool serializable = dw__str_equal_nocase(text, DW_STR("Serializable"));
    *out = serializable ? DW_SERIALIZABLE : DW_WRITE_SERIALIZABLE;
    return serializable || dw__str_equal_nocase(text, DW_STR("WriteSerializable"));
}

static bool
parse_mapping(dw_str text, dw_mapping_mode *out)
{
    bool is_name = dw__str_equal_nocase(text, DW_STR("name"));
    bool is_id = dw__str_equal_nocase(text, DW_STR("id"));
    *out = is_name ? DW_MAPPING_NAME : (is_id ? DW_MAPPING_ID : DW_MAPPING_NONE);
    return is_name || is_id || dw__str_equal_nocase(text, DW_STR("none"));
}

static bool
parse_codec(dw_str text, dw_str *out)
{
    static const char *const names[] = {"zstd", "snappy", "gzip", "lz4_raw", "lz4", "uncompressed"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        *out = dw__str_from(names[i]);
        if (dw__str_equal_nocase(text, *out)) {
            return true;
        }
    }
    return dw__str_equal_nocase(text, DW_STR("none"));
}

/* "1.0.0" or "2.x.y" with numbers x and y. */
static bool
is_format_version(dw_str text)
{
    if (dw__str_equal(text, DW_STR("1.0.0"))) {
        return true;
    }
    dw_str rest = dw__str_slice(text, 2, text.len);
    size_t point = dw__str_find(rest, '.');
    uint64_t minor;
    uint64_t patch;
    return dw__str_starts_with(text, DW_STR("2.")) && point != SIZE_MAX &&
           dw__str_to_u64(dw__str_slice(rest, 0, point), &minor) &&
           dw__str_to_u64(dw__str_slice(rest, point + 1, rest.len), &patch);
}

static bool
parse_value(const property_spec *spec, dw_str text, property_value *out)
{
    switch (spec->kind) {
    case VALUE_BOOL:
        return parse_bool(text, &out->boolean);
    case VALUE_INT:
        return dw__str_to_i64(text, &out->i64) && out->i64 >= spec->min && out->i64 <= spec->max;
    case VALUE_INTERVAL:
        return dw__interval_parse(text, &out->i64);
    case VALUE_SIZE:
        return parse_size(text, &out->i64);
    case VALUE_ISOLATION:
        return parse_isolation(text, &out->isolation);
    case VALUE_MAPPING:
        return parse_mapping(text, &out->mapping);
    case VALUE_POLICY:
        out->boolean = dw__str_equal_nocase(text, DW_STR("v2"));
        return out->boolean || dw__str_equal_nocase(text, DW_STR("classic"));
    case VALUE_CODEC:
        return parse_codec(text, &out->text);
    case VALUE_FORMAT_VERSION:
        out->text = text;
        return is_format_version(text);
    case VALUE_TEXT:
        out->text = text;
        return true;
    }
    dw_unreachable("every kind is listed");
}

static void
store_value(const property_spec *spec, const property_value *value, dw_properties *out)
{
    char *place = (char *) out + spec->offset;
    switch (spec->kind) {
    case VALUE_BOOL:
    case VALUE_POLICY:
        memcpy(place, &value->boolean, sizeof(value->boolean));
        return;
    case VALUE_INT:
    case VALUE_INTERVAL:
    case VALUE_SIZE:
        memcpy(place, &value->i64, sizeof(value->i64));
        return;
    case VALUE_ISOLATION:
        memcpy(place, &value->isolation, sizeof(value->isolation));
        return;
    case VALUE_MAPPING:
        memcpy(place, &value->mapping, sizeof(value->mapping));
        return;
    case VALUE_CODEC:
    case VALUE_FORMAT_VERSION:
    case VALUE_TEXT:
        memcpy(place, &value->text, sizeof(value->text));
        return;
    }
}

/* ---- Reading --------------------------------------------------------------------------------- */

static dw_properties
defaults(void)
{
    const int64_t day_ms = INT64_C(86400000);
    return (dw_properties){
        .in_commit_timestamp_enablement_version = -1,
        .in_commit_timestamp_enablement_timestamp_ms = -1,
        .checkpoint_interval = 10,
        .checkpoint_write_stats_as_json = true,
        .checkpoint_write_stats_as_struct = true,
        .log_retention_ms = 30 * day_ms,
        .deleted_file_retention_ms = 7 * day_ms,
        .enable_expired_log_cleanup = true,
        .truncate_history_retention_ms = day_ms,
        .set_transaction_retention_ms = -1,
        .data_skipping_num_indexed_cols = 32,
        .data_skipping_stats_columns = DW_STR_NULL,
        .data_skipping_string_prefix_length = 32,
        .isolation = DW_WRITE_SERIALIZABLE,
        .mapping_mode = DW_MAPPING_NONE,
        .compression_codec = DW_STR("zstd"),
        .parquet_format_version = DW_STR("1.0.0"),
        .target_file_size_bytes = DW_TARGET_FILE_SIZE_DEFAULT,
        .random_prefix_length = 2,
    };
}

void
dw__properties_read(const dw_pairs *configuration, dw_properties *out, dw_str *bad_key_out)
{
    *out = defaults();
    dw_str bad_key = DW_STR_NULL;
    for (size_t i = 0; i < configuration->count; i++) {
        const dw_pair *pair = &configuration->items[i];
        const property_spec *spec = find_spec(pair->key);
        if (spec == NULL || spec->offset == UNREAD || dw__str_is_null(pair->value)) {
            continue;
        }
        property_value value;
        if (parse_value(spec, pair->value, &value)) {
            store_value(spec, &value, out);
        } else {
            bad_key = pair->key;
        }
    }
    if (bad_key_out != NULL) {
        *bad_key_out = bad_key;
    }
}

/* ---- Checking -------------------------------------------------------------------------------- */

static const char *
expected_value(const property_spec *spec, char text[128])
{
    switch (spec->kind) {
    case VALUE_BOOL:
        return "true or false";
    case VALUE_INT:
        snprintf(text, 128, "an integer from %" PRId64 " to %" PRId64, spec->min, spec->max);
        return text;
    case VALUE_INTERVAL:
        return "an interval of weeks, days or shorter units such as 'interval 30 days'";
    case VALUE_SIZE:
        return "a size such as 128mb";
    case VALUE_ISOLATION:
        return "WriteSerializable or Serializable";
    case VALUE_MAPPING:
        return "none, name or id";
    case VALUE_POLICY:
        return "classic or v2";
    case VALUE_CODEC:
        return "zstd, snappy, gzip, lz4, lz4_raw or uncompressed";
    case VALUE_FORMAT_VERSION:
        return "1.0.0 or 2.<minor>.<patch>";
    case VALUE_TEXT:
        return "text";
    }
    dw_unreachable("every kind is listed");
}

static dw_status
property_unknown(dw_str key, dw_error *err)
{
    const char *nearest = NULL;
    size_t distance_min = key.len / 3 + 1;
    for (size_t i = 0; i < SPEC_COUNT && key.len <= DW_STR_DISTANCE_MAX; i++) {
        size_t distance = dw__str_distance(key, dw__str_from(specs[i].key));
        if (distance < distance_min && specs[i].use == USE_SETTABLE) {
            distance_min = distance;
            nearest = specs[i].key;
        }
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT, "PROPERTY_UNKNOWN",
                         "there is no table property '%.*s'%s%s%s", DW_STR_ARG(key),
                         nearest == NULL ? "; names without 'delta.' in front are free"
                                         : "; did you mean '",
                         nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
}

static dw_status
check_feature(dw_str key, dw_str value, dw_error *err)
{
    dw_str name = dw__str_slice(key, FEATURE_PREFIX.len, key.len);
    if (dw__feature_by_name(name) == DW_FEATURE_COUNT) {
        return dw__error_set(err, DW_UNSUPPORTED, "FEATURE_UNSUPPORTED",
                             "this version does not know the table feature '%.*s'",
                             DW_STR_ARG(name));
    }
    if (!dw__str_equal_nocase(value, DW_STR("supported")) &&
        !dw__str_equal_nocase(value, DW_STR("enabled"))) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "PROPERTY_INVALID",
                             "'%.*s': expected supported, found '%.*s'", DW_STR_ARG(key),
                             DW_STR_ARG(value));
    }
    return DW_OK;
}

dw_status
dw__property_check(dw_str key, dw_str value, dw_error *err)
{
    bool is_delta = dw__str_equal_nocase(dw__str_slice(key, 0, 6), DW_STR("delta."));
    if (!is_delta || dw__str_starts_with(key, UNIFORM_PREFIX)) {
        return DW_OK;
    }
    if (dw__str_starts_with(key, FEATURE_PREFIX)) {
        return check_feature(key, value, err);
    }
    if (dw__str_starts_with(key, CONSTRAINT_PREFIX)) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "PROPERTY_INVALID",
                             "'%.*s': a constraint is no property that can be set",
                             DW_STR_ARG(key));
    }
    const property_spec *spec = find_spec(key);
    if (spec == NULL) {
        return property_unknown(key, err);
    }
    if (spec->use == USE_INTERNAL) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "PROPERTY_INVALID",
                             "'%s' is kept by writers and cannot be set", spec->key);
    }
    property_value parsed;
    if (!parse_value(spec, value, &parsed)) {
        char text[128];
        return dw__error_set(err, DW_INVALID_ARGUMENT, "PROPERTY_INVALID",
                             "'%s': expected %s, found '%.*s'", spec->key,
                             expected_value(spec, text), DW_STR_ARG(value));
    }
    return DW_OK;
}
