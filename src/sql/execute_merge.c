/*
 * MERGE INTO: the source is looked at, source and target are joined, what was decided is kept on
 * the connection, and the table changes by it.
 */
#include "codec/rows.h"
#include "sql/explain.h"
#include "sql/lineage.h"
#include "sql/merge_plan.h"
#include "sql/merge_prune.h"
#include "sql/row_query.h"
#include "sql/spark_text.h"

#define PARAMETERS_BYTES_MAX ((size_t) 4 << 20)
#define KEY_BYTES_MAX ((size_t) 512)

typedef struct merge_run {
    dw_execution *x;
    dw_table *table;
    dw_log_snapshot *snapshot;
    dw_merge_statement merge;
    dw_merge_plan plan;
    dw_evolved evolved;
    bool source_reads_target; /* in the query that was copied */
    int64_t source_row_count;
    dw_str explained; /* EXPLAIN: what the query that was copied read */
    dw_str kept;      /* the table of kept rows */
    dw_binding binding;
    dw_sql_text text;
    dw_scan *scan; /* of the join */
    dw_str scan_name;
    dw_merge_result done;
} merge_run;

/* ---- The source ------------------------------------------------------------------------------ */

static dw_str
source_query(merge_run *run)
{
    dw_execution *x = run->x;
    dw_sql_range with = x->statement.as.modify.with;
    dw_sql_range source = run->merge.source;
    return dw__arena_printf(&x->arena, "%.*s\nSELECT * FROM %.*s",
                            DW_STR_ARG(dw__tokens_text(&x->sql, with.first, with.last)),
                            DW_STR_ARG(dw__tokens_text(&x->sql, source.first, source.last)));
}

/* True for one version of one Delta table, by its name. [MERGE-4] */
static bool
is_plain_table(const merge_run *run, const dw_binding *binding)
{
    return binding->references.count == 1 && run->merge.source_name.part_count > 0 &&
           dw__sql_range_is_empty(run->x->statement.as.modify.with) &&
           !binding->references.items[0].changes.is_set &&
           dw__sql_name_equal(&binding->references.items[0].name, &run->merge.source_name);
}

static dw_status
copy_source(merge_run *run, dw_str query)
{
    dw_execution *x = run->x;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    run->plan.source_copy = dw__arena_printf(&x->arena, "%s_source", x->scan_prefix);
    if (dw__str_is_null(run->plan.source_copy)) {
        return dw__error_oom(x->err);
    }
    dw__strbuf_append_literal(&sql, "CREATE OR REPLACE TEMP TABLE ");
    dw__sql_put_identifier(&sql, run->plan.source_copy);
    dw__strbuf_append_literal(&sql, " AS SELECT true AS __deltaworks_source, * FROM (");
    dw__strbuf_append(&sql, query);
    dw__strbuf_append_literal(&sql, "\n)");
    DW_TRY(dw__strbuf_ok(&sql, "the statement", x->err));
    return dw__connection_execute(x->session->connection, dw__strbuf_str(&sql), x->err);
}

/* What the pruning asks of the source. */
static dw_status
ask_source(void *ctx, dw_str select, dw_text_rows *out)
{
    merge_run *run = ctx;
    dw_execution *x = run->x;
    dw_open_query query;
    DW_AUTO(dw_binding) binding = {0};
    DW_AUTO(dw_sql_text) text = {0};
    dw_bind_options options = dw__execution_bind_options(x);
    dw_sql_range source = run->merge.source;
    dw_str from = run->plan.source_copy;
    if (dw__str_is_null(from)) {
        from = dw__tokens_text(&x->sql, source.first, source.last);
    }
    dw_str sql =
        dw__arena_printf(&x->arena, "%.*s FROM %.*s", DW_STR_ARG(select), DW_STR_ARG(from));
    if (dw__str_is_null(sql)) {
        return dw__error_oom(x->err);
    }
    DW_TRY(dw__sql_text_init(&text, x->arena.allocator, sql, x->err));
    dw_sql_range all = {0, text.count - 1};
    DW_TRY(dw__bind(&binding, &text, all, &x->arena, &options, x->err));
    dw_status status = dw__open_query(x, &binding, all, all, &query);
    if (status == DW_OK) {
        status =
            dw__connection_query_text(x->session->connection, query.text, &x->arena, out, x->err);
    }
    status = dw__explain_engine_error(x, &query, status);
    dw__open_query_close(&query);
    return status;
}

