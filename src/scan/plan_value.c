/*
 * Types and constants as the engine writes them into plans.
 */
#include "scan/plan_internal.h"

#include "base/assert.h"

typedef struct type_name {
    dw_str name;
    dw_plan_type type;
} type_name;

static const type_name type_names[] = {
    {{"BOOLEAN", 7}, {DW_PLAN_BOOLEAN, 1, 0}},
    {{"TINYINT", 7}, {DW_PLAN_INTEGER, 1, 0}},
    {{"SMALLINT", 8}, {DW_PLAN_INTEGER, 2, 0}},
    {{"INTEGER", 7}, {DW_PLAN_INTEGER, 4, 0}},
    {{"BIGINT", 6}, {DW_PLAN_INTEGER, 8, 0}},
    {{"HUGEINT", 7}, {DW_PLAN_INTEGER, 16, 0}},
    {{"FLOAT", 5}, {DW_PLAN_FLOAT, 4, 0}},
    {{"DOUBLE", 6}, {DW_PLAN_DOUBLE, 8, 0}},
    {{"VARCHAR", 7}, {DW_PLAN_TEXT, 0, 0}},
    {{"BLOB", 4}, {DW_PLAN_BLOB, 0, 0}},
    {{"DATE", 4}, {DW_PLAN_DATE, 4, 0}},
    {{"TIMESTAMP", 9}, {DW_PLAN_MICROS, 8, 0}},
    {{"TIMESTAMP WITH TIME ZONE", 24}, {DW_PLAN_MICROS_ZONED, 8, 0}},
};

dw_plan_type
dw__plan_type_read(dw_json type)
{
    dw_plan_type other = {DW_PLAN_OTHER, 0, 0};
    dw_str id = dw__json_str(dw__json_get(type, DW_STR("id")));
    dw_json info = dw__json_get(type, DW_STR("type_info"));
    if (dw__str_equal(id, DW_STR("DECIMAL"))) {
        int64_t scale;
        if (!dw__json_i64(dw__json_get(info, DW_STR("scale")), &scale) || scale < 0 ||
            scale > DW_DECIMAL_PRECISION_MAX) {
            return other;
        }
        return (dw_plan_type){DW_PLAN_DECIMAL, 0, (uint8_t) scale};
    }
    /* Further info is a collation, an alias, ...: they may change what a comparison means. */
    if (dw__json_kind(info) == DW_JSON_OBJECT) {
        return other;
    }
    for (size_t i = 0; i < sizeof(type_names) / sizeof(*type_names); i++) {
        if (dw__str_equal(id, type_names[i].name)) {
            return type_names[i].type;
        }
    }
    return other;
}

dw_plan_type
dw__plan_type_of_column(const dw_type *type)
{
    switch (type->kind) {
    case DW_TYPE_BOOLEAN:
        return (dw_plan_type){DW_PLAN_BOOLEAN, 1, 0};
    case DW_TYPE_BYTE:
        return (dw_plan_type){DW_PLAN_INTEGER, 1, 0};
    case DW_TYPE_SHORT:
        return (dw_plan_type){DW_PLAN_INTEGER, 2, 0};
    case DW_TYPE_INTEGER:
        return (dw_plan_type){DW_PLAN_INTEGER, 4, 0};
    case DW_TYPE_LONG:
        return (dw_plan_type){DW_PLAN_INTEGER, 8, 0};
    case DW_TYPE_FLOAT:
        return (dw_plan_type){DW_PLAN_FLOAT, 4, 0};
    case DW_TYPE_DOUBLE:
        return (dw_plan_type){DW_PLAN_DOUBLE, 8, 0};
    case DW_TYPE_DECIMAL:
        return (dw_plan_type){DW_PLAN_DECIMAL, 0, type->scale};
    case DW_TYPE_STRING:
        return (dw_plan_type){DW_PLAN_TEXT, 0, 0};
    case DW_TYPE_BINARY:
        return (dw_plan_type){DW_PLAN_BLOB, 0, 0};
    case DW_TYPE_DATE:
        return (dw_plan_type){DW_PLAN_DATE, 4, 0};
    case DW_TYPE_TIMESTAMP:
        return (dw_plan_type){DW_PLAN_MICROS_ZONED, 8, 0};
    case DW_TYPE_TIMESTAMP_NTZ:
        return (dw_plan_type){DW_PLAN_MICROS, 8, 0};
    case DW_TYPE_VARIANT:
    case DW_TYPE_VOID:
    case DW_TYPE_STRUCT:
    case DW_TYPE_ARRAY:
    case DW_TYPE_MAP:
        break;
    }
    return (dw_plan_type){DW_PLAN_OTHER, 0, 0};
}

