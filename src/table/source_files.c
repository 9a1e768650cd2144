/*
 * Patterns, directories and files to a list of files, and a first look at their columns.
 */
#include "table/source_files.h"

#include "base/assert.h"
#include "table/file_query.h"

typedef struct search {
    const dw_env *env;
    dw_connection *connection;
    const dw_load_spec *spec;
    dw_arena *arena;
    dw_source_files *out;
} search;

/* What one of the names that were given stands for. */
typedef struct name_list {
    const dw_str *names; /* sorted */
    size_t count;
} name_list;

/* ---- Names ----------------------------------------------------------------------------------- */

static bool
is_pattern(dw_str path)
{
    return dw__str_find(path, '*') != SIZE_MAX || dw__str_find(path, '?') != SIZE_MAX ||
           dw__str_find(path, '[') != SIZE_MAX;
}

static dw_status
glob(const search *in, dw_str pattern, name_list *out, dw_error *err)
{
    dw_text_rows rows;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(in->arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "SELECT file FROM glob(");
    dw__sql_put_literal(&sql, pattern);
    dw__strbuf_append_literal(&sql, ") ORDER BY file");
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__connection_query_text(in->connection, dw__strbuf_str(&sql), in->arena, &rows, err));
    *out = (name_list){.names = rows.cells, .count = rows.row_count};
    return DW_OK;
}

/* Hidden files and those of hidden directories are not meant, as in Spark, nor those whose names
 * tell another format than the one that is asked for. */
static bool
is_meant(const search *in, dw_str below_directory)
{
    for (size_t i = 0; i + 1 < below_directory.len; i++) {
        char next = below_directory.ptr[i + 1];
        if (below_directory.ptr[i] == '/' && (next == '_' || next == '.')) {
            return false;
        }
    }
    dw_load_format format = in->spec->format;
    return format == DW_LOAD_AUTO || dw__file_format(below_directory) == format;
}

/* The files below a directory; none: it is not one. */
static dw_status
list_directory(const search *in, dw_str path, name_list *out, dw_error *err)
{
    while (path.len > 1 && path.ptr[path.len - 1] == '/') {
        path.len--;
    }
    dw_str pattern = dw__arena_printf(in->arena, "%.*s/**", DW_STR_ARG(path));
    if (dw__str_is_null(pattern)) {
        return dw__error_oom(err);
    }
    name_list all;
    DW_TRY(glob(in, pattern, &all, err));
    dw_str *names = DW_ARENA_ARRAY(in->arena, dw_str, all.count + 1);
    if (names == NULL) {
        return dw__error_oom(err);
    }
    *out = (name_list){.names = names};
    for (size_t i = 0; i < all.count; i++) {
        if (is_meant(in, dw__str_slice(all.names[i], path.len, all.names[i].len))) {
            names[out->count++] = all.names[i];
        }
    }
    return DW_OK;
}

/* A name without the ending of a format may be a directory's; another is a file's, unseen. */
static dw_status
expand(const search *in, const dw_str *path, name_list *out, dw_error *err)
{
    if (is_pattern(*path)) {
        DW_TRY(glob(in, *path, out, err));
        return out->count > 0 ? DW_OK
                              : dw__error_set(err, DW_NOT_FOUND, "FILE_NOT_FOUND",
                                              "no file matches %.*s", DW_STR_ARG(*path));
    }
    *out = (name_list){0};
    if (dw__file_format(*path) == DW_LOAD_AUTO) {
        DW_TRY(list_directory(in, *path, out, err));
    }
    if (out->count == 0) {
        *out = (name_list){.names = path, .count = 1};
    }
    return DW_OK;
}

/* The one spelling under which a file is remembered: its absolute path. */
static dw_status
absolute_path(const search *in, dw_str path, dw_str *out, dw_error *err)
{
    dw_storage *storage;
    DW_TRY(dw__storage_open(in->env, path, &storage, err));
    bool copied = dw__arena_dup(in->arena, storage->root, out);
    dw__storage_close(storage);
    return copied ? DW_OK : dw__error_oom(err);
}

/* ---- Format ---------------------------------------------------------------------------------- */

