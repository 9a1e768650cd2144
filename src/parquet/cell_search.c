/*
 * Looking for an integer in cells, and at the values of rows.
 */
#include "parquet/cells.h"

#include "base/assert.h"

/* Items that are compared at once. */
#define SEARCH_BLOCK ((size_t) 64)

/* ---- Rows ------------------------------------------------------------------------------------ */

static size_t
place_of(const dw_pq_cells *cells, size_t row)
{
    switch (cells->place_width) {
    case 0:
        return row;
    case 1:
        return ((const uint8_t *) cells->places)[row];
    case 2:
        return ((const uint16_t *) cells->places)[row];
    default:
        return ((const uint32_t *) cells->places)[row];
    }
}

bool
dw__pq_cells_is_null(const dw_pq_cells *cells, size_t row)
{
    dw_assert(row < cells->row_count);
    return cells->null_bits != NULL && (cells->null_bits[row / 64] >> (row % 64) & 1) != 0;
}

int64_t
dw__pq_cells_integer(const dw_pq_cells *cells, size_t row)
{
    dw_assert(!dw__pq_cells_is_null(cells, row));
    return dw__pq_cells_integer_at(cells, place_of(cells, row));
}

dw_str
dw__pq_cells_bytes(const dw_pq_cells *cells, size_t row)
{
    dw_assert(!dw__pq_cells_is_null(cells, row));
    size_t place = place_of(cells, row);
    if (cells->type != DW_PQ_BYTE_ARRAY) {
        return dw__str_make(cells->values + place * cells->width, cells->width);
    }
    const uint32_t *ends = (const uint32_t *) (const void *) cells->values;
    size_t start = place == 0 ? 0 : ends[place - 1];
    return cells->bytes == NULL ? DW_STR("")
                                : dw__str_make(cells->bytes + start, ends[place] - start);
}

/* ---- Bounds ---------------------------------------------------------------------------------- */

bool
dw__pq_leaf_is_integer(const dw_pq_node *leaf)
{
    return (leaf->type == DW_PQ_INT32 || leaf->type == DW_PQ_INT64) &&
           (leaf->meaning == DW_PQ_PLAIN || leaf->meaning == DW_PQ_SIGNED);
}

/* False when the bytes are no bound of an integer. */
static bool
read_bound(dw_str bytes, int64_t type, int64_t *out)
{
    int32_t narrow;
    if (type == DW_PQ_INT32 && bytes.len == sizeof(narrow)) {
        memcpy(&narrow, bytes.ptr, sizeof(narrow));
        *out = narrow;
        return true;
    }
    if (type == DW_PQ_INT64 && bytes.len == sizeof(*out)) {
        memcpy(out, bytes.ptr, sizeof(*out));
        return true;
    }
    return false;
}

bool
dw__pq_chunk_may_have(const dw_pq_chunk *chunk, int64_t value)
{
    int64_t least, greatest;
    return !read_bound(chunk->least, chunk->type, &least) ||
           !read_bound(chunk->greatest, chunk->type, &greatest) ||
           (value >= least && value <= greatest);
}

/* ---- Searching ------------------------------------------------------------------------------- */

/* The first row from `row` on that is not below the value, of rows that ascend. */
static size_t
lower_bound(const dw_pq_cells *cells, size_t row, int64_t value)
{
    size_t end = cells->row_count;
    while (row < end) {
        size_t middle = row + (end - row) / 2;
        if (dw__pq_cells_integer_at(cells, middle) < value) {
            row = middle + 1;
        } else {
            end = middle;
        }
    }
    return row;
}

/* Defines a search for the first item from `at` on that is equal; `end` when there is none. Blocks
 * of items are compared without a branch for each. */
#define DEFINE_SEARCH(name, type)                                                                  \
    static size_t name(const type *items, size_t at, size_t end, type wanted)                      \
    {                                                                                              \
        for (; end - at >= SEARCH_BLOCK; at += SEARCH_BLOCK) {                                     \
            unsigned hits = 0;                                                                     \
            for (size_t i = 0; i < SEARCH_BLOCK; i++) {                                            \
                hits |= items[at + i] == wanted;                                                   \
            }                                                                                      \
            if (hits != 0) {                                                                       \
                break;                                                                             \
            }                                                                                      \
        }                                                                                          \
        while (at < end && items[at] != wanted) {                                                  \
            at++;                                                                                  \
        }                                                                                          \
        return at;                                                                                 \
    }

DEFINE_SEARCH(search_u8, uint8_t)
DEFINE_SEARCH(search_u16, uint16_t)
DEFINE_SEARCH(search_u32, uint32_t)
DEFINE_SEARCH(search_i64, int64_t)

/* The first of the values from `at` on that is the one, or their number. */
static size_t
search_values(const dw_pq_cells *cells, size_t at, int64_t value)
{
    size_t end = cells->value_count;
    const void *values = cells->values;
    return cells->width == sizeof(uint32_t) ? search_u32(values, at, end, (uint32_t) value)
                                            : search_i64(values, at, end, value);
}

/* The first row from `row` on that has the place; the number of rows when there is none. */
static size_t
search_places(const dw_pq_cells *cells, size_t row, size_t place)
{
    size_t end = cells->row_count;
    switch (cells->place_width) {
    case 1:
        return search_u8(cells->places, row, end, (uint8_t) place);
    case 2:
        return search_u16(cells->places, row, end, (uint16_t) place);
    default:
        return search_u32(cells->places, row, end, (uint32_t) place);
    }
}

/* Of rows that share values; the same one may stand at several places where it was not in the
 * dictionary. */
static size_t
find_by_place(const dw_pq_cells *cells, size_t row, int64_t value)
{
    size_t first = cells->row_count;
    size_t place = search_values(cells, 0, value);
    while (place < cells->value_count) {
        size_t found = search_places(cells, row, place);
        /* NULLs have the first place. */
        while (found < cells->row_count && dw__pq_cells_is_null(cells, found)) {
            found = search_places(cells, found + 1, place);
        }
        first = found < first ? found : first;
        place = search_values(cells, place + 1, value);
    }
    return first;
}

size_t
dw__pq_cells_find(const dw_pq_cells *cells, size_t row, int64_t value)
{
    if (value < cells->least || value > cells->greatest || row >= cells->row_count) {
        return SIZE_MAX;
    }
    if (cells->places != NULL) {
        row = find_by_place(cells, row, value);
    } else if (!cells->ascends) {
        row = search_values(cells, row, value);
    } else {
        row = lower_bound(cells, row, value);
        row = row < cells->row_count && dw__pq_cells_integer_at(cells, row) == value
                  ? row
                  : cells->row_count;
    }
    return row < cells->row_count ? row : SIZE_MAX;
}
