/*
 * See twin.h.
 */
#include "parquet/twin.h"

#include "base/assert.h"
#include "parquet/thrift_write.h"

/* What stands in statistics is a bound: a variant whose first byte is 0 is JSON's null, and no
 * other is less than that. */
bool
dw__pq_may_hold_json_null(const dw_pq_footer *footer, const dw_pq_node *value)
{
    for (size_t i = 0; i < footer->row_group_count; i++) {
        if (footer->row_groups[i].chunks[value->leaf_idx].least_byte <= 0) {
            return true;
        }
    }
    return false;
}

static bool
is_element(const dw_pq_twin *twin, size_t idx)
{
    return idx > 0 && twin->path[idx - 1]->is_repeated;
}

/* What the engine takes for the elements of a list: older writers have groups of one less. */
static bool
has_elements(const dw_pq_node *list, const dw_pq_node *repeated)
{
    bool is_list = list->meaning == DW_PQ_LIST && repeated->child_count == 1 &&
                   !dw__str_equal(repeated->name, DW_STR("array")) &&
                   !dw__str_ends_with(repeated->name, DW_STR("_tuple"));
    return !list->is_repeated &&
           (is_list || (list->meaning == DW_PQ_MAP && repeated->child_count == 2));
}

static bool
are_lists_known(const dw_pq_twin *twin)
{
    for (size_t i = 0; i < twin->depth; i++) {
        bool is_last = i + 1 == twin->depth;
        if (twin->path[i]->is_repeated &&
            (i == 0 || is_last || !has_elements(twin->path[i - 1], twin->path[i]))) {
            return false;
        }
    }
    return true;
}

/* False when there are too many groups on the way. */
static bool
find_path(const dw_pq_footer *footer, const dw_pq_node *node, dw_pq_twin *out)
{
    size_t idx = (size_t) (node - footer->nodes);
    for (size_t i = 1; i <= idx; i++) {
        const dw_pq_node *above = &footer->nodes[i];
        if (above->end <= idx) {
            continue;
        }
        if (out->depth == DW_PQ_TWIN_DEPTH_MAX) {
            return false;
        }
        out->path[out->depth++] = above;
    }
    return out->depth > 0 && are_lists_known(out);
}

bool
dw__pq_twin_find(const dw_pq_footer *footer, const dw_pq_node *node, dw_pq_twin *out)
{
    *out = (dw_pq_twin){0};
    if (node->meaning != DW_PQ_VARIANT || node->type != DW_PQ_GROUP) {
        return false;
    }
    out->value = dw__pq_child(footer, node, DW_STR("value"));
    return out->value != NULL && out->value->is_optional && out->value->type == DW_PQ_BYTE_ARRAY &&
           !out->value->is_repeated && dw__pq_may_hold_json_null(footer, out->value) &&
           find_path(footer, node, out);
}

static void
put_name(const dw_pq_twin *twin, dw_strbuf *out)
{
    dw__strbuf_append_literal(out, DW_PQ_TWIN_PREFIX);
    for (size_t i = 0; i < twin->depth; i++) {
        if (twin->path[i]->is_repeated) {
            continue;
        }
        dw__strbuf_append(out, i > 0 ? DW_STR(".") : DW_STR(""));
        if (is_element(twin, i)) {
            bool is_map = twin->path[i - 2]->meaning == DW_PQ_MAP;
            dw__strbuf_append(out, is_map ? DW_STR("value") : DW_STR("element"));
        } else {
            dw__strbuf_append(out, twin->path[i]->name);
        }
    }
}

/* The name of a group of the twin, below the first. */
static dw_str
group_name(const dw_pq_twin *twin, size_t idx)
{
    return twin->path[idx]->is_repeated ? DW_STR("list")
           : is_element(twin, idx)      ? DW_STR("element")
                                        : DW_STR(DW_PQ_TWIN_GROUP);
}

/* The id of the field that the variant is, or is an element of. */
static int64_t
id_of_field(const dw_pq_twin *twin)
{
    size_t i = twin->depth - 1;
    while (i > 0 && (is_element(twin, i) || twin->path[i]->is_repeated)) {
        i--;
    }
    return twin->path[i]->field_id;
}

static void
put_element(dw_strbuf *out, const dw_pq_node *node, dw_str name, bool is_list, int64_t field_id)
{
    enum { TYPE = 1, REPETITION = 3, NAME = 4, CHILDREN = 5, CONVERTED_TYPE = 6, FIELD_ID = 9 };
    enum { OPTIONAL = 1, REPEATED = 2, LIST = 3 };
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    bool is_leaf = node->type != DW_PQ_GROUP;
    if (is_leaf) {
        dw__thrift_put_int(&writer, TYPE, DW_THRIFT_I32, node->type);
    }
    dw__thrift_put_int(&writer, REPETITION, DW_THRIFT_I32,
                       node->is_repeated   ? REPEATED
                       : node->is_optional ? OPTIONAL
                                           : 0);
    dw__thrift_put_bytes(&writer, NAME, name);
    if (!is_leaf) {
        dw__thrift_put_int(&writer, CHILDREN, DW_THRIFT_I32, 1);
    }
    if (is_list) {
        dw__thrift_put_int(&writer, CONVERTED_TYPE, DW_THRIFT_I32, LIST);
    }
    if (field_id >= 0) {
        dw__thrift_put_int(&writer, FIELD_ID, DW_THRIFT_I32, field_id);
    }
    dw__thrift_put_end(&writer);
}

void
dw__pq_twin_put_elements(const dw_pq_twin *twin, dw_strbuf *out)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(out->allocator, out->size_max);
    put_name(twin, &name);
    int64_t variant_id = id_of_field(twin);
    int64_t id = variant_id < 0 ? -1 : DW_PQ_TWIN_ID_MAX - variant_id;
    for (size_t i = 0; i < twin->depth; i++) {
        bool is_list = i + 1 < twin->depth && twin->path[i + 1]->is_repeated;
        put_element(out, twin->path[i], i == 0 ? dw__strbuf_str(&name) : group_name(twin, i),
                    is_list, i == 0 ? id : -1);
    }
    put_element(out, twin->value, DW_STR("value"), false, -1);
    out->failed = out->failed || name.failed;
}

void
dw__pq_twin_put_path(const dw_pq_twin *twin, dw_strbuf *out)
{
    DW_AUTO(dw_strbuf) name = dw__strbuf_make(out->allocator, out->size_max);
    put_name(twin, &name);
    dw__thrift_put_list(out, DW_THRIFT_BYTES, twin->depth + 1);
    dw__thrift_put_element_bytes(out, dw__strbuf_str(&name));
    for (size_t i = 1; i < twin->depth; i++) {
        dw__thrift_put_element_bytes(out, group_name(twin, i));
    }
    dw__thrift_put_element_bytes(out, DW_STR("value"));
    out->failed = out->failed || name.failed;
}
