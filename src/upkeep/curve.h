/*
 * Curves that fill space: the points of a grid in an order in which neighbours in all dimensions
 * stay near one another. Pure.
 *
 *  [CURVE-1] Every point of the grid has a place of its own: 0 to 2^(dimensions * bits) - 1.
 *  [CURVE-2] Points that follow one another on the Hilbert curve differ by 1 in one coordinate.
 */
#ifndef DW_UPKEEP_CURVE_H
#define DW_UPKEEP_CURVE_H

#include <stddef.h>
#include <stdint.h>

#define DW_CURVE_DIMENSIONS_MAX ((size_t) 16)

typedef enum dw_curve { DW_CURVE_Z, DW_CURVE_HILBERT } dw_curve;

/* The place of a point whose coordinates have `bits` bits; dimensions * bits is 64 at most. */
uint64_t dw__curve_place(dw_curve curve, const uint32_t *point, size_t dimensions, unsigned bits);

#endif
