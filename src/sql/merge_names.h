/*
 * Which columns the expressions of a MERGE name. The engine's own parser reads them; what it says
 * about places in the text lets us qualify a name without writing the text anew.
 *
 *  [MERGE-1] WHEN NOT MATCHED sees the source alone, WHEN NOT MATCHED BY SOURCE the target alone:
 *            there a bare name that both have is that side's, and one of the other side is refused.
 */
#ifndef DW_SQL_MERGE_NAMES_H
#define DW_SQL_MERGE_NAMES_H

#include "sql/execution.h"

/* One side of the MERGE. */
typedef struct dw_merge_side {
    dw_str alias;
    const dw_query_column *columns;
    size_t column_count;
} dw_merge_side;

/* An equality of a column of each side that the condition demands. */
typedef struct dw_merge_key {
    size_t target_idx, source_idx; /* columns of the sides */
} dw_merge_key;

/* An expression of the statement. */
typedef struct dw_merge_text {
    dw_str text; /* in the engine's words; becomes the one to run */
    dw_merge_kind kind;
    bool is_condition;
    size_t token; /* where it stands, for messages */
} dw_merge_text;

typedef struct dw_merge_names {
    dw_execution *x;
    dw_merge_side target, source;
    /* Of the first expression, which is the condition of the whole. */
    dw_merge_key *keys;
    size_t key_count;
    bool *target_uses; /* for each column of the target */
} dw_merge_names;

/* The column of that name, or SIZE_MAX. */
size_t dw__merge_column(const dw_merge_side *side, dw_str name);
/* Reads all expressions at once; the first is the condition of the whole. DW_INVALID_ARGUMENT
 * (PARSE_ERROR, COLUMN_NOT_FOUND, MERGE_INVALID). */
DW_WARN_UNUSED dw_status dw__merge_names_read(dw_merge_names *names, dw_merge_text *texts,
                                              size_t count);

#endif
