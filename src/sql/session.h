/*
 * A session: its connection to the engine, its views, and the statement that runs in it.
 *
 *  [SESSION-1] One statement at a time: while the rows of the last one are still being read, the
 *              next one is refused.
 *  [SESSION-2] Names of scans are unique in the process: the planner's stubs are shared.
 *  [SESSION-3] _cancel only stores an atomic flag and sets the engine's: a signal handler may.
 */
#ifndef DW_SQL_SESSION_H
#define DW_SQL_SESSION_H

#include "sql/bind.h"
#include "sql/setting.h"
#include "sql/sql.h"
#include "table/transaction.h"

#include <stdatomic.h>

/* A view whose query reads Delta tables: the engine could not keep it, as every use must see the
 * newest version. */
typedef struct dw_session_view {
    dw_sql_view view;
    bool compares_nulls; /* see dw_scan_source */
    dw_arena arena;
} dw_session_view;

typedef struct dw_session_view_vec {
    dw_session_view **items;
    size_t count;
    size_t capacity;
} dw_session_view_vec;

struct dw_session {
    dw_catalog *catalog;
    const dw_env *env;
    dw_database *database;
    dw_connection *connection;
    uint32_t token; /* of this session, in the names of its scans */
    atomic_bool is_cancelled;
    atomic_int progress_permille; /* of work that is not the engine's; -1: it is */
    bool may_have_engine_objects; /* a statement ran that may have made some */
    bool is_reading;              /* rows of the last statement are not released yet */
    dw_session_view_vec views;
    dw_session_settings settings;
    dw_table
        *migrated; /* borrowed: what a MIGRATE that runs changes, by a handle of its own; NULL */
    dw_transaction *transaction; /* NULL: every statement commits by itself */
    dw_transaction_level level;  /* of transactions that are begun */
};

/* NULL when there is none. */
const dw_sql_view *dw__session_view_find(const dw_session *session, dw_str name);
/* Adds a view or replaces the one of that name; copies all of it. */
DW_WARN_UNUSED dw_status dw__session_view_put(dw_session *session, const dw_sql_view *view,
                                              dw_error *err);
/* False when there was none. */
bool dw__session_view_remove(dw_session *session, dw_str name);
void dw__session_views_deinit(dw_session *session);

/* Checks a table, with the session's cancel and progress. */
DW_WARN_UNUSED dw_status dw__session_fsck_table(dw_session *session, dw_table *table,
                                                bool with_data, struct ArrowArrayStream *out,
                                                dw_fsck_counts *counts_out, dw_error *err);
/* After a commit to a table: packs its small files, if it asks for that. */
void dw__session_auto_compact(dw_session *session, dw_table *table);
/* Runs a statement that is part of the one that runs. */
DW_WARN_UNUSED dw_status dw__session_run_part(dw_session *session, dw_str text, dw_result **out,
                                              dw_error *err);
/* For work that is not the engine's and asks and tells by itself; `session` is a dw_session. */
bool dw__session_is_cancelled(void *session);
void dw__session_set_progress(void *session, double share);
/* DW_CANCELLED (CANCELLED) once the statement was asked to stop. */
DW_WARN_UNUSED dw_status dw__session_check_cancelled(const dw_session *session, dw_error *err);

#endif
