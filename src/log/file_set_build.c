/*
 * Making a set: sharing blocks, killing rows, pushing new ones, and merging what became small.
 */
#include "log/file_set_core.h"

#include "base/assert.h"
#include "base/vec.h"

/* A block joins the one before it when that has less than so many times its live rows. */
#define MERGE_FACTOR 2
#define WORD_BITS 64

/* ---- Live bits ------------------------------------------------------------------------------- */

static size_t
bits_size(size_t word_count)
{
    return sizeof(dw_live_bits) + word_count * sizeof(uint64_t);
}

static void
bits_unref(const dw_allocator *allocator, dw_live_bits *bits)
{
    if (bits != NULL && atomic_fetch_sub_explicit(&bits->ref_count, 1, memory_order_acq_rel) == 1) {
        dw__dealloc(allocator, bits, bits_size(bits->word_count));
    }
}

/*
 * Bits that only this entry has, for at least `row_count` rows. False when out of memory. [SET-2]
 */
static bool
own_bits(const dw_allocator *allocator, dw_set_entry *entry, size_t row_count)
{
    dw_live_bits *old = entry->live;
    size_t word_count = (row_count + WORD_BITS - 1) / WORD_BITS;
    if (old != NULL && old->word_count >= word_count && atomic_load(&old->ref_count) == 1) {
        return true;
    }
    if (old != NULL && !entry->block->is_sealed) {
        word_count *= 2; /* more rows will come */
    }
    dw_live_bits *bits = dw__alloc(allocator, bits_size(word_count));
    if (bits == NULL) {
        return false;
    }
    atomic_init(&bits->ref_count, 1);
    bits->word_count = word_count;
    memset(bits->words, 0xff, word_count * sizeof(uint64_t));
    if (old != NULL) {
        size_t kept = old->word_count < word_count ? old->word_count : word_count;
        memcpy(bits->words, old->words, kept * sizeof(uint64_t));
    }
    bits_unref(allocator, old);
    entry->live = bits;
    return true;
}

static bool
is_live(const dw_set_entry *entry, size_t row)
{
    return entry->live == NULL || row / WORD_BITS >= entry->live->word_count ||
           (entry->live->words[row / WORD_BITS] >> (row % WORD_BITS) & 1) != 0;
}

static int64_t
deleted_rows(const dw_file_block *block, size_t row)
{
    const dw_dv_descriptor *dv = dw__file_block_dv(block, row);
    return dv == NULL ? 0 : dv->cardinality;
}

static dw_status
kill_row(dw_file_set *set, dw_set_entry *entry, size_t row, dw_error *err)
{
    if (!is_live(entry, row)) {
        return DW_OK;
    }
    if (!own_bits(set->allocator, entry, entry->block->row_count)) {
        return dw__error_oom(err);
    }
    entry->live->words[row / WORD_BITS] &= ~(UINT64_C(1) << (row % WORD_BITS));
    entry->live_count--;
    entry->live_bytes -= dw__file_block_size(entry->block, row);
    const dw_dv_descriptor *dv = dw__file_block_dv(entry->block, row);
    if (dv != NULL) {
        entry->live_dv_count--;
        entry->live_deleted_rows -= (uint64_t) dv->cardinality;
    }
    dw_file_histogram *histogram = atomic_load(&set->histogram);
    if (histogram != NULL) {
        dw__file_histogram_remove(histogram, dw__file_block_size(entry->block, row),
                                  deleted_rows(entry->block, row));
    }
    return DW_OK;
}

/* ---- Sets ------------------------------------------------------------------------------------ */

dw_file_set *
dw__file_set_new(const dw_allocator *allocator, bool is_remove)
{
    dw_file_set *set = DW_NEW(allocator, dw_file_set);
    if (set != NULL) {
        set->allocator = allocator;
        set->is_remove = is_remove;
    }
    return set;
}

static void
release_entry(dw_file_set *set, dw_set_entry *entry)
{
    bits_unref(set->allocator, entry->live);
    dw__file_block_unref(entry->block);
}

/* ---- The histogram --------------------------------------------------------------------------- */

