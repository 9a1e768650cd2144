/*
 * The functions of Spark that are known, and what the engine calls them. This table is the list:
 * what is not in it is refused by its name. [EXPRESSION-1]
 */
#include "base/assert.h"
#include "expression/translator.h"

/* What an argument is brought to, and what comes out:
 *   s string  i int  l bigint  x double  d date  t timestamp  b boolean
 *   T timestamp or timestamp_ntz (dates become the latter)  n a number, as it is  a anything
 *   1 (result) the type of the first argument */
typedef struct function_spec {
    const char *name;
    const char *arguments;
    char result;
    bool may_fail;
    const char *template;
} function_spec;

/* Letters whose case Java and the engine change differently. */
#define ODD_CASE                                                                                   \
    "[\\x{DF}\\x{130}\\x{149}\\x{1F0}\\x{390}\\x{3A3}\\x{3B0}\\x{587}\\x{10A0}-\\x{10FF}"          \
    "\\x{13A0}-\\x{13FF}\\x{1C80}-\\x{1CBF}\\x{1E96}-\\x{1E9E}\\x{1F50}-\\x{1FFC}\\x{2C2F}"        \
    "\\x{2C5F}\\x{A64A}\\x{A64B}\\x{A7AE}-\\x{A7FF}\\x{AB53}-\\x{ABBF}\\x{FB00}-\\x{FB17}"         \
    "\\x{10400}-\\x{105FF}\\x{10C80}-\\x{10CFF}\\x{118A0}-\\x{118DF}\\x{16E40}-\\x{16E7F}"         \
    "\\x{1E900}-\\x{1E943}]"
#define CHANGED_CASE(name)                                                                         \
    "(CASE WHEN regexp_matches($1, '" ODD_CASE "') THEN error('" DW_EXPRESSION_MARK                \
    "EXPRESSION_VALUE:an expression of the table changes the case of a text with letters that "    \
    "engines treat differently: ' || $1) ELSE " name "($1) END)"

