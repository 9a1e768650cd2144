/*
 * Comparing values of any kind.
 */
#include "protocol/value.h"

#include "base/assert.h"

#include <math.h>

static int
order_of(bool less, bool greater)
{
    return less ? -1 : (greater ? 1 : 0);
}

static int
compare_doubles(double a, double b)
{
    bool a_nan = isnan(a);
    bool b_nan = isnan(b);
    if (a_nan || b_nan) {
        return order_of(!a_nan, !b_nan);
    }
    return order_of(a<b, a> b);
}

static dw_i128
power_of_ten(unsigned exponent)
{
    dw_i128 power = 1;
    for (unsigned i = 0; i < exponent; i++) {
        power *= 10;
    }
    return power;
}

/* An integer as a decimal of scale 0, or the decimal itself. */
static dw_i128
unscaled(const dw_value *value, unsigned *scale_out)
{
    *scale_out = value->kind == DW_VALUE_DECIMAL ? value->scale : 0;
    return value->kind == DW_VALUE_DECIMAL ? value->as.i128 : (dw_i128) value->as.i64;
}

/* Whole parts first, then fractions at the larger scale, so that nothing can overflow. */
static int
compare_exact(const dw_value *a, const dw_value *b)
{
    unsigned scale_a;
    unsigned scale_b;
    dw_i128 x = unscaled(a, &scale_a);
    dw_i128 y = unscaled(b, &scale_b);
    dw_assert(scale_a <= DW_DECIMAL_PRECISION_MAX && scale_b <= DW_DECIMAL_PRECISION_MAX);
    if (scale_a != scale_b) {
        dw_i128 unit_a = power_of_ten(scale_a);
        dw_i128 unit_b = power_of_ten(scale_b);
        if (x / unit_a != y / unit_b) {
            x /= unit_a;
            y /= unit_b;
        } else {
            unsigned scale = scale_a > scale_b ? scale_a : scale_b;
            x = x % unit_a * power_of_ten(scale - scale_a);
            y = y % unit_b * power_of_ten(scale - scale_b);
        }
    }
    return order_of(x<y, x> y);
}

static bool
decimal_to_double(dw_i128 value, uint8_t scale, double *out)
{
    if (scale == 0 && value >= INT64_MIN && value <= INT64_MAX) {
        *out = (double) (int64_t) value;
        return true;
    }
    char memory[DW_DECIMAL_TEXT_SIZE];
    dw_str text = dw__decimal_text(value, scale, memory);
    return dw__str_to_double(text, out);
}

bool
dw__value_to_double(const dw_value *value, double *out)
{
    *out = 0;
    switch (value->kind) {
    case DW_VALUE_I64:
        *out = (double) value->as.i64;
        return true;
    case DW_VALUE_DOUBLE:
        *out = value->as.f64;
        return true;
    case DW_VALUE_DECIMAL:
        return decimal_to_double(value->as.i128, value->scale, out);
    case DW_VALUE_NULL:
    case DW_VALUE_BOOL:
    case DW_VALUE_STR:
        return false;
    }
    dw_unreachable("every kind is listed");
}

static bool
is_exact_number(const dw_value *value)
{
    return value->kind == DW_VALUE_I64 || value->kind == DW_VALUE_DECIMAL;
}

int
dw__value_compare(const dw_value *a, const dw_value *b, bool *comparable_out)
{
    dw_assert(a->kind != DW_VALUE_NULL);
    dw_assert(b->kind != DW_VALUE_NULL);
    *comparable_out = true;
    if (a->kind == DW_VALUE_STR && b->kind == DW_VALUE_STR) {
        return dw__str_compare(a->as.str, b->as.str);
    }
    if (a->kind == DW_VALUE_BOOL && b->kind == DW_VALUE_BOOL) {
        return order_of(a->as.i64<b->as.i64, a->as.i64> b->as.i64);
    }
    if (is_exact_number(a) && is_exact_number(b)) {
        return compare_exact(a, b);
    }
    double x;
    double y;
    *comparable_out = dw__value_to_double(a, &x) && dw__value_to_double(b, &y);
    return *comparable_out ? compare_doubles(x, y) : 0;
}
