/*
 * UPDATE: chosen rows leave their files, and come back with new values in new ones.
 *
 *  [UPDATE-1] Values are judged, and generated columns computed anew, as for rows that are
 *             inserted.
 *  [UPDATE-2] A row keeps its identity values: no statement sets them.
 */
#ifndef DW_TABLE_UPDATE_H
#define DW_TABLE_UPDATE_H

#include "table/row_change.h"

typedef struct dw_update_spec {
    dw_row_change_spec rows;
    /* Opens a scan of the chosen rows, with row ids where the table tracks its rows, and gives the
     * query over it whose columns are the new values of `columns`, in order. The scan is closed
     * here. */
    dw_status (*open_values)(void *ctx, const dw_scan_rows *rows, dw_scan **scan_out,
                             dw_str *query_out, dw_error *err);
    void *ctx;
    /* Of the table, but for generated ones that are not set; and of dw__scan_row_id_columns the
     * first, where the table tracks its rows: they keep their ids, not their versions. */
    const dw_str *columns;
    const bool *is_set; /* for each of them: by the statement, else it is as it was */
    size_t column_count;
} dw_update_spec;

/* Errors: as dw__new_rows_check_update, dw__row_change_init, dw__projection_print and
 * dw__txn_commit.
 */
DW_WARN_UNUSED dw_status dw__table_update(const dw_update_spec *spec, dw_row_change_result *out,
                                          dw_error *err);

#endif