static const function_spec specs[] = {
    /* dates and times */
    {"year", "d", 'i', false, "CAST(year($1) AS INTEGER)"},
    {"quarter", "d", 'i', false, "CAST(quarter($1) AS INTEGER)"},
    {"month", "d", 'i', false, "CAST(month($1) AS INTEGER)"},
    {"day", "d", 'i', false, "CAST(day($1) AS INTEGER)"},
    {"dayofmonth", "d", 'i', false, "CAST(day($1) AS INTEGER)"},
    {"dayofyear", "d", 'i', false, "CAST(dayofyear($1) AS INTEGER)"},
    {"weekofyear", "d", 'i', false, "CAST(weekofyear($1) AS INTEGER)"},
    {"dayofweek", "d", 'i', false, "CAST(dayofweek($1) + 1 AS INTEGER)"},
    {"weekday", "d", 'i', false, "CAST(isodow($1) - 1 AS INTEGER)"},
    {"hour", "T", 'i', false, "CAST(hour($1) AS INTEGER)"},
    {"minute", "T", 'i', false, "CAST(minute($1) AS INTEGER)"},
    {"second", "T", 'i', false, "CAST(second($1) AS INTEGER)"},
    {"last_day", "d", 'd', false, "last_day($1)"},
    {"date", "d", 'd', false, "$1"},
    {"to_date", "d", 'd', false, "$1"},
    {"date_add", "di", 'd', true, "CAST($1 + $2 AS DATE)"},
    {"dateadd", "di", 'd', true, "CAST($1 + $2 AS DATE)"},
    {"date_sub", "di", 'd', true, "CAST($1 - $2 AS DATE)"},
    {"datediff", "dd", 'i', false, "CAST($1 - $2 AS INTEGER)"},
    {"date_diff", "dd", 'i', false, "CAST($1 - $2 AS INTEGER)"},
    {"add_months", "di", 'd', true, "CAST($1 + to_months($2) AS DATE)"},
    {"make_date", "iii", 'd', true, "make_date($1, $2, $3)"},
    {"unix_date", "d", 'i', false, "CAST($1 - DATE '1970-01-01' AS INTEGER)"},
    {"unix_timestamp", "t", 'l', false, "(epoch_us($1) // 1000000)"},
    {"unix_seconds", "t", 'l', false, "CAST(floor(epoch_us($1) / 1000000) AS BIGINT)"},
    {"unix_millis", "t", 'l', false, "CAST(floor(epoch_us($1) / 1000) AS BIGINT)"},
    {"unix_micros", "t", 'l', false, "epoch_us($1)"},
    /* text */
    {"char_length", "s", 'i', false, "CAST(length($1) AS INTEGER)"},
    {"character_length", "s", 'i', false, "CAST(length($1) AS INTEGER)"},
    {"octet_length", "s", 'i', false, "CAST(strlen($1) AS INTEGER)"},
    {"lower", "s", 's', true, CHANGED_CASE("lower")},
    {"lcase", "s", 's', true, CHANGED_CASE("lower")},
    {"upper", "s", 's', true, CHANGED_CASE("upper")},
    {"ucase", "s", 's', true, CHANGED_CASE("upper")},
    {"trim", "s", 's', false, "trim($1, ' ')"},
    {"ltrim", "s", 's', false, "ltrim($1, ' ')"},
    {"rtrim", "s", 's', false, "rtrim($1, ' ')"},
    {"left", "si", 's', false, "left($1, greatest($2, 0))"},
    {"right", "si", 's', false, "right($1, greatest($2, 0))"},
    {"replace", "sss", 's', false, "replace($1, $2, $3)"},
    {"translate", "sss", 's', false, "translate($1, $2, $3)"},
    {"instr", "ss", 'i', false, "CAST(instr($1, $2) AS INTEGER)"},
    {"locate", "ss", 'i', false, "CAST(instr($2, $1) AS INTEGER)"},
    {"startswith", "ss", 'b', false, "starts_with($1, $2)"},
    {"endswith", "ss", 'b', false, "suffix($1, $2)"},
    {"contains", "ss", 'b', false, "contains($1, $2)"},
    {"repeat", "si", 's', false, "repeat($1, greatest($2, 0))"},
    {"lpad", "sis", 's', true, "lpad($1, greatest($2, 0), $3)"},
    {"rpad", "sis", 's', true, "rpad($1, greatest($2, 0), $3)"},
    {"md5", "s", 's', false, "md5($1)"},
    {"sha", "s", 's', false, "sha1($1)"},
    {"sha1", "s", 's', false, "sha1($1)"},
    /* numbers */
    {"isnan", "x", 'b', false, "($1 IS NOT NULL AND isnan($1))"},
    {"sqrt", "x", 'x', false, "(CASE WHEN $1 < 0 THEN CAST('nan' AS DOUBLE) ELSE sqrt($1) END)"},
    {"sign", "x", 'x', false, "(CASE WHEN isnan($1) THEN $1 ELSE CAST(sign($1) AS DOUBLE) END)"},
    {"signum", "x", 'x', false, "(CASE WHEN isnan($1) THEN $1 ELSE CAST(sign($1) AS DOUBLE) END)"},
    {"abs", "n", '1', true, "abs($1)"},
    /* NULL */
    {"isnull", "a", 'b', false, "($1 IS NULL)"},
    {"isnotnull", "a", 'b', false, "($1 IS NOT NULL)"},
};

/* ---- Arguments ------------------------------------------------------------------------------- */

static const dw_type *
type_of_letter(char letter)
{
    switch (letter) {
    case 's':
        return dw__spark_type(DW_TYPE_STRING);
    case 'i':
        return dw__spark_type(DW_TYPE_INTEGER);
    case 'l':
        return dw__spark_type(DW_TYPE_LONG);
    case 'x':
        return dw__spark_type(DW_TYPE_DOUBLE);
    case 'd':
        return dw__spark_type(DW_TYPE_DATE);
    case 't':
        return dw__spark_type(DW_TYPE_TIMESTAMP);
    case 'b':
        return dw__spark_type(DW_TYPE_BOOLEAN);
    default:
        dw_unreachable("letter of a type");
    }
}

