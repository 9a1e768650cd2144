/*
 * A statement's rows as an Arrow stream: chunk by chunk as the engine makes them, so that a result
 * of any size takes the memory of one chunk.
 *
 * A call that fails returns the errno of its status; the message is the error's text, and
 * dw__query_stream_error gives all of it.
 */
#include "base/assert.h"
#include "engine/internal.h"

#include <errno.h>

typedef struct query_stream {
    const dw_env *env;
    const dw_duck *duck;
    duckdb_result result;
    duckdb_arrow_options options;
    bool is_query; /* false: neither columns nor rows */
    bool is_done;
    dw_error error;
} query_stream;

int
dw__stream_errno(dw_status status)
{
    switch (status) {
    case DW_OK:
        return 0;
    case DW_CANCELLED:
        return ECANCELED;
    case DW_OUT_OF_MEMORY:
        return ENOMEM;
    case DW_NOT_FOUND:
        return ENOENT;
    case DW_CORRUPT:
        return EBADMSG;
    case DW_IO:
    case DW_UNAVAILABLE:
    case DW_INTERNAL:
        return EIO;
    case DW_UNSUPPORTED:
        return ENOTSUP;
    case DW_INVALID_ARGUMENT:
    case DW_ALREADY_EXISTS:
    case DW_CONFLICT:
    case DW_AMBIGUOUS:
        return EINVAL;
    }
    return EINVAL;
}

/* ---- The schema ------------------------------------------------------------------------------ */

typedef struct column_list {
    const dw_env *env;
    const dw_duck *duck;
    duckdb_logical_type *types;
    const char **names;
    idx_t count;
} column_list;

static void
column_list_deinit(column_list *list)
{
    for (idx_t i = 0; list->types != NULL && i < list->count; i++) {
        list->duck->destroy_logical_type(&list->types[i]);
    }
    dw__dealloc(list->env->allocator, list->types, list->count * sizeof(list->types[0]));
    dw__dealloc(list->env->allocator, list->names, list->count * sizeof(list->names[0]));
}

static dw_status
column_list_fill(column_list *list, duckdb_result *result, dw_error *err)
{
    const dw_duck *duck = list->duck;
    list->types = dw__alloc_zero(list->env->allocator, list->count * sizeof(list->types[0]));
    list->names = dw__alloc_zero(list->env->allocator, list->count * sizeof(list->names[0]));
    if (list->types == NULL || list->names == NULL) {
        return dw__error_oom(err);
    }
    for (idx_t i = 0; i < list->count; i++) {
        list->types[i] = duck->column_logical_type(result, i);
        list->names[i] = duck->column_name(result, i);
    }
    return DW_OK;
}

static int
stream_get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    query_stream *query = stream->private_data;
    const dw_duck *duck = query->duck;
    memset(out, 0, sizeof(*out));
    idx_t count = query->is_query ? duck->column_count(&query->result) : 0;
    column_list list = {query->env, duck, NULL, NULL, count};
    dw_status status = column_list_fill(&list, &query->result, &query->error);
    if (status == DW_OK) {
        status = dw__duck_error_data(
            duck, duck->to_arrow_schema(query->options, list.types, list.names, count, out),
            &query->error);
    }
    column_list_deinit(&list);
    return dw__stream_errno(status);
}

/* ---- The rows -------------------------------------------------------------------------------- */

static dw_status
next_array(query_stream *query, struct ArrowArray *out)
{
    const dw_duck *duck = query->duck;
    if (dw__env_is_cancelled(query->env)) {
        return dw__error_set(&query->error, DW_CANCELLED, "CANCELLED", "interrupted");
    }
    duckdb_data_chunk chunk = NULL;
    DW_TRY(dw__statement_fetch(duck, &query->result, &chunk, &query->error));
    if (chunk == NULL) {
        query->is_done = true;
        return DW_OK;
    }
    dw_status status = dw__duck_error_data(
        duck, duck->data_chunk_to_arrow(query->options, chunk, out), &query->error);
    duck->destroy_data_chunk(&chunk);
    return status;
}

static int
stream_get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    query_stream *query = stream->private_data;
    memset(out, 0, sizeof(*out));
    if (query->error.status != DW_OK) {
        return dw__stream_errno(query->error.status);
    }
    return query->is_done ? 0 : dw__stream_errno(next_array(query, out));
}

static const char *
stream_get_last_error(struct ArrowArrayStream *stream)
{
    query_stream *query = stream->private_data;
    return query->error.status == DW_OK ? NULL : query->error.message;
}

void
dw__query_stream_error(const struct ArrowArrayStream *stream, dw_error *out)
{
    const query_stream *query = stream->private_data;
    dw_assert(query->error.status != DW_OK);
    *out = query->error;
}

