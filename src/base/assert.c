/*
 * Ends the process when an invariant of ours is broken.
 */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void
dw__assert_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "deltaworks: internal error at %s:%d: %s\n", file, line, expression);
    abort();
}
