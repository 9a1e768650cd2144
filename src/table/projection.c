/*
 * Matching columns and printing the SELECT that a write runs.
 */
#include "table/projection.h"

#include "base/assert.h"
#include "scan/scan.h"
#include "table/value_checks.h"
#include "table/write_lineage.h"

#define SOURCE_ALIAS "dw_source"
/* What a column that goes nowhere is called there. */
#define UNUSED_NAME "dw_unused"
/* The number of a row, where it is asked for; with more at its end if a column is called so. */
#define ROW_NAME "dw_source_row"
#define VALUE_CHARACTERS_MAX "60" /* of what a message shows of it */

/* Where the value of one column of the table comes from. */
typedef struct target {
    const dw_field *field;
    size_t source_idx; /* SIZE_MAX: none, the column becomes NULL */
    bool is_constant;  /* a static partition */
    dw_str constant;
    const dw_misfit *misfits; /* where its value may not fit, to be told with the row */
    size_t misfit_count;
    dw_str row_name; /* the column with the numbers of the rows; the null string: there is none */
} target;

static dw_status
no_such_column(const dw_projection_request *request, dw_str name, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    DW_AUTO(dw_strbuf) names = dw__strbuf_make(dw__allocator_libc(), DW_ERROR_MESSAGE_SIZE);
    for (size_t i = 0; i < request->schema->field_count && !names.failed; i++) {
        dw__strbuf_append(&names, i == 0 ? DW_STR("") : DW_STR(", "));
        dw__strbuf_append(&names, request->schema->fields[i].name);
    }
    return dw__error_set(err, DW_INVALID_ARGUMENT, "COLUMN_NOT_FOUND",
                         "column \"%.*s\" is not in the table, which has %s", DW_STR_ARG(name),
                         dw__strbuf_cstr(&names));
}

static dw_status
assign(const dw_projection_request *request, target *targets, dw_str name, size_t source_idx,
       dw_error *err)
{
    if (dw__str_is_null(name)) {
        return DW_OK;
    }
    size_t idx = dw__schema_find_idx(request->schema, name);
    if (idx == SIZE_MAX) {
        return no_such_column(request, name, err);
    }
    if (targets[idx].source_idx != SIZE_MAX || targets[idx].is_constant) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "COLUMN_DUPLICATE",
                             "column \"%.*s\" is given twice", DW_STR_ARG(name));
    }
    targets[idx].source_idx = source_idx;
    return DW_OK;
}

static dw_status
assign_constants(const dw_projection_request *request, target *targets, dw_error *err)
{
    size_t count = request->static_partitions == NULL ? 0 : request->static_partitions->count;
    for (size_t i = 0; i < count; i++) {
        const dw_pair *pair = &request->static_partitions->items[i];
        size_t idx = dw__schema_find_idx(request->schema, pair->key);
        if (idx == SIZE_MAX) {
            return no_such_column(request, pair->key, err);
        }
        targets[idx].is_constant = true;
        targets[idx].constant = pair->value;
    }
    return DW_OK;
}

static dw_status
assign_by_position(const dw_projection_request *request, target *targets, dw_error *err)
{
    size_t next = 0;
    for (size_t i = 0; i < request->schema->field_count; i++) {
        if (!targets[i].is_constant && next < request->source_count) {
            targets[i].source_idx = next++;
        } else if (!targets[i].is_constant) {
            next++;
        }
    }
    if (next != request->source_count) {
        size_t expected = 0;
        for (size_t i = 0; i < request->schema->field_count; i++) {
            expected += targets[i].is_constant ? 0 : 1;
        }
        return dw__error_set(err, DW_INVALID_ARGUMENT, "COLUMN_COUNT_MISMATCH",
                             "the table takes %zu columns, the query gives %zu: list the columns "
                             "that it gives, or use BY NAME",
                             expected, request->source_count);
    }
    return DW_OK;
}

