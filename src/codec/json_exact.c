/*
 * Numbers of the engine's JSON that others would read as other numbers, or not at all: as texts
 * they stay what they are.
 */
#include "codec/json.h"

static bool
is_of_scalar(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
}

/* Digits in front of the exponent, but for zeros in front of them. */
static size_t
count_digits(dw_str number)
{
    size_t count = 0;
    for (size_t i = 0; i < number.len && number.ptr[i] != 'e' && number.ptr[i] != 'E'; i++) {
        char c = number.ptr[i];
        count += c >= (count == 0 ? '1' : '0') && c <= '9';
    }
    return count;
}

/* NaN and infinities, and numbers of more digits than readers take that make doubles of them. */
static bool
is_inexact(dw_str scalar, size_t digits_max)
{
    int64_t integer;
    size_t sign = scalar.ptr[0] == '-' ? 1 : 0;
    char first = scalar.len > sign ? scalar.ptr[sign] : 'n';
    if (first == 'N' || first == 'I') {
        return true;
    }
    return first >= '0' && first <= '9' && count_digits(scalar) > digits_max &&
           !dw__str_to_i64(scalar, &integer);
}

void
dw__json_put_exact(dw_strbuf *out, dw_str text, size_t digits_max)
{
    bool is_in_text = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        size_t len = 1;
        bool is_quoted = false;
        if (is_in_text) {
            len += c == '\\' && i + 1 < text.len;
        } else {
            while (is_of_scalar(c) && i + len < text.len && is_of_scalar(text.ptr[i + len])) {
                len++;
            }
            is_quoted = is_of_scalar(c) && is_inexact(dw__str_slice(text, i, len), digits_max);
        }
        is_in_text = is_in_text != (c == '"');
        dw__strbuf_append(out, is_quoted ? DW_STR("\"") : DW_STR(""));
        dw__strbuf_append(out, dw__str_slice(text, i, len));
        dw__strbuf_append(out, is_quoted ? DW_STR("\"") : DW_STR(""));
        i += len - 1;
    }
}
