/*
 * Reading bounds. [STATS-1] [STATS-2]
 */
#include "protocol/stats_bound.h"

#include "base/assert.h"
#include "base/checked.h"
#include "codec/json.h"
#include "codec/number.h"
#include "protocol/stats_scan.h"

#include <math.h>

/* The digits, scale included, that survive a way through a double. */
#define DOUBLE_DIGITS 15
/* A double's neighbours are at most this part of it away: 2^-52. */
#define DOUBLE_STEP_SHIFT 52
#define US_PER_MS 1000
/* "2024-01-01T00:00:00": text that stops earlier was cut further than to milliseconds. */
#define SECONDS_TEXT_LEN ((size_t) 19)

static bool
is_string(dw_str token)
{
    return token.len >= 2 && token.ptr[0] == '"';
}

/* What stands between the quotes. */
static dw_str
inside(dw_str token)
{
    return dw__str_slice(token, 1, token.len - 2);
}

static bool
read_integer(dw_str token, int64_t min, int64_t max, dw_value *out)
{
    out->kind = DW_VALUE_I64;
    return dw__json_number_to_i64(token, &out->as.i64) && out->as.i64 >= min && out->as.i64 <= max;
}

/* A token that may be a JSON number: strtod alone would take more. */
static bool
is_number(dw_str token)
{
    return token.len > 0 && (token.ptr[0] == '-' || (token.ptr[0] >= '0' && token.ptr[0] <= '9')) &&
           memchr(token.ptr, 'x', token.len) == NULL && token.ptr[token.len - 1] != 'f' &&
           token.ptr[token.len - 1] != 'y' && token.ptr[token.len - 1] != 'n';
}

static bool
read_float(dw_str token, dw_value *out)
{
    float value;
    out->kind = DW_VALUE_DOUBLE;
    if (!is_number(token) || !dw__str_to_float(token, &value)) {
        return false;
    }
    out->as.f64 = (double) value;
    return isfinite(out->as.f64);
}

/* A double column may have been a float column when the file was written: then the text is the
 * shortest of a float, and the value behind it lies on the float, up to a float's half step
 * away. */
static bool
read_double(dw_str token, bool is_max, dw_value *out)
{
    float single;
    double value;
    out->kind = DW_VALUE_DOUBLE;
    if (!is_number(token) || !dw__str_to_double(token, &value) || !isfinite(value) ||
        !dw__str_to_float(token, &single)) {
        return false;
    }
    double other = (double) single;
    bool wider = isfinite(other) && (is_max ? other > value : other < value);
    out->as.f64 = wider ? other : value;
    return true;
}

/* ---- Decimals -------------------------------------------------------------------------------- */

/* Appends decimal digits; false beyond 38 digits. */
static bool
push_digit(dw_i128 *value, int digit)
{
    const dw_i128 limit = (dw_i128) 1000000000000000000 * 1000000000000000000 * 10;
    if (*value >= limit) {
        return false;
    }
    *value = *value * 10 + digit;
    return true;
}

/* The number at that scale: its digits before the cut, and whether digits were cut. */
static bool
scale_number(const dw_number *number, uint8_t scale, dw_i128 *out, bool *cut_out)
{
    *out = 0;
    int64_t digits = number->point + scale;
    *cut_out = digits < (int64_t) number->digit_count;
    if (digits > DW_DECIMAL_PRECISION_MAX) {
        return false;
    }
    for (int64_t i = 0; i < digits; i++) {
        int digit = i < (int64_t) number->digit_count ? number->digits[i] - '0' : 0;
        if (!push_digit(out, digit)) {
            return false;
        }
    }
    return true;
}

static bool
read_decimal(const dw_type *type, dw_str token, bool is_max, bool *exact_out, dw_value *out)
{
    dw_str text = is_string(token) ? inside(token) : token;
    dw_number number;
    dw_i128 value;
    bool cut;
    if (!dw__number_parse(text, &number) || !scale_number(&number, type->scale, &value, &cut)) {
        return false;
    }
    dw_i128 slack = cut ? 1 : 0;
    if (number.point + type->scale > DOUBLE_DIGITS) {
        slack += (value >> DOUBLE_STEP_SHIFT) + 1;
    }
    value = number.is_negative ? -value : value;
    *exact_out = slack == 0;
    out->kind = DW_VALUE_DECIMAL;
    out->scale = type->scale;
    out->as.i128 = is_max ? value + slack : value - slack;
    return true;
}

/* ---- Times and strings ----------------------------------------------------------------------- */

