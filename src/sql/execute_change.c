/*
 * DELETE FROM, TRUNCATE TABLE and UPDATE: the condition becomes a query for the places of rows,
 * what is set a query over those rows.
 */
#include "sql/assignment.h"
#include "sql/explain.h"
#include "sql/lineage.h"
#include "sql/row_query.h"
#include "table/delete.h"
#include "table/update.h"

#define DW_MESSAGE_BYTES_MAX ((size_t) 65536)

/* The parts of DELETE FROM table [AS alias] [WHERE condition], UPDATE table [AS alias] SET ... */
typedef struct change_parts {
    dw_sql_range table; /* table AS alias */
    dw_assignment *set;
    size_t set_count;
    dw_sql_range condition; /* empty: none */
} change_parts;

typedef struct change_state {
    dw_execution *x;
    dw_table *table;
    change_parts parts;
    dw_row_change_result done;
    const dw_type *schema;
    dw_str *columns;
    bool *is_set;
    dw_str *values; /* expressions, as the user wrote them */
    size_t column_count;
} change_state;

/* ---- Reading the statement ------------------------------------------------------------------- */

static dw_status
parse_alias(dw_parser *parser)
{
    bool has_as = dw__parser_accept(parser, DW_KEYWORD_AS);
    bool has_alias = dw__parser_is_name(parser) && !dw__parser_is(parser, DW_KEYWORD_WHERE) &&
                     !dw__parser_is(parser, DW_KEYWORD_USING) &&
                     !dw__parser_is(parser, DW_KEYWORD_SET);
    dw_str alias;
    return has_as || has_alias ? dw__parser_name(parser, "an alias", &alias) : DW_OK;
}

static dw_status
parse_parts(dw_execution *x, change_parts *out)
{
    size_t end = x->sql.count - 1;
    bool updates = strcmp(x->statement.as.modify.verb, "UPDATE") == 0;
    dw_parser parser = dw__parser_make(&x->sql, &x->arena, x->err);
    parser.pos = x->statement.as.modify.name_end;
    DW_TRY(parse_alias(&parser));
    *out = (change_parts){.table = {x->statement.as.modify.name_first, parser.pos},
                          .condition = {end, end}};
    if (updates) {
        DW_TRY(dw__parser_expect(&parser, DW_KEYWORD_SET));
        DW_TRY(dw__parse_assignments(&parser, DW_KEYWORD_WHERE, &out->set, &out->set_count));
    }
    if (dw__parser_at_end(&parser)) {
        return DW_OK;
    }
    if (!dw__parser_accept(&parser, DW_KEYWORD_WHERE)) {
        return dw__parser_fail(&parser, "WHERE or the end of the statement");
    }
    if (dw__parser_at_end(&parser)) {
        return dw__parser_fail(&parser, "a condition");
    }
    out->condition = (dw_sql_range){parser.pos, end};
    return DW_OK;
}

/* ---- UPDATE: which columns get which values -------------------------------------------------- */

/* Every column as it was, then what is set. */
static dw_status
assign_all(change_state *state)
{
    dw_execution *x = state->x;
    dw_column_values values;
    dw_parser parser = dw__parser_make(&x->sql, &x->arena, x->err);
    DW_TRY(dw__column_values_init(&values, state->schema, DW_STR(""), &x->arena, x->err));
    for (size_t i = 0; i < state->parts.set_count; i++) {
        const dw_assignment *item = &state->parts.set[i];
        dw_str text = dw__tokens_text(&x->sql, item->value.first, item->value.last);
        dw_str value = dw__arena_printf(&x->arena, "(%.*s\n)", DW_STR_ARG(text));
        if (dw__str_is_null(value)) {
            return dw__error_oom(x->err);
        }
        DW_TRY(dw__column_values_assign(&values, &parser, item, value));
    }
    state->values = values.texts;
    state->is_set = values.is_set;
    state->columns = DW_ARENA_ARRAY(&x->arena, dw_str, state->schema->field_count + 1);
    return state->columns == NULL ? dw__error_oom(x->err) : DW_OK;
}

/* The row's id stays with it. */
static dw_status
list_row_id(change_state *state, dw_str column)
{
    dw_arena *arena = &state->x->arena;
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(arena->allocator, DW_SQL_ENGINE_BYTES_MAX);
    dw__sql_put_identifier(&name, column);
    if (name.failed ||
        !dw__arena_dup(arena, dw__strbuf_str(&name), &state->values[state->column_count])) {
        return dw__error_oom(state->x->err);
    }
    state->columns[state->column_count] = column;
    state->is_set[state->column_count++] = false;
    return DW_OK;
}

/* Leaves out generated columns that are not set: they follow from the others. */
static dw_status
list_columns(change_state *state, dw_str row_id)
{
    for (size_t i = 0; i < state->schema->field_count; i++) {
        const dw_field *field = &state->schema->fields[i];
        if ((field->traits & DW_FIELD_GENERATED) == 0 || state->is_set[i]) {
            state->columns[state->column_count] = field->name;
            state->is_set[state->column_count] = state->is_set[i];
            state->values[state->column_count++] = state->values[i];
        }
    }
    return row_id.len > 0 ? list_row_id(state, row_id) : DW_OK;
}

