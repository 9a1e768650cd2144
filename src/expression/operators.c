/*
 * Operators: comparisons, logic, arithmetic.
 */
#include "base/assert.h"
#include "expression/translator.h"

#include <stdio.h>

/* ---- Literals -------------------------------------------------------------------------------- */

static bool
ends_with(dw_str text, const char *suffix)
{
    dw_str wanted = dw__str_from(suffix);
    return text.len > wanted.len &&
           dw__str_equal_nocase(dw__str_slice(text, text.len - wanted.len, wanted.len), wanted);
}

static dw_status
make_number(const dw_translator *tr, dw_str digits, const dw_type *type, dw_operand *out)
{
    dw_operand spelled = {.sql = digits, .type = type};
    DW_TRY(dw__spark_fill(tr, "CAST($1 AS $t)", &spelled, 1, type, false, out));
    out->is_constant = dw__spark_is_integer(type);
    out->text = digits;
    return DW_OK;
}

static dw_status
make_decimal(const dw_translator *tr, dw_str digits, dw_operand *out)
{
    size_t point = dw__str_find(digits, '.');
    size_t scale = point == SIZE_MAX ? 0 : digits.len - point - 1;
    size_t zeros = 0;
    while (zeros < digits.len && digits.ptr[zeros] == '0') {
        zeros++;
    }
    size_t whole = (point == SIZE_MAX ? digits.len : point);
    whole -= zeros < whole ? zeros : whole;
    size_t precision = whole + scale > 0 ? whole + scale : 1;
    if (precision > DW_DECIMAL_PRECISION_MAX) {
        return dw__spark_refuse(tr, "the number %.*s", DW_STR_ARG(digits));
    }
    const dw_type *type = dw__type_make_decimal(tr->arena, (uint8_t) precision, (uint8_t) scale);
    if (type == NULL) {
        return dw__error_oom(tr->err);
    }
    return make_number(tr, digits, type, out);
}

static dw_status
make_integer(const dw_translator *tr, dw_str digits, dw_operand *out)
{
    int64_t value;
    if (!dw__str_to_i64(digits, &value)) {
        return make_decimal(tr, digits, out);
    }
    return make_number(tr, digits,
                       dw__spark_type(value <= INT32_MAX ? DW_TYPE_INTEGER : DW_TYPE_LONG), out);
}

dw_status
dw__spark_number(const dw_translator *tr, dw_str text, dw_operand *out)
{
    static const struct {
        const char *suffix;
        dw_type_kind kind;
    } suffixes[] = {{"L", DW_TYPE_LONG},
                    {"S", DW_TYPE_SHORT},
                    {"Y", DW_TYPE_BYTE},
                    {"D", DW_TYPE_DOUBLE},
                    {"F", DW_TYPE_FLOAT}};
    if (ends_with(text, "BD")) {
        return make_decimal(tr, dw__str_slice(text, 0, text.len - 2), out);
    }
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        if (ends_with(text, suffixes[i].suffix)) {
            return make_number(tr, dw__str_slice(text, 0, text.len - 1),
                               dw__spark_type(suffixes[i].kind), out);
        }
    }
    double ignored;
    if (!dw__str_to_double(text, &ignored)) {
        return dw__spark_invalid(tr, "%.*s is no number", DW_STR_ARG(text));
    }
    if (dw__str_find(text, 'e') != SIZE_MAX || dw__str_find(text, 'E') != SIZE_MAX) {
        return make_number(tr, text, dw__spark_type(DW_TYPE_DOUBLE), out);
    }
    return dw__str_find(text, '.') != SIZE_MAX ? make_decimal(tr, text, out)
                                               : make_integer(tr, text, out);
}

/* ---- Logic ----------------------------------------------------------------------------------- */

static dw_status
to_boolean(const dw_translator *tr, const dw_operand *operand, dw_operand *out)
{
    if (operand->type->kind == DW_TYPE_BOOLEAN || operand->type->kind == DW_TYPE_VOID) {
        return dw__spark_cast(tr, operand, dw__spark_type(DW_TYPE_BOOLEAN), out);
    }
    char text[DW_TYPE_TEXT_SIZE];
    return dw__spark_invalid(tr, "expected a condition, found a value of type %s",
                             dw__type_text(operand->type, text));
}

