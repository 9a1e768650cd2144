/*
 * SHA-256 by libmd, and the keyed digest that RFC 2104 makes of it. libmd never allocates and never
 * fails.
 */
#include "codec/sha256.h"

#include "base/assert.h"

#define BLOCK_BYTES ((size_t) SHA256_BLOCK_LENGTH)
#define INNER_PAD 0x36
#define OUTER_PAD 0x5c

static void
add(SHA2_CTX *ctx, dw_str bytes)
{
    if (bytes.len > 0) {
        SHA256Update(ctx, (const uint8_t *) bytes.ptr, bytes.len);
    }
}

static void
print(const uint8_t digest[DW_SHA256_BYTES], char out[DW_SHA256_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DW_SHA256_BYTES; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[DW_SHA256_TEXT_SIZE - 1] = '\0';
}

void
dw__sha256_init(dw_sha256 *sha)
{
    SHA256Init(&sha->ctx);
}

void
dw__sha256_add(dw_sha256 *sha, dw_str bytes)
{
    add(&sha->ctx, bytes);
}

void
dw__sha256_end(dw_sha256 *sha, char out[DW_SHA256_TEXT_SIZE])
{
    uint8_t digest[DW_SHA256_BYTES];
    SHA256Final(digest, &sha->ctx);
    print(digest, out);
}

void
dw__sha256_text(dw_str bytes, char out[DW_SHA256_TEXT_SIZE])
{
    dw_sha256 sha;
    dw__sha256_init(&sha);
    dw__sha256_add(&sha, bytes);
    dw__sha256_end(&sha, out);
}

/* Begins a digest with the key, each byte of the block changed by the pad. */
static void
begin_padded(SHA2_CTX *ctx, const uint8_t block[BLOCK_BYTES], uint8_t pad)
{
    uint8_t padded[BLOCK_BYTES];
    for (size_t i = 0; i < BLOCK_BYTES; i++) {
        padded[i] = block[i] ^ pad;
    }
    SHA256Init(ctx);
    SHA256Update(ctx, padded, BLOCK_BYTES);
}

void
dw__hmac_sha256_text(dw_str key, dw_str bytes, char out[DW_SHA256_TEXT_SIZE])
{
    SHA2_CTX ctx;
    uint8_t block[BLOCK_BYTES] = {0};
    uint8_t digest[DW_SHA256_BYTES];
    if (key.len > BLOCK_BYTES) {
        SHA256Init(&ctx);
        add(&ctx, key);
        SHA256Final(block, &ctx);
    } else if (key.len > 0) {
        memcpy(block, key.ptr, key.len);
    }
    begin_padded(&ctx, block, INNER_PAD);
    add(&ctx, bytes);
    SHA256Final(digest, &ctx);
    begin_padded(&ctx, block, OUTER_PAD);
    SHA256Update(&ctx, digest, DW_SHA256_BYTES);
    SHA256Final(digest, &ctx);
    print(digest, out);
}

bool
dw__sha256_text_equal(const char a[DW_SHA256_TEXT_SIZE], const char b[DW_SHA256_TEXT_SIZE])
{
    unsigned difference = 0;
    dw_assert(a != NULL && b != NULL);
    for (size_t i = 0; i + 1 < DW_SHA256_TEXT_SIZE; i++) {
        difference |= (unsigned) (unsigned char) a[i] ^ (unsigned char) b[i];
    }
    return difference == 0;
}
