/*
 * deltaworks.h - the public interface of Deltaworks, the Delta Lake manager in C.
 *
 * Conventions, true for every function below:
 *  - A function that can fail returns dw_status and takes a `dw_error *` last; NULL is allowed
 *    there. The error is filled exactly when the status is not DW_OK.
 *  - Outputs come last before the error and are NULL or 0 after a failure.
 *  - `open`/`close` pair for resources, `ref`/`unref` for shared immutable objects. Every close,
 *    free and unref accepts NULL.
 *  - Strings are UTF-8 and NUL-terminated. The library copies what it keeps.
 *  - Option structs start with `size`; initialise them with their _INIT macro. New fields are added
 *    at the end only, so that a program built against an older header keeps working.
 *  - Rows travel as Arrow C streams (https://arrow.apache.org/docs/format/CStreamInterface.html).
 *  - Unless a function says otherwise: a dw_runtime and a dw_table may be used from several threads
 *    at once; a dw_snapshot is immutable and may be shared; a dw_session and a dw_result belong to
 *    one thread at a time.
 *
 * Since: 0.1
 */
#ifndef DELTAWORKS_H
#define DELTAWORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define DW_EXPORT __attribute__((visibility("default")))
#define DW_NODISCARD __attribute__((warn_unused_result))
#else
#define DW_EXPORT
#define DW_NODISCARD
#endif

/* ---- Arrow C data and stream interfaces ------------------------------------------------------ */

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif /* ARROW_C_STREAM_INTERFACE */

/* ---- Errors ---------------------------------------------------------------------------------- */

/*
 * What a caller can do about a failure decides its category; `code` in dw_error is the exact case.
 */
typedef enum dw_status {
    DW_OK = 0,
    DW_INVALID_ARGUMENT = 1, /* the request is wrong: change it */
    DW_NOT_FOUND = 2,        /* no such table, version, time or object */
    DW_ALREADY_EXISTS = 3,
    DW_CONFLICT = 4,    /* another writer won: read again and retry */
    DW_UNSUPPORTED = 5, /* the table needs a feature that this build lacks */
    DW_CORRUPT = 6,     /* the table or a file of it is damaged */
    DW_IO = 7,          /* storage failed; what was asked for did not happen */
    DW_UNAVAILABLE = 8, /* storage failed in a way that may pass: retry */
    DW_OUT_OF_MEMORY = 9,
    DW_CANCELLED = 10,
    DW_AMBIGUOUS = 11, /* the outcome of a commit could not be found out: it may have happened */
    DW_INTERNAL = 12   /* a bug in the library */
} dw_status;

enum { DW_ERROR_CODE_SIZE = 64, DW_ERROR_MESSAGE_SIZE = 1024, DW_ERROR_CONTEXT_SIZE = 1024 };

/* Owned by the caller, of fixed size, never allocated. Zero-initialise it (DW_ERROR_INIT). */
typedef struct dw_error {
    dw_status status;
    char code[DW_ERROR_CODE_SIZE];       /* stable, for programs: "LOG_VERSION_MISSING" */
    char message[DW_ERROR_MESSAGE_SIZE]; /* one line: expected, found, what to do */
    char context[DW_ERROR_CONTEXT_SIZE]; /* where: "reading checkpoint 20 of /data/t" */
} dw_error;

#define DW_ERROR_INIT {DW_OK, {0}, {0}, {0}}

/* The name of a status, such as "CONFLICT". Static storage; never NULL. Thread-safe. */
DW_EXPORT const char *dw_status_name(dw_status status);

/* The version of the library, such as "0.1.0". Static storage. Thread-safe. */
DW_EXPORT const char *dw_version(void);

/* ---- Runtime --------------------------------------------------------------------------------- */

/* One runtime per process is the norm: it owns the engine's memory, its threads and the caches. */
typedef struct dw_runtime dw_runtime;
typedef struct dw_table dw_table;
typedef struct dw_snapshot dw_snapshot;
typedef struct dw_session dw_session;
typedef struct dw_result dw_result;

