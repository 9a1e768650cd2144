/*
 * Small results as text, and the columns that a query would have.
 */
#include "base/assert.h"
#include "base/vec.h"
#include "engine/internal.h"

/* ---- Values as text -------------------------------------------------------------------------- */

/* A query's columns are cast by the engine itself, so that every type, nested ones too, is printed
 * as its shell would. Other statements (SHOW, PRAGMA) are run as they are. */
static dw_status
prepare_as_text(const dw_duck *duck, duckdb_connection handle, dw_str sql, dw_strbuf *text,
                duckdb_prepared_statement *out, dw_error *err)
{
    DW_TRY(dw__statement_text(sql, text, err));
    DW_TRY(dw__statement_prepare(duck, handle, dw__strbuf_cstr(text), out, err));
    if (duck->prepared_statement_type(*out) != DUCKDB_STATEMENT_TYPE_SELECT) {
        return DW_OK;
    }
    duck->destroy_prepare(out);
    dw__strbuf_clear(text);
    dw__strbuf_append_literal(text, "SELECT COLUMNS(*)::VARCHAR FROM (");
    dw__strbuf_append(text, sql);
    /* On a line of its own: the query may end in a comment. */
    dw__strbuf_append_literal(text, "\n)");
    DW_TRY(dw__strbuf_ok(text, "the statement", err));
    return dw__statement_prepare(duck, handle, dw__strbuf_cstr(text), out, err);
}

typedef struct cell_vec {
    dw_str *items;
    size_t count;
    size_t capacity;
} cell_vec;

typedef struct text_reader {
    const dw_duck *duck;
    const dw_allocator *allocator;
    dw_arena *arena;
    cell_vec cells;
    size_t column_count;
} text_reader;

static bool
is_valid(const uint64_t *validity, idx_t row)
{
    return validity == NULL || (validity[row / 64] >> (row % 64) & 1) != 0;
}

