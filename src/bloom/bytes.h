/*
 * Little-endian numbers in bytes, at any address.
 */
#ifndef DW_BLOOM_BYTES_H
#define DW_BLOOM_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint64_t
dw__bytes_get(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value |= (uint64_t) at[i] << 8 * i;
    }
    return value;
}

static inline void
dw__bytes_put(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t) (value >> 8 * i);
    }
}

static inline double
dw__bytes_get_double(const uint8_t *at)
{
    double value;
    uint64_t bits = dw__bytes_get(at, 8);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline void
dw__bytes_put_double(uint8_t *at, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    dw__bytes_put(at, bits, 8);
}

#endif
