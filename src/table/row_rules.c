/*
 * Reading the rules of columns and printing them into the query that writes.
 */
#include "table/row_rules.h"

#include "base/assert.h"
#include "protocol/feature.h"
#include "scan/scan.h"
#include "table/identity.h"
#include "table/value_checks.h"

/* ---- Reading --------------------------------------------------------------------------------- */

static dw_status
about_column(dw_status status, const char *what, const dw_field *field, dw_error *err)
{
    if (status != DW_OK && status != DW_OUT_OF_MEMORY) {
        dw__error_context(err, "%s of column \"%.*s\"", what, DW_STR_ARG(field->name));
    }
    return status;
}

/* The expression that a member of the column's metadata holds; NULL when there is none. */
static dw_status
read_expression(const dw_field *field, dw_str key, const dw_type *schema, dw_arena *arena,
                const dw_expression **out, dw_error *err)
{
    dw_str text;
    *out = NULL;
    DW_TRY(dw__field_metadata_get(field, key, arena, &text, err));
    if (dw__str_is_null(text)) {
        return DW_OK;
    }
    dw_expression *expression = DW_ARENA_NEW(arena, dw_expression);
    if (expression == NULL) {
        return dw__error_oom(err);
    }
    *out = expression;
    return dw__expression_translate(text, schema, arena, expression, err);
}

static dw_status
read_column(const dw_row_rules *rules, const dw_protocol *protocol, size_t idx, dw_arena *arena,
            dw_error *err)
{
    const dw_field *field = &rules->schema->fields[idx];
    dw_column_rule *rule = &rules->columns[idx];
    if ((field->traits & DW_FIELD_DEFAULT) != 0 &&
        dw__protocol_supports(protocol, DW_FEATURE_ALLOW_COLUMN_DEFAULTS)) {
        dw_status status = read_expression(field, DW_STR("CURRENT_DEFAULT"), NULL, arena,
                                           &rule->default_value, err);
        DW_TRY(about_column(status, "the default", field, err));
    }
    if ((field->traits & DW_FIELD_GENERATED) != 0 &&
        dw__protocol_supports(protocol, DW_FEATURE_GENERATED_COLUMNS)) {
        dw_status status = read_expression(field, DW_STR("delta.generationExpression"),
                                           rules->schema, arena, &rule->generation, err);
        DW_TRY(about_column(status, "the generation expression", field, err));
    }
    if ((field->traits & DW_FIELD_IDENTITY) != 0 &&
        dw__protocol_supports(protocol, DW_FEATURE_IDENTITY_COLUMNS)) {
        DW_TRY(dw__identity_read(field, arena, &rule->identity, err));
    }
    return DW_OK;
}

/* The expression as one of the column's type. */
static dw_status
cast_to_column(const dw_expression *from, const dw_field *field, const char *what, dw_arena *arena,
               dw_expression *out, dw_error *err)
{
    *out = *from;
    return about_column(dw__expression_cast(out, field->type, arena, err), what, field, err);
}

/* A generated column that is given is judged like a constraint. */
static dw_status
add_generation_check(dw_row_rules *rules, size_t idx, dw_arena *arena, dw_error *err)
{
    const dw_field *field = &rules->schema->fields[idx];
    const dw_expression *generation = rules->columns[idx].generation;
    dw_row_check *check = &rules->checks.items[rules->checks.count];
    *check = (dw_row_check){.code = "GENERATED_COLUMN_MISMATCH"};
    DW_TRY(cast_to_column(generation, field, "the generation expression", arena, &check->expression,
                          err));
    check->expression.uses = DW_ARENA_ARRAY(arena, bool, rules->schema->field_count);
    check->label = dw__arena_printf(arena, "the generated column \"%.*s\" (%.*s)",
                                    DW_STR_ARG(field->name), DW_STR_ARG(generation->text));
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__sql_put_identifier(&sql, field->name);
    dw__strbuf_append_literal(&sql, " IS NOT DISTINCT FROM ");
    dw__strbuf_append(&sql, check->expression.sql);
    DW_TRY(dw__strbuf_ok(&sql, "an expression", err));
    if (check->expression.uses == NULL || dw__str_is_null(check->label) ||
        !dw__arena_dup(arena, dw__strbuf_str(&sql), &check->expression.sql)) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < rules->schema->field_count; i++) {
        check->expression.uses[i] = i == idx || generation->uses[i];
    }
    rules->checks.count++;
    return DW_OK;
}

