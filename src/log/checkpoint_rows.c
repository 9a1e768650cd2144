/*
 * From columns to actions.
 */
#include "log/checkpoint_rows.h"

dw_status
dw__ck_missing(const char *action, const char *member, dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "CHECKPOINT_INVALID",
                         "expected a value in column %s.%s, found NULL", action, member);
}

dw_status
dw__ck_protocol(const dw_vector *column, size_t row, dw_arena *arena, dw_action *out,
                bool *is_there_out, dw_error *err)
{
    const dw_vector *fields = column->children;
    const dw_vector *readers = &fields[DW_CK_PROTOCOL_READER_FEATURES];
    const dw_vector *writers = &fields[DW_CK_PROTOCOL_WRITER_FEATURES];
    *out = (dw_action){.kind = DW_ACTION_PROTOCOL};
    dw_protocol *protocol = &out->as.protocol;
    *is_there_out =
        dw__vector_i32(&fields[DW_CK_PROTOCOL_MIN_READER], row, &protocol->min_reader_version);
    if (!*is_there_out) {
        return DW_OK;
    }
    if (!dw__vector_i32(&fields[DW_CK_PROTOCOL_MIN_WRITER], row, &protocol->min_writer_version)) {
        return dw__ck_missing("protocol", "minWriterVersion", err);
    }
    /* Writers fill the lists with empty ones below versions 3 and 7, where none belongs. [C9] */
    bool ok = dw__vector_strs(readers, row, arena, &protocol->reader_features,
                              &protocol->reader_feature_count) &&
              dw__vector_strs(writers, row, arena, &protocol->writer_features,
                              &protocol->writer_feature_count);
    protocol->has_reader_features =
        dw__vector_is_valid(readers, row) &&
        (protocol->min_reader_version >= 3 || protocol->reader_feature_count > 0);
    protocol->has_writer_features =
        dw__vector_is_valid(writers, row) &&
        (protocol->min_writer_version >= 7 || protocol->writer_feature_count > 0);
    return ok ? DW_OK : dw__error_oom(err);
}

static bool
read_format(const dw_vector *column, size_t row, dw_arena *arena, dw_metadata *metadata)
{
    const dw_vector *options = &column->children[DW_CK_FORMAT_OPTIONS];
    metadata->format_provider = dw__vector_str(&column->children[DW_CK_FORMAT_PROVIDER], row);
    return dw__vector_pairs(options, row, arena, &metadata->format_options);
}

dw_status
dw__ck_metadata(const dw_vector *column, size_t row, dw_arena *arena, dw_action *out,
                bool *is_there_out, dw_error *err)
{
    const dw_vector *fields = column->children;
    *out = (dw_action){.kind = DW_ACTION_METADATA};
    dw_metadata *metadata = &out->as.metadata;
    *metadata = (dw_metadata){
        .id = dw__vector_str(&fields[DW_CK_METADATA_ID], row),
        .name = dw__vector_str(&fields[DW_CK_METADATA_NAME], row),
        .description = dw__vector_str(&fields[DW_CK_METADATA_DESCRIPTION], row),
        .schema_string = dw__vector_str(&fields[DW_CK_METADATA_SCHEMA_STRING], row),
        .extra_json = DW_STR(""),
    };
    *is_there_out = !dw__str_is_null(metadata->id);
    if (!*is_there_out) {
        return DW_OK;
    }
    metadata->has_created_time =
        dw__vector_i64(&fields[DW_CK_METADATA_CREATED_TIME], row, &metadata->created_time_ms);
    if (!read_format(&fields[DW_CK_METADATA_FORMAT], row, arena, metadata) ||
        !dw__vector_strs(&fields[DW_CK_METADATA_PARTITION_COLUMNS], row, arena,
                         &metadata->partition_columns, &metadata->partition_column_count) ||
        !dw__vector_pairs(&fields[DW_CK_METADATA_CONFIGURATION], row, arena,
                          &metadata->configuration)) {
        return dw__error_oom(err);
    }
    if (dw__str_is_null(metadata->schema_string)) {
        /* As in a commit: a table that never got a schema. */
        metadata->schema_string = DW_STR("{\"type\":\"struct\",\"fields\":[]}");
    }
    return dw__str_is_null(metadata->format_provider)
               ? dw__ck_missing("metaData", "format.provider", err)
               : DW_OK;
}

dw_status
dw__ck_txn(const dw_vector *column, size_t row, dw_arena *arena, dw_action *out, bool *is_there_out,
           dw_error *err)
{
    (void) arena;
    const dw_vector *fields = column->children;
    *out = (dw_action){.kind = DW_ACTION_TXN};
    dw_txn_id *txn = &out->as.txn;
    txn->app_id = dw__vector_str(&fields[DW_CK_TXN_APP_ID], row);
    *is_there_out = !dw__str_is_null(txn->app_id);
    txn->has_last_updated =
        dw__vector_i64(&fields[DW_CK_TXN_LAST_UPDATED], row, &txn->last_updated_ms);
    if (!dw__vector_i64(&fields[DW_CK_TXN_VERSION], row, &txn->version) && *is_there_out) {
        return dw__ck_missing("txn", "version", err);
    }
    return DW_OK;
}