/* The scan is gone when the rest is explained. */
static dw_status
explain_source(merge_run *run, const dw_binding *binding, const dw_scan *scan)
{
    dw_execution *x = run->x;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_EXPLAIN_BYTES_MAX);
    DW_TRY(dw__explain_put_scans(x, binding, scan, &text));
    DW_TRY(dw__strbuf_ok(&text, "the plan", x->err));
    return dw__arena_dup(&x->arena, dw__strbuf_str(&text), &run->explained) ? DW_OK
                                                                            : dw__error_oom(x->err);
}

static dw_status
describe_source(merge_run *run, const dw_binding *binding, const dw_open_query *query,
                const dw_sql_text *sql, dw_sql_range all)
{
    dw_execution *x = run->x;
    dw_merge_side *side = &run->plan.names.source;
    dw_query_column *columns;
    DW_TRY(dw__connection_describe(x->session->connection, query->text, &x->arena, &columns,
                                   &side->column_count, x->err));
    side->columns = columns;
    side->alias = dw__str_is_null(run->merge.source_alias) ? DW_STR("__deltaworks_source_rows")
                                                           : run->merge.source_alias;
    DW_TRY(dw__execution_note_query(x, query, sql, all));
    if (is_plain_table(run, binding)) {
        return DW_OK;
    }
    if (x->statement.as.modify.explains && query->scan != NULL) {
        DW_TRY(explain_source(run, binding, query->scan));
    }
    run->source_reads_target = dw__row_change_is_read(run->snapshot, query->scan, SIZE_MAX);
    return copy_source(run, query->text);
}

static dw_status
open_source(merge_run *run)
{
    dw_execution *x = run->x;
    dw_open_query query;
    DW_AUTO(dw_binding) binding = {0};
    DW_AUTO(dw_sql_text) text = {0};
    dw_bind_options options = dw__execution_bind_options(x);
    dw_str sql = source_query(run);
    if (dw__str_is_null(sql)) {
        return dw__error_oom(x->err);
    }
    DW_TRY(dw__sql_text_init(&text, x->arena.allocator, sql, x->err));
    dw_sql_range all = {0, text.count - 1};
    DW_TRY(dw__bind(&binding, &text, all, &x->arena, &options, x->err));
    dw_status status = dw__open_query(x, &binding, all, all, &query);
    if (status == DW_OK) {
        status = describe_source(run, &binding, &query, &text, all);
    }
    status = dw__explain_engine_error(x, &query, status);
    dw__open_query_close(&query);
    return status;
}

/* ---- The target ------------------------------------------------------------------------------ */

