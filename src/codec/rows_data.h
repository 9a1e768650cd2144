/*
 * How rows.c keeps its columns and rows_stream.c hands them out. Private to this folder.
 */
#ifndef DW_CODEC_ROWS_DATA_H
#define DW_CODEC_ROWS_DATA_H

#include "base/strbuf.h"
#include "codec/rows.h"

#include <stdatomic.h>

/* One array of values: a column, or the strings below a list or map. */
typedef struct dw_rows_data {
    dw_strbuf validity; /* bits */
    dw_strbuf offsets;  /* int32, for strings, lists and maps */
    dw_strbuf values;
    int64_t count;
    int64_t null_count;
} dw_rows_data;

typedef struct dw_rows_cells {
    char *name;
    size_t name_size;
    dw_rows_column spec;
    dw_rows_data cells;
    dw_rows_data keys;   /* of a map, or the elements of a list */
    dw_rows_data values; /* of a map */
} dw_rows_cells;

struct dw_rows {
    const dw_allocator *allocator;
    dw_rows_cells *columns;
    size_t column_count;
    size_t next;            /* the column that gets the next cell */
    int64_t row_count;      /* complete rows */
    bool is_streamed;       /* the batch was handed out */
    atomic_int owner_count; /* the builder or stream, and the batch */
};

void dw__rows_unref(dw_rows *rows);

#endif
