/*
 * From the clauses of a MERGE to queries.
 */
#include "sql/merge_plan.h"

#include "base/assert.h"

#define SOURCE_MARK "__deltaworks_source"

/* ---- Values ---------------------------------------------------------------------------------- */

static dw_status
take(const dw_merge_plan *plan, const dw_strbuf *text, dw_str *out)
{
    DW_TRY(dw__strbuf_ok(text, "the statement", plan->x->err));
    return dw__arena_dup(&plan->x->arena, dw__strbuf_str(text), out) ? DW_OK
                                                                     : dw__error_oom(plan->x->err);
}

static dw_status
column_of(const dw_merge_plan *plan, const dw_merge_side *side, dw_str column, dw_str *out)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(plan->x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    dw__sql_put_identifier(&text, side->alias);
    dw__strbuf_append_char(&text, '.');
    dw__sql_put_identifier(&text, column);
    return take(plan, &text, out);
}

/* The slot for that expression, shared with clauses before. */
static dw_status
find_slot(dw_merge_plan *plan, dw_str column, dw_str text, bool is_bare, size_t *out)
{
    for (*out = 0; *out < plan->slots.count; (*out)++) {
        const dw_merge_slot *slot = &plan->slots.items[*out];
        if (dw__str_equal(slot->column, column) && dw__str_equal(slot->text, text)) {
            return DW_OK;
        }
    }
    dw_merge_slot *slot = DW_VEC_PUSH(plan->x->arena.allocator, &plan->slots);
    if (slot == NULL) {
        return dw__error_oom(plan->x->err);
    }
    *slot = (dw_merge_slot){.column = column,
                            .text = text,
                            .is_bare = is_bare,
                            .clauses = DW_STR(""),
                            .cell = SIZE_MAX};
    return DW_OK;
}

static dw_status
add_value(dw_merge_plan *plan, size_t branch_idx, dw_str column, dw_str text, bool is_bare,
          bool is_set)
{
    dw_merge_branch *branch = &plan->branches[branch_idx];
    dw_merge_value *value = &branch->values[branch->value_count++];
    *value = (dw_merge_value){.column = column, .is_set = is_set};
    DW_TRY(find_slot(plan, column, text, is_bare, &value->slot));
    dw_merge_slot *slot = &plan->slots.items[value->slot];
    slot->clauses = dw__arena_printf(&plan->x->arena, "%.*s%s%zu", DW_STR_ARG(slot->clauses),
                                     slot->clauses.len == 0 ? "" : ", ", branch_idx);
    return dw__str_is_null(slot->clauses) ? dw__error_oom(plan->x->err) : DW_OK;
}

static dw_status
add_column(dw_merge_plan *plan, size_t branch_idx, const dw_merge_side *side, dw_str column,
           bool is_set)
{
    dw_str text;
    DW_TRY(column_of(plan, side, column, &text));
    return add_value(plan, branch_idx, column, text, true, is_set);
}

static bool
is_default(const dw_merge_plan *plan, const dw_assignment *item)
{
    return item->value.last == item->value.first + 1 &&
           plan->x->sql.items[item->value.first].keyword == DW_KEYWORD_DEFAULT;
}

/* True when a row that is updated brings the column along: not one that is new or computed. */
static bool
is_kept(const dw_merge_plan *plan, const dw_row_rules *rules, size_t idx)
{
    return idx < plan->names.target.column_count && rules->columns[idx].generation == NULL;
}

