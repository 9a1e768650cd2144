/*
 * From the pages of a chunk to cells. Values of pages that have no dictionary are appended to those
 * of the dictionary, if there is one. [CELLS-1] [CELLS-2]
 */
#include "parquet/cells.h"

#include "base/assert.h"
#include "parquet/column.h"

/* Places that are read at once. */
#define PLACES_AT_ONCE ((size_t) 1024)

/* ---- Life ------------------------------------------------------------------------------------ */

static void
destroy_cells(dw_cache_item *item)
{
    dw_pq_cells *cells = (dw_pq_cells *) item;
    const dw_allocator *allocator = cells->allocator;
    dw__dealloc(allocator, cells->values, cells->value_count * cells->width);
    dw__dealloc(allocator, cells->bytes, cells->bytes_size);
    dw__dealloc(allocator, cells->places, cells->row_count * cells->place_width);
    dw__dealloc(allocator, cells->null_bits,
                cells->null_bits == NULL ? 0 : (cells->row_count + 63) / 64 * sizeof(uint64_t));
    DW_DELETE(allocator, cells);
}

/* 0: values that cells do not hold. */
static size_t
width_of(const dw_pq_node *leaf)
{
    switch (leaf->type) {
    case DW_PQ_BOOLEAN:
        return 1;
    case DW_PQ_INT32:
    case DW_PQ_FLOAT:
        return 4;
    case DW_PQ_INT64:
    case DW_PQ_DOUBLE:
        return 8;
    case DW_PQ_INT96:
        return 12;
    case DW_PQ_BYTE_ARRAY:
        return sizeof(uint32_t);
    case DW_PQ_FIXED_BYTES:
        return leaf->width > 0 && leaf->width <= 64 ? (size_t) leaf->width : 0;
    case DW_PQ_GROUP:
        break;
    }
    return 0;
}

bool
dw__pq_cells_can_hold(const dw_pq_node *leaf, const dw_pq_chunk *chunk, int64_t row_count)
{
    return width_of(leaf) > 0 && leaf->max_rep == 0 && leaf->max_def <= 1 &&
           dw__pq_chunk_is_plain(chunk) && chunk->size_bytes <= (int64_t) DW_PQ_CELLS_BYTES_MAX &&
           row_count > 0 && row_count <= DW_PQ_CELLS_ROWS_MAX && chunk->value_count == row_count;
}

/* ---- While they are made --------------------------------------------------------------------- */

typedef struct unpacker {
    const dw_allocator *allocator;
    const dw_pq_node *leaf;
    size_t width, row_count;
    dw_strbuf chunk;
    dw_pq_pages pages;
    dw_pq_buffer buffer;
    dw_strbuf values, bytes;
    size_t value_count;
    size_t dictionary_count;
    bool has_places;  /* not each row has a value of its own */
    uint32_t *places; /* of all rows */
    uint8_t *defs;    /* of all rows; of a leaf that is optional */
    size_t null_count;
    size_t rows_done;
} unpacker;

static void
unpacker_init(unpacker *u, const dw_allocator *allocator, const dw_pq_node *leaf, size_t row_count,
              size_t size_max)
{
    *u = (unpacker){.allocator = allocator,
                    .leaf = leaf,
                    .width = width_of(leaf),
                    .row_count = row_count,
                    .chunk = dw__strbuf_make(allocator, SIZE_MAX / 2),
                    .pages = {.allocator = allocator},
                    .buffer = {.allocator = allocator},
                    .values = dw__strbuf_make(allocator, size_max),
                    .bytes = dw__strbuf_make(allocator, size_max)};
}

static void
unpacker_deinit(unpacker *u)
{
    dw__strbuf_deinit(&u->chunk);
    dw__pq_pages_deinit(&u->pages);
    dw__pq_buffer_deinit(&u->buffer);
    dw__strbuf_deinit(&u->values);
    dw__strbuf_deinit(&u->bytes);
    dw__dealloc(u->allocator, u->places, u->row_count * sizeof(*u->places));
    dw__dealloc(u->allocator, u->defs, u->row_count);
}

static dw_status
load(unpacker *u, const dw_pq_source *source, const dw_pq_chunk *chunk, dw_error *err)
{
    size_t size = (size_t) chunk->size_bytes;
    DW_TRY(dw__storage_get_range(source->storage, source->key, (uint64_t) chunk->offset, size,
                                 &u->chunk, err));
    if (u->chunk.len != size) {
        return dw__pq_odd(err, "column chunk");
    }
    if (!dw__strbuf_reserve(&u->chunk, DW_PQ_SLACK)) {
        return dw__error_oom(err);
    }
    u->pages.rest = dw__strbuf_str(&u->chunk);
    u->pages.codec = chunk->codec;
    u->places = dw__alloc(u->allocator, u->row_count * sizeof(*u->places));
    u->defs = u->leaf->max_def == 0 ? NULL : dw__alloc(u->allocator, u->row_count);
    bool has_room = u->places != NULL && (u->leaf->max_def == 0 || u->defs != NULL);
    return has_room ? DW_OK : dw__error_oom(err);
}

