/*
 * Filling and passing on dw_error (the struct itself is public: include/deltaworks.h).
 *
 *  [ERROR-1] The layer that detects a failure writes code and message; layers above add context and
 *            never replace the code.
 *  [ERROR-2] A message is one line, lower case, without a final full stop: what was expected, what
 *            was found, what to do.
 */
#ifndef DW_BASE_ERROR_H
#define DW_BASE_ERROR_H

#include "base/attr.h"
#include "base/str.h"
#include "deltaworks.h"

/*
 * Sets the error and returns `status`, so that a failure is one line: `return dw__error_set(...)`.
 */
DW_WARN_UNUSED dw_status dw__error_set(dw_error *err, dw_status status, const char *code,
                                       const char *fmt, ...) DW_PRINTF(4, 5);
DW_WARN_UNUSED dw_status dw__error_oom(dw_error *err);

/*
 * Puts "where" in front of the context that is there, joined by ": ". Nothing on an error-free err.
 */
void dw__error_context(dw_error *err, const char *fmt, ...) DW_PRINTF(2, 3);
/* Puts spaces in the place of control characters. */
void dw__make_one_line(char *text);
void dw__error_clear(dw_error *err);
/* Copies `from` to `to` unless `to` is NULL. */
void dw__error_copy(dw_error *to, const dw_error *from);
bool dw__error_has_code(const dw_error *err, const char *code);

/*
 * Returns from the function when `expr` is not DW_OK. Only where everything acquired so far is
 * under DW_AUTO or in an arena.
 */
#define DW_TRY(expr)                                                                               \
    do {                                                                                           \
        dw_status dw_try_status_ = (expr);                                                         \
        if (dw_try_status_ != DW_OK) {                                                             \
            return dw_try_status_;                                                                 \
        }                                                                                          \
    } while (0)

#endif
