/*
 * Giving ids and physical names to the columns of a schema, parents before their children, and
 * judging changes of the mode. [MAPPING-1] [MAPPING-2] [MAPPING-3]
 */
#include "protocol/column_mapping.h"

#include "base/assert.h"
#include "codec/codec.h"
#include "protocol/column_name.h"
#include "protocol/json_arena.h"

#include <inttypes.h>

#define MAPPING_PREFIX DW_STR("delta.columnMapping.")
#define ID_KEY DW_STR("delta.columnMapping.id")
#define PHYSICAL_NAME_KEY DW_STR("delta.columnMapping.physicalName")
#define PHYSICAL_NAME_PREFIX "col-"
#define METADATA_BYTES_MAX ((size_t) 64 << 20)

typedef struct assignment {
    const dw_mapping_change *change;
    dw_mapping_mode mode;
    bool keeps_names;  /* mode none becomes name: names are the physical names */
    bool finds_before; /* columns of the table before keep what they have */
    int64_t max_id;
    dw_arena *arena;
    dw_error *err;
} assignment;

static dw_status assign_type(assignment *a, const dw_type *type, const dw_type *before,
                             const dw_type **out);

/* ---- What may become what -------------------------------------------------------------------- */

static const char *
mode_name(dw_mapping_mode mode)
{
    switch (mode) {
    case DW_MAPPING_NONE:
        return "none";
    case DW_MAPPING_NAME:
        return "name";
    case DW_MAPPING_ID:
        return "id";
    }
    dw_unreachable("every mode is listed");
}

/* A field, at any depth, with metadata of a mapping that is off; NULL when there is none. */
static const dw_field *
find_leftover(const dw_type *type)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        if (memmem(field->metadata_json.ptr, field->metadata_json.len, MAPPING_PREFIX.ptr,
                   MAPPING_PREFIX.len) != NULL) {
            return field;
        }
        const dw_field *inner = find_leftover(field->type);
        if (inner != NULL) {
            return inner;
        }
    }
    const dw_field *found = type->element == NULL ? NULL : find_leftover(type->element);
    return found != NULL || type->key == NULL ? found : find_leftover(type->key);
}

static dw_status
check_mode(const dw_mapping_change *change, dw_mapping_mode mode, dw_error *err)
{
    dw_mapping_mode before = change->mode_before;
    if (change->schema_before == NULL || change->replaces || mode == before) {
        return DW_OK;
    }
    if (before != DW_MAPPING_NONE || mode != DW_MAPPING_NAME) {
        return dw__error_set(
            err, DW_INVALID_ARGUMENT, "MAPPING_MODE_CHANGE",
            "'delta.columnMapping.mode' of a table goes from none to name only, not from %s to %s: "
            "write the rows anew with CREATE OR REPLACE TABLE ... TBLPROPERTIES "
            "('delta.columnMapping.mode' = '%s') AS SELECT",
            mode_name(before), mode_name(mode), mode_name(mode));
    }
    const dw_field *leftover = find_leftover(change->schema_before);
    if (leftover != NULL) {
        return dw__error_set(err, DW_INVALID_ARGUMENT, "MAPPING_METADATA_LEFT",
                             "column \"%.*s\" has ids or physical names of a column mapping that "
                             "is off, so it cannot be switched on: write the rows anew with "
                             "CREATE OR REPLACE TABLE ... AS SELECT",
                             DW_STR_ARG(leftover->name));
    }
    return DW_OK;
}

/* ---- Ids that are taken ---------------------------------------------------------------------- */

static dw_status
raise_max_id(const dw_type *type, dw_arena *arena, int64_t *max_id, dw_error *err)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const dw_field *field = &type->fields[i];
        *max_id = field->mapping_id > *max_id ? field->mapping_id : *max_id;
        dw_nested_id *nested;
        size_t count;
        DW_TRY(dw__nested_ids_read(field, arena, &nested, &count, err));
        for (size_t k = 0; k < count; k++) {
            *max_id = nested[k].id > *max_id ? nested[k].id : *max_id;
        }
        DW_TRY(raise_max_id(field->type, arena, max_id, err));
    }
    if (type->key != NULL) {
        DW_TRY(raise_max_id(type->key, arena, max_id, err));
    }
    return type->element == NULL ? DW_OK : raise_max_id(type->element, arena, max_id, err);
}

