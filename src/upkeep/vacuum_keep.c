/*
 * Which files are needed: what the snapshot has, what was removed within the retention, and the
 * change data of the commits since. [VACUUM-1,2]
 *
 * The tombstones of the snapshot do not suffice. Checkpoints leave out those that are older than
 * the table's property, though RETAIN may say more; and a remove tells when its statement ran,
 * while the versions before it stayed the newest until it was committed. So the commits since the
 * cutoff are read for their removes, too.
 */
#include "base/assert.h"
#include "codec/uri.h"
#include "log/lean.h"
#include "log/segment.h"
#include "log/timeline.h"
#include "upkeep/vacuum_core.h"

/* ---- Keys ------------------------------------------------------------------------------------ */

static dw_status
put_key(dw_vacuum *v, dw_str key, unsigned reason, int64_t size_bytes, dw_error *err)
{
    bool inserted;
    if (!dw__key_set_put(&v->keep, key, reason, &inserted)) {
        return dw__error_oom(err);
    }
    if (inserted) {
        v->kept[reason].count++;
        v->kept[reason].bytes += size_bytes;
    }
    return DW_OK;
}

/* "/" and the last part of a key. */
static dw_str
name_in(dw_str key, char *buffer, size_t size)
{
    size_t slash = dw__str_find_last(key, '/');
    dw_str name = slash == SIZE_MAX ? key : dw__str_slice(key, slash + 1, key.len);
    if (name.len + 1 > size) {
        return DW_STR_NULL;
    }
    buffer[0] = '/';
    memcpy(buffer + 1, name.ptr, name.len);
    return dw__str_make(buffer, name.len + 1);
}

/* The root may be reached by other ways than the one that we know, so of a file with an absolute
 * path the name counts. */
static dw_status
put_name(dw_vacuum *v, dw_str path, dw_error *err)
{
    char buffer[DW_STORAGE_KEY_BYTES_MAX + 1];
    dw_str name = name_in(path, buffer, sizeof(buffer));
    bool inserted;
    v->keeps_names = true;
    if (!dw__str_is_null(name) && !dw__key_set_put(&v->keep, name, DW_VACUUM_CURRENT, &inserted)) {
        return dw__error_oom(err);
    }
    return DW_OK;
}

bool
dw__vacuum_is_kept(const dw_vacuum *v, dw_str key)
{
    if (dw__key_set_get(&v->keep, key) != 0) {
        return true;
    }
    if (!v->keeps_names) {
        return false;
    }
    char buffer[DW_STORAGE_KEY_BYTES_MAX + 1];
    dw_str name = name_in(key, buffer, sizeof(buffer));
    return dw__str_is_null(name) || dw__key_set_get(&v->keep, name) != 0;
}

dw_str
dw__vacuum_below_root(const dw_vacuum *v, dw_str path)
{
    dw_str root = v->storage->root;
    bool is_below = !dw__str_is_null(root) && dw__str_starts_with(path, root) &&
                    path.len > root.len + 1 && path.ptr[root.len] == '/';
    return is_below ? dw__str_slice(path, root.len + 1, path.len) : DW_STR_NULL;
}

dw_status
dw__vacuum_key(dw_vacuum *v, dw_str path, dw_str *out, dw_error *err)
{
    DW_TRY(dw__uri_canonical(&v->arena, path, out, err));
    if (dw__uri_is_absolute(path)) {
        *out = dw__vacuum_below_root(v, *out);
    }
    return DW_OK;
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* A path that no reader could decode names nothing, but somebody may have forgotten to encode it.
 */
static dw_status
keep_path(dw_vacuum *v, dw_str path, unsigned reason, int64_t size_bytes, dw_error *err)
{
    dw_str plain;
    dw_error ignored = DW_ERROR_INIT;
    dw_status status = dw__uri_canonical(&v->arena, path, &plain, &ignored);
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    bool is_odd = status != DW_OK || memmem(path.ptr, path.len, "..", 2) != NULL;
    plain = status == DW_OK ? plain : path;
    bool is_absolute = dw__uri_is_absolute(path);
    dw_str key = is_absolute ? dw__vacuum_below_root(v, plain) : plain;
    if (!dw__str_is_null(key)) {
        DW_TRY(put_key(v, key, reason, size_bytes, err));
    }
    if (is_absolute || is_odd) {
        DW_TRY(put_name(v, plain, err));
    }
    bool inserted;
    bool may_be_plain = dw__str_find(path, '%') != SIZE_MAX;
    return !may_be_plain || dw__key_set_put(&v->keep, path, reason, &inserted) ? DW_OK
                                                                               : dw__error_oom(err);
}

static dw_status
keep_dv(dw_vacuum *v, const dw_dv_descriptor *dv, unsigned reason, dw_error *err)
{
    if (dv == NULL || dv->storage_type == 'i') {
        return DW_OK;
    }
    dw_str path;
    bool is_absolute;
    DW_TRY(dw__dv_path(dv, &v->arena, &path, &is_absolute, err));
    if (!is_absolute) {
        return put_key(v, path, reason, dv->size_bytes, err);
    }
    dw_str key = dw__vacuum_below_root(v, path);
    if (!dw__str_is_null(key)) {
        DW_TRY(put_key(v, key, reason, dv->size_bytes, err));
    }
    return put_name(v, path, err);
}

static dw_status
keep_file(dw_vacuum *v, const dw_file *file, unsigned reason, dw_error *err)
{
    DW_TRY(keep_path(v, file->path, reason, file->size_bytes, err));
    return keep_dv(v, file->dv, reason, err);
}

/* ---- Where they come from -------------------------------------------------------------------- */

static dw_status
keep_current(void *ctx, const dw_file_set *files, dw_error *err)
{
    dw_vacuum *v = ctx;
    dw_file_ref ref = {0, 0};
    size_t count = 0;
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        DW_TRY(keep_path(v, dw__file_set_path(files, ref), DW_VACUUM_CURRENT,
                         dw__file_set_file_size(files, ref), err));
        DW_TRY(keep_dv(v, dw__file_set_dv(files, ref), DW_VACUUM_CURRENT, err));
        dw__arena_reset(&v->arena);
        if (++count % 65536 == 0) {
            DW_TRY(dw__upkeep_check(v->upkeep, err));
        }
    }
    return DW_OK;
}

