/*
 * DELETE: rows go, by deletion vectors where the table has them, else by writing the files again
 * without them.
 */
#ifndef DW_TABLE_DELETE_H
#define DW_TABLE_DELETE_H

#include "table/row_change.h"

/* Errors: as dw__row_change_init and dw__txn_commit. */
DW_WARN_UNUSED dw_status dw__table_delete(const dw_row_change_spec *spec, dw_row_change_result *out,
                                          dw_error *err);

#endif
