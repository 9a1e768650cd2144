/*
 * Lists of files by partition. Modelled on the reference's GenerateSymlinkManifest.
 */
#include "upkeep/manifest.h"

#include "base/map.h"
#include "base/vec.h"
#include "codec/uri.h"
#include "protocol/value.h"

#define LIST_BYTES_MAX ((size_t) 1 << 30)

/* The list of one partition. */
typedef struct manifest_list {
    dw_str key;
    dw_strbuf lines;
} manifest_list;

typedef struct manifest {
    dw_table *table;
    const dw_upkeep *upkeep;
    dw_log_snapshot *snapshot; /* owned */
    dw_arena arena;
    dw_map by_key; /* to manifest_list */
    struct {
        manifest_list **items;
        size_t count;
        size_t capacity;
    } lists;
    dw_manifest_result *result;
} manifest;

static dw_status
check_supported(const manifest *m, dw_error *err)
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

/* ---- Collecting ------------------------------------------------------------------------------ */

/* The list of that key, made when it is new. */
static dw_status
find_list(manifest *m, dw_str key, manifest_list **out, dw_error *err)
{
    dw_map_value *slot = dw__map_get(&m->by_key, key);
    if (slot != NULL) {
        *out = slot->ptr;
        return DW_OK;
    }
    manifest_list *list = DW_ARENA_NEW(&m->arena, manifest_list);
    manifest_list **place = DW_VEC_PUSH(m->arena.allocator, &m->lists);
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

static dw_status
key_of(const manifest *m, dw_file_ref ref, dw_strbuf *out, dw_error *err)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(m->snapshot);
    const dw_file_set *files = dw__log_snapshot_files(m->snapshot);
    dw__strbuf_clear(out);
    dw__strbuf_append_literal(out, DW_MANIFEST_PREFIX);
    for (size_t i = 0; i < metadata->partition_column_count; i++) {
        dw_str column = metadata->partition_columns[i];
        dw_str value = dw__file_set_partition_value(files, ref, column);
        dw__partition_path_append(out, column, value.len == 0 ? DW_STR_NULL : value);
        dw__strbuf_append_char(out, '/');
    }
    dw__strbuf_append_literal(out, "manifest");
    return dw__strbuf_ok(out, "the name of a manifest", err);
}

/* Decoded, as Hadoop prints a path. */
static dw_status
put_line(manifest *m, dw_str path, dw_arena *scratch, dw_strbuf *out, dw_error *err)
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
collect(manifest *m, dw_error *err)
{
    dw_file_ref ref;
    dw_file_set *files = dw__log_snapshot_files(m->snapshot);
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, m->arena.allocator);
    DW_AUTO(dw_strbuf) key = dw__strbuf_make(m->arena.allocator, DW_STORAGE_KEY_BYTES_MAX);
    manifest_list *list;
    if (dw__log_snapshot_metadata(m->snapshot)->partition_column_count == 0) {
        DW_TRY(find_list(m, DW_STR(DW_MANIFEST_PREFIX "manifest"), &list, err));
    }
    for (bool ok = dw__file_set_first(files, &ref); ok; ok = dw__file_set_next(files, &ref)) {
        DW_TRY(key_of(m, ref, &key, err));
        DW_TRY(find_list(m, dw__strbuf_str(&key), &list, err));
        DW_TRY(put_line(m, dw__file_set_path(files, ref), &scratch, &list->lines, err));
        m->result->file_count++;
    }
    m->result->list_count = (int64_t) m->lists.count;
    return DW_OK;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static dw_status
write_lists(manifest *m, dw_error *err)
{
    for (size_t i = 0; i < m->lists.count; i++) {
        const manifest_list *list = m->lists.items[i];
        DW_TRY(dw__upkeep_check(m->upkeep, err));
        DW_TRY(dw__storage_put(dw__table_storage(m->table), list->key, dw__strbuf_str(&list->lines),
                               err));
        dw__upkeep_progress(m->upkeep, (int64_t) i + 1, m->result->list_count);
    }
    return DW_OK;
}

/* Lists of partitions that have no files any more. */
static dw_status
remove_others(manifest *m, dw_error *err)
{
    dw_list_page page = {.has_more = true};
    dw_list_request request = {
        .prefix = DW_STR(DW_MANIFEST_PREFIX), .recursive = true, .names_only = true};
    while (page.has_more) {
        DW_TRY(dw__storage_list(dw__table_storage(m->table), &request, &m->arena, &page, err));
        for (size_t i = 0; i < page.count; i++) {
            dw_str key = page.objects[i].key;
            request.start_after = key;
            if (dw__map_get(&m->by_key, key) != NULL) {
                continue;
            }
            m->result->removed_count++;
            DW_TRY(m->upkeep->dry_run ? DW_OK
                                      : dw__storage_remove(dw__table_storage(m->table), key, err));
        }
        page.has_more = page.has_more && page.count > 0;
    }
    return DW_OK;
}

static dw_status
generate(manifest *m, dw_error *err)
{
    DW_TRY(dw__log_snapshot(dw__table_log(m->table), &m->snapshot, err));
    m->result->version = dw__log_snapshot_version(m->snapshot);
    DW_TRY(check_supported(m, err));
    DW_TRY(collect(m, err));
    if (!m->upkeep->dry_run) {
        DW_TRY(write_lists(m, err));
    }
    return remove_others(m, err);
}

dw_status
dw__table_generate_manifest(dw_table *table, const dw_upkeep *upkeep, dw_manifest_result *out,
                            dw_error *err)
{
    *out = (dw_manifest_result){.version = -1};
    manifest m = {.table = table, .upkeep = upkeep, .result = out};
    dw__arena_init(&m.arena, dw__table_env(table)->allocator);
    dw__map_init(&m.by_key, m.arena.allocator);
    dw_status status = generate(&m, err);
    for (size_t i = 0; i < m.lists.count; i++) {
        dw__strbuf_deinit(&m.lists.items[i]->lines);
    }
    DW_VEC_DEINIT(m.arena.allocator, &m.lists);
    dw__map_deinit(&m.by_key);
    dw__log_snapshot_unref(m.snapshot);
    dw__arena_deinit(&m.arena);
    return status;
}
