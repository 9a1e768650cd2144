/*
 * UUIDs: making random ones (RFC 4122, version 4) and their canonical text.
 */
#include "base/assert.h"
#include "codec/codec.h"

void
dw__uuid_format(const uint8_t bytes[DW_UUID_BYTES], char out[DW_UUID_TEXT_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    size_t len = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            out[len++] = '-';
        }
        out[len++] = hex[bytes[i] >> 4];
        out[len++] = hex[bytes[i] & 0xf];
    }
    out[len] = '\0';
    dw_assert(len == DW_UUID_TEXT_SIZE - 1);
}

void
dw__uuid_bytes(const dw_env *env, uint8_t out[DW_UUID_BYTES])
{
    env->ops->random(env->ctx, out, DW_UUID_BYTES);
    out[6] = (uint8_t) ((out[6] & 0x0f) | 0x40);
    out[8] = (uint8_t) ((out[8] & 0x3f) | 0x80);
}

void
dw__uuid_make(const dw_env *env, char out[DW_UUID_TEXT_SIZE])
{
    uint8_t bytes[DW_UUID_BYTES];
    dw__uuid_bytes(env, bytes);
    dw__uuid_format(bytes, out);
}