/* UPDATE SET * and INSERT *: every column of the table from the one of its name. */
static dw_status
add_star(dw_merge_plan *plan, size_t branch_idx, const dw_row_rules *rules)
{
    dw_execution *x = plan->x;
    const dw_merge_side *source = &plan->names.source;
    const dw_merge_clause *clause = plan->branches[branch_idx].clause;
    for (size_t i = 0; i < plan->schema->field_count; i++) {
        dw_str column = plan->schema->fields[i].name;
        size_t idx = dw__merge_column(source, column);
        bool is_computed =
            rules->columns[i].generation != NULL || rules->columns[i].identity != NULL;
        dw_str text;
        if (idx != SIZE_MAX) {
            DW_TRY(column_of(plan, source, source->columns[idx].name, &text));
            DW_TRY(add_value(plan, branch_idx, column, text, true, true));
        } else if (!is_computed && !plan->evolves) {
            dw_parser parser = dw__parser_make(&x->sql, &x->arena, x->err);
            return dw__parser_refuse(&parser, clause->token, DW_INVALID_ARGUMENT,
                                     "COLUMN_NOT_FOUND",
                                     "* stands for all columns of the table, and the source has no "
                                     "\"%.*s\": list the columns that it has",
                                     DW_STR_ARG(column));
        } else if (clause->action == DW_MERGE_UPDATE && is_kept(plan, rules, i)) {
            DW_TRY(add_column(plan, branch_idx, &plan->names.target, column, false));
        }
    }
    return DW_OK;
}

/* UPDATE SET c = DEFAULT */
static dw_str
default_of(const dw_row_rules *rules, size_t idx)
{
    const dw_expression *value = rules->columns[idx].default_value;
    return value == NULL ? DW_STR("NULL") : value->sql;
}

