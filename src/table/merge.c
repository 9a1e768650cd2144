/*
 * MERGE as a change of rows: places go, rows of several clauses come, in one commit.
 */
#include "table/merge.h"

#include "table/identity.h"
#include "table/new_rows.h"
#include "table/projection.h"

#include <inttypes.h>

#define SQL_BYTES_MAX ((size_t) 64 << 20)

typedef struct merge_state {
    const dw_merge_spec *spec;
    dw_row_change rc;
    int64_t *counts; /* of kept rows, for each part */
    int64_t updated, deleted, inserted;
    dw_str new_rows;     /* the query for them; the null string: there are none */
    dw_str new_table;    /* where they are kept, when they are read twice */
    dw_row_rules *rules; /* for each part */
} merge_state;

/* ---- Counting -------------------------------------------------------------------------------- */

static dw_status
count_parts(merge_state *state, dw_error *err)
{
    const dw_merge_spec *spec = state->spec;
    dw_text_rows rows;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(state->rc.arena.allocator, SQL_BYTES_MAX);
    state->counts = DW_ARENA_ARRAY(&state->rc.arena, int64_t, spec->part_count + 1);
    if (state->counts == NULL) {
        return dw__error_oom(err);
    }
    dw__strbuf_append_literal(&sql, "SELECT " DW_MERGE_CLAUSE_COLUMN ", count(*) FROM ");
    dw__sql_put_identifier(&sql, spec->kept);
    dw__strbuf_append_literal(&sql, " GROUP BY ALL");
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__connection_query_text(spec->rows.connection, dw__strbuf_str(&sql), &state->rc.arena,
                                     &rows, err));
    for (size_t i = 0; i < rows.row_count; i++) {
        int64_t part = -1;
        int64_t count = 0;
        if (!dw__str_to_i64(rows.cells[2 * i], &part) ||
            !dw__str_to_i64(rows.cells[2 * i + 1], &count) || part < 0 ||
            (size_t) part >= spec->part_count) {
            return dw__error_set(err, DW_INTERNAL, "QUERY_FAILED",
                                 "expected the numbers of clauses, found something else");
        }
        state->counts[part] = count;
    }
    return DW_OK;
}

static int64_t
count_where(const merge_state *state, dw_merge_kind kind, dw_merge_action action)
{
    int64_t count = 0;
    for (size_t i = 0; i < state->spec->part_count; i++) {
        const dw_merge_part *part = &state->spec->parts[i];
        count += part->kind == kind && part->action == action ? state->counts[i] : 0;
    }
    return count;
}

/* A place that the kept rows have more than once. */
static dw_status
refuse_several(merge_state *state, dw_error *err)
{
    const dw_merge_spec *spec = state->spec;
    dw_text_rows rows;
    int64_t file = -1;
    int64_t row = -1;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(state->rc.arena.allocator, SQL_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "SELECT " DW_SCAN_FILE_COLUMN ", " DW_SCAN_ROW_COLUMN " FROM ");
    dw__sql_put_identifier(&sql, spec->kept);
    dw__strbuf_append_literal(&sql, " WHERE " DW_SCAN_FILE_COLUMN " IS NOT NULL GROUP BY ALL "
                                    "HAVING count(*) > 1 ORDER BY ALL LIMIT 1");
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(dw__connection_query_text(spec->rows.connection, dw__strbuf_str(&sql), &state->rc.arena,
                                     &rows, err));
    if (rows.row_count == 1) {
        (void) !dw__str_to_i64(rows.cells[0], &file);
        (void) !dw__str_to_i64(rows.cells[1], &row);
    }
    return spec->refuse_several(spec->ctx, file, row, err);
}

static dw_status
judge_counts(merge_state *state, dw_error *err)
{
    state->inserted = count_where(state, DW_MERGE_NOT_MATCHED, DW_MERGE_INSERT);
    state->updated = count_where(state, DW_MERGE_MATCHED, DW_MERGE_UPDATE) +
                     count_where(state, DW_MERGE_NOT_MATCHED_BY_SOURCE, DW_MERGE_UPDATE);
    state->deleted = count_where(state, DW_MERGE_MATCHED, DW_MERGE_DELETE) +
                     count_where(state, DW_MERGE_NOT_MATCHED_BY_SOURCE, DW_MERGE_DELETE);
    int64_t several = state->updated + state->deleted - state->rc.result.row_count;
    if (several > 0 && !state->spec->allows_several) {
        return refuse_several(state, err);
    }
    for (size_t i = 0; several > 0 && i < state->spec->part_count; i++) {
        const dw_merge_part *part = &state->spec->parts[i];
        if (part->kind == DW_MERGE_MATCHED) {
            state->counts[i] -= several; /* the only one */
        }
    }
    state->deleted -= several;
    return DW_OK;
}

