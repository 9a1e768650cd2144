/*
 * What a table demands of its rows: check constraints (delta.constraints.<name>), invariants
 * (delta.invariants) and that a generated column has the value of its expression. PROTOCOL.md
 * "CHECK Constraints", "Column Invariants", "Generated Columns".
 *
 *  [CONSTRAINT-1] A row for which a condition is false or unknown is refused.
 *  [CONSTRAINT-2] A condition that cannot be evaluated is an error, never passed over.
 */
#ifndef DW_TABLE_CONSTRAINT_H
#define DW_TABLE_CONSTRAINT_H

#include "expression/expression.h"
#include "table/table.h"

#define DW_CONSTRAINT_PREFIX DW_STR("delta.constraints.")

/* One condition on the rows. */
typedef struct dw_row_check {
    const char *code; /* of the error */
    dw_str label;     /* CHECK constraint "positive" (id > 0) */
    dw_expression expression;
} dw_row_check;

typedef struct dw_row_checks {
    dw_row_check *items;
    size_t count;
} dw_row_checks;

/* A property's key whose name behind the prefix is in small letters. */
DW_WARN_UNUSED dw_status dw__property_key_small(dw_str prefix, dw_str name, dw_arena *arena,
                                                dw_str *out, dw_error *err);
/* The property that holds the constraint of that name: names are kept in small letters, as in the
 * reference. */
DW_WARN_UNUSED dw_status dw__constraint_key(dw_str name, dw_arena *arena, dw_str *out,
                                            dw_error *err);

/* The check constraints and invariants of a table, in `arena`. DW_UNSUPPORTED
 * (EXPRESSION_UNSUPPORTED) and DW_INVALID_ARGUMENT (EXPRESSION_INVALID) name the constraint. */
DW_WARN_UNUSED dw_status dw__row_checks_read(const dw_metadata *metadata, const dw_type *schema,
                                             dw_arena *arena, dw_row_checks *out, dw_error *err);
/* The condition of a field that has one as its invariant. DW_UNSUPPORTED (EXPRESSION_UNSUPPORTED).
 */
DW_WARN_UNUSED dw_status dw__invariant_text(const dw_field *field, dw_arena *arena, dw_str *out,
                                            dw_error *err);
/* The same of one new check constraint: what ADD CONSTRAINT calls before anything else. */
DW_WARN_UNUSED dw_status dw__row_check_make(dw_str name, dw_str text, const dw_type *schema,
                                            dw_arena *arena, dw_row_check *out, dw_error *err);
/* The same of anything that is a condition on rows; `what` and `name` make its label. */
DW_WARN_UNUSED dw_status dw__row_check_of(const char *what, dw_str name, dw_str text,
                                          const dw_type *schema, dw_arena *arena, dw_row_check *out,
                                          dw_error *err);
/* Appends an expression of text: "a row with id = -3, name = x", the columns that are named. */
void dw__row_values_print(dw_strbuf *out, const dw_expression *expression, const dw_type *schema);
/* Appends "(condition is not true) THEN error(...)", the branch of a CASE; columns of the schema
 * stand there by their names. The error is one of dw__function_error. */
void dw__row_check_print_branch(dw_strbuf *out, const dw_row_check *check, const dw_type *schema);

/* DW_INVALID_ARGUMENT (CHECK_CONSTRAINT_VIOLATION) when a row of the snapshot does not satisfy the
 * check: for ADD CONSTRAINT. The message shows the row. */
DW_WARN_UNUSED dw_status dw__row_check_verify(dw_table *table, dw_connection *connection,
                                              dw_log_snapshot *snapshot, const dw_row_check *check,
                                              dw_error *err);

#endif
