/*
 * DELETE: which rows, what becomes of their files, and the commit.
 */
#include "table/delete.h"

#include "base/assert.h"
#include "codec/uri.h"
#include "protocol/stats.h"
#include "scan/dv.h"
#include "table/change.h"
#include "table/row_choice.h"

#include <inttypes.h>
#include <stdio.h>

#define SQL_BYTES_MAX ((size_t) 64 << 20)
#define CHANGE_DATA_DIRECTORY "_change_data"
#define CHANGE_TYPE_COLUMN "_change_type"

/* A file that loses some of its rows. */
typedef struct marked_file {
    dw_file_ref ref;
    dw_file add;
    int64_t row_count; /* as it was written */
    const dw_rowset *chosen;
    dw_rowset *deleted; /* chosen now or deleted before */
} marked_file;

typedef struct delete_state {
    dw_table *table;
    dw_connection *connection;
    const dw_delete_spec *spec;
    const dw_properties *properties;
    dw_file_set *files;
    dw_arena *arena;
    dw_change change;
    dw_dv_writer vectors;
    dw_data_files rewritten, change_data;
    marked_file *marked;
    size_t marked_count;
    dw_delete_result *result;
} delete_state;

/* ---- Checks ---------------------------------------------------------------------------------- */

static bool
uses_vectors(const delete_state *state)
{
    return state->properties->enable_deletion_vectors &&
           dw__protocol_supports(dw__log_snapshot_protocol(state->spec->snapshot),
                                 DW_FEATURE_DELETION_VECTORS);
}

static dw_status
check_table(const delete_state *state, dw_error *err)
{
    const dw_log_snapshot *snapshot = state->spec->snapshot;
    DW_TRY(dw__protocol_check_write(dw__log_snapshot_protocol(snapshot),
                                    dw__log_snapshot_metadata(snapshot),
                                    dw__log_snapshot_schema(snapshot), err));
    if (state->properties->append_only) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "APPEND_ONLY",
                             "the table is append-only (delta.appendOnly = true): its rows cannot "
                             "be deleted");
    }
    if (state->properties->enable_row_tracking && !uses_vectors(state)) {
        return dw__error_set(err, DW_UNSUPPORTED, "ROW_IDS_NOT_KEPT",
                             "deleting from a table with row tracking needs deletion vectors, as "
                             "rows keep their ids: set delta.enableDeletionVectors = true");
    }
    return DW_OK;
}

/* ---- How many rows a file has ---------------------------------------------------------------- */

/* Files without statistics say it themselves. */
static dw_status
ask_file(const delete_state *state, const dw_file *add, int64_t *out, dw_error *err)
{
    dw_str path;
    dw_text_rows rows;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(state->arena->allocator, SQL_BYTES_MAX);
    DW_TRY(dw__uri_resolve(state->arena, dw__table_root(state->table), add->path, &path, err));
    dw__strbuf_append_literal(&sql, "SELECT num_rows FROM parquet_file_metadata(");
    dw__sql_put_literal(&sql, path);
    dw__strbuf_append_char(&sql, ')');
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__connection_query_text(state->connection, dw__strbuf_str(&sql), state->arena, &rows,
                                     err));
    if (rows.row_count != 1 || !dw__str_to_i64(rows.cells[0], out)) {
        return dw__error_set(err, DW_CORRUPT, "DATA_FILE_DAMAGED",
                             "expected the number of rows of %.*s, found none",
                             DW_STR_ARG(add->path));
    }
    return DW_OK;
}

static dw_status
count_rows(const delete_state *state, const dw_file *add, int64_t *out, dw_error *err)
{
    dw_file_stats stats = {0};
    if (!dw__str_is_null(add->stats)) {
        dw__stats_read_counts(add->stats, &stats);
    }
    *out = stats.num_records;
    return stats.has_num_records ? DW_OK : ask_file(state, add, out, err);
}

/* ---- What becomes of each file --------------------------------------------------------------- */