/* When records of the audit log are made to survive a power failure. */
typedef enum dw_audit_sync {
    DW_AUDIT_SYNC_OF_CHANGES, /* before and after a statement that changes something */
    DW_AUDIT_SYNC_OF_ALL,
    DW_AUDIT_SYNC_OFF
} dw_audit_sync;

/* Where it is recorded who did what when: see docs/audit.md. */
typedef struct dw_audit_options {
    size_t size;
    const char *path; /* the file of the log, which many processes may share */
    const char
        *key_file;    /* a secret of 16 bytes or more that records are signed with; NULL: none */
    const char *user; /* what the program calls who it works for; NULL: nothing */
    bool with_reads;  /* record queries, too */
    bool is_required; /* a statement that cannot be recorded is refused */
    dw_audit_sync sync;
    uint64_t file_bytes_max; /* when to begin another file; 0: 64 MiB */
} dw_audit_options;

#define DW_AUDIT_OPTIONS_INIT                                                                      \
    {                                                                                              \
        sizeof(dw_audit_options), NULL, NULL, NULL, false, false, DW_AUDIT_SYNC_OF_CHANGES, 0      \
    }

typedef struct dw_runtime_options {
    size_t size;
    uint64_t memory_limit_bytes; /* for queries and loads; beyond it they spill. 0: 3/4 of memory */
    uint32_t thread_count;       /* 0: one per core */
    const char *spill_directory; /* where queries spill. NULL: a private directory below $TMPDIR */
    const char *warehouse;       /* where tables that SQL names without a path live. NULL: "." */
    /* A directory in which it is recorded, table by table, which columns the conditions of
     * statements are on, so that OPTIMIZE ... AUTO and CLUSTER BY AUTO can choose columns. It is
     * made when there is none; what cannot be written is lost. NULL: nothing is recorded. */
    const char *state_directory;
    const dw_audit_options *audit; /* NULL: nothing is recorded */
} dw_runtime_options;

#define DW_RUNTIME_OPTIONS_INIT {sizeof(dw_runtime_options), 0, 0, NULL, NULL, NULL, NULL}

/*
 * Opens a runtime. `options` may be NULL. The query engine is loaded on first use only, so that
 * reading a log or its history costs milliseconds. Close it after everything opened from it.
 * Since: 0.1
 */
DW_EXPORT DW_NODISCARD dw_status dw_runtime_open(const dw_runtime_options *options,
                                                 dw_runtime **out, dw_error *err);
DW_EXPORT void dw_runtime_close(dw_runtime *runtime);

/* ---- Tables and snapshots -------------------------------------------------------------------- */

/*
 * Opens the Delta table at `uri` (a path, or a file:// URI). No file is read before the first
 * snapshot is asked for, except that the table's log must exist.
 * Errors: DW_NOT_FOUND (TABLE_NOT_FOUND) when there is no `_delta_log` with commits below `uri`.
 * Since: 0.1
 */
DW_EXPORT DW_NODISCARD dw_status dw_table_open(dw_runtime *runtime, const char *uri, dw_table **out,
                                               dw_error *err);
DW_EXPORT void dw_table_close(dw_table *table);

typedef struct dw_create_options {
    size_t size;
    const char *const *partition_columns; /* NULL-terminated; NULL: not partitioned */
    const char *const *property_keys;     /* table properties, NULL-terminated */
    const char *const *property_values;   /* as many as keys */
    const char *comment;                  /* NULL: none */
} dw_create_options;

#define DW_CREATE_OPTIONS_INIT {sizeof(dw_create_options), NULL, NULL, NULL, NULL}

/*
 * Creates an empty table at `uri` with the columns of `schema` (an Arrow struct schema; it stays
 * the caller's) and opens it.
 * Errors: DW_ALREADY_EXISTS when a table is there; DW_INVALID_ARGUMENT for a type that Delta lacks.
 * Since: 0.1
 */
DW_EXPORT DW_NODISCARD dw_status dw_table_create(dw_runtime *runtime, const char *uri,
                                                 const struct ArrowSchema *schema,
                                                 const dw_create_options *options, dw_table **out,
                                                 dw_error *err);

