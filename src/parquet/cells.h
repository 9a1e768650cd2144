/*
 * A column chunk unpacked, to find values in it and to look up some of them: rows are found by
 * their keys again and again, and to open the pages costs a thousand times more than to look.
 *
 *  [CELLS-1] What a chunk holds is known for all its rows, or it is odd and left to the engine.
 *  [CELLS-2] Cells are immutable once they were made, and borrow nothing.
 *
 * Values that stand in a dictionary are kept once, and a place among them for each row.
 */
#ifndef DW_PARQUET_CELLS_H
#define DW_PARQUET_CELLS_H

#include "base/cache.h"
#include "engine/engine.h"
#include "parquet/footer.h"

/* Chunks beyond that are odd: to unpack them takes as long as to read them. */
#define DW_PQ_CELLS_ROWS_MAX ((int64_t) 1 << 22)
#define DW_PQ_CELLS_BYTES_MAX ((size_t) 128 << 20)

typedef struct dw_pq_cells {
    dw_cache_item item; /* must be the first member */
    const dw_allocator *allocator;
    bool is_odd; /* there is nothing else, but that */
    dw_pq_type type;
    size_t width; /* of a value: of binaries that of the place where one ends */
    size_t row_count;
    size_t value_count;
    char *values;
    char *bytes; /* of binaries, one behind the other */
    size_t bytes_size;
    void *places;        /* of the rows' values; NULL: each row has its own */
    size_t place_width;  /* 1, 2 or 4 */
    uint64_t *null_bits; /* NULL: no row is NULL */
    /* Of integers: what all values lie between, and whether they ascend from row to row. */
    int64_t least, greatest;
    bool ascends;
} dw_pq_cells;

/* Whether the leaf, and a chunk of it, may be unpacked. */
bool dw__pq_cells_can_hold(const dw_pq_node *leaf, const dw_pq_chunk *chunk, int64_t row_count);
/* Unpacks a chunk; if it is odd, or its values take more than `size_max` bytes, the cells say just
 * that. The errors of storage. */
DW_WARN_UNUSED dw_status dw__pq_cells_make(const dw_allocator *allocator,
                                           const dw_pq_source *source, const dw_pq_node *leaf,
                                           const dw_pq_chunk *chunk, int64_t row_count,
                                           size_t size_max, dw_pq_cells **out, dw_error *err);

/* True when the numbers of a leaf are integers, whose cells can be searched. */
bool dw__pq_leaf_is_integer(const dw_pq_node *leaf);
/* False when the statistics of a chunk of integers rule the value out. */
bool dw__pq_chunk_may_have(const dw_pq_chunk *chunk, int64_t value);
/* The first row from `row` on that has the integer; SIZE_MAX when there is none. */
size_t dw__pq_cells_find(const dw_pq_cells *cells, size_t row, int64_t value);
bool dw__pq_cells_is_null(const dw_pq_cells *cells, size_t row);
/* The value of a row that is not NULL. */
int64_t dw__pq_cells_integer(const dw_pq_cells *cells, size_t row);
dw_str dw__pq_cells_bytes(const dw_pq_cells *cells, size_t row); /* of any type, as they are kept */

/* One of the values of integers. */
static inline int64_t
dw__pq_cells_integer_at(const dw_pq_cells *cells, size_t place)
{
    int64_t wide;
    int32_t narrow;
    if (cells->width == sizeof(narrow)) {
        memcpy(&narrow, cells->values + place * sizeof(narrow), sizeof(narrow));
        return narrow;
    }
    memcpy(&wide, cells->values + place * sizeof(wide), sizeof(wide));
    return wide;
}

/* Whether values of the leaf are read as they are, or made wider, by a column of that kind. */
bool dw__pq_leaf_fits(const dw_pq_node *leaf, const dw_column_spec *column);
/* The values of some rows for a column that fits: `values`, an array of its kind, and `valid` are
 * filled, bytes are copied to `arena`. DW_UNSUPPORTED (PARQUET_ODD) when one is not of the column's
 * type. */
DW_WARN_UNUSED dw_status dw__pq_cells_take(const dw_pq_cells *cells, const dw_pq_node *leaf,
                                           const dw_column_spec *column, const uint32_t *rows,
                                           size_t count, dw_arena *arena, char *values, bool *valid,
                                           dw_error *err);

#endif
