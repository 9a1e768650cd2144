/*
 * Compacted commits against the commits that they stand for. PROTOCOL.md "Log Compaction Files";
 * rule A6.
 */
#include "base/assert.h"
#include "fsck/core.h"

#include <inttypes.h>

/* What a compacted commit is compared with, and what it was seen to have. */
typedef struct comparison {
    dw_fsck *fsck;
    dw_fsck_window *window;
    dw_map removes; /* keys that it removes */
    bool has_protocol, has_metadata;
} comparison;

typedef struct collected {
    dw_fsck *fsck;
    dw_commit_actions *out;
} collected;

static dw_status
collect(void *ctx, const dw_action *action, dw_error *err)
{
    collected *c = ctx;
    dw_commit_actions *out = c->out;
    if (out->count == out->capacity) {
        size_t capacity = out->capacity == 0 ? 64 : out->capacity * 2;
        dw_action *items = DW_ARENA_ARRAY(&c->fsck->scratch, dw_action, capacity);
        if (items == NULL) {
            return dw__error_oom(err);
        }
        if (out->count > 0) {
            memcpy(items, out->items, out->count * sizeof(*items));
        }
        out->items = items;
        out->capacity = capacity;
    }
    out->items[out->count++] = *action;
    return DW_OK;
}

dw_status
dw__fsck_read_compacted(dw_fsck *fsck, const dw_log_file *file, dw_commit_actions *out,
                        dw_error *err)
{
    *out = (dw_commit_actions){.modified_ms = file->modified_ms};
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(fsck->env->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(dw__storage_get(fsck->storage, file->key, &bytes, NULL, err));
    collected c = {fsck, out};
    return dw__actions_parse(dw__strbuf_str(&bytes), &fsck->scratch, collect, &c, err);
}

/* ---- Windows --------------------------------------------------------------------------------- */

dw_status
dw__fsck_open_windows(dw_fsck *fsck, const dw_log_file *first, dw_error *err)
{
    const dw_log_file *begin = fsck->listing.items;
    /* In the order of names compacted commits come first in their version. */
    const dw_log_file *file = first;
    while (file > begin && file[-1].version == first->version) {
        file--;
    }
    for (; file < first; file++) {
        if (file->kind != DW_LOG_COMPACTED || file->last_version <= file->version) {
            continue;
        }
        dw_fsck_window *window = DW_VEC_PUSH(fsck->env->allocator, &fsck->windows);
        if (window == NULL) {
            return dw__error_oom(err);
        }
        window->file = file;
        dw__arena_init(&window->arena, fsck->env->allocator);
        dw__map_init(&window->removed, fsck->env->allocator);
    }
    return DW_OK;
}

static void
close_window(dw_fsck *fsck, size_t idx)
{
    dw__map_deinit(&fsck->windows.items[idx].removed);
    dw__arena_deinit(&fsck->windows.items[idx].arena);
    fsck->windows.items[idx] = fsck->windows.items[--fsck->windows.count];
}

void
dw__fsck_windows_deinit(dw_fsck *fsck)
{
    while (fsck->windows.count > 0) {
        close_window(fsck, fsck->windows.count - 1);
    }
    DW_VEC_DEINIT(fsck->env->allocator, &fsck->windows);
}

/* The text that identifies a file: path and deletion vector. */
static dw_str
key_text(dw_arena *arena, dw_str path, const dw_dv_descriptor *dv)
{
    if (dv == NULL) {
        return dw__arena_printf(arena, "%.*s", DW_STR_ARG(path));
    }
    return dw__arena_printf(arena, "%.*s\n%c%.*s@%" PRId32, DW_STR_ARG(path), dv->storage_type,
                            DW_STR_ARG(dv->path_or_inline_dv), dv->has_offset ? dv->offset : -1);
}

/* `since` is the version that added what is removed; INT64_MAX: it is added again. */
dw_status
dw__fsck_window_remove(dw_fsck *fsck, const dw_fsck_path *path, const dw_dv_descriptor *dv,
                       int64_t since, dw_error *err)
{
    for (size_t i = 0; i < fsck->windows.count; i++) {
        dw_fsck_window *window = &fsck->windows.items[i];
        dw_str key = key_text(&window->arena, path->path, dv);
        dw_map_value *slot = dw__str_is_null(key) ? NULL : dw__map_put(&window->removed, key, NULL);
        if (slot == NULL) {
            return dw__error_oom(err);
        }
        slot->i64 = since < window->file->version;
    }
    return DW_OK;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static dw_status
compare_file(comparison *c, const dw_action *action, dw_error *err)
{
    dw_fsck *fsck = c->fsck;
    const dw_file *file = &action->as.file;
    dw_str key = c->window->file->key;
    dw_fsck_path *path;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__fsck_path(&fsck->state, file->path, &fsck->scratch, &path, &cause);
    if (status != DW_OK) {
        return dw__fsck_find_error(fsck, "A13", file->path, &cause, err);
    }
    dw_fsck_file *live = dw__fsck_path_find(path, file->dv);
    if (action->kind == DW_ACTION_ADD) {
        if (live == NULL) {
            dw__fsck_find(fsck, DW_FSCK_ERROR, "A6", file->path,
                          "%.*s adds a file that its commits do not leave in the table",
                          DW_STR_ARG(key));
        } else {
            dw__fsck_compare_add(fsck, "A6", key, file, live);
        }
        return DW_OK;
    }
    if (live != NULL) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "A6", file->path,
                      "%.*s removes a file that its commits leave in the table", DW_STR_ARG(key));
    }
    dw_str text = key_text(&fsck->scratch, path->path, file->dv);
    return dw__str_is_null(text) || dw__map_put(&c->removes, text, NULL) == NULL
               ? dw__error_oom(err)
               : DW_OK;
}

