/*
 * The life of a block, and filling it row by row.
 */
#include "log/file_block.h"

#include "base/assert.h"
#include "base/checked.h"
#include "base/vec.h"

#define ROW_CAPACITY_MIN ((size_t) 4)
#define TEXT_CAPACITY_MIN ((size_t) 256)
#define OPEN_CODE_WIDTH sizeof(uint32_t)

/* ---- Columns that have one element a row ----------------------------------------------------- */

/* Resizes to exactly `capacity` elements; new ones are zero. False when out of memory. */
static bool
resize_column(const dw_allocator *allocator, dw_row_column *column, size_t width, size_t capacity)
{
    size_t size;
    if (!dw__checked_mul(capacity, width, &size)) {
        return false;
    }
    void *items = allocator->resize(allocator->ctx, column->items, column->capacity * width, size);
    if (items == NULL && size > 0) {
        return false;
    }
    if (capacity > column->capacity) {
        size_t old_size = column->capacity * width;
        memset((char *) items + old_size, 0, size - old_size);
    }
    column->items = items;
    column->capacity = capacity;
    return true;
}

typedef bool (*column_fn)(dw_file_block *block, dw_row_column *column, size_t width);

/* Calls `fn` for the columns of a block until it returns false. */
static bool
for_each_column(dw_file_block *block, column_fn fn)
{
    struct {
        dw_row_column *column;
        size_t width;
    } fixed[] = {
        {&block->paths.ends, sizeof(uint32_t)},
        {&block->hashes, sizeof(uint32_t)},
        {&block->sizes, sizeof(int64_t)},
        {&block->times, sizeof(int64_t)},
        {&block->flags, sizeof(uint8_t)},
        {&block->dv_codes, sizeof(uint32_t)},
        {&block->base_row_ids, sizeof(int64_t)},
        {&block->commit_versions, sizeof(int64_t)},
        {&block->stats.ends, sizeof(uint32_t)},
        {&block->tags.codes, block->tags.code_width},
        {&block->clustering_provider.codes, block->clustering_provider.code_width},
        {&block->extra.codes, block->extra.code_width},
    };
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (!fn(block, fixed[i].column, fixed[i].width)) {
            return false;
        }
    }
    for (size_t i = 0; i < block->partitions.count; i++) {
        dw_dict_column *column = &block->partitions.items[i];
        if (!fn(block, &column->codes, column->code_width)) {
            return false;
        }
    }
    return true;
}

static bool
free_column(dw_file_block *block, dw_row_column *column, size_t width)
{
    dw__dealloc(block->allocator, column->items, column->capacity * width);
    return true;
}

/* Brings a column that exists to the capacity of the block. */
static bool
grow_column(dw_file_block *block, dw_row_column *column, size_t width)
{
    return column->items == NULL || column->capacity >= block->row_capacity ||
           resize_column(block->allocator, column, width, block->row_capacity);
}

/* Memory that cannot be given back is kept: shrinking never fails. */
static bool
shrink_column(dw_file_block *block, dw_row_column *column, size_t width)
{
    if (column->items != NULL && column->capacity > block->row_count) {
        (void) resize_column(block->allocator, column, width, block->row_count);
    }
    return true;
}

/* The column's elements, made if no row had one so far; NULL when out of memory. */
static void *
column_items(dw_file_block *block, dw_row_column *column, size_t width)
{
    if (column->items == NULL &&
        !resize_column(block->allocator, column, width, block->row_capacity)) {
        return NULL;
    }
    return column->items;
}

/* ---- Life ------------------------------------------------------------------------------------ */

dw_file_block *
dw__file_block_new(const dw_allocator *allocator, dw_stats_origin *origin, size_t origin_row)
{
    dw_file_block *block = DW_NEW(allocator, dw_file_block);
    if (block == NULL) {
        return NULL;
    }
    block->allocator = allocator;
    atomic_init(&block->ref_count, 1);
    dw__arena_init(&block->arena, allocator);
    pthread_mutex_init(&block->mutex, NULL);
    block->tags.code_width = OPEN_CODE_WIDTH;
    block->clustering_provider.code_width = OPEN_CODE_WIDTH;
    block->extra.code_width = OPEN_CODE_WIDTH;
    block->origin = origin == NULL ? NULL : dw__stats_origin_ref(origin);
    block->origin_row = origin_row;
    return block;
}

