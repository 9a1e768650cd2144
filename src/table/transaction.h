/*
 * Transactions: several statements on one table that become one commit. Each statement's change is
 * staged on a snapshot of the transaction's own instead of being committed; the commit is the net
 * effect of them all.
 *
 *  [TRANSACTION-1] Its statements read what the ones before them wrote; nobody else does.
 *  [TRANSACTION-2] It ends in one commit or in none. What it wrote and no version names is removed,
 *                  but never when the outcome is unknown.
 *  [TRANSACTION-3] A statement that fails leaves the transaction as it was before.
 */
#ifndef DW_TABLE_TRANSACTION_H
#define DW_TABLE_TRANSACTION_H

#include "table/change.h"

/* One thread at a time. */
typedef struct dw_transaction dw_transaction;

typedef enum dw_transaction_level {
    DW_LEVEL_TABLE,          /* one state throughout; what it read is judged as the table says
                                (delta.isolationLevel), as for a statement alone */
    DW_LEVEL_READ_COMMITTED, /* each statement reads the newest state; of two that change the same
                                rows one fails */
    DW_LEVEL_SNAPSHOT,       /* one state throughout; of two that change the same rows one fails */
    DW_LEVEL_SERIALIZABLE    /* one state throughout; fails when what it read has changed */
} dw_transaction_level;

/* "SERIALIZABLE" */
const char *dw__transaction_level_name(dw_transaction_level level);

/* The connection is that of its statements, and borrowed. */
DW_WARN_UNUSED dw_status dw__transaction_begin(const dw_env *env, dw_connection *connection,
                                               dw_transaction_level level, dw_transaction **out,
                                               dw_error *err);
/* Ends it without a commit and removes what it wrote. NULL is fine. */
void dw__transaction_rollback(dw_transaction *transaction);
/* Ends it, also when it fails: with a commit of what was staged, or of nothing (version -1).
 * Errors: those of dw__txn_commit. */
DW_WARN_UNUSED dw_status dw__transaction_commit(dw_transaction *transaction,
                                                dw_commit_limits limits, dw_txn_result *out,
                                                dw_error *err);

/* To be called before each statement. DW_CONFLICT when the transaction cannot be committed any
 * more, which READ COMMITTED may notice here. */
DW_WARN_UNUSED dw_status dw__transaction_next(dw_transaction *transaction, dw_error *err);
/* The state of a table that its statements see; the reference is the caller's. */
DW_WARN_UNUSED dw_status dw__transaction_snapshot(dw_transaction *transaction, dw_table *table,
                                                  dw_log_snapshot **out, dw_error *err);
/* What a statement read of a table besides what its change says: those files of a state of the
 * transaction's, or (`refs` NULL) all there is. */
DW_WARN_UNUSED dw_status dw__transaction_read(dw_transaction *transaction, const dw_table *table,
                                              const dw_log_snapshot *snapshot,
                                              const dw_file_ref *refs, size_t count, dw_error *err);
/* Takes over a change that would otherwise be committed: `version_out` is what it may become. Only
 * the table that was changed first can be changed: DW_UNSUPPORTED (TRANSACTION_TABLES). After a
 * failure the change's files are still the caller's. */
DW_WARN_UNUSED dw_status dw__transaction_stage(dw_transaction *transaction, const dw_change *change,
                                               int64_t *version_out, dw_error *err);
size_t dw__transaction_change_count(const dw_transaction *transaction);
/* The table that it changes, borrowed; NULL: none yet. */
dw_table *dw__transaction_changed_table(const dw_transaction *transaction);

#endif
