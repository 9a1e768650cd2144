/*
 * JSON as text in an arena.
 */
#include "protocol/json_arena.h"

dw_status
dw__strbuf_to_arena(const dw_strbuf *buf, dw_arena *arena, dw_str *out, dw_error *err)
{
    *out = DW_STR("");
    DW_TRY(dw__strbuf_ok(buf, "JSON text", err));
    if (buf->len > 0 && !dw__arena_dup(arena, dw__strbuf_str(buf), out)) {
        return dw__error_oom(err);
    }
    return DW_OK;
}

dw_status
dw__json_to_arena(dw_json value, dw_arena *arena, dw_str *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, DW_JSON_TEXT_SIZE_MAX);
    dw__json_write(&text, value);
    return dw__strbuf_to_arena(&text, arena, out, err);
}

void
dw__json_put_extra(dw_strbuf *out, dw_str key, dw_json value)
{
    dw__strbuf_append_char(out, ',');
    dw__json_put_string(out, key);
    dw__strbuf_append_char(out, ':');
    dw__json_write(out, value);
}