/* What the statement leaves to the table's rules, and what it must not give. */
static dw_status
apply_rules(const dw_projection_request *request, const target *targets, dw_error *err)
{
    for (size_t i = 0; i < request->schema->field_count; i++) {
        dw_column_rule *rule = &request->rules->columns[i];
        rule->is_left_out = targets[i].source_idx == SIZE_MAX && !targets[i].is_constant;
        if (!rule->is_left_out && rule->identity != NULL && !rule->identity->allows_explicit) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "IDENTITY_EXPLICIT",
                                 "column \"%.*s\" is GENERATED ALWAYS AS IDENTITY and takes no "
                                 "values: list the other columns, or leave it out by name",
                                 DW_STR_ARG(targets[i].field->name));
        }
    }
    return DW_OK;
}

static dw_status
assign_all(const dw_projection_request *request, target *targets, dw_error *err)
{
    DW_TRY(assign_constants(request, targets, err));
    if (request->column_count > 0) {
        if (request->column_count != request->source_count) {
            return dw__error_set(err, DW_INVALID_ARGUMENT, "COLUMN_COUNT_MISMATCH",
                                 "%zu columns are listed, the query gives %zu",
                                 request->column_count, request->source_count);
        }
        for (size_t i = 0; i < request->column_count; i++) {
            DW_TRY(assign(request, targets, request->columns[i], i, err));
        }
        return DW_OK;
    }
    if (!request->by_name) {
        return assign_by_position(request, targets, err);
    }
    for (size_t i = 0; i < request->source_count; i++) {
        DW_TRY(assign(request, targets, request->source[i].name, i, err));
    }
    return DW_OK;
}

/* ---- Printing -------------------------------------------------------------------------------- */

static void
put_reference(const dw_field *field, dw_strbuf *out)
{
    dw__strbuf_append_literal(out, SOURCE_ALIAS ".");
    dw__sql_put_identifier(out, field->name);
}

static void
put_alias(const dw_field *field, dw_strbuf *out)
{
    dw__strbuf_append_literal(out, " AS ");
    dw__sql_put_identifier(out, field->name);
}

static void
print_null(dw_strbuf *out, const dw_type *type)
{
    dw__strbuf_append_literal(out, "CAST(NULL AS ");
    dw__engine_type_print(out, type);
    dw__strbuf_append_char(out, ')');
}

static dw_status
print_constant(const target *item, dw_strbuf *out, dw_error *err)
{
    if (!dw__str_is_null(item->constant)) {
        dw__strbuf_append_literal(out, "CAST(");
        dw__sql_put_literal(out, item->constant);
        dw__strbuf_append_literal(out, " AS ");
        dw__engine_type_print(out, item->field->type);
        dw__strbuf_append_char(out, ')');
        return DW_OK;
    }
    if (!item->field->nullable) {
        return dw__value_null_error(item->field->name, err);
    }
    print_null(out, item->field->type);
    return DW_OK;
}

/* Appends "WHEN condition THEN error(...)", which tells the value and its row. */
static void
print_refusal(const dw_misfit *misfit, dw_str condition, const char *code, dw_str row_name,
              dw_strbuf *out)
{
    DW_AUTO(dw_strbuf) before = dw__strbuf_make(out->allocator, DW_COMMIT_BYTES_MAX);
    const char *quote = misfit->is_text ? "'" : "";
    dw__strbuf_printf(&before, DW_VALUE_CHECK_MARK "%s:column \"%.*s\": expected ", code,
                      DW_STR_ARG(misfit->path));
    dw__type_print_sql(&before, misfit->type);
    dw__strbuf_printf(&before, ", found %s", quote);
    dw__strbuf_printf(out, " WHEN %.*s THEN error(", DW_STR_ARG(condition));
    dw__sql_put_literal(out, dw__strbuf_str(&before));
    dw__strbuf_printf(out,
                      " || left(CAST(%.*s AS VARCHAR), " VALUE_CHARACTERS_MAX
                      ") || CASE WHEN length(CAST(%.*s AS VARCHAR)) > " VALUE_CHARACTERS_MAX
                      " THEN '...' ELSE '' END || ",
                      DW_STR_ARG(misfit->value), DW_STR_ARG(misfit->value));
    out->failed = out->failed || before.failed;
    dw__strbuf_clear(&before);
    dw__strbuf_printf(&before, "%s in row ", quote);
    dw__sql_put_literal(out, dw__strbuf_str(&before));
    dw__strbuf_printf(
        out, " || " SOURCE_ALIAS ".%.*s || ': nothing was written; round or convert it before')",
        DW_STR_ARG(row_name));
    out->failed = out->failed || before.failed;
}

