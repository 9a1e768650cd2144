/*
 * The columns that are wanted, over the columns of a file. Private to this folder.
 */
#ifndef DW_PARQUET_SHAPE_H
#define DW_PARQUET_SHAPE_H

#include "parquet/column.h"

#define DW_PQ_NO_COLUMN SIZE_MAX

/* A wanted column or field. */
typedef struct dw_pq_field {
    const dw_column_spec *spec;
    bool is_missing;   /* NULL in every row */
    uint8_t level;     /* of definition, from which on a struct is there */
    size_t column_idx; /* of its values, or one that tells where a struct is there */
    size_t value_idx;  /* of a map's values */
    struct dw_pq_field *children;
} dw_pq_field;

typedef struct dw_pq_columns {
    dw_pq_column *items;
    size_t count, capacity;
} dw_pq_columns;

/* All that is read of a file. */
typedef struct dw_pq_shape {
    const dw_allocator *allocator;
    dw_arena *arena;
    const dw_pq_footer *footer;
    dw_pq_columns columns;
    dw_pq_field *fields; /* one for each wanted column */
    size_t field_count;
    size_t required_idx; /* the column that must have a value, or DW_PQ_NO_COLUMN */
    bool has_no_rows;    /* the file lacks that column */
    size_t *absent_idxs; /* the columns that must have none */
    size_t absent_count;
    const void *zeros; /* DW_PQ_BATCH_ROWS of the widest value: NULLs */
} dw_pq_shape;

/* DW_UNSUPPORTED when the file's columns are odd. To be released in any case. */
DW_WARN_UNUSED dw_status dw__pq_shape_make(const dw_parquet_read *request,
                                           const dw_allocator *allocator,
                                           const dw_pq_footer *footer, dw_arena *arena,
                                           dw_pq_shape *out, dw_error *err);
void dw__pq_shape_deinit(dw_pq_shape *shape);
/* Puts the columns of a batch together: `vectors` has one for each column that was read. */
DW_WARN_UNUSED dw_status dw__pq_shape_assemble(const dw_pq_shape *shape, const dw_vector *vectors,
                                               size_t row_count, dw_arena *arena, dw_vector *out,
                                               dw_error *err);
/* Leaves the rows that are named of the columns of a batch. */
DW_WARN_UNUSED dw_status dw__pq_shape_select(const dw_pq_shape *shape, const uint16_t *rows,
                                             size_t count, dw_arena *arena, dw_vector *columns,
                                             dw_error *err);

#endif
