/*
 * MERGE: which rows of the target are to go and which new ones are to come was decided once, and
 * kept in a table on the connection; here it becomes a change.
 *
 *  [MERGE-2] A row of the target is changed by one row of the source, or the statement ends; but to
 *            be deleted by several, when that is all that can happen to it, is no contradiction.
 *  [MERGE-3] What was decided is read from the kept rows and never asked for again.
 */
#ifndef DW_TABLE_MERGE_H
#define DW_TABLE_MERGE_H

#include "table/evolve.h"
#include "table/row_change.h"

/* Which rows a clause is for. */
typedef enum dw_merge_kind {
    DW_MERGE_MATCHED,
    DW_MERGE_NOT_MATCHED,          /* rows of the source */
    DW_MERGE_NOT_MATCHED_BY_SOURCE /* rows of the target */
} dw_merge_kind;

typedef enum dw_merge_action { DW_MERGE_UPDATE, DW_MERGE_DELETE, DW_MERGE_INSERT } dw_merge_action;

/*
 * The kept rows: the number of the clause (INTEGER), and for rows of the target where they are, as
 * dw__scan gives it. With a change data feed, also the row as it was: DW_MERGE_OLD_PREFIX and the
 * number of each column of the table. What else they have is for the queries of the parts.
 */
#define DW_MERGE_CLAUSE_COLUMN "__deltaworks_clause"
#define DW_MERGE_OLD_PREFIX "__deltaworks_old_"

/* What one clause does. */
typedef struct dw_merge_part {
    dw_merge_kind kind;
    dw_merge_action action;
    /* UPDATE and INSERT: the query for the new values of `columns`, in order; its columns. */
    dw_str query;
    const dw_query_column *source;
    const dw_str *columns;
    const bool *is_set; /* for each: by the clause, else it is as it was */
    size_t column_count;
} dw_merge_part;

typedef struct dw_merge_spec {
    /* The query is that for the places of all kept rows that have one. */
    dw_row_change_spec rows;
    const dw_evolved *evolved; /* what becomes of the table's columns; rows.schema is its schema */
    dw_str kept;               /* the name of the table of kept rows */
    const dw_merge_part *parts;
    size_t part_count;
    bool allows_several;      /* rows of the source that match one of the target [MERGE-2] */
    int64_t source_row_count; /* for the history */
    dw_str parameters_json;
    /* Says which row of the target several rows of the source match. Returns that error. */
    dw_status (*refuse_several)(void *ctx, int64_t file, int64_t row, dw_error *err);
    void *ctx;
} dw_merge_spec;

typedef struct dw_merge_result {
    int64_t version; /* -1: nothing was committed */
    int64_t updated, deleted, inserted;
    dw_row_change_result change;
} dw_merge_result;

/* Errors: as dw__table_update, and what refuse_several returns. */
DW_WARN_UNUSED dw_status dw__table_merge(const dw_merge_spec *spec, dw_merge_result *out,
                                         dw_error *err);

#endif
