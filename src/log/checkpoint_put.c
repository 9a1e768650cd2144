/*
 * From actions to columns.
 */
#include "log/checkpoint_put.h"

#include "codec/json.h"

static void
put_strs(dw_column *column, bool is_there, const dw_str *items, size_t count)
{
    if (!is_there) {
        dw__column_put_null(column);
        return;
    }
    dw__column_put_span(column, count);
    for (size_t i = 0; i < count; i++) {
        dw__column_put_str(&column->children[0], items[i]);
    }
}

static void
put_pairs(dw_column *column, const dw_pairs *pairs)
{
    dw__column_put_span(column, pairs->count);
    for (size_t i = 0; i < pairs->count; i++) {
        dw__column_put_str(&column->children[0], pairs->items[i].key);
        dw__column_put_str(&column->children[1], pairs->items[i].value);
    }
}

static void
put_optional_i64(dw_column *column, bool is_there, int64_t value)
{
    if (is_there) {
        dw__column_put_i64(column, value);
    } else {
        dw__column_put_null(column);
    }
}

void
dw__ck_put_protocol(dw_column *column, const dw_protocol *protocol)
{
    dw__column_put_struct(column);
    dw_column *fields = column->children;
    dw__column_put_i32(&fields[DW_CK_PROTOCOL_MIN_READER], protocol->min_reader_version);
    dw__column_put_i32(&fields[DW_CK_PROTOCOL_MIN_WRITER], protocol->min_writer_version);
    put_strs(&fields[DW_CK_PROTOCOL_READER_FEATURES], protocol->has_reader_features,
             protocol->reader_features, protocol->reader_feature_count);
    put_strs(&fields[DW_CK_PROTOCOL_WRITER_FEATURES], protocol->has_writer_features,
             protocol->writer_features, protocol->writer_feature_count);
}

void
dw__ck_put_metadata(dw_column *column, const dw_metadata *metadata)
{
    dw__column_put_struct(column);
    dw_column *fields = column->children;
    dw_column *format = &fields[DW_CK_METADATA_FORMAT];
    dw__column_put_str(&fields[DW_CK_METADATA_ID], metadata->id);
    dw__column_put_str(&fields[DW_CK_METADATA_NAME], metadata->name);
    dw__column_put_str(&fields[DW_CK_METADATA_DESCRIPTION], metadata->description);
    dw__column_put_struct(format);
    dw__column_put_str(&format->children[DW_CK_FORMAT_PROVIDER], metadata->format_provider);
    put_pairs(&format->children[DW_CK_FORMAT_OPTIONS], &metadata->format_options);
    dw__column_put_str(&fields[DW_CK_METADATA_SCHEMA_STRING], metadata->schema_string);
    put_strs(&fields[DW_CK_METADATA_PARTITION_COLUMNS], true, metadata->partition_columns,
             metadata->partition_column_count);
    put_pairs(&fields[DW_CK_METADATA_CONFIGURATION], &metadata->configuration);
    put_optional_i64(&fields[DW_CK_METADATA_CREATED_TIME], metadata->has_created_time,
                     metadata->created_time_ms);
}

void
dw__ck_put_txn(dw_column *column, const dw_txn_id *txn)
{
    dw__column_put_struct(column);
    dw__column_put_str(&column->children[DW_CK_TXN_APP_ID], txn->app_id);
    dw__column_put_i64(&column->children[DW_CK_TXN_VERSION], txn->version);
    put_optional_i64(&column->children[DW_CK_TXN_LAST_UPDATED], txn->has_last_updated,
                     txn->last_updated_ms);
}

void
dw__ck_put_domain(dw_column *column, const dw_domain *domain)
{
    dw__column_put_struct(column);
    dw__column_put_str(&column->children[DW_CK_DOMAIN_DOMAIN], domain->domain);
    dw__column_put_str(&column->children[DW_CK_DOMAIN_CONFIGURATION], domain->configuration);
    dw__column_put_bool(&column->children[DW_CK_DOMAIN_REMOVED], false);
}

