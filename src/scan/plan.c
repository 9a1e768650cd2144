/*
 * Walking a plan: finds the LOGICAL_GET of each source and the filters above it. [PLAN-1]
 */
#include "scan/plan.h"

#include "base/vec.h"
#include "scan/plan_internal.h"

typedef struct stacked_operator {
    dw_json operator;
    bool is_aggregated; /* all that comes from it is */
    bool is_root;       /* what comes from it is the statement's answer */
} stacked_operator;

typedef struct operator_stack {
    stacked_operator *items;
    size_t count;
    size_t capacity;
} operator_stack;

static dw_json
member(dw_json object, const char *key)
{
    return dw__json_get(object, dw__str_from(key));
}

static bool
is_operator(dw_json operator, const char * type)
{
    return dw__str_equal(dw__json_str(member(operator, "type")), dw__str_from(type));
}

static dw_json
only_child(dw_json operator)
{
    dw_json children = member(operator, "children");
    dw_json_iter it = dw__json_iter(children);
    if (dw__json_count(children) != 1 || !dw__json_next(&it)) {
        return (dw_json){NULL};
    }
    return it.value;
}

static dw_plan_source *
source_of(dw_json get, dw_plan_source *sources, size_t count)
{
    dw_str table = dw__json_str(member(member(get, "function_data"), "table"));
    for (size_t i = 0; i < count; i++) {
        if (dw__str_equal(table, sources[i].name)) {
            return &sources[i];
        }
    }
    return NULL;
}

/* ---- One LOGICAL_GET ------------------------------------------------------------------------- */

/* Joins the expressions of a LOGICAL_FILTER, whose references are to chain[level], by AND. */
static const dw_predicate *
read_filter_operator(const dw_plan_reader *reader, dw_json filter, size_t level)
{
    dw_json expressions = member(filter, "expressions");
    const dw_predicate **items =
        DW_ARENA_ARRAY(reader->scope->arena, const dw_predicate *, dw__json_count(expressions));
    if (items == NULL) {
        return NULL;
    }
    size_t count = 0;
    dw_json_iter it = dw__json_iter(expressions);
    while (dw__json_next(&it)) {
        items[count] = dw__plan_expression(reader, it.value, level);
        if (items[count++] == NULL) {
            return NULL;
        }
    }
    return dw__predicate_junction(reader->scope, DW_PREDICATE_AND, items, count);
}

/* What the chain that ends with a LOGICAL_GET demands of its rows. */
static const dw_predicate *
read_chain(const dw_plan_reader *reader)
{
    const dw_predicate *items[DW_PLAN_CHAIN_MAX];
    size_t count = 0;
    for (size_t i = 0; i + 1 < reader->chain_count; i++) {
        if (is_operator(reader->chain[i], "LOGICAL_FILTER")) {
            items[count] = read_filter_operator(reader, reader->chain[i], i + 1);
            if (items[count++] == NULL) {
                return NULL;
            }
        }
    }
    items[count] = dw__plan_table_filters(reader);
    if (items[count++] == NULL) {
        return NULL;
    }
    return dw__predicate_junction(reader->scope, DW_PREDICATE_AND, items, count);
}

/* Adds what one LOGICAL_GET demands to what others of the source did. [PLAN-3] */
static bool
add_demand(const dw_plan_reader *reader, dw_plan_source *source, size_t seen)
{
    const dw_predicate *demand = read_chain(reader);
    if (demand != NULL && seen > 0) {
        const dw_predicate *both[] = {source->predicate, demand};
        demand = dw__predicate_junction(&source->scope, DW_PREDICATE_OR, both, 2);
    }
    source->predicate = demand;
    return demand != NULL;
}

/* ---- The whole plan -------------------------------------------------------------------------- */

typedef struct plan_walk {
    const dw_allocator *allocator;
    dw_plan_source *sources;
    size_t source_count;
    size_t *seen;                 /* how often the LOGICAL_GET of each source was met */
    const dw_plan_source *answer; /* that the statement gives out, filtered; NULL: none */
    operator_stack stack;
} plan_walk;

static bool
push_operators(plan_walk *walk, dw_json operators, bool is_aggregated, bool is_root)
{
    dw_json_iter it = dw__json_iter(operators);
    while (dw__json_next(&it)) {
        stacked_operator *slot = DW_VEC_PUSH(walk->allocator, &walk->stack);
        if (slot == NULL) {
            return false;
        }
        *slot = (stacked_operator){it.value, is_aggregated, is_root};
    }
    return true;
}

/* [PLAN-4] */
static bool
aggregates_below(dw_json operator, bool is_aggregated)
{
    if (is_operator(operator, "LOGICAL_TOP_N") || is_operator(operator, "LOGICAL_LIMIT")) {
        return false;
    }
    return is_aggregated || is_operator(operator, "LOGICAL_AGGREGATE_AND_GROUP_BY");
}

