/*
 * Bloom filters: of the files that partition values and statistics have left, those go of which the
 * filters of indexed columns say that no row can meet the predicate.
 *
 *  [FILTERS-1] Only equality with a value, IN and IS NOT DISTINCT FROM are looked up; whatever else
 *              stands in the predicate may be TRUE for some row.
 *  [FILTERS-2] A file without a filter stays. [STORE-1]
 */
#include "base/assert.h"
#include "bloom/definition.h"
#include "bloom/item.h"
#include "bloom/store.h"
#include "scan/scan_core.h"

/* Lookups of one statement in all files; with more of them nothing is looked up. */
#define LOOKUPS_MAX ((size_t) 1 << 25)

/* What the values of a leaf of the predicate are in the filters of one index file. */
typedef struct leaf_items {
    size_t column_idx; /* of the index file; SIZE_MAX: it has no such column */
    const dw_item *items;
} leaf_items;

/* A leaf that can be looked up. */
typedef struct leaf {
    const dw_predicate *predicate;
    const dw_field *field;
    leaf_items *of_files; /* of each index file, made at first use; items NULL: not yet */
    uint8_t *is_made;
} leaf;

typedef struct filter_search {
    const dw_plan_source *source;
    dw_arena *arena;
    dw_bloom_view *view;
    leaf *leaves;
    size_t leaf_count, leaf_max;
    dw_bloom_place places[DW_BLOOM_PLACES_MAX]; /* of the file that is looked at */
    size_t place_count;
    bool was_asked; /* some filter of that file */
    dw_status status;
    dw_error *err;
} filter_search;

/* ---- What can be looked up ------------------------------------------------------------------- */

/* The indexed column that the leaf is about, or NULL. */
static const dw_field *
indexed_field(const dw_plan_source *source, const dw_predicate *predicate)
{
    bool is_lookup = predicate->kind == DW_PREDICATE_IN ||
                     (predicate->kind == DW_PREDICATE_COMPARE &&
                      (predicate->comparison == DW_COMPARISON_EQUAL ||
                       predicate->comparison == DW_COMPARISON_NOT_DISTINCT));
    if (!is_lookup || predicate->transform != DW_TRANSFORM_NONE || predicate->value_count == 0) {
        return NULL;
    }
    const dw_predicate_column *column = &source->scope.columns[predicate->column_idx];
    if (column->is_partition || column->path.count != 1) {
        return NULL;
    }
    for (size_t i = 0; i < source->scope.schema->field_count; i++) {
        const dw_field *field = &source->scope.schema->fields[i];
        if (dw__str_equal(field->physical_name, column->path.parts[0])) {
            return dw__bloom_is_indexed(field) && dw__item_is_of(field->type) &&
                           !dw__bloom_has_collation(field)
                       ? field
                       : NULL;
        }
    }
    return NULL;
}

/* Counts the leaves, and the values in them. Depth is bounded by DW_PREDICATE_DEPTH_MAX. */
static void
count_leaves(const dw_plan_source *source, const dw_predicate *predicate, size_t *leaves,
             size_t *values)
{
    bool is_junction = predicate->kind == DW_PREDICATE_AND || predicate->kind == DW_PREDICATE_OR;
    for (size_t i = 0; is_junction && i < predicate->child_count; i++) {
        count_leaves(source, predicate->children[i], leaves, values);
    }
    if (!is_junction && indexed_field(source, predicate) != NULL) {
        *leaves += 1;
        *values += predicate->value_count;
    }
}

static void
collect_leaves(filter_search *search, const dw_predicate *predicate)
{
    bool is_junction = predicate->kind == DW_PREDICATE_AND || predicate->kind == DW_PREDICATE_OR;
    for (size_t i = 0; is_junction && i < predicate->child_count; i++) {
        collect_leaves(search, predicate->children[i]);
    }
    const dw_field *field = is_junction ? NULL : indexed_field(search->source, predicate);
    if (field != NULL) {
        dw_assert(search->leaf_count < search->leaf_max);
        search->leaves[search->leaf_count++] = (leaf){.predicate = predicate, .field = field};
    }
}

static const dw_item *
make_items(const filter_search *search, const leaf *at, dw_str type)
{
    const dw_predicate *predicate = at->predicate;
    dw_item *items = DW_ARENA_ARRAY(search->arena, dw_item, predicate->value_count);
    for (size_t i = 0; items != NULL && i < predicate->value_count; i++) {
        items[i] = dw__item_of_value(&predicate->values[i], at->field->type, type);
    }
    return items;
}

/* NULL when out of memory. */
static const leaf_items *
items_for(filter_search *search, leaf *at, uint32_t file)
{
    size_t file_count = dw__bloom_view_file_count(search->view);
    if (at->of_files == NULL) {
        at->of_files = DW_ARENA_ARRAY(search->arena, leaf_items, file_count);
        at->is_made = DW_ARENA_ARRAY(search->arena, uint8_t, file_count);
        if (at->of_files == NULL || at->is_made == NULL) {
            at->of_files = NULL;
            return NULL;
        }
    }
    leaf_items *items = &at->of_files[file];
    if (at->is_made[file] == 0) {
        const dw_index *index = dw__bloom_view_index(search->view, file);
        items->column_idx =
            index == NULL ? SIZE_MAX : dw__index_find_column(index, at->field->physical_name);
        if (items->column_idx != SIZE_MAX) {
            items->items = make_items(search, at, index->columns[items->column_idx].type);
            if (items->items == NULL) {
                return NULL;
            }
        }
        at->is_made[file] = 1;
    }
    return items;
}

