/*
 * Statistics that stay where they are: a checkpoint of a million files is opened without them, and
 * they are read again when somebody plans a scan.
 *
 *  [ORIGIN-1] An origin that changed or went away since it was opened gives no statistics at all
 *             rather than those of other files, and is stale from then on.
 *  [ORIGIN-2] What is kept in memory of all origins of a log stays within one budget.
 */
#ifndef DW_LOG_STATS_ORIGIN_H
#define DW_LOG_STATS_ORIGIN_H

#include "base/allocator.h"
#include "base/error.h"
#include "base/str.h"

#include <stdatomic.h>

#define DW_STATS_CACHE_BYTES_MAX ((size_t) 64 << 20)

/* Shared by all blocks of one log. */
typedef struct dw_stats_budget {
    atomic_size_t used_bytes;
    size_t bytes_max;
} dw_stats_budget;

/* The statistics of the rows of one block, immutable and shared. */
typedef struct dw_stats_chunk {
    const dw_allocator *allocator;
    atomic_size_t ref_count;
    size_t row_count;
    size_t filled; /* rows that were appended */
    char *bytes;
    size_t len, capacity;
    uint32_t *ends; /* row i is bytes[ends[i - 1] .. ends[i]) */
} dw_stats_chunk;

/* Rows are to be appended. NULL when out of memory. */
dw_stats_chunk *dw__stats_chunk_new(const dw_allocator *allocator, size_t row_count);
/* The next row; the null string: none. False when out of memory or beyond 4 GiB. */
DW_WARN_UNUSED bool dw__stats_chunk_append(dw_stats_chunk *chunk, dw_str stats);
dw_stats_chunk *dw__stats_chunk_ref(dw_stats_chunk *chunk);
void dw__stats_chunk_unref(dw_stats_chunk *chunk);
size_t dw__stats_chunk_size(const dw_stats_chunk *chunk);
/* The null string for a file without statistics. */
dw_str dw__stats_chunk_get(const dw_stats_chunk *chunk, size_t row);

/* Gets the statistics of row `row` of the origin; the null string: none. */
typedef dw_status (*dw_origin_visitor)(void *ctx, size_t row, dw_str stats, dw_error *err);

typedef struct dw_stats_origin dw_stats_origin;

typedef struct dw_origin_ops {
    /* Whether the object is still the one that was opened. */
    dw_status (*verify)(dw_stats_origin *origin, bool *same_out, dw_error *err);
    /* Visits rows [first_row, first_row + row_count) in order. */
    dw_status (*read)(dw_stats_origin *origin, size_t first_row, size_t row_count,
                      dw_origin_visitor visit, void *ctx, dw_error *err);
    void (*free)(dw_stats_origin *origin);
} dw_origin_ops;

struct dw_stats_origin {
    const dw_origin_ops *ops;
    const dw_allocator *allocator;
    dw_stats_budget *budget;
    atomic_size_t ref_count;
    atomic_bool is_stale;
};

/* Fills a new origin with one reference. */
void dw__stats_origin_init(dw_stats_origin *origin, const dw_origin_ops *ops,
                           const dw_allocator *allocator, dw_stats_budget *budget);
dw_stats_origin *dw__stats_origin_ref(dw_stats_origin *origin);
void dw__stats_origin_unref(dw_stats_origin *origin);
/* False, and the origin is stale from now on, when the object changed or is gone. */
DW_WARN_UNUSED dw_status dw__stats_origin_verify(dw_stats_origin *origin, bool *same_out,
                                                 dw_error *err);
/* Visits rows. DW_UNAVAILABLE (STATISTICS_MOVED) when the object changed meanwhile: what was
 * visited must not be used. */
DW_WARN_UNUSED dw_status dw__stats_origin_read(dw_stats_origin *origin, size_t first_row,
                                               size_t row_count, dw_origin_visitor visit, void *ctx,
                                               dw_error *err);
/* Reads the rows into a chunk of their own. */
DW_WARN_UNUSED dw_status dw__stats_origin_load(dw_stats_origin *origin, size_t first_row,
                                               size_t row_count, dw_stats_chunk **out,
                                               dw_error *err);
/* Takes `size` bytes from the budget; false when it is used up. */
bool dw__stats_budget_take(dw_stats_budget *budget, size_t size);
void dw__stats_budget_give_back(dw_stats_budget *budget, size_t size);

#endif
