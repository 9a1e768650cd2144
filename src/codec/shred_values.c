/*
 * From the bytes of variants to values of typed columns, and the names of the columns.
 */
#include "codec/shredding.h"

#include "base/assert.h"
#include "codec/variant_write.h"

#include <math.h>

/* ---- Numbers --------------------------------------------------------------------------------- */

/* The number of `width` bytes at `at`, which are there, with its sign. */
static dw_int128
signed_at(dw_str bytes, size_t at, size_t width)
{
    __extension__ typedef unsigned __int128 u128;
    u128 number = 0;
    dw_assert(at + width <= bytes.len && width > 0);
    for (size_t i = 0; i < width; i++) {
        number |= (u128) (uint8_t) bytes.ptr[at + i] << (8 * i);
    }
    unsigned spare = (unsigned) (128 - 8 * width);
    return (dw_int128) (number << spare) >> spare;
}

static dw_int128
power_of_ten(unsigned exponent)
{
    dw_int128 power = 1;
    while (exponent-- > 0) {
        power *= 10;
    }
    return power;
}

/*
 * Scaled up to the column's scale; false when it has too many digits, before or behind the point.
 */
static bool
rescale(dw_int128 unscaled, unsigned scale, const dw_shred_type *type, dw_int128 *out)
{
    if (scale > type->scale) {
        return false;
    }
    unsigned added = type->scale - scale;
    dw_int128 bound = power_of_ten(type->precision - added);
    if (unscaled <= -bound || unscaled >= bound) {
        return false;
    }
    *out = unscaled * power_of_ten(added);
    return true;
}

static unsigned
primitive_of(dw_str value)
{
    unsigned head = value.len == 0 ? BASIC_OBJECT : (uint8_t) value.ptr[0];
    return (head & 3) == BASIC_PRIMITIVE ? head >> 2 : UINT8_MAX;
}

/* The bytes behind the head of an integer; 0: it is none. */
static size_t
integer_width(dw_str value)
{
    unsigned type = primitive_of(value);
    bool is_integer = type >= PRIMITIVE_INT_8 && type <= PRIMITIVE_INT_64;
    size_t width = is_integer ? (size_t) 1 << (type - PRIMITIVE_INT_8) : 0;
    return value.len == 1 + width ? width : 0;
}

static bool
read_long(dw_str value, int64_t *out)
{
    size_t width = integer_width(value);
    *out = width > 0 ? (int64_t) signed_at(value, 1, width) : 0;
    return width > 0;
}

bool
dw__shred_decimal(dw_str value, dw_int128 *unscaled_out, unsigned *scale_out)
{
    unsigned type = primitive_of(value);
    if (type < PRIMITIVE_DECIMAL_4 || type > PRIMITIVE_DECIMAL_16) {
        return false;
    }
    size_t width = (size_t) 4 << (type - PRIMITIVE_DECIMAL_4);
    if (value.len != 2 + width || (uint8_t) value.ptr[1] > DW_SHRED_DIGITS_MAX) {
        return false;
    }
    *scale_out = (uint8_t) value.ptr[1];
    *unscaled_out = signed_at(value, 2, width);
    return true;
}

static bool
read_decimal(const dw_shred_type *type, dw_str value, dw_int128 *out)
{
    dw_int128 unscaled;
    unsigned scale;
    int64_t number;
    if (read_long(value, &number)) {
        return rescale(number, 0, type, out);
    }
    return dw__shred_decimal(value, &unscaled, &scale) && rescale(unscaled, scale, type, out);
}

/* ---- Others ---------------------------------------------------------------------------------- */

/* A number of that type, which has so many bytes. */
static bool
read_fixed(dw_str value, unsigned type, size_t width, int64_t *out)
{
    bool is_right = primitive_of(value) == type && value.len == 1 + width;
    *out = is_right ? (int64_t) signed_at(value, 1, width) : 0;
    return is_right;
}

/* Columns have no zero with a sign. */
static bool
read_real(dw_str value, float *out)
{
    int64_t bits;
    if (!read_fixed(value, PRIMITIVE_FLOAT, sizeof(float), &bits)) {
        return false;
    }
    uint32_t low = (uint32_t) bits;
    memcpy(out, &low, sizeof(*out));
    return fpclassify(*out) != FP_ZERO || !signbit(*out);
}

static bool
read_wide_real(dw_str value, double *out)
{
    int64_t bits;
    if (!read_fixed(value, PRIMITIVE_DOUBLE, sizeof(double), &bits)) {
        return false;
    }
    memcpy(out, &bits, sizeof(*out));
    return fpclassify(*out) != FP_ZERO || !signbit(*out);
}

