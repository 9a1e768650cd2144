/*
 * What the fuzz targets share: the entry point, and taking pieces off the input.
 */
#ifndef DWT_FUZZ_H
#define DWT_FUZZ_H

#include "base/arena.h"
#include "base/assert.h"
#include "base/strbuf.h"

#include <stdint.h>

/* One input. Returns 0; a broken promise ends the process by dw_assert. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_TEXT_BYTES_MAX ((size_t) 1 << 26)

/* For calls whose outcome does not matter, only that they come back. */
static inline void
fuzz_run(dw_status status)
{
    dw_assert(status != DW_INTERNAL);
}

static inline dw_str
fuzz_text(const uint8_t *data, size_t size)
{
    return size == 0 ? DW_STR("") : dw__str_make((const char *) data, size);
}

static inline dw_strbuf
fuzz_strbuf(void)
{
    return dw__strbuf_make(dw__allocator_libc(), FUZZ_TEXT_BYTES_MAX);
}

/* Takes the next byte off; 0 at the end. */
static inline uint8_t
fuzz_take_byte(dw_str *input)
{
    if (input->len == 0) {
        return 0;
    }
    uint8_t byte = (uint8_t) input->ptr[0];
    *input = dw__str_slice(*input, 1, input->len);
    return byte;
}

/* Takes up to eight bytes off, the least significant one first. */
static inline uint64_t
fuzz_take_word(dw_str *input, size_t bytes)
{
    uint64_t word = 0;
    for (size_t i = 0; i < bytes; i++) {
        word |= (uint64_t) fuzz_take_byte(input) << (8 * i);
    }
    return word;
}

/* Takes a string off: its length in one byte, then its bytes. */
static inline dw_str
fuzz_take_str(dw_str *input)
{
    size_t len = fuzz_take_byte(input);
    dw_str s = dw__str_slice(*input, 0, len);
    *input = dw__str_slice(*input, s.len, input->len);
    return s.len == 0 ? DW_STR("") : s;
}

#endif
