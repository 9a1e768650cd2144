/*
 * Putting snapshots together, and reading them.
 */
#include "log/snapshot.h"

#include "base/assert.h"
#include "log/load.h"

#include <inttypes.h>

/* ---- Life ------------------------------------------------------------------------------------ */

dw_log_snapshot *
dw__log_snapshot_ref(dw_log_snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->ref_count, 1, memory_order_relaxed);
    return snapshot;
}

void
dw__log_snapshot_unref(dw_log_snapshot *snapshot)
{
    if (snapshot == NULL ||
        atomic_fetch_sub_explicit(&snapshot->ref_count, 1, memory_order_acq_rel) != 1) {
        return;
    }
    dw__definition_unref(snapshot->definition);
    dw__txn_set_unref(snapshot->txns);
    dw__domain_set_unref(snapshot->domains);
    dw__file_set_free(snapshot->files);
    dw__file_set_free(snapshot->tombstones);
    dw__file_set_free(snapshot->tail_adds);
    dw__file_set_free(snapshot->tail_removes);
    dw__checkpoint_unref(snapshot->checkpoint);
    DW_DELETE(dw__log_env(snapshot->log)->allocator, snapshot);
}

/* ---- Joining --------------------------------------------------------------------------------- */

static dw_status
missing_part(const char *code, const char *what, int64_t version, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, code,
                         "the log has no %s action up to version %" PRId64
                         "; expected one in the first commit or in a checkpoint",
                         what, version);
}

static dw_status
define(const dw_env *env, const dw_protocol *protocol, const dw_metadata *metadata, int64_t version,
       dw_definition **out, dw_error *err)
{
    if (protocol == NULL) {
        return missing_part("NO_PROTOCOL", "protocol", version, err);
    }
    DW_TRY(dw__protocol_check_read(protocol, err));
    if (metadata == NULL) {
        return missing_part("NO_METADATA", "metaData", version, err);
    }
    return dw__definition_new(env, protocol, metadata, out, err);
}

dw_status
dw__snapshot_define(const dw_env *env, const dw_replay *tail, const dw_replay *base,
                    int64_t version, dw_definition **out, dw_error *err)
{
    *out = NULL;
    const dw_protocol *protocol = tail->protocol;
    const dw_metadata *metadata = tail->metadata;
    if (base != NULL) {
        protocol = protocol == NULL ? base->protocol : protocol;
        metadata = metadata == NULL ? base->metadata : metadata;
    }
    return define(env, protocol, metadata, version, out, err);
}

static dw_status
join_definition(const dw_env *env, const dw_snapshot_parts *parts, dw_log_snapshot *out,
                dw_error *err)
{
    if (parts->definition != NULL) {
        out->definition = dw__definition_ref(parts->definition);
        return DW_OK;
    }
    if (parts->base_snapshot == NULL) {
        return dw__snapshot_define(env, parts->tail, parts->base_replay, parts->version,
                                   &out->definition, err);
    }
    dw_definition *before = parts->base_snapshot->definition;
    const dw_protocol *protocol = parts->tail->protocol;
    const dw_metadata *metadata = parts->tail->metadata;
    if (protocol == NULL && metadata == NULL) {
        out->definition = dw__definition_ref(before);
        return DW_OK;
    }
    return define(env, protocol == NULL ? &before->protocol : protocol,
                  metadata == NULL ? &before->metadata : metadata, parts->version, &out->definition,
                  err);
}

static dw_status
join_txns(const dw_env *env, const dw_snapshot_parts *parts, dw_log_snapshot *out, dw_error *err)
{
    const dw_map *changes = &parts->tail->txns;
    if (parts->base_snapshot != NULL && changes->count == 0) {
        out->txns = dw__txn_set_ref(parts->base_snapshot->txns);
        return DW_OK;
    }
    if (parts->base_replay == NULL) {
        const dw_txn_set *base = parts->base_snapshot == NULL ? NULL : parts->base_snapshot->txns;
        return dw__txn_set_new(env->allocator, base, changes, &out->txns, err);
    }
    dw_txn_set *base;
    DW_TRY(dw__txn_set_new(env->allocator, NULL, &parts->base_replay->txns, &base, err));
    dw_status status = dw__txn_set_new(env->allocator, base, changes, &out->txns, err);
    dw__txn_set_unref(base);
    return status;
}

