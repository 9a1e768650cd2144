/*
 * Building predicates within their limits. [PREDICATE-3]
 */
#include "scan/predicate.h"

#include "base/assert.h"

#include <stdlib.h>

static const dw_predicate unknown = {.kind = DW_PREDICATE_UNKNOWN, .outcomes = DW_OUTCOME_ANY};

const dw_predicate *
dw__predicate_unknown(void)
{
    return &unknown;
}

void
dw__predicate_scope_init(dw_predicate_scope *scope, dw_arena *arena, const dw_type *schema,
                         const dw_str *partition_columns, size_t partition_count)
{
    dw_assert(schema->kind == DW_TYPE_STRUCT);
    *scope = (dw_predicate_scope){.arena = arena,
                                  .schema = schema,
                                  .partition_columns = partition_columns,
                                  .partition_count = partition_count};
}

/* ---- Columns --------------------------------------------------------------------------------- */

const dw_type *
dw__predicate_field_type(const dw_predicate_scope *scope, size_t field_idx, const dw_str *nested,
                         size_t nested_count)
{
    if (field_idx >= scope->schema->field_count) {
        return NULL;
    }
    const dw_type *type = scope->schema->fields[field_idx].type;
    for (size_t i = 0; i < nested_count; i++) {
        const dw_field *field =
            type->kind == DW_TYPE_STRUCT ? dw__schema_find(type, nested[i]) : NULL;
        if (field == NULL) {
            return NULL;
        }
        type = field->type;
    }
    return type;
}

static bool
is_partition_column(const dw_predicate_scope *scope, dw_str name)
{
    for (size_t i = 0; i < scope->partition_count; i++) {
        if (dw__str_equal(scope->partition_columns[i], name)) {
            return true;
        }
    }
    return false;
}

/* Fills parts and name; the fields are known to be there. */
static bool
fill_column(dw_predicate_scope *scope, const dw_field *field, const dw_str *nested,
            size_t nested_count, dw_predicate_column *column)
{
    dw_str *parts = DW_ARENA_ARRAY(scope->arena, dw_str, nested_count + 1);
    if (parts == NULL) {
        return false;
    }
    dw_str name = field->name;
    parts[0] = field->physical_name;
    const dw_type *type = field->type;
    for (size_t i = 0; i < nested_count; i++) {
        const dw_field *child = dw__schema_find(type, nested[i]);
        parts[i + 1] = child->physical_name;
        type = child->type;
        name =
            dw__arena_printf(scope->arena, "%.*s.%.*s", DW_STR_ARG(name), DW_STR_ARG(child->name));
        if (dw__str_is_null(name)) {
            return false;
        }
    }
    *column = (dw_predicate_column){
        .path = {.parts = parts, .count = nested_count + 1, .type = type},
        .name = name,
        .is_partition = nested_count == 0 && is_partition_column(scope, field->name)};
    return true;
}

static bool
is_same_path(const dw_column_path *a, const dw_column_path *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = dw__str_equal(a->parts[i], b->parts[i]);
    }
    return same;
}

