/*
 * What is kept of data files between statements: footers and unpacked chunks. A file of a table is
 * never written again; all the same it is known by its size and time of modification, too, so that
 * what was put in its place is noticed.
 *
 *  [KEPT-1] What is kept stays within the budget of the cache, and no chunk takes more than a part
 *           of it.
 *  [KEPT-2] That something is odd is kept, too: it is not tried again.
 */
#ifndef DW_PARQUET_KEPT_H
#define DW_PARQUET_KEPT_H

#include "parquet/cells.h"

/* The part of the cache that one chunk may take. */
#define DW_PQ_KEPT_SHARE 8

typedef struct dw_pq_kept_footer {
    dw_cache_item item; /* must be the first member */
    const dw_allocator *allocator;
    dw_arena arena;
    dw_pq_footer footer;
    bool is_odd;
} dw_pq_kept_footer;

/* A file while a statement looks into it. */
typedef struct dw_pq_kept_file {
    const dw_env *env;
    dw_cache *cache;
    dw_storage *storage;
    dw_pq_source source;
    dw_str name; /* in the cache */
    dw_pq_kept_footer *footer;
} dw_pq_kept_file;

/* Opens the file of a path that the engine would open. `*found_out` is false when there is none, or
 * its footer is odd. The path is borrowed; the file is to be closed, also after a failure. */
DW_WARN_UNUSED dw_status dw__pq_kept_open(dw_pq_kept_file *file, const dw_env *env, dw_cache *cache,
                                          dw_str path, dw_arena *arena, bool *found_out,
                                          dw_error *err);
void dw__pq_kept_close(dw_pq_kept_file *file);

/* The cells of a leaf in a row group, which are to be let go of. They may be odd. */
DW_WARN_UNUSED dw_status dw__pq_kept_cells(const dw_pq_kept_file *file, const dw_pq_node *leaf,
                                           size_t group_idx, dw_arena *scratch, dw_pq_cells **out,
                                           dw_error *err);

typedef dw_pq_cells *dw_pq_cells_ptr;

static inline void
dw__dw_pq_cells_ptr_cleanup(dw_pq_cells_ptr *cells)
{
    dw__cache_item_unref((dw_cache_item *) *cells);
}

static inline void
dw__dw_pq_kept_file_cleanup(dw_pq_kept_file *file)
{
    dw__pq_kept_close(file);
}

#endif