static int64_t
configured_max_id(const dw_pairs *configuration)
{
    if (configuration == NULL) {
        return 0;
    }
    dw_properties properties;
    dw__properties_read(configuration, &properties, NULL);
    return properties.mapping_max_column_id;
}

/* The highest id that was ever given, as far as it is known. */
static dw_status
find_max_id(assignment *a)
{
    const dw_mapping_change *change = a->change;
    int64_t now = configured_max_id(change->configuration);
    int64_t before = configured_max_id(change->configuration_before);
    a->max_id = now > before ? now : before;
    if (change->schema_before != NULL && change->mode_before != DW_MAPPING_NONE) {
        DW_TRY(raise_max_id(change->schema_before, a->arena, &a->max_id, a->err));
    }
    return a->mode == DW_MAPPING_NONE ? DW_OK
                                      : raise_max_id(change->schema, a->arena, &a->max_id, a->err);
}

/* ---- One column ------------------------------------------------------------------------------ */

static dw_status
new_physical_name(const assignment *a, dw_str *out)
{
    char uuid[DW_UUID_TEXT_SIZE];
    dw__uuid_make(a->change->env, uuid);
    *out = dw__arena_printf(a->arena, PHYSICAL_NAME_PREFIX "%s", uuid);
    return dw__str_is_null(*out) ? dw__error_oom(a->err) : DW_OK;
}

/* The same column of the table before, when it is to be gone on with. */
static const dw_field *
find_before(const assignment *a, const dw_field *field, const dw_type *before)
{
    if (!a->finds_before || before == NULL || before->kind != DW_TYPE_STRUCT) {
        return NULL;
    }
    const dw_field *found = dw__schema_find(before, field->name);
    bool fits =
        found != NULL && (!a->change->replaces || dw__type_equal(found->type, field->type, true));
    return fits ? found : NULL;
}

/* The metadata of a field with its id and physical name in it, and the nested ids of before. */
static dw_status
print_metadata(const assignment *a, const dw_field *field, const dw_field *before, dw_str *out)
{
    DW_AUTO(dw_json_doc_ptr) doc = NULL;
    dw_str text = field->metadata_json.len == 0 ? DW_STR("{}") : field->metadata_json;
    DW_TRY(dw__json_parse(a->arena->allocator, text, "a column's metadata", &doc, a->err));
    DW_AUTO(dw_strbuf) json = dw__strbuf_make(a->arena->allocator, METADATA_BYTES_MAX);
    dw__strbuf_append_char(&json, '{');
    dw_json_iter it = dw__json_iter(dw__json_root(doc));
    bool has_nested = false;
    while (dw__json_next(&it)) {
        has_nested = has_nested || dw__str_equal(it.key, DW_NESTED_IDS_KEY);
        if (!dw__str_equal(it.key, ID_KEY) && !dw__str_equal(it.key, PHYSICAL_NAME_KEY)) {
            dw__json_put_key(&json, it.key);
            dw__json_write(&json, it.value);
        }
    }
    dw__json_put_key(&json, ID_KEY);
    dw__strbuf_append_i64(&json, field->mapping_id);
    dw__json_put_key(&json, PHYSICAL_NAME_KEY);
    dw__json_put_string(&json, field->physical_name);
    dw_str nested = DW_STR_NULL;
    if (before != NULL && !has_nested) {
        DW_TRY(dw__field_metadata_get(before, DW_NESTED_IDS_KEY, a->arena, &nested, a->err));
    }
    if (!dw__str_is_null(nested)) {
        dw__json_put_key(&json, DW_NESTED_IDS_KEY);
        dw__strbuf_append(&json, nested);
    }
    dw__strbuf_append_char(&json, '}');
    return dw__strbuf_to_arena(&json, a->arena, out, a->err);
}

static dw_status
assign_field(assignment *a, const dw_type *parent_before, dw_field *field)
{
    const dw_field *before = find_before(a, field, parent_before);
    if (field->mapping_id < 0) {
        bool has_id = before != NULL && before->mapping_id >= 0;
        field->mapping_id = has_id ? before->mapping_id : ++a->max_id;
        field->physical_name = DW_STR_NULL;
        if (before != NULL) {
            field->physical_name = before->physical_name;
        } else if (a->keeps_names) {
            field->physical_name = field->name;
        } else {
            DW_TRY(new_physical_name(a, &field->physical_name));
        }
        DW_TRY(print_metadata(a, field, before, &field->metadata_json));
    }
    return assign_type(a, field->type, before == NULL ? NULL : before->type, &field->type);
}