static dw_status
describe_target(merge_run *run)
{
    dw_execution *x = run->x;
    dw_merge_side *side = &run->plan.names.target;
    const dw_type *schema = dw__log_snapshot_schema(run->snapshot);
    dw_query_column *columns = DW_ARENA_ARRAY(&x->arena, dw_query_column, schema->field_count + 1);
    if (columns == NULL) {
        return dw__error_oom(x->err);
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        DW_AUTO(dw_strbuf) type = dw__strbuf_make(x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
        dw__engine_type_print(&type, schema->fields[i].type);
        columns[i].name = schema->fields[i].name;
        if (type.failed || !dw__arena_dup(&x->arena, dw__strbuf_str(&type), &columns[i].type)) {
            return dw__error_oom(x->err);
        }
    }
    side->alias = run->merge.table_alias;
    side->columns = columns;
    side->column_count = schema->field_count;
    return DW_OK;
}

/* With SCHEMA EVOLUTION * takes in all columns of the source, and a column that is set or inserted
 * by name becomes what the source's of that name is: new, with new fields inside, or wider. */
static bool
takes_in(const merge_run *run, dw_str column)
{
    for (size_t i = 0; i < run->merge.clause_count; i++) {
        const dw_merge_clause *clause = &run->merge.clauses[i];
        if (clause->is_star) {
            return true;
        }
        for (size_t k = 0; k < clause->set_count; k++) {
            const dw_assignment *item = &clause->set[k];
            bool has_alias = item->part_count == 2 &&
                             dw__str_equal_nocase(item->parts[0], run->plan.names.target.alias);
            if ((item->part_count == 1 || has_alias) &&
                dw__str_equal_nocase(item->parts[item->part_count - 1], column)) {
                return true;
            }
        }
    }
    return false;
}

static dw_status
evolve(merge_run *run)
{
    dw_execution *x = run->x;
    const dw_merge_side *source = &run->plan.names.source;
    size_t count = 0;
    dw_field *fields = DW_ARENA_ARRAY(&x->arena, dw_field, source->column_count + 1);
    if (fields == NULL) {
        return dw__error_oom(x->err);
    }
    for (size_t i = 0; run->plan.evolves && i < source->column_count; i++) {
        const dw_query_column *column = &source->columns[i];
        bool is_void = dw__str_equal(column->type, DW_STR("\"NULL\"")) ||
                       dw__str_equal(column->type, DW_STR("NULL"));
        if (!is_void && takes_in(run, column->name)) {
            fields[count].name = column->name;
            DW_TRY(dw__engine_type_parse(column->name, column->type, &x->arena,
                                         &fields[count++].type, x->err));
        }
    }
    DW_TRY(dw__evolve(run->table, run->snapshot, fields, count, &x->arena, &run->evolved, x->err));
    run->plan.schema = run->evolved.schema;
    return DW_OK;
}

static dw_status
read_plan(merge_run *run)
{
    dw_execution *x = run->x;
    dw_row_rules rules;
    const dw_properties *properties = dw__log_snapshot_properties(run->snapshot);
    DW_TRY(describe_target(run));
    DW_TRY(evolve(run));
    DW_TRY(dw__row_rules_read(dw__log_snapshot_protocol(run->snapshot),
                              dw__log_snapshot_metadata(run->snapshot), run->plan.schema, &x->arena,
                              &rules, x->err));
    DW_TRY(dw__merge_plan_read(&run->plan, &rules));
    run->plan.keeps_old =
        properties->enable_change_data_feed &&
        (run->plan.has[DW_MERGE_MATCHED] || run->plan.has[DW_MERGE_NOT_MATCHED_BY_SOURCE]);
    return dw__merge_prune(&run->plan, ask_source, run, &run->source_row_count);
}

/* ---- The join -------------------------------------------------------------------------------- */

/* What to plan by: the same with what is known of the source. A text that cannot be bound is none:
 * nothing is pruned then. */
static dw_status
planned_text(merge_run *run, dw_str *out)
{
    dw_execution *x = run->x;
    dw_str user_text;
    DW_AUTO(dw_binding) binding = {0};
    DW_AUTO(dw_sql_text) text = {0};
    dw_bind_options options = dw__execution_bind_options(x);
    DW_TRY(dw__merge_print_join(&run->plan, true, &user_text));
    DW_TRY(dw__sql_text_init(&text, x->arena.allocator, user_text, x->err));
    dw_sql_range all = {0, text.count - 1};
    DW_TRY(dw__bind(&binding, &text, all, &x->arena, &options, x->err));
    return dw__binding_print(&binding, all, out, x->err);
}

static dw_status
open_join(merge_run *run, dw_str *out)
{
    dw_execution *x = run->x;
    dw_str user_text;
    dw_str planned;
    dw_scan_source *sources;
    size_t target = dw__merge_target_reference(&run->plan);
    dw_bind_options options = dw__execution_bind_options(x);
    DW_TRY(planned_text(run, &planned));
    DW_TRY(dw__merge_print_join(&run->plan, false, &user_text));
    DW_TRY(dw__sql_text_init(&run->text, x->arena.allocator, user_text, x->err));
    dw_sql_range all = {0, run->text.count - 1};
    DW_TRY(dw__bind(&run->binding, &run->text, all, &x->arena, &options, x->err));
    DW_TRY(dw__binding_print(&run->binding, all, out, x->err));
    DW_TRY(dw__execution_sources(x, &run->binding, &sources));
    sources[target].with_positions = true;
    sources[target].with_row_ids = run->plan.ids.id.len > 0;
    run->scan_name = sources[target].name;
    DW_TRY(dw__session_check_cancelled(x->session, x->err));
    size_t count = run->binding.references.count;
    DW_TRY(dw__scan_open(x->session->connection, x->session->database, planned, sources, count,
                         &run->scan, x->err));
    DW_TRY(dw__execution_note_read(x, sources, 0, target, run->scan));
    return dw__execution_note_read(x, sources, target + 1, count, run->scan);
}

static dw_status
type_slots(merge_run *run, dw_str join)
{
    dw_execution *x = run->x;
    dw_merge_plan *plan = &run->plan;
    dw_query_column *columns;
    size_t count;
    DW_TRY(
        dw__connection_describe(x->session->connection, join, &x->arena, &columns, &count, x->err));
    if (count < plan->slots.count) {
        return dw__error_set(x->err, DW_INTERNAL, "QUERY_FAILED",
                             "expected the values of a MERGE, found fewer columns");
    }
    for (size_t i = 0; i < plan->slots.count; i++) {
        plan->slots.items[i].type = columns[count - plan->slots.count + i].type;
    }
    return DW_OK;
}

static dw_status
keep_rows(merge_run *run)
{
    dw_execution *x = run->x;
    dw_str join;
    dw_str query;
    DW_TRY(open_join(run, &join));
    DW_TRY(type_slots(run, join));
    DW_TRY(dw__merge_print_kept(&run->plan, join, &query));
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "CREATE OR REPLACE TEMP TABLE ");
    dw__sql_put_identifier(&sql, run->kept);
    dw__strbuf_append_literal(&sql, " AS ");
    dw__strbuf_append(&sql, query);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", x->err));
    return dw__connection_execute(x->session->connection, dw__strbuf_str(&sql), x->err);
}

