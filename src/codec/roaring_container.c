/*
 * One container: 65,536 rows as an array, a bitmap or runs. [ROWSET-1]
 */
#include "codec/roaring_container.h"

#include "base/assert.h"

#define ARRAY_CAPACITY_MIN UINT32_C(4)

static size_t
item_size(dw_container_kind kind)
{
    return kind == DW_CONTAINER_ARRAY ? sizeof(uint16_t) : sizeof(dw_run);
}

static size_t
storage_size(const dw_container *container)
{
    return container->kind == DW_CONTAINER_BITMAP
               ? DW_CONTAINER_WORDS * sizeof(uint64_t)
               : container->item_capacity * item_size(container->kind);
}

bool
dw__container_alloc(const dw_allocator *allocator, dw_container_kind kind, uint32_t item_count,
                    dw_container *out)
{
    dw_container container = {.kind = kind, .item_capacity = item_count};
    size_t size = storage_size(&container);
    void *storage =
        kind == DW_CONTAINER_BITMAP ? dw__alloc_zero(allocator, size) : dw__alloc(allocator, size);
    if (storage == NULL) {
        return false;
    }
    if (kind == DW_CONTAINER_ARRAY) {
        container.as.values = storage;
    } else if (kind == DW_CONTAINER_BITMAP) {
        container.as.words = storage;
    } else {
        container.as.runs = storage;
    }
    *out = container;
    return true;
}

