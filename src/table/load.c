/*
 * load and COPY INTO.
 */
#include "table/load.h"

#include "base/assert.h"
#include "table/create.h"
#include "table/file_query.h"

#include <inttypes.h>

#define LOAD_FILES_MAX ((size_t) 100000)
#define FILE_TXN_PREFIX "copy-into:"

typedef struct load_state {
    dw_table *table;
    dw_connection *connection;
    const dw_load_spec *spec;
    dw_arena *arena;
    dw_log_snapshot *snapshot; /* NULL: there is no table yet */
    dw_load_format format;
    dw_str *files; /* to be loaded, absolute */
    size_t file_count;
    size_t skipped_count;
    dw_txn_id *txns;
    size_t txn_count;
} load_state;

/* ---- Which files ----------------------------------------------------------------------------- */

static bool
is_pattern(dw_str path)
{
    return dw__str_find(path, '*') != SIZE_MAX || dw__str_find(path, '?') != SIZE_MAX ||
           dw__str_find(path, '[') != SIZE_MAX;
}

/* The one spelling under which a file is remembered: its absolute path. */
static dw_status
absolute_path(const load_state *state, dw_str path, dw_str *out, dw_error *err)
{
    dw_storage *storage;
    DW_TRY(dw__storage_open(dw__table_env(state->table), path, &storage, err));
    bool copied = dw__arena_dup(state->arena, storage->root, out);
    dw__storage_close(storage);
    return copied ? DW_OK : dw__error_oom(err);
}

/* Appends the files that one pattern stands for, sorted by the engine. */
static dw_status
expand(const load_state *state, dw_str pattern, dw_text_rows *out, dw_error *err)
{
    if (!is_pattern(pattern)) {
        dw_str *cell = DW_ARENA_NEW(state->arena, dw_str);
        if (cell == NULL) {
            return dw__error_oom(err);
        }
        *cell = pattern;
        *out = (dw_text_rows){.cells = cell, .row_count = 1, .column_count = 1};
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(state->arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "SELECT file FROM glob(");
    dw__sql_put_literal(&sql, pattern);
    dw__strbuf_append_literal(&sql, ") ORDER BY file");
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(
        dw__connection_query_text(state->connection, dw__strbuf_str(&sql), state->arena, out, err));
    if (out->row_count == 0) {
        return dw__error_set(err, DW_NOT_FOUND, "FILE_NOT_FOUND", "no file matches %.*s",
                             DW_STR_ARG(pattern));
    }
    return DW_OK;
}

static dw_status
choose_format(load_state *state, dw_str path, dw_error *err)
{
    dw_load_format format = state->spec->format;
    if (format == DW_LOAD_AUTO) {
        format = dw__file_format(path);
    }
    if (format == DW_LOAD_AUTO) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "FORMAT_UNKNOWN",
                             "the name of %.*s does not tell its format: say parquet, csv or json",
                             DW_STR_ARG(path));
    }
    if (state->format != DW_LOAD_AUTO && state->format != format) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "FORMAT_MIXED",
                             "%.*s has another format than the files before it: load them one "
                             "format at a time",
                             DW_STR_ARG(path));
    }
    state->format = format;
    return DW_OK;
}

static dw_status
file_txn(const load_state *state, dw_str path, dw_txn_id *out, bool *loaded_out, dw_error *err)
{
    *out = (dw_txn_id){.app_id =
                           dw__arena_printf(state->arena, FILE_TXN_PREFIX "%.*s", DW_STR_ARG(path)),
                       .has_last_updated = true,
                       .last_updated_ms = dw__env_now_ms(dw__table_env(state->table))};
    if (dw__str_is_null(out->app_id)) {
        return dw__error_oom(err);
    }
    dw_txn_id known;
    *loaded_out =
        state->snapshot != NULL && dw__log_snapshot_txn(state->snapshot, out->app_id, &known);
    if (*loaded_out) {
        out->version = known.version + 1;
    }
    return DW_OK;
}

/*
 * Takes a file unless it was loaded before. With a txn id of the caller's, files are not looked at.
 */
static dw_status
take_file(load_state *state, dw_str spelled, dw_error *err)
{
    dw_str path;
    DW_TRY(absolute_path(state, spelled, &path, err));
    DW_TRY(choose_format(state, path, err));
    bool by_file = state->spec->txn_version < 0;
    bool replaces = state->spec->mode == DW_LOAD_OVERWRITE;
    if (by_file) {
        dw_txn_id txn;
        bool loaded;
        DW_TRY(file_txn(state, path, &txn, &loaded, err));
        if (loaded && !state->spec->force && !replaces) {
            state->skipped_count++;
            return DW_OK;
        }
        state->txns[state->txn_count++] = txn;
    }
    state->files[state->file_count++] = path;
    return DW_OK;
}

