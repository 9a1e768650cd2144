/*
 * Choosing rows, taking them out of their files, writing others, and committing all of it.
 */
#include "table/row_change.h"

#include "base/assert.h"
#include "codec/uri.h"
#include "protocol/stats.h"
#include "scan/dv.h"
#include "table/change_data.h"
#include "table/projection.h"
#include "table/zeros.h"

#define SQL_BYTES_MAX ((size_t) 64 << 20)

/* ---- Checks ---------------------------------------------------------------------------------- */

static bool
uses_vectors(const dw_row_change *rc)
{
    return rc->properties->enable_deletion_vectors &&
           dw__protocol_supports(dw__log_snapshot_protocol(rc->spec->snapshot),
                                 DW_FEATURE_DELETION_VECTORS);
}

static dw_status
check_table(const dw_row_change *rc, dw_error *err)
{
    const dw_log_snapshot *snapshot = rc->spec->snapshot;
    DW_TRY(dw__protocol_check_write(dw__log_snapshot_protocol(snapshot),
                                    dw__log_snapshot_schema(snapshot), err));
    if (rc->properties->append_only) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "APPEND_ONLY",
                             "the table is append-only (delta.appendOnly = true): its rows cannot "
                             "be changed or deleted");
    }
    return DW_OK;
}

bool
dw__row_change_has_feed(const dw_row_change *rc)
{
    return rc->properties->enable_change_data_feed;
}

/* ---- How many rows a file has ---------------------------------------------------------------- */

/* Files without statistics say it themselves. */
static dw_status
ask_file(dw_row_change *rc, const dw_file *add, int64_t *out, dw_error *err)
{
    dw_str path;
    dw_text_rows rows;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(rc->arena.allocator, SQL_BYTES_MAX);
    DW_TRY(dw__uri_resolve(&rc->arena, dw__table_root(rc->spec->table), add->path, &path, err));
    dw__strbuf_append_literal(&sql, "SELECT num_rows FROM parquet_file_metadata(");
    dw__sql_put_literal(&sql, path);
    dw__strbuf_append_char(&sql, ')');
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__connection_query_text(rc->spec->connection, dw__strbuf_str(&sql), &rc->arena, &rows,
                                     err));
    if (rows.row_count != 1 || !dw__str_to_i64(rows.cells[0], out)) {
        return dw__error_set(err, DW_CORRUPT, "DATA_FILE_DAMAGED",
                             "expected the number of rows of %.*s, found none",
                             DW_STR_ARG(add->path));
    }
    return DW_OK;
}

static dw_status
count_rows(dw_row_change *rc, const dw_file *add, int64_t *out, dw_error *err)
{
    dw_file_stats stats = {0};
    if (!dw__str_is_null(add->stats)) {
        dw__stats_read_counts(add->stats, &stats);
    }
    *out = stats.num_records;
    return stats.has_num_records ? DW_OK : ask_file(rc, add, out, err);
}

/* ---- Choosing -------------------------------------------------------------------------------- */

static dw_status
unite(dw_row_change *rc, dw_chosen_file *file, dw_error *err)
{
    DW_AUTO(dw_rowset_ptr) before = NULL;
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, rc->arena.allocator);
    if (file->add.dv != NULL) {
        DW_TRY(
            dw__dv_read(dw__table_storage(rc->spec->table), file->add.dv, &scratch, &before, err));
    }
    DW_TRY(dw__rowset_new(rc->arena.allocator, &file->gone, err));
    return dw__rowset_unite(file->gone, before, file->chosen, err);
}

static dw_status
choose_file(dw_row_change *rc, dw_file_ref ref, dw_rowset *chosen, dw_error *err)
{
    dw_chosen_file *file = &rc->files[rc->file_count++];
    *file = (dw_chosen_file){.ref = ref, .chosen = chosen};
    DW_TRY(dw__file_set_get(dw__log_snapshot_files(rc->spec->snapshot), ref, &rc->arena, &file->add,
                            err));
    DW_TRY(count_rows(rc, &file->add, &file->row_count, err));
    int64_t before = file->add.dv == NULL ? 0 : file->add.dv->cardinality;
    int64_t now = (int64_t) dw__rowset_cardinality(chosen);
    rc->result.row_count += now;
    return before + now < file->row_count ? unite(rc, file, err) : DW_OK;
}