/* True for what Spark brings to the type by itself, and we do as it does. */
static bool
casts_by_itself(const dw_type *from, char letter)
{
    bool is_time = from->kind == DW_TYPE_DATE || dw__spark_is_time(from);
    switch (letter) {
    case 's':
        return from->kind == DW_TYPE_STRING || dw__spark_is_integer(from) ||
               from->kind == DW_TYPE_DECIMAL || is_time || from->kind == DW_TYPE_BOOLEAN;
    case 'i':
        return dw__spark_is_integer(from) && from->kind != DW_TYPE_LONG;
    case 'l':
        return dw__spark_is_integer(from);
    case 'x':
        return dw__spark_is_number(from);
    case 'd':
    case 't':
        return is_time || from->kind == DW_TYPE_STRING;
    case 'b':
        return from->kind == DW_TYPE_BOOLEAN;
    default:
        return false;
    }
}

static dw_status
wrong_argument(const dw_translator *tr, dw_str name, const dw_type *type)
{
    char text[DW_TYPE_TEXT_SIZE];
    return dw__spark_refuse(tr, "%.*s() of a value of type %s", DW_STR_ARG(name),
                            dw__type_text(type, text));
}

static dw_status
bring(const dw_translator *tr, dw_str name, char letter, dw_operand *argument)
{
    const dw_type *type = argument->type;
    if (letter == 'a' || (letter == 'n' && dw__spark_is_number(type))) {
        return DW_OK;
    }
    if (letter == 'T' && dw__spark_is_time(type)) {
        return DW_OK;
    }
    if (letter == 'T' && type->kind == DW_TYPE_DATE) {
        return dw__spark_cast(tr, argument, dw__spark_type(DW_TYPE_TIMESTAMP_NTZ), argument);
    }
    bool is_typed = letter != 'n' && letter != 'T';
    if (!is_typed || (type->kind != DW_TYPE_VOID && !casts_by_itself(type, letter))) {
        return wrong_argument(tr, name, type);
    }
    return dw__spark_cast(tr, argument, type_of_letter(letter), argument);
}

static dw_status
call_spec(const dw_translator *tr, const function_spec *spec, dw_operand *arguments, size_t count,
          dw_operand *out)
{
    dw_str name = dw__str_from(spec->name);
    for (size_t i = 0; i < count; i++) {
        DW_TRY(bring(tr, name, spec->arguments[i], &arguments[i]));
    }
    const dw_type *type = spec->result == '1' ? arguments[0].type : type_of_letter(spec->result);
    return dw__spark_fill(tr, spec->template, arguments, count, type, spec->may_fail, out);
}

static dw_status
wrong_count(const dw_translator *tr, dw_str name, size_t count)
{
    return dw__spark_refuse(tr, "%.*s() with %zu arguments", DW_STR_ARG(name), count);
}

/* ---- Functions that need more than a template ------------------------------------------------ */

typedef dw_status (*special_call)(dw_translator *tr, dw_str name, dw_operand *arguments,
                                  size_t count, dw_operand *out);

/* Appends name(a, b, ...) over operands of one type. */
static dw_status
call_of_many(dw_translator *tr, const char *engine_name, dw_operand *arguments, size_t count,
             dw_operand *out)
{
    const dw_type *type;
    bool may_fail = false;
    DW_TRY(dw__spark_unify(tr, arguments, count, &type));
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(tr->arena->allocator, DW_EXPRESSION_SQL_BYTES_MAX);
    dw__strbuf_printf(&sql, "%s(", engine_name);
    for (size_t i = 0; i < count; i++) {
        dw__strbuf_append(&sql, i > 0 ? DW_STR(", ") : DW_STR(""));
        dw__strbuf_append(&sql, arguments[i].sql);
        may_fail = may_fail || arguments[i].may_fail;
    }
    dw__strbuf_append_char(&sql, ')');
    DW_TRY(dw__strbuf_ok(&sql, "an expression", tr->err));
    *out = (dw_operand){.type = type, .may_fail = may_fail};
    return dw__arena_dup(tr->arena, dw__strbuf_str(&sql), &out->sql) ? DW_OK
                                                                     : dw__error_oom(tr->err);
}

static dw_status
call_coalesce(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    return count == 0 ? wrong_count(tr, name, count)
                      : call_of_many(tr, "coalesce", arguments, count, out);
}

static dw_status
call_greatest(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    bool is_least = dw__str_equal_nocase(name, DW_STR("least"));
    if (count < 2) {
        return wrong_count(tr, name, count);
    }
    DW_TRY(call_of_many(tr, is_least ? "least" : "greatest", arguments, count, out));
    return dw__type_is_nested(out->type) ? wrong_argument(tr, name, out->type) : DW_OK;
}

