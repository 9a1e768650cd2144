/*
 * Columns as growing arrays.
 */
#include "log/column_build.h"

#include "base/assert.h"
#include "base/vec.h"

#define CAPACITY_MIN ((size_t) 64)

bool
dw__column_init(dw_column *column, const dw_column_spec *spec, const dw_allocator *allocator)
{
    *column = (dw_column){.spec = spec, .allocator = allocator};
    if (spec->child_count == 0) {
        return true;
    }
    column->children = dw__alloc_zero(allocator, spec->child_count * sizeof(dw_column));
    column->child_vectors = dw__alloc_zero(allocator, spec->child_count * sizeof(dw_vector));
    bool ok = column->children != NULL && column->child_vectors != NULL;
    for (size_t i = 0; ok && i < spec->child_count; i++) {
        ok = dw__column_init(&column->children[i], &spec->children[i], allocator);
    }
    return ok;
}

void
dw__column_deinit(dw_column *column)
{
    const dw_allocator *allocator = column->allocator;
    if (allocator == NULL) {
        return;
    }
    for (size_t i = 0; column->children != NULL && i < column->spec->child_count; i++) {
        dw__column_deinit(&column->children[i]);
    }
    size_t child_count = column->spec->child_count;
    dw__dealloc(allocator, column->children, child_count * sizeof(dw_column));
    dw__dealloc(allocator, column->child_vectors, child_count * sizeof(dw_vector));
    dw__dealloc(allocator, column->valid, column->capacity * sizeof(bool));
    dw__dealloc(allocator, column->data, column->capacity * dw__vector_width(column->spec->kind));
    *column = (dw_column){0};
}

void
dw__column_clear(dw_column *column)
{
    column->count = 0;
    column->failed = false;
    for (size_t i = 0; i < column->spec->child_count; i++) {
        dw__column_clear(&column->children[i]);
    }
}

/* Both arrays grow together or not at all. */
static bool
grow(dw_column *column)
{
    const dw_allocator *allocator = column->allocator;
    size_t size = dw__vector_width(column->spec->kind);
    size_t capacity = column->capacity == 0 ? CAPACITY_MIN : column->capacity * 2;
    bool *valid = dw__alloc(allocator, capacity * sizeof(bool));
    void *data = dw__alloc(allocator, capacity * size);
    if (valid == NULL || data == NULL) {
        dw__dealloc(allocator, valid, capacity * sizeof(bool));
        dw__dealloc(allocator, data, capacity * size);
        return false;
    }
    if (column->count > 0) {
        memcpy(valid, column->valid, column->count * sizeof(bool));
        if (size > 0) {
            memcpy(data, column->data, column->count * size);
        }
    }
    dw__dealloc(allocator, column->valid, column->capacity * sizeof(bool));
    dw__dealloc(allocator, column->data, column->capacity * size);
    column->valid = valid;
    column->data = data;
    column->capacity = capacity;
    return true;
}

/* The place of the next value; NULL when out of memory. */
static void *
push(dw_column *column, bool is_valid)
{
    if (column->count == column->capacity && !grow(column)) {
        column->failed = true;
        return NULL;
    }
    size_t row = column->count++;
    column->valid[row] = is_valid;
    return (char *) column->data + row * dw__vector_width(column->spec->kind);
}

void
dw__column_put_null(dw_column *column)
{
    void *place = push(column, false);
    size_t size = dw__vector_width(column->spec->kind);
    if (place != NULL && size > 0) {
        memset(place, 0, size);
    }
    if (column->spec->kind == DW_VECTOR_STRUCT) {
        for (size_t i = 0; i < column->spec->child_count; i++) {
            dw__column_put_null(&column->children[i]);
        }
    }
}

static void
put(dw_column *column, dw_vector_kind kind, const void *value)
{
    dw_assert(column->spec->kind == kind);
    void *place = push(column, true);
    if (place != NULL) {
        memcpy(place, value, dw__vector_width(kind));
    }
}

void
dw__column_put_bool(dw_column *column, bool value)
{
    put(column, DW_VECTOR_BOOL, &value);
}

void
dw__column_put_i32(dw_column *column, int32_t value)
{
    put(column, DW_VECTOR_I32, &value);
}

void
dw__column_put_i64(dw_column *column, int64_t value)
{
    put(column, DW_VECTOR_I64, &value);
}

void
dw__column_put_str(dw_column *column, dw_str value)
{
    if (dw__str_is_null(value)) {
        dw__column_put_null(column);
    } else {
        put(column, DW_VECTOR_STR, &value);
    }
}

void
dw__column_put_value(dw_column *column, const void *value)
{
    put(column, column->spec->kind, value);
}

void
dw__column_put_struct(dw_column *column)
{
    dw_assert(column->spec->kind == DW_VECTOR_STRUCT);
    (void) push(column, true);
}

void
dw__column_put_span(dw_column *column, size_t len)
{
    dw_vector_kind kind = column->spec->kind;
    dw_assert(kind == DW_VECTOR_LIST || kind == DW_VECTOR_MAP);
    dw_assert(len <= UINT32_MAX - column->children[0].count);
    dw_span span = {(uint32_t) column->children[0].count, (uint32_t) len};
    put(column, kind, &span);
}

bool
dw__column_view(dw_column *column, dw_vector *out)
{
    bool ok = !column->failed;
    for (size_t i = 0; i < column->spec->child_count; i++) {
        ok = dw__column_view(&column->children[i], &column->child_vectors[i]) && ok;
    }
    *out = (dw_vector){
        .valid = column->valid, .data = column->data, .children = column->child_vectors};
    return ok;
}
