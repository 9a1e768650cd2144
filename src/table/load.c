/*
 * load and COPY INTO.
 */
#include "table/load.h"

#include "base/assert.h"
#include "lineage/lineage.h"
#include "scan/plain_files.h"
#include "table/create.h"
#include "table/file_query.h"
#include "table/old_sources.h"
#include "table/source_files.h"
#include "table/transaction.h"

#include <inttypes.h>

#define FILE_TXN_PREFIX "copy-into:"

typedef struct load_state {
    dw_table *table;
    dw_connection *connection;
    const dw_load_spec *spec;
    dw_arena *arena;
    dw_log_snapshot *snapshot; /* NULL: there is no table yet */
    dw_source_files files;     /* to be loaded */
    const dw_str *readable;    /* the same, or copies of them */
    size_t skipped_count;
    dw_txn_id *txns;
    size_t txn_count;
} load_state;

/* ---- Which files ----------------------------------------------------------------------------- */

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

/* Takes a file unless it was loaded before. With a txn id of the caller's, files are not looked at.
 */
static dw_status
take_file(load_state *state, dw_str path, dw_error *err)
{
    if (state->spec->txn_version < 0) {
        dw_txn_id txn;
        bool loaded;
        DW_TRY(file_txn(state, path, &txn, &loaded, err));
        if (loaded && !state->spec->force && state->spec->mode != DW_LOAD_OVERWRITE) {
            state->skipped_count++;
            return DW_OK;
        }
        state->txns[state->txn_count++] = txn;
    }
    state->files.paths[state->files.count++] = path;
    return DW_OK;
}

/* Leaves those of the files that are to be loaded. */
static dw_status
take_files(load_state *state, dw_error *err)
{
    size_t found = state->files.count;
    state->txns = DW_ARENA_ARRAY(state->arena, dw_txn_id, found + 1);
    if (state->txns == NULL) {
        return dw__error_oom(err);
    }
    state->files.count = 0;
    for (size_t i = 0; i < found; i++) {
        DW_TRY(take_file(state, state->files.paths[i], err));
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
                             .user_metadata = spec->user_metadata,
                             .limits = spec->limits};
    return dw__table_create(state->table, state->connection, &create, out, err);
}

/* The rows of one file, under the name that the user knows it by. */
static dw_status
print_part(void *ctx, size_t idx, dw_strbuf *out, dw_str *name_out, dw_error *err)
{
    const load_state *state = ctx;
    *name_out = state->files.paths[idx];
    return dw__file_query_print(out, state->files.format, &state->readable[idx], 1,
                                &state->spec->format_options, state->spec->select_list, err);
}

