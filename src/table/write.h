/*
 * Adding rows: INSERT INTO, INSERT OVERWRITE, load and append, from any query of the engine.
 *
 *  [WRITE-1] Columns are matched and cast before a row is written; a cast that could lose data is
 *            refused and names the column.
 *  [WRITE-2] Files are durable before the commit; files of a write that failed are removed.
 *  [WRITE-3] What takes the place of rows that meet a condition meets it, too.
 *  [WRITE-4] Columns change only where the statement says so, in the commit of the rows.
 */
#ifndef DW_TABLE_WRITE_H
#define DW_TABLE_WRITE_H

#include "engine/database.h"
#include "table/row_change.h"
#include "table/table.h"

typedef struct dw_transaction dw_transaction;

typedef enum dw_write_mode { DW_WRITE_APPEND, DW_WRITE_OVERWRITE } dw_write_mode;

/* What becomes of the table's columns where the query has others. */
typedef enum dw_write_columns {
    DW_COLUMNS_STAY,    /* a column that the table lacks is refused */
    DW_COLUMNS_MERGED,  /* mergeSchema: it is added, see evolve.h */
    DW_COLUMNS_REPLACED /* overwriteSchema: the query's take the place of the table's */
} dw_write_columns;

typedef struct dw_write_spec {
    dw_write_mode mode;
    dw_write_columns columns_become;
    /* DW_COLUMNS_REPLACED: the partitions from then on; NULL: as they are. */
    const dw_str *partition_columns;
    size_t partition_column_count;
    dw_str query; /* SELECT to run on the connection */
    /* The columns of a query that is a SELECT of ours; NULL: they are asked for. */
    const dw_query_column *source;
    size_t source_count;
    /* INSERT INTO t (a, b): the targets of the query's columns, in order; the null string is for a
     * column that goes nowhere: what makes rows must have one. */
    const dw_str *columns;
    size_t column_count; /* 0: all columns of the table, by position */
    bool by_name;        /* match the query's columns by their names (load, append, BY NAME) */
    /* INSERT ... PARTITION (k = v): the value that all rows get, and, with OVERWRITE, the only
     * files that are replaced. Values are the protocol's text; the null string is NULL. */
    dw_pairs static_partitions;
    /* OVERWRITE of a partitioned table: only the partitions that the new rows have are replaced. */
    bool is_dynamic;
    /* OVERWRITE: only these rows are replaced, which is what replaces static_partitions; the
     * condition in the engine's SQL, on columns of the table. NULL: none. */
    const dw_row_change_spec *replaced;
    dw_str replace_condition;
    /* Loads that must happen once: each is recorded as a txn action. When all of them are in the
     * table already, nothing is written and the result says so. */
    const dw_txn_id *txns;
    size_t txn_count;
    bool reads_target;   /* the query reads this table: the write is no blind append */
    const dw_scan *scan; /* with reads_target: what it reads; NULL: all of the table */
    /* Queries over the files of `query`, one after the other, and the names of these: so a value
     * that does not fit is told with its file. Count 0: its row is the query's. */
    dw_status (*print_part)(void *ctx, size_t idx, dw_strbuf *out, dw_str *name_out, dw_error *err);
    size_t part_count;
    void *part_ctx;
    bool is_quarantine;             /* the rows are those that another table drops */
    bool query_runs_once;           /* its rows come from a stream: they cannot be had again */
    dw_log_snapshot *read_snapshot; /* the state that it read; NULL: the newest */
    dw_transaction *transaction; /* NULL, or what the write is part of; then read_snapshot is its */
    dw_commit_limits limits;
    dw_str user_metadata;
    const char *operation;            /* NULL: "WRITE" */
    dw_str operation_parameters_json; /* null string: derived from the mode */
} dw_write_spec;

typedef struct dw_write_result {
    int64_t version; /* -1: nothing was committed */
    int64_t rows_added, files_added, bytes_added, files_removed;
    int64_t rows_removed;                  /* -1: some files do not say how many they had */
    int64_t files_marked, files_rewritten; /* of replaced rows, see dw_row_change_result */
    bool was_duplicate;
    dw_judged judged;
} dw_write_result;

DW_WARN_UNUSED dw_status dw__table_write(dw_table *table, dw_connection *connection,
                                         const dw_write_spec *spec, dw_write_result *out,
                                         dw_error *err);

#endif
