/*
 * Finds the wanted columns by their names, and makes vectors of what was read of them.
 */
#include "parquet/shape.h"

#include "base/vec.h"

/* ---- Finding --------------------------------------------------------------------------------- */

static dw_status
add_column(dw_pq_shape *shape, const dw_pq_node *leaf, const dw_pq_kind *kind, size_t *idx_out,
           dw_error *err)
{
    dw_pq_column *column = DW_VEC_PUSH(shape->allocator, &shape->columns);
    if (column == NULL) {
        return dw__error_oom(err);
    }
    dw__pq_column_init(column, shape->allocator, leaf, kind);
    *idx_out = shape->columns.count - 1;
    return DW_OK;
}

/* A column whose levels tell where a node is there: one that is read anyway, or another. */
static dw_status
find_levels(dw_pq_shape *shape, const dw_pq_node *node, size_t *idx_out, dw_error *err)
{
    for (size_t i = 0; i < shape->columns.count; i++) {
        const dw_pq_node *leaf = shape->columns.items[i].leaf;
        if (leaf >= node && leaf < shape->footer->nodes + node->end) {
            *idx_out = i;
            return DW_OK;
        }
    }
    for (const dw_pq_node *leaf = node; leaf < shape->footer->nodes + node->end; leaf++) {
        if (leaf->type != DW_PQ_GROUP && leaf->max_rep == 0) {
            const dw_pq_kind none = {.type = leaf->type};
            DW_TRY(add_column(shape, leaf, &none, idx_out, err));
            shape->columns.items[*idx_out].is_bare = true;
            return DW_OK;
        }
    }
    return dw__pq_odd(err, "column");
}

static dw_status
add_leaf(dw_pq_shape *shape, const dw_pq_node *node, dw_vector_kind kind, size_t *idx_out,
         dw_error *err)
{
    dw_pq_kind found;
    if (node->type == DW_PQ_GROUP || !dw__pq_kind_of(node, kind, &found)) {
        return dw__pq_odd(err, "column");
    }
    return add_column(shape, node, &found, idx_out, err);
}

/* A list is a group around a repeated leaf, or around a repeated group around a leaf; a map the
 * latter with two. */
static dw_status
find_list(dw_pq_shape *shape, const dw_pq_node *node, dw_pq_field *field, dw_error *err)
{
    const dw_column_spec *spec = field->spec;
    bool is_map = spec->kind == DW_VECTOR_MAP;
    const dw_pq_node *repeated = node + 1;
    bool is_list = node->type == DW_PQ_GROUP && node->child_count == 1 && !node->is_repeated &&
                   node->meaning == (is_map ? DW_PQ_MAP : DW_PQ_LIST) && node->max_rep == 0 &&
                   repeated->is_repeated;
    bool is_group = is_list && repeated->type == DW_PQ_GROUP;
    if (!is_list || (is_map && !is_group) ||
        (is_group && repeated->child_count != spec->child_count)) {
        return dw__pq_odd(err, "list");
    }
    size_t *idxs[] = {&field->column_idx, &field->value_idx};
    const dw_pq_node *leaf = is_group ? repeated + 1 : repeated;
    for (size_t i = 0; i < spec->child_count; i++, leaf++) {
        DW_TRY(add_leaf(shape, leaf, spec->children[i].kind, idxs[i], err));
        dw_pq_column *column = &shape->columns.items[*idxs[i]];
        if (leaf->max_rep != 1) {
            return dw__pq_odd(err, "list");
        }
        column->list_level = node->max_def;
        column->element_level = repeated->max_def;
    }
    return DW_OK;
}

static dw_status find_field(dw_pq_shape *shape, const dw_pq_node *parent,
                            const dw_column_spec *spec, dw_pq_field *field, dw_error *err);

static dw_status
find_fields(dw_pq_shape *shape, const dw_pq_node *parent, const dw_column_spec *specs, size_t count,
            dw_pq_field **out, dw_error *err)
{
    *out = DW_ARENA_ARRAY(shape->arena, dw_pq_field, count);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        DW_TRY(find_field(shape, parent, &specs[i], &(*out)[i], err));
    }
    return DW_OK;
}

