/*
 * Writing data files through the engine's COPY and describing them.
 */
#include "table/data_files.h"

#include "base/assert.h"
#include "codec/codec.h"
#include "codec/uri.h"
#include "parquet/regroup.h"
#include "protocol/feature_use.h"
#include "protocol/stats.h"
#include "scan/scan.h"
#include "table/file_cut.h"
#include "table/file_layout.h"
#include "table/filters.h"
#include "table/long_partition.h"

#define STATS_BYTES_MAX ((size_t) 64 << 20)
#define LIST_PAGE 1000

/* Everything that one write carries around. */
typedef struct data_write {
    dw_table *table;
    const dw_data_target *target;
    dw_arena *arena;
    const dw_field **partition_fields;
    dw_column_path *stats_columns;
    size_t stats_column_count;
    dw_str *stats_names; /* as the engine spells the leaves: "s"."y" */
} data_write;

/* ---- The target ------------------------------------------------------------------------------ */

dw_data_target
dw__data_target_of(const dw_log_snapshot *snapshot)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    return (dw_data_target){.schema = dw__log_snapshot_schema(snapshot),
                            .partition_columns = metadata->partition_columns,
                            .partition_column_count = metadata->partition_column_count,
                            .protocol = dw__log_snapshot_protocol(snapshot),
                            .properties = dw__log_snapshot_properties(snapshot),
                            .clustering = dw__log_snapshot_clustering(snapshot)};
}

dw_status
dw__data_target_add_column(dw_data_target *target, dw_str name, dw_type_kind kind, dw_arena *arena,
                           dw_error *err)
{
    dw_type *schema = DW_ARENA_NEW(arena, dw_type);
    const dw_type *type = dw__type_make(arena, kind);
    size_t count = target->schema->field_count;
    dw_field *fields = DW_ARENA_ARRAY(arena, dw_field, count + 1);
    if (schema == NULL || type == NULL || fields == NULL) {
        return dw__error_oom(err);
    }
    if (count > 0) {
        memcpy(fields, target->schema->fields, count * sizeof(*fields));
    }
    /* Without metadata: that marks it as no column of the table. */
    fields[count] = (dw_field){
        .name = name, .physical_name = name, .type = type, .nullable = true, .mapping_id = -1};
    *schema = *target->schema;
    schema->fields = fields;
    schema->field_count = count + 1;
    target->schema = schema;
    return DW_OK;
}

dw_status
dw__data_target_keeping_ids(const dw_log_snapshot *snapshot, dw_arena *arena, dw_data_target *out,
                            dw_error *err)
{
    *out = dw__data_target_of(snapshot);
    return dw__data_target_keep_ids(snapshot, arena, out, err);
}

dw_status
dw__data_target_keep_ids(const dw_log_snapshot *snapshot, dw_arena *arena, dw_data_target *out,
                         dw_error *err)
{
    if (!out->properties->enable_row_tracking) {
        return DW_OK;
    }
    dw_row_id_columns columns = dw__scan_row_id_columns(snapshot);
    if (columns.id.len == 0 || columns.version.len == 0) {
        return dw__error_set(err, DW_CORRUPT, "ROW_TRACKING_INVALID",
                             "expected delta.rowTracking.materializedRowIdColumnName and "
                             "...RowCommitVersionColumnName beside delta.enableRowTracking = true, "
                             "found no %s: rows that move could not keep their ids",
                             columns.id.len == 0 ? "first" : "second");
    }
    DW_TRY(dw__data_target_add_column(out, columns.id, DW_TYPE_LONG, arena, err));
    return dw__data_target_add_column(out, columns.version, DW_TYPE_LONG, arena, err);
}

/* ---- Setting up ------------------------------------------------------------------------------ */

static dw_status
find_partition_fields(data_write *write, dw_error *err)
{
    const dw_data_target *target = write->target;
    write->partition_fields =
        DW_ARENA_ARRAY(write->arena, const dw_field *, target->partition_column_count + 1);
    if (write->partition_fields == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < target->partition_column_count; i++) {
        write->partition_fields[i] = dw__schema_find(target->schema, target->partition_columns[i]);
        if (write->partition_fields[i] == NULL) {
            return dw__error_set(err, DW_CORRUPT, "METADATA_INVALID",
                                 "partition column \"%.*s\" is not in the schema",
                                 DW_STR_ARG(target->partition_columns[i]));
        }
    }
    return DW_OK;
}