dw_file_block *
dw__file_block_ref(dw_file_block *block)
{
    atomic_fetch_add_explicit(&block->ref_count, 1, memory_order_relaxed);
    return block;
}

static void
free_dict(dw_file_block *block, dw_dict_column *column)
{
    DW_VEC_DEINIT(block->allocator, column);
    dw__map_deinit(&column->code_by_text);
}

static void
free_block(dw_file_block *block)
{
    const dw_allocator *allocator = block->allocator;
    for (size_t i = 0; i < block->cache.count; i++) {
        block->cache.items[i].release(block->cache.items[i].value);
        dw__dealloc(allocator, (char *) (uintptr_t) block->cache.items[i].name.ptr,
                    block->cache.items[i].name.len);
    }
    DW_VEC_DEINIT(allocator, &block->cache);
    if (block->stats_chunk != NULL) {
        dw__stats_budget_give_back(block->origin->budget, dw__stats_chunk_size(block->stats_chunk));
        dw__stats_chunk_unref(block->stats_chunk);
    }
    (void) for_each_column(block, free_column);
    for (size_t i = 0; i < block->partitions.count; i++) {
        free_dict(block, &block->partitions.items[i]);
    }
    free_dict(block, &block->tags);
    free_dict(block, &block->clustering_provider);
    free_dict(block, &block->extra);
    DW_VEC_DEINIT(allocator, &block->partitions);
    DW_VEC_DEINIT(allocator, &block->dvs);
    dw__dealloc(allocator, block->paths.bytes, block->paths.capacity);
    dw__dealloc(allocator, block->stats.bytes, block->stats.capacity);
    dw__dealloc(allocator, block->slots, block->slot_count * sizeof(uint32_t));
    dw__stats_origin_unref(block->origin);
    dw__arena_deinit(&block->arena);
    pthread_mutex_destroy(&block->mutex);
    DW_DELETE(allocator, block);
}

void
dw__file_block_unref(dw_file_block *block)
{
    if (block != NULL &&
        atomic_fetch_sub_explicit(&block->ref_count, 1, memory_order_acq_rel) == 1) {
        free_block(block);
    }
}

/* ---- Filling --------------------------------------------------------------------------------- */

bool
dw__file_block_is_full(const dw_file_block *block, size_t path_len, size_t stats_len)
{
    return block->row_count >= DW_BLOCK_ROWS_MAX ||
           DW_BLOCK_TEXT_BYTES_MAX - block->paths.len < path_len ||
           DW_BLOCK_TEXT_BYTES_MAX - block->stats.len < stats_len;
}

static bool
reserve_text(const dw_allocator *allocator, dw_text_column *column, size_t extra)
{
    if (column->capacity - column->len >= extra) {
        return true;
    }
    size_t capacity = column->capacity < TEXT_CAPACITY_MIN ? TEXT_CAPACITY_MIN : column->capacity;
    while (capacity - column->len < extra) {
        if (!dw__checked_mul(capacity, 2, &capacity)) {
            return false;
        }
    }
    char *bytes = allocator->resize(allocator->ctx, column->bytes, column->capacity, capacity);
    if (bytes == NULL) {
        return false;
    }
    column->bytes = bytes;
    column->capacity = capacity;
    return true;
}

static void
append_text(dw_text_column *column, size_t row, dw_str text)
{
    if (text.len > 0) {
        memcpy(column->bytes + column->len, text.ptr, text.len);
    }
    column->len += text.len;
    dw_assert(column->len <= DW_BLOCK_TEXT_BYTES_MAX);
    ((uint32_t *) column->ends.items)[row] = (uint32_t) column->len;
}

static bool
grow_rows(dw_file_block *block)
{
    size_t old_capacity = block->row_capacity;
    block->row_capacity = old_capacity == 0 ? ROW_CAPACITY_MIN : old_capacity * 2;
    bool ok = column_items(block, &block->paths.ends, sizeof(uint32_t)) != NULL &&
              column_items(block, &block->hashes, sizeof(uint32_t)) != NULL &&
              column_items(block, &block->sizes, sizeof(int64_t)) != NULL &&
              column_items(block, &block->times, sizeof(int64_t)) != NULL &&
              column_items(block, &block->flags, sizeof(uint8_t)) != NULL &&
              for_each_column(block, grow_column);
    if (!ok) {
        block->row_capacity = old_capacity;
    }
    return ok;
}