static dw_status
unite(const delete_state *state, marked_file *file, dw_error *err)
{
    DW_AUTO(dw_rowset_ptr) before = NULL;
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, state->arena->allocator);
    if (file->add.dv != NULL) {
        DW_TRY(dw__dv_read(dw__table_storage(state->table), file->add.dv, &scratch, &before, err));
    }
    DW_TRY(dw__rowset_new(state->arena->allocator, &file->deleted, err));
    return dw__rowset_unite(file->deleted, before, file->chosen, err);
}

/* Decides about one file with chosen rows: all of it, or a part. */
static dw_status
mark_file(delete_state *state, dw_file_ref ref, const dw_rowset *chosen, dw_error *err)
{
    marked_file file = {.ref = ref, .chosen = chosen};
    DW_TRY(dw__file_set_get(state->files, ref, state->arena, &file.add, err));
    DW_TRY(count_rows(state, &file.add, &file.row_count, err));
    int64_t gone = file.add.dv == NULL ? 0 : file.add.dv->cardinality;
    int64_t now = (int64_t) dw__rowset_cardinality(chosen);
    state->result->rows_deleted += now;
    if (gone + now >= file.row_count) {
        state->result->files_removed++;
        return dw__change_put_remove(&state->change, ref, err);
    }
    dw_status status = unite(state, &file, err);
    state->marked[state->marked_count++] = file; /* with what is to be freed */
    return status;
}

static dw_status
mark_files(delete_state *state, const dw_row_choice *choice, dw_error *err)
{
    size_t count;
    const dw_file_ref *refs = dw__scan_files(state->spec->scan, 0, &count);
    dw_assert(count == choice->file_count);
    state->marked = DW_ARENA_ARRAY(state->arena, marked_file, count + 1);
    if (state->marked == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        if (choice->rows[i] != NULL) {
            DW_TRY(mark_file(state, refs[i], choice->rows[i], err));
        }
    }
    return DW_OK;
}

/* ---- Deletion vectors ------------------------------------------------------------------------ */

/* The file again, as it is but for its vector and the promise of its bounds. */
static dw_status
put_marked(delete_state *state, const marked_file *file, dw_error *err)
{
    DW_TRY(dw__change_put_remove(&state->change, file->ref, err));
    state->change.removed_file_count--; /* the file stays */
    state->change.removed_bytes -= file->add.size_bytes;
    dw_action action = {.kind = DW_ACTION_ADD, .as.file = file->add};
    dw_file *add = &action.as.file;
    add->data_change = true;
    DW_TRY(dw__dv_writer_put(&state->vectors, file->deleted, &add->dv, err));
    DW_AUTO(dw_strbuf) stats = dw__strbuf_make(state->arena->allocator, SQL_BYTES_MAX);
    DW_TRY(dw__stats_loosen(&stats, file->add.stats, file->row_count, err));
    if (!dw__arena_dup(state->arena, dw__strbuf_str(&stats), &add->stats)) {
        return dw__error_oom(err);
    }
    dw__change_put(&state->change, &action);
    state->result->files_marked++;
    return DW_OK;
}

static dw_status
put_all_marked(delete_state *state, dw_error *err)
{
    for (size_t i = 0; i < state->marked_count; i++) {
        DW_TRY(put_marked(state, &state->marked[i], err));
    }
    return dw__dv_writer_finish(&state->vectors, err);
}

/* ---- Writing files again --------------------------------------------------------------------- */

/* SELECT of the table's columns from a view, and a last column where there is one. */
static dw_status
print_select(const delete_state *state, dw_str view, const char *last, dw_strbuf *out,
             dw_error *err)
{
    const dw_type *schema = dw__log_snapshot_schema(state->spec->snapshot);
    for (size_t i = 0; i < schema->field_count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("SELECT ") : DW_STR(", "));
        dw__sql_put_identifier(out, schema->fields[i].name);
    }
    dw__strbuf_append(out, dw__str_from(last));
    dw__strbuf_append_literal(out, " FROM ");
    dw__sql_put_identifier(out, view);
    return dw__strbuf_ok(out, "the statement", err);
}

