/*
 * Which columns an expression names, also one that cannot be translated.
 */
#include "expression/expression.h"
#include "expression/spark_token.h"

static bool
is_name(const dw_spark_token *token)
{
    return token->kind == DW_SPARK_WORD || token->kind == DW_SPARK_NAME;
}

static bool
is_symbol(const dw_spark_token *token, const char *symbol)
{
    return token->kind == DW_SPARK_SYMBOL && dw__str_equal(token->text, dw__str_from(symbol));
}

/* Whether the chain of names from `token` on and the path are the same as far as both go; the chain
 * ends at `*end_out`. */
static bool
matches(const dw_spark_token *token, const dw_str *parts, size_t count,
        const dw_spark_token **end_out)
{
    bool same = true;
    size_t i = 0;
    for (;;) {
        same = same && (i >= count || dw__str_equal_nocase(token->text, parts[i]));
        i++;
        token++;
        if (!is_symbol(token, ".") || !is_name(token + 1)) {
            break;
        }
        token++;
    }
    *end_out = token;
    return same && !is_symbol(token, "(");
}

dw_status
dw__expression_names(dw_str text, const dw_str *parts, size_t count, dw_arena *arena, bool *out,
                     dw_error *err)
{
    dw_spark_token *token;
    *out = false;
    DW_TRY(dw__spark_tokens(text, arena, &token, err));
    const dw_spark_token *at = token;
    while (at->kind != DW_SPARK_END && !*out) {
        if (is_name(at)) {
            *out = matches(at, parts, count, &at);
        } else {
            at++;
        }
    }
    return DW_OK;
}