static dw_status
load_into_existing(load_state *state, dw_str query, dw_write_result *out, dw_error *err)
{
    const dw_load_spec *spec = state->spec;
    bool replaces = spec->mode == DW_LOAD_OVERWRITE;
    bool has_partitions = spec->partition_column_count > 0;
    dw_write_spec write = {.mode = replaces ? DW_WRITE_OVERWRITE : DW_WRITE_APPEND,
                           .columns_become = spec->columns_become,
                           .partition_columns = has_partitions ? spec->partition_columns : NULL,
                           .partition_column_count = spec->partition_column_count,
                           .query = query,
                           .by_name = true,
                           .print_part = print_part,
                           .part_count = state->files.count,
                           .part_ctx = state,
                           .txns = state->txns,
                           .txn_count = state->txn_count,
                           .read_snapshot = spec->transaction != NULL ? state->snapshot : NULL,
                           .transaction = spec->transaction,
                           .limits = spec->limits,
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

static dw_status
run_query(load_state *state, dw_str query, dw_load_result *out, dw_error *err)
{
    bool is_new = state->snapshot == NULL;
    dw_status status = is_new ? load_into_new(state, query, &out->write, err)
                              : load_into_existing(state, query, &out->write, err);
    out->created = is_new && status == DW_OK;
    return status;
}

/* The files that are loaded, by their own paths, are the only input. */
static dw_status
note_lineage(const load_state *state, dw_error *err)
{
    static const char *const formats[] = {[DW_LOAD_AUTO] = "file",
                                          [DW_LOAD_PARQUET] = "parquet",
                                          [DW_LOAD_CSV] = "csv",
                                          [DW_LOAD_JSON] = "json"};
    size_t idx;
    dw_lineage *lineage = state->spec->limits.lineage;
    if (lineage == NULL) {
        return DW_OK;
    }
    lineage->statement.input_count = 0; /* it may be the second try */
    lineage->takes_by_name = dw__str_is_null(state->spec->select_list);
    return dw__lineage_add_files(lineage, state->files.paths, state->files.count,
                                 formats[state->files.format], &idx)
               ? DW_OK
               : dw__error_oom(err);
}

/* Rows of the files, which may be read from copies. */
static dw_status
load_rows(load_state *state, const dw_source_files *files, dw_load_result *out, dw_error *err)
{
    bool is_bound = false;
    state->readable = files->paths;
    DW_AUTO(dw_strbuf) query = dw__strbuf_make(state->arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(dw__source_files_check(files, state->connection, state->arena, err));
    DW_TRY(note_lineage(state, err));
    DW_TRY(dw__file_query_print(&query, files->format, files->paths, files->count,
                                &state->spec->format_options, state->spec->select_list, err));
    if (files->format == DW_LOAD_JSON) {
        DW_TRY(print_json_as_text(state, &query, err));
    }
    if (files->format == DW_LOAD_PARQUET) {
        DW_TRY(dw__old_sources_bind(dw__table_env(state->table), state->connection, files,
                                    state->spec, state->arena, &query, &is_bound, err));
    }
    dw_status status = run_query(state, dw__strbuf_str(&query), out, err);
    if (is_bound) {
        dw__old_sources_unbind(state->connection);
    }
    DW_TRY(status);
    if (out->write.was_duplicate) {
        out->files_skipped += (int64_t) files->count;
    } else {
        out->files_loaded = (int64_t) files->count;
    }
    return DW_OK;
}

/* Parquet files in a codec that the engine lacks are copied, and remembered by their own paths. */
static dw_status
load_files(load_state *state, dw_load_result *out, dw_error *err)
{
    if (state->files.format != DW_LOAD_PARQUET) {
        return load_rows(state, &state->files, out, err);
    }
    const dw_env *env = dw__table_env(state->table);
    dw_str directory = dw__database_spill_directory(dw__table_database(state->table));
    dw_source_files files = state->files;
    files.paths = DW_ARENA_ARRAY(state->arena, dw_str, files.count + 1);
    if (files.paths == NULL) {
        return dw__error_oom(err);
    }
    memcpy(files.paths, state->files.paths, files.count * sizeof(*files.paths));
    dw_plain_files copies = {0};
    dw_status status =
        dw__plain_files_make(&copies, env, directory, false, files.paths, files.count, err);
    if (status == DW_OK) {
        status = load_rows(state, &files, out, err);
    }
    dw__plain_files_deinit(&copies, env);
    return status;
}

/* ---- The verb -------------------------------------------------------------------------------- */

static dw_status
open_target(load_state *state, dw_error *err)
{
    bool exists;
    dw_log *log = dw__table_log(state->table);
    DW_TRY(dw__log_exists(log, &exists, err));
    dw_transaction *transaction = state->spec->transaction;
    if (exists) {
        DW_TRY(transaction != NULL
                   ? dw__transaction_snapshot(transaction, state->table, &state->snapshot, err)
                   : dw__log_snapshot(log, &state->snapshot, err));
    }
    dw_str root = dw__table_root(state->table);
    if (exists && state->spec->mode == DW_LOAD_ERROR) {
        return dw__error_set(err, DW_ALREADY_EXISTS, "TABLE_ALREADY_EXISTS",
                             "there is a Delta table at %.*s already: use mode append or overwrite",
                             DW_STR_ARG(root));
    }
    if (!exists && transaction != NULL) {
        return dw__error_set(err, DW_UNSUPPORTED, "TRANSACTION_STATEMENT",
                             "there is no Delta table at %.*s, and a transaction cannot create "
                             "one: create it before BEGIN",
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
    DW_TRY(dw__source_files_find(dw__table_env(state->table), state->connection, state->spec,
                                 state->arena, &state->files, err));
    DW_TRY(take_files(state, err));
    out->files_skipped = (int64_t) state->skipped_count;
    return state->files.count == 0 ? DW_OK : load_files(state, out, err);
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
    if (status == DW_OK && spec->operation == NULL && out->write.judged.text[0] != '\0') {
        dw__env_warn(dw__table_env(table), "%s", out->write.judged.text); /* no statement tells */
    }
    return blame_source(status, err);
}