/*
 * ---- EXPLAIN ------------------------------------------------------------------------------------
 */

/* The target, the tables of the source, and how many rows that has; then the plan of the join. */
static dw_status
explain(merge_run *run)
{
    dw_execution *x = run->x;
    dw_str join;
    dw_scan_source *sources;
    DW_TRY(open_join(run, &join));
    size_t target = dw__merge_target_reference(&run->plan);
    const dw_sql_reference_vec *references = &run->binding.references;
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(x->arena.allocator, DW_EXPLAIN_BYTES_MAX);
    DW_TRY(dw__execution_sources(x, &run->binding, &sources));
    dw__explain_put_scan(x, &references->items[target], &sources[target],
                         dw__scan_report(run->scan, target), &text);
    for (size_t i = 0; i < references->count; i++) {
        if (i != target) {
            dw__explain_put_scan(x, &references->items[i], &sources[i],
                                 dw__scan_report(run->scan, i), &text);
        }
    }
    dw__strbuf_append(&text, run->explained);
    dw__strbuf_append_literal(&text, "the source\n    rows        ");
    dw__put_count(&text, run->source_row_count);
    dw__strbuf_append_literal(&text, "\n\n");
    DW_TRY(dw__explain_put_plan(x, join, false, &text));
    return dw__explain_set(x, &text);
}

