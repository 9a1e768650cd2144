/*
 * Expectations: what rows should be like, and what becomes of those that are not. They are
 * properties of ours (deltaworks.expectations.<name>), which other engines keep and do not enforce.
 *
 *  [EXPECTATION-1] A row for which the condition is false or unknown violates it.
 *  [EXPECTATION-2] A property that is no expectation refuses writes, with one error that says how
 *                  to drop it; reads never look at it.
 *  [EXPECTATION-3] A row that is in the table is never dropped: where an UPDATE would make it
 *                  violate an expectation that drops, the statement is refused.
 */
#ifndef DW_TABLE_EXPECTATION_H
#define DW_TABLE_EXPECTATION_H

#include "engine/row_judge.h"
#include "expression/expression.h"
#include "protocol/action.h"

#define DW_EXPECTATION_PREFIX DW_STR("deltaworks.expectations.")
#define DW_EXPECTATIONS_MAX DW_JUDGE_CONDITIONS_MAX

typedef enum dw_violation { DW_VIOLATION_WARN, DW_VIOLATION_DROP, DW_VIOLATION_FAIL } dw_violation;

/* As the property has it. */
typedef struct dw_expectation_spec {
    dw_str name;
    dw_str text; /* the condition, in Spark's SQL */
    dw_violation action;
    dw_str quarantine; /* the root of the table for what is dropped; null string: none */
} dw_expectation_spec;

typedef struct dw_expectation {
    dw_expectation_spec spec;
    dw_str label; /* expectation "positive" (id > 0) */
    dw_expression expression;
} dw_expectation;

typedef struct dw_expectations {
    dw_expectation *items;
    size_t count;
} dw_expectations;

/* WARN, DROP, FAIL */
const char *dw__violation_name(dw_violation action);

/* The property that holds the expectation of that name, in small letters. */
DW_WARN_UNUSED dw_status dw__expectation_key(dw_str name, dw_arena *arena, dw_str *out,
                                             dw_error *err);
bool dw__is_expectation_key(dw_str key);
/* From and to the property's value. Texts are copied to `arena`. DW_INVALID_ARGUMENT
 * (EXPECTATION_INVALID). [EXPECTATION-2] */
DW_WARN_UNUSED dw_status dw__expectation_parse(const dw_pair *property, dw_arena *arena,
                                               dw_expectation_spec *out, dw_error *err);
DW_WARN_UNUSED dw_status dw__expectation_value(const dw_expectation_spec *spec, dw_arena *arena,
                                               dw_str *out, dw_error *err);
/* Translates the condition. DW_INVALID_ARGUMENT (EXPRESSION_INVALID), DW_UNSUPPORTED
 * (EXPRESSION_UNSUPPORTED); both name the expectation. */
DW_WARN_UNUSED dw_status dw__expectation_make(const dw_expectation_spec *spec,
                                              const dw_type *schema, dw_arena *arena,
                                              dw_expectation *out, dw_error *err);
/* All of a table. The same errors, and how to drop the one that is wrong. */
DW_WARN_UNUSED dw_status dw__expectations_read(const dw_metadata *metadata, const dw_type *schema,
                                               dw_arena *arena, dw_expectations *out,
                                               dw_error *err);

#endif
