/*
 * Building small results: columns grow in strbufs, cell by cell, in the layout that Arrow wants.
 */
#include "codec/rows_data.h"

#include "base/assert.h"

/* Offsets are 32 bits wide. */
#define ROWS_BYTES_MAX ((size_t) INT32_MAX)

static void
data_init(dw_rows_data *data, const dw_allocator *allocator)
{
    data->validity = dw__strbuf_make(allocator, ROWS_BYTES_MAX);
    data->offsets = dw__strbuf_make(allocator, ROWS_BYTES_MAX);
    data->values = dw__strbuf_make(allocator, ROWS_BYTES_MAX);
}

static void
data_deinit(dw_rows_data *data)
{
    dw__strbuf_deinit(&data->validity);
    dw__strbuf_deinit(&data->offsets);
    dw__strbuf_deinit(&data->values);
}

static void
append_raw(dw_strbuf *buf, const void *bytes, size_t size)
{
    dw__strbuf_append(buf, dw__str_make(bytes, size));
}

static void
put_validity(dw_rows_data *data, bool valid)
{
    size_t bit = (size_t) data->count % 8;
    if (bit == 0) {
        dw__strbuf_append_char(&data->validity, '\0');
    }
    if (valid && data->validity.len > 0) {
        data->validity.ptr[data->validity.len - 1] |= (char) (1u << bit);
    }
    data->count++;
    data->null_count += valid ? 0 : 1;
}

/*
 * Ends a variable-length cell: the offset of what follows it. The first call also writes the
 * leading 0.
 */
static void
put_offset(dw_rows_data *data, size_t end)
{
    int32_t offset = 0;
    if (data->offsets.len == 0) {
        append_raw(&data->offsets, &offset, sizeof(offset));
    }
    offset = (int32_t) end;
    append_raw(&data->offsets, &offset, sizeof(offset));
}

static void
put_str(dw_rows_data *data, dw_str value)
{
    dw__strbuf_append(&data->values, value);
    put_offset(data, data->values.len);
    put_validity(data, !dw__str_is_null(value));
}

dw_status
dw__rows_new(const dw_allocator *allocator, const dw_rows_column *columns, size_t column_count,
             dw_rows **out, dw_error *err)
{
    dw_assert(column_count > 0);
    *out = NULL;
    dw_rows *rows = DW_NEW(allocator, dw_rows);
    if (rows == NULL) {
        return dw__error_oom(err);
    }
    rows->allocator = allocator;
    atomic_init(&rows->owner_count, 1);
    rows->columns = dw__alloc_zero(allocator, column_count * sizeof(dw_rows_cells));
    if (rows->columns == NULL) {
        DW_DELETE(allocator, rows);
        return dw__error_oom(err);
    }
    rows->column_count = column_count;
    for (size_t i = 0; i < column_count; i++) {
        dw_rows_cells *col = &rows->columns[i];
        col->spec = columns[i];
        data_init(&col->cells, allocator);
        data_init(&col->keys, allocator);
        data_init(&col->values, allocator);
        col->name_size = strlen(columns[i].name) + 1;
        col->name = dw__alloc(allocator, col->name_size);
        if (col->name == NULL) {
            dw__rows_free(rows);
            return dw__error_oom(err);
        }
        memcpy(col->name, columns[i].name, col->name_size);
    }
    *out = rows;
    return DW_OK;
}

void
dw__rows_unref(dw_rows *rows)
{
    if (atomic_fetch_sub(&rows->owner_count, 1) != 1) {
        return;
    }
    for (size_t i = 0; i < rows->column_count; i++) {
        dw_rows_cells *col = &rows->columns[i];
        data_deinit(&col->cells);
        data_deinit(&col->keys);
        data_deinit(&col->values);
        dw__dealloc(rows->allocator, col->name, col->name_size);
    }
    dw__dealloc(rows->allocator, rows->columns, rows->column_count * sizeof(dw_rows_cells));
    DW_DELETE(rows->allocator, rows);
}

void
dw__rows_free(dw_rows *rows)
{
    if (rows != NULL) {
        dw__rows_unref(rows);
    }
}

/* ---- Cells ----------------------------------------------------------------------------------- */

static dw_rows_cells *
current(dw_rows *rows)
{
    return &rows->columns[rows->next];
}

static void
advance(dw_rows *rows)
{
    rows->next++;
    if (rows->next == rows->column_count) {
        rows->next = 0;
        rows->row_count++;
    }
}

