/*
 * Finding a file by its key: canonical path and deletion vector. [BLOCK-3]
 */
#include "base/assert.h"
#include "codec/uri.h"
#include "log/file_block.h"

#define SLOT_COUNT_MIN ((size_t) 16)
/* Scanning hashes is so much cheaper than looking a key up. */
#define LOOKUP_COST 16

/* ---- Keys ------------------------------------------------------------------------------------ */

/* True when the path is its own canonical form, as nearly all are: relative, nothing to decode, no
 * empty or "." part. May say false for others that are. */
static bool
is_plain(dw_str path)
{
    if (path.len == 0 || path.ptr[0] == '/' || path.ptr[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < path.len; i++) {
        char c = path.ptr[i];
        if (c == '%' || c == ':' || c == '\0') {
            return false;
        }
        if (c == '/' && (i + 1 == path.len || path.ptr[i + 1] == '/' || path.ptr[i + 1] == '.')) {
            return false;
        }
    }
    return true;
}

static dw_status
canonical(dw_str path, dw_arena *arena, dw_str *out, dw_error *err)
{
    if (is_plain(path)) {
        *out = path;
        return DW_OK;
    }
    return dw__uri_canonical(arena, path, out, err);
}

static uint64_t
dv_hash(const dw_dv_descriptor *dv)
{
    uint64_t offset = dv->has_offset ? (uint64_t) (uint32_t) dv->offset + 1 : 0;
    return dw__str_hash(dv->path_or_inline_dv) + offset * 0x9e3779b97f4a7c15u +
           (uint64_t) (unsigned char) dv->storage_type;
}

dw_status
dw__file_key_make(dw_str path, const dw_dv_descriptor *dv, dw_arena *arena, dw_file_key *out,
                  dw_error *err)
{
    *out = (dw_file_key){.dv = dv};
    DW_TRY(canonical(path, arena, &out->path, err));
    uint64_t hash = dw__str_hash(out->path);
    if (dv != NULL) {
        hash ^= dv_hash(dv) * 0xd6e8feb86659fd93u;
    }
    out->hash = (uint32_t) (hash ^ (hash >> 32));
    return DW_OK;
}

/* The equality of PROTOCOL.md's unique ids, without printing them. */
static bool
dv_equal(const dw_dv_descriptor *a, const dw_dv_descriptor *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    return a->storage_type == b->storage_type && a->has_offset == b->has_offset &&
           (!a->has_offset || a->offset == b->offset) &&
           dw__str_equal(a->path_or_inline_dv, b->path_or_inline_dv);
}

static dw_status
row_has_key(const dw_file_block *block, size_t row, const dw_file_key *key, dw_arena *scratch,
            bool *equal_out, dw_error *err)
{
    *equal_out = false;
    if (dw__file_block_hash(block, row) != key->hash ||
        !dv_equal(dw__file_block_dv(block, row), key->dv)) {
        return DW_OK;
    }
    dw_str path;
    DW_TRY(canonical(dw__file_block_path(block, row), scratch, &path, err));
    *equal_out = dw__str_equal(path, key->path);
    return DW_OK;
}

/* ---- The table ------------------------------------------------------------------------------- */

/* The slot of the key, or the empty slot where it belongs. */
static dw_status
find_slot(const dw_file_block *block, const dw_file_key *key, dw_arena *scratch,
          uint32_t **slot_out, dw_error *err)
{
    dw_assert(block->slot_count > 0);
    size_t mask = block->slot_count - 1;
    for (size_t i = key->hash & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &block->slots[i];
        bool equal = *slot == 0;
        if (!equal) {
            DW_TRY(row_has_key(block, *slot - 1, key, scratch, &equal, err));
        }
        if (equal) {
            *slot_out = slot;
            return DW_OK;
        }
    }
}

/* Puts all rows that the old slots name into a table of `slot_count`; they have different keys. */
static bool
rehash(dw_file_block *block, size_t slot_count)
{
    uint32_t *slots = dw__alloc_zero(block->allocator, slot_count * sizeof(uint32_t));
    if (slots == NULL) {
        return false;
    }
    size_t mask = slot_count - 1;
    for (size_t i = 0; i < block->slot_count; i++) {
        if (block->slots[i] != 0) {
            size_t at = dw__file_block_hash(block, block->slots[i] - 1) & mask;
            while (slots[at] != 0) {
                at = (at + 1) & mask;
            }
            slots[at] = block->slots[i];
        }
    }
    dw__dealloc(block->allocator, block->slots, block->slot_count * sizeof(uint32_t));
    block->slots = slots;
    block->slot_count = slot_count;
    return true;
}

static size_t
slot_count_for(size_t row_count)
{
    size_t count = SLOT_COUNT_MIN;
    while (count < row_count * 2) {
        count *= 2;
    }
    return count;
}

dw_status
dw__file_block_index_newest(dw_file_block *block, const dw_file_key *key, dw_arena *scratch,
                            dw_error *err)
{
    dw_assert(!block->is_sealed && block->row_count > 0);
    if (block->slot_count < block->row_count * 2 &&
        !rehash(block, slot_count_for(block->row_count))) {
        return dw__error_oom(err);
    }
    uint32_t *slot;
    DW_TRY(find_slot(block, key, scratch, &slot, err));
    *slot = (uint32_t) block->row_count;
    return DW_OK;
}

static dw_status
build_index(dw_file_block *block, dw_error *err)
{
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, block->allocator);
    if (!rehash(block, slot_count_for(block->row_count))) {
        return dw__error_oom(err);
    }
    for (size_t row = 0; row < block->row_count; row++) {
        /* The key is needed only where hashes meet, which is rare: try an empty slot first. */
        uint32_t *slot = &block->slots[dw__file_block_hash(block, row) & (block->slot_count - 1)];
        if (*slot != 0) {
            dw_file_key key;
            DW_TRY(dw__file_key_make(dw__file_block_path(block, row), dw__file_block_dv(block, row),
                                     &scratch, &key, err));
            DW_TRY(find_slot(block, &key, &scratch, &slot, err));
            dw__arena_reset(&scratch);
        }
        *slot = (uint32_t) row + 1;
    }
    return DW_OK;
}

