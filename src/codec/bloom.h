/*
 * Split-block bloom filters, as Parquet has them: sets that never forget an item and now and then
 * believe in one that they were not given. An item is the xxHash64 (seed 0) of its plain encoding.
 * Parquet's BloomFilter.md.
 *
 *  [BLOOM-1] What was put in is found, also after folding.
 *  [ITEM-1] Equal values of a type have equal hashes: zero has no sign, there is one NaN.
 *  [BLOOM-2] Filters are blocks of 32 bytes, in memory as in files, on any machine.
 */
#ifndef DW_CODEC_BLOOM_H
#define DW_CODEC_BLOOM_H

#include "base/int128.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define DW_BLOOM_BLOCK_BYTES ((size_t) 32)
/* The largest filter; other readers of the format end there, too. */
#define DW_BLOOM_FILTER_BYTES_MAX ((size_t) 128 << 20)
/* Between these lies what a filter may be asked for: how often it believes in what is not there. */
#define DW_BLOOM_FPP_MIN 0.000001
#define DW_BLOOM_FPP_MAX 0.5

uint64_t dw__xxhash64(dw_str bytes, uint64_t seed);

/* Items. Texts are their own bytes; a decimal of more than 18 digits is 16 bytes, the highest
 * first. [ITEM-1] */
uint64_t dw__item_of_i32(int32_t value);
uint64_t dw__item_of_i64(int64_t value);
uint64_t dw__item_of_float(float value);
uint64_t dw__item_of_double(double value);
uint64_t dw__item_of_i128(dw_i128 value);

/* The bytes of a filter for so many items; it can be folded until it fits fewer. */
size_t dw__bloom_size(uint64_t item_count, double fpp);
/* `filter` is zeroed before the first item. */
void dw__bloom_insert(uint8_t *filter, size_t size, uint64_t hash);
/* Which of the blocks of such a filter an item is in. */
size_t dw__bloom_block(size_t size, uint64_t hash);
bool dw__bloom_block_has(const uint8_t *block, uint64_t hash);
/* How often the filter, as full as it is, believes in what is not there. */
double dw__bloom_fpp(const uint8_t *filter, size_t size);
/* Makes the filter as small as it can be for that, in place; the new size. */
size_t dw__bloom_fold(uint8_t *filter, size_t size, double fpp);

#endif
