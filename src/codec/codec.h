/*
 * Small codecs: z85, CRC-32, MD5, UUID.
 */
#ifndef DW_CODEC_CODEC_H
#define DW_CODEC_CODEC_H

#include "base/arena.h"
#include "base/error.h"
#include "env/env.h"

#define DW_UUID_BYTES 16
#define DW_UUID_TEXT_SIZE 37

/* A random UUID (version 4) in network order. */
void dw__uuid_bytes(const dw_env *env, uint8_t out[DW_UUID_BYTES]);
/* A random UUID (version 4) as 36 characters and a NUL. */
void dw__uuid_make(const dw_env *env, char out[DW_UUID_TEXT_SIZE]);
/* The canonical text of 16 bytes in network order. */
void dw__uuid_format(const uint8_t bytes[DW_UUID_BYTES], char out[DW_UUID_TEXT_SIZE]);

/* Decodes z85 (five characters a four-byte group). DW_CORRUPT (Z85_INVALID). */
DW_WARN_UNUSED dw_status dw__z85_decode(dw_arena *arena, dw_str text, dw_str *out, dw_error *err);
/* Encodes; `bytes.len` must be a multiple of four. */
DW_WARN_UNUSED dw_status dw__z85_encode(dw_arena *arena, dw_str bytes, dw_str *out, dw_error *err);

#define DW_MD5_BYTES ((size_t) 16)
#define DW_MD5_TEXT_SIZE 33

/* The MD5 digest. */
void dw__md5_bytes(dw_str bytes, uint8_t out[DW_MD5_BYTES]);
/* The same as 32 hexadecimal digits and a NUL. */
void dw__md5(dw_str bytes, char out[DW_MD5_TEXT_SIZE]);

/* The CRC-32 of zlib and of deletion vector files. */
uint32_t dw__crc32(dw_str bytes);

#endif