/* ---- New rows -------------------------------------------------------------------------------- */

static dw_status
copy_rules(merge_state *state, const dw_row_rules *from, dw_row_rules *out, dw_error *err)
{
    size_t count = from->schema->field_count;
    *out = *from;
    out->columns = DW_ARENA_ARRAY(&state->rc.arena, dw_column_rule, count + 1);
    if (out->columns == NULL) {
        return dw__error_oom(err);
    }
    memcpy(out->columns, from->columns, count * sizeof(*out->columns));
    return DW_OK;
}

/* Identity values of one clause begin behind those of the one before. */
static dw_status
advance_identities(merge_state *state, const dw_row_rules *own, int64_t row_count,
                   dw_row_rules *rules, dw_error *err)
{
    size_t count = rules->schema->field_count;
    dw_row_rules next;
    DW_TRY(copy_rules(state, own, &next, err));
    DW_TRY(dw__row_rules_advance(&next, row_count, &state->rc.arena, err));
    for (size_t i = 0; i < count; i++) {
        if (next.columns[i].identity != NULL) {
            rules->columns[i].identity = next.columns[i].identity;
        }
    }
    return DW_OK;
}

static dw_status
print_part(merge_state *state, size_t part_idx, dw_row_rules *rules, dw_strbuf *out, dw_error *err)
{
    dw_str query;
    const dw_merge_part *part = &state->spec->parts[part_idx];
    dw_row_rules *own = &state->rules[part_idx];
    const dw_new_rows rows = {.query = part->query,
                              .source = part->source,
                              .columns = part->columns,
                              .column_count = part->column_count,
                              .replace_others = part->action == DW_MERGE_UPDATE};
    DW_TRY(copy_rules(state, rules, own, err));
    DW_TRY(dw__new_rows_print(&state->rc, &rows, own, &query, err));
    if (state->counts[part_idx] == 0) {
        return DW_OK; /* a mistake in it shows, whatever rows there are */
    }
    dw__strbuf_append(out, out->len == 0 ? DW_STR("") : DW_STR(" UNION ALL "));
    dw__strbuf_append_literal(out, "SELECT *");
    if (dw__row_change_has_feed(&state->rc)) {
        dw__strbuf_append(out, part->action == DW_MERGE_INSERT
                                   ? DW_STR(", 'insert' AS _change_type")
                                   : DW_STR(", 'update_postimage' AS _change_type"));
    }
    dw__strbuf_append_literal(out, " FROM (");
    dw__strbuf_append(out, query);
    dw__strbuf_append_char(out, ')');
    return advance_identities(state, own, state->counts[part_idx], rules, err);
}

static dw_status
print_new_rows(merge_state *state, dw_error *err)
{
    dw_row_rules rules;
    DW_AUTO(dw_strbuf) out = dw__strbuf_make(state->rc.arena.allocator, SQL_BYTES_MAX);
    DW_TRY(dw__new_rows_rules(&state->rc, &rules, err));
    state->rules = DW_ARENA_ARRAY(&state->rc.arena, dw_row_rules, state->spec->part_count + 1);
    if (state->rules == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < state->spec->part_count; i++) {
        if (state->spec->parts[i].action != DW_MERGE_DELETE) {
            DW_TRY(print_part(state, i, &rules, &out, err));
        }
    }
    DW_TRY(dw__strbuf_ok(&out, "the statement", err));
    if (out.len == 0) {
        return DW_OK;
    }
    return dw__arena_dup(&state->rc.arena, dw__strbuf_str(&out), &state->new_rows)
               ? DW_OK
               : dw__error_oom(err);
}

/* True when the readers of the change data feed cannot see from the files alone what changed. */
static bool
needs_change_data(const merge_state *state)
{
    return dw__row_change_has_feed(&state->rc) &&
           (state->updated > 0 || dw__row_change_rewrites(&state->rc));
}

static dw_status
write_new_rows(merge_state *state, dw_error *err)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(state->rc.arena.allocator, SQL_BYTES_MAX);
    if (dw__str_is_null(state->new_rows)) {
        return DW_OK;
    }
    if (needs_change_data(state)) {
        DW_TRY(dw__row_change_keep(&state->rc, state->new_rows, &state->new_table, err));
        dw__row_change_print_select(&state->rc, state->new_table, NULL, &sql);
    } else if (dw__row_change_has_feed(&state->rc)) {
        dw__strbuf_append_literal(&sql, "SELECT * EXCLUDE (_change_type) FROM (");
        dw__strbuf_append(&sql, state->new_rows);
        dw__strbuf_append_char(&sql, ')');
    } else {
        dw__strbuf_append(&sql, state->new_rows);
    }
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    return dw__row_change_write(&state->rc, dw__strbuf_str(&sql), err);
}

