/*
 * Which columns get statistics. Checklist M5: the first leaves of the schema, or those that are
 * named, and the clustering columns. PROTOCOL.md "Clustered Table".
 */
#include "base/assert.h"
#include "base/vec.h"
#include "codec/json.h"
#include "protocol/schema_edit.h"
#include "protocol/stats.h"

#define NAME_PARTS_MAX DW_COLUMN_PARTS_MAX

/* A leaf with both of its paths. */
typedef struct leaf {
    dw_column_path physical;
    const dw_str *logical; /* as many parts */
    bool chosen;
} leaf;

typedef struct leaf_list {
    leaf *items;
    size_t count;
    size_t capacity;
} leaf_list;

typedef struct leaf_walk {
    dw_arena *arena;
    leaf_list leaves;
    dw_str physical[NAME_PARTS_MAX];
    dw_str logical[NAME_PARTS_MAX];
} leaf_walk;

static void
dw__leaf_walk_cleanup(leaf_walk *walk)
{
    DW_VEC_DEINIT(walk->arena->allocator, &walk->leaves);
}

static dw_str *
dup_parts(dw_arena *arena, const dw_str *parts, size_t count)
{
    dw_str *copy = DW_ARENA_ARRAY(arena, dw_str, count);
    if (copy != NULL) {
        memcpy(copy, parts, count * sizeof(*parts));
    }
    return copy;
}

static bool
add_leaf(leaf_walk *walk, size_t part_count, const dw_type *type)
{
    leaf *new_leaf = DW_VEC_PUSH(walk->arena->allocator, &walk->leaves);
    if (new_leaf == NULL) {
        return false;
    }
    new_leaf->physical.parts = dup_parts(walk->arena, walk->physical, part_count);
    new_leaf->physical.count = part_count;
    new_leaf->physical.type = type;
    new_leaf->logical = dup_parts(walk->arena, walk->logical, part_count);
    return new_leaf->physical.parts != NULL && new_leaf->logical != NULL;
}

static bool
is_partition_column(dw_str name, const dw_str *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (dw__str_equal_nocase(name, columns[i])) {
            return true;
        }
    }
    return false;
}

/* Collects the leaves below a struct, through structs only. Partition columns are top-level. */
static bool
collect_leaves(leaf_walk *walk, const dw_type *type, size_t depth, const dw_str *partition_columns,
               size_t partition_count)
{
    for (size_t i = 0; i < type->field_count && depth < NAME_PARTS_MAX; i++) {
        const dw_field *field = &type->fields[i];
        if (is_partition_column(field->name, partition_columns, partition_count) ||
            field->type->kind == DW_TYPE_VOID) {
            continue;
        }
        walk->physical[depth] = field->physical_name;
        walk->logical[depth] = field->name;
        bool added = field->type->kind == DW_TYPE_STRUCT
                         ? collect_leaves(walk, field->type, depth + 1, NULL, 0)
                         : add_leaf(walk, depth + 1, field->type);
        if (!added) {
            return false;
        }
    }
    return true;
}

/* ---- Columns by name ------------------------------------------------------------------------- */

/* Chooses the leaf of that path, or all leaves of the struct that it leads to. */
static void
choose(leaf_list *leaves, const dw_str *parts, size_t count, bool physical)
{
    for (size_t i = 0; i < leaves->count; i++) {
        leaf *candidate = &leaves->items[i];
        const dw_str *path = physical ? candidate->physical.parts : candidate->logical;
        bool same = candidate->physical.count >= count;
        for (size_t part = 0; part < count && same; part++) {
            same = physical ? dw__str_equal(path[part], parts[part])
                            : dw__str_equal_nocase(path[part], parts[part]);
        }
        candidate->chosen = candidate->chosen || same;
    }
}

static bool
choose_named(leaf_walk *walk, dw_str names)
{
    dw_str parts[NAME_PARTS_MAX];
    size_t count;
    bool out_of_memory = false;
    while (dw__column_parts_take(&names, walk->arena, parts, &count, &out_of_memory)) {
        choose(&walk->leaves, parts, count, false);
    }
    return !out_of_memory;
}

