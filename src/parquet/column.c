/*
 * From the pages of a chunk to arrays, a value or a NULL for each row.
 */
#include "parquet/column.h"

#include "base/assert.h"
#include "base/vec.h"
#include "parquet/column_list.h"

/* The compressed bytes of a chunk. */
#define CHUNK_BYTES_MAX ((int64_t) 256 << 20)
/* The values of a chunk, and of one whose values are all kept at once. */
#define VALUES_MAX ((int64_t) 1 << 31)
#define ELEMENTS_MAX ((int64_t) 1 << 23)

/* ---- Life ------------------------------------------------------------------------------------ */

void
dw__pq_column_init(dw_pq_column *column, const dw_allocator *allocator, const dw_pq_node *leaf,
                   const dw_pq_kind *kind)
{
    const dw_pq_buffer none = {.allocator = allocator};
    *column = (dw_pq_column){.allocator = allocator,
                             .leaf = leaf,
                             .kind = *kind,
                             .is_repeated = leaf->max_rep > 0,
                             .bytes = dw__strbuf_make(allocator, SIZE_MAX / 2),
                             .pages = {.allocator = allocator},
                             .dictionary = {.bytes = none, .values = none},
                             .buffer = none,
                             .spare = none,
                             .elements = {none, none, none, none, 0, 0}};
}

/* Keeps one of the pages that nothing borrows any more, for the next one. */
static void
release_retired(dw_pq_column *column)
{
    for (size_t i = 0; i < column->retired.count; i++) {
        dw_pq_buffer *retired = &column->retired.items[i];
        if (column->spare.ptr == NULL) {
            column->spare = *retired;
        } else {
            dw__pq_buffer_deinit(retired);
        }
    }
    column->retired.count = 0;
}

void
dw__pq_column_deinit(dw_pq_column *column)
{
    release_retired(column);
    DW_VEC_DEINIT(column->allocator, &column->retired);
    dw__pq_buffer_deinit(&column->buffer);
    dw__pq_buffer_deinit(&column->spare);
    dw__pq_buffer_deinit(&column->dictionary.bytes);
    dw__pq_buffer_deinit(&column->dictionary.values);
    dw__pq_elements_deinit(&column->elements);
    dw__pq_pages_deinit(&column->pages);
    dw__strbuf_deinit(&column->bytes);
}

bool
dw__pq_chunk_is_plain(const dw_pq_chunk *chunk)
{
    return !chunk->has_other_encodings && chunk->size_bytes <= CHUNK_BYTES_MAX &&
           (chunk->codec == DW_PQ_UNCOMPRESSED || chunk->codec == DW_PQ_SNAPPY ||
            chunk->codec == DW_PQ_ZSTD || chunk->codec == DW_PQ_LZ4 ||
            chunk->codec == DW_PQ_LZ4_RAW);
}

dw_status
dw__pq_column_begin(dw_pq_column *column, const dw_pq_chunk *chunk, int64_t row_count,
                    dw_error *err)
{
    bool is_odd = !dw__pq_chunk_is_plain(chunk) ||
                  (!column->is_repeated && chunk->value_count != row_count) ||
                  chunk->value_count < row_count ||
                  chunk->value_count > (column->is_repeated ? ELEMENTS_MAX : VALUES_MAX);
    if (is_odd) {
        return dw__pq_odd(err, "column chunk");
    }
    release_retired(column);
    column->chunk = chunk;
    column->row_count = (size_t) row_count;
    column->is_loaded = false;
    column->dictionary.count = 0;
    column->values_left = (size_t) chunk->value_count;
    column->rows_passed = 0;
    column->page_left = 0;
    column->row = 0;
    return DW_OK;
}

void
dw__pq_column_pass(dw_pq_column *column, size_t row_count)
{
    column->rows_passed += row_count;
}

/* ---- Pages ----------------------------------------------------------------------------------- */

static dw_status
load_chunk(dw_pq_column *column, const dw_pq_source *source, dw_error *err)
{
    const dw_pq_chunk *chunk = column->chunk;
    size_t size = (size_t) chunk->size_bytes;
    dw__strbuf_clear(&column->bytes);
    DW_TRY(dw__storage_get_range(source->storage, source->key, (uint64_t) chunk->offset, size,
                                 &column->bytes, err));
    if (!dw__strbuf_reserve(&column->bytes, DW_PQ_SLACK)) {
        return dw__error_oom(err);
    }
    if (column->bytes.len != size) {
        return dw__pq_odd(err, "column chunk");
    }
    column->pages.rest = dw__strbuf_str(&column->bytes);
    column->pages.codec = chunk->codec;
    column->is_loaded = true;
    return DW_OK;
}