/* ---- For the history ------------------------------------------------------------------------- */

static const char *
action_name(dw_merge_action action)
{
    static const char *const names[] = {
        [DW_MERGE_UPDATE] = "update", [DW_MERGE_DELETE] = "delete", [DW_MERGE_INSERT] = "insert"};
    return names[action];
}

/* [{"predicate":"t.id > 5","actionType":"delete"}] */
static dw_status
put_predicates(const merge_run *run, dw_merge_kind kind, const char *key, dw_strbuf *json)
{
    dw_execution *x = run->x;
    DW_AUTO(dw_strbuf) list = dw__strbuf_make(x->arena.allocator, PARAMETERS_BYTES_MAX);
    dw__strbuf_append_char(&list, '[');
    for (size_t i = 0; i < run->merge.clause_count; i++) {
        const dw_merge_clause *clause = &run->merge.clauses[i];
        if (clause->kind != kind) {
            continue;
        }
        dw_str text;
        dw__json_put_comma(&list);
        dw__strbuf_append_char(&list, '{');
        if (!dw__sql_range_is_empty(clause->condition)) {
            DW_TRY(dw__sql_spark_text(&x->sql, clause->condition, &x->arena, &text, x->err));
            dw__json_put_key(&list, DW_STR("predicate"));
            dw__json_put_string(&list, text);
        }
        dw__json_put_key(&list, DW_STR("actionType"));
        dw__json_put_string(&list, dw__str_from(action_name(clause->action)));
        dw__strbuf_append_char(&list, '}');
    }
    dw__strbuf_append_char(&list, ']');
    dw__change_put_parameter(json, key, dw__strbuf_str(&list));
    return dw__strbuf_ok(&list, "the operation's parameters", x->err);
}

static dw_status
print_parameters(const merge_run *run, dw_str *out)
{
    dw_execution *x = run->x;
    dw_str predicate;
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(x->arena.allocator, PARAMETERS_BYTES_MAX);
    DW_AUTO(dw_strbuf) list = dw__strbuf_make(x->arena.allocator, PARAMETERS_BYTES_MAX);
    DW_TRY(dw__sql_spark_text(&x->sql, run->merge.condition, &x->arena, &predicate, x->err));
    dw__change_print_list(&list, &predicate, 1);
    DW_TRY(dw__strbuf_ok(&list, "the operation's parameters", x->err));
    dw__change_put_parameter(&json, "predicate", dw__strbuf_str(&list));
    DW_TRY(put_predicates(run, DW_MERGE_MATCHED, "matchedPredicates", &json));
    DW_TRY(put_predicates(run, DW_MERGE_NOT_MATCHED, "notMatchedPredicates", &json));
    DW_TRY(
        put_predicates(run, DW_MERGE_NOT_MATCHED_BY_SOURCE, "notMatchedBySourcePredicates", &json));
    dw__strbuf_append_char(&json, '}');
    DW_TRY(dw__strbuf_ok(&json, "the operation's parameters", x->err));
    return dw__arena_dup(&x->arena, dw__strbuf_str(&json), out) ? DW_OK : dw__error_oom(x->err);
}

/* ---- A row that several rows of the source match --------------------------------------------- */

/* The values of the columns that the condition compares: "id = 5, day = 2024-01-31". */
static void
put_key(const merge_run *run, const dw_text_rows *rows, dw_strbuf *out)
{
    const dw_merge_side *target = &run->plan.names.target;
    size_t cell = 0;
    for (size_t i = 0; i < target->column_count; i++) {
        if (run->plan.names.target_uses[i] && cell < rows->column_count) {
            dw_str value = rows->cells[cell];
            dw__strbuf_printf(out, "%s%.*s = %.*s", cell == 0 ? "" : ", ",
                              DW_STR_ARG(target->columns[i].name),
                              DW_STR_ARG(dw__str_is_null(value) ? DW_STR("NULL") : value));
            cell++;
        }
    }
}

