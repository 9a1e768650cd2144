/*
 * Lists of files by partition. Modelled on the reference's GenerateSymlinkManifest.
 */
#include "table/symlinks.h"

#include "base/vec.h"
#include "codec/uri.h"
#include "protocol/value.h"

#include <inttypes.h>

#define PROPERTY DW_STR("delta.compatibility.symlinkFormatManifest.enabled")
#define LIST_BYTES_MAX ((size_t) 1 << 30)
/* How often lists are written again as other writers were faster. */
#define RENEWALS_MAX 10

/* The list of one partition. */
typedef struct symlink_list {
    dw_str key;
    dw_strbuf lines;
} symlink_list;

typedef struct lister {
    dw_symlinks *asked;
    dw_table *table;
    dw_log_snapshot *snapshot;
    dw_arena arena;
    dw_map by_key; /* to symlink_list */
    struct {
        symlink_list **items;
        size_t count;
        size_t capacity;
    } lists;
} lister;

/* ---- Collecting ------------------------------------------------------------------------------ */

/* The list of that key, made when it is new. */
static dw_status
find_list(lister *m, dw_str key, symlink_list **out, dw_error *err)
{
    dw_map_value *slot = dw__map_get(&m->by_key, key);
    if (slot != NULL) {
        *out = slot->ptr;
        return DW_OK;
    }
    symlink_list *list = DW_ARENA_NEW(&m->arena, symlink_list);
    symlink_list **place = DW_VEC_PUSH(m->arena.allocator, &m->lists);
    if (list == NULL || place == NULL || !dw__arena_dup(&m->arena, key, &list->key)) {
        m->lists.count -= place == NULL ? 0 : 1;
        return dw__error_oom(err);
    }
    list->lines = dw__strbuf_make(m->arena.allocator, LIST_BYTES_MAX);
    *place = list;
    *out = list;
    slot = dw__map_put(&m->by_key, list->key, NULL);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    slot->ptr = list;
    return DW_OK;
}

/* The values of a file's partition, by whatever knows them. */
typedef dw_str (*value_of)(const void *ctx, dw_str column);

static dw_status
print_key(const dw_metadata *metadata, value_of value, const void *ctx, dw_strbuf *out,
          dw_error *err)
{
    dw__strbuf_clear(out);
    dw__strbuf_append_literal(out, DW_SYMLINKS_PREFIX);
    for (size_t i = 0; i < metadata->partition_column_count; i++) {
        dw_str column = metadata->partition_columns[i];
        dw_str text = value(ctx, column);
        dw__partition_path_append(out, column, text.len == 0 ? DW_STR_NULL : text);
        dw__strbuf_append_char(out, '/');
    }
    dw__strbuf_append_literal(out, "manifest");
    return dw__strbuf_ok(out, "the name of a manifest", err);
}

typedef struct live_file {
    const dw_file_set *files;
    dw_file_ref ref;
} live_file;

static dw_str
live_value(const void *ctx, dw_str column)
{
    const live_file *live = ctx;
    return dw__file_set_partition_value(live->files, live->ref, column);
}

static dw_str
action_value(const void *ctx, dw_str column)
{
    const dw_str *value = dw__pairs_get(ctx, column);
    return value == NULL ? DW_STR_NULL : *value;
}

/* Decoded, as Hadoop prints a path. */
static dw_status
put_line(lister *m, dw_str path, dw_arena *scratch, dw_strbuf *out, dw_error *err)
{
    dw_str full;
    dw__arena_reset(scratch);
    DW_TRY(dw__uri_resolve(scratch, dw__table_root(m->table), path, &full, err));
    if (dw__str_starts_with(full, DW_STR("/"))) {
        dw__strbuf_append_literal(out, "file:");
    }
    dw__strbuf_append(out, full);
    dw__strbuf_append_char(out, '\n');
    return dw__strbuf_ok(out, "a manifest", err);
}

static dw_status
collect(lister *m, dw_error *err)
{
    dw_file_ref ref;
    dw_file_set *files = dw__log_snapshot_files(m->snapshot);
    const dw_metadata *metadata = dw__log_snapshot_metadata(m->snapshot);
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, m->arena.allocator);
    DW_AUTO(dw_strbuf) key = dw__strbuf_make(m->arena.allocator, DW_STORAGE_KEY_BYTES_MAX);
    symlink_list *list;
    if (metadata->partition_column_count == 0) {
        DW_TRY(find_list(m, DW_STR(DW_SYMLINKS_PREFIX "manifest"), &list, err));
    }
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        live_file live = {files, ref};
        DW_TRY(print_key(metadata, live_value, &live, &key, err));
        if (m->asked->only != NULL && dw__map_get(m->asked->only, dw__strbuf_str(&key)) == NULL) {
            continue;
        }
        DW_TRY(find_list(m, dw__strbuf_str(&key), &list, err));
        DW_TRY(put_line(m, dw__file_set_path(files, ref), &scratch, &list->lines, err));
        m->asked->file_count++;
    }
    m->asked->list_count = (int64_t) m->lists.count;
    return DW_OK;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static dw_status
