/*
 * From the engine's plan of a query to where its columns come from: for each column of the result
 * the columns of tables and files that its values are made of, and those that only decide which
 * rows there are.
 *
 *  [LINEAGE-1] Nothing is missing: a column that a value may be made of is among those that are
 *              named. There may be some too many: those by which a window is cut and ordered, those
 *              of a FILTER behind an aggregate.
 *  [LINEAGE-2] A plan that is not understood as a whole says nothing: `is_known` is false then.
 */
#ifndef DW_SCAN_PLAN_LINEAGE_H
#define DW_SCAN_PLAN_LINEAGE_H

#include "base/arena.h"
#include "base/error.h"

/* Of all tables and files of a plan together; more are not told apart. */
#define DW_PLAN_LINEAGE_COLUMNS_MAX ((size_t) 16384)
/* Tables and files, each occurrence for itself. */
#define DW_PLAN_LINEAGE_INPUTS_MAX ((size_t) 1024)
/* What an operator of the plan gives out. */
#define DW_PLAN_LINEAGE_WIDTH_MAX ((size_t) 16384)
/* How often a recursive query is gone through until it says nothing new. */
#define DW_PLAN_LINEAGE_ROUNDS_MAX 64

/* A set of columns, as bits: those of the first input, then those of the second ... */
typedef struct dw_column_set {
    uint64_t *words;
} dw_column_set;

/* One occurrence of a table, or of files. */
typedef struct dw_plan_input {
    int64_t table_index; /* its number in the plan */
    dw_str table;        /* the name of a stub; null string: files, or a function */
    dw_str function;     /* "read_parquet" */
    dw_str *files;       /* null: none are known */
    size_t file_count;
    dw_str *columns;
    size_t column_count;
    size_t first; /* the number of its first column among all */
} dw_plan_input;

/* How a column decides which rows there are. */
typedef enum dw_condition_kind {
    DW_CONDITION_FILTER, /* WHERE, HAVING, QUALIFY, rows of EXCEPT, ... */
    DW_CONDITION_JOIN,   /* also of what the plan makes of IN and EXISTS */
    DW_CONDITION_GROUP,  /* GROUP BY, DISTINCT */
    DW_CONDITION_SORT    /* ORDER BY */
} dw_condition_kind;

#define DW_CONDITION_KIND_COUNT 4

typedef struct dw_plan_output {
    dw_column_set from;
    bool is_same; /* values of these columns, as they were */
} dw_plan_output;

/* All of it in the arena. */
typedef struct dw_plan_lineage {
    bool is_known;
    dw_plan_input *inputs;
    size_t input_count;
    size_t column_count; /* of all inputs */
    dw_plan_output *outputs;
    size_t output_count;
    dw_column_set conditions[DW_CONDITION_KIND_COUNT]; /* what decides which rows there are */
} dw_plan_lineage;

static inline bool
dw__column_set_has(dw_column_set set, size_t idx)
{
    return (set.words[idx / 64] >> (idx % 64) & 1) != 0;
}

/* Reads a plan as json_serialize_plan gives it; the null string or nonsense is not known. Inputs
 * are filled even where the rest is not. Fails only when out of memory. */
DW_WARN_UNUSED dw_status dw__plan_lineage_read(dw_str plan_json, dw_arena *arena,
                                               dw_plan_lineage *out, dw_error *err);

#endif
