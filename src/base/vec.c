/*
 * Growing arrays: doubling, with the overflow checked.
 */
#include "base/vec.h"

#include "base/assert.h"
#include "base/checked.h"

#include <string.h>

#define CAPACITY_MIN ((size_t) 8)

bool
dw__vec_reserve(const dw_allocator *allocator, void *items, size_t element_size, size_t *capacity,
                size_t count)
{
    dw_assert(element_size > 0);
    if (count <= *capacity) {
        return true;
    }
    size_t wanted = *capacity < CAPACITY_MIN ? CAPACITY_MIN : *capacity;
    while (wanted < count) {
        if (!dw__checked_mul(wanted, 2, &wanted)) {
            return false;
        }
    }
    size_t size_new;
    if (!dw__checked_mul(wanted, element_size, &size_new)) {
        return false;
    }
    void *old;
    memcpy(&old, items, sizeof(old));
    void *new = allocator->resize(allocator->ctx, old, *capacity * element_size, size_new);
    if (new == NULL) {
        return false;
    }
    memcpy(items, &new, sizeof(new));
    *capacity = wanted;
    return true;
}

void *
dw__vec_push(const dw_allocator *allocator, void *items, size_t element_size, size_t *count,
             size_t *capacity)
{
    if (!dw__vec_reserve(allocator, items, element_size, capacity, *count + 1)) {
        return NULL;
    }
    char *base;
    memcpy(&base, items, sizeof(base));
    char *slot = base + *count * element_size;
    memset(slot, 0, element_size);
    *count += 1;
    return slot;
}
