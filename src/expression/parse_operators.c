/*
 * Expressions by precedence, lowest first: OR, AND, NOT, predicates, comparisons, sums, products,
 * signs.
 */
#include "expression/parse.h"

/* ---- Tokens ---------------------------------------------------------------------------------- */

const dw_spark_token *
dw__spark_peek(const dw_translator *tr, size_t ahead)
{
    const dw_spark_token *token = &tr->tokens[tr->pos];
    while (ahead > 0 && token->kind != DW_SPARK_END) {
        token++;
        ahead--;
    }
    return token;
}

bool
dw__spark_is_word(const dw_translator *tr, size_t ahead, const char *word)
{
    const dw_spark_token *token = dw__spark_peek(tr, ahead);
    return token->kind == DW_SPARK_WORD && dw__str_equal_nocase(token->text, dw__str_from(word));
}

bool
dw__spark_is_symbol(const dw_translator *tr, size_t ahead, const char *symbol)
{
    const dw_spark_token *token = dw__spark_peek(tr, ahead);
    return token->kind == DW_SPARK_SYMBOL && dw__str_equal(token->text, dw__str_from(symbol));
}

bool
dw__spark_accept_word(dw_translator *tr, const char *word)
{
    bool is_there = dw__spark_is_word(tr, 0, word);
    tr->pos += is_there ? 1 : 0;
    return is_there;
}

bool
dw__spark_accept_symbol(dw_translator *tr, const char *symbol)
{
    bool is_there = dw__spark_is_symbol(tr, 0, symbol);
    tr->pos += is_there ? 1 : 0;
    return is_there;
}

dw_status
dw__spark_expected(const dw_translator *tr, const char *what)
{
    return dw__spark_invalid(tr, "expected %s, found %.*s", what,
                             DW_STR_ARG(dw__spark_peek(tr, 0)->text));
}

dw_status
dw__spark_expect_word(dw_translator *tr, const char *word)
{
    return dw__spark_accept_word(tr, word) ? DW_OK : dw__spark_expected(tr, word);
}

dw_status
dw__spark_expect_symbol(dw_translator *tr, const char *symbol)
{
    return dw__spark_accept_symbol(tr, symbol) ? DW_OK : dw__spark_expected(tr, symbol);
}

/* ---- Signs, products, sums ------------------------------------------------------------------- */

static dw_status
parse_unary(dw_translator *tr, dw_operand *out)
{
    size_t minus_count = 0;
    while (dw__spark_is_symbol(tr, 0, "-") || dw__spark_is_symbol(tr, 0, "+")) {
        minus_count += dw__spark_is_symbol(tr, 0, "-") ? 1 : 0;
        tr->pos++;
    }
    DW_TRY(dw__spark_parse_primary(tr, out));
    return minus_count % 2 == 0 ? DW_OK : dw__spark_negate(tr, out, out);
}

static bool
accept_any(dw_translator *tr, const char *const *symbols, size_t count, dw_str *out)
{
    for (size_t i = 0; i < count; i++) {
        if (dw__spark_is_symbol(tr, 0, symbols[i]) || dw__spark_is_word(tr, 0, symbols[i])) {
            *out = dw__str_from(symbols[i]);
            tr->pos++;
            return true;
        }
    }
    return false;
}

static dw_status
parse_product(dw_translator *tr, dw_operand *out)
{
    static const char *const symbols[] = {"*", "/", "%", "DIV"};
    dw_str symbol;
    DW_TRY(parse_unary(tr, out));
    while (accept_any(tr, symbols, 4, &symbol)) {
        dw_operand right;
        DW_TRY(parse_unary(tr, &right));
        DW_TRY(dw__spark_arithmetic(tr, symbol, out, &right, out));
    }
    return DW_OK;
}

/* INTERVAL 3 DAYS, behind + or -. */
static dw_status
add_interval(dw_translator *tr, bool is_minus, dw_operand *out)
{
    static const char *const units[] = {"year", "month", "week", "day", "hour", "minute", "second"};
    const dw_spark_token *amount = dw__spark_peek(tr, 1);
    const dw_spark_token *unit = dw__spark_peek(tr, 2);
    dw_str name = unit->text;
    int64_t value;
    if (!dw__str_to_i64(dw__str_trim(amount->text), &value) || value < INT32_MIN ||
        value > INT32_MAX || unit->kind != DW_SPARK_WORD) {
        return dw__spark_refuse(tr, "this kind of INTERVAL");
    }
    if (name.len > 1 && (name.ptr[name.len - 1] == 's' || name.ptr[name.len - 1] == 'S')) {
        name.len--;
    }
    bool is_date = out->type->kind == DW_TYPE_DATE;
    for (size_t i = 0; i < (is_date ? 4 : 7); i++) {
        if (dw__str_equal_nocase(name, dw__str_from(units[i])) &&
            (is_date || dw__spark_is_time(out->type))) {
            dw_operand interval = {.type = out->type};
            interval.sql = dw__arena_printf(tr->arena, "(INTERVAL '%lld %s')",
                                            (long long) (is_minus ? -value : value), units[i]);
            dw_operand sides[2] = {*out, interval};
            tr->pos += 3;
            return dw__str_is_null(interval.sql)
                       ? dw__error_oom(tr->err)
                       : dw__spark_fill(tr, "CAST($1 + $2 AS $t)", sides, 2, out->type, true, out);
        }
    }
    return dw__spark_refuse(tr, "this arithmetic with an INTERVAL");
}

