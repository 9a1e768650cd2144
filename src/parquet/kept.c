/*
 * See kept.h. Two statements may make the same thing at once; then one of the two is kept.
 */
#include "parquet/kept.h"

#include "base/assert.h"

static void
destroy_footer(dw_cache_item *item)
{
    dw_pq_kept_footer *kept = (dw_pq_kept_footer *) item;
    dw__arena_deinit(&kept->arena);
    DW_DELETE(kept->allocator, kept);
}

/* Files with values of Spark's old calendar are odd. */
static dw_status
read_footer(const dw_pq_kept_file *file, dw_pq_kept_footer *kept, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    dw_status status = dw__pq_footer_read(&file->source, &kept->arena, &kept->footer, &cause);
    if (status != DW_OK && status != DW_UNSUPPORTED) {
        dw__error_copy(err, &cause);
        return status;
    }
    const dw_pq_spark *spark = &kept->footer.spark;
    kept->is_odd = status != DW_OK || dw__pq_has_old_dates(spark) || dw__pq_has_old_int96(spark);
    return DW_OK;
}

static dw_status
make_footer(const dw_pq_kept_file *file, dw_pq_kept_footer **out, dw_error *err)
{
    const dw_allocator *allocator = file->env->allocator;
    dw_pq_kept_footer *kept = DW_NEW(allocator, dw_pq_kept_footer);
    if (kept == NULL) {
        return dw__error_oom(err);
    }
    kept->allocator = allocator;
    dw__arena_init(&kept->arena, allocator);
    dw__cache_item_init(&kept->item, 0, destroy_footer);
    dw_status status = read_footer(file, kept, err);
    if (status != DW_OK) {
        destroy_footer(&kept->item);
        return status;
    }
    kept->item.size_bytes = sizeof(*kept) + kept->arena.size_total;
    dw__cache_keep(file->cache, file->name, &kept->item);
    *out = kept;
    return DW_OK;
}

dw_status
dw__pq_kept_open(dw_pq_kept_file *file, const dw_env *env, dw_cache *cache, dw_str path,
                 dw_arena *arena, bool *found_out, dw_error *err)
{
    *file = (dw_pq_kept_file){.env = env, .cache = cache};
    *found_out = false;
    if (!dw__pq_source_open(env, path, &file->storage, &file->source)) {
        return DW_OK;
    }
    file->name =
        dw__arena_printf(arena, "%.*s\n%lld\n%lld", DW_STR_ARG(path),
                         (long long) file->source.size_bytes, (long long) file->source.modified_ms);
    if (dw__str_is_null(file->name)) {
        return dw__error_oom(err);
    }
    file->footer = (dw_pq_kept_footer *) dw__cache_find(cache, file->name);
    if (file->footer == NULL) {
        DW_TRY(make_footer(file, &file->footer, err));
    }
    *found_out = !file->footer->is_odd;
    return DW_OK;
}

void
dw__pq_kept_close(dw_pq_kept_file *file)
{
    if (file->footer != NULL) {
        dw__cache_item_unref(&file->footer->item);
    }
    dw__storage_close(file->storage);
    *file = (dw_pq_kept_file){.name = DW_STR_NULL};
}

dw_status
dw__pq_kept_cells(const dw_pq_kept_file *file, const dw_pq_node *leaf, size_t group_idx,
                  dw_arena *scratch, dw_pq_cells **out, dw_error *err)
{
    const dw_pq_footer *footer = &file->footer->footer;
    dw_assert(group_idx < footer->row_group_count);
    const dw_pq_row_group *group = &footer->row_groups[group_idx];
    dw_str name = dw__arena_printf(scratch, "%.*s\n%zu\n%zu", DW_STR_ARG(file->name),
                                   leaf->leaf_idx, group_idx);
    if (dw__str_is_null(name)) {
        return dw__error_oom(err);
    }
    *out = (dw_pq_cells *) dw__cache_find(file->cache, name);
    if (*out != NULL) {
        return DW_OK;
    }
    DW_TRY(dw__pq_cells_make(file->env->allocator, &file->source, leaf,
                             &group->chunks[leaf->leaf_idx], group->row_count,
                             file->cache->size_max / DW_PQ_KEPT_SHARE, out, err));
    dw__cache_keep(file->cache, name, &(*out)->item);
    return DW_OK;
}