void
dw__container_free(const dw_allocator *allocator, dw_container *container)
{
    size_t size = storage_size(container);
    if (container->kind == DW_CONTAINER_ARRAY) {
        dw__dealloc(allocator, container->as.values, size);
    } else if (container->kind == DW_CONTAINER_BITMAP) {
        dw__dealloc(allocator, container->as.words, size);
    } else {
        dw__dealloc(allocator, container->as.runs, size);
    }
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* The index of the first value that is not below `low`. */
static uint32_t
array_lower_bound(const dw_container *container, uint32_t low)
{
    uint32_t start = 0;
    uint32_t end = container->item_count;
    while (start < end) {
        uint32_t middle = start + (end - start) / 2;
        if (container->as.values[middle] < low) {
            start = middle + 1;
        } else {
            end = middle;
        }
    }
    return start;
}

/* The index of the first run that does not end below `low`. */
static uint32_t
runs_lower_bound(const dw_container *container, uint32_t low)
{
    uint32_t start = 0;
    uint32_t end = container->item_count;
    while (start < end) {
        uint32_t middle = start + (end - start) / 2;
        if (container->as.runs[middle].last < low) {
            start = middle + 1;
        } else {
            end = middle;
        }
    }
    return start;
}

static bool
bitmap_next(const dw_container *container, uint32_t low, uint16_t *out)
{
    uint32_t idx = low / 64;
    uint64_t word = container->as.words[idx] & (UINT64_MAX << (low % 64));
    while (word == 0) {
        if (++idx == DW_CONTAINER_WORDS) {
            return false;
        }
        word = container->as.words[idx];
    }
    *out = (uint16_t) (idx * 64 + (uint32_t) __builtin_ctzll(word));
    return true;
}

bool
dw__container_next(const dw_container *container, uint32_t low, uint16_t *out)
{
    if (low >= DW_CONTAINER_ROWS) {
        return false;
    }
    if (container->kind == DW_CONTAINER_BITMAP) {
        return bitmap_next(container, low, out);
    }
    if (container->kind == DW_CONTAINER_ARRAY) {
        uint32_t idx = array_lower_bound(container, low);
        bool found = idx < container->item_count;
        *out = found ? container->as.values[idx] : 0;
        return found;
    }
    uint32_t idx = runs_lower_bound(container, low);
    if (idx == container->item_count) {
        return false;
    }
    uint16_t first = container->as.runs[idx].first;
    *out = first > low ? first : (uint16_t) low;
    return true;
}

static uint32_t
bitmap_list(const dw_container *container, uint32_t low, uint16_t *out, uint32_t max)
{
    uint32_t count = 0;
    uint32_t idx = low / 64;
    uint64_t word = container->as.words[idx] & (UINT64_MAX << (low % 64));
    while (count < max) {
        if (word != 0) {
            out[count++] = (uint16_t) (idx * 64 + (uint32_t) __builtin_ctzll(word));
            word &= word - 1;
        } else if (++idx < DW_CONTAINER_WORDS) {
            word = container->as.words[idx];
        } else {
            break;
        }
    }
    return count;
}

static uint32_t
runs_list(const dw_container *container, uint32_t low, uint16_t *out, uint32_t max)
{
    uint32_t count = 0;
    for (uint32_t i = runs_lower_bound(container, low); i < container->item_count; i++) {
        uint32_t first = container->as.runs[i].first;
        uint32_t last = container->as.runs[i].last;
        for (uint32_t value = first > low ? first : low; value <= last; value++) {
            if (count == max) {
                return count;
            }
            out[count++] = (uint16_t) value;
        }
    }
    return count;
}

uint32_t
dw__container_list(const dw_container *container, uint32_t low, uint16_t *out, uint32_t max)
{
    dw_assert(low < DW_CONTAINER_ROWS);
    if (container->kind == DW_CONTAINER_BITMAP) {
        return bitmap_list(container, low, out, max);
    }
    if (container->kind == DW_CONTAINER_RUNS) {
        return runs_list(container, low, out, max);
    }
    uint32_t start = array_lower_bound(container, low);
    uint32_t count = container->item_count - start;
    count = count < max ? count : max;
    memcpy(out, container->as.values + start, count * sizeof(*out));
    return count;
}

bool
dw__container_contains(const dw_container *container, uint16_t low)
{
    if (container->kind == DW_CONTAINER_BITMAP) {
        return (container->as.words[low / 64] >> (low % 64) & 1) != 0;
    }
    uint16_t found;
    return dw__container_next(container, low, &found) && found == low;
}

uint32_t
dw__container_run_count(const dw_container *container)
{
    uint32_t count = 0;
    if (container->kind == DW_CONTAINER_RUNS) {
        return container->item_count;
    }
    if (container->kind == DW_CONTAINER_ARRAY) {
        for (uint32_t i = 0; i < container->item_count; i++) {
            bool goes_on = i > 0 && container->as.values[i] == container->as.values[i - 1] + 1;
            count += goes_on ? 0 : 1;
        }
        return count;
    }
    uint64_t before = 0; /* the last bit of the word before */
    for (uint32_t i = 0; i < DW_CONTAINER_WORDS; i++) {
        uint64_t word = container->as.words[i];
        count += (uint32_t) __builtin_popcountll(word & ~(word << 1 | before));
        before = word >> 63;
    }
    return count;
}

/* ---- Adding ---------------------------------------------------------------------------------- */

static void
bitmap_set(dw_container *bitmap, uint16_t low)
{
    bitmap->as.words[low / 64] |= UINT64_C(1) << (low % 64);
}

/* Puts the same values into a bitmap. */
static bool
make_bitmap(const dw_allocator *allocator, dw_container *container)
{
    dw_container bitmap;
    if (!dw__container_alloc(allocator, DW_CONTAINER_BITMAP, 0, &bitmap)) {
        return false;
    }
    bitmap.key = container->key;
    bitmap.cardinality = container->cardinality;
    uint16_t low;
    for (uint32_t at = 0; dw__container_next(container, at, &low); at = (uint32_t) low + 1) {
        bitmap_set(&bitmap, low);
    }
    dw__container_free(allocator, container);
    *container = bitmap;
    return true;
}

static bool
array_reserve(const dw_allocator *allocator, dw_container *array)
{
    if (array->item_count < array->item_capacity) {
        return true;
    }
    uint32_t capacity = array->item_capacity * 2;
    capacity = capacity < ARRAY_CAPACITY_MIN ? ARRAY_CAPACITY_MIN : capacity;
    uint16_t *values = allocator->resize(allocator->ctx, array->as.values, storage_size(array),
                                         capacity * sizeof(uint16_t));
    if (values == NULL) {
        return false;
    }
    array->as.values = values;
    array->item_capacity = capacity;
    return true;
}

static bool
array_add(const dw_allocator *allocator, dw_container *array, uint16_t low)
{
    if (!array_reserve(allocator, array)) {
        return false;
    }
    uint32_t idx = array_lower_bound(array, low);
    memmove(array->as.values + idx + 1, array->as.values + idx,
            (array->item_count - idx) * sizeof(uint16_t));
    array->as.values[idx] = low;
    array->item_count++;
    return true;
}

bool
dw__container_add(const dw_allocator *allocator, dw_container *container, uint16_t low)
{
    if (dw__container_contains(container, low)) {
        return true;
    }
    bool is_full =
        container->kind == DW_CONTAINER_ARRAY && container->item_count == DW_CONTAINER_ARRAY_MAX;
    if ((is_full || container->kind == DW_CONTAINER_RUNS) && !make_bitmap(allocator, container)) {
        return false;
    }
    if (container->kind == DW_CONTAINER_BITMAP) {
        bitmap_set(container, low);
    } else if (!array_add(allocator, container, low)) {
        return false;
    }
    container->cardinality++;
    dw_assert(container->cardinality <= DW_CONTAINER_ROWS);
    return true;
}
