/*
 * Taking values out of the columns that the engine gives.
 */
#ifndef DW_LOG_VECTOR_READ_H
#define DW_LOG_VECTOR_READ_H

#include "engine/engine.h"
#include "protocol/action.h"

/* The null string for NULL. */
static inline dw_str
dw__vector_str(const dw_vector *vector, size_t row)
{
    return dw__vector_is_valid(vector, row) ? ((const dw_str *) vector->data)[row] : DW_STR_NULL;
}

/* False, and 0, for NULL. */
static inline bool
dw__vector_i64(const dw_vector *vector, size_t row, int64_t *out)
{
    bool is_valid = dw__vector_is_valid(vector, row);
    *out = is_valid ? ((const int64_t *) vector->data)[row] : 0;
    return is_valid;
}

static inline bool
dw__vector_i32(const dw_vector *vector, size_t row, int32_t *out)
{
    bool is_valid = dw__vector_is_valid(vector, row);
    *out = is_valid ? ((const int32_t *) vector->data)[row] : 0;
    return is_valid;
}

static inline bool
dw__vector_bool(const dw_vector *vector, size_t row, bool *out)
{
    bool is_valid = dw__vector_is_valid(vector, row);
    *out = is_valid && ((const bool *) vector->data)[row];
    return is_valid;
}

/* The elements of a list or map; of NULL none. */
static inline dw_span
dw__vector_span(const dw_vector *vector, size_t row)
{
    return dw__vector_is_valid(vector, row) ? ((const dw_span *) vector->data)[row]
                                            : (dw_span){0, 0};
}

/* A map of strings as pairs, in `arena`; the strings are borrowed from the batch. NULL keys are
 * left out. False when out of memory. */
DW_WARN_UNUSED bool dw__vector_pairs(const dw_vector *vector, size_t row, dw_arena *arena,
                                     dw_pairs *out);
/* A list of strings, in `arena`; NULL elements are left out. False when out of memory. */
DW_WARN_UNUSED bool dw__vector_strs(const dw_vector *vector, size_t row, dw_arena *arena,
                                    dw_str **out, size_t *count_out);
/* A map of strings as the text of a JSON object, in `arena`; the null string for NULL and for an
 * empty map. */
DW_WARN_UNUSED dw_status dw__vector_map_json(const dw_vector *vector, size_t row, dw_arena *arena,
                                             dw_str *out, dw_error *err);

#endif