/* A file that goes as a whole, without a look into it. */
static dw_status
choose_whole_file(dw_row_change *rc, dw_file_ref ref, bool *is_known, dw_error *err)
{
    dw_chosen_file *file = &rc->files[rc->file_count++];
    dw_file_stats stats = {0};
    *file = (dw_chosen_file){.ref = ref};
    DW_TRY(dw__file_set_get(dw__log_snapshot_files(rc->spec->snapshot), ref, &rc->arena, &file->add,
                            err));
    if (!dw__str_is_null(file->add.stats)) {
        dw__stats_read_counts(file->add.stats, &stats);
    }
    *is_known = *is_known && stats.has_num_records;
    rc->result.row_count +=
        stats.num_records - (file->add.dv == NULL ? 0 : file->add.dv->cardinality);
    return DW_OK;
}

static dw_status
choose_rows(dw_row_change *rc, dw_error *err)
{
    size_t count, whole_count;
    bool is_known = true;
    const dw_row_change_spec *spec = rc->spec;
    const dw_file_ref *refs = dw__scan_files(spec->scan, spec->source_idx, &count);
    const dw_file_ref *whole = dw__scan_whole_files(spec->scan, spec->source_idx, &whole_count);
    if (count > 0) {
        DW_TRY(dw__row_choice_read(spec->connection, spec->query, count, rc->arena.allocator,
                                   &rc->choice, err));
    }
    rc->files = DW_ARENA_ARRAY(&rc->arena, dw_chosen_file, count + whole_count + 1);
    if (rc->files == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        if (rc->choice.rows[i] != NULL) {
            DW_TRY(choose_file(rc, refs[i], rc->choice.rows[i], err));
        }
    }
    for (size_t i = 0; i < whole_count; i++) {
        DW_TRY(choose_whole_file(rc, whole[i], &is_known, err));
    }
    if (!is_known) {
        rc->result.row_count = -1;
    }
    return DW_OK;
}

static dw_status
choose_all(dw_row_change *rc, dw_error *err)
{
    bool is_known;
    dw_file_ref ref = {0, 0};
    dw_file_set *set = dw__log_snapshot_files(rc->spec->snapshot);
    DW_TRY(dw__scan_count_rows(rc->spec->snapshot, &rc->result.row_count, &is_known, err));
    if (!is_known) {
        rc->result.row_count = -1;
    }
    rc->files = DW_ARENA_ARRAY(&rc->arena, dw_chosen_file, dw__file_set_count(set) + 1);
    if (rc->files == NULL) {
        return dw__error_oom(err);
    }
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        rc->files[rc->file_count++] = (dw_chosen_file){.ref = ref};
    }
    return DW_OK;
}

bool
dw__row_change_is_read(const dw_log_snapshot *snapshot, const dw_scan *scan, size_t except_idx)
{
    dw_str id = dw__log_snapshot_metadata(snapshot)->id;
    size_t count = scan == NULL ? 0 : dw__scan_source_count(scan);
    for (size_t i = 0; i < count; i++) {
        const dw_log_snapshot *read = dw__scan_snapshot(scan, i);
        bool is_past = dw__log_snapshot_version(read) < dw__log_snapshot_version(snapshot);
        if (i != except_idx && !is_past && dw__str_equal(dw__log_snapshot_metadata(read)->id, id)) {
            return true;
        }
    }
    return false;
}

/* Rows of the table that decide about others: whoever changes any of them decides first. */
void
dw__row_change_note_inputs(dw_row_change *rc, const dw_scan *scan)
{
    if (dw__row_change_is_read(rc->spec->snapshot, scan, rc->spec->source_idx)) {
        rc->change.reads_whole_table = true;
    }
}

/* What others added is looked at as the condition would. */
static dw_status
find_new(void *ctx, const dw_action *actions, size_t count, bool *found, dw_error *err)
{
    const dw_row_change *rc = ctx;
    return dw__scan_find_new(rc->spec->scan, rc->spec->source_idx, actions, count, found, err);
}

