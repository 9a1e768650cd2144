/*
 * Filling dw_error. Nothing here allocates, so that running out of memory can be reported.
 */
#include "base/error.h"

#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>

const char *
dw_status_name(dw_status status)
{
    switch (status) {
    case DW_OK:
        return "OK";
    case DW_INVALID_ARGUMENT:
        return "INVALID_ARGUMENT";
    case DW_NOT_FOUND:
        return "NOT_FOUND";
    case DW_ALREADY_EXISTS:
        return "ALREADY_EXISTS";
    case DW_CONFLICT:
        return "CONFLICT";
    case DW_UNSUPPORTED:
        return "UNSUPPORTED";
    case DW_CORRUPT:
        return "CORRUPT";
    case DW_IO:
        return "IO";
    case DW_UNAVAILABLE:
        return "UNAVAILABLE";
    case DW_OUT_OF_MEMORY:
        return "OUT_OF_MEMORY";
    case DW_CANCELLED:
        return "CANCELLED";
    case DW_AMBIGUOUS:
        return "AMBIGUOUS";
    case DW_INTERNAL:
        return "INTERNAL";
    }
    return "UNKNOWN";
}

/*
 * Messages carry text from files: a line break or control character must not forge a second line.
 */
void
dw__make_one_line(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        if ((unsigned char) *c < 0x20 || *c == 0x7f) {
            *c = ' ';
        }
    }
}

dw_status
dw__error_set(dw_error *err, dw_status status, const char *code, const char *fmt, ...)
{
    dw_assert(status != DW_OK);
    if (err == NULL) {
        return status;
    }
    err->status = status;
    err->context[0] = '\0';
    snprintf(err->code, sizeof(err->code), "%s", code);
    va_list args;
    va_start(args, fmt);
    vsnprintf(err->message, sizeof(err->message), fmt, args);
    va_end(args);
    dw__make_one_line(err->message);
    return status;
}

dw_status
dw__error_oom(dw_error *err)
{
    return dw__error_set(err, DW_OUT_OF_MEMORY, "OUT_OF_MEMORY", "out of memory");
}

void
dw__error_context(dw_error *err, const char *fmt, ...)
{
    if (err == NULL || err->status == DW_OK) {
        return;
    }
    char inner[DW_ERROR_CONTEXT_SIZE];
    memcpy(inner, err->context, sizeof(inner));
    va_list args;
    va_start(args, fmt);
    int written = vsnprintf(err->context, sizeof(err->context), fmt, args);
    va_end(args);
    size_t used = written < 0 ? 0 : strlen(err->context);
    if (inner[0] != '\0') {
        snprintf(err->context + used, sizeof(err->context) - used, "%s%s", used > 0 ? ": " : "",
                 inner);
    }
    dw__make_one_line(err->context);
}

void
dw__error_clear(dw_error *err)
{
    if (err != NULL) {
        err->status = DW_OK;
        err->code[0] = '\0';
        err->message[0] = '\0';
        err->context[0] = '\0';
    }
}

void
dw__error_copy(dw_error *to, const dw_error *from)
{
    if (to != NULL) {
        *to = *from;
    }
}

bool
dw__error_has_code(const dw_error *err, const char *code)
{
    return err != NULL && strcmp(err->code, code) == 0;
}
