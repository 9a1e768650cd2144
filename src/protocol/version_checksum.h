/*
 * What a version checksum says of the state of a table. PROTOCOL.md "Version Checksum File".
 *
 *  [CHECKSUM-1] Numbers are exact or not there; lists are complete or not there.
 *  [CHECKSUM-2] A reader compares what both sides know, and takes nothing from a checksum.
 */
#ifndef DW_PROTOCOL_VERSION_CHECKSUM_H
#define DW_PROTOCOL_VERSION_CHECKSUM_H

#include "protocol/action.h"
#include "protocol/file_histogram.h"

/* It may hold all files of the table, as some writers put them there. */
#define DW_CHECKSUM_BYTES_MAX ((size_t) 64 << 20)
/* Longer lists are left out: every commit would write them anew. */
#define DW_CHECKSUM_TXNS_MAX ((size_t) 100)
#define DW_CHECKSUM_DOMAINS_MAX ((size_t) 100)

/* Strings and arrays are borrowed. */
typedef struct dw_version_checksum {
    dw_str txn_id; /* null string: none */
    int64_t size_bytes;
    int64_t file_count;
    bool has_dv_count;
    int64_t dv_count;
    bool has_deleted_rows;
    int64_t deleted_rows; /* by deletion vectors */
    bool has_in_commit_timestamp;
    int64_t in_commit_timestamp_ms;
    bool has_txns;
    const dw_txn_id *txns;
    size_t txn_count;
    bool has_domains;
    const dw_domain *domains;
    size_t domain_count;
    /* Sizes of files in bins; NULL: not there. What was read may have other bins than we. */
    size_t size_bin_count;
    const int64_t *size_bins;
    const uint64_t *size_bin_files, *size_bin_bytes;
    const uint64_t *deleted_bin_files; /* DW_DELETED_BIN_COUNT bins of deleted rows; NULL: none */
    const dw_metadata *metadata;       /* NULL: none; only in one that was read */
    const dw_protocol *protocol;       /* likewise */
} dw_version_checksum;

/* Says where the numbers of a histogram are; the deleted rows only with `has_deleted`. Borrowed. */
void dw__version_checksum_set_histogram(dw_version_checksum *checksum,
                                        const dw_file_histogram *histogram, bool has_deleted);
/* Replaces the content of `out` by the object and a line end. */
void dw__version_checksum_print(dw_strbuf *out, const dw_version_checksum *checksum);
/* DW_CORRUPT (CHECKSUM_INVALID) when it is not an object with tableSizeBytes and numFiles. Members
 * that some writers leave out may be missing. */
DW_WARN_UNUSED dw_status dw__version_checksum_parse(dw_str json, dw_arena *arena,
                                                    dw_version_checksum *out, dw_error *err);
/* Compares a checksum that was read with the state that the log replays to. DW_CORRUPT
 * (CHECKSUM_MISMATCH) names the first member that differs, and both values. */
DW_WARN_UNUSED dw_status dw__version_checksum_compare(const dw_version_checksum *written,
                                                      const dw_version_checksum *replayed,
                                                      dw_error *err);

#endif
