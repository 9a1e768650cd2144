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

/* False when a list or map is on the way, or too many groups. */
static bool
find_path(const dw_pq_footer *footer, const dw_pq_node *node, dw_pq_twin *out)
{
    size_t idx = (size_t) (node - footer->nodes);
    for (size_t i = 1; i <= idx; i++) {
        const dw_pq_node *above = &footer->nodes[i];
        if (above->end <= idx) {
            continue;
        }
        if (above->is_repeated || out->depth == DW_PQ_TWIN_DEPTH_MAX) {
            return false;
        }
        out->path[out->depth++] = above;
    }
    return out->depth > 0;
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
        dw__strbuf_append(out, i > 0 ? DW_STR(".") : DW_STR(""));
        dw__strbuf_append(out, twin->path[i]->name);
    }
}

static void
put_element(dw_strbuf *out, const dw_pq_node *node, dw_str name, int64_t field_id)
{
    enum { TYPE = 1, REPETITION = 3, NAME = 4, CHILDREN = 5, FIELD_ID = 9 };
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    bool is_leaf = node->type != DW_PQ_GROUP;
    if (is_leaf) {
        dw__thrift_put_int(&writer, TYPE, DW_THRIFT_I32, node->type);
    }
    dw__thrift_put_int(&writer, REPETITION, DW_THRIFT_I32, node->is_optional ? 1 : 0);
    dw__thrift_put_bytes(&writer, NAME, name);
    if (!is_leaf) {
        dw__thrift_put_int(&writer, CHILDREN, DW_THRIFT_I32, 1);
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
    int64_t variant_id = twin->path[twin->depth - 1]->field_id;
    int64_t id = variant_id < 0 ? -1 : DW_PQ_TWIN_ID_MAX - variant_id;
    for (size_t i = 0; i < twin->depth; i++) {
        put_element(out, twin->path[i], i == 0 ? dw__strbuf_str(&name) : DW_STR(DW_PQ_TWIN_GROUP),
                    i == 0 ? id : -1);
    }
    put_element(out, twin->value, DW_STR("value"), -1);
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
        dw__thrift_put_element_bytes(out, DW_STR(DW_PQ_TWIN_GROUP));
    }
    dw__thrift_put_element_bytes(out, DW_STR("value"));
    out->failed = out->failed || name.failed;
}
