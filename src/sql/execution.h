/*
 * One statement while it runs: what it was read into, the snapshots that it sees, and where its
 * result goes. One file for each family of statements.
 *
 *  [EXECUTION-1] Every reference to a table without time travel sees the same snapshot [SQL-2].
 *  [EXECUTION-2] Nothing loads the engine before rows or types are needed from it.
 */
#ifndef DW_SQL_EXECUTION_H
#define DW_SQL_EXECUTION_H

#include "sql/result.h"
#include "table/alter.h"
#include "upkeep/advice.h"

/* A table as the statement sees it. Holds references to both. */
typedef struct dw_seen_table {
    dw_table *table;
    dw_log_snapshot *snapshot;
    bool is_newest; /* without time travel */
} dw_seen_table;

typedef struct dw_seen_table_vec {
    dw_seen_table *items;
    size_t count;
    size_t capacity;
} dw_seen_table_vec;

typedef struct dw_changes_vec {
    dw_log_changes **items;
    size_t count;
    size_t capacity;
} dw_changes_vec;

/* What the audit log is told of a statement: see audited.h. */
typedef struct dw_audited {
    const char *verb; /* NULL: nothing */
    bool is_read;
    int64_t started;      /* the record of the beginning; 0: none */
    dw_table *table;      /* a reference to what is changed; NULL: none */
    dw_log_snapshot *old; /* its newest state before it; NULL: there is none */
} dw_audited;

/* dw_scan_<session> */
#define DW_SCAN_PREFIX_SIZE 48

typedef struct dw_execution {
    dw_session *session;
    dw_arena arena;
    dw_sql_text sql;
    dw_statement statement;
    char scan_prefix[DW_SCAN_PREFIX_SIZE];
    dw_seen_table_vec seen;
    dw_changes_vec changes; /* references */
    dw_result *result;
    dw_str text;         /* as it was given */
    int64_t committed;   /* the version; -1: none, or not yet */
    dw_lineage *lineage; /* of the rows it writes; NULL: not begun, or none is recorded */
    dw_audited audited;
    dw_error *err;
} dw_execution;

/* ---- Tables ---------------------------------------------------------------------------------- */

typedef enum dw_target_kind {
    DW_TARGET_NONE,
    DW_TARGET_DELTA,
    DW_TARGET_VIEW,  /* of the session */
    DW_TARGET_ENGINE /* a table or view of the engine */
} dw_target_kind;

/* What a name stands for; `table_out` is a reference when it is a Delta table. A path always is. */
DW_WARN_UNUSED dw_status dw__execution_target(dw_execution *x, const dw_sql_name *name,
                                              dw_target_kind *kind_out, dw_table **table_out);
/* The Delta table of that name; DW_NOT_FOUND (TABLE_NOT_FOUND) says where it was looked for. */
DW_WARN_UNUSED dw_status dw__execution_table(dw_execution *x, const dw_sql_name *name,
                                             dw_table **out);
/* Where a name without the engine's or the session's meaning leads. In the arena. */
DW_WARN_UNUSED dw_status dw__execution_root(dw_execution *x, const dw_sql_name *name, dw_str *out);
/* The table there, by the handle that a MIGRATE has, where it is that table. */
DW_WARN_UNUSED dw_status dw__execution_open(dw_execution *x, dw_str root, dw_table **out);
/* DW_NOT_FOUND with the tables that there are and the one that may have been meant. */
DW_WARN_UNUSED dw_status dw__table_not_found(dw_execution *x, const dw_sql_name *name);
/* For binding the statement's queries. */
dw_bind_options dw__execution_bind_options(dw_execution *x);
/* The state of a table that a reference sees. Borrowed from `x`. */
DW_WARN_UNUSED dw_status dw__execution_snapshot(dw_execution *x, dw_table *table,
                                                const dw_sql_travel *travel, dw_log_snapshot **out);

/* What changed in a table. Borrowed from `x`. */
DW_WARN_UNUSED dw_status dw__execution_changes(dw_execution *x, dw_table *table,
                                               const dw_sql_changes *changes, dw_log_changes **out);