static void
forget_histogram(dw_file_set *set)
{
    dw_file_histogram *histogram = atomic_exchange(&set->histogram, NULL);
    if (histogram != NULL) {
        DW_DELETE(set->allocator, histogram);
    }
}

static void
count_entry(dw_file_histogram *histogram, const dw_set_entry *entry)
{
    const dw_file_block *block = entry->block;
    for (size_t row = 0; row < block->row_count; row++) {
        if (is_live(entry, row)) {
            int64_t deleted = entry->live_dv_count == 0 ? 0 : deleted_rows(block, row);
            dw__file_histogram_add(histogram, dw__file_block_size(block, row), deleted);
        }
    }
}

/* What `from` brings to a set that has been given its entries from `first` on. That there is no
 * memory only means that somebody counts again. */
static void
add_histogram(dw_file_set *set, const dw_file_set *from, size_t first)
{
    dw_file_histogram *known = atomic_load(&from->histogram);
    dw_file_histogram *own = atomic_load(&set->histogram);
    if (first == 0 && known != NULL && own == NULL) {
        own = DW_NEW(set->allocator, dw_file_histogram);
        if (own != NULL) {
            *own = *known;
        }
        atomic_store(&set->histogram, own);
        return;
    }
    for (size_t i = first; own != NULL && i < set->count; i++) {
        count_entry(own, &set->items[i]);
    }
}

dw_status
dw__file_set_histogram(dw_file_set *set, const dw_file_histogram **out, dw_error *err)
{
    dw_file_histogram *known = atomic_load(&set->histogram);
    *out = known;
    if (known != NULL) {
        return DW_OK;
    }
    dw_file_histogram *made = DW_NEW(set->allocator, dw_file_histogram);
    if (made == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < set->count; i++) {
        count_entry(made, &set->items[i]);
    }
    *out = made;
    if (!atomic_compare_exchange_strong(&set->histogram, &known, made)) {
        DW_DELETE(set->allocator, made); /* another thread was first */
        *out = known;
    }
    return DW_OK;
}

/* ---- Sets again ------------------------------------------------------------------------------ */

void
dw__file_set_free(dw_file_set *set)
{
    if (set == NULL) {
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        release_entry(set, &set->items[i]);
    }
    forget_histogram(set);
    DW_VEC_DEINIT(set->allocator, set);
    DW_DELETE(set->allocator, set);
}

void
dw__file_set_truncate(dw_file_set *set, size_t count)
{
    while (set->count > count) {
        release_entry(set, &set->items[--set->count]);
    }
    forget_histogram(set);
}

dw_status
dw__file_set_append_set(dw_file_set *set, const dw_file_set *from, dw_error *err)
{
    if (!DW_VEC_RESERVE(set->allocator, set, set->count + from->count)) {
        return dw__error_oom(err);
    }
    size_t first = set->count;
    for (size_t i = 0; i < from->count; i++) {
        const dw_set_entry *entry = &from->items[i];
        dw_assert(entry->block->is_sealed);
        if (entry->live_count > 0) {
            dw__file_block_ref(entry->block);
            if (entry->live != NULL) {
                atomic_fetch_add_explicit(&entry->live->ref_count, 1, memory_order_relaxed);
            }
            set->items[set->count++] = *entry;
        }
    }
    add_histogram(set, from, first);
    return DW_OK;
}

/* All rows of a block that is complete, or empty. */
static dw_set_entry
whole_block(dw_file_block *block)
{
    return (dw_set_entry){.block = block,
                          .live_count = block->row_count,
                          .live_bytes = block->size_total,
                          .live_dv_count = block->dvs.count,
                          .live_deleted_rows = block->deleted_total};
}

dw_status
dw__file_set_append_block(dw_file_set *set, dw_file_block *block, dw_error *err)
{
    dw_set_entry *entry = DW_VEC_PUSH(set->allocator, set);
    if (entry == NULL) {
        return dw__error_oom(err);
    }
    *entry = whole_block(dw__file_block_ref(block));
    forget_histogram(set);
    return DW_OK;
}

