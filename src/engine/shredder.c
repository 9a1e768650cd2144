/*
 * See shredder.h. A function writes the vectors of its result itself: to compute each column of its
 * own would walk through every variant as often as it has fields. Recursion is at most
 * DW_SHRED_DEPTH_MAX deep.
 */
#include "engine/shredder.h"

#include "base/assert.h"
#include "base/vec.h"
#include "engine/functions.h"
#include "engine/variant_vectors.h"

#include <inttypes.h>

#define TYPE_TEXT_BYTES_MAX ((size_t) 16 << 20)

/* ---- The type of the result ------------------------------------------------------------------ */

/* The columns of a struct while it is made. */
typedef struct column_list {
    const dw_duck *duck;
    dw_arena *arena;
    duckdb_logical_type *types;
    const char **names;
    size_t count;
    size_t capacity;
    bool failed; /* out of memory */
} column_list;

static size_t
count_typed(const dw_shred_type *type)
{
    size_t count = 0;
    for (; type->kind == DW_SHRED_ARRAY; type = type->element) {
        count++;
    }
    return count + (type->kind == DW_SHRED_NONE ? 0 : 1);
}

static size_t
count_columns(const dw_shred_type *object)
{
    size_t count = 0;
    for (size_t i = 0; i < object->field_count; i++) {
        count += 1 + count_typed(object->fields[i].type);
    }
    return count;
}

static column_list
make_list(const dw_duck *duck, dw_arena *arena, size_t capacity)
{
    column_list list = {.duck = duck,
                        .arena = arena,
                        .types = DW_ARENA_ARRAY(arena, duckdb_logical_type, capacity),
                        .names = DW_ARENA_ARRAY(arena, const char *, capacity),
                        .capacity = capacity};
    list.failed = list.types == NULL || list.names == NULL;
    return list;
}

/* Adopts the type, which is put into as many lists as the column has. */
static void
add_column(column_list *list, dw_shred_column column, duckdb_logical_type type)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(list->arena->allocator, TYPE_TEXT_BYTES_MAX);
    dw__shred_column_print(&text, &column);
    char *name = text.failed ? NULL : dw__arena_dup_cstr(list->arena, dw__strbuf_str(&text));
    for (size_t i = 0; i < column.list_depth; i++) {
        duckdb_logical_type inner = type;
        type = list->duck->create_list_type(inner);
        list->duck->destroy_logical_type(&inner);
    }
    if (list->failed || name == NULL || type == NULL) {
        list->duck->destroy_logical_type(&type);
        list->failed = true;
        return;
    }
    dw_assert(list->count < list->capacity);
    list->types[list->count] = type;
    list->names[list->count++] = name;
}

static duckdb_logical_type
make_struct(column_list *list)
{
    duckdb_logical_type type = NULL;
    if (!list->failed) {
        type = list->duck->create_struct_type(list->types, list->names, list->count);
    }
    for (size_t i = 0; i < list->count; i++) {
        list->duck->destroy_logical_type(&list->types[i]);
    }
    return type;
}

static void add_columns(column_list *list, dw_str name, const dw_shred_type *type);

static duckdb_logical_type
make_object(const dw_duck *duck, dw_arena *arena, const dw_shred_type *type)
{
    column_list list = make_list(duck, arena, count_columns(type));
    for (size_t i = 0; i < type->field_count; i++) {
        add_columns(&list, type->fields[i].name, type->fields[i].type);
    }
    return make_struct(&list);
}

