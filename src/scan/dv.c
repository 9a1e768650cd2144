/*
 * Reading deletion vectors from files or from the log itself, and keeping them with their blocks.
 */
#include "scan/dv.h"

#include "base/assert.h"
#include "codec/codec.h"

#include <pthread.h>

/* A file of deletion vectors begins with this byte. */
#define DV_FILE_VERSION 1
/* Where the first vector of such a file is, and what it has when the log names no offset. */
#define DV_FIRST_OFFSET 1
/* In front of a vector its size, behind it its checksum. */
#define DV_FRAME_BYTES ((size_t) 4)
#define DV_BYTES_MAX ((size_t) 1 << 30)

/* ---- One vector ------------------------------------------------------------------------------ */

static dw_status
invalid(dw_str where, const char *what, int64_t expected, int64_t found, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "DV_INVALID",
                         "the deletion vector in %.*s is damaged: expected %s %lld, found %lld",
                         DW_STR_ARG(where), what, (long long) expected, (long long) found);
}

static uint32_t
big_endian_u32(const char *bytes)
{
    uint32_t value = 0;
    for (size_t i = 0; i < 4; i++) {
        value = value << 8 | (uint32_t) (unsigned char) bytes[i];
    }
    return value;
}

static dw_status
parse_payload(const dw_dv_descriptor *dv, dw_str payload, dw_str where,
              const dw_allocator *allocator, dw_rowset **out, dw_error *err)
{
    DW_AUTO(dw_rowset_ptr) rows = NULL;
    dw_status status = dw__rowset_parse(allocator, payload, &rows, err);
    if (status != DW_OK) {
        dw__error_context(err, "reading the deletion vector in %.*s", DW_STR_ARG(where));
        return status;
    }
    uint64_t cardinality = dw__rowset_cardinality(rows);
    if (dv->cardinality < 0 || cardinality != (uint64_t) dv->cardinality) {
        return invalid(where, "a cardinality of", dv->cardinality, (int64_t) cardinality, err);
    }
    *out = rows;
    rows = NULL;
    return DW_OK;
}

/* PROTOCOL.md: the vector itself stands in the log, as z85 that is padded to four bytes. */
static dw_status
read_inline(const dw_dv_descriptor *dv, dw_arena *scratch, dw_rowset **out, dw_error *err)
{
    dw_str where = DW_STR("the log");
    dw_str bytes;
    DW_TRY(dw__z85_decode(scratch, dv->path_or_inline_dv, &bytes, err));
    if (dv->size_bytes < 0 || bytes.len < (size_t) dv->size_bytes) {
        return invalid(where, "a size of", dv->size_bytes, (int64_t) bytes.len, err);
    }
    dw_str payload = dw__str_slice(bytes, 0, (size_t) dv->size_bytes);
    return parse_payload(dv, payload, where, scratch->allocator, out, err);
}

/* Reads bytes of an object that is named by a key or by a path of its own. */
static dw_status
read_bytes(dw_storage *storage, dw_str path, bool is_absolute, uint64_t offset, dw_strbuf *bytes,
           dw_error *err)
{
    size_t size = bytes->size_max;
    if (!is_absolute) {
        return dw__storage_get_range(storage, path, offset, size, bytes, err);
    }
    size_t slash = dw__str_find_last(path, '/');
    if (slash == SIZE_MAX || slash + 1 == path.len) {
        return dw__error_set(err, DW_CORRUPT, "DV_INVALID",
                             "expected the path of a deletion vector, found %.*s",
                             DW_STR_ARG(path));
    }
    DW_AUTO(dw_storage_ptr) other = NULL;
    DW_TRY(dw__storage_open(storage->env, slash == 0 ? DW_STR("/") : dw__str_slice(path, 0, slash),
                            &other, err));
    return dw__storage_get_range(other, dw__str_slice(path, slash + 1, path.len), offset, size,
                                 bytes, err);
}

