/*
 * Building, comparing and searching schemas.
 */
#include "protocol/schema.h"

#include "base/assert.h"
#include "codec/json.h"
#include "protocol/field_traits.h"
#include "protocol/json_arena.h"

/* ---- Building -------------------------------------------------------------------------------- */

static dw_type *
make_type(dw_arena *arena, dw_type_kind kind)
{
    dw_type *type = DW_ARENA_NEW(arena, dw_type);
    if (type != NULL) {
        type->kind = kind;
    }
    return type;
}

const dw_type *
dw__type_make(dw_arena *arena, dw_type_kind kind)
{
    dw_assert(kind != DW_TYPE_DECIMAL && kind != DW_TYPE_STRUCT && kind != DW_TYPE_ARRAY &&
              kind != DW_TYPE_MAP);
    return make_type(arena, kind);
}

const dw_type *
dw__type_make_decimal(dw_arena *arena, uint8_t precision, uint8_t scale)
{
    dw_assert(precision >= 1 && precision <= DW_DECIMAL_PRECISION_MAX);
    dw_assert(scale <= precision);
    dw_type *type = make_type(arena, DW_TYPE_DECIMAL);
    if (type != NULL) {
        type->precision = precision;
        type->scale = scale;
    }
    return type;
}

const dw_type *
dw__type_make_array(dw_arena *arena, const dw_type *element, bool contains_null)
{
    dw_assert(element != NULL);
    dw_type *type = make_type(arena, DW_TYPE_ARRAY);
    if (type != NULL) {
        type->element = element;
        type->contains_null = contains_null;
    }
    return type;
}

const dw_type *
dw__type_make_map(dw_arena *arena, const dw_type *key, const dw_type *value,
                  bool value_contains_null)
{
    dw_assert(key != NULL);
    dw_assert(value != NULL);
    dw_type *type = make_type(arena, DW_TYPE_MAP);
    if (type != NULL) {
        type->key = key;
        type->element = value;
        type->contains_null = value_contains_null;
    }
    return type;
}

unsigned
dw__field_traits(dw_json metadata)
{
    unsigned traits = 0;
    dw_json_iter it = dw__json_iter(metadata);
    while (dw__json_next(&it)) {
        traits |= dw__str_equal(it.key, DW_STR("delta.invariants")) ? DW_FIELD_INVARIANT : 0u;
        traits |=
            dw__str_equal(it.key, DW_STR("delta.generationExpression")) ? DW_FIELD_GENERATED : 0u;
        traits |= dw__str_starts_with(it.key, DW_STR("delta.identity.")) ? DW_FIELD_IDENTITY : 0u;
        traits |= dw__str_equal(it.key, DW_STR("CURRENT_DEFAULT")) ? DW_FIELD_DEFAULT : 0u;
        traits |= dw__str_equal(it.key, DW_STR("delta.typeChanges")) ? DW_FIELD_WIDENED : 0u;
    }
    return traits;
}

/* The traits of metadata as text; text that is no JSON has none. False when out of memory. */
static bool
find_traits(dw_str metadata, const dw_allocator *allocator, unsigned *out)
{
    *out = 0;
    if (metadata.len <= 2) {
        return true;
    }
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_status status = dw__json_parse(allocator, metadata, "a column's metadata", &doc, NULL);
    if (status == DW_OK) {
        *out = dw__field_traits(dw__json_root(doc));
    }
    return status != DW_OUT_OF_MEMORY;
}

/* Copies the field's strings into the arena and fills in what a new field leaves out. */
static bool
dup_field(dw_arena *arena, const dw_field *from, dw_field *to)
{
    dw_assert(from->type != NULL);
    dw_assert(from->name.ptr != NULL);
    *to = *from;
    bool is_new = dw__str_is_null(from->physical_name);
    if (is_new) {
        to->mapping_id = -1;
    }
    dw_str metadata = from->metadata_json.len == 0 ? DW_STR("{}") : from->metadata_json;
    dw_str extra = dw__str_is_null(from->extra_json) ? DW_STR("") : from->extra_json;
    if (!find_traits(metadata, arena->allocator, &to->traits)) {
        return false;
    }
    return dw__arena_dup(arena, from->name, &to->name) &&
           dw__arena_dup(arena, is_new ? from->name : from->physical_name, &to->physical_name) &&
           dw__arena_dup(arena, metadata, &to->metadata_json) &&
           dw__arena_dup(arena, extra, &to->extra_json);
}

const dw_type *
dw__type_make_struct(dw_arena *arena, const dw_field *fields, size_t count)
{
    dw_type *type = make_type(arena, DW_TYPE_STRUCT);
    if (type == NULL) {
        return NULL;
    }
    type->field_count = count;
    type->fields = DW_ARENA_ARRAY(arena, dw_field, count);
    if (type->fields == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!dup_field(arena, &fields[i], &type->fields[i])) {
            return NULL;
        }
    }
    return type;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static bool
fields_equal(const dw_type *a, const dw_type *b, bool ignore_nullability)
{
    if (a->field_count != b->field_count) {
        return false;
    }
    for (size_t i = 0; i < a->field_count; i++) {
        const dw_field *x = &a->fields[i];
        const dw_field *y = &b->fields[i];
        if (!dw__str_equal(x->name, y->name) ||
            (!ignore_nullability && x->nullable != y->nullable) ||
            !dw__type_equal(x->type, y->type, ignore_nullability)) {
            return false;
        }
    }
    return true;
}

