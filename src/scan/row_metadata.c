/*
 * Columns that no star shows: _metadata, which says what file a row comes from and, with row
 * tracking, the row's own id and version; and those two alone, under the names that files keep them
 * in. PROTOCOL.md "Row Tracking": what was materialised in the file counts, else the file's base
 * and the row's place.
 */
#include "base/assert.h"
#include "codec/uri.h"
#include "scan/scan_core.h"
#include "scan/scan_sql.h"

#include <inttypes.h>

/* The fields, in their order; each has a value of the file behind those of partitions. */
typedef enum metadata_field {
    FIELD_PATH,
    FIELD_NAME,
    FIELD_SIZE,
    FIELD_TIME,
    FIELD_BASE_ROW_ID,
    FIELD_DEFAULT_VERSION,
    FIELD_COUNT
} metadata_field;

typedef struct field_spec {
    const char *name;
    dw_type_kind kind;
} field_spec;

static const field_spec specs[FIELD_COUNT] = {
    [FIELD_PATH] = {"file_path", DW_TYPE_STRING},
    [FIELD_NAME] = {"file_name", DW_TYPE_STRING},
    [FIELD_SIZE] = {"file_size", DW_TYPE_LONG},
    [FIELD_TIME] = {"file_modification_time", DW_TYPE_TIMESTAMP},
    [FIELD_BASE_ROW_ID] = {"base_row_id", DW_TYPE_LONG},
    [FIELD_DEFAULT_VERSION] = {"default_row_commit_version", DW_TYPE_LONG},
};

/* Those of rows, behind the ones of files. */
static const field_spec row_specs[] = {{"row_id", DW_TYPE_LONG},
                                       {"row_commit_version", DW_TYPE_LONG}};
#define ROW_FIELD_COUNT (sizeof(row_specs) / sizeof(row_specs[0]))

size_t
dw__scan_metadata_value_count(const dw_scan_metadata *metadata)
{
    return metadata == NULL ? 0 : metadata->tracks_rows ? FIELD_COUNT : FIELD_BASE_ROW_ID;
}

/* ---- The schema ------------------------------------------------------------------------------ */

static dw_status
make_field(dw_str name, const dw_type *type, dw_field *out, dw_error *err)
{
    *out = (dw_field){.name = name,
                      .type = type,
                      .nullable = true,
                      .metadata_json = DW_STR("{}"),
                      .physical_name = name,
                      .mapping_id = -1,
                      .extra_json = DW_STR("")};
    return type == NULL ? dw__error_oom(err) : DW_OK;
}

static dw_status
make_struct(dw_arena *arena, const dw_scan_metadata *metadata, const dw_type **out, dw_error *err)
{
    dw_field fields[FIELD_COUNT + ROW_FIELD_COUNT];
    size_t count = 0;
    for (; count < dw__scan_metadata_value_count(metadata); count++) {
        DW_TRY(make_field(dw__str_from(specs[count].name), dw__type_make(arena, specs[count].kind),
                          &fields[count], err));
    }
    for (size_t i = 0; metadata->tracks_rows && i < ROW_FIELD_COUNT; i++, count++) {
        DW_TRY(make_field(dw__str_from(row_specs[i].name), dw__type_make(arena, row_specs[i].kind),
                          &fields[count], err));
    }
    *out = dw__type_make_struct(arena, fields, count);
    return *out == NULL ? dw__error_oom(err) : DW_OK;
}

static dw_str
property_of(const dw_log_snapshot *snapshot, const char *key)
{
    const dw_str *value =
        dw__pairs_get(&dw__log_snapshot_metadata(snapshot)->configuration, dw__str_from(key));
    return value == NULL ? DW_STR_NULL : *value;
}

dw_row_id_columns
dw__scan_row_id_columns(const dw_log_snapshot *snapshot)
{
    if (!dw__log_snapshot_properties(snapshot)->enable_row_tracking) {
        return (dw_row_id_columns){DW_STR_NULL, DW_STR_NULL};
    }
    return (dw_row_id_columns){
        .id = property_of(snapshot, "delta.rowTracking.materializedRowIdColumnName"),
        .version =
            property_of(snapshot, "delta.rowTracking.materializedRowCommitVersionColumnName"),
    };
}

size_t
dw__scan_metadata_column_count(const dw_scan_metadata *metadata)
{
    return metadata == NULL ? 0
                            : (metadata->has_struct ? 1U : 0U) + (metadata->has_row_ids ? 2U : 0U);
}