typedef struct dw_snapshot_options {
    size_t size;
    int64_t version;      /* -1: not by version */
    int64_t timestamp_us; /* microseconds since 1970-01-01 UTC; INT64_MIN: not by time */
} dw_snapshot_options;

#define DW_SNAPSHOT_OPTIONS_INIT {sizeof(dw_snapshot_options), -1, INT64_MIN}

/*
 * The table's state at its newest version, at a version, or at the last version not after a time.
 * `options` may be NULL (newest). The snapshot stays valid after the table moves on; release it
 * with dw_snapshot_unref before closing the table.
 * Errors: DW_NOT_FOUND (VERSION_OUT_OF_RANGE, TIMESTAMP_OUT_OF_RANGE) with the range in the
 * message.
 * Since: 0.1
 */
DW_EXPORT DW_NODISCARD dw_status dw_table_snapshot(dw_table *table,
                                                   const dw_snapshot_options *options,
                                                   dw_snapshot **out, dw_error *err);
DW_EXPORT dw_snapshot *dw_snapshot_ref(dw_snapshot *snapshot);
DW_EXPORT void dw_snapshot_unref(dw_snapshot *snapshot);

DW_EXPORT int64_t dw_snapshot_version(const dw_snapshot *snapshot);
DW_EXPORT int64_t dw_snapshot_file_count(const dw_snapshot *snapshot);
DW_EXPORT int64_t dw_snapshot_size_bytes(const dw_snapshot *snapshot);
/* The table's schema as the protocol's JSON. Borrowed: valid as long as the snapshot. */
DW_EXPORT const char *dw_snapshot_schema_json(const dw_snapshot *snapshot);

typedef struct dw_scan_options {
    size_t size;
    const char *const *columns; /* NULL-terminated names; NULL: all */
    const char *filter;         /* an SQL predicate on the columns; NULL: none */
} dw_scan_options;

#define DW_SCAN_OPTIONS_INIT {sizeof(dw_scan_options), NULL, NULL}

/*
 * Reads rows of a snapshot. Files that the filter excludes are not opened. `out` is the caller's to
 * release and keeps the snapshot alive; it must be released before the runtime is closed.
 * Errors while reading come from the stream: get_next returns ECANCELED, ENOMEM, EBADMSG (a data
 * file is missing or damaged), EIO, ENOTSUP or EINVAL, and get_last_error is one line with the code
 * in brackets at its end.
 * Since: 0.1
 */
DW_EXPORT DW_NODISCARD dw_status dw_snapshot_scan(dw_snapshot *snapshot,
                                                  const dw_scan_options *options,
                                                  struct ArrowArrayStream *out, dw_error *err);

/*
 * The data files that a predicate cannot exclude, in no order: what a scan would open. `filter` may
 * be NULL for all files. `count_out` receives their number; paths_out (may be NULL) receives an
 * array of that many strings, as the log spells them, to be released by dw_file_list_free.
 * Since: 0.1
 */
DW_EXPORT DW_NODISCARD dw_status dw_snapshot_plan(dw_snapshot *snapshot, const char *filter,
                                                  char ***paths_out, int64_t *count_out,
                                                  dw_error *err);
DW_EXPORT void dw_file_list_free(char **paths);

/* ---- Writing --------------------------------------------------------------------------------- */

typedef struct dw_append_options {
    size_t size;
    const char *txn_app_id;    /* with txn_version: the append happens once however often tried */
    int64_t txn_version;       /* -1: none */
    const char *user_metadata; /* stored in the commit; NULL: none */
    bool merge_schema;         /* columns and nested fields that the table lacks are added to it */
} dw_append_options;

#define DW_APPEND_OPTIONS_INIT {sizeof(dw_append_options), NULL, -1, NULL, false}

typedef struct dw_commit {
    int64_t version; /* the version that the change became; -1: nothing was to be done */
    int64_t rows_added;
    int64_t files_added;
    int64_t bytes_added;
    bool skipped_as_duplicate; /* the txn id was recorded by an earlier commit */
} dw_commit;