static duckdb_logical_type
make_scalar(const dw_duck *duck, const dw_shred_type *type)
{
    static const duckdb_type types[] = {
        [DW_SHRED_BOOLEAN] = DUCKDB_TYPE_BOOLEAN,     [DW_SHRED_LONG] = DUCKDB_TYPE_BIGINT,
        [DW_SHRED_FLOAT] = DUCKDB_TYPE_FLOAT,         [DW_SHRED_DOUBLE] = DUCKDB_TYPE_DOUBLE,
        [DW_SHRED_TEXT] = DUCKDB_TYPE_VARCHAR,        [DW_SHRED_BYTES] = DUCKDB_TYPE_BLOB,
        [DW_SHRED_DATE] = DUCKDB_TYPE_DATE,           [DW_SHRED_INSTANT] = DUCKDB_TYPE_TIMESTAMP_TZ,
        [DW_SHRED_LOCAL_TIME] = DUCKDB_TYPE_TIMESTAMP};
    if (type->kind == DW_SHRED_DECIMAL) {
        return duck->create_decimal_type(type->precision, type->scale);
    }
    dw_assert(type->kind > DW_SHRED_NONE && type->kind < DW_SHRED_OBJECT);
    return duck->create_logical_type(types[type->kind]);
}

/* The columns of what has that name: of its values, and of typed ones. */
static void
add_columns(column_list *list, dw_str name, const dw_shred_type *type)
{
    const dw_duck *duck = list->duck;
    dw_shred_column column = {.name = name};
    add_column(list, column, duck->create_logical_type(DUCKDB_TYPE_BLOB));
    for (; type->kind == DW_SHRED_ARRAY; type = type->element) {
        column.list_depth++;
        add_column(list, column, duck->create_logical_type(DUCKDB_TYPE_BLOB));
    }
    column.is_typed = true;
    if (type->kind == DW_SHRED_OBJECT) {
        add_column(list, column, make_object(duck, list->arena, type));
    } else if (type->kind != DW_SHRED_NONE) {
        add_column(list, column, make_scalar(duck, type));
    }
}

/* NULL when out of memory. */
static duckdb_logical_type
make_result_type(const dw_duck *duck, dw_arena *arena, const dw_shred_type *type)
{
    column_list rest = make_list(duck, arena, 1 + count_typed(type));
    add_columns(&rest, DW_STR(""), type);
    duckdb_logical_type blob = duck->create_logical_type(DUCKDB_TYPE_BLOB);
    duckdb_logical_type shredded = make_struct(&rest);
    duckdb_logical_type members[] = {blob, shredded};
    const char *names[] = {"metadata", "shredded"};
    duckdb_logical_type result =
        shredded == NULL ? NULL : duck->create_struct_type(members, names, 2);
    duck->destroy_logical_type(&blob);
    duck->destroy_logical_type(&shredded);
    return result;
}

/* ---- The vectors of the result --------------------------------------------------------------- */

/* The vectors of a value: those of typed values are lists in an array, one for each column of its
 * elements. */
typedef struct place {
    const dw_shred_type *type;
    duckdb_vector value;
    duckdb_vector *typed;
    size_t typed_count;
    struct place *inner; /* of the fields, or of the elements */
    idx_t element_count; /* of arrays: in all rows up to now */
    idx_t element_capacity;
} place;

typedef struct flag_vec {
    bool *items;
    size_t count;
    size_t capacity;
} flag_vec;

/* What the rows of a chunk share. */
typedef struct shred_writer {
    const dw_duck *duck;
    dw_arena *arena;
    dw_str metadata;
    flag_vec kept; /* of the objects that are being taken apart */
    dw_strbuf rest;
    dw_error *err;
} shred_writer;

static bool make_places(shred_writer *w, place *at);

/* `next` is the next child of `parent` that is not taken. */
static bool
make_field_place(shred_writer *w, place *at, duckdb_vector parent, idx_t *next)
{
    at->value = w->duck->struct_vector_get_child(parent, (*next)++);
    at->typed_count = count_typed(at->type);
    at->typed = DW_ARENA_ARRAY(w->arena, duckdb_vector, at->typed_count + 1);
    for (size_t i = 0; at->typed != NULL && i < at->typed_count; i++) {
        at->typed[i] = w->duck->struct_vector_get_child(parent, (*next)++);
    }
    return at->typed != NULL && make_places(w, at);
}

