/*
 * SQL expressions that stand in a table's metadata: check constraints, invariants, generation
 * expressions, defaults. They are Spark's SQL; here they become the engine's.
 * PROTOCOL.md "CHECK Constraints", "Column Invariants", "Generated Columns", "Default Columns".
 *
 *  [EXPRESSION-1] What is translated means the same in both, under the ANSI rules that Spark 4 has
 *                 by default. What the engine would do otherwise is refused by its name; where it
 *                 depends on the value, the value ends the statement.
 *  [EXPRESSION-2] Every operand has Spark's type: the engine's own coercions never act.
 *  [EXPRESSION-3] Nothing is evaluated in an order that Spark would not: where an operand of AND
 *                 and OR may fail, it is a CASE.
 *  [EXPRESSION-4] Length, depth and what a text grows to are bounded.
 */
#ifndef DW_EXPRESSION_EXPRESSION_H
#define DW_EXPRESSION_EXPRESSION_H

#include "base/arena.h"
#include "base/error.h"
#include "protocol/schema.h"

#define DW_EXPRESSION_BYTES_MAX ((size_t) 65536)
#define DW_EXPRESSION_SQL_BYTES_MAX ((size_t) 1 << 20)
#define DW_EXPRESSION_DEPTH_MAX 100

/* What stands before "CODE:message" in the text of an engine error that a value raised. The same
 * as that of the checks of values when they are written. */
#define DW_EXPRESSION_MARK "dw!"

typedef struct dw_expression {
    dw_str text;         /* as it was given */
    dw_str sql;          /* the engine's; columns stand there as "name" */
    const dw_type *type; /* Spark's; VOID for NULL */
    bool *uses;          /* of the schema's columns, by index: those that it names */
    size_t use_count;
    bool is_deterministic; /* not of the time */
} dw_expression;

/*
 * Translates `text`, which may name the columns of `schema` (NULL: none). The result lives in
 * `arena`. Errors speak of the expression alone; callers add whose it is.
 * DW_UNSUPPORTED (EXPRESSION_UNSUPPORTED) for what is legal but cannot be evaluated with the same
 * meaning; DW_INVALID_ARGUMENT (EXPRESSION_INVALID) for what no engine could evaluate: syntax,
 * unknown columns, types.
 */
DW_WARN_UNUSED dw_status dw__expression_translate(dw_str text, const dw_type *schema,
                                                  dw_arena *arena, dw_expression *out,
                                                  dw_error *err);
/* Whether the expression names the column, something in it, or what it is in; no more is asked of
 * the text than that it consists of tokens. */
DW_WARN_UNUSED dw_status dw__expression_names(dw_str text, const dw_str *parts, size_t count,
                                              dw_arena *arena, bool *out, dw_error *err);
/* Turns the expression into one of `type`, as an assignment would. The same errors. */
DW_WARN_UNUSED dw_status dw__expression_cast(dw_expression *expression, const dw_type *type,
                                             dw_arena *arena, dw_error *err);

#endif
