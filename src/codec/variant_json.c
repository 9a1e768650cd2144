/*
 * From JSON to variants.
 */
#include "base/assert.h"
#include "base/vec.h"
#include "codec/variant_write.h"

__extension__ typedef unsigned __int128 u128;

#define DECIMAL_DIGITS_MAX 38

/* ---- Names ----------------------------------------------------------------------------------- */

/* Recursion here and below is at most DW_JSON_DEPTH_MAX deep. */
static dw_status
collect_names(dw_variant_writer *writer, dw_json value, dw_error *err)
{
    dw_json_iter it = dw__json_iter(value);
    while (dw__json_next(&it)) {
        if (it.is_object) {
            uint32_t id = (uint32_t) writer->names.count;
            dw_variant_name *name = DW_VEC_PUSH(writer->value.allocator, &writer->names);
            if (name == NULL) {
                return dw__error_oom(err);
            }
            *name = (dw_variant_name){it.key, id};
        }
        DW_TRY(collect_names(writer, it.value, err));
    }
    return DW_OK;
}

static uint32_t
find_name(const dw_variant_writer *writer, dw_str key)
{
    size_t first = 0, end = writer->names.count;
    while (end - first > 1) {
        size_t middle = first + (end - first) / 2;
        if (dw__str_compare(writer->names.items[middle].text, key) <= 0) {
            first = middle;
        } else {
            end = middle;
        }
    }
    dw_assert(dw__str_equal(writer->names.items[first].text, key));
    return (uint32_t) first;
}

/* ---- Single values --------------------------------------------------------------------------- */

static void
put_head(dw_variant_writer *writer, unsigned primitive)
{
    dw__variant_put_number(&writer->value, primitive << 2 | BASIC_PRIMITIVE, 1);
}

static void
put_text(dw_variant_writer *writer, dw_str text)
{
    if (text.len < 64) {
        dw__variant_put_number(&writer->value, text.len << 2 | BASIC_SHORT_TEXT, 1);
    } else {
        put_head(writer, PRIMITIVE_TEXT);
        dw__variant_put_number(&writer->value, text.len, sizeof(uint32_t));
    }
    dw__strbuf_append(&writer->value, text);
}

static void
put_integer(dw_variant_writer *writer, int64_t value)
{
    unsigned type = value >= INT8_MIN && value <= INT8_MAX     ? PRIMITIVE_INT_8
                    : value >= INT16_MIN && value <= INT16_MAX ? PRIMITIVE_INT_16
                    : value >= INT32_MIN && value <= INT32_MAX ? PRIMITIVE_INT_32
                                                               : PRIMITIVE_INT_64;
    put_head(writer, type);
    dw__variant_put_number(&writer->value, (size_t) value, (size_t) 1 << (type - PRIMITIVE_INT_8));
}

/* The digits of a number without an exponent, and how many of them are behind the point; false when
 * they are too many for a decimal. */
static bool
read_decimal(dw_str number, u128 *unscaled_out, unsigned *digits_out, unsigned *scale_out)
{
    bool has_point = false;
    *unscaled_out = 0;
    *digits_out = 0;
    *scale_out = 0;
    for (size_t i = 0; i < number.len; i++) {
        char c = number.ptr[i];
        if (c == '.') {
            has_point = true;
        } else if (c >= '0' && c <= '9') {
            *scale_out += has_point;
            *digits_out += *digits_out > 0 || c != '0';
            if (*digits_out > DECIMAL_DIGITS_MAX || *scale_out > DECIMAL_DIGITS_MAX) {
                return false;
            }
            *unscaled_out = *unscaled_out * 10 + (unsigned) (c - '0');
        } else if (c != '-' || i > 0) {
            return false;
        }
    }
    return true;
}

static void
put_decimal(dw_variant_writer *writer, u128 unscaled, unsigned digits, unsigned scale)
{
    unsigned most = digits > scale ? digits : scale;
    unsigned type = most <= 9    ? PRIMITIVE_DECIMAL_4
                    : most <= 18 ? PRIMITIVE_DECIMAL_8
                                 : PRIMITIVE_DECIMAL_16;
    put_head(writer, type);
    dw__variant_put_number(&writer->value, scale, 1);
    size_t low = (size_t) (unscaled & UINT64_MAX), high = (size_t) (unscaled >> 64);
    dw__variant_put_number(&writer->value, low, type == PRIMITIVE_DECIMAL_4 ? 4 : 8);
    dw__variant_put_number(&writer->value, high, type == PRIMITIVE_DECIMAL_16 ? 8 : 0);
}

