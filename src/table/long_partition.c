/*
 * Files of a partition lie in a directory that is named after its value, "country=be", where each
 * byte takes three but for letters, digits and a few marks. The protocol asks for no such names,
 * but the engine's writer makes no others, and a file system has none of more than 255 bytes.
 */
#include "table/long_partition.h"

#include "protocol/action.h"
#include "protocol/value.h"

#include <errno.h>

#define DIRECTORY_NAME_MAX 255
#define VALUE_BYTES_SHOWN ((size_t) 40)

/* Where "/column=" stands last in the message; NULL: nowhere. */
static const char *
find_last(const char *message, const dw_field *field)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(dw__allocator_libc(), DW_ERROR_MESSAGE_SIZE);
    dw__strbuf_append_char(&name, '/');
    dw__partition_path_append(&name, field->physical_name, DW_STR("x"));
    if (name.failed) {
        return NULL;
    }
    dw__strbuf_truncate(&name, name.len - 1); /* the value */
    const char *last = NULL;
    for (const char *at = strstr(message, dw__strbuf_cstr(&name)); at != NULL;
         at = strstr(at + 1, dw__strbuf_cstr(&name))) {
        last = at;
    }
    return last;
}

const dw_field *
dw__long_partition_find(const dw_field *const *fields, size_t count, dw_status status,
                        const dw_error *err)
{
    const dw_field *found = NULL;
    const char *last = NULL;
    bool is_too_long = status == DW_IO && err != NULL &&
                       strstr(err->message, strerrordesc_np(ENAMETOOLONG)) != NULL;
    for (size_t i = 0; is_too_long && i < count; i++) {
        const char *at = find_last(err->message, fields[i]);
        if (at != NULL && (last == NULL || at > last)) {
            last = at;
            found = fields[i];
        }
    }
    return found;
}

/* What the engine's writer makes of the text in a directory's name: %C3 of a byte. */
static size_t
count_written(dw_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.' || c == '~';
        count += is_plain ? 1 : 3;
    }
    return count;
}

/* The longest value of the column; false when it cannot be told. */
static bool
ask_longest(const dw_field *field, dw_connection *connection, dw_str query, dw_arena *arena,
            dw_str *out)
{
    dw_text_rows rows;
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__sql_put_identifier(&name, field->name);
    dw__strbuf_printf(&sql, "SELECT CAST(%s AS VARCHAR) FROM (", dw__strbuf_cstr(&name));
    dw__strbuf_append(&sql, query);
    dw__strbuf_printf(&sql,
                      "\n) WHERE %s IS NOT NULL ORDER BY strlen(CAST(%s AS VARCHAR)) DESC LIMIT 1",
                      dw__strbuf_cstr(&name), dw__strbuf_cstr(&name));
    if (sql.failed || name.failed || connection == NULL ||
        dw__connection_query_text(connection, dw__strbuf_str(&sql), arena, &rows, NULL) != DW_OK ||
        rows.row_count != 1) {
        return false;
    }
    *out = rows.cells[0];
    return true;
}

dw_status
dw__long_partition_refuse(const dw_field *field, dw_connection *connection, dw_str query,
                          dw_arena *arena, dw_error *err)
{
    dw_str value;
    DW_AUTO(dw_strbuf) what = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    if (ask_longest(field, connection, query, arena, &value)) {
        size_t shown = value.len < VALUE_BYTES_SHOWN ? value.len : VALUE_BYTES_SHOWN;
        while (shown < value.len && shown > 0 &&
               ((unsigned char) value.ptr[shown] & 0xC0) == 0x80) {
            shown--;
        }
        dw__strbuf_printf(&what, "one of %zu bytes, which takes %zu: '%.*s...'", value.len,
                          count_written(field->physical_name) + 1 + count_written(value),
                          DW_STR_ARG(dw__str_slice(value, 0, shown)));
    } else {
        dw__strbuf_append_literal(&what, "a longer one");
    }
    DW_TRY(dw__strbuf_ok(&what, "the message", err));
    return dw__error_set(err, DW_INVALID_ARGUMENT, "PARTITION_VALUE_TOO_LONG",
                         "partition column \"%.*s\": expected values that name a directory of at "
                         "most %d bytes (\"%.*s=...\"), found %s: nothing was written; partition "
                         "by a shorter column, such as one GENERATED ALWAYS AS (left(%.*s, 60))",
                         DW_STR_ARG(field->name), DIRECTORY_NAME_MAX,
                         DW_STR_ARG(field->physical_name), dw__strbuf_cstr(&what),
                         DW_STR_ARG(field->name));
}
