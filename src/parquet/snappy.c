/*
 * A block is its size and then a row of literals and copies from what was decoded before. Short
 * ones are moved sixteen bytes at a time, into the slack if need be.
 */
#include "parquet/snappy.h"

enum { LITERAL, COPY_1, COPY_2, COPY_4 };

/* What is moved at once. */
#define STRIDE 16

typedef struct decoder {
    const uint8_t *at, *end;
    uint8_t *out_start, *out, *out_end;
} decoder;

static uint32_t
load_le(const uint8_t *at, size_t size)
{
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value |= (uint32_t) at[i] << (8 * i);
    }
    return value;
}

static bool
take_size(decoder *d, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift <= 28 && d->at < d->end; shift += 7) {
        uint8_t byte = *d->at++;
        *out |= (uint64_t) (byte & 0x7f) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

static bool
take_literal(decoder *d, uint8_t tag)
{
    size_t len = (size_t) (tag >> 2) + 1;
    if (len > 60) {
        size_t size = len - 60;
        if ((size_t) (d->end - d->at) < size) {
            return false;
        }
        len = (size_t) load_le(d->at, size) + 1;
        d->at += size;
    }
    if ((size_t) (d->end - d->at) < len || (size_t) (d->out_end - d->out) < len) {
        return false;
    }
    if (len <= STRIDE) {
        memcpy(d->out, d->at, STRIDE);
    } else {
        memcpy(d->out, d->at, len);
    }
    d->at += len;
    d->out += len;
    return true;
}

/* Copies what may overlap itself: then bytes come again. */
static bool
copy(decoder *d, size_t len, size_t distance)
{
    if (distance == 0 || distance > (size_t) (d->out - d->out_start) ||
        len > (size_t) (d->out_end - d->out)) {
        return false;
    }
    uint8_t *to = d->out;
    const uint8_t *from = to - distance;
    d->out += len;
    if (distance >= STRIDE) {
        for (size_t i = 0; i < len; i += STRIDE) {
            memcpy(to + i, from + i, STRIDE);
        }
        return true;
    }
    if (distance >= sizeof(uint64_t)) {
        for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
            memcpy(to + i, from + i, sizeof(uint64_t));
        }
        return true;
    }
    for (size_t i = 0; i < len; i++) {
        to[i] = from[i];
    }
    return true;
}

static bool
take_copy(decoder *d, uint8_t tag)
{
    size_t size = (tag & 3) == COPY_1 ? 1 : (tag & 3) == COPY_2 ? 2 : 4;
    if ((size_t) (d->end - d->at) < size) {
        return false;
    }
    size_t len = (size_t) (tag >> 2) + 1;
    size_t distance = load_le(d->at, size);
    if (size == 1) {
        len = 4 + (tag >> 2 & 7);
        distance |= (size_t) (tag >> 5) << 8;
    }
    d->at += size;
    return copy(d, len, distance);
}

bool
dw__snappy_decode(dw_str in, char *out, size_t size)
{
    const uint8_t *start = (const uint8_t *) in.ptr;
    uint8_t *to = (uint8_t *) out;
    decoder d = {start, start + in.len, to, to, to + size};
    uint64_t stated;
    if (!take_size(&d, &stated) || stated != size) {
        return false;
    }
    bool ok = true;
    while (ok && d.at < d.end) {
        uint8_t tag = *d.at++;
        ok = (tag & 3) == LITERAL ? take_literal(&d, tag) : take_copy(&d, tag);
    }
    return ok && d.out == d.out_end;
}