/*
 * A column without a type does not go into the files, so nothing would look at what is given for
 * it.
 */
static dw_status
add_void_check(dw_row_rules *rules, size_t idx, dw_arena *arena, dw_error *err)
{
    const dw_field *field = &rules->schema->fields[idx];
    size_t count = rules->schema->field_count;
    bool *uses = DW_ARENA_ARRAY(arena, bool, count);
    dw_row_check *check = &rules->checks.items[rules->checks.count];
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    dw__sql_put_identifier(&sql, field->name);
    dw__strbuf_append_literal(&sql, " IS NULL");
    DW_TRY(dw__strbuf_ok(&sql, "an expression", err));
    *check = (dw_row_check){
        .code = "TYPE_MISMATCH",
        .label =
            dw__arena_printf(arena, "the type void of column \"%.*s\"", DW_STR_ARG(field->name)),
        .expression = {.uses = uses, .use_count = count},
    };
    if (uses == NULL || dw__str_is_null(check->label) ||
        !dw__arena_dup(arena, dw__strbuf_str(&sql), &check->expression.sql)) {
        return dw__error_oom(err);
    }
    memset(uses, false, count * sizeof(*uses));
    uses[idx] = true;
    rules->checks.count++;
    return DW_OK;
}

dw_status
dw__row_rules_read(const dw_protocol *protocol, const dw_metadata *metadata, const dw_type *schema,
                   dw_arena *arena, dw_row_rules *out, dw_error *err)
{
    *out = (dw_row_rules){.schema = schema};
    out->columns = DW_ARENA_ARRAY(arena, dw_column_rule, schema->field_count + 1);
    if (out->columns == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(dw__row_checks_read(metadata, schema, arena, &out->checks, err));
    DW_TRY(dw__expectations_read(metadata, schema, arena, &out->expectations, err));
    for (size_t i = 0; i < schema->field_count; i++) {
        DW_TRY(read_column(out, protocol, i, arena, err));
        out->has_generated = out->has_generated || out->columns[i].generation != NULL;
        out->has_identity = out->has_identity || out->columns[i].identity != NULL;
    }
    return DW_OK;
}

/* ---- New tables ------------------------------------------------------------------------------ */

static dw_status
rule_invalid(const dw_field *field, const char *what, const char *why, dw_error *err)
{
    return dw__error_set(err, DW_INVALID_ARGUMENT, "EXPRESSION_INVALID", "%s of column \"%.*s\" %s",
                         what, DW_STR_ARG(field->name), why);
}

static dw_status
check_generation(const dw_row_rules *rules, const dw_field *field, const dw_expression *generation,
                 dw_error *err)
{
    const char *what = "the generation expression";
    for (size_t i = 0; i < rules->schema->field_count; i++) {
        if (generation->uses[i] && rules->columns[i].generation != NULL) {
            return rule_invalid(field, what, "names a generated column, which it must not", err);
        }
        if (generation->uses[i] && rules->columns[i].identity != NULL) {
            return rule_invalid(field, what, "names an identity column, which it must not", err);
        }
    }
    if (!generation->is_deterministic) {
        return rule_invalid(field, what, "must not depend on the time", err);
    }
    if (!dw__type_equal(generation->type, field->type, true)) {
        char have[DW_TYPE_TEXT_SIZE];
        char want[DW_TYPE_TEXT_SIZE];
        return dw__error_set(err, DW_INVALID_ARGUMENT, "EXPRESSION_INVALID",
                             "%s of column \"%.*s\" is %s, the column %s: cast it", what,
                             DW_STR_ARG(field->name), dw__type_text(generation->type, have),
                             dw__type_text(field->type, want));
    }
    return DW_OK;
}

static dw_status
check_default(const dw_field *field, const dw_expression *value, dw_error *err)
{
    DW_AUTO(dw_arena) arena;
    dw__arena_init(&arena, dw__allocator_libc());
    dw_expression cast;
    return cast_to_column(value, field, "the default", &arena, &cast, err);
}

dw_status
dw__row_rules_check_new(const dw_row_rules *rules, const dw_metadata *metadata, dw_error *err)
{
    for (size_t i = 0; i < rules->schema->field_count; i++) {
        const dw_field *field = &rules->schema->fields[i];
        const dw_column_rule *rule = &rules->columns[i];
        int count = (rule->default_value != NULL ? 1 : 0) + (rule->generation != NULL ? 1 : 0) +
                    (rule->identity != NULL ? 1 : 0);
        if (count > 1) {
            return rule_invalid(field, "the rule", "is more than one of DEFAULT and GENERATED",
                                err);
        }
        if (rule->generation != NULL) {
            DW_TRY(check_generation(rules, field, rule->generation, err));
        }
        if (rule->default_value != NULL) {
            DW_TRY(check_default(field, rule->default_value, err));
        }
        if (rule->identity != NULL) {
            DW_TRY(dw__identity_check_new(field, metadata, err));
        }
    }
    return DW_OK;
}

/* ---- Printing -------------------------------------------------------------------------------- */

/* Appends an expression of the column's type, judged by what the column demands of values. */
static dw_status
print_judged(const dw_expression *expression, const dw_field *field, const char *what,
             dw_arena *arena, dw_strbuf *out, dw_error *err)
{
    dw_expression cast;
    DW_AUTO(dw_strbuf) type = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    DW_TRY(cast_to_column(expression, field, what, arena, &cast, err));
    dw__engine_type_print(&type, field->type);
    DW_TRY(dw__strbuf_ok(&type, "a type", err));
    return dw__value_print_checked(field, cast.sql, dw__strbuf_str(&type), arena, out, err);
}

dw_status
dw__row_rule_print_fill(const dw_row_rules *rules, size_t column_idx, dw_arena *arena,
                        dw_strbuf *out, bool *found_out, dw_error *err)
{
    const dw_column_rule *rule = &rules->columns[column_idx];
    const dw_field *field = &rules->schema->fields[column_idx];
    *found_out = true;
    if (rule->identity != NULL) {
        dw__identity_print_next(rule->identity, field, out);
        return DW_OK;
    }
    if (rule->default_value != NULL) {
        return print_judged(rule->default_value, field, "the default", arena, out, err);
    }
    *found_out = false;
    return DW_OK;
}

/* SELECT "a", expression AS "g", ... FROM (query) AS dw_given */
static dw_status
print_generated(const dw_row_rules *rules, dw_str query, dw_arena *arena, dw_strbuf *out,
                dw_error *err)
{
    for (size_t i = 0; i < rules->schema->field_count; i++) {
        const dw_column_rule *rule = &rules->columns[i];
        const dw_field *field = &rules->schema->fields[i];
        dw__strbuf_append(out, i == 0 ? DW_STR("SELECT ") : DW_STR(", "));
        if (rule->generation != NULL && rule->is_left_out) {
            DW_TRY(print_judged(rule->generation, field, "the generation expression", arena, out,
                                err));
            dw__strbuf_append_literal(out, " AS ");
        }
        dw__sql_put_identifier(out, field->name);
    }
    dw__strbuf_append_literal(out, " FROM (");
    dw__strbuf_append(out, query);
    dw__strbuf_append_literal(out, ") AS dw_given");
    return dw__strbuf_ok(out, "the statement", err);
}

/* The column whose value depends on the checks: one that goes into the files, and is cheap. */
static size_t
checked_column(const dw_type *schema)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < schema->field_count; i++) {
        const dw_type *type = schema->fields[i].type;
        bool is_better = best == SIZE_MAX || (dw__type_is_nested(schema->fields[best].type) &&
                                              !dw__type_is_nested(type));
        if (type->kind != DW_TYPE_VOID && is_better) {
            best = i;
        }
    }
    return best;
}

