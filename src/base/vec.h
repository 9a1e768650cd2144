/*
 * Growing arrays. A vector is any struct with the members `items`, `count` and `capacity`:
 *
 *     typedef struct dw_add_vec { dw_add *items; size_t count; size_t capacity; } dw_add_vec;
 *     dw_add *slot = DW_VEC_PUSH(allocator, &adds);   // NULL when out of memory; zeroed
 *     DW_VEC_DEINIT(allocator, &adds);
 */
#ifndef DW_BASE_VEC_H
#define DW_BASE_VEC_H

#include "base/allocator.h"

#include <stdbool.h>
#include <stddef.h>

/* Makes room for `count` elements; `items` points to the vector's items pointer. */
bool dw__vec_reserve(const dw_allocator *allocator, void *items, size_t element_size,
                     size_t *capacity, size_t count);
/* The address of a new, zeroed last element; NULL when out of memory. */
void *dw__vec_push(const dw_allocator *allocator, void *items, size_t element_size, size_t *count,
                   size_t *capacity);

#define DW_VEC_RESERVE(allocator, vec, wanted)                                                     \
    dw__vec_reserve((allocator), &(vec)->items, sizeof(*(vec)->items), &(vec)->capacity, (wanted))
#define DW_VEC_PUSH(allocator, vec)                                                                \
    ((__typeof__((vec)->items)) dw__vec_push((allocator), &(vec)->items, sizeof(*(vec)->items),    \
                                             &(vec)->count, &(vec)->capacity))
#define DW_VEC_DEINIT(allocator, vec)                                                              \
    (dw__dealloc((allocator), (vec)->items, (vec)->capacity * sizeof(*(vec)->items)),              \
     (vec)->items = NULL, (vec)->count = 0, (vec)->capacity = 0)

#endif
