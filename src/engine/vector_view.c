/*
 * Flat vectors of the engine as dw_vector. Bits of validity become bools, the engine's strings
 * become dw_str; a string's bytes and all numbers stay where they are.
 */
#include "engine/vector_view.h"

#include "base/assert.h"

typedef struct viewer {
    const dw_duck *duck;
    dw_arena *arena;
    dw_error *err;
} viewer;

/* A row is valid where the vector says so and the struct around it is valid. NULL: all are. */
static dw_status
view_validity(viewer *v, duckdb_vector source, size_t count, const bool *parent, const bool **out)
{
    const uint64_t *bits = v->duck->vector_get_validity(source);
    *out = parent;
    if (bits == NULL) {
        return DW_OK;
    }
    bool *valid = dw__arena_alloc(v->arena, count);
    if (valid == NULL) {
        return dw__error_oom(v->err);
    }
    for (size_t row = 0; row < count; row++) {
        valid[row] = dw__validity_has(bits, row) && (parent == NULL || parent[row]);
    }
    *out = valid;
    return DW_OK;
}

static dw_status
view_strings(viewer *v, duckdb_vector source, size_t count, dw_vector *out)
{
    const duckdb_string_t *strings = v->duck->vector_get_data(source);
    dw_str *views = dw__arena_alloc(v->arena, count * sizeof(*views));
    if (views == NULL) {
        return dw__error_oom(v->err);
    }
    for (size_t row = 0; row < count; row++) {
        const duckdb_string_t *string = &strings[row];
        uint32_t len = string->value.inlined.length;
        if (out->valid != NULL && !out->valid[row]) {
            views[row] = DW_STR_NULL;
        } else if (len <= sizeof(string->value.inlined.inlined)) {
            views[row] = dw__str_make(string->value.inlined.inlined, len);
        } else {
            views[row] = dw__str_make(string->value.pointer.ptr, len);
        }
    }
    out->data = views;
    return DW_OK;
}

static dw_status
view_spans(viewer *v, duckdb_vector source, size_t count, dw_vector *out)
{
    const duckdb_list_entry *entries = v->duck->vector_get_data(source);
    dw_span *spans = dw__arena_alloc(v->arena, count * sizeof(*spans));
    if (spans == NULL) {
        return dw__error_oom(v->err);
    }
    for (size_t row = 0; row < count; row++) {
        if (out->valid != NULL && !out->valid[row]) {
            spans[row] = (dw_span){0, 0};
            continue;
        }
        if (entries[row].offset > UINT32_MAX || entries[row].length > UINT32_MAX) {
            return dw__error_set(v->err, DW_CORRUPT, "PARQUET_INVALID",
                                 "expected lists of at most %u elements, found a longer one",
                                 UINT32_MAX);
        }
        spans[row] = (dw_span){(uint32_t) entries[row].offset, (uint32_t) entries[row].length};
    }
    out->data = spans;
    return DW_OK;
}

static dw_status view(viewer *v, const dw_column_spec *spec, duckdb_vector source, size_t count,
                      const bool *parent, dw_vector *out);

static dw_status
view_struct(viewer *v, const dw_column_spec *spec, duckdb_vector source, size_t count,
            dw_vector *out)
{
    dw_vector *children = DW_ARENA_ARRAY(v->arena, dw_vector, spec->child_count);
    if (children == NULL) {
        return dw__error_oom(v->err);
    }
    for (size_t i = 0; i < spec->child_count; i++) {
        DW_TRY(view(v, &spec->children[i], v->duck->struct_vector_get_child(source, i), count,
                    out->valid, &children[i]));
    }
    out->children = children;
    return DW_OK;
}

/* The engine keeps a map as a list of structs of key and value. */
static dw_status
view_list(viewer *v, const dw_column_spec *spec, duckdb_vector source, size_t count, dw_vector *out)
{
    DW_TRY(view_spans(v, source, count, out));
    duckdb_vector elements = v->duck->list_vector_get_child(source);
    size_t element_count = v->duck->list_vector_get_size(source);
    if (spec->kind == DW_VECTOR_MAP) {
        dw_vector entries = {0};
        DW_TRY(view_struct(v, spec, elements, element_count, &entries));
        out->children = entries.children;
        return DW_OK;
    }
    dw_vector *child = DW_ARENA_ARRAY(v->arena, dw_vector, 1);
    if (child == NULL) {
        return dw__error_oom(v->err);
    }
    out->children = child;
    return view(v, &spec->children[0], elements, element_count, NULL, child);
}

static dw_status
view(viewer *v, const dw_column_spec *spec, duckdb_vector source, size_t count, const bool *parent,
     dw_vector *out)
{
    *out = (dw_vector){0};
    DW_TRY(view_validity(v, source, count, parent, &out->valid));
    switch (spec->kind) {
    case DW_VECTOR_BOOL:
    case DW_VECTOR_I32:
    case DW_VECTOR_I64:
    case DW_VECTOR_DOUBLE:
        out->data = v->duck->vector_get_data(source);
        return DW_OK;
    case DW_VECTOR_STR:
    case DW_VECTOR_TEXT:
        return view_strings(v, source, count, out);
    case DW_VECTOR_LIST:
    case DW_VECTOR_MAP:
        return view_list(v, spec, source, count, out);
    case DW_VECTOR_STRUCT:
        return view_struct(v, spec, source, count, out);
    case DW_VECTOR_I8:
    case DW_VECTOR_I16:
    case DW_VECTOR_FLOAT:
    case DW_VECTOR_DATE:
    case DW_VECTOR_TIMESTAMP:
    case DW_VECTOR_TIMESTAMP_NTZ:
    case DW_VECTOR_DECIMAL:
    case DW_VECTOR_BYTES:
        break; /* for writing only */
    }
    dw_unreachable("a kind of vector");
}

dw_status
dw__vector_view(const dw_duck *duck, duckdb_data_chunk chunk, const dw_column_spec *columns,
                size_t column_count, dw_arena *arena, dw_batch *out, dw_error *err)
{
    dw_assert(duck->data_chunk_get_column_count(chunk) == column_count);
    viewer v = {duck, arena, err};
    *out = (dw_batch){0};
    dw_vector *vectors = DW_ARENA_ARRAY(arena, dw_vector, column_count);
    if (vectors == NULL) {
        return dw__error_oom(err);
    }
    size_t count = duck->data_chunk_get_size(chunk);
    for (size_t i = 0; i < column_count; i++) {
        DW_TRY(
            view(&v, &columns[i], duck->data_chunk_get_vector(chunk, i), count, NULL, &vectors[i]));
    }
    out->row_count = count;
    out->columns = vectors;
    return DW_OK;
}
