/*
 * Growing texts and the width of characters.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

void *
memory_resize(void *ptr, size_t size)
{
    void *resized = realloc(ptr, size == 0 ? 1 : size);
    if (resized == NULL) {
        fprintf(stderr, "deltaworks: out of memory\n");
        exit(1);
    }
    return resized;
}

char *
memory_dup(const char *bytes, size_t len)
{
    char *copy = memory_resize(NULL, len + 1);
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

static void
reserve(text *out, size_t extra)
{
    size_t needed = out->len + extra + 1;
    if (needed <= out->capacity) {
        return;
    }
    size_t capacity = out->capacity == 0 ? 256 : out->capacity;
    while (capacity < needed) {
        capacity *= 2;
    }
    out->ptr = memory_resize(out->ptr, capacity);
    out->capacity = capacity;
}

void
text_append(text *out, const char *bytes, size_t len)
{
    reserve(out, len);
    if (len > 0) {
        memcpy(out->ptr + out->len, bytes, len);
    }
    out->len += len;
    out->ptr[out->len] = '\0';
}

void
text_append_cstr(text *out, const char *cstr)
{
    text_append(out, cstr, strlen(cstr));
}

void
text_append_char(text *out, char c)
{
    text_append(out, &c, 1);
}

void
text_printf(text *out, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0) {
        return;
    }
    reserve(out, (size_t) len);
    va_start(args, fmt);
    vsnprintf(out->ptr + out->len, (size_t) len + 1, fmt, args);
    va_end(args);
    out->len += (size_t) len;
}

void
text_clear(text *out)
{
    out->len = 0;
    if (out->ptr != NULL) {
        out->ptr[0] = '\0';
    }
}

void
text_free(text *out)
{
    free(out->ptr);
    *out = (text){0};
}

const char *
text_cstr(const text *out)
{
    return out->ptr == NULL ? "" : out->ptr;
}

/*
 * Reads one character: its bytes, and its width in *width. What is no UTF-8 counts as one column.
 */
static size_t
read_character(const char *bytes, size_t len, size_t *width)
{
    unsigned char lead = (unsigned char) bytes[0];
    *width = 1;
    if (lead < 0x80) {
        return 1;
    }
    wchar_t wide = 0;
    mbstate_t state = {0};
    size_t used = mbrtowc(&wide, bytes, len, &state);
    if (used == (size_t) -1 || used == (size_t) -2 || used == 0) {
        return 1;
    }
    int columns = wcwidth(wide);
    *width = columns < 0 ? 1 : (size_t) columns;
    return used;
}

size_t
text_width(const char *bytes, size_t len)
{
    size_t total = 0;
    for (size_t i = 0; i < len;) {
        size_t width;
        i += read_character(bytes + i, len - i, &width);
        total += width;
    }
    return total;
}

size_t
text_prefix(const char *bytes, size_t len, size_t columns)
{
    size_t total = 0;
    size_t i = 0;
    while (i < len) {
        size_t width;
        size_t used = read_character(bytes + i, len - i, &width);
        if (total + width > columns) {
            break;
        }
        total += width;
        i += used;
    }
    return i;
}

void
text_append_quoted(text *out, const char *string, char quote)
{
    text_append_char(out, quote);
    for (const char *c = string; *c != '\0'; c++) {
        if (*c == quote) {
            text_append_char(out, quote);
        }
        text_append_char(out, *c);
    }
    text_append_char(out, quote);
}