/* Each row of these files was looked at for itself, unless others decided, too. [CHANGE-6] */
static dw_status
put_read_set(dw_row_change *rc, dw_error *err)
{
    size_t count, whole_count;
    rc->change.looks_for_rows = true;
    if (rc->spec->scan == NULL) {
        rc->change.reads_whole_table = true;
        return DW_OK;
    }
    const dw_file_ref *refs = dw__scan_files(rc->spec->scan, rc->spec->source_idx, &count);
    const dw_file_ref *whole =
        dw__scan_whole_files(rc->spec->scan, rc->spec->source_idx, &whole_count);
    dw_str *paths = DW_ARENA_ARRAY(&rc->arena, dw_str, count + whole_count + 1);
    if (paths == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count + whole_count; i++) {
        paths[i] = dw__file_set_path(dw__log_snapshot_files(rc->spec->snapshot),
                                     i < count ? refs[i] : whole[i - count]);
    }
    count += whole_count;
    if (rc->spec->minds_all_rows) {
        rc->change.read_paths = paths;
        rc->change.read_path_count = count;
    } else {
        rc->change.searched_paths = paths;
        rc->change.searched_path_count = count;
    }
    rc->change.search = (dw_row_search){find_new, rc};
    rc->change.reads_whole_table = rc->spec->was_read_before;
    dw__row_change_note_inputs(rc, rc->spec->scan);
    return DW_OK;
}

/*
 * ---- Vectors made anew behind other writers ---------------------------------------------------
 */

static dw_status
read_vector(void *ctx, const dw_dv_descriptor *dv, dw_rowset **out, dw_error *err)
{
    dw_row_change *rc = ctx;
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, rc->arena.allocator);
    return dw__dv_read(dw__table_storage(rc->spec->table), dv, &scratch, out, err);
}

static dw_status
write_vector(void *ctx, const dw_rowset *rows, dw_dv_descriptor **out, dw_error *err)
{
    dw_row_change *rc = ctx;
    return dw__dv_writer_put(&rc->vectors, rows, out, err);
}

static dw_status
finish_vectors(void *ctx, dw_error *err)
{
    dw_row_change *rc = ctx;
    return dw__dv_writer_finish(&rc->vectors, err);
}

/* New rows have the columns that the table is to have; those that stay keep what they have. */
static dw_status
choose_targets(dw_row_change *rc, dw_error *err)
{
    const dw_log_snapshot *snapshot = rc->spec->snapshot;
    const dw_type *schema = dw__log_snapshot_schema(snapshot);
    DW_TRY(dw__data_target_keeping_ids(snapshot, &rc->arena, &rc->rest, err));
    rc->schema = schema;
    rc->target = rc->rest;
    if (rc->spec->schema == NULL) {
        return DW_OK;
    }
    rc->schema = rc->target.schema = rc->spec->schema;
    rc->target.properties = rc->spec->properties;
    for (size_t i = schema->field_count; i < rc->rest.schema->field_count; i++) {
        const dw_field *hidden = &rc->rest.schema->fields[i];
        DW_TRY(dw__data_target_add_column(&rc->target, hidden->name, hidden->type->kind, &rc->arena,
                                          err));
    }
    return DW_OK;
}

dw_status
dw__row_change_init(dw_row_change *rc, const dw_row_change_spec *spec, dw_error *err)
{
    dw_table *table = spec->table;
    *rc = (dw_row_change){.spec = spec,
                          .properties = dw__log_snapshot_properties(spec->snapshot),
                          .result = {.version = -1}};
    dw__arena_init(&rc->arena, dw__table_env(table)->allocator);
    dw__dv_writer_init(&rc->vectors, dw__table_storage(table), &rc->arena);
    rc->vectors.uses_log = rc->properties->inline_deletion_vectors;
    DW_TRY(dw__change_init(&rc->change, table, spec->snapshot, &rc->arena, 0, err));
    rc->change.operation = spec->operation;
    rc->change.transaction = spec->transaction;
    rc->change.limits = spec->limits;
    rc->change.vectors = &rc->vectors;
    rc->change.files = &rc->written;
    rc->change.change_files = &rc->change_data;
    DW_TRY(check_table(rc, err));
    DW_TRY(choose_targets(rc, err));
    DW_TRY(put_read_set(rc, err));
    return spec->scan == NULL ? choose_all(rc, err) : choose_rows(rc, err);
}

