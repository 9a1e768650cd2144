/*
 * Most comparisons are of numbers of 64 bits: of the first bytes in which keys differ.
 */
#include "upkeep/ranks.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

/* What NULL's key begins with. */
#define NULL_BYTE 1

/* ---- Finding --------------------------------------------------------------------------------- */

static uint64_t
head_of(dw_str key, size_t skipped)
{
    unsigned char bytes[8] = {0};
    uint64_t head = 0;
    if (key.len > skipped) {
        size_t len = key.len - skipped < sizeof(bytes) ? key.len - skipped : sizeof(bytes);
        memcpy(bytes, key.ptr + skipped, len);
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        head = head << 8 | bytes[i];
    }
    return head;
}

/* How many heads are not above; without a branch that could be guessed wrong. */
static size_t
count_heads(const dw_ranks *ranks, uint64_t head)
{
    const uint64_t *base = ranks->heads;
    size_t len = ranks->bound_count;
    while (len > 1) {
        size_t half = len / 2;
        base += base[half - 1] <= head ? half : 0;
        len -= half;
    }
    return (size_t) (base - ranks->heads) + (len == 1 && *base <= head);
}

/* The bounds of the same head, up to `end`, are compared as a whole. */
static size_t
count_equal_heads(const dw_ranks *ranks, dw_str key, uint64_t head, size_t end)
{
    bool is_alone = end < 2 || ranks->heads[end - 2] != head;
    size_t low = is_alone ? end - 1 : head == 0 ? 0 : count_heads(ranks, head - 1);
    while (low < end) {
        size_t middle = low + (end - low) / 2;
        if (dw__str_compare(ranks->bounds[middle], key) <= 0) {
            low = middle + 1;
        } else {
            end = middle;
        }
    }
    return low;
}

uint32_t
dw__ranks_find(const dw_ranks *ranks, dw_str key)
{
    if (ranks->bound_count == 0 || (key.len > 0 && key.ptr[0] == NULL_BYTE)) {
        return 0;
    }
    dw_str common = dw__str_slice(ranks->bounds[0], 0, ranks->common_len);
    dw_str beginning = dw__str_slice(key, 0, key.len < common.len ? key.len : common.len);
    int order = dw__str_compare(beginning, common);
    if (order != 0) {
        return order < 0 ? 0 : (uint32_t) ranks->bound_count;
    }
    uint64_t head = head_of(key, ranks->common_len);
    size_t rank = count_heads(ranks, head);
    if (rank > 0 && ranks->heads[rank - 1] == head) {
        rank = count_equal_heads(ranks, key, head, rank);
    }
    return (uint32_t) rank;
}

/* ---- Making ---------------------------------------------------------------------------------- */

static int
compare_keys(const void *a, const void *b)
{
    return dw__str_compare(*(const dw_str *) a, *(const dw_str *) b);
}

/* Those that are not NULL, in order. */
static dw_str *
sort_keys(const dw_str *keys, size_t count, size_t stride, dw_arena *arena, size_t *sorted_count)
{
    dw_str *sorted = DW_ARENA_ARRAY(arena, dw_str, count + 1);
    *sorted_count = 0;
    for (size_t i = 0; sorted != NULL && i < count; i++) {
        dw_str key = keys[i * stride];
        if (key.len > 0 && key.ptr[0] != NULL_BYTE) {
            sorted[(*sorted_count)++] = key;
        }
    }
    if (*sorted_count > 1) {
        qsort(sorted, *sorted_count, sizeof(*sorted), compare_keys);
    }
    return sorted;
}

static size_t
drop_repeated(dw_str *keys, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !dw__str_equal(keys[kept - 1], keys[i])) {
            keys[kept++] = keys[i];
        }
    }
    return kept;
}

static bool
has_more_than(const dw_str *keys, size_t count, size_t distinct_max)
{
    size_t distinct = 0;
    for (size_t i = 0; i < count && distinct <= distinct_max; i++) {
        distinct += i == 0 || !dw__str_equal(keys[i - 1], keys[i]);
    }
    return distinct > distinct_max;
}

static size_t
common_len_of(const dw_str *bounds, size_t count)
{
    if (count == 0) {
        return 0;
    }
    dw_str first = bounds[0], last = bounds[count - 1];
    size_t len = 0;
    while (len < first.len && len < last.len && first.ptr[len] == last.ptr[len]) {
        len++;
    }
    return len;
}

dw_status
dw__ranks_make(const dw_str *keys, size_t count, size_t stride, size_t bound_count_max,
               dw_arena *arena, dw_ranks *out, dw_error *err)
{
    dw_assert(bound_count_max > 0);
    *out = (dw_ranks){0};
    size_t sorted_count = 0;
    dw_str *bounds = sort_keys(keys, count, stride, arena, &sorted_count);
    uint64_t *heads = DW_ARENA_ARRAY(arena, uint64_t, bound_count_max + 1);
    if (bounds == NULL || heads == NULL) {
        return dw__error_oom(err);
    }
    if (has_more_than(bounds, sorted_count, bound_count_max)) {
        for (size_t i = 0; i < bound_count_max; i++) {
            bounds[i] = bounds[i * sorted_count / bound_count_max];
        }
        sorted_count = bound_count_max;
    }
    out->bounds = bounds;
    out->heads = heads;
    out->bound_count = drop_repeated(bounds, sorted_count);
    out->common_len = common_len_of(bounds, out->bound_count);
    for (size_t i = 0; i < out->bound_count; i++) {
        heads[i] = head_of(bounds[i], out->common_len);
    }
    return DW_OK;
}
