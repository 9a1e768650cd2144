/*
 * Walking a plan from its tables up: each operator's columns are made of those of the operators
 * below it. Two passes: the first finds the inputs, the second follows their columns. [LINEAGE-1,2]
 *
 * Operators and expressions nest no deeper than DW_JSON_DEPTH_MAX, which the parser sees to.
 */
#include "scan/plan_lineage.h"

#include "codec/json.h"

#include <string.h>

/* What an operator gives out. */
typedef struct flow {
    dw_plan_output *items;
    size_t count;
} flow;

/* A common table expression that is in scope. */
typedef struct shared_flow {
    struct shared_flow *outer;
    int64_t index;
    flow columns;
} shared_flow;

typedef struct walker {
    dw_arena *arena;
    dw_plan_lineage *lineage;
    size_t word_count;
    shared_flow *shared;
    dw_column_set outer; /* what subqueries are given of the rows around them */
    bool is_oom;
} walker;

static dw_json
member(dw_json object, const char *key)
{
    return dw__json_get(object, dw__str_from(key));
}

static bool
is_text(dw_json object, const char *key, const char *text)
{
    return dw__str_equal(dw__json_str(member(object, key)), dw__str_from(text));
}

static bool
is_operator(dw_json operator, const char * type)
{
    return is_text(operator, "type", type);
}