/* Behind a length of four bytes. */
static bool
read_long_bytes(dw_str value, unsigned type, dw_str *out)
{
    enum { HEAD_BYTES = 5 };
    if (primitive_of(value) != type || value.len < HEAD_BYTES) {
        return false;
    }
    *out = dw__str_make(value.ptr + HEAD_BYTES, value.len - HEAD_BYTES);
    return true;
}

static bool
read_text(dw_str value, dw_str *out)
{
    if (value.len > 0 && ((uint8_t) value.ptr[0] & 3) == BASIC_SHORT_TEXT) {
        *out = dw__str_make(value.ptr + 1, value.len - 1);
        return true;
    }
    return read_long_bytes(value, PRIMITIVE_TEXT, out);
}

bool
dw__shred_scalar(const dw_shred_type *type, dw_str value, dw_shred_scalar *out)
{
    unsigned primitive = primitive_of(value);
    switch (type->kind) {
    case DW_SHRED_BOOLEAN:
        out->boolean = primitive == PRIMITIVE_TRUE;
        return primitive == PRIMITIVE_TRUE || primitive == PRIMITIVE_FALSE;
    case DW_SHRED_LONG:
        return read_long(value, &out->number);
    case DW_SHRED_FLOAT:
        return read_real(value, &out->real);
    case DW_SHRED_DOUBLE:
        return read_wide_real(value, &out->wide_real);
    case DW_SHRED_DECIMAL:
        return read_decimal(type, value, &out->unscaled);
    case DW_SHRED_TEXT:
        return read_text(value, &out->bytes);
    case DW_SHRED_BYTES:
        return read_long_bytes(value, PRIMITIVE_BINARY, &out->bytes);
    case DW_SHRED_DATE:
        return read_fixed(value, PRIMITIVE_DATE, sizeof(int32_t), &out->number);
    case DW_SHRED_INSTANT:
        return read_fixed(value, PRIMITIVE_INSTANT, sizeof(int64_t), &out->number);
    case DW_SHRED_LOCAL_TIME:
        return read_fixed(value, PRIMITIVE_LOCAL_TIME, sizeof(int64_t), &out->number);
    case DW_SHRED_NONE:
    case DW_SHRED_OBJECT:
    case DW_SHRED_ARRAY:
        return false;
    }
    dw_unreachable("kind of a typed column");
}

/* ---- Objects and arrays ---------------------------------------------------------------------- */

static dw_status
invalid(dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "VARIANT_INVALID",
                         "expected a variant, found one that goes beyond its end");
}

dw_status
dw__variant_walk(dw_str metadata, dw_str value, dw_variant_walk *out, bool *is_group_out,
                 dw_error *err)
{
    *out = (dw_variant_walk){.metadata = metadata, .value = value};
    unsigned basic = value.len == 0 ? BASIC_PRIMITIVE : (uint8_t) value.ptr[0] & 3U;
    *is_group_out = basic == BASIC_OBJECT || basic == BASIC_ARRAY;
    return *is_group_out ? dw__variant_read_group(value, out, err) : DW_OK;
}

static dw_status
read_name(dw_str metadata, size_t id, dw_str *out, dw_error *err)
{
    size_t width = metadata.len == 0 ? 1 : ((uint8_t) metadata.ptr[0] >> 6) + 1U;
    if (metadata.len < 1 + width) {
        return invalid(err);
    }
    size_t count = dw__variant_number(metadata, 1, width);
    size_t names_at = 1 + width + (count + 1) * width;
    if (id >= count || names_at > metadata.len) {
        return invalid(err);
    }
    size_t first = dw__variant_number(metadata, 1 + width + id * width, width);
    size_t end = dw__variant_number(metadata, 1 + width + (id + 1) * width, width);
    if (first > end || end > metadata.len - names_at) {
        return invalid(err);
    }
    *out = dw__str_make(metadata.ptr + names_at + first, end - first);
    return DW_OK;
}

/* Where a value begins; that of the count: where the last one ends. */
static size_t
offset_of(const dw_variant_walk *walk, size_t idx)
{
    return walk->values_at + dw__variant_number(walk->value,
                                                walk->offsets_at + idx * walk->offset_width,
                                                walk->offset_width);
}

static size_t
id_of(const dw_variant_walk *walk, size_t idx)
{
    return dw__variant_number(walk->value, walk->ids_at + idx * walk->id_width, walk->id_width);
}