/* The time that an expression stands for; `what` it is, for messages: "TIMESTAMP AS OF". */
DW_WARN_UNUSED dw_status dw__execution_time(dw_execution *x, dw_str expression, const char *what,
                                            int64_t *micros_out);

/* The newest state of a table, if the statement has seen it: what it writes is then no blind
 * append. Borrowed, or NULL. */
dw_log_snapshot *dw__execution_newest(const dw_execution *x, const dw_table *table);

/*
 * ---- Transactions: see table/transaction.h ----------------------------------------------------
 */

/* Before a statement runs: may it be part of the session's transaction? DW_UNSUPPORTED
 * (TRANSACTION_STATEMENT), and what dw__transaction_next returns. */
DW_WARN_UNUSED dw_status dw__execution_enter_transaction(dw_execution *x);
/* Tells the transaction what a query reads of its sources from the `first` on: the files of the
 * scan, or (NULL) all of each. */
DW_WARN_UNUSED dw_status dw__execution_note_read(dw_execution *x, const dw_scan_source *sources,
                                                 size_t first, size_t count, const dw_scan *scan);
/* Appends " as version 7", or that the version is still to come. */
void dw__put_outcome(const dw_execution *x, dw_strbuf *out, int64_t version);

/* ---- Queries --------------------------------------------------------------------------------- */

/* A query that is ready to run on the session's connection. */
typedef struct dw_open_query {
    dw_str text;
    dw_scan *scan; /* NULL: it reads no Delta table */
    size_t reference_count;
    bool was_edited; /* tables or views were put in */
} dw_open_query;

/* Binds the range, opens the snapshots, and opens the scan, planned by `plan`, a part of the range
 * that is a SELECT. Close with dw__open_query_close, also after a failure. */
DW_WARN_UNUSED dw_status dw__open_query(dw_execution *x, const dw_binding *binding,
                                        dw_sql_range range, dw_sql_range plan, dw_open_query *out);
/* The same for a query that is run once, by itself: no views are made where it can do without. */
DW_WARN_UNUSED dw_status dw__open_query_once(dw_execution *x, const dw_binding *binding,
                                             dw_sql_range range, dw_sql_range plan,
                                             dw_open_query *out);
void dw__open_query_close(dw_open_query *query);
/* Snapshots for all references, in their order, as sources of a scan. In the arena. */
DW_WARN_UNUSED dw_status dw__execution_sources(dw_execution *x, const dw_binding *binding,
                                               dw_scan_source **out);
/* Fills the source's keys when the range is a SELECT of columns where columns equal integers. */
DW_WARN_UNUSED dw_status dw__execution_keys(dw_execution *x, const dw_binding *binding,
                                            dw_sql_range range, dw_scan_source *source);
/* After an error while a query runs: one of the engine's about a table that is not there becomes
 * ours, one about a data file names the file and its version. Before the query is closed. */
DW_WARN_UNUSED dw_status dw__explain_engine_error(dw_execution *x, const dw_open_query *query,
                                                  dw_status status);

/* Parses and runs `text`, which lives in the arena, in the place of the statement. */
DW_WARN_UNUSED dw_status dw__execution_rerun(dw_execution *x, dw_str text);

/* ---- Upkeep ---------------------------------------------------------------------------------- */

/* What a command of upkeep of that table is given; its time begins to run. NULL: it commits
 * nothing. */
DW_WARN_UNUSED dw_status dw__execution_upkeep(dw_execution *x, const dw_table *table,
                                              const dw_upkeep_options *options, dw_upkeep *out);
/* The same after a statement that has changed rows of a table. */
void dw__execution_auto_compact(dw_execution *x);

/* ---- Advice ---------------------------------------------------------------------------------- */

/* By which columns to cluster the newest state of a table. In the arena. */
DW_WARN_UNUSED dw_status dw__execution_advise(dw_execution *x, dw_table *table, dw_advice *out);
/* CLUSTER BY AUTO: by what is advised, where that is clearly better than what there is. */
DW_WARN_UNUSED dw_status dw__execution_follow_advice(dw_execution *x, dw_table *table,
                                                     const dw_advice *advice,
                                                     dw_alter_report *report);