/* ---- Clustering columns ---------------------------------------------------------------------- */

static dw_status
clustering_invalid(dw_error *err)
{
    return dw__error_set(err, DW_CORRUPT, "CLUSTERING_INVALID",
                         "the domain delta.clustering is invalid: expected clusteringColumns as an "
                         "array of paths");
}

/* A path is an array of names; early tables have one name as a string. */
static dw_status
choose_clustering_column(leaf_walk *walk, dw_json path, dw_error *err)
{
    dw_str parts[NAME_PARTS_MAX];
    size_t count = 0;
    if (dw__json_kind(path) == DW_JSON_STRING) {
        parts[count++] = dw__json_str(path);
    } else if (dw__json_kind(path) != DW_JSON_ARRAY) {
        return clustering_invalid(err);
    }
    dw_json_iter it = dw__json_iter(path);
    while (dw__json_next(&it)) {
        dw_str part = dw__json_str(it.value);
        if (dw__str_is_null(part) || count == NAME_PARTS_MAX) {
            return clustering_invalid(err);
        }
        parts[count++] = part;
    }
    if (count > 0) {
        choose(&walk->leaves, parts, count, true);
    }
    return DW_OK;
}

static dw_status
choose_clustering(leaf_walk *walk, dw_str clustering, dw_error *err)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(walk->arena->allocator, clustering, "the domain delta.clustering", &doc,
                          err));
    dw_json columns = dw__json_get(dw__json_root(doc), DW_STR("clusteringColumns"));
    if (dw__json_kind(columns) != DW_JSON_ARRAY) {
        return clustering_invalid(err);
    }
    dw_json_iter it = dw__json_iter(columns);
    while (dw__json_next(&it)) {
        DW_TRY(choose_clustering_column(walk, it.value, err));
    }
    return DW_OK;
}

/* ---- The result ------------------------------------------------------------------------------ */

static dw_status
take_chosen(const leaf_walk *walk, dw_column_path **out, size_t *count_out, dw_error *err)
{
    dw_column_path *paths = DW_ARENA_ARRAY(walk->arena, dw_column_path, walk->leaves.count);
    if (paths == NULL) {
        return dw__error_oom(err);
    }
    size_t count = 0;
    for (size_t i = 0; i < walk->leaves.count; i++) {
        if (walk->leaves.items[i].chosen) {
            paths[count++] = walk->leaves.items[i].physical;
        }
    }
    *out = paths;
    *count_out = count;
    return DW_OK;
}

dw_status
dw__stats_columns_clustered(const dw_type *schema, const dw_str *partition_columns,
                            size_t partition_count, const dw_properties *props, dw_str clustering,
                            dw_arena *arena, dw_column_path **out, size_t *count_out, dw_error *err)
{
    dw_assert(schema->kind == DW_TYPE_STRUCT);
    *out = NULL;
    *count_out = 0;
    DW_CLEANUP(dw__leaf_walk_cleanup) leaf_walk walk = {.arena = arena};
    if (!collect_leaves(&walk, schema, 0, partition_columns, partition_count)) {
        return dw__error_oom(err);
    }
    if (!dw__str_is_null(props->data_skipping_stats_columns)) {
        if (!choose_named(&walk, props->data_skipping_stats_columns)) {
            return dw__error_oom(err);
        }
    } else {
        size_t indexed = props->data_skipping_num_indexed_cols < 0
                             ? SIZE_MAX
                             : (size_t) props->data_skipping_num_indexed_cols;
        for (size_t i = 0; i < walk.leaves.count && i < indexed; i++) {
            walk.leaves.items[i].chosen = true;
        }
    }
    if (!dw__str_is_null(clustering)) {
        DW_TRY(choose_clustering(&walk, clustering, err));
    }
    return take_chosen(&walk, out, count_out, err);
}

dw_status
dw__stats_columns(const dw_type *schema, const dw_str *partition_columns, size_t partition_count,
                  const dw_properties *props, dw_arena *arena, dw_column_path **out,
                  size_t *count_out, dw_error *err)
{
    return dw__stats_columns_clustered(schema, partition_columns, partition_count, props,
                                       DW_STR_NULL, arena, out, count_out, err);
}
