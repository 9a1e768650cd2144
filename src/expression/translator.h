/*
 * What the parts of a translation share: operands with their types, templates, errors. Private to
 * src/expression.
 */
#ifndef DW_EXPRESSION_TRANSLATOR_H
#define DW_EXPRESSION_TRANSLATOR_H

#include "base/strbuf.h"
#include "expression/expression.h"
#include "expression/spark_token.h"

/* The most arguments of a function and items of an IN list. */
#define DW_EXPRESSION_ITEMS_MAX 1000

/* A part of the expression that has been translated. */
typedef struct dw_operand {
    dw_str sql; /* binds tighter than every operator */
    const dw_type *type;
    bool may_fail;    /* evaluating it may end the statement */
    bool is_constant; /* a string or an integer that stands there */
    dw_str text;      /* its value when it is a string, its digits when it is an integer */
} dw_operand;

typedef struct dw_translator {
    const dw_spark_token *tokens;
    size_t pos;
    int depth;
    const dw_type *schema; /* NULL: columns cannot be named */
    dw_expression *result; /* what is used is noted here */
    dw_arena *arena;
    dw_error *err;
} dw_translator;

/* Types that need no memory. */
const dw_type *dw__spark_type(dw_type_kind kind);
bool dw__spark_is_integer(const dw_type *type);
bool dw__spark_is_float(const dw_type *type);
bool dw__spark_is_number(const dw_type *type);
bool dw__spark_is_time(const dw_type *type); /* timestamp or timestamp_ntz */

DW_WARN_UNUSED dw_status dw__spark_refuse(const dw_translator *tr, const char *fmt, ...)
    DW_PRINTF(2, 3);
DW_WARN_UNUSED dw_status dw__spark_invalid(const dw_translator *tr, const char *fmt, ...)
    DW_PRINTF(2, 3);

/*
 * Makes an operand from a template of the engine's SQL, in which $1 to $9 stand for operands and $t
 * for the engine's name of `type`. It may fail when one of them may, or when `may_fail` is true.
 */
DW_WARN_UNUSED dw_status dw__spark_fill(const dw_translator *tr, const char *template,
                                        const dw_operand *operands, size_t count,
                                        const dw_type *type, bool may_fail, dw_operand *out);
/* A string of the text. */
DW_WARN_UNUSED dw_status dw__spark_string(const dw_translator *tr, dw_str text, dw_operand *out);

/* ---- coerce.c -------------------------------------------------------------------------------- */

/* CAST(operand AS type), in Spark's meaning. Refuses pairs of types that differ in meaning. */
DW_WARN_UNUSED dw_status dw__spark_cast(const dw_translator *tr, const dw_operand *operand,
                                        const dw_type *type, dw_operand *out);
/* The type that both are brought to before they are compared; by the ANSI rules. */
DW_WARN_UNUSED dw_status dw__spark_common_type(const dw_translator *tr, const dw_type *a,
                                               const dw_type *b, const dw_type **out);
/* Brings all operands to their common type, which is returned. */
DW_WARN_UNUSED dw_status dw__spark_unify(const dw_translator *tr, dw_operand *operands,
                                         size_t count, const dw_type **type_out);

/* ---- operators.c ----------------------------------------------------------------------------- */

DW_WARN_UNUSED dw_status dw__spark_compare(const dw_translator *tr, dw_str symbol,
                                           const dw_operand *left, const dw_operand *right,
                                           dw_operand *out);
DW_WARN_UNUSED dw_status dw__spark_arithmetic(const dw_translator *tr, dw_str symbol,
                                              const dw_operand *left, const dw_operand *right,
                                              dw_operand *out);
DW_WARN_UNUSED dw_status dw__spark_negate(const dw_translator *tr, const dw_operand *operand,
                                          dw_operand *out);
DW_WARN_UNUSED dw_status dw__spark_and(const dw_translator *tr, const dw_operand *left,
                                       const dw_operand *right, dw_operand *out);
DW_WARN_UNUSED dw_status dw__spark_or(const dw_translator *tr, const dw_operand *left,
                                      const dw_operand *right, dw_operand *out);
DW_WARN_UNUSED dw_status dw__spark_not(const dw_translator *tr, const dw_operand *operand,
                                       dw_operand *out);
/* || */
DW_WARN_UNUSED dw_status dw__spark_concat(const dw_translator *tr, const dw_operand *items,
                                          size_t count, dw_operand *out);
/* A literal of digits, with its suffix. */
DW_WARN_UNUSED dw_status dw__spark_number(const dw_translator *tr, dw_str text, dw_operand *out);

/* ---- functions.c ----------------------------------------------------------------------------- */

DW_WARN_UNUSED dw_status dw__spark_call(dw_translator *tr, dw_str name, dw_operand *arguments,
                                        size_t count, dw_operand *out);

/* ---- patterns.c ------------------------------------------------------------------------------ */

/* Java's regular expression as one of RE2's with the same matches, or a refusal. */
DW_WARN_UNUSED dw_status dw__spark_regexp(const dw_translator *tr, dw_str pattern, dw_str *out);
/* Java's date pattern as the engine's strftime format. */
DW_WARN_UNUSED dw_status dw__spark_date_pattern(const dw_translator *tr, dw_str pattern,
                                                dw_str *out);

#endif
