/*
 * Reading a set: what file_set.h promises.
 */
#include "log/file_set_core.h"

#include "base/assert.h"
#include "base/vec.h"

#define WORD_BITS 64

size_t
dw__file_set_count(const dw_file_set *set)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        count += set->items[i].live_count;
    }
    return count;
}

int64_t
dw__file_set_size_bytes(const dw_file_set *set)
{
    int64_t size = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (__builtin_add_overflow(size, set->items[i].live_bytes, &size)) {
            return INT64_MAX;
        }
    }
    return size;
}

size_t
dw__file_set_dv_count(const dw_file_set *set)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        count += set->items[i].live_dv_count;
    }
    return count;
}

int64_t
dw__file_set_deleted_rows(const dw_file_set *set)
{
    uint64_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        count += set->items[i].live_deleted_rows;
    }
    return count > INT64_MAX ? INT64_MAX : (int64_t) count;
}

size_t
dw__file_set_block_count(const dw_file_set *set)
{
    return set->count;
}

dw_file_block *
dw__file_set_block(const dw_file_set *set, size_t block_idx)
{
    dw_assert(block_idx < set->count);
    return set->items[block_idx].block;
}

size_t
dw__file_block_row_count(const dw_file_block *block)
{
    return block->row_count;
}

/* ---- Iteration ------------------------------------------------------------------------------- */

/* The first live row at or behind `row`, or SIZE_MAX. */
static size_t
live_row_from(const dw_set_entry *entry, size_t row)
{
    size_t row_count = entry->block->row_count;
    if (row >= row_count || entry->live == NULL) {
        return row < row_count ? row : SIZE_MAX;
    }
    size_t word_idx = row / WORD_BITS;
    if (word_idx >= entry->live->word_count) {
        return row; /* rows that came after the last change of a bit */
    }
    uint64_t word = entry->live->words[word_idx] & (UINT64_MAX << (row % WORD_BITS));
    while (word == 0) {
        if (++word_idx == entry->live->word_count) {
            return word_idx * WORD_BITS < row_count ? word_idx * WORD_BITS : SIZE_MAX;
        }
        word = entry->live->words[word_idx];
    }
    size_t found = word_idx * WORD_BITS + (size_t) __builtin_ctzll(word);
    return found < row_count ? found : SIZE_MAX;
}

static bool
seek(const dw_file_set *set, size_t block, size_t row, dw_file_ref *ref)
{
    for (; block < set->count; block++, row = 0) {
        size_t found = live_row_from(&set->items[block], row);
        if (found != SIZE_MAX) {
            *ref = (dw_file_ref){(uint32_t) block, (uint32_t) found};
            return true;
        }
    }
    return false;
}

bool
dw__file_set_first(const dw_file_set *set, dw_file_ref *ref)
{
    return seek(set, 0, 0, ref);
}

bool
dw__file_set_next(const dw_file_set *set, dw_file_ref *ref)
{
    return seek(set, ref->block, (size_t) ref->row + 1, ref);
}

bool
dw__file_set_is_live(const dw_file_set *set, dw_file_ref ref)
{
    return ref.block < set->count && live_row_from(&set->items[ref.block], ref.row) == ref.row;
}

/* ---- Columns --------------------------------------------------------------------------------- */

static const dw_file_block *
block_of(const dw_file_set *set, dw_file_ref ref)
{
    dw_assert(ref.block < set->count);
    const dw_file_block *block = set->items[ref.block].block;
    dw_assert(ref.row < block->row_count);
    return block;
}

dw_str
dw__file_set_path(const dw_file_set *set, dw_file_ref ref)
{
    return dw__file_block_path(block_of(set, ref), ref.row);
}

int64_t
dw__file_set_file_size(const dw_file_set *set, dw_file_ref ref)
{
    return dw__file_block_size(block_of(set, ref), ref.row);
}

int64_t
dw__file_set_modification_time_ms(const dw_file_set *set, dw_file_ref ref)
{
    return dw__file_block_time(block_of(set, ref), ref.row);
}