/* SELECT CASE WHEN <violated> THEN error(...) ... ELSE "a" END AS "a", "b", ... FROM (query) */
static dw_status
print_checks(const dw_row_rules *rules, dw_str query, dw_strbuf *out, dw_error *err)
{
    size_t checked = checked_column(rules->schema);
    dw_assert(checked != SIZE_MAX); /* a schema of void columns is never written */
    for (size_t i = 0; i < rules->schema->field_count; i++) {
        const dw_field *field = &rules->schema->fields[i];
        dw__strbuf_append(out, i == 0 ? DW_STR("SELECT ") : DW_STR(", "));
        if (i == checked) {
            dw__strbuf_append_literal(out, "CASE");
            for (size_t k = 0; k < rules->checks.count; k++) {
                dw__strbuf_append_literal(out, " WHEN ");
                dw__row_check_print_branch(out, &rules->checks.items[k], rules->schema);
            }
            dw__strbuf_append_literal(out, " ELSE ");
            dw__sql_put_identifier(out, field->name);
            dw__strbuf_append_literal(out, " END AS ");
        }
        dw__sql_put_identifier(out, field->name);
    }
    dw__strbuf_append_literal(out, " FROM (");
    dw__strbuf_append(out, query);
    dw__strbuf_append_literal(out, ") AS dw_filled");
    return dw__strbuf_ok(out, "the statement", err);
}