/* The newest block if it is open and has room for `file`, else a new one. */
static dw_status
open_entry(dw_file_set *set, const dw_file *file, dw_set_entry **out, dw_error *err)
{
    dw_set_entry *last = set->count == 0 ? NULL : &set->items[set->count - 1];
    if (last != NULL && !last->block->is_sealed) {
        if (!dw__file_block_is_full(last->block, file->path.len, file->stats.len)) {
            *out = last;
            return DW_OK;
        }
        dw__file_block_seal(last->block);
    }
    dw_file_block *block = dw__file_block_new(set->allocator, NULL, 0);
    if (block == NULL) {
        return dw__error_oom(err);
    }
    dw_status status = dw__file_set_append_block(set, block, err);
    dw__file_block_unref(block);
    DW_TRY(status);
    *out = &set->items[set->count - 1];
    return DW_OK;
}

dw_status
dw__file_set_push(dw_file_set *set, const dw_file *file, const dw_file_key *key, dw_arena *scratch,
                  dw_error *err)
{
    dw_set_entry *entry = NULL;
    forget_histogram(set);
    DW_TRY(open_entry(set, file, &entry, err));
    dw_file_block *block = entry->block;
    DW_TRY(dw__file_block_push_file(block, file, set->is_remove, key->hash, err));
    entry->live_count++;
    entry->live_bytes = block->size_total == INT64_MAX
                            ? INT64_MAX
                            : entry->live_bytes + dw__file_block_size(block, block->row_count - 1);
    if (file->dv != NULL) {
        entry->live_dv_count++;
        entry->live_deleted_rows += (uint64_t) file->dv->cardinality;
    }
    return dw__file_block_index_newest(block, key, scratch, err);
}

void
dw__file_set_seal(dw_file_set *set)
{
    if (set->count > 0 && !set->items[set->count - 1].block->is_sealed) {
        dw__file_block_seal(set->items[set->count - 1].block);
    }
}

dw_status
dw__file_set_kill(dw_file_set *set, const dw_file_key *key, dw_arena *scratch, dw_error *err)
{
    for (size_t i = 0; i < set->count; i++) {
        size_t row;
        DW_TRY(dw__file_block_find(set->items[i].block, key, scratch, &row, err));
        if (row != SIZE_MAX) {
            DW_TRY(kill_row(set, &set->items[i], row, err));
        }
    }
    return DW_OK;
}

static size_t
row_count_of(const dw_file_set *set)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        count += set->items[i].block->row_count;
    }
    return count;
}

/* Looks up every row of `keys` in the index of the entry's block. */
static dw_status
kill_by_lookup(dw_file_set *set, dw_set_entry *entry, const dw_file_set *keys, dw_arena *scratch,
               dw_error *err)
{
    for (size_t i = 0; i < keys->count; i++) {
        const dw_file_block *from = keys->items[i].block;
        for (size_t row = 0; row < from->row_count; row++) {
            if (!dw__file_block_may_have(entry->block, dw__file_block_hash(from, row))) {
                continue;
            }
            dw_file_key key;
            size_t found;
            DW_TRY(dw__file_key_make(dw__file_block_path(from, row), dw__file_block_dv(from, row),
                                     scratch, &key, err));
            DW_TRY(dw__file_block_find(entry->block, &key, scratch, &found, err));
            if (found != SIZE_MAX) {
                DW_TRY(kill_row(set, entry, found, err));
            }
            dw__arena_reset(scratch);
        }
    }
    return DW_OK;
}

/* Looks every row of the entry's block up among `keys`: for few keys and a large block. */
static dw_status
kill_by_scan(dw_file_set *set, dw_set_entry *entry, const dw_file_set *keys, dw_arena *scratch,
             dw_error *err)
{
    dw_file_block *block = entry->block;
    for (size_t i = 0; i < keys->count; i++) {
        const dw_file_block *from = keys->items[i].block;
        for (size_t row = 0; row < block->row_count; row++) {
            if (!dw__file_block_may_have(from, dw__file_block_hash(block, row))) {
                continue;
            }
            dw_file_key key;
            size_t found;
            DW_TRY(dw__file_key_make(dw__file_block_path(block, row), dw__file_block_dv(block, row),
                                     scratch, &key, err));
            DW_TRY(dw__file_block_find(from, &key, scratch, &found, err));
            if (found != SIZE_MAX) {
                DW_TRY(kill_row(set, entry, row, err));
            }
            dw__arena_reset(scratch);
        }
    }
    return DW_OK;
}

