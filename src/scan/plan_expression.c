/*
 * Expressions of a plan as predicates: what columns they are on, through projections, structs and
 * casts that keep the order of values.
 */
#include "scan/plan_internal.h"

#include "base/assert.h"

/* One side of a comparison. */
typedef enum operand_kind { OPERAND_OTHER, OPERAND_COLUMN, OPERAND_CONSTANT } operand_kind;

typedef struct operand {
    operand_kind kind;
    dw_plan_type type; /* after the casts */
    dw_plan_path path;
    dw_transform transform;
    dw_value value; /* CONSTANT */
} operand;

static dw_json
member(dw_json object, const char *key)
{
    return dw__json_get(object, dw__str_from(key));
}

static bool
has_type(dw_json expression, const char *type)
{
    return dw__str_equal(dw__json_str(member(expression, "type")), dw__str_from(type));
}

static dw_json
element(dw_json array, size_t idx)
{
    dw_json_iter it = dw__json_iter(array);
    while (!it.is_object && dw__json_next(&it)) {
        if (idx-- == 0) {
            return it.value;
        }
    }
    return (dw_json){NULL};
}

/* ---- Columns --------------------------------------------------------------------------------- */

static bool
json_size(dw_json value, size_t *out)
{
    int64_t number;
    bool ok = dw__json_i64(value, &number) && number >= 0;
    *out = ok ? (size_t) number : SIZE_MAX;
    return ok;
}

size_t
dw__plan_get_field(const dw_plan_reader *reader, size_t output_idx)
{
    dw_json get = reader->chain[reader->chain_count - 1];
    dw_json projection = member(get, "projection_ids");
    if (dw__json_count(projection) > 0 &&
        !json_size(element(projection, output_idx), &output_idx)) {
        return SIZE_MAX;
    }
    dw_json column = element(member(get, "column_indexes"), output_idx);
    size_t field_idx;
    if (!json_size(member(column, "index"), &field_idx) ||
        dw__json_count(member(column, "child_indexes")) > 0 ||
        !dw__plan_is_field(reader, field_idx)) {
        return SIZE_MAX;
    }
    return field_idx;
}

bool
dw__plan_is_field(const dw_plan_reader *reader, size_t field_idx)
{
    if (field_idx >= reader->scope->schema->field_count) {
        return false;
    }
    dw_json names = member(reader->chain[reader->chain_count - 1], "names");
    return dw__str_equal(dw__json_str(element(names, field_idx)),
                         reader->scope->schema->fields[field_idx].name);
}

/* Follows a reference to its origin: sets the path, or gives the expression of a projection to go
 * on with, and the level of its references. */
static bool
follow_reference(const dw_plan_reader *reader, dw_json reference, size_t *level, dw_plan_path *path,
                 dw_json *next)
{
    size_t idx;
    *next = (dw_json){NULL};
    if (!json_size(member(reference, "index"), &idx)) {
        return false;
    }
    if (reader->filter_path != NULL) {
        *path = *reader->filter_path;
        return idx == 0;
    }
    for (; *level + 1 < reader->chain_count; ++*level) {
        dw_json operator= reader->chain[*level];
        if (has_type(operator, "LOGICAL_PROJECTION")) {
            *next = element(member(operator, "expressions"), idx);
            ++*level;
            return dw__json_kind(*next) == DW_JSON_OBJECT;
        }
        dw_json map = member(operator, "projection_map");
        if (dw__json_count(map) > 0 && !json_size(element(map, idx), &idx)) {
            return false;
        }
    }
    path->field_idx = dw__plan_get_field(reader, idx);
    path->nested_count = 0;
    return path->field_idx != SIZE_MAX;
}

/* The name that struct_extract takes out; the null string when it is another function. */
static dw_str
extracted_name(dw_json expression)
{
    dw_json arguments = member(expression, "children");
    dw_json constant = member(element(arguments, 1), "value");
    if (!dw__str_equal(dw__json_str(member(expression, "name")), DW_STR("struct_extract")) ||
        dw__json_count(arguments) != 2) {
        return DW_STR_NULL;
    }
    return dw__json_str(member(constant, "value"));
}

/* Appends names that were collected from the outside in. */
static bool
append_reversed(dw_plan_path *path, const dw_str *names, size_t count)
{
    if (path->nested_count + count > DW_PLAN_NESTED_MAX) {
        return false;
    }
    for (size_t i = count; i > 0; i--) {
        path->nested[path->nested_count++] = names[i - 1];
    }
    return true;
}