static dw_status
read_key(const merge_run *run, int64_t file, int64_t row, dw_text_rows *out)
{
    dw_execution *x = run->x;
    const dw_merge_side *target = &run->plan.names.target;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    for (size_t i = 0; i < target->column_count; i++) {
        if (run->plan.names.target_uses[i]) {
            dw__strbuf_append(&sql, sql.len == 0 ? DW_STR("SELECT ") : DW_STR(", "));
            dw__sql_put_identifier(&sql, target->columns[i].name);
        }
    }
    *out = (dw_text_rows){0};
    if (sql.len == 0) {
        return DW_OK;
    }
    dw__strbuf_append_literal(&sql, " FROM ");
    dw__sql_put_identifier(&sql, run->scan_name);
    dw__strbuf_printf(&sql,
                      " WHERE " DW_SCAN_FILE_COLUMN " = %lld AND " DW_SCAN_ROW_COLUMN " = %lld",
                      (long long) file, (long long) row);
    DW_TRY(dw__strbuf_ok(&sql, "the statement", x->err));
    return dw__connection_query_text(x->session->connection, dw__strbuf_str(&sql), &x->arena, out,
                                     x->err);
}

static dw_status
refuse_several(void *ctx, int64_t file, int64_t row, dw_error *err)
{
    const merge_run *run = ctx;
    dw_text_rows rows;
    DW_AUTO(dw_strbuf) key = dw__strbuf_make(run->x->arena.allocator, KEY_BYTES_MAX);
    DW_TRY(read_key(run, file, row, &rows));
    if (rows.row_count == 1) {
        put_key(run, &rows, &key);
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT,
                         "MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE",
                         "expected at most one row of the source for each row of the table, found "
                         "several that match and would change the row with %s: make the source's "
                         "rows unique by these columns, or the conditions narrower",
                         key.len == 0 || key.failed ? "one place" : dw__strbuf_cstr(&key));
}

/* ---- Running it ------------------------------------------------------------------------------ */

/* A single DELETE of all that matches does not care how many rows do. [MERGE-2] */
static bool
allows_several(const dw_merge_statement *merge)
{
    for (size_t i = 0; i < merge->clause_count; i++) {
        const dw_merge_clause *clause = &merge->clauses[i];
        if (clause->kind == DW_MERGE_MATCHED &&
            (clause->action != DW_MERGE_DELETE || !dw__sql_range_is_empty(clause->condition))) {
            return false;
        }
    }
    return true;
}

/* A row that matches and is left alone keeps a row of the source from being inserted. */
static bool
minds_all_rows(const merge_run *run)
{
    for (size_t i = 0; i < run->merge.clause_count; i++) {
        const dw_merge_clause *clause = &run->merge.clauses[i];
        if (clause->kind == DW_MERGE_MATCHED && dw__sql_range_is_empty(clause->condition)) {
            return false; /* all that match are changed */
        }
    }
    return run->plan.has[DW_MERGE_NOT_MATCHED];
}

static dw_status
print_parts(const merge_run *run, dw_merge_spec *spec)
{
    dw_execution *x = run->x;
    size_t count = run->merge.clause_count;
    dw_merge_part *parts = DW_ARENA_ARRAY(&x->arena, dw_merge_part, count + 1);
    if (parts == NULL) {
        return dw__error_oom(x->err);
    }
    for (size_t i = 0; i < count; i++) {
        parts[i] = (dw_merge_part){.kind = run->merge.clauses[i].kind, .action = DW_MERGE_DELETE};
        if (run->merge.clauses[i].action != DW_MERGE_DELETE) {
            DW_TRY(dw__merge_print_part(&run->plan, i, run->kept, &parts[i]));
        }
    }
    spec->parts = parts;
    spec->part_count = count;
    return DW_OK;
}

