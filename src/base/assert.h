/*
 * Assertions for our own bugs. They stay on in release builds: an invariant that is broken must
 * stop the process before it writes a wrong table.
 */
#ifndef DW_BASE_ASSERT_H
#define DW_BASE_ASSERT_H

#include "base/attr.h"

DW_NORETURN void dw__assert_failed(const char *expression, const char *file, int line);

#define dw_assert(expression)                                                                      \
    ((expression) ? (void) 0 : dw__assert_failed(#expression, __FILE__, __LINE__))
#define dw_unreachable(why) dw__assert_failed("unreachable: " why, __FILE__, __LINE__)

#endif
