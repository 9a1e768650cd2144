/*
 * Where the columns of rows that are written come from, once it is known which column of the query
 * becomes which of the table. What is recorded, and in which form: lineage/lineage.h.
 */
#ifndef DW_TABLE_WRITE_LINEAGE_H
#define DW_TABLE_WRITE_LINEAGE_H

#include "lineage/lineage.h"
#include "table/projection.h"

/* Notes it for a query that was matched to the table's columns; source_of[i] is the column of the
 * query that the i-th column of the table takes, or SIZE_MAX. `lineage` may be NULL. */
DW_WARN_UNUSED dw_status dw__write_note_lineage(dw_lineage *lineage,
                                                const dw_projection_request *request,
                                                const size_t *source_of, dw_error *err);

#endif