/* ---- Casts ----------------------------------------------------------------------------------- */

static dw_transform
time_transform(dw_plan_class from, dw_plan_class to)
{
    bool is_zoned = from == DW_PLAN_MICROS_ZONED || to == DW_PLAN_MICROS_ZONED;
    if (from == DW_PLAN_DATE && (to == DW_PLAN_MICROS || to == DW_PLAN_MICROS_ZONED)) {
        return is_zoned ? DW_TRANSFORM_DATE_TO_MICROS_ZONED : DW_TRANSFORM_DATE_TO_MICROS;
    }
    if (to == DW_PLAN_DATE && (from == DW_PLAN_MICROS || from == DW_PLAN_MICROS_ZONED)) {
        return is_zoned ? DW_TRANSFORM_MICROS_TO_DATE_ZONED : DW_TRANSFORM_MICROS_TO_DATE;
    }
    if ((from == DW_PLAN_MICROS && to == DW_PLAN_MICROS_ZONED) ||
        (from == DW_PLAN_MICROS_ZONED && to == DW_PLAN_MICROS)) {
        return DW_TRANSFORM_MICROS_ZONED;
    }
    return DW_TRANSFORM_NONE;
}

/* True when the cast changes no value, so that comparing before or after it is the same. */
static bool
keeps_values(dw_plan_type from, dw_plan_type to)
{
    if (from.class == DW_PLAN_INTEGER && to.class == DW_PLAN_INTEGER) {
        return to.size_bytes >= from.size_bytes;
    }
    if (from.class == DW_PLAN_DECIMAL && to.class == DW_PLAN_DECIMAL) {
        return to.scale >= from.scale;
    }
    return (from.class == to.class && from.class != DW_PLAN_OTHER) ||
           (from.class == DW_PLAN_INTEGER && to.class == DW_PLAN_DECIMAL) ||
           (from.class == DW_PLAN_FLOAT && to.class == DW_PLAN_DOUBLE);
}

/* Casts the column; false when the order of its values may get lost. */
static bool
apply_cast(operand *column, dw_plan_type to)
{
    dw_plan_type from = column->type;
    column->type = to;
    if (keeps_values(from, to)) {
        return true;
    }
    dw_transform transform = time_transform(from.class, to.class);
    if (to.class == DW_PLAN_DOUBLE &&
        (from.class == DW_PLAN_INTEGER || from.class == DW_PLAN_DECIMAL)) {
        transform = DW_TRANSFORM_TO_DOUBLE;
    }
    if (transform == DW_TRANSFORM_NONE || column->transform != DW_TRANSFORM_NONE) {
        return false;
    }
    column->transform = transform;
    return true;
}

static bool
apply_casts(const dw_plan_reader *reader, operand *column, const dw_plan_type *casts, size_t count)
{
    const dw_type *type = dw__predicate_field_type(reader->scope, column->path.field_idx,
                                                   column->path.nested, column->path.nested_count);
    if (type == NULL) {
        return false;
    }
    column->type = dw__plan_type_of_column(type);
    for (size_t i = count; i > 0; i--) {
        if (!apply_cast(column, casts[i - 1])) {
            return false;
        }
    }
    return column->type.class != DW_PLAN_OTHER;
}

/* ---- Operands -------------------------------------------------------------------------------- */

/* What has been peeled off a column on the way in: casts outside, struct fields inside. */
typedef struct peeled {
    dw_plan_type casts[DW_PLAN_CASTS_MAX];
    size_t cast_count;
    dw_str names[DW_PLAN_NESTED_MAX];
    size_t name_count;
} peeled;

/* Peels one layer off; false when it is none that is understood. */
static bool
peel(dw_json *expression, peeled *layers)
{
    if (has_type(*expression, "OPERATOR_CAST")) {
        if (layers->cast_count == DW_PLAN_CASTS_MAX || layers->name_count > 0 ||
            dw__json_bool(member(*expression, "try_cast"), true)) {
            return false;
        }
        layers->casts[layers->cast_count++] =
            dw__plan_type_read(member(*expression, "return_type"));
        *expression = member(*expression, "child");
        return true;
    }
    dw_str name = extracted_name(*expression);
    if (dw__str_is_null(name) || layers->name_count == DW_PLAN_NESTED_MAX) {
        return false;
    }
    layers->names[layers->name_count++] = name;
    *expression = element(member(*expression, "children"), 0);
    return true;
}

