/*
 * MD5 (RFC 1321), which the checksum of `_last_checkpoint` is made of. It protects from accidents
 * only.
 */
#include "codec/codec.h"

#define BLOCK_BYTES 64
#define LENGTH_BYTES 8

/* The integer parts of 2^32 times the sines of 1 to 64. */
static const uint32_t sines[BLOCK_BYTES] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

static const uint8_t shifts[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static uint32_t
load(const uint8_t *at)
{
    return (uint32_t) at[0] | (uint32_t) at[1] << 8 | (uint32_t) at[2] << 16 |
           (uint32_t) at[3] << 24;
}

static uint32_t
rotate(uint32_t value, unsigned count)
{
    return value << count | value >> (32 - count);
}

static void
add_block(uint32_t state[4], const uint8_t *block)
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (unsigned i = 0; i < BLOCK_BYTES; i++) {
        unsigned round = i / 16;
        uint32_t mixed;
        unsigned word;
        if (round == 0) {
            mixed = (b & c) | (~b & d);
            word = i;
        } else if (round == 1) {
            mixed = (d & b) | (~d & c);
            word = (5 * i + 1) % 16;
        } else if (round == 2) {
            mixed = b ^ c ^ d;
            word = (3 * i + 5) % 16;
        } else {
            mixed = c ^ (b | ~d);
            word = 7 * i % 16;
        }
        mixed += a + sines[i] + load(block + (size_t) 4 * word);
        a = d;
        d = c;
        c = b;
        b += rotate(mixed, shifts[round][i % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

void
dw__md5_bytes(dw_str bytes, uint8_t out[DW_MD5_BYTES])
{
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    size_t whole = bytes.len - bytes.len % BLOCK_BYTES;
    for (size_t at = 0; at < whole; at += BLOCK_BYTES) {
        add_block(state, (const uint8_t *) bytes.ptr + at);
    }
    /* What is left, a one bit, and the length in bits at the end of a block. */
    uint8_t last[2 * BLOCK_BYTES] = {0};
    size_t left = bytes.len - whole;
    if (left > 0) {
        memcpy(last, bytes.ptr + whole, left);
    }
    last[left] = 0x80;
    size_t size = left + 1 + LENGTH_BYTES <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
    for (unsigned i = 0; i < LENGTH_BYTES; i++) {
        last[size - LENGTH_BYTES + i] = (uint8_t) ((uint64_t) bytes.len * 8 >> (8 * i));
    }
    for (size_t at = 0; at < size; at += BLOCK_BYTES) {
        add_block(state, last + at);
    }
    for (size_t i = 0; i < DW_MD5_BYTES; i++) {
        out[i] = (uint8_t) (state[i / 4] >> (8 * (i % 4)));
    }
}

void
dw__md5(dw_str bytes, char out[DW_MD5_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[DW_MD5_BYTES];
    dw__md5_bytes(bytes, digest);
    for (size_t i = 0; i < DW_MD5_BYTES; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 0x0f];
    }
    out[DW_MD5_TEXT_SIZE - 1] = '\0';
}