static dw_status
join_domains(const dw_env *env, const dw_snapshot_parts *parts, dw_log_snapshot *out, dw_error *err)
{
    const dw_map *changes = &parts->tail->domains;
    if (parts->base_snapshot != NULL && changes->count == 0) {
        out->domains = dw__domain_set_ref(parts->base_snapshot->domains);
        return DW_OK;
    }
    if (parts->base_replay == NULL) {
        const dw_domain_set *base =
            parts->base_snapshot == NULL ? NULL : parts->base_snapshot->domains;
        return dw__domain_set_new(env->allocator, base, changes, &out->domains, err);
    }
    dw_domain_set *base;
    DW_TRY(dw__domain_set_new(env->allocator, NULL, &parts->base_replay->domains, &base, err));
    dw_status status = dw__domain_set_new(env->allocator, base, changes, &out->domains, err);
    dw__domain_set_unref(base);
    return status;
}

/* `below` without the keys of the tail, then `above`. [REPLAY-1] */
static dw_status
join_set(const dw_env *env, bool is_remove, int64_t expired_before_ms, const dw_file_set *below,
         const dw_replay *tail, dw_file_set **out, dw_error *err)
{
    *out = dw__file_set_new(env->allocator, is_remove);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    if (below != NULL) {
        DW_TRY(dw__file_set_append_set(*out, below, err));
        DW_TRY(dw__file_set_kill_keys(*out, tail->adds, err));
        DW_TRY(dw__file_set_kill_keys(*out, tail->removes, err));
    }
    DW_TRY(dw__file_set_append_set(*out, is_remove ? tail->removes : tail->adds, err));
    return dw__file_set_compact(*out, expired_before_ms, err);
}

static dw_status
join_files(const dw_env *env, const dw_snapshot_parts *parts, dw_log_snapshot *out, dw_error *err)
{
    const dw_file_set *files_below = NULL;
    const dw_file_set *tombstones_below = NULL;
    if (parts->base_snapshot != NULL) {
        files_below = parts->base_snapshot->files;
        tombstones_below = parts->base_snapshot->tombstones;
    } else if (parts->base_replay != NULL) {
        files_below = parts->base_replay->adds; /* its removes are read when they are needed */
    }
    int64_t expired_before_ms =
        dw__env_now_ms(env) - out->definition->properties.deleted_file_retention_ms;
    DW_TRY(join_set(env, false, INT64_MIN, files_below, parts->tail, &out->files, err));
    return join_set(env, true, expired_before_ms, tombstones_below, parts->tail, &out->tombstones,
                    err);
}

/* A lean snapshot hides files of its checkpoint when those are visited. */
static dw_status
share_set(const dw_env *env, const dw_file_set *from, dw_file_set **out, dw_error *err)
{
    *out = dw__file_set_new(env->allocator, from->is_remove);
    return *out == NULL ? dw__error_oom(err) : dw__file_set_append_set(*out, from, err);
}

static dw_status
join(const dw_env *env, const dw_snapshot_parts *parts, dw_log_snapshot *out, dw_error *err)
{
    DW_TRY(join_definition(env, parts, out, err));
    DW_TRY(join_txns(env, parts, out, err));
    DW_TRY(join_domains(env, parts, out, err));
    if (parts->is_lean) {
        DW_TRY(share_set(env, parts->tail->adds, &out->tail_adds, err));
        DW_TRY(share_set(env, parts->tail->removes, &out->tail_removes, err));
    }
    return join_files(env, parts, out, err);
}

dw_status
dw__snapshot_join(const dw_env *env, const dw_snapshot_parts *parts, dw_log_snapshot **out,
                  dw_error *err)
{
    *out = NULL;
    dw_assert(parts->tail != NULL);
    dw_assert(parts->base_snapshot == NULL || parts->base_replay == NULL);
    dw_log_snapshot *snapshot = DW_NEW(env->allocator, dw_log_snapshot);
    if (snapshot == NULL) {
        return dw__error_oom(err);
    }
    snapshot->log = parts->log;
    atomic_init(&snapshot->ref_count, 1);
    snapshot->version = parts->version;
    snapshot->identity = parts->identity;
    dw_checkpoint *checkpoint =
        parts->base_snapshot != NULL ? parts->base_snapshot->checkpoint : parts->checkpoint;
    snapshot->checkpoint = checkpoint == NULL ? NULL : dw__checkpoint_ref(checkpoint);
    dw_status status = join(env, parts, snapshot, err);
    if (status != DW_OK) {
        dw__log_snapshot_unref(snapshot);
        return status;
    }
    *out = snapshot;
    return DW_OK;
}

