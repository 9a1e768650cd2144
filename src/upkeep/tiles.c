/*
 * A tree: each node cuts its rows by the ranks of one column, its children by those of the next.
 */
#include "upkeep/tiles.h"

#include "base/assert.h"
#include "upkeep/ranks.h"

#include <string.h>

enum { BOUNDS_MIN = 4095, BOUNDS_MAX = 65535, BOUNDS_PER_TILE = 16 };
/* Of fractions. Widths and coordinates have at most 16 bits: what rounding up adds is less than
 * what tells two fractions apart. */
#define SCALE_BITS 32
#define PLACE_COUNT ((size_t) 1 << DW_TILE_PLACE_BITS)

/* The node's rows have ranks from `low` on, `width` of them, in each column. */
typedef struct tile_node {
    size_t dimension;        /* in which its parts differ */
    const uint32_t *cuts;    /* the first rank of each part but the first */
    struct tile_node *parts; /* NULL: a tile */
    size_t part_count;
    uint32_t tile;
    uint32_t *low, *width;
    uint64_t *scale; /* of a tile: how many coordinates a rank is, in each column */
} tile_node;

struct dw_tiles {
    size_t dimensions;
    unsigned bits; /* of a coordinate within a tile */
    dw_ranks *ranks;
    tile_node root;
    size_t count;
    uint16_t *places; /* on the curve, by the coordinates behind one another */
};

/* What making them carries around. */
typedef struct builder {
    dw_tiles *tiles;
    dw_arena *arena;
    size_t dimensions;
    uint32_t *ranks;   /* of the sample, row by row */
    uint32_t *rows;    /* numbers of rows, in the order of the tree's leaves */
    uint32_t *scratch; /* as many */
    size_t *histogram; /* one more than the largest rank */
    dw_error *err;
} builder;

/* ---- Where to cut ---------------------------------------------------------------------------- */

static uint32_t
rank_of(const builder *b, uint32_t row, size_t dimension)
{
    return b->ranks[row * b->dimensions + dimension];
}

/* The largest whole number whose power is not above `value`, or the next when that is nearer. */
static size_t
nearest_root(size_t value, size_t power)
{
    size_t root = 1;
    for (;;) {
        double low = 1, middle = 1;
        for (size_t i = 0; i < power; i++) {
            low *= (double) root + 1;
            middle *= (double) root + 0.5;
        }
        if (middle > (double) value) {
            return root;
        }
        root++;
        if (low > (double) value) {
            return root;
        }
    }
}

/* In how many parts this column is cut, when the others behind it are cut alike. */
static size_t
parts_wanted(size_t tiles, size_t columns_left)
{
    if (columns_left == 1 || tiles < 3) {
        return tiles;
    }
    size_t root = nearest_root(tiles, columns_left);
    return root < 2 ? 2 : root;
}

static void
count_ranks(const builder *b, const tile_node *node, const uint32_t *rows, size_t count)
{
    size_t d = node->dimension;
    memset(b->histogram, 0, node->width[d] * sizeof(*b->histogram));
    for (size_t i = 0; i < count; i++) {
        b->histogram[rank_of(b, rows[i], d) - node->low[d]]++;
    }
}

/*
 * Cuts between ranks, as near to equal parts as equal ranks allow. A part of less than a quarter of
 * a tile is left with its neighbour. Gives the number of cuts.
 */
static size_t
choose_cuts(const builder *b, const tile_node *node, size_t count, size_t tiles, size_t parts,
            uint32_t *cuts)
{
    size_t d = node->dimension, cut_count = 0, below = 0, begun_at = 0;
    size_t least = count / tiles / 4 + 1;
    uint32_t rank = 0;
    for (size_t part = 1; part < parts; part++) {
        /* Tiles are dealt out to the parts as evenly as can be. */
        size_t aim =
            count / tiles * (part * tiles / parts) + count % tiles * (part * tiles / parts) / tiles;
        while (rank < node->width[d] && below + b->histogram[rank] / 2 < aim) {
            below += b->histogram[rank++];
        }
        if (below >= begun_at + least && count - below >= least && rank > 0) {
            cuts[cut_count++] = node->low[d] + rank;
            begun_at = below;
        }
    }
    return cut_count;
}

