/*
 * Rows of an Arrow stream as a table function, which asks the stream for the next array when the
 * engine wants more. Nothing is copied or kept beyond two arrays. There is no view over it: making
 * and dropping one costs as much as writing a hundred rows.
 *
 *  [STREAM-1] A stream is read once: a statement that would read it again is refused.
 *  [STREAM-2] An array is released when the one after the next is asked for: what the engine still
 *             holds of its last chunk stays valid.
 */
#include "base/assert.h"
#include "engine/arrow_window.h"
#include "engine/bindings.h"
#include "engine/functions.h"

#include <errno.h>
#include <stdio.h>

#define STREAM_FUNCTION "dw__stream"

typedef struct stream_entry {
    dw_entry entry;
    const dw_env *env;
    const dw_duck *duck;
    duckdb_connection handle; /* only its settings are looked at */
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    duckdb_arrow_converted_schema converted;
    duckdb_data_chunk types; /* of no rows; the engine keeps the types of a schema to itself */
    dw_arena arena;
    dw_arrow_node *window;
    struct ArrowArray arrays[2]; /* the current one, and the one before it */
    int64_t next_row;            /* of the current array */
    atomic_bool is_started;
    bool is_done;
} stream_entry;

static void
release_array(struct ArrowArray *array)
{
    if (array->release != NULL) {
        array->release(array);
    }
    *array = (struct ArrowArray){0};
}