dw_status
dw__file_set_kill_keys(dw_file_set *set, const dw_file_set *keys, dw_error *err)
{
    size_t key_count = row_count_of(keys);
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, set->allocator);
    for (size_t i = 0; i < set->count && key_count > 0; i++) {
        dw_set_entry *entry = &set->items[i];
        if (dw__file_block_wants_index(entry->block, key_count)) {
            DW_TRY(dw__file_block_ensure_index(entry->block, err));
            DW_TRY(kill_by_lookup(set, entry, keys, &scratch, err));
        } else {
            DW_TRY(kill_by_scan(set, entry, keys, &scratch, err));
        }
    }
    return DW_OK;
}

dw_status
dw__file_set_has(dw_file_set *set, const dw_file_key *key, dw_arena *scratch, bool *out,
                 dw_error *err)
{
    *out = false;
    for (size_t i = 0; i < set->count && !*out; i++) {
        size_t row;
        DW_TRY(dw__file_block_ensure_index(set->items[i].block, err));
        DW_TRY(dw__file_block_find(set->items[i].block, key, scratch, &row, err));
        *out = row != SIZE_MAX && is_live(&set->items[i], row);
    }
    return DW_OK;
}

bool
dw__file_set_is_stale(const dw_file_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        const dw_stats_origin *origin = set->items[i].block->origin;
        if (origin != NULL && atomic_load(&origin->is_stale)) {
            return true;
        }
    }
    return false;
}

/* ---- Merging --------------------------------------------------------------------------------- */

static bool
should_merge(const dw_set_entry *first, const dw_set_entry *second)
{
    return first->block->origin == NULL && second->block->origin == NULL &&
           first->live_count < MERGE_FACTOR * second->live_count &&
           first->live_count + second->live_count <= DW_BLOCK_ROWS_MAX &&
           first->block->paths.len + second->block->paths.len <= DW_BLOCK_TEXT_BYTES_MAX &&
           first->block->stats.len + second->block->stats.len <= DW_BLOCK_TEXT_BYTES_MAX;
}

static dw_status
copy_live_rows(dw_file_block *to, const dw_set_entry *entry, int64_t time_min_ms, dw_error *err)
{
    for (size_t row = 0; row < entry->block->row_count; row++) {
        if (is_live(entry, row) && dw__file_block_time(entry->block, row) >= time_min_ms) {
            DW_TRY(dw__file_block_push_row(to, entry->block, row, err));
        }
    }
    return DW_OK;
}

/* Replaces the last two entries by one. */
static dw_status
merge_last_two(dw_file_set *set, int64_t expired_before_ms, dw_error *err)
{
    int64_t time_min_ms = set->is_remove ? expired_before_ms : INT64_MIN;
    dw_set_entry *first = &set->items[set->count - 2];
    dw_set_entry *second = &set->items[set->count - 1];
    dw_file_block *block = dw__file_block_new(set->allocator, NULL, 0);
    if (block == NULL) {
        return dw__error_oom(err);
    }
    dw_status status = copy_live_rows(block, first, time_min_ms, err);
    if (status == DW_OK) {
        status = copy_live_rows(block, second, time_min_ms, err);
    }
    if (status != DW_OK) {
        dw__file_block_unref(block);
        return status;
    }
    dw__file_block_seal(block);
    release_entry(set, first);
    release_entry(set, second);
    set->count--;
    *first = whole_block(block);
    return DW_OK;
}

dw_status
dw__file_set_compact(dw_file_set *set, int64_t expired_before_ms, dw_error *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (set->items[i].live_count == 0) {
            release_entry(set, &set->items[i]);
        } else {
            set->items[kept++] = set->items[i];
        }
    }
    set->count = kept;
    while (set->count >= 2 &&
           should_merge(&set->items[set->count - 2], &set->items[set->count - 1])) {
        DW_TRY(merge_last_two(set, expired_before_ms, err));
    }
    return DW_OK;
}
