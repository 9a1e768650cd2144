/*
 * The Z-curve takes turns with the bits of the coordinates. The Hilbert curve does so after turning
 * each cell the way the curve runs through it: J. Skilling, "Programming the Hilbert curve" (2004).
 */
#include "upkeep/curve.h"

#include "base/assert.h"

#include <string.h>

/* The highest bits first, the first dimension's before the others'. */
static uint64_t
interleave(const uint32_t *point, size_t dimensions, unsigned bits)
{
    uint64_t place = 0;
    for (unsigned bit = bits; bit > 0; bit--) {
        for (size_t i = 0; i < dimensions; i++) {
            place = place << 1 | (point[i] >> (bit - 1) & 1);
        }
    }
    return place;
}

/* Turns and mirrors cells from the largest to the smallest. */
static void
undo_turns(uint32_t *point, size_t dimensions, unsigned bits)
{
    for (uint32_t side = UINT32_C(1) << (bits - 1); side > 1; side >>= 1) {
        uint32_t below = side - 1;
        for (size_t i = 0; i < dimensions; i++) {
            if ((point[i] & side) != 0) {
                point[0] ^= below;
            } else {
                uint32_t swapped = (point[0] ^ point[i]) & below;
                point[0] ^= swapped;
                point[i] ^= swapped;
            }
        }
    }
}

/* Into Gray code, along which one bit changes at a time. */
static void
encode_gray(uint32_t *point, size_t dimensions, unsigned bits)
{
    for (size_t i = 1; i < dimensions; i++) {
        point[i] ^= point[i - 1];
    }
    uint32_t flipped = 0;
    for (uint32_t side = UINT32_C(1) << (bits - 1); side > 1; side >>= 1) {
        if ((point[dimensions - 1] & side) != 0) {
            flipped ^= side - 1;
        }
    }
    for (size_t i = 0; i < dimensions; i++) {
        point[i] ^= flipped;
    }
}

uint64_t
dw__curve_place(dw_curve curve, const uint32_t *point, size_t dimensions, unsigned bits)
{
    dw_assert(dimensions > 0 && dimensions <= DW_CURVE_DIMENSIONS_MAX);
    dw_assert(bits > 0 && bits <= 32);
    dw_assert(dimensions * bits <= 64);
    uint32_t turned[DW_CURVE_DIMENSIONS_MAX];
    memcpy(turned, point, dimensions * sizeof(*turned));
    if (curve == DW_CURVE_HILBERT && dimensions > 1) {
        undo_turns(turned, dimensions, bits);
        encode_gray(turned, dimensions, bits);
    }
    return interleave(turned, dimensions, bits);
}
