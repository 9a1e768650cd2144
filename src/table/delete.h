/*
 * DELETE: rows go, by deletion vectors where the table has them, else by writing the files again
 * without them. PROTOCOL.md "Deletion Vectors", "Add CDC File".
 *
 *  [DELETE-1] A file of which no row is left is removed; nothing is written for it.
 *  [DELETE-2] A deletion vector holds what was deleted before, too.
 *  [DELETE-3] What reads the change data feed of the new version finds exactly the deleted rows.
 */
#ifndef DW_TABLE_DELETE_H
#define DW_TABLE_DELETE_H

#include "scan/scan.h"
#include "table/table.h"

typedef struct dw_delete_spec {
    dw_log_snapshot *snapshot;
    /* The rows: an open scan whose first source is the table, with positions, and a query over it
     * that returns the positions of rows to delete. A scan of NULL means all rows. */
    const dw_scan *scan;
    dw_str query;
    dw_str predicate;   /* for the history: the condition as it was written; null string: none */
    dw_str name_prefix; /* what views on the connection may be called: unique to the statement */
} dw_delete_spec;

typedef struct dw_delete_result {
    int64_t version;      /* -1: there was nothing to delete, and nothing was committed */
    int64_t rows_deleted; /* -1: files were removed that do not say how many rows they had */
    int64_t files_removed, files_marked, files_rewritten;
} dw_delete_result;

DW_WARN_UNUSED dw_status dw__table_delete(dw_table *table, dw_connection *connection,
                                          const dw_delete_spec *spec, dw_delete_result *out,
                                          dw_error *err);

#endif
