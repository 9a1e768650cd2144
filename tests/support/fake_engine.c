/*
 * The form of a file: the word FAKE, the tree of columns, then batches. A batch is its number of
 * rows and its columns; a column is a byte a row (1: a value, 0: NULL), the values of those that
 * have one, and for lists and maps the columns of all elements. A batch of no rows ends the file.
 */
#include "support/fake_engine.h"

#include "base/assert.h"

#include <inttypes.h>
#include <stdatomic.h>

#define FILE_BYTES_MAX ((size_t) 1 << 30)
#define DEPTH_MAX 16
#define NO_ROW SIZE_MAX

static const char magic[4] = {'F', 'A', 'K', 'E'};

typedef struct fake_engine {
    dw_engine base;
    atomic_llong read_count;
    atomic_llong write_count;
} fake_engine;

/* ---- Writing --------------------------------------------------------------------------------- */

static void
put_bytes(dw_strbuf *out, const void *bytes, size_t size)
{
    dw__strbuf_append(out, dw__str_make(bytes, size));
}

static void
put_u32(dw_strbuf *out, size_t value)
{
    uint32_t number = (uint32_t) value;
    put_bytes(out, &number, sizeof(number));
}

static void
put_str(dw_strbuf *out, dw_str s)
{
    put_u32(out, s.len);
    dw__strbuf_append(out, s);
}

static void
put_spec(dw_strbuf *out, const dw_column_spec *spec)
{
    dw__strbuf_append_char(out, (char) spec->kind);
    put_str(out, dw__str_from(spec->name));
    put_u32(out, spec->child_count);
    for (size_t i = 0; i < spec->child_count; i++) {
        put_spec(out, &spec->children[i]);
    }
}

static bool
has_value(const dw_vector *vector, size_t row)
{
    return row != NO_ROW && dw__vector_is_valid(vector, row);
}

static bool put_vector(dw_strbuf *out, const dw_column_spec *spec, const dw_vector *vector,
                       const size_t *rows, size_t count);

/* The elements of all rows, one behind the other, as columns of their own. */
static bool
put_elements(dw_strbuf *out, const dw_column_spec *spec, const dw_vector *vector,
             const size_t *rows, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += has_value(vector, rows[i]) ? ((const dw_span *) vector->data)[rows[i]].len : 0;
    }
    size_t *elements = dw__alloc(out->allocator, total * sizeof(size_t));
    if (elements == NULL) {
        return false;
    }
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (has_value(vector, rows[i])) {
            dw_span span = ((const dw_span *) vector->data)[rows[i]];
            for (size_t k = 0; k < span.len; k++) {
                elements[used++] = span.offset + k;
            }
        }
    }
    bool ok = true;
    for (size_t i = 0; ok && i < spec->child_count; i++) {
        ok = put_vector(out, &spec->children[i], &vector->children[i], elements, total);
    }
    dw__dealloc(out->allocator, elements, total * sizeof(size_t));
    return ok;
}

static bool
put_fields(dw_strbuf *out, const dw_column_spec *spec, const dw_vector *vector, const size_t *rows,
           size_t count)
{
    size_t *fields = dw__alloc(out->allocator, count * sizeof(size_t));
    if (fields == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        fields[i] = has_value(vector, rows[i]) ? rows[i] : NO_ROW;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < spec->child_count; i++) {
        ok = put_vector(out, &spec->children[i], &vector->children[i], fields, count);
    }
    dw__dealloc(out->allocator, fields, count * sizeof(size_t));
    return ok;
}

static bool
put_vector(dw_strbuf *out, const dw_column_spec *spec, const dw_vector *vector, const size_t *rows,
           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dw__strbuf_append_char(out, has_value(vector, rows[i]) ? 1 : 0);
    }
    size_t size = dw__vector_width(spec->kind);
    for (size_t i = 0; i < count && size > 0; i++) {
        if (!has_value(vector, rows[i])) {
            continue;
        }
        const char *value = (const char *) vector->data + rows[i] * size;
        if (spec->kind == DW_VECTOR_STR || spec->kind == DW_VECTOR_BYTES) {
            put_str(out, ((const dw_str *) vector->data)[rows[i]]);
        } else if (spec->kind == DW_VECTOR_LIST || spec->kind == DW_VECTOR_MAP) {
            put_u32(out, ((const dw_span *) vector->data)[rows[i]].len);
        } else {
            put_bytes(out, value, size);
        }
    }
    if (spec->kind == DW_VECTOR_STRUCT) {
        return put_fields(out, spec, vector, rows, count);
    }
    return spec->child_count == 0 || put_elements(out, spec, vector, rows, count);
}

