/*
 * See page_index.h; OffsetIndex and PageLocation of parquet.thrift.
 */
#include "parquet/page_index.h"

#include "base/assert.h"
#include "parquet/thrift_write.h"

enum { INDEX_PAGES = 1, INDEX_TEXT_SIZES = 2 };
enum { PAGE_OFFSET = 1, PAGE_SIZE = 2, PAGE_FIRST_ROW = 3 };
enum { GROUP_COLUMNS = 1 };
enum { CHUNK_OFFSETS = 4, CHUNK_OFFSETS_SIZE, CHUNK_BOUNDS, CHUNK_BOUNDS_SIZE };
/* Of one file and of all. More is not worth its memory: a gigabyte has a few megabytes of them. */
#define INDEX_BYTES_MAX ((int64_t) 64 << 20)

typedef struct page_location {
    int64_t offset, size, first_row;
} page_location;

dw_pq_page_indexes
dw__pq_page_indexes_make(const dw_allocator *allocator)
{
    return (dw_pq_page_indexes){.bytes = dw__strbuf_make(allocator, (size_t) INDEX_BYTES_MAX)};
}

void
dw__pq_page_indexes_deinit(dw_pq_page_indexes *indexes)
{
    DW_VEC_DEINIT(indexes->bytes.allocator, &indexes->places);
    dw__strbuf_deinit(&indexes->bytes);
}

/* ---- Offset indexes -------------------------------------------------------------------------- */

static bool
read_page(dw_thrift *thrift, page_location *out)
{
    dw_thrift_field field = {0};
    bool is_known = true;
    *out = (page_location){-1, -1, -1};
    while (is_known && dw__thrift_next(thrift, &field)) {
        if (field.id == PAGE_OFFSET) {
            out->offset = dw__thrift_int(thrift, &field);
        } else if (field.id == PAGE_SIZE) {
            out->size = dw__thrift_int(thrift, &field);
        } else if (field.id == PAGE_FIRST_ROW) {
            out->first_row = dw__thrift_int(thrift, &field);
        } else {
            is_known = false;
        }
    }
    return is_known && !thrift->failed;
}

static void
put_page(dw_strbuf *out, const page_location *page, int64_t shift)
{
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    dw__thrift_put_int(&writer, PAGE_OFFSET, DW_THRIFT_I64, page->offset + shift);
    dw__thrift_put_int(&writer, PAGE_SIZE, DW_THRIFT_I32, page->size);
    dw__thrift_put_int(&writer, PAGE_FIRST_ROW, DW_THRIFT_I64, page->first_row);
    dw__thrift_put_end(&writer);
}

static bool
put_pages(dw_thrift *thrift, const dw_thrift_field *field, dw_pq_place column, int64_t row_count,
          int64_t shift, dw_strbuf *out)
{
    size_t count = dw__thrift_list(thrift, field, DW_THRIFT_STRUCT);
    int64_t end = column.offset; /* of the page before */
    int64_t least_row = 0;
    dw__thrift_put_list(out, DW_THRIFT_STRUCT, count);
    for (size_t i = 0; i < count && !out->failed; i++) {
        page_location page;
        if (!read_page(thrift, &page) || page.offset < end || page.size <= 0 ||
            page.size > INT32_MAX || page.size > column.offset + column.size - page.offset ||
            page.first_row < least_row || page.first_row >= row_count ||
            (i == 0 && page.first_row != 0)) {
            return false;
        }
        put_page(out, &page, shift);
        end = page.offset + page.size;
        least_row = page.first_row + 1;
    }
    return !thrift->failed;
}

bool
dw__pq_offset_index_shift(dw_str index, dw_pq_place column, int64_t row_count, int64_t shift,
                          dw_strbuf *out)
{
    dw_thrift thrift = dw__thrift_make(index);
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    dw_thrift_field field = {0};
    if (!dw__thrift_next(&thrift, &field) || field.id != INDEX_PAGES) {
        return false;
    }
    dw__thrift_put_field(&writer, INDEX_PAGES, DW_THRIFT_LIST);
    if (!put_pages(&thrift, &field, column, row_count, shift, out)) {
        return false;
    }
    if (dw__thrift_next(&thrift, &field)) {
        if (field.id != INDEX_TEXT_SIZES) {
            return false; /* perhaps a place */
        }
        dw__thrift_copy(&writer, &thrift, &field);
        if (dw__thrift_next(&thrift, &field)) {
            return false;
        }
    }
    dw__thrift_put_end(&writer);
    return !thrift.failed;
}

/* ---- The indexes of a file ------------------------------------------------------------------- */

static bool
is_before(dw_pq_place place, int64_t body_end)
{
    return place.offset > 0 && place.size > 0 && place.size <= INDEX_BYTES_MAX &&
           place.offset <= body_end - place.size;
}

static bool
has_bounds(const dw_pq_chunk *chunk)
{
    return chunk->bounds.offset != 0 || chunk->bounds.size != 0;
}

static void
widen(dw_pq_place *span, dw_pq_place place)
{
    int64_t end = span->offset + span->size;
    int64_t place_end = place.offset + place.size;
    bool is_first = span->size == 0;
    span->offset = is_first || place.offset < span->offset ? place.offset : span->offset;
    span->size = (is_first || place_end > end ? place_end : end) - span->offset;
}

