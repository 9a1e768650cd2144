/*
 * The Arrow IPC stream format, through nanoarrow.
 */
#include "format.h"

#include "error.h"

#include <errno.h>
#include <nanoarrow/nanoarrow_ipc.h>

/* Counts the rows that pass and remembers how the source failed, so that its error can be told
 * from the writer's. */
typedef struct counted {
    struct ArrowArrayStream *source;
    int64_t row_count;
    int failed;
} counted;

static int
counted_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    counted *counter = stream->private_data;
    int result = counter->source->get_schema(counter->source, out);
    counter->failed = counter->failed != 0 ? counter->failed : result;
    return result;
}

static int
counted_get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    counted *counter = stream->private_data;
    int result = counter->source->get_next(counter->source, out);
    counter->failed = counter->failed != 0 ? counter->failed : result;
    counter->row_count += result == 0 && out->release != NULL ? out->length : 0;
    return result;
}

static const char *
counted_get_last_error(struct ArrowArrayStream *stream)
{
    counted *counter = stream->private_data;
    return counter->source->get_last_error(counter->source);
}

static void
counted_release(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

static dw_status
write_stream(struct ArrowArrayStream *stream, FILE *file, dw_error *err)
{
    struct ArrowIpcOutputStream output;
    struct ArrowIpcWriter writer;
    struct ArrowError detail = {{0}};
    if (ArrowIpcOutputStreamInitFile(&output, file, 0) != NANOARROW_OK) {
        return format_output_error(err);
    }
    if (ArrowIpcWriterInit(&writer, &output) != NANOARROW_OK) {
        output.release(&output);
        return error_make(err, DW_OUT_OF_MEMORY, "OUT_OF_MEMORY", "out of memory");
    }
    int result = ArrowIpcWriterWriteArrayStream(&writer, stream, &detail);
    int reason = errno;
    ArrowIpcWriterReset(&writer);
    if (ferror(file) != 0) {
        errno = reason;
        return format_output_error(err);
    }
    if (result == NANOARROW_OK) {
        return fflush(file) == 0 ? DW_OK : format_output_error(err);
    }
    return error_make(err, DW_INVALID_ARGUMENT, "OUTPUT_FAILED",
                      "writing the rows as an Arrow stream failed: %s", detail.message);
}

dw_status
format_arrow_print(struct ArrowArrayStream *rows, FILE *file, int64_t *row_count_out, dw_error *err)
{
    counted counter = {.source = rows};
    struct ArrowArrayStream stream = {.get_schema = counted_get_schema,
                                      .get_next = counted_get_next,
                                      .get_last_error = counted_get_last_error,
                                      .release = counted_release,
                                      .private_data = &counter};
    dw_status status = write_stream(&stream, file, err);
    *row_count_out = counter.row_count;
    return counter.failed != 0 ? format_stream_error(rows, counter.failed, err) : status;
}