/* Rows of the files, by their places, into new files. */
static dw_status
write_rows(const delete_state *state, dw_scan_rows *rows, const char *last,
           const dw_data_target *target, dw_data_files *out, dw_error *err)
{
    dw_scan *scan;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(state->arena->allocator, SQL_BYTES_MAX);
    rows->name = dw__arena_printf(state->arena, "%.*s_rows", DW_STR_ARG(state->spec->name_prefix));
    if (dw__str_is_null(rows->name)) {
        return dw__error_oom(err);
    }
    DW_TRY(print_select(state, rows->name, last, &sql, err));
    DW_TRY(
        dw__scan_open_rows(state->connection, dw__table_database(state->table), rows, &scan, err));
    dw_status status = dw__data_files_write(state->table, state->connection, target,
                                            dw__strbuf_str(&sql), state->arena, out, err);
    if (status != DW_OK && err != NULL) {
        status = dw__scan_explain_error(scan, err);
    }
    dw__scan_close(scan);
    return status;
}

/* The arrays of a request for rows of `count` files. */
static dw_status
rows_init(const delete_state *state, size_t count, dw_scan_rows *out, dw_file_ref **refs_out,
          dw_rowset ***rows_out, dw_error *err)
{
    *refs_out = DW_ARENA_ARRAY(state->arena, dw_file_ref, count + 1);
    *rows_out = DW_ARENA_ARRAY(state->arena, dw_rowset *, count + 1);
    if (*refs_out == NULL || *rows_out == NULL) {
        return dw__error_oom(err);
    }
    *out = (dw_scan_rows){
        .snapshot = state->spec->snapshot, .files = *refs_out, .rows = *rows_out, .count = count};
    return DW_OK;
}

static dw_status
rewrite_marked(delete_state *state, dw_error *err)
{
    dw_scan_rows rows;
    dw_file_ref *refs;
    dw_rowset **deleted;
    dw_data_target target = dw__data_target_of(state->spec->snapshot);
    if (state->marked_count == 0) {
        return DW_OK;
    }
    DW_TRY(rows_init(state, state->marked_count, &rows, &refs, &deleted, err));
    rows.are_left_out = true;
    for (size_t i = 0; i < state->marked_count; i++) {
        refs[i] = state->marked[i].ref;
        deleted[i] = state->marked[i].deleted;
        DW_TRY(dw__change_put_remove(&state->change, refs[i], err));
    }
    DW_TRY(write_rows(state, &rows, "", &target, &state->rewritten, err));
    state->change.files = &state->rewritten;
    state->change.loses_row_ids = true;
    state->result->files_rewritten = (int64_t) state->marked_count;
    return DW_OK;
}

/* ---- Change data ----------------------------------------------------------------------------- */

static dw_status
change_data_schema(const delete_state *state, dw_type *out, dw_error *err)
{
    static const dw_type text = {.kind = DW_TYPE_STRING};
    const dw_type *schema = dw__log_snapshot_schema(state->spec->snapshot);
    size_t count = schema->field_count;
    *out = *schema;
    out->fields = DW_ARENA_ARRAY(state->arena, dw_field, count + 1);
    if (out->fields == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        out->fields[i] = schema->fields[i];
    }
    out->fields[count] = (dw_field){.name = DW_STR(CHANGE_TYPE_COLUMN),
                                    .physical_name = DW_STR(CHANGE_TYPE_COLUMN),
                                    .type = &text,
                                    .nullable = true,
                                    .mapping_id = -1};
    out->field_count = count + 1;
    return DW_OK;
}

/* Once a version has change data its readers look at nothing else: rows of removed files are put
 * there, too. With deletion vectors, or files removed as a whole, readers see what is gone. */