bool
dw__file_block_push(dw_file_block *block, dw_str path, uint32_t hash, int64_t size_bytes,
                    int64_t time_ms, uint8_t flags)
{
    dw_assert(!block->is_sealed);
    if (block->row_count == block->row_capacity && !grow_rows(block)) {
        return false;
    }
    if (!reserve_text(block->allocator, &block->paths, path.len)) {
        return false;
    }
    size_t row = block->row_count++;
    append_text(&block->paths, row, path);
    ((uint32_t *) block->hashes.items)[row] = hash;
    ((int64_t *) block->sizes.items)[row] = size_bytes;
    ((int64_t *) block->times.items)[row] = time_ms;
    ((uint8_t *) block->flags.items)[row] = flags;
    if (block->stats.ends.items != NULL) {
        ((uint32_t *) block->stats.ends.items)[row] = (uint32_t) block->stats.len;
    }
    if (__builtin_add_overflow(block->size_total, size_bytes, &block->size_total)) {
        block->size_total = INT64_MAX;
    }
    return true;
}

bool
dw__file_block_set_stats(dw_file_block *block, dw_str stats)
{
    dw_assert(block->row_count > 0 && block->origin == NULL);
    if (column_items(block, &block->stats.ends, sizeof(uint32_t)) == NULL ||
        !reserve_text(block->allocator, &block->stats, stats.len)) {
        return false;
    }
    append_text(&block->stats, block->row_count - 1, stats);
    return true;
}

bool
dw__file_block_set_dv(dw_file_block *block, const dw_dv_descriptor *dv)
{
    dw_assert(block->row_count > 0);
    uint32_t *codes = column_items(block, &block->dv_codes, sizeof(uint32_t));
    dw_str path;
    if (codes == NULL || !dw__arena_dup(&block->arena, dv->path_or_inline_dv, &path)) {
        return false;
    }
    dw_dv_descriptor *copy = DW_VEC_PUSH(block->allocator, &block->dvs);
    if (copy == NULL) {
        return false;
    }
    *copy = *dv;
    copy->path_or_inline_dv = path;
    codes[block->row_count - 1] = (uint32_t) block->dvs.count;
    block->deleted_total += (uint64_t) dv->cardinality;
    return true;
}

static bool
set_i64(dw_file_block *block, dw_row_column *column, int64_t value, uint8_t flag)
{
    dw_assert(block->row_count > 0);
    int64_t *items = column_items(block, column, sizeof(int64_t));
    if (items == NULL) {
        return false;
    }
    items[block->row_count - 1] = value;
    ((uint8_t *) block->flags.items)[block->row_count - 1] |= flag;
    return true;
}

bool
dw__file_block_set_base_row_id(dw_file_block *block, int64_t id)
{
    block->base_row_id_max = id > block->base_row_id_max ? id : block->base_row_id_max;
    return set_i64(block, &block->base_row_ids, id, DW_FILE_HAS_BASE_ROW_ID);
}

bool
dw__file_block_set_commit_version(dw_file_block *block, int64_t version)
{
    return set_i64(block, &block->commit_versions, version, DW_FILE_HAS_COMMIT_VERSION);
}

/* ---- Dictionaries ---------------------------------------------------------------------------- */

/* The code of `text`, new or known; 0 when out of memory. */
static uint32_t
dict_code(dw_file_block *block, dw_dict_column *column, dw_str text)
{
    bool is_null = dw__str_is_null(text);
    if (is_null && column->null_code != 0) {
        return column->null_code;
    }
    if (!is_null && column->last_code != 0 &&
        dw__str_equal(column->items[column->last_code - 1], text)) {
        return column->last_code;
    }
    if (!is_null) {
        column->code_by_text.allocator = block->allocator;
        dw_map_value *known = dw__map_get(&column->code_by_text, text);
        if (known != NULL) {
            column->last_code = (uint32_t) known->i64;
            return column->last_code;
        }
    }
    dw_str copy;
    if (!dw__arena_dup(&block->arena, text, &copy) ||
        !DW_VEC_RESERVE(block->allocator, column, column->count + 1)) {
        return 0;
    }
    if (!is_null) {
        dw_map_value *value = dw__map_put(&column->code_by_text, copy, NULL);
        if (value == NULL) {
            return 0;
        }
        value->i64 = (int64_t) column->count + 1;
    }
    column->items[column->count++] = copy;
    uint32_t code = (uint32_t) column->count;
    *(is_null ? &column->null_code : &column->last_code) = code;
    return code;
}

