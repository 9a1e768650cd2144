/*
 * Index files: those of which no data file is left in the log go with the others, and those of
 * which few are left are written again with those.
 */
#include "log/lean.h"
#include "table/filters.h"
#include "upkeep/vacuum_core.h"

#include <stdlib.h>

#define LIST_PAGE_OBJECTS ((size_t) 1000)

/* ---- Data files that the log knows ----------------------------------------------------------- */

static dw_status
put_path(dw_vacuum *v, dw_str path, dw_error *err)
{
    uint64_t *slot = DW_VEC_PUSH(v->env->allocator, &v->known_paths);
    if (slot == NULL) {
        return dw__error_oom(err);
    }
    *slot = dw__index_key(path, 0, 0).path[0];
    return DW_OK;
}

static dw_status
put_tombstone(void *ctx, const dw_file *remove, dw_error *err)
{
    return put_path(ctx, remove->path, err);
}

static int
compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *) a;
    uint64_t y = *(const uint64_t *) b;
    return x < y ? -1 : x > y;
}

static dw_status
put_files(void *ctx, const dw_file_set *set, dw_error *err)
{
    dw_vacuum *v = ctx;
    dw_file_ref ref;
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        DW_TRY(put_path(v, dw__file_set_path(set, ref), err));
    }
    return DW_OK;
}

static dw_status
collect_known(dw_vacuum *v, dw_error *err)
{
    DW_TRY(dw__log_snapshot_visit_files(v->snapshot, put_files, v, err));
    DW_TRY(dw__log_snapshot_visit_tombstones(v->snapshot, put_tombstone, v, err));
    if (v->known_paths.count > 1) {
        qsort(v->known_paths.items, v->known_paths.count, sizeof(uint64_t), compare_hashes);
    }
    return DW_OK;
}

static bool
is_known(void *ctx, const dw_index_key *key)
{
    const dw_vacuum *v = ctx;
    return v->known_paths.count > 0 &&
           bsearch(&key->path[0], v->known_paths.items, v->known_paths.count, sizeof(uint64_t),
                   compare_hashes) != NULL;
}

static uint64_t
count_known(dw_vacuum *v, const dw_index *index)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < index->head.entry_count; i++) {
        dw_index_key key = dw__index_entry_key(index, i);
        count += is_known(v, &key) ? 1 : 0;
    }
    return count;
}

/* ---- Index files ----------------------------------------------------------------------------- */

/* The place of an index file in the view; SIZE_MAX: it has none. */
static size_t
find_index(const dw_bloom_view *view, dw_str key)
{
    for (size_t i = 0; i < dw__bloom_view_file_count(view); i++) {
        if (dw__str_equal(dw__bloom_view_key(view, i), key)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* Nobody reads index files of a table that has no index, and leftovers of writes never. */
static dw_status
judge(dw_vacuum *v, bool is_indexed, const dw_bloom_view *view, const dw_object_meta *meta,
      dw_error *err)
{
    bool goes = !is_indexed || dw__storage_is_leftover(meta->key);
    size_t idx = goes ? SIZE_MAX : find_index(view, meta->key);
    const dw_index *index = idx == SIZE_MAX ? NULL : dw__bloom_view_index(view, idx);
    if (index != NULL) {
        goes = count_known(v, index) == 0;
    }
    return goes ? dw__vacuum_take(v, meta, err) : DW_OK;
}

static dw_status
judge_all(dw_vacuum *v, bool is_indexed, const dw_bloom_view *view, dw_error *err)
{
    dw_list_request request = {
        .prefix = DW_STR(DW_INDEX_DIR), .start_after = DW_STR_NULL, .limit = LIST_PAGE_OBJECTS};
    dw_list_page page = {.has_more = true};
    while (page.has_more) {
        DW_TRY(dw__upkeep_check(v->upkeep, err));
        DW_TRY(dw__storage_list(v->storage, &request, &v->arena, &page, err));
        for (size_t i = 0; i < page.count; i++) {
            DW_TRY(judge(v, is_indexed, view, &page.objects[i], err));
        }
        if (page.count == 0) {
            return DW_OK;
        }
        request.start_after = page.objects[page.count - 1].key;
    }
    return DW_OK;
}

dw_status
dw__vacuum_find_filters(dw_vacuum *v, dw_error *err)
{
    dw_bloom_columns columns;
    DW_AUTO(dw_bloom_view_ptr) view = NULL;
    DW_TRY(dw__filters_columns(v->snapshot, &v->arena, &columns, err));
    DW_TRY(dw__bloom_store_look(dw__log_filters(dw__table_log(v->table)),
                                dw__log_snapshot_version(v->snapshot), &view, err));
    if (columns.count > 0 && dw__bloom_view_file_count(view) > 0) {
        DW_TRY(collect_known(v, err));
    }
    return judge_all(v, columns.count > 0, view, err);
}

static dw_status
thin(dw_vacuum *v, dw_error *err)
{
    dw_bloom_columns columns;
    DW_AUTO(dw_bloom_view_ptr) view = NULL;
    DW_TRY(dw__filters_columns(v->snapshot, &v->arena, &columns, err));
    if (columns.count == 0) {
        return DW_OK;
    }
    DW_TRY(dw__bloom_store_look(dw__log_filters(dw__table_log(v->table)),
                                dw__log_snapshot_version(v->snapshot), &view, err));
    size_t file_count = dw__bloom_view_file_count(view);
    for (size_t i = 0; i < file_count; i++) {
        const dw_index *index = dw__bloom_view_index(view, i);
        bool *chosen = DW_ARENA_ARRAY(&v->arena, bool, file_count);
        uint64_t known = index == NULL ? 0 : count_known(v, index);
        if (chosen == NULL) {
            return dw__error_oom(err);
        }
        /* One without any is young: its writer may not have committed yet. */
        if (known > 0 && known < index->head.entry_count / 2) {
            chosen[i] = true;
            DW_TRY(dw__filters_merge(v->table, &columns, view, chosen, is_known, v, err));
        }
    }
    return DW_OK;
}

void
dw__vacuum_thin_filters(dw_vacuum *v)
{
    dw_error err = DW_ERROR_INIT;
    dw_status status = thin(v, &err);
    if (status != DW_OK && status != DW_NOT_FOUND) {
        dw__env_warn(v->env, "index files keep filters of files that are gone: %s", err.message);
    }
}
