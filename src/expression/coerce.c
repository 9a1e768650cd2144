/*
 * Casts, and the types that operands are brought to. Spark's ANSI rules; where a value would make
 * the two engines differ, the value ends the statement. [EXPRESSION-1] [EXPRESSION-2]
 */
#include "base/assert.h"
#include "expression/translator.h"

#include <stdio.h>

/* ---- Casts ----------------------------------------------------------------------------------- */

/* A cast of text that both engines read alike: what the pattern does not match is an error. */
#define GUARDED(pattern, cast)                                                                     \
    "(CASE WHEN $1 IS NULL OR regexp_full_match($1, '" pattern "') THEN " cast                     \
    " ELSE error('" DW_EXPRESSION_MARK                                                             \
    "EXPRESSION_VALUE:an expression of the table casts a text to $t that is none: ' || $1) END)"

#define DATE_PATTERN "[0-9]{4}-[0-9]{2}-[0-9]{2}"
#define TIME_PATTERN "[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?"

static const char *
cast_from_string(const dw_type *to)
{
    switch (to->kind) {
    case DW_TYPE_LONG:
    case DW_TYPE_INTEGER:
    case DW_TYPE_SHORT:
    case DW_TYPE_BYTE:
        return GUARDED(" *[+-]?[0-9]+ *", "CAST(trim($1, ' +') AS $t)");
    case DW_TYPE_DECIMAL:
        return GUARDED(" *-?[0-9]+(\\.[0-9]+)? *", "CAST(trim($1, ' ') AS $t)");
    case DW_TYPE_DOUBLE:
    case DW_TYPE_FLOAT:
        return GUARDED(" *-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)? *", "CAST(trim($1, ' ') AS $t)");
    case DW_TYPE_BOOLEAN:
        return GUARDED("(?i) *(t|true|y|yes|1|f|false|n|no|0) *",
                       "(lower(trim($1, ' ')) IN ('t', 'true', 'y', 'yes', '1'))");
    case DW_TYPE_DATE:
        return GUARDED(" *" DATE_PATTERN " *", "CAST(trim($1, ' ') AS DATE)");
    case DW_TYPE_TIMESTAMP:
        return GUARDED(" *" DATE_PATTERN "(" TIME_PATTERN "(Z|[+-][0-9]{2}:[0-9]{2})?)? *",
                       "CAST(trim($1, ' ') AS TIMESTAMP WITH TIME ZONE)");
    case DW_TYPE_TIMESTAMP_NTZ:
        return GUARDED(" *" DATE_PATTERN "(" TIME_PATTERN ")? *",
                       "CAST(trim($1, ' ') AS TIMESTAMP)");
    case DW_TYPE_BINARY:
        return "encode($1)";
    case DW_TYPE_STRING:
    case DW_TYPE_VARIANT:
    case DW_TYPE_VOID:
    case DW_TYPE_STRUCT:
    case DW_TYPE_ARRAY:
    case DW_TYPE_MAP:
        break;
    }
    return NULL;
}

/* Spark cuts decimals and floats, the engine would round them. */
static const char *
cast_from_number(const dw_type *from, const dw_type *to)
{
    bool is_float = dw__spark_is_float(from);
    if (dw__spark_is_integer(to)) {
        return dw__spark_is_integer(from) ? "CAST($1 AS $t)" : "CAST(trunc($1) AS $t)";
    }
    if (dw__spark_is_float(to)) {
        return "CAST($1 AS $t)";
    }
    if (to->kind == DW_TYPE_DECIMAL || to->kind == DW_TYPE_STRING) {
        return is_float ? NULL : "CAST($1 AS $t)";
    }
    if (to->kind == DW_TYPE_BOOLEAN) {
        return is_float ? NULL : "($1 <> 0)";
    }
    return NULL;
}

static const char *
cast_from_time(const dw_type *from, const dw_type *to)
{
    if (to->kind == DW_TYPE_DATE || dw__spark_is_time(to)) {
        return "CAST($1 AS $t)";
    }
    if (to->kind == DW_TYPE_STRING) {
        return from->kind == DW_TYPE_DATE ? "CAST($1 AS VARCHAR)"
                                          : "CAST(CAST($1 AS TIMESTAMP) AS VARCHAR)";
    }
    if (to->kind == DW_TYPE_LONG && from->kind == DW_TYPE_TIMESTAMP) {
        return "CAST(floor(epoch_us($1) / 1000000) AS BIGINT)";
    }
    return NULL;
}

static const char *
cast_template(const dw_type *from, const dw_type *to)
{
    if (from->kind == DW_TYPE_VOID) {
        return "CAST(NULL AS $t)";
    }
    if (from->kind == DW_TYPE_STRING) {
        return cast_from_string(to);
    }
    if (dw__spark_is_number(from)) {
        return cast_from_number(from, to);
    }
    if (from->kind == DW_TYPE_DATE || dw__spark_is_time(from)) {
        return cast_from_time(from, to);
    }
    if (from->kind == DW_TYPE_BOOLEAN && (dw__spark_is_integer(to) || to->kind == DW_TYPE_STRING)) {
        return "CAST($1 AS $t)";
    }
    return NULL;
}

/* Casts to more of the same cannot fail. */
static bool
cast_may_fail(const dw_type *from, const dw_type *to)
{
    bool widens = (dw__spark_is_number(from) && to->kind == DW_TYPE_DOUBLE) ||
                  (dw__spark_is_integer(from) && to->kind == DW_TYPE_LONG) ||
                  (from->kind == DW_TYPE_BYTE && dw__spark_is_integer(to)) ||
                  (from->kind == DW_TYPE_SHORT && to->kind == DW_TYPE_INTEGER);
    bool is_safe = widens || from->kind == DW_TYPE_VOID || from->kind == DW_TYPE_BOOLEAN ||
                   from->kind == DW_TYPE_DATE || dw__spark_is_time(from);
    return !is_safe;
}