/* Appends the beginning of a CASE that refuses values with their row, if any may be refused. */
static void
print_refusals(const target *item, dw_strbuf *out)
{
    for (size_t i = 0; i < item->misfit_count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("CASE") : DW_STR(""));
        const dw_misfit *misfit = &item->misfits[i];
        print_refusal(misfit, misfit->refusal, "CONVERSION_ERROR", item->row_name, out);
        print_refusal(misfit, misfit->condition, "VALUE_LOSES_DATA", item->row_name, out);
    }
    dw__strbuf_append(out, item->misfit_count > 0 ? DW_STR(" ELSE ") : DW_STR(""));
}

static dw_status
print_value(const dw_projection_request *request, const target *item, dw_arena *arena,
            dw_strbuf *out, dw_error *err)
{
    const dw_query_column *source = &request->source[item->source_idx];
    DW_AUTO(dw_strbuf) reference = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    put_reference(item->field, &reference);
    DW_TRY(dw__strbuf_ok(&reference, "a column's name", err));
    /* The type of a bare NULL casts to everything. */
    if (dw__str_equal(source->type, DW_STR("\"NULL\"")) ||
        dw__str_equal(source->type, DW_STR("NULL"))) {
        if (!item->field->nullable) {
            return dw__value_null_error(item->field->name, err);
        }
        print_null(out, item->field->type);
        return DW_OK;
    }
    print_refusals(item, out);
    DW_TRY(dw__value_print_checked(item->field, dw__strbuf_str(&reference), source->type, arena,
                                   out, err));
    dw__strbuf_append(out, item->misfit_count > 0 ? DW_STR(" END") : DW_STR(""));
    return DW_OK;
}

/* A column that the statement does not give. */
static dw_status
print_left_out(const dw_projection_request *request, const target *item, dw_arena *arena,
               dw_strbuf *out, dw_error *err)
{
    bool found = false;
    if (request->rules != NULL) {
        size_t idx = (size_t) (item->field - request->schema->fields);
        DW_TRY(dw__row_rule_print_fill(request->rules, idx, arena, out, &found, err));
    }
    if (!found && !item->field->nullable) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "NOT_NULL_VIOLATION",
                             "column \"%.*s\" must not be null, and the query does not give it",
                             DW_STR_ARG(item->field->name));
    }
    if (!found) {
        print_null(out, item->field->type);
    }
    return DW_OK;
}

static dw_status
print_target(const dw_projection_request *request, const target *item, dw_arena *arena,
             dw_strbuf *out, dw_error *err)
{
    if (item->is_constant) {
        DW_TRY(print_constant(item, out, err));
    } else if (item->source_idx != SIZE_MAX) {
        DW_TRY(print_value(request, item, arena, out, err));
    } else {
        DW_TRY(print_left_out(request, item, arena, out, err));
    }
    put_alias(item->field, out);
    return DW_OK;
}

/* FROM (query) AS dw_source("a", "b", ...): each column of the query under the name of its target,
 * so that no two clash and the engine's errors speak of the table's columns. */
static dw_status
print_source(const dw_projection_request *request, const target *targets, dw_arena *arena,
             dw_strbuf *out, dw_error *err)
{
    dw_str *names = DW_ARENA_ARRAY(arena, dw_str, request->source_count + 1);
    if (names == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < request->schema->field_count; i++) {
        if (targets[i].source_idx != SIZE_MAX) {
            names[targets[i].source_idx] = targets[i].field->name;
        }
    }
    dw_str row_name = targets[0].row_name; /* a table has a column */
    bool numbers_rows = !dw__str_is_null(row_name);
    dw__strbuf_append_literal(out, " FROM (");
    dw__strbuf_append(out, numbers_rows ? DW_STR("FROM (") : DW_STR(""));
    dw__strbuf_append(out, request->query);
    if (numbers_rows) {
        dw__strbuf_printf(out, "\n) SELECT *, row_number() OVER () AS %.*s", DW_STR_ARG(row_name));
    }
    dw__strbuf_append_literal(out, "\n) AS " SOURCE_ALIAS "(");
    for (size_t i = 0; i < request->source_count; i++) {
        dw__strbuf_append(out, i == 0 ? DW_STR("") : DW_STR(", "));
        dw__sql_put_identifier(out, dw__str_is_null(names[i]) ? DW_STR(UNUSED_NAME) : names[i]);
    }
    dw__strbuf_append_char(out, ')');
    return DW_OK;
}

