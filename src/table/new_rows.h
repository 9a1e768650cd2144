/*
 * The rows that take the place of others, or join them: what a query gives for columns of the table
 * becomes whole rows, filled and judged as those of an INSERT. Shared by UPDATE and MERGE.
 */
#ifndef DW_TABLE_NEW_ROWS_H
#define DW_TABLE_NEW_ROWS_H

#include "table/row_change.h"
#include "table/row_rules.h"

typedef struct dw_new_rows {
    dw_str query;                  /* its columns are the new values of `columns`, in order */
    const dw_query_column *source; /* what it returns; NULL: it is asked */
    const dw_str *columns;         /* of rc->target.schema */
    size_t column_count;
    bool replace_others; /* rows that were there, whose identity values stay */
} dw_new_rows;

/* The query for the rows, with the columns of rc->target.schema. `rules` are the table's, as
 * dw__new_rows_rules has read them; what is left out is noted in them. In the arena of the change.
 * Errors: as dw__projection_print. */
DW_WARN_UNUSED dw_status dw__new_rows_print(dw_row_change *rc, const dw_new_rows *rows,
                                            dw_row_rules *rules, dw_str *out, dw_error *err);
DW_WARN_UNUSED dw_status dw__new_rows_rules(dw_row_change *rc, dw_row_rules *out, dw_error *err);
/* DW_INVALID_ARGUMENT (IDENTITY_UPDATE) when the column of a table is an identity column. */
DW_WARN_UNUSED dw_status dw__new_rows_check_update(const dw_log_snapshot *snapshot, dw_str column,
                                                   dw_error *err);

#endif
