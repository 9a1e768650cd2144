/*
 * A MERGE as queries: one that joins source and target and decides for every row what becomes of
 * it, whose result is kept, and one over what was kept for the new values of each clause.
 *
 *  [MERGE-4] Source and target are joined once. The source is read from a copy, unless it is one
 *            version of one Delta table, which reads the same each time.
 *  [MERGE-5] A value is computed only for rows of clauses that it is for: an expression may fail on
 *            others.
 */
#ifndef DW_SQL_MERGE_PLAN_H
#define DW_SQL_MERGE_PLAN_H

#include "sql/assignment.h"
#include "sql/merge_names.h"
#include "table/row_rules.h"

/* The new value of one column. */
typedef struct dw_merge_value {
    dw_str column;
    bool is_set; /* by the clause, else it is as it was */
    size_t slot;
} dw_merge_value;

typedef struct dw_merge_branch {
    const dw_merge_clause *clause;
    dw_str condition; /* null string: none */
    dw_merge_value *values;
    size_t value_count;
} dw_merge_branch;

/* An expression that the join computes, for one column. Clauses that ask for the same share it. */
typedef struct dw_merge_slot {
    dw_str column, text;
    bool is_bare;   /* a column, which cannot fail */
    dw_str clauses; /* "0, 2" */
    dw_str type;    /* of the engine */
    size_t cell;    /* the column of the kept rows; SIZE_MAX: it is NULL */
} dw_merge_slot;

typedef struct dw_merge_slot_vec {
    dw_merge_slot *items;
    size_t count;
    size_t capacity;
} dw_merge_slot_vec;

typedef struct dw_merge_plan {
    dw_execution *x;
    const dw_merge_statement *merge;
    const dw_type *schema; /* that the table is to have */
    dw_row_id_columns ids;
    bool keeps_old; /* the rows as they were, for the change data feed */
    bool evolves;
    dw_str source_copy; /* the table of the engine that holds the source; null string: none */
    dw_merge_names names;
    dw_str on;
    bool has[3];               /* clauses of each kind */
    dw_merge_branch *branches; /* one a clause */
    dw_merge_slot_vec slots;
    size_t cell_count;
    dw_str prune; /* what rows of the target must satisfy to matter; null string: nothing */
} dw_merge_plan;

/* Reads the clauses; the names of both sides are set. Release with _deinit, also after a failure.
 * DW_INVALID_ARGUMENT: COLUMN_NOT_FOUND, MERGE_INVALID, PARSE_ERROR. */
DW_WARN_UNUSED dw_status dw__merge_plan_read(dw_merge_plan *plan, const dw_row_rules *rules);
void dw__merge_plan_deinit(dw_merge_plan *plan);

/* The join, in the user's words; or a query for planning it, which no source need stand behind. */
DW_WARN_UNUSED dw_status dw__merge_print_join(const dw_merge_plan *plan, bool is_for_planning,
                                              dw_str *out);
/* How many references to Delta tables stand before the target in the join. */
size_t dw__merge_target_reference(const dw_merge_plan *plan);
/* Once the slots have types: the query for the rows to keep, over the join as the engine knows it.
 */
DW_WARN_UNUSED dw_status dw__merge_print_kept(dw_merge_plan *plan, dw_str join, dw_str *out);
/* The query for a clause's new values over the kept rows, and its columns. */
DW_WARN_UNUSED dw_status dw__merge_print_part(const dw_merge_plan *plan, size_t branch, dw_str kept,
                                              dw_merge_part *out);

#endif
