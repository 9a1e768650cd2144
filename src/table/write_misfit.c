/*
 * Which value did not fit its column: the engine's casts tell a value, and our checks a column, but
 * none of them where it stands. So once a write has failed the rows are read again, up to the first
 * that a cast refuses.
 */
#include "table/write_core.h"

#define VALUE_SIZE_MAX ((size_t) 120) /* of what a message shows of it */

typedef struct misfit {
    dw_misfit place; /* without a path when none was found */
    dw_str value, row;
} misfit;

static bool
is_about_a_value(dw_status status, const dw_error *err)
{
    static const char *const codes[] = {"CONVERSION_ERROR", "VALUE_LOSES_DATA", "OUT_OF_RANGE",
                                        "INVALID_INPUT"};
    for (size_t i = 0; status == DW_INVALID_ARGUMENT && i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (dw__error_has_code(err, codes[i])) {
            return true;
        }
    }
    return false;
}

static dw_status
find_in(dw_write *write, const dw_projection_request *request, misfit *out, dw_error *err)
{
    int64_t idx;
    dw_text_rows rows;
    dw_misfits places = {0};
    DW_AUTO(dw_strbuf) query = dw__strbuf_make(write->arena->allocator, DW_COMMIT_BYTES_MAX);
    dw_status status = dw__projection_print_misfit(request, write->arena, &query, &places, err);
    if (status == DW_OK && query.len > 0) {
        status = dw__connection_query_text(write->connection, dw__strbuf_str(&query), write->arena,
                                           &rows, err);
        if (status == DW_OK && rows.row_count == 1 && dw__str_to_i64(rows.cells[0], &idx)) {
            *out = (misfit){places.items[idx], rows.cells[1], rows.cells[2]};
        }
    }
    DW_VEC_DEINIT(write->arena->allocator, &places);
    return status;
}

/* In one of the files. */
static dw_status
find_in_part(dw_write *write, size_t idx, dw_str *name_out, misfit *out, dw_error *err)
{
    dw_query_column *columns;
    dw_projection_request request = dw__write_projection(write);
    DW_AUTO(dw_strbuf) query = dw__strbuf_make(write->arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(write->spec->print_part(write->spec->part_ctx, idx, &query, name_out, err));
    DW_TRY(dw__connection_describe(write->connection, dw__strbuf_str(&query), write->arena,
                                   &columns, &request.source_count, err));
    request.query = dw__strbuf_str(&query);
    request.source = columns;
    request.rules = NULL;
    return find_in(write, &request, out, err);
}

static dw_status
find(dw_write *write, dw_str *where_out, misfit *out, dw_error *err)
{
    *where_out = DW_STR("the query");
    if (write->spec->part_count == 0) {
        dw_projection_request request = dw__write_projection(write);
        request.rules = NULL;
        return find_in(write, &request, out, err);
    }
    for (size_t i = 0; i < write->spec->part_count && dw__str_is_null(out->place.path); i++) {
        DW_TRY(find_in_part(write, i, where_out, out, err));
    }
    return DW_OK;
}

/* What fits into the message, whole characters. */
static dw_str
shorten(dw_str value)
{
    size_t len = value.len;
    if (len > VALUE_SIZE_MAX) {
        len = VALUE_SIZE_MAX;
        while (len > 0 && ((unsigned char) value.ptr[len] & 0xC0) == 0x80) {
            len--;
        }
    }
    return dw__str_slice(value, 0, len);
}

dw_status
dw__write_tell_misfit(dw_write *write, dw_status status, dw_error *err)
{
    dw_str where;
    misfit found = {0};
    dw_error ignored = DW_ERROR_INIT;
    if (err == NULL || !is_about_a_value(status, err) || write->spec->query_runs_once ||
        find(write, &where, &found, &ignored) != DW_OK || dw__str_is_null(found.place.path)) {
        return status; /* as it was told */
    }
    DW_AUTO(dw_strbuf) type = dw__strbuf_make(write->arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__type_print_sql(&type, found.place.type);
    char code[DW_ERROR_CODE_SIZE];
    memcpy(code, err->code, sizeof(code));
    dw_str shown = shorten(found.value);
    bool is_cut = shown.len < found.value.len;
    const char *quote = found.place.is_text ? "'" : "";
    bool has_file = write->spec->part_count > 0;
    return dw__error_set(err, status, code,
                         "column \"%.*s\": expected %s, found %s%.*s%s%s in row %.*s of %.*s: "
                         "nothing was written; %s",
                         DW_STR_ARG(found.place.path), dw__strbuf_cstr(&type), quote,
                         DW_STR_ARG(shown), is_cut ? "..." : "", quote, DW_STR_ARG(found.row),
                         DW_STR_ARG(where),
                         has_file ? "correct the file, or convert the value by COPY INTO ... FROM "
                                    "(SELECT ...)"
                                  : "round or convert it in the query");
}
