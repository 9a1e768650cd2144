/*
 * xxHash64: what Parquet's bloom filters hash with.
 */
#include "codec/bloom.h"

#include <string.h>

#define PRIME_1 UINT64_C(0x9e3779b185ebca87)
#define PRIME_2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define PRIME_3 UINT64_C(0x165667b19e3779f9)
#define PRIME_4 UINT64_C(0x85ebca77c2b2ae63)
#define PRIME_5 UINT64_C(0x27d4eb2f165667c5)
#define LANES 4
#define STRIPE ((size_t) 32)

static uint64_t
turn(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

static uint64_t
get_64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

static uint64_t
get_32(const uint8_t *at)
{
    return (uint64_t) at[0] | (uint64_t) at[1] << 8 | (uint64_t) at[2] << 16 |
           (uint64_t) at[3] << 24;
}

static uint64_t
mix(uint64_t lane, uint64_t input)
{
    return turn(lane + input * PRIME_2, 31) * PRIME_1;
}

/* Takes all whole stripes; what they come to. */
static uint64_t
take_stripes(const uint8_t **at, const uint8_t *end, uint64_t seed)
{
    uint64_t lanes[LANES] = {seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1};
    while ((size_t) (end - *at) >= STRIPE) {
        for (size_t i = 0; i < LANES; i++) {
            lanes[i] = mix(lanes[i], get_64(*at + 8 * i));
        }
        *at += STRIPE;
    }
    uint64_t hash = turn(lanes[0], 1) + turn(lanes[1], 7) + turn(lanes[2], 12) + turn(lanes[3], 18);
    for (size_t i = 0; i < LANES; i++) {
        hash = (hash ^ mix(0, lanes[i])) * PRIME_1 + PRIME_4;
    }
    return hash;
}

static uint64_t
take_rest(const uint8_t *at, const uint8_t *end, uint64_t hash)
{
    for (; end - at >= 8; at += 8) {
        hash = turn(hash ^ mix(0, get_64(at)), 27) * PRIME_1 + PRIME_4;
    }
    if (end - at >= 4) {
        hash = turn(hash ^ get_32(at) * PRIME_1, 23) * PRIME_2 + PRIME_3;
        at += 4;
    }
    for (; at < end; at++) {
        hash = turn(hash ^ *at * PRIME_5, 11) * PRIME_1;
    }
    return hash;
}

uint64_t
dw__xxhash64(dw_str bytes, uint64_t seed)
{
    if (bytes.len == 0) {
        bytes = DW_STR("");
    }
    const uint8_t *at = (const uint8_t *) bytes.ptr;
    const uint8_t *end = at + bytes.len;
    uint64_t hash = bytes.len >= STRIPE ? take_stripes(&at, end, seed) : seed + PRIME_5;
    hash = take_rest(at, end, hash + bytes.len);
    hash = (hash ^ hash >> 33) * PRIME_2;
    hash = (hash ^ hash >> 29) * PRIME_3;
    return hash ^ hash >> 32;
}