void
dw__ck_put_checkpoint(dw_column *column, int64_t version)
{
    dw__column_put_struct(column);
    dw__column_put_i64(&column->children[DW_CK_CHECKPOINT_VERSION], version);
    dw__column_put_null(&column->children[DW_CK_CHECKPOINT_TAGS]);
}

void
dw__ck_put_sidecar(dw_column *column, const dw_sidecar *sidecar)
{
    dw__column_put_struct(column);
    dw__column_put_str(&column->children[DW_CK_SIDECAR_PATH], sidecar->path);
    dw__column_put_i64(&column->children[DW_CK_SIDECAR_SIZE], sidecar->size_bytes);
    dw__column_put_i64(&column->children[DW_CK_SIDECAR_MODIFICATION_TIME],
                       sidecar->modification_time_ms);
}

/* ---- Files ----------------------------------------------------------------------------------- */

static void
put_partition_values(dw_column *column, const dw_file_block *block, size_t row)
{
    size_t count = 0;
    for (size_t i = 0; i < block->partitions.count; i++) {
        count += dw__dict_column_code(&block->partitions.items[i], row) != 0;
    }
    dw__column_put_span(column, count);
    for (size_t i = 0; i < block->partitions.count; i++) {
        const dw_dict_column *values = &block->partitions.items[i];
        if (dw__dict_column_code(values, row) != 0) {
            dw__column_put_str(&column->children[0], values->name);
            dw__column_put_str(&column->children[1], dw__dict_column_get(values, row));
        }
    }
}

static void
put_dv(dw_column *column, const dw_dv_descriptor *dv)
{
    if (dv == NULL) {
        dw__column_put_null(column);
        return;
    }
    dw__column_put_struct(column);
    dw_column *fields = column->children;
    dw__column_put_str(&fields[DW_CK_DV_STORAGE_TYPE], dw__str_make(&dv->storage_type, 1));
    dw__column_put_str(&fields[DW_CK_DV_PATH], dv->path_or_inline_dv);
    if (dv->has_offset) {
        dw__column_put_i32(&fields[DW_CK_DV_OFFSET], dv->offset);
    } else {
        dw__column_put_null(&fields[DW_CK_DV_OFFSET]);
    }
    dw__column_put_i32(&fields[DW_CK_DV_SIZE], dv->size_bytes);
    dw__column_put_i64(&fields[DW_CK_DV_CARDINALITY], dv->cardinality);
}

static void
put_row_id(dw_column *id_column, dw_column *version_column, const dw_file_block *block, size_t row)
{
    uint8_t flags = dw__file_block_flags(block, row);
    bool has_id = (flags & DW_FILE_HAS_BASE_ROW_ID) != 0;
    bool has_version = (flags & DW_FILE_HAS_COMMIT_VERSION) != 0;
    const int64_t *ids = block->base_row_ids.items;
    const int64_t *versions = block->commit_versions.items;
    put_optional_i64(id_column, has_id, has_id ? ids[row] : 0);
    put_optional_i64(version_column, has_version, has_version ? versions[row] : 0);
}

/* Tags are kept as the text of an object; a value that is no string is written as its JSON. */
static dw_status
put_tags(dw_column *column, dw_str json, dw_arena *arena, dw_error *err)
{
    if (dw__str_is_null(json)) {
        dw__column_put_null(column);
        return DW_OK;
    }
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(arena->allocator, json, "the tags of a file", &doc, err));
    dw__column_put_span(column, dw__json_count(dw__json_root(doc)));
    dw_json_iter it = dw__json_iter(dw__json_root(doc));
    while (dw__json_next(&it)) {
        dw_str key, value;
        DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, json.len * 2 + 64);
        bool is_text = dw__json_kind(it.value) == DW_JSON_STRING;
        bool is_null = dw__json_kind(it.value) == DW_JSON_NULL;
        if (!is_text && !is_null) {
            dw__json_write(&text, it.value);
        }
        dw_str source = is_null   ? DW_STR_NULL
                        : is_text ? dw__json_str(it.value)
                                  : dw__strbuf_str(&text);
        if (text.failed || !dw__arena_dup(arena, it.key, &key) ||
            !dw__arena_dup(arena, source, &value)) {
            return dw__error_oom(err);
        }
        dw__column_put_str(&column->children[0], key);
        dw__column_put_str(&column->children[1], value);
    }
    return DW_OK;
}