static dw_status
put_batch(dw_strbuf *out, const dw_column_spec *columns, size_t column_count, const dw_batch *batch,
          dw_error *err)
{
    put_u32(out, batch->row_count);
    size_t *rows = dw__alloc(out->allocator, batch->row_count * sizeof(size_t));
    if (rows == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < batch->row_count; i++) {
        rows[i] = i;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < column_count; i++) {
        ok = put_vector(out, &columns[i], &batch->columns[i], rows, batch->row_count);
    }
    dw__dealloc(out->allocator, rows, batch->row_count * sizeof(size_t));
    return ok ? DW_OK : dw__error_oom(err);
}

static dw_status
fake_write(dw_engine *engine, const dw_column_spec *columns, size_t column_count,
           dw_batch_source next, void *ctx, dw_strbuf *out, dw_error *err)
{
    atomic_fetch_add(&((fake_engine *) engine)->write_count, 1);
    put_bytes(out, magic, sizeof(magic));
    put_u32(out, column_count);
    for (size_t i = 0; i < column_count; i++) {
        put_spec(out, &columns[i]);
    }
    for (;;) {
        dw_batch batch = {0};
        DW_TRY(next(ctx, &batch, err));
        if (batch.row_count == 0) {
            break;
        }
        dw_assert(batch.row_count <= 2048);
        DW_TRY(put_batch(out, columns, column_count, &batch, err));
    }
    put_u32(out, 0);
    return dw__strbuf_ok(out, "a file", err);
}

/* ---- Reading --------------------------------------------------------------------------------- */

typedef struct reader {
    dw_str rest;
    dw_arena *arena;
    bool is_damaged;
    bool is_out_of_memory;
} reader;

static const char *
take_bytes(reader *r, size_t size)
{
    if (r->rest.len < size) {
        r->is_damaged = true;
        return NULL;
    }
    const char *bytes = r->rest.ptr;
    r->rest = dw__str_slice(r->rest, size, r->rest.len);
    return bytes;
}

static uint32_t
take_u32(reader *r)
{
    uint32_t value = 0;
    const char *bytes = take_bytes(r, sizeof(value));
    if (bytes != NULL) {
        memcpy(&value, bytes, sizeof(value));
    }
    return value;
}

static dw_str
take_str(reader *r)
{
    size_t len = take_u32(r);
    const char *bytes = take_bytes(r, len);
    return bytes == NULL ? DW_STR_NULL : dw__str_make(bytes, len);
}

static void *
make_array(reader *r, size_t size, size_t count)
{
    void *array = dw__arena_alloc_array(r->arena, size, count);
    r->is_out_of_memory = r->is_out_of_memory || array == NULL;
    return array;
}

static bool
is_fine(const reader *r)
{
    return !r->is_damaged && !r->is_out_of_memory;
}

static dw_column_spec *
take_specs(reader *r, size_t count, int depth)
{
    if (depth == DEPTH_MAX || count > r->rest.len) {
        r->is_damaged = true;
        return NULL;
    }
    dw_column_spec *specs = make_array(r, sizeof(dw_column_spec), count);
    for (size_t i = 0; i < count && is_fine(r); i++) {
        const char *kind = take_bytes(r, 1);
        dw_str name = take_str(r);
        char *copy = is_fine(r) ? dw__arena_dup_cstr(r->arena, name) : NULL;
        r->is_out_of_memory = r->is_out_of_memory || (is_fine(r) && copy == NULL);
        if (!is_fine(r) || *kind < 0 || *kind > DW_VECTOR_BYTES) {
            r->is_damaged = is_fine(r) || r->is_damaged;
            return NULL;
        }
        size_t child_count = take_u32(r);
        specs[i] = (dw_column_spec){
            .name = copy, .kind = (dw_vector_kind) *kind, .child_count = child_count};
        specs[i].children = child_count == 0 ? NULL : take_specs(r, child_count, depth + 1);
    }
    return specs;
}

