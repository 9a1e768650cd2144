/*
 * Making filters. Values are read back from the files: what was written is what readers will find,
 * whatever became of it on its way.
 */
#include "table/filters.h"

#include "base/vec.h"
#include "codec/codec.h"
#include "codec/uri.h"
#include "protocol/stats.h"
#include "scan/scan.h"
#include "scan/scan_sql.h"

#define SQL_BYTES_MAX ((size_t) 64 << 20)
#define VIEW_PREFIX "deltaworks_filters_"
/* Filters that are filled at once, and files that they are of. */
#define FILL_BYTES_MAX ((size_t) 64 << 20)
#define FILL_FILES_MAX ((size_t) 4096)
/* "part-", before the unique part of the name of a data file. */
#define PART_PREFIX "part-"
#define UUID_LEN (DW_UUID_TEXT_SIZE - 1)

dw_status
dw__filters_columns(const dw_log_snapshot *snapshot, dw_arena *arena, dw_bloom_columns *out,
                    dw_error *err)
{
    const dw_metadata *metadata = dw__log_snapshot_metadata(snapshot);
    return dw__bloom_columns_of(dw__log_snapshot_schema(snapshot), metadata->partition_columns,
                                metadata->partition_column_count, arena, out, err);
}

/* ---- One index file -------------------------------------------------------------------------- */

dw_status
dw__filters_open(const dw_bloom_columns *columns, const dw_allocator *allocator,
                 dw_index_writer **out, dw_error *err)
{
    dw_index_column described[DW_BLOOM_COLUMNS_MAX];
    for (size_t i = 0; i < columns->count; i++) {
        described[i] = (dw_index_column){.name = columns->items[i].field->physical_name,
                                         .type = columns->items[i].type,
                                         .options = columns->items[i].options};
    }
    return dw__index_writer_new(allocator, described, columns->count, out, err);
}

/* As many files as go together. */
static size_t
count_together(const dw_filter_file *files, size_t count, const dw_bloom_columns *columns)
{
    size_t bytes = 0;
    size_t together = 0;
    while (together < count && together < FILL_FILES_MAX && bytes < FILL_BYTES_MAX) {
        bytes += dw__filter_file_bytes(&files[together++], columns);
    }
    return together;
}

dw_status
dw__filters_put(dw_table *table, dw_index_writer *writer, dw_str unique, size_t number,
                int64_t *size_out, dw_error *err)
{
    DW_AUTO(dw_strbuf) bytes =
        dw__strbuf_make(dw__table_env(table)->allocator, 2 * DW_INDEX_WRITTEN_BYTES_MAX);
    DW_AUTO(dw_strbuf) key = dw__strbuf_make(bytes.allocator, DW_STORAGE_KEY_BYTES_MAX);
    DW_TRY(dw__index_writer_print(writer, &bytes, err));
    dw__strbuf_printf(&key, DW_INDEX_DIR DW_INDEX_PREFIX "%.*s-%zu" DW_INDEX_SUFFIX,
                      DW_STR_ARG(unique), number);
    DW_TRY(dw__strbuf_ok(&key, "the name of an index file", err));
    DW_TRY(dw__storage_put_if_absent(dw__table_storage(table), dw__strbuf_str(&key),
                                     dw__strbuf_str(&bytes), err));
    *size_out = (int64_t) bytes.len;
    dw__bloom_store_note_change(dw__log_filters(dw__table_log(table)));
    return DW_OK;
}

static void
make_name(const dw_table *table, char name[sizeof(VIEW_PREFIX) + DW_UUID_TEXT_SIZE])
{
    memcpy(name, VIEW_PREFIX, sizeof(VIEW_PREFIX));
    dw__uuid_make(dw__table_env(table), name + sizeof(VIEW_PREFIX) - 1);
}

static dw_status
fill_from(dw_connection *connection, dw_str view, const dw_bloom_columns *columns,
          const dw_filter_file *files, size_t count, dw_index_writer *writer, dw_error *err)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(dw__index_writer_allocator(writer), SQL_BYTES_MAX);
    dw__filters_put_select(&sql, view, columns);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    return dw__filters_fill(connection, dw__strbuf_str(&sql), columns, files, count, writer, err);
}