static size_t
part_of(const tile_node *node, uint32_t rank)
{
    size_t low = 0, high = node->part_count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (node->cuts[middle] <= rank) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Puts the rows of each part behind those of the part before; `ends` gets where each ends. */
static void
sort_into_parts(const builder *b, const tile_node *node, uint32_t *rows, size_t count, size_t *ends)
{
    for (size_t i = 0; i < count; i++) {
        ends[part_of(node, rank_of(b, rows[i], node->dimension))]++;
    }
    for (size_t part = 1; part < node->part_count; part++) {
        ends[part] += ends[part - 1];
    }
    for (size_t i = count; i > 0; i--) {
        uint32_t row = rows[i - 1];
        b->scratch[--ends[part_of(node, rank_of(b, row, node->dimension))]] = row;
    }
    /* What were the ends are the beginnings now. */
    for (size_t part = 0; part < node->part_count; part++) {
        ends[part] = part + 1 == node->part_count ? count : ends[part + 1];
    }
    memcpy(rows, b->scratch, count * sizeof(*rows));
}

/* ---- The tree -------------------------------------------------------------------------------- */

static bool
init_part(const builder *b, const tile_node *node, size_t idx)
{
    tile_node *part = &node->parts[idx];
    size_t d = node->dimension;
    part->low = DW_ARENA_ARRAY(b->arena, uint32_t, b->dimensions);
    part->width = DW_ARENA_ARRAY(b->arena, uint32_t, b->dimensions);
    if (part->low == NULL || part->width == NULL) {
        return false;
    }
    memcpy(part->low, node->low, b->dimensions * sizeof(*part->low));
    memcpy(part->width, node->width, b->dimensions * sizeof(*part->width));
    uint32_t end = node->low[d] + node->width[d];
    part->low[d] = idx == 0 ? node->low[d] : node->cuts[idx - 1];
    part->width[d] = (idx + 1 == node->part_count ? end : node->cuts[idx]) - part->low[d];
    return true;
}

static size_t
share_of(size_t tiles, size_t rows, size_t all_rows)
{
    size_t share = (tiles * rows + all_rows / 2) / all_rows;
    return share == 0 ? 1 : share;
}

static dw_status build(builder *b, tile_node *node, size_t dimension, uint32_t *rows, size_t count,
                       size_t tiles);

static dw_status
build_parts(builder *b, tile_node *node, uint32_t *rows, size_t count, size_t tiles)
{
    size_t *ends = DW_ARENA_ARRAY(b->arena, size_t, node->part_count);
    node->parts = DW_ARENA_ARRAY(b->arena, tile_node, node->part_count);
    if (ends == NULL || node->parts == NULL) {
        return dw__error_oom(b->err);
    }
    sort_into_parts(b, node, rows, count, ends);
    for (size_t i = 0; i < node->part_count; i++) {
        size_t start = i == 0 ? 0 : ends[i - 1];
        size_t part_rows = ends[i] - start;
        if (!init_part(b, node, i)) {
            return dw__error_oom(b->err);
        }
        DW_TRY(build(b, &node->parts[i], node->dimension + 1, rows + start, part_rows,
                     share_of(tiles, part_rows, count)));
    }
    return DW_OK;
}

/* A multiplication for each row is much cheaper than a division. */
static dw_status
set_scale(const builder *b, tile_node *node)
{
    node->scale = DW_ARENA_ARRAY(b->arena, uint64_t, b->dimensions);
    if (node->scale == NULL) {
        return dw__error_oom(b->err);
    }
    for (size_t d = 0; d < b->dimensions; d++) {
        uint64_t all = UINT64_C(1) << (SCALE_BITS + b->tiles->bits);
        node->scale[d] = (all + node->width[d] - 1) / node->width[d];
    }
    return DW_OK;
}

/* As deep as there are columns. */
static dw_status
build(builder *b, tile_node *node, size_t dimension, uint32_t *rows, size_t count, size_t tiles)
{
    node->tile = (uint32_t) b->tiles->count;
    if (tiles < 2 || count == 0 || dimension == b->dimensions) {
        b->tiles->count += b->tiles->count + 1 < DW_TILES_MAX;
        return set_scale(b, node);
    }
    size_t parts = parts_wanted(tiles, b->dimensions - dimension);
    uint32_t *cuts = DW_ARENA_ARRAY(b->arena, uint32_t, parts);
    if (cuts == NULL) {
        return dw__error_oom(b->err);
    }
    node->dimension = dimension;
    node->cuts = cuts;
    count_ranks(b, node, rows, count);
    node->part_count = choose_cuts(b, node, count, tiles, parts, cuts) + 1;
    if (node->part_count == 1) {
        return build(b, node, dimension + 1, rows, count, tiles);
    }
    return build_parts(b, node, rows, count, tiles);
}

/* ---- Making ---------------------------------------------------------------------------------- */

static dw_status
make_ranks(builder *b, const dw_tile_sample *sample, size_t tile_count)
{
    size_t bounds_max = tile_count * BOUNDS_PER_TILE;
    bounds_max = bounds_max < BOUNDS_MIN ? BOUNDS_MIN : bounds_max;
    bounds_max = bounds_max > BOUNDS_MAX ? BOUNDS_MAX : bounds_max;
    b->histogram = DW_ARENA_ARRAY(b->arena, size_t, bounds_max + 1);
    b->ranks = DW_ARENA_ARRAY(b->arena, uint32_t, sample->row_count * b->dimensions + 1);
    if (b->histogram == NULL || b->ranks == NULL) {
        return dw__error_oom(b->err);
    }
    for (size_t d = 0; d < b->dimensions; d++) {
        const dw_str *keys = sample->keys + d;
        dw_ranks *ranks = &b->tiles->ranks[d];
        DW_TRY(dw__ranks_make(keys, sample->row_count, b->dimensions, bounds_max, b->arena, ranks,
                              b->err));
        for (size_t row = 0; row < sample->row_count; row++) {
            b->ranks[row * b->dimensions + d] = dw__ranks_find(ranks, keys[row * b->dimensions]);
        }
    }
    return DW_OK;
}

static dw_status
init_root(builder *b, size_t row_count)
{
    tile_node *root = &b->tiles->root;
    root->low = DW_ARENA_ARRAY(b->arena, uint32_t, b->dimensions);
    root->width = DW_ARENA_ARRAY(b->arena, uint32_t, b->dimensions);
    b->rows = DW_ARENA_ARRAY(b->arena, uint32_t, row_count + 1);
    b->scratch = DW_ARENA_ARRAY(b->arena, uint32_t, row_count + 1);
    if (root->low == NULL || root->width == NULL || b->rows == NULL || b->scratch == NULL) {
        return dw__error_oom(b->err);
    }
    for (size_t d = 0; d < b->dimensions; d++) {
        root->width[d] = (uint32_t) b->tiles->ranks[d].bound_count + 1;
    }
    for (size_t row = 0; row < row_count; row++) {
        b->rows[row] = (uint32_t) row;
    }
    return DW_OK;
}

/* The curve is walked once for all rows. */
static dw_status
make_places(builder *b, dw_curve curve)
{
    dw_tiles *tiles = b->tiles;
    tiles->bits = (unsigned) (DW_TILE_PLACE_BITS / b->dimensions);
    tiles->places = DW_ARENA_ARRAY(b->arena, uint16_t, PLACE_COUNT);
    if (tiles->places == NULL) {
        return dw__error_oom(b->err);
    }
    for (uint32_t cell = 0; cell < UINT32_C(1) << (tiles->bits * b->dimensions); cell++) {
        uint32_t point[DW_CURVE_DIMENSIONS_MAX];
        for (size_t d = 0; d < b->dimensions; d++) {
            unsigned shift = tiles->bits * (unsigned) (b->dimensions - 1 - d);
            point[d] = cell >> shift & ((UINT32_C(1) << tiles->bits) - 1);
        }
        tiles->places[cell] = (uint16_t) dw__curve_place(curve, point, b->dimensions, tiles->bits);
    }
    return DW_OK;
}

dw_status
dw__tiles_make(const dw_tile_sample *sample, size_t tile_count, dw_curve curve, dw_arena *arena,
               dw_tiles **out, dw_error *err)
{
    dw_assert(sample->dimensions > 0 && sample->dimensions <= DW_CURVE_DIMENSIONS_MAX);
    dw_assert(sample->row_count < UINT32_MAX);
    *out = NULL;
    dw_tiles *tiles = DW_ARENA_NEW(arena, dw_tiles);
    if (tiles == NULL) {
        return dw__error_oom(err);
    }
    builder b = {.tiles = tiles, .arena = arena, .dimensions = sample->dimensions, .err = err};
    tiles->dimensions = sample->dimensions;
    tiles->ranks = DW_ARENA_ARRAY(arena, dw_ranks, sample->dimensions);
    if (tiles->ranks == NULL) {
        return dw__error_oom(err);
    }
    /* Rounding may give some more than are asked for. */
    size_t wanted = tile_count < DW_TILES_MAX / 2 ? tile_count : DW_TILES_MAX / 2;
    DW_TRY(make_ranks(&b, sample, wanted));
    DW_TRY(init_root(&b, sample->row_count));
    DW_TRY(make_places(&b, curve));
    DW_TRY(build(&b, &tiles->root, 0, b.rows, sample->row_count, wanted));
    *out = tiles;
    return DW_OK;
}

size_t
dw__tiles_count(const dw_tiles *tiles)
{
    return tiles->count;
}

/* ---- Numbering rows -------------------------------------------------------------------------- */

static uint32_t
number_of(const dw_tiles *tiles, const uint32_t *ranks)
{
    const tile_node *node = &tiles->root;
    while (node->parts != NULL) {
        node = &node->parts[part_of(node, ranks[node->dimension])];
    }
    uint32_t cell = 0;
    for (size_t d = 0; d < tiles->dimensions; d++) {
        uint64_t at = (ranks[d] - node->low[d]) * node->scale[d];
        cell = cell << tiles->bits | (uint32_t) (at >> SCALE_BITS);
    }
    return node->tile << DW_TILE_PLACE_BITS | tiles->places[cell];
}

void
dw__tiles_number(const dw_tiles *tiles, const dw_str *const *keys, size_t row_count, uint32_t *out)
{
    uint32_t ranks[DW_CURVE_DIMENSIONS_MAX];
    for (size_t row = 0; row < row_count; row++) {
        for (size_t d = 0; d < tiles->dimensions; d++) {
            ranks[d] = dw__ranks_find(&tiles->ranks[d], keys[d][row]);
        }
        out[row] = number_of(tiles, ranks);
    }
}
