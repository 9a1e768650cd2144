/*
 * Ids of what has no field of its own: the elements of arrays, the keys and values of maps.
 * They are kept in the metadata of the nearest field above, by their path from its physical name.
 */
#include "base/assert.h"
#include "base/vec.h"
#include "protocol/column_mapping.h"
#include "protocol/json_arena.h"

#define METADATA_BYTES_MAX ((size_t) 64 << 20)

typedef struct nested_id_vec {
    dw_nested_id *items;
    size_t count;
    size_t capacity;
} nested_id_vec;

/* What is gathered for one field. */
typedef struct nested_walk {
    dw_arena *arena;
    nested_id_vec ids;
    int64_t *max_id;
    bool is_changed;
    dw_error *err;
} nested_walk;

static void
dw__nested_walk_cleanup(nested_walk *walk)
{
    DW_VEC_DEINIT(walk->arena->allocator, &walk->ids);
}

dw_status
dw__nested_ids_read(const dw_field *field, dw_arena *arena, dw_nested_id **out, size_t *count_out,
                    dw_error *err)
{
    *out = NULL;
    *count_out = 0;
    dw_str text;
    DW_TRY(dw__field_metadata_get(field, DW_NESTED_IDS_KEY, arena, &text, err));
    if (dw__str_is_null(text)) {
        return DW_OK;
    }
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(arena->allocator, text, "a column's nested ids", &doc, err));
    dw_json object = dw__json_root(doc);
    *out = DW_ARENA_ARRAY(arena, dw_nested_id, dw__json_count(object) + 1);
    if (*out == NULL) {
        return dw__error_oom(err);
    }
    dw_json_iter it = dw__json_iter(object);
    while (dw__json_next(&it)) {
        dw_nested_id *id = &(*out)[*count_out];
        if (!it.is_object || !dw__json_i64(it.value, &id->id) || id->id < 0 || id->id > INT32_MAX) {
            return dw__error_set(err, DW_CORRUPT, "MAPPING_INVALID",
                                 "the nested ids of column \"%.*s\" are invalid: expected an "
                                 "object of integers",
                                 DW_STR_ARG(field->name));
        }
        if (!dw__arena_dup(arena, it.key, &id->path)) {
            return dw__error_oom(err);
        }
        (*count_out)++;
    }
    return DW_OK;
}

/* ---- Assigning ------------------------------------------------------------------------------- */

static dw_status
ensure_id(nested_walk *walk, dw_str path)
{
    for (size_t i = 0; i < walk->ids.count; i++) {
        if (dw__str_equal(walk->ids.items[i].path, path)) {
            return DW_OK;
        }
    }
    dw_nested_id *id = DW_VEC_PUSH(walk->arena->allocator, &walk->ids);
    if (id == NULL) {
        return dw__error_oom(walk->err);
    }
    *id = (dw_nested_id){.path = path, .id = ++*walk->max_id};
    walk->is_changed = true;
    return DW_OK;
}

static dw_status
ensure_part(nested_walk *walk, dw_str parent, const char *part, dw_str *out)
{
    *out = dw__arena_printf(walk->arena, "%.*s.%s", DW_STR_ARG(parent), part);
    return dw__str_is_null(*out) ? dw__error_oom(walk->err) : ensure_id(walk, *out);
}

/* Arrays and maps down to the next struct. */
static dw_status
ensure_ids(nested_walk *walk, const dw_type *type, dw_str path)
{
    dw_str part;
    if (type->kind == DW_TYPE_ARRAY) {
        DW_TRY(ensure_part(walk, path, "element", &part));
        return ensure_ids(walk, type->element, part);
    }
    if (type->kind == DW_TYPE_MAP) {
        DW_TRY(ensure_part(walk, path, "key", &part));
        DW_TRY(ensure_ids(walk, type->key, part));
        DW_TRY(ensure_part(walk, path, "value", &part));
        return ensure_ids(walk, type->element, part);
    }
    return DW_OK;
}

static dw_status
print_metadata(const nested_walk *walk, const dw_field *field, dw_str *out)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(dw__json_parse(walk->arena->allocator, field->metadata_json, "a column's metadata", &doc,
                          walk->err));
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(walk->arena->allocator, METADATA_BYTES_MAX);
    dw__strbuf_append_char(&json, '{');
    dw_json_iter it = dw__json_iter(dw__json_root(doc));
    while (dw__json_next(&it)) {
        if (!dw__str_equal(it.key, DW_NESTED_IDS_KEY)) {
            dw__json_put_key(&json, it.key);
            dw__json_write(&json, it.value);
        }
    }
    dw__json_put_key(&json, DW_NESTED_IDS_KEY);
    dw__strbuf_append_char(&json, '{');
    for (size_t i = 0; i < walk->ids.count; i++) {
        dw__json_put_key(&json, walk->ids.items[i].path);
        dw__strbuf_append_i64(&json, walk->ids.items[i].id);
    }
    dw__strbuf_append_literal(&json, "}}");
    return dw__strbuf_to_arena(&json, walk->arena, out, walk->err);
}

static dw_status
assign_field(dw_field *field, dw_arena *arena, int64_t *max_id, dw_error *err)
{
    DW_CLEANUP(dw__nested_walk_cleanup)
    nested_walk walk = {.arena = arena, .max_id = max_id, .err = err};
    dw_nested_id *known;
    size_t count;
    DW_TRY(dw__nested_ids_read(field, arena, &known, &count, err));
    for (size_t i = 0; i < count; i++) {
        dw_nested_id *id = DW_VEC_PUSH(arena->allocator, &walk.ids);
        if (id == NULL) {
            return dw__error_oom(err);
        }
        *id = known[i];
    }
    DW_TRY(ensure_ids(&walk, field->type, field->physical_name));
    return walk.is_changed ? print_metadata(&walk, field, &field->metadata_json) : DW_OK;
}

static dw_status
assign_type(const dw_type *type, dw_arena *arena, int64_t *max_id, const dw_type **out,
            dw_error *err)
{
    *out = type;
    if (!dw__type_is_nested(type)) {
        return DW_OK;
    }
    dw_type *copy = DW_ARENA_NEW(arena, dw_type);
    if (copy == NULL) {
        return dw__error_oom(err);
    }
    *copy = *type;
    copy->fields = DW_ARENA_ARRAY(arena, dw_field, type->field_count);
    if (copy->fields == NULL) {
        return dw__error_oom(err);
    }
    for (size_t i = 0; i < type->field_count; i++) {
        dw_field *field = &copy->fields[i];
        *field = type->fields[i];
        DW_TRY(assign_field(field, arena, max_id, err));
        DW_TRY(assign_type(field->type, arena, max_id, &field->type, err));
    }
    if (type->key != NULL) {
        DW_TRY(assign_type(type->key, arena, max_id, &copy->key, err));
    }
    if (type->element != NULL) {
        DW_TRY(assign_type(type->element, arena, max_id, &copy->element, err));
    }
    *out = copy;
    return DW_OK;
}

dw_status
dw__nested_ids_assign(const dw_type *schema, dw_arena *arena, int64_t *max_id, const dw_type **out,
                      dw_error *err)
{
    dw_assert(schema->kind == DW_TYPE_STRUCT);
    return assign_type(schema, arena, max_id, out, err);
}