/* `parent` NULL: the file lacks what the field would be in. */
static dw_status
find_field(dw_pq_shape *shape, const dw_pq_node *parent, const dw_column_spec *spec,
           dw_pq_field *field, dw_error *err)
{
    const dw_pq_node *node =
        parent == NULL ? NULL : dw__pq_child(shape->footer, parent, dw__str_from(spec->name));
    *field = (dw_pq_field){.spec = spec, .is_missing = node == NULL};
    if (spec->kind == DW_VECTOR_STRUCT) {
        bool is_struct = node == NULL || (node->type == DW_PQ_GROUP && !node->is_repeated &&
                                          node->meaning == DW_PQ_PLAIN);
        if (!is_struct) {
            return dw__pq_odd(err, "column");
        }
        DW_TRY(find_fields(shape, node, spec->children, spec->child_count, &field->children, err));
        field->level = node == NULL ? 0 : node->max_def;
        return node == NULL ? DW_OK : find_levels(shape, node, &field->column_idx, err);
    }
    if (node == NULL) {
        return find_fields(shape, NULL, spec->children, spec->child_count, &field->children, err);
    }
    if (spec->kind == DW_VECTOR_LIST || spec->kind == DW_VECTOR_MAP) {
        return find_list(shape, node, field, err);
    }
    return node->max_rep > 0 ? dw__pq_odd(err, "column")
                             : add_leaf(shape, node, spec->kind, &field->column_idx, err);
}

/* The column that a condition is about; DW_PQ_NO_COLUMN when the file lacks it. */
static dw_status
find_condition(dw_pq_shape *shape, const char *const *path, size_t *idx_out, dw_error *err)
{
    const dw_pq_node *node = &shape->footer->nodes[0];
    *idx_out = DW_PQ_NO_COLUMN;
    for (; node != NULL && *path != NULL; path++) {
        node = dw__pq_child(shape->footer, node, dw__str_from(*path));
    }
    if (node == NULL) {
        return DW_OK;
    }
    if (node->type == DW_PQ_GROUP || node->max_rep > 0) {
        return dw__pq_odd(err, "column");
    }
    return find_levels(shape, node, idx_out, err);
}

static dw_status
find_conditions(dw_pq_shape *shape, const dw_parquet_read *request, dw_error *err)
{
    if (request->required_path != NULL) {
        DW_TRY(find_condition(shape, request->required_path, &shape->required_idx, err));
        shape->has_no_rows = shape->required_idx == DW_PQ_NO_COLUMN;
    }
    size_t count = 0;
    while (request->absent_paths != NULL && request->absent_paths[count] != NULL) {
        count++;
    }
    shape->absent_idxs = DW_ARENA_ARRAY(shape->arena, size_t, count);
    if (shape->absent_idxs == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        size_t idx;
        DW_TRY(find_condition(shape, request->absent_paths[i], &idx, err));
        if (idx != DW_PQ_NO_COLUMN) {
            shape->absent_idxs[shape->absent_count++] = idx;
        }
    }
    return DW_OK;
}

dw_status
dw__pq_shape_make(const dw_parquet_read *request, const dw_allocator *allocator,
                  const dw_pq_footer *footer, dw_arena *arena, dw_pq_shape *out, dw_error *err)
{
    *out = (dw_pq_shape){.allocator = allocator,
                         .arena = arena,
                         .footer = footer,
                         .field_count = request->column_count,
                         .required_idx = DW_PQ_NO_COLUMN};
    out->zeros = dw__arena_alloc_zero(arena, DW_PQ_BATCH_ROWS * DW_PQ_WIDTH_MAX);
    if (out->zeros == NULL) {
        return dw__error_oom(err);
    }
    DW_TRY(find_fields(out, &footer->nodes[0], request->columns, request->column_count,
                       &out->fields, err));
    return find_conditions(out, request, err);
}

void
dw__pq_shape_deinit(dw_pq_shape *shape)
{
    for (size_t i = 0; i < shape->columns.count; i++) {
        dw__pq_column_deinit(&shape->columns.items[i]);
    }
    DW_VEC_DEINIT(shape->allocator, &shape->columns);
}

/* ---- Vectors --------------------------------------------------------------------------------- */

typedef struct assembler {
    const dw_pq_shape *shape;
    const dw_vector *vectors;
    size_t row_count;
    dw_arena *arena;
    dw_error *err;
} assembler;

static dw_status assemble(const assembler *a, const dw_pq_field *field, dw_vector *out);