dw_status
dw__spark_cast(const dw_translator *tr, const dw_operand *operand, const dw_type *type,
               dw_operand *out)
{
    if (dw__type_equal(operand->type, type, true)) {
        *out = *operand;
        return DW_OK;
    }
    const char *template = cast_template(operand->type, type);
    if (template == NULL) {
        char from[DW_TYPE_TEXT_SIZE];
        char to[DW_TYPE_TEXT_SIZE];
        return dw__spark_refuse(tr, "a cast of %s to %s", dw__type_text(operand->type, from),
                                dw__type_text(type, to));
    }
    return dw__spark_fill(tr, template, operand, 1, type, cast_may_fail(operand->type, type), out);
}

/* ---- Common types ---------------------------------------------------------------------------- */

/* The digits of the widest value of an integer type. */
static uint8_t
integer_digits(const dw_type *type)
{
    static const uint8_t digits[] = {
        [DW_TYPE_LONG] = 20, [DW_TYPE_INTEGER] = 10, [DW_TYPE_SHORT] = 5, [DW_TYPE_BYTE] = 3};
    dw_assert(dw__spark_is_integer(type));
    return digits[type->kind];
}

static dw_status
common_decimal(const dw_translator *tr, const dw_type *a, const dw_type *b, const dw_type **out)
{
    int digits_a = a->kind == DW_TYPE_DECIMAL ? a->precision - a->scale : integer_digits(a);
    int digits_b = b->kind == DW_TYPE_DECIMAL ? b->precision - b->scale : integer_digits(b);
    int scale_a = a->kind == DW_TYPE_DECIMAL ? a->scale : 0;
    int scale_b = b->kind == DW_TYPE_DECIMAL ? b->scale : 0;
    int scale = scale_a > scale_b ? scale_a : scale_b;
    int precision = (digits_a > digits_b ? digits_a : digits_b) + scale;
    if (precision > DW_DECIMAL_PRECISION_MAX) {
        return dw__spark_refuse(tr, "a decimal of %d digits", precision);
    }
    *out = dw__type_make_decimal(tr->arena, (uint8_t) precision, (uint8_t) scale);
    return *out == NULL ? dw__error_oom(tr->err) : DW_OK;
}

static dw_status
common_number(const dw_translator *tr, const dw_type *a, const dw_type *b, const dw_type **out)
{
    if (dw__spark_is_float(a) || dw__spark_is_float(b)) {
        *out = dw__spark_type(DW_TYPE_DOUBLE);
        return DW_OK;
    }
    if (a->kind == DW_TYPE_DECIMAL || b->kind == DW_TYPE_DECIMAL) {
        return common_decimal(tr, a, b, out);
    }
    *out = integer_digits(a) > integer_digits(b) ? a : b;
    return DW_OK;
}

/* What a string is read as where it meets another type. */
static const dw_type *
string_partner(const dw_type *other)
{
    if (dw__spark_is_integer(other)) {
        return dw__spark_type(DW_TYPE_LONG);
    }
    if (dw__spark_is_number(other)) {
        return dw__spark_type(DW_TYPE_DOUBLE);
    }
    return other;
}

dw_status
dw__spark_common_type(const dw_translator *tr, const dw_type *a, const dw_type *b,
                      const dw_type **out)
{
    *out = a;
    if (dw__type_equal(a, b, true) || b->kind == DW_TYPE_VOID) {
        return DW_OK;
    }
    if (a->kind == DW_TYPE_VOID) {
        *out = b;
        return DW_OK;
    }
    if (dw__spark_is_number(a) && dw__spark_is_number(b)) {
        return common_number(tr, a, b, out);
    }
    if (a->kind == DW_TYPE_STRING || b->kind == DW_TYPE_STRING) {
        *out = string_partner(a->kind == DW_TYPE_STRING ? b : a);
        if (!dw__type_is_nested(*out)) {
            return DW_OK;
        }
    }
    bool both_times = (a->kind == DW_TYPE_DATE || dw__spark_is_time(a)) &&
                      (b->kind == DW_TYPE_DATE || dw__spark_is_time(b));
    if (both_times) {
        bool is_instant = a->kind == DW_TYPE_TIMESTAMP || b->kind == DW_TYPE_TIMESTAMP;
        *out = dw__spark_type(is_instant ? DW_TYPE_TIMESTAMP : DW_TYPE_TIMESTAMP_NTZ);
        return DW_OK;
    }
    char text_a[DW_TYPE_TEXT_SIZE];
    char text_b[DW_TYPE_TEXT_SIZE];
    return dw__spark_invalid(tr, "%s and %s cannot be brought together", dw__type_text(a, text_a),
                             dw__type_text(b, text_b));
}

dw_status
dw__spark_unify(const dw_translator *tr, dw_operand *operands, size_t count,
                const dw_type **type_out)
{
    dw_assert(count > 0);
    *type_out = operands[0].type;
    for (size_t i = 1; i < count; i++) {
        DW_TRY(dw__spark_common_type(tr, *type_out, operands[i].type, type_out));
    }
    for (size_t i = 0; i < count; i++) {
        DW_TRY(dw__spark_cast(tr, &operands[i], *type_out, &operands[i]));
    }
    return DW_OK;
}