static dw_status
take_files(load_state *state, const dw_text_rows *lists, size_t total, dw_error *err)
{
    state->files = DW_ARENA_ARRAY(state->arena, dw_str, total + 1);
    state->txns = DW_ARENA_ARRAY(state->arena, dw_txn_id, total + 1);
    if (state->files == NULL || state->txns == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < state->spec->file_count; i++) {
        for (size_t k = 0; k < lists[i].row_count; k++) {
            DW_TRY(take_file(state, lists[i].cells[k], err));
        }
    }
    if (state->spec->txn_version >= 0) {
        state->txns[state->txn_count++] =
            (dw_txn_id){.app_id = state->spec->txn_app_id,
                        .version = state->spec->txn_version,
                        .has_last_updated = true,
                        .last_updated_ms = dw__env_now_ms(dw__table_env(state->table))};
    }
    return DW_OK;
}

static dw_status
find_files(load_state *state, dw_error *err)
{
    dw_text_rows *lists = DW_ARENA_ARRAY(state->arena, dw_text_rows, state->spec->file_count + 1);
    if (lists == NULL) {
        return dw__error_oom(err);
    }
    size_t total = 0;
    for (size_t i = 0; i < state->spec->file_count; i++) {
        DW_TRY(expand(state, state->spec->files[i], &lists[i], err));
        total += lists[i].row_count;
        if (total > LOAD_FILES_MAX) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "SIZE_LIMIT",
                                 "more than %zu files in one load: load them in parts",
                                 LOAD_FILES_MAX);
        }
    }
    return take_files(state, lists, total, err);
}

/* ---- The verbs below ------------------------------------------------------------------------- */

static dw_status
load_into_new(load_state *state, dw_str query, dw_write_result *out, dw_error *err)
{
    const dw_load_spec *spec = state->spec;
    dw_create_spec create = {.mode = DW_CREATE_NEW,
                             .partition_columns = spec->partition_columns,
                             .partition_column_count = spec->partition_column_count,
                             .properties = spec->properties,
                             .query = query,
                             .txns = state->txns,
                             .txn_count = state->txn_count,
                             .user_metadata = spec->user_metadata};
    return dw__table_create(state->table, state->connection, &create, out, err);
}

static dw_status
load_into_existing(load_state *state, dw_str query, dw_write_result *out, dw_error *err)
{
    const dw_load_spec *spec = state->spec;
    bool replaces = spec->mode == DW_LOAD_OVERWRITE;
    dw_write_spec write = {.mode = replaces ? DW_WRITE_OVERWRITE : DW_WRITE_APPEND,
                           .query = query,
                           .by_name = true,
                           .txns = state->txns,
                           .txn_count = state->txn_count,
                           .user_metadata = spec->user_metadata,
                           .operation = spec->operation};
    return dw__table_write(state->table, state->connection, &write, out, err);
}

/* A column whose values have several types in JSON files is text: that of a string is the string,
 * without the quotes and escapes that it has in the file. */
static dw_status
print_json_as_text(const load_state *state, dw_strbuf *query, dw_error *err)
{
    dw_query_column *columns;
    size_t count;
    size_t json_count = 0;
    DW_TRY(dw__connection_describe(state->connection, dw__strbuf_str(query), state->arena, &columns,
                                   &count, err));
    DW_AUTO(dw_strbuf) wrapped = dw__strbuf_make(state->arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__strbuf_append_literal(&wrapped, "SELECT * REPLACE (");
    for (size_t i = 0; i < count; i++) {
        if (dw__str_equal(columns[i].type, DW_STR("JSON"))) {
            dw__strbuf_append(&wrapped, json_count++ == 0 ? DW_STR("") : DW_STR(", "));
            dw__sql_put_identifier(&wrapped, columns[i].name);
            dw__strbuf_append_literal(&wrapped, " ->> '$' AS ");
            dw__sql_put_identifier(&wrapped, columns[i].name);
        }
    }
    if (json_count == 0) {
        return DW_OK;
    }
    dw__strbuf_append_literal(&wrapped, ") FROM (");
    dw__strbuf_append(&wrapped, dw__strbuf_str(query));
    dw__strbuf_append_char(&wrapped, ')');
    dw__strbuf_clear(query);
    dw__strbuf_append(query, dw__strbuf_str(&wrapped));
    query->failed = query->failed || wrapped.failed;
    return dw__strbuf_ok(query, "the statement", err);
}

/* The engine takes decimals of more digits than Delta has for doubles, and gets them wrong. */
static dw_status
refuse_wide_decimals(load_state *state, dw_error *err)
{
    dw_text_rows rows;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(state->arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "SELECT file_name, name, precision FROM parquet_schema([");
    for (size_t i = 0; i < state->file_count; i++) {
        dw__strbuf_append(&sql, i == 0 ? DW_STR("") : DW_STR(", "));
        dw__sql_put_literal(&sql, state->files[i]);
    }
    dw__strbuf_append_literal(&sql, "]) WHERE precision > 38 LIMIT 1");
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__connection_query_text(state->connection, dw__strbuf_str(&sql), state->arena, &rows,
                                     err));
    if (rows.row_count == 0) {
        return DW_OK;
    }
    return dw__error_set(
        err, DW_INVALID_ARGUMENT, "TYPE_UNSUPPORTED",
        "column \"%.*s\" of %.*s is a decimal of %.*s digits: expected at most 38, "
        "which is what Delta tables have",
        DW_STR_ARG(rows.cells[1]), DW_STR_ARG(rows.cells[0]), DW_STR_ARG(rows.cells[2]));
}

