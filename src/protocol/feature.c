/*
 * The table of features, and whether a protocol can be read and written. [FEATURE-1] [FEATURE-2]
 */
#include "protocol/feature.h"

#include "base/assert.h"
#include "protocol/feature_use.h"

#include <stdio.h>

#define READER_VERSION_MAX 3
#define WRITER_VERSION_MAX 7
/* The versions from which features are listed. */
#define READER_VERSION_LISTS 3
#define WRITER_VERSION_LISTS 7
#define NAMES_TEXT_SIZE 768

#define NAME(text) {text, sizeof(text) - 1}

static const dw_feature_spec specs[DW_FEATURE_COUNT] = {
    [DW_FEATURE_APPEND_ONLY] = {NAME("appendOnly"), false, 0, 2, true, true},
    [DW_FEATURE_INVARIANTS] = {NAME("invariants"), false, 0, 2, true, true},
    [DW_FEATURE_CHECK_CONSTRAINTS] = {NAME("checkConstraints"), false, 0, 3, true, true},
    [DW_FEATURE_CHANGE_DATA_FEED] = {NAME("changeDataFeed"), false, 0, 4, true, true},
    [DW_FEATURE_GENERATED_COLUMNS] = {NAME("generatedColumns"), false, 0, 4, true, true},
    [DW_FEATURE_COLUMN_MAPPING] = {NAME("columnMapping"), true, 2, 5, true, true},
    [DW_FEATURE_IDENTITY_COLUMNS] = {NAME("identityColumns"), false, 0, 6, true, true},
    [DW_FEATURE_ALLOW_COLUMN_DEFAULTS] = {NAME("allowColumnDefaults"), false, 0, 0, true, true},
    [DW_FEATURE_DELETION_VECTORS] = {NAME("deletionVectors"), true, 0, 0, true, true},
    [DW_FEATURE_TIMESTAMP_NTZ] = {NAME("timestampNtz"), true, 0, 0, true, true},
    [DW_FEATURE_DOMAIN_METADATA] = {NAME("domainMetadata"), false, 0, 0, true, true},
    [DW_FEATURE_V2_CHECKPOINT] = {NAME("v2Checkpoint"), true, 0, 0, true, true},
    [DW_FEATURE_ROW_TRACKING] = {NAME("rowTracking"), false, 0, 0, true, true},
    [DW_FEATURE_CLUSTERING] = {NAME("clustering"), false, 0, 0, true, true},
    [DW_FEATURE_ICEBERG_COMPAT_V1] = {NAME("icebergCompatV1"), false, 0, 0, true, true},
    [DW_FEATURE_ICEBERG_COMPAT_V2] = {NAME("icebergCompatV2"), false, 0, 0, true, true},
    [DW_FEATURE_IN_COMMIT_TIMESTAMP] = {NAME("inCommitTimestamp"), false, 0, 0, true, true},
    [DW_FEATURE_VACUUM_PROTOCOL_CHECK] = {NAME("vacuumProtocolCheck"), true, 0, 0, true, true},
    [DW_FEATURE_TYPE_WIDENING] = {NAME("typeWidening"), true, 0, 0, true, true},
    [DW_FEATURE_TYPE_WIDENING_PREVIEW] = {NAME("typeWidening-preview"), true, 0, 0, true, true},
    [DW_FEATURE_VARIANT_TYPE] = {NAME("variantType"), true, 0, 0, true, true},
    [DW_FEATURE_VARIANT_TYPE_PREVIEW] = {NAME("variantType-preview"), true, 0, 0, true, true},
    [DW_FEATURE_VARIANT_SHREDDING] = {NAME("variantShredding"), true, 0, 0, true, true},
    [DW_FEATURE_VARIANT_SHREDDING_PREVIEW] = {NAME("variantShredding-preview"), true, 0, 0, true,
                                              true},
    [DW_FEATURE_MATERIALIZE_PARTITION_COLUMNS] = {NAME("materializePartitionColumns"), false, 0, 0,
                                                  true, true},
    [DW_FEATURE_CHECKPOINT_PROTECTION] = {NAME("checkpointProtection"), false, 0, 0, true, true},
};

const dw_feature_spec *
dw__feature_spec(dw_feature feature)
{
    dw_assert(feature < DW_FEATURE_COUNT);
    return &specs[feature];
}

dw_feature
dw__feature_by_name(dw_str name)
{
    for (unsigned i = 0; i < DW_FEATURE_COUNT; i++) {
        if (dw__str_equal(specs[i].name, name)) {
            return (dw_feature) i;
        }
    }
    return DW_FEATURE_COUNT;
}

bool
dw__protocol_supports(const dw_protocol *protocol, dw_feature feature)
{
    const dw_feature_spec *spec = dw__feature_spec(feature);
    if (protocol->min_writer_version >= WRITER_VERSION_LISTS) {
        return dw__str_among(protocol->writer_features, protocol->writer_feature_count, spec->name);
    }
    bool writer = spec->legacy_writer > 0 && protocol->min_writer_version >= spec->legacy_writer;
    bool reader = spec->legacy_reader == 0 || protocol->min_reader_version >= spec->legacy_reader;
    return writer && reader;
}

/* ---- Legality -------------------------------------------------------------------------------- */

static dw_status
protocol_invalid(const char *why, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "PROTOCOL_INVALID", "the table's protocol is invalid: %s",
                         why);
}