static dw_status
call_if(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    const dw_type *type;
    if (count != 3 || arguments[0].type->kind != DW_TYPE_BOOLEAN) {
        return wrong_count(tr, name, count);
    }
    DW_TRY(dw__spark_unify(tr, arguments + 1, 2, &type));
    return dw__spark_fill(tr, "(CASE WHEN $1 THEN $2 ELSE $3 END)", arguments, 3, type, false, out);
}

static dw_status
call_nvl2(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    const dw_type *type;
    if (count != 3) {
        return wrong_count(tr, name, count);
    }
    DW_TRY(dw__spark_unify(tr, arguments + 1, 2, &type));
    return dw__spark_fill(tr, "(CASE WHEN $1 IS NOT NULL THEN $2 ELSE $3 END)", arguments, 3, type,
                          false, out);
}

static dw_status
call_nullif(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    dw_operand sides[2];
    if (count != 2) {
        return wrong_count(tr, name, count);
    }
    sides[1] = arguments[0];
    DW_TRY(dw__spark_compare(tr, DW_STR("="), &arguments[0], &arguments[1], &sides[0]));
    return dw__spark_fill(tr, "(CASE WHEN $1 THEN NULL ELSE $2 END)", sides, 2, arguments[0].type,
                          false, out);
}

static dw_status
call_concat(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    for (size_t i = 0; i < count; i++) {
        DW_TRY(bring(tr, name, 's', &arguments[i]));
    }
    return count == 0 ? wrong_count(tr, name, count) : dw__spark_concat(tr, arguments, count, out);
}

static dw_status
call_length(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    if (count != 1) {
        return wrong_count(tr, name, count);
    }
    bool is_binary = arguments[0].type->kind == DW_TYPE_BINARY;
    if (!is_binary) {
        DW_TRY(bring(tr, name, 's', &arguments[0]));
    }
    return dw__spark_fill(
        tr, is_binary ? "CAST(octet_length($1) AS INTEGER)" : "CAST(length($1) AS INTEGER)",
        arguments, 1, dw__spark_type(DW_TYPE_INTEGER), false, out);
}

/* Spark counts position 0 as 1, and negative ones from the end. */
static dw_status
call_substring(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    if (count != 2 && count != 3) {
        return wrong_count(tr, name, count);
    }
    DW_TRY(bring(tr, name, 's', &arguments[0]));
    DW_TRY(bring(tr, name, 'i', &arguments[1]));
    if (count == 2) {
        DW_TRY(dw__spark_number(tr, DW_STR("2147483647"), &arguments[2]));
    }
    DW_TRY(bring(tr, name, 'i', &arguments[2]));
    return dw__spark_fill(
        tr,
        "(CASE WHEN $3 <= 0 THEN CASE WHEN $1 IS NULL OR $2 IS NULL THEN NULL ELSE '' END"
        " WHEN $2 > 0 THEN substring($1, $2, $3) WHEN $2 = 0 THEN substring($1, 1, $3)"
        " WHEN length($1) + $2 >= 0 THEN substring($1, length($1) + $2 + 1, $3)"
        " ELSE substring($1, 1, greatest(length($1) + $2 + CAST($3 AS BIGINT), 0)) END)",
        arguments, 3, dw__spark_type(DW_TYPE_STRING), false, out);
}

/* floor() and ceil() of a float are bigint in Spark, of a decimal a decimal without scale. */
static dw_status
call_floor(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    bool is_floor = dw__str_equal_nocase(name, DW_STR("floor"));
    if (count != 1) {
        return wrong_count(tr, name, count);
    }
    const dw_type *from = arguments[0].type;
    const dw_type *type = dw__spark_type(DW_TYPE_LONG);
    if (dw__spark_is_integer(from)) {
        return dw__spark_cast(tr, &arguments[0], type, out);
    }
    if (from->kind == DW_TYPE_DECIMAL) {
        int digits = from->precision - from->scale + 1;
        uint8_t precision =
            digits > DW_DECIMAL_PRECISION_MAX ? DW_DECIMAL_PRECISION_MAX : (uint8_t) digits;
        type = dw__type_make_decimal(tr->arena, precision, 0);
        if (type == NULL) {
            return dw__error_oom(tr->err);
        }
    } else if (!dw__spark_is_float(from)) {
        return wrong_argument(tr, name, from);
    }
    return dw__spark_fill(tr, is_floor ? "CAST(floor($1) AS $t)" : "CAST(ceil($1) AS $t)",
                          arguments, 1, type, true, out);
}

