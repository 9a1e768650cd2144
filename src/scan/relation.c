/*
 * What a source gives: the rows of a snapshot, or what changed in a range of versions. Of changed
 * files only some rows are read. [CHANGES-2]
 */
#include "base/assert.h"
#include "scan/scan_core.h"

dw_relation
dw__relation_of_snapshot(dw_log_snapshot *snapshot)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    return (dw_relation){.schema = dw__log_snapshot_schema(snapshot),
                         .partition_columns = metadata->partition_columns,
                         .partition_count = metadata->partition_column_count,
                         .mapping_mode = dw__log_snapshot_properties(snapshot)->mapping_mode,
                         .files = dw__log_snapshot_files(snapshot),
                         .log = dw__log_snapshot_log(snapshot),
                         .version = dw__log_snapshot_version(snapshot)};
}

dw_relation
dw__relation_of_changes(const dw_log_changes *changes)
{
    dw_relation relation = {.schema = dw__log_changes_schema(changes),
                            .mapping_mode = dw__log_changes_mapping_mode(changes),
                            .files = dw__log_changes_files(changes),
                            .log = dw__log_snapshot_log(dw__log_changes_snapshot(changes)),
                            .version = dw__log_changes_version(changes),
                            .changes = changes};
    relation.partition_columns =
        dw__log_changes_partition_columns(changes, &relation.partition_count);
    return relation;
}

/* ---- Changes --------------------------------------------------------------------------------- */

dw_str
dw__scan_change_text(const dw_bound_source *source, size_t file_idx)
{
    switch (dw__log_change(source->changes, source->files[file_idx])->kind) {
    case DW_CHANGE_RECORDED:
        return DW_STR_NULL;
    case DW_CHANGE_INSERT:
        return DW_STR("insert");
    case DW_CHANGE_DELETE:
        return DW_STR("delete");
    }
    dw_unreachable("change kind");
}

/* Reads one vector (NULL: none) into the list's entry of a file. */
static dw_status
load_vector(const dw_bound_source *source, const dw_dv_descriptor *dv, size_t file_idx,
            dw_dv_list *list, dw_error *err)
{
    const dw_allocator *allocator = list->allocator;
    if (dv == NULL) {
        return DW_OK;
    }
    if (list->items == NULL) {
        list->count = source->file_count;
        list->items = dw__alloc_zero(allocator, list->count * sizeof(*list->items));
        list->own = dw__alloc_zero(allocator, list->count * sizeof(*list->own));
        if (list->items == NULL || list->own == NULL) {
            return dw__error_oom(err);
        }
    }
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, allocator);
    dw_rowset *rows;
    dw_status status = dw__dv_read(dw__log_storage(source->relation.log), dv, &scratch, &rows, err);
    if (status != DW_OK) {
        dw__error_context(
            err, "reading which rows of %.*s changed",
            DW_STR_ARG(dw__file_set_path(source->relation.files, source->files[file_idx])));
        return status;
    }
    list->own[list->own_count++] = rows;
    list->items[file_idx] = rows;
    list->is_any = true;
    return DW_OK;
}

dw_status
dw__scan_load_changes(dw_bound_source *source, dw_error *err)
{
    source->deleted.allocator = dw__log_env(source->relation.log)->allocator;
    source->kept.allocator = source->deleted.allocator;
    for (size_t i = 0; i < source->file_count; i++) {
        const dw_file_change *change = dw__log_change(source->changes, source->files[i]);
        DW_TRY(load_vector(source, change->only, i, &source->kept, err));
        DW_TRY(load_vector(source, change->except, i, &source->deleted, err));
    }
    return DW_OK;
}
