/*
 * The names of the files below _delta_log, and nothing else that lies there. PROTOCOL.md "File
 * Types".
 *
 *  [NAMES-1] A name counts only when it is spelt exactly as the protocol says: twenty digits for a
 *            version, ten for a part. Everything else (checksums, temporary and hidden files,
 *            numbers that are no versions) is not there for a reader.
 */
#ifndef DW_LOG_NAMES_H
#define DW_LOG_NAMES_H

#include "base/str.h"

#define DW_SIDECAR_DIR "_delta_log/_sidecars/"
#define DW_LAST_CHECKPOINT_KEY "_delta_log/_last_checkpoint"

/* One less than int64 holds, so that the next version is always a number. */
#define DW_VERSION_MAX (INT64_MAX - 1)
#define DW_CHECKPOINT_PARTS_MAX UINT32_C(1000000)

typedef enum dw_log_file_kind {
    DW_LOG_COMMIT,          /* <version>.json */
    DW_LOG_COMPACTED,       /* <first>.<last>.compacted.json */
    DW_LOG_CHECKPOINT,      /* <version>.checkpoint.parquet */
    DW_LOG_CHECKPOINT_PART, /* <version>.checkpoint.<part>.<parts>.parquet */
    DW_LOG_CHECKPOINT_UUID  /* <version>.checkpoint.<uuid>.{parquet,json} */
} dw_log_file_kind;

typedef struct dw_log_file {
    dw_log_file_kind kind;
    bool is_json; /* a checkpoint whose main file is JSON */
    int64_t version;
    int64_t last_version;      /* of COMPACTED; otherwise `version` */
    uint32_t part, part_count; /* of CHECKPOINT_PART, from 1 */
    dw_str key;
    int64_t size_bytes;
    int64_t modified_ms;
} dw_log_file;

/* Reads the name behind "_delta_log/". False when it is none of the above; key, size and time are
 * left alone. */
bool dw__log_name_parse(dw_str name, dw_log_file *out);

/* The same for the name of a version checksum: "00000000000000000007.crc". */
bool dw__checksum_name_parse(dw_str name, int64_t *version_out);

/* "_delta_log/00000000000000000007.checkpoint.parquet" */
#define DW_CHECKPOINT_KEY_SIZE 56
dw_str dw__checkpoint_key(int64_t version, char out[DW_CHECKPOINT_KEY_SIZE]);
/* "_delta_log/00000000000000000007.crc" */
dw_str dw__checksum_key(int64_t version, char out[DW_CHECKPOINT_KEY_SIZE]);
/* "_delta_log/00000000000000000007": comes before all names of that version. */
dw_str dw__version_prefix(int64_t version, char out[DW_CHECKPOINT_KEY_SIZE]);

#endif
