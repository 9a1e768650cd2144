/*
 * Literals, columns and their fields, casts, CASE, calls.
 */
#include "base/assert.h"
#include "engine/database.h"
#include "expression/parse.h"
#include "scan/scan.h"

#include <stdio.h>

/* ---- Types ----------------------------------------------------------------------------------- */

static dw_status
parse_decimal_type(dw_translator *tr, const dw_type **out)
{
    int64_t parts[2] = {10, 0};
    if (dw__spark_accept_symbol(tr, "(")) {
        for (size_t i = 0; i < 2; i++) {
            if (!dw__str_to_i64(dw__spark_peek(tr, 0)->text, &parts[i])) {
                return dw__spark_expected(tr, "a number");
            }
            tr->pos++;
            if (!dw__spark_accept_symbol(tr, ",")) {
                break;
            }
        }
        DW_TRY(dw__spark_expect_symbol(tr, ")"));
    }
    if (parts[0] < 1 || parts[0] > DW_DECIMAL_PRECISION_MAX || parts[1] < 0 ||
        parts[1] > parts[0]) {
        return dw__spark_invalid(tr, "there is no such decimal type");
    }
    *out = dw__type_make_decimal(tr->arena, (uint8_t) parts[0], (uint8_t) parts[1]);
    return *out == NULL ? dw__error_oom(tr->err) : DW_OK;
}

static dw_status
parse_type(dw_translator *tr, const dw_type **out)
{
    static const struct {
        const char *word;
        dw_type_kind kind;
    } types[] = {
        {"string", DW_TYPE_STRING},
        {"bigint", DW_TYPE_LONG},
        {"long", DW_TYPE_LONG},
        {"int", DW_TYPE_INTEGER},
        {"integer", DW_TYPE_INTEGER},
        {"smallint", DW_TYPE_SHORT},
        {"short", DW_TYPE_SHORT},
        {"tinyint", DW_TYPE_BYTE},
        {"byte", DW_TYPE_BYTE},
        {"double", DW_TYPE_DOUBLE},
        {"float", DW_TYPE_FLOAT},
        {"real", DW_TYPE_FLOAT},
        {"boolean", DW_TYPE_BOOLEAN},
        {"binary", DW_TYPE_BINARY},
        {"date", DW_TYPE_DATE},
        {"timestamp", DW_TYPE_TIMESTAMP},
        {"timestamp_ltz", DW_TYPE_TIMESTAMP},
        {"timestamp_ntz", DW_TYPE_TIMESTAMP_NTZ},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (dw__spark_accept_word(tr, types[i].word)) {
            *out = dw__spark_type(types[i].kind);
            return DW_OK;
        }
    }
    if (dw__spark_accept_word(tr, "decimal") || dw__spark_accept_word(tr, "dec") ||
        dw__spark_accept_word(tr, "numeric")) {
        return parse_decimal_type(tr, out);
    }
    return dw__spark_refuse(tr, "a cast to %.*s", DW_STR_ARG(dw__spark_peek(tr, 0)->text));
}

/* ---- Columns --------------------------------------------------------------------------------- */

static bool
is_name(const dw_spark_token *token)
{
    return token->kind == DW_SPARK_WORD || token->kind == DW_SPARK_NAME;
}

static dw_status
find_column(dw_translator *tr, dw_operand *out)
{
    dw_str name = dw__spark_peek(tr, 0)->text;
    if (tr->schema == NULL) {
        return dw__spark_invalid(tr, "%.*s names a column, which cannot be done here",
                                 DW_STR_ARG(name));
    }
    size_t idx = dw__schema_find_idx(tr->schema, name);
    if (idx == SIZE_MAX) {
        return dw__spark_invalid(tr, "the table has no column %.*s", DW_STR_ARG(name));
    }
    const dw_field *field = &tr->schema->fields[idx];
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(tr->arena->allocator, DW_EXPRESSION_SQL_BYTES_MAX);
    dw__sql_put_identifier(&sql, field->name);
    DW_TRY(dw__strbuf_ok(&sql, "a column's name", tr->err));
    *out = (dw_operand){.type = field->type};
    tr->result->uses[idx] = true;
    tr->pos++;
    return dw__arena_dup(tr->arena, dw__strbuf_str(&sql), &out->sql) ? DW_OK
                                                                     : dw__error_oom(tr->err);
}

