/*
 * Tokens of Spark's SQL, by its own lexical rules: text stands in '' or "", names in ``, and
 * backslashes escape. Private to src/expression.
 */
#ifndef DW_EXPRESSION_SPARK_TOKEN_H
#define DW_EXPRESSION_SPARK_TOKEN_H

#include "base/arena.h"
#include "base/error.h"

typedef enum dw_spark_token_kind {
    DW_SPARK_END,
    DW_SPARK_WORD,   /* a name without quotes, or a keyword */
    DW_SPARK_NAME,   /* `name`; `text` is without quotes */
    DW_SPARK_STRING, /* `text` is the value */
    DW_SPARK_NUMBER,
    DW_SPARK_SYMBOL
} dw_spark_token_kind;

typedef struct dw_spark_token {
    dw_spark_token_kind kind;
    dw_str text;
} dw_spark_token;

/* Cuts a text into tokens, an END last. In `arena`. DW_INVALID_ARGUMENT (EXPRESSION_INVALID),
 * DW_UNSUPPORTED (EXPRESSION_UNSUPPORTED). */
DW_WARN_UNUSED dw_status dw__spark_tokens(dw_str text, dw_arena *arena, dw_spark_token **out,
                                          dw_error *err);

#endif