/* Those of ON join, those of WHEN ... AND choose. */
static dw_status
note_conditions(const merge_run *run, const dw_noted_side sides[2])
{
    dw_execution *x = run->x;
    dw_sql_range on = run->merge.condition;
    DW_TRY(dw__execution_note_condition(x, DW_CONDITION_JOIN,
                                        dw__tokens_text(&x->sql, on.first, on.last), sides, 2));
    for (size_t i = 0; i < run->merge.clause_count; i++) {
        dw_sql_range when = run->merge.clauses[i].condition;
        DW_TRY(dw__execution_note_condition(
            x, DW_CONDITION_FILTER, dw__tokens_text(&x->sql, when.first, when.last), sides, 2));
    }
    return DW_OK;
}

/* What the clauses set the columns to, whichever of them a row meets. */
static dw_status
note_values(merge_run *run)
{
    dw_execution *x = run->x;
    const dw_merge_names *names = &run->plan.names;
    dw_noted_columns columns = {0};
    dw_noted_side sides[] = {{.alias = names->target.alias,
                              .columns = names->target.columns,
                              .column_count = names->target.column_count},
                             {.alias = names->source.alias,
                              .columns = names->source.columns,
                              .column_count = names->source.column_count,
                              .is_query = true}};
    DW_TRY(dw__execution_note_table(x, run->snapshot, &sides[0].input));
    DW_TRY(note_conditions(run, sides));
    for (size_t i = 0; i < run->plan.slots.count; i++) {
        const dw_merge_slot *slot = &run->plan.slots.items[i];
        DW_TRY(dw__execution_note_set(x, &columns, run->plan.slots.count, slot->column, slot->text,
                                      sides, 2));
    }
    return dw__execution_note_columns(x, &columns);
}

static dw_status
change_table(merge_run *run)
{
    dw_execution *x = run->x;
    dw_merge_spec spec = {.rows = {.table = run->table,
                                   .connection = x->session->connection,
                                   .snapshot = run->snapshot,
                                   .transaction = x->session->transaction,
                                   .operation = "MERGE",
                                   .schema = run->evolved.schema,
                                   .properties = &run->evolved.properties,
                                   .scan = run->scan,
                                   .source_idx = dw__merge_target_reference(&run->plan),
                                   .was_read_before = run->source_reads_target,
                                   .minds_all_rows = minds_all_rows(run),
                                   .predicate = DW_STR_NULL,
                                   .name_prefix = dw__str_from(x->scan_prefix)},
                          .evolved = &run->evolved,
                          .kept = run->kept,
                          .allows_several = allows_several(&run->merge),
                          .source_row_count = run->source_row_count,
                          .refuse_several = refuse_several,
                          .ctx = run};
    spec.rows.query = dw__arena_printf(&x->arena,
                                       "SELECT " DW_SCAN_FILE_COLUMN ", " DW_SCAN_ROW_COLUMN
                                       " FROM \"%.*s\" WHERE " DW_SCAN_FILE_COLUMN " IS NOT NULL",
                                       DW_STR_ARG(run->kept));
    if (dw__str_is_null(spec.rows.query)) {
        return dw__error_oom(x->err);
    }
    DW_TRY(print_parts(run, &spec));
    DW_TRY(note_values(run));
    DW_TRY(dw__execution_limits(x, run->table, &spec.rows.limits));
    DW_TRY(print_parameters(run, &spec.parameters_json));
    return dw__table_merge(&spec, &run->done, x->err);
}

static dw_status
prepare(merge_run *run)
{
    dw_execution *x = run->x;
    dw_sql_travel newest = {.kind = DW_TRAVEL_NONE};
    dw_parser parser = dw__parser_make(&x->sql, &x->arena, x->err);
    DW_TRY(dw__parse_merge(&parser, &x->statement.as.modify, &run->merge));
    DW_TRY(dw__execution_snapshot(x, run->table, &newest, &run->snapshot));
    run->kept = dw__arena_printf(&x->arena, "%s_kept", x->scan_prefix);
    run->plan = (dw_merge_plan){.x = x,
                                .merge = &run->merge,
                                .names = {.x = x},
                                .schema = dw__log_snapshot_schema(run->snapshot),
                                .ids = dw__scan_row_id_columns(run->snapshot),
                                .evolves = x->statement.as.modify.evolves ||
                                           x->session->settings.merges_schema,
                                .source_copy = DW_STR_NULL,
                                .prune = DW_STR_NULL};
    return dw__str_is_null(run->kept) ? dw__error_oom(x->err) : DW_OK;
}

