/*
 * dw_strbuf: a growing, owned byte buffer with a maximum. It is the builder of every text and the
 * owner of every object that was read from storage.
 *
 *  [STRBUF-1] The bytes are followed by a NUL that is not counted.
 *  [STRBUF-2] After a failed append the buffer is `failed` and later appends do nothing: build
 *             first, ask once at the end (dw__strbuf_ok).
 */
#ifndef DW_BASE_STRBUF_H
#define DW_BASE_STRBUF_H

#include "base/allocator.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

typedef struct dw_strbuf {
    const dw_allocator *allocator;
    char *ptr;
    size_t len;
    size_t capacity;
    size_t size_max; /* appending beyond it fails */
    bool failed;
    bool too_large; /* it failed for size_max, not for memory */
} dw_strbuf;

/* A buffer to be filled; nothing is allocated yet. */
dw_strbuf dw__strbuf_make(const dw_allocator *allocator, size_t size_max);
void dw__strbuf_deinit(dw_strbuf *buf);
void dw__strbuf_clear(dw_strbuf *buf);
/* Keeps the first `len` bytes; there must be as many. */
void dw__strbuf_truncate(dw_strbuf *buf, size_t len);

/* Room for `extra` more bytes at ptr + len (write there, then add to len and set the NUL with
 * dw__strbuf_advance). False when it cannot be had. */
bool dw__strbuf_reserve(dw_strbuf *buf, size_t extra);
void dw__strbuf_advance(dw_strbuf *buf, size_t written);

void dw__strbuf_append(dw_strbuf *buf, dw_str s);
void dw__strbuf_append_char(dw_strbuf *buf, char c);
void dw__strbuf_append_i64(dw_strbuf *buf, int64_t value);
void dw__strbuf_printf(dw_strbuf *buf, const char *fmt, ...) DW_PRINTF(2, 3);
#define dw__strbuf_append_literal(buf, literal) dw__strbuf_append((buf), DW_STR(literal))

/* DW_OK, or the failure of an earlier append: out of memory, or more than size_max (`what` says of
 * what). */
DW_WARN_UNUSED dw_status dw__strbuf_ok(const dw_strbuf *buf, const char *what, dw_error *err);

/* The bytes, borrowed until the next change. Never the null string. */
static inline dw_str
dw__strbuf_str(const dw_strbuf *buf)
{
    return buf->ptr == NULL ? DW_STR("") : (dw_str){buf->ptr, buf->len};
}

/* The same with its NUL, as a C string. */
static inline const char *
dw__strbuf_cstr(const dw_strbuf *buf)
{
    return buf->ptr == NULL ? "" : buf->ptr;
}

static inline void
dw__dw_strbuf_cleanup(dw_strbuf *buf)
{
    dw__strbuf_deinit(buf);
}

#endif