/* Keeps the bytes of the page for those who borrow them. */
static bool
retire_page(dw_pq_column *column)
{
    if (column->buffer.ptr != NULL) {
        dw_pq_buffer *slot = DW_VEC_PUSH(column->allocator, &column->retired);
        if (slot == NULL) {
            return false;
        }
        *slot = column->buffer;
        column->buffer = column->spare;
        column->spare = (dw_pq_buffer){.allocator = column->allocator};
    }
    return true;
}

static dw_status
begin_page(dw_pq_column *column, const dw_pq_page_head *head, dw_pq_page *page, dw_error *err)
{
    if (column->kind.kind == DW_VECTOR_STR && !column->is_bare && !retire_page(column)) {
        return dw__error_oom(err);
    }
    DW_TRY(dw__pq_page_open(&column->pages, head, column->leaf, &column->buffer, page, err));
    column->page_left = (size_t) head->value_count;
    column->values_left -= column->page_left;
    /* As many bits as the highest level has. */
    unsigned max = column->leaf->max_def;
    unsigned width = max == 0 ? 0 : 32 - (unsigned) __builtin_clz(max);
    column->defs = dw__pq_runs_make(page->defs, width);
    return dw__pq_values_begin(&column->values, page->values, head->encoding, &column->kind, err);
}

dw_status
dw__pq_column_next_page(dw_pq_column *column, const dw_pq_source *source, dw_pq_page *page,
                        dw_error *err)
{
    if (!column->is_loaded) {
        DW_TRY(load_chunk(column, source, err));
    }
    for (;;) {
        dw_pq_page_head head;
        DW_TRY(dw__pq_page_head(&column->pages, &head, err));
        if (head.is_dictionary && column->is_bare) {
            dw__pq_page_pass(&column->pages, &head);
            continue;
        }
        if (head.is_dictionary) {
            DW_TRY(dw__pq_dictionary_read(&column->dictionary, &column->pages, &head, column->leaf,
                                          &column->kind, err));
            continue;
        }
        if (head.value_count > (int64_t) column->values_left) {
            return dw__pq_odd(err, "number of values");
        }
        if (!column->is_repeated && (int64_t) column->rows_passed >= head.value_count) {
            column->rows_passed -= (size_t) head.value_count;
            column->values_left -= (size_t) head.value_count;
            dw__pq_page_pass(&column->pages, &head);
            continue;
        }
        return begin_page(column, &head, page, err);
    }
}

/* ---- Values ---------------------------------------------------------------------------------- */

/* From here on the levels of the batch are an array. */
static void
use_array(dw_pq_column *column, uint8_t *levels, size_t done)
{
    if (column->levels == NULL) {
        memset(levels, column->level, done);
        column->levels = levels;
    }
}

/* Takes the levels of rows, which begin at `done` of the batch. */
static dw_status
take_levels(dw_pq_column *column, uint8_t *levels, size_t done, size_t count, dw_error *err)
{
    uint32_t level = 0;
    if (column->leaf->max_def == 0 || dw__pq_runs_take_same(&column->defs, count, &level)) {
        if (done == 0) {
            column->level = (uint8_t) level;
        } else if (column->levels != NULL || column->level != level) {
            use_array(column, levels, done);
            memset(levels + done, (int) level, count);
        }
        return DW_OK;
    }
    use_array(column, levels, done);
    return dw__pq_runs_take_bytes(&column->defs, levels + done, count) ? DW_OK
                                                                       : dw__pq_odd(err, "level");
}

/* The last one first: none is overwritten that is still to be moved. */
void
dw__pq_spread(char *values, size_t width, const uint8_t *levels, uint8_t max, size_t count,
              size_t value_count)
{
    for (size_t i = count; i-- > 0 && value_count <= i;) {
        if (levels[i] == max) {
            value_count--;
            memmove(values + i * width, values + value_count * width, width);
        } else {
            memset(values + i * width, 0, width);
        }
    }
}

