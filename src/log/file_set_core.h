/*
 * Inside of dw_file_set: how a newer set comes from an older one. The live files of a snapshot are
 * one set, the removes that its tail of commits holds (tombstones) another.
 *
 *  [SET-1] A set that was given to a snapshot never changes again.
 *  [SET-2] Live bits are shared between sets until one of them changes a bit.
 */
#ifndef DW_LOG_FILE_SET_CORE_H
#define DW_LOG_FILE_SET_CORE_H

#include "log/file_block.h"
#include "protocol/file_histogram.h"

typedef struct dw_live_bits {
    atomic_size_t ref_count;
    size_t word_count;
    uint64_t words[];
} dw_live_bits;

typedef struct dw_set_entry {
    dw_file_block *block;
    dw_live_bits *live; /* NULL: every row is */
    size_t live_count;
    int64_t live_bytes;
    size_t live_dv_count;       /* live rows with a deletion vector */
    uint64_t live_deleted_rows; /* what those delete; unsigned, as a log may claim any number */
} dw_set_entry;

struct dw_file_set {
    const dw_allocator *allocator;
    /* Of the live files, once somebody asked for it; then kept up to date from set to set. */
    _Atomic(dw_file_histogram *) histogram;
    bool is_remove; /* its rows are removes */
    dw_set_entry *items;
    size_t count;
    size_t capacity;
};

/* An empty set; NULL when out of memory. */
dw_file_set *dw__file_set_new(const dw_allocator *allocator, bool is_remove);
void dw__file_set_free(dw_file_set *set);
/* Shares the blocks of `from`, behind those that are there. */
DW_WARN_UNUSED dw_status dw__file_set_append_set(dw_file_set *set, const dw_file_set *from,
                                                 dw_error *err);
/* Appends a sealed block whose rows are all live; takes a reference. */
DW_WARN_UNUSED dw_status dw__file_set_append_block(dw_file_set *set, dw_file_block *block,
                                                   dw_error *err);
/* Forgets the blocks from the `count`-th on. */
void dw__file_set_truncate(dw_file_set *set, size_t count);
/* Appends one file to the newest block, which is made and left open for more. Its index is kept up
 * to date, and an older row of the same key must have been killed before. */
DW_WARN_UNUSED dw_status dw__file_set_push(dw_file_set *set, const dw_file *file,
                                           const dw_file_key *key, dw_arena *scratch,
                                           dw_error *err);
/* Seals the open block, if there is one. */
void dw__file_set_seal(dw_file_set *set);
/* Makes the row of that key dead, if there is one. All blocks must have an index. */
DW_WARN_UNUSED dw_status dw__file_set_kill(dw_file_set *set, const dw_file_key *key,
                                           dw_arena *scratch, dw_error *err);
/* Makes all rows dead whose keys are those of any row, dead or alive, of `keys`, whose blocks all
 * have an index. */
DW_WARN_UNUSED dw_status dw__file_set_kill_keys(dw_file_set *set, const dw_file_set *keys,
                                                dw_error *err);
/* Merges small neighbours at the end, and forgets blocks without a live row. Of a set of removes
 * those that were deleted before `expired_before_ms` are forgotten where blocks merge. [FILES-3] */
DW_WARN_UNUSED dw_status dw__file_set_compact(dw_file_set *set, int64_t expired_before_ms,
                                              dw_error *err);
/* True when a row of that key is live; makes indexes as needed. */
DW_WARN_UNUSED dw_status dw__file_set_has(dw_file_set *set, const dw_file_key *key,
                                          dw_arena *scratch, bool *out, dw_error *err);
/* True when statistics of some block can no longer be read. [ORIGIN-1] */
bool dw__file_set_is_stale(const dw_file_set *set);

typedef dw_file_set *dw_file_set_ptr;

static inline void
dw__dw_file_set_ptr_cleanup(dw_file_set_ptr *set)
{
    dw__file_set_free(*set);
}

#endif