/* Reads one side of a comparison. False when out of memory. */
static bool
read_operand(const dw_plan_reader *reader, dw_json expression, size_t level, operand *out)
{
    memset(out, 0, sizeof(*out));
    if (has_type(expression, "VALUE_CONSTANT")) {
        bool oom;
        if (dw__plan_value_read(member(expression, "value"), reader->scope->arena, &out->type,
                                &out->value, &oom)) {
            out->kind = OPERAND_CONSTANT;
        }
        return !oom;
    }
    peeled layers = {.cast_count = 0, .name_count = 0};
    for (size_t steps = 0; steps < DW_PREDICATE_DEPTH_MAX; steps++) {
        if (!has_type(expression, "BOUND_REF")) {
            if (!peel(&expression, &layers)) {
                return true;
            }
            continue;
        }
        dw_json next;
        if (!follow_reference(reader, expression, &level, &out->path, &next)) {
            return true;
        }
        if (dw__json_kind(next) != DW_JSON_OBJECT) {
            bool ok = append_reversed(&out->path, layers.names, layers.name_count) &&
                      apply_casts(reader, out, layers.casts, layers.cast_count);
            out->kind = ok ? OPERAND_COLUMN : OPERAND_OTHER;
            return true;
        }
        expression = next;
    }
    return true;
}

/* ---- Comparisons ----------------------------------------------------------------------------- */

typedef struct comparison_name {
    const char *name;
    dw_comparison comparison, flipped;
} comparison_name;

static const comparison_name comparison_names[] = {
    {"COMPARE_EQUAL", DW_COMPARISON_EQUAL, DW_COMPARISON_EQUAL},
    {"COMPARE_NOTEQUAL", DW_COMPARISON_NOT_EQUAL, DW_COMPARISON_NOT_EQUAL},
    {"COMPARE_LESSTHAN", DW_COMPARISON_LESS, DW_COMPARISON_GREATER},
    {"COMPARE_LESSTHANOREQUALTO", DW_COMPARISON_LESS_OR_EQUAL, DW_COMPARISON_GREATER_OR_EQUAL},
    {"COMPARE_GREATERTHAN", DW_COMPARISON_GREATER, DW_COMPARISON_LESS},
    {"COMPARE_GREATERTHANOREQUALTO", DW_COMPARISON_GREATER_OR_EQUAL, DW_COMPARISON_LESS_OR_EQUAL},
    {"COMPARE_DISTINCT_FROM", DW_COMPARISON_DISTINCT, DW_COMPARISON_DISTINCT},
    {"COMPARE_NOT_DISTINCT_FROM", DW_COMPARISON_NOT_DISTINCT, DW_COMPARISON_NOT_DISTINCT},
};

static const comparison_name *
find_comparison(dw_str name)
{
    for (size_t i = 0; i < sizeof(comparison_names) / sizeof(*comparison_names); i++) {
        if (dw__str_equal(name, dw__str_from(comparison_names[i].name))) {
            return &comparison_names[i];
        }
    }
    return NULL;
}

/* True when the engine compares the two without another cast. */
static bool
can_compare(const operand *column, const operand *constant)
{
    return column->kind == OPERAND_COLUMN && constant->kind == OPERAND_CONSTANT &&
           (column->type.class == constant->type.class || constant->value.kind == DW_VALUE_NULL);
}

static const dw_predicate *
make_compare(const dw_plan_reader *reader, const operand *column, dw_comparison comparison,
             const operand *constant)
{
    size_t idx;
    if (!can_compare(column, constant)) {
        return dw__predicate_unknown();
    }
    if (!dw__predicate_column(reader->scope, column->path.field_idx, column->path.nested,
                              column->path.nested_count, &idx)) {
        return NULL;
    }
    return idx == SIZE_MAX ? dw__predicate_unknown()
                           : dw__predicate_compare(reader->scope, idx, column->transform,
                                                   comparison, &constant->value);
}

static const dw_predicate *
read_comparison(const dw_plan_reader *reader, dw_json expression, size_t level)
{
    const comparison_name *name = find_comparison(dw__json_str(member(expression, "type")));
    operand left, right;
    dw_assert(name != NULL);
    if (!read_operand(reader, member(expression, "left"), level, &left) ||
        !read_operand(reader, member(expression, "right"), level, &right)) {
        return NULL;
    }
    return left.kind == OPERAND_CONSTANT ? make_compare(reader, &right, name->flipped, &left)
                                         : make_compare(reader, &left, name->comparison, &right);
}