/* What there is to be read; false when some are missing, or not where they can be. */
static bool
find_span(const dw_pq_footer *footer, int64_t body_end, dw_pq_place *out)
{
    *out = (dw_pq_place){0};
    for (size_t i = 0; i < footer->row_group_count; i++) {
        for (size_t k = 0; k < footer->leaf_count; k++) {
            const dw_pq_chunk *chunk = &footer->row_groups[i].chunks[k];
            if (!is_before(chunk->offsets, body_end)) {
                return false;
            }
            widen(out, chunk->offsets);
            if (!has_bounds(chunk)) {
                continue;
            }
            if (!is_before(chunk->bounds, body_end)) {
                return false;
            }
            widen(out, chunk->bounds);
        }
    }
    return out->size <= INDEX_BYTES_MAX;
}

/* `bytes` are those from `start` on. */
static dw_str
bytes_at(dw_str bytes, int64_t start, dw_pq_place place)
{
    size_t begin = (size_t) (place.offset - start);
    return dw__str_slice(bytes, begin, begin + (size_t) place.size);
}

/* False when no index is to be kept. */
static bool
take_chunk(dw_pq_page_indexes *x, const dw_pq_chunk *chunk, int64_t row_count, dw_str bytes,
           int64_t start, int64_t shift, dw_pq_index_places *out)
{
    size_t before = x->bytes.len;
    const dw_pq_place column = {chunk->offset, chunk->size_bytes};
    if (!dw__pq_offset_index_shift(bytes_at(bytes, start, chunk->offsets), column, row_count, shift,
                                   &x->bytes)) {
        return false;
    }
    out->offsets = (dw_pq_place){(int64_t) before, (int64_t) (x->bytes.len - before)};
    if (has_bounds(chunk)) {
        out->bounds = (dw_pq_place){(int64_t) x->bytes.len, chunk->bounds.size};
        dw__strbuf_append(&x->bytes, bytes_at(bytes, start, chunk->bounds));
    }
    return !x->bytes.too_large;
}

dw_status
dw__pq_page_indexes_take(dw_pq_page_indexes *indexes, const dw_pq_source *source,
                         const dw_pq_footer *footer, int64_t body_end, int64_t shift, dw_error *err)
{
    const dw_allocator *allocator = indexes->bytes.allocator;
    dw_pq_place span;
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(allocator, (size_t) INDEX_BYTES_MAX);
    indexes->is_dropped = indexes->is_dropped || !find_span(footer, body_end, &span);
    if (indexes->is_dropped || span.size == 0) {
        return DW_OK;
    }
    DW_TRY(dw__pq_source_read(source, (uint64_t) span.offset, (size_t) span.size, &bytes, err));
    for (size_t i = 0; i < footer->row_group_count; i++) {
        const dw_pq_row_group *group = &footer->row_groups[i];
        for (size_t k = 0; k < footer->leaf_count && !indexes->is_dropped; k++) {
            dw_pq_index_places *places = DW_VEC_PUSH(allocator, &indexes->places);
            if (places == NULL) {
                return dw__error_oom(err);
            }
            indexes->is_dropped = !take_chunk(indexes, &group->chunks[k], group->row_count,
                                              dw__strbuf_str(&bytes), span.offset, shift, places);
        }
    }
    bool is_oom = indexes->bytes.failed && !indexes->bytes.too_large;
    return is_oom ? dw__error_oom(err) : DW_OK;
}

/* ---- Row groups ------------------------------------------------------------------------------ */

static void
put_place(dw_thrift_writer *writer, int64_t id, dw_pq_place place, int64_t base)
{
    if (place.size > 0) {
        dw__thrift_put_int(writer, id, DW_THRIFT_I64, base + place.offset);
        dw__thrift_put_int(writer, id + 1, DW_THRIFT_I32, place.size);
    }
}

/* The numbers of the fields are behind those that are there. */
static void
put_chunk(dw_thrift *thrift, const dw_pq_index_places *places, int64_t base, dw_strbuf *out)
{
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        dw_assert(field.id < CHUNK_OFFSETS);
        dw__thrift_copy(&writer, thrift, &field);
    }
    put_place(&writer, CHUNK_OFFSETS, places->offsets, base);
    put_place(&writer, CHUNK_BOUNDS, places->bounds, base);
    dw__thrift_put_end(&writer);
}

void
dw__pq_page_indexes_name(const dw_pq_page_indexes *indexes, dw_str row_groups, int64_t base,
                         dw_strbuf *out)
{
    dw_thrift thrift = dw__thrift_make(row_groups);
    size_t idx = 0;
    while (thrift.at < thrift.end) {
        dw_thrift_writer writer = dw__thrift_writer_make(out);
        dw_thrift_field field = {0};
        while (dw__thrift_next(&thrift, &field)) {
            if (field.id != GROUP_COLUMNS) {
                dw__thrift_copy(&writer, &thrift, &field);
                continue;
            }
            size_t count = dw__thrift_list(&thrift, &field, DW_THRIFT_STRUCT);
            dw__thrift_put_field(&writer, GROUP_COLUMNS, DW_THRIFT_LIST);
            dw__thrift_put_list(out, DW_THRIFT_STRUCT, count);
            for (size_t i = 0; i < count; i++) {
                dw_assert(idx < indexes->places.count);
                put_chunk(&thrift, &indexes->places.items[idx++], base, out);
            }
        }
        dw__thrift_put_end(&writer);
    }
    dw_assert(!thrift.failed);
    dw_assert(idx == indexes->places.count);
}
