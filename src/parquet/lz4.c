/*
 * Frames around liblz4's blocks.
 */
#include "parquet/lz4.h"

#include <limits.h>
#include <lz4.h>

/* The size of `bytes` when they are decoded, at most `room`; negative when they are no block. */
static int
decode_block(dw_str bytes, char *out, size_t room)
{
    if (bytes.len > INT_MAX || room > INT_MAX) {
        return -1;
    }
    return LZ4_decompress_safe(bytes.ptr, out, (int) bytes.len, (int) room);
}

bool
dw__lz4_decode_raw(dw_str in, char *out, size_t size)
{
    int found = decode_block(in, out, size);
    return found >= 0 && (size_t) found == size;
}

/* Takes a number of four bytes off; false when there is none. */
static bool
take_number(dw_str *in, size_t *out)
{
    if (in->len < sizeof(uint32_t)) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < sizeof(uint32_t); i++) {
        *out = *out << 8 | (uint8_t) in->ptr[i];
    }
    *in = dw__str_make(in->ptr + sizeof(uint32_t), in->len - sizeof(uint32_t));
    return true;
}

/* A frame is the size of what it holds, and blocks until that is reached. */
static bool
decode_frame(dw_str *in, char *out, size_t frame_size)
{
    size_t done = 0;
    while (done < frame_size) {
        size_t block_size;
        if (!take_number(in, &block_size) || block_size > in->len) {
            return false;
        }
        int found = decode_block(dw__str_make(in->ptr, block_size), out + done, frame_size - done);
        if (found <= 0) {
            return false;
        }
        done += (size_t) found;
        *in = dw__str_make(in->ptr + block_size, in->len - block_size);
    }
    return true;
}

static bool
decode_frames(dw_str in, char *out, size_t size)
{
    size_t done = 0;
    while (in.len > 0) {
        size_t frame_size;
        if (!take_number(&in, &frame_size) || frame_size > size - done ||
            !decode_frame(&in, out + done, frame_size)) {
            return false;
        }
        done += frame_size;
    }
    return done == size;
}

bool
dw__lz4_decode(dw_str in, char *out, size_t size)
{
    return decode_frames(in, out, size) || dw__lz4_decode_raw(in, out, size);
}
