/*
 * One column of a Parquet file, read from its row groups in batches of rows. What no row of a batch
 * is wanted of is passed over, pages unopened where they can be.
 */
#ifndef DW_PARQUET_COLUMN_H
#define DW_PARQUET_COLUMN_H

#include "parquet/source.h"
#include "parquet/values.h"

/* The most rows of a batch. */
#define DW_PQ_BATCH_ROWS ((size_t) 2048)

typedef struct dw_pq_buffers {
    dw_pq_buffer *items;
    size_t count, capacity;
} dw_pq_buffers;

/* The elements of a column in a list or a map, for all rows of a row group. */
typedef struct dw_pq_elements {
    dw_pq_buffer spans;  /* dw_span, one a row */
    dw_pq_buffer levels; /* of definition, one a row */
    dw_pq_buffer values;
    dw_pq_buffer valid;
    size_t row_count, count;
} dw_pq_elements;

typedef struct dw_pq_column {
    const dw_allocator *allocator;
    const dw_pq_node *leaf;
    dw_pq_kind kind;
    bool is_bare; /* nobody wants its values, only its levels */
    /* In a list or map: the levels of definition of a list that is there, and of an element. */
    bool is_repeated;
    uint8_t list_level, element_level;

    /* The chunk. */
    const dw_pq_chunk *chunk;
    size_t row_count;
    bool is_loaded;
    dw_strbuf bytes;
    dw_pq_pages pages;
    dw_pq_dictionary dictionary;
    size_t values_left; /* of pages that were not opened */
    size_t rows_passed; /* before what is read next */

    /* The page. */
    dw_pq_buffer buffer;
    dw_pq_buffer spare;    /* for the next page */
    dw_pq_buffers retired; /* pages that values of this batch, or elements of this chunk, borrow */
    size_t page_left;
    dw_pq_runs defs;
    dw_pq_values values;

    /* Of a column in a list or map. */
    dw_pq_elements elements;
    size_t row; /* the first of the batch, in the row group */

    /* The levels of definition of the batch's rows: one each, or the same for all. */
    const uint8_t *levels;
    uint8_t level;
} dw_pq_column;

void dw__pq_column_init(dw_pq_column *column, const dw_allocator *allocator, const dw_pq_node *leaf,
                        const dw_pq_kind *kind);
void dw__pq_column_deinit(dw_pq_column *column);
/* False when the chunk is odd for what its metadata says. */
bool dw__pq_chunk_is_plain(const dw_pq_chunk *chunk);
/* Goes to a chunk; nothing is read yet. DW_UNSUPPORTED when it is odd. */
DW_WARN_UNUSED dw_status dw__pq_column_begin(dw_pq_column *column, const dw_pq_chunk *chunk,
                                             int64_t row_count, dw_error *err);
void dw__pq_column_pass(dw_pq_column *column, size_t row_count);
/* Reads the next rows. Arrays are taken from `arena`; the vector of a list or map has no children
 * yet, see dw__pq_column_elements. Values are borrowed until the next call. */
DW_WARN_UNUSED dw_status dw__pq_column_read(dw_pq_column *column, const dw_pq_source *source,
                                            size_t row_count, dw_arena *arena, dw_vector *out,
                                            dw_error *err);
/* The elements of all lists of the row group, once rows of it were read. */
dw_vector dw__pq_column_elements(const dw_pq_column *column);
/* Where the level of definition of a row is at least `level`, as an array in `arena`; NULL in
 * *out: everywhere. False when out of memory. */
DW_WARN_UNUSED bool dw__pq_column_defined(const dw_pq_column *column, uint8_t level,
                                          size_t row_count, dw_arena *arena, const bool **out);

#endif
