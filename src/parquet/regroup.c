/*
 * See regroup.h. The tree of the schema is walked once and written as it will be; the columns,
 * which stand in the order of its leaves, follow with their new paths.
 */
#include "parquet/regroup.h"

#include "base/assert.h"
#include "codec/shredding.h"
#include "parquet/footer.h"
#include "parquet/thrift_write.h"

/* Fields of parquet.thrift. */
enum { FILE_SCHEMA = 2, FILE_ROW_GROUPS = 4 };
enum {
    ELEMENT_TYPE = 1,
    ELEMENT_REPETITION = 3,
    ELEMENT_NAME = 4,
    ELEMENT_CHILDREN = 5,
    ELEMENT_FIELD_ID = 9,
    ELEMENT_LOGICAL_TYPE = 10
};
enum { LOGICAL_VARIANT = 16, VARIANT_VERSION = 1 };
enum { GROUP_COLUMNS = 1, CHUNK_METADATA = 3 };
enum {
    COLUMN_PATH = 3,
    COLUMN_STATISTICS = 12,
    COLUMN_BLOOM_FILTER = 14,
    COLUMN_BLOOM_FILTER_SIZE = 15
};
enum { REQUIRED, OPTIONAL };

/* A leaf as it will be: its path, and whether it is a part of a variant. */
typedef struct new_leaf {
    dw_str path; /* as the list of names that is written */
    bool is_part;
    bool has_statistics; /* of metadata they are of no use; of values they say whether some are
                            JSON's null */
} new_leaf;

typedef struct regrouper {
    dw_pq_footer footer;
    dw_str *elements; /* the bytes of each node */
    dw_str mark;
    dw_arena arena;
    dw_strbuf schema; /* the elements as they will be */
    size_t element_count;
    new_leaf *leaves;
    size_t leaf_count;
    dw_error *err;
} regrouper;

/* The names down to a node. */
typedef struct path {
    const struct path *above;
    dw_str name;
    size_t depth;
} path;

/* ---- Leaves ---------------------------------------------------------------------------------- */

static void
put_path(dw_strbuf *out, const path *at)
{
    if (at->above != NULL) {
        put_path(out, at->above);
        dw__thrift_put_element_bytes(out, at->name);
    }
}

static dw_status
add_leaf(regrouper *r, const path *at, bool is_part, bool has_statistics)
{
    DW_AUTO(dw_strbuf) text = dw__strbuf_make(r->arena.allocator, DW_PQ_FOOTER_BYTES_MAX);
    dw__thrift_put_list(&text, DW_THRIFT_BYTES, at->depth);
    put_path(&text, at);
    new_leaf *leaf = &r->leaves[r->leaf_count++];
    leaf->is_part = is_part;
    leaf->has_statistics = has_statistics;
    DW_TRY(dw__strbuf_ok(&text, "the path of a column", r->err));
    return dw__arena_dup(&r->arena, dw__strbuf_str(&text), &leaf->path) ? DW_OK
                                                                        : dw__error_oom(r->err);
}

/* ---- The tree -------------------------------------------------------------------------------- */

static size_t
idx_of(const regrouper *r, const dw_pq_node *node)
{
    return (size_t) (node - r->footer.nodes);
}

static const dw_pq_node *
first_child(const dw_pq_node *node)
{
    return node + 1;
}

static const dw_pq_node *
next_sibling(const regrouper *r, const dw_pq_node *node)
{
    return &r->footer.nodes[node->end];
}

/* The second part of what `node` is the first of; NULL when it is none. */
static const dw_pq_node *
second_part(const regrouper *r, const dw_pq_node *parent, const dw_pq_node *node)
{
    if (node->end >= parent->end) {
        return NULL;
    }
    const dw_pq_node *next = next_sibling(r, node);
    bool is_part = next->name.len == r->mark.len + node->name.len &&
                   dw__str_starts_with(next->name, r->mark) &&
                   dw__str_ends_with(next->name, node->name);
    return is_part ? next : NULL;
}

