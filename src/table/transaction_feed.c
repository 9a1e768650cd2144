/*
 * The change data feed of a transaction of several changes.
 */
#include "table/change_data.h"
#include "table/transaction_core.h"

#define FEED_VIEW "dw_transaction_feed"

static bool
is_recorded(const dw_transaction *transaction, const dw_staged_change *change)
{
    for (size_t i = 0; i < change->count; i++) {
        if (transaction->actions.items[change->first + i].kind == DW_ACTION_CDC) {
            return true;
        }
    }
    return false;
}

static dw_status
put_actions(dw_transaction *transaction, const dw_data_files *files, dw_error *err)
{
    for (size_t i = 0; i < files->count; i++) {
        dw_action *slot = DW_VEC_PUSH(transaction->env->allocator, &transaction->actions);
        if (slot == NULL) {
            return dw__error_oom(err);
        }
        *slot = dw__change_data_action(&files->adds[i]);
    }
    return DW_OK;
}

static dw_status
record(dw_transaction *transaction, const dw_staged_change *change, dw_error *err)
{
    dw_data_files files;
    DW_AUTO(dw_log_changes_ptr) changes = NULL;
    dw_table *table = transaction->changed->table;
    DW_TRY(dw__log_changes_of(change->after, &transaction->actions.items[change->first],
                              change->count, &changes, err));
    DW_TRY(dw__change_data_record(table, transaction->connection, changes, DW_STR(FEED_VIEW),
                                  &transaction->arena, &files, err));
    DW_TRY(dw__transaction_keep_files(transaction, &files, err));
    return put_actions(transaction, &files, err);
}

dw_status
dw__transaction_record(dw_transaction *transaction, dw_error *err)
{
    const dw_properties *properties = dw__log_snapshot_properties(transaction->view);
    if (!properties->enable_change_data_feed || transaction->changes.count < 2) {
        return DW_OK;
    }
    for (size_t i = 0; i < transaction->changes.count; i++) {
        if (!is_recorded(transaction, &transaction->changes.items[i])) {
            DW_TRY(record(transaction, &transaction->changes.items[i], err));
        }
    }
    return DW_OK;
}