static bool
make_element_place(shred_writer *w, place *at, const place *array)
{
    at->typed_count = array->typed_count - 1;
    at->typed = DW_ARENA_ARRAY(w->arena, duckdb_vector, array->typed_count);
    if (at->typed == NULL) {
        return false;
    }
    at->value = w->duck->list_vector_get_child(array->typed[0]);
    for (size_t i = 0; i < at->typed_count; i++) {
        at->typed[i] = w->duck->list_vector_get_child(array->typed[i + 1]);
    }
    return make_places(w, at);
}

/* Those within a place. */
static bool
make_places(shred_writer *w, place *at)
{
    const dw_shred_type *type = at->type;
    size_t count = type->kind == DW_SHRED_ARRAY ? 1 : type->field_count;
    at->inner = DW_ARENA_ARRAY(w->arena, place, count + 1);
    if (at->inner == NULL) {
        return false;
    }
    memset(at->inner, 0, count * sizeof(*at->inner));
    if (type->kind == DW_SHRED_ARRAY) {
        at->inner->type = type->element;
        return make_element_place(w, at->inner, at);
    }
    idx_t next = 0;
    for (size_t i = 0; i < type->field_count; i++) {
        at->inner[i].type = type->fields[i].type;
        if (!make_field_place(w, &at->inner[i], at->typed[0], &next)) {
            return false;
        }
    }
    return true;
}

/* ---- Values ---------------------------------------------------------------------------------- */

static void
set_valid(const shred_writer *w, duckdb_vector vector, idx_t row)
{
    uint64_t *validity = w->duck->vector_get_validity(vector);
    if (validity != NULL) {
        validity[row / 64] |= UINT64_C(1) << (row % 64);
    }
}

static void
put_bytes(const shred_writer *w, duckdb_vector vector, idx_t row, dw_str bytes)
{
    set_valid(w, vector, row);
    w->duck->unsafe_vector_assign_string_element_len(vector, row, bytes.ptr, bytes.len);
}

static void
put_empty_list(const shred_writer *w, duckdb_vector list, idx_t row)
{
    duckdb_list_entry *entries = w->duck->vector_get_data(list);
    entries[row] = (duckdb_list_entry){0, 0};
}

/* No value at all. */
static void
put_missing(const shred_writer *w, const place *at, idx_t row)
{
    dw__duck_set_null(w->duck, at->value, row);
    for (size_t i = 0; i < at->typed_count; i++) {
        dw__duck_set_null(w->duck, at->typed[i], row);
        if (at->type->kind == DW_SHRED_ARRAY) {
            put_empty_list(w, at->typed[i], row);
        }
    }
    for (size_t i = 0; at->type->kind == DW_SHRED_OBJECT && i < at->type->field_count; i++) {
        put_missing(w, &at->inner[i], row);
    }
}

static void
put_decimal(void *data, idx_t row, const dw_shred_type *type, dw_int128 unscaled)
{
    if (type->precision <= 18) {
        ((int64_t *) data)[row] = (int64_t) unscaled;
    } else {
        ((duckdb_hugeint *) data)[row] =
            (duckdb_hugeint){(uint64_t) unscaled, (int64_t) (unscaled >> 64)};
    }
}

static void
put_scalar(const shred_writer *w, const dw_shred_type *type, duckdb_vector vector, idx_t row,
           const dw_shred_scalar *scalar)
{
    void *data = w->duck->vector_get_data(vector);
    set_valid(w, vector, row);
    switch (type->kind) {
    case DW_SHRED_BOOLEAN:
        ((bool *) data)[row] = scalar->boolean;
        return;
    case DW_SHRED_LONG:
    case DW_SHRED_INSTANT:
    case DW_SHRED_LOCAL_TIME:
        ((int64_t *) data)[row] = scalar->number;
        return;
    case DW_SHRED_DATE:
        ((int32_t *) data)[row] = (int32_t) scalar->number;
        return;
    case DW_SHRED_FLOAT:
        ((float *) data)[row] = scalar->real;
        return;
    case DW_SHRED_DOUBLE:
        ((double *) data)[row] = scalar->wide_real;
        return;
    case DW_SHRED_DECIMAL:
        put_decimal(data, row, type, scalar->unscaled);
        return;
    case DW_SHRED_TEXT:
    case DW_SHRED_BYTES:
        put_bytes(w, vector, row, scalar->bytes);
        return;
    case DW_SHRED_NONE:
    case DW_SHRED_OBJECT:
    case DW_SHRED_ARRAY:
        break;
    }
    dw_unreachable("kind of a scalar");
}

