/*
 * Building and committing a change.
 */
#include "table/change.h"

#include "base/assert.h"
#include "lineage/lineage.h"
#include "protocol/stats.h"
#include "table/filters.h"
#include "table/symlinks.h"
#include "table/transaction.h"

#include <inttypes.h>
#include <stdio.h>

#define METRICS_BYTES_MAX ((size_t) 1 << 16)

dw_status
dw__change_init(dw_change *change, dw_table *table, dw_log_snapshot *snapshot, dw_arena *arena,
                size_t action_max, dw_error *err)
{
    *change = (dw_change){.table = table,
                          .arena = arena,
                          .snapshot = snapshot,
                          .capacity = action_max,
                          .operation = "WRITE"};
    change->actions = DW_ARENA_ARRAY(arena, dw_action, action_max + 1);
    return change->actions == NULL ? dw__error_oom(err) : DW_OK;
}

dw_status
dw__change_reserve(dw_change *change, size_t more, dw_error *err)
{
    if (more <= change->capacity - change->count) {
        return DW_OK;
    }
    size_t capacity = change->count + more;
    if (capacity < 2 * change->capacity) { /* for who asks for one after the other */
        capacity = 2 * change->capacity;
    }
    dw_action *actions = DW_ARENA_ARRAY(change->arena, dw_action, capacity + 1);
    if (actions == NULL) {
        return dw__error_oom(err);
    }
    memcpy(actions, change->actions, change->count * sizeof(*actions));
    change->actions = actions;
    change->capacity = capacity;
    return DW_OK;
}

void
dw__change_put(dw_change *change, const dw_action *action)
{
    dw_assert(change->count < change->capacity);
    change->actions[change->count++] = *action;
}

void
dw__change_put_adds(dw_change *change, const dw_data_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        dw_action action = {.kind = DW_ACTION_ADD, .as.file = files->adds[i]};
        dw__change_put(change, &action);
    }
    change->files = files;
}

static void
count_removed_rows(dw_change *change, const dw_file *file)
{
    dw_file_stats counts = {0};
    if (!dw__str_is_null(file->stats)) {
        dw__stats_read_counts(file->stats, &counts);
    }
    if (!counts.has_num_records || change->removed_row_count < 0) {
        change->removed_row_count = -1;
    } else {
        change->removed_row_count +=
            counts.num_records - (file->dv == NULL ? 0 : file->dv->cardinality);
    }
}

void
dw__change_put_remove_of(dw_change *change, const dw_file *add)
{
    dw_action action = {.kind = DW_ACTION_REMOVE, .as.file = *add};
    dw_file *file = &action.as.file;
    count_removed_rows(change, file);
    /* What describes rows stays with the add; a tombstone says what was there and when it went. */
    file->stats = DW_STR_NULL;
    file->clustering_provider = DW_STR_NULL;
    file->extra_json = DW_STR("");
    file->data_change = true;
    file->has_deletion_timestamp = true;
    file->deletion_timestamp_ms = dw__env_now_ms(dw__table_env(change->table));
    file->has_extended_file_metadata = true;
    file->extended_file_metadata = true;
    change->removed_file_count++;
    change->removed_bytes += file->size_bytes;
    dw__change_put(change, &action);
}

dw_status
dw__change_put_remove(dw_change *change, dw_file_ref ref, dw_error *err)
{
    dw_file add;
    dw_assert(change->snapshot != NULL);
    DW_TRY(
        dw__file_set_get(dw__log_snapshot_files(change->snapshot), ref, change->arena, &add, err));
    dw__change_put_remove_of(change, &add);
    return DW_OK;
}

void
dw__change_put_parameter(dw_strbuf *json, const char *key, dw_str value)
{
    if (json->len == 0) {
        dw__strbuf_append_char(json, '{');
    }
    dw__json_put_key(json, dw__str_from(key));
    dw__json_put_string(json, value);
}

void
dw__change_print_list(dw_strbuf *out, const dw_str *items, size_t count)
{
    dw__strbuf_append_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        dw__json_put_comma(out);
        dw__json_put_string(out, items[i]);
    }
    dw__strbuf_append_char(out, ']');
}

void
dw__change_put_metric(dw_strbuf *json, const char *key, int64_t value)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRId64, value);
    dw__change_put_parameter(json, key, dw__str_make(digits, (size_t) len));
}

