/*
 * Tiles: parts of about the same number of rows that are ranges in each of some columns, as files
 * of a clustered table should be. They come from a sample of the rows: each column is cut into
 * ranges as often as its turn demands, one column within the ranges of the other, so that a range
 * of any column meets few tiles. A curve orders the rows within a tile. Pure.
 *
 * Cutting a curve into equal pieces instead would be poor: a piece that begins off the border of a
 * large cell spans both halves of the space.
 *
 *  [TILES-1] Values stay in order: a row of a tile is below those of the tiles behind it in the
 *            column in which they were cut apart.
 *  [TILES-2] What a sample does not tell - skew, correlation - makes tiles uneven, never wrong.
 */
#ifndef DW_UPKEEP_TILES_H
#define DW_UPKEEP_TILES_H

#include "base/arena.h"
#include "base/error.h"
#include "upkeep/curve.h"

#define DW_TILES_MAX ((size_t) 1 << 16)
/* A number is the tile's above these bits, and the place on the curve in them. */
#define DW_TILE_PLACE_BITS 16

typedef struct dw_tiles dw_tiles;

/* Rows whose values are given as keys: bytes that compare as the values do, unsigned; the first
 * byte of NULL's is 1, that of others' is larger. */
typedef struct dw_tile_sample {
    const dw_str *keys; /* row by row */
    size_t row_count;
    size_t dimensions; /* 1 to DW_CURVE_DIMENSIONS_MAX */
} dw_tile_sample;

/* About `tile_count` tiles, in `arena`, which stays with them. */
DW_WARN_UNUSED dw_status dw__tiles_make(const dw_tile_sample *sample, size_t tile_count,
                                        dw_curve curve, dw_arena *arena, dw_tiles **out,
                                        dw_error *err);
size_t dw__tiles_count(const dw_tiles *tiles);
/* The numbers of rows, from the keys of each column. Thread-safe. */
void dw__tiles_number(const dw_tiles *tiles, const dw_str *const *keys, size_t row_count,
                      uint32_t *out);

#endif
