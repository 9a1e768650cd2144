/*
 * Schemas from files.
 */
#include "table/compatibility.h"
#include "table/create.h"
#include "table/file_query.h"

#define SCHEMA_FILE_BYTES_MAX ((int64_t) 64 << 20)
/* What a schema begins with is found among so many bytes. */
#define HEAD_BYTES ((size_t) 256)

/* One value of a query about the file as it is. */
static dw_status
ask(dw_connection *connection, const char *what, dw_str path, dw_arena *arena, dw_str *out,
    dw_error *err)
{
    dw_text_rows rows;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__strbuf_printf(&sql, "SELECT %s FROM read_blob(", what);
    dw__sql_put_literal(&sql, path);
    dw__strbuf_append_char(&sql, ')');
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__connection_query_text(connection, dw__strbuf_str(&sql), arena, &rows, err));
    if (rows.row_count != 1) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "SCHEMA_INVALID",
                             "expected one file that holds a schema, found %zu for %.*s",
                             rows.row_count, DW_STR_ARG(path));
    }
    *out = rows.cells[0];
    return DW_OK;
}

static dw_status
read_text(dw_connection *connection, dw_str path, dw_arena *arena, dw_str *out, dw_error *err)
{
    dw_str size;
    int64_t bytes;
    DW_TRY(ask(connection, "size", path, arena, &size, err));
    if (!dw__str_to_i64(size, &bytes) || bytes > SCHEMA_FILE_BYTES_MAX) {
        *out = DW_STR(""); /* rows, then, if anything */
        return DW_OK;
    }
    return ask(connection, "decode(content)", path, arena, out, err);
}

/* {"type":"struct","fields":[...]}, and no row that may look so at first. */
static bool
is_schema_text(dw_str text)
{
    dw_str head = dw__str_slice(text, 0, text.len < HEAD_BYTES ? text.len : HEAD_BYTES);
    static const char word[] = "\"struct\"";
    return memmem(head.ptr, head.len, word, sizeof(word) - 1) != NULL &&
           memmem(text.ptr, text.len, "\"fields\"", 8) != NULL;
}

static dw_status
parse_text(dw_str path, dw_str text, dw_arena *arena, const dw_type **out, dw_error *err)
{
    dw_status status = dw__schema_parse("the schema", text, arena, out, err);
    if (status == DW_CORRUPT && err != NULL) { /* of a file that was given, not of a table */
        err->status = DW_INVALID_ARGUMENT;
        status = DW_INVALID_ARGUMENT;
    }
    if (status != DW_OK) {
        dw__error_context(err, "reading %.*s", DW_STR_ARG(path));
    }
    return status;
}

dw_status
dw__schema_of_file(dw_connection *connection, dw_str path, dw_arena *arena, const dw_type **out,
                   bool *of_rows_out, dw_error *err)
{
    dw_load_format format = dw__file_format(path);
    dw_pairs no_options = {0};
    *of_rows_out = false;
    if (format == DW_LOAD_AUTO || format == DW_LOAD_JSON) {
        dw_str text;
        DW_TRY(read_text(connection, path, arena, &text, err));
        if (format == DW_LOAD_AUTO || is_schema_text(text)) {
            return parse_text(path, text, arena, out, err);
        }
    }
    DW_AUTO(dw_strbuf) query = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(dw__file_query_print(&query, format, &path, 1, &no_options, DW_STR_NULL, err));
    *of_rows_out = true;
    return dw__schema_of_query(connection, dw__strbuf_str(&query), arena, out, err);
}