/* The engine evaluates both sides of AND and OR for all rows; where the right one may fail it must
 * only see rows that the left one does not decide. [EXPRESSION-3] */
static dw_status
combine(const dw_translator *tr, const dw_operand *left, const dw_operand *right, const char *plain,
        const char *guarded, dw_operand *out)
{
    dw_operand sides[2];
    DW_TRY(to_boolean(tr, left, &sides[0]));
    DW_TRY(to_boolean(tr, right, &sides[1]));
    return dw__spark_fill(tr, sides[1].may_fail ? guarded : plain, sides, 2,
                          dw__spark_type(DW_TYPE_BOOLEAN), false, out);
}

dw_status
dw__spark_and(const dw_translator *tr, const dw_operand *left, const dw_operand *right,
              dw_operand *out)
{
    return combine(tr, left, right, "($1 AND $2)",
                   "(CASE WHEN $1 IS NOT DISTINCT FROM false THEN false ELSE ($1 AND $2) END)",
                   out);
}

dw_status
dw__spark_or(const dw_translator *tr, const dw_operand *left, const dw_operand *right,
             dw_operand *out)
{
    return combine(tr, left, right, "($1 OR $2)",
                   "(CASE WHEN $1 IS NOT DISTINCT FROM true THEN true ELSE ($1 OR $2) END)", out);
}

dw_status
dw__spark_not(const dw_translator *tr, const dw_operand *operand, dw_operand *out)
{
    dw_operand condition;
    DW_TRY(to_boolean(tr, operand, &condition));
    return dw__spark_fill(tr, "(NOT $1)", &condition, 1, condition.type, false, out);
}

/* ---- Comparisons ----------------------------------------------------------------------------- */

dw_status
dw__spark_compare(const dw_translator *tr, dw_str symbol, const dw_operand *left,
                  const dw_operand *right, dw_operand *out)
{
    static const struct {
        const char *symbol;
        const char *template;
    } comparisons[] = {
        {"=", "($1 = $2)"},   {"==", "($1 = $2)"},  {"<>", "($1 <> $2)"},
        {"!=", "($1 <> $2)"}, {"<", "($1 < $2)"},   {"<=", "($1 <= $2)"},
        {">", "($1 > $2)"},   {">=", "($1 >= $2)"}, {"<=>", "($1 IS NOT DISTINCT FROM $2)"},
    };
    dw_operand sides[2] = {*left, *right};
    const dw_type *type;
    DW_TRY(dw__spark_unify(tr, sides, 2, &type));
    if (dw__type_is_nested(type) || type->kind == DW_TYPE_VARIANT) {
        return dw__spark_refuse(tr, "a comparison of nested values");
    }
    for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++) {
        if (dw__str_equal(symbol, dw__str_from(comparisons[i].symbol))) {
            return dw__spark_fill(tr, comparisons[i].template, sides, 2,
                                  dw__spark_type(DW_TYPE_BOOLEAN), false, out);
        }
    }
    dw_unreachable("every comparison is listed");
}

/* ---- Arithmetic ------------------------------------------------------------------------------ */

static dw_status
to_number(const dw_translator *tr, const dw_operand *operand, dw_operand *out)
{
    dw_type_kind kind = operand->type->kind;
    *out = *operand;
    if (dw__spark_is_number(operand->type)) {
        return DW_OK;
    }
    if (kind == DW_TYPE_VOID) {
        return dw__spark_cast(tr, operand, dw__spark_type(DW_TYPE_INTEGER), out);
    }
    char text[DW_TYPE_TEXT_SIZE];
    return dw__spark_refuse(tr, "arithmetic with a value of type %s",
                            dw__type_text(operand->type, text));
}

static int
max_of(int a, int b)
{
    return a > b ? a : b;
}

/* The type of a sum or product of decimals, which must not need more digits than there are: Spark
 * would cut the scale then. */
