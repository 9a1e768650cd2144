/*
 * Open addressing with linear probing, at most three quarters full.
 */
#include "upkeep/key_set.h"

#include "base/assert.h"
#include "base/checked.h"

#define SLOT_COUNT_MIN ((size_t) 64)
#define TAG_MASK ((uint64_t) DW_KEY_TAG_MAX)

dw_key_set
dw__key_set_make(const dw_allocator *allocator)
{
    return (dw_key_set){.allocator = allocator};
}

void
dw__key_set_deinit(dw_key_set *set)
{
    dw__dealloc(set->allocator, set->slots, set->slot_count * sizeof(uint64_t));
    *set = dw__key_set_make(set->allocator);
}

/* The slot of the hash, or the empty one where it belongs. */
static uint64_t *
find(uint64_t *slots, size_t slot_count, uint64_t hash)
{
    size_t mask = slot_count - 1;
    for (size_t i = (size_t) (hash >> 3) & mask;; i = (i + 1) & mask) {
        if (slots[i] == 0 || (slots[i] & ~TAG_MASK) == (hash & ~TAG_MASK)) {
            return &slots[i];
        }
    }
}

static bool
grow(dw_key_set *set)
{
    size_t slot_count = set->slot_count == 0 ? SLOT_COUNT_MIN : 2 * set->slot_count;
    size_t size;
    if (!dw__checked_mul(slot_count, sizeof(uint64_t), &size)) {
        return false;
    }
    uint64_t *slots = dw__alloc_zero(set->allocator, size);
    if (slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < set->slot_count; i++) {
        if (set->slots[i] != 0) {
            *find(slots, slot_count, set->slots[i]) = set->slots[i];
        }
    }
    dw__dealloc(set->allocator, set->slots, set->slot_count * sizeof(uint64_t));
    set->slots = slots;
    set->slot_count = slot_count;
    return true;
}

bool
dw__key_set_put(dw_key_set *set, dw_str key, unsigned tag, bool *inserted_out)
{
    dw_assert(tag > 0 && tag <= DW_KEY_TAG_MAX);
    *inserted_out = false;
    if (set->count + 1 > set->slot_count - set->slot_count / 4 && !grow(set)) {
        return false;
    }
    uint64_t hash = dw__str_hash(key);
    uint64_t *slot = find(set->slots, set->slot_count, hash);
    if (*slot == 0) {
        *slot = (hash & ~TAG_MASK) | tag;
        set->count++;
        *inserted_out = true;
    }
    return true;
}

unsigned
dw__key_set_get(const dw_key_set *set, dw_str key)
{
    if (set->count == 0) {
        return 0;
    }
    return (unsigned) (*find(set->slots, set->slot_count, dw__str_hash(key)) & TAG_MASK);
}