static dw_status
parse_sum(dw_translator *tr, dw_operand *out)
{
    static const char *const symbols[] = {"+", "-", "||"};
    dw_str symbol;
    DW_TRY(parse_product(tr, out));
    while (accept_any(tr, symbols, 3, &symbol)) {
        dw_operand sides[2] = {*out};
        if (symbol.len == 1 && dw__spark_is_word(tr, 0, "INTERVAL")) {
            DW_TRY(add_interval(tr, symbol.ptr[0] == '-', out));
            continue;
        }
        DW_TRY(parse_product(tr, &sides[1]));
        if (symbol.len == 2) {
            DW_TRY(dw__spark_concat(tr, sides, 2, out));
        } else {
            DW_TRY(dw__spark_arithmetic(tr, symbol, &sides[0], &sides[1], out));
        }
    }
    return DW_OK;
}

static dw_status
parse_comparison(dw_translator *tr, dw_operand *out)
{
    static const char *const symbols[] = {"=", "==", "<>", "!=", "<", "<=", ">", ">=", "<=>"};
    dw_str symbol;
    DW_TRY(parse_sum(tr, out));
    while (accept_any(tr, symbols, sizeof(symbols) / sizeof(symbols[0]), &symbol)) {
        dw_operand right;
        DW_TRY(parse_sum(tr, &right));
        DW_TRY(dw__spark_compare(tr, symbol, out, &right, out));
    }
    return DW_OK;
}

/* ---- Predicates ------------------------------------------------------------------------------ */

static dw_status
parse_is(dw_translator *tr, dw_operand *out)
{
    const dw_type *boolean = dw__spark_type(DW_TYPE_BOOLEAN);
    bool negated = dw__spark_accept_word(tr, "NOT");
    if (dw__spark_accept_word(tr, "NULL")) {
        return dw__spark_fill(tr, negated ? "($1 IS NOT NULL)" : "($1 IS NULL)", out, 1, boolean,
                              false, out);
    }
    if (dw__spark_accept_word(tr, "DISTINCT")) {
        dw_operand right;
        DW_TRY(dw__spark_expect_word(tr, "FROM"));
        DW_TRY(parse_comparison(tr, &right));
        DW_TRY(dw__spark_compare(tr, DW_STR("<=>"), out, &right, out));
        return negated ? DW_OK : dw__spark_not(tr, out, out);
    }
    static const struct {
        const char *word;
        const char *template;
        const char *negated;
    } tests[] = {
        {"TRUE", "($1 IS NOT DISTINCT FROM true)", "($1 IS DISTINCT FROM true)"},
        {"FALSE", "($1 IS NOT DISTINCT FROM false)", "($1 IS DISTINCT FROM false)"},
        {"UNKNOWN", "($1 IS NULL)", "($1 IS NOT NULL)"},
    };
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        if (dw__spark_accept_word(tr, tests[i].word)) {
            if (out->type->kind != DW_TYPE_BOOLEAN) {
                return dw__spark_invalid(tr, "expected a condition before IS %s", tests[i].word);
            }
            return dw__spark_fill(tr, negated ? tests[i].negated : tests[i].template, out, 1,
                                  boolean, false, out);
        }
    }
    return dw__spark_expected(tr, "NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM");
}

static dw_status
parse_between(dw_translator *tr, dw_operand *out)
{
    dw_operand low;
    dw_operand high;
    DW_TRY(parse_sum(tr, &low));
    DW_TRY(dw__spark_expect_word(tr, "AND"));
    DW_TRY(parse_sum(tr, &high));
    DW_TRY(dw__spark_compare(tr, DW_STR(">="), out, &low, &low));
    DW_TRY(dw__spark_compare(tr, DW_STR("<="), out, &high, &high));
    return dw__spark_and(tr, &low, &high, out);
}

static dw_status
print_in(dw_translator *tr, dw_operand *items, size_t count, dw_operand *out)
{
    const dw_type *type;
    DW_TRY(dw__spark_unify(tr, items, count, &type));
    if (dw__type_is_nested(type)) {
        return dw__spark_refuse(tr, "IN with nested values");
    }
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(tr->arena->allocator, DW_EXPRESSION_SQL_BYTES_MAX);
    bool may_fail = items[0].may_fail;
    dw__strbuf_append_char(&sql, '(');
    dw__strbuf_append(&sql, items[0].sql);
    dw__strbuf_append_literal(&sql, " IN (");
    for (size_t i = 1; i < count; i++) {
        dw__strbuf_append(&sql, i > 1 ? DW_STR(", ") : DW_STR(""));
        dw__strbuf_append(&sql, items[i].sql);
        may_fail = may_fail || items[i].may_fail;
    }
    dw__strbuf_append_literal(&sql, "))");
    DW_TRY(dw__strbuf_ok(&sql, "an expression", tr->err));
    *out = (dw_operand){.type = dw__spark_type(DW_TYPE_BOOLEAN), .may_fail = may_fail};
    return dw__arena_dup(tr->arena, dw__strbuf_str(&sql), &out->sql) ? DW_OK
                                                                     : dw__error_oom(tr->err);
}