dw_status
dw__query_stream_visit(struct ArrowArrayStream *stream, dw_query_visitor visit, void *ctx,
                       dw_error *err)
{
    for (;;) {
        struct ArrowArray batch = {0};
        if (stream->get_next(stream, &batch) != 0) {
            dw_error cause;
            dw__query_stream_error(stream, &cause);
            dw__error_copy(err, &cause);
            return cause.status;
        }
        if (batch.release == NULL) {
            return DW_OK;
        }
        dw_status status = visit(ctx, &batch, err);
        batch.release(&batch);
        DW_TRY(status);
    }
}

static void
query_stream_free(query_stream *query)
{
    query->duck->destroy_arrow_options(&query->options);
    query->duck->destroy_result(&query->result);
    DW_DELETE(query->env->allocator, query);
}

static void
stream_release(struct ArrowArrayStream *stream)
{
    query_stream_free(stream->private_data);
    stream->private_data = NULL;
    stream->release = NULL;
}

/* ---- Starting -------------------------------------------------------------------------------- */

/* INSERT, COPY and the like answer with one row that holds a count. */
static dw_status
read_changed_rows(query_stream *query, int64_t *out, dw_error *err)
{
    const dw_duck *duck = query->duck;
    duckdb_data_chunk chunk = NULL;
    DW_TRY(dw__statement_fetch(duck, &query->result, &chunk, err));
    if (chunk != NULL && duck->data_chunk_get_column_count(chunk) == 1) {
        duckdb_vector vector = duck->data_chunk_get_vector(chunk, 0);
        *out = *(const int64_t *) duck->vector_get_data(vector);
    }
    duck->destroy_data_chunk(&chunk);
    return DW_OK;
}

/* Statements without rows are run to their end here. */
static dw_status
finish_non_query(query_stream *query, int64_t *changed_rows_out, dw_error *err)
{
    query->is_done = true;
    duckdb_result_type type = query->duck->result_return_type(query->result);
    if (type == DUCKDB_RESULT_TYPE_CHANGED_ROWS) {
        return read_changed_rows(query, changed_rows_out, err);
    }
    duckdb_data_chunk chunk = NULL;
    dw_status status = dw__statement_fetch(query->duck, &query->result, &chunk, err);
    query->duck->destroy_data_chunk(&chunk);
    return status;
}

static dw_status
start(dw_connection *connection, dw_str sql, duckdb_result *out, dw_error *err)
{
    if (dw__env_is_cancelled(connection->env)) {
        return dw__error_set(err, DW_CANCELLED, "CANCELLED", "interrupted");
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(connection->env->allocator, DW_SQL_BYTES_MAX);
    DW_TRY(dw__statement_text(sql, &text, err));
    duckdb_connection handle = NULL;
    DW_TRY(dw__connection_handle(connection, &handle, err));
    const dw_duck *duck = connection->database->duck;
    duckdb_prepared_statement prepared = NULL;
    DW_TRY(dw__statement_prepare(duck, handle, dw__strbuf_cstr(&text), &prepared, err));
    dw_status status =
        dw__variants_as_json(duck, handle, connection->env->allocator, sql, &prepared, err);
    if (status == DW_OK) {
        status = dw__statement_run_patiently(connection->env, duck, prepared, out, err);
    }
    duck->destroy_prepare(&prepared);
    return status;
}

dw_status
dw__connection_query(dw_connection *connection, dw_str sql, struct ArrowArrayStream *out,
                     bool *is_query_out, int64_t *changed_rows_out, dw_error *err)
{
    memset(out, 0, sizeof(*out));
    *is_query_out = false;
    *changed_rows_out = -1;
    query_stream *query = DW_NEW(connection->env->allocator, query_stream);
    if (query == NULL) {
        return dw__error_oom(err);
    }
    query->env = connection->env;
    dw_status status = start(connection, sql, &query->result, err);
    if (status != DW_OK) {
        DW_DELETE(connection->env->allocator, query);
        return status;
    }
    query->duck = connection->database->duck;
    query->options = query->duck->result_get_arrow_options(&query->result);
    query->is_query =
        query->duck->result_return_type(query->result) == DUCKDB_RESULT_TYPE_QUERY_RESULT;
    if (!query->is_query) {
        status = finish_non_query(query, changed_rows_out, err);
        if (status != DW_OK) {
            query_stream_free(query);
            return status;
        }
    }
    *is_query_out = query->is_query;
    *out = (struct ArrowArrayStream){stream_get_schema, stream_get_next, stream_get_last_error,
                                     stream_release, query};
    return DW_OK;
}