/* ---- New files ------------------------------------------------------------------------------- */

typedef struct new_files {
    dw_table *table;
    dw_connection *connection;
    const dw_data_target *target;
    dw_bloom_columns columns;
    const dw_type *schema; /* of the indexed columns */
    dw_arena *arena;
} new_files;

static dw_status
choose_columns(new_files *n, dw_error *err)
{
    DW_TRY(dw__bloom_columns_of(n->target->schema, n->target->partition_columns,
                                n->target->partition_column_count, n->arena, &n->columns, err));
    dw_field *fields = DW_ARENA_ARRAY(n->arena, dw_field, n->columns.count + 1);
    if (fields == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < n->columns.count; i++) {
        fields[i] = *n->columns.items[i].field;
    }
    n->schema = dw__type_make_struct(n->arena, fields, n->columns.count);
    return n->schema == NULL ? dw__error_oom(err) : DW_OK;
}

static dw_status
resolve(const new_files *n, const dw_file *adds, size_t count, dw_str **out, dw_error *err)
{
    *out = DW_ARENA_ARRAY(n->arena, dw_str, count);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        DW_TRY(dw__uri_resolve(n->arena, dw__table_root(n->table), adds[i].path, &(*out)[i], err));
    }
    return DW_OK;
}

static dw_status
fill_new(const new_files *n, const dw_file *adds, const dw_filter_file *files, size_t count,
         dw_index_writer *writer, dw_error *err)
{
    char name[sizeof(VIEW_PREFIX) + DW_UUID_TEXT_SIZE];
    dw_str *paths;
    dw_scan_part part = {.count = count, .row_count = -1};
    dw_scan_sql shape = {.schema = n->schema,
                         .mapping_mode = n->target->properties->mapping_mode,
                         .parts = &part,
                         .part_count = 1,
                         .with_positions = true};
    make_name(n->table, name);
    DW_TRY(resolve(n, adds, count, &paths, err));
    dw_scan_files scanned = {.paths = paths, .count = count};
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(n->arena->allocator, DW_SCAN_SQL_BYTES_MAX);
    DW_TRY(dw__scan_sql_print(&sql, &shape, n->arena, err));
    DW_TRY(dw__connection_bind_scan(n->connection, dw__str_from(name), dw__strbuf_str(&sql),
                                    &scanned, err));
    dw_status status =
        fill_from(n->connection, dw__str_from(name), &n->columns, files, count, writer, err);
    dw__connection_unbind_scan(n->connection, dw__str_from(name));
    return status;
}

static dw_status
make_new(const new_files *n, dw_str unique, const dw_file *adds, const dw_filter_file *files,
         size_t count, dw_error *err)
{
    int64_t size;
    for (size_t first = 0, number = 0; first < count; number++) {
        size_t together = count_together(&files[first], count - first, &n->columns);
        DW_AUTO(dw_index_writer_ptr) writer = NULL;
        DW_TRY(dw__filters_open(&n->columns, n->arena->allocator, &writer, err));
        DW_TRY(fill_new(n, &adds[first], &files[first], together, writer, err));
        DW_TRY(dw__filters_put(n->table, writer, unique, number, &size, err));
        first += together;
    }
    return DW_OK;
}

dw_status
dw__filters_of_new(dw_table *table, dw_connection *connection, const dw_data_target *target,
                   dw_str unique, const dw_file *adds, const int64_t *row_counts, size_t count,
                   dw_arena *arena, dw_error *err)
{
    new_files n = {.table = table, .connection = connection, .target = target, .arena = arena};
    if (target->has_no_filters || count == 0) {
        return DW_OK;
    }
    DW_TRY(choose_columns(&n, err));
    if (n.columns.count == 0) {
        return DW_OK;
    }
    dw_filter_file *files = DW_ARENA_ARRAY(arena, dw_filter_file, count);
    if (files == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        files[i] = (dw_filter_file){
            .key = dw__index_key(adds[i].path, adds[i].size_bytes, adds[i].modification_time_ms),
            .row_count = row_counts[i]};
    }
    return make_new(&n, unique, adds, files, count, err);
}

