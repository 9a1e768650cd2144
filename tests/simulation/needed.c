/*
 * See needed.h.
 */
#include "needed.h"

#include "base/assert.h"

void
needed_init(needed *n)
{
    n->file_count = 0;
    n->version_count = 0;
    dw__arena_init(&n->arena, dw__allocator_libc());
}

void
needed_deinit(needed *n)
{
    dw__arena_deinit(&n->arena);
}

/* Removes come before adds: a file may be there again under another vector. */
static dw_status
note_remove(void *ctx, const dw_action *action, dw_error *err)
{
    needed *n = ctx;
    (void) err;
    for (size_t i = 0; action->kind == DW_ACTION_REMOVE && i < n->file_count; i++) {
        needed_file *file = &n->files[i];
        if (file->removed_at == INT64_MAX && dw__str_equal(file->path, action->as.file.path)) {
            file->removed_at = n->version_count;
        }
    }
    return DW_OK;
}

static dw_status
note_add(void *ctx, const dw_action *action, dw_error *err)
{
    needed *n = ctx;
    (void) err;
    if (action->kind == DW_ACTION_ADD) {
        dw_assert(n->file_count < NEEDED_FILES_MAX);
        needed_file *file = &n->files[n->file_count++];
        *file = (needed_file){.added_at = n->version_count, .removed_at = INT64_MAX};
        bool ok = dw__arena_dup(&n->arena, action->as.file.path, &file->path);
        dw_assert(ok);
        bool is_absolute;
        const dw_dv_descriptor *dv = action->as.file.dv;
        if (dv != NULL && dv->storage_type == 'u') {
            dw_status status = dw__dv_path(dv, &n->arena, &file->vector, &is_absolute, NULL);
            dw_assert(status == DW_OK);
        }
    }
    return DW_OK;
}

void
needed_follow(needed *n, const dml *all, dw_storage *truth)
{
    for (; n->version_count < all->archive_count; n->version_count++) {
        char key[DW_COMMIT_KEY_SIZE];
        dw_object_meta meta = {.modified_ms = INT64_MIN};
        dw_str text = dw__str_from(all->archive[n->version_count]);
        DW_AUTO(dw_arena) scratch;
        dw__arena_init(&scratch, dw__allocator_libc());
        dw_status status = dw__actions_parse(text, &scratch, note_remove, n, NULL);
        dw_assert(status == DW_OK);
        status = dw__actions_parse(text, &scratch, note_add, n, NULL);
        dw_assert(status == DW_OK);
        status = dw__storage_head(truth, dw__commit_key(n->version_count, key), &meta, NULL);
        n->times_ms[n->version_count] = status == DW_OK ? meta.modified_ms : INT64_MIN;
    }
}

int64_t
needed_version_at(const needed *n, int64_t time_ms)
{
    int64_t version = n->version_count - 1;
    while (version > 0 && n->times_ms[version] > time_ms) {
        version--;
    }
    return version;
}

dw_str
needed_missing(const needed *n, int64_t first, dw_storage *truth)
{
    for (size_t i = 0; i < n->file_count; i++) {
        dw_object_meta meta;
        const needed_file *file = &n->files[i];
        if (file->removed_at <= first) {
            continue;
        }
        if (dw__storage_head(truth, file->path, &meta, NULL) != DW_OK) {
            return file->path;
        }
        if (!dw__str_is_null(file->vector) &&
            dw__storage_head(truth, file->vector, &meta, NULL) != DW_OK) {
            return file->vector;
        }
    }
    return DW_STR_NULL;
}

bool
needed_is_live(const needed *n, dw_str path)
{
    for (size_t i = 0; i < n->file_count; i++) {
        const needed_file *file = &n->files[i];
        if (file->removed_at == INT64_MAX &&
            (dw__str_equal(file->path, path) || dw__str_equal(file->vector, path))) {
            return true;
        }
    }
    return false;
}