/* Values stand one behind the other, as they are written. */
static dw_status
read_value(const dw_variant_walk *walk, size_t idx, dw_str *out, dw_error *err)
{
    size_t first = offset_of(walk, idx), end = offset_of(walk, idx + 1);
    if (first >= end || end > walk->value.len) {
        return invalid(err);
    }
    *out = dw__str_make(walk->value.ptr + first, end - first);
    return DW_OK;
}

dw_status
dw__variant_walk_at(const dw_variant_walk *walk, size_t idx, dw_str *name_out, dw_str *value_out,
                    dw_error *err)
{
    dw_assert(idx < walk->count);
    *name_out = DW_STR("");
    *value_out = DW_STR("");
    if (walk->is_object) {
        DW_TRY(read_name(walk->metadata, id_of(walk, idx), name_out, err));
    }
    return read_value(walk, idx, value_out, err);
}

dw_status
dw__variant_walk_keep(const dw_variant_walk *walk, const bool *is_kept, dw_strbuf *out,
                      dw_error *err)
{
    dw_variant_fields fields = {0};
    size_t size = 0;
    dw_str value;
    dw_assert(walk->is_object);
    if (!DW_VEC_RESERVE(out->allocator, &fields, walk->count)) {
        return dw__error_oom(err);
    }
    dw_status status = DW_OK;
    for (size_t i = 0; i < walk->count && status == DW_OK; i++) {
        if (is_kept[i]) {
            fields.items[fields.count++] =
                (dw_variant_field){(uint32_t) id_of(walk, i), (uint32_t) size, false};
            status = read_value(walk, i, &value, err);
            size += status == DW_OK ? value.len : 0;
        }
    }
    dw_assert(status != DW_OK || fields.count > 0);
    dw__variant_put_group_head(out, fields.items, fields.count, true, size);
    for (size_t i = 0; i < walk->count && status == DW_OK; i++) {
        if (is_kept[i]) {
            status = read_value(walk, i, &value, err);
            dw__strbuf_append(out, value);
        }
    }
    DW_VEC_DEINIT(out->allocator, &fields);
    return status == DW_OK ? dw__variant_check(out, err) : status;
}

/* ---- Names of columns ------------------------------------------------------------------------ */

/* "v.61": the values of the field "a"; "llt.61": the typed values of its elements' elements. The
 * engine's names know no case, and some fields' do. */
void
dw__shred_column_print(dw_strbuf *out, const dw_shred_column *column)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < column->list_depth; i++) {
        dw__strbuf_append_char(out, 'l');
    }
    dw__strbuf_append(out, column->is_typed ? DW_STR("t.") : DW_STR("v."));
    for (size_t i = 0; i < column->name.len; i++) {
        unsigned byte = (uint8_t) column->name.ptr[i];
        dw__strbuf_append_char(out, digits[byte >> 4]);
        dw__strbuf_append_char(out, digits[byte & 15]);
    }
}

static bool
read_digit(char c, unsigned *out)
{
    bool is_digit = c >= '0' && c <= '9';
    *out = (unsigned) (is_digit ? c - '0' : c - 'a' + 10);
    return is_digit || (c >= 'a' && c <= 'f');
}

static bool
read_digits(dw_str text, dw_arena *arena, dw_str *out)
{
    char *name = dw__arena_alloc_bytes(arena, text.len / 2 + 1);
    *out = DW_STR_NULL;
    if (name == NULL) {
        return true;
    }
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        unsigned high, low;
        if (!read_digit(text.ptr[i], &high) || !read_digit(text.ptr[i + 1], &low)) {
            return false;
        }
        name[i / 2] = (char) (high << 4 | low);
    }
    *out = dw__str_make(name, text.len / 2);
    return true;
}

bool
dw__shred_column_read(dw_str text, dw_arena *arena, dw_shred_column *out)
{
    *out = (dw_shred_column){.name = DW_STR("")};
    while (out->list_depth < text.len && text.ptr[out->list_depth] == 'l') {
        out->list_depth++;
    }
    dw_str rest = dw__str_slice(text, out->list_depth, text.len);
    out->is_typed = dw__str_starts_with(rest, DW_STR("t."));
    bool is_name = out->is_typed || dw__str_starts_with(rest, DW_STR("v."));
    return is_name && rest.len % 2 == 0 &&
           read_digits(dw__str_slice(rest, 2, rest.len), arena, &out->name);
}
