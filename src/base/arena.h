/*
 * An arena: memory for things that die together. Blocks are taken in order and released all at
 * once.
 *
 *  [ARENA-1] What the arena gives stays at its address until dw__arena_deinit or _reset.
 *  [ARENA-2] An arena belongs to one thread at a time.
 */
#ifndef DW_BASE_ARENA_H
#define DW_BASE_ARENA_H

#include "base/allocator.h"
#include "base/attr.h"
#include "base/str.h"

typedef struct dw_arena_chunk dw_arena_chunk;

typedef struct dw_arena {
    const dw_allocator *allocator;
    dw_arena_chunk *chunk; /* the newest; it links to the older ones */
    size_t used;           /* bytes taken from the newest chunk */
    size_t size_total;     /* bytes of all chunks */
} dw_arena;

void dw__arena_init(dw_arena *arena, const dw_allocator *allocator);
void dw__arena_deinit(dw_arena *arena);
/* Forgets everything but keeps one chunk for what comes next. */
void dw__arena_reset(dw_arena *arena);

/* Not zeroed, aligned for any type. NULL when out of memory. */
void *dw__arena_alloc(dw_arena *arena, size_t size);
void *dw__arena_alloc_zero(dw_arena *arena, size_t size);
/* Without alignment: for bytes. */
char *dw__arena_alloc_bytes(dw_arena *arena, size_t size);

/* A copy with a NUL behind it (not counted in len). The null string gives the null string.
 * Returns false when out of memory. */
bool dw__arena_dup(dw_arena *arena, dw_str s, dw_str *out);
/* The same as a C string; NULL when out of memory. */
char *dw__arena_dup_cstr(dw_arena *arena, dw_str s);
/* A formatted string with a NUL behind it; ptr NULL when out of memory. */
dw_str dw__arena_printf(dw_arena *arena, const char *fmt, ...) DW_PRINTF(2, 3);

#define DW_ARENA_NEW(arena, type) ((type *) dw__arena_alloc_zero((arena), sizeof(type)))
/* An array of `count` zeroed elements; NULL when out of memory or when the size overflows. */
#define DW_ARENA_ARRAY(arena, type, count)                                                         \
    ((type *) dw__arena_alloc_array((arena), sizeof(type), (count)))
void *dw__arena_alloc_array(dw_arena *arena, size_t element_size, size_t count);

static inline void
dw__dw_arena_cleanup(dw_arena *arena)
{
    dw__arena_deinit(arena);
}

#endif
