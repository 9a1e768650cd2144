/*
 * The allocator over the C library's, and the three calls that everything else uses.
 */
#include "base/allocator.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

static void *
libc_resize(void *ctx, void *ptr, size_t size_old, size_t size_new)
{
    (void) ctx;
    (void) size_old;
    if (size_new == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, size_new);
}

const dw_allocator *
dw__allocator_libc(void)
{
    static const dw_allocator libc_allocator = {libc_resize, NULL};
    return &libc_allocator;
}

void *
dw__alloc(const dw_allocator *allocator, size_t size)
{
    dw_assert(allocator != NULL);
    return allocator->resize(allocator->ctx, NULL, 0, size == 0 ? 1 : size);
}

void *
dw__alloc_zero(const dw_allocator *allocator, size_t size)
{
    void *ptr = dw__alloc(allocator, size);
    if (ptr != NULL) {
        memset(ptr, 0, size);
    }
    return ptr;
}

void
dw__dealloc(const dw_allocator *allocator, void *ptr, size_t size)
{
    dw_assert(allocator != NULL);
    if (ptr != NULL) {
        (void) allocator->resize(allocator->ctx, ptr, size == 0 ? 1 : size, 0);
    }
}
