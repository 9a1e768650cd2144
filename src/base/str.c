/*
 * Comparing, cutting and reading borrowed strings.
 */
#include "base/str.h"

#include "base/assert.h"

#include <locale.h>
#include <stdlib.h>

/* The longest text that can be a number: DBL_MAX written out has 309 digits. */
#define NUMBER_CHARS_MAX 400

bool
dw__str_equal(dw_str a, dw_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static char
ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
}

bool
dw__str_among(const dw_str *names, size_t count, dw_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (dw__str_equal(names[i], name)) {
            return true;
        }
    }
    return false;
}

bool
dw__str_lists_equal(const dw_str *a, size_t a_count, const dw_str *b, size_t b_count)
{
    for (size_t i = 0; i < a_count && i < b_count; i++) {
        if (!dw__str_equal(a[i], b[i])) {
            return false;
        }
    }
    return a_count == b_count;
}

bool
dw__str_equal_nocase(dw_str a, dw_str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The rows of Wagner and Fischer's table, one upon the other. */
size_t
dw__str_distance(dw_str a, dw_str b)
{
    size_t row[DW_STR_DISTANCE_MAX + 1];
    dw_assert(b.len <= DW_STR_DISTANCE_MAX);
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j];
            size_t changed = ascii_lower(a.ptr[i - 1]) == ascii_lower(b.ptr[j - 1]) ? 0 : 1;
            row[j] = least(diagonal + changed, least(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[b.len];
}

int
dw__str_compare(dw_str a, dw_str b)
{
    size_t common = least(a.len, b.len);
    int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
    if (order != 0) {
        return order;
    }
    return a.len == b.len ? 0 : (a.len < b.len ? -1 : 1);
}

bool
dw__str_starts_with(dw_str s, dw_str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool
dw__str_ends_with(dw_str s, dw_str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

dw_str
dw__str_slice(dw_str s, size_t start, size_t len)
{
    if (start >= s.len) {
        return (dw_str){s.ptr == NULL ? NULL : s.ptr + s.len, 0};
    }
    size_t left = s.len - start;
    return (dw_str){s.ptr + start, len < left ? len : left};
}

size_t
dw__str_find(dw_str s, char c)
{
    const char *hit = s.len == 0 ? NULL : memchr(s.ptr, c, s.len);
    return hit == NULL ? SIZE_MAX : (size_t) (hit - s.ptr);
}

size_t
dw__str_find_last(dw_str s, char c)
{
    for (size_t i = s.len; i > 0; i--) {
        if (s.ptr[i - 1] == c) {
            return i - 1;
        }
    }
    return SIZE_MAX;
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

dw_str
dw__str_trim(dw_str s)
{
    while (s.len > 0 && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

bool
dw__str_to_u64(dw_str s, uint64_t *out)
{
    *out = 0;
    if (s.len == 0) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') {
            return false;
        }
        uint64_t digit = (uint64_t) (s.ptr[i] - '0');
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return false;
        }
    }
    *out = value;
    return true;
}

bool
dw__str_to_i64(dw_str s, int64_t *out)
{
    *out = 0;
    bool negative = s.len > 0 && s.ptr[0] == '-';
    uint64_t magnitude;
    if (!dw__str_to_u64(negative ? dw__str_slice(s, 1, s.len) : s, &magnitude)) {
        return false;
    }
    uint64_t limit = (uint64_t) INT64_MAX + (negative ? 1u : 0u);
    if (magnitude > limit) {
        return false;
    }
    *out = negative ? (int64_t) (0u - magnitude) : (int64_t) magnitude;
    return true;
}

/* A copy of the text with a NUL; false when it is too long to be a number. */
static bool
copy_number(dw_str s, char text[NUMBER_CHARS_MAX + 1])
{
    if (s.len == 0 || s.len > NUMBER_CHARS_MAX || is_space(s.ptr[0])) {
        return false;
    }
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return true;
}

/* The program around the library may have set a locale with another decimal point. The C locale's
 * object is static: making and releasing it costs nothing and cannot fail. */
static locale_t
c_locale(void)
{
    locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t) 0);
    dw_assert(locale != (locale_t) 0);
    return locale;
}

/* Numbers of few digits, which are most: an integer below 2^53 and a power of ten up to 10^22 are
 * exact doubles, so one multiplication or division rounds once. False: not of that shape. */
static bool
to_double_quickly(dw_str s, double *out)
{
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    bool negative = s.len > 0 && s.ptr[0] == '-';
    size_t at = negative ? 1 : 0;
    if (s.len - at == 0 || s.len - at > 16) {
        return false;
    }
    uint64_t digits = 0;
    size_t point = s.len;
    for (; at < s.len; at++) {
        if (s.ptr[at] == '.' && point == s.len) {
            point = at;
        } else if (s.ptr[at] >= '0' && s.ptr[at] <= '9') {
            digits = digits * 10 + (uint64_t) (s.ptr[at] - '0');
        } else {
            return false;
        }
    }
    size_t decimals = point == s.len ? 0 : s.len - point - 1;
    bool has_digits = s.len > (negative ? 1u : 0u) + (point == s.len ? 0u : 1u);
    if (digits > (uint64_t) 1 << 53 || decimals > 15 || !has_digits) {
        return false;
    }
    double value = (double) digits / powers[decimals];
    *out = negative ? -value : value;
    return true;
}

bool
dw__str_to_double(dw_str s, double *out)
{
    *out = 0;
    if (to_double_quickly(s, out)) {
        return true;
    }
    char text[NUMBER_CHARS_MAX + 1];
    if (!copy_number(s, text)) {
        return false;
    }
    locale_t locale = c_locale();
    char *end = NULL;
    double value = strtod_l(text, &end, locale);
    freelocale(locale);
    if (end != text + s.len) {
        return false;
    }
    *out = value;
    return true;
}

bool
dw__str_to_float(dw_str s, float *out)
{
    *out = 0;
    char text[NUMBER_CHARS_MAX + 1];
    if (!copy_number(s, text)) {
        return false;
    }
    locale_t locale = c_locale();
    char *end = NULL;
    float value = strtof_l(text, &end, locale);
    freelocale(locale);
    if (end != text + s.len) {
        return false;
    }
    *out = value;
    return true;
}

/* The number of bytes of the well-formed UTF-8 sequence at `s`, or 0. */
static size_t
utf8_sequence_len(const unsigned char *s, size_t left)
{
    unsigned char lead = s[0];
    if (lead < 0x80) {
        return 1;
    }
    size_t len = lead >= 0xf0 ? 4 : (lead >= 0xe0 ? 3 : 2);
    if (lead < 0xc2 || lead > 0xf4 || left < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (lead == 0xe0 && s[1] < 0xa0) || (lead == 0xf0 && s[1] < 0x90);
    bool surrogate = lead == 0xed && s[1] > 0x9f;
    bool beyond = lead == 0xf4 && s[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : len;
}

bool
dw__str_is_utf8(dw_str s)
{
    const unsigned char *bytes = (const unsigned char *) s.ptr;
    size_t i = 0;
    while (i < s.len) {
        uint64_t word;
        if (s.len - i >= sizeof(word)) {
            memcpy(&word, bytes + i, sizeof(word));
            if ((word & 0x8080808080808080u) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        size_t len = utf8_sequence_len(bytes + i, s.len - i);
        if (len == 0) {
            return false;
        }
        i += len;
    }
    return true;
}

static uint64_t
mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide) a * b;
    return (uint64_t) product ^ (uint64_t) (product >> 64);
}

uint64_t
dw__str_hash(dw_str s)
{
    const uint64_t k0 = 0x9e3779b97f4a7c15u;
    const uint64_t k1 = 0xd6e8feb86659fd93u;
    uint64_t hash = k0 ^ s.len;
    const char *ptr = s.ptr;
    size_t left = s.len;
    while (left >= 8) {
        uint64_t word;
        memcpy(&word, ptr, 8);
        hash = mix(hash ^ word, k1);
        ptr += 8;
        left -= 8;
    }
    uint64_t word = 0;
    if (left > 0) {
        memcpy(&word, ptr, left);
    }
    return mix(hash ^ word, k0);
}
