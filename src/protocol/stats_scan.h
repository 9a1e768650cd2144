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
    bool has_escapes;     /* the string that was stepped over last */
    bool key_has_escapes; /* the key of the member that was stepped to */
} dw_scanner;

static inline dw_scanner
dw__scanner_make(dw_str json)
{
    dw_str text = json.len == 0 ? DW_STR("") : json;
    return (dw_scanner){.at = text.ptr, .end = text.ptr + text.len};
}

/* True if the raw text of a string (without its quotes) stands for `wanted`, by its escapes. */
bool dw__scan_escaped_key_equal(dw_str raw, dw_str wanted);
/* Unescapes raw text into `to`, which has room for raw.len bytes; false for a bad escape. The
 * result is not checked to be UTF-8. */
bool dw__scan_unescape(dw_str raw, char *to, size_t *len_out);

/* ---- Eight bytes at a time ------------------------------------------------------------------- */

#define DW_SCAN_EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/* The first byte is the lowest, on machines of either byte order. */
static inline uint64_t
dw__scan_load(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
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

/* The index of the first byte that a mask of high bits marks. */
static inline size_t
dw__scan_first_byte(uint64_t mask)
{
    return (size_t) __builtin_ctzll(mask) / 8;
}

/* From the high bits of quotes those of what they enclose: a byte is marked when the number of
 * quotes up to it is odd. */
static inline uint64_t
dw__scan_enclosed(uint64_t quotes)
{
    quotes ^= quotes << 8;
    quotes ^= quotes << 16;
    return quotes ^ quotes << 32;
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
    s->has_escapes = false;
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
        s->has_escapes = true;
        at += 2;
    }
}

/* All brackets have these bits, and so have some letters. */
#define DW_SCAN_BRACKET_MASK 0xd9
#define DW_SCAN_BRACKET_BITS 0x59

/* Counts a byte that may be a bracket; true when the last one that was open is closed. */
static inline bool
dw__scan_count(char c, size_t *depth)
{
    if (c == '{' || c == '[') {
        ++*depth;
    }
    return (c == '}' || c == ']') && --*depth == 0;
}

/* The same for the brackets of a word; NULL: something is still open behind it. */
static inline const char *
dw__scan_count_word(const char *at, uint64_t brackets, size_t *depth)
{
    for (; brackets != 0; brackets &= brackets - 1) {
        const char *bracket = at + dw__scan_first_byte(brackets);
        if (dw__scan_count(*bracket, depth)) {
            return bracket;
        }
    }
    return NULL;
}

/* As dw__scan_rest, for as long as whole words without escapes follow. False: it is not done, and
 * goes on at `at`, which is outside of strings. */
static inline bool
dw__scan_rest_of_words(dw_scanner *s, size_t *depth)
{
    size_t open = *depth;
    uint64_t inside = 0; /* a string: all bits, or none */
    for (const char *at = s->at; s->end - at >= 8; at += 8) {
        uint64_t word = dw__scan_load(at);
        if (dw__scan_bytes_equal(word, '\\') != 0) {
            return false;
        }
        uint64_t enclosed = dw__scan_enclosed(dw__scan_bytes_equal(word, '"')) ^ inside;
        uint64_t brackets = dw__scan_bytes_equal(word & DW_SCAN_EACH_BYTE(DW_SCAN_BRACKET_MASK),
                                                 DW_SCAN_BRACKET_BITS) &
                            ~enclosed;
        const char *last = dw__scan_count_word(at, brackets, &open);
        if (last != NULL) {
            s->at = last + 1;
            return true;
        }
        inside = (enclosed >> 63) != 0 ? UINT64_MAX : 0;
        if (inside == 0) {
            s->at = at + 8;
            *depth = open;
        }
    }
    return false;
}

/* Steps out of `depth` objects and arrays that are open, by counting brackets. */
static inline bool
dw__scan_rest(dw_scanner *s, size_t depth)
{
    if (dw__scan_rest_of_words(s, &depth)) {
        return true;
    }
    while (s->at < s->end) {
        if (*s->at == '"') {
            if (!dw__scan_string(s)) {
                return false;
            }
        } else if (dw__scan_count(*s->at++, &depth)) {
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
    scanner->key_has_escapes = scanner->has_escapes;
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

/* True if the key of the last member, as it stands there, stands for `wanted`. */
static inline bool
dw__scan_key_equal(const dw_scanner *scanner, dw_str raw, dw_str wanted)
{
    if (scanner->key_has_escapes) {
        return raw.len > wanted.len && dw__scan_escaped_key_equal(raw, wanted);
    }
    return raw.len == wanted.len && (raw.len == 0 || (raw.ptr[0] == wanted.ptr[0] &&
                                                      memcmp(raw.ptr, wanted.ptr, raw.len) == 0));
}

#endif
