/*
 * Statistics of files that others wrote: their rows are read as the table has them, many files in
 * one query. What a writer says in a footer is not asked: bounds of strings may be cut there, and
 * those of INT96 are wrong.
 */
#include "engine/database.h"
#include "scan/plain_files.h"
#include "scan/scan_sql.h"
#include "table/leaf_measure.h"
#include "upkeep/convert_core.h"

#define VIEW_NAME DW_STR("dw_convert_files")
#define FILES_A_QUERY ((size_t) 256)
/* Before the cells of the leaves: the place of the file, and how many rows it has. */
#define CELLS_A_FILE 2

typedef struct measuring {
    dw_converting *c;
    dw_properties properties;
    dw_column_path *leaves;
    size_t leaf_count;
    dw_str query;
    dw_stats_entry *entries;
} measuring;

/* ---- The query ------------------------------------------------------------------------------- */

static void
put_leaf(dw_strbuf *out, const dw_column_path *leaf, dw_strbuf *name)
{
    dw__strbuf_clear(name);
    for (size_t i = 0; i < leaf->count; i++) {
        dw__strbuf_append(name, i > 0 ? DW_STR(".") : DW_STR(""));
        dw__sql_put_identifier(name, leaf->parts[i]);
    }
    dw__leaf_measure_put(out, leaf->type, dw__strbuf_str(name));
    out->failed = out->failed || name->failed;
}

static dw_status
make_query(measuring *m, dw_error *err)
{
    dw_arena *arena = &m->c->arena;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(arena->allocator, DW_CONVERT_TEXT_BYTES_MAX);
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(arena->allocator, DW_CONVERT_TEXT_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "SELECT " DW_SCAN_FILE_COLUMN ", count(*)");
    for (size_t i = 0; i < m->leaf_count; i++) {
        put_leaf(&sql, &m->leaves[i], &name);
    }
    dw__strbuf_append_literal(&sql, " FROM dw_convert_files GROUP BY " DW_SCAN_FILE_COLUMN);
    DW_TRY(dw__strbuf_ok(&sql, "the query", err));
    return dw__arena_dup(arena, dw__strbuf_str(&sql), &m->query) ? DW_OK : dw__error_oom(err);
}

/* ---- One file -------------------------------------------------------------------------------- */

static bool
is_of_calendar(const dw_type *type)
{
    return type->kind == DW_TYPE_DATE || type->kind == DW_TYPE_TIMESTAMP ||
           type->kind == DW_TYPE_TIMESTAMP_NTZ;
}

/* `cells` NULL: the file has no rows. */
static void
fill_entry(const measuring *m, const dw_convert_file *file, size_t leaf_idx, const dw_str *cells,
           int64_t row_count, dw_arena *arena)
{
    const dw_column_path *leaf = &m->leaves[leaf_idx];
    dw_column_stats stats = {0};
    dw_leaf_measure measured = {0};
    bool is_old = file->has_old_times && is_of_calendar(leaf->type);
    if (cells == NULL) {
        stats.has_null_count = leaf->type->kind != DW_TYPE_VARIANT;
    } else {
        dw__leaf_measure_read(leaf->type, cells, arena, &measured);
        stats.has_null_count = measured.has_value_count;
        stats.null_count = measured.has_value_count ? row_count - measured.value_count : 0;
    }
    if (!is_old && !measured.has_nan) {
        stats.has_min = measured.has_min;
        stats.has_max = measured.has_max;
        stats.min = measured.min;
        stats.max = measured.max;
    }
    m->entries[leaf_idx] = (dw_stats_entry){.column = *leaf, .stats = stats};
}

/* `cells` NULL: the file has no rows. */
static dw_status
print_stats(const measuring *m, dw_convert_file *file, const dw_str *cells, dw_arena *scratch,
            dw_error *err)
{
    int64_t row_count = 0;
    if (cells != NULL && !dw__str_to_i64(cells[1], &row_count)) {
        return DW_OK;
    }
    for (size_t i = 0; i < m->leaf_count; i++) {
        const dw_str *at = cells == NULL ? NULL : &cells[CELLS_A_FILE + i * DW_LEAF_CELLS];
        fill_entry(m, file, i, at, row_count, scratch);
    }
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(scratch->allocator, DW_CONVERT_TEXT_BYTES_MAX);
    DW_TRY(dw__stats_print(&json, row_count, true, m->entries, m->leaf_count,
                           m->properties.data_skipping_string_prefix_length, err));
    DW_TRY(dw__strbuf_ok(&json, "the statistics of a file", err));
    return dw__arena_dup(&m->c->arena, dw__strbuf_str(&json), &file->stats) ? DW_OK
                                                                            : dw__error_oom(err);
}