/* True for a generated column that is computed from the others later. */
static bool
is_computed(const dw_projection_request *request, size_t idx)
{
    const dw_row_rules *rules = request->rules;
    return rules != NULL && rules->columns[idx].generation != NULL &&
           rules->columns[idx].is_left_out;
}

static dw_status
print_values(const dw_projection_request *request, const target *targets, dw_arena *arena,
             dw_strbuf *out, dw_error *err)
{
    const char *separator = "";
    for (size_t i = 0; i < request->schema->field_count; i++) {
        if (!is_computed(request, i)) {
            dw__strbuf_append(out, dw__str_from(separator));
            DW_TRY(print_target(request, &targets[i], arena, out, err));
            separator = ", ";
        }
    }
    return dw__strbuf_ok(out, "the statement", err);
}

/* True when the query gives the table's columns as they are: then it is all there is to run. */
static bool
is_identity(const dw_projection_request *request, const target *targets, dw_str values)
{
    size_t count = request->schema->field_count;
    if (request->source_count != count) {
        return false;
    }
    DW_AUTO(dw_strbuf) same = dw__strbuf_make(dw__allocator_libc(), DW_COMMIT_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        const dw_field *field = targets[i].field;
        if (targets[i].source_idx != i || !dw__str_equal(request->source[i].name, field->name)) {
            return false;
        }
        dw__strbuf_append(&same, i == 0 ? DW_STR("") : DW_STR(", "));
        put_reference(field, &same);
        put_alias(field, &same);
    }
    return !same.failed && dw__str_equal(dw__strbuf_str(&same), values);
}

static dw_status
print_select(const dw_projection_request *request, const target *targets, dw_arena *arena,
             dw_strbuf *out, dw_error *err)
{
    DW_AUTO(dw_strbuf) values = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(print_values(request, targets, arena, &values, err));
    if (request->can_stand_alone && is_identity(request, targets, dw__strbuf_str(&values))) {
        dw__strbuf_append(out, request->query);
        return dw__strbuf_ok(out, "the statement", err);
    }
    dw__strbuf_append_literal(out, "SELECT ");
    dw__strbuf_append(out, dw__strbuf_str(&values));
    DW_TRY(print_source(request, targets, arena, out, err));
    return dw__strbuf_ok(out, "the statement", err);
}

static dw_status
note_lineage(const dw_projection_request *request, const target *targets, dw_arena *arena,
             dw_error *err)
{
    size_t count = request->schema->field_count;
    size_t *source_of = DW_ARENA_ARRAY(arena, size_t, count + 1);
    if (source_of == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        source_of[i] = targets[i].source_idx;
    }
    return dw__write_note_lineage(request->lineage, request, source_of, err);
}

/* The targets of all columns of the table. */
static dw_status
find_targets(const dw_projection_request *request, dw_arena *arena, target **out, dw_error *err)
{
    size_t count = request->schema->field_count;
    target *targets = DW_ARENA_ARRAY(arena, target, count + 1);
    if (targets == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        targets[i] = (target){.field = &request->schema->fields[i], .source_idx = SIZE_MAX};
    }
    *out = targets;
    return assign_all(request, targets, err);
}

/* ---- Values that do not fit ------------------------------------------------------------------ */

/* Adds the places of all values of the query in which they may not fit; those of one target lie
 * beside one another, from firsts[i] to firsts[i + 1]. */