/* Recursion is at most DW_SCHEMA_DEPTH_MAX deep. */
static dw_status
assign_type(assignment *a, const dw_type *type, const dw_type *before, const dw_type **out)
{
    *out = type;
    if (!dw__type_is_nested(type)) {
        return DW_OK;
    }
    dw_type *copy = DW_ARENA_NEW(a->arena, dw_type);
    if (copy == NULL) {
        return dw__error_oom(a->err);
    }
    *copy = *type;
    copy->fields = DW_ARENA_ARRAY(a->arena, dw_field, type->field_count);
    if (copy->fields == NULL) {
        return dw__error_oom(a->err);
    }
    bool same_kind = before != NULL && before->kind == type->kind;
    for (size_t i = 0; i < type->field_count; i++) {
        copy->fields[i] = type->fields[i];
        DW_TRY(assign_field(a, before, &copy->fields[i]));
    }
    if (type->key != NULL) {
        DW_TRY(assign_type(a, type->key, same_kind ? before->key : NULL, &copy->key));
    }
    if (type->element != NULL) {
        DW_TRY(assign_type(a, type->element, same_kind ? before->element : NULL, &copy->element));
    }
    *out = copy;
    return DW_OK;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static bool
is_true(const dw_pairs *configuration, dw_str key)
{
    const dw_str *value = dw__pairs_get(configuration, key);
    return value != NULL && dw__str_equal_nocase(*value, DW_STR("true"));
}

/* The configuration with the highest id in it. */
static dw_status
put_max_id(const assignment *a, dw_pairs *out)
{
    const dw_pairs *from = a->change->configuration;
    dw_str value = dw__arena_printf(a->arena, "%" PRId64, a->max_id);
    out->items = DW_ARENA_ARRAY(a->arena, dw_pair, from->count + 1);
    out->count = 0;
    if (dw__str_is_null(value) || out->items == NULL) {
        return dw__error_oom(a->err);
    }
    for (size_t i = 0; i < from->count; i++) {
        if (!dw__str_equal(from->items[i].key, DW_MAPPING_MAX_ID_KEY)) {
            out->items[out->count++] = from->items[i];
        }
    }
    out->items[out->count++] = (dw_pair){.key = DW_MAPPING_MAX_ID_KEY, .value = value};
    return DW_OK;
}

static dw_status
assign_all(assignment *a, const dw_type **schema_out)
{
    const dw_mapping_change *change = a->change;
    bool same_mode = a->mode == change->mode_before;
    a->keeps_names =
        change->schema_before != NULL && !change->replaces && change->mode_before != a->mode;
    a->finds_before = change->schema_before != NULL && (same_mode || !change->replaces);
    DW_TRY(assign_type(a, change->schema, change->schema_before, schema_out));
    if (is_true(change->configuration, DW_STR("delta.enableIcebergCompatV2"))) {
        DW_TRY(dw__nested_ids_assign(*schema_out, a->arena, &a->max_id, schema_out, a->err));
    }
    if (a->max_id > INT32_MAX) {
        return dw__error_set(a->err, DW_UNSUPPORTED, "MAPPING_INVALID",
                             "the table has no ids left for new columns: the highest is %" PRId64,
                             a->max_id);
    }
    return DW_OK;
}

dw_status
dw__mapping_apply(const dw_mapping_change *change, dw_arena *arena, const dw_type **schema_out,
                  dw_pairs *configuration_out, dw_error *err)
{
    dw_assert(change->schema->kind == DW_TYPE_STRUCT);
    dw_properties properties;
    dw__properties_read(change->configuration, &properties, NULL);
    assignment a = {.change = change, .mode = properties.mapping_mode, .arena = arena, .err = err};
    *schema_out = change->schema;
    *configuration_out = *change->configuration;
    DW_TRY(check_mode(change, a.mode, err));
    DW_TRY(find_max_id(&a));
    if (a.mode != DW_MAPPING_NONE) {
        DW_TRY(assign_all(&a, schema_out));
    }
    return a.max_id == 0 ? DW_OK : put_max_id(&a, configuration_out);
}