/* Adds the checks of columns that are given, generated ones and those without a type; says whether
 * generated ones are to be computed. */
static dw_status
judge_given(dw_row_rules *rules, dw_arena *arena, bool *computes_out, dw_error *err)
{
    size_t count = rules->checks.count;
    dw_row_check *items =
        DW_ARENA_ARRAY(arena, dw_row_check, count + rules->schema->field_count + 1);
    if (items == NULL) {
        return dw__error_oom(err);
    }
    if (count > 0) {
        memcpy(items, rules->checks.items, count * sizeof(*items));
    }
    rules->checks.items = items;
    *computes_out = false;
    for (size_t i = 0; i < rules->schema->field_count; i++) {
        const dw_column_rule *rule = &rules->columns[i];
        if (rule->generation != NULL && rule->is_left_out) {
            *computes_out = true;
        } else if (rule->generation != NULL) {
            DW_TRY(add_generation_check(rules, i, arena, err));
        } else if (rules->schema->fields[i].type->kind == DW_TYPE_VOID && !rule->is_left_out) {
            DW_TRY(add_void_check(rules, i, arena, err));
        }
    }
    return DW_OK;
}

dw_status
dw__row_rules_print(const dw_row_rules *rules, dw_str query, dw_arena *arena, dw_strbuf *out,
                    dw_error *err)
{
    dw_row_rules now = *rules;
    bool computes = false;
    DW_TRY(judge_given(&now, arena, &computes, err));
    DW_AUTO(dw_strbuf) filled = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    if (computes) {
        DW_TRY(print_generated(&now, query, arena, &filled, err));
        query = dw__strbuf_str(&filled);
    }
    DW_AUTO(dw_strbuf) kept = dw__strbuf_make(arena->allocator, DW_COMMIT_BYTES_MAX);
    if (now.judgement != NULL && now.judgement->expectations.count > 0) {
        DW_TRY(dw__judgement_print(now.judgement, query, now.are_in_place_of_others, &kept, err));
        query = dw__strbuf_str(&kept);
    }
    if (now.checks.count > 0) {
        return print_checks(&now, query, out, err);
    }
    dw__strbuf_append(out, query);
    return dw__strbuf_ok(out, "the statement", err);
}