bool
dw__file_set_base_row_id(const dw_file_set *set, dw_file_ref ref, int64_t *out)
{
    const dw_file_block *block = block_of(set, ref);
    bool has_one = (dw__file_block_flags(block, ref.row) & DW_FILE_HAS_BASE_ROW_ID) != 0;
    *out = has_one ? ((const int64_t *) block->base_row_ids.items)[ref.row] : 0;
    return has_one;
}

bool
dw__file_set_commit_version(const dw_file_set *set, dw_file_ref ref, int64_t *out)
{
    const dw_file_block *block = block_of(set, ref);
    bool has_one = (dw__file_block_flags(block, ref.row) & DW_FILE_HAS_COMMIT_VERSION) != 0;
    *out = has_one ? ((const int64_t *) block->commit_versions.items)[ref.row] : 0;
    return has_one;
}

dw_str
dw__file_set_tags(const dw_file_set *set, dw_file_ref ref)
{
    return dw__dict_column_get(&block_of(set, ref)->tags, ref.row);
}

dw_str
dw__file_set_clustering_provider(const dw_file_set *set, dw_file_ref ref)
{
    return dw__dict_column_get(&block_of(set, ref)->clustering_provider, ref.row);
}

dw_str
dw__file_set_partition_value(const dw_file_set *set, dw_file_ref ref, dw_str column)
{
    const dw_file_block *block = block_of(set, ref);
    for (size_t i = 0; i < block->partitions.count; i++) {
        if (dw__str_equal(block->partitions.items[i].name, column)) {
            return dw__dict_column_get(&block->partitions.items[i], ref.row);
        }
    }
    return DW_STR_NULL;
}

const dw_dv_descriptor *
dw__file_set_dv(const dw_file_set *set, dw_file_ref ref)
{
    return dw__file_block_dv(block_of(set, ref), ref.row);
}

dw_file
dw__file_set_key(const dw_file_set *set, dw_file_ref ref)
{
    /* Nobody changes the vector of a key. */
    return (dw_file){.path = dw__file_set_path(set, ref),
                     .dv = (dw_dv_descriptor *) (uintptr_t) dw__file_set_dv(set, ref)};
}

/* ---- Statistics ------------------------------------------------------------------------------ */

/* Visits the live rows of one entry; `chunk` NULL: the statistics are in the block. */
static dw_status
visit_entry(const dw_set_entry *entry, size_t block_idx, const dw_stats_chunk *chunk,
            dw_stats_visitor visit, void *ctx, dw_error *err)
{
    for (size_t row = live_row_from(entry, 0); row != SIZE_MAX;
         row = live_row_from(entry, row + 1)) {
        dw_str stats = chunk == NULL ? dw__text_column_get(&entry->block->stats, row)
                                     : dw__stats_chunk_get(chunk, row);
        dw_file_ref ref = {(uint32_t) block_idx, (uint32_t) row};
        DW_TRY(visit(ctx, ref, stats.len == 0 ? DW_STR_NULL : stats, err));
    }
    return DW_OK;
}

/* A visit of the statistics of some blocks. */
typedef struct stats_visit {
    const dw_file_set *set;
    const bool *wanted; /* NULL: all blocks */
    dw_stats_share share;
    dw_stats_visitor visit;
    void *ctx;
} stats_visit;

/* Reads an origin once for a run of entries that follow each other in it, hands their rows on, and
 * keeps the chunks of whole blocks while the budget lasts. */
typedef struct origin_pass {
    const dw_file_set *set;
    size_t entry_idx;
    bool is_shared; /* with others: no block is read as a whole */
    dw_stats_visitor visit;
    void *ctx;
    dw_stats_chunk *chunk; /* of the entry; NULL: it is not going to be kept */
} origin_pass;

/* True from the second time on that the statistics of a block are read from its origin: only then
 * are they worth keeping, for the first reader makes of them what it needs. */