static size_t
count_children(const regrouper *r, const dw_pq_node *parent)
{
    size_t count = 0;
    for (const dw_pq_node *node = first_child(parent); idx_of(r, node) < parent->end;) {
        const dw_pq_node *second = second_part(r, parent, node);
        node = next_sibling(r, second == NULL ? node : second);
        count++;
    }
    return count;
}

/* The element as it was, with that name and so many children. */
static void
put_renamed_element(regrouper *r, const dw_pq_node *node, dw_str name, size_t child_count)
{
    dw_thrift_writer writer = dw__thrift_writer_make(&r->schema);
    dw_thrift thrift = dw__thrift_make(r->elements[idx_of(r, node)]);
    dw_thrift_field field = {0};
    while (dw__thrift_next(&thrift, &field)) {
        if (field.id == ELEMENT_CHILDREN) {
            dw__thrift_skip(&thrift, &field);
            dw__thrift_put_int(&writer, ELEMENT_CHILDREN, DW_THRIFT_I32, (int64_t) child_count);
        } else if (field.id == ELEMENT_NAME) {
            dw__thrift_skip(&thrift, &field);
            dw__thrift_put_bytes(&writer, ELEMENT_NAME, name);
        } else {
            dw__thrift_copy(&writer, &thrift, &field);
        }
    }
    dw__thrift_put_end(&writer);
    r->element_count++;
}

static void
put_element(regrouper *r, const dw_pq_node *node, size_t child_count)
{
    put_renamed_element(r, node, node->name, child_count);
}

/* A group that is a variant, instead of a leaf. */
static void
put_variant(regrouper *r, const dw_pq_node *node, size_t child_count)
{
    dw_thrift_writer writer = dw__thrift_writer_make(&r->schema);
    dw_thrift thrift = dw__thrift_make(r->elements[idx_of(r, node)]);
    dw_thrift_field field = {0};
    int64_t field_id = -1;
    while (dw__thrift_next(&thrift, &field)) {
        if (field.id == ELEMENT_FIELD_ID) {
            field_id = dw__thrift_int(&thrift, &field);
        } else {
            dw__thrift_skip(&thrift, &field);
        }
    }
    dw__thrift_put_int(&writer, ELEMENT_REPETITION, DW_THRIFT_I32, OPTIONAL);
    dw__thrift_put_bytes(&writer, ELEMENT_NAME, node->name);
    dw__thrift_put_int(&writer, ELEMENT_CHILDREN, DW_THRIFT_I32, (int64_t) child_count);
    if (field_id >= 0) {
        dw__thrift_put_int(&writer, ELEMENT_FIELD_ID, DW_THRIFT_I32, field_id);
    }
    dw__thrift_put_field(&writer, ELEMENT_LOGICAL_TYPE, DW_THRIFT_STRUCT);
    dw_thrift_writer logical = dw__thrift_writer_make(&r->schema);
    dw__thrift_put_field(&logical, LOGICAL_VARIANT, DW_THRIFT_STRUCT);
    dw_thrift_writer variant = dw__thrift_writer_make(&r->schema);
    dw__thrift_put_int(&variant, VARIANT_VERSION, DW_THRIFT_I8, 1);
    dw__thrift_put_end(&variant);
    dw__thrift_put_end(&logical);
    dw__thrift_put_end(&writer);
    r->element_count++;
}

static dw_status
put_part(regrouper *r, const path *above, dw_str name, int64_t repetition, bool is_value)
{
    const path at = {above, name, above->depth + 1};
    dw_thrift_writer writer = dw__thrift_writer_make(&r->schema);
    dw__thrift_put_int(&writer, ELEMENT_TYPE, DW_THRIFT_I32, DW_PQ_BYTE_ARRAY);
    dw__thrift_put_int(&writer, ELEMENT_REPETITION, DW_THRIFT_I32, repetition);
    dw__thrift_put_bytes(&writer, ELEMENT_NAME, name);
    dw__thrift_put_end(&writer);
    r->element_count++;
    return add_leaf(r, &at, true, is_value);
}

/* ---- Shredded variants ----------------------------------------------------------------------- */