static dw_status
keep_tombstone(void *ctx, const dw_file *remove, dw_error *err)
{
    dw_vacuum *v = ctx;
    bool is_recent =
        remove->has_deletion_timestamp && remove->deletion_timestamp_ms >= v->cutoff_ms;
    dw_status status = is_recent ? keep_file(v, remove, DW_VACUUM_RETAINED, err) : DW_OK;
    dw__arena_reset(&v->arena);
    return status;
}

/* What a version within the retention still needs, though it is not the newest. */
static dw_status
keep_action(dw_vacuum *v, const dw_action *action, dw_error *err)
{
    if (action->kind == DW_ACTION_REMOVE) {
        return keep_file(v, &action->as.file, DW_VACUUM_RETAINED, err);
    }
    return action->kind == DW_ACTION_CDC ? keep_path(v, action->as.file.path, DW_VACUUM_CHANGES,
                                                     action->as.file.size_bytes, err)
                                         : DW_OK;
}

/* A commit that is gone was cleaned up, and with it the versions before it. */
static dw_status
read_commit(dw_vacuum *v, int64_t version, dw_arena *arena, dw_commit_actions *out, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    *out = (dw_commit_actions){0};
    DW_TRY(dw__upkeep_check(v->upkeep, err));
    dw_status status = dw__commit_read(dw__table_log(v->table), version, arena, out, &cause);
    if (status == DW_OK || status == DW_NOT_FOUND) {
        return DW_OK;
    }
    dw__error_copy(err, &cause);
    return status;
}

static dw_status
keep_commits(dw_vacuum *v, dw_error *err)
{
    for (size_t i = 0; i < v->listing.count; i++) {
        const dw_log_file *file = &v->listing.items[i];
        bool is_within = file->kind == DW_LOG_COMMIT && file->version > v->cutoff_version &&
                         file->version <= dw__log_snapshot_version(v->snapshot);
        if (!is_within) {
            continue;
        }
        DW_AUTO(dw_arena) arena;
        dw__arena_init(&arena, v->env->allocator);
        dw_commit_actions actions;
        DW_TRY(read_commit(v, file->version, &arena, &actions, err));
        for (size_t k = 0; k < actions.count; k++) {
            DW_TRY(keep_action(v, &actions.items[k], err));
        }
        dw__arena_reset(&v->arena);
    }
    return DW_OK;
}

/* ---- All of them ----------------------------------------------------------------------------- */

dw_status
dw__vacuum_keep(dw_vacuum *v, dw_error *err)
{
    int64_t first, last;
    DW_TRY(dw__log_list(v->storage, 0, &v->listing, err));
    DW_TRY(dw__timeline_version_until(v->snapshot, &v->listing, v->cutoff_ms, &v->cutoff_version,
                                      err));
    dw__segment_range(&v->listing, &first, &last);
    v->first_version = v->cutoff_version > first ? v->cutoff_version : first;
    DW_TRY(dw__log_snapshot_visit_files(v->snapshot, keep_current, v, err));
    DW_TRY(dw__log_snapshot_visit_tombstones(v->snapshot, keep_tombstone, v, err));
    return keep_commits(v, err);
}

dw_status
dw__vacuum_keep_new(dw_vacuum *v, int64_t first, int64_t last, dw_error *err)
{
    for (int64_t version = first; version <= last; version++) {
        DW_AUTO(dw_arena) arena;
        dw__arena_init(&arena, v->env->allocator);
        dw_commit_actions actions;
        DW_TRY(read_commit(v, version, &arena, &actions, err));
        for (size_t i = 0; i < actions.count; i++) {
            if (actions.items[i].kind == DW_ACTION_ADD) {
                v->keeps_more = true;
                DW_TRY(keep_file(v, &actions.items[i].as.file, DW_VACUUM_CURRENT, err));
            }
        }
        dw__arena_reset(&v->arena);
    }
    return DW_OK;
}