static bool
mark_columns(dw_plan_source *source, dw_json get)
{
    size_t count = source->scope.schema->field_count;
    if (source->reads == NULL) {
        source->reads = DW_ARENA_ARRAY(source->scope.arena, bool, count);
        if (source->reads == NULL) {
            return false;
        }
    }
    dw_json columns = member(get, "column_indexes");
    if (dw__json_kind(columns) != DW_JSON_ARRAY) {
        memset(source->reads, true, count * sizeof(*source->reads));
    }
    dw_json_iter it = dw__json_iter(columns);
    while (dw__json_next(&it)) {
        int64_t idx;
        if (dw__json_i64(member(it.value, "index"), &idx) && idx >= 0 && (size_t) idx < count) {
            source->reads[idx] = true;
        }
    }
    return true;
}

/* Visits an operator, together with those below it that a filter sees through. */
static bool
visit_operator(plan_walk *walk, stacked_operator next)
{
    dw_json operator= next.operator;
    dw_plan_reader reader = {.chain = {operator}, .chain_count = 1};
    while (
        (is_operator(operator, "LOGICAL_FILTER") || is_operator(operator, "LOGICAL_PROJECTION")) &&
        reader.chain_count < DW_PLAN_CHAIN_MAX) {
        operator= only_child(operator);
        reader.chain[reader.chain_count++] = operator;
    }
    dw_plan_source *source = is_operator(operator, "LOGICAL_GET")
                                 ? source_of(operator, walk->sources, walk->source_count)
                                 : NULL;
    if (source == NULL) {
        return push_operators(walk, member(operator, "children"),
                              aggregates_below(operator, next.is_aggregated), false);
    }
    if (next.is_root) {
        walk->answer = source;
    }
    reader.scope = &source->scope;
    size_t *seen = &walk->seen[source - walk->sources];
    source->is_aggregated = next.is_aggregated && (*seen == 0 || source->is_aggregated);
    return mark_columns(source, operator) && add_demand(&reader, source, (*seen)++);
}

static bool
walk_operators(plan_walk *walk, dw_json plans)
{
    if (!push_operators(walk, plans, false, dw__json_count(plans) == 1)) {
        return false;
    }
    while (walk->stack.count > 0) {
        stacked_operator next = walk->stack.items[--walk->stack.count];
        if (!visit_operator(walk, next)) {
            return false;
        }
    }
    return true;
}

/* How often the stub is mentioned as the table of a LOGICAL_GET anywhere in the plan. */
static size_t
count_mentions(const dw_allocator *allocator, dw_str plan_json, dw_str name, bool *oom)
{
    dw_strbuf needle = dw__strbuf_make(allocator, SIZE_MAX);
    dw__strbuf_append_literal(&needle, "\"table\":");
    dw__json_put_string(&needle, name);
    *oom = needle.failed;
    size_t count = 0;
    dw_str rest = plan_json;
    while (!*oom) {
        const char *hit = memmem(rest.ptr, rest.len, needle.ptr, needle.len);
        if (hit == NULL) {
            break;
        }
        count++;
        rest = dw__str_slice(rest, (size_t) (hit - rest.ptr) + needle.len, rest.len);
    }
    dw__strbuf_deinit(&needle);
    return count;
}

static bool
settle_source(plan_walk *walk, size_t idx, dw_str plan_json)
{
    dw_plan_source *source = &walk->sources[idx];
    bool oom;
    size_t mentions = count_mentions(walk->allocator, plan_json, source->name, &oom);
    if (oom) {
        return false;
    }
    if (walk->seen[idx] == 0 || walk->seen[idx] != mentions) {
        source->predicate = dw__predicate_unknown();
        source->is_aggregated = false;
        source->reads = NULL;
    }
    if (walk->answer == source && mentions == 1) {
        source->whole = source->predicate; /* [PLAN-5] */
    }
    source->predicate = dw__predicate_useful(&source->scope, source->predicate);
    return source->predicate != NULL;
}

static bool
walk_plan(plan_walk *walk, dw_str plan_json, dw_json root)
{
    if (dw__json_bool(member(root, "error"), true)) {
        return true;
    }
    bool ok = walk_operators(walk, member(root, "plans"));
    for (size_t i = 0; ok && i < walk->source_count; i++) {
        ok = settle_source(walk, i, plan_json);
    }
    return ok;
}

dw_status
dw__plan_read(const dw_allocator *allocator, dw_str plan_json, dw_plan_source *sources,
              size_t count, dw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        sources[i].predicate = sources[i].whole = dw__predicate_unknown();
        sources[i].is_aggregated = false;
        sources[i].reads = NULL;
    }
    if (dw__str_is_null(plan_json) || count == 0) {
        return DW_OK;
    }
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_error ignored = DW_ERROR_INIT;
    dw_status status = dw__json_parse(allocator, plan_json, "the plan", &doc, &ignored);
    if (status == DW_OUT_OF_MEMORY) {
        return dw__error_oom(err);
    }
    if (status != DW_OK) {
        return DW_OK;
    }
    plan_walk walk = {.allocator = allocator, .sources = sources, .source_count = count};
    walk.seen = dw__alloc_zero(allocator, count * sizeof(*walk.seen));
    bool ok = walk.seen != NULL && walk_plan(&walk, plan_json, dw__json_root(doc));
    dw__dealloc(allocator, walk.seen, count * sizeof(*walk.seen));
    DW_VEC_DEINIT(allocator, &walk.stack);
    return ok ? DW_OK : dw__error_oom(err);
}
