/*
 * The hash table: open addressing with linear probing, at most three quarters full.
 */
#include "base/map.h"

#include "base/assert.h"
#include "base/checked.h"

#define SLOT_COUNT_MIN ((size_t) 16)

void
dw__map_init(dw_map *map, const dw_allocator *allocator)
{
    *map = (dw_map){.allocator = allocator};
}

void
dw__map_deinit(dw_map *map)
{
    if (map->slots != NULL) {
        dw__dealloc(map->allocator, map->slots, map->slot_count * sizeof(dw_map_slot));
    }
    map->slots = NULL;
    map->slot_count = 0;
    map->count = 0;
}

/* The slot of `key`, or the empty slot where it belongs. */
static dw_map_slot *
find(dw_map_slot *slots, size_t slot_count, dw_str key, uint64_t hash)
{
    dw_assert(slot_count > 0);
    size_t mask = slot_count - 1;
    for (size_t i = (size_t) hash & mask;; i = (i + 1) & mask) {
        dw_map_slot *slot = &slots[i];
        if (slot->key.ptr == NULL || (slot->hash == hash && dw__str_equal(slot->key, key))) {
            return slot;
        }
    }
}

static bool
grow(dw_map *map)
{
    size_t slot_count = map->slot_count == 0 ? SLOT_COUNT_MIN : map->slot_count * 2;
    size_t size;
    if (!dw__checked_mul(slot_count, sizeof(dw_map_slot), &size)) {
        return false;
    }
    dw_map_slot *slots = dw__alloc_zero(map->allocator, size);
    if (slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < map->slot_count; i++) {
        const dw_map_slot *old = &map->slots[i];
        if (old->key.ptr != NULL) {
            *find(slots, slot_count, old->key, old->hash) = *old;
        }
    }
    dw__dealloc(map->allocator, map->slots, map->slot_count * sizeof(dw_map_slot));
    map->slots = slots;
    map->slot_count = slot_count;
    return true;
}

dw_map_value *
dw__map_get(const dw_map *map, dw_str key)
{
    if (map->slot_count == 0) {
        return NULL;
    }
    dw_map_slot *slot = find(map->slots, map->slot_count, key, dw__str_hash(key));
    return slot->key.ptr == NULL ? NULL : &slot->value;
}

dw_map_value *
dw__map_put(dw_map *map, dw_str key, bool *inserted)
{
    dw_assert(key.ptr != NULL);
    if (map->count + 1 > map->slot_count - map->slot_count / 4 && !grow(map)) {
        return NULL;
    }
    uint64_t hash = dw__str_hash(key);
    dw_map_slot *slot = find(map->slots, map->slot_count, key, hash);
    bool is_new = slot->key.ptr == NULL;
    if (is_new) {
        *slot = (dw_map_slot){.key = key, .hash = hash};
        map->count++;
    }
    if (inserted != NULL) {
        *inserted = is_new;
    }
    return &slot->value;
}
