/*
 * z85 (ZeroMQ RFC 32): four bytes, most significant first, as five characters of base 85.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "codec/codec.h"

static const char alphabet[85 + 1] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

dw_status
dw__z85_encode(dw_arena *arena, dw_str bytes, dw_str *out, dw_error *err)
{
    dw_assert(bytes.len % 4 == 0);
    *out = DW_STR_NULL;
    size_t size;
    if (!dw__checked_mul(bytes.len / 4, 5, &size)) {
        return dw__error_oom(err);
    }
    char *text = dw__arena_alloc_bytes(arena, size);
    if (text == NULL) {
        return dw__error_oom(err);
    }
    const unsigned char *from = (const unsigned char *) bytes.ptr;
    char *to = text;
    for (size_t i = 0; i < bytes.len; i += 4, to += 5) {
        uint32_t word = (uint32_t) from[i] << 24 | (uint32_t) from[i + 1] << 16 |
                        (uint32_t) from[i + 2] << 8 | (uint32_t) from[i + 3];
        for (size_t digit = 5; digit > 0; digit--) {
            to[digit - 1] = alphabet[word % 85];
            word /= 85;
        }
    }
    *out = dw__str_make(text, size);
    return DW_OK;
}

/*
 * The value of five characters; false when one is none of the alphabet or the group exceeds 32
 * bits.
 */
static bool
decode_group(const char *text, uint32_t *out)
{
    uint64_t word = 0;
    for (size_t i = 0; i < 5; i++) {
        const char *hit = text[i] == '\0' ? NULL : strchr(alphabet, text[i]);
        if (hit == NULL) {
            return false;
        }
        word = word * 85 + (uint64_t) (hit - alphabet);
    }
    *out = (uint32_t) word;
    return word <= UINT32_MAX;
}

dw_status
dw__z85_decode(dw_arena *arena, dw_str text, dw_str *out, dw_error *err)
{
    *out = DW_STR_NULL;
    if (text.len % 5 != 0) {
        return dw__error_set(err, DW_CORRUPT, "Z85_INVALID",
                             "z85 text comes in groups of 5 characters, found %zu characters",
                             text.len);
    }
    char *bytes = dw__arena_alloc_bytes(arena, text.len / 5 * 4);
    if (bytes == NULL) {
        return dw__error_oom(err);
    }
    char *to = bytes;
    for (size_t i = 0; i < text.len; i += 5, to += 4) {
        uint32_t word;
        if (!decode_group(text.ptr + i, &word)) {
            return dw__error_set(err, DW_CORRUPT, "Z85_INVALID",
                                 "\"%.5s\" at byte %zu is no group of z85", text.ptr + i, i);
        }
        to[0] = (char) (word >> 24);
        to[1] = (char) (word >> 16 & 0xff);
        to[2] = (char) (word >> 8 & 0xff);
        to[3] = (char) (word & 0xff);
    }
    *out = dw__str_make(bytes, text.len / 5 * 4);
    return DW_OK;
}
