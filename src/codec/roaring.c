/*
 * A set of rows over its containers.
 */
#include "codec/roaring.h"

#include "base/assert.h"
#include "base/vec.h"
#include "codec/roaring_container.h"

/* Positions above it cannot be rows of a file: the format wants a 0 as the first bit. */
#define ROW_MAX ((uint64_t) INT64_MAX)

dw_status
dw__rowset_new(const dw_allocator *allocator, dw_rowset **out, dw_error *err)
{
    *out = DW_NEW(allocator, dw_rowset);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    (*out)->allocator = allocator;
    return DW_OK;
}

void
dw__rowset_free(dw_rowset *rows)
{
    if (rows == NULL) {
        return;
    }
    for (size_t i = 0; i < rows->count; i++) {
        dw__container_free(rows->allocator, &rows->items[i]);
    }
    DW_VEC_DEINIT(rows->allocator, rows);
    DW_DELETE(rows->allocator, rows);
}

dw_container *
dw__rowset_push(dw_rowset *rows, const dw_container *container)
{
    dw_assert(rows->count == 0 || rows->items[rows->count - 1].key < container->key);
    dw_container *slot = DW_VEC_PUSH(rows->allocator, rows);
    if (slot != NULL) {
        *slot = *container;
    }
    return slot;
}

/* The index of the first container whose key is not below `key`. */
static size_t
find_container(const dw_rowset *rows, uint64_t key)
{
    size_t start = 0;
    size_t end = rows->count;
    /* Rows are usually added in their order. */
    if (end > 0 && rows->items[end - 1].key <= key) {
        return rows->items[end - 1].key == key ? end - 1 : end;
    }
    while (start < end) {
        size_t middle = start + (end - start) / 2;
        if (rows->items[middle].key < key) {
            start = middle + 1;
        } else {
            end = middle;
        }
    }
    return start;
}

/* A new container of one value at that index. */
static bool
insert_container(dw_rowset *rows, size_t idx, uint64_t key, uint16_t low)
{
    dw_container container;
    if (!DW_VEC_RESERVE(rows->allocator, rows, rows->count + 1) ||
        !dw__container_alloc(rows->allocator, DW_CONTAINER_ARRAY, 1, &container)) {
        return false;
    }
    container.key = key;
    container.cardinality = 1;
    container.item_count = 1;
    container.as.values[0] = low;
    memmove(rows->items + idx + 1, rows->items + idx, (rows->count - idx) * sizeof(*rows->items));
    rows->items[idx] = container;
    rows->count++;
    return true;
}

dw_status
dw__rowset_add(dw_rowset *rows, uint64_t row, dw_error *err)
{
    if (row > ROW_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "ROW_OUT_OF_RANGE",
                             "row positions go up to 2^63 - 1");
    }
    uint64_t key = row / DW_CONTAINER_ROWS;
    uint16_t low = (uint16_t) (row % DW_CONTAINER_ROWS);
    size_t idx = find_container(rows, key);
    bool exists = idx < rows->count && rows->items[idx].key == key;
    bool added = exists ? dw__container_add(rows->allocator, &rows->items[idx], low)
                        : insert_container(rows, idx, key, low);
    return added ? DW_OK : dw__error_oom(err);
}

/* The next row of a set that may be NULL. */
static bool
next_of(const dw_rowset *rows, uint64_t from, uint64_t *out)
{
    return rows != NULL && dw__rowset_next(rows, from, out);
}

dw_status
dw__rowset_unite(dw_rowset *rows, const dw_rowset *a, const dw_rowset *b, dw_error *err)
{
    uint64_t from_a = 0;
    uint64_t from_b = 0;
    bool has_a = next_of(a, 0, &from_a);
    bool has_b = next_of(b, 0, &from_b);
    while (has_a || has_b) {
        bool take_a = has_a && (!has_b || from_a <= from_b);
        uint64_t row = take_a ? from_a : from_b;
        DW_TRY(dw__rowset_add(rows, row, err));
        if (take_a) {
            has_a = next_of(a, row + 1, &from_a);
        } else {
            has_b = next_of(b, row + 1, &from_b);
        }
    }
    return DW_OK;
}