dw_status
dw__file_block_ensure_index(dw_file_block *block, dw_error *err)
{
    dw_assert(block->is_sealed);
    pthread_mutex_lock(&block->mutex);
    dw_status status = DW_OK;
    if (block->slots == NULL) {
        status = build_index(block, err);
        if (status != DW_OK) {
            dw__dealloc(block->allocator, block->slots, block->slot_count * sizeof(uint32_t));
            block->slots = NULL;
            block->slot_count = 0;
        }
    }
    pthread_mutex_unlock(&block->mutex);
    return status;
}

bool
dw__file_block_wants_index(dw_file_block *block, size_t key_count)
{
    pthread_mutex_lock(&block->mutex);
    bool wants = block->slots != NULL || block->scan_count > 0 ||
                 key_count >= block->row_count / LOOKUP_COST;
    block->scan_count += !wants;
    pthread_mutex_unlock(&block->mutex);
    return wants;
}

dw_status
dw__file_block_find(const dw_file_block *block, const dw_file_key *key, dw_arena *scratch,
                    size_t *row_out, dw_error *err)
{
    *row_out = SIZE_MAX;
    if (block->slot_count == 0) {
        return DW_OK;
    }
    uint32_t *slot;
    DW_TRY(find_slot(block, key, scratch, &slot, err));
    if (*slot != 0) {
        *row_out = *slot - 1;
    }
    return DW_OK;
}

bool
dw__file_block_may_have(const dw_file_block *block, uint32_t hash)
{
    size_t mask = block->slot_count - 1;
    for (size_t i = hash & mask; block->slot_count > 0 && block->slots[i] != 0;
         i = (i + 1) & mask) {
        if (dw__file_block_hash(block, block->slots[i] - 1) == hash) {
            return true;
        }
    }
    return false;
}