/* ---- One file -------------------------------------------------------------------------------- */

/* Whether some value of the leaf may be in the file, as one of its filters says. */
static bool
filter_has(filter_search *search, const leaf *at, const leaf_items *items, dw_bloom_place place)
{
    bool found = false;
    for (size_t i = 0; !found && i < at->predicate->value_count; i++) {
        const dw_item *item = &items->items[i];
        found = item->kind == DW_ITEM_UNKNOWN;
        if (item->kind == DW_ITEM_HASH) {
            search->status = dw__bloom_view_has(search->view, place, items->column_idx, item->hash,
                                                &found, search->err);
        }
        found = found || search->status != DW_OK;
    }
    return found;
}

/* True as well when nobody can tell, or after a failure. */
static bool
leaf_may_hold(filter_search *search, leaf *at)
{
    for (size_t i = 0; i < search->place_count; i++) {
        dw_bloom_place place = search->places[i];
        const leaf_items *items = items_for(search, at, place.file);
        if (items == NULL) {
            search->status = dw__error_oom(search->err);
            return true;
        }
        const dw_index *index = dw__bloom_view_index(search->view, place.file);
        if (index == NULL || items->column_idx == SIZE_MAX ||
            !dw__index_filter_is_there(
                dw__index_entry_filter(index, place.entry, items->column_idx))) {
            continue;
        }
        search->was_asked = true;
        if (!filter_has(search, at, items, place)) {
            return false;
        }
    }
    return true;
}

/* Leaves come in the order in which they were collected. */
static bool
may_hold(filter_search *search, const dw_predicate *predicate, size_t *next)
{
    bool is_and = predicate->kind == DW_PREDICATE_AND;
    if (!is_and && predicate->kind != DW_PREDICATE_OR) {
        bool is_leaf = *next < search->leaf_count && search->leaves[*next].predicate == predicate;
        return !is_leaf || leaf_may_hold(search, &search->leaves[(*next)++]);
    }
    bool result = is_and;
    for (size_t i = 0; i < predicate->child_count; i++) {
        bool child = may_hold(search, predicate->children[i], next);
        result = is_and ? result && child : result || child;
    }
    return result;
}

static bool
file_may_match(filter_search *search, const dw_file_set *set, dw_file_ref ref,
               dw_scan_report *report)
{
    dw_index_key key = dw__index_key(dw__file_set_path(set, ref), dw__file_set_file_size(set, ref),
                                     dw__file_set_modification_time_ms(set, ref));
    size_t next = 0;
    search->place_count = dw__bloom_view_find(search->view, &key, search->places);
    search->was_asked = false;
    bool may = may_hold(search, search->source->predicate, &next);
    report->files_without_filters += search->was_asked ? 0 : 1;
    return may;
}

static dw_status
ask_all(filter_search *search, const dw_file_set *set, dw_prune_result *pruned,
        dw_scan_report *report)
{
    size_t kept = 0;
    int64_t size_bytes = 0;
    for (size_t i = 0; i < pruned->count && search->status == DW_OK; i++) {
        if (file_may_match(search, set, pruned->files[i], report)) {
            pruned->files[kept++] = pruned->files[i];
            size_bytes += dw__file_set_file_size(set, pruned->files[i]);
        }
    }
    pruned->count = kept;
    pruned->size_bytes = size_bytes;
    report->has_filters = true;
    report->files_after_filters = (int64_t) kept;
    report->bytes_read_max = size_bytes;
    return search->status;
}

dw_status
dw__scan_ask_filters(const dw_relation *relation, const dw_plan_source *source, dw_arena *arena,
                     dw_prune_result *pruned, dw_scan_report *report, dw_error *err)
{
    size_t value_count = 0;
    size_t lookups;
    filter_search search = {.source = source, .arena = arena, .err = err};
    if (pruned->count == 0 || relation->changes != NULL) {
        return DW_OK;
    }
    count_leaves(source, source->predicate, &search.leaf_max, &value_count);
    if (search.leaf_max == 0 || __builtin_mul_overflow(value_count, pruned->count, &lookups) ||
        lookups > LOOKUPS_MAX) {
        return DW_OK;
    }
    search.leaves = DW_ARENA_ARRAY(arena, leaf, search.leaf_max);
    if (search.leaves == NULL) {
        return dw__error_oom(err);
    }
    collect_leaves(&search, source->predicate);
    DW_TRY(
        dw__bloom_store_look(dw__log_filters(relation->log), relation->version, &search.view, err));
    dw_status status = ask_all(&search, relation->files, pruned, report);
    dw__bloom_view_unref(search.view);
    return status;
}