/* "a", or "s"."y": the spelling of leaves in the engine's statistics. */
static dw_status
name_stats_columns(data_write *write, dw_error *err)
{
    write->stats_names = DW_ARENA_ARRAY(write->arena, dw_str, write->stats_column_count + 1);
    if (write->stats_names == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < write->stats_column_count; i++) {
        const dw_column_path *path = &write->stats_columns[i];
        DW_AUTO(dw_strbuf) name = dw__strbuf_make(write->arena->allocator, STATS_BYTES_MAX);
        for (size_t k = 0; k < path->count; k++) {
            dw__strbuf_append(&name, k == 0 ? DW_STR("") : DW_STR("."));
            dw__sql_put_identifier(&name, path->parts[k]);
        }
        DW_TRY(dw__strbuf_ok(&name, "a column's name", err));
        if (!dw__arena_dup(write->arena, dw__strbuf_str(&name), &write->stats_names[i])) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

/* Columns that a writer puts behind the table's have no statistics. */
static dw_type
columns_of_table(const dw_type *schema)
{
    dw_type columns = *schema;
    while (columns.field_count > 0 &&
           dw__str_is_null(columns.fields[columns.field_count - 1].metadata_json)) {
        columns.field_count--;
    }
    return columns;
}

static dw_status
data_write_init(data_write *write, dw_table *table, const dw_data_target *target, dw_arena *arena,
                dw_error *err)
{
    *write = (data_write){.table = table, .target = target, .arena = arena};
    DW_TRY(find_partition_fields(write, err));
    dw_type columns = columns_of_table(target->schema);
    DW_TRY(dw__stats_columns_clustered(
        &columns, target->partition_columns, target->partition_column_count, target->properties,
        target->clustering, arena, &write->stats_columns, &write->stats_column_count, err));
    return name_stats_columns(write, err);
}

/* ---- From what was written to actions -------------------------------------------------------- */

static bool
is_float(const dw_type *type)
{
    return type->kind == DW_TYPE_FLOAT || type->kind == DW_TYPE_DOUBLE;
}

/* A bound as the engine printed it. What does not parse is left out: statistics may be missing,
 * never wrong. */
static bool
parse_bound(const data_write *write, const dw_type *type, dw_str text, dw_value *out)
{
    if (dw__str_is_null(text)) {
        return false;
    }
    if (type->kind == DW_TYPE_STRING) {
        *out = (dw_value){.kind = DW_VALUE_STR, .as.str = text};
        return true;
    }
    dw_field field = {.name = DW_STR("bound"), .type = type};
    return dw__partition_value_parse(&field, text, write->arena, out, NULL) == DW_OK &&
           out->kind != DW_VALUE_NULL;
}

static const dw_copy_column *
find_copy_column(const dw_copy_file *file, dw_str name)
{
    for (size_t i = 0; i < file->column_count; i++) {
        if (dw__str_equal(file->columns[i].column, name)) {
            return &file->columns[i];
        }
    }
    return NULL;
}

/* Not a number compares above everything in the engine and has no place in JSON: a maximum of a
 * column that holds one is no bound. */
static void
fill_entry(const data_write *write, const dw_copy_file *file, size_t idx, dw_stats_entry *out)
{
    const dw_column_path *path = &write->stats_columns[idx];
    *out = (dw_stats_entry){.column = *path};
    const dw_copy_column *column = find_copy_column(file, write->stats_names[idx]);
    if (column == NULL) {
        return;
    }
    out->stats.has_null_count = column->has_null_count;
    out->stats.null_count = column->null_count;
    if (!dw__stats_has_bounds(path->type)) {
        return;
    }
    bool has_nan = is_float(path->type) && column->has_nan;
    out->stats.has_min = !has_nan && parse_bound(write, path->type, column->min, &out->stats.min);
    out->stats.has_max = !has_nan && parse_bound(write, path->type, column->max, &out->stats.max);
}

static dw_status
print_stats(const data_write *write, const dw_copy_file *file, dw_str *out, dw_error *err)
{
    dw_stats_entry *entries =
        DW_ARENA_ARRAY(write->arena, dw_stats_entry, write->stats_column_count + 1);
    if (entries == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < write->stats_column_count; i++) {
        fill_entry(write, file, i, &entries[i]);
    }
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(write->arena->allocator, STATS_BYTES_MAX);
    DW_TRY(dw__stats_print(&json, file->row_count, true, entries, write->stats_column_count,
                           write->target->properties->data_skipping_string_prefix_length, err));
    DW_TRY(dw__strbuf_ok(&json, "the statistics of a file", err));
    return dw__arena_dup(write->arena, dw__strbuf_str(&json), out) ? DW_OK : dw__error_oom(err);
}

/* The value of a hexadecimal digit as the engine writes it. */
static int
upper_hex(char c)
{
    return c >= 'A' ? c - 'A' + 10 : c - '0';
}

/* The bytes that the engine spells as text, where \xHH stands for what cannot be printed. */
static dw_status
read_bytes(const data_write *write, dw_str text, dw_value *out, dw_error *err)
{
    *out = (dw_value){.kind = DW_VALUE_NULL};
    if (text.len == 0) {
        return DW_OK;
    }
    char *bytes = dw__arena_alloc_bytes(write->arena, text.len);
    if (bytes == NULL) {
        return dw__error_oom(err);
    }
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        bytes[len] = text.ptr[i];
        if (text.ptr[i] == '\\' && i + 3 < text.len) {
            bytes[len] = (char) (upper_hex(text.ptr[i + 2]) * 16 + upper_hex(text.ptr[i + 3]));
            i += 3;
        }
        len++;
    }
    out->kind = DW_VALUE_STR;
    out->as.str = dw__str_make(bytes, len);
    return DW_OK;
}

static dw_status
read_partition_value(const data_write *write, const dw_field *field, dw_str text, dw_value *out,
                     dw_error *err)
{
    if (field->type->kind == DW_TYPE_BINARY) {
        return read_bytes(write, text, out, err);
    }
    return dw__partition_value_parse(field, text, write->arena, out, err);
}

static dw_status
print_partition_values(const data_write *write, const dw_copy_file *file, dw_pairs *out,
                       dw_error *err)
{
    size_t count = write->target->partition_column_count;
    if (write->target->partition != NULL) {
        *out = *write->target->partition;
        return DW_OK;
    }
    out->items = DW_ARENA_ARRAY(write->arena, dw_pair, count + 1);
    if (out->items == NULL) {
        return dw__error_oom(err);
    }
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        const dw_field *field = write->partition_fields[i];
        dw_value value;
        out->items[i].key = field->physical_name;
        DW_TRY(read_partition_value(write, field, file->partition_values[i], &value, err));
        DW_TRY(dw__partition_value_print(field, &value, write->arena, &out->items[i].value, err));
    }
    return DW_OK;
}

