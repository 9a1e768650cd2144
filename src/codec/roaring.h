/*
 * A set of 64-bit row positions: the payload of deletion vectors. PROTOCOL.md "Deletion Vector
 * Format".
 *
 * The set is one of containers, each for the 65,536 rows that share their upper 48 bits: a sorted
 * array of the lower 16 bits, a bitmap of them, or runs. That is the format of roaring bitmaps,
 * which is read and written here: its C library has one allocator a process and counts on it not to
 * fail.
 *
 *  [ROWSET-1] Containers ascend by key and none is empty. An array ascends and has at most 4,096
 *             values; runs ascend and do not touch.
 *  [ROWSET-2] Nothing that was read is used before it was checked to keep to that.
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
/* Fast when rows ascend. DW_INVALID_ARGUMENT (ROW_OUT_OF_RANGE) beyond 2^63 - 1; after a failure
 * the set is as it was. */
DW_WARN_UNUSED dw_status dw__rowset_add(dw_rowset *rows, uint64_t row, dw_error *err);
/* Fills `rows`, which is empty, with the rows of both; NULL stands for an empty set. */
DW_WARN_UNUSED dw_status dw__rowset_unite(dw_rowset *rows, const dw_rowset *a, const dw_rowset *b,
                                          dw_error *err);
bool dw__rowset_contains(const dw_rowset *rows, uint64_t row);
uint64_t dw__rowset_cardinality(const dw_rowset *rows);
/* The least row of the set that is not below `row`; false when there is none. */
bool dw__rowset_next(const dw_rowset *rows, uint64_t row, uint64_t *out);
/* Sets keep[i] to false for each i where positions[i] is in the set and leaves the rest; returns
 * the number of hits. Fast when positions ascend: then what costs is the number of hits. */
size_t dw__rowset_mask(const dw_rowset *rows, const int64_t *positions, size_t count, bool *keep);

/* Parses the payload that PROTOCOL.md "Deletion Vector Format" describes: magic 1681511377, then
 * the 64-bit portable roaring format; also the older magic 1681511376. Untrusted: validated fully.
 * DW_CORRUPT (DV_INVALID). No reference to `payload` is kept. */
DW_WARN_UNUSED dw_status dw__rowset_parse(const dw_allocator *allocator, dw_str payload,
                                          dw_rowset **out, dw_error *err);
/* The same format, for writing: each container in its smallest form. */
DW_WARN_UNUSED dw_status dw__rowset_serialize(const dw_rowset *rows, dw_arena *arena, dw_str *out,
                                              dw_error *err);

typedef dw_rowset *dw_rowset_ptr;

static inline void
dw__dw_rowset_ptr_cleanup(dw_rowset_ptr *rows)
{
    dw__rowset_free(*rows);
}

#endif