static dw_status
put_real(dw_variant_writer *writer, dw_str number, dw_error *err)
{
    double value;
    uint64_t bits;
    if (!dw__str_to_double(number, &value) || value - value != 0) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "JSON_INVALID",
                             "expected a number within the range of double, found %.*s",
                             DW_STR_ARG(dw__str_slice(number, 0, 100)));
    }
    memcpy(&bits, &value, sizeof(bits));
    put_head(writer, PRIMITIVE_DOUBLE);
    dw__variant_put_number(&writer->value, bits, sizeof(bits));
    return DW_OK;
}

static dw_status
put_numeral(dw_variant_writer *writer, dw_str number, dw_error *err)
{
    int64_t integer;
    u128 unscaled;
    unsigned digits, scale;
    if (dw__str_to_i64(number, &integer)) {
        put_integer(writer, integer);
    } else if (read_decimal(number, &unscaled, &digits, &scale)) {
        put_decimal(writer, number.ptr[0] == '-' ? -unscaled : unscaled, digits, scale);
    } else {
        return put_real(writer, number, err);
    }
    return DW_OK;
}

/* ---- Values ---------------------------------------------------------------------------------- */

static dw_status put_value(dw_variant_writer *writer, dw_json value, dw_error *err);

static dw_status
put_group(dw_variant_writer *writer, dw_json value, dw_error *err)
{
    size_t first = writer->fields.count;
    size_t start = writer->value.len;
    bool is_object = dw__json_kind(value) == DW_JSON_OBJECT;
    size_t count = 0;
    dw_json_iter it = dw__json_iter(value);
    while (dw__json_next(&it)) {
        dw_variant_field *field = DW_VEC_PUSH(writer->value.allocator, &writer->fields);
        if (field == NULL) {
            return dw__error_oom(err);
        }
        *field = (dw_variant_field){is_object ? find_name(writer, it.key) : (uint32_t) count,
                                    (uint32_t) (writer->value.len - start), false};
        DW_TRY(put_value(writer, it.value, err));
        count++;
    }
    if (is_object) {
        DW_TRY(dw__variant_sort_fields(writer, first, err));
    }
    return dw__variant_end_group(writer, first, start, is_object, err);
}

static dw_status
put_value(dw_variant_writer *writer, dw_json value, dw_error *err)
{
    switch (dw__json_kind(value)) {
    case DW_JSON_BOOL:
        put_head(writer, dw__json_bool(value, false) ? PRIMITIVE_TRUE : PRIMITIVE_FALSE);
        break;
    case DW_JSON_NUMBER:
        DW_TRY(put_numeral(writer, dw__json_number(value), err));
        break;
    case DW_JSON_STRING:
        put_text(writer, dw__json_str(value));
        break;
    case DW_JSON_ARRAY:
    case DW_JSON_OBJECT:
        return put_group(writer, value, err);
    case DW_JSON_MISSING:
    case DW_JSON_NULL:
        put_head(writer, PRIMITIVE_NULL);
        break;
    }
    return dw__variant_check(&writer->value, err);
}

dw_status
dw__variant_write_json(dw_variant_writer *writer, dw_json_parser *parser, dw_str text,
                       dw_error *err)
{
    dw_json root;
    writer->names.count = 0;
    writer->fields.count = 0;
    dw__strbuf_clear(&writer->value);
    dw_status status = dw__json_parser_parse(parser, text, "the text", &root, err);
    if (status == DW_CORRUPT && err != NULL) {
        err->status = DW_INVALID_ARGUMENT; /* it is no file's, but a value of a statement */
    }
    DW_TRY(status == DW_CORRUPT ? DW_INVALID_ARGUMENT : status);
    DW_TRY(collect_names(writer, root, err));
    DW_TRY(dw__variant_sort_names(writer, err));
    DW_TRY(dw__variant_put_names(writer, err));
    return put_value(writer, root, err);
}
