/*
 * Where in a value a cast to a column's type may fail or lose something: each such place, and the
 * SQL that finds a value there, so that it can be told with its row.
 */
#ifndef DW_TABLE_VALUE_MISFIT_H
#define DW_TABLE_VALUE_MISFIT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/vec.h"
#include "protocol/schema.h"

/* Values of more places are told as a whole, without their row. */
#define DW_MISFITS_MAX ((size_t) 2000)

typedef struct dw_misfit {
    dw_str path; /* "price", "items.element.price", "prices.value": for people */
    const dw_type *type;
    bool is_text;     /* what the query has there */
    dw_str condition; /* SQL: TRUE where a value does not fit */
    dw_str refusal;   /* SQL: TRUE where that is because the cast fails, not because it rounds */
    dw_str value;     /* SQL: the first such value */
} dw_misfit;

typedef struct dw_misfits {
    dw_misfit *items;
    size_t count, capacity;
} dw_misfits;

/* Adds the places of a value of the engine's type `source_type`, which is what the SQL `reference`
 * stands for. Texts live in `arena`, and the list in its allocator: DW_VEC_DEINIT it. */
DW_WARN_UNUSED dw_status dw__misfits_list(const dw_field *field, dw_str reference,
                                          dw_str source_type, dw_arena *arena, dw_misfits *out,
                                          dw_error *err);

#endif