/* .field, behind a struct */
static dw_status
parse_field(dw_translator *tr, dw_operand *out)
{
    const dw_spark_token *token = dw__spark_peek(tr, 0);
    if (!is_name(token)) {
        return dw__spark_expected(tr, "the name of a field");
    }
    if (out->type->kind != DW_TYPE_STRUCT) {
        return dw__spark_refuse(tr, "a field of what is no struct");
    }
    const dw_field *field = dw__schema_find(out->type, token->text);
    if (field == NULL) {
        return dw__spark_invalid(tr, "the struct has no field %.*s", DW_STR_ARG(token->text));
    }
    dw_operand sides[2] = {*out};
    DW_TRY(dw__spark_string(tr, field->name, &sides[1]));
    tr->pos++;
    return dw__spark_fill(tr, "struct_extract($1, $2)", sides, 2, field->type, false, out);
}

/* [index], behind an array or map */
static dw_status
parse_index(dw_translator *tr, dw_operand *out)
{
    dw_operand sides[2] = {*out};
    DW_TRY(dw__spark_parse(tr, &sides[1]));
    DW_TRY(dw__spark_expect_symbol(tr, "]"));
    if (out->type->kind == DW_TYPE_ARRAY && dw__spark_is_integer(sides[1].type)) {
        DW_TRY(dw__spark_cast(tr, &sides[1], dw__spark_type(DW_TYPE_LONG), &sides[1]));
        return dw__spark_fill(tr,
                              "(CASE WHEN $2 < 0 OR $2 >= len($1) THEN error('" DW_EXPRESSION_MARK
                              "EXPRESSION_VALUE:an expression of the table asks for an element "
                              "that its array does not have') ELSE list_extract($1, $2 + 1) END)",
                              sides, 2, out->type->element, true, out);
    }
    if (out->type->kind == DW_TYPE_MAP && !dw__type_is_nested(out->type->key)) {
        DW_TRY(dw__spark_cast(tr, &sides[1], out->type->key, &sides[1]));
        return dw__spark_fill(tr, "map_extract_value($1, $2)", sides, 2, out->type->element, false,
                              out);
    }
    return dw__spark_refuse(tr, "[] behind what is no array or map");
}

/* ---- Special forms --------------------------------------------------------------------------- */

static dw_status
parse_cast(dw_translator *tr, dw_operand *out)
{
    const dw_type *type;
    DW_TRY(dw__spark_expect_symbol(tr, "("));
    DW_TRY(dw__spark_parse(tr, out));
    DW_TRY(dw__spark_expect_word(tr, "AS"));
    DW_TRY(parse_type(tr, &type));
    DW_TRY(dw__spark_expect_symbol(tr, ")"));
    return dw__spark_cast(tr, out, type, out);
}

/* EXTRACT(YEAR FROM x) is year(x). */
static dw_status
parse_extract(dw_translator *tr, dw_operand *out)
{
    DW_TRY(dw__spark_expect_symbol(tr, "("));
    dw_str part = dw__spark_peek(tr, 0)->text;
    tr->pos += dw__spark_peek(tr, 0)->kind == DW_SPARK_END ? 0 : 1;
    DW_TRY(dw__spark_expect_word(tr, "FROM"));
    DW_TRY(dw__spark_parse(tr, out));
    DW_TRY(dw__spark_expect_symbol(tr, ")"));
    static const char *const parts[] = {"year", "quarter", "month", "day", "hour", "minute"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (dw__str_equal_nocase(part, dw__str_from(parts[i]))) {
            return dw__spark_call(tr, dw__str_from(parts[i]), out, 1, out);
        }
    }
    return dw__spark_refuse(tr, "EXTRACT(%.*s FROM ...)", DW_STR_ARG(part));
}

typedef struct case_branches {
    dw_operand *conditions;
    dw_operand *values; /* the ELSE at the end */
    size_t count;
} case_branches;

static dw_status
parse_branches(dw_translator *tr, const dw_operand *subject, case_branches *branches)
{
    while (dw__spark_accept_word(tr, "WHEN")) {
        if (branches->count == DW_EXPRESSION_ITEMS_MAX) {
            return dw__spark_refuse(tr, "CASE with more than %d branches", DW_EXPRESSION_ITEMS_MAX);
        }
        dw_operand *condition = &branches->conditions[branches->count];
        DW_TRY(dw__spark_parse(tr, condition));
        if (subject != NULL) {
            DW_TRY(dw__spark_compare(tr, DW_STR("="), subject, condition, condition));
        }
        DW_TRY(dw__spark_expect_word(tr, "THEN"));
        DW_TRY(dw__spark_parse(tr, &branches->values[branches->count]));
        branches->count++;
    }
    dw_operand *last = &branches->values[branches->count];
    *last = (dw_operand){.sql = DW_STR("NULL"), .type = dw__spark_type(DW_TYPE_VOID)};
    if (dw__spark_accept_word(tr, "ELSE")) {
        DW_TRY(dw__spark_parse(tr, last));
    }
    return dw__spark_expect_word(tr, "END");
}