/* Takes the values of rows whose levels were taken. */
static dw_status
take_values(dw_pq_column *column, char *values, size_t done, size_t count, dw_error *err)
{
    uint8_t max = column->leaf->max_def;
    size_t width = column->kind.width;
    size_t value_count = 0;
    if (column->levels == NULL) {
        value_count = column->level == max ? count : 0;
    } else {
        for (size_t i = 0; i < count; i++) {
            value_count += column->levels[done + i] == max;
        }
    }
    char *to = values + done * width;
    DW_TRY(dw__pq_values_take(&column->values, &column->kind, &column->dictionary, to, value_count,
                              err));
    if (value_count == 0) {
        memset(to, 0, count * width);
    } else if (value_count < count) {
        dw__pq_spread(to, width, column->levels + done, max, count, value_count);
    }
    return DW_OK;
}

/* Arrays for the rows of a batch. */
typedef struct row_arrays {
    uint8_t *levels;
    char *values; /* NULL: only levels are wanted */
} row_arrays;

static bool
make_arrays(const dw_pq_column *column, size_t row_count, dw_arena *arena, row_arrays *out)
{
    *out = (row_arrays){.levels = dw__arena_alloc(arena, row_count)};
    if (!column->is_bare) {
        out->values = dw__arena_alloc(arena, row_count * column->kind.width);
    }
    return out->levels != NULL && (column->is_bare || out->values != NULL);
}

/* Reads rows, over the ends of pages. */
static dw_status
take_rows(dw_pq_column *column, const dw_pq_source *source, size_t row_count,
          const row_arrays *arrays, dw_error *err)
{
    column->levels = NULL;
    for (size_t done = 0; done < row_count;) {
        if (column->page_left == 0) {
            dw_pq_page page;
            DW_TRY(dw__pq_column_next_page(column, source, &page, err));
            continue;
        }
        size_t left = row_count - done;
        size_t part = left < column->page_left ? left : column->page_left;
        DW_TRY(take_levels(column, arrays->levels, done, part, err));
        if (arrays->values != NULL) {
            DW_TRY(take_values(column, arrays->values, done, part, err));
        }
        column->page_left -= part;
        done += part;
    }
    return DW_OK;
}

/* Steps over rows that were passed: whole pages unopened, the rest of one read for nothing. */
static dw_status
catch_up(dw_pq_column *column, const dw_pq_source *source, dw_arena *arena, dw_error *err)
{
    while (column->rows_passed > 0) {
        if (column->page_left == 0) {
            dw_pq_page page;
            DW_TRY(dw__pq_column_next_page(column, source, &page, err));
            continue;
        }
        size_t part =
            column->rows_passed < column->page_left ? column->rows_passed : column->page_left;
        part = part < DW_PQ_BATCH_ROWS ? part : DW_PQ_BATCH_ROWS;
        row_arrays unused;
        if (!make_arrays(column, part, arena, &unused)) {
            return dw__error_oom(err);
        }
        DW_TRY(take_rows(column, source, part, &unused, err));
        column->rows_passed -= part;
    }
    return DW_OK;
}

dw_status
dw__pq_column_read(dw_pq_column *column, const dw_pq_source *source, size_t row_count,
                   dw_arena *arena, dw_vector *out, dw_error *err)
{
    dw_assert(row_count > 0 && row_count <= DW_PQ_BATCH_ROWS);
    if (column->is_repeated) {
        return dw__pq_column_read_lists(column, source, row_count, arena, out, err);
    }
    release_retired(column);
    DW_TRY(catch_up(column, source, arena, err));
    row_arrays arrays;
    if (!make_arrays(column, row_count, arena, &arrays)) {
        return dw__error_oom(err);
    }
    DW_TRY(take_rows(column, source, row_count, &arrays, err));
    *out = (dw_vector){.data = arrays.values};
    bool ok = dw__pq_column_defined(column, column->leaf->max_def, row_count, arena, &out->valid);
    return ok ? DW_OK : dw__error_oom(err);
}

bool
dw__pq_column_defined(const dw_pq_column *column, uint8_t level, size_t row_count, dw_arena *arena,
                      const bool **out)
{
    *out = NULL;
    if (column->levels == NULL && column->level >= level) {
        return true;
    }
    bool *valid = dw__arena_alloc(arena, row_count);
    if (valid == NULL) {
        return false;
    }
    for (size_t row = 0; row < row_count; row++) {
        valid[row] = column->levels != NULL && column->levels[row] >= level;
    }
    *out = valid;
    return true;
}
