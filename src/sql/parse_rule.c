/*
 * How a column gets its values: DEFAULT expression, GENERATED ALWAYS AS (expression), GENERATED
 * ALWAYS | BY DEFAULT AS IDENTITY. All of it becomes the column's metadata. PROTOCOL.md "Default
 * Columns", "Generated Columns", "Identity Columns".
 */
#include "sql/parse_rule.h"

#include "codec/json.h"
#include "sql/spark_text.h"

#define RULE_BYTES_MAX ((size_t) 1 << 20)

static dw_status
expect_text(dw_parser *parser, const char *word)
{
    return dw__parser_accept_word(parser, word) ? DW_OK : dw__parser_fail(parser, word);
}

/* A column has one rule at most. */
static dw_status
check_is_first(const dw_parser *parser, const dw_field *field)
{
    static const char *const keys[] = {
        "\"CURRENT_DEFAULT\":", "\"delta.generationExpression\":", "\"delta.identity.start\":"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        dw_str key = dw__str_from(keys[i]);
        if (memmem(field->metadata_json.ptr, field->metadata_json.len, key.ptr, key.len) != NULL) {
            return dw__parser_refuse(parser, parser->pos, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                     "column \"%.*s\" has a DEFAULT or GENERATED already",
                                     DW_STR_ARG(field->name));
        }
    }
    return DW_OK;
}

/* The text of a range as a string of the column's metadata. */
static dw_status
put_expression(dw_parser *parser, dw_field *field, dw_str key, dw_sql_range range)
{
    dw_str text;
    DW_TRY(dw__sql_spark_text(parser->sql, range, parser->arena, &text, parser->err));
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(parser->arena->allocator, RULE_BYTES_MAX);
    dw__json_put_string(&json, text);
    DW_TRY(dw__strbuf_ok(&json, "an expression", parser->err));
    return dw__sql_field_put(field, key, dw__strbuf_str(&json), parser->arena, parser->err);
}

/* ---- DEFAULT --------------------------------------------------------------------------------- */

/* True where an expression ends because another attribute of the column begins. */
static bool
begins_attribute(const dw_parser *parser, size_t first)
{
    bool is_negation = dw__parser_is(parser, DW_KEYWORD_NOT) &&
                       dw__parser_is_at(parser, 1, DW_KEYWORD_NULL) && parser->pos > first &&
                       parser->sql->items[parser->pos - 1].keyword != DW_KEYWORD_IS;
    bool is_place =
        dw__parser_is_word_at(parser, 0, "AFTER") ||
        (dw__parser_is_word_at(parser, 0, "FIRST") && !dw__parser_is_symbol_at(parser, 1, "("));
    bool is_dry_run =
        dw__parser_is_word_at(parser, 0, "DRY") && dw__parser_is_word_at(parser, 1, "RUN");
    return is_negation || is_place || is_dry_run || dw__parser_is(parser, DW_KEYWORD_COMMENT) ||
           dw__parser_is(parser, DW_KEYWORD_GENERATED) || dw__parser_is(parser, DW_KEYWORD_DEFAULT);
}

dw_status
dw__parse_default(dw_parser *parser, dw_sql_range *out)
{
    size_t first = parser->pos;
    size_t depth = 0;
    for (; !dw__parser_at_end(parser); parser->pos++) {
        bool closes = dw__parser_is_symbol(parser, ")") || dw__parser_is_symbol(parser, "]");
        bool is_end =
            closes || dw__parser_is_symbol(parser, ",") || begins_attribute(parser, first);
        if (depth == 0 && is_end) {
            break;
        }
        bool opens = dw__parser_is_symbol(parser, "(") || dw__parser_is_symbol(parser, "[");
        depth += opens ? 1 : 0;
        depth -= closes ? 1 : 0;
    }
    if (parser->pos == first) {
        return dw__parser_fail(parser, "the expression of the default");
    }
    *out = (dw_sql_range){first, parser->pos};
    return DW_OK;
}

static dw_status
parse_default(dw_parser *parser, dw_field *field)
{
    dw_sql_range range;
    DW_TRY(dw__parse_default(parser, &range));
    return put_expression(parser, field, DW_STR("CURRENT_DEFAULT"), range);
}

/* ---- GENERATED ------------------------------------------------------------------------------- */

/* An integer with its sign. */
static dw_status
parse_integer(dw_parser *parser, int64_t *out)
{
    bool is_negative = dw__parser_accept_symbol(parser, "-");
    dw_str text = dw__token_text(parser->sql, parser->pos);
    dw_str digits =
        dw__arena_printf(parser->arena, "%s%.*s", is_negative ? "-" : "", DW_STR_ARG(text));
    if (dw__str_is_null(digits)) {
        return dw__error_oom(parser->err);
    }
    if (dw__parser_peek(parser, 0)->kind != DW_TOKEN_NUMBER || !dw__str_to_i64(digits, out)) {
        return dw__parser_fail(parser, "an integer of 64 bits");
    }
    parser->pos++;
    return DW_OK;
}

