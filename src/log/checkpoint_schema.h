/*
 * The columns of a checkpoint, as they are read and written. PROTOCOL.md "Checkpoint Schema";
 * checklist C5-C9. The members of the enums are the places of the columns in their structs.
 */
#ifndef DW_LOG_CHECKPOINT_SCHEMA_H
#define DW_LOG_CHECKPOINT_SCHEMA_H

#include "engine/engine.h"

typedef enum dw_ck_protocol {
    DW_CK_PROTOCOL_MIN_READER,
    DW_CK_PROTOCOL_MIN_WRITER,
    DW_CK_PROTOCOL_READER_FEATURES,
    DW_CK_PROTOCOL_WRITER_FEATURES,
    DW_CK_PROTOCOL_COUNT
} dw_ck_protocol;

typedef enum dw_ck_metadata {
    DW_CK_METADATA_ID,
    DW_CK_METADATA_NAME,
    DW_CK_METADATA_DESCRIPTION,
    DW_CK_METADATA_FORMAT,
    DW_CK_METADATA_SCHEMA_STRING,
    DW_CK_METADATA_PARTITION_COLUMNS,
    DW_CK_METADATA_CONFIGURATION,
    DW_CK_METADATA_CREATED_TIME,
    DW_CK_METADATA_COUNT
} dw_ck_metadata;

typedef enum dw_ck_format {
    DW_CK_FORMAT_PROVIDER,
    DW_CK_FORMAT_OPTIONS,
    DW_CK_FORMAT_COUNT
} dw_ck_format;

typedef enum dw_ck_txn {
    DW_CK_TXN_APP_ID,
    DW_CK_TXN_VERSION,
    DW_CK_TXN_LAST_UPDATED,
    DW_CK_TXN_COUNT
} dw_ck_txn;

typedef enum dw_ck_domain {
    DW_CK_DOMAIN_DOMAIN,
    DW_CK_DOMAIN_CONFIGURATION,
    DW_CK_DOMAIN_REMOVED,
    DW_CK_DOMAIN_COUNT
} dw_ck_domain;

typedef enum dw_ck_sidecar {
    DW_CK_SIDECAR_PATH,
    DW_CK_SIDECAR_SIZE,
    DW_CK_SIDECAR_MODIFICATION_TIME,
    DW_CK_SIDECAR_COUNT
} dw_ck_sidecar;

typedef enum dw_ck_dv {
    DW_CK_DV_STORAGE_TYPE,
    DW_CK_DV_PATH,
    DW_CK_DV_OFFSET,
    DW_CK_DV_SIZE,
    DW_CK_DV_CARDINALITY,
    DW_CK_DV_COUNT
} dw_ck_dv;

/* Statistics come last, so that an add can be read without them. */
typedef enum dw_ck_add {
    DW_CK_ADD_PATH,
    DW_CK_ADD_PARTITION_VALUES,
    DW_CK_ADD_SIZE,
    DW_CK_ADD_MODIFICATION_TIME,
    DW_CK_ADD_DATA_CHANGE,
    DW_CK_ADD_TAGS,
    DW_CK_ADD_DELETION_VECTOR,
    DW_CK_ADD_BASE_ROW_ID,
    DW_CK_ADD_COMMIT_VERSION,
    DW_CK_ADD_CLUSTERING_PROVIDER,
    DW_CK_ADD_STATS,
    DW_CK_ADD_COUNT
} dw_ck_add;

typedef enum dw_ck_remove {
    DW_CK_REMOVE_PATH,
    DW_CK_REMOVE_DELETION_TIMESTAMP,
    DW_CK_REMOVE_DATA_CHANGE,
    DW_CK_REMOVE_EXTENDED,
    DW_CK_REMOVE_PARTITION_VALUES,
    DW_CK_REMOVE_SIZE,
    DW_CK_REMOVE_DELETION_VECTOR,
    DW_CK_REMOVE_BASE_ROW_ID,
    DW_CK_REMOVE_COMMIT_VERSION,
    DW_CK_REMOVE_COUNT
} dw_ck_remove;

typedef enum dw_ck_checkpoint {
    DW_CK_CHECKPOINT_VERSION,
    DW_CK_CHECKPOINT_TAGS,
    DW_CK_CHECKPOINT_COUNT
} dw_ck_checkpoint;

extern const dw_column_spec dw__ck_protocol_spec;
extern const dw_column_spec dw__ck_metadata_spec;
extern const dw_column_spec dw__ck_txn_spec;
extern const dw_column_spec dw__ck_domain_spec;
extern const dw_column_spec dw__ck_sidecar_spec;
extern const dw_column_spec dw__ck_checkpoint_spec; /* checkpointMetadata */
extern const dw_column_spec dw__ck_add_spec;        /* with statistics as JSON */
extern const dw_column_spec dw__ck_add_bare_spec;   /* without them */
extern const dw_column_spec dw__ck_remove_spec;

#endif
