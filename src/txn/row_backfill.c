/*
 * The backfill: files are added again by their own keys, unchanged but for their ids, which the
 * commit assigns. [ASSIGN-1] A file that another writer removes or adds again meanwhile conflicts,
 * and the batch is made anew.
 */
#include "txn/row_backfill.h"

#include "base/assert.h"
#include "log/file_set_core.h"

#include <inttypes.h>

#define BATCH_FILES_MAX ((size_t) 100000)
#define CONFLICTS_MAX 100

typedef struct backfill {
    dw_log *log;
    bool takes_away;
    dw_arena arena; /* of a batch */
    dw_action *actions;
    dw_str *paths;
    size_t count;
    int64_t batch_number;
    int64_t conflict_count;
} backfill;

/* True when the file is to be committed again. */
static bool
is_wanted(const backfill *b, const dw_file_set *files, dw_file_ref ref)
{
    const dw_file_block *block = dw__file_set_block(files, ref.block);
    unsigned flags = dw__file_block_flags(block, ref.row);
    return b->takes_away ? (flags & (DW_FILE_HAS_BASE_ROW_ID | DW_FILE_HAS_COMMIT_VERSION)) != 0
                         : (flags & DW_FILE_HAS_BASE_ROW_ID) == 0;
}

static size_t
count_wanted(const backfill *b, const dw_file_set *files)
{
    size_t count = 0;
    dw_file_ref ref;
    for (bool ok = dw__file_set_first(files, &ref); ok && count < BATCH_FILES_MAX;
         ok = dw__file_set_next(files, &ref)) {
        count += is_wanted(b, files, ref);
    }
    return count;
}

static dw_status
collect_batch(backfill *b, dw_file_set *files, dw_error *err)
{
    dw__arena_reset(&b->arena);
    size_t wanted = count_wanted(b, files);
    b->count = 0;
    b->actions = DW_ARENA_ARRAY(&b->arena, dw_action, wanted + 1);
    b->paths = DW_ARENA_ARRAY(&b->arena, dw_str, wanted + 1);
    if (b->actions == NULL || b->paths == NULL) {
        return dw__error_oom(err);
    }
    dw_file_ref ref;
    for (bool ok = dw__file_set_first(files, &ref); ok && b->count < wanted;
         ok = dw__file_set_next(files, &ref)) {
        if (!is_wanted(b, files, ref)) {
            continue;
        }
        dw_action *action = &b->actions[b->count];
        *action = (dw_action){.kind = DW_ACTION_ADD};
        DW_TRY(dw__file_set_get(files, ref, &b->arena, &action->as.file, err));
        action->as.file.data_change = false;
        b->paths[b->count++] = action->as.file.path;
    }
    return DW_OK;
}

static dw_status
commit_batch(backfill *b, dw_log_snapshot *snapshot, dw_error *err)
{
    dw_txn txn = {.log = b->log,
                  .read_snapshot = snapshot,
                  .actions = b->actions,
                  .action_count = b->count,
                  .recommits_files = true,
                  .read_paths = b->paths,
                  .read_path_count = b->count,
                  .operation = b->takes_away ? "ROW TRACKING UNBACKFILL" : "ROW TRACKING BACKFILL",
                  .operation_parameters_json = dw__arena_printf(
                      &b->arena, "{\"batchId\":\"%" PRId64 "\"}", b->batch_number)};
    dw_txn_result result;
    return dw__str_is_null(txn.operation_parameters_json) ? dw__error_oom(err)
                                                          : dw__txn_commit(&txn, &result, err);
}

/* One batch; *done_out when every file has ids. A conflict is no error until there are many. */
static dw_status
run_batch(backfill *b, int64_t *file_count, bool *done_out, dw_error *err)
{
    *done_out = false;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(b->log, &snapshot, err));
    const dw_protocol *protocol = dw__log_snapshot_protocol(snapshot);
    if (!dw__protocol_supports(protocol, DW_FEATURE_ROW_TRACKING)) {
        return dw__error_set(err, DW_UNSUPPORTED, "ROW_TRACKING_NOT_SUPPORTED",
                             "rows can only get ids where the table's protocol lists rowTracking");
    }
    DW_TRY(collect_batch(b, dw__log_snapshot_files(snapshot), err));
    if (b->count == 0) {
        *done_out = true;
        return DW_OK;
    }
    dw_error cause = DW_ERROR_INIT;
    dw_status status = commit_batch(b, snapshot, &cause);
    if (status == DW_OK) {
        b->batch_number++;
        *file_count += (int64_t) b->count;
        return DW_OK;
    }
    if (status == DW_CONFLICT && ++b->conflict_count < CONFLICTS_MAX) {
        return DW_OK;
    }
    dw__error_copy(err, &cause);
    return status;
}

static dw_status
run(dw_log *log, bool takes_away, int64_t *file_count_out, dw_error *err)
{
    *file_count_out = 0;
    backfill b = {.log = log, .takes_away = takes_away};
    dw__arena_init(&b.arena, dw__log_env(log)->allocator);
    dw_status status = DW_OK;
    for (bool done = false; !done && status == DW_OK;) {
        status = run_batch(&b, file_count_out, &done, err);
    }
    dw__arena_deinit(&b.arena);
    return status;
}

dw_status
dw__row_tracking_backfill(dw_log *log, int64_t *file_count_out, dw_error *err)
{
    return run(log, false, file_count_out, err);
}

dw_status
dw__row_tracking_unbackfill(dw_log *log, int64_t *file_count_out, dw_error *err)
{
    return run(log, true, file_count_out, err);
}