static dw_status
decimal_result(const dw_translator *tr, char op, const dw_type *a, const dw_type *b,
               const dw_type **out)
{
    int scale = max_of(a->scale, b->scale);
    int precision = max_of(a->precision - a->scale, b->precision - b->scale) + scale + 1;
    if (op == '*') {
        scale = a->scale + b->scale;
        precision = a->precision + b->precision + 1;
    }
    if (precision > DW_DECIMAL_PRECISION_MAX) {
        return dw__spark_refuse(tr, "decimal arithmetic with a result of %d digits", precision);
    }
    *out = dw__type_make_decimal(tr->arena, (uint8_t) precision, (uint8_t) scale);
    return *out == NULL ? dw__error_oom(tr->err) : DW_OK;
}

/* An integer beside a decimal is one; a literal has no more digits than it shows. */
static dw_status
to_decimal(const dw_translator *tr, const dw_operand *operand, dw_operand *out)
{
    static const uint8_t digits[] = {
        [DW_TYPE_LONG] = 20, [DW_TYPE_INTEGER] = 10, [DW_TYPE_SHORT] = 5, [DW_TYPE_BYTE] = 3};
    *out = *operand;
    if (operand->type->kind == DW_TYPE_DECIMAL) {
        return DW_OK;
    }
    dw_assert(dw__spark_is_integer(operand->type));
    uint8_t precision = operand->is_constant && operand->text.len <= 20
                            ? (uint8_t) operand->text.len
                            : digits[operand->type->kind];
    const dw_type *type = dw__type_make_decimal(tr->arena, precision, 0);
    if (type == NULL) {
        return dw__error_oom(tr->err);
    }
    return dw__spark_cast(tr, operand, type, out);
}

static dw_status
decimal_arithmetic(const dw_translator *tr, char op, dw_operand *sides, dw_operand *out)
{
    const dw_type *type;
    if (op != '+' && op != '-' && op != '*') {
        return dw__spark_refuse(tr, "division of decimals");
    }
    DW_TRY(to_decimal(tr, &sides[0], &sides[0]));
    DW_TRY(to_decimal(tr, &sides[1], &sides[1]));
    DW_TRY(decimal_result(tr, op, sides[0].type, sides[1].type, &type));
    if (op == '*') {
        /* The engine keeps p1 + p2 digits, which are enough, but 18 where both factors have no
         * more. */
        if (sides[0].type->precision < 19 && sides[1].type->precision < 19) {
            const dw_type *wide = dw__type_make_decimal(tr->arena, 19, sides[0].type->scale);
            if (wide == NULL) {
                return dw__error_oom(tr->err);
            }
            DW_TRY(dw__spark_cast(tr, &sides[0], wide, &sides[0]));
        }
        return dw__spark_fill(tr, "CAST($1 * $2 AS $t)", sides, 2, type, true, out);
    }
    DW_TRY(dw__spark_cast(tr, &sides[0], type, &sides[0]));
    DW_TRY(dw__spark_cast(tr, &sides[1], type, &sides[1]));
    return dw__spark_fill(tr, op == '+' ? "CAST($1 + $2 AS $t)" : "CAST($1 - $2 AS $t)", sides, 2,
                          type, true, out);
}

#define ZERO_CHECKED(operation)                                                                    \
    "(CASE WHEN $2 = 0 THEN error('" DW_EXPRESSION_MARK                                            \
    "EXPRESSION_VALUE:an expression of the table divides by zero') ELSE " operation " END)"

static dw_status
divide(const dw_translator *tr, dw_operand *sides, dw_operand *out)
{
    const dw_type *type = dw__spark_type(DW_TYPE_DOUBLE);
    DW_TRY(dw__spark_cast(tr, &sides[0], type, &sides[0]));
    DW_TRY(dw__spark_cast(tr, &sides[1], type, &sides[1]));
    return dw__spark_fill(tr, ZERO_CHECKED("$1 / $2"), sides, 2, type, true, out);
}

static dw_status
divide_whole(const dw_translator *tr, dw_operand *sides, dw_operand *out)
{
    const dw_type *type = dw__spark_type(DW_TYPE_LONG);
    if (!dw__spark_is_integer(sides[0].type) || !dw__spark_is_integer(sides[1].type)) {
        return dw__spark_refuse(tr, "div of what are no integers");
    }
    DW_TRY(dw__spark_cast(tr, &sides[0], type, &sides[0]));
    DW_TRY(dw__spark_cast(tr, &sides[1], type, &sides[1]));
    return dw__spark_fill(tr, ZERO_CHECKED("$1 // $2"), sides, 2, type, true, out);
}

