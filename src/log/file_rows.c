/*
 * Whole files in and out of a block: from an action, from another block, and back to an action.
 */
#include "base/assert.h"
#include "log/file_block.h"

#define FLAG(condition, flag) ((condition) ? (uint8_t) (flag) : (uint8_t) 0)

static uint8_t
flags_of(const dw_file *file, bool is_remove)
{
    return (
        uint8_t) (FLAG(file->data_change, DW_FILE_DATA_CHANGE) |
                  FLAG(!is_remove || file->has_partition_values, DW_FILE_HAS_PARTITION_VALUES) |
                  FLAG(!is_remove || file->has_size, DW_FILE_HAS_SIZE) |
                  FLAG(is_remove && file->has_deletion_timestamp, DW_FILE_HAS_DELETION_TIMESTAMP) |
                  FLAG(is_remove && file->has_extended_file_metadata,
                       DW_FILE_HAS_EXTENDED_METADATA) |
                  FLAG(is_remove && file->extended_file_metadata, DW_FILE_EXTENDED_METADATA));
}

/* Sets a text that most rows lack; "" counts as lacking too. */
static bool
set_optional_text(dw_file_block *block, dw_dict_column *column, dw_str text)
{
    return text.len == 0 || dw__file_block_set_text(block, column, text);
}

dw_status
dw__file_block_push_file(dw_file_block *block, const dw_file *file, bool is_remove, uint32_t hash,
                         dw_error *err)
{
    int64_t time = is_remove ? (file->has_deletion_timestamp ? file->deletion_timestamp_ms : 0)
                             : file->modification_time_ms;
    bool ok =
        dw__file_block_push(block, file->path, hash, file->size_bytes, time,
                            flags_of(file, is_remove)) &&
        (file->stats.len == 0 || is_remove || dw__file_block_set_stats(block, file->stats)) &&
        (file->dv == NULL || dw__file_block_set_dv(block, file->dv)) &&
        (!file->has_base_row_id || dw__file_block_set_base_row_id(block, file->base_row_id)) &&
        (!file->has_default_row_commit_version ||
         dw__file_block_set_commit_version(block, file->default_row_commit_version)) &&
        set_optional_text(block, &block->tags, file->tags_json) &&
        set_optional_text(block, &block->clustering_provider, file->clustering_provider) &&
        set_optional_text(block, &block->extra, file->extra_json);
    if (!ok) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < file->partition_values.count; i++) {
        const dw_pair *pair = &file->partition_values.items[i];
        DW_TRY(dw__file_block_set_partition(block, i, pair->key, pair->value, err));
    }
    return DW_OK;
}

static bool
copy_optional(dw_file_block *block, const dw_file_block *from, size_t row)
{
    const dw_dv_descriptor *dv = dw__file_block_dv(from, row);
    uint8_t flags = dw__file_block_flags(from, row);
    dw_str stats = dw__text_column_get(&from->stats, row);
    const int64_t *ids = from->base_row_ids.items;
    const int64_t *versions = from->commit_versions.items;
    return (stats.len == 0 || dw__file_block_set_stats(block, stats)) &&
           (dv == NULL || dw__file_block_set_dv(block, dv)) &&
           ((flags & DW_FILE_HAS_BASE_ROW_ID) == 0 ||
            dw__file_block_set_base_row_id(block, ids[row])) &&
           ((flags & DW_FILE_HAS_COMMIT_VERSION) == 0 ||
            dw__file_block_set_commit_version(block, versions[row])) &&
           set_optional_text(block, &block->tags, dw__dict_column_get(&from->tags, row)) &&
           set_optional_text(block, &block->clustering_provider,
                             dw__dict_column_get(&from->clustering_provider, row)) &&
           set_optional_text(block, &block->extra, dw__dict_column_get(&from->extra, row));
}

dw_status
dw__file_block_push_row(dw_file_block *block, const dw_file_block *from, size_t row, dw_error *err)
{
    dw_assert(from->origin == NULL);
    if (!dw__file_block_push(block, dw__file_block_path(from, row), dw__file_block_hash(from, row),
                             dw__file_block_size(from, row), dw__file_block_time(from, row),
                             dw__file_block_flags(from, row)) ||
        !copy_optional(block, from, row)) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < from->partitions.count; i++) {
        const dw_dict_column *column = &from->partitions.items[i];
        if (dw__dict_column_code(column, row) != 0) {
            DW_TRY(dw__file_block_set_partition(block, i, column->name,
                                                dw__dict_column_get(column, row), err));
        }
    }
    return DW_OK;
}

