/*
 * See file_cut.h.
 */
#include "table/file_cut.h"

#include "base/assert.h"

/* Everything that cutting one write's files carries around. */
typedef struct cutter {
    dw_table *table;
    dw_connection *connection;
    const dw_copy_request *written;
    dw_arena *arena;
} cutter;

/* Half as much again is left alone: writing it a second time costs more than it brings. So is a
 * path that the engine would take for a pattern. */
static bool
must_cut(const cutter *cut, const dw_copy_file *file)
{
    int64_t aim = cut->written->file_size_bytes;
    bool is_pattern = false;
    for (size_t i = 0; i < file->path.len; i++) {
        is_pattern = is_pattern || strchr("*?[", file->path.ptr[i]) != NULL;
    }
    return aim > 0 && file->size_bytes - aim > aim / 2 && !is_pattern;
}

static dw_str
directory_of(dw_str key)
{
    size_t len = key.len;
    while (len > 0 && key.ptr[len - 1] != '/') {
        len--;
    }
    return dw__str_slice(key, 0, len > 0 ? len - 1 : 0);
}

/* The null string when out of memory. */
static dw_str
below_root(const cutter *cut, dw_str key)
{
    return dw__arena_printf(cut->arena, "%.*s/%.*s", DW_STR_ARG(dw__table_root(cut->table)),
                            DW_STR_ARG(key));
}

static dw_status
print_query(const cutter *cut, dw_str key, dw_strbuf *out, dw_error *err)
{
    dw_str path = below_root(cut, key);
    if (dw__str_is_null(path)) {
        return dw__error_oom(err);
    }
    dw__strbuf_append_literal(out, "SELECT * FROM read_parquet(");
    dw__sql_put_literal(out, path);
    dw__strbuf_append_literal(out, ", hive_partitioning = false)");
    return dw__strbuf_ok(out, "the statement", err);
}

/* The parts are named and described as the file was. */
static dw_status
adopt_parts(const cutter *cut, const dw_copy_file *file, dw_copy_file *parts, size_t count,
            dw_error *err)
{
    dw_str directory = directory_of(file->path);
    for (size_t i = 0; i < count; i++) {
        if (directory.len > 0) { /* else it is the root */
            parts[i].path = dw__arena_printf(cut->arena, "%.*s/%.*s", DW_STR_ARG(directory),
                                             DW_STR_ARG(parts[i].path));
        }
        if (dw__str_is_null(parts[i].path)) {
            return dw__error_oom(err);
        }
        parts[i].partition_values = file->partition_values;
    }
    return DW_OK;
}

static dw_status
cut_file(const cutter *cut, const dw_copy_file *file, size_t idx, dw_copy_file **parts,
         size_t *count, dw_error *err)
{
    const dw_copy_request *written = cut->written;
    DW_AUTO(dw_strbuf) query = dw__strbuf_make(cut->arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(print_query(cut, file->path, &query, err));
    dw_copy_request request = {.query = dw__strbuf_str(&query),
                               .directory = below_root(cut, directory_of(file->path)),
                               .file_prefix = dw__arena_printf(
                                   cut->arena, "%.*s-%zu", DW_STR_ARG(written->file_prefix), idx),
                               .file_size_bytes = written->file_size_bytes,
                               .compression = written->compression,
                               .field_ids = written->field_ids,
                               .row_group_rows = written->row_group_rows};
    if (dw__str_is_null(request.directory) || dw__str_is_null(request.file_prefix)) {
        return dw__error_oom(err);
    }
    DW_TRY(dw__connection_copy(cut->connection, &request, cut->arena, parts, count, err));
    DW_TRY(adopt_parts(cut, file, *parts, *count, err));
    return dw__storage_remove(dw__table_storage(cut->table), file->path, err);
}

/* Puts `parts` in the place of file `idx`. */
static dw_status
replace(const cutter *cut, size_t idx, const dw_copy_file *parts, size_t part_count,
        dw_copy_file **files, size_t *count, dw_error *err)
{
    size_t total = *count - 1 + part_count;
    dw_copy_file *all = DW_ARENA_ARRAY(cut->arena, dw_copy_file, total + 1);
    if (all == NULL) {
        return dw__error_oom(err);
    }
    memcpy(all, *files, idx * sizeof(*all));
    memcpy(all + idx, parts, part_count * sizeof(*all));
    memcpy(all + idx + part_count, *files + idx + 1, (*count - idx - 1) * sizeof(*all));
    *files = all;
    *count = total;
    return DW_OK;
}

dw_status
dw__files_cut(dw_table *table, dw_connection *connection, const dw_copy_request *written,
              dw_arena *arena, dw_copy_file **files, size_t *count, dw_error *err)
{
    cutter cut = {table, connection, written, arena};
    /* From behind, so that what was cut is not looked at again. */
    for (size_t i = *count; i > 0; i--) {
        dw_copy_file *parts = NULL;
        size_t part_count = 0;
        if (must_cut(&cut, &(*files)[i - 1])) {
            DW_TRY(cut_file(&cut, &(*files)[i - 1], i - 1, &parts, &part_count, err));
            dw_assert(part_count > 0);
            DW_TRY(replace(&cut, i - 1, parts, part_count, files, count, err));
        }
    }
    return DW_OK;
}
