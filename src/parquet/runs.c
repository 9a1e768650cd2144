/*
 * "RLE/bit-packing hybrid": each run begins with a number whose lowest bit says of which kind it
 * is.
 */
#include "parquet/runs.h"

#include "base/assert.h"

#define PACKED_GROUP 8

dw_pq_runs
dw__pq_runs_make(dw_str bytes, unsigned width)
{
    dw_assert(width <= DW_PQ_RUNS_WIDTH_MAX);
    const uint8_t *start = (const uint8_t *) bytes.ptr;
    return (dw_pq_runs){.at = start, .end = start + bytes.len, .width = width};
}

static bool
take_varint(dw_pq_runs *runs, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift <= 28 && runs->at < runs->end; shift += 7) {
        uint8_t byte = *runs->at++;
        *out |= (uint64_t) (byte & 0x7f) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

/* Begins the next run that has values; false when there is none. */
static bool
next_run(dw_pq_runs *runs)
{
    while (runs->left == 0) {
        uint64_t head;
        if (!take_varint(runs, &head)) {
            return false;
        }
        size_t room = (size_t) (runs->end - runs->at);
        runs->is_packed = (head & 1) != 0;
        runs->left = (size_t) (head >> 1);
        size_t size = (runs->width + 7) / 8;
        if (runs->is_packed) {
            size = runs->left * runs->width;
            runs->left *= PACKED_GROUP;
            runs->packed = runs->at;
            runs->packed_idx = 0;
        }
        if (size > room) {
            return false;
        }
        if (!runs->is_packed) {
            runs->value = 0;
            for (size_t i = 0; i < size; i++) {
                runs->value |= (uint32_t) runs->at[i] << (8 * i);
            }
        }
        runs->at += size;
    }
    return true;
}

static uint32_t
unpack(const dw_pq_runs *runs, size_t idx)
{
    size_t bit = idx * runs->width;
    uint64_t word;
    memcpy(&word, runs->packed + bit / 8, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return (uint32_t) (word >> (bit % 8)) & (uint32_t) ((UINT64_C(1) << runs->width) - 1);
}

bool
dw__pq_runs_take_same(dw_pq_runs *runs, size_t count, uint32_t *value_out)
{
    if (count == 0 || !next_run(runs) || runs->is_packed || runs->left < count) {
        return false;
    }
    runs->left -= count;
    *value_out = runs->value;
    return true;
}

/* How many of `count` values the run that is open, or the next one, has; 0: there is none. */
static size_t
begin(dw_pq_runs *runs, size_t count)
{
    if (!next_run(runs)) {
        return 0;
    }
    return runs->left < count ? runs->left : count;
}

bool
dw__pq_runs_take(dw_pq_runs *runs, uint32_t *out, size_t count)
{
    for (size_t done = 0; done < count;) {
        size_t part = begin(runs, count - done);
        if (part == 0) {
            return false;
        }
        for (size_t i = 0; i < part; i++) {
            out[done + i] = runs->is_packed ? unpack(runs, runs->packed_idx + i) : runs->value;
        }
        runs->packed_idx += part;
        runs->left -= part;
        done += part;
    }
    return true;
}

bool
dw__pq_runs_take_bytes(dw_pq_runs *runs, uint8_t *out, size_t count)
{
    for (size_t done = 0; done < count;) {
        size_t part = begin(runs, count - done);
        if (part == 0) {
            return false;
        }
        for (size_t i = 0; i < part; i++) {
            out[done + i] =
                (uint8_t) (runs->is_packed ? unpack(runs, runs->packed_idx + i) : runs->value);
        }
        runs->packed_idx += part;
        runs->left -= part;
        done += part;
    }
    return true;
}
