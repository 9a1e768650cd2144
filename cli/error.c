/*
 * Reporting failures.
 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int
exit_status(dw_status status)
{
    switch (status) {
    case DW_OK:
        return EXIT_DONE;
    case DW_CONFLICT:
        return EXIT_CONFLICT;
    case DW_UNSUPPORTED:
        return EXIT_UNSUPPORTED;
    case DW_CORRUPT:
        return EXIT_DAMAGED;
    case DW_IO:
    case DW_UNAVAILABLE:
    case DW_AMBIGUOUS:
        return EXIT_STORAGE;
    case DW_CANCELLED:
        return EXIT_INTERRUPTED;
    case DW_INVALID_ARGUMENT:
    case DW_NOT_FOUND:
    case DW_ALREADY_EXISTS:
    case DW_OUT_OF_MEMORY:
    case DW_INTERNAL:
        return EXIT_FAILED;
    }
    return EXIT_FAILED;
}

int
error_report(const dw_error *err)
{
    if (strcmp(err->code, ERROR_CODE_UNREAD) == 0) {
        return EXIT_UNREAD;
    }
    fprintf(stderr, "deltaworks: ");
    if (err->context[0] != '\0') {
        fprintf(stderr, "%s: ", err->context);
    }
    fprintf(stderr, "%s [%s]\n", err->message, err->code);
    return exit_status(err->status);
}

int
error_usage(const char *verb, const char *fmt, ...)
{
    fprintf(stderr, "deltaworks: ");
    va_list args;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "; see deltaworks %s%s--help\n", verb == NULL ? "" : verb,
            verb == NULL ? "" : " ");
    return EXIT_USAGE;
}

dw_status
error_make(dw_error *err, dw_status status, const char *code, const char *fmt, ...)
{
    memset(err, 0, sizeof(*err));
    err->status = status;
    snprintf(err->code, sizeof(err->code), "%s", code);
    va_list args;
    va_start(args, fmt);
    vsnprintf(err->message, sizeof(err->message), fmt, args);
    va_end(args);
    return status;
}
