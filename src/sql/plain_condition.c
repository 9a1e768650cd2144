/*
 * What is not on the lists is not plain: a word by itself may be a function, like current_date.
 */
#include "sql/plain_condition.h"

static bool
is_among(dw_str text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (dw__str_equal_nocase(text, dw__str_from(names[i]))) {
            return true;
        }
    }
    return false;
}

static bool
is_plain_symbol(dw_str text)
{
    static const char *const symbols[] = {
        "(", ")", ",", ".", "=", "==", "<>", "!=", "<", "<=", ">", ">="};
    return is_among(text, symbols, sizeof(symbols) / sizeof(*symbols));
}

/* Words that are no names here, whatever stands behind them. */
static bool
is_plain_word(dw_str text)
{
    static const char *const words[] = {"AND",       "OR",       "NOT",  "IN",    "BETWEEN",
                                        "IS",        "NULL",     "TRUE", "FALSE", "DATE",
                                        "TIMESTAMP", "DISTINCT", "FROM"};
    return is_among(text, words, sizeof(words) / sizeof(*words));
}

/* Before a parenthesis these two would be functions. */
static bool
names_type(dw_str text)
{
    return dw__str_equal_nocase(text, DW_STR("DATE")) ||
           dw__str_equal_nocase(text, DW_STR("TIMESTAMP"));
}

/* A column, or a part of a name with dots that begins or ends with one. */
static bool
is_plain_name(const dw_sql_text *sql, size_t idx, const dw_type *schema, dw_arena *arena)
{
    dw_str name;
    if (dw__token_is_symbol(sql, idx + 1, "(") ||
        dw__token_name(sql, idx, arena, &name, NULL) != DW_OK) {
        return false;
    }
    return (idx > 0 && dw__token_is_symbol(sql, idx - 1, ".")) ||
           dw__token_is_symbol(sql, idx + 1, ".") || dw__schema_find(schema, name) != NULL;
}

static bool
is_plain_token(const dw_sql_text *sql, size_t idx, const dw_type *schema, dw_arena *arena)
{
    const dw_token *token = &sql->items[idx];
    dw_str text = dw__token_text(sql, idx);
    switch ((dw_token_kind) token->kind) {
    case DW_TOKEN_STRING:
        return token->flavour == '\'';
    case DW_TOKEN_NUMBER:
        return true;
    case DW_TOKEN_SYMBOL:
        return is_plain_symbol(text);
    case DW_TOKEN_WORD:
        if (is_plain_word(text)) {
            return !names_type(text) || sql->items[idx + 1].kind == DW_TOKEN_STRING;
        }
        return is_plain_name(sql, idx, schema, arena);
    case DW_TOKEN_QUOTED:
    case DW_TOKEN_BACKQUOTED:
        return is_plain_name(sql, idx, schema, arena);
    case DW_TOKEN_PARAMETER:
    case DW_TOKEN_BAD:
    case DW_TOKEN_END:
        break;
    }
    return false;
}

bool
dw__sql_is_plain_condition(const dw_sql_text *sql, dw_sql_range range, const dw_type *schema,
                           dw_arena *arena)
{
    for (size_t i = range.first; i < range.last; i++) {
        if (!is_plain_token(sql, i, schema, arena)) {
            return false;
        }
    }
    return true;
}