static dw_status
print_path(const data_write *write, dw_str path, dw_str *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) encoded = dw__strbuf_make(write->arena->allocator, STATS_BYTES_MAX);
    dw__uri_encode_path(&encoded, path);
    DW_TRY(dw__strbuf_ok(&encoded, "a file's path", err));
    return dw__arena_dup(write->arena, dw__strbuf_str(&encoded), out) ? DW_OK : dw__error_oom(err);
}

/* Describes one file, which is durable already. */
static dw_status
finish_file(const data_write *write, const dw_copy_file *file, dw_file *out, dw_error *err)
{
    *out = (dw_file){.has_partition_values = true,
                     .has_size = true,
                     .size_bytes = file->size_bytes,
                     .modification_time_ms = dw__env_now_ms(dw__table_env(write->table)),
                     .data_change = true};
    DW_TRY(print_path(write, file->path, &out->path, err));
    DW_TRY(print_partition_values(write, file, &out->partition_values, err));
    return print_stats(write, file, &out->stats, err);
}

/* All at once: the file system then waits for its journal once, not file by file. */
static dw_status
sync_files(const data_write *write, const dw_copy_file *files, size_t count, dw_error *err)
{
    dw_sync_request *requests = DW_ARENA_ARRAY(write->arena, dw_sync_request, count + 1);
    if (requests == NULL) {
        return dw__error_oom(err);
    }
    size_t request_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (files[i].row_count > 0) {
            requests[request_count++] = (dw_sync_request){files[i].path, files[i].size_bytes};
        }
    }
    return dw__storage_sync_many(dw__table_storage(write->table), requests, request_count, err);
}

