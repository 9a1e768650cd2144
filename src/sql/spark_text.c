/*
 * From our tokens to Spark's: what means something else there is spelled anew.
 */
#include "sql/spark_text.h"

#include "base/assert.h"
#include "codec/json.h"

#define SPARK_TEXT_BYTES_MAX ((size_t) 1 << 20)

static void
put_quoted(dw_strbuf *out, dw_str text, char quote, const char *escaped_quote)
{
    dw__strbuf_append_char(out, quote);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == quote) {
            dw__strbuf_append(out, dw__str_from(escaped_quote));
        } else {
            dw__strbuf_append(out, c == '\\' && quote == '\'' ? DW_STR("\\") : DW_STR(""));
            dw__strbuf_append_char(out, c);
        }
    }
    dw__strbuf_append_char(out, quote);
}

static dw_status
put_token(dw_strbuf *out, const dw_sql_text *sql, size_t idx, dw_arena *arena, dw_error *err)
{
    dw_str text;
    switch (sql->items[idx].kind) {
    case DW_TOKEN_QUOTED:
    case DW_TOKEN_BACKQUOTED:
        DW_TRY(dw__token_name(sql, idx, arena, &text, err));
        put_quoted(out, text, '`', "``");
        return DW_OK;
    case DW_TOKEN_STRING:
        DW_TRY(dw__token_string(sql, idx, arena, &text, err));
        put_quoted(out, text, '\'', "\\'");
        return DW_OK;
    default:
        dw__strbuf_append(out, dw__token_text(sql, idx));
        return DW_OK;
    }
}

dw_status
dw__sql_spark_text(const dw_sql_text *sql, dw_sql_range range, dw_arena *arena, dw_str *out,
                   dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, SPARK_TEXT_BYTES_MAX);
    for (size_t i = range.first; i < range.last; i++) {
        DW_TRY(put_token(&text, sql, i, arena, err));
        if (i + 1 < range.last && !dw__token_touches_next(sql, i)) {
            dw__strbuf_append_char(&text, ' ');
        }
    }
    DW_TRY(dw__strbuf_ok(&text, "an expression", err));
    return dw__arena_dup(arena, dw__strbuf_str(&text), out) ? DW_OK : dw__error_oom(err);
}

dw_status
dw__sql_field_put(dw_field *field, dw_str key, dw_str json, dw_arena *arena, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, SPARK_TEXT_BYTES_MAX);
    dw_assert(field->metadata_json.len >= 2);
    dw__strbuf_append(&text, dw__str_slice(field->metadata_json, 0, field->metadata_json.len - 1));
    dw__json_put_key(&text, key);
    dw__strbuf_append(&text, json);
    dw__strbuf_append_char(&text, '}');
    DW_TRY(dw__strbuf_ok(&text, "a column's metadata", err));
    return dw__arena_dup(arena, dw__strbuf_str(&text), &field->metadata_json) ? DW_OK
                                                                              : dw__error_oom(err);
}