/* ---- Objects and arrays ---------------------------------------------------------------------- */

/* The place must be missing before. */
static dw_status put_value(shred_writer *w, place *at, idx_t row, dw_str value);

/* What is left of an object without the fields that have columns. */
static dw_status
put_rest(shred_writer *w, const place *at, idx_t row, const dw_variant_walk *walk, size_t first)
{
    bool is_any = false;
    for (size_t i = 0; i < walk->count; i++) {
        is_any = is_any || w->kept.items[first + i];
    }
    if (is_any) {
        dw__strbuf_clear(&w->rest);
        DW_TRY(dw__variant_walk_keep(walk, w->kept.items + first, &w->rest, w->err));
        put_bytes(w, at->value, row, dw__strbuf_str(&w->rest));
    }
    return DW_OK;
}

/* Fields of both are in the order of their names. */
static dw_status
put_fields(shred_writer *w, place *at, idx_t row, const dw_variant_walk *walk, size_t first)
{
    size_t next = 0;
    for (size_t i = 0; i < walk->count; i++) {
        dw_str name, value;
        DW_TRY(dw__variant_walk_at(walk, i, &name, &value, w->err));
        while (next < at->type->field_count &&
               dw__str_compare(at->type->fields[next].name, name) < 0) {
            next++;
        }
        bool is_field =
            next < at->type->field_count && dw__str_equal(at->type->fields[next].name, name);
        w->kept.items[first + i] = !is_field;
        if (is_field) {
            DW_TRY(put_value(w, &at->inner[next], row, value));
        }
    }
    return DW_OK;
}

static dw_status
put_object(shred_writer *w, place *at, idx_t row, const dw_variant_walk *walk)
{
    size_t first = w->kept.count;
    if (!DW_VEC_RESERVE(w->arena->allocator, &w->kept, first + walk->count + 1)) {
        return dw__error_oom(w->err);
    }
    w->kept.count += walk->count;
    set_valid(w, at->typed[0], row);
    DW_TRY(put_fields(w, at, row, walk, first));
    DW_TRY(put_rest(w, at, row, walk, first));
    w->kept.count = first;
    return DW_OK;
}

static dw_status
reserve_elements(shred_writer *w, place *at, idx_t count)
{
    idx_t needed = at->element_count + count;
    if (needed <= at->element_capacity) {
        return DW_OK;
    }
    idx_t capacity = at->element_capacity == 0 ? 64 : 2 * at->element_capacity;
    at->element_capacity = capacity < needed ? needed : capacity;
    for (size_t i = 0; i < at->typed_count; i++) {
        if (w->duck->list_vector_reserve(at->typed[i], at->element_capacity) != DuckDBSuccess) {
            return dw__error_oom(w->err);
        }
    }
    return DW_OK;
}

static dw_status
put_array(shred_writer *w, place *at, idx_t row, const dw_variant_walk *walk)
{
    DW_TRY(reserve_elements(w, at, walk->count));
    idx_t first = at->element_count;
    at->element_count += walk->count;
    for (size_t i = 0; i < at->typed_count; i++) {
        set_valid(w, at->typed[i], row);
        duckdb_list_entry *entries = w->duck->vector_get_data(at->typed[i]);
        entries[row] = (duckdb_list_entry){first, walk->count};
        if (w->duck->list_vector_set_size(at->typed[i], at->element_count) != DuckDBSuccess) {
            return dw__error_oom(w->err);
        }
    }
    for (size_t i = 0; i < walk->count; i++) {
        dw_str name, value;
        DW_TRY(dw__variant_walk_at(walk, i, &name, &value, w->err));
        put_missing(w, at->inner, first + i);
        DW_TRY(put_value(w, at->inner, first + i, value));
    }
    return DW_OK;
}

