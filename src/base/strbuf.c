/*
 * The growing byte buffer.
 */
#include "base/strbuf.h"

#include "base/assert.h"
#include "base/checked.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define CAPACITY_MIN ((size_t) 64)

dw_strbuf
dw__strbuf_make(const dw_allocator *allocator, size_t size_max)
{
    dw_assert(allocator != NULL);
    return (dw_strbuf){.allocator = allocator, .size_max = size_max};
}

void
dw__strbuf_deinit(dw_strbuf *buf)
{
    if (buf->ptr != NULL) {
        dw__dealloc(buf->allocator, buf->ptr, buf->capacity);
    }
    buf->ptr = NULL;
    buf->len = 0;
    buf->capacity = 0;
}

void
dw__strbuf_clear(dw_strbuf *buf)
{
    buf->len = 0;
    buf->failed = false;
    buf->too_large = false;
    if (buf->ptr != NULL) {
        buf->ptr[0] = '\0';
    }
}

void
dw__strbuf_truncate(dw_strbuf *buf, size_t len)
{
    dw_assert(len <= buf->len);
    buf->len = len;
    if (buf->ptr != NULL) {
        buf->ptr[len] = '\0';
    }
}

bool
dw__strbuf_reserve(dw_strbuf *buf, size_t extra)
{
    if (buf->failed) {
        return false;
    }
    size_t needed;
    if (!dw__checked_add(buf->len, extra, &needed) || needed > buf->size_max ||
        needed == SIZE_MAX) {
        buf->failed = true;
        buf->too_large = true;
        return false;
    }
    if (needed < buf->capacity) {
        return true;
    }
    size_t capacity = buf->capacity < CAPACITY_MIN ? CAPACITY_MIN : buf->capacity;
    while (capacity <= needed) {
        capacity = capacity > SIZE_MAX / 2 ? SIZE_MAX : capacity * 2;
    }
    char *ptr = buf->allocator->resize(buf->allocator->ctx, buf->ptr, buf->capacity, capacity);
    if (ptr == NULL) {
        buf->failed = true;
        return false;
    }
    buf->ptr = ptr;
    buf->capacity = capacity;
    buf->ptr[buf->len] = '\0';
    return true;
}

void
dw__strbuf_advance(dw_strbuf *buf, size_t written)
{
    dw_assert(buf->ptr != NULL || written == 0);
    if (buf->ptr != NULL) {
        dw_assert(buf->len + written < buf->capacity);
        buf->len += written;
        buf->ptr[buf->len] = '\0';
    }
}

void
dw__strbuf_append(dw_strbuf *buf, dw_str s)
{
    if (s.len > 0 && dw__strbuf_reserve(buf, s.len)) {
        memcpy(buf->ptr + buf->len, s.ptr, s.len);
        dw__strbuf_advance(buf, s.len);
    }
}

void
dw__strbuf_append_char(dw_strbuf *buf, char c)
{
    dw__strbuf_append(buf, dw__str_make(&c, 1));
}

void
dw__strbuf_append_i64(dw_strbuf *buf, int64_t value)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRId64, value);
    dw__strbuf_append(buf, dw__str_make(digits, (size_t) len));
}

void
dw__strbuf_printf(dw_strbuf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    dw_assert(len >= 0);
    if (!dw__strbuf_reserve(buf, (size_t) len)) {
        return;
    }
    va_start(args, fmt);
    vsnprintf(buf->ptr + buf->len, (size_t) len + 1, fmt, args);
    va_end(args);
    dw__strbuf_advance(buf, (size_t) len);
}

dw_status
dw__strbuf_ok(const dw_strbuf *buf, const char *what, dw_error *err)
{
    if (!buf->failed) {
        return DW_OK;
    }
    if (buf->too_large) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "SIZE_LIMIT",
                             "%s is larger than the limit of %zu bytes", what, buf->size_max);
    }
    return dw__error_oom(err);
}