static bool take_vector(reader *r, const dw_column_spec *spec, size_t count, dw_vector *out);

static bool
take_children(reader *r, const dw_column_spec *spec, size_t count, dw_vector *out)
{
    dw_vector *children = make_array(r, sizeof(dw_vector), spec->child_count);
    out->children = children;
    for (size_t i = 0; i < spec->child_count && is_fine(r); i++) {
        (void) take_vector(r, &spec->children[i], count, &children[i]);
    }
    return is_fine(r);
}

static void
take_value(reader *r, const dw_column_spec *spec, char *to, uint32_t *element_count)
{
    if (spec->kind == DW_VECTOR_STR || spec->kind == DW_VECTOR_BYTES) {
        dw_str value = take_str(r);
        memcpy(to, &value, sizeof(value));
    } else if (spec->kind == DW_VECTOR_LIST || spec->kind == DW_VECTOR_MAP) {
        dw_span span = {*element_count, take_u32(r)};
        r->is_damaged = r->is_damaged || span.len > r->rest.len;
        *element_count += r->is_damaged ? 0 : span.len;
        memcpy(to, &span, sizeof(span));
    } else if (spec->kind != DW_VECTOR_STRUCT) {
        const char *bytes = take_bytes(r, dw__vector_width(spec->kind));
        if (bytes != NULL) {
            memcpy(to, bytes, dw__vector_width(spec->kind));
        }
    }
}

static bool
take_vector(reader *r, const dw_column_spec *spec, size_t count, dw_vector *out)
{
    size_t size = dw__vector_width(spec->kind);
    const char *flags = take_bytes(r, count);
    bool *valid = make_array(r, sizeof(bool), count);
    char *data = make_array(r, size, count);
    uint32_t element_count = 0;
    for (size_t i = 0; i < count && is_fine(r); i++) {
        valid[i] = flags[i] != 0;
        if (valid[i]) {
            take_value(r, spec, data + i * size, &element_count);
        }
    }
    *out = (dw_vector){.valid = valid, .data = data};
    if (!is_fine(r) || spec->child_count == 0) {
        return is_fine(r);
    }
    return take_children(r, spec, spec->kind == DW_VECTOR_STRUCT ? count : element_count, out);
}

/* ---- From the file's columns to those that are wanted ---------------------------------------- */

static const char *const kind_names[] = {
    "BOOLEAN", "INTEGER",      "BIGINT",    "DOUBLE",  "VARCHAR",  "LIST",
    "MAP",     "STRUCT",       "TEXT",      "TINYINT", "SMALLINT", "FLOAT",
    "DATE",    "TIMESTAMP_TZ", "TIMESTAMP", "DECIMAL", "BLOB"};

/* A column that the file lacks: NULL in every row, its children empty or NULL. */
static bool
make_nulls(reader *r, const dw_column_spec *spec, size_t count, dw_vector *out)
{
    dw_vector *children = make_array(r, sizeof(dw_vector), spec->child_count);
    *out = (dw_vector){.valid = make_array(r, sizeof(bool), count),
                       .data = make_array(r, dw__vector_width(spec->kind), count),
                       .children = children};
    for (size_t i = 0; i < spec->child_count && is_fine(r); i++) {
        (void) make_nulls(r, &spec->children[i], count, &children[i]);
    }
    return is_fine(r);
}

