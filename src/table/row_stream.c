/*
 * Streams of rows whose failures are explained [ROWS-1].
 */
#include "table/row_stream.h"

#include <errno.h>
#include <stdio.h>

typedef struct row_stream {
    const dw_allocator *allocator;
    struct ArrowArrayStream rows;
    dw_scan *scan;
    dw_row_stream_owner owner;
    int failed; /* the number of the error that was met, which every later call repeats */
    char problem[DW_ERROR_MESSAGE_SIZE + DW_ERROR_CODE_SIZE + 4];
} row_stream;

static int
fail(row_stream *stream, dw_error *err)
{
    snprintf(stream->problem, sizeof(stream->problem), "%s [%s]", err->message, err->code);
    stream->failed = dw__stream_errno(err->status);
    return stream->failed;
}

static int
fail_engine(row_stream *stream)
{
    dw_error err = DW_ERROR_INIT;
    dw__query_stream_error(&stream->rows, &err);
    (void) dw__scan_explain_error(stream->scan, &err);
    return fail(stream, &err);
}

static int
get_schema(struct ArrowArrayStream *self, struct ArrowSchema *out)
{
    row_stream *stream = self->private_data;
    return stream->rows.get_schema(&stream->rows, out) == 0 ? 0 : fail_engine(stream);
}

static int
get_next(struct ArrowArrayStream *self, struct ArrowArray *out)
{
    row_stream *stream = self->private_data;
    memset(out, 0, sizeof(*out));
    if (stream->failed != 0) {
        return stream->failed;
    }
    if (stream->owner.is_cancelled(stream->owner.ctx)) {
        dw_error err = DW_ERROR_INIT;
        (void) !dw__error_set(&err, DW_CANCELLED, "CANCELLED", "interrupted");
        return fail(stream, &err);
    }
    return stream->rows.get_next(&stream->rows, out) == 0 ? 0 : fail_engine(stream);
}

static const char *
get_last_error(struct ArrowArrayStream *self)
{
    const row_stream *stream = self->private_data;
    return stream->problem[0] == '\0' ? NULL : stream->problem;
}

static void
release(struct ArrowArrayStream *self)
{
    row_stream *stream = self->private_data;
    stream->rows.release(&stream->rows);
    dw__scan_close(stream->scan);
    stream->owner.release(stream->owner.ctx);
    DW_DELETE(stream->allocator, stream);
    self->private_data = NULL;
    self->release = NULL;
}

dw_status
dw__row_stream_open(const dw_allocator *allocator, struct ArrowArrayStream *rows, dw_scan *scan,
                    const dw_row_stream_owner *owner, struct ArrowArrayStream *out, dw_error *err)
{
    row_stream *stream = DW_NEW(allocator, row_stream);
    if (stream == NULL) {
        rows->release(rows);
        dw__scan_close(scan);
        return dw__error_oom(err);
    }
    stream->allocator = allocator;
    stream->rows = *rows;
    stream->scan = scan;
    stream->owner = *owner;
    memset(rows, 0, sizeof(*rows));
    *out = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release, stream};
    return DW_OK;
}