/* ---- The change data feed -------------------------------------------------------------------- */

/* SELECT <the columns as they were>, <what happened> FROM the kept rows, each place once. */
static void
print_old_rows(const merge_state *state, dw_strbuf *out)
{
    const dw_merge_spec *spec = state->spec;
    const dw_type *schema = state->rc.schema;
    const dw_type *before = dw__log_snapshot_schema(spec->rows.snapshot);
    dw__strbuf_append_literal(out, "SELECT DISTINCT ON (" DW_SCAN_FILE_COLUMN
                                   ", " DW_SCAN_ROW_COLUMN ") ");
    for (size_t i = 0; i < schema->field_count; i++) {
        dw__strbuf_append_literal(out, "CAST(");
        if (i < before->field_count) {
            dw__strbuf_printf(out, DW_MERGE_OLD_PREFIX "%zu AS ", i);
        } else {
            dw__strbuf_append_literal(out, "NULL AS ");
        }
        dw__engine_type_print(out, schema->fields[i].type);
        dw__strbuf_append_literal(out, ") AS ");
        dw__sql_put_identifier(out, schema->fields[i].name);
        dw__strbuf_append_literal(out, ", ");
    }
    dw__strbuf_append_literal(out, "CASE WHEN " DW_MERGE_CLAUSE_COLUMN " IN (-1");
    for (size_t i = 0; i < spec->part_count; i++) {
        if (spec->parts[i].action == DW_MERGE_UPDATE) {
            dw__strbuf_printf(out, ", %zu", i);
        }
    }
    dw__strbuf_append_literal(out, ") THEN 'update_preimage' ELSE 'delete' END AS _change_type "
                                   "FROM ");
    dw__sql_put_identifier(out, spec->kept);
    dw__strbuf_append_literal(out, " WHERE " DW_SCAN_FILE_COLUMN " IS NOT NULL");
}

static dw_status
execute(merge_state *state, const char *before, const char *name, dw_str query, dw_error *err)
{
    const dw_merge_spec *spec = state->spec;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(state->rc.arena.allocator, SQL_BYTES_MAX);
    dw__strbuf_printf(&sql, "%s\"%.*s_%s\"", before, DW_STR_ARG(spec->rows.name_prefix), name);
    dw__strbuf_append(&sql, query);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    return dw__connection_execute(spec->rows.connection, dw__strbuf_str(&sql), err);
}

static dw_status
write_change_data(merge_state *state, dw_error *err)
{
    dw_str old_view =
        dw__arena_printf(&state->rc.arena, "%.*s_was", DW_STR_ARG(state->spec->rows.name_prefix));
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(state->rc.arena.allocator, SQL_BYTES_MAX);
    if (dw__str_is_null(old_view)) {
        return dw__error_oom(err);
    }
    dw__strbuf_append_literal(&sql, " AS ");
    print_old_rows(state, &sql);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    DW_TRY(execute(state, "CREATE OR REPLACE TEMP VIEW ", "was", dw__strbuf_str(&sql), err));
    dw__strbuf_clear(&sql);
    dw__row_change_print_select(&state->rc, old_view, ", _change_type", &sql);
    if (!dw__str_is_null(state->new_table)) {
        dw__strbuf_append_literal(&sql, " UNION ALL ");
        dw__row_change_print_select(&state->rc, state->new_table, ", _change_type", &sql);
    }
    DW_TRY(dw__strbuf_ok(&sql, "the statement", err));
    return dw__row_change_write_data(&state->rc, dw__strbuf_str(&sql), err);
}

/* ---- The commit ------------------------------------------------------------------------------ */

/* New columns, and new marks of identity columns. */
static dw_status
put_definition(merge_state *state, dw_error *err)
{
    bool has_marks = false;
    dw_evolved evolved = *state->spec->evolved;
    dw_row_change *rc = &state->rc;
    for (size_t i = 0; !dw__str_is_null(state->new_rows) && i < state->spec->part_count; i++) {
        dw_str schema_string = DW_STR_NULL;
        if (state->rules[i].columns != NULL) {
            DW_TRY(dw__row_rules_new_marks(&state->rules[i], &evolved.metadata, state->counts[i],
                                           &rc->arena, &schema_string, err));
        }
        if (!dw__str_is_null(schema_string)) {
            evolved.metadata.schema_string = schema_string;
            has_marks = true;
        }
    }
    rc->change.moves_identity_marks = has_marks && !evolved.has_new_schema;
    return has_marks || evolved.has_new_schema ? dw__evolved_put(&evolved, &rc->change, err)
                                               : DW_OK;
}