static dw_status
list_misfits(const dw_projection_request *request, const target *targets, dw_arena *arena,
             dw_misfits *out, size_t *firsts, dw_error *err)
{
    DW_AUTO(dw_strbuf) reference = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    size_t count = request->schema->field_count;
    for (size_t i = 0; i < count; i++) {
        dw_str kept;
        size_t from = targets[i].source_idx;
        firsts[i] = out->count;
        if (from == SIZE_MAX) {
            continue;
        }
        dw__strbuf_clear(&reference);
        put_reference(targets[i].field, &reference);
        DW_TRY(dw__strbuf_ok(&reference, "a column's name", err));
        if (!dw__arena_dup(arena, dw__strbuf_str(&reference), &kept)) {
            return dw__error_oom(err);
        }
        DW_TRY(
            dw__misfits_list(targets[i].field, kept, request->source[from].type, arena, out, err));
    }
    firsts[count] = out->count;
    return DW_OK;
}

dw_status
dw__projection_print_misfit(const dw_projection_request *request, dw_arena *arena, dw_strbuf *out,
                            dw_misfits *places, dw_error *err)
{
    target *targets;
    DW_TRY(find_targets(request, arena, &targets, err));
    size_t *firsts = DW_ARENA_ARRAY(arena, size_t, request->schema->field_count + 1);
    if (firsts == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(list_misfits(request, targets, arena, places, firsts, err));
    if (places->count == 0) {
        return DW_OK;
    }
    DW_AUTO(dw_strbuf) values = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__strbuf_append_literal(out, "SELECT * FROM (SELECT CASE");
    for (size_t i = 0; i < places->count; i++) {
        const dw_misfit *place = &places->items[i];
        dw__strbuf_printf(out, " WHEN %.*s THEN %zu", DW_STR_ARG(place->condition), i);
        dw__strbuf_printf(&values, " WHEN %.*s THEN CAST(%.*s AS VARCHAR)",
                          DW_STR_ARG(place->condition), DW_STR_ARG(place->value));
    }
    dw__strbuf_append_literal(out, " END AS i, CASE");
    dw__strbuf_append(out, dw__strbuf_str(&values));
    dw__strbuf_append_literal(out, " END AS v, row_number() OVER () AS r");
    out->failed = out->failed || values.failed;
    DW_TRY(print_source(request, targets, arena, out, err));
    dw__strbuf_append_literal(out, ") WHERE i IS NOT NULL LIMIT 1");
    return dw__strbuf_ok(out, "the statement", err);
}

/* Gives the targets the places of which they tell values and rows. */
static dw_status
note_misfits(const dw_projection_request *request, target *targets, dw_arena *arena,
             dw_misfits *places, dw_error *err)
{
    size_t count = request->schema->field_count;
    size_t *firsts = DW_ARENA_ARRAY(arena, size_t, count + 1);
    if (firsts == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(list_misfits(request, targets, arena, places, firsts, err));
    dw_str row_name = DW_STR(ROW_NAME);
    while (dw__schema_find(request->schema, row_name) != NULL) {
        row_name = dw__arena_printf(arena, "%.*s_", DW_STR_ARG(row_name));
        if (dw__str_is_null(row_name)) {
            return dw__error_oom(err);
        }
    }
    for (size_t i = 0; i < count && places->count > 0; i++) {
        targets[i].row_name = row_name;
        targets[i].misfits = &places->items[firsts[i]];
        targets[i].misfit_count = firsts[i + 1] - firsts[i];
    }
    return DW_OK;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static dw_status
print(const dw_projection_request *request, target *targets, dw_arena *arena, dw_strbuf *out,
      dw_error *err)
{
    if (request->rules == NULL) {
        DW_TRY(note_lineage(request, targets, arena, err));
        return print_select(request, targets, arena, out, err);
    }
    DW_TRY(apply_rules(request, targets, err));
    DW_TRY(note_lineage(request, targets, arena, err));
    DW_AUTO(dw_strbuf) given = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(print_select(request, targets, arena, &given, err));
    return dw__row_rules_print(request->rules, dw__strbuf_str(&given), arena, out, err);
}

dw_status
dw__projection_print(const dw_projection_request *request, dw_arena *arena, dw_strbuf *out,
                     dw_error *err)
{
    target *targets;
    dw_misfits places = {0};
    DW_TRY(find_targets(request, arena, &targets, err));
    dw_status status =
        request->tells_rows ? note_misfits(request, targets, arena, &places, err) : DW_OK;
    if (status == DW_OK) {
        status = print(request, targets, arena, out, err);
    }
    DW_VEC_DEINIT(arena->allocator, &places);
    return status;
}
