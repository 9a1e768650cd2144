/*
 * The rows of a query on their way to the user: the engine's stream together with the scan that it
 * reads from.
 */
#include "sql/result.h"

#include <errno.h>
#include <stdio.h>

typedef struct row_stream {
    struct ArrowArrayStream rows;
    dw_scan *scan;
    dw_session *session;
    char problem[DW_ERROR_MESSAGE_SIZE + DW_ERROR_CODE_SIZE + 4];
} row_stream;

/* Keeps the message; if a data file is to blame, one that says which, with its code in brackets.
 * Returns the number of the error. */
static int
keep_problem(row_stream *stream, int failed)
{
    const char *text = stream->rows.get_last_error(&stream->rows);
    dw_error err = DW_ERROR_INIT;
    dw_status status = failed == EBADMSG  ? DW_CORRUPT
                       : failed == ENOENT ? DW_NOT_FOUND
                       : failed == EIO    ? DW_IO
                                          : DW_INVALID_ARGUMENT;
    (void) !dw__error_set(&err, status, "", "%s", text == NULL ? "reading the rows failed" : text);
    if (failed == ECANCELED || failed == ENOMEM ||
        dw__scan_explain_error(stream->scan, &err) != DW_CORRUPT || err.code[0] == '\0') {
        snprintf(stream->problem, sizeof stream->problem, "%s", err.message);
        return failed;
    }
    snprintf(stream->problem, sizeof stream->problem, "%s [%s]", err.message, err.code);
    return EBADMSG;
}

static int
get_schema(struct ArrowArrayStream *self, struct ArrowSchema *out)
{
    row_stream *stream = self->private_data;
    int failed = stream->rows.get_schema(&stream->rows, out);
    return failed == 0 ? 0 : keep_problem(stream, failed);
}

static int
get_next(struct ArrowArrayStream *self, struct ArrowArray *out)
{
    row_stream *stream = self->private_data;
    if (atomic_load(&stream->session->is_cancelled)) {
        memset(out, 0, sizeof *out);
        memcpy(stream->problem, "interrupted", sizeof "interrupted");
        return ECANCELED;
    }
    int failed = stream->rows.get_next(&stream->rows, out);
    return failed == 0 ? 0 : keep_problem(stream, failed);
}

static const char *
get_last_error(struct ArrowArrayStream *self)
{
    row_stream *stream = self->private_data;
    return stream->problem[0] == '\0' ? NULL : stream->problem;
}

static void
release(struct ArrowArrayStream *self)
{
    row_stream *stream = self->private_data;
    stream->rows.release(&stream->rows);
    dw__scan_close(stream->scan);
    stream->session->is_reading = false;
    DW_DELETE(stream->session->env->allocator, stream);
    self->private_data = NULL;
    self->release = NULL;
}

dw_status
dw__row_stream_open(dw_session *session, struct ArrowArrayStream *rows, dw_scan *scan,
                    struct ArrowArrayStream *out, dw_error *err)
{
    row_stream *stream = DW_NEW(session->env->allocator, row_stream);
    if (stream == NULL) {
        rows->release(rows);
        dw__scan_close(scan);
        return dw__error_oom(err);
    }
    stream->rows = *rows;
    stream->scan = scan;
    stream->session = session;
    session->is_reading = true;
    memset(rows, 0, sizeof *rows);
    *out = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release, stream};
    return DW_OK;
}