static dw_status
parse_in(dw_translator *tr, dw_operand *out)
{
    dw_operand *items = DW_ARENA_ARRAY(tr->arena, dw_operand, DW_EXPRESSION_ITEMS_MAX + 1);
    size_t count = 1;
    if (items == NULL) {
        return dw__error_oom(tr->err);
    }
    items[0] = *out;
    DW_TRY(dw__spark_expect_symbol(tr, "("));
    do {
        if (count > DW_EXPRESSION_ITEMS_MAX) {
            return dw__spark_refuse(tr, "IN with more than %d values", DW_EXPRESSION_ITEMS_MAX);
        }
        DW_TRY(dw__spark_parse(tr, &items[count]));
        count++;
    } while (dw__spark_accept_symbol(tr, ","));
    DW_TRY(dw__spark_expect_symbol(tr, ")"));
    return print_in(tr, items, count, out);
}

static dw_status
parse_like(dw_translator *tr, const char *template, dw_operand *out)
{
    dw_operand sides[3] = {*out};
    DW_TRY(parse_sum(tr, &sides[1]));
    DW_TRY(dw__spark_string(tr, DW_STR("\\"), &sides[2]));
    if (dw__spark_accept_word(tr, "ESCAPE")) {
        DW_TRY(dw__spark_parse_primary(tr, &sides[2]));
    }
    for (size_t i = 0; i < 3; i++) {
        DW_TRY(dw__spark_cast(tr, &sides[i], dw__spark_type(DW_TYPE_STRING), &sides[i]));
    }
    return dw__spark_fill(tr, template, sides, 3, dw__spark_type(DW_TYPE_BOOLEAN), false, out);
}

static dw_status
parse_regexp(dw_translator *tr, dw_operand *out)
{
    dw_operand sides[2] = {*out};
    DW_TRY(parse_sum(tr, &sides[1]));
    return dw__spark_call(tr, DW_STR("rlike"), sides, 2, out);
}

/* One predicate behind a value; `*found` is false when there is none. */
static dw_status
parse_predicate(dw_translator *tr, bool *found, dw_operand *out)
{
    *found = true;
    if (dw__spark_accept_word(tr, "IS")) {
        return parse_is(tr, out);
    }
    bool negated = dw__spark_is_word(tr, 0, "NOT");
    tr->pos += negated ? 1 : 0;
    if (dw__spark_accept_word(tr, "BETWEEN")) {
        DW_TRY(parse_between(tr, out));
    } else if (dw__spark_accept_word(tr, "IN")) {
        DW_TRY(parse_in(tr, out));
    } else if (dw__spark_accept_word(tr, "LIKE")) {
        DW_TRY(parse_like(tr, "like_escape($1, $2, $3)", out));
    } else if (dw__spark_accept_word(tr, "RLIKE") || dw__spark_accept_word(tr, "REGEXP")) {
        DW_TRY(parse_regexp(tr, out));
    } else {
        tr->pos -= negated ? 1 : 0;
        *found = false;
        return DW_OK;
    }
    return negated ? dw__spark_not(tr, out, out) : DW_OK;
}

/* ---- Logic ----------------------------------------------------------------------------------- */

static dw_status
parse_not(dw_translator *tr, dw_operand *out)
{
    size_t count = 0;
    bool found = true;
    while (dw__spark_accept_word(tr, "NOT") || dw__spark_accept_symbol(tr, "!")) {
        count++;
    }
    DW_TRY(parse_comparison(tr, out));
    while (found) {
        DW_TRY(parse_predicate(tr, &found, out));
    }
    if (count > 0) {
        DW_TRY(dw__spark_not(tr, out, out));
    }
    return count > 0 && count % 2 == 0 ? dw__spark_not(tr, out, out) : DW_OK;
}

static dw_status
parse_and(dw_translator *tr, dw_operand *out)
{
    DW_TRY(parse_not(tr, out));
    while (dw__spark_accept_word(tr, "AND")) {
        dw_operand right;
        DW_TRY(parse_not(tr, &right));
        DW_TRY(dw__spark_and(tr, out, &right, out));
    }
    return DW_OK;
}

dw_status
dw__spark_parse(dw_translator *tr, dw_operand *out)
{
    if (tr->depth >= DW_EXPRESSION_DEPTH_MAX) {
        return dw__spark_refuse(tr, "more than %d levels of parentheses", DW_EXPRESSION_DEPTH_MAX);
    }
    tr->depth++;
    DW_TRY(parse_and(tr, out));
    while (dw__spark_accept_word(tr, "OR")) {
        dw_operand right;
        DW_TRY(parse_and(tr, &right));
        DW_TRY(dw__spark_or(tr, out, &right, out));
    }
    tr->depth--;
    return DW_OK;
}
