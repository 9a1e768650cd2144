/*
 * Taking decimal text apart.
 */
#include "codec/number.h"

#include "base/assert.h"

/* The digits of INT64_MAX. */
#define I64_DIGITS_MAX 19

/* Reads digits and one point from `*at` on; false when there is no digit or there are too many that
 * count. */
static bool
take_digits(dw_str text, size_t *at, dw_number *number)
{
    size_t zeros = 0; /* held back: they count only if another digit follows */
    bool in_fraction = false;
    bool any = false;
    for (; *at < text.len; (*at)++) {
        char c = text.ptr[*at];
        if (c == '.' && !in_fraction) {
            in_fraction = true;
            continue;
        }
        if (c < '0' || c > '9') {
            break;
        }
        any = true;
        bool leading = number->digit_count == 0 && c == '0';
        if (in_fraction) {
            number->point -= leading ? 1 : 0;
        } else {
            number->point += leading ? 0 : 1;
        }
        if (c == '0') {
            zeros += leading ? 0 : 1;
            continue;
        }
        if (zeros + 1 > DW_NUMBER_DIGITS_MAX - number->digit_count) {
            return false;
        }
        memset(number->digits + number->digit_count, '0', zeros);
        number->digit_count += zeros;
        zeros = 0;
        number->digits[number->digit_count++] = c;
    }
    return any;
}

static bool
take_exponent(dw_str text, size_t at, int64_t *out)
{
    *out = 0;
    if (at == text.len) {
        return true;
    }
    if (text.ptr[at] != 'e' && text.ptr[at] != 'E') {
        return false;
    }
    at++;
    if (at < text.len && text.ptr[at] == '+') {
        at++;
        if (at < text.len && text.ptr[at] == '-') {
            return false;
        }
    }
    return dw__str_to_i64(dw__str_slice(text, at, text.len), out) &&
           *out <= DW_NUMBER_EXPONENT_MAX && *out >= -DW_NUMBER_EXPONENT_MAX;
}

bool
dw__number_parse(dw_str text, dw_number *out)
{
    *out = (dw_number){.digit_count = 0};
    size_t at = 0;
    if (text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+')) {
        out->is_negative = text.ptr[0] == '-';
        at = 1;
    }
    int64_t exponent;
    if (!take_digits(text, &at, out) || !take_exponent(text, at, &exponent)) {
        return false;
    }
    out->point = out->digit_count == 0 ? 0 : out->point + exponent;
    return true;
}

bool
dw__number_to_i64(const dw_number *number, int64_t *out)
{
    *out = 0;
    if (number->digit_count == 0) {
        return true;
    }
    if (number->point < (int64_t) number->digit_count || number->point > I64_DIGITS_MAX) {
        return false;
    }
    char text[I64_DIGITS_MAX + 1] = {'-'};
    memset(text + 1, '0', I64_DIGITS_MAX);
    memcpy(text + 1, number->digits, number->digit_count);
    size_t start = number->is_negative ? 0 : 1;
    return dw__str_to_i64(dw__str_make(text + start, (size_t) number->point + 1 - start), out);
}
