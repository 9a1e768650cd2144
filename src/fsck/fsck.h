/*
 * FSCK: checks a table against the rules of the protocol. docs/fsck.md lists the rules.
 *
 *  [FSCK-1] Nothing is written, and nothing is believed because our own reader believes it: the log
 *           is replayed commit by commit, and checkpoints, compacted commits and checksums are
 *           compared with what came out.
 *  [FSCK-2] What is found is reported and the check goes on; only storage that fails, memory that
 *           ends, or a feature that makes the table unreadable ends it.
 *  [FSCK-3] Memory is bounded by the paths that the log names, one commit, and
 *           DW_FSCK_FINDINGS_MAX findings a rule.
 */
#ifndef DW_FSCK_FSCK_H
#define DW_FSCK_FSCK_H

#include "table/table.h"

/* What is listed of one rule at most; the rest is counted. */
#define DW_FSCK_FINDINGS_MAX 1000

typedef struct dw_fsck_spec {
    bool with_data; /* read all data files, and compare statistics with rows */
    /* Asked now and then whether to stop, and told how far it is (0 to 1). Both may be NULL. */
    bool (*is_cancelled)(void *ctx);
    void (*progress)(void *ctx, double share);
    void *ctx;
} dw_fsck_spec;

typedef struct dw_fsck_counts {
    int64_t errors, warnings, notes; /* found, also those that are not listed */
} dw_fsck_counts;

/* Checks the table. `connection` is used with data only. `out` has a row for each finding:
 * severity, rule, version, path, message. DW_NOT_FOUND (TABLE_NOT_FOUND), DW_UNSUPPORTED
 * (FEATURE_UNSUPPORTED) when the table cannot be read, DW_IO, DW_CANCELLED. */
DW_WARN_UNUSED dw_status dw__table_fsck(dw_table *table, dw_connection *connection,
                                        const dw_fsck_spec *spec, struct ArrowArrayStream *out,
                                        dw_fsck_counts *counts_out, dw_error *err);
/* The same of a table that is known by its log only. */
DW_WARN_UNUSED dw_status dw__log_fsck(dw_log *log, dw_connection *connection,
                                      const dw_fsck_spec *spec, struct ArrowArrayStream *out,
                                      dw_fsck_counts *counts_out, dw_error *err);

#endif