static dw_status
add_update(dw_merge_plan *plan, size_t branch_idx, const dw_row_rules *rules,
           const dw_merge_text **texts)
{
    dw_execution *x = plan->x;
    dw_column_values values;
    dw_str qualifier;
    const dw_merge_clause *clause = plan->branches[branch_idx].clause;
    dw_parser parser = dw__parser_make(&x->sql, &x->arena, x->err);
    DW_AUTO(dw_strbuf) before = dw__strbuf_make(x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    dw__sql_put_identifier(&before, plan->names.target.alias);
    dw__strbuf_append_char(&before, '.');
    DW_TRY(take(plan, &before, &qualifier));
    DW_TRY(dw__column_values_init(&values, plan->schema, qualifier, &x->arena, x->err));
    for (size_t i = 0; i < clause->set_count; i++) {
        const dw_assignment *item = &clause->set[i];
        size_t idx = dw__schema_find_idx(plan->schema, item->parts[item->part_count - 1]);
        dw_str value = is_default(plan, item)
                           ? (idx == SIZE_MAX ? DW_STR("NULL") : default_of(rules, idx))
                           : (*texts)++->text;
        value = dw__arena_printf(&x->arena, "(%.*s\n)", DW_STR_ARG(value));
        if (dw__str_is_null(value)) {
            return dw__error_oom(x->err);
        }
        bool is_recomputed =
            is_default(plan, item) && idx != SIZE_MAX && rules->columns[idx].generation != NULL;
        if (!is_recomputed) {
            DW_TRY(dw__column_values_assign(&values, &parser, item, value));
        }
    }
    for (size_t i = 0; i < plan->schema->field_count; i++) {
        if (values.is_set[i] || is_kept(plan, rules, i)) {
            DW_TRY(add_value(plan, branch_idx, plan->schema->fields[i].name, values.texts[i],
                             !values.is_set[i], values.is_set[i]));
        }
    }
    return DW_OK;
}

static dw_status
add_insert(dw_merge_plan *plan, size_t branch_idx, const dw_merge_text **texts)
{
    dw_execution *x = plan->x;
    const dw_merge_clause *clause = plan->branches[branch_idx].clause;
    dw_parser parser = dw__parser_make(&x->sql, &x->arena, x->err);
    for (size_t i = 0; i < clause->set_count; i++) {
        const dw_assignment *item = &clause->set[i];
        bool has_alias =
            item->part_count == 2 && dw__str_equal_nocase(item->parts[0], plan->names.target.alias);
        dw_str column = item->parts[has_alias ? 1 : 0];
        size_t idx = item->part_count > 1 && !has_alias ? SIZE_MAX
                                                        : dw__schema_find_idx(plan->schema, column);
        if (idx == SIZE_MAX) {
            return dw__parser_refuse(&parser, item->token, DW_INVALID_ARGUMENT, "COLUMN_NOT_FOUND",
                                     "the table has no column \"%.*s\"", DW_STR_ARG(column));
        }
        if (!is_default(plan, item)) {
            DW_TRY(add_value(plan, branch_idx, plan->schema->fields[idx].name, (*texts)++->text,
                             false, true));
        }
    }
    /* A row of nothing but DEFAULT has one value, which goes nowhere. */
    bool is_empty = plan->branches[branch_idx].value_count == 0;
    return is_empty ? add_value(plan, branch_idx, DW_STR_NULL, DW_STR("NULL"), true, true) : DW_OK;
}

/* ---- Reading clauses ------------------------------------------------------------------------- */

static dw_status
put_text(const dw_merge_plan *plan, dw_merge_kind kind, bool is_condition, size_t token,
         dw_sql_range range, dw_merge_text *out)
{
    *out = (dw_merge_text){.kind = kind, .is_condition = is_condition, .token = token};
    return dw__sql_range_print(&plan->x->sql, range, &plan->x->arena, &out->text, plan->x->err);
}

/* All expressions, in the order of the text. */
static dw_status
collect_texts(const dw_merge_plan *plan, dw_merge_text **out, size_t *count_out)
{
    const dw_merge_statement *merge = plan->merge;
    size_t capacity = 1;
    for (size_t i = 0; i < merge->clause_count; i++) {
        capacity += 1 + merge->clauses[i].set_count;
    }
    dw_merge_text *texts = DW_ARENA_ARRAY(&plan->x->arena, dw_merge_text, capacity);
    if (texts == NULL) {
        return dw__error_oom(plan->x->err);
    }
    size_t count = 0;
    DW_TRY(put_text(plan, DW_MERGE_MATCHED, true, merge->condition.first, merge->condition,
                    &texts[count++]));
    for (size_t i = 0; i < merge->clause_count; i++) {
        const dw_merge_clause *clause = &merge->clauses[i];
        if (!dw__sql_range_is_empty(clause->condition)) {
            DW_TRY(put_text(plan, clause->kind, true, clause->condition.first, clause->condition,
                            &texts[count++]));
        }
        for (size_t k = 0; k < clause->set_count; k++) {
            const dw_assignment *item = &clause->set[k];
            if (!is_default(plan, item)) {
                DW_TRY(put_text(plan, clause->kind, false, item->value.first, item->value,
                                &texts[count++]));
            }
        }
    }
    *out = texts;
    *count_out = count;
    return DW_OK;
}

static dw_status
read_branch(dw_merge_plan *plan, size_t idx, const dw_row_rules *rules, const dw_merge_text **texts)
{
    const dw_merge_clause *clause = &plan->merge->clauses[idx];
    dw_merge_branch *branch = &plan->branches[idx];
    size_t count = plan->schema->field_count + clause->set_count + 1;
    *branch = (dw_merge_branch){.clause = clause, .condition = DW_STR_NULL};
    branch->values = DW_ARENA_ARRAY(&plan->x->arena, dw_merge_value, count);
    if (branch->values == NULL) {
        return dw__error_oom(plan->x->err);
    }
    plan->has[clause->kind] = true;
    if (!dw__sql_range_is_empty(clause->condition)) {
        branch->condition = (*texts)++->text;
    }
    if (clause->action == DW_MERGE_DELETE) {
        return DW_OK;
    }
    if (clause->is_star && clause->kind == DW_MERGE_NOT_MATCHED_BY_SOURCE) {
        dw_parser parser = dw__parser_make(&plan->x->sql, &plan->x->arena, plan->x->err);
        return dw__parser_refuse(&parser, clause->token, DW_INVALID_ARGUMENT, "MERGE_INVALID",
                                 "UPDATE SET * takes values from the source, and rows that are NOT "
                                 "MATCHED BY SOURCE have none: name the columns to set");
    }
    if (clause->is_star) {
        DW_TRY(add_star(plan, idx, rules));
    } else if (clause->action == DW_MERGE_INSERT) {
        return add_insert(plan, idx, texts);
    } else {
        DW_TRY(add_update(plan, idx, rules, texts));
    }
    bool keeps_id = clause->action == DW_MERGE_UPDATE && plan->ids.id.len > 0;
    return keeps_id ? add_column(plan, idx, &plan->names.target, plan->ids.id, false) : DW_OK;
}

dw_status
dw__merge_plan_read(dw_merge_plan *plan, const dw_row_rules *rules)
{
    dw_merge_text *texts = NULL;
    size_t count = 0;
    DW_TRY(collect_texts(plan, &texts, &count));
    DW_TRY(dw__merge_names_read(&plan->names, texts, count));
    plan->branches =
        DW_ARENA_ARRAY(&plan->x->arena, dw_merge_branch, plan->merge->clause_count + 1);
    if (plan->branches == NULL) {
        return dw__error_oom(plan->x->err);
    }
    plan->on = texts[0].text;
    const dw_merge_text *next = texts + 1;
    for (size_t i = 0; i < plan->merge->clause_count; i++) {
        DW_TRY(read_branch(plan, i, rules, &next));
    }
    dw_assert(next == texts + count);
    return DW_OK;
}

void
dw__merge_plan_deinit(dw_merge_plan *plan)
{
    DW_VEC_DEINIT(plan->x->arena.allocator, &plan->slots);
}

/* ---- The join -------------------------------------------------------------------------------- */

static bool
is_insert_only(const dw_merge_plan *plan)
{
    return !plan->has[DW_MERGE_MATCHED] && !plan->has[DW_MERGE_NOT_MATCHED_BY_SOURCE];
}

size_t
dw__merge_target_reference(const dw_merge_plan *plan)
{
    return is_insert_only(plan) && dw__str_is_null(plan->source_copy) ? 1 : 0;
}

static const char *
join_word(const dw_merge_plan *plan)
{
    bool matched = plan->has[DW_MERGE_MATCHED];
    bool inserts = plan->has[DW_MERGE_NOT_MATCHED];
    bool by_source = plan->has[DW_MERGE_NOT_MATCHED_BY_SOURCE];
    if (inserts && by_source) {
        return " FULL JOIN ";
    }
    if (matched) {
        return inserts ? " RIGHT JOIN " : by_source ? " LEFT JOIN " : " JOIN ";
    }
    return " ANTI JOIN ";
}

static dw_str
text_of(const dw_merge_plan *plan, dw_sql_range range)
{
    return dw__tokens_text(&plan->x->sql, range.first, range.last);
}

static void
put_target(const dw_merge_plan *plan, bool is_for_planning, dw_strbuf *out)
{
    if (!is_for_planning || dw__str_is_null(plan->prune)) {
        dw__strbuf_append(out, text_of(plan, plan->merge->table));
        return;
    }
    dw__strbuf_append_literal(out, "(SELECT * FROM ");
    dw__strbuf_append(out, text_of(plan, plan->merge->table));
    dw__strbuf_append_literal(out, " WHERE ");
    dw__strbuf_append(out, plan->prune);
    dw__strbuf_append_literal(out, ") AS ");
    dw__sql_put_identifier(out, plan->names.target.alias);
}

static void
put_source(const dw_merge_plan *plan, dw_strbuf *out)
{
    if (dw__str_is_null(plan->source_copy)) {
        dw__strbuf_append_literal(out, "(SELECT true AS " SOURCE_MARK ", * FROM ");
        dw__strbuf_append(out, text_of(plan, plan->merge->source));
        dw__strbuf_append_char(out, ')');
    } else {
        dw__sql_put_identifier(out, plan->source_copy);
    }
    dw__strbuf_append_literal(out, " AS ");
    dw__sql_put_identifier(out, plan->names.source.alias);
}

static void
put_from(const dw_merge_plan *plan, bool is_for_planning, dw_strbuf *out)
{
    dw__strbuf_append_literal(out, "FROM ");
    if (is_insert_only(plan)) {
        put_source(plan, out);
    } else {
        put_target(plan, is_for_planning, out);
    }
    dw__strbuf_append(out, dw__str_from(join_word(plan)));
    if (is_insert_only(plan)) {
        put_target(plan, is_for_planning, out);
    } else {
        put_source(plan, out);
    }
    dw__strbuf_append_literal(out, " ON (");
    dw__strbuf_append(out, plan->on);
    dw__strbuf_append_literal(out, "\n)");
}

/* CASE WHEN (condition) THEN 0 ... END: the first clause of the kind that takes the row. */
static void
put_choice(const dw_merge_plan *plan, dw_merge_kind kind, dw_strbuf *out)
{
    if (!plan->has[kind]) {
        dw__strbuf_append_literal(out, "NULL");
        return;
    }
    dw__strbuf_append_literal(out, "CASE");
    for (size_t i = 0; i < plan->merge->clause_count; i++) {
        const dw_merge_branch *branch = &plan->branches[i];
        if (branch->clause->kind != kind) {
            continue;
        }
        bool is_always = dw__str_is_null(branch->condition);
        dw__strbuf_append_literal(out, " WHEN (");
        dw__strbuf_append(out, is_always ? DW_STR("true") : branch->condition);
        dw__strbuf_printf(out, "\n) THEN %zu", i);
    }
    dw__strbuf_append_literal(out, " END");
}

/* The clause that takes the row, or NULL. With one kind of clauses the join has no other rows. */
static void
put_clause(const dw_merge_plan *plan, dw_strbuf *out)
{
    bool matched = plan->has[DW_MERGE_MATCHED];
    bool inserts = plan->has[DW_MERGE_NOT_MATCHED];
    bool by_source = plan->has[DW_MERGE_NOT_MATCHED_BY_SOURCE];
    if (!inserts && !by_source) {
        put_choice(plan, DW_MERGE_MATCHED, out);
    } else if (!matched && !(inserts && by_source)) {
        put_choice(plan, inserts ? DW_MERGE_NOT_MATCHED : DW_MERGE_NOT_MATCHED_BY_SOURCE, out);
    } else {
        dw__strbuf_append_literal(out, "CASE WHEN " DW_SCAN_FILE_COLUMN " IS NULL THEN ");
        put_choice(plan, DW_MERGE_NOT_MATCHED, out);
        dw__strbuf_append_literal(out, " WHEN " SOURCE_MARK " IS NULL THEN ");
        put_choice(plan, DW_MERGE_NOT_MATCHED_BY_SOURCE, out);
        dw__strbuf_append_literal(out, " ELSE ");
        put_choice(plan, DW_MERGE_MATCHED, out);
        dw__strbuf_append_literal(out, " END");
    }
    dw__strbuf_append_literal(out, " AS " DW_MERGE_CLAUSE_COLUMN);
}

static void
put_old(const dw_merge_plan *plan, dw_strbuf *out)
{
    const dw_merge_side *target = &plan->names.target;
    for (size_t i = 0; plan->keeps_old && i < target->column_count; i++) {
        dw__strbuf_append_literal(out, ", ");
        dw__sql_put_identifier(out, target->alias);
        dw__strbuf_append_char(out, '.');
        dw__sql_put_identifier(out, target->columns[i].name);
        dw__strbuf_printf(out, " AS " DW_MERGE_OLD_PREFIX "%zu", i);
    }
}

static void
put_slot(const dw_merge_plan *plan, size_t idx, dw_strbuf *out)
{
    const dw_merge_slot *slot = &plan->slots.items[idx];
    if (slot->is_bare) {
        dw__strbuf_append(out, slot->text);
    } else { /* [MERGE-5] */
        dw__strbuf_printf(out, "CASE WHEN " DW_MERGE_CLAUSE_COLUMN " IN (%.*s) THEN (",
                          DW_STR_ARG(slot->clauses));
        dw__strbuf_append(out, slot->text);
        dw__strbuf_append_literal(out, "\n) END");
    }
    dw__strbuf_printf(out, " AS __deltaworks_slot_%zu", idx);
}

/* WITH "copy" AS (SELECT CAST(NULL AS BIGINT) AS "id", ...): the source as the planner sees it. */
static void
put_stub(const dw_merge_plan *plan, dw_strbuf *out)
{
    const dw_merge_side *source = &plan->names.source;
    dw__strbuf_append_literal(out, "WITH ");
    dw__sql_put_identifier(out, plan->source_copy);
    dw__strbuf_append_literal(out, " AS MATERIALIZED (SELECT true AS " SOURCE_MARK);
    for (size_t i = 0; i < source->column_count; i++) {
        dw__strbuf_append_literal(out, ", CAST(NULL AS ");
        dw__strbuf_append(out, source->columns[i].type);
        dw__strbuf_append_literal(out, ") AS ");
        dw__sql_put_identifier(out, source->columns[i].name);
    }
    dw__strbuf_append_literal(out, ") ");
}

dw_status
dw__merge_print_join(const dw_merge_plan *plan, bool is_for_planning, dw_str *out)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(plan->x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    if (is_for_planning && !dw__str_is_null(plan->source_copy)) {
        put_stub(plan, &sql);
    }
    put_from(plan, is_for_planning, &sql);
    dw__strbuf_append_literal(&sql, " SELECT ");
    put_clause(plan, &sql);
    dw__strbuf_append(&sql, is_insert_only(plan)
                                ? DW_STR(", CAST(NULL AS BIGINT) AS " DW_SCAN_FILE_COLUMN
                                         ", CAST(NULL AS BIGINT) AS " DW_SCAN_ROW_COLUMN)
                                : DW_STR(", " DW_SCAN_FILE_COLUMN ", " DW_SCAN_ROW_COLUMN));
    put_old(plan, &sql);
    for (size_t i = 0; i < plan->slots.count; i++) {
        dw__strbuf_append_literal(&sql, ", ");
        put_slot(plan, i, &sql);
    }
    dw__strbuf_append_literal(&sql, " WHERE " DW_MERGE_CLAUSE_COLUMN " IS NOT NULL");
    return take(plan, &sql, out);
}

/* ---- What is kept ---------------------------------------------------------------------------- */

/* Slots for one column and of one type lie in one cell: a row has the value of one clause. */
static void
assign_cells(dw_merge_plan *plan)
{
    for (size_t i = 0; i < plan->slots.count; i++) {
        dw_merge_slot *slot = &plan->slots.items[i];
        if (dw__str_equal(slot->type, DW_STR("NULL")) ||
            dw__str_equal(slot->type, DW_STR("\"NULL\""))) {
            continue;
        }
        for (size_t k = 0; k < i && slot->cell == SIZE_MAX; k++) {
            const dw_merge_slot *other = &plan->slots.items[k];
            if (dw__str_equal(other->column, slot->column) &&
                dw__str_equal(other->type, slot->type)) {
                slot->cell = other->cell;
            }
        }
        slot->cell = slot->cell == SIZE_MAX ? plan->cell_count++ : slot->cell;
    }
}

static void
put_cell(const dw_merge_plan *plan, size_t cell, dw_strbuf *out)
{
    size_t count = 0;
    size_t last = 0;
    for (size_t i = 0; i < plan->slots.count; i++) {
        if (plan->slots.items[i].cell == cell) {
            count++;
            last = i;
        }
    }
    if (count == 1) {
        dw__strbuf_printf(out, ", __deltaworks_slot_%zu AS __deltaworks_cell_%zu", last, cell);
        return;
    }
    dw__strbuf_append_literal(out, ", CASE");
    for (size_t i = 0; i < plan->slots.count; i++) {
        if (plan->slots.items[i].cell == cell) {
            dw__strbuf_printf(out,
                              " WHEN " DW_MERGE_CLAUSE_COLUMN " IN (%.*s) THEN "
                              "__deltaworks_slot_%zu",
                              DW_STR_ARG(plan->slots.items[i].clauses), i);
        }
    }
    dw__strbuf_printf(out, " END AS __deltaworks_cell_%zu", cell);
}

dw_status
dw__merge_print_kept(dw_merge_plan *plan, dw_str join, dw_str *out)
{
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(plan->x->arena.allocator, DW_SQL_ENGINE_BYTES_MAX);
    assign_cells(plan);
    dw__strbuf_append_literal(&sql, "SELECT CAST(" DW_MERGE_CLAUSE_COLUMN
                                    " AS INTEGER) AS " DW_MERGE_CLAUSE_COLUMN
                                    ", " DW_SCAN_FILE_COLUMN ", " DW_SCAN_ROW_COLUMN);
    for (size_t i = 0; plan->keeps_old && i < plan->names.target.column_count; i++) {
        dw__strbuf_printf(&sql, ", " DW_MERGE_OLD_PREFIX "%zu", i);
    }
    for (size_t i = 0; i < plan->cell_count; i++) {
        put_cell(plan, i, &sql);
    }
    dw__strbuf_append_literal(&sql, " FROM (");
    dw__strbuf_append(&sql, join);
    dw__strbuf_append_char(&sql, ')');
    return take(plan, &sql, out);
}

dw_status
dw__merge_print_part(const dw_merge_plan *plan, size_t branch_idx, dw_str kept, dw_merge_part *out)
{
    dw_arena *arena = &plan->x->arena;
    const dw_merge_branch *branch = &plan->branches[branch_idx];
    size_t count = branch->value_count;
    dw_str *columns = DW_ARENA_ARRAY(arena, dw_str, count + 1);
    bool *is_set = DW_ARENA_ARRAY(arena, bool, count + 1);
    dw_query_column *source = DW_ARENA_ARRAY(arena, dw_query_column, count + 1);
    DW_AUTO(dw_strbuf) sql = dw__strbuf_make(arena->allocator, DW_SQL_ENGINE_BYTES_MAX);
    *out = (dw_merge_part){.kind = branch->clause->kind,
                           .action = branch->clause->action,
                           .source = source,
                           .columns = columns,
                           .is_set = is_set,
                           .column_count = count};
    if (columns == NULL || is_set == NULL || source == NULL) {
        return dw__error_oom(plan->x->err);
    }
    for (size_t i = 0; i < count; i++) {
        const dw_merge_slot *slot = &plan->slots.items[branch->values[i].slot];
        columns[i] = branch->values[i].column;
        is_set[i] = branch->values[i].is_set;
        source[i] = (dw_query_column){.name = columns[i], .type = slot->type};
        dw__strbuf_append(&sql, i == 0 ? DW_STR("SELECT ") : DW_STR(", "));
        if (slot->cell == SIZE_MAX) {
            dw__strbuf_append_literal(&sql, "NULL");
        } else {
            dw__strbuf_printf(&sql, "__deltaworks_cell_%zu", slot->cell);
        }
    }
    dw__strbuf_append_literal(&sql, " FROM ");
    dw__sql_put_identifier(&sql, kept);
    dw__strbuf_printf(&sql, " WHERE " DW_MERGE_CLAUSE_COLUMN " = %zu", branch_idx);
    return take(plan, &sql, &out->query);
}