/* ---- Plain values ---------------------------------------------------------------------------- */

/* What failed to grow a buffer. */
static dw_status
no_room(const dw_strbuf *buf, dw_error *err)
{
    return buf->too_large ? dw__pq_odd(err, "size of values") : dw__error_oom(err);
}

static dw_status
append_binaries(unpacker *u, dw_str in, size_t count, dw_error *err)
{
    if (!dw__strbuf_reserve(&u->values, count * u->width)) {
        return no_room(&u->values, err);
    }
    if (!dw__strbuf_reserve(&u->bytes, in.len)) {
        return no_room(&u->bytes, err);
    }
    const char *at = in.ptr, *end = in.ptr + in.len;
    char *to = u->bytes.ptr + u->bytes.len;
    for (size_t i = 0; i < count; i++) {
        uint32_t len = 0;
        if ((size_t) (end - at) < sizeof(len)) {
            return dw__pq_odd(err, "value");
        }
        memcpy(&len, at, sizeof(len));
        at += sizeof(len);
        if (len > (size_t) (end - at)) {
            return dw__pq_odd(err, "value");
        }
        memcpy(to, at, len);
        to += len;
        at += len;
        uint32_t place = (uint32_t) (to - u->bytes.ptr);
        memcpy(u->values.ptr + u->values.len + i * sizeof(place), &place, sizeof(place));
    }
    dw__strbuf_advance(&u->bytes, (size_t) (to - u->bytes.ptr) - u->bytes.len);
    dw__strbuf_advance(&u->values, count * u->width);
    return DW_OK;
}

static dw_status
append_bits(unpacker *u, dw_str in, size_t count, dw_error *err)
{
    if (count > in.len * 8) {
        return dw__pq_odd(err, "value");
    }
    for (size_t i = 0; i < count; i++) {
        dw__strbuf_append_char(&u->values, (char) ((uint8_t) in.ptr[i / 8] >> (i % 8) & 1));
    }
    return u->values.failed ? no_room(&u->values, err) : DW_OK;
}

static dw_status
append_numbers(unpacker *u, dw_str in, size_t count, dw_error *err)
{
    if (count > in.len / u->width) {
        return dw__pq_odd(err, "value");
    }
    dw__strbuf_append(&u->values, dw__str_make(in.ptr, count * u->width));
    return u->values.failed ? no_room(&u->values, err) : DW_OK;
}

static dw_status
append_plain(unpacker *u, dw_str in, size_t count, dw_error *err)
{
    DW_TRY(u->leaf->type == DW_PQ_BYTE_ARRAY ? append_binaries(u, in, count, err)
           : u->leaf->type == DW_PQ_BOOLEAN  ? append_bits(u, in, count, err)
                                             : append_numbers(u, in, count, err));
    u->value_count += count;
    return DW_OK;
}

/* Booleans as runs, behind their size. */
static dw_status
append_runs(unpacker *u, dw_str in, size_t count, dw_error *err)
{
    uint8_t bits[PLACES_AT_ONCE];
    if (u->leaf->type != DW_PQ_BOOLEAN || in.len < sizeof(uint32_t)) {
        return dw__pq_odd(err, "encoding");
    }
    dw_pq_runs runs = dw__pq_runs_make(dw__str_slice(in, sizeof(uint32_t), in.len), 1);
    for (size_t done = 0; done < count;) {
        size_t part = count - done < PLACES_AT_ONCE ? count - done : PLACES_AT_ONCE;
        if (!dw__pq_runs_take_bytes(&runs, bits, part)) {
            return dw__pq_odd(err, "value");
        }
        dw__strbuf_append(&u->values, dw__str_make((const char *) bits, part));
        done += part;
    }
    u->value_count += count;
    return u->values.failed ? no_room(&u->values, err) : DW_OK;
}

/* ---- Pages ----------------------------------------------------------------------------------- */

static dw_status
read_dictionary(unpacker *u, const dw_pq_page_head *head, dw_error *err)
{
    dw_pq_page page;
    bool is_plain =
        head->encoding == DW_PQ_ENCODING_PLAIN || head->encoding == DW_PQ_ENCODING_PLAIN_DICTIONARY;
    if (!is_plain || u->leaf->type == DW_PQ_BOOLEAN || u->value_count > 0 || u->rows_done > 0) {
        return dw__pq_odd(err, "dictionary");
    }
    DW_TRY(dw__pq_page_open(&u->pages, head, u->leaf, &u->buffer, &page, err));
    DW_TRY(append_plain(u, page.values, (size_t) head->value_count, err));
    u->dictionary_count = (size_t) head->value_count;
    u->has_places = true;
    return DW_OK;
}