static dw_status
print_case(dw_translator *tr, case_branches *branches, dw_operand *out)
{
    const dw_type *type;
    bool may_fail = false;
    DW_TRY(dw__spark_unify(tr, branches->values, branches->count + 1, &type));
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(tr->arena->allocator, DW_EXPRESSION_SQL_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "(CASE");
    for (size_t i = 0; i <= branches->count; i++) {
        const dw_operand *value = &branches->values[i];
        may_fail = may_fail || value->may_fail;
        if (i < branches->count) {
            const dw_operand *condition = &branches->conditions[i];
            may_fail = may_fail || condition->may_fail;
            if (condition->type->kind != DW_TYPE_BOOLEAN) {
                return dw__spark_invalid(tr, "expected a condition behind WHEN");
            }
            dw__strbuf_printf(&sql, " WHEN %.*s THEN ", DW_STR_ARG(condition->sql));
        } else {
            dw__strbuf_append_literal(&sql, " ELSE ");
        }
        dw__strbuf_append(&sql, value->sql);
    }
    dw__strbuf_append_literal(&sql, " END)");
    DW_TRY(dw__strbuf_ok(&sql, "an expression", tr->err));
    *out = (dw_operand){.type = type, .may_fail = may_fail};
    return dw__arena_dup(tr->arena, dw__strbuf_str(&sql), &out->sql) ? DW_OK
                                                                     : dw__error_oom(tr->err);
}

static dw_status
parse_case(dw_translator *tr, dw_operand *out)
{
    dw_operand subject;
    case_branches branches = {.count = 0};
    branches.conditions = DW_ARENA_ARRAY(tr->arena, dw_operand, DW_EXPRESSION_ITEMS_MAX);
    branches.values = DW_ARENA_ARRAY(tr->arena, dw_operand, DW_EXPRESSION_ITEMS_MAX + 1);
    if (branches.conditions == NULL || branches.values == NULL) {
        return dw__error_oom(tr->err);
    }
    bool has_subject = !dw__spark_is_word(tr, 0, "WHEN");
    if (has_subject) {
        DW_TRY(dw__spark_parse(tr, &subject));
    }
    DW_TRY(parse_branches(tr, has_subject ? &subject : NULL, &branches));
    return print_case(tr, &branches, out);
}

/* ---- Calls ----------------------------------------------------------------------------------- */

/* name(argument, ...), also SUBSTRING(x FROM a FOR b) */
static dw_status
parse_call(dw_translator *tr, dw_operand *out)
{
    enum { ARGUMENTS_MAX = 64 };
    dw_operand arguments[ARGUMENTS_MAX];
    size_t count = 0;
    dw_str name = dw__spark_peek(tr, 0)->text;
    tr->pos += 2;
    if (dw__spark_is_word(tr, 0, "BOTH") || dw__spark_is_word(tr, 0, "LEADING") ||
        dw__spark_is_word(tr, 0, "TRAILING")) {
        return dw__spark_refuse(tr, "trim with %.*s", DW_STR_ARG(dw__spark_peek(tr, 0)->text));
    }
    while (!dw__spark_is_symbol(tr, 0, ")")) {
        if (count == ARGUMENTS_MAX) {
            return dw__spark_refuse(tr, "a call with more than %d arguments", ARGUMENTS_MAX);
        }
        DW_TRY(dw__spark_parse(tr, &arguments[count]));
        count++;
        bool goes_on = dw__spark_accept_symbol(tr, ",") || dw__spark_accept_word(tr, "FROM") ||
                       dw__spark_accept_word(tr, "FOR");
        if (!goes_on && !dw__spark_is_symbol(tr, 0, ")")) {
            return dw__spark_expected(tr, "\",\" or \")\"");
        }
    }
    tr->pos++;
    return dw__spark_call(tr, name, arguments, count, out);
}

/* DATE '2024-01-31' and its kin: a word with a string behind it. */
static dw_status
parse_typed_literal(dw_translator *tr, dw_operand *out)
{
    static const struct {
        const char *word;
        dw_type_kind kind;
    } kinds[] = {{"date", DW_TYPE_DATE},
                 {"timestamp", DW_TYPE_TIMESTAMP},
                 {"timestamp_ltz", DW_TYPE_TIMESTAMP},
                 {"timestamp_ntz", DW_TYPE_TIMESTAMP_NTZ}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (dw__spark_accept_word(tr, kinds[i].word)) {
            DW_TRY(dw__spark_string(tr, dw__spark_peek(tr, 0)->text, out));
            tr->pos++;
            return dw__spark_cast(tr, out, dw__spark_type(kinds[i].kind), out);
        }
    }
    return dw__spark_refuse(tr, "a literal of type %.*s", DW_STR_ARG(dw__spark_peek(tr, 0)->text));
}

