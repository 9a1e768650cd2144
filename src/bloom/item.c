/*
 * See item.h. Rows are hashed by functions of the engine (src/engine/item_functions.c), constants
 * of a condition here; both come to the same few functions of codec/bloom.h.
 */
#include "bloom/item.h"

#include "base/assert.h"

#include <math.h>
#include <string.h>

/* Decimals of more digits are 16 bytes, others 8. */
#define LONG_DIGITS 18

/* ---- Constants ------------------------------------------------------------------------------- */

static dw_item
found(uint64_t hash)
{
    return (dw_item){.kind = DW_ITEM_HASH, .hash = hash};
}

static const dw_item unknown = {.kind = DW_ITEM_UNKNOWN};
static const dw_item nowhere = {.kind = DW_ITEM_NOWHERE};

/* [ITEM-2] */
static dw_item
of_integer(int64_t value, dw_str then)
{
    static const struct {
        const char *type;
        int64_t least, greatest;
    } narrow[] = {{"tinyint", INT8_MIN, INT8_MAX},
                  {"smallint", INT16_MIN, INT16_MAX},
                  {"int", INT32_MIN, INT32_MAX}};
    for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++) {
        if (dw__str_equal(then, dw__str_from(narrow[i].type))) {
            return value < narrow[i].least || value > narrow[i].greatest
                       ? nowhere
                       : found(dw__item_of_i32((int32_t) value));
        }
    }
    return dw__str_equal(then, DW_STR("bigint")) ? found(dw__item_of_i64(value)) : unknown;
}

static dw_item
of_number(const dw_value *value, const dw_type *type)
{
    if (value->kind != DW_VALUE_DOUBLE) {
        return unknown;
    }
    if (type->kind == DW_TYPE_DOUBLE) {
        return found(dw__item_of_double(value->as.f64));
    }
    float narrow = (float) value->as.f64;
    bool is_same = isnan(value->as.f64) ||
                   (!((double) narrow < value->as.f64) && !((double) narrow > value->as.f64));
    return is_same ? found(dw__item_of_float(narrow)) : unknown;
}

static dw_item
of_decimal(const dw_value *value, const dw_type *type)
{
    if (value->kind != DW_VALUE_DECIMAL || value->scale != type->scale) {
        return unknown;
    }
    dw_i128 unscaled = value->as.i128;
    if (type->precision > LONG_DIGITS) {
        return found(dw__item_of_i128(unscaled));
    }
    return unscaled < INT64_MIN || unscaled > INT64_MAX
               ? unknown
               : found(dw__item_of_i64((int64_t) unscaled));
}

static dw_item
of_same_type(const dw_value *value, const dw_type *type)
{
    switch (type->kind) {
    case DW_TYPE_STRING:
    case DW_TYPE_BINARY:
        return value->kind == DW_VALUE_STR ? found(dw__xxhash64(value->as.str, 0)) : unknown;
    case DW_TYPE_DATE:
        return value->kind == DW_VALUE_I64 && value->as.i64 >= INT32_MIN &&
                       value->as.i64 <= INT32_MAX
                   ? found(dw__item_of_i32((int32_t) value->as.i64))
                   : unknown;
    case DW_TYPE_TIMESTAMP:
    case DW_TYPE_TIMESTAMP_NTZ:
        return value->kind == DW_VALUE_I64 ? found(dw__item_of_i64(value->as.i64)) : unknown;
    case DW_TYPE_FLOAT:
    case DW_TYPE_DOUBLE:
        return of_number(value, type);
    case DW_TYPE_DECIMAL:
        return of_decimal(value, type);
    case DW_TYPE_LONG:
    case DW_TYPE_INTEGER:
    case DW_TYPE_SHORT:
    case DW_TYPE_BYTE:
    case DW_TYPE_BOOLEAN:
    case DW_TYPE_VARIANT:
    case DW_TYPE_VOID:
    case DW_TYPE_STRUCT:
    case DW_TYPE_ARRAY:
    case DW_TYPE_MAP:
        break;
    }
    return unknown;
}

static bool
is_integer(const dw_type *type)
{
    return type->kind == DW_TYPE_LONG || type->kind == DW_TYPE_INTEGER ||
           type->kind == DW_TYPE_SHORT || type->kind == DW_TYPE_BYTE;
}

dw_item
dw__item_of_value(const dw_value *value, const dw_type *now, dw_str then)
{
    char text[DW_TYPE_TEXT_SIZE];
    if (is_integer(now)) {
        return value->kind == DW_VALUE_I64 ? of_integer(value->as.i64, then) : unknown;
    }
    return dw__str_equal(then, dw__str_from(dw__type_text(now, text))) ? of_same_type(value, now)
                                                                       : unknown;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/*
 * The function of the engine that makes items of the type's values; NULL: they are never indexed.
 */
static const char *
item_function(const dw_type *type)
{
    switch (type->kind) {
    case DW_TYPE_STRING:
        return "text";
    case DW_TYPE_BINARY:
        return "bytes";
    case DW_TYPE_LONG:
        return "i64";
    case DW_TYPE_INTEGER:
    case DW_TYPE_SHORT:
    case DW_TYPE_BYTE:
        return "i32";
    case DW_TYPE_FLOAT:
        return "float";
    case DW_TYPE_DOUBLE:
        return "double";
    case DW_TYPE_DECIMAL:
        return type->precision <= LONG_DIGITS ? "i64" : "i128";
    case DW_TYPE_DATE:
        return "date";
    case DW_TYPE_TIMESTAMP:
        return "instant";
    case DW_TYPE_TIMESTAMP_NTZ:
        return "time";
    case DW_TYPE_BOOLEAN: /* nearly every file has both */
    case DW_TYPE_VARIANT:
    case DW_TYPE_VOID:
    case DW_TYPE_STRUCT:
    case DW_TYPE_ARRAY:
    case DW_TYPE_MAP:
        break;
    }
    return NULL;
}

bool
dw__item_is_of(const dw_type *type)
{
    return item_function(type) != NULL;
}

void
dw__item_put_sql(dw_strbuf *out, const dw_type *type, dw_str expression)
{
    const char *function = item_function(type);
    dw_assert(function != NULL);
    if (type->kind == DW_TYPE_DECIMAL) {
        /* The digits without their point are the number that Parquet has. */
        dw__strbuf_printf(out, "dw__item_%s(CAST(replace(CAST(%.*s AS VARCHAR), '.', '') AS %s))",
                          function, DW_STR_ARG(expression),
                          type->precision <= LONG_DIGITS ? "BIGINT" : "HUGEINT");
    } else if (strcmp(function, "i32") == 0) {
        dw__strbuf_printf(out, "dw__item_i32(CAST(%.*s AS INTEGER))", DW_STR_ARG(expression));
    } else {
        dw__strbuf_printf(out, "dw__item_%s(%.*s)", function, DW_STR_ARG(expression));
    }
}
