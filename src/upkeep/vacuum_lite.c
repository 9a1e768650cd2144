/*
 * VACUUM LITE: what may go is what commits removed, from where the last VACUUM ended up to the
 * newest version outside of the retention. Files that no commit names are not found this way.
 *
 * `_delta_log/_last_vacuum_info` is the reference's; it says up to which version that was done.
 */
#include "codec/json.h"
#include "upkeep/vacuum_core.h"

#include <inttypes.h>

#define INFO_KEY DW_STR("_delta_log/_last_vacuum_info")
#define INFO_MEMBER "latestCommitVersionOutsideOfRetentionWindow"
#define INFO_BYTES_MAX ((size_t) 1 << 16)

/* -1: nobody knows. A file that cannot be read says nothing. */
static dw_status
read_info(dw_vacuum *v, int64_t *version_out, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(v->env->allocator, INFO_BYTES_MAX);
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error ignored = DW_ERROR_INIT;
    *version_out = -1;
    dw_status status = dw__storage_get(v->storage, INFO_KEY, &text, NULL, &ignored);
    if (status == DW_OK) {
        status = dw__json_parse(v->env->allocator, dw__strbuf_str(&text), "the last vacuum", &doc,
                                &ignored);
    }
    int64_t version;
    if (status == DW_OK &&
        dw__json_i64(dw__json_get(dw__json_root(doc), DW_STR(INFO_MEMBER)), &version)) {
        *version_out = version;
    }
    return status == DW_OUT_OF_MEMORY ? dw__error_oom(err) : DW_OK;
}

void
dw__vacuum_note_done(dw_vacuum *v)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(v->env->allocator, INFO_BYTES_MAX);
    dw_error err = DW_ERROR_INIT;
    if (v->cutoff_version < 0) {
        return;
    }
    dw__strbuf_printf(&text, "{\"" INFO_MEMBER "\":%" PRId64 "}", v->cutoff_version);
    dw_status status = dw__strbuf_ok(&text, "the last vacuum", &err);
    if (status == DW_OK) {
        status = dw__storage_put(v->storage, INFO_KEY, dw__strbuf_str(&text), &err);
    }
    if (status != DW_OK) {
        dw__env_warn(v->env,
                     "the files are deleted, but the next VACUUM LITE will look at their versions "
                     "again: %s",
                     err.message);
    }
}

static int64_t
first_commit(const dw_vacuum *v)
{
    for (size_t i = 0; i < v->listing.count; i++) {
        if (v->listing.items[i].kind == DW_LOG_COMMIT) {
            return v->listing.items[i].version;
        }
    }
    return INT64_MAX;
}

static dw_status
consider_path(dw_vacuum *v, dw_str path, dw_error *err)
{
    dw_str key;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__vacuum_key(v, path, &key, &cause);
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    return status == DW_OK && !dw__str_is_null(key) ? dw__vacuum_consider(v, key, INT64_MIN, err)
                                                    : DW_OK;
}

static dw_status
consider_dv(dw_vacuum *v, const dw_dv_descriptor *dv, dw_error *err)
{
    if (dv == NULL || dv->storage_type != 'u') {
        return DW_OK;
    }
    dw_str path;
    bool is_absolute;
    DW_TRY(dw__dv_path(dv, &v->arena, &path, &is_absolute, err));
    return dw__vacuum_consider(v, path, INT64_MIN, err);
}

static dw_status
refuse(int64_t first, int64_t done, dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, "CANNOT_VACUUM_LITE",
                         "the log has no commits before version %" PRId64
                         ", and up to version %" PRId64
                         " nothing says which files they removed: use VACUUM FULL",
                         first, done);
}

static dw_status
consider_commit(dw_vacuum *v, int64_t version, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, v->env->allocator);
    dw_commit_actions actions;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__commit_read(dw__table_log(v->table), version, &arena, &actions, &cause);
    if (status == DW_NOT_FOUND) { /* the log was cleaned up meanwhile */
        return refuse(version + 1, version, err);
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
        return status;
    }
    for (size_t i = 0; i < actions.count; i++) {
        const dw_action *action = &actions.items[i];
        if (action->kind == DW_ACTION_REMOVE || action->kind == DW_ACTION_CDC) {
            DW_TRY(consider_path(v, action->as.file.path, err));
            DW_TRY(consider_dv(v, action->as.file.dv, err));
        }
    }
    dw__arena_reset(&v->arena);
    return DW_OK;
}

dw_status
dw__vacuum_lite(dw_vacuum *v, dw_error *err)
{
    int64_t done, first = first_commit(v);
    DW_TRY(read_info(v, &done, err));
    if (v->cutoff_version < 0) {
        return DW_OK;
    }
    if (first != 0 && done < first) {
        return refuse(first, done, err);
    }
    for (int64_t version = done + 1 > first ? done + 1 : first; version <= v->cutoff_version;
         version++) {
        DW_TRY(consider_commit(v, version, err));
    }
    return DW_OK;
}
