/*
 * Writing an index file. [INDEX-3]
 */
#include "base/assert.h"
#include "base/vec.h"
#include "bloom/bytes.h"
#include "bloom/index_file.h"
#include "codec/codec.h"

#include <stdlib.h>

#define TEXT_LEN_MAX ((size_t) UINT16_MAX)

typedef struct written_entry {
    dw_index_key key;
    size_t order; /* its filters, one a column, are where its number says */
} written_entry;

struct dw_index_writer {
    const dw_allocator *allocator;
    dw_arena arena;
    dw_index_column columns[DW_BLOOM_COLUMNS_MAX];
    size_t column_count;
    struct {
        written_entry *items;
        size_t count;
        size_t capacity;
    } entries;
    struct {
        dw_index_filter *items;
        size_t count;
        size_t capacity;
    } places; /* of filters */
    dw_strbuf filters;
};

dw_status
dw__index_writer_new(const dw_allocator *allocator, const dw_index_column *columns,
                     size_t column_count, dw_index_writer **out, dw_error *err)
{
    dw_assert(column_count > 0 && column_count <= DW_BLOOM_COLUMNS_MAX);
    dw_index_writer *writer = DW_NEW(allocator, dw_index_writer);
    *out = writer;
    if (writer == NULL) {
        return dw__error_oom(err);
    }
    writer->allocator = allocator;
    writer->column_count = column_count;
    writer->filters = dw__strbuf_make(allocator, DW_INDEX_WRITTEN_BYTES_MAX);
    dw__arena_init(&writer->arena, allocator);
    for (size_t i = 0; i < column_count; i++) {
        writer->columns[i].options = columns[i].options;
        if (columns[i].name.len > TEXT_LEN_MAX || columns[i].type.len > TEXT_LEN_MAX ||
            !dw__arena_dup(&writer->arena, columns[i].name, &writer->columns[i].name) ||
            !dw__arena_dup(&writer->arena, columns[i].type, &writer->columns[i].type)) {
            dw__index_writer_free(writer);
            *out = NULL;
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

void
dw__index_writer_free(dw_index_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    DW_VEC_DEINIT(writer->allocator, &writer->entries);
    DW_VEC_DEINIT(writer->allocator, &writer->places);
    dw__strbuf_deinit(&writer->filters);
    dw__arena_deinit(&writer->arena);
    DW_DELETE(writer->allocator, writer);
}

dw_status
dw__index_writer_add(dw_index_writer *writer, const dw_index_key *key, dw_error *err)
{
    if (writer->entries.count == DW_INDEX_ENTRIES_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "INDEX_FILE_TOO_LARGE",
                             "expected an index file of at most %zu data files, found more",
                             (size_t) DW_INDEX_ENTRIES_MAX);
    }
    written_entry *entry = DW_VEC_PUSH(writer->allocator, &writer->entries);
    if (entry == NULL) {
        return dw__error_oom(err);
    }
    *entry = (written_entry){.key = *key, .order = writer->entries.count - 1};
    for (size_t i = 0; i < writer->column_count; i++) {
        dw_index_filter *place = DW_VEC_PUSH(writer->allocator, &writer->places);
        if (place == NULL) {
            return dw__error_oom(err);
        }
        place->offset = DW_INDEX_NOT_MADE;
    }
    return DW_OK;
}

dw_status
dw__index_writer_put(dw_index_writer *writer, size_t column_idx, dw_str bytes, dw_error *err)
{
    dw_assert(writer->entries.count > 0 && column_idx < writer->column_count);
    dw_assert(bytes.len % DW_BLOOM_BLOCK_BYTES == 0);
    dw_index_filter *place =
        &writer->places.items[writer->places.count - writer->column_count + column_idx];
    *place = (dw_index_filter){.offset = bytes.len == 0 ? DW_INDEX_NOT_KEPT : writer->filters.len,
                               .size = bytes.len};
    dw__strbuf_append(&writer->filters, bytes);
    return dw__strbuf_ok(&writer->filters, "the filters of an index file", err);
}

const dw_allocator *
dw__index_writer_allocator(const dw_index_writer *writer)
{
    return writer->allocator;
}

size_t
dw__index_writer_size(const dw_index_writer *writer)
{
    return writer->filters.len;
}

size_t
dw__index_writer_count(const dw_index_writer *writer)
{
    return writer->entries.count;
}

/* ---- The file -------------------------------------------------------------------------------- */

static void
put_number(dw_strbuf *out, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    dw__bytes_put(bytes, value, size);
    dw__strbuf_append(out, dw__str_make((const char *) bytes, size));
}

static void
put_double(dw_strbuf *out, double value)
{
    uint8_t bytes[8];
    dw__bytes_put_double(bytes, value);
    dw__strbuf_append(out, dw__str_make((const char *) bytes, sizeof bytes));
}

/* From the head on; gives the bytes of the columns. */
static size_t
put_columns(const dw_index_writer *writer, dw_strbuf *out)
{
    size_t start = out->len;
    for (size_t i = 0; i < writer->column_count; i++) {
        const dw_index_column *column = &writer->columns[i];
        put_number(out, column->name.len, 2);
        dw__strbuf_append(out, column->name);
        put_number(out, column->type.len, 2);
        dw__strbuf_append(out, column->type);
        put_double(out, column->options.fpp);
        put_number(out, (uint64_t) column->options.item_count, 8);
        put_double(out, column->options.expected_fpp_max);
    }
    while (!out->failed && (out->len - start) % 8 != 0) {
        dw__strbuf_append_char(out, '\0');
    }
    return out->len - start;
}

static int
compare_entries(const void *a, const void *b)
{
    const written_entry *x = a;
    const written_entry *y = b;
    int order = dw__index_key_compare(&x->key, &y->key);
    return order != 0 ? order : x->order < y->order ? -1 : x->order > y->order;
}

/* What the later of two entries of a data file lacks it gets from the earlier. */
static void
take_over(dw_index_writer *writer, const written_entry *from, const written_entry *to)
{
    for (size_t i = 0; i < writer->column_count; i++) {
        dw_index_filter *place = &writer->places.items[to->order * writer->column_count + i];
        if (place->offset == DW_INDEX_NOT_MADE) {
            *place = writer->places.items[from->order * writer->column_count + i];
        }
    }
}

static void
sort_entries(dw_index_writer *writer)
{
    written_entry *items = writer->entries.items;
    size_t count = writer->entries.count;
    size_t kept = 0;
    if (count > 1) {
        qsort(items, count, sizeof *items, compare_entries);
    }
    for (size_t i = 0; i < count; i++) {
        bool is_last =
            i + 1 == count || dw__index_key_compare(&items[i].key, &items[i + 1].key) != 0;
        if (is_last) {
            items[kept++] = items[i];
        } else {
            take_over(writer, &items[i], &items[i + 1]);
        }
    }
    writer->entries.count = kept;
}

static void
put_entries(const dw_index_writer *writer, dw_strbuf *out)
{
    for (size_t i = 0; i < writer->entries.count; i++) {
        const written_entry *entry = &writer->entries.items[i];
        put_number(out, entry->key.path[0], 8);
        put_number(out, entry->key.path[1], 8);
        put_number(out, (uint64_t) entry->key.size_bytes, 8);
        put_number(out, (uint64_t) entry->key.modified_ms, 8);
        for (size_t k = 0; k < writer->column_count; k++) {
            const dw_index_filter *place =
                &writer->places.items[entry->order * writer->column_count + k];
            put_number(out, place->offset, 8);
            put_number(out, place->size, 8);
        }
    }
}

static void
put_page_crcs(const dw_index_writer *writer, dw_strbuf *out)
{
    dw_str filters = dw__strbuf_str(&writer->filters);
    for (size_t at = 0; at < filters.len; at += DW_INDEX_PAGE_BYTES) {
        size_t left = filters.len - at;
        size_t size = left < DW_INDEX_PAGE_BYTES ? left : DW_INDEX_PAGE_BYTES;
        put_number(out, dw__crc32(dw__str_slice(filters, at, size)), 4);
    }
}

/* Fills the place that was left for it. */
static void
print_head(const dw_index_writer *writer, size_t columns_bytes, dw_strbuf *out)
{
    uint8_t *head = (uint8_t *) out->ptr;
    size_t directory_bytes = out->len - DW_INDEX_HEAD_BYTES;
    dw_str directory = dw__str_slice(dw__strbuf_str(out), DW_INDEX_HEAD_BYTES, out->len);
    memcpy(head, "DWBLOOM1", 8);
    dw__bytes_put(head + 8, 1, 4);
    dw__bytes_put(head + 16, directory_bytes, 8);
    dw__bytes_put(head + 24, dw__crc32(directory), 4);
    dw__bytes_put(head + 28, writer->column_count, 4);
    dw__bytes_put(head + 32, writer->entries.count, 8);
    dw__bytes_put(head + 40, out->len, 8);
    dw__bytes_put(head + 48, writer->filters.len, 8);
    dw__bytes_put(head + 56, DW_INDEX_PAGE_BYTES, 4);
    dw__bytes_put(head + 60, columns_bytes, 4);
    dw_str checked = dw__str_slice(dw__strbuf_str(out), 16, DW_INDEX_HEAD_BYTES - 16);
    dw__bytes_put(head + 12, dw__crc32(checked), 4);
}

dw_status
dw__index_writer_print(dw_index_writer *writer, dw_strbuf *out, dw_error *err)
{
    static const char empty_head[DW_INDEX_HEAD_BYTES] = {0};
    dw_assert(out->len == 0);
    sort_entries(writer);
    dw__strbuf_append(out, dw__str_make(empty_head, sizeof empty_head));
    size_t columns_bytes = put_columns(writer, out);
    put_entries(writer, out);
    put_page_crcs(writer, out);
    DW_TRY(dw__strbuf_ok(out, "an index file", err));
    print_head(writer, columns_bytes, out);
    dw__strbuf_append(out, dw__strbuf_str(&writer->filters));
    return dw__strbuf_ok(out, "an index file", err);
}
