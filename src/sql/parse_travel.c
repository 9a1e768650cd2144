/*
 * Which state of a table is meant: every spelling of time travel.
 *
 *     t VERSION AS OF 3             t FOR VERSION | SYSTEM_VERSION AS OF 3     t@v3
 *     t TIMESTAMP AS OF expression  t FOR TIMESTAMP | SYSTEM_TIME AS OF ...    t@20240131120000000
 *     t AT (VERSION => 3)           t AT (TIMESTAMP => expression)
 */
#include "base/assert.h"
#include "sql/parse.h"

/* yyyyMMddHHmmssSSS */
#define DW_TRAVEL_STAMP_DIGITS ((size_t) 17)

/* ---- The value ------------------------------------------------------------------------------- */

/* A version: a number, also in quotes as Spark allows. */
static dw_status
parse_version(dw_parser *parser, dw_sql_travel *out)
{
    size_t idx = parser->pos;
    dw_str text = dw__token_text(parser->sql, idx);
    if (dw__parser_peek(parser, 0)->kind == DW_TOKEN_STRING) {
        DW_TRY(dw__parser_string(parser, "a version", &text));
    } else if (dw__parser_peek(parser, 0)->kind == DW_TOKEN_NUMBER) {
        parser->pos++;
    } else {
        return dw__parser_fail(parser, "a version, which is a number from 0 on");
    }
    if (!dw__str_to_i64(text, &out->version) || out->version < 0) {
        return dw__parser_refuse(parser, idx, DW_INVALID_ARGUMENT, "PARSE_ERROR",
                                 "expected a version, which is a number from 0 on, found %.*s",
                                 DW_STR_ARG(text));
    }
    out->kind = DW_TRAVEL_VERSION;
    return DW_OK;
}

/* Behind an operand come a cast, an operator, or the end of the expression. Returns true when an
 * operand must follow. */
static bool
skip_operator(dw_parser *parser)
{
    static const char *const operators[] = {"+", "-", "*", "/", "||"};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (dw__parser_accept_symbol(parser, operators[i])) {
            return true;
        }
    }
    if (dw__parser_is(parser, DW_KEYWORD_AT) && dw__parser_is_at(parser, 1, DW_KEYWORD_TIME)) {
        parser->pos += 2;
        return dw__parser_accept(parser, DW_KEYWORD_ZONE);
    }
    return false;
}

static bool
is_interval_unit(const dw_parser *parser)
{
    static const char *const units[] = {"microsecond", "millisecond", "second", "minute",  "hour",
                                        "day",         "week",        "month",  "quarter", "year"};
    dw_str word = dw__token_text(parser->sql, parser->pos);
    if (word.len > 0 && (word.ptr[word.len - 1] == 's' || word.ptr[word.len - 1] == 'S')) {
        word.len--;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (dw__str_equal_nocase(word, dw__str_from(units[i]))) {
            return true;
        }
    }
    return false;
}

/* name | name(...) | TIMESTAMP 'text' | INTERVAL '1' DAY | CAST(...) */
static dw_status
skip_word_operand(dw_parser *parser)
{
    bool is_interval = dw__parser_is(parser, DW_KEYWORD_INTERVAL);
    bool is_typed =
        is_interval || dw__parser_is(parser, DW_KEYWORD_TIMESTAMP) ||
        dw__parser_is(parser, DW_KEYWORD_DATE) || dw__parser_is(parser, DW_KEYWORD_TIME) ||
        dw__str_equal_nocase(dw__token_text(parser->sql, parser->pos), DW_STR("timestamptz"));
    parser->pos++;
    uint8_t kind = dw__parser_peek(parser, 0)->kind;
    if (is_typed && (kind == DW_TOKEN_STRING || (is_interval && kind == DW_TOKEN_NUMBER))) {
        parser->pos++;
    } else if (dw__parser_is_symbol(parser, "(")) {
        DW_TRY(dw__parser_skip_parens(parser));
    }
    parser->pos += is_interval && is_interval_unit(parser) ? 1 : 0;
    return DW_OK;
}

/* The type behind "::": words, perhaps with parentheses or brackets. */
static dw_status
skip_casts(dw_parser *parser)
{
    while (dw__parser_accept_symbol(parser, "::")) {
        const dw_type *type;
        DW_TRY(dw__parse_type(parser, &type));
    }
    return DW_OK;
}

static dw_status
skip_operand(dw_parser *parser)
{
    while (dw__parser_accept_symbol(parser, "-") || dw__parser_accept_symbol(parser, "+")) {
    }
    const dw_token *token = dw__parser_peek(parser, 0);
    dw_keyword keyword = (dw_keyword) token->keyword;
    bool is_cast = keyword == DW_KEYWORD_CAST;
    if (token->kind == DW_TOKEN_STRING || token->kind == DW_TOKEN_NUMBER ||
        token->kind == DW_TOKEN_PARAMETER) {
        parser->pos++;
    } else if (dw__parser_is_symbol(parser, "(")) {
        DW_TRY(dw__parser_skip_parens(parser));
    } else if (token->kind == DW_TOKEN_WORD && (is_cast || dw__keyword_is_name(keyword))) {
        DW_TRY(skip_word_operand(parser));
    } else {
        return dw__parser_fail(parser, "a time, such as '2024-01-31 12:00:00'");
    }
    return skip_casts(parser);
}

