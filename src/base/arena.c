/*
 * Arenas: a chain of chunks, each twice as large as the one before up to a bound.
 */
#include "base/arena.h"

#include "base/assert.h"
#include "base/checked.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

#define CHUNK_SIZE_MIN ((size_t) 1024)
#define CHUNK_SIZE_MAX ((size_t) 1 << 20)

struct dw_arena_chunk {
    dw_arena_chunk *older;
    size_t size; /* of the whole block, this header included */
    alignas(max_align_t) char data[];
};

void
dw__arena_init(dw_arena *arena, const dw_allocator *allocator)
{
    dw_assert(allocator != NULL);
    *arena = (dw_arena){.allocator = allocator};
}

void
dw__arena_deinit(dw_arena *arena)
{
    while (arena->chunk != NULL) {
        dw_arena_chunk *older = arena->chunk->older;
        dw__dealloc(arena->allocator, arena->chunk, arena->chunk->size);
        arena->chunk = older;
    }
    arena->used = 0;
    arena->size_total = 0;
}

void
dw__arena_reset(dw_arena *arena)
{
    if (arena->chunk == NULL) {
        return;
    }
    while (arena->chunk->older != NULL) {
        dw_arena_chunk *older = arena->chunk->older;
        arena->chunk->older = older->older;
        dw__dealloc(arena->allocator, older, older->size);
    }
    arena->used = 0;
    arena->size_total = arena->chunk->size;
}

/* Makes the newest chunk one that has room for `size` bytes at any alignment. */
static bool
grow(dw_arena *arena, size_t size)
{
    size_t wanted = arena->chunk == NULL ? CHUNK_SIZE_MIN : arena->chunk->size * 2;
    if (wanted > CHUNK_SIZE_MAX) {
        wanted = CHUNK_SIZE_MAX;
    }
    size_t needed;
    if (!dw__checked_add(size, sizeof(dw_arena_chunk) + alignof(max_align_t), &needed)) {
        return false;
    }
    size_t chunk_size = needed > wanted ? needed : wanted;
    dw_arena_chunk *chunk = dw__alloc(arena->allocator, chunk_size);
    if (chunk == NULL) {
        return false;
    }
    chunk->older = arena->chunk;
    chunk->size = chunk_size;
    arena->chunk = chunk;
    arena->used = 0;
    arena->size_total += chunk_size;
    return true;
}

static size_t
room(const dw_arena *arena)
{
    return arena->chunk == NULL ? 0 : arena->chunk->size - sizeof(dw_arena_chunk) - arena->used;
}

char *
dw__arena_alloc_bytes(dw_arena *arena, size_t size)
{
    if (room(arena) < size || arena->chunk == NULL) {
        if (!grow(arena, size)) {
            return NULL;
        }
    }
    char *ptr = arena->chunk->data + arena->used;
    arena->used += size;
    return ptr;
}

void *
dw__arena_alloc(dw_arena *arena, size_t size)
{
    size_t align = alignof(max_align_t);
    size_t padding = (align - arena->used % align) % align;
    if (arena->chunk == NULL || room(arena) < padding || room(arena) - padding < size) {
        if (!grow(arena, size)) {
            return NULL;
        }
        padding = 0;
    }
    arena->used += padding;
    return dw__arena_alloc_bytes(arena, size);
}

void *
dw__arena_alloc_zero(dw_arena *arena, size_t size)
{
    void *ptr = dw__arena_alloc(arena, size);
    if (ptr != NULL) {
        memset(ptr, 0, size);
    }
    return ptr;
}

void *
dw__arena_alloc_array(dw_arena *arena, size_t element_size, size_t count)
{
    size_t size;
    if (!dw__checked_mul(element_size, count, &size)) {
        return NULL;
    }
    return dw__arena_alloc_zero(arena, size);
}

char *
dw__arena_dup_cstr(dw_arena *arena, dw_str s)
{
    char *copy = dw__arena_alloc_bytes(arena, s.len + 1);
    if (copy != NULL) {
        if (s.len > 0) {
            memcpy(copy, s.ptr, s.len);
        }
        copy[s.len] = '\0';
    }
    return copy;
}

bool
dw__arena_dup(dw_arena *arena, dw_str s, dw_str *out)
{
    *out = DW_STR_NULL;
    if (dw__str_is_null(s)) {
        return true;
    }
    char *copy = dw__arena_dup_cstr(arena, s);
    if (copy == NULL) {
        return false;
    }
    *out = dw__str_make(copy, s.len);
    return true;
}

dw_str
dw__arena_printf(dw_arena *arena, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    dw_assert(len >= 0);
    char *text = dw__arena_alloc_bytes(arena, (size_t) len + 1);
    if (text == NULL) {
        return DW_STR_NULL;
    }
    va_start(args, fmt);
    vsnprintf(text, (size_t) len + 1, fmt, args);
    va_end(args);
    return dw__str_make(text, (size_t) len);
}
