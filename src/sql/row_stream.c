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

/* What an errno of the engine's stream stands for. */
static dw_status
status_of(int failed, const char **code_out)
{
    switch (failed) {
    case ECANCELED:
        *code_out = "CANCELLED";
        return DW_CANCELLED;
    case ENOMEM:
        *code_out = "OUT_OF_MEMORY";
        return DW_OUT_OF_MEMORY;
    case ENOENT:
        *code_out = "FILE_NOT_FOUND";
        return DW_NOT_FOUND;
    case EBADMSG:
        *code_out = "FILE_INVALID";
        return DW_CORRUPT;
    case EIO:
        *code_out = "ENGINE_IO";
        return DW_IO;
    default:
        *code_out = "QUERY_FAILED";
        return DW_INVALID_ARGUMENT;
    }
}

/* Keeps the message; if a data file is to blame, one that says which. Streams have no place for a
 * code: it stands in brackets behind the message where callers can do something about it. Returns
 * the number of the error. */
static int
keep_problem(row_stream *stream, int failed)
{
    const char *code;
    dw_error err = DW_ERROR_INIT;
    const char *text = stream->rows.get_last_error(&stream->rows);
    dw_status status = status_of(failed, &code);
    (void) !dw__error_set(&err, status, code, "%s",
                          text == NULL ? "reading the rows failed" : text);
    status = dw__scan_explain_error(stream->scan, &err);
    bool has_code = status != DW_INVALID_ARGUMENT;
    snprintf(stream->problem, sizeof stream->problem, "%s%s%s%s", err.message, has_code ? " [" : "",
             has_code ? err.code : "", has_code ? "]" : "");
    return status == DW_CORRUPT ? EBADMSG : failed;
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
        snprintf(stream->problem, sizeof stream->problem, "interrupted [CANCELLED]");
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
