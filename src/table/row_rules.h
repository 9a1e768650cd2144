/*
 * How a table fills and judges the rows that are added to it: defaults, identity values, generated
 * columns, the checks of constraint.h, and the expectations of judgement.h. PROTOCOL.md "Default
 * Columns", "Identity Columns", "Generated Columns".
 *
 *  [RULE-1] Rules act inside the query that writes: each row is looked at once.
 *  [RULE-2] A column is filled only where the statement leaves it out; a generated column that is
 *           given must have the value of its expression.
 *  [RULE-3] Identity values are start + k * step, and beyond the high-water mark that was read; the
 *           new mark is committed with the rows, so of two writers one commits and the other
 *           conflicts.
 */
#ifndef DW_TABLE_ROW_RULES_H
#define DW_TABLE_ROW_RULES_H

#include "table/constraint.h"
#include "table/judgement.h"

typedef struct dw_row_rules dw_row_rules;

typedef struct dw_identity {
    int64_t start, step;
    bool has_high_water_mark;
    int64_t high_water_mark;
    bool allows_explicit;
} dw_identity;

typedef struct dw_column_rule {
    const dw_expression *default_value; /* NULL: none */
    const dw_expression *generation;    /* NULL: none */
    const dw_identity *identity;        /* NULL: none */
    bool is_left_out; /* by the statement: the rule fills it. Set by the projection */
} dw_column_rule;

struct dw_row_rules {
    const dw_type *schema;
    dw_column_rule *columns; /* one a column of the schema */
    dw_row_checks checks;
    dw_expectations expectations;
    dw_judgement *judgement;     /* by which rows are judged; NULL: by none */
    bool are_in_place_of_others; /* the rows: for the judgement */
    bool has_generated, has_identity;
};

/* The rules of a table, in `arena`. Errors name column or constraint: EXPRESSION_UNSUPPORTED,
 * EXPRESSION_INVALID, METADATA_INVALID. */
DW_WARN_UNUSED dw_status dw__row_rules_read(const dw_protocol *protocol,
                                            const dw_metadata *metadata, const dw_type *schema,
                                            dw_arena *arena, dw_row_rules *out, dw_error *err);
/* What a new table may not have: expressions that are none, name what they must not, or have
 * another type than their column; identity columns that are no BIGINT. DW_INVALID_ARGUMENT. */
DW_WARN_UNUSED dw_status dw__row_rules_check_new(const dw_row_rules *rules,
                                                 const dw_metadata *metadata, dw_error *err);

/* Appends the expression of a column that the statement leaves out, and that is not generated: its
 * default, its next identity value. False when it has neither: then it is NULL. */
DW_WARN_UNUSED dw_status dw__row_rule_print_fill(const dw_row_rules *rules, size_t column_idx,
                                                 dw_arena *arena, dw_strbuf *out, bool *found_out,
                                                 dw_error *err);
/* Appends the query whose rows are those of `query` (the columns of the schema without generated
 * ones that are left out, in order) with all columns filled and all checks made. */
DW_WARN_UNUSED dw_status dw__row_rules_print(const dw_row_rules *rules, dw_str query,
                                             dw_arena *arena, dw_strbuf *out, dw_error *err);
/* The schema string after `row_count` rows have got identity values; the null string when nothing
 * changes. In `arena`. */
DW_WARN_UNUSED dw_status dw__row_rules_new_marks(const dw_row_rules *rules,
                                                 const dw_metadata *metadata, int64_t row_count,
                                                 dw_arena *arena, dw_str *schema_string_out,
                                                 dw_error *err);
/* Takes so many identity values as given: the next query gets those behind them. */
DW_WARN_UNUSED dw_status dw__row_rules_advance(dw_row_rules *rules, int64_t row_count,
                                               dw_arena *arena, dw_error *err);

#endif