static dw_json
child_at(dw_json operator, size_t idx)
{
    dw_json_iter it = dw__json_iter(member(operator, "children"));
    for (size_t i = 0; dw__json_next(&it); i++) {
        if (i == idx) {
            return it.value;
        }
    }
    return (dw_json){NULL};
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

static bool
take_names(dw_arena *arena, dw_json list, dw_str **out, size_t *count_out)
{
    size_t count = 0;
    *out = DW_ARENA_ARRAY(arena, dw_str, dw__json_count(list) + 1);
    if (*out == NULL) {
        return false;
    }
    dw_json_iter it = dw__json_iter(list);
    while (dw__json_next(&it)) {
        dw_str text = dw__json_str(it.value);
        if (!dw__str_is_null(text) && !dw__arena_dup(arena, text, &(*out)[count++])) {
            return false;
        }
    }
    *count_out = count;
    return true;
}

/* False when out of memory. */
static bool
add_input(dw_plan_lineage *lineage, dw_json get, dw_arena *arena)
{
    if (lineage->input_count == DW_PLAN_LINEAGE_INPUTS_MAX) {
        lineage->is_known = false;
        return true;
    }
    dw_plan_input *input = &lineage->inputs[lineage->input_count++];
    dw_json data = member(get, "function_data");
    if (!dw__json_i64(member(get, "table_index"), &input->table_index)) {
        lineage->is_known = false;
    }
    input->first = lineage->column_count;
    bool ok = dw__arena_dup(arena, dw__json_str(member(data, "table")), &input->table) &&
              dw__arena_dup(arena, dw__json_str(member(get, "name")), &input->function) &&
              take_names(arena, member(get, "names"), &input->columns, &input->column_count) &&
              take_names(arena, member(data, "files"), &input->files, &input->file_count);
    lineage->column_count += input->column_count;
    lineage->is_known = lineage->is_known && lineage->column_count <= DW_PLAN_LINEAGE_COLUMNS_MAX;
    return ok;
}

static bool
find_inputs(dw_plan_lineage *lineage, dw_json operator, dw_arena * arena)
{
    bool ok = !is_operator(operator, "LOGICAL_GET") || add_input(lineage, operator, arena);
    dw_json_iter it = dw__json_iter(member(operator, "children"));
    while (ok && dw__json_next(&it)) {
        ok = find_inputs(lineage, it.value, arena);
    }
    return ok;
}

static const dw_plan_input *
input_of(const dw_plan_lineage *lineage, dw_json get)
{
    int64_t index;
    if (!dw__json_i64(member(get, "table_index"), &index)) {
        return NULL;
    }
    for (size_t i = 0; i < lineage->input_count; i++) {
        if (lineage->inputs[i].table_index == index) {
            return &lineage->inputs[i];
        }
    }
    return NULL;
}

/* ---- Sets ------------------------------------------------------------------------------------ */

static bool
make_set(walker *w, dw_column_set *out)
{
    out->words = DW_ARENA_ARRAY(w->arena, uint64_t, w->word_count);
    w->is_oom = w->is_oom || out->words == NULL;
    return out->words != NULL;
}

static void
add_set(const walker *w, dw_column_set to, dw_column_set from)
{
    for (size_t i = 0; i < w->word_count; i++) {
        to.words[i] |= from.words[i];
    }
}

static bool
make_flow(walker *w, size_t count, flow *out)
{
    *out = (flow){.count = count};
    if (count > DW_PLAN_LINEAGE_WIDTH_MAX) {
        return false;
    }
    out->items = DW_ARENA_ARRAY(w->arena, dw_plan_output, count + 1);
    w->is_oom = w->is_oom || out->items == NULL;
    for (size_t i = 0; out->items != NULL && i < count; i++) {
        if (!make_set(w, &out->items[i].from)) {
            return false;
        }
    }
    return out->items != NULL;
}

/* The columns of one operator before those of another. Sets are shared: nobody changes them. */
static bool
join_flows(walker *w, flow left, flow right, flow *out)
{
    *out = (flow){.count = left.count + right.count};
    out->items = DW_ARENA_ARRAY(w->arena, dw_plan_output, out->count + 1);
    w->is_oom = w->is_oom || out->items == NULL;
    if (out->items == NULL || out->count > DW_PLAN_LINEAGE_WIDTH_MAX) {
        return false;
    }
    for (size_t i = 0; i < out->count; i++) {
        out->items[i] = i < left.count ? left.items[i] : right.items[i - left.count];
    }
    return true;
}

/* Only the columns of the list, in its order; all of them when there is none. */
static bool
choose(walker *w, dw_json list, flow all, flow *out)
{
    *out = all;
    size_t count = dw__json_count(list);
    if (count == 0) {
        return true;
    }
    *out = (flow){.items = DW_ARENA_ARRAY(w->arena, dw_plan_output, count)};
    w->is_oom = w->is_oom || out->items == NULL;
    dw_json_iter it = dw__json_iter(list);
    while (out->items != NULL && dw__json_next(&it)) {
        int64_t idx;
        if (!dw__json_i64(it.value, &idx) || idx < 0 || (size_t) idx >= all.count) {
            return false;
        }
        out->items[out->count++] = all.items[idx];
    }
    return out->items != NULL;
}

/* ---- Expressions ----------------------------------------------------------------------------- */

static bool
is_reference(dw_json expression)
{
    return is_text(expression, "expression_class", "BOUND_REF");
}

static bool
add_reference(const walker *w, dw_json expression, flow input, dw_column_set out)
{
    int64_t idx;
    if (!dw__json_i64(member(expression, "index"), &idx) || idx < 0 ||
        (size_t) idx >= input.count) {
        return false;
    }
    add_set(w, out, input.items[idx].from);
    return true;
}

/* Adds what an expression, or a list or object of some, is made of. What the functions in it keep
 * for themselves numbers its columns otherwise. */
static bool
add_expression(const walker *w, dw_json value, flow input, dw_column_set out)
{
    dw_json_kind kind = dw__json_kind(value);
    if (kind != DW_JSON_ARRAY && kind != DW_JSON_OBJECT) {
        return true;
    }
    if (kind == DW_JSON_OBJECT && is_reference(value)) {
        return add_reference(w, value, input, out);
    }
    if (kind == DW_JSON_OBJECT && (is_text(value, "expression_class", "BOUND_COLUMN_REF") ||
                                   is_text(value, "expression_class", "BOUND_SUBQUERY"))) {
        return false;
    }
    bool ok = true;
    dw_json_iter it = dw__json_iter(value);
    while (ok && dw__json_next(&it)) {
        bool is_private = kind == DW_JSON_OBJECT && dw__str_equal(it.key, DW_STR("function_data"));
        ok = is_private || add_expression(w, it.value, input, out);
    }
    return ok;
}

static bool
add_condition(const walker *w, dw_condition_kind kind, dw_json expressions, flow input)
{
    return add_expression(w, expressions, input, w->lineage->conditions[kind]);
}

/* One column for each expression of the list, from `out->items[first]` on. */
static bool
put_expressions(const walker *w, dw_json list, flow input, flow *out, size_t first)
{
    dw_json_iter it = dw__json_iter(list);
    for (size_t i = first; dw__json_next(&it); i++) {
        int64_t idx;
        if (i >= out->count || !add_expression(w, it.value, input, out->items[i].from)) {
            return false;
        }
        out->items[i].is_same = is_reference(it.value) &&
                                dw__json_i64(member(it.value, "index"), &idx) &&
                                input.items[idx].is_same;
    }
    return true;
}

/* ---- Operators ------------------------------------------------------------------------------- */

static bool walk(walker *w, dw_json operator, flow * out);

static bool
walk_child(walker *w, dw_json operator, size_t idx, flow *out)
{
    dw_json child = child_at(operator, idx);
    return dw__json_kind(child) == DW_JSON_OBJECT && walk(w, child, out);
}

/* Columns that no table has, such as the number of a row, are made of nothing. */
static bool
walk_get(walker *w, dw_json operator, flow * out)
{
    const dw_plan_input *input = input_of(w->lineage, operator);
    dw_json columns = member(operator, "column_indexes");
    flow all;
    if (input == NULL || dw__json_kind(columns) != DW_JSON_ARRAY ||
        dw__json_count(member(operator, "children")) > 0 ||
        !make_flow(w, dw__json_count(columns), &all)) {
        return false;
    }
    dw_json_iter it = dw__json_iter(columns);
    for (size_t i = 0; dw__json_next(&it); i++) {
        int64_t idx;
        if (dw__json_i64(member(it.value, "index"), &idx) && idx >= 0 &&
            (size_t) idx < input->column_count) {
            size_t bit = input->first + (size_t) idx;
            all.items[i].from.words[bit / 64] |= UINT64_C(1) << (bit % 64);
            all.items[i].is_same = true;
        }
    }
    dw_json_iter filters = dw__json_iter(member(member(operator, "table_filters"), "filters"));
    while (dw__json_next(&filters)) {
        int64_t idx;
        if (dw__json_i64(member(filters.value, "key"), &idx) && idx >= 0 &&
            (size_t) idx < input->column_count) {
            size_t bit = input->first + (size_t) idx;
            dw_column_set filtered = w->lineage->conditions[DW_CONDITION_FILTER];
            filtered.words[bit / 64] |= UINT64_C(1) << (bit % 64);
        }
    }
    return choose(w, member(operator, "projection_ids"), all, out);
}

static bool
walk_projection(walker *w, dw_json operator, flow * out)
{
    flow input;
    dw_json expressions = member(operator, "expressions");
    return walk_child(w, operator, 0, &input) && make_flow(w, dw__json_count(expressions), out) &&
           put_expressions(w, expressions, input, out, 0);
}

static bool
walk_filter(walker *w, dw_json operator, flow * out)
{
    flow input;
    return walk_child(w, operator, 0, &input) &&
           add_condition(w, DW_CONDITION_FILTER, member(operator, "expressions"), input) &&
           choose(w, member(operator, "projection_map"), input, out);
}

static bool
walk_aggregate(walker *w, dw_json operator, flow * out)
{
    flow input;
    dw_json groups = member(operator, "groups");
    dw_json expressions = member(operator, "expressions");
    dw_json groupings = member(operator, "grouping_functions");
    size_t group_count = dw__json_count(groups);
    size_t count = dw__json_count(expressions);
    return walk_child(w, operator, 0, &input) &&
           add_condition(w, DW_CONDITION_GROUP, groups, input) &&
           make_flow(w, group_count + count + dw__json_count(groupings), out) &&
           put_expressions(w, groups, input, out, 0) &&
           put_expressions(w, expressions, input, out, group_count);
}

/* The columns of the operator below, and one for each expression. */
static bool
walk_extended(walker *w, dw_json operator, flow * out)
{
    flow input, more;
    dw_json expressions = member(operator, "expressions");
    return walk_child(w, operator, 0, &input) && make_flow(w, dw__json_count(expressions), &more) &&
           put_expressions(w, expressions, input, &more, 0) && join_flows(w, input, more, out);
}

/* What only orders, cuts off, or takes out rows. */
static bool
walk_passing(walker *w, dw_json operator, flow * out)
{
    static const struct {
        const char *name;
        dw_condition_kind kind;
    } parts[] = {{"orders", DW_CONDITION_SORT},
                 {"distinct_targets", DW_CONDITION_GROUP},
                 {"order_by", DW_CONDITION_SORT},
                 {"limit_val", DW_CONDITION_FILTER},
                 {"offset_val", DW_CONDITION_FILTER}};
    flow input;
    if (!walk_child(w, operator, 0, &input)) {
        return false;
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!add_condition(w, parts[i].kind, member(operator, parts[i].name), input)) {
            return false;
        }
    }
    return choose(w, member(operator, "projection_map"), input, out);
}