dw_status
dw__ck_domain(const dw_vector *column, size_t row, dw_arena *arena, dw_action *out,
              bool *is_there_out, dw_error *err)
{
    (void) arena;
    const dw_vector *fields = column->children;
    *out = (dw_action){.kind = DW_ACTION_DOMAIN};
    dw_domain *domain = &out->as.domain;
    domain->domain = dw__vector_str(&fields[DW_CK_DOMAIN_DOMAIN], row);
    domain->configuration = dw__vector_str(&fields[DW_CK_DOMAIN_CONFIGURATION], row);
    *is_there_out = !dw__str_is_null(domain->domain);
    (void) dw__vector_bool(&fields[DW_CK_DOMAIN_REMOVED], row, &domain->removed);
    if (*is_there_out && dw__str_is_null(domain->configuration)) {
        return dw__ck_missing("domainMetadata", "configuration", err);
    }
    return DW_OK;
}

dw_status
dw__ck_sidecar(const dw_vector *column, size_t row, dw_arena *arena, dw_action *out,
               bool *is_there_out, dw_error *err)
{
    (void) arena;
    (void) err;
    const dw_vector *fields = column->children;
    *out = (dw_action){.kind = DW_ACTION_SIDECAR};
    dw_sidecar *sidecar = &out->as.sidecar;
    sidecar->path = dw__vector_str(&fields[DW_CK_SIDECAR_PATH], row);
    *is_there_out = !dw__str_is_null(sidecar->path);
    (void) dw__vector_i64(&fields[DW_CK_SIDECAR_SIZE], row, &sidecar->size_bytes);
    (void) dw__vector_i64(&fields[DW_CK_SIDECAR_MODIFICATION_TIME], row,
                          &sidecar->modification_time_ms);
    return DW_OK;
}

dw_status
dw__ck_dv(const dw_vector *column, size_t row, dw_dv_descriptor *out, bool *is_there_out,
          dw_error *err)
{
    *out = (dw_dv_descriptor){0};
    *is_there_out = dw__vector_is_valid(column, row);
    if (!*is_there_out) {
        return DW_OK;
    }
    const dw_vector *fields = column->children;
    dw_str type = dw__vector_str(&fields[DW_CK_DV_STORAGE_TYPE], row);
    *is_there_out = !dw__str_is_null(type);
    if (!*is_there_out) {
        return DW_OK;
    }
    if (type.len != 1 || memchr("uip", type.ptr[0], 3) == NULL) {
        return dw__error_set(err, DW_CORRUPT, "CHECKPOINT_INVALID",
                             "expected \"u\", \"i\" or \"p\" in column deletionVector.storageType, "
                             "found \"%.*s\"",
                             DW_STR_ARG(type));
    }
    out->storage_type = type.ptr[0];
    out->path_or_inline_dv = dw__vector_str(&fields[DW_CK_DV_PATH], row);
    out->has_offset = dw__vector_i32(&fields[DW_CK_DV_OFFSET], row, &out->offset);
    bool has_size = dw__vector_i32(&fields[DW_CK_DV_SIZE], row, &out->size_bytes);
    bool has_cardinality = dw__vector_i64(&fields[DW_CK_DV_CARDINALITY], row, &out->cardinality);
    if (dw__str_is_null(out->path_or_inline_dv)) {
        return dw__ck_missing("deletionVector", "pathOrInlineDv", err);
    }
    if (!has_size || !has_cardinality) {
        return dw__ck_missing("deletionVector", has_size ? "cardinality" : "sizeInBytes", err);
    }
    return DW_OK;
}

dw_status
dw__ck_remove(const dw_vector *column, size_t row, dw_arena *arena, dw_action *out,
              bool *is_there_out, dw_error *err)
{
    const dw_vector *fields = column->children;
    *out = (dw_action){.kind = DW_ACTION_REMOVE};
    dw_file *file = &out->as.file;
    *file = (dw_file){.path = dw__vector_str(&fields[DW_CK_REMOVE_PATH], row),
                      .extra_json = DW_STR("")};
    *is_there_out = !dw__str_is_null(file->path);
    if (!*is_there_out) {
        return DW_OK;
    }
    const dw_vector *values = &fields[DW_CK_REMOVE_PARTITION_VALUES];
    file->has_partition_values = dw__vector_is_valid(values, row);
    file->has_deletion_timestamp =
        dw__vector_i64(&fields[DW_CK_REMOVE_DELETION_TIMESTAMP], row, &file->deletion_timestamp_ms);
    file->has_extended_file_metadata =
        dw__vector_bool(&fields[DW_CK_REMOVE_EXTENDED], row, &file->extended_file_metadata);
    file->has_size = dw__vector_i64(&fields[DW_CK_REMOVE_SIZE], row, &file->size_bytes);
    file->has_base_row_id =
        dw__vector_i64(&fields[DW_CK_REMOVE_BASE_ROW_ID], row, &file->base_row_id);
    file->has_default_row_commit_version = dw__vector_i64(&fields[DW_CK_REMOVE_COMMIT_VERSION], row,
                                                          &file->default_row_commit_version);
    (void) dw__vector_bool(&fields[DW_CK_REMOVE_DATA_CHANGE], row, &file->data_change);
    dw_dv_descriptor dv;
    bool has_dv;
    DW_TRY(dw__ck_dv(&fields[DW_CK_REMOVE_DELETION_VECTOR], row, &dv, &has_dv, err));
    if (has_dv) {
        file->dv = DW_ARENA_NEW(arena, dw_dv_descriptor);
        if (file->dv == NULL) {
            return dw__error_oom(err);
        }
        *file->dv = dv;
    }
    return dw__vector_pairs(values, row, arena, &file->partition_values) ? DW_OK
                                                                         : dw__error_oom(err);
}
