/*
 * See engine_support.h. Sources: "How does Delta Lake manage feature compatibility?" of Delta
 * Lake's documentation (Spark), the table features of Trino's Delta Lake connector, the protocol
 * checker of delta-rs; and for reading with delta-rs and DuckDB what tests/interop finds.
 */
#include "protocol/engine_support.h"

#include "base/assert.h"

#define BIT(name) DW_FEATURE_BIT(DW_FEATURE_##name)

#define SPARK_2_4                                                                                  \
    (BIT(APPEND_ONLY) | BIT(INVARIANTS) | BIT(CHECK_CONSTRAINTS) | BIT(CHANGE_DATA_FEED) |         \
     BIT(GENERATED_COLUMNS) | BIT(COLUMN_MAPPING) | BIT(DELETION_VECTORS) | BIT(TIMESTAMP_NTZ))
#define SPARK_3_2                                                                                  \
    (SPARK_2_4 | BIT(ICEBERG_COMPAT_V1) | BIT(ICEBERG_COMPAT_V2) | BIT(V2_CHECKPOINT) |            \
     BIT(DOMAIN_METADATA) | BIT(CLUSTERING) | BIT(ROW_TRACKING) | BIT(ALLOW_COLUMN_DEFAULTS) |     \
     BIT(VACUUM_PROTOCOL_CHECK) | BIT(TYPE_WIDENING_PREVIEW))
#define SPARK_3_3 (SPARK_3_2 | BIT(IDENTITY_COLUMNS) | BIT(IN_COMMIT_TIMESTAMP))
#define SPARK_4_0                                                                                  \
    (SPARK_3_3 | BIT(TYPE_WIDENING) | BIT(VARIANT_TYPE) | BIT(VARIANT_TYPE_PREVIEW) |              \
     BIT(VARIANT_SHREDDING_PREVIEW) | BIT(CHECKPOINT_PROTECTION))
#define SPARK_NEWEST (SPARK_4_0 | BIT(VARIANT_SHREDDING) | BIT(MATERIALIZE_PARTITION_COLUMNS))

static const dw_engine_support engines[] = {
    {"Spark with Delta 2.4", SPARK_2_4, SPARK_2_4, true, false},
    {"Spark with Delta 3.2", SPARK_3_2, SPARK_3_2, true, false},
    {"Spark with Delta 3.3", SPARK_3_3, SPARK_3_3, true, false},
    {"Spark with Delta 4.0", SPARK_4_0, SPARK_4_0, true, false},
    {"Spark with Delta 4.4", SPARK_NEWEST, SPARK_NEWEST, true, false},
    {"delta-rs 1.6",
     BIT(COLUMN_MAPPING) | BIT(DELETION_VECTORS) | BIT(TIMESTAMP_NTZ) | BIT(V2_CHECKPOINT),
     BIT(APPEND_ONLY) | BIT(INVARIANTS) | BIT(CHECK_CONSTRAINTS) | BIT(CHANGE_DATA_FEED) |
         BIT(GENERATED_COLUMNS) | BIT(COLUMN_MAPPING) | BIT(DELETION_VECTORS) | BIT(TIMESTAMP_NTZ),
     true, false},
    {"DuckDB 1.5",
     BIT(COLUMN_MAPPING) | BIT(DELETION_VECTORS) | BIT(TIMESTAMP_NTZ) | BIT(V2_CHECKPOINT) |
         BIT(TYPE_WIDENING) | BIT(VACUUM_PROTOCOL_CHECK),
     0, false, true},
    {"Trino",
     BIT(COLUMN_MAPPING) | BIT(DELETION_VECTORS) | BIT(TIMESTAMP_NTZ) | BIT(TYPE_WIDENING) |
         BIT(VACUUM_PROTOCOL_CHECK) | BIT(V2_CHECKPOINT),
     BIT(APPEND_ONLY) | BIT(INVARIANTS) | BIT(CHECK_CONSTRAINTS) | BIT(CHANGE_DATA_FEED) |
         BIT(COLUMN_MAPPING) | BIT(DELETION_VECTORS) | BIT(TIMESTAMP_NTZ) |
         BIT(VACUUM_PROTOCOL_CHECK),
     true, false},
};

_Static_assert(DW_FEATURE_COUNT <= 64, "features are bits of a word");

const dw_engine_support *
dw__engines(size_t *count_out)
{
    *count_out = sizeof(engines) / sizeof(engines[0]);
    return engines;
}

dw_feature
dw__engine_cannot_read(const dw_engine_support *engine, const dw_protocol *protocol,
                       bool maps_partitions)
{
    if (engine->loses_partitions && maps_partitions &&
        dw__protocol_supports(protocol, DW_FEATURE_COLUMN_MAPPING)) {
        return DW_FEATURE_COLUMN_MAPPING;
    }
    for (unsigned i = 0; i < DW_FEATURE_COUNT; i++) {
        if (dw__feature_spec((dw_feature) i)->is_reader_feature &&
            dw__protocol_supports(protocol, (dw_feature) i) &&
            (engine->reads & DW_FEATURE_BIT(i)) == 0) {
            return (dw_feature) i;
        }
    }
    return DW_FEATURE_COUNT;
}

dw_feature
dw__engine_cannot_write(const dw_engine_support *engine, const dw_protocol *protocol,
                        bool maps_partitions)
{
    dw_feature unread = dw__engine_cannot_read(engine, protocol, maps_partitions);
    if (unread != DW_FEATURE_COUNT) {
        return unread;
    }
    for (unsigned i = 0; i < DW_FEATURE_COUNT; i++) {
        if (dw__protocol_supports(protocol, (dw_feature) i) &&
            (engine->writes & DW_FEATURE_BIT(i)) == 0) {
            return (dw_feature) i;
        }
    }
    return DW_FEATURE_COUNT;
}
