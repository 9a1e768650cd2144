/*
 * Partition values as the log has them, and as directory names have them. PROTOCOL.md "Partition
 * Value Serialization".
 */
#include "base/assert.h"
#include "codec/json.h"
#include "protocol/value.h"

#include <math.h>

#define VALUE_TEXT_SIZE_MAX ((size_t) 64 << 20)
/* What a message shows of a value. */
#define VALUE_SHOWN_MAX ((size_t) 100)
/* The length of \u00ff as text. */
#define ESCAPE_LEN ((size_t) 6)

static dw_status
value_invalid(const dw_field *field, dw_str text, dw_error *err)
{
    char type[DW_TYPE_TEXT_SIZE];
    return dw__error_set(err, DW_CORRUPT, "PARTITION_VALUE_INVALID",
                         "partition column %.*s: expected a value of type %s, found \"%.*s\"",
                         DW_STR_ARG(field->name), dw__type_text(field->type, type),
                         DW_STR_ARG(dw__str_slice(text, 0, VALUE_SHOWN_MAX)));
}

/* ---- Parsing --------------------------------------------------------------------------------- */

static bool
parse_integer(dw_str text, int64_t min, int64_t max, dw_value *out)
{
    out->kind = DW_VALUE_I64;
    return dw__str_to_i64(text, &out->as.i64) && out->as.i64 >= min && out->as.i64 <= max;
}

static bool
parse_bool(dw_str text, dw_value *out)
{
    out->kind = DW_VALUE_BOOL;
    out->as.i64 = dw__str_equal_nocase(text, DW_STR("true")) ? 1 : 0;
    return out->as.i64 == 1 || dw__str_equal_nocase(text, DW_STR("false"));
}

static bool
parse_float(dw_str text, dw_value *out)
{
    float value;
    out->kind = DW_VALUE_DOUBLE;
    bool parsed = dw__str_to_float(text, &value);
    out->as.f64 = (double) value;
    return parsed;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that an escape stands for, or -1. */
static int
escaped_byte(const char *escape)
{
    int high = hex_digit(escape[4]);
    int low = hex_digit(escape[5]);
    return memcmp(escape, "\\u00", 4) != 0 || high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Unescapes text that is a row of escapes; other text stays as it is. False when out of memory. */
static bool
parse_binary(dw_str text, dw_arena *arena, dw_value *out)
{
    out->kind = DW_VALUE_STR;
    out->as.str = text;
    bool escaped = text.len % ESCAPE_LEN == 0;
    for (size_t i = 0; i < text.len && escaped; i += ESCAPE_LEN) {
        escaped = escaped_byte(text.ptr + i) >= 0;
    }
    if (!escaped) {
        return true;
    }
    size_t len = text.len / ESCAPE_LEN;
    char *bytes = dw__arena_alloc_bytes(arena, len);
    if (bytes == NULL) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char) escaped_byte(text.ptr + i * ESCAPE_LEN);
    }
    out->as.str = dw__str_make(bytes, len);
    return true;
}

static bool
parse_scalar(const dw_type *type, dw_str text, dw_value *out)
{
    switch (type->kind) {
    case DW_TYPE_STRING:
        *out = (dw_value){.kind = DW_VALUE_STR, .as.str = text};
        return true;
    case DW_TYPE_LONG:
        return parse_integer(text, INT64_MIN, INT64_MAX, out);
    case DW_TYPE_INTEGER:
        return parse_integer(text, INT32_MIN, INT32_MAX, out);
    case DW_TYPE_SHORT:
        return parse_integer(text, INT16_MIN, INT16_MAX, out);
    case DW_TYPE_BYTE:
        return parse_integer(text, INT8_MIN, INT8_MAX, out);
    case DW_TYPE_FLOAT:
        return parse_float(text, out);
    case DW_TYPE_DOUBLE:
        out->kind = DW_VALUE_DOUBLE;
        return dw__str_to_double(text, &out->as.f64);
    case DW_TYPE_DECIMAL:
        out->kind = DW_VALUE_DECIMAL;
        out->scale = type->scale;
        return dw__decimal_parse(text, type->precision, type->scale, &out->as.i128);
    case DW_TYPE_BOOLEAN:
        return parse_bool(text, out);
    case DW_TYPE_DATE:
        out->kind = DW_VALUE_I64;
        return dw__date_parse(text, &out->as.i64);
    case DW_TYPE_TIMESTAMP:
    case DW_TYPE_TIMESTAMP_NTZ:
        out->kind = DW_VALUE_I64;
        return dw__timestamp_parse(text, type->kind == DW_TYPE_TIMESTAMP, &out->as.i64);
    case DW_TYPE_BINARY:
    case DW_TYPE_VARIANT:
    case DW_TYPE_VOID:
    case DW_TYPE_STRUCT:
    case DW_TYPE_ARRAY:
    case DW_TYPE_MAP:
        return false;
    }
    dw_unreachable("every kind is listed");
}