uint32_t
dw__dict_column_code(const dw_dict_column *column, size_t row)
{
    const char *codes = column->codes.items;
    if (codes == NULL) {
        return 0;
    }
    if (column->code_width == sizeof(uint8_t)) {
        return ((const uint8_t *) column->codes.items)[row];
    }
    if (column->code_width == sizeof(uint16_t)) {
        return ((const uint16_t *) column->codes.items)[row];
    }
    return ((const uint32_t *) column->codes.items)[row];
}

dw_str
dw__dict_column_get(const dw_dict_column *column, size_t row)
{
    uint32_t code = dw__dict_column_code(column, row);
    return code == 0 ? DW_STR_NULL : column->items[code - 1];
}

const dw_dv_descriptor *
dw__file_block_dv(const dw_file_block *block, size_t row)
{
    const uint32_t *codes = block->dv_codes.items;
    return codes == NULL || codes[row] == 0 ? NULL : &block->dvs.items[codes[row] - 1];
}

static bool
get_partition_values(const dw_file_block *block, size_t row, dw_arena *arena, dw_pairs *out)
{
    if (block->partitions.count == 0) {
        return true;
    }
    out->items = DW_ARENA_ARRAY(arena, dw_pair, block->partitions.count);
    if (out->items == NULL) {
        return false;
    }
    for (size_t i = 0; i < block->partitions.count; i++) {
        const dw_dict_column *column = &block->partitions.items[i];
        if (dw__dict_column_code(column, row) != 0) {
            out->items[out->count++] = (dw_pair){column->name, dw__dict_column_get(column, row)};
        }
    }
    return true;
}

static bool
get_dv(const dw_file_block *block, size_t row, dw_arena *arena, dw_dv_descriptor **out)
{
    const dw_dv_descriptor *dv = dw__file_block_dv(block, row);
    if (dv != NULL) {
        *out = DW_ARENA_NEW(arena, dw_dv_descriptor);
        if (*out == NULL) {
            return false;
        }
        **out = *dv;
    }
    return true;
}

static dw_str
or_empty(dw_str s)
{
    return dw__str_is_null(s) ? DW_STR("") : s;
}

bool
dw__file_block_get(const dw_file_block *block, size_t row, bool is_remove, dw_arena *arena,
                   dw_file *out)
{
    dw_assert(row < block->row_count);
    uint8_t flags = dw__file_block_flags(block, row);
    int64_t time = dw__file_block_time(block, row);
    *out = (dw_file){
        .path = dw__file_block_path(block, row),
        .has_partition_values = (flags & DW_FILE_HAS_PARTITION_VALUES) != 0,
        .has_size = (flags & DW_FILE_HAS_SIZE) != 0,
        .size_bytes = dw__file_block_size(block, row),
        .modification_time_ms = is_remove ? 0 : time,
        .data_change = (flags & DW_FILE_DATA_CHANGE) != 0,
        .has_deletion_timestamp = (flags & DW_FILE_HAS_DELETION_TIMESTAMP) != 0,
        .deletion_timestamp_ms = is_remove ? time : 0,
        .has_extended_file_metadata = (flags & DW_FILE_HAS_EXTENDED_METADATA) != 0,
        .extended_file_metadata = (flags & DW_FILE_EXTENDED_METADATA) != 0,
        .tags_json = dw__dict_column_get(&block->tags, row),
        .has_base_row_id = (flags & DW_FILE_HAS_BASE_ROW_ID) != 0,
        .has_default_row_commit_version = (flags & DW_FILE_HAS_COMMIT_VERSION) != 0,
        .clustering_provider = dw__dict_column_get(&block->clustering_provider, row),
        .extra_json = or_empty(dw__dict_column_get(&block->extra, row)),
    };
    if (out->has_base_row_id) {
        out->base_row_id = ((const int64_t *) block->base_row_ids.items)[row];
    }
    if (out->has_default_row_commit_version) {
        out->default_row_commit_version = ((const int64_t *) block->commit_versions.items)[row];
    }
    dw_str stats = dw__text_column_get(&block->stats, row);
    out->stats = stats.len == 0 ? DW_STR_NULL : stats;
    return get_partition_values(block, row, arena, &out->partition_values) &&
           get_dv(block, row, arena, &out->dv);
}