static dw_status
put_value(shred_writer *w, place *at, idx_t row, dw_str value)
{
    dw_shred_kind kind = at->type->kind;
    if (kind == DW_SHRED_OBJECT || kind == DW_SHRED_ARRAY) {
        dw_variant_walk walk;
        bool is_group;
        DW_TRY(dw__variant_walk(w->metadata, value, &walk, &is_group, w->err));
        if (is_group && walk.is_object == (kind == DW_SHRED_OBJECT)) {
            return walk.is_object ? put_object(w, at, row, &walk) : put_array(w, at, row, &walk);
        }
    } else {
        dw_shred_scalar scalar;
        if (dw__shred_scalar(at->type, value, &scalar)) {
            put_scalar(w, at->type, at->typed[0], row, &scalar);
            return DW_OK;
        }
    }
    put_bytes(w, at->value, row, value);
    return DW_OK;
}

/* ---- The function ---------------------------------------------------------------------------- */

/* Where a chunk comes from and goes to. */
typedef struct chunk {
    duckdb_vector input;  /* a struct of both parts */
    duckdb_vector output; /* a struct of `metadata` and `shredded` */
    duckdb_vector metadata, shredded;
    idx_t row_count;
} chunk;

static dw_status
put_rows(shred_writer *w, const chunk *rows, place *root, dw_variant_writer *variants)
{
    const dw_duck *duck = w->duck;
    duckdb_vector metadata = duck->struct_vector_get_child(rows->input, 0);
    duckdb_vector value = duck->struct_vector_get_child(rows->input, 1);
    for (idx_t row = 0; row < rows->row_count; row++) {
        put_missing(w, root, row);
        if (!dw__duck_is_valid(duck, rows->input, row)) {
            dw__duck_set_null(duck, rows->output, row);
            dw__duck_set_null(duck, rows->metadata, row);
            dw__duck_set_null(duck, rows->shredded, row);
            continue;
        }
        DW_TRY(dw__variant_write(variants, dw__duck_bytes_at(duck, metadata, row),
                                 dw__duck_bytes_at(duck, value, row), w->err));
        w->metadata = dw__strbuf_str(&variants->metadata);
        put_bytes(w, rows->metadata, row, w->metadata);
        DW_TRY(put_value(w, root, row, dw__strbuf_str(&variants->value)));
    }
    return DW_OK;
}

static dw_status
shred_chunk(const dw_shredder *shredder, const chunk *rows, dw_error *err)
{
    const dw_allocator *allocator = shredder->env->allocator;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, allocator);
    shred_writer w = {.duck = dw__duck_loaded(),
                      .arena = &arena,
                      .rest = dw__strbuf_make(allocator, DW_VARIANT_BYTES_MAX),
                      .err = err};
    dw_variant_writer variants = dw__variant_writer_make(allocator);
    place root = {.type = shredder->type};
    idx_t next = 0;
    dw_status status = make_field_place(&w, &root, rows->shredded, &next)
                           ? put_rows(&w, rows, &root, &variants)
                           : dw__error_oom(err);
    dw__variant_writer_deinit(&variants);
    DW_VEC_DEINIT(allocator, &w.kept);
    dw__strbuf_deinit(&w.rest);
    return status;
}

static void
shred_function(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const dw_duck *duck = dw__duck_loaded();
    const dw_shredder *shredder = duck->scalar_function_get_extra_info(info);
    dw_error err = DW_ERROR_INIT;
    const chunk rows = {.input = duck->data_chunk_get_vector(input, 0),
                        .output = output,
                        .metadata = duck->struct_vector_get_child(output, 0),
                        .shredded = duck->struct_vector_get_child(output, 1),
                        .row_count = duck->data_chunk_get_size(input)};
    if (shred_chunk(shredder, &rows, &err) != DW_OK) {
        dw__function_fail(duck, info, &err);
    }
}