/* The hidden columns, behind all others. */
static dw_status
put_fields(const dw_scan_metadata *metadata, dw_arena *arena, dw_field *out, dw_error *err)
{
    if (metadata->has_struct) {
        const dw_type *type;
        DW_TRY(make_struct(arena, metadata, &type, err));
        DW_TRY(make_field(DW_STR(DW_METADATA_COLUMN), type, out++, err));
    }
    if (metadata->has_row_ids) {
        const dw_type *type = dw__type_make(arena, DW_TYPE_LONG);
        DW_TRY(make_field(metadata->columns.id, type, out++, err));
        DW_TRY(make_field(metadata->columns.version, type, out, err));
    }
    return DW_OK;
}

static dw_status
extend_schema(dw_relation *relation, dw_arena *arena, dw_error *err)
{
    const dw_type *table = relation->schema;
    size_t count = table->field_count + dw__scan_metadata_column_count(relation->metadata);
    dw_field *fields = DW_ARENA_ARRAY(arena, dw_field, count);
    if (fields == NULL) {
        return dw__error_oom(err);
    }
    if (table->field_count > 0) {
        memcpy(fields, table->fields, table->field_count * sizeof(*fields));
    }
    DW_TRY(put_fields(relation->metadata, arena, fields + table->field_count, err));
    relation->schema = dw__type_make_struct(arena, fields, count);
    return relation->schema == NULL ? dw__error_oom(err) : DW_OK;
}

dw_status
dw__scan_add_metadata(dw_relation *relation, const dw_scan_source *source, dw_arena *arena,
                      dw_error *err)
{
    dw_scan_metadata wanted = {
        .has_struct = source->with_metadata &&
                      dw__schema_find(relation->schema, DW_STR(DW_METADATA_COLUMN)) == NULL,
        .has_row_ids = source->with_row_ids,
        .tracks_rows = dw__log_snapshot_properties(source->snapshot)->enable_row_tracking,
        .columns = dw__scan_row_id_columns(source->snapshot)};
    if (dw__scan_metadata_column_count(&wanted) == 0) {
        return DW_OK;
    }
    dw_assert(!wanted.has_row_ids || (wanted.columns.id.len > 0 && wanted.columns.version.len > 0));
    dw_scan_metadata *metadata = DW_ARENA_NEW(arena, dw_scan_metadata);
    if (metadata == NULL) {
        return dw__error_oom(err);
    }
    *metadata = wanted;
    relation->metadata = metadata;
    return extend_schema(relation, arena, err);
}

/* ---- The values of files --------------------------------------------------------------------- */

/* "file:///data/t/a%20b.parquet", as Spark has it. */
static dw_status
print_path(dw_arena *arena, dw_str path, dw_str *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, DW_SCAN_SQL_BYTES_MAX);
    dw__strbuf_append(&text,
                      dw__str_starts_with(path, DW_STR("/")) ? DW_STR("file://") : DW_STR(""));
    dw__uri_encode_path(&text, path);
    DW_TRY(dw__strbuf_ok(&text, "the path of a file", err));
    return dw__arena_dup(arena, dw__strbuf_str(&text), out) ? DW_OK : dw__error_oom(err);
}

static dw_str
last_part(dw_str path)
{
    size_t slash = dw__str_find_last(path, '/');
    return slash == SIZE_MAX ? path : dw__str_slice(path, slash + 1, path.len);
}

static dw_status
print_number(dw_arena *arena, bool is_known, int64_t number, dw_str *out, dw_error *err)
{
    *out = DW_STR_NULL;
    if (is_known) {
        *out = dw__arena_printf(arena, "%" PRId64, number);
        return dw__str_is_null(*out) ? dw__error_oom(err) : DW_OK;
    }
    return DW_OK;
}

static dw_status
print_time(dw_arena *arena, int64_t time_ms, dw_str *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(arena->allocator, 64);
    dw__timestamp_print(&text, time_ms * 1000, ' ', 3, "+00");
    DW_TRY(dw__strbuf_ok(&text, "the time of a file", err));
    return dw__arena_dup(arena, dw__strbuf_str(&text), out) ? DW_OK : dw__error_oom(err);
}

