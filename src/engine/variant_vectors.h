/*
 * Binary values in the vectors of functions of ours. Private to this folder.
 */
#ifndef DW_ENGINE_VARIANT_VECTORS_H
#define DW_ENGINE_VARIANT_VECTORS_H

#include "engine/internal.h"

#include <stdio.h>

static inline dw_str
dw__duck_bytes_at(const dw_duck *duck, duckdb_vector vector, idx_t row)
{
    duckdb_string_t *text = &((duckdb_string_t *) duck->vector_get_data(vector))[row];
    return dw__str_make(duck->string_t_data(text), duck->string_t_length(*text));
}

static inline bool
dw__duck_is_valid(const dw_duck *duck, duckdb_vector vector, idx_t row)
{
    const uint64_t *validity = duck->vector_get_validity(vector);
    return validity == NULL || (validity[row / 64] >> (row % 64) & 1) != 0;
}

static inline void
dw__duck_set_null(const dw_duck *duck, duckdb_vector vector, idx_t row)
{
    duck->vector_ensure_validity_writable(vector);
    duck->vector_get_validity(vector)[row / 64] &= ~(UINT64_C(1) << (row % 64));
}

/* Sets the error of the function in a way that keeps its code. */
static inline void
dw__function_fail(const dw_duck *duck, duckdb_function_info info, const dw_error *err)
{
    char message[DW_ERROR_MESSAGE_SIZE + sizeof(err->code) + 8];
    snprintf(message, sizeof(message), DW_FUNCTION_ERROR_MARK "%s:%s", err->code, err->message);
    duck->scalar_function_set_error(info, message);
}

#endif
