/*
 * CREATE TABLE, CREATE OR REPLACE TABLE, and both AS SELECT.
 */
#ifndef DW_TABLE_CREATE_H
#define DW_TABLE_CREATE_H

#include "table/clustering.h"
#include "table/table.h"
#include "table/write.h"

typedef enum dw_create_mode {
    DW_CREATE_NEW,        /* DW_ALREADY_EXISTS when a table is there */
    DW_CREATE_IF_MISSING, /* IF NOT EXISTS: nothing happens when one is there */
    DW_CREATE_OR_REPLACE, /* a new version with the new schema and rows; history stays */
    DW_REPLACE            /* REPLACE TABLE: DW_NOT_FOUND when there is none */
} dw_create_mode;

typedef struct dw_create_spec {
    dw_create_mode mode;
    const dw_type *schema; /* NULL for AS SELECT: taken from the query */
    const dw_str *partition_columns;
    size_t partition_column_count;
    dw_name_paths cluster_by; /* CLUSTER BY; none: the table is not clustered */
    bool clusters_auto;       /* CLUSTER BY AUTO: `properties` say so, too */
    dw_pairs properties;      /* checked by dw__property_check */
    bool has_no_defaults;     /* the table gets no property that is not among these */
    dw_str name;              /* of the table in its metadata; null string: none */
    dw_str comment;           /* null string: none */
    dw_str query;             /* AS SELECT, to run on the connection; null string: none */
    const dw_txn_id *txns;    /* recorded with the rows; see dw_write_spec */
    size_t txn_count;
    dw_str user_metadata;
    dw_commit_limits limits;
    dw_log_snapshot *read_snapshot; /* the state of this very table that the query read, or NULL */
} dw_create_spec;

/* What a mode means where a table is there, or is not. DW_ALREADY_EXISTS (TABLE_ALREADY_EXISTS),
 * DW_NOT_FOUND (TABLE_NOT_FOUND). */
DW_WARN_UNUSED dw_status dw__create_check_mode(const dw_table *table, dw_create_mode mode,
                                               bool exists, bool *nothing_to_do_out, dw_error *err);
/* The columns of a query, all of which may be NULL, as the reference makes them. In `arena`. */
DW_WARN_UNUSED dw_status dw__schema_of_query(dw_connection *connection, dw_str query,
                                             dw_arena *arena, const dw_type **out, dw_error *err);
/* `out->version` is -1 when IF NOT EXISTS found a table. */
DW_WARN_UNUSED dw_status dw__table_create(dw_table *table, dw_connection *connection,
                                          const dw_create_spec *spec, dw_write_result *out,
                                          dw_error *err);

#endif