/* The columns of one value: that of its bytes first, then typed ones. */
typedef struct value_columns {
    const dw_pq_node **nodes;
    size_t count;
    bool has_scalar; /* the last is typed */
} value_columns;

/* Recursion is as deep as the tree, which the footer's parser has bounded. */
static dw_status put_value_columns(regrouper *r, const value_columns *columns, const path *at);

/* The columns from the child `first` of `parent` on that speak of the same; `*next_out`: the child
 * behind them. */
static dw_status
take_columns(regrouper *r, const dw_pq_node *parent, const dw_pq_node *first, dw_str *name_out,
             value_columns *out, const dw_pq_node **next_out)
{
    const dw_pq_node *node = first;
    *out = (value_columns){.nodes =
                               DW_ARENA_ARRAY(&r->arena, const dw_pq_node *, parent->child_count)};
    if (out->nodes == NULL) {
        return dw__error_oom(r->err);
    }
    while (idx_of(r, node) < parent->end) {
        dw_shred_column column;
        if (!dw__shred_column_read(node->name, &r->arena, &column)) {
            return dw__pq_odd(r->err, "column of a shredded variant");
        }
        if (dw__str_is_null(column.name)) {
            return dw__error_oom(r->err);
        }
        bool is_first = !column.is_typed && column.list_depth == 0;
        if (is_first != (out->count == 0)) {
            break;
        }
        *name_out = is_first ? column.name : *name_out;
        out->has_scalar = column.is_typed;
        out->nodes[out->count++] = node;
        node = next_sibling(r, node);
    }
    *next_out = node;
    return out->count == 0 ? dw__pq_odd(r->err, "column of a shredded variant") : DW_OK;
}

static void
put_group(regrouper *r, dw_str name, size_t child_count)
{
    dw_thrift_writer writer = dw__thrift_writer_make(&r->schema);
    dw__thrift_put_int(&writer, ELEMENT_REPETITION, DW_THRIFT_I32, REQUIRED);
    dw__thrift_put_bytes(&writer, ELEMENT_NAME, name);
    dw__thrift_put_int(&writer, ELEMENT_CHILDREN, DW_THRIFT_I32, (int64_t) child_count);
    dw__thrift_put_end(&writer);
    r->element_count++;
}

static size_t
count_fields(const regrouper *r, const dw_pq_node *object)
{
    size_t count = 0;
    for (const dw_pq_node *node = first_child(object); idx_of(r, node) < object->end;
         node = next_sibling(r, node)) {
        count += dw__str_starts_with(node->name, DW_STR("v.")) ? 1 : 0;
    }
    return count;
}

/* The struct of the fields of an object: each becomes a group. */
static dw_status
put_object(regrouper *r, const dw_pq_node *object, const path *at)
{
    put_renamed_element(r, object, at->name, count_fields(r, object));
    for (const dw_pq_node *node = first_child(object); idx_of(r, node) < object->end;) {
        value_columns columns;
        dw_str name = DW_STR("");
        DW_TRY(take_columns(r, object, node, &name, &columns, &node));
        const path field = {at, name, at->depth + 1};
        put_group(r, name, columns.count > 1 ? 2 : 1);
        DW_TRY(put_value_columns(r, &columns, &field));
    }
    return DW_OK;
}

/* Lists that are one of groups: lists are optional groups of one that is repeated and has an
 * optional element. */
static dw_status
put_array(regrouper *r, const value_columns *lists, const path *at)
{
    value_columns elements = *lists;
    const dw_pq_node *first = lists->nodes[0];
    for (size_t i = 0; i < lists->count; i++) {
        const dw_pq_node *list = lists->nodes[i];
        const dw_pq_node *repeated = list->child_count == 1 ? first_child(list) : list;
        if (repeated == list || !repeated->is_repeated || repeated->child_count != 1 ||
            list->max_def != first->max_def || list->max_rep != first->max_rep) {
            return dw__pq_odd(r->err, "list of a shredded variant");
        }
        elements.nodes[i] = first_child(repeated);
    }
    put_renamed_element(r, first, at->name, 1);
    const dw_pq_node *repeated = first_child(first);
    const path list = {at, repeated->name, at->depth + 1};
    const path element = {&list, DW_STR("element"), at->depth + 2};
    put_element(r, repeated, 1);
    put_group(r, element.name, lists->count > 1 ? 2 : 1);
    return put_value_columns(r, &elements, &element);
}