static dw_status
load_files(load_state *state, dw_load_result *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) query = dw__strbuf_make(state->arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(dw__file_query_print(&query, state->format, state->files, state->file_count,
                                &state->spec->format_options, state->spec->select_list, err));
    if (state->format == DW_LOAD_JSON) {
        DW_TRY(print_json_as_text(state, &query, err));
    } else if (state->format == DW_LOAD_PARQUET) {
        DW_TRY(refuse_wide_decimals(state, err));
    }
    if (state->snapshot == NULL) {
        DW_TRY(load_into_new(state, dw__strbuf_str(&query), &out->write, err));
        out->created = true;
    } else {
        DW_TRY(load_into_existing(state, dw__strbuf_str(&query), &out->write, err));
    }
    if (out->write.was_duplicate) {
        out->files_skipped += (int64_t) state->file_count;
    } else {
        out->files_loaded = (int64_t) state->file_count;
    }
    return DW_OK;
}

/* ---- The verb -------------------------------------------------------------------------------- */

static dw_status
open_target(load_state *state, dw_error *err)
{
    bool exists;
    dw_log *log = dw__table_log(state->table);
    DW_TRY(dw__log_exists(log, &exists, err));
    if (exists) {
        DW_TRY(dw__log_snapshot(log, &state->snapshot, err));
    }
    dw_str root = dw__table_root(state->table);
    if (exists && state->spec->mode == DW_LOAD_ERROR) {
        return dw__error_set(err, DW_ALREADY_EXISTS, "TABLE_ALREADY_EXISTS",
                             "there is a Delta table at %.*s already: use mode append or overwrite",
                             DW_STR_ARG(root));
    }
    if (!exists && !state->spec->create) {
        return dw__error_set(err, DW_NOT_FOUND, "TABLE_NOT_FOUND",
                             "there is no Delta table at %.*s: create it first", DW_STR_ARG(root));
    }
    return DW_OK;
}

static dw_status
load(load_state *state, dw_load_result *out, dw_error *err)
{
    if (state->snapshot != NULL && state->spec->mode == DW_LOAD_IGNORE) {
        return DW_OK;
    }
    DW_TRY(find_files(state, err));
    out->files_skipped = (int64_t) state->skipped_count;
    return state->file_count == 0 ? DW_OK : load_files(state, out, err);
}

/*
 * Opens the target and loads. *lost_out: there was no table, and another writer made it meanwhile.
 */
static dw_status
load_once(load_state *state, dw_load_result *out, bool *lost_out, dw_error *err)
{
    dw_status status = open_target(state, err);
    if (status == DW_OK) {
        status = load(state, out, err);
    }
    *lost_out = status == DW_ALREADY_EXISTS && state->snapshot == NULL;
    dw__log_snapshot_unref(state->snapshot);
    state->snapshot = NULL;
    return status;
}

/* A damaged file among those to be loaded does not make the table a damaged one. */
static dw_status
blame_source(dw_status status, dw_error *err)
{
    if (status != DW_CORRUPT || !dw__error_has_code(err, "FILE_INVALID")) {
        return status;
    }
    err->status = DW_INVALID_ARGUMENT;
    return DW_INVALID_ARGUMENT;
}

dw_status
dw__table_load(dw_table *table, dw_connection *connection, const dw_load_spec *spec,
               dw_load_result *out, dw_error *err)
{
    dw_assert(spec->file_count > 0);
    *out = (dw_load_result){.write.version = -1};
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(table)->allocator);
    load_state state = {.table = table, .connection = connection, .spec = spec, .arena = &arena};
    bool lost;
    dw_status status = load_once(&state, out, &lost, err);
    if (lost && spec->mode != DW_LOAD_ERROR) { /* then it is a load like any other */
        dw__error_clear(err);
        state =
            (load_state){.table = table, .connection = connection, .spec = spec, .arena = &arena};
        *out = (dw_load_result){.write.version = -1};
        status = load_once(&state, out, &lost, err);
    }
    return blame_source(status, err);
}
