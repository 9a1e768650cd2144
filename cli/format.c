/*
 * Choosing a format and driving it over a stream.
 */
#include "format.h"

#include "error.h"
#include "progress.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

bool
format_parse(const char *name, format_kind *out)
{
    static const struct {
        const char *name;
        format_kind kind;
    } names[] = {
        {"table", FORMAT_TABLE},     {"vertical", FORMAT_VERTICAL}, {"csv", FORMAT_CSV},
        {"json", FORMAT_JSON},       {"ndjson", FORMAT_NDJSON},     {"markdown", FORMAT_MARKDOWN},
        {"parquet", FORMAT_PARQUET}, {"arrow", FORMAT_ARROW},       {"text", FORMAT_TEXT},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i].name) == 0) {
            *out = names[i].kind;
            return true;
        }
    }
    return false;
}

static dw_status
status_of(int failed)
{
    switch (failed) {
    case ECANCELED:
        return DW_CANCELLED;
    case ENOMEM:
        return DW_OUT_OF_MEMORY;
    case ENOENT:
        return DW_NOT_FOUND;
    case EBADMSG:
        return DW_CORRUPT;
    case EIO:
        return DW_IO;
    case ENOTSUP:
        return DW_UNSUPPORTED;
    default:
        return DW_INVALID_ARGUMENT;
    }
}

dw_status
format_stream_error(struct ArrowArrayStream *rows, int failed, dw_error *err)
{
    const char *message = rows->get_last_error(rows);
    const char *text = message == NULL ? "reading rows failed [READ_FAILED]" : message;
    /* The library puts its stable code in brackets behind the message. */
    const char *bracket = strrchr(text, '[');
    size_t len = bracket == NULL ? 0 : strcspn(bracket + 1, "]");
    if (bracket == NULL || bracket == text || len >= DW_ERROR_CODE_SIZE) {
        return error_make(err, status_of(failed), "READ_FAILED", "%s", text);
    }
    char code[DW_ERROR_CODE_SIZE];
    memcpy(code, bracket + 1, len);
    code[len] = '\0';
    return error_make(err, status_of(failed), code, "%.*s", (int) (bracket - 1 - text), text);
}

dw_status
format_next(struct ArrowArrayStream *rows, FILE *file, struct ArrowArray *batch, dw_error *err)
{
    memset(batch, 0, sizeof(*batch));
    int failed = rows->get_next(rows, batch);
    if (failed != 0) {
        return format_stream_error(rows, failed, err);
    }
    if (isatty(fileno(file)) != 0) {
        progress_hide(); /* the rows show that it goes on, and the bar would tear them */
    }
    return DW_OK;
}

dw_status
format_output_error(dw_error *err)
{
    if (errno == EPIPE) {
        return error_make(err, DW_CANCELLED, ERROR_CODE_UNREAD, "nobody reads the output");
    }
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
    case FORMAT_TEXT:
        return &format_text_ops;
    case FORMAT_MARKDOWN:
    case FORMAT_TABLE:
    case FORMAT_VERTICAL:
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
        struct ArrowArray batch;
        dw_status status = format_next(rows, file, &batch, err);
        if (status != DW_OK) {
            return status;
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
format_print(format_kind kind, int64_t rows_max, struct ArrowArrayStream *rows, FILE *file,
             format_count *count_out, dw_error *err)
{
    *count_out = (format_count){0};
    struct ArrowSchema schema = {0};
    dw_status status = DW_OK;
    int failed = kind == FORMAT_ARROW ? 0 : rows->get_schema(rows, &schema);
    if (kind == FORMAT_ARROW) {
        status = format_arrow_print(rows, file, &count_out->rows, err);
    } else if (failed != 0) {
        status = format_stream_error(rows, failed, err);
    } else if (kind == FORMAT_TABLE || kind == FORMAT_VERTICAL) {
        format_table_options options = {rows_max, kind == FORMAT_VERTICAL};
        status = format_table_print(rows, &schema, &options, file, count_out, err);
    } else {
        status = print_batches(ops_of(kind), rows, &schema, file, &count_out->rows, err);
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    if (rows->release != NULL) {
        rows->release(rows);
    }
    return status;
}