/* The engine's VALUES, and a row of nothing. */
static bool
walk_values(walker *w, dw_json operator, flow * out)
{
    flow input;
    dw_column_set all;
    if (!walk_child(w, operator, 0, &input) || !make_set(w, &all) ||
        !add_expression(w, member(operator, "expressions"), input, all) ||
        !make_flow(w, dw__json_count(member(operator, "expr_types")), out)) {
        return false;
    }
    for (size_t i = 0; i < out->count; i++) {
        add_set(w, out->items[i].from, all);
    }
    return true;
}

static bool
walk_union(walker *w, dw_json operator, flow * out)
{
    flow left, right;
    bool is_union = is_operator(operator, "LOGICAL_UNION");
    dw_column_set filtered = w->lineage->conditions[DW_CONDITION_FILTER];
    if (dw__json_count(member(operator, "children")) != 2 || !walk_child(w, operator, 0, &left) ||
        !walk_child(w, operator, 1, &right) || left.count != right.count ||
        !make_flow(w, left.count, out)) {
        return false;
    }
    for (size_t i = 0; i < out->count; i++) {
        add_set(w, out->items[i].from, left.items[i].from);
        out->items[i].is_same = left.items[i].is_same && is_union && right.items[i].is_same;
        add_set(w, is_union ? out->items[i].from : filtered, right.items[i].from);
    }
    return true;
}

