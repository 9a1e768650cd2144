/*
 * Numbers of the engine's JSON: of a decimal below 1 that has no other digits it leaves out the
 * zero before the point, which JSON demands.
 */
#include "codec/json.h"

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A point behind anything but a digit is in a text, or lacks its zero. */
bool
dw__json_may_lack_zeros(dw_str text)
{
    const char *end = text.ptr + text.len;
    for (const char *at = text.ptr; at < end; at++) {
        at = memchr(at, '.', (size_t) (end - at));
        if (at == NULL) {
            return false;
        }
        if (at == text.ptr || !is_digit(at[-1])) {
            return true;
        }
    }
    return false;
}

void
dw__json_put_zeros(dw_strbuf *out, dw_str text)
{
    bool is_in_text = false;
    size_t done = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (is_in_text && c == '\\') {
            i++;
        } else if (c == '"') {
            is_in_text = !is_in_text;
        } else if (c == '.' && !is_in_text && (i == 0 || !is_digit(text.ptr[i - 1]))) {
            dw__strbuf_append(out, dw__str_slice(text, done, i - done));
            dw__strbuf_append_char(out, '0');
            done = i;
        }
    }
    dw__strbuf_append(out, dw__str_slice(text, done, text.len - done));
}