bool
dw__type_equal(const dw_type *a, const dw_type *b, bool ignore_nullability)
{
    if (a == b) {
        return true;
    }
    if (a->kind != b->kind) {
        return false;
    }
    bool nulls_equal = ignore_nullability || a->contains_null == b->contains_null;
    if (a->kind == DW_TYPE_STRUCT) {
        return fields_equal(a, b, ignore_nullability);
    }
    if (a->kind == DW_TYPE_ARRAY) {
        return nulls_equal && dw__type_equal(a->element, b->element, ignore_nullability);
    }
    if (a->kind == DW_TYPE_MAP) {
        return nulls_equal && dw__type_equal(a->key, b->key, ignore_nullability) &&
               dw__type_equal(a->element, b->element, ignore_nullability);
    }
    return a->kind != DW_TYPE_DECIMAL || (a->precision == b->precision && a->scale == b->scale);
}

/* ---- Searching ------------------------------------------------------------------------------- */

size_t
dw__schema_find_idx(const dw_type *schema, dw_str name)
{
    dw_assert(schema->kind == DW_TYPE_STRUCT);
    for (size_t i = 0; i < schema->field_count; i++) {
        if (dw__str_equal(schema->fields[i].name, name)) {
            return i;
        }
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        if (dw__str_equal_nocase(schema->fields[i].name, name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

const dw_field *
dw__schema_find(const dw_type *schema, dw_str name)
{
    size_t idx = dw__schema_find_idx(schema, name);
    return idx == SIZE_MAX ? NULL : &schema->fields[idx];
}

const dw_field *
dw__schema_find_physical(const dw_type *type, dw_str physical_name)
{
    for (size_t i = 0; type != NULL && i < type->field_count; i++) {
        if (dw__str_equal(type->fields[i].physical_name, physical_name)) {
            return &type->fields[i];
        }
    }
    return NULL;
}

/*
 * True if the text of a metadata object may have a member like that; a quick look before parsing.
 */
static bool
may_hold_key(dw_str json, dw_str key)
{
    return json.len > key.len && memmem(json.ptr, json.len, key.ptr, key.len) != NULL;
}

/* The text of a member's value as a property would show it. */
static dw_status
member_text(dw_json value, dw_arena *arena, dw_str *out, dw_error *err)
{
    dw_str text = dw__json_str(value);
    if (dw__str_is_null(text)) {
        return dw__json_to_arena(value, arena, out, err);
    }
    return dw__arena_dup(arena, text, out) ? DW_OK : dw__error_oom(err);
}

dw_status
dw__field_metadata_get(const dw_field *field, dw_str key, dw_arena *arena, dw_str *out,
                       dw_error *err)
{
    *out = DW_STR_NULL;
    if (!may_hold_key(field->metadata_json, key)) {
        return DW_OK;
    }
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    DW_TRY(
        dw__json_parse(arena->allocator, field->metadata_json, "a column's metadata", &doc, err));
    dw_json value = dw__json_get(dw__json_root(doc), key);
    return dw__json_kind(value) == DW_JSON_MISSING ? DW_OK : member_text(value, arena, out, err);
}

const dw_field *
dw__schema_find_trait(const dw_type *schema, dw_field_trait trait)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const dw_field *field = &schema->fields[i];
        if ((field->traits & (unsigned) trait) != 0) {
            return field;
        }
        const dw_field *inner = dw__schema_find_trait(field->type, trait);
        if (inner != NULL) {
            return inner;
        }
    }
    const dw_field *found =
        schema->element == NULL ? NULL : dw__schema_find_trait(schema->element, trait);
    return found != NULL || schema->key == NULL ? found : dw__schema_find_trait(schema->key, trait);
}

/* ---- Column mapping -------------------------------------------------------------------------- */

static bool
is_mapped(const dw_type *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        if (field->mapping_id != -1 || !dw__str_equal(field->physical_name, field->name) ||
            is_mapped(field->type)) {
            return true;
        }
    }
    return (type->element != NULL && is_mapped(type->element)) ||
           (type->key != NULL && is_mapped(type->key));
}

/* Copies one type whose parts are `type`'s parts after the same treatment. */
static const dw_type *
dup_without_mapping(const dw_type *type, dw_arena *arena)
{
    if (!dw__type_is_nested(type)) {
        return type;
    }
    dw_type *copy = DW_ARENA_NEW(arena, dw_type);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *type;
    copy->fields = DW_ARENA_ARRAY(arena, dw_field, type->field_count);
    copy->element = type->element == NULL ? NULL : dup_without_mapping(type->element, arena);
    copy->key = type->key == NULL ? NULL : dup_without_mapping(type->key, arena);
    if (copy->fields == NULL || (copy->element == NULL) != (type->element == NULL) ||
        (copy->key == NULL) != (type->key == NULL)) {
        return NULL;
    }
    for (size_t i = 0; i < type->field_count; i++) {
        dw_field *field = &copy->fields[i];
        *field = type->fields[i];
        field->physical_name = field->name;
        field->mapping_id = -1;
        field->type = dup_without_mapping(type->fields[i].type, arena);
        if (field->type == NULL) {
            return NULL;
        }
    }
    return copy;
}

const dw_type *
dw__schema_without_mapping(const dw_type *schema, dw_arena *arena)
{
    return is_mapped(schema) ? dup_without_mapping(schema, arena) : schema;
}