dw_status
dw__row_change_judge(dw_row_change *rc, dw_row_rules *rules, dw_error *err)
{
    const dw_judgement_spec spec = {
        .table = rc->spec->table,
        .connection = rc->spec->connection,
        .snapshot = rc->spec->snapshot,
        .table_id = dw__log_snapshot_metadata(rc->spec->snapshot)->id,
        .schema = rc->schema,
        .expectations = rules->expectations,
        .is_in_transaction = rc->spec->transaction != NULL,
    };
    rules->judgement = &rc->judgement;
    rc->target.query_runs_once = rules->expectations.count > 0; /* [JUDGEMENT-1] */
    return dw__judgement_open(&rc->judgement, &spec, &rc->arena, err);
}

/* ---- Rows that are written twice ------------------------------------------------------------- */

static dw_status
execute(dw_row_change *rc, const char *before, const char *after, dw_str query, dw_error *err)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(rc->arena.allocator, SQL_BYTES_MAX);
    dw__strbuf_append(&sql, dw__str_from(before));
    dw__sql_put_identifier(&sql, rc->kept);
    dw__strbuf_append(&sql, dw__str_from(after));
    dw__strbuf_append(&sql, query);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    return dw__connection_execute(rc->spec->connection, dw__strbuf_str(&sql), err);
}

dw_status
dw__row_change_keep(dw_row_change *rc, dw_str query, dw_str *name_out, dw_error *err)
{
    dw_assert(dw__str_is_null(rc->kept));
    rc->kept = dw__arena_printf(&rc->arena, "%.*s_new", DW_STR_ARG(rc->spec->name_prefix));
    *name_out = rc->kept;
    if (dw__str_is_null(rc->kept)) {
        return dw__error_oom(err);
    }
    return execute(rc, "CREATE OR REPLACE TEMP TABLE ", " AS ", query, err);
}

static void
forget_kept(dw_row_change *rc)
{
    dw_error ignored = DW_ERROR_INIT;
    if (!dw__str_is_null(rc->kept)) {
        (void) !execute(rc, "DROP TABLE IF EXISTS ", "", DW_STR(""), &ignored);
    }
}

void
dw__row_change_deinit(dw_row_change *rc)
{
    forget_kept(rc);
    dw__judgement_close(&rc->judgement);
    dw__change_discard(&rc->change);
    for (size_t i = 0; i < rc->file_count; i++) {
        dw__rowset_free(rc->files[i].gone);
    }
    dw__row_choice_deinit(&rc->choice);
    dw__dv_writer_deinit(&rc->vectors);
    dw__arena_deinit(&rc->arena);
}

/* ---- Rows as sources ------------------------------------------------------------------------- */

/*
 * The files as a source: of those that lose a part the rows that stay, or of all the chosen rows.
 */
static dw_status
rows_of(dw_row_change *rc, bool are_left_out, dw_scan_rows *out, dw_error *err)
{
    dw_file_ref *refs = DW_ARENA_ARRAY(&rc->arena, dw_file_ref, rc->file_count + 1);
    dw_rowset **rows = DW_ARENA_ARRAY(&rc->arena, dw_rowset *, rc->file_count + 1);
    if (refs == NULL || rows == NULL) {
        return dw__error_oom(err);
    }
    *out = (dw_scan_rows){.files = refs, .rows = rows, .are_left_out = are_left_out};
    for (size_t i = 0; i < rc->file_count; i++) {
        const dw_chosen_file *file = &rc->files[i];
        if (!are_left_out || file->gone != NULL) {
            refs[out->count] = file->ref;
            rows[out->count++] = are_left_out ? file->gone : file->chosen;
        }
    }
    return DW_OK;
}

dw_status
dw__row_change_rows(dw_row_change *rc, dw_scan_rows *out, dw_error *err)
{
    return rows_of(rc, false, out, err);
}

dw_status
dw__row_change_open(dw_row_change *rc, const dw_scan_rows *rows, const char *name, dw_str *view_out,
                    dw_scan **out, dw_error *err)
{
    *out = NULL;
    *view_out = dw__arena_printf(&rc->arena, "%.*s_%s", DW_STR_ARG(rc->spec->name_prefix), name);
    if (dw__str_is_null(*view_out)) {
        return dw__error_oom(err);
    }
    dw_scan_source source = {.name = *view_out,
                             .snapshot = rc->spec->snapshot,
                             .rows = rows,
                             .with_row_ids = rc->properties->enable_row_tracking};
    return dw__scan_open(rc->spec->connection, dw__table_database(rc->spec->table), DW_STR(""),
                         &source, 1, out, err);
}

