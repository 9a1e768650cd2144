/*
 * See plain_files.h.
 */
#include "scan/plain_files.h"

#include "base/vec.h"
#include "parquet/plain_copy.h"

static dw_status
write_piece(void *ctx, dw_str bytes, dw_error *err)
{
    return dw__scratch_write(ctx, bytes, err);
}

/* Makes the copy; `path` then leads to it for as long as `files` is there. */
static dw_status
make_copy(dw_plain_files *files, const dw_env *env, dw_str directory, const dw_pq_source *source,
          dw_str *path, dw_error *err)
{
    /* Paths lead into the items, which must not move: each is a block of its own. */
    dw_scratch *scratch = DW_NEW(env->allocator, dw_scratch);
    dw_scratch **slot = scratch == NULL ? NULL : DW_VEC_PUSH(env->allocator, files);
    if (slot == NULL) {
        dw__dealloc(env->allocator, scratch, scratch == NULL ? 0 : sizeof(*scratch));
        return dw__error_oom(err);
    }
    *slot = scratch;
    *scratch = DW_SCRATCH_NONE;
    const dw_pq_sink sink = {write_piece, scratch};
    DW_TRY(dw__scratch_open(scratch, directory, err));
    DW_TRY(dw__pq_plain_copy(source, files->names, &sink, err));
    DW_TRY(dw__scratch_finish(scratch, err));
    *path = dw__str_from(scratch->path);
    return DW_OK;
}

/* A path that storage cannot open is the engine's to complain of. */
static dw_status
look_at(dw_plain_files *files, const dw_env *env, dw_str directory, bool keeps_variants,
        dw_str *path, dw_error *err)
{
    DW_AUTO(dw_storage_ptr) storage = NULL;
    dw_pq_source source;
    if (!dw__pq_source_open(env, *path, &storage, &source)) {
        return DW_OK;
    }
    dw_pq_oddities oddities;
    DW_TRY(dw__pq_find_oddities(&source, files->names, &oddities, err));
    bool is_needed = oddities.has_codec || oddities.has_names ||
                     (keeps_variants && (oddities.has_variants || oddities.has_shredded));
    files->have_twins = files->have_twins || oddities.has_shredded;
    dw_error cause = DW_ERROR_INIT;
    dw_str original = *path;
    dw_status status = is_needed ? make_copy(files, env, directory, &source, path, &cause) : DW_OK;
    if (status == DW_CORRUPT || status == DW_UNSUPPORTED) {
        return dw__error_set(err, DW_CORRUPT, "FILE_INVALID", "%.*s: %s", DW_STR_ARG(original),
                             cause.message);
    }
    dw__error_copy(err, &cause);
    return status;
}

/* Writers of Delta tables call files "part-...", or "cdc-..." where they record changes, and fields
 * by their physical names. */
static bool
may_have_other_names(const dw_plain_files *files, dw_str name)
{
    return files->names != NULL && !dw__str_starts_with(name, DW_STR("part-")) &&
           !dw__str_starts_with(name, DW_STR("cdc-"));
}

dw_status
dw__plain_files_make(dw_plain_files *files, const dw_env *env, dw_str directory,
                     bool keeps_variants, dw_str *paths, size_t count, dw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (dw__env_is_cancelled(env)) {
            return dw__error_set(err, DW_CANCELLED, "CANCELLED", "interrupted");
        }
        size_t slash = dw__str_find_last(paths[i], '/');
        dw_str name = dw__str_slice(paths[i], slash == SIZE_MAX ? 0 : slash + 1, paths[i].len);
        if (keeps_variants || dw__pq_may_need_copy(name) || may_have_other_names(files, name)) {
            DW_TRY(look_at(files, env, directory, keeps_variants, &paths[i], err));
        }
    }
    return DW_OK;
}

void
dw__plain_files_deinit(dw_plain_files *files, const dw_env *env)
{
    for (size_t i = 0; i < files->count; i++) {
        dw__scratch_close(files->items[i]);
        DW_DELETE(env->allocator, files->items[i]);
    }
    DW_VEC_DEINIT(env->allocator, files);
}