static bool
is_read_again(dw_file_block *block)
{
    pthread_mutex_lock(&block->mutex);
    bool again = block->stats_were_read;
    block->stats_were_read = true;
    pthread_mutex_unlock(&block->mutex);
    return again;
}

static void
begin_entry(origin_pass *pass, size_t entry_idx)
{
    dw_file_block *block = pass->set->items[entry_idx].block;
    dw_stats_budget *budget = block->origin->budget;
    pass->entry_idx = entry_idx;
    pass->chunk = NULL;
    if (is_read_again(block) && !pass->is_shared &&
        atomic_load(&budget->used_bytes) < budget->bytes_max) {
        pass->chunk = dw__stats_chunk_new(pass->set->allocator, block->row_count);
    }
}

/* Takes one reference of `chunk` over. */
static void
keep_chunk(dw_file_block *block, dw_stats_chunk *chunk)
{
    pthread_mutex_lock(&block->mutex);
    if (block->stats_chunk == NULL &&
        dw__stats_budget_take(block->origin->budget, dw__stats_chunk_size(chunk))) {
        block->stats_chunk = dw__stats_chunk_ref(chunk);
    }
    pthread_mutex_unlock(&block->mutex);
    dw__stats_chunk_unref(chunk);
}

static void
keep_row(origin_pass *pass, size_t row, dw_str stats)
{
    dw_file_block *block = pass->set->items[pass->entry_idx].block;
    dw_stats_budget *budget = block->origin->budget;
    bool fits =
        dw__stats_chunk_size(pass->chunk) < budget->bytes_max - atomic_load(&budget->used_bytes);
    if (!fits || !dw__stats_chunk_append(pass->chunk, stats)) {
        dw__stats_chunk_unref(pass->chunk);
        pass->chunk = NULL;
    } else if (row + 1 == block->row_count) {
        keep_chunk(block, pass->chunk);
        pass->chunk = NULL;
    }
}

static dw_status
pass_row(void *ctx, size_t origin_row, dw_str stats, dw_error *err)
{
    origin_pass *pass = ctx;
    const dw_set_entry *entry = &pass->set->items[pass->entry_idx];
    if (origin_row == entry->block->origin_row + entry->block->row_count) {
        begin_entry(pass, pass->entry_idx + 1);
        entry++;
    }
    size_t row = origin_row - entry->block->origin_row;
    dw_assert(row < entry->block->row_count);
    if (pass->chunk != NULL) {
        keep_row(pass, row, stats);
    }
    if (live_row_from(entry, row) != row) {
        return DW_OK;
    }
    dw_file_ref ref = {(uint32_t) pass->entry_idx, (uint32_t) row};
    return pass->visit(pass->ctx, ref, stats.len == 0 ? DW_STR_NULL : stats, err);
}

/* The end of the run of wanted entries from `start` that follow each other in one origin. */
static size_t
run_end(const dw_file_set *set, const bool *wanted, size_t start)
{
    size_t end = start + 1;
    for (; end < set->count; end++) {
        const dw_file_block *before = set->items[end - 1].block;
        const dw_file_block *block = set->items[end].block;
        if ((wanted != NULL && !wanted[end]) || block->origin != before->origin ||
            block->origin_row != before->origin_row + before->row_count) {
            break;
        }
    }
    return end;
}

/*
 * Visits the rows without statistics: sound, and all there is when the origin is gone. [ORIGIN-1]
 */
static dw_status
visit_bare(const dw_file_set *set, size_t start, size_t end, dw_stats_visitor visit, void *ctx,
           dw_error *err)
{
    for (size_t i = start; i < end; i++) {
        const dw_set_entry *entry = &set->items[i];
        for (size_t row = live_row_from(entry, 0); row != SIZE_MAX;
             row = live_row_from(entry, row + 1)) {
            dw_file_ref ref = {(uint32_t) i, (uint32_t) row};
            DW_TRY(visit(ctx, ref, DW_STR_NULL, err));
        }
    }
    return DW_OK;
}