bool
dw__predicate_column(dw_predicate_scope *scope, size_t field_idx, const dw_str *nested,
                     size_t nested_count, size_t *idx_out)
{
    *idx_out = SIZE_MAX;
    const dw_type *type = dw__predicate_field_type(scope, field_idx, nested, nested_count);
    if (type == NULL || dw__type_is_nested(type) || type->kind == DW_TYPE_VARIANT ||
        type->kind == DW_TYPE_VOID) {
        return true;
    }
    if (scope->columns == NULL) {
        scope->columns =
            DW_ARENA_ARRAY(scope->arena, dw_predicate_column, DW_PREDICATE_COLUMNS_MAX);
        if (scope->columns == NULL) {
            return false;
        }
    }
    dw_predicate_column column;
    if (!fill_column(scope, &scope->schema->fields[field_idx], nested, nested_count, &column)) {
        return false;
    }
    for (size_t i = 0; i < scope->column_count; i++) {
        if (is_same_path(&scope->columns[i].path, &column.path)) {
            *idx_out = i;
            return true;
        }
    }
    if (scope->column_count < DW_PREDICATE_COLUMNS_MAX) {
        scope->columns[scope->column_count] = column;
        *idx_out = scope->column_count++;
    }
    return true;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

/* A new node; NULL when out of memory, or with *full set beyond the limit. */
static dw_predicate *
new_node(dw_predicate_scope *scope, dw_predicate_kind kind, bool *full)
{
    *full = scope->node_count >= DW_PREDICATE_NODES_MAX;
    dw_predicate *node = *full ? NULL : DW_ARENA_NEW(scope->arena, dw_predicate);
    if (node != NULL) {
        scope->node_count++;
        node->kind = kind;
        node->depth = 1;
    }
    return node;
}

static const dw_predicate *
no_node(bool full)
{
    return full ? &unknown : NULL;
}

const dw_predicate *
dw__predicate_constant(dw_predicate_scope *scope, uint8_t outcomes)
{
    bool full;
    dw_predicate *node = new_node(scope, DW_PREDICATE_CONSTANT, &full);
    if (node == NULL) {
        return no_node(full);
    }
    node->outcomes = outcomes;
    return node;
}

static const dw_predicate *
make_parent(dw_predicate_scope *scope, dw_predicate_kind kind, const dw_predicate *const *children,
            size_t count)
{
    uint16_t depth = 0;
    for (size_t i = 0; i < count; i++) {
        depth = children[i]->depth > depth ? children[i]->depth : depth;
    }
    if (depth >= DW_PREDICATE_DEPTH_MAX) {
        return &unknown;
    }
    bool full;
    dw_predicate *node = new_node(scope, kind, &full);
    const dw_predicate **copies = DW_ARENA_ARRAY(scope->arena, const dw_predicate *, count);
    if (node == NULL || copies == NULL) {
        return no_node(full);
    }
    memcpy(copies, children, count * sizeof(*copies));
    node->children = copies;
    node->child_count = count;
    node->depth = (uint16_t) (depth + 1);
    return node;
}

const dw_predicate *
dw__predicate_junction(dw_predicate_scope *scope, dw_predicate_kind kind,
                       const dw_predicate *const *children, size_t count)
{
    dw_assert(kind == DW_PREDICATE_AND || kind == DW_PREDICATE_OR);
    if (count == 0) {
        return dw__predicate_constant(scope, kind == DW_PREDICATE_AND ? DW_OUTCOME_TRUE
                                                                      : DW_OUTCOME_FALSE);
    }
    return count == 1 ? children[0] : make_parent(scope, kind, children, count);
}

const dw_predicate *
dw__predicate_not(dw_predicate_scope *scope, const dw_predicate *child)
{
    return child->kind == DW_PREDICATE_UNKNOWN ? child
                                               : make_parent(scope, DW_PREDICATE_NOT, &child, 1);
}

const dw_predicate *
dw__predicate_null_test(dw_predicate_scope *scope, dw_predicate_kind kind, size_t column_idx)
{
    dw_assert(kind == DW_PREDICATE_IS_NULL || kind == DW_PREDICATE_IS_NOT_NULL);
    dw_assert(column_idx < scope->column_count);
    bool full;
    dw_predicate *node = new_node(scope, kind, &full);
    if (node == NULL) {
        return no_node(full);
    }
    node->column_idx = column_idx;
    return node;
}

/* A comparison of a column with NULL. */
static const dw_predicate *
compare_with_null(dw_predicate_scope *scope, size_t column_idx, dw_comparison comparison)
{
    if (comparison == DW_COMPARISON_DISTINCT) {
        return dw__predicate_null_test(scope, DW_PREDICATE_IS_NOT_NULL, column_idx);
    }
    if (comparison == DW_COMPARISON_NOT_DISTINCT) {
        return dw__predicate_null_test(scope, DW_PREDICATE_IS_NULL, column_idx);
    }
    return dw__predicate_constant(scope, DW_OUTCOME_NULL);
}

const dw_predicate *
dw__predicate_compare(dw_predicate_scope *scope, size_t column_idx, dw_transform transform,
                      dw_comparison comparison, const dw_value *value)
{
    dw_assert(column_idx < scope->column_count);
    if (value->kind == DW_VALUE_NULL) {
        return compare_with_null(scope, column_idx, comparison);
    }
    bool full;
    dw_predicate *node = new_node(scope, DW_PREDICATE_COMPARE, &full);
    dw_value *copy = DW_ARENA_NEW(scope->arena, dw_value);
    if (node == NULL || copy == NULL) {
        return no_node(full);
    }
    *copy = *value;
    node->column_idx = column_idx;
    node->transform = transform;
    node->comparison = comparison;
    node->values = copy;
    node->value_count = 1;
    return node;
}

/* For qsort; all values of a list have been seen to be comparable. */
static int
compare_values(const void *a, const void *b)
{
    bool comparable;
    return dw__value_compare(a, b, &comparable);
}

/* Copies all but NULL. False when the values do not mix. */
static bool
fill_list(dw_predicate *node, dw_value *copies, const dw_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i].kind == DW_VALUE_NULL) {
            node->has_null = true;
            continue;
        }
        bool comparable = true;
        if (node->value_count > 0) {
            (void) dw__value_compare(&copies[0], &values[i], &comparable);
        }
        if (!comparable) {
            return false;
        }
        copies[node->value_count++] = values[i];
    }
    if (node->value_count > 1) {
        qsort(copies, node->value_count, sizeof(*copies), compare_values);
    }
    return true;
}

