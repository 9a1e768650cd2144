/*
 * The query engine as the table, SQL and scan layers use it: one database a runtime, one connection
 * a session. DuckDB is behind it and is loaded at the first call that needs it.
 *
 *  [DATABASE-1] Planning happens on a second in-memory instance that holds only empty stub tables,
 *               so that its settings never touch running queries.
 *  [DATABASE-2] File lists travel as variables or registered objects, never as SQL text.
 *  [DATABASE-4] What is kept of files between statements takes its memory from the same limit: the
 *               engine gets what DW_CACHE_SHARE leaves of it.
 *  [DATABASE-3] Engine errors become dw_error with the engine's own words in one line:
 *               DW_INVALID_ARGUMENT for parser, binder, catalog, conversion and constraint errors,
 *               DW_OUT_OF_MEMORY, DW_IO (STORAGE_FULL when the disk is full), DW_CANCELLED for an
 *               interrupt.
 */
#ifndef DW_ENGINE_DATABASE_H
#define DW_ENGINE_DATABASE_H

#include "base/cache.h"
#include "codec/old_calendar.h"
#include "codec/roaring.h"
#include "engine/engine.h"
#include "engine/turns.h"

/* What of data files is kept between statements, see dw__database_cache: a part of the memory
 * limit, and no more than so many bytes. */
#define DW_CACHE_SHARE 16
#define DW_CACHE_BYTES_MAX ((size_t) 1 << 30)

typedef struct dw_database dw_database;
typedef struct dw_connection dw_connection;

typedef struct dw_database_options {
    uint64_t memory_limit_bytes; /* 0: the engine's default */
    uint32_t thread_count;       /* 0: one per core */
    dw_str spill_directory;      /* null string: the engine's default */
} dw_database_options;

DW_WARN_UNUSED dw_status dw__database_open(const dw_env *env, const dw_database_options *options,
                                           dw_database **out, dw_error *err);
void dw__database_close(dw_database *database);
/* The vtable for the log. Borrowed; lives as long as the database. Thread-safe. */
dw_engine *dw__database_engine(dw_database *database);
/* Where the engine puts what does not fit into memory; the null string: where it likes. */
dw_str dw__database_spill_directory(const dw_database *database);
/* For queries: as many turns as keep the cores busy while some wait for files. Thread-safe. */
dw_turns *dw__database_turns(dw_database *database);
/* For what statements that come again and again would unpack again. Thread-safe. */
dw_cache *dw__database_cache(dw_database *database);
/* True once the engine has been loaded. */
bool dw__database_is_loaded(const dw_database *database);

/* One thread at a time, except for _interrupt and _progress. */
DW_WARN_UNUSED dw_status dw__connection_open(dw_database *database, dw_connection **out,
                                             dw_error *err);
/* The same for statements that one thread can run and that leave nothing behind, neither names nor
 * settings nor a transaction: the engine's side of it is kept for the next one. They run on the
 * caller's thread, on an instance of their own that has the same limit of memory. */
DW_WARN_UNUSED dw_status dw__connection_borrow(dw_database *database, dw_connection **out,
                                               dw_error *err);
void dw__connection_close(dw_connection *connection);
void dw__connection_interrupt(dw_connection *connection);
/* Makes progress known; it costs some CPU for each statement. Before the first statement. */
void dw__connection_count_progress(dw_connection *connection);
double dw__connection_progress(dw_connection *connection); /* 0..1, or -1 */

/* ---- Statements ------------------------------------------------------------------------------ */

/* Runs one statement and drops its rows. */
DW_WARN_UNUSED dw_status dw__connection_execute(dw_connection *connection, dw_str sql,
                                                dw_error *err);
/* Runs one statement and streams its rows; the stream must be released before the next statement
 * and before the connection is closed. `is_query_out` false: the statement returns no rows (the
 * stream is then empty, with no columns) and `changed_rows_out` says how many rows it changed, or
 * -1. */
DW_WARN_UNUSED dw_status dw__connection_query(dw_connection *connection, dw_str sql,
                                              struct ArrowArrayStream *out, bool *is_query_out,
                                              int64_t *changed_rows_out, dw_error *err);
/* What made a call of a stream of dw__connection_query fail, with its status and code. */
void dw__query_stream_error(const struct ArrowArrayStream *stream, dw_error *out);
/* Calls `visit` with each batch that is left of such a stream, in order, until it fails. The batch
 * is released after the call. */
typedef dw_status (*dw_query_visitor)(void *ctx, const struct ArrowArray *batch, dw_error *err);
DW_WARN_UNUSED dw_status dw__query_stream_visit(struct ArrowArrayStream *stream,
                                                dw_query_visitor visit, void *ctx, dw_error *err);
/* The errno by which a stream tells a status: ECANCELED, ENOMEM, ENOENT, EBADMSG (damaged), EIO,
 * ENOTSUP, else EINVAL. */
int dw__stream_errno(dw_status status);
/* Runs a statement and returns all values as text (null string for NULL), row by row, in `arena`:
 * for small results. */