/* ---- Joins ----------------------------------------------------------------------------------- */

/* left and right of each condition are of the left and the right operator. */
static bool
add_join_conditions(walker *w, dw_json operator, flow left, flow right, dw_column_set out)
{
    flow both;
    dw_json_iter it = dw__json_iter(member(operator, "conditions"));
    while (dw__json_next(&it)) {
        if (!add_expression(w, member(it.value, "left"), left, out) ||
            !add_expression(w, member(it.value, "right"), right, out)) {
            return false;
        }
    }
    return join_flows(w, left, right, &both) &&
           add_expression(w, member(operator, "condition"), both, out) &&
           add_expression(w, member(operator, "predicate"), both, out);
}

/* Both sides; the one that is a subquery is given columns of the other. */
static bool
walk_sides(walker *w, dw_json operator, flow * left, flow *right)
{
    bool is_flipped = dw__json_bool(member(operator, "delim_flipped"), false);
    dw_column_set before = w->outer;
    dw_column_set given;
    flow *first = is_flipped ? right : left;
    flow *second = is_flipped ? left : right;
    if (dw__json_count(member(operator, "children")) != 2 ||
        !walk_child(w, operator, is_flipped ? 1 : 0, first) || !make_set(w, &given)) {
        return false;
    }
    add_set(w, given, before);
    bool ok = add_expression(w, member(operator, "duplicate_eliminated_columns"), *first, given);
    w->outer = given;
    ok = ok && walk_child(w, operator, is_flipped ? 0 : 1, second);
    w->outer = before;
    return ok;
}

/* A column that says whether the other side has such a row. */
static bool
add_mark(walker *w, dw_column_set conditions, flow left, flow *out)
{
    flow mark;
    if (!make_flow(w, 1, &mark)) {
        return false;
    }
    add_set(w, mark.items[0].from, conditions);
    return join_flows(w, left, mark, out);
}

static bool
walk_join(walker *w, dw_json operator, flow * out)
{
    flow left, right;
    dw_column_set conditions;
    if (!walk_sides(w, operator, & left, &right) || !make_set(w, &conditions) ||
        !add_join_conditions(w, operator, left, right, conditions)) {
        return false;
    }
    dw_str type = dw__json_str(member(operator, "join_type"));
    bool is_mark = dw__str_equal(type, DW_STR("MARK"));
    add_set(w, w->lineage->conditions[is_mark ? DW_CONDITION_FILTER : DW_CONDITION_JOIN],
            conditions);
    if (!choose(w, member(operator, "left_projection_map"), left, &left) ||
        !choose(w, member(operator, "right_projection_map"), right, &right)) {
        return false;
    }
    if (is_mark) {
        return add_mark(w, conditions, left, out);
    }
    if (dw__str_starts_with(type, DW_STR("RIGHT_"))) { /* RIGHT_SEMI, RIGHT_ANTI */
        *out = right;
        return true;
    }
    if (dw__str_equal(type, DW_STR("SEMI")) || dw__str_equal(type, DW_STR("ANTI"))) {
        *out = left;
        return true;
    }
    return join_flows(w, left, right, out);
}

