/*
 * A set of the hashes of keys, with a small number for each: 8 bytes a key and some room. Two keys
 * of one hash are one; who asks must be on the safe side then.
 */
#ifndef DW_UPKEEP_KEY_SET_H
#define DW_UPKEEP_KEY_SET_H

#include "base/allocator.h"
#include "base/attr.h"
#include "base/str.h"

#define DW_KEY_TAG_MAX 7u

typedef struct dw_key_set {
    const dw_allocator *allocator;
    uint64_t *slots; /* 0: empty; the lowest three bits are the tag */
    size_t slot_count;
    size_t count;
} dw_key_set;

dw_key_set dw__key_set_make(const dw_allocator *allocator);
void dw__key_set_deinit(dw_key_set *set);
/* `tag` is from 1 to DW_KEY_TAG_MAX; a key that is there keeps the one that it has. False when out
 * of memory. */
DW_WARN_UNUSED bool dw__key_set_put(dw_key_set *set, dw_str key, unsigned tag, bool *inserted_out);
/* 0: it is not there. */
unsigned dw__key_set_get(const dw_key_set *set, dw_str key);

static inline void
dw__dw_key_set_cleanup(dw_key_set *set)
{
    dw__key_set_deinit(set);
}

#endif