static dw_status
merge(merge_run *run)
{
    dw_execution *x = run->x;
    dw_commit_limits begun;
    DW_TRY(prepare(run));
    if (!run->x->statement.as.modify.explains) {
        DW_TRY(dw__execution_limits(run->x, run->table, &begun));
    }
    DW_TRY(open_source(run));
    DW_TRY(read_plan(run));
    dw_status status;
    if (x->statement.as.modify.explains) {
        status = explain(run);
    } else {
        status = keep_rows(run);
        status = status == DW_OK ? change_table(run) : status;
    }
    dw_open_query open = {.scan = run->scan};
    return dw__explain_engine_error(x, &open, status);
}

/* What cannot be dropped, as memory is gone, the next MERGE of the session replaces. */
static void
drop(merge_run *run, dw_str name)
{
    dw_execution *x = run->x;
    dw_error ignored = DW_ERROR_INIT;
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    dw__strbuf_append_literal(&sql, "DROP TABLE IF EXISTS ");
    dw__sql_put_identifier(&sql, name);
    if (!dw__str_is_null(name) && !sql.failed) {
        (void) !dw__connection_execute(x->session->connection, dw__strbuf_str(&sql), &ignored);
    }
}

static dw_status
set_counts(merge_run *run)
{
    static const dw_rows_column columns[] = {{"num_affected_rows", DW_ROWS_I64, 0, 0},
                                             {"num_updated_rows", DW_ROWS_I64, 0, 0},
                                             {"num_deleted_rows", DW_ROWS_I64, 0, 0},
                                             {"num_inserted_rows", DW_ROWS_I64, 0, 0}};
    dw_rows *rows;
    struct ArrowArrayStream stream;
    const dw_merge_result *done = &run->done;
    dw_change_report changed = DW_CHANGE_REPORT_INIT;
    changed.rows_inserted = done->inserted;
    changed.rows_updated = done->updated;
    changed.rows_deleted = done->deleted;
    dw__execution_set_rows_changed(run->x, &done->change, changed);
    if (done->change.judged.text[0] != '\0') {
        dw__env_warn(run->x->session->env, "%s", done->change.judged.text);
    }
    DW_TRY(dw__rows_new(run->x->session->env->allocator, columns, 4, &rows, run->x->err));
    dw__rows_put_i64(rows, done->updated + done->deleted + done->inserted);
    dw__rows_put_i64(rows, done->updated);
    dw__rows_put_i64(rows, done->deleted);
    dw__rows_put_i64(rows, done->inserted);
    DW_TRY(dw__rows_stream(rows, &stream, run->x->err));
    dw__execution_set_rows(run->x, &stream);
    return DW_OK;
}

dw_status
dw__execute_merge(dw_execution *x, dw_table *table)
{
    merge_run run = {.x = x, .table = table, .plan = {.x = x}};
    dw_status status = merge(&run);
    drop(&run, run.kept);
    dw__scan_close(run.scan);
    drop(&run, run.plan.source_copy);
    dw__merge_plan_deinit(&run.plan);
    dw__binding_deinit(&run.binding);
    dw__sql_text_deinit(&run.text);
    if (status != DW_OK) {
        dw_str name = dw__sql_name_print(&x->statement.as.modify.name, &x->arena);
        dw__error_context(x->err, "MERGE INTO %.*s", DW_STR_ARG(name));
        return status;
    }
    return x->statement.as.modify.explains ? DW_OK : set_counts(&run);
}
