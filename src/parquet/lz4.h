/*
 * Pages that are compressed with LZ4. The codec that Parquet first called so is Hadoop's: frames of
 * a size, and blocks with theirs, both in network order; some writers put a bare block under the
 * same number. LZ4_RAW is the bare block.
 */
#ifndef DW_PARQUET_LZ4_H
#define DW_PARQUET_LZ4_H

#include "base/str.h"

/* What a byte can become at the most. */
#define DW_LZ4_RATIO_MAX 255

/* Fills exactly `size` bytes of `out`; false when `in` is not that. */
bool dw__lz4_decode_raw(dw_str in, char *out, size_t size);
/* The same of frames, or of a bare block. */
bool dw__lz4_decode(dw_str in, char *out, size_t size);

#endif
