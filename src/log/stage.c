/*
 * What a version would be: a snapshot with actions on top of it that nobody has committed.
 */
#include "base/assert.h"
#include "log/log_core.h"
#include "log/snapshot.h"

static dw_status
replay(dw_replay *tail, const dw_action *actions, size_t count, dw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        DW_TRY(dw__replay_action(tail, &actions[i], err));
    }
    dw__replay_seal(tail);
    return DW_OK;
}

dw_status
dw__log_snapshot_stage(const dw_log_snapshot *base, const dw_action *actions, size_t count,
                       dw_log_snapshot **out, dw_error *err)
{
    *out = NULL;
    const dw_env *env = dw__log_env(base->log);
    DW_AUTO(dw_replay) tail;
    DW_TRY(dw__replay_init(&tail, env, err));
    DW_TRY(replay(&tail, actions, count, err));
    dw_snapshot_parts parts = {
        .log = base->log, .version = base->version + 1, .tail = &tail, .base_snapshot = base};
    DW_TRY(dw__snapshot_join(env, &parts, out, err));
    int64_t now = dw__env_now_ms(env);
    (*out)->timestamp_ms = now > base->timestamp_ms ? now : base->timestamp_ms + 1;
    return DW_OK;
}

dw_status
dw__log_snapshot_imagine(dw_log *log, const dw_action *actions, size_t count, dw_log_snapshot **out,
                         dw_error *err)
{
    *out = NULL;
    const dw_env *env = dw__log_env(log);
    DW_AUTO(dw_replay) tail;
    DW_TRY(dw__replay_init(&tail, env, err));
    DW_TRY(replay(&tail, actions, count, err));
    dw_snapshot_parts parts = {.log = log, .version = -1, .tail = &tail};
    DW_TRY(dw__snapshot_join(env, &parts, out, err));
    (*out)->timestamp_ms = dw__env_now_ms(env);
    return DW_OK;
}

dw_status
dw__log_snapshot_has_file(const dw_log_snapshot *snapshot, const dw_file *file, bool *out,
                          dw_error *err)
{
    dw_file_key key;
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, dw__log_env(snapshot->log)->allocator);
    DW_TRY(dw__file_key_make(file->path, file->dv, &scratch, &key, err));
    return dw__file_set_has(snapshot->files, &key, &scratch, out, err);
}
