/*
 * dw_vector into the engine's flat vectors. A NULL struct makes its children NULL, whatever they
 * hold: the engine looks at them when it copies.
 */
#include "engine/vector_fill.h"

#include "base/assert.h"

#define BATCH_ROWS_MAX 2048

/* ---- Types ----------------------------------------------------------------------------------- */

/* Tables have columns without end, and statistics a field for each. NULL when out of memory. */
static duckdb_logical_type
struct_type(const dw_duck *duck, const dw_column_spec *spec)
{
    const dw_allocator *allocator = dw__allocator_libc();
    size_t count = spec->child_count;
    duckdb_logical_type *types = dw__alloc_zero(allocator, count * sizeof(*types));
    const char **names = dw__alloc_zero(allocator, count * sizeof(*names));
    bool ok = types != NULL && names != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        types[i] = dw__vector_type(duck, &spec->children[i]);
        names[i] = spec->children[i].name;
        ok = types[i] != NULL;
    }
    duckdb_logical_type type = ok ? duck->create_struct_type(types, names, count) : NULL;
    for (size_t i = 0; types != NULL && i < count; i++) {
        duck->destroy_logical_type(&types[i]);
    }
    dw__dealloc(allocator, types, count * sizeof(*types));
    dw__dealloc(allocator, names, count * sizeof(*names));
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
    static const duckdb_type plain[DW_VECTOR_KIND_COUNT] = {
        [DW_VECTOR_BOOL] = DUCKDB_TYPE_BOOLEAN,
        [DW_VECTOR_I8] = DUCKDB_TYPE_TINYINT,
        [DW_VECTOR_I16] = DUCKDB_TYPE_SMALLINT,
        [DW_VECTOR_I32] = DUCKDB_TYPE_INTEGER,
        [DW_VECTOR_I64] = DUCKDB_TYPE_BIGINT,
        [DW_VECTOR_FLOAT] = DUCKDB_TYPE_FLOAT,
        [DW_VECTOR_DOUBLE] = DUCKDB_TYPE_DOUBLE,
        [DW_VECTOR_DATE] = DUCKDB_TYPE_DATE,
        [DW_VECTOR_TIMESTAMP] = DUCKDB_TYPE_TIMESTAMP_TZ,
        [DW_VECTOR_TIMESTAMP_NTZ] = DUCKDB_TYPE_TIMESTAMP,
        [DW_VECTOR_STR] = DUCKDB_TYPE_VARCHAR,
        [DW_VECTOR_TEXT] = DUCKDB_TYPE_VARCHAR,
        [DW_VECTOR_BYTES] = DUCKDB_TYPE_BLOB,
    };
    if (spec->kind == DW_VECTOR_LIST) {
        return list_type(duck, spec);
    }
    if (spec->kind == DW_VECTOR_MAP) {
        return map_type(duck, spec);
    }
    if (spec->kind == DW_VECTOR_STRUCT) {
        return struct_type(duck, spec);
    }
    if (spec->kind == DW_VECTOR_DECIMAL) {
        return duck->create_decimal_type(spec->precision, spec->scale);
    }
    dw_assert(plain[spec->kind] != DUCKDB_TYPE_INVALID);
    return duck->create_logical_type(plain[spec->kind]);
}

bool
dw__vector_bind_columns(duckdb_bind_info info, const dw_column_spec *columns, size_t count)
{
    const dw_duck *duck = dw__duck_loaded();
    for (size_t i = 0; i < count; i++) {
        duckdb_logical_type type = dw__vector_type(duck, &columns[i]);
        if (type == NULL) {
            duck->bind_set_error(info, "out of memory");
            return false;
        }
        duck->bind_add_result_column(info, columns[i].name, type);
        duck->destroy_logical_type(&type);
    }
    return true;
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
             bool is_text, duckdb_vector target)
{
    const dw_str *strings = source->data;
    for (size_t row = 0; row < count; row++) {
        if (!has(bits, row)) {
            continue;
        }
        if (is_text && !dw__str_is_utf8(strings[row])) {
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

/* The engine keeps decimals in as few bytes as their precision takes. */
static size_t
decimal_width(uint8_t precision)
{
    return precision <= 4 ? 2 : precision <= 9 ? 4 : precision <= 18 ? 8 : 16;
}

static void
fill_decimals(const filler *f, const dw_vector *source, size_t count, uint8_t precision,
              duckdb_vector target)
{
    const dw_i128 *values = source->data;
    size_t width = decimal_width(precision);
    char *out = f->duck->vector_get_data(target);
    for (size_t row = 0; row < count; row++) {
        memcpy(out + row * width, &values[row], width); /* the low bytes come first */
    }
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
    case DW_VECTOR_I8:
    case DW_VECTOR_I16:
    case DW_VECTOR_I32:
    case DW_VECTOR_I64:
    case DW_VECTOR_FLOAT:
    case DW_VECTOR_DOUBLE:
    case DW_VECTOR_DATE:
    case DW_VECTOR_TIMESTAMP:
    case DW_VECTOR_TIMESTAMP_NTZ:
        fill_numbers(f, source, count, dw__vector_width(spec->kind), target);
        return DW_OK;
    case DW_VECTOR_DECIMAL:
        fill_decimals(f, source, count, spec->precision, target);
        return DW_OK;
    case DW_VECTOR_STR:
    case DW_VECTOR_TEXT:
    case DW_VECTOR_BYTES:
        return fill_strings(f, source, count, bits, spec->kind != DW_VECTOR_BYTES, target);
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