/* Appends why it is as it is, on one line; and of one column. */
void dw__advice_explain(const dw_advice *advice, dw_strbuf *out);
void dw__advice_explain_column(const dw_advice *advice, size_t idx, dw_strbuf *out);

/* ---- Statements: each sets the result -------------------------------------------------------- */

DW_WARN_UNUSED dw_status dw__execute_query(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_explain(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_create_table(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_insert(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_copy_into(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_describe(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_show_tables(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_lineage(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_checkpoint(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_compact_log(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_alter(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_fsck(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_vacuum(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_optimize(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_create_view(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_drop_view(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_setting(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_modify(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_transaction(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_generate(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_repair(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_convert(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_analyze(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_restore(dw_execution *x);
/* ANALYZE TABLE ... PROFILE; DESCRIBE PROFILE and SHOW DRIFT, whose rows are handed out. */
DW_WARN_UNUSED dw_status dw__execute_profile(dw_execution *x, dw_table *table);
DW_WARN_UNUSED dw_status dw__describe_profile(dw_execution *x, dw_table *table,
                                              dw_log_snapshot *snapshot,
                                              struct ArrowArrayStream *out);
DW_WARN_UNUSED dw_status dw__show_drift(dw_execution *x, dw_table *table,
                                        const dw_log_snapshot *snapshot,
                                        struct ArrowArrayStream *out);
DW_WARN_UNUSED dw_status dw__execute_bloom(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_check(dw_execution *x);
DW_WARN_UNUSED dw_status dw__execute_migrate(dw_execution *x);
/* CREATE TABLE ... CLONE, into the table that it names. */
DW_WARN_UNUSED dw_status dw__execute_clone(dw_execution *x, dw_table *target);
/* DELETE FROM, TRUNCATE TABLE and UPDATE of a Delta table. */
DW_WARN_UNUSED dw_status dw__execute_change(dw_execution *x, dw_table *table);
/* MERGE INTO a Delta table. */
DW_WARN_UNUSED dw_status dw__execute_merge(dw_execution *x, dw_table *table);
/* The whole statement on the engine; `plan` is the query in it, or empty. */
DW_WARN_UNUSED dw_status dw__execute_engine(dw_execution *x, dw_sql_range plan);

/* Answers `SELECT count(*), min(c), max(c) FROM t`, which stands in the range, from metadata where
 * it can. */
DW_WARN_UNUSED dw_status dw__answer_from_metadata(dw_execution *x, const dw_binding *binding,
                                                  dw_sql_range range, struct ArrowArrayStream *out,
                                                  bool *answered_out);
/* Appends "31,033 rows (3 files, 1.2 MB)". */
void dw__put_written(dw_strbuf *out, const dw_write_result *done);
/* Appends what the expectations of the table counted, if any was violated. */
void dw__put_judged(dw_strbuf *out, const dw_judged *judged);
/* Sets the rows of a query of the engine, which reads no table: what a statement tells in structs.
 */
DW_WARN_UNUSED dw_status dw__execution_set_query(dw_execution *x, dw_str sql);
/* Sets the lines of a text as rows of one column; empty ones at the end are left out. */
DW_WARN_UNUSED dw_status dw__execution_set_lines(dw_execution *x, const char *column,
                                                 const dw_strbuf *lines);
/* Sets the statement's rows, which are moved in. */
void dw__execution_set_rows(dw_execution *x, struct ArrowArrayStream *rows);
void dw__execution_set_message(dw_execution *x, const dw_strbuf *message, int64_t row_count);
/* Sets the figures of a statement that changes rows of a Delta table. */
void dw__execution_set_change(dw_execution *x, const dw_change_report *change);
/* The statement has happened, as that version (-1: as none): an error from here on says so. */
void dw__execution_note_commit(dw_execution *x, int64_t version);
/* The statement has failed on its way, behind the commit of that version (-1: before any). */
void dw__execution_tell_partial(dw_execution *x, int64_t version);
void dw__execution_set_written(dw_execution *x, const dw_write_result *done);

/* The statement's first token up to its last, END excluded. */
static inline dw_sql_range
dw__execution_range(const dw_execution *x)
{
    return (dw_sql_range){0, x->sql.count - 1};
}

#endif
