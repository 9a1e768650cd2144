/*
 * dw_str: a borrowed view of bytes, normally UTF-8, not NUL-terminated. It never owns anything.
 */
#ifndef DW_BASE_STR_H
#define DW_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct dw_str {
    const char *ptr; /* NULL only for the absent string (dw__str_is_null) */
    size_t len;
} dw_str;

/* A dw_str of a string literal, usable in initialisers. */
#define DW_STR(literal) ((dw_str){"" literal, sizeof(literal) - 1})
#define DW_STR_NULL ((dw_str){NULL, 0})

/* printf("%.*s", DW_STR_ARG(s)): messages are cut at INT_MAX, which no message reaches. */
#define DW_STR_ARG(s)                                                                              \
    ((int) ((s).len > 0x7fffffff ? 0x7fffffff : (s).len)), ((s).ptr == NULL ? "" : (s).ptr)

static inline dw_str
dw__str_from(const char *text)
{
    return text == NULL ? DW_STR_NULL : (dw_str){text, strlen(text)};
}

static inline dw_str
dw__str_make(const char *ptr, size_t len)
{
    return (dw_str){ptr, len};
}

static inline bool
dw__str_is_null(dw_str s)
{
    return s.ptr == NULL;
}

bool dw__str_equal(dw_str a, dw_str b);
/* ASCII letters compare without case; other bytes exactly. */
bool dw__str_equal_nocase(dw_str a, dw_str b);
/* True when one of the names is `name`. */
bool dw__str_among(const dw_str *names, size_t count, dw_str name);
/* The same strings in the same order. */
bool dw__str_lists_equal(const dw_str *a, size_t a_count, const dw_str *b, size_t b_count);
/* Bytewise order, a prefix before what it begins: negative, 0 or positive. */
int dw__str_compare(dw_str a, dw_str b);
bool dw__str_starts_with(dw_str s, dw_str prefix);
bool dw__str_ends_with(dw_str s, dw_str suffix);
/* The part of `s` from byte `start` on, at most `len` bytes; clamped to what is there. */
dw_str dw__str_slice(dw_str s, size_t start, size_t len);
/* The index of the first `c`, or SIZE_MAX. */
size_t dw__str_find(dw_str s, char c);
size_t dw__str_find_last(dw_str s, char c);
/* Without leading and trailing ASCII white space. */
dw_str dw__str_trim(dw_str s);

/* The whole of `s` as a decimal integer with an optional '-'; false if it is none or overflows. */
bool dw__str_to_i64(dw_str s, int64_t *out);
bool dw__str_to_u64(dw_str s, uint64_t *out);
/* The whole of `s` as a floating-point number, in the C locale's syntax; also NaN and Infinity. */
bool dw__str_to_double(dw_str s, double *out);
/* The same, rounded once to single precision. */
bool dw__str_to_float(dw_str s, float *out);

/* Of strings between which a distance is told. */
#define DW_STR_DISTANCE_MAX ((size_t) 96)
/* How many bytes must be put in, taken out or changed to get from one to the other, without regard
 * to the case of ASCII letters. `b` has at most DW_STR_DISTANCE_MAX bytes. */
size_t dw__str_distance(dw_str a, dw_str b);

/* True if `s` is well-formed UTF-8. */
bool dw__str_is_utf8(dw_str s);
/* A 64-bit hash for tables in memory; not stable between releases, never stored. */
uint64_t dw__str_hash(dw_str s);

#endif