static dw_status
read_column(text_reader *reader, duckdb_vector vector, dw_str *cells, idx_t row_count,
            dw_error *err)
{
    const dw_duck *duck = reader->duck;
    duckdb_logical_type type = duck->vector_get_column_type(vector);
    duckdb_type id = duck->get_type_id(type);
    duck->destroy_logical_type(&type);
    const uint64_t *validity = duck->vector_get_validity(vector);
    duckdb_string_t *strings = duck->vector_get_data(vector);
    for (idx_t row = 0; row < row_count; row++) {
        dw_str *cell = &cells[row * reader->column_count];
        if (!is_valid(validity, row)) {
            continue;
        }
        if (id == DUCKDB_TYPE_VARCHAR) {
            dw_str text = dw__str_make(duck->string_t_data(&strings[row]),
                                       duck->string_t_length(strings[row]));
            if (!dw__arena_dup(reader->arena, text, cell)) {
                return dw__error_oom(err);
            }
        } else if (id == DUCKDB_TYPE_BIGINT) {
            *cell = dw__arena_printf(reader->arena, "%lld", ((const long long *) strings)[row]);
        } else if (id == DUCKDB_TYPE_BOOLEAN) {
            *cell = ((const bool *) strings)[row] ? DW_STR("true") : DW_STR("false");
        } else {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "SQL_UNSUPPORTED",
                                 "expected a query, found a statement whose values have no text");
        }
        if (dw__str_is_null(*cell)) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

static dw_status
read_chunk(text_reader *reader, duckdb_data_chunk chunk, dw_error *err)
{
    const dw_duck *duck = reader->duck;
    idx_t row_count = duck->data_chunk_get_size(chunk);
    size_t first = reader->cells.count;
    size_t wanted = first + row_count * reader->column_count;
    if (!DW_VEC_RESERVE(reader->allocator, &reader->cells, wanted)) {
        return dw__error_oom(err);
    }
    for (size_t i = first; i < wanted; i++) {
        reader->cells.items[i] = DW_STR_NULL;
    }
    reader->cells.count = wanted;
    for (size_t column = 0; column < reader->column_count; column++) {
        DW_TRY(read_column(reader, duck->data_chunk_get_vector(chunk, column),
                           &reader->cells.items[first + column], row_count, err));
    }
    return DW_OK;
}

static dw_status
read_chunks(text_reader *reader, duckdb_result *result, dw_error *err)
{
    const dw_duck *duck = reader->duck;
    for (;;) {
        duckdb_data_chunk chunk = NULL;
        DW_TRY(dw__statement_fetch(duck, result, &chunk, err));
        if (chunk == NULL) {
            return DW_OK;
        }
        dw_status status = read_chunk(reader, chunk, err);
        duck->destroy_data_chunk(&chunk);
        DW_TRY(status);
    }
}

static dw_status
take_rows(text_reader *reader, dw_text_rows *out, dw_error *err)
{
    out->column_count = reader->column_count;
    out->row_count = reader->column_count == 0 ? 0 : reader->cells.count / reader->column_count;
    out->cells = DW_ARENA_ARRAY(reader->arena, dw_str, reader->cells.count);
    if (out->cells == NULL) {
        return dw__error_oom(err);
    }
    if (reader->cells.count > 0) {
        memcpy(out->cells, reader->cells.items, reader->cells.count * sizeof(dw_str));
    }
    return DW_OK;
}

dw_status
dw__connection_query_text(dw_connection *connection, dw_str sql, dw_arena *arena, dw_text_rows *out,
                          dw_error *err)
{
    *out = (dw_text_rows){0};
    const dw_allocator *allocator = connection->env->allocator;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(allocator, DW_SQL_BYTES_MAX);
    duckdb_connection handle = NULL;
    DW_TRY(dw__connection_handle(connection, &handle, err));
    const dw_duck *duck = connection->database->duck;
    duckdb_prepared_statement prepared = NULL;
    dw_status status = prepare_as_text(duck, handle, sql, &text, &prepared, err);
    duckdb_result result = {0};
    if (status == DW_OK) {
        status = dw__statement_run_whole(connection->env, duck, prepared, &result, err);
    }
    duck->destroy_prepare(&prepared);
    DW_TRY(status);
    text_reader reader = {duck, allocator, arena, {0}, duck->column_count(&result)};
    status = read_chunks(&reader, &result, err);
    if (status == DW_OK) {
        status = take_rows(&reader, out, err);
    }
    DW_VEC_DEINIT(allocator, &reader.cells);
    duck->destroy_result(&result);
    return status;
}

/* ---- Columns --------------------------------------------------------------------------------- */

static dw_status
describe_column(const dw_duck *duck, duckdb_prepared_statement prepared, idx_t idx, dw_strbuf *text,
                dw_arena *arena, dw_query_column *out, dw_error *err)
{
    const char *name = duck->prepared_statement_column_name(prepared, idx);
    bool is_named = dw__arena_dup(arena, dw__str_from(name), &out->name);
    duck->release((void *) (uintptr_t) name);
    duckdb_logical_type type = duck->prepared_statement_column_logical_type(prepared, idx);
    dw__strbuf_clear(text);
    dw_status status = dw__duck_type_print(duck, type, text, err);
    duck->destroy_logical_type(&type);
    DW_TRY(status);
    bool is_typed = dw__arena_dup(arena, dw__strbuf_str(text), &out->type);
    return is_named && is_typed ? DW_OK : dw__error_oom(err);
}

static dw_status
describe_columns(const dw_duck *duck, duckdb_prepared_statement prepared, dw_strbuf *text,
                 dw_arena *arena, dw_query_column **out, dw_error *err)
{
    idx_t count = duck->prepared_statement_column_count(prepared);
    *out = DW_ARENA_ARRAY(arena, dw_query_column, count);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    for (idx_t i = 0; i < count; i++) {
        DW_TRY(describe_column(duck, prepared, i, text, arena, &(*out)[i], err));
    }
    return DW_OK;
}

dw_status
dw__connection_describe(dw_connection *connection, dw_str sql, dw_arena *arena,
                        dw_query_column **out, size_t *count_out, dw_error *err)
{
    *out = NULL;
    *count_out = 0;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(connection->env->allocator, DW_SQL_BYTES_MAX);
    DW_TRY(dw__statement_text(sql, &text, err));
    duckdb_connection handle = NULL;
    DW_TRY(dw__connection_handle(connection, &handle, err));
    const dw_duck *duck = connection->database->duck;
    duckdb_prepared_statement prepared = NULL;
    DW_TRY(dw__statement_prepare(duck, handle, dw__strbuf_cstr(&text), &prepared, err));
    idx_t count = duck->prepared_statement_column_count(prepared);
    dw_status status = describe_columns(duck, prepared, &text, arena, out, err);
    duck->destroy_prepare(&prepared);
    if (status != DW_OK) {
        *out = NULL;
        return status;
    }
    *count_out = count;
    return DW_OK;
}
