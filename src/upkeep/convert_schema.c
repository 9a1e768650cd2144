/*
 * The columns of the files. Footers are read one by one, and the engine is asked what it makes of
 * each list of columns once.
 */
#include "engine/database.h"
#include "parquet/footer.h"
#include "parquet/thrift.h"
#include "scan/scan.h"
#include "upkeep/convert_core.h"

#define VIEW_NAME DW_STR("dw_convert_file")
#define FOOTER_SCHEMA 2

/*
 * ---- The columns of one file ------------------------------------------------------------------
 */

/* Makes a view of that SQL, in which dw_files() stands for the one file. */
static dw_status
bind_file(dw_converting *c, dw_str key, const char *sql, dw_error *err)
{
    dw_str *path = DW_ARENA_NEW(&c->arena, dw_str); /* borrowed until the scan is unbound */
    if (path == NULL) {
        return dw__error_oom(err);
    }
    *path = dw__arena_printf(&c->arena, "%.*s/%.*s", DW_STR_ARG(dw__table_root(c->table)),
                             DW_STR_ARG(key));
    if (dw__str_is_null(*path)) {
        return dw__error_oom(err);
    }
    dw_scan_files files = {.paths = path, .count = 1};
    return dw__connection_bind_scan(c->upkeep->connection, VIEW_NAME, dw__str_from(sql), &files,
                                    err);
}

static dw_status
describe_file(dw_converting *c, dw_str key, dw_query_column **out, size_t *count_out, dw_error *err)
{
    DW_TRY(bind_file(c, key, "SELECT * FROM read_parquet(dw_files(), hive_partitioning = false)",
                     err));
    dw_status status =
        dw__connection_describe(c->upkeep->connection, DW_STR("SELECT * FROM dw_convert_file"),
                                &c->arena, out, count_out, err);
    dw__connection_unbind_scan(c->upkeep->connection, VIEW_NAME);
    return status;
}

/* What Delta's readers would not find in the file: the engine reads it as something that Delta
 * tables have. */
static dw_status
refuse_types(dw_converting *c, dw_str key, dw_error *err)
{
    dw_text_rows rows;
    DW_TRY(bind_file(c, key,
                     "SELECT name, CASE WHEN contains(logical_type, 'NANOS=Nano') THEN 'time in "
                     "nanoseconds' WHEN precision > 38 THEN 'decimal of more than 38 digits' ELSE "
                     "'UUID' END AS kind FROM "
                     "parquet_schema(dw_files()) WHERE contains(logical_type, 'NANOS=Nano') OR "
                     "starts_with(logical_type, 'UUID') OR precision > 38",
                     err));
    dw_status status = dw__connection_query_text(
        c->upkeep->connection, DW_STR("SELECT * FROM dw_convert_file"), &c->arena, &rows, err);
    dw__connection_unbind_scan(c->upkeep->connection, VIEW_NAME);
    DW_TRY(status);
    if (rows.row_count == 0) {
        return DW_OK;
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT, "TYPE_UNSUPPORTED",
                         "column \"%.*s\" of %.*s is a %.*s, which data files of Delta tables do "
                         "not have: load the files with COPY INTO, which rewrites them",
                         DW_STR_ARG(rows.cells[0]), DW_STR_ARG(key), DW_STR_ARG(rows.cells[1]));
}

static dw_status
columns_of(dw_converting *c, dw_str key, const dw_pq_footer *footer, const dw_type **out,
           dw_error *err)
{
    dw_query_column *columns;
    size_t count;
    DW_TRY(refuse_types(c, key, err));
    DW_TRY(describe_file(c, key, &columns, &count, err));
    dw_field *fields = DW_ARENA_ARRAY(&c->arena, dw_field, count + 1);
    if (fields == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        if (dw__pq_child(footer, &footer->nodes[0], columns[i].name) == NULL) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "COLUMN_DUPLICATE",
                                 "two columns of %.*s have names that differ in case only, which "
                                 "are the same to Delta: the second would become \"%.*s\"",
                                 DW_STR_ARG(key), DW_STR_ARG(columns[i].name));
        }
        fields[i] = (dw_field){.name = columns[i].name,
                               .nullable = true,
                               .metadata_json = DW_STR("{}"),
                               .physical_name = columns[i].name,
                               .mapping_id = -1,
                               .extra_json = DW_STR("")};
        dw_status status = dw__engine_type_parse(columns[i].name, columns[i].type, &c->arena,
                                                 &fields[i].type, err);
        if (status != DW_OK) {
            dw__error_context(err, "%.*s", DW_STR_ARG(key));
            return status;
        }
    }
    *out = dw__type_make_struct(&c->arena, fields, count);
    bool has_instants = false;
    if (*out != NULL) {
        *out = dw__scan_mark_instants(footer, &footer->nodes[0], *out, &c->arena, &has_instants);
    }
    c->has_unmarked = c->has_unmarked || has_instants;
    return *out == NULL ? dw__error_oom(err) : DW_OK;
}

