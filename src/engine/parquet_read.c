/*
 * Reading a Parquet file for the log: checkpoints and their sidecars. [ENGINE-2] [ENGINE-3]
 */
#include "base/assert.h"
#include "engine/memory_file.h"
#include "engine/parquet_gaps.h"
#include "engine/parquet_shape.h"
#include "engine/vector_view.h"

#include <stdio.h>

/* An object that the engine cannot open by itself is read into memory first. */
#define OBJECT_BYTES_MAX ((size_t) 2 << 30)

typedef struct reading {
    dw_engine *engine;
    const dw_duck *duck;
    duckdb_connection handle;
    const dw_parquet_read *request;
    dw_str path; /* as the engine opens it */
    dw_batch_visitor visit;
    void *ctx;
} reading;

/* Whatever goes wrong between a file's bytes and its rows is the file's fault, unless it is memory,
 * the disk or somebody who asked to stop. */
static dw_status
blame_file(const reading *r, dw_status status, dw_error *err)
{
    dw_str key = r->request->key;
    if (status == DW_NOT_FOUND) {
        return dw__error_set(err, DW_NOT_FOUND, "OBJECT_NOT_FOUND", "%.*s is not there",
                             DW_STR_ARG(key));
    }
    bool is_typed = err != NULL && dw__error_has_code(err, "PARQUET_TYPE");
    if ((status == DW_CORRUPT || status == DW_INVALID_ARGUMENT) && !is_typed) {
        char message[DW_ERROR_MESSAGE_SIZE];
        snprintf(message, sizeof(message), "%s", err == NULL ? "" : err->message);
        status = dw__error_set(err, DW_CORRUPT, "PARQUET_INVALID",
                               "expected a Parquet file that can be read, found: %s", message);
    }
    dw__error_context(err, "reading %.*s", DW_STR_ARG(key));
    return status;
}

/* Checks the shape of the file and makes the statement that reads it. */
static dw_status
make_query(const reading *r, dw_arena *arena, dw_strbuf *sql, dw_parquet_gaps *gaps, dw_error *err)
{
    dw__strbuf_append_literal(sql, "SELECT * FROM ");
    dw__shape_put_reader(sql, r->path);
    dw__strbuf_append_char(sql, ')');
    DW_TRY(dw__strbuf_ok(sql, "the statement", err));
    duckdb_prepared_statement prepared = NULL;
    DW_TRY(dw__statement_prepare(r->duck, r->handle, dw__strbuf_cstr(sql), &prepared, err));
    dw_status status =
        dw__shape_check(r->duck, prepared, r->request->columns, r->request->column_count, sql, err);
    if (status == DW_OK) {
        dw__strbuf_clear(sql);
        status = dw__gaps_find(r->duck, prepared, r->request->columns, r->request->column_count,
                               arena, gaps, err);
    }
    if (status == DW_OK) {
        dw__shape_put_query(r->duck, prepared, r->path, r->request, gaps->found, sql);
        status = dw__strbuf_ok(sql, "the statement", err);
    }
    r->duck->destroy_prepare(&prepared);
    return status;
}

/* *visited_out tells the visitor's own failures from the file's. */
static dw_status
visit_chunks(const reading *r, const dw_parquet_gaps *gaps, duckdb_result *result, dw_arena *arena,
             bool *visited_out, dw_error *err)
{
    for (;;) {
        if (dw__env_is_cancelled(r->engine->env)) {
            return dw__error_set(err, DW_CANCELLED, "CANCELLED", "interrupted");
        }
        duckdb_data_chunk chunk = NULL;
        DW_TRY(dw__statement_fetch(r->duck, result, &chunk, err));
        if (chunk == NULL) {
            return DW_OK;
        }
        dw__arena_reset(arena);
        dw_batch batch;
        dw_status status =
            dw__vector_view(r->duck, chunk, gaps->found, gaps->column_count, arena, &batch, err);
        if (status == DW_OK) {
            status = dw__gaps_fill(gaps, arena, &batch, err);
        }
        if (status == DW_OK) {
            *visited_out = true;
            status = r->visit(r->ctx, &batch, err);
            *visited_out = status != DW_OK;
        }
        r->duck->destroy_data_chunk(&chunk);
        DW_TRY(status);
    }
}

static dw_status
read_rows(const reading *r, const dw_parquet_gaps *gaps, const dw_strbuf *sql, bool *visited_out,
          dw_error *err)
{
    duckdb_result result = {0};
    DW_TRY(dw__statement_query(r->duck, r->handle, dw__strbuf_cstr(sql), &result, err));
    dw_arena arena;
    dw__arena_init(&arena, r->engine->env->allocator);
    dw_status status = visit_chunks(r, gaps, &result, &arena, visited_out, err);
    dw__arena_deinit(&arena);
    r->duck->destroy_result(&result);
    return status;
}

static dw_status
read_file(reading *r, dw_error *err)
{
    dw_database *database = (dw_database *) r->engine;
    DW_TRY(dw__database_borrow(database, &r->handle, err));
    r->duck = database->duck;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(r->engine->env->allocator, DW_SQL_BYTES_MAX);
    bool was_visitor = false;
    dw_arena arena; /* of what the statement leaves out */
    dw__arena_init(&arena, r->engine->env->allocator);
    dw_parquet_gaps gaps;
    dw_status status = make_query(r, &arena, &sql, &gaps, err);
    if (status == DW_OK) {
        status = read_rows(r, &gaps, &sql, &was_visitor, err);
    }
    dw__arena_deinit(&arena);
    dw__database_return(database, r->handle);
    return status == DW_OK || was_visitor ? status : blame_file(r, status, err);
}

/* The engine reaches the object by its path. */
static dw_status
read_by_path(reading *r, dw_storage *storage, dw_error *err)
{
    DW_AUTO(dw_strbuf) path = dw__strbuf_make(storage->env->allocator, DW_SQL_BYTES_MAX);
    dw__strbuf_append(&path, storage->root);
    dw__strbuf_append_char(&path, '/');
    dw__strbuf_append(&path, r->request->key);
    DW_TRY(dw__strbuf_ok(&path, "a path", err));
    r->path = dw__strbuf_str(&path);
    return read_file(r, err);
}

static dw_status
read_by_bytes(reading *r, dw_storage *storage, dw_error *err)
{
    DW_AUTO(dw_memory_file) file = DW_MEMORY_FILE_NONE;
    {
        DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(storage->env->allocator, OBJECT_BYTES_MAX);
        DW_TRY(dw__storage_get(storage, r->request->key, &bytes, NULL, err));
        DW_TRY(dw__memory_file_open(&file, err));
        DW_TRY(dw__memory_file_write(&file, dw__strbuf_str(&bytes), err));
    }
    r->path = dw__str_from(file.path);
    return read_file(r, err);
}

dw_status
dw__parquet_read(dw_engine *engine, dw_storage *storage, const dw_parquet_read *request,
                 dw_batch_visitor visit, void *ctx, dw_error *err)
{
    dw_assert(request->column_count > 0);
    reading r = {engine, NULL, NULL, request, DW_STR_NULL, visit, ctx};
    if (dw__str_is_null(storage->root)) {
        return read_by_bytes(&r, storage, err);
    }
    return read_by_path(&r, storage, err);
}