/* A column as an operand, the way table filters mention it. */
static bool
path_operand(const dw_plan_reader *reader, const dw_plan_path *path, operand *out)
{
    memset(out, 0, sizeof(*out));
    out->path = *path;
    bool ok = apply_casts(reader, out, NULL, 0);
    out->kind = ok ? OPERAND_COLUMN : OPERAND_OTHER;
    return ok;
}

const dw_predicate *
dw__plan_compare(const dw_plan_reader *reader, const dw_plan_path *path, dw_str comparison,
                 dw_json constant)
{
    const comparison_name *name = find_comparison(comparison);
    operand column;
    operand value = {.kind = OPERAND_CONSTANT};
    bool oom;
    bool ok = dw__plan_value_read(constant, reader->scope->arena, &value.type, &value.value, &oom);
    if (oom) {
        return NULL;
    }
    if (!ok || name == NULL || !path_operand(reader, path, &column)) {
        return dw__predicate_unknown();
    }
    return make_compare(reader, &column, name->comparison, &value);
}

const dw_predicate *
dw__plan_null_test(const dw_plan_reader *reader, const dw_plan_path *path, dw_predicate_kind kind)
{
    size_t idx;
    if (!dw__predicate_column(reader->scope, path->field_idx, path->nested, path->nested_count,
                              &idx)) {
        return NULL;
    }
    return idx == SIZE_MAX ? dw__predicate_unknown()
                           : dw__predicate_null_test(reader->scope, kind, idx);
}

/* ---- IN -------------------------------------------------------------------------------------- */

/* Reads the constants of `list` from entry `start` on; in expressions each is wrapped in a node of
 * its own. `*values_out` is NULL when one of them does not compare. False when out of memory. */
static bool
read_list(const dw_plan_reader *reader, dw_json list, size_t start, const operand *column,
          dw_value **values_out)
{
    dw_value *values =
        DW_ARENA_ARRAY(reader->scope->arena, dw_value, dw__json_count(list) - start + 1);
    *values_out = NULL;
    if (values == NULL) {
        return false;
    }
    size_t count = 0;
    dw_json_iter it = dw__json_iter(list);
    for (size_t i = 0; dw__json_next(&it); i++) {
        if (i < start) {
            continue;
        }
        operand value = {.kind = OPERAND_CONSTANT};
        bool oom;
        bool ok = dw__plan_value_read(start == 0 ? it.value : member(it.value, "value"),
                                      reader->scope->arena, &value.type, &value.value, &oom);
        if (oom || !ok || !can_compare(column, &value)) {
            return !oom;
        }
        values[count++] = value.value;
    }
    *values_out = values;
    return true;
}

static const dw_predicate *
make_in(const dw_plan_reader *reader, const operand *column, dw_json list, size_t start)
{
    dw_value *values;
    size_t idx;
    if (!read_list(reader, list, start, column, &values) ||
        !dw__predicate_column(reader->scope, column->path.field_idx, column->path.nested,
                              column->path.nested_count, &idx)) {
        return NULL;
    }
    return values == NULL || idx == SIZE_MAX
               ? dw__predicate_unknown()
               : dw__predicate_in(reader->scope, idx, column->transform, values,
                                  dw__json_count(list) - start);
}

const dw_predicate *
dw__plan_in_list(const dw_plan_reader *reader, const dw_plan_path *path, dw_json constants)
{
    operand column;
    if (dw__json_kind(constants) != DW_JSON_ARRAY || !path_operand(reader, path, &column)) {
        return dw__predicate_unknown();
    }
    return make_in(reader, &column, constants, 0);
}

static const dw_predicate *
read_in(const dw_plan_reader *reader, dw_json expression, size_t level)
{
    dw_json children = member(expression, "children");
    operand column;
    if (!read_operand(reader, element(children, 0), level, &column)) {
        return NULL;
    }
    return column.kind == OPERAND_COLUMN && dw__json_count(children) > 0
               ? make_in(reader, &column, children, 1)
               : dw__predicate_unknown();
}

/* ---- Everything ------------------------------------------------------------------------------ */