void
dw__row_change_print_select(const dw_row_change *rc, dw_str view, const char *last, dw_strbuf *out)
{
    const dw_type *schema = last == NULL ? rc->target.schema : rc->schema;
    for (size_t i = 0; i < schema->field_count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("SELECT ") : DW_STR(", "));
        dw__zeros_print_column(out, &schema->fields[i]);
    }
    dw__strbuf_append(out, last == NULL ? DW_STR("") : dw__str_from(last));
    dw__strbuf_append_literal(out, " FROM ");
    dw__sql_put_identifier(out, view);
}

/* ---- Writing rows ---------------------------------------------------------------------------- */

/* What was written joins what was written before, so that all of it is discarded together. */
static dw_status
join_files(dw_row_change *rc, const dw_data_files *more, dw_data_files *all, dw_error *err)
{
    dw_file *adds = DW_ARENA_ARRAY(&rc->arena, dw_file, all->count + more->count + 1);
    if (adds == NULL) {
        dw__data_files_discard(rc->spec->table, more);
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < all->count + more->count; i++) {
        adds[i] = i < all->count ? all->adds[i] : more->adds[i - all->count];
    }
    *all = (dw_data_files){.adds = adds,
                           .count = all->count + more->count,
                           .row_count = all->row_count + more->row_count,
                           .size_bytes = all->size_bytes + more->size_bytes};
    return DW_OK;
}

static dw_status
write_files(dw_row_change *rc, const dw_data_target *target, dw_str query, dw_data_files *all,
            dw_error *err)
{
    dw_data_files files;
    dw_status status = dw__data_files_write(rc->spec->table, rc->spec->connection, target, query,
                                            &rc->arena, &files, err);
    return status == DW_OK ? join_files(rc, &files, all, err) : status;
}

dw_status
dw__row_change_write(dw_row_change *rc, dw_str query, dw_error *err)
{
    /* Ids that are not promised yet may get lost. */
    rc->change.loses_row_ids = !rc->properties->enable_row_tracking && rc->file_count > 0;
    return write_files(rc, &rc->target, query, &rc->written, err);
}

dw_status
dw__row_change_write_data(dw_row_change *rc, dw_str query, dw_error *err)
{
    dw_data_target target = dw__data_target_of(rc->spec->snapshot);
    target.schema = rc->schema;
    target.properties = rc->target.properties;
    DW_TRY(dw__change_data_target(&target, &rc->arena, err));
    return write_files(rc, &target, query, &rc->change_data, err);
}

dw_status
dw__row_change_write_new(dw_row_change *rc, dw_str query, dw_error *err)
{
    dw_data_target target = dw__data_target_of(rc->spec->snapshot);
    target.schema = rc->schema;
    target.properties = rc->target.properties;
    target.query_runs_once = rc->target.query_runs_once;
    return write_files(rc, &target, query, &rc->written, err);
}

/* ---- Taking rows out ------------------------------------------------------------------------- */

bool
dw__row_change_rewrites(const dw_row_change *rc)
{
    for (size_t i = 0; i < rc->file_count; i++) {
        if (rc->files[i].gone != NULL) {
            return !uses_vectors(rc);
        }
    }
    return false;
}

/* The file again, behind its removal, as it is but for its vector and the promise of its bounds. */
static dw_status
put_marked(dw_row_change *rc, const dw_chosen_file *file, dw_error *err)
{
    rc->change.removed_file_count--; /* the file stays */
    rc->change.removed_bytes -= file->add.size_bytes;
    dw_action action = {.kind = DW_ACTION_ADD, .as.file = file->add};
    dw_file *add = &action.as.file;
    add->data_change = true;
    DW_TRY(dw__dv_writer_put(&rc->vectors, file->gone, &add->dv, err));
    DW_AUTO(dw_strbuf) stats = dw__strbuf_make(rc->arena.allocator, SQL_BYTES_MAX);
    DW_TRY(dw__stats_loosen(&stats, file->add.stats, file->row_count, err));
    if (!dw__arena_dup(&rc->arena, dw__strbuf_str(&stats), &add->stats)) {
        return dw__error_oom(err);
    }
    rc->marks[rc->mark_count] = (dw_row_mark){.remove_idx = rc->change.count - 1,
                                              .add_idx = rc->change.count,
                                              .rows = file->chosen,
                                              .row_count = file->row_count,
                                              .is_emptied = &rc->is_emptied[rc->mark_count]};
    rc->mark_count++;
    dw__change_put(&rc->change, &action);
    rc->result.files_marked++;
    return DW_OK;
}

