/*
 * Building columns for the engine, value by value: the counterpart of vector_read.h.
 *
 *     dw__column_put_struct(column, true);             // then one value for each child
 *     dw__column_put_str(&column->children[0], path);
 *     dw__column_put_null(&column->children[1]);
 *
 *  [COLUMN-1] Every row gets exactly one value in a column, and one in each field of a struct; a
 *             list or map of n elements gets n in each child.
 *  [COLUMN-2] Strings are borrowed until the column is cleared.
 */
#ifndef DW_LOG_COLUMN_BUILD_H
#define DW_LOG_COLUMN_BUILD_H

#include "engine/engine.h"

typedef struct dw_column {
    const dw_column_spec *spec;
    const dw_allocator *allocator;
    size_t count, capacity;
    bool *valid;
    void *data;
    struct dw_column *children;
    dw_vector *child_vectors;
    bool failed; /* out of memory: told by dw__column_view */
} dw_column;

/* `column` needs dw__column_deinit also after a failure. False when out of memory. */
DW_WARN_UNUSED bool dw__column_init(dw_column *column, const dw_column_spec *spec,
                                    const dw_allocator *allocator);
void dw__column_deinit(dw_column *column);
/* Forgets the values, keeps the memory. */
void dw__column_clear(dw_column *column);

void dw__column_put_null(dw_column *column); /* and in the fields of a struct */
void dw__column_put_bool(dw_column *column, bool value);
void dw__column_put_i32(dw_column *column, int32_t value);
void dw__column_put_i64(dw_column *column, int64_t value);
void dw__column_put_str(dw_column *column, dw_str value);        /* the null string is NULL */
void dw__column_put_value(dw_column *column, const void *value); /* of the column's own kind */
/* The fields follow. */
void dw__column_put_struct(dw_column *column);
/* `len` elements in each child follow. */
void dw__column_put_span(dw_column *column, size_t len);

/* The values so far, borrowed until the next change. False when a value could not be kept. */
DW_WARN_UNUSED bool dw__column_view(dw_column *column, dw_vector *out);

#endif
