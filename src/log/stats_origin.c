/*
 * Reading statistics from their origin into chunks, and the budget of what is kept.
 */
#include "log/stats_origin.h"

#include "base/assert.h"
#include "base/checked.h"

#define CAPACITY_MIN ((size_t) 4096)

/* ---- Chunks ---------------------------------------------------------------------------------- */

dw_stats_chunk *
dw__stats_chunk_new(const dw_allocator *allocator, size_t row_count)
{
    dw_stats_chunk *chunk = DW_NEW(allocator, dw_stats_chunk);
    if (chunk == NULL) {
        return NULL;
    }
    chunk->allocator = allocator;
    atomic_init(&chunk->ref_count, 1);
    chunk->row_count = row_count;
    chunk->ends = dw__alloc_zero(allocator, row_count * sizeof(uint32_t));
    if (chunk->ends == NULL) {
        DW_DELETE(allocator, chunk);
        return NULL;
    }
    return chunk;
}

dw_stats_chunk *
dw__stats_chunk_ref(dw_stats_chunk *chunk)
{
    atomic_fetch_add_explicit(&chunk->ref_count, 1, memory_order_relaxed);
    return chunk;
}

void
dw__stats_chunk_unref(dw_stats_chunk *chunk)
{
    if (chunk != NULL &&
        atomic_fetch_sub_explicit(&chunk->ref_count, 1, memory_order_acq_rel) == 1) {
        dw__dealloc(chunk->allocator, chunk->bytes, chunk->capacity);
        dw__dealloc(chunk->allocator, chunk->ends, chunk->row_count * sizeof(uint32_t));
        DW_DELETE(chunk->allocator, chunk);
    }
}

size_t
dw__stats_chunk_size(const dw_stats_chunk *chunk)
{
    return chunk->capacity + chunk->row_count * sizeof(uint32_t);
}

dw_str
dw__stats_chunk_get(const dw_stats_chunk *chunk, size_t row)
{
    dw_assert(row < chunk->row_count);
    size_t start = row == 0 ? 0 : chunk->ends[row - 1];
    size_t len = chunk->ends[row] - start;
    return len == 0 ? DW_STR_NULL : dw__str_make(chunk->bytes + start, len);
}

static bool
chunk_reserve(dw_stats_chunk *chunk, size_t extra)
{
    size_t needed;
    if (!dw__checked_add(chunk->len, extra, &needed) || needed > UINT32_MAX) {
        return false;
    }
    if (needed <= chunk->capacity) {
        return true;
    }
    size_t capacity = chunk->capacity < CAPACITY_MIN ? CAPACITY_MIN : chunk->capacity;
    while (capacity < needed) {
        capacity *= 2;
    }
    char *bytes =
        chunk->allocator->resize(chunk->allocator->ctx, chunk->bytes, chunk->capacity, capacity);
    if (bytes == NULL) {
        return false;
    }
    chunk->bytes = bytes;
    chunk->capacity = capacity;
    return true;
}

bool
dw__stats_chunk_append(dw_stats_chunk *chunk, dw_str stats)
{
    dw_assert(chunk->filled < chunk->row_count);
    if (!chunk_reserve(chunk, stats.len)) {
        return false;
    }
    if (stats.len > 0) {
        memcpy(chunk->bytes + chunk->len, stats.ptr, stats.len);
    }
    chunk->len += stats.len;
    chunk->ends[chunk->filled++] = (uint32_t) chunk->len;
    return true;
}

/* ---- Origins --------------------------------------------------------------------------------- */

dw_stats_origin *
dw__stats_origin_ref(dw_stats_origin *origin)
{
    atomic_fetch_add_explicit(&origin->ref_count, 1, memory_order_relaxed);
    return origin;
}

void
dw__stats_origin_unref(dw_stats_origin *origin)
{
    if (origin != NULL &&
        atomic_fetch_sub_explicit(&origin->ref_count, 1, memory_order_acq_rel) == 1) {
        origin->ops->free(origin);
    }
}

void
dw__stats_origin_init(dw_stats_origin *origin, const dw_origin_ops *ops,
                      const dw_allocator *allocator, dw_stats_budget *budget)
{
    *origin = (dw_stats_origin){.ops = ops, .allocator = allocator, .budget = budget};
    atomic_init(&origin->ref_count, 1);
    atomic_init(&origin->is_stale, false);
}

dw_status
dw__stats_origin_verify(dw_stats_origin *origin, bool *same_out, dw_error *err)
{
    *same_out = false;
    if (!atomic_load(&origin->is_stale)) {
        DW_TRY(origin->ops->verify(origin, same_out, err));
        if (!*same_out) {
            atomic_store(&origin->is_stale, true);
        }
    }
    return DW_OK;
}

dw_status
dw__stats_origin_read(dw_stats_origin *origin, size_t first_row, size_t row_count,
                      dw_origin_visitor visit, void *ctx, dw_error *err)
{
    dw_status status = origin->ops->read(origin, first_row, row_count, visit, ctx, err);
    if (status == DW_OUT_OF_MEMORY || status == DW_CANCELLED) {
        return status;
    }
    /* Also a failure to read may only mean that the object was replaced. */
    bool is_same;
    DW_TRY(dw__stats_origin_verify(origin, &is_same, err));
    if (!is_same) {
        return dw__error_set(err, DW_UNAVAILABLE, "STATISTICS_MOVED",
                             "the checkpoint that the files' statistics are in was replaced or "
                             "removed; take a new snapshot");
    }
    return status;
}

static dw_status
load_row(void *ctx, size_t row, dw_str stats, dw_error *err)
{
    (void) row;
    return dw__stats_chunk_append(ctx, stats) ? DW_OK : dw__error_oom(err);
}

dw_status
dw__stats_origin_load(dw_stats_origin *origin, size_t first_row, size_t row_count,
                      dw_stats_chunk **out, dw_error *err)
{
    *out = NULL;
    dw_stats_chunk *chunk = dw__stats_chunk_new(origin->allocator, row_count);
    if (chunk == NULL) {
        return dw__error_oom(err);
    }
    dw_status status = dw__stats_origin_read(origin, first_row, row_count, load_row, chunk, err);
    if (status != DW_OK) {
        dw__stats_chunk_unref(chunk);
        return status;
    }
    dw_assert(chunk->filled == row_count);
    *out = chunk;
    return DW_OK;
}

bool
dw__stats_budget_take(dw_stats_budget *budget, size_t size)
{
    size_t used = atomic_load(&budget->used_bytes);
    do {
        if (size > budget->bytes_max || used > budget->bytes_max - size) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&budget->used_bytes, &used, used + size));
    return true;
}

void
dw__stats_budget_give_back(dw_stats_budget *budget, size_t size)
{
    size_t before = atomic_fetch_sub(&budget->used_bytes, size);
    dw_assert(before >= size);
}
