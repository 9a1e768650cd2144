/*
 * See witness.h. Whether some file may have none of a struct's fields is seen from the ids of
 * column mapping: what is made at once is numbered without gaps, the struct before its first field
 * or behind it, and what is added later has a higher number than all before. So a struct that has a
 * field with a number below its own, or the one behind it, has a field of its first time, which all
 * files have. Where it has none, footers tell.
 */
#include "scan/witness.h"

#include "base/assert.h"
#include "parquet/footer.h"

/* Fields that are asked for beside those of all structs. */
#define WITNESSES_MAX 256

typedef struct witness_search {
    dw_scan_sql *select;
    const dw_pq_footer *footer; /* of the file that is looked at */
    dw_scan_witness *items;
    size_t count;
    bool is_full;
} witness_search;

/* ---- Whether there may be such files --------------------------------------------------------- */

/* Recursion here and below is at most DW_SCHEMA_DEPTH_MAX deep. `id`: of the nearest field. */
static bool
may_have_none(const dw_type *type, int64_t id)
{
    bool has_first = type->kind != DW_TYPE_STRUCT;
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        has_first = has_first || field->mapping_id < 0 || field->mapping_id <= id + 1;
        if (may_have_none(field->type, field->mapping_id)) {
            return true;
        }
    }
    return !has_first || (type->key != NULL && may_have_none(type->key, id)) ||
           (type->element != NULL && may_have_none(type->element, id));
}

/* ---- One file -------------------------------------------------------------------------------- */

/* A child by what files call it, as the engine looks for it. */
static const dw_pq_node *
find_child(const witness_search *search, const dw_pq_node *parent, dw_str name)
{
    const dw_pq_node *nodes = search->footer->nodes;
    for (const dw_pq_node *node = parent + 1; node < nodes + parent->end;
         node = nodes + node->end) {
        if (dw__str_equal_nocase(node->name, name)) {
            return node;
        }
    }
    return NULL;
}

static const dw_pq_node *
find_column(const witness_search *search, const dw_field *field, bool by_id)
{
    const dw_pq_node *nodes = search->footer->nodes;
    for (const dw_pq_node *node = nodes + 1; by_id && node < nodes + nodes->end;
         node = nodes + node->end) {
        if (node->field_id == field->mapping_id) {
            return node;
        }
    }
    return by_id ? NULL : find_child(search, nodes, field->physical_name);
}

static void
add_witness(witness_search *search, const dw_type *type, dw_str name)
{
    for (size_t i = 0; i < search->count; i++) {
        if (search->items[i].type == type && dw__str_equal_nocase(search->items[i].name, name)) {
            return;
        }
    }
    search->is_full = search->is_full || search->count == WITNESSES_MAX;
    if (!search->is_full) {
        search->items[search->count++] = (dw_scan_witness){type, name};
    }
}

static void visit(witness_search *search, const dw_pq_node *node, const dw_type *type);

static void
visit_struct(witness_search *search, const dw_pq_node *node, const dw_type *type)
{
    bool has_common = false;
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        const dw_pq_node *child = find_child(search, node, field->physical_name);
        if (child != NULL && field->type->kind != DW_TYPE_VOID) {
            has_common = true;
            visit(search, child, field->type);
        }
    }
    if (!has_common) {
        add_witness(search, type, node[1].name);
    }
}

/* A list is a group of a repeated group of one, a map one of two; older lists lack one of these. */
static void
visit_elements(witness_search *search, const dw_pq_node *node, const dw_type *type)
{
    const dw_pq_node *repeated = node + 1;
    size_t expected = type->kind == DW_TYPE_MAP ? 2 : 1;
    if (node->child_count != 1 || !repeated->is_repeated) {
        return;
    }
    if (repeated->child_count != expected) {
        if (expected == 1) {
            visit(search, repeated, type->element);
        }
        return;
    }
    const dw_pq_node *first = repeated + 1;
    if (expected == 2) {
        visit(search, first, type->key);
    }
    visit(search, expected == 2 ? search->footer->nodes + first->end : first, type->element);
}

static void
visit(witness_search *search, const dw_pq_node *node, const dw_type *type)
{
    if (node->type != DW_PQ_GROUP || node->child_count == 0) {
        return;
    }
    if (type->kind == DW_TYPE_STRUCT) {
        visit_struct(search, node, type);
    } else if (type->kind == DW_TYPE_ARRAY || type->kind == DW_TYPE_MAP) {
        visit_elements(search, node, type);
    }
}

/* ---- What is asked for ----------------------------------------------------------------------- */

static const dw_type *with_witnesses(const witness_search *search, const dw_type *type,
                                     dw_arena *arena);

