/*
 * The column specs of checkpoints.
 */
#include "log/checkpoint_schema.h"

#define STR(text)                                                                                  \
    {                                                                                              \
        .name = (text), .kind = DW_VECTOR_STR                                                      \
    }
#define I32(text)                                                                                  \
    {                                                                                              \
        .name = (text), .kind = DW_VECTOR_I32                                                      \
    }
#define I64(text)                                                                                  \
    {                                                                                              \
        .name = (text), .kind = DW_VECTOR_I64                                                      \
    }
#define BOOLEAN(text)                                                                              \
    {                                                                                              \
        .name = (text), .kind = DW_VECTOR_BOOL                                                     \
    }
#define NESTED(text, what, fields, count)                                                          \
    {                                                                                              \
        .name = (text), .kind = (what), .children = (fields), .child_count = (count)               \
    }
#define STRUCT(text, fields, count) NESTED(text, DW_VECTOR_STRUCT, fields, count)
#define STR_LIST(text) NESTED(text, DW_VECTOR_LIST, element, 1)
#define STR_MAP(text) NESTED(text, DW_VECTOR_MAP, key_value, 2)

static const dw_column_spec element[] = {STR("element")};
static const dw_column_spec key_value[] = {STR("key"), STR("value")};

static const dw_column_spec protocol_fields[DW_CK_PROTOCOL_COUNT] = {
    [DW_CK_PROTOCOL_MIN_READER] = I32("minReaderVersion"),
    [DW_CK_PROTOCOL_MIN_WRITER] = I32("minWriterVersion"),
    [DW_CK_PROTOCOL_READER_FEATURES] = STR_LIST("readerFeatures"),
    [DW_CK_PROTOCOL_WRITER_FEATURES] = STR_LIST("writerFeatures"),
};

static const dw_column_spec format_fields[DW_CK_FORMAT_COUNT] = {
    [DW_CK_FORMAT_PROVIDER] = STR("provider"),
    [DW_CK_FORMAT_OPTIONS] = STR_MAP("options"),
};

static const dw_column_spec metadata_fields[DW_CK_METADATA_COUNT] = {
    [DW_CK_METADATA_ID] = STR("id"),
    [DW_CK_METADATA_NAME] = STR("name"),
    [DW_CK_METADATA_DESCRIPTION] = STR("description"),
    [DW_CK_METADATA_FORMAT] = STRUCT("format", format_fields, DW_CK_FORMAT_COUNT),
    [DW_CK_METADATA_SCHEMA_STRING] = STR("schemaString"),
    [DW_CK_METADATA_PARTITION_COLUMNS] = STR_LIST("partitionColumns"),
    [DW_CK_METADATA_CONFIGURATION] = STR_MAP("configuration"),
    [DW_CK_METADATA_CREATED_TIME] = I64("createdTime"),
};

static const dw_column_spec txn_fields[DW_CK_TXN_COUNT] = {
    [DW_CK_TXN_APP_ID] = STR("appId"),
    [DW_CK_TXN_VERSION] = I64("version"),
    [DW_CK_TXN_LAST_UPDATED] = I64("lastUpdated"),
};

static const dw_column_spec domain_fields[DW_CK_DOMAIN_COUNT] = {
    [DW_CK_DOMAIN_DOMAIN] = STR("domain"),
    [DW_CK_DOMAIN_CONFIGURATION] = STR("configuration"),
    [DW_CK_DOMAIN_REMOVED] = BOOLEAN("removed"),
};

static const dw_column_spec sidecar_fields[DW_CK_SIDECAR_COUNT] = {
    [DW_CK_SIDECAR_PATH] = STR("path"),
    [DW_CK_SIDECAR_SIZE] = I64("sizeInBytes"),
    [DW_CK_SIDECAR_MODIFICATION_TIME] = I64("modificationTime"),
};

