/*
 * How the program reports failures: one line on stderr, and the exit status that scripts rely on.
 */
#ifndef CLI_ERROR_H
#define CLI_ERROR_H

#include "deltaworks.h"

enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_CONFLICT = 3,
    EXIT_UNSUPPORTED = 4,
    EXIT_DAMAGED = 5,
    EXIT_STORAGE = 6,
    EXIT_INCOMPATIBLE = 7,
    EXIT_INTERRUPTED = 130,
    EXIT_UNREAD = 141 /* as programs that SIGPIPE ends */
};

/* Who reads from a pipe has seen enough, such as head: nothing is said of it. */
#define ERROR_CODE_UNREAD "OUTPUT_UNREAD"

/* Prints the error and returns the exit status for it. */
int error_report(const dw_error *err);
/* "deltaworks: <message>" and how to get help; returns EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int error_usage(const char *verb, const char *fmt, ...);
/* Fills an error from within the program. */
__attribute__((format(printf, 4, 5))) dw_status error_make(dw_error *err, dw_status status,
                                                           const char *code, const char *fmt, ...);

#endif
