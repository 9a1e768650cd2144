/*
 * See names.h.
 */
#include "parquet/names.h"

#include "parquet/thrift_write.h"

#include <stdlib.h>

#define OTHER_NAME "__deltaworks_other"

static int
compare_ids(const void *a, const void *b)
{
    const int64_t *id = a;
    const dw_pq_field_name *item = b;
    return *id < item->id ? -1 : *id > item->id ? 1 : 0;
}

/* The name of the field that the node is; NULL: it is none of the table's. */
static const dw_pq_field_name *
find_field(const dw_pq_names *names, const dw_pq_node *node, bool is_column)
{
    const dw_pq_field_name *found = node->field_id < 0
                                        ? NULL
                                        : bsearch(&node->field_id, names->items, names->count,
                                                  sizeof(*names->items), compare_ids);
    return found != NULL && found->is_column == is_column ? found : NULL;
}

/* True when columns of the file have ids. */
static bool
has_numbers(const dw_pq_footer *footer)
{
    for (size_t i = 1; i < footer->node_count; i = footer->nodes[i].end) {
        if (footer->nodes[i].field_id >= 0) {
            return true;
        }
    }
    return false;
}

/* True when the engine might take it for a field of the table. */
static bool
is_mistakable(const dw_pq_names *names, const dw_pq_node *node, bool is_column)
{
    for (size_t i = 0; (node->field_id >= 0 || node->is_unnumbered) && i < names->count; i++) {
        if (names->items[i].is_column == is_column &&
            dw__str_equal_nocase(names->items[i].name, node->name)) {
            return true;
        }
    }
    return false;
}

bool
dw__pq_names_give(const dw_pq_names *names, dw_pq_footer *footer, dw_arena *arena,
                  bool *changed_out)
{
    size_t column_end = 1, variant_end = 1;
    bool is_numbered = names != NULL && has_numbers(footer), has_unnumbered = false;
    *changed_out = false;
    for (size_t i = 1; names != NULL && i < footer->node_count; i++) {
        dw_pq_node *node = &footer->nodes[i];
        bool is_column = i == column_end;
        column_end = is_column ? node->end : column_end;
        if (i < variant_end) {
            continue;
        }
        variant_end = node->meaning == DW_PQ_VARIANT ? node->end : variant_end;
        const dw_pq_field_name *field = find_field(names, node, is_column);
        node->is_unnumbered = is_column && is_numbered && node->field_id < 0;
        has_unnumbered = has_unnumbered || node->is_unnumbered;
        *changed_out =
            *changed_out || (field != NULL && has_unnumbered && is_column && !names->has_columns);
        dw_str name = field != NULL ? field->name : node->name;
        if (field == NULL && is_mistakable(names, node, is_column)) {
            name = dw__arena_printf(arena, OTHER_NAME ".%zu", i);
            if (dw__str_is_null(name)) {
                return false;
            }
        }
        *changed_out = *changed_out ||
                       ((!is_column || names->has_columns) && !dw__str_equal(name, node->name));
        node->name = name;
    }
    return true;
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
dw__pq_names_put_path(const dw_pq_footer *footer, size_t leaf_idx, dw_strbuf *out)
{
    size_t leaf = find_leaf(footer, leaf_idx), depth = 0;
    for (size_t i = 1; i <= leaf; i++) {
        depth += is_on_path(footer, i, leaf) ? 1 : 0;
    }
    dw__thrift_put_list(out, DW_THRIFT_BYTES, depth);
    for (size_t i = 1; i <= leaf; i++) {
        if (is_on_path(footer, i, leaf)) {
            dw__thrift_put_element_bytes(out, footer->nodes[i].name);
        }
    }
}