dw_status
dw__partition_value_parse(const dw_field *field, dw_str text, dw_arena *arena, dw_value *out,
                          dw_error *err)
{
    *out = (dw_value){.kind = DW_VALUE_NULL};
    if (text.len == 0) {
        return DW_OK;
    }
    dw_value value = {.kind = DW_VALUE_NULL};
    if (field->type->kind == DW_TYPE_BINARY) {
        if (!parse_binary(text, arena, &value)) {
            return dw__error_oom(err);
        }
    } else if (!parse_scalar(field->type, text, &value)) {
        return value_invalid(field, text, err);
    }
    *out = value;
    return DW_OK;
}

/* ---- Printing -------------------------------------------------------------------------------- */

static void
print_real(dw_strbuf *out, double value, bool single)
{
    if (isnan(value)) {
        dw__strbuf_append_literal(out, "NaN");
    } else if (isinf(value)) {
        dw__strbuf_append(out, value > 0 ? DW_STR("Infinity") : DW_STR("-Infinity"));
    } else if (single) {
        dw__json_put_float(out, (float) value);
    } else {
        dw__json_put_double(out, value);
    }
}

/* Everything but strings and binary, which are their own text. */
static void
print_scalar(dw_strbuf *out, const dw_type *type, const dw_value *value)
{
    if (value->kind == DW_VALUE_BOOL) {
        dw__strbuf_append(out, value->as.i64 != 0 ? DW_STR("true") : DW_STR("false"));
    } else if (value->kind == DW_VALUE_DECIMAL) {
        dw__decimal_print(out, value->as.i128, value->scale);
    } else if (value->kind == DW_VALUE_DOUBLE) {
        print_real(out, value->as.f64, type->kind == DW_TYPE_FLOAT);
    } else if (type->kind == DW_TYPE_DATE) {
        dw__date_print(out, value->as.i64);
    } else if (type->kind == DW_TYPE_TIMESTAMP) {
        dw__timestamp_print(out, value->as.i64, 'T', 6, "Z");
    } else if (type->kind == DW_TYPE_TIMESTAMP_NTZ) {
        dw__timestamp_print(out, value->as.i64, ' ', value->as.i64 % 1000000 == 0 ? 0 : 6, "");
    } else {
        dw__strbuf_append_i64(out, value->as.i64);
    }
}

dw_status
dw__partition_value_refuse(const dw_field *field, dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, "PARTITION_VALUE_INVALID",
                         "partition column %.*s: a value is not UTF-8, and the log cannot hold "
                         "such bytes: partition by another column",
                         DW_STR_ARG(field->name));
}

dw_status
dw__partition_value_print(const dw_field *field, const dw_value *value, dw_arena *arena,
                          dw_str *out, dw_error *err)
{
    *out = DW_STR_NULL;
    if (value->kind == DW_VALUE_NULL || (value->kind == DW_VALUE_STR && value->as.str.len == 0)) {
        return DW_OK;
    }
    if (value->kind == DW_VALUE_STR) {
        if (!dw__str_is_utf8(value->as.str)) {
            return dw__partition_value_refuse(field, err);
        }
        return dw__arena_dup(arena, value->as.str, out) ? DW_OK : dw__error_oom(err);
    }
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, VALUE_TEXT_SIZE_MAX);
    print_scalar(&text, field->type, value);
    DW_TRY(dw__strbuf_ok(&text, "a partition value", err));
    return dw__arena_dup(arena, dw__strbuf_str(&text), out) ? DW_OK : dw__error_oom(err);
}

/* ---- Directory names ------------------------------------------------------------------------- */

/* Hive's set, as Spark has it. */
static bool
needs_hive_escape(char c)
{
    unsigned char byte = (unsigned char) c;
    return byte < 0x20 || byte == 0x7f || strchr("\"#%'*/:=?\\{[]^", c) != NULL;
}

static void
append_hive_escaped(dw_strbuf *out, dw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (needs_hive_escape(text.ptr[i])) {
            dw__strbuf_printf(out, "%%%02X", (unsigned) (unsigned char) text.ptr[i]);
        } else {
            dw__strbuf_append_char(out, text.ptr[i]);
        }
    }
}

void
dw__partition_path_append(dw_strbuf *out, dw_str column, dw_str text)
{
    append_hive_escaped(out, column);
    dw__strbuf_append_char(out, '=');
    if (text.len == 0) {
        dw__strbuf_append_literal(out, "__HIVE_DEFAULT_PARTITION__");
    } else {
        append_hive_escaped(out, text);
    }
}