/* The share of a run's rows. The statistics of blocks that are not read as a whole are not kept. */
static dw_status
read_share(const dw_file_set *set, size_t start, size_t row_count, const stats_visit *what,
           dw_error *err)
{
    dw_stats_origin *origin = set->items[start].block->origin;
    size_t first_row = set->items[start].block->origin_row;
    size_t begin = first_row + row_count * what->share.idx / what->share.count;
    size_t end = first_row + row_count * (what->share.idx + 1) / what->share.count;
    origin_pass pass = {.set = set,
                        .entry_idx = start,
                        .is_shared = what->share.count > 1,
                        .visit = what->visit,
                        .ctx = what->ctx};
    const dw_file_block *block = set->items[start].block;
    while (begin < end && begin >= block->origin_row + block->row_count) {
        block = set->items[++pass.entry_idx].block;
    }
    begin_entry(&pass, pass.entry_idx);
    dw_status status =
        begin == end ? DW_OK
                     : dw__stats_origin_read(origin, begin, end - begin, pass_row, &pass, err);
    dw__stats_chunk_unref(pass.chunk);
    return status;
}

static dw_status
visit_run(const dw_file_set *set, size_t start, size_t end, const stats_visit *what, dw_error *err)
{
    const dw_file_block *first = set->items[start].block;
    const dw_file_block *last = set->items[end - 1].block;
    bool is_same;
    DW_TRY(dw__stats_origin_verify(first->origin, &is_same, err));
    if (is_same) {
        size_t row_count = last->origin_row + last->row_count - first->origin_row;
        return read_share(set, start, row_count, what, err);
    }
    return what->share.idx == 0 ? visit_bare(set, start, end, what->visit, what->ctx, err) : DW_OK;
}

/* The kept chunk of a block, to be released by the caller; NULL: none is kept. */
static dw_stats_chunk *
kept_chunk(dw_file_block *block)
{
    pthread_mutex_lock(&block->mutex);
    dw_stats_chunk *chunk =
        block->stats_chunk == NULL ? NULL : dw__stats_chunk_ref(block->stats_chunk);
    pthread_mutex_unlock(&block->mutex);
    return chunk;
}

/*
 * Visits the blocks from `start` on that can be read in one go; the next ones begin at `*end_out`.
 */
static dw_status
visit_from(const stats_visit *what, size_t start, size_t *end_out, dw_error *err)
{
    const dw_set_entry *entry = &what->set->items[start];
    *end_out = start + 1;
    if (what->wanted != NULL && !what->wanted[start]) {
        return DW_OK;
    }
    /* What is kept changes meanwhile: all who share a visit must see the same. */
    bool is_shared = what->share.count > 1;
    dw_stats_chunk *chunk = is_shared ? NULL : kept_chunk(entry->block);
    if (entry->block->origin == NULL || chunk != NULL) {
        bool is_mine = what->share.idx == 0;
        dw_status status =
            is_mine ? visit_entry(entry, start, chunk, what->visit, what->ctx, err) : DW_OK;
        dw__stats_chunk_unref(chunk);
        return status;
    }
    *end_out = run_end(what->set, what->wanted, start);
    return visit_run(what->set, start, *end_out, what, err);
}

dw_status
dw__file_set_visit_block_stats(dw_file_set *set, const bool *wanted, dw_stats_share share,
                               dw_stats_visitor visit, void *ctx, dw_error *err)
{
    dw_assert(share.idx < share.count);
    stats_visit what = {.set = set, .wanted = wanted, .share = share, .visit = visit, .ctx = ctx};
    size_t end;
    for (size_t i = 0; i < set->count; i = end) {
        DW_TRY(visit_from(&what, i, &end, err));
    }
    return DW_OK;
}

dw_status
dw__file_set_visit_stats(dw_file_set *set, dw_stats_visitor visit, void *ctx, dw_error *err)
{
    const dw_stats_share whole = {.idx = 0, .count = 1};
    return dw__file_set_visit_block_stats(set, NULL, whole, visit, ctx, err);
}