static size_t
find_spec(const dw_column_spec *specs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(specs[i].name, name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static dw_status
out_of_memory_or_damaged(const reader *r, dw_str key, dw_error *err)
{
    if (r->is_out_of_memory) {
        return dw__error_oom(err);
    }
    return dw__error_set(err, DW_CORRUPT, "PARQUET_INVALID",
                         "expected a Parquet file that can be read, found damaged bytes in %.*s",
                         DW_STR_ARG(key));
}

/* How many elements the lists of a column have together: they lie one behind the other. */
static size_t
element_count(const dw_vector *vector, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        dw_span span = ((const dw_span *) vector->data)[i];
        total = vector->valid[i] ? (size_t) span.offset + span.len : total;
    }
    return total;
}

/* `count` rows of `from` as the wanted column. */
static dw_status
shape(reader *r, const dw_column_spec *wanted, const dw_column_spec *found, const dw_vector *from,
      size_t count, dw_vector *out, dw_error *err)
{
    *out = *from;
    bool widens = wanted->kind == DW_VECTOR_I64 && found->kind == DW_VECTOR_I32;
    bool is_text = wanted->kind == DW_VECTOR_TEXT && found->kind == DW_VECTOR_STR;
    if (wanted->kind != found->kind && !widens && !is_text) {
        return dw__error_set(err, DW_CORRUPT, "PARQUET_TYPE",
                             "expected column %s to be %s, found %s", wanted->name,
                             kind_names[wanted->kind], kind_names[found->kind]);
    }
    if (widens) {
        int64_t *wide = make_array(r, sizeof(int64_t), count);
        for (size_t i = 0; wide != NULL && i < count; i++) {
            wide[i] = ((const int32_t *) from->data)[i];
        }
        out->data = wide;
        return wide == NULL ? dw__error_oom(err) : DW_OK;
    }
    if (wanted->child_count == 0) {
        return DW_OK;
    }
    bool is_struct = wanted->kind == DW_VECTOR_STRUCT;
    dw_vector *children = make_array(r, sizeof(dw_vector), wanted->child_count);
    if (children == NULL) {
        return dw__error_oom(err);
    }
    out->children = children;
    size_t child_rows = is_struct ? count : element_count(from, count);
    for (size_t i = 0; i < wanted->child_count; i++) {
        const dw_column_spec *child = &wanted->children[i];
        size_t at = is_struct ? find_spec(found->children, found->child_count, child->name) : i;
        if (at == SIZE_MAX) {
            if (!make_nulls(r, child, count, &children[i])) {
                return dw__error_oom(err);
            }
            continue;
        }
        DW_TRY(shape(r, child, &found->children[at], &from->children[at], child_rows, &children[i],
                     err));
    }
    return DW_OK;
}

/* Keeps the rows of `rows`; elements of lists stay where they are. */
static bool
gather(reader *r, const dw_column_spec *spec, dw_vector *vector, const size_t *rows, size_t count)
{
    size_t size = dw__vector_width(spec->kind);
    bool *valid = make_array(r, sizeof(bool), count);
    char *data = make_array(r, size, count);
    for (size_t i = 0; i < count && is_fine(r); i++) {
        valid[i] = dw__vector_is_valid(vector, rows[i]);
        if (size > 0) {
            memcpy(data + i * size, (const char *) vector->data + rows[i] * size, size);
        }
    }
    vector->valid = valid;
    vector->data = data;
    dw_vector *children = (dw_vector *) (uintptr_t) vector->children;
    for (size_t i = 0; spec->kind == DW_VECTOR_STRUCT && i < spec->child_count && is_fine(r); i++) {
        (void) gather(r, &spec->children[i], &children[i], rows, count);
    }
    return is_fine(r);
}

/* The vector at a path of names; NULL: the file has no such column. */
static const dw_vector *
find_path(const dw_column_spec *specs, const dw_vector *vectors, size_t count,
          const char *const *path)
{
    const dw_vector *vector = NULL;
    for (; *path != NULL; path++) {
        size_t at = find_spec(specs, count, *path);
        if (at == SIZE_MAX) {
            return NULL;
        }
        vector = &vectors[at];
        vectors = vector->children;
        count = specs[at].child_count;
        specs = specs[at].children;
    }
    return vector;
}

typedef struct fake_file {
    const dw_column_spec *specs;
    size_t spec_count;
} fake_file;

static bool
has_path_value(const fake_file *file, const dw_vector *found, const char *const *path, size_t row)
{
    const dw_vector *vector = find_path(file->specs, found, file->spec_count, path);
    return vector != NULL && dw__vector_is_valid(vector, row);
}

static bool
is_wanted(const fake_file *file, const dw_vector *found, const dw_parquet_read *request, size_t row)
{
    bool wanted =
        request->required_path == NULL || has_path_value(file, found, request->required_path, row);
    for (size_t i = 0; wanted && request->absent_paths != NULL && request->absent_paths[i] != NULL;
         i++) {
        wanted = !has_path_value(file, found, request->absent_paths[i], row);
    }
    return wanted;
}

static dw_status
visit_batch(reader *r, const fake_file *file, size_t row_count, const dw_parquet_read *request,
            dw_batch_visitor visit, void *ctx, dw_error *err)
{
    dw_vector *found = make_array(r, sizeof(dw_vector), file->spec_count);
    dw_vector *columns = make_array(r, sizeof(dw_vector), request->column_count);
    size_t *rows = make_array(r, sizeof(size_t), row_count);
    for (size_t i = 0; i < file->spec_count && is_fine(r); i++) {
        (void) take_vector(r, &file->specs[i], row_count, &found[i]);
    }
    if (!is_fine(r)) {
        return out_of_memory_or_damaged(r, request->key, err);
    }
    size_t kept = 0;
    for (size_t i = 0; i < row_count; i++) {
        if (is_wanted(file, found, request, i)) {
            rows[kept++] = i;
        }
    }
    for (size_t i = 0; i < request->column_count; i++) {
        const dw_column_spec *wanted = &request->columns[i];
        size_t at = find_spec(file->specs, file->spec_count, wanted->name);
        if (at == SIZE_MAX) {
            (void) make_nulls(r, wanted, row_count, &columns[i]);
        } else {
            DW_TRY(shape(r, wanted, &file->specs[at], &found[at], row_count, &columns[i], err));
        }
        if (!is_fine(r) || !gather(r, wanted, &columns[i], rows, kept)) {
            return dw__error_oom(err);
        }
    }
    dw_batch batch = {kept, columns};
    return kept == 0 ? DW_OK : visit(ctx, &batch, err);
}

static dw_status
read_bytes(dw_engine *engine, dw_str bytes, const dw_parquet_read *request, dw_batch_visitor visit,
           void *ctx, dw_error *err)
{
    DW_AUTO(dw_arena) spec_arena;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&spec_arena, engine->env->allocator);
    dw__arena_init(&arena, engine->env->allocator);
    reader r = {bytes, &spec_arena, false, false};
    const char *word = take_bytes(&r, sizeof(magic));
    if (word == NULL || memcmp(word, magic, sizeof(magic)) != 0) {
        r.is_damaged = true;
        return out_of_memory_or_damaged(&r, request->key, err);
    }
    fake_file file = {NULL, take_u32(&r)};
    file.specs = take_specs(&r, file.spec_count, 0);
    r.arena = &arena;
    for (;;) {
        size_t row_count = take_u32(&r);
        if (!is_fine(&r) || row_count > 2048) {
            r.is_damaged = r.is_damaged || row_count > 2048;
            return out_of_memory_or_damaged(&r, request->key, err);
        }
        if (row_count == 0) {
            return DW_OK;
        }
        DW_TRY(visit_batch(&r, &file, row_count, request, visit, ctx, err));
        dw__arena_reset(&arena);
    }
}

