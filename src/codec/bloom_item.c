/*
 * Items of filters: values as Parquet writes them plainly, hashed.
 */
#include "codec/bloom.h"

#include <math.h>
#include <string.h>

static uint64_t
hash_of(const void *bytes, size_t size)
{
    return dw__xxhash64(dw__str_make(bytes, size), 0);
}

static void
put_le(uint64_t value, size_t size, uint8_t *out)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t) (value >> 8 * i);
    }
}

uint64_t
dw__item_of_i32(int32_t value)
{
    uint8_t bytes[4];
    put_le((uint32_t) value, sizeof bytes, bytes);
    return hash_of(bytes, sizeof bytes);
}

uint64_t
dw__item_of_i64(int64_t value)
{
    uint8_t bytes[8];
    put_le((uint64_t) value, sizeof bytes, bytes);
    return hash_of(bytes, sizeof bytes);
}

/* [ITEM-1] */
uint64_t
dw__item_of_float(float value)
{
    uint32_t bits;
    uint8_t bytes[4];
    value = isnan(value) ? NAN : value + 0.0f;
    memcpy(&bits, &value, sizeof bits);
    put_le(bits, sizeof bytes, bytes);
    return hash_of(bytes, sizeof bytes);
}

uint64_t
dw__item_of_double(double value)
{
    uint64_t bits;
    uint8_t bytes[8];
    value = isnan(value) ? (double) NAN : value + 0.0;
    memcpy(&bits, &value, sizeof bits);
    put_le(bits, sizeof bytes, bytes);
    return hash_of(bytes, sizeof bytes);
}

uint64_t
dw__item_of_i128(dw_i128 value)
{
    uint8_t bytes[16];
    dw_i128 bits = value;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[sizeof bytes - 1 - i] = (uint8_t) (bits >> 8 * i);
    }
    return hash_of(bytes, sizeof bytes);
}