/* ---- Discarding ------------------------------------------------------------------------------ */

/* The part of a data file's name that its index file has, too; the null string: none. */
static dw_str
unique_of(dw_str path)
{
    size_t slash = dw__str_find_last(path, '/');
    dw_str name = dw__str_slice(path, slash == SIZE_MAX ? 0 : slash + 1, path.len);
    size_t start = sizeof(PART_PREFIX) - 1;
    return dw__str_starts_with(name, DW_STR(PART_PREFIX)) && name.len >= start + UUID_LEN
               ? dw__str_slice(name, start, UUID_LEN)
               : DW_STR_NULL;
}

static void
discard_named(dw_table *table, dw_str unique, dw_arena *arena)
{
    dw_storage *storage = dw__table_storage(table);
    dw_list_request request = {
        .prefix = dw__arena_printf(arena, DW_INDEX_DIR DW_INDEX_PREFIX "%.*s", DW_STR_ARG(unique)),
        .start_after = DW_STR_NULL,
        .names_only = true};
    dw_list_page page;
    if (dw__str_is_null(request.prefix) ||
        dw__storage_list(storage, &request, arena, &page, NULL) != DW_OK) {
        return;
    }
    for (size_t i = 0; i < page.count; i++) {
        if (dw__storage_remove(storage, page.objects[i].key, NULL) == DW_OK) {
            dw__bloom_store_note_change(dw__log_filters(dw__table_log(table)));
        }
    }
}

void
dw__filters_discard(dw_table *table, const dw_file *adds, size_t count)
{
    DW_AUTO(dw_arena) arena;
    dw_str last = DW_STR_NULL;
    dw__arena_init(&arena, dw__table_env(table)->allocator);
    for (size_t i = 0; i < count; i++) {
        dw_str unique = unique_of(adds[i].path);
        if (!dw__str_is_null(unique) && (dw__str_is_null(last) || !dw__str_equal(unique, last))) {
            discard_named(table, unique, &arena);
            last = unique;
        }
    }
}

/* ---- Files of a snapshot --------------------------------------------------------------------- */

static bool
is_made(const dw_index *index, uint64_t entry, const dw_bloom_column *column)
{
    size_t idx = dw__index_find_column(index, column->field->physical_name);
    return idx != SIZE_MAX && dw__str_equal(index->columns[idx].type, column->type) &&
           dw__bloom_options_equal(&index->columns[idx].options, &column->options) &&
           dw__index_entry_filter(index, entry, idx).offset != DW_INDEX_NOT_MADE;
}

