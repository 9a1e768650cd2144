/*
 * Files put together as they are: the bytes of several, one after the other, and a footer that says
 * where their row groups are now. No page is decoded, or even looked at.
 *
 *  [JOIN-1] Only files of one schema, writer and metadata: what is said of the whole file holds for
 *           each of its row groups.
 *  [JOIN-2] Row groups keep their statistics, bloom filters and encodings, and page indexes where
 *           all files have them (page_index.h).
 *  [JOIN-3] Every place that a footer names lies between the first magic word and the footer, and
 *           its rows are those of its row groups; else, or with encryption, nothing is joined.
 */
#ifndef DW_PARQUET_JOIN_H
#define DW_PARQUET_JOIN_H

#include "parquet/footer.h"
#include "parquet/source.h"

typedef struct dw_pq_join {
    dw_arena *arena;
    const dw_allocator *allocator;
    dw_storage *storage;
    dw_pq_footer first; /* of the first file, for whoever wants to know its columns */
    dw_piece *pieces;   /* a magic word, the files, page indexes if there are any, the footer */
    size_t piece_count;
    int64_t size_bytes;
    int64_t row_count;
    size_t row_group_count;
    bool has_hadoop_lz4;
} dw_pq_join;

/* Reads the footers and makes the new one; nothing is written. All files are in one storage. What
 * is in `out` lives in `arena`. DW_UNSUPPORTED (PARQUET_ODD) for files that cannot be joined. */
DW_WARN_UNUSED dw_status dw__pq_join_plan(const dw_pq_source *sources, size_t count,
                                          dw_arena *arena, dw_pq_join *out, dw_error *err);
/* Writes the file, which is not durable yet. */
DW_WARN_UNUSED dw_status dw__pq_join_write(const dw_pq_join *join, dw_str key, dw_error *err);

#endif
