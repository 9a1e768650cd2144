/*
 * The cache: a table of chains, and a list of all entries from the newest to the oldest.
 */
#include "base/cache.h"

#include "base/assert.h"

#define BUCKET_COUNT ((size_t) 4096)

struct dw_cache_entry {
    dw_cache_item *item;
    uint64_t hash;
    dw_cache_entry *chain;         /* the next one of the bucket */
    dw_cache_entry *newer, *older; /* in the list */
    size_t size_bytes;             /* with the item's */
    size_t name_len;
    char name[];
};

void
dw__cache_item_init(dw_cache_item *item, size_t size_bytes, void (*destroy)(dw_cache_item *item))
{
    atomic_init(&item->ref_count, 1);
    item->size_bytes = size_bytes;
    item->destroy = destroy;
}

void
dw__cache_item_unref(dw_cache_item *item)
{
    if (item != NULL && atomic_fetch_sub(&item->ref_count, 1) == 1) {
        item->destroy(item);
    }
}

void
dw__cache_init(dw_cache *cache, const dw_allocator *allocator, size_t size_max)
{
    *cache = (dw_cache){.allocator = allocator, .size_max = size_max};
    int failed = pthread_mutex_init(&cache->mutex, NULL);
    dw_assert(failed == 0);
}

/* ---- The table and the list ------------------------------------------------------------------ */

/* Where the entry of that name hangs, or would. */
static dw_cache_entry **
find_place(dw_cache *cache, dw_str name, uint64_t hash)
{
    dw_cache_entry **place = &cache->buckets[hash % BUCKET_COUNT];
    while (*place != NULL &&
           ((*place)->hash != hash ||
            !dw__str_equal(dw__str_make((*place)->name, (*place)->name_len), name))) {
        place = &(*place)->chain;
    }
    return place;
}

static void
unlink_entry(dw_cache *cache, dw_cache_entry *entry)
{
    *(entry->newer == NULL ? &cache->newest : &entry->newer->older) = entry->older;
    *(entry->older == NULL ? &cache->oldest : &entry->older->newer) = entry->newer;
}

static void
link_newest(dw_cache *cache, dw_cache_entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest == NULL ? &cache->oldest : &cache->newest->newer) = entry;
    cache->newest = entry;
}

/* Takes the oldest entries out until `size` more bytes fit, as a list by `chain`. */
static dw_cache_entry *
make_room(dw_cache *cache, size_t size)
{
    dw_cache_entry *gone = NULL;
    while (cache->size_bytes > cache->size_max - size) {
        dw_cache_entry *entry = cache->oldest;
        dw_assert(entry != NULL);
        *find_place(cache, dw__str_make(entry->name, entry->name_len), entry->hash) = entry->chain;
        unlink_entry(cache, entry);
        cache->size_bytes -= entry->size_bytes;
        entry->chain = gone;
        gone = entry;
    }
    return gone;
}

static void
free_entries(const dw_allocator *allocator, dw_cache_entry *gone)
{
    while (gone != NULL) {
        dw_cache_entry *entry = gone;
        gone = entry->chain;
        dw__cache_item_unref(entry->item);
        dw__dealloc(allocator, entry, sizeof(*entry) + entry->name_len);
    }
}

void
dw__cache_deinit(dw_cache *cache)
{
    while (cache->oldest != NULL) {
        free_entries(cache->allocator, make_room(cache, cache->size_max));
    }
    dw__dealloc(cache->allocator, cache->buckets,
                cache->buckets == NULL ? 0 : BUCKET_COUNT * sizeof(*cache->buckets));
    cache->buckets = NULL;
    pthread_mutex_destroy(&cache->mutex);
}

/* ---- Finding and keeping --------------------------------------------------------------------- */

dw_cache_item *
dw__cache_find(dw_cache *cache, dw_str name)
{
    dw_cache_item *found = NULL;
    uint64_t hash = dw__str_hash(name);
    pthread_mutex_lock(&cache->mutex);
    dw_cache_entry *entry = cache->buckets == NULL ? NULL : *find_place(cache, name, hash);
    if (entry != NULL) {
        unlink_entry(cache, entry);
        link_newest(cache, entry);
        found = entry->item;
        atomic_fetch_add(&found->ref_count, 1);
    }
    pthread_mutex_unlock(&cache->mutex);
    return found;
}

static dw_cache_entry *
make_entry(const dw_cache *cache, dw_str name, dw_cache_item *item)
{
    dw_cache_entry *entry = dw__alloc(cache->allocator, sizeof(*entry) + name.len);
    if (entry != NULL) {
        *entry = (dw_cache_entry){.item = item,
                                  .hash = dw__str_hash(name),
                                  .size_bytes = item->size_bytes + sizeof(*entry) + name.len,
                                  .name_len = name.len};
        memcpy(entry->name, name.ptr, name.len);
        atomic_fetch_add(&item->ref_count, 1);
    }
    return entry;
}

void
dw__cache_keep(dw_cache *cache, dw_str name, dw_cache_item *item)
{
    dw_cache_entry *entry = make_entry(cache, name, item);
    if (entry == NULL) {
        return;
    }
    dw_cache_entry *gone = entry;
    pthread_mutex_lock(&cache->mutex);
    if (cache->buckets == NULL) {
        cache->buckets = dw__alloc_zero(cache->allocator, BUCKET_COUNT * sizeof(*cache->buckets));
    }
    bool fits = cache->buckets != NULL && entry->size_bytes <= cache->size_max;
    if (fits && *find_place(cache, name, entry->hash) == NULL) {
        gone = make_room(cache, entry->size_bytes);
        *find_place(cache, name, entry->hash) = entry;
        link_newest(cache, entry);
        cache->size_bytes += entry->size_bytes;
    }
    pthread_mutex_unlock(&cache->mutex);
    free_entries(cache->allocator, gone);
}
