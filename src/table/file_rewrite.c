/*
 * One scan over the files that are to go, one write of what it gives.
 */
#include "table/file_rewrite.h"

#include "base/assert.h"
#include "codec/codec.h"
#include "codec/uri.h"
#include "scan/dv.h"
#include "table/projection.h"
#include "table/zeros.h"

#define SQL_BYTES_MAX ((size_t) 64 << 20)
#define METRICS_BYTES_MAX ((size_t) 65536)
#define SCAN_PREFIX "deltaworks_rewrite_"

typedef struct rewriter {
    dw_file_rewrite *rewrite;
    dw_table *table;
    dw_log_snapshot *snapshot;
    dw_arena *arena;
    dw_data_target target;
    dw_properties properties; /* of the target, where they are not the table's */
    bool tracks_rows;
    dw_rowset *none;  /* what files without a deletion vector leave out */
    dw_rowset **rows; /* what each file leaves out */
} rewriter;

/* ---- Which rows ------------------------------------------------------------------------------ */

static dw_status
read_vectors(rewriter *r, dw_error *err)
{
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, r->arena->allocator);
    for (size_t i = 0; i < r->rewrite->file_count; i++) {
        const dw_dv_descriptor *dv =
            dw__file_set_dv(dw__log_snapshot_files(r->snapshot), r->rewrite->files[i]);
        r->rows[i] = r->none;
        if (dv != NULL) {
            dw_rowset *rows;
            DW_TRY(dw__dv_read(dw__table_storage(r->table), dv, &scratch, &rows, err));
            r->rows[i] = rows;
            dw__arena_reset(&scratch);
        }
    }
    return DW_OK;
}

static dw_status
choose_all(rewriter *r, dw_error *err)
{
    const dw_file_set *set = dw__log_snapshot_files(r->snapshot);
    dw_file_ref *refs = DW_ARENA_ARRAY(r->arena, dw_file_ref, dw__file_set_count(set) + 1);
    dw_file_ref ref;
    if (refs == NULL) {
        return dw__error_oom(err);
    }
    r->rewrite->files = refs;
    r->rewrite->file_count = 0;
    for (bool ok = dw__file_set_first(set, &ref); ok; ok = dw__file_set_next(set, &ref)) {
        refs[r->rewrite->file_count++] = ref;
    }
    return DW_OK;
}

static dw_status
open_rows(rewriter *r, dw_error *err)
{
    if (r->rewrite->files == NULL) {
        DW_TRY(choose_all(r, err));
    }
    const dw_allocator *allocator = r->arena->allocator;
    DW_TRY(dw__rowset_new(allocator, &r->none, err));
    r->rows = DW_ARENA_ARRAY(r->arena, dw_rowset *, r->rewrite->file_count + 1);
    return r->rows == NULL ? dw__error_oom(err) : read_vectors(r, err);
}

static void
close_rows(rewriter *r)
{
    for (size_t i = 0; r->rows != NULL && i < r->rewrite->file_count; i++) {
        if (r->rows[i] != r->none) {
            dw__rowset_free(r->rows[i]);
        }
    }
    dw__rowset_free(r->none);
}

/* ---- Writing --------------------------------------------------------------------------------- */

static dw_status
print_select(const rewriter *r, dw_str view, dw_strbuf *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(out->allocator, SQL_BYTES_MAX);
    for (size_t i = 0; i < r->target.schema->field_count; i++) {
        const dw_field *field = &r->target.schema->fields[i];
        dw__strbuf_clear(&name);
        dw__sql_put_identifier(&name, field->name);
        dw__strbuf_append(out, i == 0 ? DW_STR("SELECT ") : DW_STR(", "));
        dw__zeros_print(out, field->type, dw__strbuf_str(&name));
        dw__strbuf_append_literal(out, " AS ");
        dw__strbuf_append(out, dw__strbuf_str(&name));
    }
    dw__strbuf_append_literal(out, " FROM ");
    dw__sql_put_identifier(out, view);
    DW_TRY(dw__strbuf_ok(&name, "a column's name", err));
    return dw__strbuf_ok(out, "the statement", err);
}