static dw_status
parse_word(dw_translator *tr, dw_operand *out)
{
    static const char *const times[] = {"current_date", "current_timestamp", "localtimestamp"};
    if (dw__spark_is_word(tr, 0, "NULL")) {
        tr->pos++;
        *out = (dw_operand){.sql = DW_STR("NULL"), .type = dw__spark_type(DW_TYPE_VOID)};
        return DW_OK;
    }
    if (dw__spark_is_word(tr, 0, "TRUE") || dw__spark_is_word(tr, 0, "FALSE")) {
        bool value = dw__spark_is_word(tr, 0, "TRUE");
        tr->pos++;
        *out = (dw_operand){.sql = value ? DW_STR("true") : DW_STR("false"),
                            .type = dw__spark_type(DW_TYPE_BOOLEAN)};
        return DW_OK;
    }
    if (dw__spark_accept_word(tr, "CASE")) {
        return parse_case(tr, out);
    }
    if (dw__spark_peek(tr, 1)->kind == DW_SPARK_STRING) {
        return parse_typed_literal(tr, out);
    }
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        if (dw__spark_is_word(tr, 0, times[i]) &&
            (tr->schema == NULL || dw__schema_find(tr->schema, dw__str_from(times[i])) == NULL)) {
            tr->pos++;
            return dw__spark_call(tr, dw__str_from(times[i]), NULL, 0, out);
        }
    }
    return find_column(tr, out);
}

static dw_status
parse_atom(dw_translator *tr, dw_operand *out)
{
    const dw_spark_token *token = dw__spark_peek(tr, 0);
    if (token->kind == DW_SPARK_STRING) {
        tr->pos++;
        return dw__spark_string(tr, token->text, out);
    }
    if (token->kind == DW_SPARK_NUMBER) {
        tr->pos++;
        return dw__spark_number(tr, token->text, out);
    }
    if (dw__spark_accept_symbol(tr, "(")) {
        DW_TRY(dw__spark_parse(tr, out));
        return dw__spark_expect_symbol(tr, ")");
    }
    if (!is_name(token)) {
        return dw__spark_expected(tr, "a value");
    }
    if (dw__spark_is_symbol(tr, 1, "(")) {
        if (dw__spark_accept_word(tr, "CAST")) {
            return parse_cast(tr, out);
        }
        return dw__spark_accept_word(tr, "EXTRACT") ? parse_extract(tr, out) : parse_call(tr, out);
    }
    return token->kind == DW_SPARK_NAME ? find_column(tr, out) : parse_word(tr, out);
}

dw_status
dw__spark_parse_primary(dw_translator *tr, dw_operand *out)
{
    DW_TRY(parse_atom(tr, out));
    for (;;) {
        const dw_type *type;
        if (dw__spark_accept_symbol(tr, ".")) {
            DW_TRY(parse_field(tr, out));
        } else if (dw__spark_accept_symbol(tr, "[")) {
            DW_TRY(parse_index(tr, out));
        } else if (dw__spark_accept_symbol(tr, "::")) {
            DW_TRY(parse_type(tr, &type));
            DW_TRY(dw__spark_cast(tr, out, type, out));
        } else {
            return DW_OK;
        }
    }
}

/* ---- The whole ------------------------------------------------------------------------------- */

dw_status
dw__expression_translate(dw_str text, const dw_type *schema, dw_arena *arena, dw_expression *out,
                         dw_error *err)
{
    dw_spark_token *tokens;
    size_t column_count = schema == NULL ? 0 : schema->field_count;
    *out = (dw_expression){.text = text, .is_deterministic = true, .use_count = column_count};
    out->uses = DW_ARENA_ARRAY(arena, bool, column_count + 1);
    if (out->uses == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(dw__spark_tokens(text, arena, &tokens, err));
    dw_translator tr = {
        .tokens = tokens, .schema = schema, .result = out, .arena = arena, .err = err};
    dw_operand operand;
    DW_TRY(dw__spark_parse(&tr, &operand));
    if (dw__spark_peek(&tr, 0)->kind != DW_SPARK_END) {
        return dw__spark_expected(&tr, "the end of the expression");
    }
    out->sql = operand.sql;
    out->type = operand.type;
    return DW_OK;
}

dw_status
dw__expression_cast(dw_expression *expression, const dw_type *type, dw_arena *arena, dw_error *err)
{
    dw_translator tr = {.result = expression, .arena = arena, .err = err};
    dw_operand operand = {.sql = expression->sql, .type = expression->type};
    DW_TRY(dw__spark_cast(&tr, &operand, type, &operand));
    expression->sql = operand.sql;
    expression->type = operand.type;
    return DW_OK;
}