/* ---- Merging --------------------------------------------------------------------------------- */

typedef struct merge {
    dw_arena *arena;
    dw_str key; /* of the file that comes in addition */
    dw_error *err;
} merge;

static dw_status merge_types(const merge *m, dw_str column, const dw_type *a, const dw_type *b,
                             const dw_type **out);

static dw_status
conflict(const merge *m, dw_str column, const dw_type *a, const dw_type *b)
{
    char expected[DW_TYPE_TEXT_SIZE], found[DW_TYPE_TEXT_SIZE];
    return dw__error_set(m->err, DW_INVALID_ARGUMENT, "SCHEMA_CONFLICT",
                         "expected column \"%.*s\" of %.*s to have the type %s, as in the files "
                         "before it, found %s: rewrite the file, or load all with COPY INTO",
                         DW_STR_ARG(column), DW_STR_ARG(m->key), dw__type_text(a, expected),
                         dw__type_text(b, found));
}

static dw_status
merge_fields(const merge *m, const dw_type *a, const dw_type *b, const dw_type **out)
{
    dw_field *fields = DW_ARENA_ARRAY(m->arena, dw_field, a->field_count + b->field_count + 1);
    if (fields == NULL) {
        return dw__error_oom(m->err);
    }
    size_t count = a->field_count;
    for (size_t i = 0; i < count; i++) {
        fields[i] = a->fields[i];
    }
    for (size_t i = 0; i < b->field_count; i++) {
        const dw_field *field = &b->fields[i];
        size_t idx = dw__schema_find_idx(a, field->name);
        if (idx == SIZE_MAX) {
            fields[count++] = *field;
        } else if (!dw__str_equal(a->fields[idx].name, field->name)) {
            return dw__error_set(m->err, DW_INVALID_ARGUMENT, "SCHEMA_CONFLICT",
                                 "expected the column \"%.*s\", as files before it spell it, found "
                                 "\"%.*s\" in %.*s: rewrite the file, or load all with COPY INTO",
                                 DW_STR_ARG(a->fields[idx].name), DW_STR_ARG(field->name),
                                 DW_STR_ARG(m->key));
        } else {
            DW_TRY(
                merge_types(m, field->name, a->fields[idx].type, field->type, &fields[idx].type));
        }
    }
    *out = dw__type_make_struct(m->arena, fields, count);
    return *out == NULL ? dw__error_oom(m->err) : DW_OK;
}

/* Recursion is at most DW_SCHEMA_DEPTH_MAX deep. */
static dw_status
merge_types(const merge *m, dw_str column, const dw_type *a, const dw_type *b, const dw_type **out)
{
    const dw_type *key, *element;
    *out = a;
    if (dw__type_equal(a, b, true)) {
        return DW_OK;
    }
    if (a->kind != b->kind || !dw__type_is_nested(a)) {
        return conflict(m, column, a, b);
    }
    if (a->kind == DW_TYPE_STRUCT) {
        return merge_fields(m, a, b, out);
    }
    DW_TRY(merge_types(m, column, a->element, b->element, &element));
    if (a->kind == DW_TYPE_MAP) {
        DW_TRY(merge_types(m, column, a->key, b->key, &key));
        *out = dw__type_make_map(m->arena, key, element, true);
    } else {
        *out = dw__type_make_array(m->arena, element, true);
    }
    return *out == NULL ? dw__error_oom(m->err) : DW_OK;
}

/* ---- All files ------------------------------------------------------------------------------- */

/* The bytes that say which columns a file has. */
static dw_str
schema_bytes(dw_str footer)
{
    dw_thrift thrift = dw__thrift_make(footer);
    dw_thrift_field field = {0};
    while (dw__thrift_next(&thrift, &field)) {
        const char *start = thrift.at;
        dw__thrift_skip(&thrift, &field);
        if (field.id == FOOTER_SCHEMA && !thrift.failed) {
            return dw__str_make(start, (size_t) (thrift.at - start));
        }
    }
    return DW_STR("");
}