/* A number, or {"upper": i64, "lower": u64} for one of 128 bits. */
static bool
read_wide(dw_json value, dw_i128 *out)
{
    int64_t narrow;
    if (dw__json_i64(value, &narrow)) {
        *out = narrow;
        return true;
    }
    int64_t upper;
    uint64_t lower;
    if (!dw__json_i64(dw__json_get(value, DW_STR("upper")), &upper) ||
        !dw__str_to_u64(dw__json_number(dw__json_get(value, DW_STR("lower"))), &lower)) {
        return false;
    }
    *out = (dw_i128) upper * ((dw_i128) 1 << 64) + (dw_i128) lower;
    return true;
}

static bool
read_integer(dw_json json, dw_value *out)
{
    dw_i128 wide;
    if (!read_wide(json, &wide)) {
        return false;
    }
    if (wide >= INT64_MIN && wide <= INT64_MAX) {
        out->kind = DW_VALUE_I64;
        out->as.i64 = (int64_t) wide;
    } else {
        out->kind = DW_VALUE_DECIMAL;
        out->scale = 0;
        out->as.i128 = wide;
    }
    return true;
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The engine prints bytes that are no plain characters, and the backslash, as \xHH. */
static bool
read_blob(dw_str text, dw_arena *arena, dw_value *out, bool *oom)
{
    char *bytes = dw__arena_alloc_bytes(arena, text.len + 1);
    if (bytes == NULL) {
        *oom = true;
        return false;
    }
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\\') {
            bytes[len++] = text.ptr[i];
            continue;
        }
        int high = text.len - i < 4 ? -1 : hex_digit(text.ptr[i + 2]);
        int low = text.len - i < 4 ? -1 : hex_digit(text.ptr[i + 3]);
        if (high < 0 || low < 0 || text.ptr[i + 1] != 'x') {
            return false;
        }
        bytes[len++] = (char) (high * 16 + low);
        i += 3;
    }
    out->kind = DW_VALUE_STR;
    out->as.str = dw__str_make(bytes, len);
    return true;
}

static bool
read_text(dw_str text, dw_arena *arena, dw_value *out, bool *oom)
{
    if (dw__str_is_null(text)) {
        return false;
    }
    out->kind = DW_VALUE_STR;
    *oom = !dw__arena_dup(arena, text, &out->as.str);
    return !*oom;
}

bool
dw__plan_value_read(dw_json constant, dw_arena *arena, dw_plan_type *type_out, dw_value *out,
                    bool *oom)
{
    *oom = false;
    *out = (dw_value){.kind = DW_VALUE_NULL};
    *type_out = dw__plan_type_read(dw__json_get(constant, DW_STR("type")));
    dw_json value = dw__json_get(constant, DW_STR("value"));
    dw_json is_null = dw__json_get(constant, DW_STR("is_null"));
    if (dw__json_kind(is_null) != DW_JSON_BOOL) {
        return false;
    }
    if (dw__json_bool(is_null, false)) {
        return true;
    }
    switch (type_out->class) {
    case DW_PLAN_BOOLEAN:
        out->kind = DW_VALUE_BOOL;
        out->as.i64 = dw__json_bool(value, false) ? 1 : 0;
        return dw__json_kind(value) == DW_JSON_BOOL;
    case DW_PLAN_INTEGER:
        return read_integer(value, out);
    case DW_PLAN_DATE:
    case DW_PLAN_MICROS:
    case DW_PLAN_MICROS_ZONED:
        out->kind = DW_VALUE_I64;
        return dw__json_i64(value, &out->as.i64);
    case DW_PLAN_DECIMAL:
        out->kind = DW_VALUE_DECIMAL;
        out->scale = type_out->scale;
        return read_wide(value, &out->as.i128);
    case DW_PLAN_FLOAT:
    case DW_PLAN_DOUBLE:
        out->kind = DW_VALUE_DOUBLE;
        return dw__json_double(value, &out->as.f64);
    case DW_PLAN_TEXT:
        return read_text(dw__json_str(value), arena, out, oom);
    case DW_PLAN_BLOB:
        return dw__json_kind(value) == DW_JSON_STRING &&
               read_blob(dw__json_str(value), arena, out, oom);
    case DW_PLAN_OTHER:
        return false;
    }
    dw_unreachable("all classes are handled");
}