/* `bytes` is what stands at the offset: size, vector, checksum. */
static dw_status
check_frame(const dw_dv_descriptor *dv, dw_str bytes, dw_str where, dw_str *payload_out,
            dw_error *err)
{
    size_t wanted = (size_t) dv->size_bytes + 2 * DV_FRAME_BYTES;
    if (bytes.len < wanted) {
        return invalid(where, "a size of at least", (int64_t) wanted, (int64_t) bytes.len, err);
    }
    uint32_t stored_size = big_endian_u32(bytes.ptr);
    if (stored_size != (uint32_t) dv->size_bytes) {
        return invalid(where, "a size of", dv->size_bytes, stored_size, err);
    }
    *payload_out = dw__str_slice(bytes, DV_FRAME_BYTES, (size_t) dv->size_bytes);
    uint32_t stored_crc = big_endian_u32(bytes.ptr + DV_FRAME_BYTES + dv->size_bytes);
    uint32_t crc = dw__crc32(*payload_out);
    return stored_crc == crc ? DW_OK : invalid(where, "a checksum of", stored_crc, crc, err);
}

static dw_status
read_stored(dw_storage *storage, const dw_dv_descriptor *dv, dw_arena *scratch, dw_rowset **out,
            dw_error *err)
{
    dw_str path;
    bool is_absolute;
    DW_TRY(dw__dv_path(dv, scratch, &path, &is_absolute, err));
    int64_t offset = dv->has_offset ? dv->offset : DV_FIRST_OFFSET;
    if (offset < DV_FIRST_OFFSET) {
        return invalid(path, "an offset of at least", DV_FIRST_OFFSET, offset, err);
    }
    if (dv->size_bytes < 0 || (size_t) dv->size_bytes > DV_BYTES_MAX) {
        return invalid(path, "a size of at most", (int64_t) DV_BYTES_MAX, dv->size_bytes, err);
    }
    /* The byte in front of the first vector tells the version of the file: it is read along. */
    size_t skipped = offset == DV_FIRST_OFFSET ? DV_FIRST_OFFSET : 0;
    size_t size = skipped + (size_t) dv->size_bytes + 2 * DV_FRAME_BYTES;
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(scratch->allocator, size);
    dw_status status =
        read_bytes(storage, path, is_absolute, (uint64_t) offset - skipped, &bytes, err);
    if (status == DW_NOT_FOUND) {
        return dw__error_set(
            err, DW_CORRUPT, "DV_MISSING",
            "the file %.*s, which says which rows are deleted, is missing; restore "
            "it from a backup, or the table to a version that does not need it",
            DW_STR_ARG(path));
    }
    DW_TRY(status);
    dw_str framed = dw__strbuf_str(&bytes);
    if (skipped > 0 && framed.len > 0 && framed.ptr[0] != DV_FILE_VERSION) {
        return invalid(path, "version", DV_FILE_VERSION, framed.ptr[0], err);
    }
    dw_str payload;
    DW_TRY(check_frame(dv, dw__str_slice(framed, skipped, framed.len), path, &payload, err));
    return parse_payload(dv, payload, path, scratch->allocator, out, err);
}

dw_status
dw__dv_read(dw_storage *storage, const dw_dv_descriptor *dv, dw_arena *scratch, dw_rowset **out,
            dw_error *err)
{
    *out = NULL;
    return dv->storage_type == 'i' ? read_inline(dv, scratch, out, err)
                                   : read_stored(storage, dv, scratch, out, err);
}

/* ---- What a block keeps ---------------------------------------------------------------------- */

typedef struct dv_cache {
    const dw_allocator *allocator;
    pthread_mutex_t mutex; /* guards all below */
    dw_rowset **rows;      /* by the row of the block */
    size_t row_count;
    size_t used_bytes;
} dv_cache;

static void
free_cache(void *value)
{
    dv_cache *cache = value;
    for (size_t i = 0; i < cache->row_count; i++) {
        dw__rowset_free(cache->rows[i]);
    }
    dw__dealloc(cache->allocator, cache->rows, cache->row_count * sizeof(*cache->rows));
    pthread_mutex_destroy(&cache->mutex);
    DW_DELETE(cache->allocator, cache);
}

