/*
 * Printing a stream of rows in one of the formats that people and programs ask for.
 */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include "deltaworks.h"

#include <stdio.h>

typedef enum format_kind {
    FORMAT_TABLE, /* records where a terminal is too narrow for the columns */
    FORMAT_VERTICAL,
    FORMAT_CSV,
    FORMAT_JSON,
    FORMAT_NDJSON,
    FORMAT_MARKDOWN,
    FORMAT_TEXT,    /* the first column as it is, a line a row */
    FORMAT_PARQUET, /* written by the engine, never through format_print */
    FORMAT_ARROW
} format_kind;

/* False when there is no format of that name. */
bool format_parse(const char *name, format_kind *out);

typedef struct format_count {
    int64_t rows; /* printed */
    bool has_more;
} format_count;

/* Prints the stream's rows, for a person (tables, records) at most `rows_max` of them; 0: all.
 * Releases it.
 * Errors: those of the stream, and DW_IO (OUTPUT_FAILED) when `file` takes no more. */
dw_status format_print(format_kind kind, int64_t rows_max, struct ArrowArrayStream *rows,
                       FILE *file, format_count *count_out, dw_error *err);

/* ---- For the files that implement formats ---------------------------------------------------- */

typedef struct format_sink {
    FILE *file;
    const struct ArrowSchema *schema;
    int64_t row_count; /* printed before this batch */
} format_sink;

/*
 * What each format does at the start, for each batch, and at the end; `begin` and `end` may be
 * NULL.
 */
typedef struct format_ops {
    void (*begin)(format_sink *sink);
    void (*batch)(format_sink *sink, const struct ArrowArray *batch);
    void (*end)(format_sink *sink);
} format_ops;

extern const format_ops format_csv_ops;
extern const format_ops format_json_ops;
extern const format_ops format_ndjson_ops;
extern const format_ops format_markdown_ops;
extern const format_ops format_text_ops;

/* The table needs the widths of its columns first, so it reads the stream itself. */
typedef struct format_table_options {
    int64_t rows_max; /* 0: all */
    bool is_vertical;
} format_table_options;

dw_status format_table_print(struct ArrowArrayStream *rows, const struct ArrowSchema *schema,
                             const format_table_options *options, FILE *file,
                             format_count *count_out, dw_error *err);
/* The Arrow IPC stream format. */
dw_status format_arrow_print(struct ArrowArrayStream *rows, FILE *file, int64_t *row_count_out,
                             dw_error *err);

/* The next rows; at the end an array that is released. Wipes the progress bar where rows come. */
dw_status format_next(struct ArrowArrayStream *rows, FILE *file, struct ArrowArray *batch,
                      dw_error *err);
/* Sets the error of a stream one of whose calls gave `failed`. */
dw_status format_stream_error(struct ArrowArrayStream *rows, int failed, dw_error *err);
dw_status format_output_error(dw_error *err);

#endif