static dw_status
plain_arithmetic(const dw_translator *tr, char op, dw_operand *sides, dw_operand *out)
{
    const dw_type *type;
    DW_TRY(dw__spark_unify(tr, sides, 2, &type));
    bool may_fail = dw__spark_is_integer(type);
    switch (op) {
    case '+':
        return dw__spark_fill(tr, "($1 + $2)", sides, 2, type, may_fail, out);
    case '-':
        return dw__spark_fill(tr, "($1 - $2)", sides, 2, type, may_fail, out);
    case '*':
        return dw__spark_fill(tr, "($1 * $2)", sides, 2, type, may_fail, out);
    default:
        return dw__spark_fill(tr, ZERO_CHECKED("$1 % $2"), sides, 2, type, true, out);
    }
}

/* date + days and date - days */
static dw_status
move_date(const dw_translator *tr, char op, const dw_operand *left, const dw_operand *right,
          dw_operand *out)
{
    dw_operand sides[2] = {*left, *right};
    const dw_type *type = dw__spark_type(DW_TYPE_DATE);
    if (right->type->kind == DW_TYPE_LONG || !dw__spark_is_integer(right->type)) {
        return dw__spark_refuse(tr, "this arithmetic with a date");
    }
    DW_TRY(dw__spark_cast(tr, &sides[1], dw__spark_type(DW_TYPE_INTEGER), &sides[1]));
    return dw__spark_fill(tr, op == '+' ? "CAST($1 + $2 AS DATE)" : "CAST($1 - $2 AS DATE)", sides,
                          2, type, true, out);
}

dw_status
dw__spark_arithmetic(const dw_translator *tr, dw_str symbol, const dw_operand *left,
                     const dw_operand *right, dw_operand *out)
{
    dw_operand sides[2];
    char op = symbol.ptr[0];
    if ((op == '+' || op == '-') && left->type->kind == DW_TYPE_DATE && symbol.len == 1) {
        return move_date(tr, op, left, right, out);
    }
    DW_TRY(to_number(tr, left, &sides[0]));
    DW_TRY(to_number(tr, right, &sides[1]));
    bool any_float = dw__spark_is_float(sides[0].type) || dw__spark_is_float(sides[1].type);
    bool any_decimal =
        sides[0].type->kind == DW_TYPE_DECIMAL || sides[1].type->kind == DW_TYPE_DECIMAL;
    if (symbol.len == 3) { /* DIV */
        return divide_whole(tr, sides, out);
    }
    if (any_decimal && !any_float) {
        return decimal_arithmetic(tr, op, sides, out);
    }
    return op == '/' ? divide(tr, sides, out) : plain_arithmetic(tr, op, sides, out);
}

dw_status
dw__spark_negate(const dw_translator *tr, const dw_operand *operand, dw_operand *out)
{
    dw_operand number;
    DW_TRY(to_number(tr, operand, &number));
    if (number.is_constant) { /* -9223372036854775808 and the like stay literals */
        dw_str digits = dw__arena_printf(tr->arena, "-%.*s", DW_STR_ARG(number.text));
        return dw__str_is_null(digits) ? dw__error_oom(tr->err)
                                       : make_number(tr, digits, number.type, out);
    }
    return dw__spark_fill(tr, "(-$1)", &number, 1, number.type, dw__spark_is_integer(number.type),
                          out);
}

/* ---- Text ------------------------------------------------------------------------------------ */

dw_status
dw__spark_concat(const dw_translator *tr, const dw_operand *items, size_t count, dw_operand *out)
{
    dw_operand sides[2];
    const dw_type *type = dw__spark_type(DW_TYPE_STRING);
    DW_TRY(dw__spark_cast(tr, &items[0], type, out));
    for (size_t i = 1; i < count; i++) {
        sides[0] = *out;
        DW_TRY(dw__spark_cast(tr, &items[i], type, &sides[1]));
        DW_TRY(dw__spark_fill(tr, "($1 || $2)", sides, 2, type, false, out));
    }
    out->is_constant = false;
    return DW_OK;
}
