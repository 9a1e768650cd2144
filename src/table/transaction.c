/*
 * Beginning, staging and ending a transaction.
 */
#include "table/transaction.h"

#include "base/assert.h"
#include "codec/uri.h"
#include "lineage/lineage.h"
#include "table/transaction_core.h"

#define TEXT_BYTES_MAX ((size_t) 64 << 20)

const char *
dw__transaction_level_name(dw_transaction_level level)
{
    switch (level) {
    case DW_LEVEL_TABLE:
        return "TABLE";
    case DW_LEVEL_READ_COMMITTED:
        return "READ COMMITTED";
    case DW_LEVEL_SNAPSHOT:
        return "SNAPSHOT";
    case DW_LEVEL_SERIALIZABLE:
        return "SERIALIZABLE";
    }
    dw_unreachable("transaction level");
}

/* Does the level ask whether what was read is still the same at the end? */
static bool
judges_reads(const dw_transaction *transaction)
{
    return transaction->level == DW_LEVEL_TABLE || transaction->level == DW_LEVEL_SERIALIZABLE;
}

dw_status
dw__transaction_begin(const dw_env *env, dw_connection *connection, dw_transaction_level level,
                      dw_transaction **out, dw_error *err)
{
    *out = DW_NEW(env->allocator, dw_transaction);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    **out = (dw_transaction){.env = env, .connection = connection, .level = level};
    dw__arena_init(&(*out)->arena, env->allocator);
    return DW_OK;
}

static void
pinned_free(dw_pinned_table *pinned, const dw_allocator *allocator)
{
    dw__log_snapshot_unref(pinned->snapshot);
    dw__table_unref(pinned->table);
    DW_VEC_DEINIT(allocator, &pinned->read_paths);
    DW_VEC_DEINIT(allocator, &pinned->searched_paths);
    DW_DELETE(allocator, pinned);
}

static void
transaction_free(dw_transaction *transaction)
{
    const dw_allocator *allocator = transaction->env->allocator;
    for (size_t i = 0; i < transaction->pinned.count; i++) {
        pinned_free(transaction->pinned.items[i], allocator);
    }
    for (size_t i = 0; i < transaction->changes.count; i++) {
        dw__log_snapshot_unref(transaction->changes.items[i].after);
    }
    dw__log_snapshot_unref(transaction->view);
    DW_VEC_DEINIT(allocator, &transaction->pinned);
    DW_VEC_DEINIT(allocator, &transaction->actions);
    DW_VEC_DEINIT(allocator, &transaction->changes);
    DW_VEC_DEINIT(allocator, &transaction->written);
    dw__arena_deinit(&transaction->arena);
    DW_DELETE(allocator, transaction);
}

void
dw__transaction_rollback(dw_transaction *transaction)
{
    static const dw_action_vec nothing = {0};
    if (transaction != NULL) {
        dw__transaction_remove_files(transaction, &nothing);
        transaction_free(transaction);
    }
}

size_t
dw__transaction_change_count(const dw_transaction *transaction)
{
    return transaction->changes.count;
}

dw_table *
dw__transaction_changed_table(const dw_transaction *transaction)
{
    return transaction->changed == NULL ? NULL : transaction->changed->table;
}

/* ---- What its statements see ----------------------------------------------------------------- */

static dw_pinned_table *
find_pinned(const dw_transaction *transaction, const dw_table *table)
{
    for (size_t i = 0; i < transaction->pinned.count; i++) {
        if (transaction->pinned.items[i]->table == table) {
            return transaction->pinned.items[i];
        }
    }
    return NULL;
}

static dw_status
pin(dw_transaction *transaction, dw_table *table, dw_log_snapshot *snapshot, dw_pinned_table **out,
    dw_error *err)
{
    const dw_allocator *allocator = transaction->env->allocator;
    *out = DW_NEW(allocator, dw_pinned_table);
    dw_pinned_table **slot = *out == NULL ? NULL : DW_VEC_PUSH(allocator, &transaction->pinned);
    if (slot == NULL) {
        DW_DELETE(allocator, *out);
        return dw__error_oom(err);
    }
    **out = (dw_pinned_table){.table = dw__table_ref(table),
                              .snapshot = dw__log_snapshot_ref(snapshot)};
    *slot = *out;
    return DW_OK;
}