static bool
has_all(const dw_bloom_view *view, const dw_index_key *key, const dw_bloom_columns *columns)
{
    dw_bloom_place places[DW_BLOOM_PLACES_MAX];
    size_t place_count = dw__bloom_view_find(view, key, places);
    for (size_t i = 0; i < columns->count; i++) {
        bool found = false;
        for (size_t k = 0; k < place_count && !found; k++) {
            const dw_index *index = dw__bloom_view_index(view, places[k].file);
            found = index != NULL && is_made(index, places[k].entry, &columns->items[i]);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static dw_index_key
key_of(const dw_file_set *set, dw_file_ref ref)
{
    return dw__index_key(dw__file_set_path(set, ref), dw__file_set_file_size(set, ref),
                         dw__file_set_modification_time_ms(set, ref));
}

dw_status
dw__filters_find_missing(dw_log_snapshot *snapshot, const dw_bloom_columns *columns,
                         dw_arena *arena, dw_file_ref **out, size_t *count_out, dw_error *err)
{
    const dw_file_set *set = dw__log_snapshot_files(snapshot);
    dw_bloom_view *view;
    dw_file_ref ref;
    *count_out = 0;
    *out = DW_ARENA_ARRAY(arena, dw_file_ref, dw__file_set_count(set) + 1);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(dw__bloom_store_look(dw__log_filters(dw__log_snapshot_log(snapshot)),
                                dw__log_snapshot_version(snapshot), &view, err));
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        dw_index_key key = key_of(set, ref);
        if (!has_all(view, &key, columns)) {
            (*out)[(*count_out)++] = ref;
        }
    }
    dw__bloom_view_unref(view);
    return DW_OK;
}

static dw_status
describe_files(dw_log_snapshot *snapshot, const dw_file_ref *refs, size_t count, dw_arena *arena,
               dw_filter_file **out, dw_error *err)
{
    dw_file_set *set = dw__log_snapshot_files(snapshot);
    dw_file_reader reader = {0};
    dw_status status = DW_OK;
    *out = DW_ARENA_ARRAY(arena, dw_filter_file, count);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count && status == DW_OK; i++) {
        dw_file file;
        dw_file_stats stats = {0};
        status = dw__file_reader_get(&reader, set, refs[i], arena, &file, err);
        if (status == DW_OK && !dw__str_is_null(file.stats)) {
            dw__stats_read_counts(file.stats, &stats);
        }
        (*out)[i] = (dw_filter_file){.key = key_of(set, refs[i]),
                                     .row_count = stats.has_num_records ? stats.num_records : -1};
    }
    dw__file_reader_deinit(&reader);
    return status;
}

/* All rows of the files, also those that are deleted: who adds a deletion vector keeps the filter,
 * and who takes one away must find its rows. [FILL-1] */
static dw_status
fill_chosen(dw_table *table, dw_connection *connection, dw_log_snapshot *snapshot,
            const dw_bloom_columns *columns, const dw_file_ref *refs, const dw_filter_file *files,
            size_t count, dw_rowset *none, dw_index_writer *writer, dw_error *err)
{
    char name[sizeof(VIEW_PREFIX) + DW_UUID_TEXT_SIZE];
    dw_scan *scan;
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(table)->allocator);
    dw_rowset **left_out = DW_ARENA_ARRAY(&arena, dw_rowset *, count);
    if (left_out == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        left_out[i] = none;
    }
    make_name(table, name);
    dw_scan_rows rows = {.files = refs, .rows = left_out, .count = count, .are_left_out = true};
    dw_scan_source source = {
        .name = dw__str_from(name), .snapshot = snapshot, .rows = &rows, .with_positions = true};
    DW_TRY(
        dw__scan_open(connection, dw__table_database(table), DW_STR(""), &source, 1, &scan, err));
    dw_status status = fill_from(connection, source.name, columns, files, count, writer, err);
    if (status != DW_OK && err != NULL) {
        status = dw__scan_explain_error(scan, err);
    }
    dw__scan_close(scan);
    return status;
}

dw_status
dw__filters_make(dw_table *table, dw_connection *connection, dw_log_snapshot *snapshot,
                 const dw_bloom_columns *columns, const dw_file_ref *refs, size_t count,
                 size_t *done_out, int64_t *size_out, dw_error *err)
{
    char unique[DW_UUID_TEXT_SIZE];
    dw_filter_file *files;
    dw_rowset *none;
    DW_AUTO(dw_arena) arena;
    DW_AUTO(dw_index_writer_ptr) writer = NULL;
    *done_out = 0;
    *size_out = 0;
    dw__arena_init(&arena, dw__table_env(table)->allocator);
    size_t looked_at = count < FILL_FILES_MAX ? count : FILL_FILES_MAX;
    DW_TRY(describe_files(snapshot, refs, looked_at, &arena, &files, err));
    size_t together = count_together(files, looked_at, columns);
    DW_TRY(dw__filters_open(columns, arena.allocator, &writer, err));
    DW_TRY(dw__rowset_new(arena.allocator, &none, err));
    dw_status status =
        fill_chosen(table, connection, snapshot, columns, refs, files, together, none, writer, err);
    dw__rowset_free(none);
    DW_TRY(status);
    dw__uuid_make(dw__table_env(table), unique);
    DW_TRY(dw__filters_put(table, writer, dw__str_from(unique), 0, size_out, err));
    *done_out = together;
    return DW_OK;
}
