/*
 * A set of 64-bit row positions: the payload of deletion vectors, over CRoaring.
 */
#ifndef DW_CODEC_ROARING_H
#define DW_CODEC_ROARING_H

#include "base/arena.h"
#include "base/error.h"

typedef struct dw_rowset dw_rowset;

/* A rowset is immutable after parsing and may be read from several threads. */
DW_WARN_UNUSED dw_status dw__rowset_new(const dw_allocator *allocator, dw_rowset **out,
                                        dw_error *err);
void dw__rowset_free(dw_rowset *rows);
DW_WARN_UNUSED dw_status dw__rowset_add(dw_rowset *rows, uint64_t row, dw_error *err);
bool dw__rowset_contains(const dw_rowset *rows, uint64_t row);
uint64_t dw__rowset_cardinality(const dw_rowset *rows);
/* Sets keep[i] to 0 for each i where base + i is in the set and leaves the rest; returns the number
 * of hits. Fast when a range holds no row of the set. */
size_t dw__rowset_mask(const dw_rowset *rows, const int64_t *positions, size_t count, bool *keep);

/* Parses the payload that PROTOCOL.md "Deletion Vector Format" describes: magic 1681511377, then
 * the 64-bit portable roaring format; also the older magic 1681511376. Untrusted: validated fully.
 * DW_CORRUPT (DV_INVALID). */
DW_WARN_UNUSED dw_status dw__rowset_parse(const dw_allocator *allocator, dw_str payload,
                                          dw_rowset **out, dw_error *err);
/* The same format, for writing. */
DW_WARN_UNUSED dw_status dw__rowset_serialize(const dw_rowset *rows, dw_arena *arena, dw_str *out,
                                              dw_error *err);

typedef dw_rowset *dw_rowset_ptr;

static inline void
dw__dw_rowset_ptr_cleanup(dw_rowset_ptr *rows)
{
    dw__rowset_free(*rows);
}

#endif