/*
 * Appends the rows of `rows` in one commit. The stream is consumed and released, also on failure.
 * Columns are matched by name, without case; a missing nullable column becomes NULL. One that the
 * table lacks is refused, unless merge_schema is set: then it becomes the last one of the table in
 * the commit of the rows, a new field the last one of its struct, at any depth, and types become
 * wider where the table allows it (delta.enableTypeWidening).
 * Errors: DW_INVALID_ARGUMENT (COLUMN_NOT_FOUND, TYPE_MISMATCH, NOT_NULL_VIOLATION ...) names the
 * column, and where a value does not fit (CONVERSION_ERROR, VALUE_LOSES_DATA) an example and its
 * row, from 1 on; DW_CONFLICT when the table changed its schema meanwhile; DW_AMBIGUOUS when
 * storage did not tell.
 * Since: 0.1
 */
DW_EXPORT DW_NODISCARD dw_status dw_table_append(dw_table *table, struct ArrowArrayStream *rows,
                                                 const dw_append_options *options,
                                                 dw_commit *commit_out, dw_error *err);

typedef enum dw_load_mode {
    DW_LOAD_APPEND,
    DW_LOAD_OVERWRITE,
    DW_LOAD_ERROR, /* fails when the table exists */
    DW_LOAD_IGNORE /* does nothing when the table exists */
} dw_load_mode;

typedef enum dw_load_format {
    DW_LOAD_AUTO, /* by the names of the files */
    DW_LOAD_PARQUET,
    DW_LOAD_CSV,
    DW_LOAD_JSON
} dw_load_format;

typedef struct dw_load_options {
    size_t size;
    dw_load_mode mode;
    dw_load_format format;
    const char *const *partition_columns; /* of a table that is made; NULL-terminated, or NULL */
    const char *const *property_keys;     /* likewise */
    const char *const *property_values;
    const char *const *option_keys; /* for the files' reader (header, delim ...), NULL-terminated */
    const char *const *option_values;
    bool force;             /* load files again that were loaded before */
    const char *txn_app_id; /* with txn_version: the whole load happens once */
    int64_t txn_version;    /* -1: each file is remembered by its path instead */
    const char *user_metadata;
    bool merge_schema;     /* columns that the table lacks are added to it */
    bool overwrite_schema; /* with DW_LOAD_OVERWRITE: the files' columns, and partition_columns if
                              they are given, take the place of the table's */
} dw_load_options;

#define DW_LOAD_OPTIONS_INIT                                                                       \
    {                                                                                              \
        sizeof(dw_load_options), DW_LOAD_APPEND, DW_LOAD_AUTO, NULL, NULL, NULL, NULL, NULL,       \
            false, NULL, -1, NULL, false, false                                                    \
    }

typedef struct dw_load {
    dw_commit commit;
    int64_t files_loaded;
    int64_t files_skipped; /* they were loaded before */
    bool created;          /* the table was made */
} dw_load;

/*
 * Loads files (paths or globs, NULL-terminated) into the table at `uri`, in one commit, each file
 * once unless forced; makes the table from the files' columns when there is none. The session's
 * cancel and progress apply.
 * Errors: DW_NOT_FOUND (FILE_NOT_FOUND), DW_INVALID_ARGUMENT (FORMAT_UNKNOWN, COLUMN_NOT_FOUND,
 * TYPE_MISMATCH, ... naming file or column), DW_ALREADY_EXISTS with DW_LOAD_ERROR.
 * Since: 0.1
 */
DW_EXPORT DW_NODISCARD dw_status dw_session_load(dw_session *session, const char *uri,
                                                 const char *const *files,
                                                 const dw_load_options *options, dw_load *out,
                                                 dw_error *err);

/*
 * The commits from the newest to the oldest that the log still has, at most `limit` of them (0:
 * all), with the columns of DESCRIBE HISTORY.
 * Since: 0.1
 */
DW_EXPORT DW_NODISCARD dw_status dw_table_history(dw_table *table, int64_t limit,
                                                  struct ArrowArrayStream *out, dw_error *err);

/* Writes a checkpoint of the newest version; `version_out` receives it. Since: 0.1 */
DW_EXPORT DW_NODISCARD dw_status dw_table_checkpoint(dw_table *table, int64_t *version_out,
                                                     dw_error *err);

