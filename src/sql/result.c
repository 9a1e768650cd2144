/*
 * The life of a result.
 */
#include "sql/result.h"

#include "base/assert.h"

dw_status
dw__result_new(const dw_session *session, dw_result **out, dw_error *err)
{
    *out = DW_NEW(session->env->allocator, dw_result);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    (*out)->allocator = session->env->allocator;
    (*out)->row_count = -1;
    (*out)->incompatible_count = -1;
    return DW_OK;
}

bool
dw__result_has_rows(const dw_result *result)
{
    return result->has_rows;
}

const char *
dw__result_message(const dw_result *result)
{
    return result->message;
}

int64_t
dw__result_row_count(const dw_result *result)
{
    return result->row_count;
}

int64_t
dw__result_incompatible_count(const dw_result *result)
{
    return result->incompatible_count;
}

bool
dw__result_change(const dw_result *result, dw_change_report *out)
{
    if (result->has_change) {
        *out = result->change;
    }
    return result->has_change;
}

dw_status
dw__result_stream(dw_result *result, struct ArrowArrayStream *out, dw_error *err)
{
    memset(out, 0, sizeof *out);
    if (result->stream.release == NULL) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "RESULT_WITHOUT_ROWS",
                             "expected a result with rows, found one without, or whose rows were "
                             "taken already");
    }
    *out = result->stream;
    memset(&result->stream, 0, sizeof result->stream);
    return DW_OK;
}

void
dw__result_free(dw_result *result)
{
    if (result == NULL) {
        return;
    }
    if (result->stream.release != NULL) {
        result->stream.release(&result->stream);
    }
    const dw_allocator *allocator = result->allocator;
    DW_DELETE(allocator, result);
}
