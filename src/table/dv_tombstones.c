/*
 * Collecting the files, and the commit "Deletion Vector Tombstones".
 */
#include "table/dv_tombstones.h"

#include "base/map.h"
#include "codec/uri.h"
#include "txn/txn.h"

typedef struct collector {
    dw_table *table;
    dw_arena arena;
    int64_t expired_before_ms;
    int64_t now_ms;
    dw_map removed; /* canonical paths of removes without a vector */
    dw_map vectors; /* paths of files with vectors, as a remove has them */
} collector;

static dw_status
put(collector *c, dw_map *map, dw_str path, dw_error *err)
{
    dw_str kept;
    if (dw__map_get(map, path) != NULL) {
        return DW_OK;
    }
    bool ok = dw__arena_dup(&c->arena, path, &kept) && dw__map_put(map, kept, NULL) != NULL;
    return ok ? DW_OK : dw__error_oom(err);
}

/* Of a file below the table's root; others are not deleted with the table's. */
static dw_status
put_vector(collector *c, const dw_dv_descriptor *dv, dw_error *err)
{
    bool is_absolute;
    dw_str path;
    DW_TRY(dw__dv_path(dv, &c->arena, &path, &is_absolute, err));
    dw_str root = dw__table_root(c->table);
    if (is_absolute) {
        bool is_below = !dw__str_is_null(root) && dw__str_starts_with(path, root) &&
                        path.len > root.len + 1 && path.ptr[root.len] == '/';
        if (!is_below) {
            return DW_OK;
        }
        path = dw__str_slice(path, root.len + 1, path.len);
    }
    return put(c, &c->vectors, path, err);
}

static dw_status
visit(void *ctx, const dw_file *remove, dw_error *err)
{
    collector *c = ctx;
    int64_t deleted_ms = remove->has_deletion_timestamp ? remove->deletion_timestamp_ms : 0;
    if (deleted_ms < c->expired_before_ms) {
        return DW_OK;
    }
    if (remove->dv != NULL) {
        return remove->dv->storage_type == 'i' ? DW_OK : put_vector(c, remove->dv, err);
    }
    dw_str plain;
    DW_TRY(dw__uri_canonical(&c->arena, remove->path, &plain, err));
    return put(c, &c->removed, plain, err);
}

static dw_status
make_action(collector *c, dw_str path, dw_action *out, dw_error *err)
{
    *out = (dw_action){
        .kind = DW_ACTION_REMOVE,
        .as.file = {.deletion_timestamp_ms = c->now_ms, .has_deletion_timestamp = true}};
    DW_AUTO(dw_strbuf) encoded = dw__strbuf_make(c->arena.allocator, 3 * DW_STORAGE_KEY_BYTES_MAX);
    dw__uri_encode_path(&encoded, path);
    DW_TRY(dw__strbuf_ok(&encoded, "a path", err));
    return dw__arena_dup(&c->arena, dw__strbuf_str(&encoded), &out->as.file.path)
               ? DW_OK
               : dw__error_oom(err);
}

static dw_status
commit(collector *c, dw_log_snapshot *snapshot, dw_error *err)
{
    dw_action *actions = DW_ARENA_ARRAY(&c->arena, dw_action, c->vectors.count + 1);
    size_t count = 0;
    if (actions == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < c->vectors.slot_count; i++) {
        dw_str path = c->vectors.slots[i].key;
        if (path.ptr != NULL && dw__map_get(&c->removed, path) == NULL) {
            DW_TRY(make_action(c, path, &actions[count++], err));
        }
    }
    if (count == 0) {
        return DW_OK;
    }
    dw_txn_result result;
    dw_txn txn = {.log = dw__table_log(c->table),
                  .read_snapshot = snapshot,
                  .actions = actions,
                  .action_count = count,
                  .operation = "Deletion Vector Tombstones"};
    return dw__txn_commit(&txn, &result, err);
}

dw_status
dw__dv_tombstones_commit(dw_table *table, dw_error *err)
{
    const dw_env *env = dw__table_env(table);
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_snapshot(dw__table_log(table), &snapshot, err));
    collector c = {.table = table, .now_ms = dw__env_now_ms(env)};
    c.expired_before_ms =
        c.now_ms - dw__log_snapshot_properties(snapshot)->deleted_file_retention_ms;
    dw__arena_init(&c.arena, env->allocator);
    dw__map_init(&c.removed, env->allocator);
    dw__map_init(&c.vectors, env->allocator);
    dw_status status = dw__log_snapshot_visit_tombstones(snapshot, visit, &c, err);
    if (status == DW_OK) {
        status = commit(&c, snapshot, err);
    }
    dw__map_deinit(&c.vectors);
    dw__map_deinit(&c.removed);
    dw__arena_deinit(&c.arena);
    return status;
}
