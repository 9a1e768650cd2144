/*
 * Choosing a format and driving it over a stream.
 */
#include "format.h"

#include "error.h"

#include <errno.h>
#include <string.h>

bool
format_parse(const char *name, format_kind *out)
{
    static const struct {
        const char *name;
        format_kind kind;
    } names[] = {
        {"table", FORMAT_TABLE},   {"csv", FORMAT_CSV},           {"json", FORMAT_JSON},
        {"ndjson", FORMAT_NDJSON}, {"markdown", FORMAT_MARKDOWN}, {"parquet", FORMAT_PARQUET},
        {"arrow", FORMAT_ARROW},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i].name) == 0) {
            *out = names[i].kind;
            return true;
        }
    }
    return false;
}

dw_status
format_stream_error(struct ArrowArrayStream *rows, dw_error *err)
{
    const char *message = rows->get_last_error(rows);
    const char *text = message == NULL ? "reading rows failed" : message;
    /* The library puts its stable code in brackets behind the message. */
    dw_status status = strstr(text, "[CANCELLED]") != NULL       ? DW_CANCELLED
                       : strstr(text, "[DATA_FILE_") != NULL     ? DW_CORRUPT
                       : strstr(text, "[STORAGE_") != NULL       ? DW_IO
                       : strstr(text, "[OUT_OF_MEMORY]") != NULL ? DW_OUT_OF_MEMORY
                                                                 : DW_INVALID_ARGUMENT;
    return error_make(err, status, "READ_FAILED", "%s", text);
}

dw_status
format_output_error(dw_error *err)
{
    return error_make(err, DW_IO, "OUTPUT_FAILED", "writing the result failed: %s",
                      strerror(errno));
}

static const format_ops *
ops_of(format_kind kind)
{
    switch (kind) {
    case FORMAT_CSV:
        return &format_csv_ops;
    case FORMAT_JSON:
        return &format_json_ops;
    case FORMAT_NDJSON:
        return &format_ndjson_ops;
    case FORMAT_MARKDOWN:
    case FORMAT_TABLE:
    case FORMAT_PARQUET:
    case FORMAT_ARROW:
        break;
    }
    return &format_markdown_ops;
}

static dw_status
print_batches(const format_ops *ops, struct ArrowArrayStream *rows,
              const struct ArrowSchema *schema, FILE *file, int64_t *row_count_out, dw_error *err)
{
    format_sink sink = {.file = file, .schema = schema};
    if (ops->begin != NULL) {
        ops->begin(&sink);
    }
    for (;;) {
        struct ArrowArray batch = {0};
        if (rows->get_next(rows, &batch) != 0) {
            return format_stream_error(rows, err);
        }
        if (batch.release == NULL) {
            break;
        }
        ops->batch(&sink, &batch);
        sink.row_count += batch.length;
        batch.release(&batch);
        if (ferror(file) != 0) {
            return format_output_error(err);
        }
    }
    if (ops->end != NULL) {
        ops->end(&sink);
    }
    *row_count_out = sink.row_count;
    return fflush(file) == 0 ? DW_OK : format_output_error(err);
}

dw_status
format_print(format_kind kind, struct ArrowArrayStream *rows, FILE *file, int64_t *row_count_out,
             dw_error *err)
{
    *row_count_out = 0;
    struct ArrowSchema schema = {0};
    dw_status status = DW_OK;
    if (kind == FORMAT_ARROW) {
        status = format_arrow_print(rows, file, row_count_out, err);
    } else if (rows->get_schema(rows, &schema) != 0) {
        status = format_stream_error(rows, err);
    } else if (kind == FORMAT_TABLE) {
        status = format_table_print(rows, &schema, file, row_count_out, err);
    } else {
        status = print_batches(ops_of(kind), rows, &schema, file, row_count_out, err);
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    if (rows->release != NULL) {
        rows->release(rows);
    }
    return status;
}
