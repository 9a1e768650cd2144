/*
 * Rows of an Arrow stream as a view: a table function that asks the stream for the next array when
 * the engine wants more. Nothing is copied or kept beyond two arrays.
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

static void
add_columns(duckdb_bind_info info, stream_entry *s, duckdb_data_chunk types)
{
    const dw_duck *duck = s->duck;
    for (int64_t i = 0; i < s->schema.n_children; i++) {
        const char *name = s->schema.children[i]->name;
        duckdb_logical_type type =
            duck->vector_get_column_type(duck->data_chunk_get_vector(types, (idx_t) i));
        duck->bind_add_result_column(info, name == NULL ? "" : name, type);
        duck->destroy_logical_type(&type);
    }
}

/* The engine keeps the types it made of a schema to itself: a chunk of no rows shows them. */
static void
stream_bind(duckdb_bind_info info)
{
    const dw_duck *duck = dw__duck_loaded();
    stream_entry *s = (stream_entry *) dw__bind_entry(info, DW_ENTRY_STREAM);
    if (s == NULL) {
        return;
    }
    duckdb_data_chunk types = NULL;
    dw_error err = DW_ERROR_INIT;
    dw_status status = DW_OK;
    if (!dw__arrow_window_set_empty(s->window, &s->schema, &s->arena)) {
        status = dw__error_oom(&err);
    }
    if (status == DW_OK) {
        status = dw__duck_error_data(
            duck, duck->data_chunk_from_arrow(s->handle, &s->window->array, s->converted, &types),
            &err);
    }
    if (status == DW_OK) {
        add_columns(info, s, types);
        duck->destroy_data_chunk(&types);
    } else {
        duck->bind_set_error(info, err.message);
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

static dw_status
put_view_sql(const dw_entry *entry, void *ctx, dw_strbuf *out, dw_error *err)
{
    (void) ctx;
    (void) err;
    dw__strbuf_printf(out, "FROM " STREAM_FUNCTION "(%lld)", (long long) entry->id);
    return DW_OK;
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
    return dw__duck_error_data(
        s->duck, s->duck->schema_from_arrow(s->handle, &s->schema, &s->converted), err);
}

dw_status
dw__connection_bind_stream(dw_connection *connection, dw_str name, struct ArrowArrayStream *stream,
                           dw_error *err)
{
    dw_assert(stream->release != NULL);
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
    return dw__binding_add(connection, name, &s->entry, put_view_sql, NULL, err);
}

void
dw__connection_unbind_stream(dw_connection *connection, dw_str name)
{
    dw__binding_remove(connection, name, DW_ENTRY_STREAM);
}