void
dw__change_end_metrics(const dw_change *change, dw_strbuf *json)
{
    dw_str more = dw__str_is_null(change->judged_metrics) ? DW_STR("") : change->judged_metrics;
    bool is_first = json->len == 0;
    dw__strbuf_append(json, is_first ? DW_STR("{") : DW_STR(""));
    dw__strbuf_append(json, is_first && more.len > 0 ? dw__str_slice(more, 1, more.len) : more);
    dw__strbuf_append_char(json, '}');
}

static void
print_metrics(const dw_change *change, dw_strbuf *json)
{
    if (change->files != NULL) {
        dw__change_put_metric(json, "numFiles", (int64_t) change->files->count);
        dw__change_put_metric(json, "numOutputRows", change->files->row_count);
        dw__change_put_metric(json, "numOutputBytes", change->files->size_bytes);
    }
    if (change->removed_file_count > 0) {
        dw__change_put_metric(json, "numRemovedFiles", change->removed_file_count);
        dw__change_put_metric(json, "numRemovedBytes", change->removed_bytes);
    }
    dw__change_end_metrics(change, json);
}

/* A checkpoint only makes reading faster: that it failed is worth a warning, not an error, for the
 * commit has happened. */
static void
checkpoint_if_due(dw_change *change, int64_t version)
{
    const dw_env *env = dw__table_env(change->table);
    int64_t interval = change->snapshot == NULL
                           ? 0
                           : dw__log_snapshot_properties(change->snapshot)->checkpoint_interval;
    if (interval <= 0 || version % interval != 0) {
        return;
    }
    dw_error detail = DW_ERROR_INIT;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    dw_status status = dw__log_snapshot(dw__table_log(change->table), &snapshot, &detail);
    if (status == DW_OK && dw__checkpoint_is_due(snapshot)) {
        status = dw__log_checkpoint(snapshot, &detail);
    }
    if (status != DW_OK) {
        dw__env_warn(env, "version %" PRId64 " is committed, but its checkpoint failed: %s",
                     version, detail.message);
    }
}

/* The same of compacted commits. Where the log no longer has all of them nobody reads them. */
static void
compact_if_due(dw_change *change, int64_t version)
{
    int64_t first;
    if (change->snapshot == NULL ||
        dw__log_snapshot_properties(change->snapshot)->log_compaction_interval == 0) {
        return;
    }
    dw_error detail = DW_ERROR_INIT;
    dw_log *log = dw__table_log(change->table);
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    dw_status status = dw__log_snapshot(log, &snapshot, &detail);
    if (status == DW_OK && dw__log_snapshot_version(snapshot) == version &&
        dw__log_compaction_is_due(snapshot, &first)) {
        status = dw__log_compact(log, first, version, &detail);
    }
    if (status != DW_OK && status != DW_NOT_FOUND) {
        dw__env_warn(dw__table_env(change->table),
                     "version %" PRId64 " is committed, but the commits before it were not "
                     "compacted: %s",
                     version, detail.message);
    }
}

void
dw__change_discard(dw_change *change)
{
    if (change->files != NULL) {
        dw__data_files_discard(change->table, change->files);
    }
    if (change->change_files != NULL) {
        dw__data_files_discard(change->table, change->change_files);
    }
    if (change->vectors != NULL) {
        dw__dv_writer_discard(change->vectors);
    }
}

static dw_status
describe(dw_change *change, dw_error *err)
{
    if (!dw__str_is_null(change->metrics_json)) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) metrics = dw__strbuf_make(change->arena->allocator, METRICS_BYTES_MAX);
    print_metrics(change, &metrics);
    DW_TRY(dw__strbuf_ok(&metrics, "the operation's metrics", err));
    return dw__arena_dup(change->arena, dw__strbuf_str(&metrics), &change->metrics_json)
               ? DW_OK
               : dw__error_oom(err);
}

/* Says where the rows come from. What is too long is left out: see RECORD-1. */
static dw_status
describe_lineage(dw_change *change, bool is_staged, dw_error *err)
{
    dw_lineage *lineage = change->limits.lineage;
    DW_AUTO(dw_strbuf) text =
        dw__strbuf_make(change->arena->allocator, DW_LINEAGE_RECORD_BYTES_MAX);
    if (lineage == NULL) {
        return DW_OK;
    }
    bool ok = true;
    if (dw__str_is_null(change->statements_json)) {
        dw__lineage_print_statement(&text, &lineage->statement);
        ok = text.failed ||
             dw__arena_dup(change->arena, dw__strbuf_str(&text), &change->statements_json);
        dw__strbuf_clear(&text);
    }
    if (ok && !is_staged) {
        dw__lineage_print(&text, &lineage->record, change->statements_json);
        ok = text.failed ||
             (dw__arena_dup(change->arena, dw__strbuf_str(&text), &change->lineage_json) &&
              dw__arena_dup(lineage->arena, dw__strbuf_str(&text), &lineage->committed));
    }
    return ok && (!text.failed || text.too_large) ? DW_OK : dw__error_oom(err);
}