static dw_status
choose_format(const search *in, dw_str path, dw_error *err)
{
    dw_load_format format = in->spec->format;
    dw_load_format *chosen = &in->out->format;
    if (format == DW_LOAD_AUTO) {
        format = dw__file_format(path);
    }
    if (format == DW_LOAD_AUTO) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "FORMAT_UNKNOWN",
                             "%.*s is no directory with files, and its name does not tell its "
                             "format: say parquet, csv or json",
                             DW_STR_ARG(path));
    }
    if (*chosen != DW_LOAD_AUTO && *chosen != format) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "FORMAT_MIXED",
                             "%.*s has another format than the files before it: load them one "
                             "format at a time",
                             DW_STR_ARG(path));
    }
    *chosen = format;
    return DW_OK;
}

static dw_status
take(const search *in, const name_list *list, dw_error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        dw_str *path = &in->out->paths[in->out->count];
        DW_TRY(absolute_path(in, list->names[i], path, err));
        DW_TRY(choose_format(in, *path, err));
        in->out->count++;
    }
    return DW_OK;
}

dw_status
dw__source_files_find(const dw_env *env, dw_connection *connection, const dw_load_spec *spec,
                      dw_arena *arena, dw_source_files *out, dw_error *err)
{
    search in = {env, connection, spec, arena, out};
    *out = (dw_source_files){0};
    name_list *lists = DW_ARENA_ARRAY(arena, name_list, spec->file_count + 1);
    if (lists == NULL) {
        return dw__error_oom(err);
    }
    size_t total = 0;
    for (size_t i = 0; i < spec->file_count; i++) {
        DW_TRY(expand(&in, &spec->files[i], &lists[i], err));
        total += lists[i].count;
        if (total > DW_SOURCE_FILES_MAX) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "SIZE_LIMIT",
                                 "more than %zu files in one load: load them in parts",
                                 DW_SOURCE_FILES_MAX);
        }
    }
    out->paths = DW_ARENA_ARRAY(arena, dw_str, total + 1);
    if (out->paths == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < spec->file_count; i++) {
        DW_TRY(take(&in, &lists[i], err));
    }
    return DW_OK;
}

/* ---- Columns --------------------------------------------------------------------------------- */

static void
print_paths(const dw_source_files *files, dw_strbuf *sql)
{
    for (size_t i = 0; i < files->count; i++) {
        dw__strbuf_append(sql, i == 0 ? DW_STR("([") : DW_STR(", "));
        dw__sql_put_literal(sql, files->paths[i]);
    }
    dw__strbuf_append_char(sql, ']');
}

/* Decimals of more digits than Delta has are doubles to the engine, and wrong ones; of columns that
 * differ in case only it renames all but the first, so that they have a name that no file has. */
static void
print_check(const dw_source_files *files, dw_strbuf *sql)
{
    dw__strbuf_append_literal(sql, "WITH fields AS (SELECT * FROM parquet_schema");
    print_paths(files, sql);
    dw__strbuf_append_literal(
        sql, ")) SELECT file_name, name, precision FROM fields WHERE precision > 38 UNION ALL "
             "SELECT NULL, column_name, NULL FROM (DESCRIBE SELECT * FROM read_parquet");
    print_paths(files, sql);
    dw__strbuf_append_literal(sql, ", union_by_name = true, hive_partitioning = false)) WHERE "
                                   "column_name NOT IN (SELECT name FROM fields) LIMIT 1");
}

dw_status
dw__source_files_check(const dw_source_files *files, dw_connection *connection, dw_arena *arena,
                       dw_error *err)
{
    if (files->format != DW_LOAD_PARQUET || files->count == 0) {
        return DW_OK;
    }
    dw_text_rows rows;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    print_check(files, &sql);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__connection_query_text(connection, dw__strbuf_str(&sql), arena, &rows, err));
    if (rows.row_count == 0) {
        return DW_OK;
    }
    if (dw__str_is_null(rows.cells[0])) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "COLUMN_DUPLICATE",
                             "two columns of a file have names that differ in case only, which "
                             "are the same to Delta: the second would become \"%.*s\"; give it "
                             "another name",
                             DW_STR_ARG(rows.cells[1]));
    }
    return dw__error_set(
        err, DW_INVALID_ARGUMENT, "TYPE_UNSUPPORTED",
        "column \"%.*s\" of %.*s is a decimal of %.*s digits: expected at most 38, "
        "which is what Delta tables have",
        DW_STR_ARG(rows.cells[1]), DW_STR_ARG(rows.cells[0]), DW_STR_ARG(rows.cells[2]));
}
