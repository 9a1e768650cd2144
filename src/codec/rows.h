/*
 * Small results as Arrow streams, without the query engine: history, details, an answered count.
 * Rows are added cell by cell, column after column; then the builder becomes a stream of one batch.
 */
#ifndef DW_CODEC_ROWS_H
#define DW_CODEC_ROWS_H

#include "base/arena.h"
#include "base/error.h"

typedef enum dw_rows_kind {
    DW_ROWS_BOOL,
    DW_ROWS_I64,
    DW_ROWS_I32,
    DW_ROWS_DOUBLE,
    DW_ROWS_STR,
    DW_ROWS_DATE,          /* days since 1970-01-01 */
    DW_ROWS_TIMESTAMP,     /* microseconds UTC, with zone UTC */
    DW_ROWS_TIMESTAMP_NTZ, /* microseconds, without zone */
    DW_ROWS_DECIMAL,       /* 128 bits; needs precision and scale */
    DW_ROWS_STR_LIST,
    DW_ROWS_STR_MAP
} dw_rows_kind;

typedef struct dw_rows_column {
    const char *name;
    dw_rows_kind kind;
    uint8_t precision, scale; /* DECIMAL */
} dw_rows_column;

typedef struct dw_rows dw_rows;

/* Copies names and columns. */
DW_WARN_UNUSED dw_status dw__rows_new(const dw_allocator *allocator, const dw_rows_column *columns,
                                      size_t column_count, dw_rows **out, dw_error *err);
void dw__rows_free(dw_rows *rows);

/* Each adds one cell to the column that comes next, starting a new row after the last one. A failed
 * allocation is remembered and reported by dw__rows_stream. */
void dw__rows_put_null(dw_rows *rows);
void dw__rows_put_bool(dw_rows *rows, bool value);
void dw__rows_put_i64(dw_rows *rows, int64_t value); /* any integer, date or timestamp kind */
void dw__rows_put_double(dw_rows *rows, double value);
__extension__ typedef __int128 dw_rows_i128;
void dw__rows_put_decimal(dw_rows *rows, dw_rows_i128 value);
void dw__rows_put_str(dw_rows *rows, dw_str value); /* the null string is NULL */
/* Lists and maps: begin, then items (a map's items are key, value pairs), then end. */
void dw__rows_begin(dw_rows *rows);
void dw__rows_put_item(dw_rows *rows, dw_str key_or_element, dw_str value);
void dw__rows_end(dw_rows *rows);

/* Turns the rows into a stream that owns them; `rows` is released in any case. */
DW_WARN_UNUSED dw_status dw__rows_stream(dw_rows *rows, struct ArrowArrayStream *out,
                                         dw_error *err);

#endif