/* Of decimals only: floats are rounded by their digits in Spark. */
static dw_status
call_round(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    int64_t places = 0;
    if (count != 1 && count != 2) {
        return wrong_count(tr, name, count);
    }
    const dw_type *from = arguments[0].type;
    bool is_constant =
        count == 1 || (arguments[1].is_constant && dw__str_to_i64(arguments[1].text, &places));
    if (from->kind != DW_TYPE_DECIMAL || !is_constant || places < 0) {
        return wrong_argument(tr, name, from);
    }
    int scale = places < from->scale ? (int) places : from->scale;
    int precision = from->precision - from->scale + scale + 1;
    if (precision > DW_DECIMAL_PRECISION_MAX) {
        return wrong_argument(tr, name, from);
    }
    const dw_type *type = dw__type_make_decimal(tr->arena, (uint8_t) precision, (uint8_t) scale);
    return type == NULL ? dw__error_oom(tr->err)
                        : dw__spark_fill(tr, "CAST($1 AS $t)", arguments, 1, type, true, out);
}

/* The number of elements; NULL of NULL, as ANSI has it. */
static dw_status
call_size(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    if (count != 1) {
        return wrong_count(tr, name, count);
    }
    dw_type_kind kind = arguments[0].type->kind;
    if (kind != DW_TYPE_ARRAY && kind != DW_TYPE_MAP) {
        return wrong_argument(tr, name, arguments[0].type);
    }
    return dw__spark_fill(
        tr, kind == DW_TYPE_MAP ? "CAST(cardinality($1) AS INTEGER)" : "CAST(len($1) AS INTEGER)",
        arguments, 1, dw__spark_type(DW_TYPE_INTEGER), false, out);
}

static dw_status
call_mod(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    return count != 2 ? wrong_count(tr, name, count)
                      : dw__spark_arithmetic(tr, DW_STR("%"), &arguments[0], &arguments[1], out);
}

static dw_status
call_rlike(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    dw_str pattern;
    if (count != 2) {
        return wrong_count(tr, name, count);
    }
    DW_TRY(bring(tr, name, 's', &arguments[0]));
    if (!arguments[1].is_constant || arguments[1].type->kind != DW_TYPE_STRING) {
        return dw__spark_refuse(tr, "a regular expression that is no literal");
    }
    DW_TRY(dw__spark_regexp(tr, arguments[1].text, &pattern));
    DW_TRY(dw__spark_string(tr, pattern, &arguments[1]));
    return dw__spark_fill(tr, "regexp_matches($1, $2)", arguments, 2,
                          dw__spark_type(DW_TYPE_BOOLEAN), false, out);
}

static dw_status
call_date_format(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count,
                 dw_operand *out)
{
    dw_str pattern;
    if (count != 2) {
        return wrong_count(tr, name, count);
    }
    DW_TRY(bring(tr, name, 'T', &arguments[0]));
    if (!arguments[1].is_constant || arguments[1].type->kind != DW_TYPE_STRING) {
        return dw__spark_refuse(tr, "a date pattern that is no literal");
    }
    DW_TRY(dw__spark_date_pattern(tr, arguments[1].text, &pattern));
    DW_TRY(dw__spark_string(tr, pattern, &arguments[1]));
    return dw__spark_fill(tr, "strftime(CAST($1 AS TIMESTAMP), $2)", arguments, 2,
                          dw__spark_type(DW_TYPE_STRING), false, out);
}

/* The engine's name of a unit that Spark spells in several ways; NULL when it is unknown. */
static const char *
unit_name(dw_str text)
{
    static const struct {
        const char *spelled;
        const char *unit;
    } units[] = {{"year", "year"},
                 {"yyyy", "year"},
                 {"yy", "year"},
                 {"quarter", "quarter"},
                 {"month", "month"},
                 {"mon", "month"},
                 {"mm", "month"},
                 {"week", "week"},
                 {"day", "day"},
                 {"dd", "day"},
                 {"hour", "hour"},
                 {"minute", "minute"},
                 {"second", "second"},
                 {"millisecond", "milliseconds"},
                 {"microsecond", "microseconds"}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (dw__str_equal_nocase(text, dw__str_from(units[i].spelled))) {
            return units[i].unit;
        }
    }
    return NULL;
}