static dw_status
put_typed(regrouper *r, const value_columns *columns, const path *above)
{
    const path at = {above, DW_STR("typed_value"), above->depth + 1};
    const dw_pq_node *node = columns->nodes[0];
    if (columns->count > 1 || !columns->has_scalar) {
        return put_array(r, columns, &at);
    }
    if (node->type == DW_PQ_GROUP) {
        return put_object(r, node, &at);
    }
    put_renamed_element(r, node, at.name, 0);
    return add_leaf(r, &at, false, true);
}

/* What is within the group of a value. */
static dw_status
put_value_columns(regrouper *r, const value_columns *columns, const path *at)
{
    const dw_pq_node *bytes = columns->nodes[0];
    if (bytes->type != DW_PQ_BYTE_ARRAY || !bytes->is_optional) {
        return dw__pq_odd(r->err, "column of a shredded variant");
    }
    DW_TRY(put_part(r, at, DW_STR("value"), OPTIONAL, true));
    const value_columns typed = {columns->nodes + 1, columns->count - 1, columns->has_scalar};
    return typed.count == 0 ? DW_OK : put_typed(r, &typed, at);
}

/* `a`: metadata, `b`: the struct of the rest. Both are there where the variant is. */
static dw_status
put_shredded(regrouper *r, const dw_pq_node *a, const dw_pq_node *b, const path *at)
{
    value_columns columns;
    const dw_pq_node *end;
    dw_str name;
    if (!b->is_optional || b->max_def != a->max_def || b->max_rep != a->max_rep) {
        return dw__pq_odd(r->err, "pair of columns");
    }
    DW_TRY(take_columns(r, b, first_child(b), &name, &columns, &end));
    if (idx_of(r, end) != b->end) {
        return dw__pq_odd(r->err, "column of a shredded variant");
    }
    put_variant(r, a, columns.count > 1 ? 3 : 2);
    DW_TRY(put_part(r, at, DW_STR("metadata"), REQUIRED, false));
    return put_value_columns(r, &columns, at);
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

/* Recursion is as deep as the tree, which the footer's parser has bounded. */
static dw_status put_node(regrouper *r, const dw_pq_node *node, const path *above);

/* A list is a repeated group of one, a map of two: the last child is what has the two parts. */
static dw_status put_merged_group(regrouper *r, const dw_pq_node *a, const dw_pq_node *b,
                                  const path *at);

static dw_status
put_merged(regrouper *r, const dw_pq_node *a, const dw_pq_node *b, const path *above)
{
    const path at = {above, a->name, above->depth + 1};
    if (a->type == DW_PQ_GROUP && b->type == DW_PQ_GROUP) {
        return put_merged_group(r, a, b, &at);
    }
    if (a->type == DW_PQ_BYTE_ARRAY && a->is_optional && b->type == DW_PQ_GROUP) {
        return put_shredded(r, a, b, &at);
    }
    if (a->type != DW_PQ_BYTE_ARRAY || b->type != DW_PQ_BYTE_ARRAY || !a->is_optional ||
        !b->is_optional) {
        return dw__pq_odd(r->err, "pair of columns");
    }
    put_variant(r, a, 2);
    DW_TRY(put_part(r, &at, DW_STR("metadata"), REQUIRED, false));
    return put_part(r, &at, DW_STR("value"), REQUIRED, true);
}

static dw_status
put_merged_group(regrouper *r, const dw_pq_node *a, const dw_pq_node *b, const path *at)
{
    if (a->child_count == 0 || b->child_count != 1 || a->max_def != b->max_def ||
        a->max_rep != b->max_rep) {
        return dw__pq_odd(r->err, "pair of columns");
    }
    put_element(r, a, a->child_count);
    const dw_pq_node *child = first_child(a);
    for (; child->end < a->end; child = next_sibling(r, child)) {
        DW_TRY(put_node(r, child, at));
    }
    return put_merged(r, child, first_child(b), at);
}

static dw_status
put_children(regrouper *r, const dw_pq_node *parent, const path *at)
{
    for (const dw_pq_node *node = first_child(parent); idx_of(r, node) < parent->end;) {
        const dw_pq_node *second = second_part(r, parent, node);
        DW_TRY(second == NULL ? put_node(r, node, at) : put_merged(r, node, second, at));
        node = next_sibling(r, second == NULL ? node : second);
    }
    return DW_OK;
}

static dw_status
put_node(regrouper *r, const dw_pq_node *node, const path *above)
{
    const path at = {above, node->name, above == NULL ? 0 : above->depth + 1};
    if (node->type != DW_PQ_GROUP) {
        put_element(r, node, 0);
        return add_leaf(r, &at, false, true);
    }
    put_element(r, node, count_children(r, node));
    return put_children(r, node, &at);
}

/* ---- Columns --------------------------------------------------------------------------------- */

static void
put_column_metadata(dw_thrift *thrift, const new_leaf *leaf, dw_strbuf *out)
{
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        bool is_filter = field.id == COLUMN_BLOOM_FILTER || field.id == COLUMN_BLOOM_FILTER_SIZE;
        if (field.id == COLUMN_PATH) {
            dw__thrift_skip(thrift, &field);
            dw__thrift_put_field(&writer, COLUMN_PATH, DW_THRIFT_LIST);
            dw__strbuf_append(out, leaf->path);
        } else if ((leaf->is_part && is_filter) ||
                   (!leaf->has_statistics && field.id == COLUMN_STATISTICS)) {
            dw__thrift_skip(thrift, &field); /* variants are not searched for by their bytes */
        } else {
            dw__thrift_copy(&writer, thrift, &field);
        }
    }
    dw__thrift_put_end(&writer);
}

