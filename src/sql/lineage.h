/*
 * What a statement tells of where its rows come from: see lineage/lineage.h. Statements that write
 * rows note it on their way; the commit records it.
 *
 *  [NOTE-1] Nothing here fails a statement but a lack of memory.
 */
#ifndef DW_SQL_LINEAGE_H
#define DW_SQL_LINEAGE_H

#include "scan/plan_lineage.h"
#include "sql/execution.h"

/* What the statement's commit to the table is given: the limits of the session, and the lineage,
 * which begins here, unless the session records none. */
DW_WARN_UNUSED dw_status dw__execution_limits(dw_execution *x, const dw_table *table,
                                              dw_commit_limits *out);

/* The same for what changes no rows, unless the command says otherwise on its way. */
DW_WARN_UNUSED dw_status dw__execution_upkeep_limits(dw_execution *x, const dw_table *table,
                                                     dw_commit_limits *out);

/* Tells whom the runtime tells of runs that this one begins, and how it ended: with what change, or
 * NULL. */
void dw__execution_tell_start(dw_execution *x);
void dw__execution_tell_end(dw_execution *x, dw_status status, const dw_change_report *change);

/* Notes the tables of a scan as inputs. Nothing where no lineage was begun; NULL is fine. */
DW_WARN_UNUSED dw_status dw__execution_note_scan(dw_execution *x, const dw_scan *scan);
/* The same, and the files that the query reads; and what its columns are made of, for those that
 * are written. The range is that of the query in `sql`. */
DW_WARN_UNUSED dw_status dw__execution_note_query(dw_execution *x, const dw_open_query *query,
                                                  const dw_sql_text *sql, dw_sql_range range);
/* Notes the columns of a scan's conditions, of a query that only chooses rows; and its tables. */
DW_WARN_UNUSED dw_status dw__execution_note_choice(dw_execution *x, const dw_scan *scan);
/* Notes a version of a table as an input. */
DW_WARN_UNUSED dw_status dw__execution_note_table(dw_execution *x, const dw_log_snapshot *snapshot,
                                                  size_t *idx_out);

/* One table or query whose columns stand in expressions. */
typedef struct dw_noted_side {
    dw_str alias;
    const dw_query_column *columns;
    size_t column_count;
    bool is_query; /* the one that was noted */
    size_t input;  /* else the one whose columns they are; SIZE_MAX: there was no room for it */
} dw_noted_side;

/* Columns that are set to expressions, put together one by one. */
typedef struct dw_noted_columns {
    dw_lineage_column *items;
    size_t count;
} dw_noted_columns;

/* Notes that a column is set to an expression of the statement over the sides; a column may be set
 * several times. Every column is found that the expression names, and perhaps some too many; where
 * there is a subquery in it, any may be meant. `max` is the number of columns there may be. */
DW_WARN_UNUSED dw_status dw__execution_note_set(dw_execution *x, dw_noted_columns *columns,
                                                size_t max, dw_str column, dw_str text,
                                                const dw_noted_side *sides, size_t side_count);
DW_WARN_UNUSED dw_status dw__execution_note_columns(dw_execution *x,
                                                    const dw_noted_columns *columns);
/* Notes that the columns in an expression decide which rows there are. */
DW_WARN_UNUSED dw_status dw__execution_note_condition(dw_execution *x, dw_condition_kind kind,
                                                      dw_str text, const dw_noted_side *sides,
                                                      size_t side_count);
/* Whether a query may begin with the word, or read a table with it. */
bool dw__may_begin_query(uint16_t keyword);

#endif