dw_status
dw__row_change_copy(dw_row_change *rc, const dw_scan_rows *rows, const char *name, const char *last,
                    dw_status (*write)(dw_row_change *rc, dw_str query, dw_error *err),
                    dw_error *err)
{
    dw_str view;
    dw_scan *scan;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(rc->arena.allocator, SQL_BYTES_MAX);
    DW_TRY(dw__row_change_open(rc, rows, name, &view, &scan, err));
    dw__row_change_print_select(rc, view, last, &sql);
    dw_status status = dw__strbuf_ok(&sql, "the statement", err);
    if (status == DW_OK) {
        status = write(rc, dw__strbuf_str(&sql), err);
    }
    if (status != DW_OK && err != NULL) {
        status = dw__scan_explain_error(scan, err);
    }
    dw__scan_close(scan);
    return status;
}

static dw_status
write_rest(dw_row_change *rc, dw_error *err)
{
    dw_scan_rows rows;
    DW_TRY(rows_of(rc, true, &rows, err));
    rc->result.files_rewritten = (int64_t) rows.count;
    dw_data_target target = rc->target;
    rc->target = rc->rest;
    dw_status status = dw__row_change_copy(rc, &rows, "rest", NULL, dw__row_change_write, err);
    rc->target = target;
    return status;
}

dw_status
dw__row_change_take_out(dw_row_change *rc, dw_error *err)
{
    bool marks = uses_vectors(rc);
    DW_TRY(dw__judgement_settle(&rc->judgement, &rc->change, err));
    rc->result.judged = rc->judgement.result;
    DW_TRY(dw__change_reserve(&rc->change, 2 * rc->file_count, err));
    rc->marks = DW_ARENA_ARRAY(&rc->arena, dw_row_mark, rc->file_count + 1);
    rc->is_emptied = DW_ARENA_ARRAY(&rc->arena, bool, rc->file_count + 1);
    if (rc->marks == NULL || rc->is_emptied == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < rc->file_count; i++) {
        const dw_chosen_file *file = &rc->files[i];
        DW_TRY(dw__change_put_remove(&rc->change, file->ref, err));
        if (file->gone == NULL) {
            rc->result.files_removed++;
        } else if (marks) {
            DW_TRY(put_marked(rc, file, err));
        }
    }
    if (dw__row_change_rewrites(rc)) {
        DW_TRY(write_rest(rc, err));
    }
    return dw__dv_writer_finish(&rc->vectors, err);
}

/* ---- The commit ------------------------------------------------------------------------------ */

static void
print_metrics(const dw_row_change *rc, dw_strbuf *json)
{
    bool updates = strcmp(rc->spec->operation, "UPDATE") == 0;
    dw__change_put_metric(json, "numRemovedFiles", rc->change.removed_file_count);
    dw__change_put_metric(json, "numRemovedBytes", rc->change.removed_bytes);
    dw__change_put_metric(json, "numAddedFiles", (int64_t) rc->written.count);
    dw__change_put_metric(json, "numAddedBytes", rc->written.size_bytes);
    dw__change_put_metric(json, "numCopiedRows",
                          rc->written.row_count - (updates ? rc->result.row_count : 0));
    dw__change_put_metric(json, "numAddedChangeFiles", (int64_t) rc->change_data.count);
    dw__change_put_metric(json, "numDeletionVectorsAdded", rc->result.files_marked);
    if (rc->result.row_count >= 0) {
        dw__change_put_metric(json, updates ? "numUpdatedRows" : "numDeletedRows",
                              rc->result.row_count);
    }
    dw__change_end_metrics(&rc->change, json);
}