static dw_status
write_change_data(delete_state *state, const dw_row_choice *choice, dw_error *err)
{
    dw_scan_rows rows;
    dw_file_ref *refs;
    dw_rowset **chosen;
    size_t count;
    dw_type schema;
    const dw_file_ref *files = dw__scan_files(state->spec->scan, 0, &count);
    if (!state->properties->enable_change_data_feed || state->rewritten.count == 0) {
        return DW_OK;
    }
    DW_TRY(rows_init(state, count, &rows, &refs, &chosen, err));
    rows.count = 0;
    for (size_t i = 0; i < count; i++) {
        if (choice->rows[i] != NULL) {
            refs[rows.count] = files[i];
            chosen[rows.count++] = choice->rows[i];
        }
    }
    DW_TRY(change_data_schema(state, &schema, err));
    dw_data_target target = dw__data_target_of(state->spec->snapshot);
    target.schema = &schema;
    target.directory = DW_STR(CHANGE_DATA_DIRECTORY);
    DW_TRY(write_rows(state, &rows, ", 'delete' AS " CHANGE_TYPE_COLUMN, &target,
                      &state->change_data, err));
    state->change.change_files = &state->change_data;
    return DW_OK;
}

static void
put_change_data(delete_state *state)
{
    for (size_t i = 0; i < state->change_data.count; i++) {
        dw_action action = {.kind = DW_ACTION_CDC, .as.file = state->change_data.adds[i]};
        action.as.file.data_change = false;
        action.as.file.stats = DW_STR_NULL;
        dw__change_put(&state->change, &action);
    }
}

/* ---- The commit ------------------------------------------------------------------------------ */

static void
put_metric(dw_strbuf *json, const char *key, int64_t value)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRId64, value);
    dw__change_put_parameter(json, key, dw__str_make(digits, (size_t) len));
}

