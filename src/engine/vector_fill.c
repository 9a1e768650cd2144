/*
 * dw_vector into the engine's flat vectors. A NULL struct makes its children NULL, whatever they
 * hold: the engine looks at them when it copies.
 */
#include "engine/vector_fill.h"

#include "base/assert.h"

enum { STRUCT_FIELDS_MAX = 64, BATCH_ROWS_MAX = 2048 };

/* ---- Types ----------------------------------------------------------------------------------- */

static duckdb_logical_type
struct_type(const dw_duck *duck, const dw_column_spec *spec)
{
    dw_assert(spec->child_count <= STRUCT_FIELDS_MAX);
    duckdb_logical_type types[STRUCT_FIELDS_MAX];
    const char *names[STRUCT_FIELDS_MAX];
    for (size_t i = 0; i < spec->child_count; i++) {
        types[i] = dw__vector_type(duck, &spec->children[i]);
        names[i] = spec->children[i].name;
    }
    duckdb_logical_type type = duck->create_struct_type(types, names, spec->child_count);
    for (size_t i = 0; i < spec->child_count; i++) {
        duck->destroy_logical_type(&types[i]);
    }
    return type;
}

static duckdb_logical_type
list_type(const dw_duck *duck, const dw_column_spec *spec)
{
    duckdb_logical_type element = dw__vector_type(duck, &spec->children[0]);
    duckdb_logical_type type = duck->create_list_type(element);
    duck->destroy_logical_type(&element);
    return type;
}

static duckdb_logical_type
map_type(const dw_duck *duck, const dw_column_spec *spec)
{
    duckdb_logical_type key = dw__vector_type(duck, &spec->children[0]);
    duckdb_logical_type value = dw__vector_type(duck, &spec->children[1]);
    duckdb_logical_type type = duck->create_map_type(key, value);
    duck->destroy_logical_type(&key);
    duck->destroy_logical_type(&value);
    return type;
}

duckdb_logical_type
dw__vector_type(const dw_duck *duck, const dw_column_spec *spec)
{
    switch (spec->kind) {
    case DW_VECTOR_BOOL:
        return duck->create_logical_type(DUCKDB_TYPE_BOOLEAN);
    case DW_VECTOR_I32:
        return duck->create_logical_type(DUCKDB_TYPE_INTEGER);
    case DW_VECTOR_I64:
        return duck->create_logical_type(DUCKDB_TYPE_BIGINT);
    case DW_VECTOR_DOUBLE:
        return duck->create_logical_type(DUCKDB_TYPE_DOUBLE);
    case DW_VECTOR_STR:
    case DW_VECTOR_TEXT:
        return duck->create_logical_type(DUCKDB_TYPE_VARCHAR);
    case DW_VECTOR_LIST:
        return list_type(duck, spec);
    case DW_VECTOR_MAP:
        return map_type(duck, spec);
    case DW_VECTOR_STRUCT:
        return struct_type(duck, spec);
    }
    dw_unreachable("a kind of vector");
}

/* ---- Values ---------------------------------------------------------------------------------- */

typedef struct filler {
    const dw_duck *duck;
    dw_error *err;
} filler;

static dw_status fill(const filler *f, const dw_column_spec *spec, const dw_vector *source,
                      size_t count, const uint64_t *parent, duckdb_vector target);

/* The bits of `target`: where the source and the struct around it are valid. NULL: all are. */
static const uint64_t *
fill_validity(const filler *f, const dw_vector *source, size_t count, const uint64_t *parent,
              duckdb_vector target)
{
    if (source->valid == NULL && parent == NULL) {
        return NULL;
    }
    f->duck->vector_ensure_validity_writable(target);
    uint64_t *bits = f->duck->vector_get_validity(target);
    for (size_t word = 0; word * 64 < count; word++) {
        size_t left = count - word * 64;
        size_t used = left < 64 ? left : 64;
        uint64_t mask = 0;
        for (size_t i = 0; i < used; i++) {
            mask |= (uint64_t) dw__vector_is_valid(source, word * 64 + i) << i;
        }
        bits[word] = parent == NULL ? mask : mask & parent[word];
    }
    return bits;
}

static bool
has(const uint64_t *bits, size_t row)
{
    return bits == NULL || (bits[row / 64] >> (row % 64) & 1) != 0;
}