/* The table as it is from now on seen: pinned at its newest version, unless it was before. */
static dw_status
find_or_pin(dw_transaction *transaction, dw_table *table, dw_pinned_table **out, dw_error *err)
{
    *out = find_pinned(transaction, table);
    if (*out != NULL) {
        return DW_OK;
    }
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, err));
    return pin(transaction, table, snapshot, out, err);
}

dw_status
dw__transaction_snapshot(dw_transaction *transaction, dw_table *table, dw_log_snapshot **out,
                         dw_error *err)
{
    if (transaction->changed != NULL && transaction->changed->table == table) {
        *out = dw__log_snapshot_ref(transaction->view);
        return DW_OK;
    }
    if (transaction->level == DW_LEVEL_READ_COMMITTED) {
        return dw__log_snapshot(dw__table_log(table), out, err);
    }
    dw_pinned_table *pinned;
    DW_TRY(find_or_pin(transaction, table, &pinned, err));
    *out = dw__log_snapshot_ref(pinned->snapshot);
    return DW_OK;
}

static dw_status
add_path(dw_transaction *transaction, dw_path_vec *paths, dw_str path, dw_error *err)
{
    dw_str *slot = DW_VEC_PUSH(transaction->env->allocator, paths);
    return slot != NULL && dw__arena_dup(&transaction->arena, path, slot) ? DW_OK
                                                                          : dw__error_oom(err);
}

dw_status
dw__transaction_read(dw_transaction *transaction, const dw_table *table,
                     const dw_log_snapshot *snapshot, const dw_file_ref *refs, size_t count,
                     dw_error *err)
{
    dw_pinned_table *pinned = find_pinned(transaction, table);
    if (!judges_reads(transaction) || pinned == NULL) {
        return DW_OK;
    }
    pinned->looks_for_rows = true;
    pinned->reads_whole_table = pinned->reads_whole_table || refs == NULL;
    for (size_t i = 0; refs != NULL && i < count; i++) {
        dw_str path = dw__file_set_path(dw__log_snapshot_files(snapshot), refs[i]);
        DW_TRY(add_path(transaction, &pinned->read_paths, path, err));
    }
    return DW_OK;
}

/* ---- READ COMMITTED: the newest state for each statement ------------------------------------- */

static dw_status
lost(dw_transaction *transaction, const char *code, const char *what, dw_error *err)
{
    transaction->is_lost = true;
    return dw__error_set(err, DW_CONFLICT, code,
                         "another writer has changed %s since: the transaction cannot be committed "
                         "any more; roll it back and begin again",
                         what);
}

static bool
has_same_definition(const dw_log_snapshot *a, const dw_log_snapshot *b, dw_strbuf *text_a,
                    dw_strbuf *text_b)
{
    dw__metadata_print(text_a, dw__log_snapshot_metadata(a));
    dw__protocol_print(text_a, dw__log_snapshot_protocol(a));
    dw__metadata_print(text_b, dw__log_snapshot_metadata(b));
    dw__protocol_print(text_b, dw__log_snapshot_protocol(b));
    return dw__str_equal(dw__strbuf_str(text_a), dw__strbuf_str(text_b));
}

/* Is every file that was taken out still there to be taken out? */
static dw_status
check_removes(dw_transaction *transaction, const dw_action_vec *net, const dw_log_snapshot *newest,
              dw_error *err)
{
    for (size_t i = 0; i < net->count; i++) {
        bool is_there;
        if (net->items[i].kind != DW_ACTION_REMOVE) {
            continue;
        }
        DW_TRY(dw__log_snapshot_has_file(newest, &net->items[i].as.file, &is_there, err));
        if (!is_there) {
            return lost(transaction, "CONCURRENT_DELETE_DELETE", "rows that it changed, too,", err);
        }
    }
    return DW_OK;
}