write_lists(lister *m, dw_error *err)
{
    for (size_t i = 0; i < m->lists.count; i++) {
        const symlink_list *list = m->lists.items[i];
        if (m->asked->go_on != NULL) {
            DW_TRY(m->asked->go_on(m->asked->ctx, (int64_t) i, m->asked->list_count, err));
        }
        DW_TRY(dw__storage_put(dw__table_storage(m->table), list->key, dw__strbuf_str(&list->lines),
                               err));
    }
    return DW_OK;
}

/* Lists of partitions that have no files any more. */
static dw_status
remove_others(lister *m, dw_error *err)
{
    dw_list_page page = {.has_more = true};
    dw_list_request request = {
        .prefix = DW_STR(DW_SYMLINKS_PREFIX), .recursive = true, .names_only = true};
    while (page.has_more) {
        DW_TRY(dw__storage_list(dw__table_storage(m->table), &request, &m->arena, &page, err));
        for (size_t i = 0; i < page.count; i++) {
            dw_str key = page.objects[i].key;
            request.start_after = key;
            if (dw__map_get(&m->by_key, key) != NULL) {
                continue;
            }
            m->asked->removed_count++;
            DW_TRY(m->asked->dry_run ? DW_OK
                                     : dw__storage_remove(dw__table_storage(m->table), key, err));
        }
        page.has_more = page.has_more && page.count > 0;
    }
    return DW_OK;
}

/* Lists that were asked for and have no files. */
static dw_status
remove_empty(lister *m, dw_error *err)
{
    const dw_map *only = m->asked->only;
    for (size_t i = 0; i < only->slot_count; i++) {
        dw_str key = only->slots[i].key;
        if (key.ptr != NULL && dw__map_get(&m->by_key, key) == NULL) {
            m->asked->removed_count++;
            DW_TRY(dw__storage_remove(dw__table_storage(m->table), key, err));
        }
    }
    return DW_OK;
}

static dw_status
check_supported(const lister *m, dw_error *err)
{
    const char *what = NULL;
    if (dw__file_set_dv_count(dw__log_snapshot_files(m->snapshot)) > 0) {
        what = "has deletion vectors, which those who read by a manifest do not know: apply them "
               "with REORG TABLE ... APPLY (PURGE) first";
    } else if (dw__log_snapshot_properties(m->snapshot)->mapping_mode != DW_MAPPING_NONE) {
        what = "has column mapping, which those who read by a manifest do not know";
    }
    return what == NULL
               ? DW_OK
               : dw__error_set(err, DW_UNSUPPORTED, "MANIFEST_UNSUPPORTED", "the table %s", what);
}

static dw_status
list_files(lister *m, dw_error *err)
{
    DW_TRY(check_supported(m, err));
    DW_TRY(collect(m, err));
    if (!m->asked->dry_run) {
        DW_TRY(write_lists(m, err));
    }
    return m->asked->only == NULL ? remove_others(m, err) : remove_empty(m, err);
}

dw_status
dw__symlinks_write(dw_symlinks *symlinks, dw_error *err)
{
    lister m = {.asked = symlinks, .table = symlinks->table, .snapshot = symlinks->snapshot};
    symlinks->list_count = symlinks->file_count = symlinks->removed_count = 0;
    dw__arena_init(&m.arena, dw__table_env(symlinks->table)->allocator);
    dw__map_init(&m.by_key, m.arena.allocator);
    dw_status status = list_files(&m, err);
    for (size_t i = 0; i < m.lists.count; i++) {
        dw__strbuf_deinit(&m.lists.items[i]->lines);
    }
    DW_VEC_DEINIT(m.arena.allocator, &m.lists);
    dw__map_deinit(&m.by_key);
    dw__arena_deinit(&m.arena);
    return status;
}

/* ---- Before a commit ------------------------------------------------------------------------- */

static bool
is_asked_for(const dw_metadata *metadata)
{
    const dw_str *value = dw__pairs_get(&metadata->configuration, PROPERTY);
    return value != NULL && dw__str_equal_nocase(*value, DW_STR("true"));
}