typedef struct dw_fsck_options {
    size_t size;
    bool with_data; /* read all data files, and compare statistics with rows */
} dw_fsck_options;

#define DW_FSCK_OPTIONS_INIT {sizeof(dw_fsck_options), false}

typedef struct dw_fsck_report {
    int64_t error_count;
    int64_t warning_count;
    int64_t note_count;
} dw_fsck_report;

/*
 * Checks the table at `uri` against the rules of the protocol; nothing is changed. `out` receives a
 * row for each finding, with the columns severity (error, warning, note), rule, version, path and
 * message; docs/fsck.md explains the rules. `options` may be NULL. The session's cancel and
 * progress apply.
 * Errors: DW_NOT_FOUND (TABLE_NOT_FOUND), DW_UNSUPPORTED (FEATURE_UNSUPPORTED) when the table
 * cannot be read. A damaged table is no error, but findings.
 * Since: 0.1
 */
DW_EXPORT DW_NODISCARD dw_status dw_session_fsck(dw_session *session, const char *uri,
                                                 const dw_fsck_options *options,
                                                 struct ArrowArrayStream *out,
                                                 dw_fsck_report *report_out, dw_error *err);

/* ---- SQL ------------------------------------------------------------------------------------- */

/* A session keeps settings, views and names between statements. One thread at a time. Since: 0.1 */
DW_EXPORT DW_NODISCARD dw_status dw_session_open(dw_runtime *runtime, dw_session **out,
                                                 dw_error *err);
DW_EXPORT void dw_session_close(dw_session *session);

/*
 * The length in bytes of the first complete statement of `sql`, with its semicolon; 0 when no
 * statement is complete yet (for shells that read on). Thread-safe.
 */
DW_EXPORT size_t dw_sql_statement_length(const char *sql);

/*
 * Runs the first statement of `sql`. `rest_out` (may be NULL) points behind it, inside `sql`. For a
 * text that is empty up to comments `*out` is NULL and the status DW_OK.
 * Errors: DW_INVALID_ARGUMENT (PARSE_ERROR, ...) for wrong SQL.
 * Since: 0.1
 */
DW_EXPORT DW_NODISCARD dw_status dw_session_execute(dw_session *session, const char *sql,
                                                    const char **rest_out, dw_result **out,
                                                    dw_error *err);

/* Stops the statement that runs in the session, from any thread or a signal handler. */
DW_EXPORT void dw_session_cancel(dw_session *session);

/*
 * True between BEGIN and COMMIT or ROLLBACK. Closing a session rolls back what is open. Since: 0.1
 */
DW_EXPORT bool dw_session_in_transaction(const dw_session *session);

/* How far the running statement is: 0 to 1, or -1 when unknown. From any thread. */
DW_EXPORT double dw_session_progress(dw_session *session);

/* True when the statement returns rows; otherwise dw_result_message says what it did. */
DW_EXPORT bool dw_result_has_rows(const dw_result *result);
/* One line such as "inserted 31,033 rows into version 4", or "". Borrowed from the result. */
DW_EXPORT const char *dw_result_message(const dw_result *result);
/* Rows that the statement inserted, updated or deleted, or -1 for statements that do not. */
DW_EXPORT int64_t dw_result_row_count(const dw_result *result);
/* Of CHECK COMPATIBILITY how many of its rows are incompatible; -1 for any other statement.
 * Since: 0.1 */
DW_EXPORT int64_t dw_result_incompatible_count(const dw_result *result);

/* What a statement did to a table. Counts are 0 where the statement does no such thing. */
typedef struct dw_change_report {
    size_t size;
    int64_t
        version; /* that the change became; -1: nothing was to be done, or it is in a transaction */
    int64_t rows_inserted;
    int64_t rows_updated;
    int64_t rows_deleted; /* -1: files went without saying how many rows they had */
    int64_t files_added;
    int64_t bytes_added;
    int64_t files_removed;   /* no row of them is left, or all were replaced */
    int64_t files_marked;    /* some of their rows are deleted, by a deletion vector */
    int64_t files_rewritten; /* some of their rows are deleted, the others are in files added */
} dw_change_report;