/* trunc(date, unit) and date_trunc(unit, timestamp) */
static dw_status
call_trunc(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    bool is_date = dw__str_equal_nocase(name, DW_STR("trunc"));
    if (count != 2) {
        return wrong_count(tr, name, count);
    }
    dw_operand sides[2] = {arguments[is_date ? 0 : 1], arguments[is_date ? 1 : 0]};
    const char *unit = sides[1].is_constant ? unit_name(sides[1].text) : NULL;
    bool is_coarse = unit != NULL && (strcmp(unit, "year") == 0 || strcmp(unit, "quarter") == 0 ||
                                      strcmp(unit, "month") == 0 || strcmp(unit, "week") == 0);
    if (unit == NULL || (is_date && !is_coarse)) {
        return dw__spark_refuse(tr, "%.*s() with this unit", DW_STR_ARG(name));
    }
    DW_TRY(bring(tr, name, is_date ? 'd' : 't', &sides[0]));
    DW_TRY(dw__spark_string(tr, dw__str_from(unit), &sides[1]));
    return dw__spark_fill(tr, is_date ? "CAST(date_trunc($2, $1) AS DATE)" : "date_trunc($2, $1)",
                          sides, 2, dw__spark_type(is_date ? DW_TYPE_DATE : DW_TYPE_TIMESTAMP),
                          false, out);
}

static dw_status
call_now(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    (void) arguments;
    if (count != 0) {
        return wrong_count(tr, name, count);
    }
    tr->result->is_deterministic = false;
    if (dw__str_equal_nocase(name, DW_STR("current_date")) ||
        dw__str_equal_nocase(name, DW_STR("curdate"))) {
        return dw__spark_fill(tr, "CAST(now() AS DATE)", NULL, 0, dw__spark_type(DW_TYPE_DATE),
                              false, out);
    }
    bool is_local = dw__str_equal_nocase(name, DW_STR("localtimestamp"));
    return dw__spark_fill(tr, is_local ? "CAST(now() AS TIMESTAMP)" : "now()", NULL, 0,
                          dw__spark_type(is_local ? DW_TYPE_TIMESTAMP_NTZ : DW_TYPE_TIMESTAMP),
                          false, out);
}

static const struct {
    const char *name;
    special_call call;
} specials[] = {
    {"coalesce", call_coalesce},
    {"nvl", call_coalesce},
    {"ifnull", call_coalesce},
    {"greatest", call_greatest},
    {"least", call_greatest},
    {"if", call_if},
    {"nvl2", call_nvl2},
    {"nullif", call_nullif},
    {"concat", call_concat},
    {"length", call_length},
    {"len", call_length},
    {"substring", call_substring},
    {"substr", call_substring},
    {"floor", call_floor},
    {"ceil", call_floor},
    {"ceiling", call_floor},
    {"round", call_round},
    {"size", call_size},
    {"cardinality", call_size},
    {"mod", call_mod},
    {"rlike", call_rlike},
    {"regexp", call_rlike},
    {"regexp_like", call_rlike},
    {"date_format", call_date_format},
    {"trunc", call_trunc},
    {"date_trunc", call_trunc},
    {"current_date", call_now},
    {"curdate", call_now},
    {"current_timestamp", call_now},
    {"now", call_now},
    {"localtimestamp", call_now},
};

/* ---- The call -------------------------------------------------------------------------------- */

dw_status
dw__spark_call(dw_translator *tr, dw_str name, dw_operand *arguments, size_t count, dw_operand *out)
{
    bool is_known = false;
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
        if (dw__str_equal_nocase(name, dw__str_from(specials[i].name))) {
            return specials[i].call(tr, name, arguments, count, out);
        }
    }
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        if (dw__str_equal_nocase(name, dw__str_from(specs[i].name))) {
            is_known = true;
            if (strlen(specs[i].arguments) == count) {
                return call_spec(tr, &specs[i], arguments, count, out);
            }
        }
    }
    return is_known ? wrong_count(tr, name, count)
                    : dw__spark_refuse(tr, "the function %.*s()", DW_STR_ARG(name));
}