static dw_status
values_text(const change_state *state, dw_str *out)
{
    dw_execution *x = state->x;
    const change_parts *parts = &state->parts;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    /* FROM comes first, as the table must be the first reference: values may have tables, too. */
    dw__strbuf_append_literal(&text, "FROM ");
    dw__strbuf_append(&text, dw__tokens_text(&x->sql, parts->table.first, parts->table.last));
    for (size_t i = 0; i < state->column_count; i++) {
        dw__strbuf_append(&text, i == 0 ? DW_STR(" SELECT ") : DW_STR(", "));
        dw__strbuf_append(&text, state->values[i]);
        dw__strbuf_append_literal(&text, " AS ");
        dw__sql_put_identifier(&text, state->columns[i]);
    }
    DW_TRY(dw__strbuf_ok(&text, "the statement", x->err));
    return dw__arena_dup(&x->arena, dw__strbuf_str(&text), out) ? DW_OK : dw__error_oom(x->err);
}

/* The table is an input of its own. */
static dw_status
note_values(const change_state *state, const dw_row_query *query)
{
    dw_execution *x = state->x;
    size_t idx, self;
    dw_noted_columns columns = {0};
    DW_TRY(dw__execution_note_table(x, query->sources[0].snapshot, &self));
    for (size_t i = 1; i < query->binding.references.count; i++) {
        DW_TRY(dw__execution_note_table(x, query->sources[i].snapshot, &idx));
    }
    size_t count = state->schema->field_count;
    dw_query_column *names = DW_ARENA_ARRAY(&x->arena, dw_query_column, count + 1);
    if (names == NULL) {
        return dw__error_oom(x->err);
    }
    for (size_t i = 0; i < count; i++) {
        names[i].name = state->schema->fields[i].name;
    }
    dw_noted_side side = {
        .alias = DW_STR(""), .columns = names, .column_count = count, .input = self};
    size_t last = state->parts.table.last - 1; /* the alias, or the table's name */
    if (dw__token_is_name(&x->sql.items[last])) {
        DW_TRY(dw__token_name(&x->sql, last, &x->arena, &side.alias, x->err));
    }
    for (size_t i = 0; i < state->column_count; i++) {
        if (state->is_set[i]) {
            DW_TRY(dw__execution_note_set(x, &columns, state->column_count, state->columns[i],
                                          state->values[i], &side, 1));
        }
    }
    return dw__execution_note_columns(x, &columns);
}

/* The new values over the rows that were chosen. */
static dw_status
open_values(void *ctx, const dw_scan_rows *rows, dw_scan **scan_out, dw_str *query_out,
            dw_error *err)
{
    change_state *state = ctx;
    dw_execution *x = state->x;
    dw_str text;
    dw_row_query query;
    (void) err; /* that of the execution */
    DW_TRY(values_text(state, &text));
    dw_str prefix = dw__arena_printf(&x->arena, "%s_set", x->scan_prefix);
    if (dw__str_is_null(prefix)) {
        return dw__error_oom(x->err);
    }
    dw_status status = dw__row_query_bind(x, text, prefix.ptr, &query);
    if (status == DW_OK) {
        status = note_values(state, &query);
    }
    if (status == DW_OK) {
        query.sources[0].rows = rows;
        query.sources[0].with_row_ids =
            dw__scan_row_id_columns(query.sources[0].snapshot).id.len > 0;
        status = dw__row_query_open(x, &query);
    }
    *scan_out = query.scan;
    *query_out = query.sql;
    query.scan = NULL;
    dw__row_query_deinit(&query);
    return status;
}

/* ---- Running it ------------------------------------------------------------------------------ */

static dw_status
run_verb(change_state *state, const dw_row_change_spec *rows)
{
    dw_execution *x = state->x;
    if (state->parts.set_count == 0) {
        dw_noted_columns none = {0};
        DW_TRY(dw__execution_note_columns(x, &none));
        return dw__table_delete(rows, &state->done, x->err);
    }
    dw_update_spec spec = {.rows = *rows, .open_values = open_values, .ctx = state};
    state->schema = dw__log_snapshot_schema(rows->snapshot);
    DW_TRY(assign_all(state));
    DW_TRY(list_columns(state, dw__scan_row_id_columns(rows->snapshot).id));
    spec.columns = state->columns;
    spec.is_set = state->is_set;
    spec.column_count = state->column_count;
    return dw__table_update(&spec, &state->done, x->err);
}

/* The rows that the statement would choose; what it sets is read only to refuse what is wrong. */
static dw_status
explain(change_state *state, const dw_row_query *query)
{
    dw_execution *x = state->x;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_EXPLAIN_BYTES_MAX);
    state->schema = dw__log_snapshot_schema(query->sources[0].snapshot);
    DW_TRY(assign_all(state));
    DW_TRY(dw__explain_put_scans(x, &query->binding, query->scan, &text));
    DW_TRY(dw__explain_put_plan(x, query->sql, false, &text));
    return dw__explain_set(x, &text);
}