static const dw_type *
struct_with_witnesses(const witness_search *search, const dw_type *type, dw_arena *arena)
{
    dw_field *fields = DW_ARENA_ARRAY(arena, dw_field, type->field_count + search->count);
    const dw_type *text = dw__type_make(arena, DW_TYPE_STRING);
    size_t count = type->field_count;
    if (fields == NULL || text == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < type->field_count; i++) {
        fields[i] = type->fields[i];
        fields[i].type = with_witnesses(search, fields[i].type, arena);
        if (fields[i].type == NULL) {
            return NULL;
        }
    }
    for (size_t i = 0; i < search->count; i++) {
        if (search->items[i].type == type) {
            dw_str name = search->items[i].name;
            fields[count++] = (dw_field){.name = name, .physical_name = name, .type = text};
        }
    }
    return dw__type_make_struct(arena, fields, count);
}

/* NULL: out of memory. */
static const dw_type *
with_witnesses(const witness_search *search, const dw_type *type, dw_arena *arena)
{
    if (type->kind == DW_TYPE_STRUCT) {
        return struct_with_witnesses(search, type, arena);
    }
    if (type->element == NULL) {
        return type;
    }
    const dw_type *element = with_witnesses(search, type->element, arena);
    const dw_type *key = type->key == NULL ? NULL : with_witnesses(search, type->key, arena);
    if (element == NULL || (type->key != NULL && key == NULL)) {
        return NULL;
    }
    return type->key == NULL ? dw__type_make_array(arena, element, true)
                             : dw__type_make_map(arena, key, element, true);
}

static dw_status
ask(witness_search *search, dw_arena *arena, dw_error *err)
{
    dw_scan_sql *select = search->select;
    size_t count = select->schema->field_count;
    const dw_type **asked = DW_ARENA_ARRAY(arena, const dw_type *, count);
    if (asked == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < count; i++) {
        asked[i] = with_witnesses(search, select->schema->fields[i].type, arena);
        if (asked[i] == NULL) {
            return dw__error_oom(err);
        }
    }
    select->asked = asked;
    select->witnesses = search->items;
    select->witness_count = search->count;
    return DW_OK;
}

/* ---- All ------------------------------------------------------------------------------------- */

/* Which columns may have such structs, in `arena`; `*any_out`: whether one has. */
static dw_status
choose_columns(const dw_scan_sql *select, const dw_plan_source *plan, dw_arena *arena, bool **out,
               bool *any_out, dw_error *err)
{
    size_t count = select->schema->field_count;
    *any_out = false;
    *out = DW_ARENA_ARRAY(arena, bool, count + 1);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; select->mapping_mode != DW_MAPPING_NONE && i < count; i++) {
        const dw_field *field = &select->schema->fields[i];
        (*out)[i] = field->mapping_id >= 0 && may_have_none(field->type, field->mapping_id) &&
                    (plan == NULL || dw__plan_reads(plan, i));
        *any_out = *any_out || (*out)[i];
    }
    return DW_OK;
}

dw_status
dw__scan_find_witnesses(const dw_env *env, dw_scan_sql *select, const dw_plan_source *plan,
                        const dw_str *paths, size_t count, dw_arena *arena, dw_error *err)
{
    bool *wanted;
    bool is_any;
    DW_TRY(choose_columns(select, plan, arena, &wanted, &is_any, err));
    if (!is_any) {
        return DW_OK;
    }
    witness_search search = {.select = select,
                             .items = DW_ARENA_ARRAY(arena, dw_scan_witness, WITNESSES_MAX)};
    bool by_id = select->mapping_mode == DW_MAPPING_ID && !dw__scan_sql_ignores_ids(select);
    DW_AUTO(dw_arena) scratch;
    dw__arena_init(&scratch, arena->allocator);
    for (size_t i = 0; i < count && search.items != NULL; i++) {
        dw_pq_footer footer;
        bool is_read;
        size_t before = search.count;
        if (dw__env_is_cancelled(env)) {
            return dw__error_set(err, DW_CANCELLED, "CANCELLED", "interrupted");
        }
        dw__arena_reset(&scratch);
        search.footer = &footer;
        DW_TRY(dw__pq_footer_open(env, paths[i], &scratch, &footer, &is_read, err));
        for (size_t k = 0; is_read && k < select->schema->field_count; k++) {
            const dw_field *field = &select->schema->fields[k];
            const dw_pq_node *node = wanted[k] ? find_column(&search, field, by_id) : NULL;
            if (node != NULL) {
                visit(&search, node, field->type);
            }
        }
        for (size_t k = before; k < search.count; k++) { /* names are in the footer */
            if (!dw__arena_dup(arena, search.items[k].name, &search.items[k].name)) {
                return dw__error_oom(err);
            }
        }
    }
    if (search.items == NULL) {
        return dw__error_oom(err);
    }
    return search.count == 0 ? DW_OK : ask(&search, arena, err);
}