/* An expression of constants and functions; the engine works it out. */
static dw_status
parse_timestamp(dw_parser *parser, dw_sql_travel *out)
{
    size_t first = parser->pos;
    do {
        DW_TRY(skip_operand(parser));
    } while (skip_operator(parser));
    out->kind = DW_TRAVEL_TIMESTAMP;
    return dw__sql_range_print(parser->sql, (dw_sql_range){first, parser->pos}, parser->arena,
                               &out->expression, parser->err);
}

/* ---- The clause ------------------------------------------------------------------------------ */

static bool
is_version_word(dw_keyword keyword)
{
    return keyword == DW_KEYWORD_VERSION || keyword == DW_KEYWORD_SYSTEM_VERSION;
}

static bool
is_time_word(dw_keyword keyword)
{
    return keyword == DW_KEYWORD_TIMESTAMP || keyword == DW_KEYWORD_SYSTEM_TIME;
}

/* [FOR] VERSION AS OF 3 and its kin. */
static dw_status
parse_as_of(dw_parser *parser, dw_sql_travel *out)
{
    size_t word = dw__parser_is(parser, DW_KEYWORD_FOR) ? 1 : 0;
    dw_keyword keyword = (dw_keyword) dw__parser_peek(parser, word)->keyword;
    bool is_clause = (is_version_word(keyword) || is_time_word(keyword)) &&
                     dw__parser_is_at(parser, word + 1, DW_KEYWORD_AS) &&
                     dw__parser_is_at(parser, word + 2, DW_KEYWORD_OF);
    if (!is_clause) {
        return DW_OK;
    }
    parser->pos += word + 3;
    return is_version_word(keyword) ? parse_version(parser, out) : parse_timestamp(parser, out);
}

dw_status
dw__parse_travel(dw_parser *parser, dw_sql_travel *out)
{
    *out = (dw_sql_travel){0};
    if (!dw__parser_is(parser, DW_KEYWORD_AT)) {
        return parse_as_of(parser, out);
    }
    bool is_version = dw__parser_is_at(parser, 2, DW_KEYWORD_VERSION);
    if (!dw__parser_is_symbol_at(parser, 1, "(") || !dw__parser_is_symbol_at(parser, 3, "=>") ||
        !(is_version || dw__parser_is_at(parser, 2, DW_KEYWORD_TIMESTAMP))) {
        return DW_OK;
    }
    parser->pos += 4;
    DW_TRY(is_version ? parse_version(parser, out) : parse_timestamp(parser, out));
    return dw__parser_expect_symbol(parser, ")");
}

/* ---- The suffix ------------------------------------------------------------------------------ */

static bool
is_digits(dw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return text.len > 0;
}

/* What stands behind the `@`: v3 or 17 digits. False when it is neither. */
static dw_status
read_suffix(dw_str text, dw_arena *arena, dw_sql_travel *out, bool *found, dw_error *err)
{
    *found = false;
    bool is_version = text.len > 1 && (text.ptr[0] == 'v' || text.ptr[0] == 'V');
    if (is_version) {
        dw_str digits = dw__str_slice(text, 1, text.len);
        *found = is_digits(digits) && dw__str_to_i64(digits, &out->version);
        out->kind = *found ? DW_TRAVEL_VERSION : DW_TRAVEL_NONE;
        return DW_OK;
    }
    if (text.len != DW_TRAVEL_STAMP_DIGITS || !is_digits(text)) {
        return DW_OK;
    }
    const char *d = text.ptr;
    out->expression = dw__arena_printf(arena, "TIMESTAMPTZ '%.4s-%.2s-%.2s %.2s:%.2s:%.2s.%.3s'", d,
                                       d + 4, d + 6, d + 8, d + 10, d + 12, d + 14);
    if (dw__str_is_null(out->expression)) {
        return dw__error_oom(err);
    }
    *found = true;
    out->kind = DW_TRAVEL_TIMESTAMP;
    return DW_OK;
}

dw_status
dw__parse_travel_suffix(dw_parser *parser, dw_sql_travel *out)
{
    bool found;
    *out = (dw_sql_travel){0};
    dw_assert(parser->pos > 0);
    if (!dw__parser_is_symbol(parser, "@")) {
        return DW_OK;
    }
    bool touches = dw__token_touches_next(parser->sql, parser->pos - 1) &&
                   dw__token_touches_next(parser->sql, parser->pos);
    parser->pos++;
    if (touches) {
        dw_str text = dw__token_text(parser->sql, parser->pos);
        DW_TRY(read_suffix(text, parser->arena, out, &found, parser->err));
        if (found) {
            parser->pos++;
            return DW_OK;
        }
    }
    return dw__parser_fail(parser, "a version such as @v3 or a time such as @20240131120000000 "
                                   "right behind the name");
}

dw_status
dw__sql_travel_split(dw_str *name, dw_arena *arena, dw_sql_travel *out, dw_error *err)
{
    bool found = false;
    *out = (dw_sql_travel){0};
    size_t at = dw__str_find_last(*name, '@');
    if (at == SIZE_MAX || at == 0) {
        return DW_OK;
    }
    dw_str suffix = dw__str_slice(*name, at + 1, name->len);
    DW_TRY(read_suffix(suffix, arena, out, &found, err));
    if (found) {
        *name = dw__str_slice(*name, 0, at);
    }
    return DW_OK;
}