static dw_status
assemble_list(const assembler *a, const dw_pq_field *field, dw_vector *out)
{
    const dw_pq_column *columns = a->shape->columns.items;
    bool is_map = field->spec->kind == DW_VECTOR_MAP;
    dw_vector *children = DW_ARENA_ARRAY(a->arena, dw_vector, field->spec->child_count);
    if (children == NULL) {
        return dw__error_oom(a->err);
    }
    *out = a->vectors[field->column_idx];
    out->children = children;
    const dw_pq_column *keys = &columns[field->column_idx];
    children[0] = dw__pq_column_elements(keys);
    if (is_map) {
        children[1] = dw__pq_column_elements(&columns[field->value_idx]);
    }
    bool is_even = !is_map || columns[field->value_idx].elements.count == keys->elements.count;
    return is_even ? DW_OK : dw__pq_odd(a->err, "map");
}

static dw_status
assemble_struct(const assembler *a, const dw_pq_field *field, dw_vector *out)
{
    const dw_column_spec *spec = field->spec;
    dw_vector *children = DW_ARENA_ARRAY(a->arena, dw_vector, spec->child_count);
    if (children == NULL) {
        return dw__error_oom(a->err);
    }
    for (size_t i = 0; i < spec->child_count; i++) {
        DW_TRY(assemble(a, &field->children[i], &children[i]));
    }
    *out = (dw_vector){.children = children};
    if (field->is_missing) {
        out->valid = a->shape->zeros;
        return DW_OK;
    }
    bool ok = dw__pq_column_defined(&a->shape->columns.items[field->column_idx], field->level,
                                    a->row_count, a->arena, &out->valid);
    return ok ? DW_OK : dw__error_oom(a->err);
}

static dw_status
assemble(const assembler *a, const dw_pq_field *field, dw_vector *out)
{
    const dw_column_spec *spec = field->spec;
    if (spec->kind == DW_VECTOR_STRUCT) {
        return assemble_struct(a, field, out);
    }
    if (field->is_missing) {
        dw_vector *children = DW_ARENA_ARRAY(a->arena, dw_vector, spec->child_count);
        *out = (dw_vector){a->shape->zeros, a->shape->zeros, children};
        return children == NULL ? dw__error_oom(a->err) : DW_OK;
    }
    if (spec->kind == DW_VECTOR_LIST || spec->kind == DW_VECTOR_MAP) {
        return assemble_list(a, field, out);
    }
    *out = a->vectors[field->column_idx];
    return DW_OK;
}

dw_status
dw__pq_shape_assemble(const dw_pq_shape *shape, const dw_vector *vectors, size_t row_count,
                      dw_arena *arena, dw_vector *out, dw_error *err)
{
    const assembler a = {shape, vectors, row_count, arena, err};
    for (size_t i = 0; i < shape->field_count; i++) {
        DW_TRY(assemble(&a, &shape->fields[i], &out[i]));
    }
    return DW_OK;
}

/* ---- Leaving out rows ------------------------------------------------------------------------ */

typedef struct selection {
    const uint16_t *rows;
    size_t count;
    dw_arena *arena;
} selection;

/* The selected ones of an array; NULL when out of memory. */
static void *
select_array(const selection *s, const void *array, size_t width)
{
    char *out = dw__arena_alloc(s->arena, s->count * width);
    for (size_t i = 0; out != NULL && i < s->count; i++) {
        memcpy(out + i * width, (const char *) array + s->rows[i] * width, width);
    }
    return out;
}

/* What is missing is NULL in all rows, and stays as it is. */
static bool
select_rows(const selection *s, const dw_pq_field *field, dw_vector *vector)
{
    const dw_column_spec *spec = field->spec;
    if (field->is_missing) {
        return true;
    }
    if (vector->valid != NULL) {
        vector->valid = select_array(s, vector->valid, sizeof(bool));
        if (vector->valid == NULL) {
            return false;
        }
    }
    if (spec->kind != DW_VECTOR_STRUCT) {
        vector->data = select_array(s, vector->data, dw__vector_width(spec->kind));
        return vector->data != NULL;
    }
    dw_vector *children = (dw_vector *) (uintptr_t) vector->children;
    bool ok = true;
    for (size_t i = 0; ok && i < spec->child_count; i++) {
        ok = select_rows(s, &field->children[i], &children[i]);
    }
    return ok;
}

dw_status
dw__pq_shape_select(const dw_pq_shape *shape, const uint16_t *rows, size_t count, dw_arena *arena,
                    dw_vector *columns, dw_error *err)
{
    const selection s = {rows, count, arena};
    bool ok = true;
    for (size_t i = 0; ok && i < shape->field_count; i++) {
        ok = select_rows(&s, &shape->fields[i], &columns[i]);
    }
    return ok ? DW_OK : dw__error_oom(err);
}
