/*
 * Reading an index file. [INDEX-1]
 */
#include "bloom/index_file.h"

#include "base/assert.h"
#include "bloom/bytes.h"
#include "codec/codec.h"

#define VERSION 1
#define KEY_BYTES ((size_t) 32)
#define FILTER_BYTES ((size_t) 16)
#define PAGE_BYTES_MIN ((uint32_t) 512)
#define PAGE_BYTES_MAX ((uint32_t) 1 << 24)

static dw_status
invalid(dw_error *err, const char *what)
{
    return dw__error_set(err, DW_CORRUPT, "INDEX_FILE_INVALID", "the index file has %s", what);
}

/* ---- Keys ------------------------------------------------------------------------------------ */

dw_index_key
dw__index_key(dw_str path, int64_t size_bytes, int64_t modified_ms)
{
    return (dw_index_key){.path = {dw__xxhash64(path, 0), dw__xxhash64(path, 1)},
                          .size_bytes = size_bytes,
                          .modified_ms = modified_ms};
}

int
dw__index_key_compare(const dw_index_key *a, const dw_index_key *b)
{
    if (a->path[0] != b->path[0]) {
        return a->path[0] < b->path[0] ? -1 : 1;
    }
    if (a->path[1] != b->path[1]) {
        return a->path[1] < b->path[1] ? -1 : 1;
    }
    if (a->size_bytes != b->size_bytes) {
        return a->size_bytes < b->size_bytes ? -1 : 1;
    }
    return a->modified_ms == b->modified_ms ? 0 : a->modified_ms < b->modified_ms ? -1 : 1;
}

/* ---- The head -------------------------------------------------------------------------------- */

static uint64_t
page_count(const dw_index_head *head)
{
    return (head->filters_bytes + head->page_bytes - 1) / head->page_bytes;
}

static size_t
entry_size(const dw_index_head *head)
{
    return KEY_BYTES + head->column_count * FILTER_BYTES;
}

/* The sizes of all parts are bounded before they are added up. */
static bool
fits(const dw_index_head *head)
{
    return head->column_count >= 1 && head->column_count <= DW_BLOOM_COLUMNS_MAX &&
           head->entry_count <= DW_INDEX_ENTRIES_MAX &&
           head->filters_bytes <= DW_INDEX_FILTERS_BYTES_MAX &&
           head->page_bytes >= PAGE_BYTES_MIN && head->page_bytes <= PAGE_BYTES_MAX &&
           head->page_bytes % DW_BLOOM_BLOCK_BYTES == 0 && head->columns_bytes % 8 == 0 &&
           head->directory_bytes <= DW_INDEX_DIRECTORY_BYTES_MAX &&
           head->directory_bytes == head->columns_bytes + head->entry_count * entry_size(head) +
                                        page_count(head) * sizeof(uint32_t) &&
           head->filters_offset == DW_INDEX_HEAD_BYTES + head->directory_bytes;
}

dw_status
dw__index_head_parse(dw_str bytes, dw_index_head *out, dw_error *err)
{
    const uint8_t *at = (const uint8_t *) bytes.ptr;
    *out = (dw_index_head){0};
    if (bytes.len < DW_INDEX_HEAD_BYTES || memcmp(at, "DWBLOOM1", 8) != 0) {
        return invalid(err, "no such beginning as index files have");
    }
    if (dw__bytes_get(at + 8, 4) != VERSION) {
        return invalid(err, "a version that is not known");
    }
    if (dw__crc32(dw__str_slice(bytes, 16, DW_INDEX_HEAD_BYTES - 16)) !=
        dw__bytes_get(at + 12, 4)) {
        return invalid(err, "a wrong checksum of its head");
    }
    *out = (dw_index_head){.directory_bytes = dw__bytes_get(at + 16, 8),
                           .directory_crc = (uint32_t) dw__bytes_get(at + 24, 4),
                           .column_count = (uint32_t) dw__bytes_get(at + 28, 4),
                           .entry_count = dw__bytes_get(at + 32, 8),
                           .filters_offset = dw__bytes_get(at + 40, 8),
                           .filters_bytes = dw__bytes_get(at + 48, 8),
                           .page_bytes = (uint32_t) dw__bytes_get(at + 56, 4),
                           .columns_bytes = (uint32_t) dw__bytes_get(at + 60, 4)};
    return fits(out) ? DW_OK : invalid(err, "sizes that do not fit each other");
}

/* ---- The directory --------------------------------------------------------------------------- */

static bool
take_text(dw_str *rest, dw_str *out)
{
    if (rest->len < 2) {
        return false;
    }
    size_t len = (size_t) dw__bytes_get((const uint8_t *) rest->ptr, 2);
    if (rest->len - 2 < len) {
        return false;
    }
    *out = dw__str_slice(*rest, 2, len);
    *rest = dw__str_slice(*rest, 2 + len, rest->len);
    return true;
}