dw_status
dw__scan_metadata_values(const dw_bound_source *source, size_t file_idx, dw_arena *arena,
                         dw_str *values, dw_error *err)
{
    const dw_file_set *set = source->relation.files;
    dw_file_ref ref = source->files[file_idx];
    DW_TRY(print_path(arena, source->paths[file_idx], &values[FIELD_PATH], err));
    values[FIELD_NAME] = last_part(values[FIELD_PATH]);
    DW_TRY(print_number(arena, true, dw__file_set_file_size(set, ref), &values[FIELD_SIZE], err));
    DW_TRY(
        print_time(arena, dw__file_set_modification_time_ms(set, ref), &values[FIELD_TIME], err));
    if (source->relation.metadata->tracks_rows) {
        int64_t number;
        bool is_known = dw__file_set_base_row_id(set, ref, &number);
        DW_TRY(print_number(arena, is_known, number, &values[FIELD_BASE_ROW_ID], err));
        is_known = dw__file_set_commit_version(set, ref, &number);
        DW_TRY(print_number(arena, is_known, number, &values[FIELD_DEFAULT_VERSION], err));
    }
    return DW_OK;
}

/* ---- SQL ------------------------------------------------------------------------------------- */

static void
put_value(dw_strbuf *out, metadata_field field, size_t first_value)
{
    static const char *const casts[] = {
        [DW_TYPE_LONG] = " AS BIGINT)", [DW_TYPE_TIMESTAMP] = " AS TIMESTAMP WITH TIME ZONE)"};
    dw_type_kind kind = specs[field].kind;
    dw__strbuf_append(out, kind == DW_TYPE_STRING ? DW_STR("") : DW_STR("CAST("));
    dw__strbuf_printf(out, "dw_partition(file_index, %zu)", first_value + (size_t) field);
    if (kind != DW_TYPE_STRING) {
        dw__strbuf_append(out, dw__str_from(casts[kind]));
    }
}

/* The materialised value where there is one. */
static void
put_row_value(dw_strbuf *out, dw_str column, const char *inner_name, metadata_field fallback,
              size_t first_value)
{
    bool is_materialised = column.len > 0;
    dw__strbuf_append(out, is_materialised ? DW_STR("coalesce(") : DW_STR(""));
    if (is_materialised) {
        dw__strbuf_append(out, dw__str_from(inner_name));
        dw__strbuf_append_literal(out, ", ");
    }
    put_value(out, fallback, first_value);
    dw__strbuf_append(out,
                      fallback == FIELD_BASE_ROW_ID ? DW_STR(" + file_row_number") : DW_STR(""));
    dw__strbuf_append(out, is_materialised ? DW_STR(")") : DW_STR(""));
}

static void
put_row_id(dw_strbuf *out, const dw_scan_metadata *metadata, size_t first_value)
{
    put_row_value(out, metadata->columns.id, DW_ROW_ID_INNER, FIELD_BASE_ROW_ID, first_value);
}

static void
put_row_version(dw_strbuf *out, const dw_scan_metadata *metadata, size_t first_value)
{
    put_row_value(out, metadata->columns.version, DW_ROW_VERSION_INNER, FIELD_DEFAULT_VERSION,
                  first_value);
}

static void
put_struct(dw_strbuf *out, const dw_scan_metadata *metadata, size_t first_value)
{
    dw__strbuf_append_char(out, '{');
    for (size_t i = 0; i < dw__scan_metadata_value_count(metadata); i++) {
        dw__strbuf_printf(out, i > 0 ? ", '%s': " : "'%s': ", specs[i].name);
        put_value(out, (metadata_field) i, first_value);
    }
    if (metadata->tracks_rows) {
        dw__strbuf_append_literal(out, ", 'row_id': ");
        put_row_id(out, metadata, first_value);
        dw__strbuf_append_literal(out, ", 'row_commit_version': ");
        put_row_version(out, metadata, first_value);
    }
    dw__strbuf_append_char(out, '}');
}

void
dw__scan_metadata_put(dw_strbuf *out, const dw_scan_metadata *metadata, size_t column,
                      size_t first_value)
{
    size_t id_column = metadata->has_struct ? 1 : 0;
    dw_assert(column < dw__scan_metadata_column_count(metadata));
    if (column < id_column) {
        put_struct(out, metadata, first_value);
    } else if (column == id_column) {
        put_row_id(out, metadata, first_value);
    } else {
        put_row_version(out, metadata, first_value);
    }
}