static dw_status
finish_files(const data_write *write, const dw_copy_file *files, size_t count, dw_data_files *out,
             dw_error *err)
{
    out->adds = DW_ARENA_ARRAY(write->arena, dw_file, count + 1);
    if (out->adds == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(sync_files(write, files, count, err));
    for (size_t i = 0; i < count; i++) {
        if (files[i].row_count == 0) { /* an empty file says nothing: it is not committed */
            DW_TRY(dw__storage_remove(dw__table_storage(write->table), files[i].path, err));
            continue;
        }
        DW_TRY(finish_file(write, &files[i], &out->adds[out->count], err));
        out->count++;
        out->row_count += files[i].row_count;
        out->size_bytes += files[i].size_bytes;
    }
    return DW_OK;
}

/* ---- Cleaning up ----------------------------------------------------------------------------- */

static bool
contains(dw_str text, dw_str part)
{
    return memmem(text.ptr, text.len, part.ptr, part.len) != NULL;
}

/* Removes whatever carries the unique name of a failed write, complete or begun. */
static void
remove_named(dw_table *table, dw_str unique)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(table)->allocator);
    dw_storage *storage = dw__table_storage(table);
    dw_list_request request = {.prefix = DW_STR(""),
                               .start_after = DW_STR_NULL,
                               .limit = LIST_PAGE,
                               .recursive = true,
                               .names_only = true};
    dw_list_page page = {.has_more = true};
    while (page.has_more && dw__storage_list(storage, &request, &arena, &page, NULL) == DW_OK) {
        for (size_t i = 0; i < page.count; i++) {
            if (contains(page.objects[i].key, unique) &&
                dw__storage_remove(storage, page.objects[i].key, NULL) != DW_OK) {
                dw__env_warn(dw__table_env(table), "could not remove %.*s, which no version uses",
                             DW_STR_ARG(page.objects[i].key));
            }
        }
        if (page.count == 0) {
            return;
        }
        request.start_after = page.objects[page.count - 1].key;
    }
}

void
dw__data_files_discard(dw_table *table, const dw_data_files *files)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(table)->allocator);
    for (size_t i = 0; i < files->count; i++) {
        dw_str key;
        if (dw__uri_decode(&arena, files->adds[i].path, &key, NULL) != DW_OK ||
            dw__storage_remove(dw__table_storage(table), key, NULL) != DW_OK) {
            dw__env_warn(dw__table_env(table), "could not remove %.*s, which no version uses",
                         DW_STR_ARG(files->adds[i].path));
        }
    }
    dw__filters_discard(table, files->adds, files->count);
}

/* ---- The whole ------------------------------------------------------------------------------- */

/* The null string when out of memory. */
static dw_str
below(const data_write *write, dw_str directory, dw_str name)
{
    return dw__arena_printf(write->arena, "%.*s/%.*s", DW_STR_ARG(directory), DW_STR_ARG(name));
}

/* The engine names files below its directory; keys are below the root. */
static dw_status
name_from_root(const data_write *write, dw_copy_file *files, size_t count, dw_error *err)
{
    dw_str directory = write->target->directory;
    for (size_t i = 0; i < count && !dw__str_is_null(directory); i++) {
        files[i].path = below(write, directory, files[i].path);
        if (dw__str_is_null(files[i].path)) {
            return dw__error_oom(err);
        }
    }
    return DW_OK;
}

/* Makes variants of their parts, in each file. */
static dw_status
join_parts(const data_write *write, dw_str mark, dw_copy_file *files, size_t count, dw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        dw_pq_source source = {.storage = dw__table_storage(write->table),
                               .key = files[i].path,
                               .size_bytes = files[i].size_bytes};
        DW_TRY(dw__pq_regroup(&source, mark, err));
        files[i].size_bytes = source.size_bytes;
    }
    return DW_OK;
}

