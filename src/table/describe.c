/*
 * DESCRIBE TABLE and SHOW TBLPROPERTIES: what the metadata says, as rows.
 */
#include "table/describe.h"

#include "codec/rows.h"

#define TYPE_BYTES_MAX ((size_t) 16 << 20)

static void
put_row(dw_rows *rows, dw_str name, dw_str type, dw_str comment)
{
    dw__rows_put_str(rows, name);
    dw__rows_put_str(rows, type);
    dw__rows_put_str(rows, comment);
}

/* The comment of a column, from its metadata; the null string when it has none. In `arena`. */
static dw_status
comment_of(const dw_field *field, dw_arena *arena, dw_str *out, dw_error *err)
{
    *out = DW_STR_NULL;
    if (field->metadata_json.len <= sizeof("{}") - 1) {
        return DW_OK;
    }
    DW_AUTO(dw_json_doc_ptr) metadata = NULL;
    DW_TRY(dw__json_parse(arena->allocator, field->metadata_json, "the column's metadata",
                          &metadata, err));
    dw_str comment = dw__json_str(dw__json_get(dw__json_root(metadata), DW_STR("comment")));
    return dw__arena_dup(arena, comment, out) ? DW_OK : dw__error_oom(err);
}

static dw_status
put_field(dw_rows *rows, const dw_field *field, dw_arena *arena, dw_error *err)
{
    dw_str comment;
    DW_TRY(comment_of(field, arena, &comment, err));
    DW_AUTO(dw_strbuf) type = dw__strbuf_make(arena->allocator, TYPE_BYTES_MAX);
    dw__type_print_sql(&type, field->type);
    DW_TRY(dw__strbuf_ok(&type, "a column's type", err));
    put_row(rows, field->name, dw__strbuf_str(&type), comment);
    return DW_OK;
}

static dw_status
put_table(dw_rows *rows, dw_log_snapshot *snapshot, dw_arena *arena, dw_error *err)
{
    const dw_type *schema = dw__log_snapshot_schema(snapshot);
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    for (size_t i = 0; i < schema->field_count; i++) {
        DW_TRY(put_field(rows, &schema->fields[i], arena, err));
    }
    if (metadata->partition_column_count == 0) {
        return DW_OK;
    }
    put_row(rows, DW_STR("# Partition Information"), DW_STR(""), DW_STR(""));
    put_row(rows, DW_STR("# col_name"), DW_STR("data_type"), DW_STR("comment"));
    for (size_t i = 0; i < metadata->partition_column_count; i++) {
        const dw_field *field = dw__schema_find(schema, metadata->partition_columns[i]);
        if (field != NULL) {
            DW_TRY(put_field(rows, field, arena, err));
        }
    }
    return DW_OK;
}

dw_status
dw__table_describe(dw_log_snapshot *snapshot, const dw_env *env, struct ArrowArrayStream *out,
                   dw_error *err)
{
    static const dw_rows_column columns[] = {{"col_name", DW_ROWS_STR, 0, 0},
                                             {"data_type", DW_ROWS_STR, 0, 0},
                                             {"comment", DW_ROWS_STR, 0, 0}};
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env->allocator);
    dw_rows *rows;
    DW_TRY(dw__rows_new(env->allocator, columns, sizeof(columns) / sizeof(columns[0]), &rows, err));
    dw_status status = put_table(rows, snapshot, &arena, err);
    if (status != DW_OK) {
        dw__rows_free(rows);
        return status;
    }
    return dw__rows_stream(rows, out, err);
}

static void
put_property(dw_rows *rows, dw_str wanted, dw_str key, dw_str value)
{
    if (dw__str_is_null(wanted) || dw__str_equal(wanted, key)) {
        dw__rows_put_str(rows, key);
        dw__rows_put_str(rows, value);
    }
}

/* The versions and features of the protocol, under the names that CREATE TABLE takes. */
static dw_status
put_protocol(dw_rows *rows, dw_str wanted, const dw_protocol *protocol, dw_arena *arena,
             dw_error *err)
{
    dw_str reader = dw__arena_printf(arena, "%d", protocol->min_reader_version);
    dw_str writer = dw__arena_printf(arena, "%d", protocol->min_writer_version);
    if (dw__str_is_null(reader) || dw__str_is_null(writer)) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < protocol->writer_feature_count; i++) {
        dw_str feature = protocol->writer_features[i];
        dw_str key = dw__arena_printf(arena, "delta.feature.%.*s", DW_STR_ARG(feature));
        if (dw__str_is_null(key)) {
            return dw__error_oom(err);
        }
        put_property(rows, wanted, key, DW_STR("supported"));
    }
    put_property(rows, wanted, DW_STR("delta.minReaderVersion"), reader);
    put_property(rows, wanted, DW_STR("delta.minWriterVersion"), writer);
    return DW_OK;
}

dw_status
dw__table_properties(dw_log_snapshot *snapshot, const dw_env *env, dw_str key,
                     struct ArrowArrayStream *out, dw_error *err)
{
    static const dw_rows_column columns[] = {{"key", DW_ROWS_STR, 0, 0},
                                             {"value", DW_ROWS_STR, 0, 0}};
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, env->allocator);
    dw_rows *rows;
    DW_TRY(dw__rows_new(env->allocator, columns, sizeof(columns) / sizeof(columns[0]), &rows, err));
    const dw_pairs *configuration = &dw__log_snapshot_metadata(snapshot)->configuration;
    for (size_t i = 0; i < configuration->count; i++) {
        put_property(rows, key, configuration->items[i].key, configuration->items[i].value);
    }
    dw_status status = put_protocol(rows, key, dw__log_snapshot_protocol(snapshot), &arena, err);
    if (status != DW_OK) {
        dw__rows_free(rows);
        return status;
    }
    return dw__rows_stream(rows, out, err);
}
