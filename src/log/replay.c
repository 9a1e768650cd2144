/*
 * One action after the other.
 */
#include "log/replay.h"

#include "base/assert.h"
#include "base/vec.h"

#define COMMIT_INFO_BYTES_MAX ((size_t) 256 << 20)
#define SIDECARS_MAX ((size_t) 10000000)

dw_status
dw__replay_init(dw_replay *replay, const dw_env *env, dw_error *err)
{
    *replay = (dw_replay){.env = env};
    dw__arena_init(&replay->arena, env->allocator);
    dw__arena_init(&replay->scratch, env->allocator);
    dw__arena_init(&replay->protocol_arena, env->allocator);
    dw__arena_init(&replay->metadata_arena, env->allocator);
    dw__map_init(&replay->txns, env->allocator);
    dw__map_init(&replay->domains, env->allocator);
    replay->commit_info = dw__strbuf_make(env->allocator, COMMIT_INFO_BYTES_MAX);
    replay->adds = dw__file_set_new(env->allocator, false);
    replay->removes = dw__file_set_new(env->allocator, true);
    return replay->adds == NULL || replay->removes == NULL ? dw__error_oom(err) : DW_OK;
}

void
dw__replay_deinit(dw_replay *replay)
{
    if (replay->env == NULL) {
        return;
    }
    dw__file_set_free(replay->adds);
    dw__file_set_free(replay->removes);
    dw__strbuf_deinit(&replay->commit_info);
    DW_VEC_DEINIT(replay->env->allocator, &replay->sidecars);
    dw__map_deinit(&replay->txns);
    dw__map_deinit(&replay->domains);
    dw__arena_deinit(&replay->metadata_arena);
    dw__arena_deinit(&replay->protocol_arena);
    dw__arena_deinit(&replay->scratch);
    dw__arena_deinit(&replay->arena);
}

static dw_status
replay_file(dw_replay *replay, const dw_file *file, bool is_remove, dw_error *err)
{
    dw_file_key key;
    DW_TRY(dw__file_key_make(file->path, file->dv, &replay->scratch, &key, err));
    DW_TRY(dw__file_set_kill(replay->adds, &key, &replay->scratch, err));
    DW_TRY(dw__file_set_kill(replay->removes, &key, &replay->scratch, err));
    return dw__file_set_push(is_remove ? replay->removes : replay->adds, file, &key,
                             &replay->scratch, err);
}

static dw_status
twice_error(const char *what, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "COMMIT_INVALID",
                         "expected at most one %s action in a commit, found a second one that says "
                         "something else",
                         what);
}

/* True when both print alike; false also when out of memory, which the caller meets again. */
static bool
same_metadata(const dw_allocator *allocator, const dw_metadata *a, const dw_metadata *b)
{
    DW_AUTO(dw_strbuf) text_a = dw__strbuf_make(allocator, COMMIT_INFO_BYTES_MAX);
    DW_AUTO(dw_strbuf) text_b = dw__strbuf_make(allocator, COMMIT_INFO_BYTES_MAX);
    dw__metadata_print(&text_a, a);
    dw__metadata_print(&text_b, b);
    return !text_a.failed && !text_b.failed &&
           dw__str_equal(dw__strbuf_str(&text_a), dw__strbuf_str(&text_b));
}

static bool
same_protocol(const dw_allocator *allocator, const dw_protocol *a, const dw_protocol *b)
{
    DW_AUTO(dw_strbuf) text_a = dw__strbuf_make(allocator, COMMIT_INFO_BYTES_MAX);
    DW_AUTO(dw_strbuf) text_b = dw__strbuf_make(allocator, COMMIT_INFO_BYTES_MAX);
    dw__protocol_print(&text_a, a);
    dw__protocol_print(&text_b, b);
    return !text_a.failed && !text_b.failed &&
           dw__str_equal(dw__strbuf_str(&text_a), dw__strbuf_str(&text_b));
}

static dw_status
replay_metadata(dw_replay *replay, const dw_metadata *metadata, dw_error *err)
{
    if (replay->commit_has_metadata &&
        !same_metadata(replay->env->allocator, replay->metadata, metadata)) {
        return twice_error("metaData", err);
    }
    replay->metadata = NULL;
    dw__arena_reset(&replay->metadata_arena);
    dw_metadata *copy = DW_ARENA_NEW(&replay->metadata_arena, dw_metadata);
    if (copy == NULL || !dw__metadata_dup(&replay->metadata_arena, metadata, copy)) {
        return dw__error_oom(err);
    }
    replay->metadata = copy;
    replay->commit_has_metadata = true;
    return DW_OK;
}