static void
put_chunk(dw_thrift *thrift, const new_leaf *leaf, dw_strbuf *out)
{
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        if (field.id == CHUNK_METADATA && field.type == DW_THRIFT_STRUCT) {
            dw__thrift_put_field(&writer, CHUNK_METADATA, DW_THRIFT_STRUCT);
            put_column_metadata(thrift, leaf, out);
        } else {
            dw__thrift_copy(&writer, thrift, &field);
        }
    }
    dw__thrift_put_end(&writer);
}

static void
put_row_group(regrouper *r, dw_thrift *thrift, dw_strbuf *out)
{
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    dw_thrift_field field = {0};
    while (dw__thrift_next(thrift, &field)) {
        if (field.id != GROUP_COLUMNS) {
            dw__thrift_copy(&writer, thrift, &field);
            continue;
        }
        size_t count = dw__thrift_list(thrift, &field, DW_THRIFT_STRUCT);
        dw_assert(thrift->failed || count == r->leaf_count); /* the parser has counted them */
        dw__thrift_put_field(&writer, GROUP_COLUMNS, DW_THRIFT_LIST);
        dw__thrift_put_list(out, DW_THRIFT_STRUCT, count);
        for (size_t i = 0; i < count && !thrift->failed; i++) {
            put_chunk(thrift, &r->leaves[i], out);
        }
    }
    dw__thrift_put_end(&writer);
}

/* ---- The footer ------------------------------------------------------------------------------ */

/* Finds the bytes of each element. */
static dw_status
find_elements(regrouper *r, dw_str footer)
{
    static const dw_thrift_field element = {0, DW_THRIFT_STRUCT};
    dw_thrift thrift = dw__thrift_make(footer);
    dw_thrift_field field = {0};
    while (dw__thrift_next(&thrift, &field) && field.id != FILE_SCHEMA) {
        dw__thrift_skip(&thrift, &field);
    }
    size_t count = dw__thrift_list(&thrift, &field, DW_THRIFT_STRUCT);
    dw_assert(!thrift.failed && count == r->footer.node_count); /* it was parsed before */
    for (size_t i = 0; i < count; i++) {
        const char *start = thrift.at;
        dw__thrift_skip(&thrift, &element);
        r->elements[i] = dw__str_make(start, (size_t) (thrift.at - start));
    }
    return thrift.failed ? dw__pq_odd(r->err, "schema") : DW_OK;
}