/* The block's cache; NULL when out of memory. */
static dv_cache *
cache_of(const dw_allocator *allocator, dw_file_block *block)
{
    dv_cache *cache = dw__file_block_cache_get(block, DW_STR("deleted rows"));
    if (cache != NULL) {
        return cache;
    }
    size_t row_count = dw__file_block_row_count(block);
    cache = DW_NEW(allocator, dv_cache);
    dw_rowset **rows = dw__alloc_zero(allocator, row_count * sizeof(*rows));
    if (cache == NULL || rows == NULL || pthread_mutex_init(&cache->mutex, NULL) != 0) {
        dw__dealloc(allocator, rows, row_count * sizeof(*rows));
        dw__dealloc(allocator, cache, sizeof(*cache));
        return NULL;
    }
    cache->allocator = allocator;
    cache->rows = rows;
    cache->row_count = row_count;
    return dw__file_block_cache_put(block, DW_STR("deleted rows"), cache, free_cache);
}

/* Gives a new vector to the block; false when its budget is used up. If another thread was first,
 * its vector is used. */
static bool
keep_rows(dv_cache *cache, uint32_t row, size_t size, dw_rowset **rows)
{
    pthread_mutex_lock(&cache->mutex);
    bool fits = size <= DW_DV_CACHE_BYTES_MAX - cache->used_bytes;
    if (cache->rows[row] != NULL) {
        dw__rowset_free(*rows);
        *rows = cache->rows[row];
        fits = true;
    } else if (fits) {
        cache->rows[row] = *rows;
        cache->used_bytes += size;
    }
    pthread_mutex_unlock(&cache->mutex);
    return fits;
}

static dw_rowset *
kept_rows(dv_cache *cache, uint32_t row)
{
    pthread_mutex_lock(&cache->mutex);
    dw_rowset *rows = cache->rows[row];
    pthread_mutex_unlock(&cache->mutex);
    return rows;
}

/* ---- Lists ----------------------------------------------------------------------------------- */

static dw_status
load_one(dw_storage *storage, dw_file_block *block, uint32_t row, const dw_dv_descriptor *dv,
         dw_dv_list *list, size_t idx, dw_error *err)
{
    dv_cache *cache = cache_of(list->allocator, block);
    if (cache == NULL) {
        return dw__error_oom(err);
    }
    dw_rowset *rows = kept_rows(cache, row);
    if (rows == NULL) {
        DW_AUTO(dw_arena) scratch = {0};
        dw__arena_init(&scratch, list->allocator);
        DW_TRY(dw__dv_read(storage, dv, &scratch, &rows, err));
        if (!keep_rows(cache, row, (size_t) dv->size_bytes, &rows)) {
            list->own[list->own_count++] = rows;
        }
    }
    list->items[idx] = rows;
    list->is_any = true;
    list->deleted += dw__rowset_cardinality(rows);
    return DW_OK;
}

dw_status
dw__dv_list_load(dw_storage *storage, dw_file_set *set, const dw_file_ref *files, size_t count,
                 dw_dv_list *out, dw_error *err)
{
    const dw_allocator *allocator = storage->env->allocator;
    memset(out, 0, sizeof(*out));
    out->allocator = allocator;
    for (size_t i = 0; i < count; i++) {
        const dw_dv_descriptor *dv = dw__file_set_dv(set, files[i]);
        if (dv == NULL) {
            continue;
        }
        if (out->items == NULL) {
            out->count = count;
            out->items = dw__alloc_zero(allocator, count * sizeof(*out->items));
            out->own = dw__alloc_zero(allocator, count * sizeof(*out->own));
            if (out->items == NULL || out->own == NULL) {
                return dw__error_oom(err);
            }
        }
        dw_status status = load_one(storage, dw__file_set_block(set, files[i].block), files[i].row,
                                    dv, out, i, err);
        if (status != DW_OK) {
            dw__error_context(err, "reading which rows of %.*s are deleted",
                              DW_STR_ARG(dw__file_set_path(set, files[i])));
            return status;
        }
    }
    return DW_OK;
}

void
dw__dv_list_deinit(dw_dv_list *list)
{
    for (size_t i = 0; i < list->own_count; i++) {
        dw__rowset_free(list->own[i]);
    }
    if (list->allocator != NULL) {
        dw__dealloc(list->allocator, list->items, list->count * sizeof(*list->items));
        dw__dealloc(list->allocator, list->own, list->count * sizeof(*list->own));
    }
    memset(list, 0, sizeof(*list));
}
