/*
 * The SELECT over data files that is the table, for one occurrence of it. PROTOCOL.md "Column
 * Mapping", "Partition Value Serialization", "Deletion Vectors", "Type Widening".
 *
 *  [SCANSQL-1] Columns have the names, order and types of the table's schema, whatever the files
 *              have: columns and fields that a file lacks are NULL, narrower types are widened.
 *  [SCANSQL-2] What a table does not use costs nothing: no function is called for rows of a table
 *              without partition columns, deletion vectors and renamed fields.
 *              Files with deleted rows may be parts of their own: rows of one file are masked
 *              inside of the Parquet reader, as the condition is on one column then.
 *  [SCANSQL-3] Values of partition columns come from the log, never from files or directory names.
 */
#ifndef DW_SCAN_SCAN_SQL_H
#define DW_SCAN_SCAN_SQL_H

#include "protocol/property.h"
#include "scan/scan.h"

#define DW_SCAN_SQL_BYTES_MAX ((size_t) 64 << 20)

/* The hidden column of files and rows, and what the columns of ids are called in the map of files'
 * columns. */
#define DW_METADATA_COLUMN "_metadata"
#define DW_ROW_ID_INNER "__deltaworks_row_id"
#define DW_ROW_VERSION_INNER "__deltaworks_row_commit_version"

/* Behind the table's columns stand _metadata, then those of ids. */
typedef struct dw_scan_metadata {
    bool has_struct, has_row_ids;
    bool tracks_rows;
    dw_row_id_columns columns; /* in files; null strings: rows have no ids of their own */
} dw_scan_metadata;

size_t dw__scan_metadata_column_count(const dw_scan_metadata *metadata);
/* How many values a file has for them, behind those of partitions; 0 for NULL. */
size_t dw__scan_metadata_value_count(const dw_scan_metadata *metadata);
/* Appends the expression of one of the columns. */
void dw__scan_metadata_put(dw_strbuf *out, const dw_scan_metadata *metadata, size_t column,
                           size_t first_value);

/* Files that follow each other, as one read. */
typedef struct dw_scan_part {
    size_t first, count;
    bool has_deleted_rows; /* some file has a deletion vector */
    bool is_large;         /* it is worth several threads */
    int64_t row_count;     /* an estimate for the engine; -1: none */
} dw_scan_part;

/* A field that files have and the table has not; see witness.h. */
typedef struct dw_scan_witness {
    const dw_type *type; /* the struct of the table */
    dw_str name;         /* of the field in files */
} dw_scan_witness;

typedef struct dw_scan_sql {
    const dw_type *schema;
    const dw_type *const
        *asked; /* types that files are asked for, of all columns; NULL: the same */
    const dw_scan_witness *witnesses; /* what they have in addition */
    size_t witness_count;
    const dw_str *partition_columns; /* logical names, in the order of the values of a file */
    size_t partition_count;
    dw_mapping_mode mapping_mode;
    const dw_scan_part *parts;
    size_t part_count;         /* 0: there are no files */
    bool with_positions;       /* the columns of positions, too */
    bool has_changes;          /* a column _change_type, as a value behind those of partitions */
    bool has_recorded_changes; /* ... or, where that is NULL, in files */
    /* Timestamps come as text, with a zone or without, which then is UTC. */
    bool instants_as_text;
    bool instants_are_unmarked; /* some come without a zone, and are of UTC */
    /* Some file has dates, or instants, of Spark's old calendar. */
    bool has_old_dates, has_old_instants;
    /* ... which may stand where the table has local times by now. These come as text, too: that of
     * a date has no time of day. */
    bool has_old_widened;
    bool has_twins;                   /* some file has twins of shredded variants */
    bool compares_nulls;              /* see dw_scan_source */
    const dw_scan_metadata *metadata; /* of the schema's last columns; NULL: there are none */
    /* Keeps what repeats from one SELECT to the next; NULL: it is written out. */
    dw_connection *connection;
} dw_scan_sql;

/* True when columns that have field ids are found by name: the engine cannot mix the two, and some
 * column has no id. */
bool dw__scan_sql_ignores_ids(const dw_scan_sql *scan);
/* Appends the SELECT in the terms of dw__connection_bind_scan. `arena` is for intermediate texts.
 * Fails when out of memory. */
DW_WARN_UNUSED dw_status dw__scan_sql_print(dw_strbuf *out, const dw_scan_sql *scan,
                                            dw_arena *arena, dw_error *err);

/* The value of a partition column of a file as the SELECT expects it; the null string for NULL. In
 * `arena` or borrowed from `text`. DW_CORRUPT (PARTITION_VALUE_INVALID). */
DW_WARN_UNUSED dw_status dw__scan_partition_text(const dw_field *field, dw_str text,
                                                 dw_arena *arena, dw_str *out, dw_error *err);

#endif
