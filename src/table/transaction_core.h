/*
 * Inside of dw_transaction.
 */
#ifndef DW_TABLE_TRANSACTION_CORE_H
#define DW_TABLE_TRANSACTION_CORE_H

#include "base/vec.h"
#include "table/transaction.h"

typedef struct dw_path_vec {
    dw_str *items;
    size_t count;
    size_t capacity;
} dw_path_vec;

/* A table that was read, and is seen in the same state for as long as the transaction lasts. What
 * was read of it is remembered where the level asks for it. */
typedef struct dw_pinned_table {
    dw_table *table;
    dw_log_snapshot *snapshot;
    dw_path_vec read_paths, searched_paths; /* as in the log; see dw_txn */
    bool reads_whole_table, looks_for_rows;
} dw_pinned_table;

typedef struct dw_pinned_vec {
    dw_pinned_table **items;
    size_t count;
    size_t capacity;
} dw_pinned_vec;

typedef struct dw_action_vec {
    dw_action *items;
    size_t count;
    size_t capacity;
} dw_action_vec;

typedef struct dw_staged_change {
    size_t first, count;    /* of its actions */
    dw_log_snapshot *after; /* what its statement left */
    /* What history says of it. */
    const char *operation;
    dw_str parameters_json, metrics_json, user_metadata;
    dw_str statements_json; /* null string: nothing is told of its lineage */
} dw_staged_change;

typedef struct dw_staged_vec {
    dw_staged_change *items;
    size_t count;
    size_t capacity;
} dw_staged_vec;

struct dw_transaction {
    const dw_env *env;
    dw_connection *connection;
    dw_transaction_level level;
    dw_arena arena; /* of all that is kept */
    dw_pinned_vec pinned;
    bool is_lost; /* it can only be rolled back */

    /* Of the table that is changed: */
    dw_pinned_table *changed; /* one of the pinned; NULL: none is changed yet */
    dw_log_snapshot *view;    /* what it was, and what was staged on that */
    dw_action_vec actions;    /* of all changes, in their order */
    dw_staged_vec changes;

    dw_path_vec written; /* keys of the files that the changes made */
    bool loses_row_ids;
    bool moves_identity_marks, changes_definition; /* which is more than marks */
};

/* The net effect of the actions, in the transaction's arena: a file that comes and goes is in
 * neither, and the last counts of those of one key. */
DW_WARN_UNUSED dw_status dw__transaction_net(dw_transaction *transaction, dw_action_vec *out,
                                             dw_error *err);
/* Where readers of the change data feed look at a version that has change data they look at nothing
 * else: writes it for the changes that have none, where there are several. [CHANGE-3] */
DW_WARN_UNUSED dw_status dw__transaction_record(dw_transaction *transaction, dw_error *err);
/* Remembers the files as written by the transaction; NULL is fine. */
DW_WARN_UNUSED dw_status dw__transaction_keep_files(dw_transaction *transaction,
                                                    const dw_data_files *files, dw_error *err);
/* operationParameters and operationMetrics of a commit of several changes. In the arena. */
DW_WARN_UNUSED dw_status dw__transaction_describe(dw_transaction *transaction, dw_str *parameters,
                                                  dw_str *metrics, dw_error *err);
/* Removes the files that the changes made, but those that `kept` names, which may be empty. */
void dw__transaction_remove_files(dw_transaction *transaction, const dw_action_vec *kept);

#endif
