/*
 * Decimals as 128-bit integers and as text.
 */
#include "base/assert.h"
#include "codec/number.h"
#include "protocol/value.h"

__extension__ typedef unsigned __int128 u128;

bool
dw__decimal_parse(dw_str text, uint8_t precision, uint8_t scale, dw_i128 *out)
{
    dw_assert(precision <= DW_DECIMAL_PRECISION_MAX);
    dw_assert(scale <= precision);
    *out = 0;
    dw_number number;
    if (!dw__number_parse(text, &number)) {
        return false;
    }
    if (number.digit_count == 0) {
        return true;
    }
    /* 0.digits x 10^point x 10^scale must be whole and have at most `precision` digits. */
    int64_t digits = number.point + scale;
    if (digits < (int64_t) number.digit_count || digits > precision) {
        return false;
    }
    dw_i128 value = 0;
    for (size_t i = 0; i < (size_t) digits; i++) {
        value = value * 10 + (i < number.digit_count ? number.digits[i] - '0' : 0);
    }
    *out = number.is_negative ? -value : value;
    return true;
}

dw_str
dw__decimal_text(dw_i128 unscaled, uint8_t scale, char memory[DW_DECIMAL_TEXT_SIZE])
{
    dw_assert(scale <= DW_DECIMAL_PRECISION_MAX);
    u128 left = unscaled < 0 ? (u128) 0 - (u128) unscaled : (u128) unscaled;
    size_t start = DW_DECIMAL_TEXT_SIZE;
    for (size_t digit = 0; digit <= scale || left > 0; digit++) {
        if (digit == scale && scale > 0) {
            memory[--start] = '.';
        }
        memory[--start] = (char) ('0' + (int) (left % 10));
        left /= 10;
    }
    if (unscaled < 0) {
        memory[--start] = '-';
    }
    return dw__str_make(memory + start, DW_DECIMAL_TEXT_SIZE - start);
}

void
dw__decimal_print(dw_strbuf *out, dw_i128 unscaled, uint8_t scale)
{
    char memory[DW_DECIMAL_TEXT_SIZE];
    dw__strbuf_append(out, dw__decimal_text(unscaled, scale, memory));
}