/* ---- Shredders ------------------------------------------------------------------------------- */

void
dw__shredder_print_key(const dw_shred_type *type, dw_strbuf *out)
{
    dw__strbuf_printf(out, "%d", (int) type->kind);
    if (type->kind == DW_SHRED_DECIMAL) {
        dw__strbuf_printf(out, ":%d:%d", type->precision, type->scale);
    } else if (type->kind == DW_SHRED_ARRAY) {
        dw__strbuf_append_char(out, '[');
        dw__shredder_print_key(type->element, out);
        dw__strbuf_append_char(out, ']');
    } else if (type->kind == DW_SHRED_OBJECT) {
        dw__strbuf_append_char(out, '{');
        for (size_t i = 0; i < type->field_count; i++) {
            dw__shred_column_print(out, &(dw_shred_column){.name = type->fields[i].name});
            dw__strbuf_append_char(out, '=');
            dw__shredder_print_key(type->fields[i].type, out);
            dw__strbuf_append_char(out, ',');
        }
        dw__strbuf_append_char(out, '}');
    }
}

/* Adopts the types. */
static dw_status
register_function(dw_shredder *shredder, const dw_duck *duck, duckdb_connection handle,
                  duckdb_logical_type result, dw_error *err)
{
    duckdb_logical_type both = dw__variant_parts_type(duck, DW_PARQUET_VARIANT);
    duckdb_scalar_function function = duck->create_scalar_function();
    duck->scalar_function_set_name(function, shredder->name.ptr);
    duck->scalar_function_add_parameter(function, both);
    duck->scalar_function_set_return_type(function, result);
    duck->scalar_function_set_extra_info(function, shredder, NULL);
    duck->scalar_function_set_function(function, shred_function);
    duck->destroy_logical_type(&both);
    duck->destroy_logical_type(&result);
    return dw__scalar_function_finish(duck, handle, function, shredder->name.ptr, err);
}

static dw_status
fill(dw_shredder *shredder, const dw_duck *duck, duckdb_connection handle,
     const dw_shred_type *type, size_t number, dw_error *err)
{
    DW_AUTO(dw_strbuf) key = dw__strbuf_make(shredder->env->allocator, TYPE_TEXT_BYTES_MAX);
    dw__shredder_print_key(type, &key);
    DW_TRY(dw__strbuf_ok(&key, "a type", err));
    shredder->name = dw__arena_printf(&shredder->arena, "dw__shred_%zu", number);
    shredder->type = dw__shred_type_dup(type, &shredder->arena);
    if (dw__str_is_null(shredder->name) || shredder->type == NULL ||
        !dw__arena_dup(&shredder->arena, dw__strbuf_str(&key), &shredder->key)) {
        return dw__error_oom(err);
    }
    duckdb_logical_type result = make_result_type(duck, &shredder->arena, shredder->type);
    return result == NULL ? dw__error_oom(err)
                          : register_function(shredder, duck, handle, result, err);
}

dw_status
dw__shredder_new(dw_database *database, duckdb_connection handle, const dw_shred_type *type,
                 size_t number, dw_shredder **out, dw_error *err)
{
    const dw_allocator *allocator = database->env->allocator;
    dw_shredder *shredder = DW_NEW(allocator, dw_shredder);
    *out = NULL;
    if (shredder == NULL) {
        return dw__error_oom(err);
    }
    shredder->env = database->env;
    dw__arena_init(&shredder->arena, allocator);
    dw_status status = fill(shredder, database->duck, handle, type, number, err);
    if (status != DW_OK) {
        dw__shredder_free(shredder);
        return status;
    }
    *out = shredder;
    return DW_OK;
}

void
dw__shredder_free(dw_shredder *shredder)
{
    dw__arena_deinit(&shredder->arena);
    DW_DELETE(shredder->env->allocator, shredder);
}
