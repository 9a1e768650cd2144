/*
 * Most comparisons are of numbers of 64 bits: of the first bytes in which keys differ.
 */
#include "upkeep/ranks.h"

#include "base/assert.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* What NULL's key begins with. */
#define NULL_BYTE 1
/*
 * Into how many pieces the range of heads is cut, about: where a head is looked for, few bounds are
 * left.
 */
#define PIECES_MAX ((size_t) 8192)

/* ---- Finding --------------------------------------------------------------------------------- */

static uint64_t
head_of(dw_str key, size_t skipped)
{
    uint64_t head = 0;
    size_t len = key.len > skipped ? key.len - skipped : 0;
    if (len >= sizeof(head)) {
        memcpy(&head, key.ptr + skipped, sizeof(head));
        return be64toh(head);
    }
    for (size_t i = 0; i < sizeof(head); i++) {
        head = head << 8 | (i < len ? (unsigned char) key.ptr[skipped + i] : 0);
    }
    return head;
}

/* How many heads are not above; without a branch that could be guessed wrong. */
static size_t
count_heads(const dw_ranks *ranks, uint64_t head)
{
    if (head < ranks->heads[0]) {
        return 0;
    }
    if (head >= ranks->heads[ranks->bound_count - 1]) {
        return ranks->bound_count;
    }
    size_t piece = (size_t) ((head - ranks->heads[0]) >> ranks->piece_bits);
    const uint64_t *base = ranks->heads + ranks->places[piece];
    size_t len = ranks->places[piece + 1] - ranks->places[piece];
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
    dw_str common = dw__str_make(ranks->bounds[0].ptr, ranks->common_len);
    dw_str beginning = dw__str_make(key.ptr, key.len < common.len ? key.len : common.len);
    int order = dw__str_compare(beginning, common);
    if (order != 0) {
        return order < 0 ? 0 : (uint32_t) ranks->bound_count;
    }
    uint64_t head = head_of(key, ranks->common_len);
    size_t rank = count_heads(ranks, head);
    if (key.len != ranks->whole_len && rank > 0 && ranks->heads[rank - 1] == head) {
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

/* The length of all bounds, if their heads hold all that they do not have in common. */
static size_t
whole_len_of(const dw_ranks *ranks)
{
    size_t len = ranks->bound_count == 0 ? 0 : ranks->bounds[0].len;
    for (size_t i = 1; i < ranks->bound_count; i++) {
        if (ranks->bounds[i].len != len) {
            return 0;
        }
    }
    return len <= ranks->common_len + sizeof(*ranks->heads) ? len : 0;
}

/* Notes where among the heads each piece of their range begins. */
static dw_status
make_places(dw_ranks *ranks, dw_arena *arena, dw_error *err)
{
    if (ranks->bound_count == 0) {
        return DW_OK;
    }
    uint64_t range = ranks->heads[ranks->bound_count - 1] - ranks->heads[0];
    while (range >> ranks->piece_bits >= PIECES_MAX) {
        ranks->piece_bits++;
    }
    size_t piece_count = (size_t) (range >> ranks->piece_bits) + 1;
    uint32_t *places = DW_ARENA_ARRAY(arena, uint32_t, piece_count + 1);
    if (places == NULL) {
        return dw__error_oom(err);
    }
    size_t below = 0;
    for (size_t piece = 0; piece < piece_count; piece++) {
        while (ranks->heads[below] - ranks->heads[0] < (uint64_t) piece << ranks->piece_bits) {
            below++;
        }
        places[piece] = (uint32_t) below;
    }
    places[piece_count] = (uint32_t) ranks->bound_count;
    ranks->places = places;
    return DW_OK;
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
    out->whole_len = whole_len_of(out);
    return make_places(out, arena, err);
}
