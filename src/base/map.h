/*
 * dw_map: a hash table from strings to pointers or integers. Keys are borrowed: they must outlive
 * the map (they usually live in the same arena).
 */
#ifndef DW_BASE_MAP_H
#define DW_BASE_MAP_H

#include "base/allocator.h"
#include "base/attr.h"
#include "base/str.h"

typedef union dw_map_value {
    void *ptr;
    int64_t i64;
} dw_map_value;

typedef struct dw_map_slot {
    dw_str key; /* ptr NULL: empty */
    uint64_t hash;
    dw_map_value value;
} dw_map_slot;

typedef struct dw_map {
    const dw_allocator *allocator;
    dw_map_slot *slots;
    size_t slot_count; /* 0 or a power of two */
    size_t count;
} dw_map;

void dw__map_init(dw_map *map, const dw_allocator *allocator);
void dw__map_deinit(dw_map *map);

/* The value's address, valid until the next insertion; NULL when the key is not there. */
dw_map_value *dw__map_get(const dw_map *map, dw_str key);
/* The value's address, zeroed when the key is new (then *inserted is true; `inserted` may be NULL).
 * NULL when out of memory. */
dw_map_value *dw__map_put(dw_map *map, dw_str key, bool *inserted);

static inline void
dw__dw_map_cleanup(dw_map *map)
{
    dw__map_deinit(map);
}

#endif
