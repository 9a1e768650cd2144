/*
 * ALTER TABLE: properties, check constraints and features of a table; columns: alter_columns.h.
 *
 *  [ALTER-1] What a change needs of the protocol is added with it, in the same commit; what the
 *            table had stays (B4).
 *  [ALTER-2] A change after which we could not write to the table is refused.
 */
#ifndef DW_TABLE_ALTER_H
#define DW_TABLE_ALTER_H

#include "table/clustering.h"
#include "table/expectation.h"
#include "table/table.h"
#include "txn/txn.h"

/* One line of what a change would do: of what, before, after. */
typedef struct dw_alter_effect {
    const char *aspect; /* "schema", "feature", "engine" ... */
    dw_str item;
    dw_str before, after; /* null string: there is none */
} dw_alter_effect;

#define DW_ALTER_NOTICES_MAX ((size_t) 4)

/* What a change is told beside what it is to do, and what it tells. All that it tells lives in
 * `arena`. */
typedef struct dw_alter_report {
    dw_arena *arena;
    bool is_dry_run; /* nothing is committed: `effects` say what would be */
    dw_commit_limits limits;
    bool forbids_mapping; /* column mapping is not switched on because the change needs it */
    int64_t version;      /* that was committed; -1: there was nothing to change */
    dw_str notices[DW_ALTER_NOTICES_MAX];
    size_t notice_count;
    dw_alter_effect *effects;
    size_t effect_count, effect_max;
} dw_alter_report;

/* SET TBLPROPERTIES. DW_INVALID_ARGUMENT (PROPERTY_UNKNOWN, PROPERTY_INVALID, ...); DW_UNSUPPORTED
 * (FEATURE_UNSUPPORTED). */
DW_WARN_UNUSED dw_status dw__table_set_properties(dw_table *table, dw_connection *connection,
                                                  const dw_pairs *properties,
                                                  dw_alter_report *report, dw_error *err);
/* UNSET TBLPROPERTIES. DW_NOT_FOUND (PROPERTY_NOT_FOUND) unless `if_exists`. */
DW_WARN_UNUSED dw_status dw__table_unset_properties(dw_table *table, const dw_str *keys,
                                                    size_t count, bool if_exists,
                                                    dw_alter_report *report, dw_error *err);
/* ADD CONSTRAINT name CHECK (expression): all rows are looked at first. DW_ALREADY_EXISTS
 * (CONSTRAINT_EXISTS); DW_INVALID_ARGUMENT (CHECK_CONSTRAINT_VIOLATION, EXPRESSION_INVALID). */
DW_WARN_UNUSED dw_status dw__table_add_constraint(dw_table *table, dw_connection *connection,
                                                  dw_str name, dw_str expression,
                                                  dw_alter_report *report, dw_error *err);
/* DROP CONSTRAINT. DW_NOT_FOUND (CONSTRAINT_NOT_FOUND) unless `if_exists`. */
DW_WARN_UNUSED dw_status dw__table_drop_constraint(dw_table *table, dw_str name, bool if_exists,
                                                   dw_alter_report *report, dw_error *err);
/* ADD EXPECTATION: for rows to come. `quarantine` is its table, which is made if it is not there;
 * NULL: none. DW_ALREADY_EXISTS (EXPECTATION_EXISTS); DW_INVALID_ARGUMENT (EXPRESSION_INVALID,
 * QUARANTINE_INVALID). */
DW_WARN_UNUSED dw_status dw__table_add_expectation(dw_table *table, dw_connection *connection,
                                                   const dw_expectation_spec *spec,
                                                   dw_table *quarantine, dw_alter_report *report,
                                                   dw_error *err);
/* DROP EXPECTATION, also of a property that is none. DW_NOT_FOUND (EXPECTATION_NOT_FOUND) unless
 * `if_exists`. */
DW_WARN_UNUSED dw_status dw__table_drop_expectation(dw_table *table, dw_str name, bool if_exists,
                                                    dw_alter_report *report, dw_error *err);
/* CLUSTER BY (columns), and CLUSTER BY NONE for no columns. Files stay as they are until OPTIMIZE.
 * DW_INVALID_ARGUMENT (ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED, and what
 * dw__cluster_columns_find and _check return). */
DW_WARN_UNUSED dw_status dw__table_cluster_by(dw_table *table, dw_name_paths columns,
                                              dw_alter_report *report, dw_error *err);
/* CLUSTER BY AUTO: the table is marked as one whose columns are chosen, and clustered by these; no
 * columns: by those of now, if any. */
DW_WARN_UNUSED dw_status dw__table_cluster_by_auto(dw_table *table, dw_name_paths columns,
                                                   dw_alter_report *report, dw_error *err);
/* ALTER COLUMN ... SYNC IDENTITY: the mark moves on to where the column's values end. Nothing is
 * committed when it is there. DW_INVALID_ARGUMENT (COLUMN_NOT_FOUND, NO_IDENTITY_COLUMN). */
DW_WARN_UNUSED dw_status dw__table_sync_identity(dw_table *table, dw_connection *connection,
                                                 dw_str column, dw_alter_report *report,
                                                 dw_error *err);
/* DROP FEATURE, in several commits: what uses the feature is cleared away, and the protocol goes
 * back. What readers of older versions need is then protected (checkpointProtection), or, with
 * `truncates`, cut off once it is old enough. DW_NOT_FOUND (FEATURE_NOT_FOUND); DW_INVALID_ARGUMENT
 * (FEATURE_IN_USE, HISTORY_TRUNCATION_NOT_ALLOWED, HISTORY_TRUNCATION_NEEDED); DW_UNSUPPORTED
 * (FEATURE_STAYS); DW_CONFLICT (WAIT_FOR_RETENTION_PERIOD, HISTORICAL_VERSIONS_EXIST): to be run
 * again later. */
DW_WARN_UNUSED dw_status dw__table_drop_feature(dw_table *table, dw_connection *connection,
                                                dw_str name, bool truncates,
                                                dw_alter_report *report, dw_error *err);

#endif