static const dw_column_spec checkpoint_fields[DW_CK_CHECKPOINT_COUNT] = {
    [DW_CK_CHECKPOINT_VERSION] = I64("version"),
    [DW_CK_CHECKPOINT_TAGS] = STR_MAP("tags"),
};

static const dw_column_spec dv_fields[DW_CK_DV_COUNT] = {
    [DW_CK_DV_STORAGE_TYPE] = STR("storageType"),
    [DW_CK_DV_PATH] = STR("pathOrInlineDv"),
    [DW_CK_DV_OFFSET] = I32("offset"),
    [DW_CK_DV_SIZE] = I32("sizeInBytes"),
    [DW_CK_DV_CARDINALITY] = I64("cardinality"),
};

static const dw_column_spec add_fields[DW_CK_ADD_COUNT] = {
    [DW_CK_ADD_PATH] = STR("path"),
    [DW_CK_ADD_PARTITION_VALUES] = STR_MAP("partitionValues"),
    [DW_CK_ADD_SIZE] = I64("size"),
    [DW_CK_ADD_MODIFICATION_TIME] = I64("modificationTime"),
    [DW_CK_ADD_DATA_CHANGE] = BOOLEAN("dataChange"),
    [DW_CK_ADD_TAGS] = STR_MAP("tags"),
    [DW_CK_ADD_DELETION_VECTOR] = STRUCT("deletionVector", dv_fields, DW_CK_DV_COUNT),
    [DW_CK_ADD_BASE_ROW_ID] = I64("baseRowId"),
    [DW_CK_ADD_COMMIT_VERSION] = I64("defaultRowCommitVersion"),
    [DW_CK_ADD_CLUSTERING_PROVIDER] = STR("clusteringProvider"),
    [DW_CK_ADD_STATS] = STR("stats"),
};

static const dw_column_spec remove_fields[DW_CK_REMOVE_COUNT] = {
    [DW_CK_REMOVE_PATH] = STR("path"),
    [DW_CK_REMOVE_DELETION_TIMESTAMP] = I64("deletionTimestamp"),
    [DW_CK_REMOVE_DATA_CHANGE] = BOOLEAN("dataChange"),
    [DW_CK_REMOVE_EXTENDED] = BOOLEAN("extendedFileMetadata"),
    [DW_CK_REMOVE_PARTITION_VALUES] = STR_MAP("partitionValues"),
    [DW_CK_REMOVE_SIZE] = I64("size"),
    [DW_CK_REMOVE_DELETION_VECTOR] = STRUCT("deletionVector", dv_fields, DW_CK_DV_COUNT),
    [DW_CK_REMOVE_BASE_ROW_ID] = I64("baseRowId"),
    [DW_CK_REMOVE_COMMIT_VERSION] = I64("defaultRowCommitVersion"),
};

const dw_column_spec dw__ck_protocol_spec =
    STRUCT("protocol", protocol_fields, DW_CK_PROTOCOL_COUNT);
const dw_column_spec dw__ck_metadata_spec =
    STRUCT("metaData", metadata_fields, DW_CK_METADATA_COUNT);
const dw_column_spec dw__ck_txn_spec = STRUCT("txn", txn_fields, DW_CK_TXN_COUNT);
const dw_column_spec dw__ck_domain_spec =
    STRUCT("domainMetadata", domain_fields, DW_CK_DOMAIN_COUNT);
const dw_column_spec dw__ck_sidecar_spec = STRUCT("sidecar", sidecar_fields, DW_CK_SIDECAR_COUNT);
const dw_column_spec dw__ck_checkpoint_spec =
    STRUCT("checkpointMetadata", checkpoint_fields, DW_CK_CHECKPOINT_COUNT);
const dw_column_spec dw__ck_add_spec = STRUCT("add", add_fields, DW_CK_ADD_COUNT);
const dw_column_spec dw__ck_add_bare_spec = STRUCT("add", add_fields, DW_CK_ADD_STATS);
const dw_column_spec dw__ck_remove_spec = STRUCT("remove", remove_fields, DW_CK_REMOVE_COUNT);