/* The levels of the page's rows; how many have a value. */
static dw_status
read_defs(unpacker *u, dw_str bytes, size_t count, size_t *values_out, dw_error *err)
{
    *values_out = count;
    if (u->leaf->max_def == 0) {
        return DW_OK;
    }
    uint8_t *defs = u->defs + u->rows_done;
    uint32_t same = 0;
    dw_pq_runs runs = dw__pq_runs_make(bytes, 1);
    if (dw__pq_runs_take_same(&runs, count, &same)) {
        memset(defs, (int) same, count);
    } else if (!dw__pq_runs_take_bytes(&runs, defs, count)) {
        return dw__pq_odd(err, "level");
    }
    size_t values = 0;
    for (size_t i = 0; i < count; i++) {
        if (defs[i] > 1) {
            return dw__pq_odd(err, "level");
        }
        values += defs[i];
    }
    u->null_count += count - values;
    u->has_places = u->has_places || values < count;
    *values_out = values;
    return DW_OK;
}

/* Places of the page's values, one behind the other at the beginning of its rows. */
static dw_status
read_places(unpacker *u, dw_str in, size_t count, uint32_t *places, dw_error *err)
{
    unsigned width = in.len == 0 ? 0 : (uint8_t) in.ptr[0];
    if (width > DW_PQ_RUNS_WIDTH_MAX) {
        return dw__pq_odd(err, "width of a dictionary's places");
    }
    dw_pq_runs runs = dw__pq_runs_make(dw__str_slice(in, in.len == 0 ? 0 : 1, in.len), width);
    if (!dw__pq_runs_take(&runs, places, count)) {
        return dw__pq_odd(err, "value");
    }
    uint32_t greatest = 0;
    for (size_t i = 0; i < count; i++) {
        greatest = places[i] > greatest ? places[i] : greatest;
    }
    return count == 0 || greatest < u->dictionary_count ? DW_OK : dw__pq_odd(err, "value");
}

/* From a place for each value to one for each row: the last one first. */
static void
spread_places(uint32_t *places, const uint8_t *defs, size_t count, size_t values)
{
    for (size_t i = count; i-- > 0;) {
        places[i] = defs[i] == 0 ? 0 : places[--values];
    }
}

static dw_status
read_values(unpacker *u, const dw_pq_page_head *head, dw_str in, size_t count, dw_error *err)
{
    uint32_t *places = u->places + u->rows_done;
    bool is_from_dictionary = head->encoding == DW_PQ_ENCODING_PLAIN_DICTIONARY ||
                              head->encoding == DW_PQ_ENCODING_RLE_DICTIONARY;
    if (is_from_dictionary) {
        return read_places(u, in, count, places, err);
    }
    for (size_t i = 0; i < count; i++) {
        places[i] = (uint32_t) (u->value_count + i);
    }
    if (head->encoding == DW_PQ_ENCODING_RLE) {
        return append_runs(u, in, count, err);
    }
    return head->encoding == DW_PQ_ENCODING_PLAIN ? append_plain(u, in, count, err)
                                                  : dw__pq_odd(err, "encoding");
}

static dw_status
read_page(unpacker *u, const dw_pq_page_head *head, dw_error *err)
{
    size_t count = (size_t) head->value_count, values;
    if (count > u->row_count - u->rows_done) {
        return dw__pq_odd(err, "number of values");
    }
    dw_pq_page page;
    DW_TRY(dw__pq_page_open(&u->pages, head, u->leaf, &u->buffer, &page, err));
    DW_TRY(read_defs(u, page.defs, count, &values, err));
    DW_TRY(read_values(u, head, page.values, values, err));
    if (values < count) {
        spread_places(u->places + u->rows_done, u->defs + u->rows_done, count, values);
    }
    u->rows_done += count;
    return DW_OK;
}

static dw_status
read_pages(unpacker *u, dw_error *err)
{
    while (u->rows_done < u->row_count) {
        dw_pq_page_head head;
        DW_TRY(dw__pq_page_head(&u->pages, &head, err));
        DW_TRY(head.is_dictionary ? read_dictionary(u, &head, err) : read_page(u, &head, err));
    }
    return DW_OK;
}

/* ---- What is kept ---------------------------------------------------------------------------- */

/* A copy of a buffer; NULL for nothing. False when out of memory. */
static bool
keep_bytes(const dw_allocator *allocator, const dw_strbuf *from, char **out)
{
    *out = NULL;
    if (from->len > 0) {
        *out = dw__alloc(allocator, from->len);
        if (*out == NULL) {
            return false;
        }
        memcpy(*out, from->ptr, from->len);
    }
    return true;
}

