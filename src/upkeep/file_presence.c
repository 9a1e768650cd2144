/*
 * Looking for files by name.
 */
#include "upkeep/file_presence.h"

#include "codec/uri.h"

void
dw__file_presence_init(dw_file_presence *presence, dw_storage *storage)
{
    *presence = (dw_file_presence){.storage = storage};
    dw__arena_init(&presence->scratch, storage->env->allocator);
    dw__arena_init(&presence->kept, storage->env->allocator);
    dw__map_init(&presence->vectors, storage->env->allocator);
}

void
dw__file_presence_deinit(dw_file_presence *presence)
{
    dw__map_deinit(&presence->vectors);
    dw__arena_deinit(&presence->kept);
    dw__arena_deinit(&presence->scratch);
    dw__storage_close(presence->elsewhere);
}

/* A key below the root, or an absolute path. */
static dw_status
look(dw_file_presence *presence, dw_str path, bool is_absolute, bool *out, dw_error *err)
{
    dw_object_meta meta;
    dw_error cause = DW_ERROR_INIT;
    dw_storage *storage = presence->storage;
    *out = true;
    if (is_absolute) {
        if (path.len < 2 || path.ptr[0] != '/') {
            return DW_OK;
        }
        if (presence->elsewhere == NULL) {
            DW_TRY(dw__storage_open(storage->env, DW_STR("/"), &presence->elsewhere, err));
        }
        storage = presence->elsewhere;
        path = dw__str_slice(path, 1, path.len);
    }
    dw_status status = dw__storage_head(storage, path, &meta, &cause);
    *out = status == DW_OK;
    if (status != DW_OK && status != DW_NOT_FOUND) {
        dw__error_copy(err, &cause);
        return status;
    }
    return DW_OK;
}

static dw_status
note_missing(dw_file_presence *presence, dw_str path, dw_error *err)
{
    presence->missing_count++;
    return !dw__str_is_null(presence->missing) ||
                   dw__arena_dup(&presence->kept, path, &presence->missing)
               ? DW_OK
               : dw__error_oom(err);
}

static dw_status
check_vector(dw_file_presence *presence, const dw_dv_descriptor *dv, dw_error *err)
{
    dw_str path;
    bool is_absolute, found;
    if (dv->storage_type == 'i') {
        return DW_OK;
    }
    DW_TRY(dw__dv_path(dv, &presence->scratch, &path, &is_absolute, err));
    presence->vector = path;
    if (dw__map_get(&presence->vectors, path) != NULL) {
        return DW_OK;
    }
    DW_TRY(look(presence, path, is_absolute, &found, err));
    presence->vector_is_missing = !found;
    if (!found) {
        return note_missing(presence, path, err);
    }
    bool kept = dw__arena_dup(&presence->kept, path, &path) &&
                dw__map_put(&presence->vectors, path, NULL) != NULL;
    return kept ? DW_OK : dw__error_oom(err);
}

dw_status
dw__file_presence_check(dw_file_presence *presence, const dw_file *file, dw_error *err)
{
    dw_str path;
    bool found;
    presence->file_is_missing = presence->vector_is_missing = false;
    presence->vector = DW_STR_NULL;
    dw__arena_reset(&presence->scratch);
    DW_TRY(dw__uri_canonical(&presence->scratch, file->path, &path, err));
    DW_TRY(look(presence, path, dw__uri_is_absolute(path), &found, err));
    presence->file_is_missing = !found;
    if (!found) {
        DW_TRY(note_missing(presence, file->path, err));
    }
    return file->dv == NULL ? DW_OK : check_vector(presence, file->dv, err);
}