/* ( START WITH n INCREMENT BY n ), each at most once, in any order */
static dw_status
parse_sequence(dw_parser *parser, int64_t *start, int64_t *step)
{
    bool has_start = false;
    bool has_step = false;
    while (!dw__parser_accept_symbol(parser, ")")) {
        if (!has_start && dw__parser_is_word_at(parser, 0, "START")) {
            parser->pos++;
            has_start = true;
            DW_TRY(expect_text(parser, "WITH"));
            DW_TRY(parse_integer(parser, start));
        } else if (!has_step && dw__parser_is_word_at(parser, 0, "INCREMENT")) {
            parser->pos++;
            has_step = true;
            DW_TRY(expect_text(parser, "BY"));
            DW_TRY(parse_integer(parser, step));
        } else {
            return dw__parser_fail(parser, "START WITH, INCREMENT BY or \")\"");
        }
    }
    return DW_OK;
}

static dw_status
parse_identity(dw_parser *parser, dw_field *field, bool by_default)
{
    int64_t start = 1;
    int64_t step = 1;
    size_t idx = parser->pos - 1;
    if (dw__parser_accept_symbol(parser, "(")) {
        DW_TRY(parse_sequence(parser, &start, &step));
    }
    if (step == 0) {
        return dw__parser_refuse(parser, idx, DW_INVALID_ARGUMENT, "IDENTITY_INVALID",
                                 "INCREMENT BY 0 would give every row the same value");
    }
    if (field->type->kind != DW_TYPE_LONG) {
        return dw__parser_refuse(parser, idx, DW_INVALID_ARGUMENT, "IDENTITY_INVALID",
                                 "expected the type BIGINT for the identity column \"%.*s\"",
                                 DW_STR_ARG(field->name));
    }
    const struct {
        dw_str key;
        dw_str json;
    } members[] = {
        {DW_STR("delta.identity.start"),
         dw__arena_printf(parser->arena, "%lld", (long long) start)},
        {DW_STR("delta.identity.step"), dw__arena_printf(parser->arena, "%lld", (long long) step)},
        {DW_STR("delta.identity.allowExplicitInsert"),
         by_default ? DW_STR("true") : DW_STR("false")},
    };
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (dw__str_is_null(members[i].json)) {
            return dw__error_oom(parser->err);
        }
        DW_TRY(
            dw__sql_field_put(field, members[i].key, members[i].json, parser->arena, parser->err));
    }
    return DW_OK;
}

/* Behind GENERATED */
static dw_status
parse_generated(dw_parser *parser, dw_field *field)
{
    bool always = dw__parser_accept(parser, DW_KEYWORD_ALWAYS);
    if (!always) {
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_BY));
        DW_TRY(dw__parser_expect(parser, DW_KEYWORD_DEFAULT));
    }
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_AS));
    if (dw__parser_is_word_at(parser, 0, "IDENTITY")) {
        parser->pos++;
        return parse_identity(parser, field, !always);
    }
    size_t first = parser->pos + 1;
    if (!always || !dw__parser_is_symbol(parser, "(")) {
        return dw__parser_fail(parser,
                               always ? "IDENTITY or an expression in parentheses" : "IDENTITY");
    }
    DW_TRY(dw__parser_skip_parens(parser));
    if (parser->pos - 1 == first) {
        return dw__parser_fail(parser, "an expression in parentheses");
    }
    return put_expression(parser, field, DW_STR("delta.generationExpression"),
                          (dw_sql_range){first, parser->pos - 1});
}

dw_status
dw__parse_column_rule(dw_parser *parser, dw_field *field, bool *found_out)
{
    bool is_default = dw__parser_is(parser, DW_KEYWORD_DEFAULT);
    *found_out = is_default || dw__parser_is(parser, DW_KEYWORD_GENERATED);
    if (!*found_out) {
        return DW_OK;
    }
    DW_TRY(check_is_first(parser, field));
    parser->pos++;
    return is_default ? parse_default(parser, field) : parse_generated(parser, field);
}

/* ---- CHECK ----------------------------------------------------------------------------------- */

dw_status
dw__parse_condition(dw_parser *parser, dw_str *expression_out)
{
    if (!dw__parser_is_symbol(parser, "(")) {
        return dw__parser_fail(parser, "\"(\" and a condition");
    }
    size_t first = parser->pos + 1;
    DW_TRY(dw__parser_skip_parens(parser));
    if (parser->pos - 1 == first) {
        return dw__parser_fail(parser, "a condition between the parentheses");
    }
    return dw__sql_spark_text(parser->sql, (dw_sql_range){first, parser->pos - 1}, parser->arena,
                              expression_out, parser->err);
}

dw_status
dw__parse_check(dw_parser *parser, dw_str *expression_out)
{
    DW_TRY(dw__parser_expect(parser, DW_KEYWORD_CHECK));
    return dw__parse_condition(parser, expression_out);
}