dw_status
dw__ck_put_add(dw_column *column, const dw_file_block *block, size_t row, dw_str stats,
               dw_arena *arena, dw_error *err)
{
    dw__column_put_struct(column);
    dw_column *fields = column->children;
    dw__column_put_str(&fields[DW_CK_ADD_PATH], dw__file_block_path(block, row));
    put_partition_values(&fields[DW_CK_ADD_PARTITION_VALUES], block, row);
    dw__column_put_i64(&fields[DW_CK_ADD_SIZE], dw__file_block_size(block, row));
    dw__column_put_i64(&fields[DW_CK_ADD_MODIFICATION_TIME], dw__file_block_time(block, row));
    dw__column_put_bool(&fields[DW_CK_ADD_DATA_CHANGE], false);
    put_dv(&fields[DW_CK_ADD_DELETION_VECTOR], dw__file_block_dv(block, row));
    put_row_id(&fields[DW_CK_ADD_BASE_ROW_ID], &fields[DW_CK_ADD_COMMIT_VERSION], block, row);
    dw__column_put_str(&fields[DW_CK_ADD_CLUSTERING_PROVIDER],
                       dw__dict_column_get(&block->clustering_provider, row));
    dw__column_put_str(&fields[DW_CK_ADD_STATS], stats.len == 0 ? DW_STR_NULL : stats);
    return put_tags(&fields[DW_CK_ADD_TAGS], dw__dict_column_get(&block->tags, row), arena, err);
}

void
dw__ck_put_remove(dw_column *column, const dw_file_block *block, size_t row)
{
    uint8_t flags = dw__file_block_flags(block, row);
    dw__column_put_struct(column);
    dw_column *fields = column->children;
    dw__column_put_str(&fields[DW_CK_REMOVE_PATH], dw__file_block_path(block, row));
    put_optional_i64(&fields[DW_CK_REMOVE_DELETION_TIMESTAMP],
                     (flags & DW_FILE_HAS_DELETION_TIMESTAMP) != 0,
                     dw__file_block_time(block, row));
    dw__column_put_bool(&fields[DW_CK_REMOVE_DATA_CHANGE], false);
    if ((flags & DW_FILE_HAS_EXTENDED_METADATA) != 0) {
        dw__column_put_bool(&fields[DW_CK_REMOVE_EXTENDED],
                            (flags & DW_FILE_EXTENDED_METADATA) != 0);
    } else {
        dw__column_put_null(&fields[DW_CK_REMOVE_EXTENDED]);
    }
    if ((flags & DW_FILE_HAS_PARTITION_VALUES) != 0) {
        put_partition_values(&fields[DW_CK_REMOVE_PARTITION_VALUES], block, row);
    } else {
        dw__column_put_null(&fields[DW_CK_REMOVE_PARTITION_VALUES]);
    }
    put_optional_i64(&fields[DW_CK_REMOVE_SIZE], (flags & DW_FILE_HAS_SIZE) != 0,
                     dw__file_block_size(block, row));
    put_dv(&fields[DW_CK_REMOVE_DELETION_VECTOR], dw__file_block_dv(block, row));
    put_row_id(&fields[DW_CK_REMOVE_BASE_ROW_ID], &fields[DW_CK_REMOVE_COMMIT_VERSION], block, row);
}