typedef struct dw_text_rows {
    dw_str *cells; /* row_count x column_count */
    size_t row_count, column_count;
} dw_text_rows;
DW_WARN_UNUSED dw_status dw__connection_query_text(dw_connection *connection, dw_str sql,
                                                   dw_arena *arena, dw_text_rows *out,
                                                   dw_error *err);

/* The columns that a SELECT would return, without running it: names and the engine's type names,
 * fields always quoted: `DECIMAL(10,2)`, `STRUCT("a" INTEGER, "b c" VARCHAR[])`, `MAP(VARCHAR,
 * DATE)`, `ENUM` without its values, `JSON`, `NULL`. In `arena`. */
typedef struct dw_query_column {
    dw_str name;
    dw_str type;
} dw_query_column;
DW_WARN_UNUSED dw_status dw__connection_describe(dw_connection *connection, dw_str sql,
                                                 dw_arena *arena, dw_query_column **out,
                                                 size_t *count_out, dw_error *err);

/* What reads the rows of an Arrow stream, once: `FROM <sql>` (no thread but the engine's reads it
 * meanwhile), and its columns, named and typed as by _describe. The stream is moved in, and
 * released when the connection is closed. All in `arena`. */
typedef struct dw_stream_source {
    dw_str sql;
    dw_query_column *columns;
    size_t column_count;
} dw_stream_source;
DW_WARN_UNUSED dw_status dw__connection_add_stream(dw_connection *connection,
                                                   struct ArrowArrayStream *stream, dw_arena *arena,
                                                   dw_stream_source *out, dw_error *err);

/* Appends SQL that stands for the value of a constant expression, which the engine evaluates once
 * for the connection: cheaper than writing out what is long and comes back in every statement. */
DW_WARN_UNUSED dw_status dw__connection_put_constant(dw_connection *connection, dw_str expression,
                                                     dw_strbuf *out, dw_error *err);

/* ---- Scanning -------------------------------------------------------------------------------- */

/* What a scan reads, all borrowed until _unbind_scan. File i: its path as the engine opens it, its
 * values of the partition columns as text (null string: NULL), and the rows to leave out (NULL:
 * none).
 */
/* What a file has in Spark's old calendar. */
typedef struct dw_old_values {
    bool has_dates;
    const dw_old_zone *zone; /* of instants; NULL: they are as today's */
} dw_old_values;

typedef struct dw_scan_files {
    const dw_str *paths;
    size_t count;
    const dw_str *partition_values; /* count x partition_column_count, file by file */
    size_t partition_column_count;
    dw_rowset *const *deleted; /* count entries, or NULL when no file has a deletion vector */
    dw_rowset *const *kept;    /* the only rows to read; NULL entry: all. NULL: of no file */
    const dw_old_values *old;  /* count entries; NULL: no file has any */
} dw_scan_files;

/*
 * Creates the temporary view `name` for one occurrence of a table. `view_sql` is its SELECT; in it
 * `dw_files()` stands for the list of paths (for read_parquet's first argument), and these may be
 * used:
 *   dw_partition(file_index, k)  the text of partition column k of the file, NULL included; a
 *   constant
 *                                vector where it can be
 *   dw_keep(file_index, file_row_number)  false for rows in the file's deletion vector, and for
 *   those that are not among the only ones to read
 *   dw_old_date(file_index, d), dw_old_instant(file_index, t)  a DATE or TIMESTAMPTZ of the file,
 *   brought from its calendar to today's
 * A scan of no files is a view of no rows: then view_sql must not call read_parquet at all.
 */
DW_WARN_UNUSED dw_status dw__connection_bind_scan(dw_connection *connection, dw_str name,
                                                  dw_str view_sql, const dw_scan_files *files,
                                                  dw_error *err);
/* The same without a view, which takes the engine as long as a small query: in place of the name a
 * statement has the scan's SELECT in parentheses, which is appended to `sql_out`. */
DW_WARN_UNUSED dw_status dw__connection_inline_scan(dw_connection *connection, dw_str name,
                                                    dw_str view_sql, const dw_scan_files *files,
                                                    dw_strbuf *sql_out, dw_error *err);
/* Rows that were found by other means, at most 2,048, in place of a scan: appends to `sql_out` a
 * SELECT in parentheses that gives them. Columns and rows are borrowed until _unbind_scan. */
DW_WARN_UNUSED dw_status dw__connection_inline_rows(dw_connection *connection, dw_str name,
                                                    const dw_column_spec *columns,
                                                    size_t column_count, const dw_batch *rows,
                                                    dw_strbuf *sql_out, dw_error *err);
/* After any of the three. */
void dw__connection_unbind_scan(dw_connection *connection, dw_str name);

/* ---- Planning -------------------------------------------------------------------------------- */

/* An empty table of those columns on the planning instance, for one occurrence of a table in a
 * statement. Names are quoted here; types are the engine's. */
typedef struct dw_plan_stub {
    dw_str name;
    const dw_query_column *columns;
    size_t count;
} dw_plan_stub;