/* operationMetrics as the reference names them. */
static dw_status
put_metrics(merge_state *state, dw_error *err)
{
    const dw_row_change *rc = &state->rc;
    const struct {
        const char *name;
        int64_t value;
    } metrics[] = {
        {"numSourceRows", state->spec->source_row_count},
        {"numTargetRowsInserted", state->inserted},
        {"numTargetRowsUpdated", state->updated},
        {"numTargetRowsMatchedUpdated", count_where(state, DW_MERGE_MATCHED, DW_MERGE_UPDATE)},
        {"numTargetRowsNotMatchedBySourceUpdated",
         count_where(state, DW_MERGE_NOT_MATCHED_BY_SOURCE, DW_MERGE_UPDATE)},
        {"numTargetRowsDeleted", state->deleted},
        {"numTargetRowsMatchedDeleted", count_where(state, DW_MERGE_MATCHED, DW_MERGE_DELETE)},
        {"numTargetRowsNotMatchedBySourceDeleted",
         count_where(state, DW_MERGE_NOT_MATCHED_BY_SOURCE, DW_MERGE_DELETE)},
        {"numTargetRowsCopied", rc->written.row_count - state->updated - state->inserted},
        {"numOutputRows", rc->written.row_count},
        {"numTargetFilesAdded", (int64_t) rc->written.count},
        {"numTargetFilesRemoved", rc->change.removed_file_count},
        {"numTargetBytesAdded", rc->written.size_bytes},
        {"numTargetBytesRemoved", rc->change.removed_bytes},
        {"numTargetChangeFilesAdded", (int64_t) rc->change_data.count},
        {"numTargetDeletionVectorsAdded", rc->result.files_marked},
    };
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(rc->arena.allocator, DW_COMMIT_BYTES_MAX);
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        dw__change_put_metric(&json, metrics[i].name, metrics[i].value);
    }
    dw__change_end_metrics(&rc->change, &json);
    DW_TRY(dw__strbuf_ok(&json, "the operation's metrics", err));
    return dw__arena_dup(&state->rc.arena, dw__strbuf_str(&json), &state->rc.change.metrics_json)
               ? DW_OK
               : dw__error_oom(err);
}

static dw_status
count_left(void *ctx, dw_str *metrics_json_out, dw_error *err)
{
    merge_state *state = ctx;
    dw__row_change_note_emptied(&state->rc);
    DW_TRY(put_metrics(state, err));
    *metrics_json_out = state->rc.change.metrics_json;
    return DW_OK;
}

static dw_status
check_columns(const dw_merge_spec *spec, dw_error *err)
{
    for (size_t i = 0; i < spec->part_count; i++) {
        const dw_merge_part *part = &spec->parts[i];
        for (size_t k = 0; part->action == DW_MERGE_UPDATE && k < part->column_count; k++) {
            if (part->is_set[k]) {
                DW_TRY(dw__new_rows_check_update(spec->rows.snapshot, part->columns[k], err));
            }
        }
    }
    return DW_OK;
}

static dw_status
run(merge_state *state, dw_error *err)
{
    dw_row_change *rc = &state->rc;
    DW_TRY(dw__row_change_init(rc, &state->spec->rows, err));
    DW_TRY(check_columns(state->spec, err));
    DW_TRY(count_parts(state, err));
    DW_TRY(judge_counts(state, err));
    DW_TRY(print_new_rows(state, err));
    DW_TRY(write_new_rows(state, err));
    DW_TRY(dw__row_change_take_out(rc, err));
    state->inserted -= rc->result.judged.dropped;
    if (needs_change_data(state)) {
        DW_TRY(write_change_data(state, err));
    }
    DW_TRY(put_definition(state, err));
    DW_TRY(put_metrics(state, err));
    state->rc.change.count_left = count_left;
    state->rc.change.count_ctx = state;
    rc->change.parameters_json = state->spec->parameters_json;
    return dw__row_change_commit(rc, err);
}

dw_status
dw__table_merge(const dw_merge_spec *spec, dw_merge_result *out, dw_error *err)
{
    merge_state state = {.spec = spec, .new_rows = DW_STR_NULL, .new_table = DW_STR_NULL};
    dw_error ignored = DW_ERROR_INIT;
    dw_status status = run(&state, err);
    *out = (dw_merge_result){.version = state.rc.result.version,
                             .updated = state.updated,
                             .deleted = state.deleted,
                             .inserted = state.inserted,
                             .change = state.rc.result};
    (void) !execute(&state, "DROP VIEW IF EXISTS ", "was", DW_STR(""), &ignored);
    dw__row_change_deinit(&state.rc);
    return status;
}
