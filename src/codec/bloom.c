/*
 * See bloom.h. The top half of a hash chooses the block, so that two neighbours of a filter with an
 * even number of blocks are one block of the filter of half the size: that is how it is folded.
 */
#include "codec/bloom.h"

#include "base/assert.h"

#include <math.h>
#include <string.h>

#define BLOCK_WORDS 8
#define WORD_BITS 32
#define NEGLIGIBLE 1e-12
/* Filters that are not small have a number of blocks that can be halved until so few are left. */
#define FOLDED_BLOCKS ((size_t) 16)

static const uint32_t salts[BLOCK_WORDS] = {0x47b6137bu, 0x44974d91u, 0x8824ad5bu, 0xa2b7289du,
                                            0x705495c7u, 0x2df1424bu, 0x9efc4947u, 0x5c6bfb31u};

/* ---- Size ------------------------------------------------------------------------------------ */

/* What is expected of blocks that have so many items each on average: how many are in a block is
 * Poisson's. */
static double
expected_fpp(double items)
{
    double chance = exp(-items);
    double sum = 0;
    double empty = 1; /* the chance that a bit is not set by so many items */
    for (int i = 0; i <= items || chance > NEGLIGIBLE; i++) {
        double set = (1 - empty) * (1 - empty);
        sum += chance * set * set * set * set; /* in each of the eight words */
        chance *= items / (i + 1);
        empty *= 1 - 1.0 / WORD_BITS;
    }
    return sum;
}

/* The most items a block may have on average. */
static double
items_per_block(double fpp)
{
    double low = 0;
    double high = 128;
    for (int i = 0; i < 40; i++) {
        double middle = (low + high) / 2;
        if (expected_fpp(middle) <= fpp) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t
dw__bloom_size(uint64_t item_count, double fpp)
{
    dw_assert(fpp >= DW_BLOOM_FPP_MIN && fpp <= DW_BLOOM_FPP_MAX);
    size_t blocks_max = DW_BLOOM_FILTER_BYTES_MAX / DW_BLOOM_BLOCK_BYTES;
    double wanted = ceil((double) item_count / items_per_block(fpp));
    size_t blocks = wanted >= (double) blocks_max ? blocks_max : (size_t) wanted;
    size_t step = 1;
    while (blocks / step >= 2 * FOLDED_BLOCKS) {
        step *= 2;
    }
    blocks = (blocks + step - 1) / step * step;
    return (blocks == 0 ? 1 : blocks) * DW_BLOOM_BLOCK_BYTES;
}

/* ---- Items ----------------------------------------------------------------------------------- */

static uint32_t
word_get(const uint8_t *word)
{
    return (uint32_t) word[0] | (uint32_t) word[1] << 8 | (uint32_t) word[2] << 16 |
           (uint32_t) word[3] << 24;
}

static uint32_t
bit_of(uint64_t hash, size_t word)
{
    return ((uint32_t) hash * salts[word]) >> 27;
}

size_t
dw__bloom_block(size_t size, uint64_t hash)
{
    return (size_t) (((hash >> 32) * (uint64_t) (size / DW_BLOOM_BLOCK_BYTES)) >> 32);
}

void
dw__bloom_insert(uint8_t *filter, size_t size, uint64_t hash)
{
    uint8_t *block = filter + dw__bloom_block(size, hash) * DW_BLOOM_BLOCK_BYTES;
    for (size_t i = 0; i < BLOCK_WORDS; i++) {
        uint32_t bit = bit_of(hash, i);
        block[4 * i + bit / 8] |= (uint8_t) (1u << bit % 8);
    }
}

bool
dw__bloom_block_has(const uint8_t *block, uint64_t hash)
{
    uint32_t missing = 0;
    for (size_t i = 0; i < BLOCK_WORDS; i++) {
        uint32_t bit = bit_of(hash, i);
        missing |= ~(uint32_t) block[4 * i + bit / 8] & (1u << bit % 8);
    }
    return missing == 0;
}

/* ---- Folding --------------------------------------------------------------------------------- */

static void
put_together(const uint8_t *a, const uint8_t *b, uint8_t *out)
{
    for (size_t i = 0; i < DW_BLOOM_BLOCK_BYTES; i++) {
        out[i] = a[i] | b[i];
    }
}

static double
block_fpp(const uint8_t *block)
{
    double chance = 1;
    for (size_t i = 0; i < BLOCK_WORDS; i++) {
        chance *= (double) __builtin_popcount(word_get(block + 4 * i)) / WORD_BITS;
    }
    return chance;
}

double
dw__bloom_fpp(const uint8_t *filter, size_t size)
{
    double sum = 0;
    for (size_t at = 0; at < size; at += DW_BLOOM_BLOCK_BYTES) {
        sum += block_fpp(filter + at);
    }
    return sum / (double) (size / DW_BLOOM_BLOCK_BYTES);
}

/* The same of the filter of half the size. */
static double
folded_fpp(const uint8_t *filter, size_t size)
{
    double sum = 0;
    uint8_t block[DW_BLOOM_BLOCK_BYTES];
    for (size_t at = 0; at < size; at += 2 * DW_BLOOM_BLOCK_BYTES) {
        put_together(filter + at, filter + at + DW_BLOOM_BLOCK_BYTES, block);
        sum += block_fpp(block);
    }
    return sum / (double) (size / (2 * DW_BLOOM_BLOCK_BYTES));
}

size_t
dw__bloom_fold(uint8_t *filter, size_t size, double fpp)
{
    while (size % (2 * DW_BLOOM_BLOCK_BYTES) == 0 && folded_fpp(filter, size) <= fpp) {
        uint8_t block[DW_BLOOM_BLOCK_BYTES];
        size /= 2;
        for (size_t at = 0; at < size; at += DW_BLOOM_BLOCK_BYTES) {
            put_together(filter + 2 * at, filter + 2 * at + DW_BLOOM_BLOCK_BYTES, block);
            memcpy(filter + at, block, sizeof block);
        }
    }
    return size;
}