static dw_status
check_lists(const dw_protocol *protocol, dw_error *err)
{
    bool reader_lists = protocol->min_reader_version >= READER_VERSION_LISTS;
    bool writer_lists = protocol->min_writer_version >= WRITER_VERSION_LISTS;
    if (reader_lists && !writer_lists) {
        return protocol_invalid("minReaderVersion 3 needs minWriterVersion 7", err);
    }
    if (reader_lists && !protocol->has_reader_features) {
        return protocol_invalid("minReaderVersion 3 needs readerFeatures", err);
    }
    if (writer_lists && !protocol->has_writer_features) {
        return protocol_invalid("minWriterVersion 7 needs writerFeatures", err);
    }
    if (!reader_lists && protocol->reader_feature_count > 0) {
        return protocol_invalid("readerFeatures need minReaderVersion 3", err);
    }
    if (!writer_lists && protocol->writer_feature_count > 0) {
        return protocol_invalid("writerFeatures need minWriterVersion 7", err);
    }
    for (size_t i = 0; i < protocol->reader_feature_count; i++) {
        dw_str name = protocol->reader_features[i];
        if (!dw__str_among(protocol->writer_features, protocol->writer_feature_count, name)) {
            return dw__error_set(err, DW_CORRUPT, "PROTOCOL_INVALID",
                                 "the table's protocol is invalid: readerFeatures holds %.*s, "
                                 "writerFeatures does not",
                                 DW_STR_ARG(name));
        }
    }
    return DW_OK;
}

static dw_status
check_version(int32_t version, int32_t max, const char *kind, dw_error *err)
{
    if (version <= max) {
        return DW_OK;
    }
    return dw__error_set(err, DW_UNSUPPORTED, "PROTOCOL_VERSION_UNSUPPORTED",
                         "the table needs %s version %d, this version of Deltaworks has up to %d: "
                         "use a newer one",
                         kind, version, max);
}

/* ---- Reading and writing --------------------------------------------------------------------- */

/* A list of names for a message, cut to what fits. */
typedef struct name_list {
    char text[NAMES_TEXT_SIZE];
    size_t len;
} name_list;

static void
add_name(name_list *list, dw_str name)
{
    int written = snprintf(list->text + list->len, sizeof(list->text) - list->len, "%s%.*s",
                           list->len > 0 ? ", " : "", DW_STR_ARG(name));
    size_t room = sizeof(list->text) - 1 - list->len;
    list->len += written < 0 ? 0 : ((size_t) written < room ? (size_t) written : room);
}

dw_status
dw__protocol_check_read(const dw_protocol *protocol, dw_error *err)
{
    DW_TRY(check_version(protocol->min_reader_version, READER_VERSION_MAX, "reader", err));
    DW_TRY(check_lists(protocol, err));
    name_list missing = {.len = 0};
    for (size_t i = 0; i < protocol->reader_feature_count; i++) {
        dw_feature feature = dw__feature_by_name(protocol->reader_features[i]);
        if (feature == DW_FEATURE_COUNT || !specs[feature].can_read) {
            add_name(&missing, protocol->reader_features[i]);
        }
    }
    if (missing.len > 0) {
        return dw__error_set(err, DW_UNSUPPORTED, "FEATURE_UNSUPPORTED",
                             "reading the table needs features that this version of Deltaworks "
                             "lacks: %s: use a newer one, or the engine that wrote the table",
                             missing.text);
    }
    return DW_OK;
}

dw_status
dw__protocol_check_features(const dw_protocol *protocol, dw_error *err)
{
    name_list missing = {.len = 0};
    for (size_t i = 0; i < protocol->writer_feature_count; i++) {
        if (dw__feature_by_name(protocol->writer_features[i]) == DW_FEATURE_COUNT) {
            add_name(&missing, protocol->writer_features[i]);
        }
    }
    if (missing.len == 0) {
        return DW_OK;
    }
    return dw__error_set(err, DW_UNSUPPORTED, "FEATURE_UNSUPPORTED",
                         "the table has features that this version of Deltaworks does not know: "
                         "%s: use a newer one, or the engine that wrote the table",
                         missing.text);
}

dw_status
dw__protocol_check_write(const dw_protocol *protocol, const dw_type *schema, dw_error *err)
{
    DW_TRY(dw__protocol_check_read(protocol, err));
    DW_TRY(check_version(protocol->min_writer_version, WRITER_VERSION_MAX, "writer", err));
    name_list missing = {.len = 0};
    for (size_t i = 0; i < protocol->writer_feature_count; i++) {
        if (dw__feature_by_name(protocol->writer_features[i]) == DW_FEATURE_COUNT) {
            add_name(&missing, protocol->writer_features[i]);
        }
    }
    for (unsigned i = 0; i < DW_FEATURE_COUNT; i++) {
        if (!specs[i].can_write && dw__protocol_supports(protocol, (dw_feature) i)) {
            add_name(&missing, specs[i].name);
        }
    }
    if (missing.len > 0) {
        return dw__error_set(err, DW_UNSUPPORTED, "FEATURE_UNSUPPORTED",
                             "writing to the table needs features that this version of Deltaworks "
                             "lacks: %s: write with the engine that added them, or drop them there",
                             missing.text);
    }
    return dw__schema_check_void(schema, err);
}