static dw_status
compare_action(comparison *c, const dw_action *action, dw_error *err)
{
    dw_fsck *fsck = c->fsck;
    dw_str key = c->window->file->key;
    switch ((unsigned) action->kind) {
    case DW_ACTION_ADD:
    case DW_ACTION_REMOVE:
        return compare_file(c, action, err);
    case DW_ACTION_PROTOCOL:
        c->has_protocol = true;
        dw__fsck_compare_protocol(fsck, "A6", key, &action->as.protocol);
        return DW_OK;
    case DW_ACTION_METADATA:
        c->has_metadata = true;
        dw__fsck_compare_metadata(fsck, "A6", key, &action->as.metadata);
        return DW_OK;
    case DW_ACTION_TXN:
        dw__fsck_compare_txn(fsck, "A6", key, &action->as.txn);
        return DW_OK;
    case DW_ACTION_DOMAIN:
        if (!action->as.domain.removed) {
            dw__fsck_compare_domain(fsck, "A6", key, &action->as.domain);
        }
        return DW_OK;
    case DW_ACTION_COMMIT_INFO:
        dw__fsck_find(fsck, DW_FSCK_ERROR, "A6", key,
                      "expected no commitInfo in a compacted commit, found one");
        return DW_OK;
    default:
        return DW_OK;
    }
}

static dw_status
find_missing(dw_fsck *fsck, dw_fsck_path *path, dw_fsck_file *file, void *ctx, dw_error *err)
{
    const comparison *c = ctx;
    (void) err;
    if (file->version >= c->window->file->version && file->seen != fsck->state.comparison) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "A6", path->path,
                      "version %" PRId64 " adds the file, %.*s does not", file->version,
                      DW_STR_ARG(c->window->file->key));
    }
    return DW_OK;
}

static dw_status
compare_all(comparison *c, const dw_commit_actions *actions, dw_error *err)
{
    dw_fsck *fsck = c->fsck;
    const dw_log_file *file = c->window->file;
    fsck->state.comparison++;
    for (size_t i = 0; i < actions->count; i++) {
        DW_TRY(compare_action(c, &actions->items[i], err));
    }
    DW_TRY(dw__fsck_visit_live(fsck, find_missing, c, err));
    const dw_map *removed = &c->window->removed;
    for (size_t i = 0; i < removed->slot_count; i++) {
        dw_str key = removed->slots[i].key;
        if (key.ptr != NULL && removed->slots[i].value.i64 == 1 &&
            dw__map_get(&c->removes, key) == NULL) {
            size_t end = dw__str_find(key, '\n');
            dw__fsck_find(fsck, DW_FSCK_ERROR, "A6", dw__str_slice(key, 0, end),
                          "its commits remove the file, %.*s does not", DW_STR_ARG(file->key));
        }
    }
    if ((fsck->state.protocol_version >= file->version && !c->has_protocol) ||
        (fsck->state.metadata_version >= file->version && !c->has_metadata)) {
        dw__fsck_find(fsck, DW_FSCK_ERROR, "A6", file->key,
                      "its commits change protocol or metaData, the compacted one does not");
    }
    return DW_OK;
}

static dw_status
compare_window(dw_fsck *fsck, dw_fsck_window *window, dw_error *err)
{
    dw_commit_actions actions;
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__fsck_read_compacted(fsck, window->file, &actions, &cause);
    if (status != DW_OK) {
        return dw__fsck_find_error(fsck, "A6", window->file->key, &cause, err);
    }
    comparison c = {.fsck = fsck, .window = window};
    dw__map_init(&c.removes, fsck->env->allocator);
    status = compare_all(&c, &actions, err);
    dw__map_deinit(&c.removes);
    return status;
}

dw_status
dw__fsck_close_windows(dw_fsck *fsck, int64_t version, dw_error *err)
{
    for (size_t i = fsck->windows.count; i > 0; i--) {
        dw_fsck_window *window = &fsck->windows.items[i - 1];
        if (window->file->last_version == version) {
            DW_TRY(compare_window(fsck, window, err));
            close_window(fsck, i - 1);
        }
    }
    return DW_OK;
}