static dw_status
not_parquet(dw_str key, dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, "NOT_PARQUET",
                         "expected a Parquet file, found %.*s, whose footer cannot be read: move "
                         "it away, or give it a name that begins with \"_\" or \".\"",
                         DW_STR_ARG(key));
}

static dw_status
merge_shape(dw_converting *c, dw_str key, dw_str shape, const dw_pq_footer *footer, dw_error *err)
{
    const dw_type *columns;
    dw_str kept;
    if (dw__map_get(&c->shapes, shape) != NULL) {
        return DW_OK;
    }
    if (c->shapes.count == DW_CONVERT_SHAPES_MAX) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "SIZE_LIMIT",
                             "the files have more than %zu different lists of columns: load them "
                             "with COPY INTO",
                             DW_CONVERT_SHAPES_MAX);
    }
    if (!dw__arena_dup(&c->arena, shape, &kept) || dw__map_put(&c->shapes, kept, NULL) == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(columns_of(c, key, footer, &columns, err));
    if (c->file_columns == NULL) {
        c->file_columns = columns;
        return DW_OK;
    }
    merge m = {&c->arena, key, err};
    return merge_fields(&m, c->file_columns, columns, &c->file_columns);
}

static dw_status
look_into(dw_converting *c, dw_convert_file *file, dw_error *err)
{
    dw_pq_source source = {
        .storage = dw__table_storage(c->table), .key = file->key, .size_bytes = file->size_bytes};
    dw_str footer_bytes;
    dw_pq_footer footer;
    dw_error cause = DW_ERROR_INIT;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, c->arena.allocator);
    DW_AUTO(dw_strbuf) bytes =
        dw__strbuf_make(c->arena.allocator, DW_PQ_FOOTER_BYTES_MAX + DW_PQ_END_BYTES);
    dw_status status = dw__pq_source_footer(&source, &bytes, &footer_bytes, &cause);
    if (status == DW_OK) {
        status = dw__pq_footer_parse(footer_bytes, &arena, &footer, &cause);
    }
    if (status == DW_UNSUPPORTED) {
        return not_parquet(file->key, err);
    }
    if (status != DW_OK) {
        dw__error_copy(err, &cause);
        return status;
    }
    file->has_old_times =
        dw__pq_has_old_dates(&footer.spark) || dw__pq_has_old_int96(&footer.spark);
    return merge_shape(c, file->key, schema_bytes(footer_bytes), &footer, err);
}

/* The partition columns have the types that were given; files may have them, too, and then say
 * where they stand. */
static dw_status
add_partition_columns(dw_converting *c, dw_error *err)
{
    size_t given = c->spec->partition_count;
    size_t count = c->file_columns->field_count;
    size_t left = 0;
    dw_field *fields = DW_ARENA_ARRAY(&c->arena, dw_field, count + given + 1);
    dw_field *others = DW_ARENA_ARRAY(&c->arena, dw_field, count + 1);
    c->partition_columns = DW_ARENA_ARRAY(&c->arena, dw_str, given + 1);
    if (fields == NULL || others == NULL || c->partition_columns == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < given; i++) {
        c->partition_columns[i] = c->spec->partition_fields[i].name;
    }
    for (size_t i = 0; i < count; i++) {
        fields[i] = c->file_columns->fields[i];
    }
    for (size_t i = 0; i < given; i++) {
        size_t idx = dw__schema_find_idx(c->file_columns, c->partition_columns[i]);
        fields[idx == SIZE_MAX ? count++ : idx] = c->spec->partition_fields[i];
    }
    for (size_t i = 0; i < c->file_columns->field_count; i++) {
        if (dw__str_equal(fields[i].name, c->file_columns->fields[i].name) &&
            !dw__str_among(c->partition_columns, given, fields[i].name)) {
            others[left++] = fields[i];
        }
    }
    c->schema = dw__type_make_struct(&c->arena, fields, count);
    c->file_columns = dw__type_make_struct(&c->arena, others, left);
    return c->schema == NULL || c->file_columns == NULL ? dw__error_oom(err) : DW_OK;
}

dw_status
dw__convert_find_schema(dw_converting *c, dw_error *err)
{
    for (size_t i = 0; i < c->files.count; i++) {
        DW_TRY(dw__upkeep_check(c->upkeep, err));
        DW_TRY(look_into(c, &c->files.items[i], err));
    }
    DW_TRY(add_partition_columns(c, err));
    return dw__schema_check(c->schema, c->partition_columns, c->spec->partition_count, false, err);
}