/* What a subquery is given of the rows around it. */
static bool
walk_given(walker *w, dw_json operator, flow * out)
{
    if (!make_flow(w, dw__json_count(member(operator, "chunk_types")), out)) {
        return false;
    }
    for (size_t i = 0; i < out->count; i++) {
        add_set(w, out->items[i].from, w->outer);
    }
    return true;
}

/* Values that stand in the text. */
static bool
walk_constants(walker *w, dw_json operator, flow * out)
{
    return make_flow(w, dw__json_count(member(operator, "chunk_types")), out);
}

/* ---- Common table expressions ---------------------------------------------------------------- */

static bool
walk_shared_part(walker *w, dw_json operator, size_t idx, flow columns, flow *out)
{
    shared_flow shared = {.outer = w->shared, .columns = columns};
    if (!dw__json_i64(member(operator, "table_index"), &shared.index)) {
        return false;
    }
    w->shared = &shared;
    bool ok = walk_child(w, operator, idx, out);
    w->shared = shared.outer;
    return ok;
}

static bool
walk_materialized(walker *w, dw_json operator, flow * out)
{
    flow columns;
    return dw__json_count(member(operator, "children")) == 2 &&
           walk_child(w, operator, 0, &columns) && walk_shared_part(w, operator, 1, columns, out);
}

/* Adds what one more round gives. False in *news_out when that was known. */
static void
add_round(const walker *w, flow *all, flow round, bool *news_out)
{
    *news_out = false;
    for (size_t i = 0; i < all->count; i++) {
        for (size_t k = 0; k < w->word_count; k++) {
            uint64_t word = all->items[i].from.words[k] | round.items[i].from.words[k];
            *news_out = *news_out || word != all->items[i].from.words[k];
            all->items[i].from.words[k] = word;
        }
        all->items[i].is_same = all->items[i].is_same && round.items[i].is_same;
    }
}

static bool
walk_recursive(walker *w, dw_json operator, flow * out)
{
    flow first, round;
    bool is_news = true;
    if (dw__json_count(member(operator, "children")) != 2 || !walk_child(w, operator, 0, &first) ||
        !make_flow(w, first.count, out)) {
        return false;
    }
    for (size_t i = 0; i < first.count; i++) {
        out->items[i].is_same = first.items[i].is_same;
    }
    add_round(w, out, first, &is_news);
    is_news = true;
    for (int rounds = 0; is_news; rounds++) {
        if (rounds == DW_PLAN_LINEAGE_ROUNDS_MAX ||
            !walk_shared_part(w, operator, 1, *out, &round) || round.count != out->count) {
            return false;
        }
        add_round(w, out, round, &is_news);
    }
    return true;
}

static bool
walk_reference(walker *w, dw_json operator, flow * out)
{
    int64_t index;
    size_t count = dw__json_count(member(operator, "chunk_types"));
    if (!dw__json_i64(member(operator, "cte_index"), &index)) {
        return false;
    }
    for (const shared_flow *shared = w->shared; shared != NULL; shared = shared->outer) {
        if (shared->index == index) {
            *out = shared->columns;
            return out->count == count;
        }
    }
    return false;
}

/* ---- The plan -------------------------------------------------------------------------------- */

static bool
walk_nothing(walker *w, dw_json operator, flow * out)
{
    return make_flow(w, dw__json_count(member(operator, "return_types")), out);
}

static bool
walk_one_row(walker *w, dw_json operator, flow * out)
{
    (void) operator;
    return make_flow(w, 1, out);
}

