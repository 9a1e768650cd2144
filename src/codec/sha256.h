/*
 * SHA-256 and HMAC-SHA-256 (RFC 2104) over libmd: what chains the records of the audit log.
 */
#ifndef DW_CODEC_SHA256_H
#define DW_CODEC_SHA256_H

#include "base/str.h"

#include <sha2.h>

#define DW_SHA256_BYTES ((size_t) SHA256_DIGEST_LENGTH)
/* Hexadecimal digits, all small, and a NUL. */
#define DW_SHA256_TEXT_SIZE 65

/* A digest of bytes that come in pieces. */
typedef struct dw_sha256 {
    SHA2_CTX ctx;
} dw_sha256;

void dw__sha256_init(dw_sha256 *sha);
void dw__sha256_add(dw_sha256 *sha, dw_str bytes);
void dw__sha256_end(dw_sha256 *sha, char out[DW_SHA256_TEXT_SIZE]);

void dw__sha256_text(dw_str bytes, char out[DW_SHA256_TEXT_SIZE]);
void dw__hmac_sha256_text(dw_str key, dw_str bytes, char out[DW_SHA256_TEXT_SIZE]);

/* Takes as long whatever the digits are. */
bool dw__sha256_text_equal(const char a[DW_SHA256_TEXT_SIZE], const char b[DW_SHA256_TEXT_SIZE]);

#endif
