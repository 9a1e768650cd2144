/*
 * The filters that the engine pushed into a LOGICAL_GET: `table_filters`, by column.
 */
#include "scan/plan_internal.h"

typedef enum filter_place {
    FILTER_REQUIRED, /* a row must pass it */
    FILTER_INSIDE_OR /* a row may pass another one instead */
} filter_place;

static dw_json
member(dw_json object, const char *key)
{
    return dw__json_get(object, dw__str_from(key));
}

static bool
is_filter(dw_json filter, const char *type)
{
    return dw__str_equal(dw__json_str(member(filter, "filter_type")), dw__str_from(type));
}

static const dw_predicate *read_filter(dw_plan_reader *reader, const dw_plan_path *path,
                                       dw_json filter, filter_place place, size_t depth);

static const dw_predicate *
read_conjunction(dw_plan_reader *reader, const dw_plan_path *path, dw_json filter,
                 filter_place place, size_t depth)
{
    bool is_and = is_filter(filter, "CONJUNCTION_AND");
    dw_json children = member(filter, "child_filters");
    const dw_predicate **items =
        DW_ARENA_ARRAY(reader->scope->arena, const dw_predicate *, dw__json_count(children));
    if (items == NULL) {
        return NULL;
    }
    size_t count = 0;
    dw_json_iter it = dw__json_iter(children);
    while (dw__json_next(&it)) {
        items[count] =
            read_filter(reader, path, it.value, is_and ? place : FILTER_INSIDE_OR, depth + 1);
        if (items[count++] == NULL) {
            return NULL;
        }
    }
    if (count == 0) {
        return dw__predicate_unknown();
    }
    return dw__predicate_junction(reader->scope, is_and ? DW_PREDICATE_AND : DW_PREDICATE_OR, items,
                                  count);
}

/* A filter on a field of the struct that `path` leads to. */
static const dw_predicate *
read_struct_field(dw_plan_reader *reader, const dw_plan_path *path, dw_json filter,
                  filter_place place, size_t depth)
{
    dw_str name = dw__json_str(member(filter, "child_name"));
    if (path->nested_count == DW_PLAN_NESTED_MAX || name.len == 0) {
        return dw__predicate_unknown();
    }
    dw_plan_path inner = *path;
    inner.nested[inner.nested_count++] = name;
    return read_filter(reader, &inner, member(filter, "child_filter"), place, depth + 1);
}

static const dw_predicate *
read_expression_filter(dw_plan_reader *reader, const dw_plan_path *path, dw_json filter)
{
    /* Inside of a struct it is not said what a reference is to. */
    if (path->nested_count > 0) {
        return dw__predicate_unknown();
    }
    reader->filter_path = path;
    const dw_predicate *predicate = dw__plan_expression(reader, member(filter, "expr"), 0);
    reader->filter_path = NULL;
    return predicate;
}

/* Recursion is at most DW_PREDICATE_DEPTH_MAX deep. */
static const dw_predicate *
read_filter(dw_plan_reader *reader, const dw_plan_path *path, dw_json filter, filter_place place,
            size_t depth)
{
    if (depth >= DW_PREDICATE_DEPTH_MAX) {
        return dw__predicate_unknown();
    }
    if (is_filter(filter, "CONSTANT_COMPARISON")) {
        return dw__plan_compare(reader, path, dw__json_str(member(filter, "comparison_type")),
                                member(filter, "constant"));
    }
    if (is_filter(filter, "CONJUNCTION_AND") || is_filter(filter, "CONJUNCTION_OR")) {
        return read_conjunction(reader, path, filter, place, depth);
    }
    if (is_filter(filter, "IS_NULL")) {
        return dw__plan_null_test(reader, path, DW_PREDICATE_IS_NULL);
    }
    if (is_filter(filter, "IS_NOT_NULL")) {
        return dw__plan_null_test(reader, path, DW_PREDICATE_IS_NOT_NULL);
    }
    if (is_filter(filter, "STRUCT_EXTRACT")) {
        return read_struct_field(reader, path, filter, place, depth);
    }
    if (is_filter(filter, "IN_FILTER")) {
        return dw__plan_in_list(reader, path, member(filter, "values"));
    }
    if (is_filter(filter, "EXPRESSION_FILTER")) {
        return read_expression_filter(reader, path, filter);
    }
    /*
     * An optional filter follows from others, and only then: as one side of an OR it says nothing.
     */
    if (is_filter(filter, "OPTIONAL_FILTER") && place == FILTER_REQUIRED) {
        return read_filter(reader, path, member(filter, "child_filter"), place, depth + 1);
    }
    return dw__predicate_unknown();
}

const dw_predicate *
dw__plan_table_filters(const dw_plan_reader *reader)
{
    dw_plan_reader own = *reader;
    dw_json get = reader->chain[reader->chain_count - 1];
    dw_json filters = member(member(get, "table_filters"), "filters");
    const dw_predicate **items =
        DW_ARENA_ARRAY(reader->scope->arena, const dw_predicate *, dw__json_count(filters));
    if (items == NULL) {
        return NULL;
    }
    size_t count = 0;
    dw_json_iter it = dw__json_iter(filters);
    while (dw__json_next(&it)) {
        int64_t key;
        bool is_known = dw__json_i64(member(it.value, "key"), &key) && key >= 0 &&
                        dw__plan_is_field(reader, (size_t) key);
        dw_plan_path path = {.field_idx = is_known ? (size_t) key : 0};
        items[count] = is_known
                           ? read_filter(&own, &path, member(it.value, "value"), FILTER_REQUIRED, 0)
                           : dw__predicate_unknown();
        if (items[count++] == NULL) {
            return NULL;
        }
    }
    return dw__predicate_junction(reader->scope, DW_PREDICATE_AND, items, count);
}
