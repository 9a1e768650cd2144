/*
 * Values of one column as C values: plain ones, and places in a dictionary.
 */
#ifndef DW_PARQUET_VALUES_H
#define DW_PARQUET_VALUES_H

#include "engine/engine.h"
#include "parquet/page.h"
#include "parquet/runs.h"

/* The widest value, a dw_str. */
#define DW_PQ_WIDTH_MAX sizeof(dw_str)

/* How the values of a leaf become those of a vector. */
typedef struct dw_pq_kind {
    dw_pq_type type;
    dw_vector_kind kind;
    size_t width; /* of a value of the vector */
} dw_pq_kind;

/* False when the leaf does not read as that kind. */
bool dw__pq_kind_of(const dw_pq_node *leaf, dw_vector_kind kind, dw_pq_kind *out);

typedef struct dw_pq_dictionary {
    dw_pq_buffer bytes; /* of the page, which strings borrow */
    dw_pq_buffer values;
    size_t count;
} dw_pq_dictionary;

/* The values of a page that were not read yet. */
typedef struct dw_pq_values {
    dw_pq_encoding encoding;
    const char *at, *end; /* of plain values */
    size_t bit_idx;       /* of plain booleans */
    dw_pq_runs runs;      /* of the others */
} dw_pq_values;

DW_WARN_UNUSED dw_status dw__pq_values_begin(dw_pq_values *values, dw_str bytes, int64_t encoding,
                                             const dw_pq_kind *kind, dw_error *err);
/* Reads `count` values into an array. */
DW_WARN_UNUSED dw_status dw__pq_values_take(dw_pq_values *values, const dw_pq_kind *kind,
                                            const dw_pq_dictionary *dictionary, void *out,
                                            size_t count, dw_error *err);
/* Reads the dictionary of a chunk. */
DW_WARN_UNUSED dw_status dw__pq_dictionary_read(dw_pq_dictionary *dictionary, dw_pq_pages *pages,
                                                const dw_pq_page_head *head, const dw_pq_node *leaf,
                                                const dw_pq_kind *kind, dw_error *err);

#endif