/* ---- Reading --------------------------------------------------------------------------------- */

dw_log *
dw__log_snapshot_log(const dw_log_snapshot *snapshot)
{
    return snapshot->log;
}

int64_t
dw__log_snapshot_version(const dw_log_snapshot *snapshot)
{
    return snapshot->version;
}

int64_t
dw__log_snapshot_timestamp_ms(const dw_log_snapshot *snapshot)
{
    return snapshot->timestamp_ms;
}

const dw_protocol *
dw__log_snapshot_protocol(const dw_log_snapshot *snapshot)
{
    return &snapshot->definition->protocol;
}

const dw_metadata *
dw__log_snapshot_metadata(const dw_log_snapshot *snapshot)
{
    return &snapshot->definition->metadata;
}

const dw_properties *
dw__log_snapshot_properties(const dw_log_snapshot *snapshot)
{
    return &snapshot->definition->properties;
}

const dw_type *
dw__log_snapshot_schema(const dw_log_snapshot *snapshot)
{
    return snapshot->definition->schema;
}

dw_file_set *
dw__log_snapshot_files(const dw_log_snapshot *snapshot)
{
    dw_assert(!dw__snapshot_is_lean(snapshot));
    return snapshot->files;
}

bool
dw__snapshot_is_lean(const dw_log_snapshot *snapshot)
{
    return snapshot->tail_adds != NULL;
}

bool
dw__snapshot_is_stale(const dw_log_snapshot *snapshot)
{
    return dw__file_set_is_stale(snapshot->files) ||
           (snapshot->checkpoint != NULL && dw__checkpoint_is_gone(snapshot->checkpoint));
}

static dw_status
visit_tombstones(const dw_log_snapshot *snapshot, dw_tombstone_visitor visit, void *ctx,
                 dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__log_env(snapshot->log)->allocator);
    dw_file_ref ref;
    for (bool ok = dw__file_set_first(snapshot->tombstones, &ref); ok;
         ok = dw__file_set_next(snapshot->tombstones, &ref)) {
        dw_file remove;
        DW_TRY(dw__file_set_get(snapshot->tombstones, ref, &arena, &remove, err));
        DW_TRY(visit(ctx, &remove, err));
        dw__arena_reset(&arena);
    }
    return snapshot->checkpoint == NULL
               ? DW_OK
               : dw__checkpoint_visit_removes(snapshot->checkpoint, visit, ctx, err);
}

dw_status
dw__log_snapshot_visit_tombstones(const dw_log_snapshot *snapshot, dw_tombstone_visitor visit,
                                  void *ctx, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    dw_status status = visit_tombstones(snapshot, visit, ctx, &cause);
    if (status == DW_OK) {
        return DW_OK;
    }
    DW_AUTO(dw_log_snapshot_ptr) again = NULL;
    DW_TRY(dw__load_again(snapshot, &cause, &again, err));
    return visit_tombstones(again, visit, ctx, err);
}

bool
dw__log_snapshot_txn(const dw_log_snapshot *snapshot, dw_str app_id, dw_txn_id *out)
{
    const dw_txn_id *txn = dw__txn_set_get(snapshot->txns, app_id);
    *out = txn == NULL ? (dw_txn_id){0} : *txn;
    return txn != NULL;
}

void
dw__log_snapshot_each_txn(const dw_log_snapshot *snapshot,
                          void (*visit)(void *ctx, const dw_txn_id *txn), void *ctx)
{
    const dw_map *txns = &snapshot->txns->by_app_id;
    for (size_t i = 0; i < txns->slot_count; i++) {
        if (txns->slots[i].key.ptr != NULL) {
            visit(ctx, txns->slots[i].value.ptr);
        }
    }
}

size_t
dw__log_snapshot_domain_count(const dw_log_snapshot *snapshot)
{
    return snapshot->domains->count;
}

const dw_domain *
dw__log_snapshot_domain(const dw_log_snapshot *snapshot, size_t idx)
{
    dw_assert(idx < snapshot->domains->count);
    return &snapshot->domains->items[idx];
}

dw_str
dw__log_snapshot_clustering(const dw_log_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->domains->count; i++) {
        if (dw__str_equal(snapshot->domains->items[i].domain, DW_STR("delta.clustering"))) {
            return snapshot->domains->items[i].configuration;
        }
    }
    return DW_STR_NULL;
}