static dw_status
explain_emptied(const change_state *state, const dw_log_snapshot *snapshot)
{
    dw_execution *x = state->x;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_EXPLAIN_BYTES_MAX);
    dw__explain_put_emptied(x, &x->statement.as.modify.name, snapshot, &text);
    return dw__explain_set(x, &text);
}

static dw_status
change_chosen(change_state *state, dw_row_change_spec *spec)
{
    dw_execution *x = state->x;
    const change_parts *parts = &state->parts;
    dw_row_query query;
    dw_str table = dw__tokens_text(&x->sql, parts->table.first, parts->table.last);
    dw_str condition = dw__tokens_text(&x->sql, parts->condition.first, parts->condition.last);
    dw_status status =
        parts->set_count > 0
            ? dw__row_query_choose(x, table, condition, x->scan_prefix, &query)
            : dw__row_query_choose_deleted(x, table, parts->condition, x->scan_prefix, &query);
    if (status == DW_OK) {
        spec->snapshot = query.sources[0].snapshot;
        spec->scan = query.scan;
        spec->query = query.sql;
        status = dw__execution_note_choice(x, query.scan);
    }
    if (status == DW_OK) {
        status = x->statement.as.modify.explains ? explain(state, &query) : run_verb(state, spec);
        dw_open_query open = {.text = query.sql, .scan = query.scan};
        status = dw__explain_engine_error(x, &open, status);
    }
    dw__row_query_deinit(&query);
    return status;
}

static dw_status
run(change_state *state)
{
    dw_execution *x = state->x;
    dw_sql_range condition = state->parts.condition;
    bool updates = state->parts.set_count > 0;
    dw_row_change_spec spec = {.table = state->table,
                               .connection = x->session->connection,
                               .operation = updates ? "UPDATE" : "DELETE",
                               .name_prefix = dw__str_from(x->scan_prefix),
                               .transaction = x->session->transaction};
    if (!x->statement.as.modify.explains) {
        DW_TRY(dw__execution_limits(x, state->table, &spec.limits));
    }
    if (!dw__sql_range_is_empty(condition)) {
        spec.predicate = dw__tokens_text(&x->sql, condition.first, condition.last);
    } else if (!updates) {
        dw_sql_travel newest = {.kind = DW_TRAVEL_NONE};
        DW_TRY(dw__execution_snapshot(x, state->table, &newest, &spec.snapshot));
        return x->statement.as.modify.explains ? explain_emptied(state, spec.snapshot)
                                               : run_verb(state, &spec);
    }
    return change_chosen(state, &spec);
}

/* ---- What was done --------------------------------------------------------------------------- */

static void
put_files(dw_strbuf *text, int64_t count, const char *what, bool *is_first)
{
    if (count == 0) {
        return;
    }
    dw__strbuf_append(text, *is_first ? DW_STR(" (") : DW_STR(", "));
    dw__put_counted(text, count, "file");
    dw__strbuf_printf(text, " %s", what);
    *is_first = false;
}

static dw_status
set_message(const change_state *state)
{
    dw_execution *x = state->x;
    const dw_row_change_result *done = &state->done;
    bool updates = state->parts.set_count > 0;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_MESSAGE_BYTES_MAX);
    if (done->version < 0) {
        dw__strbuf_printf(&text, "no rows to %s: nothing was committed",
                          updates ? "update" : "delete");
    } else {
        bool is_first = true;
        dw__strbuf_append(&text, updates ? DW_STR("updated ") : DW_STR("deleted "));
        if (done->row_count < 0) {
            bool is_all = dw__sql_range_is_empty(state->parts.condition);
            dw__strbuf_append(&text, is_all ? DW_STR("all rows") : DW_STR("rows"));
        } else {
            dw__put_counted(&text, done->row_count, "row");
        }
        put_files(&text, done->files_removed, "removed", &is_first);
        put_files(&text, done->files_marked, "marked", &is_first);
        put_files(&text, done->files_rewritten, "rewritten", &is_first);
        dw__strbuf_append(&text, is_first ? DW_STR("") : DW_STR(")"));
        dw__put_outcome(x, &text, done->version);
        dw__put_judged(&text, &done->judged);
    }
    dw__execution_set_message(x, &text, done->row_count);
    dw_change_report rows = DW_CHANGE_REPORT_INIT;
    *(updates ? &rows.rows_updated : &rows.rows_deleted) = done->row_count;
    dw__execution_set_rows_changed(x, done, rows);
    return dw__strbuf_ok(&text, "the message", x->err);
}

dw_status
dw__execute_change(dw_execution *x, dw_table *table)
{
    change_state state = {.x = x, .table = table};
    DW_TRY(parse_parts(x, &state.parts));
    dw_status status = run(&state);
    if (status != DW_OK) {
        dw_str name = dw__sql_name_print(&x->statement.as.modify.name, &x->arena);
        dw__error_context(x->err, "%s %.*s", x->statement.as.modify.verb, DW_STR_ARG(name));
        return status;
    }
    return x->statement.as.modify.explains ? DW_OK : set_message(&state);
}