/* Puts what was staged on top of a newer state. */
static dw_status
rebase(dw_transaction *transaction, dw_log_snapshot *newest, dw_error *err)
{
    dw_action_vec net;
    dw_log_snapshot *view;
    dw_pinned_table *changed = transaction->changed;
    DW_AUTO(dw_strbuf) text_a = dw__strbuf_make(transaction->env->allocator, TEXT_BYTES_MAX);
    DW_AUTO(dw_strbuf) text_b = dw__strbuf_make(transaction->env->allocator, TEXT_BYTES_MAX);
    if (!has_same_definition(changed->snapshot, newest, &text_a, &text_b)) {
        return lost(transaction, "METADATA_CHANGED", "the table's metadata", err);
    }
    DW_TRY(dw__transaction_net(transaction, &net, err));
    DW_TRY(check_removes(transaction, &net, newest, err));
    DW_TRY(dw__log_snapshot_stage(newest, net.items, net.count, &view, err));
    dw__log_snapshot_unref(transaction->view);
    dw__log_snapshot_unref(changed->snapshot);
    transaction->view = view;
    changed->snapshot = dw__log_snapshot_ref(newest);
    return DW_OK;
}

dw_status
dw__transaction_next(dw_transaction *transaction, dw_error *err)
{
    dw_pinned_table *changed = transaction->changed;
    if (transaction->is_lost) {
        return dw__error_set(err, DW_CONFLICT, "TRANSACTION_LOST",
                             "another writer's change has made it impossible to commit this "
                             "transaction: roll it back and begin again");
    }
    if (transaction->level != DW_LEVEL_READ_COMMITTED || changed == NULL) {
        return DW_OK;
    }
    DW_AUTO(dw_log_snapshot_ptr) newest = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(changed->table), &newest, err));
    bool is_news = dw__log_snapshot_version(newest) != dw__log_snapshot_version(changed->snapshot);
    return is_news ? rebase(transaction, newest, err) : DW_OK;
}

/* ---- Staging --------------------------------------------------------------------------------- */

static bool
copy_action(dw_arena *arena, const dw_action *from, dw_action *to)
{
    *to = *from;
    switch (from->kind) {
    case DW_ACTION_ADD:
    case DW_ACTION_REMOVE:
    case DW_ACTION_CDC:
        return dw__file_dup(arena, &from->as.file, &to->as.file);
    case DW_ACTION_METADATA:
        return dw__metadata_dup(arena, &from->as.metadata, &to->as.metadata);
    case DW_ACTION_PROTOCOL:
        return dw__protocol_dup(arena, &from->as.protocol, &to->as.protocol);
    case DW_ACTION_TXN:
        return dw__arena_dup(arena, from->as.txn.app_id, &to->as.txn.app_id);
    case DW_ACTION_DOMAIN:
        return dw__arena_dup(arena, from->as.domain.domain, &to->as.domain.domain) &&
               dw__arena_dup(arena, from->as.domain.configuration, &to->as.domain.configuration);
    case DW_ACTION_COMMIT_INFO:
    case DW_ACTION_SIDECAR:
    case DW_ACTION_CHECKPOINT_METADATA:
    case DW_ACTION_UNKNOWN:
        break;
    }
    dw_unreachable("an action that no change has");
}

