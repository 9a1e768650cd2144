/*
 * INSERT ... REPLACE WHERE: the rows that meet a condition go, the query's come, all of which must
 * meet it, in one commit. [WRITE-3]
 */
#include "table/row_change.h"
#include "table/write_core.h"

/* ---- The condition on new rows --------------------------------------------------------------- */

static char
small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
}

/* Columns whose name stands in the condition: their values are shown with a row that violates it.
 */
static bool
is_named(dw_str text, dw_str name)
{
    for (size_t at = 0; name.len > 0 && at + name.len <= text.len; at++) {
        size_t len = 0;
        while (len < name.len && small(text.ptr[at + len]) == small(name.ptr[len])) {
            len++;
        }
        if (len == name.len) {
            return true;
        }
    }
    return false;
}

/* The condition joins the table's own demands on new rows. */
static dw_status
add_check(dw_write *write, dw_error *err)
{
    dw_row_checks *checks = &write->rules.checks;
    size_t column_count = write->schema->field_count;
    dw_row_check *items = DW_ARENA_ARRAY(write->arena, dw_row_check, checks->count + 1);
    bool *uses = DW_ARENA_ARRAY(write->arena, bool, column_count + 1);
    dw_str label = dw__arena_printf(write->arena, "the condition of REPLACE WHERE (%.*s)",
                                    DW_STR_ARG(write->spec->replaced->predicate));
    if (items == NULL || uses == NULL || dw__str_is_null(label)) {
        return dw__error_oom(err);
    }
    if (checks->count > 0) {
        memcpy(items, checks->items, checks->count * sizeof(*items));
    }
    for (size_t i = 0; i < column_count; i++) {
        uses[i] = is_named(write->spec->replace_condition, write->schema->fields[i].name);
    }
    items[checks->count] = (dw_row_check){.code = "REPLACE_WHERE_MISMATCH",
                                          .label = label,
                                          .expression = {.text = write->spec->replaced->predicate,
                                                         .sql = write->spec->replace_condition,
                                                         .uses = uses,
                                                         .use_count = column_count}};
    *checks = (dw_row_checks){.items = items, .count = checks->count + 1};
    return DW_OK;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Rows of the table as it was, with the columns that it gets. [EVOLVE-1] */
static void
print_old_rows(const dw_row_change *rc, dw_str view, dw_strbuf *out)
{
    const dw_type *old = dw__log_snapshot_schema(rc->spec->snapshot);
    if (old == rc->schema) {
        dw__row_change_print_select(rc, view, ", 'delete' AS _change_type", out);
        return;
    }
    for (size_t i = 0; i < rc->schema->field_count; i++) {
        const dw_field *field = &rc->schema->fields[i];
        dw__strbuf_append(out, i == 0 ? DW_STR("SELECT CAST(") : DW_STR(", CAST("));
        if (i < old->field_count) {
            dw__sql_put_identifier(out, field->name);
        } else {
            dw__strbuf_append_literal(out, "NULL");
        }
        dw__strbuf_append_literal(out, " AS ");
        dw__engine_type_print(out, field->type);
        dw__strbuf_append_literal(out, ") AS ");
        dw__sql_put_identifier(out, field->name);
    }
    dw__strbuf_append_literal(out, ", 'delete' AS _change_type FROM ");
    dw__sql_put_identifier(out, view);
}

/* Once a version has change data its readers look at nothing else: new rows are put there, too. */
static dw_status
write_with_feed(dw_row_change *rc, dw_str new_rows, dw_error *err)
{
    dw_str kept;
    dw_str old_view;
    dw_scan *scan;
    dw_scan_rows rows;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(rc->arena.allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(dw__row_change_keep(rc, new_rows, &kept, err));
    dw__row_change_print_select(rc, kept, "", &sql);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__row_change_write_new(rc, dw__strbuf_str(&sql), err));
    DW_TRY(dw__row_change_rows(rc, &rows, err));
    DW_TRY(dw__row_change_open(rc, &rows, "old", &old_view, &scan, err));
    dw__strbuf_clear(&sql);
    print_old_rows(rc, old_view, &sql);
    dw__strbuf_append_literal(&sql, " UNION ALL ");
    dw__row_change_print_select(rc, kept, ", 'insert' AS _change_type", &sql);
    dw_status status = dw__strbuf_ok(&sql, "the statement", err);
    if (status == DW_OK) {
        status = dw__row_change_write_data(rc, dw__strbuf_str(&sql), err);
    }
    if (status != DW_OK && err != NULL) {
        status = dw__scan_explain_error(scan, err);
    }
    dw__scan_close(scan);
    return status;
}

static dw_status
write_rows(dw_write *write, dw_row_change *rc, dw_error *err)
{
    DW_AUTO(dw_strbuf) query = dw__strbuf_make(write->arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(dw__write_print_rows(write, &query, err));
    bool tells = dw__row_change_has_feed(rc) && dw__row_change_rewrites(rc);
    return tells ? write_with_feed(rc, dw__strbuf_str(&query), err)
                 : dw__row_change_write_new(rc, dw__strbuf_str(&query), err);
}

/* ---- The commit ------------------------------------------------------------------------------ */

/* operationMetrics as the reference has them. `added` are the new rows. */
static dw_status
put_metrics(const dw_write_result *added, dw_row_change *rc, dw_error *err)
{
    const struct {
        const char *name;
        int64_t value;
    } metrics[] = {
        {"numFiles", (int64_t) rc->written.count},
        {"numOutputRows", rc->written.row_count},
        {"numOutputBytes", rc->written.size_bytes},
        {"numRemovedFiles", rc->change.removed_file_count},
        {"numRemovedBytes", rc->change.removed_bytes},
        {"numCopiedRows", rc->written.row_count - added->rows_added},
        {"numDeletedRows", rc->result.row_count},
        {"numAddedChangeFiles", (int64_t) rc->change_data.count},
        {"numDeletionVectorsAdded", rc->result.files_marked},
    };
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(rc->arena.allocator, DW_COMMIT_BYTES_MAX);
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        dw__change_put_metric(&json, metrics[i].name, metrics[i].value);
    }
    dw__change_end_metrics(&rc->change, &json);
    DW_TRY(dw__strbuf_ok(&json, "the operation's metrics", err));
    return dw__arena_dup(&rc->arena, dw__strbuf_str(&json), &rc->change.metrics_json)
               ? DW_OK
               : dw__error_oom(err);
}

static dw_status
run(dw_write *write, const dw_row_change_spec *replaced, dw_row_change *rc, dw_write_result *out,
    dw_error *err)
{
    DW_TRY(dw__row_change_init(rc, replaced, err));
    DW_TRY(add_check(write, err));
    rc->target.query_runs_once = write->judgement.expectations.count > 0;
    DW_TRY(write_rows(write, rc, err));
    DW_TRY(dw__judgement_settle(&write->judgement, &rc->change, err));
    *out = (dw_write_result){.version = -1,
                             .rows_added = rc->written.row_count,
                             .files_added = (int64_t) rc->written.count,
                             .bytes_added = rc->written.size_bytes};
    DW_TRY(dw__row_change_take_out(rc, err));
    rc->change.reads_whole_table = rc->change.reads_whole_table || write->spec->reads_target;
    DW_TRY(dw__write_describe(write, out->rows_added, &rc->change, err));
    DW_TRY(put_metrics(out, rc, err));
    DW_TRY(dw__judgement_quarantine(&write->judgement, write->spec->txns, write->spec->txn_count,
                                    err));
    DW_TRY(dw__row_change_commit(rc, err));
    out->judged = write->judgement.result;
    out->version = rc->result.version;
    out->rows_removed = rc->result.row_count;
    out->files_removed = rc->result.files_removed;
    out->files_marked = rc->result.files_marked;
    out->files_rewritten = rc->result.files_rewritten;
    return DW_OK;
}

dw_status
dw__write_replace(dw_write *write, dw_write_result *out, dw_error *err)
{
    dw_row_change rc;
    dw_row_change_spec replaced = *write->spec->replaced;
    replaced.schema = write->schema;
    replaced.properties = write->properties;
    dw_status status = run(write, &replaced, &rc, out, err);
    dw__row_change_deinit(&rc);
    return status;
}
