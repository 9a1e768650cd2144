/*
 * A cache: immutable things that are dear to make, by name, within a budget of bytes. What was used
 * least recently goes first.
 *
 *  [CACHE-1] What is kept takes at most `size_max` bytes by what the items say of themselves, names
 *            and places included.
 *  [CACHE-2] An item lives until the cache has let go of it and the last one who holds it, too.
 *  [CACHE-3] To keep something may fail for want of memory: then it is not kept, which is no error.
 *
 * Thread-safe. No lock is held while an item is made or destroyed.
 */
#ifndef DW_BASE_CACHE_H
#define DW_BASE_CACHE_H

#include "base/allocator.h"
#include "base/str.h"

#include <pthread.h>
#include <stdatomic.h>

/* The first member of what is kept. */
typedef struct dw_cache_item {
    atomic_int ref_count;
    size_t size_bytes;
    void (*destroy)(struct dw_cache_item *item);
} dw_cache_item;

typedef struct dw_cache_entry dw_cache_entry;

typedef struct dw_cache {
    const dw_allocator *allocator;
    size_t size_max;
    pthread_mutex_t mutex;    /* guards all below */
    dw_cache_entry **buckets; /* NULL before the first item */
    dw_cache_entry *newest, *oldest;
    size_t size_bytes;
} dw_cache;

void dw__cache_init(dw_cache *cache, const dw_allocator *allocator, size_t size_max);
void dw__cache_deinit(dw_cache *cache);

/* A reference to what is kept under the name, or NULL. */
dw_cache_item *dw__cache_find(dw_cache *cache, dw_str name);
/* Keeps a new item with a reference of its own, unless it is too large or something of that name is
 * kept already. The caller's reference stays the caller's. */
void dw__cache_keep(dw_cache *cache, dw_str name, dw_cache_item *item);

/* Sets the one reference of a new item. */
void dw__cache_item_init(dw_cache_item *item, size_t size_bytes,
                         void (*destroy)(dw_cache_item *item));
void dw__cache_item_unref(dw_cache_item *item); /* NULL allowed */

#endif