static dw_status
take_actions(dw_transaction *transaction, const dw_change *change, dw_error *err)
{
    for (size_t i = 0; i < change->count; i++) {
        dw_action *slot = DW_VEC_PUSH(transaction->env->allocator, &transaction->actions);
        if (slot == NULL || !copy_action(&transaction->arena, &change->actions[i], slot)) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

dw_status
dw__transaction_keep_files(dw_transaction *transaction, const dw_data_files *files, dw_error *err)
{
    for (size_t i = 0; files != NULL && i < files->count; i++) {
        dw_str key;
        DW_TRY(dw__uri_decode(&transaction->arena, files->adds[i].path, &key, err));
        DW_TRY(add_path(transaction, &transaction->written, key, err));
    }
    return DW_OK;
}

static dw_status
take_description(dw_transaction *transaction, const dw_change *change, dw_error *err)
{
    dw_staged_change *slot = DW_VEC_PUSH(transaction->env->allocator, &transaction->changes);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    dw_arena *arena = &transaction->arena;
    slot->first = transaction->actions.count - change->count;
    slot->count = change->count;
    slot->operation = change->operation;
    return dw__arena_dup(arena, change->parameters_json, &slot->parameters_json) &&
                   dw__arena_dup(arena, change->metrics_json, &slot->metrics_json) &&
                   dw__arena_dup(arena, change->statements_json, &slot->statements_json) &&
                   dw__arena_dup(arena, change->user_metadata, &slot->user_metadata)
               ? DW_OK
               : dw__error_oom(err);
}

static dw_status
take(dw_transaction *transaction, const dw_change *change, dw_error *err)
{
    DW_TRY(take_actions(transaction, change, err));
    DW_TRY(take_description(transaction, change, err));
    DW_TRY(dw__transaction_keep_files(transaction, change->files, err));
    DW_TRY(dw__transaction_keep_files(transaction, change->change_files, err));
    for (size_t i = 0; change->vectors != NULL && i < change->vectors->key_count; i++) {
        DW_TRY(add_path(transaction, &transaction->written, change->vectors->keys[i], err));
    }
    return DW_OK;
}

static dw_status
take_read_set(dw_transaction *transaction, const dw_change *change, dw_error *err)
{
    dw_pinned_table *changed = transaction->changed;
    if (!judges_reads(transaction)) {
        return DW_OK;
    }
    changed->reads_whole_table = changed->reads_whole_table || change->reads_whole_table;
    changed->looks_for_rows = changed->looks_for_rows || change->looks_for_rows;
    for (size_t i = 0; i < change->read_path_count; i++) {
        DW_TRY(add_path(transaction, &changed->read_paths, change->read_paths[i], err));
    }
    for (size_t i = 0; i < change->searched_path_count; i++) {
        DW_TRY(add_path(transaction, &changed->searched_paths, change->searched_paths[i], err));
    }
    return DW_OK;
}

/* The table that the transaction changes, from its first change on. */
static dw_status
choose_table(dw_transaction *transaction, const dw_change *change, dw_error *err)
{
    if (transaction->changed == NULL) {
        dw_pinned_table *pinned = find_pinned(transaction, change->table);
        if (pinned == NULL) {
            DW_TRY(pin(transaction, change->table, change->snapshot, &pinned, err));
        }
        transaction->view = dw__log_snapshot_ref(pinned->snapshot);
        transaction->changed = pinned;
    }
    if (transaction->changed->table == change->table) {
        return DW_OK;
    }
    return dw__error_set(err, DW_UNSUPPORTED, "TRANSACTION_TABLES",
                         "the transaction changes the table at %.*s: a transaction changes one "
                         "table; commit it first",
                         DW_STR_ARG(dw__table_root(transaction->changed->table)));
}

static void
take_definition(dw_transaction *transaction, const dw_change *change)
{
    for (size_t i = 0; i < change->count; i++) {
        bool is_marks = change->moves_identity_marks;
        dw_action_kind kind = change->actions[i].kind;
        if (kind == DW_ACTION_PROTOCOL || (kind == DW_ACTION_METADATA && !is_marks)) {
            transaction->changes_definition = true;
        }
        transaction->moves_identity_marks = transaction->moves_identity_marks || is_marks;
    }
}

dw_status
dw__transaction_stage(dw_transaction *transaction, const dw_change *change, int64_t *version_out,
                      dw_error *err)
{
    dw_log_snapshot *view;
    dw_assert(change->snapshot != NULL); /* tables are not created in transactions */
    DW_TRY(choose_table(transaction, change, err));
    size_t actions = transaction->actions.count;
    size_t changes = transaction->changes.count;
    size_t written = transaction->written.count;
    DW_TRY(dw__log_snapshot_stage(transaction->view, change->actions, change->count, &view, err));
    dw_status status = take(transaction, change, err);
    if (status == DW_OK) {
        status = take_read_set(transaction, change, err);
    }
    if (status != DW_OK) { /* [TRANSACTION-3] */
        transaction->actions.count = actions;
        transaction->changes.count = changes;
        transaction->written.count = written;
        dw__log_snapshot_unref(view);
        return status;
    }
    transaction->loses_row_ids = transaction->loses_row_ids || change->loses_row_ids;
    take_definition(transaction, change);
    dw__log_snapshot_unref(transaction->view);
    transaction->view = view;
    transaction->changes.items[changes].after = dw__log_snapshot_ref(view);
    *version_out = dw__log_snapshot_version(view);
    return DW_OK;
}

/* ---- The end --------------------------------------------------------------------------------- */

/* The lineage of the first changes that have one. */
static dw_status
describe_lineage(dw_transaction *transaction, dw_change *commit, dw_error *err)
{
    size_t told = 0;
    DW_AUTO(dw_strbuf) text =
        dw__strbuf_make(transaction->env->allocator, DW_LINEAGE_RECORD_BYTES_MAX);
    for (size_t i = 0; i < transaction->changes.count && told < DW_LINEAGE_STATEMENTS_MAX; i++) {
        dw_str statement = transaction->changes.items[i].statements_json;
        if (statement.len > 0 && text.len + statement.len < DW_LINEAGE_RECORD_BYTES_MAX / 2) {
            dw__strbuf_append(&text, told++ == 0 ? DW_STR("") : DW_STR(","));
            dw__strbuf_append(&text, statement);
        }
    }
    return !text.failed && dw__arena_dup(&transaction->arena, dw__strbuf_str(&text),
                                         &commit->statements_json)
               ? DW_OK
               : dw__error_oom(err);
}

static dw_status
describe(dw_transaction *transaction, dw_change *commit, dw_error *err)
{
    const dw_staged_change *first = &transaction->changes.items[0];
    commit->user_metadata = first->user_metadata;
    DW_TRY(describe_lineage(transaction, commit, err));
    if (transaction->changes.count == 1) {
        commit->operation = first->operation;
        commit->parameters_json = first->parameters_json;
        commit->metrics_json = first->metrics_json;
        return DW_OK;
    }
    commit->operation = "TRANSACTION";
    return dw__transaction_describe(transaction, &commit->parameters_json, &commit->metrics_json,
                                    err);
}

static dw_status
commit_net(dw_transaction *transaction, dw_commit_limits limits, dw_action_vec *net,
           dw_txn_result *out, dw_error *err)
{
    const dw_pinned_table *changed = transaction->changed;
    DW_TRY(dw__transaction_record(transaction, err));
    DW_TRY(dw__transaction_net(transaction, net, err));
    dw_change commit = {.table = changed->table,
                        .arena = &transaction->arena,
                        .snapshot = changed->snapshot,
                        .actions = net->items,
                        .count = net->count,
                        .reads_whole_table = changed->reads_whole_table,
                        .looks_for_rows = changed->looks_for_rows,
                        .loses_row_ids = transaction->loses_row_ids,
                        .moves_identity_marks =
                            transaction->moves_identity_marks && !transaction->changes_definition,
                        .read_paths = changed->read_paths.items,
                        .read_path_count = changed->read_paths.count,
                        .searched_paths = changed->searched_paths.items,
                        .searched_path_count = changed->searched_paths.count,
                        .limits = limits,
                        .has_isolation = transaction->level != DW_LEVEL_TABLE,
                        .isolation = transaction->level == DW_LEVEL_SERIALIZABLE
                                         ? DW_TXN_SERIALIZABLE
                                         : DW_TXN_SNAPSHOT_ISOLATION};
    DW_TRY(describe(transaction, &commit, err));
    return dw__change_commit(&commit, out, err);
}

dw_status
dw__transaction_commit(dw_transaction *transaction, dw_commit_limits limits, dw_txn_result *out,
                       dw_error *err)
{
    *out = (dw_txn_result){.version = -1};
    if (transaction->changes.count == 0) {
        dw__transaction_rollback(transaction);
        return DW_OK;
    }
    dw_action_vec net = {0};
    dw_status status = transaction->is_lost ? dw__transaction_next(transaction, err)
                                            : commit_net(transaction, limits, &net, out, err);
    bool is_committed = status == DW_OK && !out->was_duplicate;
    if (is_committed) {
        dw__transaction_remove_files(transaction, &net);
    }
    if (is_committed || status == DW_AMBIGUOUS) { /* [TRANSACTION-2] */
        transaction_free(transaction);
    } else {
        dw__transaction_rollback(transaction);
    }
    return status;
}
