/*
 * Snappy's format of one block, for reading.
 */
#ifndef DW_PARQUET_SNAPPY_H
#define DW_PARQUET_SNAPPY_H

#include "base/str.h"

/* Bytes behind the end of either buffer that may be read or written. */
#define DW_SNAPPY_SLACK 64

/* Decodes into exactly `size` bytes at `out`; false when the input is not of that size. Both the
 * input and the output have DW_SNAPPY_SLACK more bytes of memory behind them. */
bool dw__snappy_decode(dw_str in, char *out, size_t size);

#endif
