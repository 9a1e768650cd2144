/*
 * Maps and lists out of columns.
 */
#include "log/vector_read.h"

#include "codec/json.h"

#define MAP_TEXT_BYTES_MAX ((size_t) 64 << 20)

bool
dw__vector_pairs(const dw_vector *vector, size_t row, dw_arena *arena, dw_pairs *out)
{
    *out = (dw_pairs){0};
    dw_span span = dw__vector_span(vector, row);
    if (span.len == 0) {
        return true;
    }
    out->items = DW_ARENA_ARRAY(arena, dw_pair, span.len);
    if (out->items == NULL) {
        return false;
    }
    for (size_t i = span.offset; i < (size_t) span.offset + span.len; i++) {
        dw_str key = dw__vector_str(&vector->children[0], i);
        if (!dw__str_is_null(key)) {
            out->items[out->count++] = (dw_pair){key, dw__vector_str(&vector->children[1], i)};
        }
    }
    return true;
}

bool
dw__vector_strs(const dw_vector *vector, size_t row, dw_arena *arena, dw_str **out,
                size_t *count_out)
{
    *out = NULL;
    *count_out = 0;
    dw_span span = dw__vector_span(vector, row);
    if (span.len == 0) {
        return true;
    }
    *out = DW_ARENA_ARRAY(arena, dw_str, span.len);
    if (*out == NULL) {
        return false;
    }
    for (size_t i = span.offset; i < (size_t) span.offset + span.len; i++) {
        dw_str element = dw__vector_str(&vector->children[0], i);
        if (!dw__str_is_null(element)) {
            (*out)[(*count_out)++] = element;
        }
    }
    return true;
}

dw_status
dw__vector_map_json(const dw_vector *vector, size_t row, dw_arena *arena, dw_str *out,
                    dw_error *err)
{
    *out = DW_STR_NULL;
    dw_span span = dw__vector_span(vector, row);
    if (span.len == 0) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, MAP_TEXT_BYTES_MAX);
    dw__strbuf_append_char(&text, '{');
    for (size_t i = span.offset; i < (size_t) span.offset + span.len; i++) {
        dw_str key = dw__vector_str(&vector->children[0], i);
        dw_str value = dw__vector_str(&vector->children[1], i);
        if (dw__str_is_null(key)) {
            continue;
        }
        dw__json_put_key(&text, key);
        if (dw__str_is_null(value)) {
            dw__strbuf_append_literal(&text, "null");
        } else {
            dw__json_put_string(&text, value);
        }
    }
    dw__strbuf_append_char(&text, '}');
    DW_TRY(dw__strbuf_ok(&text, "a map", err));
    return dw__arena_dup(arena, dw__strbuf_str(&text), out) ? DW_OK : dw__error_oom(err);
}
