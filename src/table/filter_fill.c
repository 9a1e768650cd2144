/*
 * See filter_fill.h. A filter begins as large as the rows of its file may need, and is folded to
 * what its values do.
 */
#include "table/filter_fill.h"

#include "base/assert.h"
#include "bloom/item.h"
#include "scan/scan.h"

/* What a file of which nothing is known is taken for. */
#define ITEMS_DEFAULT ((int64_t) 1000000)
#define NAME_BYTES_MAX ((size_t) 1 << 20)

typedef struct fill {
    const dw_bloom_columns *columns;
    const dw_filter_file *files;
    size_t count;
    uint8_t *bytes;  /* of all filters */
    size_t *offsets; /* of each file and column, and the end */
    size_t byte_count;
} fill;

static size_t
filter_size(const dw_filter_file *file, const dw_bloom_options *options)
{
    int64_t items = file->row_count >= 0 ? file->row_count : ITEMS_DEFAULT;
    if (options->item_count > 0 && (file->row_count < 0 || options->item_count < items)) {
        items = options->item_count;
    }
    return dw__bloom_size((uint64_t) items, options->fpp);
}

size_t
dw__filter_file_bytes(const dw_filter_file *file, const dw_bloom_columns *columns)
{
    size_t sum = 0;
    for (size_t i = 0; i < columns->count; i++) {
        sum += filter_size(file, &columns->items[i].options);
    }
    return sum;
}

void
dw__filters_put_select(dw_strbuf *out, dw_str view, const dw_bloom_columns *columns)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(out->allocator, NAME_BYTES_MAX);
    dw__strbuf_append_literal(out, "SELECT " DW_SCAN_FILE_COLUMN);
    for (size_t i = 0; i < columns->count; i++) {
        const dw_field *field = columns->items[i].field;
        dw__strbuf_clear(&name);
        dw__sql_put_identifier(&name, field->name);
        dw__strbuf_append_literal(out, ", ");
        dw__item_put_sql(out, field->type, dw__strbuf_str(&name));
        out->failed = out->failed || name.failed;
    }
    dw__strbuf_append_literal(out, " FROM ");
    dw__sql_put_identifier(out, view);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static dw_status
unexpected(dw_error *err)
{
    return dw__error_set(err, DW_INTERNAL, "QUERY_FAILED",
                         "expected items of rows from the query engine, found something else");
}

static void
put_items(const fill *f, const struct ArrowArray *column, size_t column_idx, const int64_t *files,
          int64_t count)
{
    const uint8_t *validity = column->null_count != 0 ? column->buffers[0] : NULL;
    const uint64_t *items = (const uint64_t *) column->buffers[1] + column->offset;
    for (int64_t i = 0; i < count; i++) {
        int64_t bit = column->offset + i;
        if (validity != NULL && (validity[bit / 8] >> bit % 8 & 1) == 0) {
            continue;
        }
        size_t at = (size_t) files[i] * f->columns->count + column_idx;
        dw__bloom_insert(f->bytes + f->offsets[at], f->offsets[at + 1] - f->offsets[at], items[i]);
    }
}

static dw_status
put_batch(void *ctx, const struct ArrowArray *batch, dw_error *err)
{
    const fill *f = ctx;
    bool is_expected = batch->n_children == (int64_t) f->columns->count + 1 && batch->offset == 0;
    for (int64_t i = 0; is_expected && i < batch->n_children; i++) {
        is_expected = batch->children[i]->n_buffers == 2 && batch->children[i]->buffers[1] != NULL;
    }
    if (!is_expected) {
        return batch->length == 0 ? DW_OK : unexpected(err);
    }
    const struct ArrowArray *positions = batch->children[0];
    const int64_t *files = (const int64_t *) positions->buffers[1] + positions->offset;
    for (int64_t i = 0; i < batch->length; i++) {
        if (files[i] < 0 || (uint64_t) files[i] >= f->count) {
            return unexpected(err);
        }
    }
    for (size_t i = 0; i < f->columns->count; i++) {
        put_items(f, batch->children[i + 1], i, files, batch->length);
    }
    return DW_OK;
}

/* ---- Filters --------------------------------------------------------------------------------- */

static dw_status
make_filters(fill *f, dw_arena *arena, dw_error *err)
{
    size_t filter_count = f->count * f->columns->count;
    f->offsets = DW_ARENA_ARRAY(arena, size_t, filter_count + 1);
    if (f->offsets == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < filter_count; i++) {
        f->offsets[i] = f->byte_count;
        f->byte_count += filter_size(&f->files[i / f->columns->count],
                                     &f->columns->items[i % f->columns->count].options);
    }
    f->offsets[filter_count] = f->byte_count;
    f->bytes = dw__alloc_zero(arena->allocator, f->byte_count);
    return f->bytes == NULL ? dw__error_oom(err) : DW_OK;
}

static dw_status
put_filters(const fill *f, dw_index_writer *writer, dw_error *err)
{
    for (size_t i = 0; i < f->count; i++) {
        DW_TRY(dw__index_writer_add(writer, &f->files[i].key, err));
        for (size_t k = 0; k < f->columns->count; k++) {
            const dw_bloom_options *options = &f->columns->items[k].options;
            size_t at = i * f->columns->count + k;
            uint8_t *filter = f->bytes + f->offsets[at];
            size_t size = dw__bloom_fold(filter, f->offsets[at + 1] - f->offsets[at], options->fpp);
            bool is_kept = dw__bloom_fpp(filter, size) <= options->expected_fpp_max;
            DW_TRY(dw__index_writer_put(
                writer, k, dw__str_make((const char *) filter, is_kept ? size : 0), err));
        }
    }
    return DW_OK;
}

static dw_status
run(fill *f, dw_connection *connection, dw_str select, dw_error *err)
{
    struct ArrowArrayStream stream;
    bool is_query;
    int64_t changed;
    DW_TRY(dw__connection_query(connection, select, &stream, &is_query, &changed, err));
    dw_status status = dw__query_stream_visit(&stream, put_batch, f, err);
    stream.release(&stream);
    return status;
}

dw_status
dw__filters_fill(dw_connection *connection, dw_str select, const dw_bloom_columns *columns,
                 const dw_filter_file *files, size_t count, dw_index_writer *writer, dw_error *err)
{
    fill f = {.columns = columns, .files = files, .count = count};
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__index_writer_allocator(writer));
    dw_status status = make_filters(&f, &arena, err);
    if (status == DW_OK) {
        status = run(&f, connection, select, err);
    }
    if (status == DW_OK) {
        status = put_filters(&f, writer, err);
    }
    if (f.bytes != NULL) {
        dw__dealloc(arena.allocator, f.bytes, f.byte_count);
    }
    return status;
}
