/*
 * Counting files in bins.
 */
#include "protocol/file_histogram.h"

#define KB (INT64_C(1) << 10)
#define MB (INT64_C(1) << 20)
#define GB (INT64_C(1) << 30)

const int64_t dw__size_bins[DW_SIZE_BIN_COUNT] = {
    0,         8 * KB,    16 * KB,   32 * KB,   64 * KB,   128 * KB,  256 * KB,  512 * KB,
    1 * MB,    2 * MB,    4 * MB,    8 * MB,    12 * MB,   16 * MB,   20 * MB,   24 * MB,
    28 * MB,   32 * MB,   36 * MB,   40 * MB,   48 * MB,   56 * MB,   64 * MB,   72 * MB,
    80 * MB,   88 * MB,   96 * MB,   104 * MB,  112 * MB,  120 * MB,  124 * MB,  128 * MB,
    132 * MB,  136 * MB,  140 * MB,  144 * MB,  160 * MB,  176 * MB,  192 * MB,  208 * MB,
    224 * MB,  240 * MB,  256 * MB,  272 * MB,  288 * MB,  304 * MB,  320 * MB,  336 * MB,
    352 * MB,  368 * MB,  384 * MB,  400 * MB,  416 * MB,  432 * MB,  448 * MB,  464 * MB,
    480 * MB,  496 * MB,  512 * MB,  528 * MB,  544 * MB,  560 * MB,  576 * MB,  640 * MB,
    704 * MB,  768 * MB,  832 * MB,  896 * MB,  960 * MB,  1 * GB,    1088 * MB, 1152 * MB,
    1216 * MB, 1280 * MB, 1344 * MB, 1408 * MB, 1536 * MB, 1664 * MB, 1792 * MB, 1920 * MB,
    2 * GB,    2304 * MB, 2560 * MB, 2816 * MB, 3 * GB,    3328 * MB, 3584 * MB, 3840 * MB,
    4 * GB,    8 * GB,    16 * GB,   32 * GB,   64 * GB,   128 * GB,  256 * GB};

/* Up to 4 MB bins begin at powers of two. */
#define POWERS_END (4 * MB)
#define FIRST_POWER_BITS 13
#define POWERS_END_BIN 10

static size_t
size_bin(int64_t size)
{
    if (size < dw__size_bins[1]) {
        return 0;
    }
    if (size < POWERS_END) {
        return (size_t) (63 - __builtin_clzll((unsigned long long) size)) - FIRST_POWER_BITS + 1;
    }
    size_t low = POWERS_END_BIN, high = DW_SIZE_BIN_COUNT;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (dw__size_bins[middle] <= size) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Powers of ten, and all from 2^31 - 1 on. */
static size_t
deleted_bin(int64_t deleted)
{
    size_t bin = 0;
    if (deleted >= INT32_MAX) {
        return DW_DELETED_BIN_COUNT - 1;
    }
    for (int64_t end = 1; deleted >= end && bin < DW_DELETED_BIN_COUNT - 2; end *= 10) {
        bin++;
    }
    return bin;
}

void
dw__file_histogram_add(dw_file_histogram *histogram, int64_t size_bytes, int64_t deleted_rows)
{
    size_t bin = size_bin(size_bytes);
    histogram->file_counts[bin]++;
    histogram->size_bytes[bin] += size_bytes < 0 ? 0 : (uint64_t) size_bytes;
    histogram->deleted_counts[deleted_bin(deleted_rows)]++;
}

void
dw__file_histogram_remove(dw_file_histogram *histogram, int64_t size_bytes, int64_t deleted_rows)
{
    size_t bin = size_bin(size_bytes);
    histogram->file_counts[bin]--;
    histogram->size_bytes[bin] -= size_bytes < 0 ? 0 : (uint64_t) size_bytes;
    histogram->deleted_counts[deleted_bin(deleted_rows)]--;
}
