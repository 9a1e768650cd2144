/*
 * Table properties (the configuration of metaData) with their types and defaults. Checklist section
 * P.
 */
#ifndef DW_PROTOCOL_PROPERTY_H
#define DW_PROTOCOL_PROPERTY_H

#include "protocol/action.h"

typedef enum dw_isolation { DW_WRITE_SERIALIZABLE, DW_SERIALIZABLE } dw_isolation;
typedef enum dw_mapping_mode { DW_MAPPING_NONE, DW_MAPPING_NAME, DW_MAPPING_ID } dw_mapping_mode;

/* All that the library reads, with defaults filled in. Strings are static, or borrowed from the
 * configuration that was read. */
typedef struct dw_properties {
    bool append_only;
    bool enable_deletion_vectors;
    bool inline_deletion_vectors; /* small ones may stand in the log */
    bool enable_change_data_feed;
    bool enable_row_tracking;
    bool enable_variant_shredding;
    bool row_tracking_suspended;
    bool enable_in_commit_timestamps;
    int64_t in_commit_timestamp_enablement_version;      /* -1: none */
    int64_t in_commit_timestamp_enablement_timestamp_ms; /* -1: none */
    bool enable_type_widening;
    int64_t checkpoint_interval;
    int64_t log_compaction_interval; /* 0: never */
    bool checkpoint_write_stats_as_json;
    bool checkpoint_write_stats_as_struct;
    bool checkpoint_policy_v2;
    int64_t log_retention_ms;
    int64_t deleted_file_retention_ms;
    bool enable_expired_log_cleanup;
    int64_t truncate_history_retention_ms;  /* when a feature is dropped */
    int64_t checkpoint_protection_version;  /* 0: none */
    int64_t set_transaction_retention_ms;   /* -1: forever */
    int64_t data_skipping_num_indexed_cols; /* -1: all */
    dw_str data_skipping_stats_columns;     /* null string: not set */
    int64_t data_skipping_string_prefix_length;
    dw_isolation isolation;
    dw_mapping_mode mapping_mode;
    int64_t mapping_max_column_id;
    dw_str compression_codec;      /* "zstd", "snappy", "gzip", "lz4", "lz4_raw", "uncompressed" */
    dw_str parquet_format_version; /* "1.0.0" or "2.<minor>.<patch>" */
    int64_t target_file_size_bytes;
    bool enable_iceberg_compat_v1, enable_iceberg_compat_v2;
    bool write_partition_columns_to_parquet;
    bool randomize_file_prefixes;
    int64_t random_prefix_length;
} dw_properties;

#define DW_TARGET_FILE_SIZE_DEFAULT (INT64_C(128) << 20)

/* Tolerant: a value that does not parse counts as its default and is reported by its key in
 * `bad_key_out` (may be NULL; null string when all is well). */
void dw__properties_read(const dw_pairs *configuration, dw_properties *out, dw_str *bad_key_out);
/* Strict, for SET and CREATE: the key is known (or no `delta.` key) and the value legal.
 * DW_INVALID_ARGUMENT (PROPERTY_UNKNOWN, PROPERTY_INVALID) says what is allowed; an unknown key
 * names the nearest one. */
DW_WARN_UNUSED dw_status dw__property_check(dw_str key, dw_str value, dw_error *err);
/* "interval 30 days", "30 days", "interval 1 week 2 hours" to milliseconds. False for other text,
 * for months and years, whose length varies, and for negative spans. */
bool dw__interval_parse(dw_str text, int64_t *ms_out);

#endif
