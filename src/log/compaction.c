/*
 * Writing compacted commits: what a run of commits comes to, in one file that readers may take
 * instead of them. PROTOCOL.md "Log Compaction Files"; checklist A6.
 *
 *  [COMPACTION-1] What a run takes away stays said: removes, and domains that were removed, hide
 *                 what is below the run. What says nothing of the state (commitInfo, change data)
 *                 is left out.
 */
#include "base/assert.h"
#include "log/checkpoint_core.h"
#include "log/cleanup.h"
#include "log/commit.h"
#include "log/log_core.h"
#include "log/replay.h"
#include "log/snapshot.h"

#include <inttypes.h>

static dw_status
replay_range(dw_log *log, int64_t first, int64_t last, dw_replay *replay, dw_error *err)
{
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(log->env->allocator, DW_COMMIT_BYTES_MAX);
    for (int64_t version = first; version <= last; version++) {
        DW_TRY(dw__commit_get(log, version, &bytes, NULL, err));
        dw_status status = dw__replay_text(replay, dw__strbuf_str(&bytes), err);
        if (status != DW_OK) {
            char key[DW_COMMIT_KEY_SIZE];
            dw__commit_context(err, dw__commit_key(version, key));
            return status;
        }
    }
    dw__replay_seal(replay);
    return DW_OK;
}

static void
print_state(const dw_replay *replay, dw_strbuf *out)
{
    dw_action action = {.kind = DW_ACTION_PROTOCOL};
    if (replay->protocol != NULL) {
        action.as.protocol = *replay->protocol;
        dw__action_print(out, &action);
    }
    if (replay->metadata != NULL) {
        action = (dw_action){.kind = DW_ACTION_METADATA, .as.metadata = *replay->metadata};
        dw__action_print(out, &action);
    }
    for (size_t i = 0; i < replay->txns.slot_count; i++) {
        const dw_map_slot *slot = &replay->txns.slots[i];
        if (slot->key.ptr != NULL) {
            action =
                (dw_action){.kind = DW_ACTION_TXN, .as.txn = *(const dw_txn_id *) slot->value.ptr};
            dw__action_print(out, &action);
        }
    }
    for (size_t i = 0; i < replay->domains.slot_count; i++) {
        const dw_map_slot *slot = &replay->domains.slots[i];
        if (slot->key.ptr != NULL) {
            action = (dw_action){.kind = DW_ACTION_DOMAIN,
                                 .as.domain = *(const dw_domain *) slot->value.ptr};
            dw__action_print(out, &action);
        }
    }
}

static dw_status
print_files(dw_file_set *files, dw_action_kind kind, dw_strbuf *out, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, files->allocator);
    dw_file_ref ref;
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        dw_action action = {.kind = kind};
        DW_TRY(dw__file_set_get(files, ref, &arena, &action.as.file, err));
        dw__action_print(out, &action);
        dw__arena_reset(&arena);
    }
    return DW_OK;
}

static dw_status
put_compacted(dw_log *log, int64_t first, int64_t last, dw_str bytes, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, log->env->allocator);
    dw_str key = dw__arena_printf(&arena, DW_LOG_DIR "%020" PRId64 ".%020" PRId64 ".compacted.json",
                                  first, last);
    if (dw__str_is_null(key)) {
        return dw__error_oom(err);
    }
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__storage_put_if_absent(log->storage, key, bytes, &cause);
    if (status == DW_OK || status == DW_ALREADY_EXISTS) {
        return DW_OK; /* commits never change: what is there says the same */
    }
    dw__error_copy(err, &cause);
    return status;
}

dw_status
dw__log_compact(dw_log *log, int64_t first, int64_t last, dw_error *err)
{
    dw_assert(first >= 0 && first < last);
    DW_AUTO(dw_replay) replay;
    DW_TRY(dw__replay_init(&replay, log->env, err));
    DW_TRY(replay_range(log, first, last, &replay, err));
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(log->env->allocator, DW_COMMIT_BYTES_MAX);
    print_state(&replay, &text);
    DW_TRY(print_files(replay.removes, DW_ACTION_REMOVE, &text, err));
    DW_TRY(print_files(replay.adds, DW_ACTION_ADD, &text, err));
    DW_TRY(dw__strbuf_ok(&text, "the compacted commits", err));
    return put_compacted(log, first, last, dw__strbuf_str(&text), err);
}

dw_status
dw__log_compactable(const dw_log_snapshot *snapshot, int64_t *first_out, int64_t *last_out,
                    dw_error *err)
{
    *last_out = snapshot->version;
    if (snapshot->checkpoint != NULL) {
        *first_out = snapshot->checkpoint->version + 1;
        return DW_OK;
    }
    return dw__log_first_commit(snapshot->log, first_out, err);
}

/* As the reference counts: version 9 is the tenth. */
bool
dw__log_compaction_is_due(const dw_log_snapshot *snapshot, int64_t *first_out)
{
    int64_t interval = snapshot->definition->properties.log_compaction_interval;
    *first_out = snapshot->version + 1 - interval;
    return interval > 1 && (snapshot->version + 1) % interval == 0;
}
