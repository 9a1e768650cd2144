/*
 * Decimal numbers as text, taken apart exactly: what integers and decimals are read through.
 */
#ifndef DW_CODEC_NUMBER_H
#define DW_CODEC_NUMBER_H

#include "base/str.h"

#define DW_NUMBER_DIGITS_MAX 38
/* Exponents beyond it make the text no number. */
#define DW_NUMBER_EXPONENT_MAX 100000

/* 0.digits x 10^point, without zeros at either end of the digits. Zero has no digits. */
typedef struct dw_number {
    bool is_negative;
    char digits[DW_NUMBER_DIGITS_MAX]; /* '0' .. '9' */
    size_t digit_count;
    int64_t point;
} dw_number;

/* "-12", "+0.50", "1e-3", ".5", "7.": false for other text, and when there are more significant
 * digits than DW_NUMBER_DIGITS_MAX. */
bool dw__number_parse(dw_str text, dw_number *out);
/* False when the number is no integer or does not fit. */
bool dw__number_to_i64(const dw_number *number, int64_t *out);

#endif