/* Where all rows are in one partition its columns are left out here, not by the engine. */
static dw_status
print_rows(const data_write *write, const dw_file_layout *layout, dw_str query, dw_str mark,
           dw_strbuf *out, dw_error *err)
{
    size_t count = write->target->partition_column_count;
    bool leaves_out =
        write->target->partition != NULL && count > 0 && !layout->has_partition_columns;
    if (leaves_out) {
        dw__strbuf_append_literal(out, "SELECT * EXCLUDE (");
        for (size_t i = 0; i < count; i++) {
            dw__strbuf_append(out, i == 0 ? DW_STR("") : DW_STR(", "));
            dw__sql_put_identifier(out, layout->partition_columns[i]);
        }
        dw__strbuf_append_literal(out, ") FROM (");
    }
    DW_TRY(dw__file_layout_print_query(layout, query, mark, out, err));
    dw__strbuf_append(out, leaves_out ? DW_STR("\n)") : DW_STR(""));
    return dw__strbuf_ok(out, "the statement", err);
}

/* The engine names directories after values: it fails on bytes that are no text, and on values for
 * which no file system has a name. */
static dw_status
explain_copy_error(const data_write *write, dw_connection *connection, dw_str query,
                   dw_status status, dw_error *err)
{
    size_t count = write->target->partition != NULL ? 0 : write->target->partition_column_count;
    const dw_field *longest = dw__long_partition_find(write->partition_fields, count, status, err);
    if (longest != NULL) {
        bool can_ask = !write->target->query_runs_once;
        return dw__long_partition_refuse(longest, can_ask ? connection : NULL, query, write->arena,
                                         err);
    }
    for (size_t i = 0; status == DW_INVALID_ARGUMENT && err != NULL && i < count; i++) {
        const dw_field *field = write->partition_fields[i];
        if (field->type->kind == DW_TYPE_BINARY && strstr(err->message, "nvalid unicode") != NULL) {
            return dw__partition_value_refuse(field, err);
        }
    }
    return status;
}

/* What the index files of the table say of the new files, under the unique part of their names. An
 * index is never worth losing a write for. */
static dw_status
make_filters(const data_write *write, dw_connection *connection, dw_str prefix,
             const dw_copy_file *files, size_t count, const dw_data_files *done, dw_error *err)
{
    dw_error cause = DW_ERROR_INIT;
    int64_t *row_counts = DW_ARENA_ARRAY(write->arena, int64_t, done->count + 1);
    size_t found = 0;
    if (row_counts == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        if (files[i].row_count > 0) {
            row_counts[found++] = files[i].row_count;
        }
    }
    dw_assert(found == done->count);
    dw_status status = dw__filters_of_new(write->table, connection, write->target,
                                          dw__str_slice(prefix, sizeof("part-") - 1, prefix.len),
                                          done->adds, row_counts, found, write->arena, &cause);
    if (status == DW_OUT_OF_MEMORY || status == DW_CANCELLED) {
        dw__error_copy(err, &cause);
        return status;
    }
    if (status != DW_OK) {
        dw__env_warn(dw__table_env(write->table), "new files got no bloom filters: %s",
                     cause.message);
    }
    return DW_OK;
}

