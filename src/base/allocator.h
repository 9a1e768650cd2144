/*
 * The one way to memory. Everything in the library allocates through a dw_allocator that it was
 * given, so that tests can fail any allocation and count what is left.
 *
 * Invariants:
 *  [ALLOC-1] A block is released or resized with the allocator that made it, and with its size.
 *  [ALLOC-2] An allocator is thread-safe.
 */
#ifndef DW_BASE_ALLOCATOR_H
#define DW_BASE_ALLOCATOR_H

#include <stddef.h>

typedef struct dw_allocator {
    /*
     * Resizes a block. `ptr` NULL: a new one. `size_new` 0: release, returns NULL. On failure
     * returns NULL and leaves the old block as it was. Blocks are aligned for any type.
     */
    void *(*resize)(void *ctx, void *ptr, size_t size_old, size_t size_new);
    void *ctx;
} dw_allocator;

/* The allocator over the C library's. Static; thread-safe. */
const dw_allocator *dw__allocator_libc(void);

/* Not zeroed. NULL when out of memory; size 0 is allowed and gives a unique block of one byte. */
void *dw__alloc(const dw_allocator *allocator, size_t size);
/* Zeroed. */
void *dw__alloc_zero(const dw_allocator *allocator, size_t size);
/* `ptr` may be NULL. `size` must be that of the allocation. */
void dw__dealloc(const dw_allocator *allocator, void *ptr, size_t size);

#define DW_NEW(allocator, type) ((type *) dw__alloc_zero((allocator), sizeof(type)))
#define DW_DELETE(allocator, ptr) dw__dealloc((allocator), (ptr), sizeof(*(ptr)))

#endif