size_t
dw__file_set_unread_stats(const dw_file_set *set, const bool *wanted)
{
    size_t row_count = 0;
    for (size_t i = 0; i < set->count; i++) {
        dw_file_block *block = set->items[i].block;
        if (wanted[i] && block->origin != NULL) {
            pthread_mutex_lock(&block->mutex);
            row_count += block->stats_were_read ? 0 : block->row_count;
            pthread_mutex_unlock(&block->mutex);
        }
    }
    return row_count;
}

dw_status
dw__file_block_load_stats(dw_file_block *block, dw_stats_chunk **out, dw_error *err)
{
    *out = kept_chunk(block);
    if (*out != NULL) {
        return DW_OK;
    }
    DW_TRY(dw__stats_origin_load(block->origin, block->origin_row, block->row_count, out, err));
    keep_chunk(block, dw__stats_chunk_ref(*out));
    return DW_OK;
}

dw_status
dw__file_reader_get(dw_file_reader *reader, dw_file_set *set, dw_file_ref ref, dw_arena *arena,
                    dw_file *out, dw_error *err)
{
    dw_file_block *block = set->items[ref.block].block;
    dw_file borrowed;
    *out = (dw_file){0};
    if (!dw__file_block_get(block_of(set, ref), ref.row, set->is_remove, arena, &borrowed)) {
        return dw__error_oom(err);
    }
    if (block->origin != NULL) {
        if (reader->chunk == NULL || reader->set != set || reader->block != ref.block) {
            dw__file_reader_deinit(reader);
            DW_TRY(dw__file_block_load_stats(block, &reader->chunk, err));
            reader->set = set;
            reader->block = ref.block;
        }
        borrowed.stats = dw__stats_chunk_get(reader->chunk, ref.row);
    }
    return dw__file_dup(arena, &borrowed, out) ? DW_OK : dw__error_oom(err);
}

void
dw__file_reader_deinit(dw_file_reader *reader)
{
    dw__stats_chunk_unref(reader->chunk);
    *reader = (dw_file_reader){0};
}

dw_status
dw__file_set_get(dw_file_set *set, dw_file_ref ref, dw_arena *arena, dw_file *out, dw_error *err)
{
    dw_file_reader reader = {0};
    dw_status status = dw__file_reader_get(&reader, set, ref, arena, out, err);
    dw__file_reader_deinit(&reader);
    return status;
}

/* ---- What others derive from a block --------------------------------------------------------- */

static void *
cache_find(const dw_file_block *block, dw_str name)
{
    for (size_t i = 0; i < block->cache.count; i++) {
        if (dw__str_equal(block->cache.items[i].name, name)) {
            return block->cache.items[i].value;
        }
    }
    return NULL;
}

void *
dw__file_block_cache_get(dw_file_block *block, dw_str name)
{
    pthread_mutex_lock(&block->mutex);
    void *value = cache_find(block, name);
    pthread_mutex_unlock(&block->mutex);
    return value;
}

/* False when out of memory. */
static bool
cache_add(dw_file_block *block, dw_str name, void *value, void (*release)(void *value))
{
    char *copy = dw__alloc(block->allocator, name.len);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, name.ptr, name.len);
    dw_block_cache_entry *entry = DW_VEC_PUSH(block->allocator, &block->cache);
    if (entry == NULL) {
        dw__dealloc(block->allocator, copy, name.len);
        return false;
    }
    *entry = (dw_block_cache_entry){dw__str_make(copy, name.len), value, release};
    return true;
}

void *
dw__file_block_cache_put(dw_file_block *block, dw_str name, void *value,
                         void (*release)(void *value))
{
    pthread_mutex_lock(&block->mutex);
    void *kept = cache_find(block, name);
    if (kept == NULL && cache_add(block, name, value, release)) {
        kept = value;
    }
    pthread_mutex_unlock(&block->mutex);
    if (kept != value) {
        release(value);
    }
    return kept;
}