static dw_status
replay_protocol(dw_replay *replay, const dw_protocol *protocol, dw_error *err)
{
    if (replay->commit_has_protocol &&
        !same_protocol(replay->env->allocator, replay->protocol, protocol)) {
        return twice_error("protocol", err);
    }
    replay->protocol = NULL;
    dw__arena_reset(&replay->protocol_arena);
    dw_protocol *copy = DW_ARENA_NEW(&replay->protocol_arena, dw_protocol);
    if (copy == NULL || !dw__protocol_dup(&replay->protocol_arena, protocol, copy)) {
        return dw__error_oom(err);
    }
    replay->protocol = copy;
    replay->commit_has_protocol = true;
    return DW_OK;
}

static dw_status
replay_txn(dw_replay *replay, const dw_txn_id *txn, dw_error *err)
{
    dw_map_value *value = dw__map_get(&replay->txns, txn->app_id);
    dw_txn_id *copy = value == NULL ? DW_ARENA_NEW(&replay->arena, dw_txn_id) : value->ptr;
    if (copy == NULL) {
        return dw__error_oom(err);
    }
    dw_str app_id = copy->app_id;
    if (value == NULL) {
        if (!dw__arena_dup(&replay->arena, txn->app_id, &app_id)) {
            return dw__error_oom(err);
        }
        value = dw__map_put(&replay->txns, app_id, NULL);
        if (value == NULL) {
            return dw__error_oom(err);
        }
        value->ptr = copy;
    }
    *copy = *txn;
    copy->app_id = app_id;
    return DW_OK;
}

static dw_status
replay_domain(dw_replay *replay, const dw_domain *domain, dw_error *err)
{
    dw_domain *copy = DW_ARENA_NEW(&replay->arena, dw_domain);
    if (copy == NULL || !dw__arena_dup(&replay->arena, domain->domain, &copy->domain) ||
        !dw__arena_dup(&replay->arena, domain->configuration, &copy->configuration)) {
        return dw__error_oom(err);
    }
    copy->removed = domain->removed;
    dw_map_value *value = dw__map_put(&replay->domains, copy->domain, NULL);
    if (value == NULL) {
        return dw__error_oom(err);
    }
    value->ptr = copy;
    return DW_OK;
}

static dw_status
replay_sidecar(dw_replay *replay, const dw_sidecar *sidecar, dw_error *err)
{
    if (replay->sidecars.count == SIDECARS_MAX) {
        return dw__error_set(err, DW_CORRUPT, "CHECKPOINT_INVALID",
                             "the checkpoint names more than %zu sidecars", SIDECARS_MAX);
    }
    dw_str path;
    if (!dw__arena_dup(&replay->arena, sidecar->path, &path)) {
        return dw__error_oom(err);
    }
    dw_sidecar *copy = DW_VEC_PUSH(replay->env->allocator, &replay->sidecars);
    if (copy == NULL) {
        return dw__error_oom(err);
    }
    *copy = *sidecar;
    copy->path = path;
    return DW_OK;
}

static dw_status
replay_commit_info(dw_replay *replay, dw_str json, dw_error *err)
{
    dw__strbuf_clear(&replay->commit_info);
    dw__strbuf_append(&replay->commit_info, json);
    return dw__strbuf_ok(&replay->commit_info, "a commitInfo", err);
}

dw_status
dw__replay_action(dw_replay *replay, const dw_action *action, dw_error *err)
{
    switch (action->kind) {
    case DW_ACTION_ADD:
        return replay_file(replay, &action->as.file, false, err);
    case DW_ACTION_REMOVE:
        return replay_file(replay, &action->as.file, true, err);
    case DW_ACTION_METADATA:
        return replay_metadata(replay, &action->as.metadata, err);
    case DW_ACTION_PROTOCOL:
        return replay_protocol(replay, &action->as.protocol, err);
    case DW_ACTION_TXN:
        return replay_txn(replay, &action->as.txn, err);
    case DW_ACTION_DOMAIN:
        return replay_domain(replay, &action->as.domain, err);
    case DW_ACTION_SIDECAR:
        return replay_sidecar(replay, &action->as.sidecar, err);
    case DW_ACTION_COMMIT_INFO:
        return replay_commit_info(replay, action->as.json, err);
    case DW_ACTION_CDC:
    case DW_ACTION_CHECKPOINT_METADATA:
    case DW_ACTION_UNKNOWN:
        return DW_OK;
    }
    dw_unreachable("no such kind of action");
}

static dw_status
visit_action(void *ctx, const dw_action *action, dw_error *err)
{
    return dw__replay_action(ctx, action, err);
}

dw_status
dw__replay_text(dw_replay *replay, dw_str ndjson, dw_error *err)
{
    replay->commit_has_metadata = false;
    replay->commit_has_protocol = false;
    dw__strbuf_clear(&replay->commit_info);
    dw_status status = dw__actions_parse(ndjson, &replay->scratch, visit_action, replay, err);
    dw__arena_reset(&replay->scratch);
    return status;
}

void
dw__replay_seal(dw_replay *replay)
{
    dw__file_set_seal(replay->adds);
    dw__file_set_seal(replay->removes);
}