static dw_status
fake_read(dw_engine *engine, dw_storage *storage, const dw_parquet_read *request,
          dw_batch_visitor visit, void *ctx, dw_error *err)
{
    atomic_fetch_add(&((fake_engine *) engine)->read_count, 1);
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(engine->env->allocator, FILE_BYTES_MAX);
    DW_TRY(dw__storage_get(storage, request->key, &bytes, NULL, err));
    return read_bytes(engine, dw__strbuf_str(&bytes), request, visit, ctx, err);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void
fake_close(dw_engine *engine)
{
    DW_DELETE(engine->env->allocator, (fake_engine *) engine);
}

dw_engine *
dwt_fake_engine_open(const dw_env *env)
{
    static const dw_engine_ops ops = {fake_read, fake_write, fake_close};
    fake_engine *engine = DW_NEW(env->allocator, fake_engine);
    if (engine == NULL) {
        return NULL;
    }
    engine->base = (dw_engine){&ops, env};
    atomic_init(&engine->read_count, 0);
    atomic_init(&engine->write_count, 0);
    return &engine->base;
}

int64_t
dwt_fake_engine_read_count(const dw_engine *engine)
{
    return atomic_load(&((fake_engine *) (uintptr_t) engine)->read_count);
}

int64_t
dwt_fake_engine_write_count(const dw_engine *engine)
{
    return atomic_load(&((fake_engine *) (uintptr_t) engine)->write_count);
}
