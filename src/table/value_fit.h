/*
 * How values of one type fit a column of another, judged by the types alone.
 */
#ifndef DW_TABLE_VALUE_FIT_H
#define DW_TABLE_VALUE_FIT_H

#include "protocol/schema.h"

typedef enum dw_fit {
    DW_FIT_SAME,    /* no cast needed */
    DW_FIT_CAST,    /* the engine's cast is exact or fails */
    DW_FIT_CHECKED, /* the engine's cast may round: compare the value after casting back */
    DW_FIT_IF_NULL, /* only NULL fits */
    DW_FIT_NEVER
} dw_fit;

/* How a value of `from` fits `to`: inside of nested types, how the worst of its parts does. */
dw_fit dw__fit_of(const dw_type *from, const dw_type *to);
/* Whether there are such times anywhere in the engine's type of that name: Delta's end at
 * microseconds. */
bool dw__fit_has_nanoseconds(dw_str type_name);

#endif
