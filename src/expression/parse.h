/*
 * The parts of the grammar. Private to src/expression.
 */
#ifndef DW_EXPRESSION_PARSE_H
#define DW_EXPRESSION_PARSE_H

#include "expression/translator.h"

const dw_spark_token *dw__spark_peek(const dw_translator *tr, size_t ahead);
/* Keywords without case. */
bool dw__spark_is_word(const dw_translator *tr, size_t ahead, const char *word);
bool dw__spark_is_symbol(const dw_translator *tr, size_t ahead, const char *symbol);
bool dw__spark_accept_word(dw_translator *tr, const char *word);
bool dw__spark_accept_symbol(dw_translator *tr, const char *symbol);
DW_WARN_UNUSED dw_status dw__spark_expect_word(dw_translator *tr, const char *word);
DW_WARN_UNUSED dw_status dw__spark_expect_symbol(dw_translator *tr, const char *symbol);
/* "expected <what>, found <token>" */
DW_WARN_UNUSED dw_status dw__spark_expected(const dw_translator *tr, const char *what);

/* A whole expression; parse_operators.c. */
DW_WARN_UNUSED dw_status dw__spark_parse(dw_translator *tr, dw_operand *out);
/* Literals, columns, calls, what stands in parentheses, with what follows them; parse_primary.c. */
DW_WARN_UNUSED dw_status dw__spark_parse_primary(dw_translator *tr, dw_operand *out);

#endif