bool
dw__file_block_set_text(dw_file_block *block, dw_dict_column *column, dw_str text)
{
    dw_assert(block->row_count > 0 && column->code_width == OPEN_CODE_WIDTH);
    uint32_t *codes = column_items(block, &column->codes, OPEN_CODE_WIDTH);
    uint32_t code = codes == NULL ? 0 : dict_code(block, column, text);
    if (code == 0) {
        return false;
    }
    codes[block->row_count - 1] = code;
    return true;
}

static dw_dict_column *
find_partition(const dw_file_block *block, size_t idx_hint, dw_str name)
{
    if (idx_hint < block->partitions.count &&
        dw__str_equal(block->partitions.items[idx_hint].name, name)) {
        return &block->partitions.items[idx_hint];
    }
    for (size_t i = 0; i < block->partitions.count; i++) {
        if (dw__str_equal(block->partitions.items[i].name, name)) {
            return &block->partitions.items[i];
        }
    }
    return NULL;
}

dw_status
dw__file_block_set_partition(dw_file_block *block, size_t idx_hint, dw_str name, dw_str value,
                             dw_error *err)
{
    dw_dict_column *column = find_partition(block, idx_hint, name);
    if (column == NULL) {
        if (block->partitions.count == DW_PARTITION_COLUMNS_MAX) {
            return dw__error_set(err, DW_CORRUPT, "TOO_MANY_PARTITION_COLUMNS",
                                 "the files have values for more than %zu partition columns",
                                 DW_PARTITION_COLUMNS_MAX);
        }
        dw_str copy;
        if (!dw__arena_dup(&block->arena, name, &copy)) {
            return dw__error_oom(err);
        }
        column = DW_VEC_PUSH(block->allocator, &block->partitions);
        if (column == NULL) {
            return dw__error_oom(err);
        }
        column->name = copy;
        column->code_width = OPEN_CODE_WIDTH;
    }
    return dw__file_block_set_text(block, column, value) ? DW_OK : dw__error_oom(err);
}

/* The least width that holds every code. */
static size_t
sealed_width(const dw_dict_column *column)
{
    return column->count <= UINT8_MAX ? 1 : column->count <= UINT16_MAX ? 2 : OPEN_CODE_WIDTH;
}

/* Narrows the codes in place: the narrow ones never overtake the wide ones. */
static void
seal_dict(dw_file_block *block, dw_dict_column *column)
{
    dw__map_deinit(&column->code_by_text);
    size_t width = sealed_width(column);
    if (column->codes.items == NULL || width == OPEN_CODE_WIDTH) {
        return;
    }
    const char *from = column->codes.items;
    char *to = column->codes.items;
    for (size_t row = 0; row < block->row_count; row++) {
        uint32_t code;
        memcpy(&code, from + row * OPEN_CODE_WIDTH, sizeof(code));
        if (width == 1) {
            uint8_t narrow = (uint8_t) code;
            memcpy(to + row, &narrow, sizeof(narrow));
        } else {
            uint16_t narrow = (uint16_t) code;
            memcpy(to + row * sizeof(narrow), &narrow, sizeof(narrow));
        }
    }
    column->codes.capacity *= OPEN_CODE_WIDTH / width;
    column->code_width = width;
}

static void
shrink_text(const dw_allocator *allocator, dw_text_column *column)
{
    if (column->capacity > column->len && column->len > 0) {
        char *bytes =
            allocator->resize(allocator->ctx, column->bytes, column->capacity, column->len);
        if (bytes != NULL) {
            column->bytes = bytes;
            column->capacity = column->len;
        }
    }
}

void
dw__file_block_seal(dw_file_block *block)
{
    dw_assert(!block->is_sealed);
    block->is_sealed = true;
    for (size_t i = 0; i < block->partitions.count; i++) {
        seal_dict(block, &block->partitions.items[i]);
    }
    seal_dict(block, &block->tags);
    seal_dict(block, &block->clustering_provider);
    seal_dict(block, &block->extra);
    if (block->row_count > 0) {
        (void) for_each_column(block, shrink_column);
    }
    shrink_text(block->allocator, &block->paths);
    shrink_text(block->allocator, &block->stats);
}