static bool
keep_places(const unpacker *u, dw_pq_cells *cells)
{
    if (!u->has_places) {
        return true;
    }
    size_t width = u->value_count <= (size_t) UINT8_MAX + 1    ? 1
                   : u->value_count <= (size_t) UINT16_MAX + 1 ? 2
                                                               : 4;
    cells->places = dw__alloc(cells->allocator, u->row_count * width);
    if (cells->places == NULL) {
        return false;
    }
    cells->place_width = width;
    for (size_t i = 0; i < u->row_count; i++) {
        uint32_t place = u->places[i];
        if (width == 1) {
            ((uint8_t *) cells->places)[i] = (uint8_t) place;
        } else if (width == 2) {
            ((uint16_t *) cells->places)[i] = (uint16_t) place;
        } else {
            ((uint32_t *) cells->places)[i] = place;
        }
    }
    return true;
}

static bool
keep_nulls(const unpacker *u, dw_pq_cells *cells)
{
    if (u->null_count == 0) {
        return true;
    }
    size_t words = (u->row_count + 63) / 64;
    cells->null_bits = dw__alloc_zero(cells->allocator, words * sizeof(uint64_t));
    for (size_t i = 0; cells->null_bits != NULL && i < u->row_count; i++) {
        cells->null_bits[i / 64] |= (uint64_t) (u->defs[i] == 0) << (i % 64);
    }
    return cells->null_bits != NULL;
}

static void
note_bounds(dw_pq_cells *cells)
{
    int64_t before = INT64_MIN;
    cells->least = INT64_MAX;
    cells->greatest = INT64_MIN;
    cells->ascends = cells->places == NULL;
    for (size_t i = 0; i < cells->value_count; i++) {
        int64_t value = dw__pq_cells_integer_at(cells, i);
        cells->least = value < cells->least ? value : cells->least;
        cells->greatest = value > cells->greatest ? value : cells->greatest;
        cells->ascends = cells->ascends && value >= before;
        before = value;
    }
}

static dw_status
keep(const unpacker *u, dw_pq_cells **out, dw_error *err)
{
    dw_pq_cells *cells = DW_NEW(u->allocator, dw_pq_cells);
    if (cells == NULL) {
        return dw__error_oom(err);
    }
    *cells = (dw_pq_cells){.allocator = u->allocator,
                           .type = u->leaf->type,
                           .width = u->width,
                           .row_count = u->row_count,
                           .value_count = u->value_count,
                           .bytes_size = u->bytes.len};
    dw__cache_item_init(&cells->item, 0, destroy_cells);
    if (!keep_bytes(u->allocator, &u->values, &cells->values) ||
        !keep_bytes(u->allocator, &u->bytes, &cells->bytes) || !keep_places(u, cells) ||
        !keep_nulls(u, cells)) {
        destroy_cells(&cells->item);
        return dw__error_oom(err);
    }
    if (dw__pq_leaf_is_integer(u->leaf)) {
        note_bounds(cells);
    }
    cells->item.size_bytes = sizeof(*cells) + cells->value_count * cells->width +
                             cells->bytes_size + cells->row_count * cells->place_width +
                             (cells->null_bits == NULL ? 0 : cells->row_count / 8);
    *out = cells;
    return DW_OK;
}

/* Cells that say no more than that the chunk is odd. */
static dw_status
make_odd(const dw_allocator *allocator, dw_pq_cells **out, dw_error *err)
{
    *out = DW_NEW(allocator, dw_pq_cells);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    (*out)->allocator = allocator;
    (*out)->is_odd = true;
    dw__cache_item_init(&(*out)->item, sizeof(**out), destroy_cells);
    return DW_OK;
}

dw_status
dw__pq_cells_make(const dw_allocator *allocator, const dw_pq_source *source, const dw_pq_node *leaf,
                  const dw_pq_chunk *chunk, int64_t row_count, size_t size_max, dw_pq_cells **out,
                  dw_error *err)
{
    *out = NULL;
    if (!dw__pq_cells_can_hold(leaf, chunk, row_count)) {
        return make_odd(allocator, out, err);
    }
    size_max = size_max < DW_PQ_CELLS_BYTES_MAX ? size_max : DW_PQ_CELLS_BYTES_MAX;
    unpacker u;
    dw_error cause = DW_ERROR_INIT;
    unpacker_init(&u, allocator, leaf, (size_t) row_count, size_max);
    dw_status status = load(&u, source, chunk, &cause);
    status = status == DW_OK ? read_pages(&u, &cause) : status;
    status = status == DW_OK ? keep(&u, out, &cause) : status;
    unpacker_deinit(&u);
    if (status == DW_UNSUPPORTED) {
        return make_odd(allocator, out, err);
    }
    dw__error_copy(err, &cause);
    return status;
}