static dw_status
commit(const dw_change *change, dw_txn_result *out, dw_error *err)
{
    dw_txn txn = {.log = dw__table_log(change->table),
                  .read_snapshot = change->snapshot,
                  .actions = change->actions,
                  .action_count = change->count,
                  .reads_whole_table = change->reads_whole_table,
                  .looks_for_rows = change->looks_for_rows,
                  .loses_row_ids = change->loses_row_ids,
                  .moves_identity_marks = change->moves_identity_marks,
                  .recommits_files = change->recommits_files,
                  .read_paths = change->read_paths,
                  .read_path_count = change->read_path_count,
                  .searched_paths = change->searched_paths,
                  .searched_path_count = change->searched_path_count,
                  .search = change->search,
                  .marks = change->marks,
                  .parts = change->parts,
                  .left_out = change->left_out,
                  .count_left = change->count_left,
                  .count_ctx = change->count_ctx,
                  .replaces_table = change->replaces_table,
                  .brings_files_back = change->brings_files_back,
                  .operation = change->operation,
                  .operation_parameters_json = change->parameters_json,
                  .operation_metrics_json = change->metrics_json,
                  .user_metadata = change->user_metadata,
                  .lineage_json = change->lineage_json,
                  .has_isolation = change->has_isolation,
                  .isolation = change->isolation,
                  .limits = change->limits,
                  .data_change = !change->rearranges};
    return dw__txn_commit(&txn, out, err);
}

/* Another writer may have been first, before this change read the table. */
static bool
is_recorded(const dw_change *change)
{
    dw_txn_id known;
    const dw_riders *riders = dw__table_riders(change->table);
    return riders->happens_once && !change->rearranges && change->snapshot != NULL &&
           dw__log_snapshot_txn(change->snapshot, riders->txns[0].app_id, &known) &&
           known.version > 0;
}

/* What rearranges is no change: it may be one of several commits of a statement. */
static dw_status
put_riders(dw_change *change, dw_error *err)
{
    const dw_riders *riders = dw__table_riders(change->table);
    if (riders->txn_count == 0 || change->rearranges) {
        return DW_OK;
    }
    DW_TRY(dw__change_reserve(change, riders->txn_count, err));
    for (size_t i = 0; i < riders->txn_count; i++) {
        dw_action action = {.kind = DW_ACTION_TXN, .as.txn = riders->txns[i]};
        dw__change_put(change, &action);
    }
    if (dw__str_is_null(change->user_metadata)) {
        change->user_metadata = riders->user_metadata;
    }
    return DW_OK;
}

dw_status
dw__change_commit(dw_change *change, dw_txn_result *out, dw_error *err)
{
    *out = (dw_txn_result){.version = -1};
    if (change->count == 0 && !change->commits_nothing) {
        return DW_OK;
    }
    if (is_recorded(change)) {
        out->was_duplicate = true;
        dw__change_discard(change);
        return DW_OK;
    }
    bool is_staged = change->transaction != NULL;
    dw_status status = dw__symlinks_check(change, err);
    if (status == DW_OK && !is_staged) {
        status = put_riders(change, err);
    }
    if (status == DW_OK) {
        status = describe(change, err);
    }
    if (status == DW_OK) {
        status = describe_lineage(change, is_staged, err);
    }
    if (status == DW_OK) {
        status = is_staged ? dw__transaction_stage(change->transaction, change, &out->version, err)
                           : commit(change, out, err);
    }
    if ((status != DW_OK && status != DW_AMBIGUOUS) || out->was_duplicate) {
        dw__change_discard(change);
    }
    if (status == DW_OK && !is_staged && !out->was_duplicate && !out->was_left_out) {
        dw__symlinks_renew(change, out->version);
        checkpoint_if_due(change, out->version);
        if (change->snapshot != NULL && change->files != NULL) {
            dw__filters_tidy(change->table, change->snapshot);
        }
        compact_if_due(change, out->version);
    }
    return status;
}
