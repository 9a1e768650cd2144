/*
 * Writing data files: from the rows of a query to add actions with statistics, durable on storage.
 * Shared by every verb that adds rows.
 *
 *  [DATA-1] When this returns DW_OK every file named by an add is durable.
 *  [DATA-2] When it fails no file of it is left, as far as storage still obeys.
 */
#ifndef DW_TABLE_DATA_FILES_H
#define DW_TABLE_DATA_FILES_H

#include "table/table.h"

/* What the files must look like. */
typedef struct dw_data_target {
    const dw_type *schema;
    const dw_str *partition_columns;
    size_t partition_column_count;
    const dw_protocol *protocol;
    const dw_properties *properties;
    dw_str clustering; /* the configuration of the domain delta.clustering; null string: none */
    /* What is known of the number of partitions that the rows have; 0: nothing. */
    int64_t partition_count_max;
    /* Not NULL: all rows are in this partition (physical names, texts of the log; none in a table
     * without), and become one file with their order kept. */
    const dw_pairs *partition;
    dw_str directory; /* where files go below the root, as a key; null string: the root itself */
    /* A column that the query has behind the schema's: see dw_copy_request. Null string: none. All
     * rows are in one partition then. */
    dw_str file_column;
    bool query_runs_once; /* its rows cannot be had again */
    bool has_no_filters;  /* change data: no one looks rows up there */
} dw_data_target;

/* Files of a table as it is in that version. Borrowed from the snapshot. */
dw_data_target dw__data_target_of(const dw_log_snapshot *snapshot);
/* The same with one more column behind the table's, which has no statistics. In `arena`. */
DW_WARN_UNUSED dw_status dw__data_target_add_column(dw_data_target *target, dw_str name,
                                                    dw_type_kind kind, dw_arena *arena,
                                                    dw_error *err);
/*
 * For rows that may have been there before: where the table tracks its rows, the columns of
 * dw__scan_row_id_columns stand behind its own, and rows are new where they are NULL. DW_CORRUPT
 * (ROW_TRACKING_INVALID) when the table does not name them.
 */
DW_WARN_UNUSED dw_status dw__data_target_keeping_ids(const dw_log_snapshot *snapshot,
                                                     dw_arena *arena, dw_data_target *out,
                                                     dw_error *err);

/* The same for a target that is not quite the snapshot's. */
DW_WARN_UNUSED dw_status dw__data_target_keep_ids(const dw_log_snapshot *snapshot, dw_arena *arena,
                                                  dw_data_target *target, dw_error *err);

typedef struct dw_data_files {
    dw_file *adds;
    size_t count;
    int64_t row_count;
    int64_t size_bytes;
} dw_data_files;

/*
 * Runs `query`, whose columns are those of the schema, and writes its rows. Everything in `arena`.
 */
DW_WARN_UNUSED dw_status dw__data_files_write(dw_table *table, dw_connection *connection,
                                              const dw_data_target *target, dw_str query,
                                              dw_arena *arena, dw_data_files *out, dw_error *err);
/* Removes the files of a write whose commit did not happen. Never after DW_AMBIGUOUS. */
void dw__data_files_discard(dw_table *table, const dw_data_files *files);

#endif