/* A boolean column, or a constant. */
static const dw_predicate *
read_boolean(const dw_plan_reader *reader, dw_json expression, size_t level)
{
    operand side;
    if (!read_operand(reader, expression, level, &side)) {
        return NULL;
    }
    if (side.type.class != DW_PLAN_BOOLEAN || side.kind == OPERAND_OTHER) {
        return dw__predicate_unknown();
    }
    if (side.kind == OPERAND_CONSTANT) {
        uint8_t outcome = side.value.kind == DW_VALUE_NULL ? DW_OUTCOME_NULL
                          : side.value.as.i64 != 0         ? DW_OUTCOME_TRUE
                                                           : DW_OUTCOME_FALSE;
        return dw__predicate_constant(reader->scope, outcome);
    }
    operand truth = {.kind = OPERAND_CONSTANT, .type = {DW_PLAN_BOOLEAN, 1, 0}};
    truth.value = (dw_value){.kind = DW_VALUE_BOOL, .as.i64 = 1};
    return make_compare(reader, &side, DW_COMPARISON_EQUAL, &truth);
}

/* IS [NOT] NULL of a column; a cast in between makes no NULLs. */
static const dw_predicate *
read_null_test(const dw_plan_reader *reader, dw_json expression, size_t level)
{
    dw_predicate_kind kind =
        has_type(expression, "OPERATOR_IS_NULL") ? DW_PREDICATE_IS_NULL : DW_PREDICATE_IS_NOT_NULL;
    operand side;
    if (!read_operand(reader, element(member(expression, "children"), 0), level, &side)) {
        return NULL;
    }
    return side.kind == OPERAND_COLUMN ? dw__plan_null_test(reader, &side.path, kind)
                                       : dw__predicate_unknown();
}

static const dw_predicate *read_expression(const dw_plan_reader *reader, dw_json expression,
                                           size_t level, size_t depth);

static const dw_predicate *
read_junction(const dw_plan_reader *reader, dw_json expression, size_t level, size_t depth)
{
    dw_predicate_kind kind =
        has_type(expression, "CONJUNCTION_AND") ? DW_PREDICATE_AND : DW_PREDICATE_OR;
    dw_json children = member(expression, "children");
    const dw_predicate **items =
        DW_ARENA_ARRAY(reader->scope->arena, const dw_predicate *, dw__json_count(children));
    if (items == NULL) {
        return NULL;
    }
    size_t count = 0;
    dw_json_iter it = dw__json_iter(children);
    while (dw__json_next(&it)) {
        items[count] = read_expression(reader, it.value, level, depth + 1);
        if (items[count++] == NULL) {
            return NULL;
        }
    }
    return count == 0 ? dw__predicate_unknown()
                      : dw__predicate_junction(reader->scope, kind, items, count);
}

static const dw_predicate *
read_not(const dw_plan_reader *reader, dw_json expression, size_t level, size_t depth)
{
    const dw_predicate *child =
        has_type(expression, "COMPARE_NOT_IN")
            ? read_in(reader, expression, level)
            : read_expression(reader, element(member(expression, "children"), 0), level, depth + 1);
    return child == NULL ? NULL : dw__predicate_not(reader->scope, child);
}

/* Recursion is at most DW_PREDICATE_DEPTH_MAX deep. */
static const dw_predicate *
read_expression(const dw_plan_reader *reader, dw_json expression, size_t level, size_t depth)
{
    if (depth >= DW_PREDICATE_DEPTH_MAX) {
        return dw__predicate_unknown();
    }
    if (has_type(expression, "CONJUNCTION_AND") || has_type(expression, "CONJUNCTION_OR")) {
        return read_junction(reader, expression, level, depth);
    }
    if (find_comparison(dw__json_str(member(expression, "type"))) != NULL) {
        return read_comparison(reader, expression, level);
    }
    if (has_type(expression, "OPERATOR_NOT") || has_type(expression, "COMPARE_NOT_IN")) {
        return read_not(reader, expression, level, depth);
    }
    if (has_type(expression, "COMPARE_IN")) {
        return read_in(reader, expression, level);
    }
    if (has_type(expression, "OPERATOR_IS_NULL") || has_type(expression, "OPERATOR_IS_NOT_NULL")) {
        return read_null_test(reader, expression, level);
    }
    return read_boolean(reader, expression, level);
}

const dw_predicate *
dw__plan_expression(const dw_plan_reader *reader, dw_json expression, size_t level)
{
    return read_expression(reader, expression, level, 0);
}