#define DW_CHANGE_REPORT_INIT {sizeof(dw_change_report), -1, 0, 0, 0, 0, 0, 0, 0, 0}

/*
 * The figures of a statement that adds, changes, deletes or replaces rows of a Delta table: INSERT,
 * COPY INTO, UPDATE, DELETE, MERGE, TRUNCATE, CREATE TABLE. False, and `out` as it was, for all
 * others. `out` is initialised by the caller with DW_CHANGE_REPORT_INIT. Since: 0.1
 */
DW_EXPORT bool dw_result_change(const dw_result *result, dw_change_report *out);
/* Moves the rows out of the result; the stream must be released before the session is closed. */
DW_EXPORT DW_NODISCARD dw_status dw_result_stream(dw_result *result, struct ArrowArrayStream *out,
                                                  dw_error *err);
DW_EXPORT void dw_result_free(dw_result *result);

/* ---- Audit ----------------------------------------------------------------------------------- */

typedef struct dw_audit_check_options {
    size_t size;
    const char *key_file;    /* the key that records are signed with; NULL: MACs are not checked */
    int64_t anchor_count;    /* a record that is known to have been there; 0: none */
    const char *anchor_hash; /* its digest, as a check gave it as `last_hash` */
} dw_audit_check_options;

#define DW_AUDIT_CHECK_OPTIONS_INIT {sizeof(dw_audit_check_options), NULL, 0, NULL}

enum { DW_AUDIT_HASH_SIZE = 65 };

typedef struct dw_audit_report {
    int64_t record_count; /* the number of the last record */
    int64_t error_count;
    int64_t note_count;
    char last_hash[DW_AUDIT_HASH_SIZE];
} dw_audit_report;

/*
 * Checks the audit log at `path`: edits, gaps, repetitions and a missing end are found; nothing is
 * changed, and writers go on. `out` receives a row for each finding, with the columns severity
 * (error, note), code, record, file, line and message. `options` may be NULL. Thread-safe.
 * Errors: DW_NOT_FOUND (AUDIT_LOG_NOT_FOUND); DW_INVALID_ARGUMENT (AUDIT_KEY_INVALID,
 * AUDIT_ANCHOR_INVALID). What was tampered with is no error, but findings.
 * Since: 0.1
 */
DW_EXPORT DW_NODISCARD dw_status dw_audit_verify(const char *path,
                                                 const dw_audit_check_options *options,
                                                 struct ArrowArrayStream *out,
                                                 dw_audit_report *report_out, dw_error *err);

typedef struct dw_audit_filter {
    size_t size;
    int64_t since_us;  /* microseconds since 1970-01-01 UTC; INT64_MIN: from the first */
    int64_t until_us;  /* before this time; INT64_MAX: to the last */
    const char *table; /* a path, the end of one, or a table's id; NULL: any */
    const char *user;  /* of the system, or as sessions call themselves; NULL: any */
    int64_t limit;     /* the newest so many; 0: all */
} dw_audit_filter;

#define DW_AUDIT_FILTER_INIT {sizeof(dw_audit_filter), INT64_MIN, INT64_MAX, NULL, NULL, 0}

/*
 * The records of a log as rows, oldest first: record, time, user, name, outcome, verb, table,
 * version, rows, code, statement. `filter` may be NULL. Thread-safe. Since: 0.1
 */
DW_EXPORT DW_NODISCARD dw_status dw_audit_records(const char *path, const dw_audit_filter *filter,
                                                  struct ArrowArrayStream *out, dw_error *err);

/* Takes a record as it stands in the log, with its line end; any value but 0 ends the export. */
typedef int (*dw_audit_line_fn)(void *ctx, const char *line, size_t len);

/*
 * Hands over the records of a log as the lines of JSON that they are, oldest first. `filter` may be
 * NULL. Errors: DW_CANCELLED (CANCELLED) when `take` wanted no more. Thread-safe. Since: 0.1
 */
DW_EXPORT DW_NODISCARD dw_status dw_audit_export(const char *path, const dw_audit_filter *filter,
                                                 dw_audit_line_fn take, void *ctx, dw_error *err);

#ifdef __cplusplus
}
#endif

#endif