/* The bytes of one value, 0 for kinds of variable length and for bits. */
static size_t
value_size(dw_rows_kind kind)
{
    switch (kind) {
    case DW_ROWS_I64:
    case DW_ROWS_DOUBLE:
    case DW_ROWS_TIMESTAMP:
    case DW_ROWS_TIMESTAMP_NTZ:
        return 8;
    case DW_ROWS_I32:
    case DW_ROWS_DATE:
        return 4;
    case DW_ROWS_DECIMAL:
        return 16;
    case DW_ROWS_BOOL:
    case DW_ROWS_STR:
    case DW_ROWS_STR_LIST:
    case DW_ROWS_STR_MAP:
        return 0;
    }
    return 0;
}

static void
put_bit(dw_rows_data *data, bool value)
{
    size_t bit = (size_t) data->count % 8;
    if (bit == 0) {
        dw__strbuf_append_char(&data->values, '\0');
    }
    if (value && data->values.len > 0) {
        data->values.ptr[data->values.len - 1] |= (char) (1u << bit);
    }
}

void
dw__rows_put_null(dw_rows *rows)
{
    static const char zeros[16] = {0};
    dw_rows_cells *col = current(rows);
    switch (col->spec.kind) {
    case DW_ROWS_BOOL:
        put_bit(&col->cells, false);
        break;
    case DW_ROWS_STR:
        put_offset(&col->cells, col->cells.values.len);
        break;
    case DW_ROWS_STR_LIST:
    case DW_ROWS_STR_MAP:
        put_offset(&col->cells, (size_t) col->keys.count);
        break;
    case DW_ROWS_I64:
    case DW_ROWS_I32:
    case DW_ROWS_DOUBLE:
    case DW_ROWS_DATE:
    case DW_ROWS_TIMESTAMP:
    case DW_ROWS_TIMESTAMP_NTZ:
    case DW_ROWS_DECIMAL:
        append_raw(&col->cells.values, zeros, value_size(col->spec.kind));
        break;
    }
    put_validity(&col->cells, false);
    advance(rows);
}

void
dw__rows_put_bool(dw_rows *rows, bool value)
{
    dw_rows_cells *col = current(rows);
    dw_assert(col->spec.kind == DW_ROWS_BOOL);
    put_bit(&col->cells, value);
    put_validity(&col->cells, true);
    advance(rows);
}

void
dw__rows_put_i64(dw_rows *rows, int64_t value)
{
    dw_rows_cells *col = current(rows);
    size_t size = value_size(col->spec.kind);
    dw_assert(size == 4 || size == 8);
    int32_t narrow = (int32_t) value;
    append_raw(&col->cells.values, size == 4 ? (const void *) &narrow : (const void *) &value,
               size);
    put_validity(&col->cells, true);
    advance(rows);
}

void
dw__rows_put_double(dw_rows *rows, double value)
{
    dw_rows_cells *col = current(rows);
    dw_assert(col->spec.kind == DW_ROWS_DOUBLE);
    append_raw(&col->cells.values, &value, sizeof(value));
    put_validity(&col->cells, true);
    advance(rows);
}

void
dw__rows_put_decimal(dw_rows *rows, dw_rows_i128 value)
{
    dw_rows_cells *col = current(rows);
    dw_assert(col->spec.kind == DW_ROWS_DECIMAL);
    append_raw(&col->cells.values, &value, sizeof(value));
    put_validity(&col->cells, true);
    advance(rows);
}

void
dw__rows_put_str(dw_rows *rows, dw_str value)
{
    dw_rows_cells *col = current(rows);
    dw_assert(col->spec.kind == DW_ROWS_STR);
    put_str(&col->cells, value);
    advance(rows);
}

void
dw__rows_begin(dw_rows *rows)
{
    dw_rows_kind kind = current(rows)->spec.kind;
    dw_assert(kind == DW_ROWS_STR_LIST || kind == DW_ROWS_STR_MAP);
}

void
dw__rows_put_item(dw_rows *rows, dw_str key_or_element, dw_str value)
{
    dw_rows_cells *col = current(rows);
    put_str(&col->keys, key_or_element);
    if (col->spec.kind == DW_ROWS_STR_MAP) {
        put_str(&col->values, value);
    }
}

void
dw__rows_end(dw_rows *rows)
{
    dw_rows_cells *col = current(rows);
    put_offset(&col->cells, (size_t) col->keys.count);
    put_validity(&col->cells, true);
    advance(rows);
}
