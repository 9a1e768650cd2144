/*
 * Ranks: which of the quantiles of a column's sampled values are not above a value. So numbers,
 * texts and dates become numbers of one kind, and skew disappears. Pure.
 */
#ifndef DW_UPKEEP_RANKS_H
#define DW_UPKEEP_RANKS_H

#include "base/arena.h"
#include "base/error.h"

typedef struct dw_ranks {
    const dw_str *bounds;  /* ascending, none twice */
    const uint64_t *heads; /* their eight bytes behind what all have in common, as numbers */
    size_t bound_count;
    size_t common_len;      /* the bytes with which all bounds begin */
    size_t whole_len;       /* bounds of that length are told by their heads; 0: none is */
    const uint32_t *places; /* how many heads are below each piece of the range of heads */
    unsigned piece_bits;    /* a piece has so many values */
} dw_ranks;

/* From keys as dw_tile_sample has them, every `stride`-th; at most `bound_count_max` bounds. */
DW_WARN_UNUSED dw_status dw__ranks_make(const dw_str *keys, size_t count, size_t stride,
                                        size_t bound_count_max, dw_arena *arena, dw_ranks *out,
                                        dw_error *err);
/* 0 to bound_count: NULL and what is below all bounds has 0. */
uint32_t dw__ranks_find(const dw_ranks *ranks, dw_str key);

#endif
