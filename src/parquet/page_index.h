/*
 * The page indexes of files that are put together. By them readers open only those pages of a
 * column that may have what they look for: a column index has the bounds of its pages, and is
 * copied as it is; an offset index has their places in the file, and is written anew.
 *
 *  [PAGE-INDEX-1] Every column of every row group has an offset index, or there are no page indexes
 *                 at all: some readers expect those of all columns where one has any.
 *  [PAGE-INDEX-2] Each page lies within its column, behind the page before it, and begins at a
 *                 later row of the row group. What a file says otherwise is not believed: no index
 *                 is kept.
 *  [PAGE-INDEX-3] The indexes stand together, behind all columns: readers fetch them at once.
 */
#ifndef DW_PARQUET_PAGE_INDEX_H
#define DW_PARQUET_PAGE_INDEX_H

#include "base/vec.h"
#include "parquet/footer.h"
#include "parquet/source.h"

/* Of one column in one row group, within `bytes`. */
typedef struct dw_pq_index_places {
    dw_pq_place offsets, bounds;
} dw_pq_index_places;

typedef struct dw_pq_index_place_vec {
    dw_pq_index_places *items;
    size_t count, capacity;
} dw_pq_index_place_vec;

typedef struct dw_pq_page_indexes {
    dw_strbuf bytes; /* the indexes as they will be */
    dw_pq_index_place_vec places;
    bool is_dropped; /* there are none to be kept */
} dw_pq_page_indexes;

dw_pq_page_indexes dw__pq_page_indexes_make(const dw_allocator *allocator);
void dw__pq_page_indexes_deinit(dw_pq_page_indexes *indexes);

/* Takes those of a file, whose columns lie before `body_end` and will stand `shift` further on. */
DW_WARN_UNUSED dw_status dw__pq_page_indexes_take(dw_pq_page_indexes *indexes,
                                                  const dw_pq_source *source,
                                                  const dw_pq_footer *footer, int64_t body_end,
                                                  int64_t shift, dw_error *err);
/* Writes the offset index in `index`, of a column with so many rows, for pages that will stand
 * `shift` further on. False, with some of it written, when it is not to be believed. */
bool dw__pq_offset_index_shift(dw_str index, dw_pq_place column, int64_t row_count, int64_t shift,
                               dw_strbuf *out);
/* Appends row groups, which name no indexes, with the names of theirs: of all files that were
 * taken, and `bytes` stands at `base`. */
void dw__pq_page_indexes_name(const dw_pq_page_indexes *indexes, dw_str row_groups, int64_t base,
                              dw_strbuf *out);

#endif
