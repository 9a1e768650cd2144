/*
 * How large the files of a table are and how many of their rows are deleted, counted in bins, as
 * version checksums say it. PROTOCOL.md "File Size Histogram Schema", "Deleted Record Counts
 * Histogram Schema".
 */
#ifndef DW_PROTOCOL_FILE_HISTOGRAM_H
#define DW_PROTOCOL_FILE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define DW_SIZE_BIN_COUNT 95
#define DW_DELETED_BIN_COUNT 10

/* The first size of each bin, as the reference has them. */
extern const int64_t dw__size_bins[DW_SIZE_BIN_COUNT];

/* Numbers wrap around, as a log may claim any sizes. */
typedef struct dw_file_histogram {
    uint64_t file_counts[DW_SIZE_BIN_COUNT];
    uint64_t size_bytes[DW_SIZE_BIN_COUNT];
    uint64_t deleted_counts[DW_DELETED_BIN_COUNT]; /* of files */
} dw_file_histogram;

/* Adds a file, or takes one away. Negative numbers count as 0. */
void dw__file_histogram_add(dw_file_histogram *histogram, int64_t size_bytes, int64_t deleted_rows);
void dw__file_histogram_remove(dw_file_histogram *histogram, int64_t size_bytes,
                               int64_t deleted_rows);

#endif
