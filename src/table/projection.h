/*
 * From the columns of a query to the columns of a table: matching, casting, checking, as one SQL
 * text.
 *
 *  [PROJECTION-1] A value that does not fit its column ends the statement; it is never cut or
 *                 rounded.
 *  [PROJECTION-2] A column that the query lacks is filled by its rule, or becomes NULL, or an
 *                 error where NULL is not allowed.
 */
#ifndef DW_TABLE_PROJECTION_H
#define DW_TABLE_PROJECTION_H

#include "engine/database.h"
#include "protocol/action.h"
#include "protocol/schema.h"
#include "table/row_rules.h"
#include "table/value_misfit.h"

typedef struct dw_projection_request {
    dw_str query;
    /* The query is a SELECT: SHOW and the like can only be read from. */
    bool can_stand_alone;
    const dw_query_column *source; /* what the query returns */
    size_t source_count;
    const dw_type *schema; /* the table's */
    /* Targets of the query's columns, in order; the null string: for none. Count 0: all. */
    const dw_str *columns;
    size_t column_count;
    bool by_name;
    const dw_pairs *static_partitions; /* columns that get a constant instead; may be NULL */
    dw_row_rules *rules;        /* of the table; what is left out is noted in them. NULL: none */
    struct dw_lineage *lineage; /* what is to be known of the columns; NULL: nothing */
    /* The rows cannot be had again: a value that does not fit is told with its row at once, which
     * takes numbering the rows where casts may fail. */
    bool tells_rows;
} dw_projection_request;

/* Appends the SELECT whose columns are those of the table, in the table's order and types.
 * DW_INVALID_ARGUMENT: COLUMN_COUNT_MISMATCH, COLUMN_NOT_FOUND, COLUMN_DUPLICATE, TYPE_MISMATCH,
 * NOT_NULL_VIOLATION, IDENTITY_EXPLICIT, each naming the column. */
DW_WARN_UNUSED dw_status dw__projection_print(const dw_projection_request *request, dw_arena *arena,
                                              dw_strbuf *out, dw_error *err);
/* Appends a SELECT of the first row with a value that does not fit its column: the place's index in
 * `places`, the value as text, and the number of the row, from 1 on. Nothing where all of them fit
 * by their types. The request needs no rules. `places` are to be deinitialised by the caller. */
DW_WARN_UNUSED dw_status dw__projection_print_misfit(const dw_projection_request *request,
                                                     dw_arena *arena, dw_strbuf *out,
                                                     dw_misfits *places, dw_error *err);

#endif
