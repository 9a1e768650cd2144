/*
 * A scanner over JSON text that builds nothing: it steps over what is not asked for. Planning a
 * scan reads the statistics of every file with it, hence the inline functions. Private to
 * src/protocol.
 *
 * It checks only what it needs to find its way; `failed` says that the text ended early or was
 * none.
 */
#ifndef DW_PROTOCOL_STATS_SCAN_H
#define DW_PROTOCOL_STATS_SCAN_H

#include "base/str.h"

typedef struct dw_scanner {
    const char *at;
    const char *end;
    bool failed;
} dw_scanner;

static inline dw_scanner
dw__scanner_make(dw_str json)
{
    dw_str text = json.len == 0 ? DW_STR("") : json;
    return (dw_scanner){text.ptr, text.ptr + text.len, false};
}

/* True if the raw text of a string (without its quotes) stands for `wanted`, by its escapes. */
bool dw__scan_escaped_key_equal(dw_str raw, dw_str wanted);
/* Unescapes raw text into `to`, which has room for raw.len bytes; false for a bad escape. The
 * result is not checked to be UTF-8. */
bool dw__scan_unescape(dw_str raw, char *to, size_t *len_out);

/* ---- Eight bytes at a time ------------------------------------------------------------------- */

#define DW_SCAN_EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

static inline uint64_t
dw__scan_load(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

/* The high bit of each byte that is zero. */
static inline uint64_t
dw__scan_zero_bytes(uint64_t word)
{
    return ~(((word & DW_SCAN_EACH_BYTE(0x7f)) + DW_SCAN_EACH_BYTE(0x7f)) | word |
             DW_SCAN_EACH_BYTE(0x7f));
}

static inline uint64_t
dw__scan_bytes_equal(uint64_t word, unsigned char c)
{
    return dw__scan_zero_bytes(word ^ DW_SCAN_EACH_BYTE(c));
}

/* The index of the first byte that a mask of high bits marks, on machines of either byte order. */
static inline size_t
dw__scan_first_byte(uint64_t mask)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (size_t) __builtin_ctzll(mask) / 8;
#else
    return (size_t) __builtin_clzll(mask) / 8;
#endif
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static inline void
dw__scan_space(dw_scanner *s)
{
    while (s->at < s->end && (unsigned char) *s->at <= ' ' &&
           (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t')) {
        s->at++;
    }
}

static inline bool
dw__scan_fail(dw_scanner *s)
{
    s->failed = true;
    s->at = s->end;
    return false;
}

/* The next quote or backslash at or behind `at`, or `end`. */
static inline const char *
dw__scan_string_end(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t word = dw__scan_load(at);
        uint64_t hits = dw__scan_bytes_equal(word, '"') | dw__scan_bytes_equal(word, '\\');
        if (hits != 0) {
            return at + dw__scan_first_byte(hits);
        }
        at += 8;
    }
    while (at < end && *at != '"' && *at != '\\') {
        at++;
    }
    return at;
}

/* Steps over a string whose opening quote is at `at`. */
static inline bool
dw__scan_string(dw_scanner *s)
{
    const char *at = s->at + 1;
    for (;;) {
        at = dw__scan_string_end(at, s->end);
        if (at == s->end) {
            return dw__scan_fail(s);
        }
        if (*at == '"') {
            s->at = at + 1;
            return true;
        }
        if (s->end - at < 2) {
            return dw__scan_fail(s);
        }
        at += 2;
    }
}

/* Steps out of `depth` objects and arrays that are open, by counting brackets. */
static inline bool
dw__scan_rest(dw_scanner *s, size_t depth)
{
    while (s->at < s->end) {
        char c = *s->at;
        if (c == '"') {
            if (!dw__scan_string(s)) {
                return false;
            }
            continue;
        }
        s->at++;
        if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return true;
        }
    }
    return dw__scan_fail(s);
}

static inline bool
dw__scan_is_delimiter(char c)
{
    switch (c) {
    case ',':
    case '}':
    case ']':
    case ' ':
    case '\n':
    case '\r':
    case '\t':
    case '"':
    case ':':
    case '{':
    case '[':
        return true;
    default:
        return false;
    }
}

/* Steps into an object; false (and nothing done) when the value is another one. */
static inline bool
dw__scan_enter(dw_scanner *scanner)
{
    dw__scan_space(scanner);
    if (scanner->at >= scanner->end || *scanner->at != '{') {
        return false;
    }
    scanner->at++;
    return true;
}

/* Steps to the value of the next member. `key_out` is what stands between the quotes, escapes and
 * all. False at the end of the object, which is stepped over, and on failure. `is_first` is true
 * right after dw__scan_enter. */
static inline bool
dw__scan_member(dw_scanner *scanner, bool is_first, dw_str *key_out)
{
    dw__scan_space(scanner);
    if (scanner->at < scanner->end && *scanner->at == '}') {
        scanner->at++;
        return false;
    }
    if (!is_first) {
        if (scanner->at >= scanner->end || *scanner->at != ',') {
            return dw__scan_fail(scanner);
        }
        scanner->at++;
        dw__scan_space(scanner);
    }
    if (scanner->at >= scanner->end || *scanner->at != '"') {
        return dw__scan_fail(scanner);
    }
    const char *start = scanner->at + 1;
    if (!dw__scan_string(scanner)) {
        return false;
    }
    *key_out = dw__str_make(start, (size_t) (scanner->at - 1 - start));
    dw__scan_space(scanner);
    if (scanner->at >= scanner->end || *scanner->at != ':') {
        return dw__scan_fail(scanner);
    }
    scanner->at++;
    return true;
}

/*
 * Steps over one value and returns its text; strings with their quotes. The null string on failure.
 */
static inline dw_str
dw__scan_value(dw_scanner *scanner)
{
    dw__scan_space(scanner);
    const char *start = scanner->at;
    if (start >= scanner->end) {
        (void) dw__scan_fail(scanner);
        return DW_STR_NULL;
    }
    if (*start == '"') {
        (void) dw__scan_string(scanner);
    } else if (*start == '{' || *start == '[') {
        scanner->at++;
        (void) dw__scan_rest(scanner, 1);
    } else {
        const char *at = start;
        while (at < scanner->end && !dw__scan_is_delimiter(*at)) {
            at++;
        }
        scanner->at = at;
        if (at == start) {
            (void) dw__scan_fail(scanner);
        }
    }
    return scanner->failed ? DW_STR_NULL : dw__str_make(start, (size_t) (scanner->at - start));
}

/* True if only white space is left. */
static inline bool
dw__scan_is_at_end(dw_scanner *scanner)
{
    dw__scan_space(scanner);
    return !scanner->failed && scanner->at == scanner->end;
}

/* True if the raw text of a string (without its quotes) stands for `wanted`. */
static inline bool
dw__scan_key_equal(dw_str raw, dw_str wanted)
{
    if (raw.len == wanted.len) {
        return raw.len == 0 || (raw.ptr[0] == wanted.ptr[0] && raw.ptr[0] != '\\' &&
                                memcmp(raw.ptr, wanted.ptr, raw.len) == 0 &&
                                memchr(raw.ptr, '\\', raw.len) == NULL);
    }
    return raw.len > wanted.len && dw__scan_escaped_key_equal(raw, wanted);
}

#endif
