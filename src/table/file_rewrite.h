/*
 * Writing files again with the rows that they have: without deletion vectors, with the types and
 * names that the table has now. PROTOCOL.md "Add File and Remove File", dataChange.
 *
 *  [REWRITE-1] No row changes: nothing that reads changes sees it, and ids stay.
 */
#ifndef DW_TABLE_FILE_REWRITE_H
#define DW_TABLE_FILE_REWRITE_H

#include "scan/scan.h"
#include "table/change.h"

/* Another order of the rows, which also says which of them share a file. */
typedef struct dw_row_arrangement {
    /* Appends the expression of a row's number, of the view's columns: rows are sorted by it, and
     * what it is without the lowest `place_bits` is the file's. The view can be queried meanwhile,
     * on the rewrite's connection. */
    dw_status (*put_number)(void *ctx, dw_str view, dw_strbuf *out, dw_error *err);
    void *ctx;
    unsigned place_bits;
} dw_row_arrangement;

typedef struct dw_file_rewrite {
    dw_connection *connection;
    const dw_file_ref *files; /* of the change's snapshot; NULL: all of them */
    size_t file_count;
    /* The columns of the new files, by the names of the table's, and what else holds for them;
     * NULL: as the table's. */
    const dw_type *schema;
    const dw_properties *properties;
    const dw_protocol *protocol;
    dw_str clustering;           /* the domain delta.clustering as it will be; null string: none */
    int64_t file_size_bytes;     /* aim of the new files; 0: the table's; INT64_MAX: one file */
    int64_t partition_count_max; /* see dw_data_target */
    bool as_one_file; /* the files are of one partition, and their rows keep their order */
    /* Not NULL: the files are of one partition, and their rows get that order. */
    const dw_row_arrangement *arrangement;
    dw_data_files written; /* filled in */
} dw_file_rewrite;

/* Writes the rows of the files of a snapshot anew, with their ids; what is made of it is the
 * caller's. All in `arena`. */
DW_WARN_UNUSED dw_status dw__file_rewrite_rows(dw_file_rewrite *rewrite, dw_table *table,
                                               dw_log_snapshot *snapshot, dw_arena *arena,
                                               dw_error *err);

/* The same, and puts removes and adds into the change, which says so in
 * its metrics. Like all files of a change the new ones are discarded with it. */
DW_WARN_UNUSED dw_status dw__file_rewrite(dw_file_rewrite *rewrite, dw_change *change,
                                          dw_error *err);

#endif
