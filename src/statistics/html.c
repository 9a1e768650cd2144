/*
 * Escaping and figures as people read them. [HTML-1]
 */
#include "statistics/html.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* The bytes of the character that begins there; 0: they are no UTF-8. */
static size_t
character_length(dw_str text)
{
    unsigned char first = (unsigned char) text.ptr[0];
    size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    dw_str character = dw__str_slice(text, 0, len);
    return character.len == len && dw__str_is_utf8(character) ? len : 0;
}

/* Controls, U+0080 to U+009F, marks of direction (U+200E, U+200F, U+202A to U+202E, U+2066 to
 * U+2069) and ends of lines that only Unicode knows. */
static bool
is_control(dw_str character)
{
    const unsigned char *c = (const unsigned char *) character.ptr;
    if (character.len == 1) {
        return (c[0] < 0x20 && c[0] != '\t') || c[0] == 0x7f;
    }
    if (character.len == 2) {
        return c[0] == 0xc2 && c[1] < 0xa0;
    }
    if (character.len != 3 || c[0] != 0xe2) {
        return false;
    }
    return (c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae))) ||
           (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
}

static void
put_character(dw_strbuf *out, dw_str character)
{
    if (character.len == 1) {
        switch (character.ptr[0]) {
        case '&':
            dw__strbuf_append_literal(out, "&amp;");
            return;
        case '<':
            dw__strbuf_append_literal(out, "&lt;");
            return;
        case '>':
            dw__strbuf_append_literal(out, "&gt;");
            return;
        case '"':
            dw__strbuf_append_literal(out, "&quot;");
            return;
        case '\'':
            dw__strbuf_append_literal(out, "&#39;");
            return;
        default:
            break;
        }
    }
    dw__strbuf_append(out, character);
}

void
dw__html_put_text(dw_strbuf *out, dw_str text, size_t characters_max)
{
    size_t count = 0;
    while (text.len > 0) {
        size_t len = character_length(text);
        if (characters_max > 0 && count == characters_max) {
            dw__strbuf_append_literal(out, "\xe2\x80\xa6");
            return;
        }
        dw_str character = dw__str_slice(text, 0, len == 0 ? 1 : len);
        if (len == 0 || is_control(character)) {
            dw__strbuf_append_literal(out, "\xef\xbf\xbd");
        } else {
            put_character(out, character);
        }
        text = dw__str_slice(text, character.len, SIZE_MAX);
        count++;
    }
}

static void
put_scaled(dw_strbuf *out, double value, const char *const *units, size_t unit_count)
{
    size_t unit = 0;
    while ((value >= 999.5 || value <= -999.5) && unit + 1 < unit_count) {
        value /= 1000;
        unit++;
    }
    bool is_whole = unit == 0 || value >= 99.95 || value <= -99.95 || value - floor(value) <= 0;
    dw__strbuf_printf(out, is_whole ? "%.0f%s" : "%.1f%s", value, units[unit]);
}

void
dw__html_put_size(dw_strbuf *out, double bytes)
{
    static const char *const units[] = {" B", " kB", " MB", " GB", " TB", " PB", " EB"};
    put_scaled(out, bytes, units, sizeof(units) / sizeof(units[0]));
}

void
dw__html_put_short(dw_strbuf *out, double count)
{
    static const char *const units[] = {"", " k", " M", " G", " T", " P", " E"};
    put_scaled(out, count, units, sizeof(units) / sizeof(units[0]));
}

void
dw__html_put_count(dw_strbuf *out, int64_t count)
{
    char digits[32];
    int len = snprintf(digits, sizeof(digits), "%" PRId64, count);
    for (int i = 0; i < len; i++) {
        bool is_group = i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-';
        dw__strbuf_append(out, is_group ? DW_STR(",") : DW_STR(""));
        dw__strbuf_append_char(out, digits[i]);
    }
}