/* The same in another order, with the number of the file behind the columns, which is named as the
 * view is: no column of a table is. */
static dw_status
print_arranged(const rewriter *r, dw_str view, dw_strbuf *out, dw_error *err)
{
    const dw_row_arrangement *arrangement = r->rewrite->arrangement;
    const dw_type *schema = r->target.schema;
    for (size_t i = 0; i < schema->field_count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("SELECT ") : DW_STR(", "));
        dw__sql_put_identifier(out, schema->fields[i].name);
    }
    dw_str number = dw__arena_printf(r->arena, "%.*s_number", DW_STR_ARG(view));
    if (dw__str_is_null(number)) {
        return dw__error_oom(err);
    }
    dw__strbuf_append_literal(out, ", CAST(");
    dw__sql_put_identifier(out, number);
    dw__strbuf_printf(out, " >> %u AS INTEGER) AS ", arrangement->place_bits);
    dw__sql_put_identifier(out, view);
    dw__strbuf_append_literal(out, " FROM (SELECT dw__rows.*, ");
    DW_TRY(arrangement->put_number(arrangement->ctx, view, out, err));
    dw__strbuf_append_literal(out, " AS ");
    dw__sql_put_identifier(out, number);
    dw__strbuf_append_literal(out, " FROM (");
    DW_TRY(print_select(r, view, out, err));
    dw__strbuf_append_literal(out, ") dw__rows) ORDER BY ");
    dw__sql_put_identifier(out, number);
    return dw__strbuf_ok(out, "the statement", err);
}

static dw_status
print_query(rewriter *r, dw_str view, dw_strbuf *out, dw_error *err)
{
    if (r->rewrite->arrangement == NULL) {
        return print_select(r, view, out, err);
    }
    if (!dw__arena_dup(r->arena, view, &r->target.file_column)) {
        return dw__error_oom(err);
    }
    return print_arranged(r, view, out, err);
}

static dw_status
write_rows(rewriter *r, dw_error *err)
{
    dw_connection *connection = r->rewrite->connection;
    char name[sizeof(SCAN_PREFIX) + DW_UUID_TEXT_SIZE] = SCAN_PREFIX;
    dw__uuid_make(dw__table_env(r->table), name + sizeof(SCAN_PREFIX) - 1);
    dw_scan_rows rows = {.files = r->rewrite->files,
                         .rows = r->rows,
                         .count = r->rewrite->file_count,
                         .are_left_out = true};
    dw_scan_source source = {.name = dw__str_from(name),
                             .snapshot = r->snapshot,
                             .rows = &rows,
                             .with_row_ids = r->tracks_rows};
    dw_scan *scan;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(r->arena->allocator, SQL_BYTES_MAX);
    DW_TRY(dw__scan_open(connection, dw__table_database(r->table), DW_STR(""), &source, 1, &scan,
                         err));
    dw_status status = print_query(r, source.name, &sql, err);
    if (status == DW_OK) {
        status = dw__data_files_write(r->table, connection, &r->target, dw__strbuf_str(&sql),
                                      r->arena, &r->rewrite->written, err);
    }
    if (status != DW_OK && err != NULL) {
        status = dw__scan_explain_error(scan, err);
    }
    dw__scan_close(scan);
    return status;
}

/* Beside the first of the files, in its partition. */
static dw_status
choose_place(rewriter *r, dw_error *err)
{
    dw_file *first = DW_ARENA_NEW(r->arena, dw_file);
    if (first == NULL) {
        return dw__error_oom(err);
    }
    dw_assert(r->rewrite->file_count > 0);
    DW_TRY(dw__file_set_get(dw__log_snapshot_files(r->snapshot), r->rewrite->files[0], r->arena,
                            first, err));
    r->target.partition = &first->partition_values;
    if (!dw__uri_is_absolute(first->path)) {
        dw_str key;
        DW_TRY(dw__uri_canonical(r->arena, first->path, &key, err));
        size_t slash = dw__str_find_last(key, '/');
        r->target.directory = slash == SIZE_MAX ? DW_STR_NULL : dw__str_slice(key, 0, slash);
    }
    return DW_OK;
}