static dw_status
copy_rows(data_write *write, dw_connection *connection, dw_str query, dw_str prefix,
          dw_data_files *out, dw_error *err)
{
    const dw_data_target *target = write->target;
    dw_str directory = dw__table_root(write->table);
    if (!dw__str_is_null(target->directory)) {
        directory = below(write, directory, target->directory);
    }
    if (dw__str_is_null(directory)) {
        return dw__error_oom(err);
    }
    dw_file_layout layout;
    DW_TRY(dw__file_layout_make(target, write->arena, &layout, err));
    DW_TRY(dw__file_layout_shred(&layout, connection, query, write->arena, err));
    DW_AUTO(dw_strbuf) copy_query = dw__strbuf_make(write->arena->allocator, DW_COMMIT_BYTES_MAX);
    dw_str mark = dw__arena_printf(write->arena, "%.*s:", DW_STR_ARG(prefix));
    if (dw__str_is_null(mark)) {
        return dw__error_oom(err);
    }
    DW_TRY(print_rows(write, &layout, query, mark, &copy_query, err));
    bool has_one_partition = target->partition != NULL;
    bool has_file_column = !dw__str_is_null(target->file_column);
    dw_copy_request request = {.query = dw__strbuf_str(&copy_query),
                               .directory = directory,
                               .file_prefix = prefix,
                               .partition_columns = layout.partition_columns,
                               .partition_column_count =
                                   has_one_partition ? 0 : target->partition_column_count,
                               .file_column = target->file_column,
                               .partition_count_max = target->partition_count_max,
                               .writes_partition_columns = layout.has_partition_columns,
                               .is_one_file = has_one_partition && !has_file_column,
                               .file_size_bytes = target->properties->target_file_size_bytes,
                               .compression = target->properties->compression_codec,
                               .field_ids = layout.field_ids};
    dw_copy_file *files = NULL;
    size_t count = 0;
    dw_status status = dw__connection_copy(connection, &request, write->arena, &files, &count, err);
    if (status != DW_OK) {
        return explain_copy_error(write, connection, query, status, err);
    }
    DW_TRY(name_from_root(write, files, count, err));
    if (has_file_column) { /* only what is far from what the caller meant, as equal rows are */
        request.file_size_bytes *= request.file_size_bytes < INT64_MAX / 2 ? 2 : 1;
    }
    if (request.partition_column_count > 0 || has_file_column) {
        DW_TRY(
            dw__files_cut(write->table, connection, &request, write->arena, &files, &count, err));
    }
    if (layout.has_variants) {
        DW_TRY(join_parts(write, mark, files, count, err));
    }
    DW_TRY(finish_files(write, files, count, out, err));
    return make_filters(write, connection, prefix, files, count, out, err);
}

/* Variants are looked at before they are written: rows that come but once are put into a table of
 * the engine first. */
static bool
must_keep_rows(const dw_data_target *target)
{
    return target->query_runs_once && dw__schema_has_kind(target->schema, DW_TYPE_VARIANT) &&
           dw__shreds_variants(target->protocol, target->properties);
}

static dw_status
copy_kept_rows(data_write *write, dw_connection *connection, dw_str query, dw_str prefix,
               dw_data_files *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(write->arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__strbuf_printf(&sql, "CREATE TEMP TABLE \"%.*s\" AS ", DW_STR_ARG(prefix));
    dw__strbuf_append(&sql, query);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__connection_execute(connection, dw__strbuf_str(&sql), err));
    dw__strbuf_clear(&sql);
    dw__strbuf_printf(&sql, "SELECT * FROM \"%.*s\"", DW_STR_ARG(prefix));
    dw_status status = dw__strbuf_ok(&sql, "the statement", err);
    if (status == DW_OK) {
        status = copy_rows(write, connection, dw__strbuf_str(&sql), prefix, out, err);
    }
    dw__strbuf_clear(&sql);
    dw__strbuf_printf(&sql, "DROP TABLE \"%.*s\"", DW_STR_ARG(prefix));
    if (dw__connection_execute(connection, dw__strbuf_str(&sql), NULL) != DW_OK) {
        dw__env_warn(dw__table_env(write->table), "could not drop the table of a write's rows");
    }
    return status;
}

dw_status
dw__data_files_write(dw_table *table, dw_connection *connection, const dw_data_target *target,
                     dw_str query, dw_arena *arena, dw_data_files *out, dw_error *err)
{
    *out = (dw_data_files){0};
    data_write write;
    DW_TRY(data_write_init(&write, table, target, arena, err));
    dw_str directory = dw__str_is_null(target->directory) ? DW_STR("") : target->directory;
    DW_TRY(dw__storage_prepare(dw__table_storage(table), directory, err));
    char uuid[DW_UUID_TEXT_SIZE];
    dw__uuid_make(dw__table_env(table), uuid);
    dw_str prefix = dw__arena_printf(arena, "part-%s", uuid);
    if (dw__str_is_null(prefix)) {
        return dw__error_oom(err);
    }
    dw_status status = must_keep_rows(target)
                           ? copy_kept_rows(&write, connection, query, prefix, out, err)
                           : copy_rows(&write, connection, query, prefix, out, err);
    if (status != DW_OK) {
        remove_named(table, dw__str_from(uuid));
        *out = (dw_data_files){0};
    }
    return status;
}
