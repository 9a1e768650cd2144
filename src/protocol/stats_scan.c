/*
 * Escapes in JSON text that is scanned.
 */
#include "protocol/stats_scan.h"

#include "base/assert.h"

/* Longer keys than that, with escapes, match nothing. */
#define KEY_UNESCAPED_MAX ((size_t) 1024)

static bool
take_hex(dw_str raw, size_t at, uint32_t *out)
{
    *out = 0;
    if (raw.len < at + 4) {
        return false;
    }
    for (size_t i = at; i < at + 4; i++) {
        char c = raw.ptr[i];
        bool digit = c >= '0' && c <= '9';
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'f';
        if (!digit && !letter) {
            return false;
        }
        *out = *out * 16 + (uint32_t) (digit ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return true;
}

static size_t
put_utf8(uint32_t code, char *to)
{
    if (code < 0x80) {
        to[0] = (char) code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char) (0xc0 | code >> 6);
        to[1] = (char) (0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (char) (0xe0 | code >> 12);
        to[1] = (char) (0x80 | (code >> 6 & 0x3f));
        to[2] = (char) (0x80 | (code & 0x3f));
        return 3;
    }
    to[0] = (char) (0xf0 | code >> 18);
    to[1] = (char) (0x80 | (code >> 12 & 0x3f));
    to[2] = (char) (0x80 | (code >> 6 & 0x3f));
    to[3] = (char) (0x80 | (code & 0x3f));
    return 4;
}

/* The character of "\uXXXX", or of a surrogate pair of them, at `*at`, which is moved behind it. */
static bool
take_unicode(dw_str raw, size_t *at, uint32_t *code_out)
{
    uint32_t code;
    if (!take_hex(raw, *at + 2, &code)) {
        return false;
    }
    *at += 6;
    if (code >= 0xd800 && code <= 0xdfff) {
        uint32_t low;
        bool paired = code < 0xdc00 && raw.len >= *at + 6 && raw.ptr[*at] == '\\' &&
                      raw.ptr[*at + 1] == 'u' && take_hex(raw, *at + 2, &low) && low >= 0xdc00 &&
                      low <= 0xdfff;
        if (!paired) {
            return false;
        }
        *at += 6;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    *code_out = code;
    return true;
}

bool
dw__scan_unescape(dw_str raw, char *to, size_t *len_out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char into[] = "\"\\/\b\f\n\r\t";
    size_t len = 0;
    size_t at = 0;
    while (at < raw.len) {
        if (raw.ptr[at] != '\\') {
            to[len++] = raw.ptr[at++];
            continue;
        }
        if (at + 1 >= raw.len) {
            return false;
        }
        uint32_t code;
        char c = raw.ptr[at + 1];
        const char *hit = c == '\0' ? NULL : strchr(from, c);
        if (hit != NULL) {
            to[len++] = into[hit - from];
            at += 2;
        } else if (c == 'u' && take_unicode(raw, &at, &code)) {
            len += put_utf8(code, to + len);
        } else {
            return false;
        }
    }
    dw_assert(len <= raw.len);
    *len_out = len;
    return true;
}

bool
dw__scan_escaped_key_equal(dw_str raw, dw_str wanted)
{
    if (raw.len > KEY_UNESCAPED_MAX || dw__str_find(raw, '\\') == SIZE_MAX) {
        return false;
    }
    char key[KEY_UNESCAPED_MAX];
    size_t len;
    return dw__scan_unescape(raw, key, &len) && dw__str_equal(dw__str_make(key, len), wanted);
}