static dw_status
choose_target(rewriter *r, dw_error *err)
{
    const dw_file_rewrite *rewrite = r->rewrite;
    r->target = dw__data_target_of(r->snapshot);
    if (rewrite->schema != NULL) {
        r->target.schema = rewrite->schema;
        r->target.properties = rewrite->properties;
        r->target.protocol = rewrite->protocol;
        r->target.clustering = rewrite->clustering;
    }
    if (rewrite->file_size_bytes != 0) {
        r->properties = *r->target.properties;
        r->properties.target_file_size_bytes = rewrite->file_size_bytes;
        r->target.properties = &r->properties;
    }
    r->target.partition_count_max = rewrite->partition_count_max;
    if (rewrite->as_one_file || rewrite->arrangement != NULL) {
        DW_TRY(choose_place(r, err));
    }
    r->tracks_rows = r->target.properties->enable_row_tracking;
    return dw__data_target_keep_ids(r->snapshot, r->arena, &r->target, err);
}

static dw_status
rewrite_rows(rewriter *r, dw_error *err)
{
    DW_TRY(choose_target(r, err));
    DW_TRY(open_rows(r, err));
    return write_rows(r, err);
}

dw_status
dw__file_rewrite_rows(dw_file_rewrite *rewrite, dw_table *table, dw_log_snapshot *snapshot,
                      dw_arena *arena, dw_error *err)
{
    rewrite->written = (dw_data_files){0};
    rewriter r = {.rewrite = rewrite, .table = table, .snapshot = snapshot, .arena = arena};
    dw_status status = rewrite_rows(&r, err);
    close_rows(&r);
    return status;
}

/* ---- The change ------------------------------------------------------------------------------ */

static dw_status
put_actions(const dw_file_rewrite *rewrite, dw_change *change, dw_error *err)
{
    const dw_data_files *written = &rewrite->written;
    DW_TRY(dw__change_reserve(change, rewrite->file_count + written->count, err));
    for (size_t i = 0; i < rewrite->file_count; i++) {
        DW_TRY(dw__change_put_remove(change, rewrite->files[i], err));
        change->actions[change->count - 1].as.file.data_change = false;
    }
    for (size_t i = 0; i < written->count; i++) {
        written->adds[i].data_change = false;
    }
    dw__change_put_adds(change, written);
    return DW_OK;
}

static dw_status
put_metrics(const dw_data_files *written, dw_change *change, dw_error *err)
{
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(change->arena->allocator, METRICS_BYTES_MAX);
    dw__change_put_metric(&json, "numRemovedFiles", change->removed_file_count);
    dw__change_put_metric(&json, "numRemovedBytes", change->removed_bytes);
    dw__change_put_metric(&json, "numAddedFiles", (int64_t) written->count);
    dw__change_put_metric(&json, "numAddedBytes", written->size_bytes);
    dw__strbuf_append_char(&json, '}');
    DW_TRY(dw__strbuf_ok(&json, "the operation's metrics", err));
    return dw__arena_dup(change->arena, dw__strbuf_str(&json), &change->metrics_json)
               ? DW_OK
               : dw__error_oom(err);
}

dw_status
dw__file_rewrite(dw_file_rewrite *rewrite, dw_change *change, dw_error *err)
{
    dw_assert(change->snapshot != NULL && change->files == NULL);
    const dw_properties *properties = rewrite->properties;
    if (properties == NULL) {
        properties = dw__log_snapshot_properties(change->snapshot);
    }
    /* Ids that are not promised yet may get lost. */
    change->loses_row_ids = !properties->enable_row_tracking;
    DW_TRY(dw__file_rewrite_rows(rewrite, change->table, change->snapshot, change->arena, err));
    dw_status status = put_actions(rewrite, change, err);
    if (status == DW_OK) {
        status = put_metrics(&rewrite->written, change, err);
    }
    if (status != DW_OK && change->files == NULL) {
        dw__data_files_discard(change->table, &rewrite->written);
    }
    return status;
}
