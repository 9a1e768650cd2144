/*
 * The rows of a table that a statement chose, by file and place: what DELETE and its kin begin
 * with. Shared by the verbs that change rows.
 *
 *  [CHOICE-1] A row is chosen once, however often the query returns it.
 *  [CHOICE-2] Places count the rows of the file as it was written, deleted ones too.
 */
#ifndef DW_TABLE_ROW_CHOICE_H
#define DW_TABLE_ROW_CHOICE_H

#include "codec/roaring.h"
#include "engine/database.h"

typedef struct dw_row_choice {
    const dw_allocator *allocator;
    dw_rowset **rows; /* for each file of the scan; NULL: none of it */
    size_t file_count;
} dw_row_choice;

/*
 * Runs `query`, whose two columns are those of the positions (scan/scan.h), over a scan of
 * `file_count` files. Release with dw__row_choice_deinit, also after a failure.
 */
DW_WARN_UNUSED dw_status dw__row_choice_read(dw_connection *connection, dw_str query,
                                             size_t file_count, const dw_allocator *allocator,
                                             dw_row_choice *out, dw_error *err);
void dw__row_choice_deinit(dw_row_choice *choice);

#endif
