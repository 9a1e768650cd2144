/*
 * The tree of a file's columns beside the tree of the table's types.
 */
#include "upkeep/file_columns.h"

#include "base/assert.h"

typedef struct comparison {
    const dw_pq_footer *footer;
    bool by_id;                   /* fields have ids */
    const dw_row_id_columns *ids; /* beside the columns; may be NULL */
} comparison;

static const dw_pq_node *
child_at(const comparison *c, const dw_pq_node *parent, size_t idx)
{
    const dw_pq_node *node = parent + 1;
    for (size_t i = 0; i < idx; i++) {
        node = &c->footer->nodes[node->end];
    }
    return node;
}

/* As deep as the schema, which has a limit. */
static bool is_known(const comparison *c, const dw_pq_node *node, const dw_type *type);

static bool
is_row_id(const comparison *c, dw_str name)
{
    return c->ids != NULL && name.len > 0 &&
           (dw__str_equal(name, c->ids->id) || dw__str_equal(name, c->ids->version));
}

static bool
are_fields_known(const comparison *c, const dw_pq_node *node, const dw_type *type)
{
    for (size_t i = 0; i < node->child_count; i++) {
        const dw_pq_node *child = child_at(c, node, i);
        const dw_field *field = dw__schema_find_physical(type, child->name);
        if (node == &c->footer->nodes[0] && is_row_id(c, child->name)) {
            continue;
        }
        if (field == NULL || (c->by_id && field->mapping_id != child->field_id) ||
            !is_known(c, child, field->type)) {
            return false;
        }
    }
    return true;
}

/* A list is a group of a repeated group of one, a map one of two. */
static bool
are_elements_known(const comparison *c, const dw_pq_node *node, const dw_type *type)
{
    const dw_pq_node *repeated = node->child_count == 1 ? child_at(c, node, 0) : NULL;
    size_t expected = type->kind == DW_TYPE_MAP ? 2 : 1;
    if (repeated == NULL || !repeated->is_repeated || repeated->child_count != expected) {
        return true;
    }
    return is_known(c, child_at(c, repeated, expected - 1), type->element) &&
           (expected == 1 || is_known(c, child_at(c, repeated, 0), type->key));
}

static bool
is_known(const comparison *c, const dw_pq_node *node, const dw_type *type)
{
    if (node->type != DW_PQ_GROUP) {
        return true;
    }
    if (type->kind == DW_TYPE_STRUCT) {
        return are_fields_known(c, node, type);
    }
    bool is_list = type->kind == DW_TYPE_ARRAY || type->kind == DW_TYPE_MAP;
    return !is_list || are_elements_known(c, node, type);
}

bool
dw__file_has_only(const dw_pq_footer *footer, const dw_type *schema, dw_mapping_mode mode,
                  const dw_row_id_columns *ids)
{
    comparison c = {.footer = footer, .by_id = mode != DW_MAPPING_NONE, .ids = ids};
    dw_assert(footer->node_count > 0 && schema->kind == DW_TYPE_STRUCT);
    return are_fields_known(&c, &footer->nodes[0], schema);
}