static dw_status
describe_change(delete_state *state, dw_error *err)
{
    const dw_delete_result *result = state->result;
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(state->arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_AUTO(dw_strbuf) list = dw__strbuf_make(state->arena->allocator, DW_COMMIT_BYTES_MAX);
    dw_str predicate = state->spec->predicate;
    dw__change_print_list(&list, &predicate, dw__str_is_null(predicate) ? 0 : 1);
    dw__change_put_parameter(&json, "predicate", dw__strbuf_str(&list));
    dw__strbuf_append_char(&json, '}');
    DW_TRY(dw__strbuf_ok(&list, "the operation's parameters", err));
    DW_TRY(dw__strbuf_ok(&json, "the operation's parameters", err));
    bool has_memory =
        dw__arena_dup(state->arena, dw__strbuf_str(&json), &state->change.parameters_json);
    dw__strbuf_clear(&json);
    put_metric(&json, "numRemovedFiles", state->change.removed_file_count);
    put_metric(&json, "numRemovedBytes", state->change.removed_bytes);
    put_metric(&json, "numAddedFiles", (int64_t) state->rewritten.count);
    put_metric(&json, "numAddedBytes", state->rewritten.size_bytes);
    put_metric(&json, "numCopiedRows", state->rewritten.row_count);
    put_metric(&json, "numAddedChangeFiles", (int64_t) state->change_data.count);
    put_metric(&json, "numDeletionVectorsAdded", result->files_marked);
    if (result->rows_deleted >= 0) {
        put_metric(&json, "numDeletedRows", result->rows_deleted);
    }
    dw__strbuf_append_char(&json, '}');
    DW_TRY(dw__strbuf_ok(&json, "the operation's metrics", err));
    has_memory = has_memory &&
                 dw__arena_dup(state->arena, dw__strbuf_str(&json), &state->change.metrics_json);
    return has_memory ? DW_OK : dw__error_oom(err);
}

/* Whoever removes a file that this statement looked into decides first. */
static dw_status
put_read_set(delete_state *state, dw_error *err)
{
    state->change.looks_for_rows = true;
    if (state->spec->scan == NULL) {
        state->change.reads_whole_table = true;
        return DW_OK;
    }
    size_t count;
    const dw_file_ref *refs = dw__scan_files(state->spec->scan, 0, &count);
    dw_str *paths = DW_ARENA_ARRAY(state->arena, dw_str, count + 1);
    if (paths == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        paths[i] = dw__file_set_path(state->files, refs[i]);
    }
    state->change.read_paths = paths;
    state->change.read_path_count = count;
    return DW_OK;
}

static dw_status
commit(delete_state *state, dw_error *err)
{
    dw_txn_result done;
    if (state->change.count == 0 && state->rewritten.count == 0) {
        return DW_OK;
    }
    dw_status status = describe_change(state, err);
    if (status != DW_OK) {
        dw__change_discard(&state->change);
        return status;
    }
    DW_TRY(dw__change_commit(&state->change, &done, err));
    state->result->version = done.version;
    return DW_OK;
}

/* ---- The verb -------------------------------------------------------------------------------- */

/* Writes what is to be written and puts the actions; what it wrote is the change's to discard. */
static dw_status
build_change(delete_state *state, const dw_row_choice *choice, dw_error *err)
{
    DW_TRY(mark_files(state, choice, err));
    if (uses_vectors(state)) {
        return put_all_marked(state, err);
    }
    DW_TRY(rewrite_marked(state, err));
    DW_TRY(write_change_data(state, choice, err));
    DW_TRY(
        dw__change_reserve(&state->change, state->rewritten.count + state->change_data.count, err));
    dw__change_put_adds(&state->change, &state->rewritten);
    put_change_data(state);
    return DW_OK;
}

static dw_status
delete_chosen(delete_state *state, dw_error *err)
{
    size_t count;
    dw_row_choice choice;
    (void) dw__scan_files(state->spec->scan, 0, &count);
    dw_status status = dw__row_choice_read(state->connection, state->spec->query, count,
                                           state->arena->allocator, &choice, err);
    if (status == DW_OK) {
        status = build_change(state, &choice, err);
        if (status != DW_OK) {
            dw__change_discard(&state->change);
        }
    }
    dw__row_choice_deinit(&choice);
    return status;
}

static dw_status
delete_all(delete_state *state, dw_error *err)
{
    dw_file_ref ref = {0, 0};
    bool is_known;
    DW_TRY(
        dw__scan_count_rows(state->spec->snapshot, &state->result->rows_deleted, &is_known, err));
    if (!is_known) {
        state->result->rows_deleted = -1;
    }
    for (bool ok = dw__file_set_first(state->files, &ref); ok;
         ok = dw__file_set_next(state->files, &ref)) {
        DW_TRY(dw__change_put_remove(&state->change, ref, err));
        state->result->files_removed++;
    }
    return DW_OK;
}

static dw_status
run(delete_state *state, dw_error *err)
{
    DW_TRY(check_table(state, err));
    /* A file that gets a deletion vector is removed and added. */
    size_t live = dw__file_set_count(state->files);
    DW_TRY(dw__change_init(&state->change, state->table, state->spec->snapshot, state->arena,
                           2 * live, err));
    state->change.operation = "DELETE";
    state->change.vectors = &state->vectors;
    DW_TRY(put_read_set(state, err));
    DW_TRY(state->spec->scan == NULL ? delete_all(state, err) : delete_chosen(state, err));
    return commit(state, err);
}

dw_status
dw__table_delete(dw_table *table, dw_connection *connection, const dw_delete_spec *spec,
                 dw_delete_result *out, dw_error *err)
{
    *out = (dw_delete_result){.version = -1};
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__table_env(table)->allocator);
    delete_state state = {.table = table,
                          .connection = connection,
                          .spec = spec,
                          .properties = dw__log_snapshot_properties(spec->snapshot),
                          .files = dw__log_snapshot_files(spec->snapshot),
                          .arena = &arena,
                          .result = out};
    dw__dv_writer_init(&state.vectors, dw__table_storage(table), &arena);
    dw_status status = run(&state, err);
    for (size_t i = 0; i < state.marked_count; i++) {
        dw__rowset_free(state.marked[i].deleted);
    }
    dw__dv_writer_deinit(&state.vectors);
    return status;
}