/* ---- Many files ------------------------------------------------------------------------------ */

/* `paths` are of the files or of copies that the engine can read. */
static dw_status
query_files(const measuring *m, const dw_str *paths, size_t count, dw_arena *scratch,
            dw_text_rows *rows, dw_error *err)
{
    dw_connection *connection = m->c->upkeep->connection;
    dw_scan_part part = {.count = count, .row_count = -1};
    dw_scan_sql shape = {.schema = m->c->file_columns,
                         .mapping_mode = DW_MAPPING_NONE,
                         .parts = &part,
                         .part_count = 1,
                         .with_positions = true,
                         .instants_as_text = m->c->has_unmarked};
    dw_scan_files files = {.paths = paths, .count = count};
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(scratch->allocator, DW_SCAN_SQL_BYTES_MAX);
    DW_TRY(dw__scan_sql_print(&sql, &shape, scratch, err));
    DW_TRY(dw__connection_bind_scan(connection, VIEW_NAME, dw__strbuf_str(&sql), &files, err));
    dw_status status = dw__connection_query_text(connection, m->query, scratch, rows, err);
    dw__connection_unbind_scan(connection, VIEW_NAME);
    return status;
}

static dw_status
take_rows(const measuring *m, dw_convert_file *const *files, size_t count, const dw_text_rows *rows,
          dw_arena *scratch, dw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        DW_TRY(print_stats(m, files[i], NULL, scratch, err));
    }
    for (size_t i = 0; i < rows->row_count; i++) {
        int64_t idx = -1;
        const dw_str *cells = &rows->cells[i * rows->column_count];
        if (dw__str_to_i64(cells[0], &idx) && idx >= 0 && (size_t) idx < count) {
            DW_TRY(print_stats(m, files[idx], cells, scratch, err));
        }
    }
    return DW_OK;
}

static dw_status
measure_files(const measuring *m, dw_convert_file *const *files, size_t count, dw_error *err)
{
    dw_plain_files copies = {0};
    dw_text_rows rows;
    dw_table *table = m->c->table;
    const dw_env *env = dw__table_env(table);
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, env->allocator);
    dw_str *paths = DW_ARENA_ARRAY(&scratch, dw_str, count);
    if (paths == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        paths[i] = dw__arena_printf(&scratch, "%.*s/%.*s", DW_STR_ARG(dw__table_root(table)),
                                    DW_STR_ARG(files[i]->key));
        if (dw__str_is_null(paths[i])) {
            return dw__error_oom(err);
        }
    }
    dw_str directory = dw__database_spill_directory(dw__table_database(table));
    dw_status status = dw__plain_files_make(&copies, env, directory, false, paths, count, err);
    if (status == DW_OK) {
        status = query_files(m, paths, count, &scratch, &rows, err);
    }
    if (status == DW_OK) {
        status = take_rows(m, files, count, &rows, &scratch, err);
    }
    dw__plain_files_deinit(&copies, env);
    return status;
}

static bool
is_known(const dw_converting *c, const dw_convert_file *file)
{
    return c->spec->knows != NULL &&
           c->spec->knows(c->spec->ctx, file->key, file->size_bytes, file->modified_ms);
}

static dw_status
measure_unknown(const measuring *m, dw_error *err)
{
    dw_converting *c = m->c;
    dw_convert_file *files[FILES_A_QUERY];
    size_t count = 0;
    for (size_t i = 0; i < c->files.count; i++) {
        if (!is_known(c, &c->files.items[i])) {
            files[count++] = &c->files.items[i];
        }
        if (count == FILES_A_QUERY || (i + 1 == c->files.count && count > 0)) {
            DW_TRY(dw__upkeep_check(c->upkeep, err));
            dw__upkeep_progress(c->upkeep, (int64_t) i, (int64_t) c->files.count);
            DW_TRY(measure_files(m, files, count, err));
            count = 0;
        }
    }
    return DW_OK;
}

dw_status
dw__convert_measure(dw_converting *c, dw_error *err)
{
    measuring m = {.c = c};
    dw_pairs none = {0};
    dw__properties_read(&none, &m.properties, NULL);
    DW_TRY(dw__stats_columns(c->schema, c->partition_columns, c->spec->partition_count,
                             &m.properties, &c->arena, &m.leaves, &m.leaf_count, err));
    m.entries = DW_ARENA_ARRAY(&c->arena, dw_stats_entry, m.leaf_count + 1);
    if (m.entries == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(make_query(&m, err));
    return measure_unknown(&m, err);
}