static bool
take_column(dw_str *rest, dw_index_column *out)
{
    if (!take_text(rest, &out->name) || !take_text(rest, &out->type) || rest->len < 24) {
        return false;
    }
    const uint8_t *at = (const uint8_t *) rest->ptr;
    out->options = (dw_bloom_options){.fpp = dw__bytes_get_double(at),
                                      .item_count = (int64_t) dw__bytes_get(at + 8, 8),
                                      .expected_fpp_max = dw__bytes_get_double(at + 16)};
    *rest = dw__str_slice(*rest, 24, rest->len);
    return true;
}

static bool
is_filter_sound(const dw_index *index, dw_index_filter filter)
{
    uint64_t all = index->head.filters_bytes;
    if (filter.size == 0) {
        return filter.offset == DW_INDEX_NOT_MADE || filter.offset == DW_INDEX_NOT_KEPT;
    }
    return filter.size % DW_BLOOM_BLOCK_BYTES == 0 && filter.offset % DW_BLOOM_BLOCK_BYTES == 0 &&
           filter.size <= DW_BLOOM_FILTER_BYTES_MAX && filter.size <= all &&
           filter.offset <= all - filter.size;
}

static bool
are_entries_sound(const dw_index *index)
{
    dw_index_key last = {0};
    for (uint64_t i = 0; i < index->head.entry_count; i++) {
        dw_index_key key = dw__index_entry_key(index, i);
        if (i > 0 && dw__index_key_compare(&last, &key) >= 0) {
            return false;
        }
        for (size_t k = 0; k < index->head.column_count; k++) {
            if (!is_filter_sound(index, dw__index_entry_filter(index, i, k))) {
                return false;
            }
        }
        last = key;
    }
    return true;
}

dw_status
dw__index_parse(const dw_index_head *head, dw_str directory, dw_index *out, dw_error *err)
{
    *out =
        (dw_index){.head = *head, .entry_size = entry_size(head), .page_count = page_count(head)};
    if (directory.len != head->directory_bytes) {
        return invalid(err, "an end before that of its directory");
    }
    if (dw__crc32(directory) != head->directory_crc) {
        return invalid(err, "a wrong checksum of its directory");
    }
    dw_str rest = dw__str_slice(directory, 0, head->columns_bytes);
    for (size_t i = 0; i < head->column_count; i++) {
        if (!take_column(&rest, &out->columns[i])) {
            return invalid(err, "columns that end too early");
        }
    }
    out->entries = (const uint8_t *) directory.ptr + head->columns_bytes;
    out->page_crcs = out->entries + head->entry_count * out->entry_size;
    return are_entries_sound(out) ? DW_OK : invalid(err, "entries that cannot be");
}

dw_index_key
dw__index_entry_key(const dw_index *index, uint64_t entry_idx)
{
    dw_assert(entry_idx < index->head.entry_count);
    const uint8_t *at = index->entries + entry_idx * index->entry_size;
    return (dw_index_key){.path = {dw__bytes_get(at, 8), dw__bytes_get(at + 8, 8)},
                          .size_bytes = (int64_t) dw__bytes_get(at + 16, 8),
                          .modified_ms = (int64_t) dw__bytes_get(at + 24, 8)};
}

dw_index_filter
dw__index_entry_filter(const dw_index *index, uint64_t entry_idx, size_t column_idx)
{
    dw_assert(entry_idx < index->head.entry_count);
    dw_assert(column_idx < index->head.column_count);
    const uint8_t *at =
        index->entries + entry_idx * index->entry_size + KEY_BYTES + column_idx * FILTER_BYTES;
    return (dw_index_filter){.offset = dw__bytes_get(at, 8), .size = dw__bytes_get(at + 8, 8)};
}

size_t
dw__index_find_column(const dw_index *index, dw_str name)
{
    for (size_t i = 0; i < index->head.column_count; i++) {
        if (dw__str_equal(index->columns[i].name, name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* ---- Pages ----------------------------------------------------------------------------------- */

size_t
dw__index_page_size(const dw_index *index, uint64_t page_idx)
{
    dw_assert(page_idx < index->page_count);
    uint64_t start = page_idx * index->head.page_bytes;
    uint64_t left = index->head.filters_bytes - start;
    return left < index->head.page_bytes ? (size_t) left : index->head.page_bytes;
}

bool
dw__index_page_is_sound(const dw_index *index, uint64_t page_idx, const uint8_t *bytes)
{
    size_t size = dw__index_page_size(index, page_idx);
    uint32_t expected = (uint32_t) dw__bytes_get(index->page_crcs + page_idx * 4, 4);
    return dw__crc32(dw__str_make((const char *) bytes, size)) == expected;
}