static dw_status
put_metrics(dw_row_change *rc, dw_error *err)
{
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(rc->arena.allocator, DW_COMMIT_BYTES_MAX);
    print_metrics(rc, &json);
    DW_TRY(dw__strbuf_ok(&json, "the operation's metrics", err));
    return dw__arena_dup(&rc->arena, dw__strbuf_str(&json), &rc->change.metrics_json)
               ? DW_OK
               : dw__error_oom(err);
}

void
dw__row_change_note_emptied(dw_row_change *rc)
{
    int64_t count = 0;
    int64_t bytes = 0;
    for (size_t i = 0; i < rc->mark_count; i++) {
        if (rc->is_emptied[i]) {
            count++;
            bytes += rc->change.actions[rc->marks[i].remove_idx].as.file.size_bytes;
        }
    }
    rc->change.removed_file_count += count - rc->emptied_count;
    rc->change.removed_bytes += bytes - rc->emptied_bytes;
    rc->result.files_removed += count - rc->emptied_count;
    rc->result.files_marked -= count - rc->emptied_count;
    rc->emptied_count = count;
    rc->emptied_bytes = bytes;
}

/* Rows need not be counted anew: one that others deleted, too, would have been a conflict. */
static dw_status
count_left(void *ctx, dw_str *metrics_json_out, dw_error *err)
{
    dw_row_change *rc = ctx;
    dw__row_change_note_emptied(rc);
    DW_TRY(put_metrics(rc, err));
    *metrics_json_out = rc->change.metrics_json;
    return DW_OK;
}

static dw_status
describe_change(dw_row_change *rc, dw_error *err)
{
    if (!dw__str_is_null(rc->change.metrics_json)) {
        return DW_OK; /* the verb has said it */
    }
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(rc->arena.allocator, DW_COMMIT_BYTES_MAX);
    DW_AUTO(dw_strbuf) list = dw__strbuf_make(rc->arena.allocator, DW_COMMIT_BYTES_MAX);
    dw_str predicate = rc->spec->predicate;
    dw__change_print_list(&list, &predicate, dw__str_is_null(predicate) ? 0 : 1);
    dw__change_put_parameter(&json, "predicate", dw__strbuf_str(&list));
    dw__strbuf_append_char(&json, '}');
    DW_TRY(dw__strbuf_ok(&list, "the operation's parameters", err));
    DW_TRY(dw__strbuf_ok(&json, "the operation's parameters", err));
    if (!dw__arena_dup(&rc->arena, dw__strbuf_str(&json), &rc->change.parameters_json)) {
        return dw__error_oom(err);
    }
    rc->change.count_left = count_left;
    rc->change.count_ctx = rc;
    return put_metrics(rc, err);
}

static dw_status
put_written(dw_row_change *rc, dw_error *err)
{
    DW_TRY(dw__change_reserve(&rc->change, rc->written.count + rc->change_data.count, err));
    dw__change_put_adds(&rc->change, &rc->written);
    for (size_t i = 0; i < rc->change_data.count; i++) {
        dw_action action = dw__change_data_action(&rc->change_data.adds[i]);
        dw__change_put(&rc->change, &action);
    }
    return DW_OK;
}

/* From here on it is the commit's, not ours, to say what is removed. */
static void
let_go(dw_row_change *rc)
{
    rc->change.files = NULL;
    rc->change.change_files = NULL;
    rc->change.vectors = NULL;
}

dw_status
dw__row_change_commit(dw_row_change *rc, dw_error *err)
{
    dw_txn_result done;
    if (rc->change.count == 0 && rc->written.count == 0 && !rc->change.commits_nothing) {
        return DW_OK;
    }
    DW_TRY(put_written(rc, err));
    DW_TRY(describe_change(rc, err));
    DW_TRY(dw__judgement_quarantine(&rc->judgement, NULL, 0, err));
    rc->change.marks =
        (dw_row_marks){rc->marks, rc->mark_count, read_vector, write_vector, finish_vectors, rc};
    dw_status status = dw__change_commit(&rc->change, &done, err);
    let_go(rc);
    DW_TRY(status);
    rc->result.version = done.version;
    rc->result.files_added = (int64_t) rc->written.count;
    rc->result.bytes_added = rc->written.size_bytes;
    return DW_OK;
}
