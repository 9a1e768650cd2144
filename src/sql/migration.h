/*
 * Migrations: files of statements that change one table, in the order of their names, each
 * statement once.
 *
 *  [MIGRATION-1] A statement is recorded in the commit that it becomes, as a txn action whose
 *                application id names file, place and checksum: what was committed is recorded, and
 *                nothing else is.
 *  [MIGRATION-2] What was applied does not change: a statement of another checksum in its place, a
 *                file that went, or one that came before it is refused before anything runs.
 *  [MIGRATION-3] A migration that is undone is recorded as such in the commit that takes the table
 *                back; then it may be changed and applied again.
 */
#ifndef DW_SQL_MIGRATION_H
#define DW_SQL_MIGRATION_H

#include "sql/execution.h"

#define DW_MIGRATION_FILES_MAX ((size_t) 100000)

/* The version of a record: 0 when it was undone, else the version that the table had before the
 * file was begun, plus this; a table that was to be made had -1. */
#define DW_MIGRATION_VERSION_BASE 2

typedef struct dw_migration_step {
    dw_str text;
    size_t line; /* in the file, from 1 on */
    dw_statement_kind kind;
    dw_sql_name target; /* no parts: a SET, which is for the session and is not recorded */
    dw_str checksum;    /* of its tokens: white space and comments do not count */
    dw_str app_id;      /* of its record */
    bool is_applied;
} dw_migration_step;

typedef struct dw_migration {
    dw_str name; /* of the file: "0001_add_price.sql" */
    dw_migration_step *steps;
    size_t step_count;
    size_t record_count; /* steps that are recorded, or will be */
    size_t applied_count;
    int64_t version_before; /* of the table; with applied_count > 0 */
} dw_migration;

typedef struct dw_migrations {
    dw_migration *items;
    size_t count;
} dw_migrations;

/* Reads the files *.sql of a directory. In the arena of `x`. DW_NOT_FOUND (FILE_NOT_FOUND);
 * DW_INVALID_ARGUMENT (PARSE_ERROR) and DW_UNSUPPORTED (MIGRATION_STATEMENT) with file and line. */
DW_WARN_UNUSED dw_status dw__migrations_read(dw_execution *x, dw_str directory, dw_migrations *out);
/* Finds what was applied. NULL: there is no table yet. DW_INVALID_ARGUMENT (MIGRATION_EDITED,
 * MIGRATION_MISSING, MIGRATION_OUT_OF_ORDER) with file and line. [MIGRATION-2] */
DW_WARN_UNUSED dw_status dw__migrations_compare(dw_migrations *migrations,
                                                const dw_log_snapshot *snapshot, dw_error *err);
/* True for a commit that a migration made, by the text that it has in the history. */
bool dw__migration_made(const dw_commit_info *info);
#define DW_MIGRATION_MARK "deltaworks.migration:"

#endif