static void
destroy_stream(dw_entry *entry)
{
    stream_entry *s = (stream_entry *) entry;
    release_array(&s->arrays[0]);
    release_array(&s->arrays[1]);
    if (s->schema.release != NULL) {
        s->schema.release(&s->schema);
    }
    if (s->stream.release != NULL) {
        s->stream.release(&s->stream);
    }
    if (s->types != NULL) {
        s->duck->destroy_data_chunk(&s->types);
    }
    if (s->converted != NULL) {
        s->duck->destroy_arrow_converted_schema(&s->converted);
    }
    dw__arena_deinit(&s->arena);
    DW_DELETE(s->env->allocator, s);
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* In the engine's own words, so that the kind of failure survives its way through the statement. */
static void
source_failed(duckdb_function_info info, stream_entry *s, int number)
{
    const char *kind = number == ECANCELED ? "INTERRUPT"
                       : number == ENOMEM  ? "Out of Memory"
                       : number == EINVAL  ? "Invalid Input"
                                           : "IO";
    const char *reason = s->stream.get_last_error(&s->stream);
    char message[DW_ERROR_MESSAGE_SIZE];
    snprintf(message, sizeof(message), "%s Error: the stream of rows failed: %s", kind,
             reason == NULL ? "it does not say why" : reason);
    s->duck->function_set_error(info, message);
}

/* Makes the next array that has rows the current one; false on failure. */
static bool
next_array(duckdb_function_info info, stream_entry *s)
{
    while (!s->is_done && s->next_row >= s->arrays[0].length) {
        if (dw__env_is_cancelled(s->env)) {
            s->duck->function_set_error(info, "INTERRUPT Error: interrupted");
            return false;
        }
        release_array(&s->arrays[1]);
        s->arrays[1] = s->arrays[0];
        s->arrays[0] = (struct ArrowArray){0};
        s->next_row = 0;
        int number = s->stream.get_next(&s->stream, &s->arrays[0]);
        if (number != 0) {
            s->arrays[0] = (struct ArrowArray){0};
            s->is_done = true;
            source_failed(info, s, number);
            return false;
        }
        s->is_done = s->arrays[0].release == NULL;
    }
    return true;
}

/* Shows rows of the window in the output, by reference. */
static dw_status
put_window(stream_entry *s, duckdb_data_chunk output, dw_error *err)
{
    const dw_duck *duck = s->duck;
    duckdb_data_chunk chunk = NULL;
    DW_TRY(dw__duck_error_data(
        duck, duck->data_chunk_from_arrow(s->handle, &s->window->array, s->converted, &chunk),
        err));
    idx_t count = duck->data_chunk_get_column_count(chunk);
    for (idx_t i = 0; i < count; i++) {
        duck->vector_reference_vector(duck->data_chunk_get_vector(output, i),
                                      duck->data_chunk_get_vector(chunk, i));
    }
    duck->data_chunk_set_size(output, duck->data_chunk_get_size(chunk));
    duck->destroy_data_chunk(&chunk);
    return DW_OK;
}

static void
stream_function(duckdb_function_info info, duckdb_data_chunk output)
{
    const dw_duck *duck = dw__duck_loaded();
    stream_entry *s = duck->function_get_bind_data(info);
    duck->data_chunk_set_size(output, 0);
    if (!next_array(info, s) || s->is_done) {
        return;
    }
    int64_t left = s->arrays[0].length - s->next_row;
    int64_t count = left < DW_ARROW_WINDOW_ROWS_MAX ? left : DW_ARROW_WINDOW_ROWS_MAX;
    if (!dw__arrow_window_set(s->window, &s->arrays[0], s->next_row, count)) {
        duck->function_set_error(info, "expected an array of the stream's schema, found another");
        return;
    }
    s->next_row += count;
    dw_error err = DW_ERROR_INIT;
    if (put_window(s, output, &err) != DW_OK) {
        duck->function_set_error(info, err.message);
    }
}

/* ---- Binding --------------------------------------------------------------------------------- */

static const char *
column_name(const stream_entry *s, idx_t idx)
{
    const char *name = s->schema.children[idx]->name;
    return name == NULL ? "" : name;
}

static duckdb_logical_type
column_type(const stream_entry *s, idx_t idx)
{
    return s->duck->vector_get_column_type(s->duck->data_chunk_get_vector(s->types, idx));
}

static void
stream_bind(duckdb_bind_info info)
{
    const dw_duck *duck = dw__duck_loaded();
    const stream_entry *s = (stream_entry *) dw__bind_entry(info, DW_ENTRY_STREAM);
    if (s == NULL) {
        return;
    }
    for (idx_t i = 0; i < (idx_t) s->schema.n_children; i++) {
        duckdb_logical_type type = column_type(s, i);
        duck->bind_add_result_column(info, column_name(s, i), type);
        duck->destroy_logical_type(&type);
    }
}

static void
stream_init(duckdb_init_info info)
{
    const dw_duck *duck = dw__duck_loaded();
    stream_entry *s = duck->init_get_bind_data(info);
    duck->init_set_max_threads(info, 1);
    if (atomic_exchange(&s->is_started, true)) {
        duck->init_set_error(info, "expected a statement that reads the stream of rows once, found "
                                   "one that reads it again");
    }
}

dw_status
dw__stream_register(dw_database *database, duckdb_connection handle, dw_error *err)
{
    static const dw_table_function_spec spec = {STREAM_FUNCTION, stream_bind, stream_init,
                                                stream_function};
    return dw__table_function_register(database, handle, &spec, err);
}

/* Everything but the number: fails with the entry still the caller's. */
static dw_status
prepare_entry(stream_entry *s, dw_error *err)
{
    int number = s->stream.get_schema(&s->stream, &s->schema);
    if (number != 0) {
        s->schema = (struct ArrowSchema){0};
        const char *reason = s->stream.get_last_error(&s->stream);
        return dw__error_set(err, DW_INVALID_ARGUMENT, "ARROW_INVALID",
                             "expected a stream of rows with a schema, found: %s",
                             reason == NULL ? "it does not say why" : reason);
    }
    DW_TRY(dw__arrow_window_new(&s->schema, &s->arena, &s->window, err));
    const dw_duck *duck = s->duck;
    DW_TRY(dw__duck_error_data(duck, duck->schema_from_arrow(s->handle, &s->schema, &s->converted),
                               err));
    if (!dw__arrow_window_set_empty(s->window, &s->schema, &s->arena)) {
        return dw__error_oom(err);
    }
    return dw__duck_error_data(
        duck, duck->data_chunk_from_arrow(s->handle, &s->window->array, s->converted, &s->types),
        err);
}

/* Takes the stream over, also on failure. */
static dw_status
make_entry(dw_connection *connection, struct ArrowArrayStream *stream, stream_entry **out,
           dw_error *err)
{
    *out = NULL;
    stream_entry *s = DW_NEW(connection->env->allocator, stream_entry);
    if (s == NULL) {
        stream->release(stream);
        return dw__error_oom(err);
    }
    s->entry = (dw_entry){.kind = DW_ENTRY_STREAM, .destroy = destroy_stream};
    s->env = connection->env;
    s->stream = *stream;
    *stream = (struct ArrowArrayStream){0};
    dw__arena_init(&s->arena, connection->env->allocator);
    dw_status status = dw__connection_handle(connection, &s->handle, err);
    if (status == DW_OK) {
        s->duck = connection->database->duck;
        status = prepare_entry(s, err);
    }
    if (status != DW_OK) {
        destroy_stream(&s->entry);
        return status;
    }
    *out = s;
    return DW_OK;
}

static dw_status
describe_column(const stream_entry *s, idx_t idx, dw_arena *arena, dw_query_column *out,
                dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(s->env->allocator, DW_SQL_BYTES_MAX);
    duckdb_logical_type type = column_type(s, idx);
    dw_status status = dw__duck_type_print(s->duck, type, &text, err);
    s->duck->destroy_logical_type(&type);
    DW_TRY(status);
    return dw__arena_dup(arena, dw__str_from(column_name(s, idx)), &out->name) &&
                   dw__arena_dup(arena, dw__strbuf_str(&text), &out->type)
               ? DW_OK
               : dw__error_oom(err);
}

static dw_status
describe(const stream_entry *s, dw_arena *arena, dw_stream_source *out, dw_error *err)
{
    out->column_count = (size_t) s->schema.n_children;
    out->columns = DW_ARENA_ARRAY(arena, dw_query_column, out->column_count);
    out->sql = dw__arena_printf(arena, STREAM_FUNCTION "(%lld)", (long long) s->entry.id);
    if (out->columns == NULL || dw__str_is_null(out->sql)) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < out->column_count; i++) {
        DW_TRY(describe_column(s, i, arena, &out->columns[i], err));
    }
    return DW_OK;
}

dw_status
dw__connection_add_stream(dw_connection *connection, struct ArrowArrayStream *stream,
                          dw_arena *arena, dw_stream_source *out, dw_error *err)
{
    dw_assert(stream->release != NULL);
    *out = (dw_stream_source){.sql = DW_STR_NULL};
    stream_entry *s = NULL;
    DW_TRY(make_entry(connection, stream, &s, err));
    dw_registry *registry = &connection->database->registry;
    dw_status status = dw__registry_add(registry, &s->entry, err);
    if (status != DW_OK) {
        destroy_stream(&s->entry);
        return status;
    }
    status = describe(s, arena, out, err);
    if (status == DW_OK) {
        status = dw__binding_remember(connection, out->sql, &s->entry, err);
    }
    if (status != DW_OK) {
        dw__registry_remove(registry, &s->entry);
        *out = (dw_stream_source){.sql = DW_STR_NULL};
    }
    return status;
}