/* Makes the stubs, replacing those of the same names, and plans in one step: other threads may use
 * the same names. Stubs stay for the next time; the same again cost nothing. Gives the optimised
 * logical plan of a SELECT as JSON text in `arena` (json_serialize_plan), or the null string when
 * it cannot be had: then nothing is pruned. Never fails for a statement's or a column's sake.
 * Thread-safe. */
DW_WARN_UNUSED dw_status dw__database_plan_with(dw_database *database, dw_str sql,
                                                const dw_plan_stub *stubs, size_t count,
                                                dw_arena *arena, dw_str *json_out, dw_error *err);

/* The same for a statement of the connection's session: constants mean what its settings make of
 * them. No plan where it has replaced functions of the engine, or divides integers. */
DW_WARN_UNUSED dw_status dw__connection_plan_with(dw_connection *connection, dw_str sql,
                                                  const dw_plan_stub *stubs, size_t count,
                                                  dw_arena *arena, dw_str *json_out, dw_error *err);
/* Says that a statement ran, on any connection, which may have changed what constants mean: a
 * setting, a macro. Thread-safe. */
void dw__database_note_settings(dw_database *database);

/* The same in steps, for names that no other thread uses. */
DW_WARN_UNUSED dw_status dw__database_plan_stub(dw_database *database, dw_str name,
                                                const dw_query_column *columns, size_t count,
                                                dw_error *err);
void dw__database_plan_drop(dw_database *database, dw_str name);
DW_WARN_UNUSED dw_status dw__database_plan(dw_database *database, dw_str sql, dw_arena *arena,
                                           dw_str *json_out, dw_error *err);

/* ---- Writing --------------------------------------------------------------------------------- */

typedef struct dw_copy_request {
    dw_str query;     /* SELECT ...; columns in the order of the files */
    dw_str directory; /* where files go, as the engine writes it; it exists */
    dw_str
        file_prefix; /* unique for this write: "part-<uuid>"; files are <prefix>-<more>.parquet */
    const dw_str
        *partition_columns; /* names of columns of the query; files go to name=value/ below */
    size_t partition_column_count;
    bool writes_partition_columns; /* into the files, too */
    /* A column of the query that goes into no file: each value of it is a file, whatever its size,
     * and rows come in its order. Null string: none. Not with partition columns. */
    dw_str file_column;
    /* What the caller knows of the number of partitions that the rows have: with few of them (up to
     * 100, less with little memory) they need not be sorted. 0: nothing. Rows keep their order in
     * each partition either way, up to a few row groups. */
    int64_t partition_count_max;
    /* One file, <prefix>-0.parquet, with its rows in the very order of the query; no partitions.
     * Takes some more time and memory. */
    bool is_one_file;
    int64_t file_size_bytes; /* aim, between row groups; 0: no limit. Ignored with partitions */
    dw_str compression;      /* "zstd", "snappy", "uncompressed", "gzip", "lz4_raw" */
    dw_str field_ids;        /* the engine's FIELD_IDS value ("{a: 1, ...}"), null string: none */
    int64_t row_group_rows;  /* 0: the engine's default */
} dw_copy_request;

/*
 * Statistics of one leaf of one file. Texts are what the engine prints, exact; null string: none.
 */
typedef struct dw_copy_column {
    dw_str column; /* as RETURN_STATS spells it: "a" or "s"."y" */
    dw_str min, max;
    bool has_null_count;
    int64_t null_count;
    bool has_nan;
} dw_copy_column;

typedef struct dw_copy_file {
    dw_str path; /* below `directory`, with '/' */
    int64_t row_count;
    int64_t size_bytes;
    dw_str *partition_values; /* as the engine prints them as text, null string: NULL */
    dw_copy_column *columns;
    size_t column_count;
} dw_copy_file;

/* Writes the rows of a query as Parquet files and says what was written, in `arena`; no file has no
 * rows. On failure the files that were begun are the caller's to remove: `dw__storage_list` below
 * the prefix finds them. Bounds: texts are cut at 256 bytes, the max rounded up, or have none;
 * BLOBs are in hexadecimal, booleans 0 and 1; a column that has NaN has the bounds of its other
 * values. */
DW_WARN_UNUSED dw_status dw__connection_copy(dw_connection *connection,
                                             const dw_copy_request *request, dw_arena *arena,
                                             dw_copy_file **files_out, size_t *count_out,
                                             dw_error *err);

/* What stands in the message of an error that a function of ours has found in a value, before
 * "<CODE>:<message>". */
#define DW_FUNCTION_ERROR_MARK "dw!"
/* Sets the error that such a text speaks of; DW_OK when it speaks of none. The engine's errors have
 * been through it. */
DW_WARN_UNUSED dw_status dw__function_error(dw_str text, dw_error *err);

/* Appends an identifier in double quotes, or a string literal in single quotes. */
void dw__sql_put_identifier(dw_strbuf *out, dw_str name);
void dw__sql_put_literal(dw_strbuf *out, dw_str text);

#endif