static void
put_footer(regrouper *r, dw_str footer, dw_strbuf *out)
{
    dw_thrift thrift = dw__thrift_make(footer);
    dw_thrift_writer writer = dw__thrift_writer_make(out);
    dw_thrift_field field = {0};
    while (dw__thrift_next(&thrift, &field)) {
        if (field.id == FILE_SCHEMA) {
            dw__thrift_skip(&thrift, &field);
            dw__thrift_put_field(&writer, FILE_SCHEMA, DW_THRIFT_LIST);
            dw__thrift_put_list(out, DW_THRIFT_STRUCT, r->element_count);
            dw__strbuf_append(out, dw__strbuf_str(&r->schema));
        } else if (field.id == FILE_ROW_GROUPS) {
            size_t count = dw__thrift_list(&thrift, &field, DW_THRIFT_STRUCT);
            dw__thrift_put_field(&writer, FILE_ROW_GROUPS, DW_THRIFT_LIST);
            dw__thrift_put_list(out, DW_THRIFT_STRUCT, count);
            for (size_t i = 0; i < count && !thrift.failed; i++) {
                put_row_group(r, &thrift, out);
            }
        } else {
            dw__thrift_copy(&writer, &thrift, &field);
        }
    }
    dw__thrift_put_end(&writer);
    out->failed = out->failed || r->schema.failed;
}

static dw_status
regroup(regrouper *r, dw_str footer, dw_strbuf *out)
{
    DW_TRY(dw__pq_footer_parse(footer, &r->arena, &r->footer, r->err));
    r->elements = DW_ARENA_ARRAY(&r->arena, dw_str, r->footer.node_count);
    r->leaves = DW_ARENA_ARRAY(&r->arena, new_leaf, r->footer.leaf_count);
    if (r->elements == NULL || r->leaves == NULL) {
        return dw__error_oom(r->err);
    }
    DW_TRY(find_elements(r, footer));
    DW_TRY(put_node(r, &r->footer.nodes[0], NULL));
    dw_assert(r->leaf_count == r->footer.leaf_count);
    put_footer(r, footer, out);
    return dw__strbuf_ok(out, "the footer of a Parquet file", r->err);
}

dw_status
dw__pq_footer_regroup(dw_str footer, dw_str mark, const dw_allocator *allocator, dw_strbuf *out,
                      dw_error *err)
{
    dw_assert(mark.len > 0);
    regrouper r = {.mark = mark, .err = err};
    dw__arena_init(&r.arena, allocator);
    r.schema = dw__strbuf_make(allocator, DW_PQ_FOOTER_BYTES_MAX);
    dw_status status = regroup(&r, footer, out);
    dw__strbuf_deinit(&r.schema);
    dw__arena_deinit(&r.arena);
    return status;
}

dw_status
dw__pq_regroup(dw_pq_source *source, dw_str mark, dw_error *err)
{
    const dw_allocator *allocator = source->storage->env->allocator;
    DW_AUTO(dw_strbuf) bytes = dw__strbuf_make(allocator, DW_PQ_FOOTER_BYTES_MAX + DW_PQ_END_BYTES);
    DW_AUTO(dw_strbuf) end = dw__strbuf_make(allocator, DW_PQ_FOOTER_BYTES_MAX);
    dw_str footer;
    DW_TRY(dw__pq_source_footer(source, &bytes, &footer, err));
    DW_TRY(dw__pq_footer_regroup(footer, mark, allocator, &end, err));
    dw__pq_footer_end(&end);
    DW_TRY(dw__strbuf_ok(&end, "the footer of a Parquet file", err));
    DW_TRY(dw__storage_append(source->storage, source->key, dw__strbuf_str(&end), err));
    source->size_bytes += (int64_t) end.len;
    return DW_OK;
}
