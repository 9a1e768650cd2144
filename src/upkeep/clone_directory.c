/*
 * Directories of Parquet files as the source of a clone. Only files that are new to the target are
 * read for statistics, so that a clone again costs what has changed.
 */
#include "codec/uri.h"
#include "upkeep/clone.h"
#include "upkeep/clone_files.h"

typedef struct known_files {
    dw_clone_files files;
    dw_arena *arena;
} known_files;

/* True when the target has the file by the name that it has in the directory, or by its place. */
static bool
knows(void *ctx, dw_str key, int64_t size_bytes, int64_t modified_ms)
{
    const known_files *known = ctx;
    dw_file file = {.size_bytes = size_bytes, .modification_time_ms = modified_ms};
    dw_str root = dw__table_root(known->files.source);
    dw_str names[] = {
        key, dw__arena_printf(known->arena, "%.*s/%.*s", DW_STR_ARG(root), DW_STR_ARG(key))};
    for (size_t i = known->files.deep ? 0 : 1; i < sizeof names / sizeof *names; i++) {
        const dw_map_value *slot =
            dw__str_is_null(names[i]) ? NULL : dw__map_get(&known->files.live, names[i]);
        const dw_clone_live *live = slot == NULL ? NULL : slot->ptr;
        if (live != NULL && !live->has_vector &&
            dw__clone_files_is_same(&known->files, live, &file)) {
            return true;
        }
    }
    return false;
}

static dw_status
note_target(known_files *known, dw_table *target, dw_error *err)
{
    bool exists;
    dw_file_ref ref;
    DW_AUTO(dw_log_snapshot_ptr) snapshot = NULL;
    DW_TRY(dw__log_exists(dw__table_log(target), &exists, err));
    if (!exists) {
        return DW_OK;
    }
    DW_TRY(dw__log_snapshot(dw__table_log(target), &snapshot, err));
    const dw_file_set *set = dw__log_snapshot_files(snapshot);
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        DW_TRY(dw__clone_files_note_live(&known->files, set, ref, err));
    }
    return DW_OK;
}

dw_status
dw__clone_imagine(dw_table *target, const dw_upkeep *upkeep, const dw_clone_spec *spec,
                  dw_convert_spec *convert, dw_log_snapshot **out, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(target)->allocator);
    known_files known = {.arena = &arena};
    dw__clone_files_init(&known.files, spec->source, target, spec->deep, &arena);
    known.files.may_change = true;
    convert->knows = knows;
    convert->ctx = &known;
    dw_status status = note_target(&known, target, err);
    if (status == DW_OK) {
        status = dw__table_convert_imagine(spec->source, upkeep, convert, out, err);
    }
    dw__clone_files_deinit(&known.files);
    return status;
}
