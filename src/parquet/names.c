/*
 * See names.h.
 */
#include "parquet/names.h"

#include "parquet/thrift_write.h"

dw_str
dw__pq_name_of(const dw_pq_names *names, const dw_pq_node *node)
{
    for (size_t i = 0; names != NULL && node->field_id >= 0 && i < names->count; i++) {
        if (names->items[i].id == node->field_id) {
            return names->items[i].name;
        }
    }
    return node->name;
}

bool
dw__pq_names_differ(const dw_pq_names *names, const dw_pq_footer *footer)
{
    size_t column_end = 1;
    for (size_t i = 1; names != NULL && i < footer->node_count; i++) {
        const dw_pq_node *node = &footer->nodes[i];
        if (i == column_end) { /* a column of its own, which is found by its id */
            column_end = node->end;
        } else if (!dw__str_equal(dw__pq_name_of(names, node), node->name)) {
            return true;
        }
    }
    return false;
}

/* True for the leaf and the groups around it. */
static bool
is_on_path(const dw_pq_footer *footer, size_t idx, size_t leaf)
{
    return idx <= leaf && footer->nodes[idx].end > leaf;
}

static size_t
find_leaf(const dw_pq_footer *footer, size_t leaf_idx)
{
    size_t i = 1;
    while (footer->nodes[i].type == DW_PQ_GROUP || footer->nodes[i].leaf_idx != leaf_idx) {
        i++;
    }
    return i;
}

void
dw__pq_names_put_path(const dw_pq_names *names, const dw_pq_footer *footer, size_t leaf_idx,
                      dw_strbuf *out)
{
    size_t leaf = find_leaf(footer, leaf_idx), depth = 0;
    for (size_t i = 1; i <= leaf; i++) {
        depth += is_on_path(footer, i, leaf) ? 1 : 0;
    }
    dw__thrift_put_list(out, DW_THRIFT_BYTES, depth);
    for (size_t i = 1; i <= leaf; i++) {
        if (is_on_path(footer, i, leaf)) {
            dw__thrift_put_element_bytes(out, dw__pq_name_of(names, &footer->nodes[i]));
        }
    }
}