static dw_status
fill_strings(const filler *f, const dw_vector *source, size_t count, const uint64_t *bits,
             duckdb_vector target)
{
    const dw_str *strings = source->data;
    for (size_t row = 0; row < count; row++) {
        if (!has(bits, row)) {
            continue;
        }
        if (!dw__str_is_utf8(strings[row])) {
            return dw__error_set(f->err, DW_INVALID_ARGUMENT, "TEXT_INVALID",
                                 "expected text in UTF-8, found other bytes");
        }
        f->duck->unsafe_vector_assign_string_element_len(target, row, strings[row].ptr,
                                                         strings[row].len);
    }
    return DW_OK;
}

static dw_status
fill_struct(const filler *f, const dw_column_spec *spec, const dw_vector *source, size_t count,
            const uint64_t *bits, duckdb_vector target)
{
    for (size_t i = 0; i < spec->child_count; i++) {
        DW_TRY(fill(f, &spec->children[i], &source->children[i], count, bits,
                    f->duck->struct_vector_get_child(target, i)));
    }
    return DW_OK;
}

/* The elements that the rows use; they are copied as they lie, gaps included. */
static size_t
element_count(const dw_vector *source, size_t count, const uint64_t *bits)
{
    const dw_span *spans = source->data;
    size_t end = 0;
    for (size_t row = 0; row < count; row++) {
        size_t row_end = (size_t) spans[row].offset + spans[row].len;
        if (has(bits, row) && row_end > end) {
            end = row_end;
        }
    }
    return end;
}

static dw_status
fill_list(const filler *f, const dw_column_spec *spec, const dw_vector *source, size_t count,
          const uint64_t *bits, duckdb_vector target)
{
    const dw_duck *duck = f->duck;
    const dw_span *spans = source->data;
    size_t elements = element_count(source, count, bits);
    if (duck->list_vector_reserve(target, elements) != DuckDBSuccess ||
        duck->list_vector_set_size(target, elements) != DuckDBSuccess) {
        return dw__error_oom(f->err);
    }
    duckdb_list_entry *entries = duck->vector_get_data(target);
    for (size_t row = 0; row < count; row++) {
        bool is_valid = has(bits, row);
        entries[row] =
            (duckdb_list_entry){is_valid ? spans[row].offset : 0, is_valid ? spans[row].len : 0};
    }
    duckdb_vector child = duck->list_vector_get_child(target);
    if (spec->kind == DW_VECTOR_MAP) {
        return fill_struct(f, spec, source, elements, NULL, child);
    }
    return fill(f, &spec->children[0], &source->children[0], elements, NULL, child);
}

static void
fill_numbers(const filler *f, const dw_vector *source, size_t count, size_t size,
             duckdb_vector target)
{
    if (count > 0) {
        memcpy(f->duck->vector_get_data(target), source->data, count * size);
    }
}

static dw_status
fill(const filler *f, const dw_column_spec *spec, const dw_vector *source, size_t count,
     const uint64_t *parent, duckdb_vector target)
{
    const uint64_t *bits = fill_validity(f, source, count, parent, target);
    switch (spec->kind) {
    case DW_VECTOR_BOOL:
        fill_numbers(f, source, count, sizeof(bool), target);
        return DW_OK;
    case DW_VECTOR_I32:
        fill_numbers(f, source, count, sizeof(int32_t), target);
        return DW_OK;
    case DW_VECTOR_I64:
        fill_numbers(f, source, count, sizeof(int64_t), target);
        return DW_OK;
    case DW_VECTOR_DOUBLE:
        fill_numbers(f, source, count, sizeof(double), target);
        return DW_OK;
    case DW_VECTOR_STR:
    case DW_VECTOR_TEXT:
        return fill_strings(f, source, count, bits, target);
    case DW_VECTOR_LIST:
    case DW_VECTOR_MAP:
        return fill_list(f, spec, source, count, bits, target);
    case DW_VECTOR_STRUCT:
        return fill_struct(f, spec, source, count, bits, target);
    }
    dw_unreachable("a kind of vector");
}

dw_status
dw__vector_fill(const dw_duck *duck, const dw_batch *batch, const dw_column_spec *columns,
                size_t column_count, duckdb_data_chunk chunk, dw_error *err)
{
    dw_assert(batch->row_count <= BATCH_ROWS_MAX);
    filler f = {duck, err};
    for (size_t i = 0; i < column_count; i++) {
        DW_TRY(fill(&f, &columns[i], &batch->columns[i], batch->row_count, NULL,
                    duck->data_chunk_get_vector(chunk, i)));
    }
    duck->data_chunk_set_size(chunk, batch->row_count);
    return DW_OK;
}