const dw_predicate *
dw__predicate_in(dw_predicate_scope *scope, size_t column_idx, dw_transform transform,
                 const dw_value *values, size_t count)
{
    dw_assert(column_idx < scope->column_count);
    bool full;
    dw_predicate *node = new_node(scope, DW_PREDICATE_IN, &full);
    dw_value *copies = DW_ARENA_ARRAY(scope->arena, dw_value, count);
    if (node == NULL || copies == NULL) {
        return no_node(full);
    }
    if (!fill_list(node, copies, values, count)) {
        return &unknown;
    }
    node->column_idx = column_idx;
    node->transform = transform;
    node->values = copies;
    return node;
}

/* ---- Looking at it --------------------------------------------------------------------------- */

/* True when the predicate can be other than TRUE for every row of some file. */
static bool
can_exclude(const dw_predicate *predicate)
{
    switch (predicate->kind) {
    case DW_PREDICATE_UNKNOWN:
        return false;
    case DW_PREDICATE_CONSTANT:
        return (predicate->outcomes & DW_OUTCOME_TRUE) == 0;
    case DW_PREDICATE_OR:
        for (size_t i = 0; i < predicate->child_count; i++) {
            if (!can_exclude(predicate->children[i])) {
                return false;
            }
        }
        return true;
    case DW_PREDICATE_AND:
        for (size_t i = 0; i < predicate->child_count; i++) {
            if (can_exclude(predicate->children[i])) {
                return true;
            }
        }
        return false;
    case DW_PREDICATE_NOT:
    case DW_PREDICATE_COMPARE:
    case DW_PREDICATE_IN:
    case DW_PREDICATE_IS_NULL:
    case DW_PREDICATE_IS_NOT_NULL:
        return true;
    }
    dw_unreachable("all kinds are handled");
}

/* How many children the topmost AND has of a part that is itself an AND, or one of any other. */
static size_t
width(const dw_predicate *part)
{
    return part->kind == DW_PREDICATE_AND       ? part->child_count
           : part->kind == DW_PREDICATE_UNKNOWN ? 0
                                                : 1;
}

const dw_predicate *
dw__predicate_useful(dw_predicate_scope *scope, const dw_predicate *predicate)
{
    if (!can_exclude(predicate)) {
        return &unknown;
    }
    if (predicate->kind != DW_PREDICATE_AND) {
        return predicate;
    }
    const dw_predicate **parts =
        DW_ARENA_ARRAY(scope->arena, const dw_predicate *, predicate->child_count);
    size_t count = 0;
    for (size_t i = 0; parts != NULL && i < predicate->child_count; i++) {
        parts[i] = dw__predicate_useful(scope, predicate->children[i]);
        if (parts[i] == NULL) {
            return NULL;
        }
        count += width(parts[i]);
    }
    const dw_predicate **flat = DW_ARENA_ARRAY(scope->arena, const dw_predicate *, count);
    if (parts == NULL || flat == NULL) {
        return NULL;
    }
    size_t used = 0;
    for (size_t i = 0; i < predicate->child_count; i++) {
        for (size_t j = 0; j < width(parts[i]); j++) {
            flat[used++] = parts[i]->kind == DW_PREDICATE_AND ? parts[i]->children[j] : parts[i];
        }
    }
    return dw__predicate_junction(scope, DW_PREDICATE_AND, flat, used);
}

void
dw__predicate_mark_columns(const dw_predicate *predicate, bool *used)
{
    switch (predicate->kind) {
    case DW_PREDICATE_COMPARE:
    case DW_PREDICATE_IN:
    case DW_PREDICATE_IS_NULL:
    case DW_PREDICATE_IS_NOT_NULL:
        used[predicate->column_idx] = true;
        break;
    case DW_PREDICATE_AND:
    case DW_PREDICATE_OR:
    case DW_PREDICATE_NOT:
        for (size_t i = 0; i < predicate->child_count; i++) {
            dw__predicate_mark_columns(predicate->children[i], used);
        }
        break;
    case DW_PREDICATE_UNKNOWN:
    case DW_PREDICATE_CONSTANT:
        break;
    }
}