static const struct {
    const char *type;
    bool (*walk)(walker *w, dw_json operator, flow * out);
} operators[] = {{"LOGICAL_GET", walk_get},
                 {"LOGICAL_PROJECTION", walk_projection},
                 {"LOGICAL_FILTER", walk_filter},
                 {"LOGICAL_AGGREGATE_AND_GROUP_BY", walk_aggregate},
                 {"LOGICAL_WINDOW", walk_extended},
                 {"LOGICAL_UNNEST", walk_extended},
                 {"LOGICAL_ORDER_BY", walk_passing},
                 {"LOGICAL_TOP_N", walk_passing},
                 {"LOGICAL_LIMIT", walk_passing},
                 {"LOGICAL_DISTINCT", walk_passing},
                 {"LOGICAL_SAMPLE", walk_passing},
                 {"LOGICAL_COMPARISON_JOIN", walk_join},
                 {"LOGICAL_ANY_JOIN", walk_join},
                 {"LOGICAL_ASOF_JOIN", walk_join},
                 {"LOGICAL_DELIM_JOIN", walk_join},
                 {"LOGICAL_CROSS_PRODUCT", walk_join},
                 {"LOGICAL_POSITIONAL_JOIN", walk_join},
                 {"LOGICAL_DELIM_GET", walk_given},
                 {"LOGICAL_CHUNK_GET", walk_constants},
                 {"LOGICAL_UNION", walk_union},
                 {"LOGICAL_EXCEPT", walk_union},
                 {"LOGICAL_INTERSECT", walk_union},
                 {"LOGICAL_EXPRESSION_GET", walk_values},
                 {"LOGICAL_DUMMY_SCAN", walk_one_row},
                 {"LOGICAL_EMPTY_RESULT", walk_nothing},
                 {"LOGICAL_MATERIALIZED_CTE", walk_materialized},
                 {"LOGICAL_RECURSIVE_CTE", walk_recursive},
                 {"LOGICAL_CTE_REF", walk_reference}};

static bool
walk(walker *w, dw_json operator, flow * out)
{
    *out = (flow){0};
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (is_operator(operator, operators[i].type)) {
            return operators[i].walk(w, operator, out);
        }
    }
    return false; /* [LINEAGE-2] */
}

/* At least as many as the plan has inputs. */
static size_t
count_inputs(dw_str plan_json)
{
    static const char needle[] = "\"LOGICAL_GET\"";
    size_t count = 0;
    for (;;) {
        const char *hit = memmem(plan_json.ptr, plan_json.len, needle, sizeof needle - 1);
        if (hit == NULL) {
            return count < DW_PLAN_LINEAGE_INPUTS_MAX ? count : DW_PLAN_LINEAGE_INPUTS_MAX;
        }
        count++;
        plan_json = dw__str_slice(plan_json, (size_t) (hit - plan_json.ptr) + 1, plan_json.len);
    }
}

/* False when out of memory. */
static bool
read_plan(dw_json plan, size_t input_count_max, dw_arena *arena, dw_plan_lineage *out)
{
    flow columns;
    out->is_known = true;
    out->inputs = DW_ARENA_ARRAY(arena, dw_plan_input, input_count_max + 1);
    if (out->inputs == NULL || !find_inputs(out, plan, arena)) {
        return false;
    }
    walker w = {.arena = arena, .lineage = out, .word_count = out->column_count / 64 + 1};
    bool ok = out->is_known && make_set(&w, &w.outer);
    for (size_t i = 0; ok && i < DW_CONDITION_KIND_COUNT; i++) {
        ok = make_set(&w, &out->conditions[i]);
    }
    if (!ok) {
        return !w.is_oom;
    }
    out->is_known = walk(&w, plan, &columns);
    out->outputs = columns.items;
    out->output_count = columns.count;
    return !w.is_oom;
}

dw_status
dw__plan_lineage_read(dw_str plan_json, dw_arena *arena, dw_plan_lineage *out, dw_error *err)
{
    *out = (dw_plan_lineage){.is_known = false};
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error ignored = DW_ERROR_INIT;
    if (dw__str_is_null(plan_json)) {
        return DW_OK;
    }
    dw_status status = dw__json_parse(arena->allocator, plan_json, "the plan", &doc, &ignored);
    if (status != DW_OK) {
        return status == DW_OUT_OF_MEMORY ? dw__error_oom(err) : DW_OK;
    }
    dw_json plans = member(dw__json_root(doc), "plans");
    dw_json_iter it = dw__json_iter(plans);
    if (dw__json_count(plans) != 1 || !dw__json_next(&it)) {
        return DW_OK;
    }
    return read_plan(it.value, count_inputs(plan_json), arena, out) ? DW_OK : dw__error_oom(err);
}