static const dw_metadata *
new_definition(const dw_change *change)
{
    for (size_t i = 0; i < change->count; i++) {
        if (change->actions[i].kind == DW_ACTION_METADATA) {
            return &change->actions[i].as.metadata;
        }
    }
    return NULL;
}

dw_status
dw__symlinks_check(const dw_change *change, dw_error *err)
{
    const dw_metadata *metadata = new_definition(change);
    dw_properties properties;
    const char *what = NULL;
    if (metadata == NULL || !is_asked_for(metadata)) {
        return DW_OK;
    }
    dw__properties_read(&metadata->configuration, &properties, NULL);
    if (properties.enable_deletion_vectors) {
        what = "deletion vectors (delta.enableDeletionVectors = true)";
    } else if (properties.mapping_mode != DW_MAPPING_NONE) {
        what = "mapped columns (delta.columnMapping.mode)";
    } else if (change->snapshot != NULL &&
               dw__file_set_dv_count(dw__log_snapshot_files(change->snapshot)) > 0) {
        what = "deletion vectors: apply them with REORG TABLE ... APPLY (PURGE) first";
    }
    return what == NULL
               ? DW_OK
               : dw__error_set(err, DW_INVALID_ARGUMENT, "VIOLATE_TABLE_PROPERTY_VALIDATION_FAILED",
                               "delta.compatibility.symlinkFormatManifest.enabled = true "
                               "cannot be together with %s",
                               what);
}

/* ---- After it -------------------------------------------------------------------------------- */

/* The keys of the lists that the change touches; *all_out when it may be any. */
static dw_status
find_touched(const dw_change *change, const dw_metadata *metadata, dw_arena *arena, dw_map *out,
             bool *all_out, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, DW_STORAGE_KEY_BYTES_MAX);
    *all_out = new_definition(change) != NULL;
    for (size_t i = 0; i < change->count && !*all_out; i++) {
        const dw_action *action = &change->actions[i];
        dw_str key;
        if (action->kind != DW_ACTION_ADD && action->kind != DW_ACTION_REMOVE) {
            continue;
        }
        if (!action->as.file.has_partition_values) {
            *all_out = true;
            return DW_OK;
        }
        DW_TRY(print_key(metadata, action_value, &action->as.file.partition_values, &text, err));
        if (dw__map_get(out, dw__strbuf_str(&text)) == NULL &&
            (!dw__arena_dup(arena, dw__strbuf_str(&text), &key) ||
             dw__map_put(out, key, NULL) == NULL)) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

/* One writer's lists may come behind those of another that was later: then they are made anew. */
static dw_status
renew_until_newest(const dw_change *change, const dw_map *touched, dw_error *err)
{
    int64_t listed = -1;
    for (int i = 0; i < RENEWALS_MAX; i++) {
        DW_AUTO(dw_log_snapshot_ptr) newest = NULL;
        DW_TRY(dw__log_snapshot(dw__table_log(change->table), &newest, err));
        if (dw__log_snapshot_version(newest) == listed ||
            !is_asked_for(dw__log_snapshot_metadata(newest))) {
            return DW_OK;
        }
        listed = dw__log_snapshot_version(newest);
        dw_symlinks symlinks = {.table = change->table, .snapshot = newest, .only = touched};
        DW_TRY(dw__symlinks_write(&symlinks, err));
    }
    return DW_OK;
}

static dw_status
renew(const dw_change *change, const dw_metadata *metadata, dw_error *err)
{
    bool is_all;
    DW_AUTO(dw_arena) arena;
    DW_AUTO(dw_map) touched;
    dw__arena_init(&arena, dw__table_env(change->table)->allocator);
    dw__map_init(&touched, arena.allocator);
    DW_TRY(find_touched(change, metadata, &arena, &touched, &is_all, err));
    return is_all || touched.count > 0 ? renew_until_newest(change, is_all ? NULL : &touched, err)
                                       : DW_OK;
}

void
dw__symlinks_renew(const dw_change *change, int64_t version)
{
    dw_error detail = DW_ERROR_INIT;
    const dw_metadata *metadata = new_definition(change);
    if (metadata == NULL && change->snapshot != NULL) {
        metadata = dw__log_snapshot_metadata(change->snapshot);
    }
    if (metadata != NULL && is_asked_for(metadata) && renew(change, metadata, &detail) != DW_OK) {
        dw__env_warn(dw__table_env(change->table),
                     "version %" PRId64 " is committed, but the symlink manifests were not "
                     "renewed: %s; use GENERATE symlink_format_manifest",
                     version, detail.message);
    }
}