/* Offsets of local times have seconds, also after 1900, which writers leave out. */
#define OFFSET_SECONDS_END INT64_C(94694400000000) /* 1973-01-01 */
#define OFFSET_SLACK INT64_C(59999999)

static bool
read_timestamp(dw_str token, bool is_max, bool is_instant, dw_value *out)
{
    dw_str text = is_string(token) ? inside(token) : DW_STR("");
    out->kind = DW_VALUE_I64;
    if (text.len < SECONDS_TEXT_LEN) {
        return false;
    }
    /* Without its zone an instant is not known; a wall-clock time may be marked as UTC. */
    bool zoned = !dw__timestamp_parse(text, false, &out->as.i64);
    bool marked = dw__str_ends_with(text, DW_STR("Z"));
    if (zoned ? !(is_instant || marked) || !dw__timestamp_parse(text, true, &out->as.i64)
              : is_instant) {
        return false;
    }
    if (zoned && !marked && out->as.i64 < OFFSET_SECONDS_END) {
        return dw__checked_add_i64(out->as.i64, is_max ? OFFSET_SLACK : -OFFSET_SLACK,
                                   &out->as.i64);
    }
    return !is_max || dw__checked_add_i64(out->as.i64, US_PER_MS - 1, &out->as.i64);
}

static bool
read_date(dw_str token, dw_value *out)
{
    out->kind = DW_VALUE_I64;
    return is_string(token) && dw__date_parse(inside(token), &out->as.i64);
}

static bool
read_bool(dw_str token, dw_value *out)
{
    out->kind = DW_VALUE_BOOL;
    out->as.i64 = dw__str_equal(token, DW_STR("true")) ? 1 : 0;
    return out->as.i64 == 1 || dw__str_equal(token, DW_STR("false"));
}

/* Returns false only when out of memory. */
static bool
read_string(dw_str token, dw_arena *arena, bool *found_out, dw_value *out)
{
    *found_out = is_string(token);
    if (!*found_out) {
        return true;
    }
    dw_str raw = inside(token);
    char *bytes = dw__arena_alloc_bytes(arena, raw.len);
    if (bytes == NULL) {
        return false;
    }
    size_t len = raw.len;
    if (dw__str_find(raw, '\\') == SIZE_MAX) {
        memcpy(bytes, raw.ptr, raw.len);
    } else {
        *found_out = dw__scan_unescape(raw, bytes, &len);
    }
    out->kind = DW_VALUE_STR;
    out->as.str = dw__str_make(bytes, len);
    return true;
}

bool
dw__stats_bound_read(const dw_type *type, dw_str token, bool is_max, dw_arena *arena,
                     bool *found_out, bool *exact_out, dw_value *out)
{
    *out = (dw_value){.kind = DW_VALUE_NULL};
    *found_out = false;
    *exact_out = true;
    switch (type->kind) {
    case DW_TYPE_LONG:
        *found_out = read_integer(token, INT64_MIN, INT64_MAX, out);
        return true;
    case DW_TYPE_INTEGER:
        *found_out = read_integer(token, INT32_MIN, INT32_MAX, out);
        return true;
    case DW_TYPE_SHORT:
        *found_out = read_integer(token, INT16_MIN, INT16_MAX, out);
        return true;
    case DW_TYPE_BYTE:
        *found_out = read_integer(token, INT8_MIN, INT8_MAX, out);
        return true;
    case DW_TYPE_DECIMAL:
        *found_out = read_decimal(type, token, is_max, exact_out, out);
        return true;
    case DW_TYPE_DATE:
        *found_out = read_date(token, out);
        return true;
    case DW_TYPE_BOOLEAN:
        *found_out = read_bool(token, out);
        return true;
    case DW_TYPE_FLOAT:
    case DW_TYPE_DOUBLE:
        *exact_out = false;
        *found_out =
            type->kind == DW_TYPE_FLOAT ? read_float(token, out) : read_double(token, is_max, out);
        return true;
    case DW_TYPE_TIMESTAMP:
    case DW_TYPE_TIMESTAMP_NTZ:
        *exact_out = false;
        *found_out = read_timestamp(token, is_max, type->kind == DW_TYPE_TIMESTAMP, out);
        return true;
    case DW_TYPE_STRING:
        *exact_out = false;
        return read_string(token, arena, found_out, out);
    case DW_TYPE_BINARY:
    case DW_TYPE_VARIANT:
    case DW_TYPE_VOID:
    case DW_TYPE_STRUCT:
    case DW_TYPE_ARRAY:
    case DW_TYPE_MAP:
        return true;
    }
    dw_unreachable("every kind is listed");
}
