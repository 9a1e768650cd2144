/*
 * load and COPY INTO: rows from files, each file once. This is the one verb that is made of others:
 * it turns files into a query and hands that to create or write.
 *
 *  [LOAD-1] A file is remembered by its absolute path as a txn action (copy-into:<path>) in the
 *           commit that adds its rows; so it is loaded once, whoever asks and however often.
 */
#ifndef DW_TABLE_LOAD_H
#define DW_TABLE_LOAD_H

#include "table/write.h"

typedef struct dw_load_spec {
    dw_load_mode mode;
    dw_load_format format;
    const dw_str *files; /* paths or globs */
    size_t file_count;
    dw_pairs format_options;         /* of the engine's reader: header, delim, ... */
    dw_write_columns columns_become; /* of a table that is there */
    bool create;                     /* make the table from the files' columns when there is none */
    /* For a table that is made, or gets other columns; none: as they are. */
    const dw_str *partition_columns;
    size_t partition_column_count;
    dw_pairs properties; /* for a table that is made */
    bool force;          /* load files again that were loaded before */
    dw_str txn_app_id;   /* with txn_version >= 0: the whole load happens once */
    int64_t txn_version; /* -1: each file is remembered by its path instead */
    dw_str user_metadata;
    const char *operation;       /* "COPY INTO" or NULL: "WRITE" */
    dw_transaction *transaction; /* NULL, or what the load is part of */
    dw_commit_limits limits;
    dw_str select_list; /* of COPY INTO ... FROM (SELECT list FROM ...); null string: * */
} dw_load_spec;

typedef struct dw_load_result {
    dw_write_result write;
    int64_t files_loaded, files_skipped; /* skipped: loaded before */
    bool created;
} dw_load_result;

DW_WARN_UNUSED dw_status dw__table_load(dw_table *table, dw_connection *connection,
                                        const dw_load_spec *spec, dw_load_result *out,
                                        dw_error *err);

#endif