bool
dw__rowset_contains(const dw_rowset *rows, uint64_t row)
{
    uint64_t key = row / DW_CONTAINER_ROWS;
    size_t idx = find_container(rows, key);
    return idx < rows->count && rows->items[idx].key == key &&
           dw__container_contains(&rows->items[idx], (uint16_t) (row % DW_CONTAINER_ROWS));
}

uint64_t
dw__rowset_cardinality(const dw_rowset *rows)
{
    uint64_t cardinality = 0;
    for (size_t i = 0; i < rows->count; i++) {
        cardinality += rows->items[i].cardinality;
    }
    return cardinality;
}

bool
dw__rowset_next(const dw_rowset *rows, uint64_t row, uint64_t *out)
{
    uint64_t key = row / DW_CONTAINER_ROWS;
    *out = 0;
    for (size_t idx = find_container(rows, key); idx < rows->count; idx++) {
        const dw_container *container = &rows->items[idx];
        uint32_t low = container->key == key ? (uint32_t) (row % DW_CONTAINER_ROWS) : 0;
        uint16_t found;
        if (dw__container_next(container, low, &found)) {
            *out = container->key * DW_CONTAINER_ROWS + found;
            return true;
        }
    }
    return false;
}

/* ---- Masks ----------------------------------------------------------------------------------- */

/* How many rows of a container are looked at in one go. */
#define MASK_BATCH UINT32_C(64)

/* Without a branch for each position: that would cost more than all else does. */
static bool
is_ascending(const int64_t *positions, size_t count)
{
    uint64_t signs = (uint64_t) positions[0];
    for (size_t i = 1; i < count; i++) {
        uint64_t step = (uint64_t) positions[i] - (uint64_t) positions[i - 1];
        signs |= (step - 1) | (uint64_t) positions[i];
    }
    return signs >> 63 == 0;
}

/*
 * The index of the first position that is not below `row`, which is between the first and the last
 * and not met before `start`. As positions ascend, the numbers that they leave out bound the
 * search.
 */
static size_t
seek_position(const int64_t *positions, size_t count, size_t start, uint64_t row)
{
    uint64_t behind = (uint64_t) positions[count - 1] - row;
    size_t low = behind < count - 1 ? count - 1 - (size_t) behind : 0;
    size_t high = (size_t) (row - (uint64_t) positions[0]);
    low = low > start ? low : start;
    high = high < count ? high : count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((uint64_t) positions[middle] < row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Goes through the rows of the set between the first and the last position. */
static size_t
mask_ascending(const dw_rowset *rows, const int64_t *positions, size_t count, bool *keep)
{
    uint64_t first = (uint64_t) positions[0];
    uint64_t last = (uint64_t) positions[count - 1];
    uint16_t values[MASK_BATCH];
    size_t hits = 0;
    size_t at = 0;
    uint64_t from = first;
    size_t idx = find_container(rows, first / DW_CONTAINER_ROWS);
    while (idx < rows->count && rows->items[idx].key <= last / DW_CONTAINER_ROWS) {
        const dw_container *container = &rows->items[idx];
        uint64_t base = container->key * DW_CONTAINER_ROWS;
        uint32_t low = from > base ? (uint32_t) (from - base) : 0;
        uint32_t value_count = dw__container_list(container, low, values, MASK_BATCH);
        for (uint32_t i = 0; i < value_count && base + values[i] <= last; i++) {
            at = seek_position(positions, count, at, base + values[i]);
            bool hit = (uint64_t) positions[at] == base + values[i];
            keep[at] = keep[at] && !hit;
            hits += hit ? 1 : 0;
        }
        bool goes_on = value_count == MASK_BATCH && values[value_count - 1] < UINT16_MAX &&
                       base + values[value_count - 1] < last;
        from = goes_on ? base + values[value_count - 1] + 1 : from;
        idx += goes_on ? 0 : 1;
    }
    return hits;
}

size_t
dw__rowset_mask(const dw_rowset *rows, const int64_t *positions, size_t count, bool *keep)
{
    if (count == 0 || rows->count == 0) {
        return 0;
    }
    if (is_ascending(positions, count)) {
        return mask_ascending(rows, positions, count, keep);
    }
    size_t hits = 0;
    for (size_t i = 0; i < count; i++) {
        if (positions[i] >= 0 && dw__rowset_contains(rows, (uint64_t) positions[i])) {
            keep[i] = false;
            hits++;
        }
    }
    return hits;
}
